/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c: the keys of a periodic reader, and what their rows cannot say.
 *
 * An endpoint without a scheme is http:// when `insecure` says so, else
 * https://.  Texts are the Collector's where it has one.  Holds nothing.  Must
 * never let a header leave in plain text unless its user asked for that.
 */
#include "config.h"


#define MS INT64_C(1000000)
#define STANDARD_INTERVAL 60000		/* ms, for 0 and less */
#define STANDARD_TIMEOUT 30000
#define STANDARD_OTLP_TIMEOUT 10000
#define LONGEST (INT64_C(1000) * 60 * 60 * 24 * 365)	/* ms */

static const struct weir_field otlp_fields[] = {
	WEIR_FIELD(struct push_otlp, protocol, "",
		   "grpc or http/protobuf; must be given."),
	WEIR_FIELD(struct push_otlp, endpoint, "",
		   "http://host:port, for HTTP with a path if it is not "
		   "/v1/metrics."),
	WEIR_FIELD(struct push_otlp, headers, NULL,
		   "To send with every export: [{name, value}]."),
	WEIR_FIELD(struct push_otlp, headers_list, "",
		   "Refused: they are read from `headers`."),
	WEIR_FIELD(struct push_otlp, insecure, "false",
		   "An endpoint without a scheme is http://."),
	WEIR_FIELD(struct push_otlp, compression, "none", "gzip or none."),
	WEIR_FIELD(struct push_otlp, timeout, "10000",
		   "Milliseconds for one request."),
	WEIR_FIELD(struct push_otlp, temporality_preference, "cumulative",
		   "cumulative, delta or lowmemory."),
	WEIR_FIELD_IGNORED("default_histogram_aggregation",
			   "Without effect, as in the Collector."),
	WEIR_FIELD(struct push_otlp, certificate, "",
		   "Not available yet: refused."),
	WEIR_FIELD(struct push_otlp, client_key, "",
		   "Not available yet: refused."),
	WEIR_FIELD(struct push_otlp, client_certificate, "",
		   "Not available yet: refused."),
	WEIR_END
};

static const struct weir_field exporter_fields[] = {
	WEIR_OPTIONAL(struct push_exporter, otlp, otlp_fields, WEIR_BLOCK_NONE,
		      "Sends OTLP."),
	WEIR_FIELD(struct push_exporter, console, NULL,
		   "{}: prints OTLP/JSON, a line per export, to stdout."),
	WEIR_END
};

const struct weir_field push_fields[] = {
	WEIR_FIELD(struct push_config, interval, "60000",
		   "Milliseconds between exports."),
	WEIR_FIELD(struct push_config, timeout, "30000",
		   "Milliseconds for one export."),
	WEIR_BLOCK(struct push_config, exporter, exporter_fields,
		   "Where to: otlp or console."),
	WEIR_END
};

/* --- Small values ------------------------------------------------------- */

static int64_t positive(int64_t ms, int64_t standard)
{
	if (ms <= 0)
		return standard;
	return ms < LONGEST ? ms : LONGEST;
}

static int read_preference(const struct push_otlp *otlp,
			   enum preference *preference,
			   struct weir_error *error)
{
	static const char *const words[] = { "cumulative", "delta",
					     "lowmemory" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!weir_str_eq(otlp->temporality_preference,
				 weir_str_of(words[i])))
			continue;
		*preference = (enum preference)i;
		return 0;
	}
	return weir_fail(error, "exporter.otlp.temporality_preference",
			 "unsupported temporality preference \"%.*s\"",
			 WEIR_STR_FMT(otlp->temporality_preference));
}

static int check_compression(weir_str name, struct weir_error *error)
{
	if (weir_str_eq(name, WEIR_STR("gzip")) ||
	    weir_str_eq(name, WEIR_STR("none")))
		return 0;
	return weir_fail(error, "exporter.otlp.compression",
			 "unsupported compression \"%.*s\"",
			 WEIR_STR_FMT(name));
}

static int check_unavailable(const struct push_otlp *otlp,
			     struct weir_error *error)
{
	const struct {
		weir_str value;
		const char *path;
	} tls[] = {
		{ otlp->certificate, "exporter.otlp.certificate" },
		{ otlp->client_key, "exporter.otlp.client_key" },
		{ otlp->client_certificate,
		  "exporter.otlp.client_certificate" },
	};

	for (size_t i = 0; i < sizeof(tls) / sizeof(tls[0]); i++)
		if (tls[i].value.len)
			return weir_fail(error, tls[i].path, "TLS settings are "
					 "not available yet: take the key out");
	if (otlp->headers_list.len)
		return weir_fail(error, "exporter.otlp.headers_list",
				 "headers_list is not read: write `headers`");
	return 0;
}

/* --- Endpoint ----------------------------------------------------------- */

#define ENDPOINT "exporter.otlp.endpoint"

/* The authority, with its brackets and without a user, as it stands in the
 * text. */
static weir_str authority_of(weir_str text)
{
	const char *from = memmem(text.ptr, text.len, "://", 3), *at;
	size_t n = 0;

	text.len -= (size_t)(from + 3 - text.ptr);
	text.ptr = from + 3;
	while (n < text.len && !memchr("/?#", text.ptr[n], 3))
		n++;
	text.len = n;
	at = memrchr(text.ptr, '@', text.len);
	if (at) {
		text.len -= (size_t)(at + 1 - text.ptr);
		text.ptr = at + 1;
	}
	return text;
}

