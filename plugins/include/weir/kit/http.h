/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h: an HTTP/1.1 server for small answers (health, metrics), on a strict
 * push parser.  Limits, timeouts and refusals: attacks.md D.
 */
#ifndef WEIR_KIT_HTTP_H
#define WEIR_KIT_HTTP_H

#include <weir/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_http_server;
struct weir_http_exchange;

struct weir_http_options {
	weir_str endpoint, transport;
	size_t max_body;		/* over it: 413 */
	bool keep_alive;		/* false: each answer closes */
	/* A whole request.  method, target path (no query) and query; answer
	 * with weir_http_respond, once, now or later.  Header look-ups work
	 * until then. */
	void (*handle)(struct weir_component *c,
		       struct weir_http_exchange *exchange, void *arg);
	void *arg;
};
/* From start.  NULL and a sentence when the address cannot be bound. */
WEIR_API struct weir_http_server *weir_http_server_start(
	struct weir_component *c, const struct weir_http_options *options,
	struct weir_error *error);
WEIR_API void weir_http_server_stop(struct weir_http_server *server);
WEIR_API void weir_http_server_free(struct weir_http_server **server);

WEIR_API weir_str weir_http_method(const struct weir_http_exchange *x);
WEIR_API weir_str weir_http_path(const struct weir_http_exchange *x);
WEIR_API weir_str weir_http_query(const struct weir_http_exchange *x);
/* First value of a header, lower-case name; false when absent. */
WEIR_API bool weir_http_header(const struct weir_http_exchange *x,
			       weir_str name, weir_str *value);
WEIR_API weir_str weir_http_body(const struct weir_http_exchange *x);
/* extra: "Allow: GET\r\n" or "" (never from foreign text).  The body is copied;
 * for HEAD it is left out, its length is not. */
WEIR_API void weir_http_respond(struct weir_http_exchange *x, int status,
				const char *content_type, const char *extra,
				weir_str body);

#ifdef __cplusplus
}
#endif
#endif
