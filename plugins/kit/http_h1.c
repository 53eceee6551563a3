/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_h1.c: HTTP/1.1 on a connection.
 *
 * One request is in flight.  What a client pipelines behind it waits: at most
 * one read (256 KiB), charged, and then the connection is not read until the
 * answer is out.  Every wait has an end: the head of a request, the pace of its
 * body, the peer's reading of the answer, and idleness.
 *
 *	data -> parse -> handle -> weir_http_respond -> flush -> pump
 *	          ^                                              |
 *	          `------------- what was pipelined -------------'
 *
 * Must never call a handler from inside weir_http_respond.
 */
#include "http_conn.h"

#define MAX_QUEUED 16384	/* answers the peer has not taken */

static bool is_held(const struct http_conn *conn)
{
	return conn->x && conn->x->held;
}

/* --- reading -------------------------------------------------------------- */

static bool begin(struct http_conn *conn)
{
	conn->x = http_exchange_new(conn);
	if (!conn->x) {
		http_conn_drop(conn);
		return false;
	}
	http_parser_begin(&conn->parser, &conn->x->head,
			  conn->server->max_body);
	conn->since = conn->x->began = weir_now();
	return true;
}

static void on_head(struct http_conn *conn)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const struct http_parser *p = &conn->parser;
	struct weir_http_exchange *x = conn->x;

	x->announced = p->has_length ? p->length : 0;
	x->paced_at = weir_now();
	http_exchange_head(x);
	if (!conn->x || conn->x->verdict || !p->expects_continue ||
	    p->state == HTTP_ON_END)
		return;
	if (http_buf_add(&conn->out, go_on, sizeof(go_on) - 1))
		weir_stream_flush_later(conn->stream);
}

/* What is no HTTP/1.1 may have been meant for HTTP/2: an empty SETTINGS and
 * GOAWAY(PROTOCOL_ERROR) say that it failed (RFC 9113 3.4). */
static void go_away(struct http_conn *conn)
{
	static const uint8_t frames[] = {
		0, 0, 0, 4, 0, 0, 0, 0, 0,
		0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	};

	conn->last = conn->answered_last = true;
	if (!http_buf_add(&conn->out, frames, sizeof(frames)))
		http_conn_drop(conn);
}

static void on_failure(struct http_conn *conn)
{
	const struct http_parser *p = &conn->parser;

	if (p->status == HTTP_NOT_HTTP)
		go_away(conn);
	else if (!p->status)		/* HTTP/0.9 */
		http_conn_drop(conn);
	else
		http_exchange_garbled(conn->x, p->status, p->reason);
}

static void on_event(struct http_conn *conn, const struct http_event *event)
{
	switch (event->type) {
	case HTTP_MORE:
		break;
	case HTTP_HEAD:
		on_head(conn);
		break;
	case HTTP_BODY:
		http_exchange_data(conn->x, event->data, event->len);
		break;
	case HTTP_DONE:
		http_exchange_end(conn->x);
		break;
	case HTTP_FAIL:
		on_failure(conn);
		break;
	}
}

/* Reads requests until one waits for its answer, or answers pile up, or the
 * connection ends; returns the bytes eaten. */
static size_t parse(struct http_conn *conn, const uint8_t *data, size_t len)
{
	size_t eaten = 0;

	while (eaten < len && !conn->lingering && !conn->last &&
	       !is_held(conn) && http_buf_waits(&conn->out) < MAX_QUEUED) {
		struct http_event event;

		if (!conn->x && !begin(conn))
			break;
		do {
			eaten += http_parser_feed(&conn->parser, data + eaten,
						  len - eaten, &event);
			on_event(conn, &event);
		} while (conn->x && (event.type == HTTP_HEAD ||
				     event.type == HTTP_BODY));
	}
	return eaten;
}

/* What cannot be read now waits, and the peer with it. */
static void put_aside(struct http_conn *conn, const uint8_t *data, size_t len)
{
	size_t kept = conn->stash_len - conn->stash_at;
	struct weir_payload *stash;

	weir_stream_pause(conn->stream, true);
	stash = weir_payload_new(conn->server->c, kept + len);
	if (!stash) {
		http_conn_drop(conn);
		return;
	}
	if (kept)
		memcpy(weir_payload_bytes(stash),
		       weir_payload_bytes(conn->stash) + conn->stash_at, kept);
	memcpy(weir_payload_bytes(stash) + kept, data, len);
	if (conn->stash)
		weir_payload_free(&conn->stash);
	conn->stash = stash;
	conn->stash_at = 0;
	conn->stash_len = kept + len;
}

void http_h1_data(struct http_conn *conn, const uint8_t *data, size_t len)
{
	size_t eaten = 0;

	if (conn->lingering || conn->last)
		return;
	if (!conn->stash)
		eaten = parse(conn, data, len);
	if (eaten < len && !conn->last && !conn->lingering)
		put_aside(conn, data + eaten, len - eaten);
	if (!is_held(conn))
		weir_stream_flush_later(conn->stream);
}

static void parse_stash(struct http_conn *conn)
{
	const uint8_t *bytes;

	if (!conn->stash)
		return;
	bytes = weir_payload_bytes(conn->stash);
	conn->stash_at += parse(conn, bytes + conn->stash_at,
				conn->stash_len - conn->stash_at);
	if (conn->stash_at < conn->stash_len)
		return;
	weir_payload_free(&conn->stash);
	conn->stash_at = conn->stash_len = 0;
	weir_stream_pause(conn->stream, false);
}

/* --- going on ------------------------------------------------------------- */

/* Nothing is queued or in flight: read on, or end. */
static void rest(struct http_conn *conn)
{
	if (conn->at_eof || (conn->server->stopping && !conn->x)) {
		http_conn_drop(conn);
		return;
	}
	if (!conn->x)
		conn->since = weir_now();
	http_conn_arm(conn);
}

void http_h1_pump(struct http_conn *conn)
{
	while (!conn->lingering && http_conn_write(conn)) {
		if (conn->answered_last) {
			http_conn_linger(conn);
			return;
		}
		if (is_held(conn))
			return;
		parse_stash(conn);
		if (!conn->stash && !http_buf_waits(&conn->out) &&
		    !is_held(conn)) {
			if (!conn->lingering)
				rest(conn);
			return;
		}
	}
}

/* A half-closed peer may still wait for answers (attacks.md 52). */
void http_h1_eof(struct http_conn *conn)
{
	if (!is_held(conn) && !conn->stash && !http_buf_waits(&conn->out))
		http_conn_drop(conn);
}

void http_h1_stop(struct http_conn *conn)
{
	if (!conn->x && !http_buf_waits(&conn->out) && !conn->stash)
		http_conn_drop(conn);
	else
		http_conn_arm(conn);
}

/* --- time ----------------------------------------------------------------- */

static uint64_t too_slow_at(const struct http_conn *conn)
{
	const struct weir_http_server *server = conn->server;
	const struct http_limits *limits = &server->limits;
	uint64_t whole = HTTP_NEVER, due;

	if (!conn->x)
		return conn->since + limits->idle;
	if (conn->x->held)
		return HTTP_NEVER;
	if (!http_parser_has_head(&conn->parser))
		return http_due(server, conn->since, limits->head);
	if (limits->body)
		whole = conn->since + limits->body;
	if (limits->body && !server->stopping)
		return whole;
	due = http_due(server, conn->x->paced_at, HTTP_BODY_WINDOW);
	return due < whole ? due : whole;
}

/* Its body comes as fast as it must: another window of the pace rule. */
static bool keeps_pace(struct http_conn *conn, uint64_t now)
{
	const struct http_limits *limits = &conn->server->limits;
	struct weir_http_exchange *x = conn->x;

	if (!http_parser_has_head(&conn->parser) ||
	    (limits->body && now >= conn->since + limits->body) ||
	    x->received - x->paced < HTTP_BODY_LEAST)
		return false;
	x->paced = x->received;
	x->paced_at = now;
	return true;
}

/* A request that holds memory is looked at every second. */
uint64_t http_h1_due(const struct http_conn *conn)
{
	uint64_t due = too_slow_at(conn), look = conn->ticked + HTTP_SECOND;

	if (!conn->x || conn->x->held || !conn->x->body)
		return due;
	return look < due ? look : due;
}

void http_h1_late(struct http_conn *conn, uint64_t now)
{
	struct weir_http_exchange *x = conn->x;

	conn->ticked = now;
	if (!x) {
		http_conn_drop(conn);
		return;
	}
	if (http_exchange_starves(x)) {
		http_exchange_garbled(x, 503,
				      "no memory for the rest of this request");
		return;
	}
	if (now < too_slow_at(conn) || keeps_pace(conn, now))
		return;
	conn->last = true;
	http_exchange_late(x);
}

/* --- answers -------------------------------------------------------------- */

bool http_h1_may_go_on(const struct http_conn *conn)
{
	const struct http_parser *p = &conn->parser;

	return p->state == HTTP_ON_LENGTH && !p->expects_continue &&
	       p->left <= HTTP_DISCARDED && !conn->last && !conn->x->received;
}

static bool put_status_line(struct http_buf *out, int status)
{
	if (status == 200)
		return http_buf_puts(out, "HTTP/1.1 200 OK\r\n");
	return http_buf_puts(out, "HTTP/1.1 ") &&
	       http_buf_put_number(out, (uint64_t)status) &&
	       http_buf_puts(out, " ") &&
	       http_buf_puts(out, http_phrase(status)) &&
	       http_buf_puts(out, "\r\n");
}

static bool put_length(struct http_buf *out, size_t len)
{
	return http_buf_puts(out, "Content-Length: ") &&
	       http_buf_put_number(out, len) && http_buf_puts(out, "\r\n");
}

static bool put_answer(struct http_conn *conn, const struct http_reply *reply,
		       const struct http_buf *lines, bool has_body)
{
	struct http_buf *out = &conn->out;

	if (!put_status_line(out, reply->status) ||
	    !http_buf_add(out, lines->ptr, lines->len))
		return false;
	if (reply->status != 204 && !put_length(out, reply->body.len))
		return false;
	if (!http_buf_puts(out, conn->last ? "Connection: close\r\n\r\n"
			   : conn->parser.minor == 0
			   ? "Connection: keep-alive\r\n\r\n" : "\r\n"))
		return false;
	return !has_body ||
	       http_buf_add(out, reply->body.ptr, reply->body.len);
}

void http_h1_answer(struct weir_http_exchange *x,
		    const struct http_reply *reply, struct http_buf *lines)
{
	struct http_conn *conn = x->conn;
	const struct weir_http_server *server = conn->server;
	bool has_body = http_has_body(x, reply);

	/* A request that was not read to its end cannot be followed. */
	conn->last = conn->last || server->stopping ||
		     !server->config->keep_alives_enabled ||
		     !conn->parser.keep_alive ||
		     conn->parser.state != HTTP_ON_END;
	conn->x = NULL;
	x->open = false;
	if (!put_answer(conn, reply, lines, has_body)) {
		http_conn_drop(conn);
	} else {
		conn->answered_last = conn->last;
		weir_stream_flush_later(conn->stream);
	}
	http_exchange_let_go(x);
}
