/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_h2.c: HTTP/2 on a connection; an exchange for each stream.
 *
 * Frames, floods and GOAWAY are h2_server.c's.  Frames are fetched when the
 * socket takes them, so a client that does not read makes nobody remember more
 * than one scratch of them.  Must never hand a request over that was refused,
 * nor wait for a stream without an end.
 *
 *	open -> (idle, stop) notice: GOAWAY 2^31-1, PING
 *	     -> pong or a second later: GOAWAY with the exact last id
 *	     -> exchanges answered: closed
 */
#include "http_conn.h"

#define MAX_LINES 128		/* headers of an answer */
#define MAX_OWED (1 << 20)	/* attacks.md 60: of answers nobody takes */
#define HEADER_LIST (16 << 10)	/* what h2_server shows of a request's */

/* --- requests ------------------------------------------------------------- */

static void *on_begin(void *arg, int32_t id)
{
	struct http_conn *conn = arg;
	struct weir_http_exchange *x;

	/* Exchanges whose client went away count until they are answered. */
	if (conn->n_exchanges >= conn->server->h2_limits.max_streams)
		return NULL;
	x = http_exchange_new(conn);
	if (!x)
		return NULL;
	x->id = id;
	x->began = weir_now();
	if (conn->n_exchanges == 1)
		conn->ticked = x->began;
	http_conn_arm(conn);
	return x;
}

/* Digits only; nghttp2 has seen to it. */
static uint64_t parse_length(weir_str value)
{
	uint64_t length = 0;

	for (size_t i = 0; i < value.len && i < 19; i++)
		length = length * 10 + (uint64_t)(value.ptr[i] - '0');
	return length;
}

static bool set_pseudo(struct weir_http_exchange *x, weir_str name,
		       weir_str value)
{
	struct http_text text;

	if (weir_str_eq(name, WEIR_STR(":method")))
		return http_head_keep(&x->head, value, &x->head.method);
	if (weir_str_eq(name, WEIR_STR(":authority")))
		return http_head_add(&x->head, WEIR_STR("host"), value);
	if (!weir_str_eq(name, WEIR_STR(":path")))
		return true;
	if (!http_head_keep(&x->head, value, &text))
		return false;
	http_head_target(&x->head, text);
	return true;
}

/* A host beside :authority says the same, or nothing (RFC 9113 8.3.1). */
static bool is_second_host(const struct weir_http_exchange *x, weir_str name)
{
	weir_str host;

	return weir_str_eq(name, WEIR_STR("host")) &&
	       http_head_find(&x->head, name, 0, &host);
}

static void on_header(void *arg, void *stream, weir_str name, weir_str value)
{
	struct weir_http_exchange *x = stream;
	bool good;

	(void)arg;
	if (name.ptr[0] == ':')
		good = set_pseudo(x, name, value);
	else
		good = is_second_host(x, name) ||
		       http_head_add(&x->head, name, value);
	if (weir_str_eq(name, WEIR_STR("content-length")))
		x->announced = parse_length(value);
	x->overflow |= !good;
}

/* 100 (Continue) for who waits for it. */
static void go_on(struct weir_http_exchange *x)
{
	weir_str value;

	if (x->announced && !x->verdict &&
	    http_head_find(&x->head, WEIR_STR("expect"), 0, &value) &&
	    http_same_word(value, "100-continue"))
		h2_server_inform(x->conn->h2, x->id, "100");
}

static void on_headers(void *arg, void *stream, size_t bytes)
{
	struct http_conn *conn = arg;
	struct weir_http_exchange *x = stream;

	x->paced_at = weir_now();
	if (x->head.starved && bytes <= HEADER_LIST) {
		x->whole = true;
		http_exchange_garbled(x, 503, "no memory for the headers");
		return;
	}
	if (bytes > HEADER_LIST || x->overflow) {
		x->whole = true;
		http_exchange_garbled(x, 431, "headers too large");
		return;
	}
	x->at_head = true;
	http_exchange_head(x);
	if (conn->noticed && !x->verdict)
		http_refuse(x, 503, WEIR_UNAVAILABLE, WEIR_REASON_DRAINING,
			    "the server is shutting down");
	x->at_head = false;
	go_on(x);
}

static void on_body(void *arg, void *stream, const uint8_t *data, size_t len)
{
	struct weir_http_exchange *x = stream;

	(void)arg;
	http_exchange_data(x, data, len);
	if (x->verdict && !x->answered && x->received > HTTP_DISCARDED)
		http_answer_refusal(x);
}

static void on_end(void *arg, void *stream)
{
	struct weir_http_exchange *x = stream;

	(void)arg;
	x->ended = true;
	if (!x->answered)
		http_exchange_end(x);
}

static void on_stream_closed(void *arg, void *stream)
{
	struct http_conn *conn = arg;
	struct weir_http_exchange *x = stream;

	x->open = false;
	conn->owed -= http_buf_waits(&x->reply);
	if (conn->n_exchanges == 1)
		conn->since = weir_now();
	http_exchange_let_go(x);
}

