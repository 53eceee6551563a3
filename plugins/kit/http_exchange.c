/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_exchange.c: one request, from its head to the handler.
 *
 *	head -> preflight? route? method? type? encoding? size? -> refused
 *	     -> body -> inflated -> handle
 *
 * Both protocols come here with a head and pieces of a body.  Holds exchanges
 * that were used and wait to be used again.  Must never hand over a request
 * that was not wholly received, nor touch one that may be gone.
 */
#include "http_conn.h"

#include <stdlib.h>

#define SPARE_EXCHANGES 256

/* --- life ----------------------------------------------------------------- */

static struct weir_http_exchange *take_spare(struct weir_http_server *server)
{
	struct weir_http_exchange *x = server->spare;

	if (!x)
		return calloc(1, sizeof(*x));
	server->spare = x->next;
	server->n_spare--;
	return x;
}

struct weir_http_exchange *http_exchange_new(struct http_conn *conn)
{
	struct weir_http_exchange *x = take_spare(conn->server);

	if (!x)
		return NULL;
	x->conn = conn;
	x->open = true;
	x->prev = NULL;
	x->next = conn->exchanges;
	if (x->next)
		x->next->prev = x;
	conn->exchanges = x;
	conn->n_exchanges++;
	return x;
}

static void unlink_exchange(struct weir_http_exchange *x)
{
	if (x->prev)
		x->prev->next = x->next;
	else
		x->conn->exchanges = x->next;
	if (x->next)
		x->next->prev = x->prev;
	x->conn->n_exchanges--;
}

static void free_exchange(struct weir_http_exchange *x)
{
	http_head_release(&x->head);
	http_buf_release(&x->reply);
	free(x);
}

/* Everything but its two buffers, for another request; the table of headers is
 * not worth clearing. */
static void wipe(struct weir_http_exchange *x)
{
	struct http_buf reply = x->reply;

	memset(x, 0, offsetof(struct weir_http_exchange, head));
	x->reply = reply;
	http_buf_clear(&x->reply);
	http_head_clear(&x->head);
}

static void recycle(struct weir_http_exchange *x)
{
	struct weir_http_server *server = x->conn->server;

	if (x->body)
		weir_payload_free(&x->body);
	if (x->context)
		weir_context_free(&x->context);
	if (!server || server->n_spare == SPARE_EXCHANGES) {
		free_exchange(x);
		return;
	}
	wipe(x);
	x->next = server->spare;
	server->spare = x;
	server->n_spare++;
}

void http_exchange_let_go(struct weir_http_exchange *x)
{
	struct http_conn *conn = x->conn;

	if (x->open || x->held)
		return;
	unlink_exchange(x);
	recycle(x);
	http_conn_let_go(conn);
}

void http_exchange_release_spare(struct weir_http_server *server)
{
	while (server->spare) {
		struct weir_http_exchange *x = server->spare;

		server->spare = x->next;
		free_exchange(x);
	}
	server->n_spare = 0;
}

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
		if (weir_str_eq(server->routes[i].path, path))
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

	x->type = (weir_str){ "", 0 };
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
	x->type = value;
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

static bool is_path(const struct weir_http_exchange *x)
{
	weir_str path = weir_http_path(x);

	for (size_t i = 0; i < path.len; i++)
		if (path.ptr[i] <= ' ' || path.ptr[i] > '~' ||
		    path.ptr[i] == '#')
			return false;
	return path.len && (path.ptr[0] == '/' ||
			    (path.len == 1 && path.ptr[0] == '*' &&
			     weir_str_eq(weir_http_method(x),
					 WEIR_STR("OPTIONS"))));
}

/* --- refusals ------------------------------------------------------------- */

/* "405 method not allowed, supported: [POST]", as the Collector words it. */
static void refuse_method(struct weir_http_exchange *x)
{
	static const struct { uint32_t bit; const char *name; } names[] = {
		{ WEIR_HTTP_GET, "GET" }, { WEIR_HTTP_POST, "POST" },
		{ WEIR_HTTP_PUT, "PUT" }, { WEIR_HTTP_DELETE, "DELETE" },
	};
	char text[96] = "405 method not allowed, supported: [";
	const char *between = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(x->route->methods & names[i].bit))
			continue;
		strcat(strcat(text, between), names[i].name);
		between = ", ";
	}
	strcat(text, "]");
	http_refuse(x, 405, WEIR_UNIMPLEMENTED, WEIR_REASON_MALFORMED, text);
}

