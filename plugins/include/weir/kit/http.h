/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h: an HTTP server, HTTP/1.1 and HTTP/2 on one port.
 *
 * The first bytes of a connection say which of the two it speaks (RFC 9113
 * 3.3, prior knowledge).  Keys, defaults and error texts are the Collector's
 * confighttp (collector.md 2.0.5); limits, timeouts and refusals are attacks.md
 * D and E.  A handler sees a whole request: routed, its body inflated.
 */
#ifndef WEIR_KIT_HTTP_H
#define WEIR_KIT_HTTP_H

#include <weir/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_HTTP_MAX_RESPONSE_HEADERS 64

struct weir_http_cors_config {
	bool enabled;
	struct weir_strs allowed_origins, allowed_headers, exposed_headers;
	int64_t max_age;		/* seconds */
};
struct weir_http_server_config {	/* rows: weir_http_server_fields */
	bool enabled;
	weir_str endpoint, transport;
	struct weir_http_cors_config cors;
	int64_t max_request_body_size;	/* bytes, as sent and inflated; <= 0:
					 * 20 MiB */
	bool include_metadata;
	struct weir_pairs response_headers;
	struct weir_strs compression_algorithms;
	/* 0: our guard (attacks.md 39, 40, 41). */
	weir_duration read_timeout, read_header_timeout, write_timeout,
		idle_timeout;
	bool keep_alives_enabled;
	uint32_t max_connections_per_address;	/* 0: weir/net.h */
	/* Recognised, and refused until they exist. */
	const struct weir_node *tls, *auth, *middlewares;
};
WEIR_API extern const struct weir_field weir_http_server_fields[];
/* The same without endpoint and keep_alives_enabled, whose defaults are not
 * those of OTLP everywhere. */
WEIR_API extern const struct weir_field weir_http_common_fields[];
/* What the rows cannot say; path: of the block, "protocols.http". */
WEIR_API int weir_http_server_validate(
	const struct weir_http_server_config *config, const char *path,
	struct weir_error *error);
/* For a server that no block configures: the defaults of the rows. */
WEIR_API void weir_http_server_defaults(
	struct weir_http_server_config *config);

struct weir_http_server;
struct weir_http_exchange;

enum weir_http_method {			/* bits; HEAD comes with GET */
	WEIR_HTTP_GET = 1 << 0, WEIR_HTTP_POST = 1 << 1,
	WEIR_HTTP_PUT = 1 << 2, WEIR_HTTP_DELETE = 1 << 3
};

struct weir_http_route {
	weir_str path;		/* whole, "/v1/traces"; "" : any other path */
	uint32_t methods;	/* others: 405 with Allow; 0: any goes */
	/* "application/json application/x-protobuf": others, and none, are
	 * 415; compared without case and parameters.  NULL: not looked at. */
	const char *content_types;
	/* Refusals carry a google.rpc.Status in the request's content type
	 * (OTLP); else plain text. */
	bool status_bodies;
	/* Answer once, now or later. */
	void (*handle)(struct weir_component *c,
		       struct weir_http_exchange *exchange, void *arg);
	/* The kit refused a request of this route itself; may be NULL. */
	void (*refused)(struct weir_component *c,
			const struct weir_outcome *outcome, void *arg);
	void *arg;
};

/* From start.  config and routes live as long as the server; other paths are
 * 404.  NULL and a sentence when the address cannot be bound. */
WEIR_API struct weir_http_server *weir_http_server_start(
	struct weir_component *c, const struct weir_http_server_config *config,
	const struct weir_http_route *routes, size_t n,
	struct weir_error *error);
/* "127.0.0.1:4318", or a path; lives as long as the server. */
WEIR_API const char *weir_http_server_address(
	const struct weir_http_server *server);
/* Drains: idle connections are closed, requests under way answered and their
 * connections closed then (HTTP/2: GOAWAY). */
WEIR_API void weir_http_server_stop(struct weir_http_server *server);
/* Closes what is left; exchanges that were not answered may still be, into
 * nothing.  Leaves NULL. */
WEIR_API void weir_http_server_free(struct weir_http_server **server);

/* --- One request; until it is answered ------------------------------------ */

WEIR_API weir_str weir_http_method(const struct weir_http_exchange *x);
WEIR_API weir_str weir_http_path(const struct weir_http_exchange *x);
WEIR_API weir_str weir_http_query(const struct weir_http_exchange *x);
/* Without parameters, lower case; one of the route's. */
WEIR_API weir_str weir_http_content_type(const struct weir_http_exchange *x);
/* First value of a header, lower-case name; false when absent. */
WEIR_API bool weir_http_header(const struct weir_http_exchange *x,
			       weir_str name, weir_str *value);
/* Inflated. */
WEIR_API weir_str weir_http_body(const struct weir_http_exchange *x);
/* The same as a payload of the caller's, charged to the budget; NULL when the
 * body is empty, or was taken. */
WEIR_API struct weir_payload *weir_http_take_body(struct weir_http_exchange *x,
						  size_t *len);
/* What the client sent along (headers with include_metadata). */
WEIR_API struct weir_context *weir_http_context(struct weir_http_exchange *x);

/* extra: "Allow: GET\r\n" or "" (never from foreign text).  The body is copied;
 * for HEAD it is left out, its length is not. */
WEIR_API void weir_http_respond(struct weir_http_exchange *x, int status,
				const char *content_type, const char *extra,
				weir_str body);
/* Answers with weir_outcome_http's status; Retry-After when it may be retried
 * (retry_after, else 1 s), the body as the route's status_bodies says. */
WEIR_API void weir_http_fail(struct weir_http_exchange *x,
			     const struct weir_outcome *outcome);

#ifdef __cplusplus
}
#endif
#endif