static void send_last_id(struct http_conn *conn)
{
	conn->last_id_sent = true;
	h2_server_finish(conn->h2, NGHTTP2_NO_ERROR, "");
	weir_stream_flush_later(conn->stream);
}

static void on_pong(void *arg)
{
	struct http_conn *conn = arg;

	if (conn->noticed && !conn->last_id_sent)
		send_last_id(conn);
}

static const struct h2_server_ops ops = {
	.begin = on_begin,
	.header = on_header,
	.headers = on_headers,
	.data = on_body,
	.end = on_end,
	.closed = on_stream_closed,
	.pong = on_pong,
};

/* --- the connection ------------------------------------------------------- */

bool http_h2_open(struct http_conn *conn)
{
	struct weir_http_server *server = conn->server;

	conn->h2 = h2_server_new(&server->h2_limits, &ops, conn,
				 &server->mem.mem);
	conn->ticked = weir_now();
	if (conn->h2)
		weir_stream_flush_later(conn->stream);	/* our SETTINGS */
	return conn->h2;
}

void http_h2_data(struct http_conn *conn, const uint8_t *data, size_t len)
{
	if (conn->lingering || conn->closing)
		return;
	if (!h2_server_recv(conn->h2, data, len, weir_now()))
		conn->closing = true;
	weir_stream_flush_later(conn->stream);
}

/* Fetches frames while the socket takes them all. */
static bool write_frames(struct http_conn *conn)
{
	uint8_t *scratch = conn->server->scratch;
	size_t len;

	if (!http_conn_write(conn))
		return false;
	do {
		len = h2_server_fill(conn->h2, scratch, HTTP_SCRATCH);
		if (len && !http_conn_send(conn, scratch, len))
			return false;
	} while (len == HTTP_SCRATCH);
	return true;
}

void http_h2_pump(struct http_conn *conn)
{
	if (!write_frames(conn))
		return;
	if (conn->closing || h2_server_is_done(conn->h2) ||
	    (conn->at_eof && !conn->n_exchanges))
		http_conn_linger(conn);
	else
		http_conn_arm(conn);
}

/* Requests that are not complete now will never be. */
void http_h2_eof(struct http_conn *conn)
{
	for (struct weir_http_exchange *x = conn->exchanges; x; x = x->next)
		if (x->open && !x->ended)
			h2_server_reset(conn->h2, x->id, NGHTTP2_CANCEL);
	weir_stream_flush_later(conn->stream);
}

/* Asks the client to go; the last id follows when it has heard. */
static void notice(struct http_conn *conn)
{
	if (conn->noticed)
		return;
	conn->noticed = weir_now();
	h2_server_notice(conn->h2);
	weir_stream_flush_later(conn->stream);
	http_conn_arm(conn);
}

void http_h2_stop(struct http_conn *conn)
{
	notice(conn);
}

/* --- time ----------------------------------------------------------------- */

/* Every second while something can be late; quiet ones cost nothing. */
uint64_t http_h2_due(const struct http_conn *conn)
{
	if (conn->n_exchanges || http_buf_waits(&conn->out) ||
	    conn->noticed || !h2_server_is_ready(conn->h2))
		return conn->ticked + HTTP_SECOND;
	return conn->since + conn->server->limits.idle;
}

static bool is_stuck(const struct http_conn *conn, uint64_t now)
{
	const struct weir_http_server *server = conn->server;

	if (http_buf_waits(&conn->out) &&
	    now >= http_due(server, conn->wrote, server->limits.write))
		return true;
	return !h2_server_is_ready(conn->h2) &&
	       now >= http_due(server, conn->since, server->limits.head);
}

static bool is_slow(struct weir_http_exchange *x, uint64_t now)
{
	const struct weir_http_server *server = x->conn->server;

	if (server->limits.body && now - x->began >= server->limits.body)
		return true;
	if (server->limits.body && !server->stopping)
		return false;
	if (now < http_due(server, x->paced_at, HTTP_BODY_WINDOW))
		return false;
	if (x->received - x->paced < HTTP_BODY_LEAST)
		return true;
	x->paced = x->received;
	x->paced_at = now;
	return false;
}

static void give_up(struct weir_http_exchange *x)
{
	if (x->verdict)
		http_answer_refusal(x);
	else
		http_exchange_late(x);
}

/* false: the connection itself is stuck. */
static bool check(struct weir_http_exchange *x, uint64_t now)
{
	const struct weir_http_server *server = x->conn->server;

	if (!x->open)
		return true;
	if (!x->whole)
		return now < http_due(server, x->began, server->limits.head);
	if (x->answered &&
	    now >= http_due(server, x->answered_at, server->limits.write))
		h2_server_reset(x->conn->h2, x->id, NGHTTP2_CANCEL);
	else if (x->answered && !x->ended && !http_buf_waits(&x->reply) &&
		 now - x->answered_at >= HTTP_LINGER)
		h2_server_reset(x->conn->h2, x->id, NGHTTP2_NO_ERROR);
	else if (!x->answered && http_exchange_starves(x))
		http_exchange_garbled(x, 503,
				      "no memory for the rest of this request");
	else if (!x->answered && !x->ended && is_slow(x, now))
		give_up(x);
	return true;
}

