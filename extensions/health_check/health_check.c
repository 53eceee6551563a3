/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health_check: tells over HTTP whether the process is ready.
 *
 * 200 from the moment all pipelines run, 503 before it and from the start of
 * shutdown; it does not look at what single components are doing.  Holds no
 * state between requests.
 */
#include <weir/kit/http.h>

#include "encode.h"

#include <stdio.h>

#define MAX_BODY 65536		/* nobody looks at it */

struct response_body {
	bool enabled;
	weir_str healthy, unhealthy;
};

struct health_check {
	struct weir_component base;
	struct weir_http_server_config config;	/* what of it works */
	weir_str path;
	struct response_body response_body;
	bool use_v2;
	const struct weir_node *http, *grpc;
	struct weir_http_server *server;
};

static const struct weir_field response_body_fields[] = {
	WEIR_FIELD(struct response_body, healthy, "",
		   "Body of the answer when ready."),
	WEIR_FIELD(struct response_body, unhealthy, "",
		   "Body of the answer when not ready."),
	WEIR_END
};

static const struct weir_field fields[] = {
	WEIR_FIELD_AS(struct health_check, "endpoint", config.endpoint,
		      "localhost:13133", "Address to listen on."),
	WEIR_INCLUDE(struct health_check, config, weir_http_common_fields),
	WEIR_FIELD_AS(struct health_check, "keep_alives_enabled",
		      config.keep_alives_enabled, "false",
		      "Keep connections for further requests."),
	WEIR_FIELD(struct health_check, path, "/",
		   "Path that is answered; one that ends in / answers for all "
		   "below it."),
	WEIR_OPTIONAL(struct health_check, response_body, response_body_fields,
		      WEIR_BLOCK_DEFAULT,
		      "Texts instead of the JSON document."),
	WEIR_FIELD(struct health_check, use_v2, "false",
		   "Version 2 of the check is not supported."),
	WEIR_FIELD(struct health_check, http, NULL,
		   "Key of version 2: refused when given."),
	WEIR_FIELD(struct health_check, grpc, NULL,
		   "Key of version 2: refused when given."),
	WEIR_FIELD_IGNORED("component_health", "Key of version 2."),
	WEIR_FIELD_IGNORED("check_collector_pipeline",
			   "Has no effect, as in the Collector."),
	WEIR_END
};

/* The Collector reads these keys and heeds none of them. */
static void without_effect(struct weir_http_server_config *config)
{
	config->auth = config->middlewares = NULL;
	config->cors.enabled = config->include_metadata = false;
	config->response_headers.len = 0;
	config->compression_algorithms.len = 0;
	config->max_request_body_size = MAX_BODY;
}

static int validate(struct weir_component *c, struct weir_error *error)
{
	const struct health_check *self = WEIR_SELF(c, struct health_check);
	struct weir_http_server_config config;

	if (self->http || self->grpc)
		return weir_fail(error, self->http ? "http" : "grpc",
				 "v2 healthcheck configuration (http/grpc "
				 "fields) detected but feature gate is "
				 "disabled");
	if (self->use_v2)
		return weir_fail(error, "use_v2",
				 "must specify at least one protocol");
	if (!self->config.endpoint.len)
		return weir_fail(error, "endpoint", "http endpoint required");
	if (!self->path.len || self->path.ptr[0] != '/')
		return weir_fail(error, "path", "path must start with /");
	config = self->config;
	without_effect(&config);
	return weir_http_server_validate(&config, "", error);
}

static bool path_matches(weir_str pattern, weir_str path)
{
	if (pattern.ptr[pattern.len - 1] != '/')
		return weir_str_eq(pattern, path);
	return path.len >= pattern.len &&
	       !memcmp(path.ptr, pattern.ptr, pattern.len);
}

static void respond(const struct health_check *self,
		    struct weir_http_exchange *exchange, bool ready)
{
	int status = ready ? 200 : 503;
	char body[HEALTH_BODY_MAX];
	uint64_t wall, now;

	if (self->response_body.enabled) {
		weir_http_respond(exchange, status,
				  "text/plain; charset=utf-8", "",
				  ready ? self->response_body.healthy
					: self->response_body.unhealthy);
		return;
	}
	weir_service_since(&wall, &now);
	if (ready)
		encode_ready(wall, weir_now() - now, body, sizeof(body));
	else
		encode_not_ready(body, sizeof(body));
	weir_http_respond(exchange, status, "application/json", "",
			  weir_str_of(body));
}

static void on_request(struct weir_component *c,
		       struct weir_http_exchange *exchange, void *arg)
{
	const struct health_check *self = WEIR_SELF(c, struct health_check);

	(void)arg;
	if (path_matches(self->path, weir_http_path(exchange)))
		respond(self, exchange,
			weir_service_state() == WEIR_SERVICE_READY);
	else
		weir_http_respond(exchange, 404, "text/plain; charset=utf-8",
				  "X-Content-Type-Options: nosniff\r\n",
				  WEIR_STR("404 page not found\n"));
}

static const struct weir_http_route routes[] = {
	{ .handle = on_request },	/* any path, any method */
};

static int start(struct weir_component *c, struct weir_error *error)
{
	struct health_check *self = WEIR_SELF(c, struct health_check);
	weir_str endpoint = self->config.endpoint;
	struct weir_error why;
	char url[300];

	without_effect(&self->config);
	weir_log_info(c, "Starting health_check extension",
		      "endpoint=%.*s path=%.*s", WEIR_STR_FMT(endpoint),
		      WEIR_STR_FMT(self->path));
	self->server = weir_http_server_start(c, &self->config, routes, 1,
					      &why);
	if (!self->server)
		return weir_fail(error, "endpoint",
				 "failed to bind to address %.*s: %s",
				 WEIR_STR_FMT(endpoint), why.text);
	snprintf(url, sizeof(url), "http://%.*s%.*s", WEIR_STR_FMT(endpoint),
		 WEIR_STR_FMT(self->path));
	weir_announce(c, "health", url, "");
	return 0;
}

static void stop(struct weir_component *c)
{
	weir_http_server_stop(WEIR_SELF(c, struct health_check)->server);
}

static void destroy(struct weir_component *c)
{
	weir_http_server_free(&WEIR_SELF(c, struct health_check)->server);
}

WEIR_PLUGIN(WEIR_EXTENSION, "health_check", "healthcheck",
	.about = "Tells over HTTP whether the process is ready.",
	.placement = WEIR_ONE,
	.stability = WEIR_STABILITY_BETA,
	.size = sizeof(struct health_check),
	.fields = fields,
	.validate = validate,
	.start = start,
	.stop = stop,
	.destroy = destroy,
);
