/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_route.c: what a request asks for, and whether it may.
 *
 *	path? preflight? route? method? type? encoding? size? -> refused
 *
 * Holds nothing.  Must never touch an exchange after it was refused: it may be
 * gone.
 */
#include "http_conn.h"

#include <weir/kit/text.h>

/* --- what is asked -------------------------------------------------------- */

static uint32_t method_bit(weir_str method)
{
	static const struct { weir_str name; uint32_t bit; } methods[] = {
		{ { "GET", 3 }, WEIR_HTTP_GET },
		{ { "HEAD", 4 }, WEIR_HTTP_GET },
		{ { "POST", 4 }, WEIR_HTTP_POST },
		{ { "PUT", 3 }, WEIR_HTTP_PUT },
		{ { "DELETE", 6 }, WEIR_HTTP_DELETE },
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (weir_str_eq(methods[i].name, method))
			return methods[i].bit;
	return 0;
}

static const struct weir_http_route *find_route(
	const struct weir_http_server *server, weir_str path)
{
	const struct weir_http_route *other = NULL;

	for (size_t i = 0; i < server->n_routes; i++) {
		if (http_path_is(path, server->routes[i].path))
			return &server->routes[i];
		if (!server->routes[i].path.len)
			other = &server->routes[i];
	}
	return other;
}

/* RFC 9110 8.3.1: type and subtype are compared without case, what is behind
 * the semicolon does not matter.  Two of them say nothing. */
static void set_type(struct weir_http_exchange *x)
{
	weir_str name = WEIR_STR("content-type"), value, second;
	const char *end;
	char *text;

	x->type = (struct http_text){ 0, 0 };
	if (!http_head_find(&x->head, name, 0, &value) ||
	    http_head_find(&x->head, name, 1, &second))
		return;
	end = value.len ? memchr(value.ptr, ';', value.len) : NULL;
	if (end)
		value.len = (size_t)(end - value.ptr);
	while (value.len && (value.ptr[value.len - 1] == ' ' ||
			     value.ptr[value.len - 1] == '\t'))
		value.len--;
	text = x->head.text + (value.ptr - x->head.text);
	for (size_t i = 0; i < value.len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] + ('a' - 'A'));
	x->type = (struct http_text){ (uint16_t)(text - x->head.text),
				      (uint16_t)value.len };
}

/* Is it one of the words? */
static bool is_listed(weir_str type, const char *words)
{
	while (*words) {
		size_t len = strcspn(words, " ");

		if (weir_str_eq(type, (weir_str){ words, len }))
			return true;
		words += len;
		words += strspn(words, " ");
	}
	return false;
}

static bool is_enabled(const struct weir_strs *algorithms, weir_str name)
{
	for (size_t i = 0; i < algorithms->len; i++)
		if (weir_str_eq(algorithms->items[i], name))
			return true;
	return false;
}

/* One encoding, exactly as it is listed.  false: none of ours. */
static bool set_encoding(struct weir_http_exchange *x)
{
	const struct weir_strs *algorithms =
		&x->conn->server->config->compression_algorithms;
	weir_str name = WEIR_STR("content-encoding"), value, second;

	x->encoding = WEIR_ENCODING_IDENTITY;
	if (!algorithms->len)		/* whatever it is, it stays so */
		return true;
	if (!http_head_find(&x->head, name, 0, &value))
		value = (weir_str){ "", 0 };
	else if (http_head_find(&x->head, name, 1, &second))
		return false;		/* stacked: never */
	if (!is_enabled(algorithms, value))
		return false;
	if (!value.len)
		return true;
	x->encoding = weir_encoding_parse(value);
	return x->encoding != WEIR_ENCODING_UNKNOWN &&
	       x->encoding != WEIR_ENCODING_IDENTITY;
}

/* "OPTIONS *" asks about the server as a whole (RFC 9110 9.3.7). */
static bool is_about_server(const struct weir_http_exchange *x)
{
	return weir_str_eq(weir_http_path(x), WEIR_STR("*")) &&
	       weir_str_eq(weir_http_method(x), WEIR_STR("OPTIONS"));
}

/* --- refusals ------------------------------------------------------------- */

/* "405 method not allowed, supported: [POST]", as the Collector words it. */
static void refuse_method(struct weir_http_exchange *x)
{
	static const struct { uint32_t bit; const char *name; } names[] = {
		{ WEIR_HTTP_GET, "GET" }, { WEIR_HTTP_POST, "POST" },
		{ WEIR_HTTP_PUT, "PUT" }, { WEIR_HTTP_DELETE, "DELETE" },
	};
	char text[96];
	struct weir_put out = WEIR_PUT(text);
	const char *between = "405 method not allowed, supported: [";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(x->route->methods & names[i].bit))
			continue;
		weir_puts(&out, between);
		weir_puts(&out, names[i].name);
		between = ", ";
	}
	weir_puts(&out, "]");
	http_refuse(x, 405, WEIR_UNIMPLEMENTED, WEIR_REASON_MALFORMED,
		    weir_put_end(&out));
}