void http_h2_late(struct http_conn *conn, uint64_t now)
{
	struct weir_http_exchange *next;

	conn->ticked = now;
	if (is_stuck(conn, now)) {
		http_conn_drop(conn);
		return;
	}
	for (struct weir_http_exchange *x = conn->exchanges; x; x = next) {
		next = x->next;
		if (!check(x, now)) {
			http_conn_drop(conn);
			return;
		}
	}
	if (!conn->n_exchanges &&
	    now - conn->since >= conn->server->limits.idle)
		notice(conn);
	if (conn->noticed && !conn->last_id_sent &&
	    now - conn->noticed >= HTTP_SECOND)
		send_last_id(conn);
	weir_stream_flush_later(conn->stream);
}

/* --- answers -------------------------------------------------------------- */

/* Clients do not expect to be answered while they speak, and some lose such an
 * answer when the rest of their request is reset. */
bool http_h2_may_go_on(const struct weir_http_exchange *x)
{
	weir_str value;

	return x->at_head && x->announced <= HTTP_DISCARDED &&
	       !http_head_find(&x->head, WEIR_STR("expect"), 0, &value);
}

static ssize_t read_reply(nghttp2_session *session, int32_t id, uint8_t *out,
			  size_t room, uint32_t *flags,
			  nghttp2_data_source *source, void *arg)
{
	struct weir_http_exchange *x = source->ptr;
	size_t left = http_buf_waits(&x->reply);
	size_t n = left < room ? left : room;

	(void)session, (void)id, (void)arg;
	memcpy(out, x->reply.ptr + x->reply.at, n);
	x->reply.at += n;
	x->conn->owed -= n;
	/* What the peer takes bit by bit is no reason to give it up. */
	if (n && !x->conn->server->limits.write_whole)
		x->answered_at = weir_now();
	if (n == left)
		*flags = NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static nghttp2_nv nv_of(char *name, size_t name_len, char *value, size_t len)
{
	return (nghttp2_nv){ (uint8_t *)name, (uint8_t *)value, name_len, len,
			     NGHTTP2_NV_FLAG_NONE };
}

/* Cuts "Name: value\r\n" lines, which become lower case where they lie. */
static size_t cut_lines(struct http_buf *lines, nghttp2_nv *nv, size_t most)
{
	char *at = lines->ptr, *end = at + lines->len;
	size_t n = 0;

	while (at < end && n < most) {
		char *name = at, *value;

		for (; *at != ':'; at++)
			if (*at >= 'A' && *at <= 'Z')
				*at = (char)(*at + ('a' - 'A'));
		value = at + 2;
		at = memchr(value, '\r', (size_t)(end - value));
		nv[n++] = nv_of(name, (size_t)(value - 2 - name), value,
				(size_t)(at - value));
		at += 2;
	}
	return n;
}

/* false: out of memory, or the client lets answers pile up. */
static bool keep_body(struct weir_http_exchange *x, weir_str body)
{
	struct http_conn *conn = x->conn;

	/* One alone may be larger. */
	if (conn->owed && (conn->owed > MAX_OWED ||
			   body.len > MAX_OWED - conn->owed)) {
		h2_server_reset(conn->h2, x->id, NGHTTP2_ENHANCE_YOUR_CALM);
		return false;
	}
	if (!http_buf_add(&x->reply, body.ptr, body.len)) {
		h2_server_reset(conn->h2, x->id, NGHTTP2_INTERNAL_ERROR);
		return false;
	}
	conn->owed += body.len;
	return true;
}

static bool put_length(const struct http_reply *reply, struct http_buf *lines)
{
	return reply->status == 204 ||
	       (http_buf_puts(lines, "content-length: ") &&
		http_buf_put_number(lines, reply->body.len) &&
		http_buf_puts(lines, "\r\n"));
}

void http_h2_answer(struct weir_http_exchange *x,
		    const struct http_reply *reply, struct http_buf *lines)
{
	const nghttp2_data_provider body = { { .ptr = x }, read_reply };
	bool sends = reply->body.len && http_has_body(x, reply);
	struct http_conn *conn = x->conn;
	nghttp2_nv nv[MAX_LINES];
	char status[3] = { (char)('0' + reply->status / 100 % 10),
			   (char)('0' + reply->status / 10 % 10),
			   (char)('0' + reply->status % 10) };
	size_t n;

	x->answered = true;
	x->answered_at = weir_now();
	weir_stream_flush_later(conn->stream);
	if (sends && !keep_body(x, reply->body))
		return;
	if (x->body)		/* nothing of it waits with the answer */
		weir_payload_free(&x->body);
	if (!put_length(reply, lines)) {
		http_conn_drop(conn);
		return;
	}
	nv[0] = nv_of((char *)":status", 7, status, 3);
	n = 1 + cut_lines(lines, nv + 1, MAX_LINES - 1);
	h2_server_respond(conn->h2, x->id, nv, n, sends ? &body : NULL);
}
