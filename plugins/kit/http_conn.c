/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_conn.c: carries the bytes of one connection.
 *
 * The first bytes say what it speaks (RFC 9113 3.4): while they are the HTTP/2
 * preface nobody reads them, then one of the two parsers gets all of them.
 * Holds one timer, and what the socket did not take.  Must never let two
 * parsers see one byte, nor wait for a peer without an end.
 *
 *	UNDECIDED -> HTTP_1 | HTTP_2 -> (lingering) -> closed
 */
#include "http_conn.h"

#include <stdlib.h>

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
#define PREFACE (sizeof(preface) - 1)

/* --- the end of a connection ---------------------------------------------- */

void http_conn_let_go(struct http_conn *conn)
{
	if (conn->stream || conn->n_exchanges)
		return;
	if (conn->prev)
		conn->prev->next = conn->next;
	else if (conn->server)
		conn->server->connections = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	if (conn->context)
		weir_context_free(&conn->context);
	free(conn);
}

void http_conn_drop(struct http_conn *conn)
{
	conn->lingering = true;
	conn->since = weir_now();
	weir_stream_close(conn->stream);
}

static void free_stash(struct http_conn *conn)
{
	if (conn->stash)
		weir_payload_free(&conn->stash);
	conn->stash_at = conn->stash_len = 0;
}

void http_conn_linger(struct http_conn *conn)
{
	if (conn->lingering)
		return;
	conn->lingering = true;
	free_stash(conn);
	weir_stream_shutdown(conn->stream);
	weir_stream_pause(conn->stream, false);
	conn->since = weir_now();
	http_conn_arm(conn);
	if (conn->at_eof)
		http_conn_drop(conn);
}

void http_conn_abandon(struct http_conn *conn)
{
	struct weir_http_exchange *next;

	weir_timer_cancel(&conn->timer);
	h2_server_free(&conn->h2);
	http_buf_release(&conn->out);
	free_stash(conn);
	conn->x = NULL;
	conn->n_exchanges++;		/* stays until the loop is through */
	for (struct weir_http_exchange *x = conn->exchanges; x; x = next) {
		next = x->next;
		x->open = false;
		http_exchange_let_go(x);
	}
	conn->n_exchanges--;
}

/* --- time ----------------------------------------------------------------- */

uint64_t http_due(const struct weir_http_server *server, uint64_t from,
		  uint64_t allowed)
{
	uint64_t due = from + allowed, drained;

	if (!server->stopping)
		return due;
	drained = (from > server->stopped ? from : server->stopped) +
		  HTTP_DRAIN;
	return drained < due ? drained : due;
}

static uint64_t due_at(const struct http_conn *conn)
{
	const struct weir_http_server *server = conn->server;

	if (conn->lingering)
		return conn->since + HTTP_LINGER;
	if (conn->mode == HTTP_2)
		return http_h2_due(conn);
	if (http_buf_waits(&conn->out))		/* or the flush is to come */
		return conn->wrote ? http_due(server, conn->wrote,
					      server->limits.write)
				   : HTTP_NEVER;
	if (conn->mode == HTTP_UNDECIDED)
		return conn->since + server->limits.head;
	return http_h1_due(conn);
}

static void on_timer(struct weir_component *c, struct weir_timer *timer)
{
	struct http_conn *conn = (struct http_conn *)(void *)
		((char *)timer - offsetof(struct http_conn, timer));
	uint64_t now = weir_now();

	(void)c;
	if (now >= due_at(conn)) {
		if (conn->mode == HTTP_2 && !conn->lingering)
			http_h2_late(conn, now);
		else if (conn->mode == HTTP_1 && !conn->lingering &&
			 !http_buf_waits(&conn->out))
			http_h1_late(conn, now);
		else
			http_conn_drop(conn);
	}
	http_conn_arm(conn);
}

/* A timer that is set is only ever moved forward: one that fires too early
 * looks and is set again, so that a busy connection seldom touches it. */
void http_conn_arm(struct http_conn *conn)
{
	uint64_t now, due = due_at(conn);

	if (due == HTTP_NEVER ||
	    (weir_timer_is_set(&conn->timer) && conn->due <= due))
		return;
	now = weir_now();
	conn->due = due;
	weir_timer_set(&conn->timer, conn->server->c,
		       (weir_duration){ due > now ? (int64_t)(due - now) : 0 },
		       on_timer);
}

