/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_exchange.c: one request, from its first byte to the handler.
 *
 *	head (http_route.c) -> body -> (codec_wait) -> inflated -> handle
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
	x->head.c = conn->server->c;
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

/* --- the body, and the handler -------------------------------------------- */

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

static void hand_over(struct weir_http_exchange *x)
{
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

/* Its library has been opened, or cannot be; the peer may have gone. */
static void go_on(struct codec_waiter *waiter, bool open)
{
	struct weir_http_exchange *x = (struct weir_http_exchange *)(void *)
		((char *)waiter - offsetof(struct weir_http_exchange, waiter));

	x->held = false;
	if (!x->open)
		http_exchange_let_go(x);
	else if (open)
		hand_over(x);
	else
		http_body_unavailable(x);
}

void http_exchange_end(struct weir_http_exchange *x)
{
	struct weir_http_server *server = x->conn->server;

	x->ended = true;
	if (x->verdict) {
		http_answer_refusal(x);
		return;
	}
	x->waiter.go_on = go_on;
	x->held = !codec_wait(&server->codecs, server->c, x->encoding,
			      &x->waiter);
	if (!x->held)
		hand_over(x);
}

bool http_exchange_starves(const struct weir_http_exchange *x)
{
	return !x->ended && x->body && weir_budget_full();
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
	return http_head_text(&x->head, x->type);
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
