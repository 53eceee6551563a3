/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zpages: the Collector's pages about itself.  Weir has none: the keys are
 * accepted, it says so once, and opens no port.
 */
#include <weir/kit/http.h>

struct expvar {
	bool enabled;
};

struct zpages {
	struct weir_component base;
	struct weir_http_server_config config;
	struct expvar expvar;
};

static const struct weir_field expvar_fields[] = {
	WEIR_FIELD(struct expvar, enabled, "false", "No effect."),
	WEIR_END
};

static const struct weir_field fields[] = {
	WEIR_FIELD_AS(struct zpages, "endpoint", config.endpoint,
		      "localhost:55679", "No effect: nothing listens there."),
	WEIR_FIELD_AS(struct zpages, "keep_alives_enabled",
		      config.keep_alives_enabled, "true", "No effect."),
	WEIR_BLOCK(struct zpages, expvar, expvar_fields, "No effect."),
	WEIR_INCLUDE(struct zpages, config, weir_http_common_fields),
	WEIR_END
};

static int validate(struct weir_component *c, struct weir_error *error)
{
	if (WEIR_SELF(c, struct zpages)->config.endpoint.len)
		return 0;
	return weir_fail(error, "endpoint", "\"endpoint\" is required when "
			 "using the \"zpages\" extension");
}

static int start(struct weir_component *c, struct weir_error *error)
{
	(void)error;
	weir_log_warn(c, "The zpages extension does nothing here: what the "
		      "process knows of itself is on its metrics page.", NULL);
	return 0;
}

WEIR_PLUGIN(WEIR_EXTENSION, "zpages", "",
	.about = "Accepts the keys of the Collector's pages about itself, and "
		 "does nothing.",
	.placement = WEIR_ONE,
	.stability = WEIR_STABILITY_BETA,
	.size = sizeof(struct zpages),
	.fields = fields,
	.validate = validate,
	.start = start,
);
