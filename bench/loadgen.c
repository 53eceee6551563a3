/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loadgen: sends OTLP/gRPC trace requests and measures the answers.
 *
 *	loadgen --port N [--connections 4] [--window 4] [--spans 512]
 *		[--seconds 3] [--warmup 0] [--rate R] [--gzip] [--retry]
 *		[--hits 20] [--messages] [--traces N] [--progress]
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
 * OK, and says when that was.
 * --hits: of thousand spans, so many with secrets.  --messages: each span with
 * a prompt.  --traces: spans of traces of N spans, interleaved as traces.h
 * says; else every span is a trace.  --progress: ten times a second a line
 * `progress`, the time in ns and how many spans were answered OK till then.
 * Prints key=value lines.
 */
#include "loadgen.h"
#include "traces.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIANTS 32		/* pre-compressed requests that take turns */

struct options opt = { .connections = 4, .window = 4,
		       .shape = { .n = 512, .hits = 20 } };
struct stats stats;

static struct spans_request variants[VARIANTS];
static uint64_t random_state = 42;
static uint64_t start;		/* ns, as load_now() */
static uint64_t answered;	/* requests, also while it warmed up */

void fill_call(struct call *call)
{
	static uint64_t number;

	if (opt.gzip)
		call->request = variants[number % VARIANTS];
	else if (opt.traces)
		traces_refresh(&call->request, opt.traces, number);
	else
		spans_refresh(&call->request, &random_state);
	number++;
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

static void tell(uint64_t t)
{
	static uint64_t next;

	if (!opt.progress || t < next)
		return;
	printf("progress %lu %lu\n", t,
	       (answered + stats.ok) * opt.shape.n);
	next = t + SECOND / 10;
}

/* Forgets what was counted so far, once, when the warm-up is over. */
static void warm_up(uint64_t t)
{
	struct load_tally tally = stats.tally;

	tell(t);
	if (stats.since || t < start + (uint64_t)(opt.warmup * SECOND))
		return;
	answered += stats.ok;
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
		fail_conn(c);
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
	       stats.ok * opt.shape.n, bytes,
	       (double)bytes / (double)opt.shape.n);
	printf("seconds=%.3f\nspans_per_s=%.0f\nrequests_per_s=%.0f\n",
	       seconds, (double)(stats.ok * opt.shape.n) / seconds,
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
		else if (!strcmp(a, "--messages"))
			opt.shape.messages = true;
		else if (!strcmp(a, "--progress"))
			opt.progress = true;
		else if (++i, !strcmp(a, "--port"))
			opt.port = v;
		else if (!strcmp(a, "--connections"))
			opt.connections = strtoul(v, NULL, 10);
		else if (!strcmp(a, "--window"))
			opt.window = strtoul(v, NULL, 10);
		else if (!strcmp(a, "--spans"))
			opt.shape.n = strtoul(v, NULL, 10);
		else if (!strcmp(a, "--hits"))
			opt.shape.hits = (unsigned)strtoul(v, NULL, 10);
		else if (!strcmp(a, "--traces"))
			opt.traces = strtoul(v, NULL, 10);
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
	if (!opt.port || !opt.connections || !opt.window || !opt.shape.n) {
		fprintf(stderr, "usage: loadgen --port N [--connections N] "
			"[--window N] [--spans N]\n\t[--seconds S] "
			"[--warmup S] [--rate R] [--gzip] [--retry] "
			"[--first]\n\t[--hits N] [--messages] [--traces N] "
			"[--progress]\n");
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
	request = spans_build(&opt.shape);
	for (size_t i = 0; opt.gzip && i < VARIANTS; i++) {
		variants[i] = spans_copy(&request);
		spans_refresh(&variants[i], &random_state);
		spans_gzip(&variants[i]);
	}
	conns_init();
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
