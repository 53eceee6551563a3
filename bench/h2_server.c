/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_server.c: the backend's connections: gRPC over HTTP/2, answered at once
 * or, with --delay and --rate, in the order in which requests came.  Holds
 * answers that wait; looks into no request.
 */
#include "load.h"
#include "sink.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define OUT_MAX (256 * 1024)

struct conn {
	int fd;
	nghttp2_session *h2;
	uint8_t *out;
	size_t out_start, out_len;
	uint32_t events;
	size_t refs;		/* answers that wait */
	bool dead;
};

static struct call *late_head, *late_tail;	/* by due */

static nghttp2_nv nv(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)(uintptr_t)name,
			     (uint8_t *)(uintptr_t)value, strlen(name),
			     strlen(value), NGHTTP2_NV_FLAG_NONE };
}

/* An empty ExportTraceServiceResponse, then the trailers. */
static ssize_t read_reply(nghttp2_session *h2, int32_t id, uint8_t *buf,
			  size_t len, uint32_t *flags,
			  nghttp2_data_source *source, void *arg)
{
	nghttp2_nv trailer = nv("grpc-status", "0");

	(void)len, (void)source, (void)arg;
	memset(buf, 0, 5);
	*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
	nghttp2_submit_trailer(h2, id, &trailer, 1);
	return 5;
}

static void reply(const struct call *call)
{
	struct conn *c = call->conn;
	nghttp2_data_provider body = { { 0 }, read_reply };
	nghttp2_nv headers[3] = { nv(":status", "200"),
				  nv("content-type", "application/grpc"),
				  nv("grpc-status", opt.status) };

	if (stats.failed < opt.fail) {
		stats.failed++;
		nghttp2_submit_response(c->h2, call->id, headers, 3, NULL);
	} else {
		nghttp2_submit_response(c->h2, call->id, headers, 2, &body);
		stats.spans_ok += call->spans;
	}
}

static int on_begin(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
	struct call *call;

	if (frame->hd.type != NGHTTP2_HEADERS ||
	    frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	call = calloc(1, sizeof(*call));
	if (!call)
		abort();
	call->conn = arg;
	call->id = frame->hd.stream_id;
	nghttp2_session_set_stream_user_data(h2, call->id, call);
	return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t id,
		   const uint8_t *data, size_t len, void *arg)
{
	struct call *call = nghttp2_session_get_stream_user_data(h2, id);

	(void)flags, (void)arg;
	if (!call)
		return 0;
	if (call->cap - call->len < len) {
		call->cap = (call->len + len) * 2;
		call->body = realloc(call->body, call->cap);
		if (!call->body)
			abort();
	}
	memcpy(call->body + call->len, data, len);
	call->len += len;
	return 0;
}

static void free_call(struct call *call)
{
	free(call->body);
	free(call);
}

/* When a request that came now is answered. */
static uint64_t due_of(const struct call *call)
{
	static uint64_t busy_until;
	uint64_t t = load_now();

	if (!opt.rate)
		return t + opt.delay_ms * 1000000;
	if (busy_until < t)
		busy_until = t;
	busy_until += call->spans * 1000000000u / opt.rate;
	return busy_until + opt.delay_ms * 1000000;
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
	struct conn *c = arg;
	struct call *call;

	if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
	    (frame->hd.type != NGHTTP2_DATA &&
	     frame->hd.type != NGHTTP2_HEADERS))
		return 0;
	call = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
	if (!call)
		return 0;
	nghttp2_session_set_stream_user_data(h2, call->id, NULL);
	count(call);
	if (!opt.delay_ms && !opt.rate) {
		reply(call);
		free_call(call);
		return 0;
	}
	call->due = due_of(call);
	if (late_tail)
		late_tail->next = call;
	else
		late_head = call;
	late_tail = call;
	c->refs++;
	return 0;
}

static int on_close(nghttp2_session *h2, int32_t id, uint32_t code, void *arg)
{
	struct call *call = nghttp2_session_get_stream_user_data(h2, id);

	(void)code, (void)arg;
	if (call)
		free_call(call);
	return 0;
}

/* --- Connections -------------------------------------------------------- */

static void fail(struct conn *c)
{
	if (!c->dead) {
		close(c->fd);
		nghttp2_session_del(c->h2);
		free(c->out);
	}
	c->dead = true;
}

static void flush(struct conn *c)
{
	struct epoll_event ev = { .data.ptr = c };

	while (!c->dead) {
		const uint8_t *p;
		ssize_t n = 0;

		while (c->out_len < OUT_MAX / 2 &&
		       (n = nghttp2_session_mem_send(c->h2, &p)) > 0) {
			memmove(c->out, c->out + c->out_start, c->out_len);
			c->out_start = 0;
			memcpy(c->out + c->out_len, p, (size_t)n);
			c->out_len += (size_t)n;
		}
		if (!c->out_len)
			break;
		n = write(c->fd, c->out + c->out_start, c->out_len);
		if (n < 0 && errno != EAGAIN)
			fail(c);
		if (n <= 0)
			break;
		c->out_start += (size_t)n;
		c->out_len -= (size_t)n;
	}
	if (c->dead)
		return;
	ev.events = EPOLLIN | (c->out_len ? EPOLLOUT : 0);
	if (ev.events != c->events)
		epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &ev);
	c->events = ev.events;
}

void serve(void *conn)
{
	struct conn *c = conn;
	static uint8_t buf[256 * 1024];
	ssize_t n;

	if (c->dead)
		return;
	n = read(c->fd, buf, sizeof(buf));
	if (n == 0 || (n < 0 && errno != EAGAIN) ||
	    (n > 0 && nghttp2_session_mem_recv(c->h2, buf, (size_t)n) < 0))
		fail(c);
	else
		flush(c);
}

void greet(int listener)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 8 << 20 },
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000 } };
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), on = 1;
	struct epoll_event ev = { .events = EPOLLIN };
	nghttp2_session_callbacks *cbs;
	struct conn *c;

	if (fd < 0)
		return;
	c = calloc(1, sizeof(*c));
	if (!c || !(c->out = malloc(OUT_MAX)))
		abort();
	c->fd = fd;
	c->events = EPOLLIN;
	stats.connections++;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	nghttp2_session_callbacks_new(&cbs);
	nghttp2_session_callbacks_set_on_begin_headers_callback(cbs, on_begin);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cbs,
								  on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cbs, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(cbs, on_close);
	nghttp2_session_server_new(&c->h2, cbs, c);
	nghttp2_session_callbacks_del(cbs);
	nghttp2_submit_settings(c->h2, NGHTTP2_FLAG_NONE, settings, 2);
	nghttp2_session_set_local_window_size(c->h2, NGHTTP2_FLAG_NONE, 0,
					      32 << 20);
	ev.data.ptr = c;
	epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev);
	flush(c);
}

int answers_wait(void)
{
	return late_head != NULL;
}

void answer_late(void)
{
	uint64_t t = load_now();

	while (late_head && late_head->due <= t) {
		struct call *call = late_head;
		struct conn *c = call->conn;

		late_head = call->next;
		if (!late_head)
			late_tail = NULL;
		c->refs--;
		if (!c->dead) {
			reply(call);
			flush(c);
		}
		free_call(call);
	}
}
