/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink: a gRPC backend that says OK, and counts.
 *
 *	sink --port N [--control N] [--delay MS] [--rate R] [--fail N]
 *		[--status CODE]
 *
 * Spans are counted by walking three levels of lengths; requests that came
 * compressed count as requests and bytes only.  --delay: each answer waits so
 * long.  --rate: a backend that can take R spans a second, works on one
 * request after the other and never refuses.  --fail: the first N requests end
 * with CODE (14).  Whoever connects to the control port gets the counts; so
 * does stdout on SIGTERM.
 */
#include "load.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OUT_MAX (256 * 1024)

static struct {
	const char *port, *control;
	uint64_t delay_ms, rate, fail;
	const char *status;
} opt = { .status = "14" };

static struct {
	uint64_t requests, failed, compressed, spans, bytes, connections;
	uint64_t spans_ok;	/* of answered requests */
} stats;

struct conn {
	int fd;
	nghttp2_session *h2;
	uint8_t *out;
	size_t out_start, out_len;
	uint32_t events;
	size_t refs;		/* answers that wait */
	bool dead;
};

struct call {
	struct conn *conn;
	int32_t id;
	uint8_t *body;
	size_t len, cap;
	uint64_t spans;
	uint64_t due;		/* ns; when to answer */
	struct call *next;
};

static struct call *late_head, *late_tail;	/* by due */
static int epfd;
static volatile sig_atomic_t stopped;

/* --- Counting ----------------------------------------------------------- */

static bool varint(const uint8_t **p, const uint8_t *end, uint64_t *v)
{
	*v = 0;
	for (int shift = 0; shift < 64 && *p < end; shift += 7) {
		*v |= (uint64_t)(**p & 0x7f) << shift;
		if (*(*p)++ < 0x80)
			return true;
	}
	return false;
}

/* Field 1 at the top, field 2 below it, field 2 of that are the spans. */
static uint64_t count_spans(const uint8_t *p, const uint8_t *end, int depth)
{
	uint64_t n = 0, tag, len;

	while (p < end && varint(&p, end, &tag)) {
		if ((tag & 7) != 2)	/* none of these levels has others */
			break;
		if (!varint(&p, end, &len) || len > (uint64_t)(end - p))
			break;
		if (tag >> 3 == (depth ? 2 : 1))
			n += depth == 2 ? 1 :
			     count_spans(p, p + len, depth + 1);
		p += len;
	}
	return n;
}

static void count(struct call *call)
{
	stats.requests++;
	stats.bytes += call->len;
	if (call->len < 5)
		return;
	if (call->body[0])
		stats.compressed++;
	else
		call->spans = count_spans(call->body + 5,
					  call->body + call->len, 0);
	stats.spans += call->spans;
}

static int print_counts(char *out, size_t size)
{
	return snprintf(out, size, "requests=%lu\nfailed=%lu\ncompressed=%lu\n"
			"spans=%lu\nbytes=%lu\nconnections=%lu\n"
			"spans_ok=%lu\nat_ns=%lu\n",
			stats.requests, stats.failed, stats.compressed,
			stats.spans, stats.bytes, stats.connections,
			stats.spans_ok, load_now());
}

/* --- Answering ---------------------------------------------------------- */

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

static void serve(struct conn *c)
{
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

static void greet(int listener)
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

static void tell(int listener)
{
	char text[512];
	int fd = accept(listener, NULL, NULL);
	int n = print_counts(text, sizeof(text));

	if (fd < 0)
		return;
	if (write(fd, text, (size_t)n) < 0)
		perror("sink");
	close(fd);
}

static void answer_late(void)
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

/* --- The process -------------------------------------------------------- */

static int listen_on(const char *port, void *mark)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = mark };
	int fd = load_listen(port);

	epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev);
	return fd;
}

static void parse(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		const char *a = argv[i], *v = argv[i + 1];

		if (!strcmp(a, "--port"))
			opt.port = v;
		else if (!strcmp(a, "--control"))
			opt.control = v;
		else if (!strcmp(a, "--delay"))
			opt.delay_ms = strtoul(v, NULL, 10);
		else if (!strcmp(a, "--rate"))
			opt.rate = strtoul(v, NULL, 10);
		else if (!strcmp(a, "--fail"))
			opt.fail = strtoul(v, NULL, 10);
		else if (!strcmp(a, "--status"))
			opt.status = v;
		else
			argc = 0;
	}
	if (argc % 2 == 0 || !opt.port) {
		fprintf(stderr, "usage: sink --port N [--control N] "
			"[--delay MS] [--rate R] [--fail N]\n\t"
			"[--status CODE]\n");
		exit(2);
	}
}

static void on_term(int number)
{
	(void)number;
	stopped = 1;
}

int main(int argc, char **argv)
{
	static char grpc_mark, control_mark;
	struct sigaction term = { .sa_handler = on_term };
	int grpc, control = -1;
	char text[512];

	parse(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &term, NULL);
	sigaction(SIGINT, &term, NULL);
	epfd = epoll_create1(0);
	grpc = listen_on(opt.port, &grpc_mark);
	if (opt.control)
		control = listen_on(opt.control, &control_mark);
	while (!stopped) {
		struct epoll_event events[64];
		int n = epoll_wait(epfd, events, 64, late_head ? 1 : -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &grpc_mark)
				greet(grpc);
			else if (events[i].data.ptr == &control_mark)
				tell(control);
			else
				serve(events[i].data.ptr);
		}
		answer_late();
	}
	print_counts(text, sizeof(text));
	fputs(text, stdout);
	return 0;
}
