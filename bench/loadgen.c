/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loadgen: sends OTLP/gRPC trace requests and measures the answers.
 *
 *	loadgen --port N [--connections 4] [--window 4] [--spans 512]
 *		[--seconds 3] [--warmup 0] [--rate R] [--gzip] [--retry]
 *	loadgen --port N --first [--spans 512] [--seconds 30]
 *
 * Closed loop: `window` requests are always under way per connection.  Open
 * loop (--rate): R requests a second are due at fixed times, and a latency
 * counts from when its request was due, not from when it could be sent.
 * --warmup: what happens in the first so many seconds is not counted.
 * --retry: as an SDK does, what is UNAVAILABLE is sent again after the delay
 * that the server asked for, for at most 10 s; with --rate this is one of the
 * R, and what finds no room among connections * window is skipped.
 * --first: connects until somebody listens, sends one request until it is
 * OK, and says when that was.  Prints key=value lines.
 */
#include "load.h"
#include "retry_info.h"
#include "spans.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define OUT_MAX (256 * 1024)
#define VARIANTS 32		/* pre-compressed requests that take turns */
#define PATIENCE (10ull * SECOND)	/* so long a request is tried again */
#define UNAVAILABLE 14

static struct {
	const char *port;
	size_t connections, window, spans;
	double seconds, warmup, rate;
	bool gzip, first, retry;
} opt = { .connections = 4, .window = 4, .spans = 512 };

struct conn;

struct call {			/* one request under way */
	struct conn *conn;
	struct spans_request request;
	size_t sent;
	uint64_t due;
	int status;		/* grpc-status, -1 until it came */
	uint64_t asked;		/* ns; the server's RetryInfo, 0: none */
	uint64_t retry_at;	/* refused, and waits; 0: it does not */
	bool busy;
};

struct conn {
	int fd;
	nghttp2_session *h2;
	struct call *calls;
	uint8_t *out;
	size_t out_start, out_len;
	uint32_t events;
	bool dead;
};

static struct conn *conns;
static struct spans_request variants[VARIANTS];
static uint64_t random_state = 42;
static int epfd;
static uint64_t start;		/* ns, as load_now() */

static struct {
	uint64_t sent, ok, failed, by_status[17];
	uint64_t refused, refused_told;	/* will be tried again; with RetryInfo */
	uint64_t delay;			/* ns; the last that a server asked for */
	uint64_t given_up, skipped;
	struct load_tally tally;
	uint64_t since, last_answer;
} stats;

/* --- HTTP/2 ------------------------------------------------------------- */

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

static void fail(struct conn *c);

/* A new request, or the one that was refused. */
static void send_call(struct call *call, uint64_t due)
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
		if (opt.gzip)
			call->request = variants[stats.sent % VARIANTS];
		else
			spans_refresh(&call->request, &random_state);
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
		fail(call->conn);	/* it takes no more requests */
}

/* --- Connections -------------------------------------------------------- */

static void watch(struct conn *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (events != c->events)
		epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &ev);
	c->events = events;
}

static void fail(struct conn *c)
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
			fail(c);
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
		fail(c);
}

