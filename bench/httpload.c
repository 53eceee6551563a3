/* SPDX-License-Identifier: Apache-2.0 */
/*
 * httpload: sends OTLP/HTTP trace requests over HTTP/1.1 and counts answers.
 *
 *	httpload --port N [--connections 32] [--spans 512] [--seconds 3]
 *		[--gzip] [--json FILE]
 *
 * As SDKs do, a connection is kept and has one request under way; all
 * connections always have one.  Bodies are protobuf; with --json the lines of
 * FILE, each a request of so many spans, which take turns.  Prints key=value
 * lines.
 */
#include "load.h"
#include "spans.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#define VARIANTS 32		/* bodies that take turns */
#define ANSWER_MAX 4096
#define PATIENCE (10ull * SECOND)	/* for what is under way at the end */

static struct {
	const char *port, *json;
	size_t connections, spans;
	double seconds;
	bool gzip;
} opt = { .connections = 32, .spans = 512, .seconds = 3 };

struct body {
	const uint8_t *bytes;
	size_t len;
	char head[256];
	size_t head_len;
};

struct conn {
	int fd;			/* -1: closed */
	const struct body *body;
	size_t sent;		/* of head and body */
	uint64_t began;
	bool busy;
	uint32_t events;
	size_t got;
	char answer[ANSWER_MAX + 1];
};

static struct body bodies[VARIANTS];
static size_t n_bodies;
static struct load_tally tally;
static uint64_t sent, ok, failed;
static int epfd;

/* --- Bodies ------------------------------------------------------------- */

static void add_body(const uint8_t *bytes, size_t len)
{
	struct body *body = &bodies[n_bodies++];

	body->bytes = bytes;
	body->len = len;
	body->head_len = (size_t)snprintf(
		body->head, sizeof(body->head),
		"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n"
		"User-Agent: weir-bench\r\nContent-Type: application/%s\r\n"
		"%sContent-Length: %zu\r\n\r\n",
		opt.json ? "json" : "x-protobuf",
		opt.gzip ? "Content-Encoding: gzip\r\n" : "", len);
}

/* The request's bytes follow 5 that are gRPC's. */
static void add_request(struct spans_request *request)
{
	if (opt.gzip)
		spans_gzip(request);
	add_body(request->bytes + 5, request->len - 5);
}

static void build(void)
{
	struct spans_shape shape = { .n = opt.spans, .hits = 20 };
	struct spans_request request = spans_build(&shape);
	uint64_t random = 42;

	while (n_bodies < VARIANTS) {
		struct spans_request copy = spans_copy(&request);

		spans_refresh(&copy, &random);
		add_request(&copy);
	}
}

static void read_lines(void)
{
	FILE *in = fopen(opt.json, "r");

	while (in && n_bodies < VARIANTS) {
		struct spans_request request = { 0 };
		char *line = NULL;
		size_t room = 0;
		ssize_t len = getline(&line, &room, in);

		if (len <= 0)
			break;
		request.len = (size_t)len + 5;
		request.bytes = malloc(request.len);
		if (!request.bytes)
			abort();
		memcpy(request.bytes + 5, line, (size_t)len);
		add_request(&request);
		free(line);
	}
	if (in)
		fclose(in);
}

/* --- Connections -------------------------------------------------------- */

static void fail(struct conn *c)
{
	failed += c->busy;
	c->busy = false;
	close(c->fd);
	c->fd = -1;
}

static void watch(struct conn *c, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = c };

	if (events != c->events)
		epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &ev);
	c->events = events;
}

static void push(struct conn *c)
{
	const struct body *body = c->body;
	size_t in_head = c->sent < body->head_len ? c->sent : body->head_len,
	       in_body = c->sent - in_head;
	struct iovec iov[2] = {
		{ (void *)(uintptr_t)(body->head + in_head),
		  body->head_len - in_head },
		{ (void *)(uintptr_t)(body->bytes + in_body),
		  body->len - in_body } };
	ssize_t n;

	if (c->sent == body->head_len + body->len)
		return;
	n = writev(c->fd, iov, 2);
	if (n < 0 && errno != EAGAIN) {
		fail(c);
		return;
	}
	c->sent += n > 0 ? (size_t)n : 0;
	watch(c, EPOLLIN | (c->sent < body->head_len + body->len ?
			    EPOLLOUT : 0));
}