/* "a b" becomes "a, b". */
static void refuse_type(struct weir_http_exchange *x)
{
	char text[192];
	struct weir_put out = WEIR_PUT(text);
	const char *words = x->route->content_types;

	weir_puts(&out, "415 unsupported media type, supported: [");
	for (size_t len; *words; words += len + strspn(words + len, " ")) {
		len = strcspn(words, " ");
		if (words != x->route->content_types)
			weir_puts(&out, ", ");
		weir_put(&out, (weir_str){ words, len });
	}
	weir_puts(&out, "]");
	http_refuse(x, 415, WEIR_INVALID_ARGUMENT, WEIR_REASON_MEDIA_TYPE,
		    weir_put_end(&out));
}

void http_exchange_garbled(struct weir_http_exchange *x, int status,
			   const char *why)
{
	enum weir_status code = WEIR_INVALID_ARGUMENT;
	enum weir_reason reason = WEIR_REASON_MALFORMED;

	if (status == 413 || status == 414 || status == 431) {
		code = WEIR_RESOURCE_EXHAUSTED;
		reason = WEIR_REASON_TOO_BIG;
	} else if (status == 408) {
		code = WEIR_DEADLINE_EXCEEDED;
		reason = WEIR_REASON_DEADLINE;
	} else if (status == 501 || status == 505) {
		code = WEIR_UNIMPLEMENTED;
	} else if (status == 503) {
		code = WEIR_UNAVAILABLE;
		reason = x->conn->server->stopping ? WEIR_REASON_DRAINING
						   : WEIR_REASON_MEMORY;
	}
	if (!x->route && x->head.path.len)
		x->route = find_route(x->conn->server, weir_http_path(x));
	if (!x->type.len)
		set_type(x);
	x->conn->last = true;	/* of HTTP/1.1: what follows is not trusted */
	http_refuse(x, status, code, reason, why);
}

void http_exchange_late(struct weir_http_exchange *x)
{
	if (x->conn->server->stopping)
		http_exchange_garbled(x, 503, "the server is shutting down");
	else
		http_exchange_garbled(x, 408, "request too slow");
}

/* --- the head ------------------------------------------------------------- */

/* What concerns the server as a whole; false: answered. */
static bool check_request(struct weir_http_exchange *x)
{
	weir_str method = weir_http_method(x);

	/* Both would make this a tunnel or an echo: RFC 9110 9.3.6, 9.3.8. */
	if (weir_str_eq(method, WEIR_STR("CONNECT")) ||
	    weir_str_eq(method, WEIR_STR("TRACE"))) {
		http_exchange_garbled(x, 501, "method not implemented");
		return false;
	}
	if (is_about_server(x)) {
		http_refuse(x, 200, WEIR_OK, WEIR_REASON_NONE, "");
		return false;
	}
	if (!http_path_is_valid(weir_http_path(x))) {
		http_exchange_garbled(x, 400, "malformed target");
		return false;
	}
	x->preflight = http_cors_is_preflight(x);
	if (!x->preflight)
		return true;
	http_refuse(x, 204, WEIR_OK, WEIR_REASON_NONE, "");
	return false;
}

/* A path with "//", "." or ".." that means one of ours: the client is sent
 * there, as by the Collector.  What the answer says is the route's, never the
 * peer's; a path that would have to be escaped is not said. */
static bool redirect(struct weir_http_exchange *x)
{
	char clean[HTTP_REDIRECT];
	size_t len = http_path_clean(weir_http_path(x), clean, sizeof(clean));
	const struct weir_http_server *server = x->conn->server;

	for (size_t i = 0; len && i < server->n_routes; i++)
		if (weir_str_eq(server->routes[i].path,
				(weir_str){ clean, len }) &&
		    !strpbrk(clean, "%?\"<>\\^`{|}")) {
			x->route = &server->routes[i];
			http_refuse(x, 307, WEIR_OK, WEIR_REASON_NONE, "");
			return true;
		}
	return false;
}

static void check_route(struct weir_http_exchange *x)
{
	const struct weir_http_server *server = x->conn->server;
	const struct weir_http_route *route =
		find_route(server, weir_http_path(x));

	if (!route && redirect(x))
		return;
	x->route = route;
	if (!route)
		http_refuse(x, 404, WEIR_UNIMPLEMENTED,
			    WEIR_REASON_NO_PIPELINE, "404 page not found");
	else if (route->methods &&
		 !(route->methods & method_bit(weir_http_method(x))))
		refuse_method(x);
	else if (route->content_types &&
		 !is_listed(weir_http_content_type(x), route->content_types))
		refuse_type(x);
	else if (!set_encoding(x))
		http_refuse(x, 415, WEIR_INVALID_ARGUMENT,
			    WEIR_REASON_COMPRESSION,
			    "unsupported Content-Encoding");
	else if (x->announced > server->max_body)
		http_refuse(x, 413, WEIR_RESOURCE_EXHAUSTED,
			    WEIR_REASON_TOO_BIG, "request body too large");
}

void http_exchange_head(struct weir_http_exchange *x)
{
	x->whole = true;
	set_type(x);
	if (check_request(x))
		check_route(x);
}
