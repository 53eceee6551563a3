/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_client.c: the load generator's connections: gRPC calls over HTTP/2, one
 * epoll for all.  Counts answers where they come in; decides nothing but, with
 * --retry, how long a refused request waits.
 */
#include "loadgen.h"
#include "retry_info.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define OUT_MAX (256 * 1024)
#define UNAVAILABLE 14

struct conn *conns;
static int epfd;

void conns_init(void)
{
	conns = calloc(opt.connections, sizeof(*conns));
	if (!conns)
		abort();
	epfd = epoll_create1(0);
}

static ssize_t read_body(nghttp2_session *h2, int32_t id, uint8_t *buf,
			 size_t len, uint32_t *flags,
			 nghttp2_data_source *source, void *arg)
{
	struct call *call = source->ptr;
	size_t left = call->request.len - call->sent;

	(void)h2, (void)id, (void)arg;
	if (len > left)
		len = left;
	memcpy(buf, call->request.bytes + call->sent, len);
	call->sent += len;
	if (len == left)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)len;
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame,
		     const uint8_t *name, size_t name_len,
		     const uint8_t *value, size_t value_len, uint8_t flags,
		     void *arg)
{
	struct call *call =
		nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
	char text[8] = "";

	(void)flags, (void)arg;
	if (!call)
		return 0;
	if (name_len == 23 && !memcmp(name, "grpc-status-details-bin", 23))
		call->asked = retry_info_delay(value, value_len);
	if (name_len != 11 || memcmp(name, "grpc-status", 11) ||
	    value_len >= sizeof(text))
		return 0;
	memcpy(text, value, value_len);
	call->status = atoi(text);
	return 0;
}

/* Keeps a refused request for later; false when it is given up. */
static bool keep(struct call *call, uint64_t t)
{
	uint64_t delay = call->asked ? call->asked : SECOND;

	stats.refused++;
	stats.refused_told += call->asked > 0;
	if (call->asked)
		stats.delay = call->asked;
	if (t + delay - call->due > PATIENCE) {
		stats.given_up++;
		return false;
	}
	call->retry_at = t + delay;
	return true;
}

static int on_close(nghttp2_session *h2, int32_t id, uint32_t code, void *arg)
{
	struct call *call = nghttp2_session_get_stream_user_data(h2, id);
	uint64_t t = load_now();

	(void)code, (void)arg;
	if (!call)
		return 0;
	call->busy = false;
	stats.last_answer = t;
	if (call->status >= 0 && call->status < 17)
		stats.by_status[call->status]++;
	if (opt.retry && call->status == UNAVAILABLE && keep(call, t))
		return 0;
	if (call->status == 0)
		stats.ok++;
	else
		stats.failed++;
	load_took(&stats.tally, t - call->due);
	return 0;
}

static nghttp2_nv nv(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)(uintptr_t)name,
			     (uint8_t *)(uintptr_t)value, strlen(name),
			     strlen(value), NGHTTP2_NV_FLAG_NO_COPY_NAME |
			     NGHTTP2_NV_FLAG_NO_COPY_VALUE };
}

void send_call(struct call *call, uint64_t due)
{
	nghttp2_nv headers[9];
	nghttp2_data_provider body = { { .ptr = call }, read_body };
	size_t n = 0;

	headers[n++] = nv(":method", "POST");
	headers[n++] = nv(":scheme", "http");
	headers[n++] = nv(":path", "/opentelemetry.proto.collector.trace.v1."
			  "TraceService/Export");
	headers[n++] = nv(":authority", "localhost");
	headers[n++] = nv("te", "trailers");
	headers[n++] = nv("content-type", "application/grpc");
	headers[n++] = nv("user-agent", "weir-bench");
	if (opt.gzip)
		headers[n++] = nv("grpc-encoding", "gzip");
	if (!call->retry_at) {
		fill_call(call);
		call->due = due;
	}
	call->sent = 0;
	call->retry_at = 0;
	call->asked = 0;
	call->status = -1;
	call->busy = true;
	stats.sent++;
	if (nghttp2_submit_request(call->conn->h2, NULL, headers, n, &body,
				   call) < 0)
		fail_conn(call->conn);	/* it takes no more requests */
}