/* --- writing -------------------------------------------------------------- */

/* Bytes that the socket took; -1: it broke, and closed follows. */
static int64_t write_some(struct http_conn *conn, const void *bytes,
			  size_t len)
{
	const struct weir_iovec iov = { bytes, len };
	int64_t n = weir_stream_writev(conn->stream, &iov, 1);

	if (n < 0 || (size_t)n == len)
		return n;
	if (!conn->wrote || (n > 0 && !conn->server->limits.write_whole))
		conn->wrote = weir_now();
	weir_stream_want_write(conn->stream);
	return n;
}

bool http_conn_write(struct http_conn *conn)
{
	struct http_buf *out = &conn->out;
	int64_t n;

	if (!http_buf_waits(out))
		return true;
	n = write_some(conn, out->ptr + out->at, http_buf_waits(out));
	if (n < 0)
		return false;
	out->at += (size_t)n;
	if (http_buf_waits(out)) {
		http_conn_arm(conn);
		return false;
	}
	http_buf_clear(out);
	conn->wrote = 0;
	return true;
}

bool http_conn_send(struct http_conn *conn, const void *bytes, size_t len)
{
	int64_t n;

	if (!http_conn_write(conn))
		return false;		/* the caller asks again */
	n = write_some(conn, bytes, len);
	if (n < 0)
		return false;
	if ((size_t)n == len)
		return true;
	if (!http_buf_add(&conn->out, (const char *)bytes + n,
			  len - (size_t)n))
		http_conn_drop(conn);
	http_conn_arm(conn);
	return false;
}

static void on_flush(struct weir_stream *stream, void *arg)
{
	struct http_conn *conn = arg;

	(void)stream;
	if (!conn->server || conn->lingering)
		return;
	if (conn->mode == HTTP_2)
		http_h2_pump(conn);
	else
		http_h1_pump(conn);
}

/* --- reading -------------------------------------------------------------- */

static void feed(struct http_conn *conn, const void *data, size_t len)
{
	if (conn->mode == HTTP_2)
		http_h2_data(conn, data, len);
	else
		http_h1_data(conn, data, len);
}

/* What was held back is known: it is the preface, up to there. */
static void decide(struct http_conn *conn, enum http_mode mode)
{
	conn->mode = mode;
	if (mode == HTTP_2 && !http_h2_open(conn)) {
		http_conn_drop(conn);
		return;
	}
	if (conn->matched)
		feed(conn, preface, conn->matched);
}

static void on_data(struct weir_stream *stream, void *arg, const uint8_t *data,
		    size_t len)
{
	struct http_conn *conn = arg;

	(void)stream;
	if (!conn->server)
		return;
	while (conn->mode == HTTP_UNDECIDED && len) {
		if (*data != (uint8_t)preface[conn->matched]) {
			decide(conn, HTTP_1);
			break;
		}
		data++, len--;
		if (++conn->matched == PREFACE)
			decide(conn, HTTP_2);
	}
	if (len && conn->mode != HTTP_UNDECIDED && !conn->lingering)
		feed(conn, data, len);
}

static void on_eof(struct weir_stream *stream, void *arg)
{
	struct http_conn *conn = arg;

	(void)stream;
	conn->at_eof = true;
	if (!conn->server)
		return;
	if (conn->lingering)
		http_conn_drop(conn);
	else if (conn->mode == HTTP_2)
		http_h2_eof(conn);
	else
		http_h1_eof(conn);
}

static void on_closed(struct weir_stream *stream, void *arg, int error)
{
	struct http_conn *conn = arg;

	(void)stream, (void)error;
	conn->stream = NULL;
	if (conn->server)
		http_conn_abandon(conn);
	http_conn_let_go(conn);
}

static const struct weir_stream_ops stream_ops = {
	.data = on_data, .writable = on_flush, .flush = on_flush,
	.eof = on_eof, .closed = on_closed,
};

void http_conn_open(struct http_conn *conn, struct weir_http_server *server,
		    struct weir_stream *stream)
{
	*conn = (struct http_conn){ .server = server, .stream = stream,
				    .next = server->connections,
				    .since = weir_now() };
	if (conn->next)
		conn->next->prev = conn;
	server->connections = conn;
	weir_stream_start(stream, &stream_ops, conn);
	http_conn_arm(conn);
}