static void begin(struct conn *c)
{
	c->body = &bodies[sent++ % n_bodies];
	c->sent = c->got = 0;
	c->began = load_now();
	c->busy = true;
	push(c);
}

/* A whole answer is there: head, and Content-Length bytes. */
static bool is_whole(const struct conn *c)
{
	const char *end = strstr(c->answer, "\r\n\r\n"),
		   *len = strcasestr(c->answer, "\r\ncontent-length:");

	return end && len && len < end &&
	       c->got >= (size_t)(end + 4 - c->answer) +
			 strtoul(len + 17, NULL, 10);
}

static void pull(struct conn *c)
{
	ssize_t n = read(c->fd, c->answer + c->got, ANSWER_MAX - c->got);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || !c->busy) {
		fail(c);
		return;
	}
	c->got += (size_t)n;
	c->answer[c->got] = 0;
	if (!is_whole(c))
		return;
	load_took(&tally, load_now() - c->began);
	if (strncmp(c->answer, "HTTP/1.1 200 ", 13))
		failed++;
	else
		ok++;
	c->busy = false;
}

static void open_conn(struct conn *c)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

	c->fd = load_dial(opt.port);
	if (c->fd < 0) {
		fprintf(stderr, "httpload: nobody listens on %s\n", opt.port);
		exit(1);
	}
	c->events = EPOLLIN;
	epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &ev);
}

static void turn(void)
{
	struct epoll_event events[64];
	int n = epoll_wait(epfd, events, 64, 10);

	for (int i = 0; i < n; i++) {
		struct conn *c = events[i].data.ptr;

		if (events[i].events & EPOLLOUT)
			push(c);
		if (c->fd >= 0 && events[i].events & ~(uint32_t)EPOLLOUT)
			pull(c);
	}
}

static size_t under_way(const struct conn *conns)
{
	size_t n = 0;

	for (size_t i = 0; i < opt.connections; i++)
		n += conns[i].busy;
	return n;
}

static void run(struct conn *conns, uint64_t end)
{
	while (load_now() < end) {
		for (size_t i = 0; i < opt.connections; i++)
			if (conns[i].fd >= 0 && !conns[i].busy)
				begin(&conns[i]);
		turn();
	}
	for (end = load_now() + PATIENCE; under_way(conns) &&
	     load_now() < end;)
		turn();
	failed += under_way(conns);
}

/* --- The program -------------------------------------------------------- */

static void parse(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i], *v = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(a, "--gzip"))
			opt.gzip = true;
		else if (++i, !strcmp(a, "--port"))
			opt.port = v;
		else if (!strcmp(a, "--json"))
			opt.json = v;
		else if (!strcmp(a, "--connections"))
			opt.connections = strtoul(v, NULL, 10);
		else if (!strcmp(a, "--spans"))
			opt.spans = strtoul(v, NULL, 10);
		else if (!strcmp(a, "--seconds"))
			opt.seconds = strtod(v, NULL);
		else
			opt.port = NULL, i = argc;
	}
	if (!opt.port || !opt.connections || !opt.spans || !opt.seconds) {
		fprintf(stderr, "usage: httpload --port N [--connections N] "
			"[--spans N] [--seconds S]\n\t[--gzip] "
			"[--json FILE]\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct conn *conns;
	uint64_t start;
	double seconds;

	parse(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	opt.json ? read_lines() : build();
	conns = calloc(opt.connections, sizeof(*conns));
	epfd = epoll_create1(0);
	if (!conns || !n_bodies)
		return 1;
	for (size_t i = 0; i < opt.connections; i++)
		open_conn(&conns[i]);
	start = load_now();
	run(conns, start + (uint64_t)(opt.seconds * SECOND));
	seconds = (double)(load_now() - start) / SECOND;
	printf("sent=%lu\nok=%lu\nfailed=%lu\nspans_ok=%lu\n"
	       "request_bytes=%zu\nseconds=%.3f\nspans_per_s=%.0f\n",
	       sent, ok, failed, ok * opt.spans, bodies[0].len, seconds,
	       (double)(ok * opt.spans) / seconds);
	load_print(&tally);
	return ok ? 0 : 1;
}