/* --- Connections -------------------------------------------------------- */

static void watch(struct conn *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (events != c->events)
		epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &ev);
	c->events = events;
}

void fail_conn(struct conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	epoll_ctl(epfd, EPOLL_CTL_DEL, c->fd, NULL);
	close(c->fd);
	for (size_t i = 0; i < opt.window; i++) {
		if (c->calls[i].busy)
			stats.failed++;
		c->calls[i].busy = false;
		c->calls[i].retry_at = 0;
	}
}

static void flush(struct conn *c)
{
	while (!c->dead) {
		ssize_t n;

		while (c->out_len < OUT_MAX / 2) {
			const uint8_t *p;
			ssize_t len = nghttp2_session_mem_send(c->h2, &p);

			if (len <= 0)
				break;
			if (c->out_start + c->out_len + (size_t)len > OUT_MAX) {
				memmove(c->out, c->out + c->out_start,
					c->out_len);
				c->out_start = 0;
			}
			memcpy(c->out + c->out_start + c->out_len, p,
			       (size_t)len);
			c->out_len += (size_t)len;
		}
		if (!c->out_len)
			break;
		n = write(c->fd, c->out + c->out_start, c->out_len);
		if (n < 0 && errno != EAGAIN)
			fail_conn(c);
		if (n <= 0)
			break;
		c->out_start += (size_t)n;
		c->out_len -= (size_t)n;
		if (!c->out_len)
			c->out_start = 0;
	}
	if (!c->dead)
		watch(c, EPOLLIN | (c->out_len ? EPOLLOUT : 0));
}

static void receive(struct conn *c)
{
	static uint8_t buf[64 * 1024];
	ssize_t n = read(c->fd, buf, sizeof(buf));

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || nghttp2_session_mem_recv(c->h2, buf, (size_t)n) < 0)
		fail_conn(c);
}

bool open_conn(struct conn *c, const struct spans_request *request,
	       uint64_t end)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20 } };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	nghttp2_session_callbacks *cbs;

	while ((c->fd = load_dial(opt.port)) < 0) {
		struct timespec pause = { 0, 200000 };

		if (load_now() >= end) {
			fprintf(stderr, "loadgen: nobody listens on %s\n",
				opt.port);
			return false;
		}
		nanosleep(&pause, NULL);
	}
	nghttp2_session_callbacks_new(&cbs);
	nghttp2_session_callbacks_set_on_header_callback(cbs, on_header);
	nghttp2_session_callbacks_set_on_stream_close_callback(cbs, on_close);
	nghttp2_session_client_new(&c->h2, cbs, c);
	nghttp2_session_callbacks_del(cbs);
	nghttp2_submit_settings(c->h2, NGHTTP2_FLAG_NONE, settings, 1);
	c->out = malloc(OUT_MAX + 32 * 1024);
	c->calls = calloc(opt.window, sizeof(*c->calls));
	if (!c->out || !c->calls)
		abort();
	for (size_t i = 0; i < opt.window; i++) {
		c->calls[i].conn = c;
		if (!opt.gzip)
			c->calls[i].request = spans_copy(request);
	}
	c->events = EPOLLIN;
	c->dead = false;
	epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &ev);
	return true;
}

void turn(uint64_t wait)
{
	struct timespec ts = { (time_t)(wait / SECOND),
			       (long)(wait % SECOND) };
	struct epoll_event events[64];
	int n;

	for (size_t i = 0; i < opt.connections; i++)
		if (!conns[i].dead)
			flush(&conns[i]);
	n = epoll_pwait2(epfd, events, 64, &ts, NULL);
	for (int i = 0; i < n; i++)
		if (!((struct conn *)events[i].data.ptr)->dead &&
		    events[i].events & ~(uint32_t)EPOLLOUT)
			receive(events[i].data.ptr);
}
