/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server.c: an HTTP/1.1 server for small answers.
 *
 * A connection has one request in flight.  What a client pipelines behind it
 * waits: at most one read (256 KiB), then the connection is not read until the
 * answer is out.  Every wait has an end: the head of a request, the pace of its
 * body, the peer's reading of the answer, and idleness.
 *
 *	data -> parse -> handle -> weir_http_respond -> flush -> pump
 *	          ^                                              |
 *	          `------------- what was pipelined -------------'
 *
 * Must never call `handle` from inside weir_http_respond.
 */
#include <weir/kit/http.h>

#include "http_parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECONDS(n) ((weir_duration){ (n) * INT64_C(1000000000) })
#define HEAD_TIMEOUT SECONDS(10)	/* attacks.md 39 */
#define BODY_WINDOW SECONDS(10)		/* attacks.md 40: in each of these */
#define BODY_PER_WINDOW 4096		/* so many bytes at least */
#define IDLE_TIMEOUT SECONDS(60)
#define WRITE_TIMEOUT SECONDS(30)	/* attacks.md 41: without progress */
#define LINGER_TIMEOUT SECONDS(1)	/* for the peer to read a refusal */
#define MAX_QUEUED 16384		/* answers the peer has not taken */
#define MAX_HEAD_OUT 512

struct bytes {
	char *ptr;
	size_t at, len, cap;		/* from at to len there is something */
};

struct weir_http_exchange {		/* a connection and its request */
	struct weir_http_exchange *next, *prev;
	struct weir_http_server *server;	/* NULL: nobody listens */
	struct weir_stream *stream;		/* NULL: closed */
	struct http_parser parser;
	struct bytes body, stash, out;
	struct weir_timer deadline;
	uint64_t paced;			/* body bytes when the window opened */
	bool in_flight;			/* handle was called, no answer yet */
	bool last;			/* the next answer closes */
	bool answered_last;		/* it is on its way */
	bool lingering;			/* only waits for the peer's FIN */
	bool at_eof;
};

struct weir_http_server {
	struct weir_component *c;
	struct weir_http_options options;
	struct weir_http_exchange *connections;
	bool stopping;
};

/* --- bytes ---------------------------------------------------------------- */

/* false when memory fails: a peer may choose the size. */
static bool add(struct bytes *b, const void *ptr, size_t len)
{
	if (len > b->cap - b->len) {
		size_t cap = b->cap ? b->cap : 1024;
		char *grown;

		while (cap - b->len < len)
			cap *= 2;
		grown = realloc(b->ptr, cap);
		if (!grown)
			return false;
		b->ptr = grown;
		b->cap = cap;
	}
	if (len)
		memcpy(b->ptr + b->len, ptr, len);
	b->len += len;
	return true;
}

static void release(struct bytes *b)
{
	free(b->ptr);
	*b = (struct bytes){ 0 };
}

/* --- deadlines ------------------------------------------------------------ */

static void refuse(struct weir_http_exchange *x, int status,
		   const char *reason);

/* Closes without a word; nothing is read or written from here on. */
static void drop(struct weir_http_exchange *x)
{
	x->lingering = true;
	weir_stream_close(x->stream);
}

static void on_deadline(struct weir_component *c, struct weir_timer *timer)
{
	struct weir_http_exchange *x = (struct weir_http_exchange *)(void *)
		((char *)timer - offsetof(struct weir_http_exchange, deadline));
	bool slow = http_parser_busy(&x->parser) && !x->in_flight &&
		    !x->answered_last && x->out.at == x->out.len;

	if (!slow) {			/* idle, or the peer does not read */
		drop(x);
		return;
	}
	if (x->parser.body - x->paced >= BODY_PER_WINDOW) {
		x->paced = x->parser.body;
		weir_timer_set(&x->deadline, c, BODY_WINDOW, on_deadline);
		return;
	}
	refuse(x, 408, "request too slow");
}

static void expect_within(struct weir_http_exchange *x, weir_duration limit)
{
	weir_timer_set(&x->deadline, x->server->c, limit, on_deadline);
}

/* --- answers -------------------------------------------------------------- */

static const char *phrase(int status)
{
	static const struct { int status; const char *text; } phrases[] = {
		{ 200, "OK" }, { 204, "No Content" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 408, "Request Timeout" },
		{ 413, "Content Too Large" }, { 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].text;
	return "Unknown";
}

/* RFC 9110 5.6.7; not strftime, which speaks the locale. */
static void http_date(char *out, size_t size)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = (time_t)(weir_wall_now() / 1000000000u);
	struct tm tm;

	gmtime_r(&now, &tm);
	snprintf(out, size, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
		 days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
		 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Writes head and body behind what is queued.  no_body: only its length. */
static bool queue_answer(struct weir_http_exchange *x, int status,
			 const char *content_type, const char *extra,
			 weir_str body, bool no_body)
{
	char head[MAX_HEAD_OUT], date[64];
	int len;

	http_date(date, sizeof(date));
	len = snprintf(head, sizeof(head),
		       "HTTP/1.1 %d %s\r\n%s%s%s%sDate: %s\r\n"
		       "Content-Length: %zu\r\n%s\r\n",
		       status, phrase(status),
		       content_type ? "Content-Type: " : "",
		       content_type ? content_type : "",
		       content_type ? "\r\n" : "", extra ? extra : "", date,
		       body.len,
		       x->last ? "Connection: close\r\n"
		       : x->parser.minor == 0 ? "Connection: keep-alive\r\n"
		       : "");
	if (len < 0 || (size_t)len >= sizeof(head))
		return false;
	return add(&x->out, head, (size_t)len) &&
	       (no_body || add(&x->out, body.ptr, body.len));
}

static void answer(struct weir_http_exchange *x, int status,
		   const char *content_type, const char *extra, weir_str body)
{
	bool head = weir_str_eq(http_parser_text(&x->parser, x->parser.method),
				WEIR_STR("HEAD"));

	if (!queue_answer(x, status, content_type, extra, body, head)) {
		drop(x);
		return;
	}
	x->answered_last = x->last;
	weir_stream_flush_later(x->stream);
}

/* Answers what is not a request and reads nothing more.  The text is ours. */
static void refuse(struct weir_http_exchange *x, int status, const char *reason)
{
	char body[128];

	x->last = true;
	if (!status) {			/* HTTP/0.9 */
		drop(x);
		return;
	}
	snprintf(body, sizeof(body), "%d %s: %s\n", status, phrase(status),
		 reason);
	answer(x, status, "text/plain; charset=utf-8", "X-Content-Type-Options:"
	       " nosniff\r\n", weir_str_of(body));
}

/* --- requests ------------------------------------------------------------- */

static void free_exchange(struct weir_http_exchange *x)
{
	http_parser_release(&x->parser);
	release(&x->body);
	release(&x->stash);
	release(&x->out);
	free(x);
}

static void handle(struct weir_http_exchange *x)
{
	struct weir_http_server *server = x->server;
	weir_str method = weir_http_method(x);

	x->last = x->last || server->stopping || !server->options.keep_alive ||
		  !x->parser.keep_alive;
	weir_timer_cancel(&x->deadline);
	/* Both would make this a tunnel or an echo: RFC 9110 9.3.6, 9.3.8. */
	if (weir_str_eq(method, WEIR_STR("CONNECT")) ||
	    weir_str_eq(method, WEIR_STR("TRACE"))) {
		refuse(x, 501, "method not implemented");
		return;
	}
	x->in_flight = true;
	server->options.handle(server->c, x, server->options.arg);
}

static void on_head(struct weir_http_exchange *x)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	x->paced = 0;
	expect_within(x, BODY_WINDOW);
	if (x->parser.expects_continue && x->parser.state != HTTP_ON_END &&
	    add(&x->out, go_on, sizeof(go_on) - 1))
		weir_stream_flush_later(x->stream);
}

static void on_event(struct weir_http_exchange *x,
		     const struct http_event *event)
{
	switch (event->type) {
	case HTTP_MORE:
		break;
	case HTTP_HEAD:
		on_head(x);
		break;
	case HTTP_BODY:
		if (!add(&x->body, event->data, event->len))
			refuse(x, 503, "out of memory");
		break;
	case HTTP_DONE:
		handle(x);
		break;
	case HTTP_FAIL:
		refuse(x, x->parser.status, x->parser.reason);
		break;
	}
}

/* The answer of a request is queued: ready for the next one. */
static void next_request(struct weir_http_exchange *x)
{
	release(&x->body);
	http_parser_next(&x->parser);
}

/* Reads requests until one waits for its answer, or answers pile up, or the
 * connection ends; returns the bytes eaten. */
static size_t parse(struct weir_http_exchange *x, const uint8_t *data,
		    size_t len)
{
	size_t eaten = 0;

	while (!x->lingering && !x->in_flight && !x->last &&
	       x->out.len - x->out.at < MAX_QUEUED) {
		struct http_event event;

		if (x->parser.state == HTTP_ON_END)
			next_request(x);
		if (eaten == len)
			break;
		if (!http_parser_busy(&x->parser))
			expect_within(x, HEAD_TIMEOUT);
		do {
			eaten += http_parser_feed(&x->parser, data + eaten,
						  len - eaten, &event);
			on_event(x, &event);
		} while (event.type == HTTP_HEAD || event.type == HTTP_BODY);
	}
	return eaten;
}

/* --- the connection ------------------------------------------------------- */

/* False when the socket is full or broken. */
static bool write_out(struct weir_http_exchange *x)
{
	struct weir_iovec iov;
	int64_t n;

	if (x->out.at == x->out.len)
		return true;
	iov = (struct weir_iovec){ x->out.ptr + x->out.at,
				   x->out.len - x->out.at };
	n = weir_stream_writev(x->stream, &iov, 1);
	if (n < 0)
		return false;
	x->out.at += (size_t)n;
	if (x->out.at == x->out.len) {
		release(&x->out);
		weir_timer_cancel(&x->deadline);
		return true;
	}
	if (n > 0 || !weir_timer_is_set(&x->deadline))
		expect_within(x, WRITE_TIMEOUT);
	weir_stream_want_write(x->stream);
	return false;
}

/* What the peer still sends is thrown away for a moment, so that a reset does
 * not overtake the answer. */
static void linger(struct weir_http_exchange *x)
{
	if (x->lingering)
		return;
	x->lingering = true;
	release(&x->stash);
	weir_stream_shutdown(x->stream);
	weir_stream_pause(x->stream, false);
	expect_within(x, LINGER_TIMEOUT);
	if (x->at_eof)
		drop(x);
}

/* Nothing is queued or in flight: read on, or end. */
static void rest(struct weir_http_exchange *x)
{
	if (x->at_eof ||
	    (x->server->stopping && !http_parser_busy(&x->parser))) {
		drop(x);
		return;
	}
	weir_stream_pause(x->stream, false);
	if (!weir_timer_is_set(&x->deadline))
		expect_within(x, !http_parser_busy(&x->parser) ? IDLE_TIMEOUT
				 : x->parser.body ? BODY_WINDOW : HEAD_TIMEOUT);
}

static void parse_stash(struct weir_http_exchange *x)
{
	struct bytes *b = &x->stash;

	b->at += b->ptr ? parse(x, (uint8_t *)b->ptr + b->at, b->len - b->at)
			: parse(x, NULL, 0);
	if (b->at == b->len)
		release(b);
}

/* Goes as far as it can: writes, then reads what was pipelined. */
static void pump(struct weir_http_exchange *x)
{
	while (!x->lingering && write_out(x)) {
		if (x->answered_last) {
			linger(x);
			return;
		}
		if (x->in_flight)
			return;
		parse_stash(x);
		if (!x->stash.len && !x->out.len && !x->in_flight) {
			rest(x);
			return;
		}
	}
}

static void on_data(struct weir_stream *stream, void *arg, const uint8_t *data,
		    size_t len)
{
	struct weir_http_exchange *x = arg;
	size_t eaten;

	if (x->lingering || x->last)
		return;
	eaten = parse(x, data, len);
	if (x->in_flight || eaten < len)
		weir_stream_pause(stream, true);
	if (eaten < len && !x->last &&
	    !add(&x->stash, data + eaten, len - eaten))
		drop(x);
	weir_stream_flush_later(stream);
}

static void on_flush(struct weir_stream *stream, void *arg)
{
	(void)stream;
	pump(arg);
}

/* A half-closed peer may still wait for answers (attacks.md 52). */
static void on_eof(struct weir_stream *stream, void *arg)
{
	struct weir_http_exchange *x = arg;

	(void)stream;
	x->at_eof = true;
	if (x->lingering || (!x->in_flight && x->out.at == x->out.len &&
			     x->stash.at == x->stash.len))
		drop(x);
}

static void on_closed(struct weir_stream *stream, void *arg, int error)
{
	struct weir_http_exchange *x = arg;

	(void)stream;
	(void)error;
	weir_timer_cancel(&x->deadline);
	x->stream = NULL;
	if (x->prev)
		x->prev->next = x->next;
	else if (x->server)
		x->server->connections = x->next;
	if (x->next)
		x->next->prev = x->prev;
	x->server = NULL;
	if (!x->in_flight)
		free_exchange(x);
}

static const struct weir_stream_ops ops = {
	.data = on_data, .writable = on_flush, .flush = on_flush,
	.eof = on_eof, .closed = on_closed,
};

static void on_accept(struct weir_component *c, struct weir_stream *stream,
		      void *arg)
{
	struct weir_http_server *server = arg;
	struct weir_http_exchange *x = calloc(1, sizeof(*x));

	(void)c;
	if (!x)
		return;			/* core closes what was not started */
	x->server = server;
	x->stream = stream;
	http_parser_init(&x->parser, server->options.max_body);
	x->next = server->connections;
	if (x->next)
		x->next->prev = x;
	server->connections = x;
	weir_stream_start(stream, &ops, x);
	expect_within(x, HEAD_TIMEOUT);
}

/* --- the contract --------------------------------------------------------- */

struct weir_http_server *weir_http_server_start(
	struct weir_component *c, const struct weir_http_options *options,
	struct weir_error *error)
{
	struct weir_http_server *server = calloc(1, sizeof(*server));
	struct weir_listener listener = {
		.endpoint = options->endpoint,
		.transport = options->transport,
		.accept = on_accept,
		.arg = server,
	};

	if (!server) {
		weir_fail(error, NULL, "out of memory");
		return NULL;
	}
	server->c = c;
	server->options = *options;
	if (weir_listen(c, &listener, NULL, error)) {
		free(server);
		return NULL;
	}
	return server;
}

void weir_http_server_stop(struct weir_http_server *server)
{
	struct weir_http_exchange *next;

	if (!server || server->stopping)
		return;
	server->stopping = true;
	weir_unlisten(server->c);
	for (struct weir_http_exchange *x = server->connections; x; x = next) {
		next = x->next;
		if (!x->in_flight && x->out.at == x->out.len &&
		    !http_parser_busy(&x->parser))
			drop(x);
	}
}

/* An exchange in flight lives on, without server, until it is answered. */
static const struct weir_stream_ops deaf;

void weir_http_server_free(struct weir_http_server **server)
{
	struct weir_http_server *s = *server;

	*server = NULL;
	if (!s)
		return;
	weir_http_server_stop(s);
	while (s->connections) {
		struct weir_http_exchange *x = s->connections;

		s->connections = x->next;
		weir_timer_cancel(&x->deadline);
		weir_stream_close(x->stream);
		weir_stream_start(x->stream, &deaf, NULL);
		x->stream = NULL;
		x->server = NULL;
		if (!x->in_flight)
			free_exchange(x);
	}
	free(s);
}

weir_str weir_http_method(const struct weir_http_exchange *x)
{
	return http_parser_text(&x->parser, x->parser.method);
}

weir_str weir_http_path(const struct weir_http_exchange *x)
{
	return http_parser_text(&x->parser, x->parser.path);
}

weir_str weir_http_query(const struct weir_http_exchange *x)
{
	return http_parser_text(&x->parser, x->parser.query);
}

bool weir_http_header(const struct weir_http_exchange *x, weir_str name,
		      weir_str *value)
{
	return http_parser_header(&x->parser, name, 0, value);
}

weir_str weir_http_body(const struct weir_http_exchange *x)
{
	return (weir_str){ x->body.ptr, x->body.len };
}

void weir_http_respond(struct weir_http_exchange *x, int status,
		       const char *content_type, const char *extra,
		       weir_str body)
{
	x->in_flight = false;
	if (!x->stream) {		/* the peer has gone meanwhile */
		if (!x->server)
			free_exchange(x);
		return;
	}
	x->last = x->last || x->server->stopping;
	answer(x, status, content_type, extra, body);
}