static void refuse_type(struct weir_http_exchange *x)
{
	struct weir_outcome text;
	size_t at;

	weir_outcome_set(&text, WEIR_INVALID_ARGUMENT, WEIR_REASON_MEDIA_TYPE,
			 "415 unsupported media type, supported: [%s]",
			 x->route->content_types);
	at = strcspn(text.text, "[");
	for (char *p = text.text + at; (p = strchr(p, ' ')); p += 2) {
		size_t len = strlen(p);

		if (len + 1 >= sizeof(text.text) - (size_t)(p - text.text))
			break;
		memmove(p + 1, p, len + 1);	/* "a b" becomes "a, b" */
		*p = ',';
	}
	http_refuse(x, 415, WEIR_INVALID_ARGUMENT, WEIR_REASON_MEDIA_TYPE,
		    text.text);
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
		reason = WEIR_REASON_MEMORY;
	}
	if (!x->route && x->head.path.len)
		x->route = find_route(x->conn->server, weir_http_path(x));
	if (!x->type.len)
		set_type(x);
	x->conn->last = true;	/* of HTTP/1.1: what follows is not trusted */
	http_refuse(x, status, code, reason, why);
}

bool http_exchange_starves(const struct weir_http_exchange *x)
{
	return !x->ended && x->body && weir_budget_full();
}

/* --- the three steps ------------------------------------------------------ */

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
	if (!is_path(x)) {
		http_exchange_garbled(x, 400, "malformed target");
		return false;
	}
	x->preflight = http_cors_is_preflight(x);
	if (!x->preflight)
		return true;
	http_refuse(x, 204, WEIR_OK, WEIR_REASON_NONE, "");
	return false;
}

static void check_route(struct weir_http_exchange *x)
{
	const struct weir_http_server *server = x->conn->server;
	const struct weir_http_route *route =
		find_route(server, weir_http_path(x));

	x->route = route;
	if (!route)
		http_refuse(x, 404, WEIR_UNIMPLEMENTED,
			    WEIR_REASON_NO_PIPELINE, "404 page not found");
	else if (route->methods &&
		 !(route->methods & method_bit(weir_http_method(x))))
		refuse_method(x);
	else if (route->content_types &&
		 !is_listed(x->type, route->content_types))
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

void http_exchange_data(struct weir_http_exchange *x, const uint8_t *data,
			size_t len)
{
	x->received += len;
	if (len && !x->verdict)
		http_body_add(x, data, len);
}

/* false: refused. */
static bool set_context(struct weir_http_exchange *x)
{
	struct http_conn *conn = x->conn;
	struct weir_component *c = conn->server->c;
	weir_str peer = weir_stream_peer(conn->stream);

	if (!conn->server->config->include_metadata) {
		if (!conn->context)
			conn->context = weir_context_new(c, peer);
		return conn->context;
	}
	x->context = weir_context_new(c, peer);
	for (uint32_t i = 0; x->context && i < x->head.n; i++)
		weir_context_add(x->context,
			http_head_text(&x->head, x->head.headers[i].name),
			http_head_text(&x->head, x->head.headers[i].value));
	return x->context;
}

void http_exchange_end(struct weir_http_exchange *x)
{
	x->ended = true;
	if (x->verdict) {
		http_answer_refusal(x);
		return;
	}
	if (x->encoding != WEIR_ENCODING_IDENTITY && !http_body_inflate(x))
		return;
	if (!set_context(x)) {
		http_refuse(x, 503, WEIR_UNAVAILABLE, WEIR_REASON_MEMORY,
			    "out of memory");
		return;
	}
	x->held = true;
	x->route->handle(x->conn->server->c, x, x->route->arg);
}

/* --- the contract --------------------------------------------------------- */

weir_str weir_http_method(const struct weir_http_exchange *x)
{
	return http_head_text(&x->head, x->head.method);
}

weir_str weir_http_path(const struct weir_http_exchange *x)
{
	return http_head_text(&x->head, x->head.path);
}

weir_str weir_http_query(const struct weir_http_exchange *x)
{
	return http_head_text(&x->head, x->head.query);
}

weir_str weir_http_content_type(const struct weir_http_exchange *x)
{
	return x->type;
}

bool weir_http_header(const struct weir_http_exchange *x, weir_str name,
		      weir_str *value)
{
	return http_head_find(&x->head, name, 0, value);
}

weir_str weir_http_body(const struct weir_http_exchange *x)
{
	return (weir_str){ x->body ? (const char *)weir_payload_bytes(x->body)
				   : "", x->body_len };
}

struct weir_payload *weir_http_take_body(struct weir_http_exchange *x,
					 size_t *len)
{
	struct weir_payload *body = x->body;

	*len = x->body_len;
	x->body = NULL;
	x->body_len = 0;
	if (body && !*len)
		weir_payload_free(&body);
	return body;
}

struct weir_context *weir_http_context(struct weir_http_exchange *x)
{
	return x->context ? x->context : x->conn->context;
}