static bool has_prefix(weir_str text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text.len >= len && !memcmp(text.ptr, prefix, len);
}

/* The URL to send to, for HTTP; for gRPC only its authority counts. */
static int read_endpoint(const struct push_otlp *otlp,
			 struct push_target *target, struct weir_error *error)
{
	struct weir_text whole = { 0 };
	struct weir_http_url url;
	struct weir_error why;
	int failed = 0;

	if (!otlp->endpoint.len)
		return weir_fail(error, "exporter.otlp",
				 "endpoint must be specified");
	if (!has_prefix(otlp->endpoint, "http://") &&
	    !has_prefix(otlp->endpoint, "https://"))
		weir_text_add(&whole, weir_str_of(otlp->insecure ? "http://"
								 : "https://"));
	weir_text_add(&whole, otlp->endpoint);
	if (weir_http_url_parse((weir_str){ whole.ptr, whole.len }, &url,
				&why)) {
		failed = weir_fail(error, ENDPOINT, "%s", why.text);
	} else {
		weir_str authority = authority_of(
			(weir_str){ whole.ptr, whole.len });

		weir_text_add(&target->url, url.scheme);
		weir_text_add(&target->url, WEIR_STR("://"));
		weir_text_add(&target->url, authority);
		if (target->kind == PUSH_HTTP)
			weir_text_add(&target->url, url.path.len ? url.path :
				      WEIR_STR("/v1/metrics"));
	}
	weir_text_release(&whole);
	return failed;
}

/* --- Clients ------------------------------------------------------------ */

/* What a client says about a key of its own is shown at ours. */
static int at_otlp(struct weir_error *error)
{
	struct weir_error said = *error;

	if (!said.path[0])
		return weir_fail(error, "exporter.otlp", "%s", said.text);
	return weir_fail(error, !strcmp(said.path, "headers") ?
			 "exporter.otlp.headers" : ENDPOINT, "%s", said.text);
}

static int read_grpc(const struct push_otlp *otlp, struct push_target *target,
		     struct weir_error *error)
{
	target->grpc = (struct weir_grpc_client_config){
		.endpoint = { target->url.ptr, target->url.len },
		.compression = otlp->compression,
		.headers = otlp->headers,
		.balancer_name = WEIR_STR("round_robin"),
	};
	if (has_prefix(target->grpc.endpoint, "https://"))
		return weir_fail(error, ENDPOINT, "TLS is not available yet: "
				 "write http:// to send in plain text");
	if (weir_grpc_client_validate_plain(&target->grpc, "", error))
		return at_otlp(error);
	return 0;
}

static int read_http(const struct push_otlp *otlp, struct push_target *target,
		     struct weir_error *error)
{
	target->http = (struct weir_http_client_config){
		.compression = otlp->compression,
		.headers = otlp->headers,
		.max_idle_conns = 1,
		.idle_conn_timeout = { INT64_C(90000) * MS },
		.force_attempt_http2 = true,
	};
	if (weir_http_client_validate(&target->http, error))
		return at_otlp(error);
	return 0;
}

static int read_otlp(const struct push_otlp *otlp, struct push_target *target,
		     struct weir_error *error)
{
	bool grpc = weir_str_eq(otlp->protocol, WEIR_STR("grpc"));
	int64_t timeout = positive(otlp->timeout, STANDARD_OTLP_TIMEOUT) * MS;

	if (!otlp->protocol.len)
		return weir_fail(error, "exporter.otlp", "no valid metric "
				 "exporter: protocol is grpc or http/protobuf");
	if (!grpc && !weir_str_eq(otlp->protocol, WEIR_STR("http/protobuf")))
		return weir_fail(error, "exporter.otlp.protocol",
				 "unsupported protocol \"%.*s\"",
				 WEIR_STR_FMT(otlp->protocol));
	target->kind = grpc ? PUSH_GRPC : PUSH_HTTP;
	if (timeout < target->timeout.ns)
		target->timeout.ns = timeout;
	if (check_unavailable(otlp, error) ||
	    read_endpoint(otlp, target, error) ||
	    check_compression(otlp->compression, error) ||
	    read_preference(otlp, &target->preference, error))
		return -1;
	return grpc ? read_grpc(otlp, target, error)
		    : read_http(otlp, target, error);
}

/* --- All ---------------------------------------------------------------- */

int push_target_read(const struct push_config *config,
		     struct push_target *target, struct weir_error *error)
{
	const struct push_exporter *to = &config->exporter;
	enum weir_node_kind console = weir_node_kind(to->console);

	target->interval.ns = positive(config->interval, STANDARD_INTERVAL) *
			      MS;
	target->timeout.ns = positive(config->timeout, STANDARD_TIMEOUT) * MS;
	if (console != WEIR_NODE_NULL && console != WEIR_NODE_MAP)
		return weir_fail(error, "exporter.console",
				 "expected a map: `console: {}`");
	if (console == WEIR_NODE_MAP && to->otlp.enabled)
		return weir_fail(error, "exporter",
				 "must not specify multiple exporters");
	if (console == WEIR_NODE_MAP) {
		target->kind = PUSH_CONSOLE;
		return 0;
	}
	if (!to->otlp.enabled)
		return weir_fail(error, "exporter", "no valid metric exporter: "
				 "otlp and console are known");
	return read_otlp(&to->otlp, target, error);
}

void push_target_release(struct push_target *target)
{
	weir_text_release(&target->url);
}
