/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry: the process's own metrics for Prometheus, on :8888/metrics.
 *
 * Core starts it for the pull reader of service.telemetry.metrics.  A scrape
 * asks core for a snapshot, which visits every worker, and answers when that
 * is complete.  Holds nothing between scrapes.
 */
#include <weir/kit/http.h>

#include "encode.h"

#include <stdio.h>

#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define PLAIN "text/plain; charset=utf-8"

struct telemetry {
	struct weir_component base;
	weir_str host;
	uint32_t port;
	bool without_units, without_type_suffix, without_scope_info;
	struct label_filter with_resource_constant_labels;
	char endpoint[300];
	struct weir_http_server_config config;
	struct weir_http_server *server;
};

static const struct weir_field filter_fields[] = {
	WEIR_FIELD(struct label_filter, included, NULL,
		   "Names of those that are; none: all."),
	WEIR_FIELD(struct label_filter, excluded, NULL,
		   "Names of those that are not."),
	WEIR_END
};

static const struct weir_field fields[] = {
	WEIR_FIELD(struct telemetry, host, "localhost",
		   "Interface to listen on."),
	WEIR_FIELD(struct telemetry, port, "8888", "TCP port to listen on."),
	WEIR_FIELD(struct telemetry, without_units, "true",
		   "Leave the unit out of metric names."),
	WEIR_FIELD(struct telemetry, without_type_suffix, "true",
		   "Leave _total out of the names of counters."),
	WEIR_FIELD(struct telemetry, without_scope_info, "true",
		   "Leave the otel_scope labels out."),
	WEIR_OPTIONAL(struct telemetry, with_resource_constant_labels,
		      filter_fields, WEIR_BLOCK_NONE,
		      "Resource attributes as labels of every series."),
	WEIR_END
};

static int check_filter(const struct label_filter *filter,
			struct weir_error *error)
{
	for (size_t i = 0; i < filter->excluded.len; i++)
		if (label_is_listed(&filter->included,
				    filter->excluded.items[i]))
			return weir_fail(error, "with_resource_constant_labels",
				"attribute cannot be in both include and "
				"exclude list: %.*s",
				WEIR_STR_FMT(filter->excluded.items[i]));
	return 0;
}

static int validate(struct weir_component *c, struct weir_error *error)
{
	const struct telemetry *self = WEIR_SELF(c, struct telemetry);

	if (self->port > 65535)
		return weir_fail(error, "port", "%u is not a TCP port",
				 self->port);
	return check_filter(&self->with_resource_constant_labels, error);
}

static void on_snapshot(struct weir_component *c, void *arg,
			const struct weir_family *families, size_t n)
{
	const struct telemetry *self = WEIR_SELF(c, struct telemetry);
	struct weir_http_exchange *exchange = arg;
	struct encode_options options = {
		.without_units = self->without_units,
		.without_type_suffix = self->without_type_suffix,
		.without_scope_info = self->without_scope_info,
		.scope_version = weir_version(),
		.constant = &self->with_resource_constant_labels,
	};
	struct text text = { 0 };

	options.resource = weir_service_resource(&options.n_resource);
	encode_metrics(&text, &options, families, n);
	if (text.failed)
		weir_http_respond(exchange, 500, PLAIN, "",
				  WEIR_STR("out of memory\n"));
	else
		weir_http_respond(exchange, 200, CONTENT_TYPE, "",
				  (weir_str){ text.ptr, text.len });
	text_release(&text);
}

static void on_request(struct weir_component *c,
		       struct weir_http_exchange *exchange, void *arg)
{
	(void)arg;
	weir_metrics_snapshot(c, on_snapshot, exchange);
}

static const struct weir_http_route routes[] = {
	{ .path = { "/metrics", 8 }, .methods = WEIR_HTTP_GET,
	  .handle = on_request },
};

static int start(struct weir_component *c, struct weir_error *error)
{
	struct telemetry *self = WEIR_SELF(c, struct telemetry);
	bool v6 = self->host.len && memchr(self->host.ptr, ':', self->host.len);
	struct weir_error why;
	char url[320];

	snprintf(self->endpoint, sizeof(self->endpoint),
		 v6 ? "[%.*s]:%u" : "%.*s:%u", WEIR_STR_FMT(self->host),
		 self->port);
	weir_http_server_defaults(&self->config);
	self->config.endpoint = weir_str_of(self->endpoint);
	self->config.max_request_body_size = 65536;
	self->server = weir_http_server_start(c, &self->config, routes, 1,
					      &why);
	if (!self->server)
		return weir_fail(error, "port", "metrics cannot be served: %s",
				 why.text);
	snprintf(url, sizeof(url), "http://%s/metrics", self->endpoint);
	weir_announce(c, "metrics", url, "");
	return 0;
}

static void stop(struct weir_component *c)
{
	weir_http_server_stop(WEIR_SELF(c, struct telemetry)->server);
}

static void destroy(struct weir_component *c)
{
	weir_http_server_free(&WEIR_SELF(c, struct telemetry)->server);
}

WEIR_PLUGIN(WEIR_EXTENSION, "telemetry", "",
	.about = "Serves the process's own metrics to Prometheus.",
	.placement = WEIR_ONE,
	.stability = WEIR_STABILITY_BETA,
	.size = sizeof(struct telemetry),
	.fields = fields,
	.validate = validate,
	.start = start,
	.stop = stop,
	.destroy = destroy,
);
