/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink: a gRPC backend that says OK, and counts.
 *
 *	sink --port N [--control N] [--delay MS] [--rate R] [--fail N]
 *		[--status CODE] [--find TEXT]
 *
 * Spans are counted by walking three levels of lengths; requests that came
 * compressed count as requests and bytes only.  --delay: each answer waits so
 * long.  --rate: a backend that can take R spans a second, works on one
 * request after the other and never refuses.  --fail: the first N requests end
 * with CODE (14).  --find: counts TEXT in every sixteenth request, `found` in
 * `searched`.  Whoever connects to the control port gets the counts; so
 * does stdout on SIGTERM.
 */
#include "load.h"
#include "sink.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct options opt = { .status = "14" };
struct stats stats;
int epfd;
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

/* How often opt.find is in it. */
static void search(const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len, *hit;
	size_t n = strlen(opt.find);

	while ((hit = memmem(p, (size_t)(end - p), opt.find, n))) {
		stats.found++;
		p = hit + n;
	}
	stats.searched++;
}

void count(struct call *call)
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
	if (opt.find && stats.requests % 16 == 1)
		search(call->body, call->len);
}

static int print_counts(char *out, size_t size)
{
	return snprintf(out, size, "requests=%lu\nfailed=%lu\ncompressed=%lu\n"
			"spans=%lu\nbytes=%lu\nconnections=%lu\n"
			"spans_ok=%lu\nsearched=%lu\nfound=%lu\nat_ns=%lu\n",
			stats.requests, stats.failed, stats.compressed,
			stats.spans, stats.bytes, stats.connections,
			stats.spans_ok, stats.searched, stats.found,
			load_now());
}

/* --- The process -------------------------------------------------------- */

static int listen_on(const char *port, void *mark)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = mark };
	int fd = load_listen(port);

	epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev);
	return fd;
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
		else if (!strcmp(a, "--find"))
			opt.find = v;
		else
			argc = 0;
	}
	if (argc % 2 == 0 || !opt.port) {
		fprintf(stderr, "usage: sink --port N [--control N] "
			"[--delay MS] [--rate R] [--fail N]\n\t"
			"[--status CODE] [--find TEXT]\n");
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
		int n = epoll_wait(epfd, events, 64, answers_wait() ? 1 : -1);

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