/* False: nobody listened before end. */
static bool open_conn(struct conn *c, const struct spans_request *request,
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

/* --- Loops -------------------------------------------------------------- */

static struct call *idle_call(void)
{
	static size_t turn;

	for (size_t i = 0; i < opt.connections; i++) {
		struct conn *c = &conns[turn++ % opt.connections];

		for (size_t j = 0; !c->dead && j < opt.window; j++)
			if (!c->calls[j].busy && !c->calls[j].retry_at)
				return &c->calls[j];
	}
	return NULL;
}

/* The refused request that has waited longest past its delay. */
static struct call *ripe_call(uint64_t t)
{
	struct call *ripe = NULL;

	for (size_t i = 0; opt.retry && i < opt.connections; i++)
		for (size_t j = 0; j < opt.window; j++) {
			struct call *call = &conns[i].calls[j];

			if (call->retry_at && call->retry_at <= t &&
			    (!ripe || call->retry_at < ripe->retry_at))
				ripe = call;
		}
	return ripe;
}

static struct call *next_call(uint64_t t)
{
	struct call *call = ripe_call(t);

	return call ? call : idle_call();
}

/* Forgets what was counted so far, once, when the warm-up is over. */
static void warm_up(uint64_t t)
{
	struct load_tally tally = stats.tally;

	if (stats.since || t < start + (uint64_t)(opt.warmup * SECOND))
		return;
	memset(&stats, 0, sizeof(stats));
	stats.tally = tally;
	load_forget(&stats.tally);
	stats.since = t;
}

static size_t under_way(void)
{
	size_t n = 0;

	for (size_t i = 0; i < opt.connections; i++)
		for (size_t j = 0; j < opt.window; j++)
			n += conns[i].calls[j].busy;
	return n;
}

/* One turn of at most wait ns. */
static void turn(uint64_t wait)
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

static void closed_loop(uint64_t end)
{
	uint64_t t;

	while ((t = load_now()) < end) {
		struct call *call;

		warm_up(t);
		while ((call = next_call(t)))
			send_call(call, t);
		turn(end - t > SECOND / 100 ? SECOND / 100 : end - t);
	}
}

static void open_loop(uint64_t end)
{
	double gap = 1e9 / opt.rate;
	uint64_t i = 0, t;

	while ((t = load_now()) < end) {
		uint64_t due = start + (uint64_t)((double)i * gap);
		warm_up(t);
		while (due <= t) {
			struct call *call = next_call(t);

			if (call)
				send_call(call, due);
			else if (opt.retry)
				stats.skipped++;
			else
				break;
			due = start + (uint64_t)((double)++i * gap);
		}
		turn(due > t ? due - t : end - t);
	}
}

/* Asks again, on a new connection, until the answer is OK. */
static bool first_answer(const struct spans_request *request, uint64_t end)
{
	struct conn *c = &conns[0];

	while (load_now() < end) {
		struct call *call;

		if (!open_conn(c, request, end))
			return false;
		call = &c->calls[0];
		send_call(call, load_now());
		while (call->busy && load_now() < end)
			turn(SECOND / 100);
		if (call->status == 0)
			return true;
		fail(c);
	}
	return false;
}

static void report(uint64_t until, size_t bytes)
{
	double seconds = (double)(until - stats.since) / 1e9;

	printf("sent=%lu\nok=%lu\nfailed=%lu\n", stats.sent, stats.ok,
	       stats.failed);
	printf("refused=%lu\nrefused_told=%lu\ndelay_ms=%lu\ngiven_up=%lu\n"
	       "skipped=%lu\n", stats.refused, stats.refused_told,
	       stats.delay / 1000000, stats.given_up, stats.skipped);
	for (int i = 1; i < 17; i++)
		if (stats.by_status[i])
			printf("status_%d=%lu\n", i, stats.by_status[i]);
	printf("spans_ok=%lu\nrequest_bytes=%zu\nbytes_per_span=%.1f\n",
	       stats.ok * opt.spans, bytes,
	       (double)bytes / (double)opt.spans);
	printf("seconds=%.3f\nspans_per_s=%.0f\nrequests_per_s=%.0f\n",
	       seconds, (double)(stats.ok * opt.spans) / seconds,
	       (double)stats.ok / seconds);
	load_print(&stats.tally);
}

static void parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(a, "--gzip"))
			opt.gzip = true;
		else if (!strcmp(a, "--first"))
			opt.first = true;
		else if (!strcmp(a, "--retry"))
			opt.retry = true;
		else if (++i, !strcmp(a, "--port"))
			opt.port = v;
		else if (!strcmp(a, "--connections"))
			opt.connections = strtoul(v, NULL, 10);
		else if (!strcmp(a, "--window"))
			opt.window = strtoul(v, NULL, 10);
		else if (!strcmp(a, "--spans"))
			opt.spans = strtoul(v, NULL, 10);
		else if (!strcmp(a, "--seconds"))
			opt.seconds = atof(v);
		else if (!strcmp(a, "--warmup"))
			opt.warmup = atof(v);
		else if (!strcmp(a, "--rate"))
			opt.rate = atof(v);
		else
			opt.port = NULL, i = argc;
	}
	if (opt.first)
		opt.connections = opt.window = 1;
	if (!opt.seconds)
		opt.seconds = opt.first ? 30 : 3;
	if (!opt.port || !opt.connections || !opt.window || !opt.spans) {
		fprintf(stderr, "usage: loadgen --port N [--connections N] "
			"[--window N] [--spans N]\n\t[--seconds S] "
			"[--warmup S] [--rate R] [--gzip] [--retry] "
			"[--first]\n");
		exit(2);
	}
}

static void run(const struct spans_request *request)
{
	uint64_t end;

	for (size_t i = 0; i < opt.connections; i++)
		if (!open_conn(&conns[i], request, 0))
			exit(1);
	start = load_now();
	end = start + (uint64_t)(opt.seconds * SECOND);
	if (opt.rate > 0)
		open_loop(end);
	else
		closed_loop(end);
	for (end = load_now() + PATIENCE; under_way() && load_now() < end;)
		turn(SECOND / 10);
	stats.failed += under_way();
}

int main(int argc, char **argv)
{
	struct spans_request request;

	parse(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	request = spans_build(opt.spans, 7);
	for (size_t i = 0; opt.gzip && i < VARIANTS; i++) {
		variants[i] = spans_copy(&request);
		spans_refresh(&variants[i], &random_state);
		spans_gzip(&variants[i]);
	}
	conns = calloc(opt.connections, sizeof(*conns));
	if (!conns)
		abort();
	epfd = epoll_create1(0);
	if (!opt.first) {
		run(&request);
	} else if (first_answer(&request,
				load_now() + (uint64_t)(opt.seconds * SECOND))) {
		/* on the clock of the whole machine */
		printf("answered_at_ns=%lu\n", stats.last_answer);
	}
	report(stats.last_answer > stats.since ? stats.last_answer : load_now(),
	       opt.gzip ? variants[0].len : request.len);
	return stats.ok ? 0 : 1;
}
