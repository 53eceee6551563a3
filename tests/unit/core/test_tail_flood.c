/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tail_flood.c: the tail sampler, on two workers that take turns, under
 * what a hostile peer sends and a bad clock says: rows 107, 109 and 114 of the
 * catalogue of attacks, as far as they need the memory and the clock of the
 * whole process.
 *
 * Row 107 asks for ten million trace ids.  One million are tried; with
 * WEIR_TEN_MILLION=1 in the environment all ten.
 */
#include <malloc.h>
#include <sys/wait.h>

#include "../../support/tail_turns.h"
#include "data/wire.h"

#define SPAN 30			/* with its tag: two ids */
#define BATCH 1000		/* spans */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1		/* memory is not what it was */
#else
#define SANITIZED 0
#endif

/* --- Small spans of many traces ------------------------------------------- */

/* No two are the same, nor look it. */
static uint64_t mix(uint64_t z)
{
	z *= 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void put_span(uint8_t *out, uint64_t trace, uint64_t number)
{
	uint64_t id[2] = { mix(trace), mix(~trace) };

	memcpy(out, "\x12\x1c\x0a\x10", 4);	/* spans = 2, trace_id = 1 */
	memcpy(out + 4, id, 16);
	memcpy(out + 20, "\x12\x08", 2);	/* span_id = 2 */
	memcpy(out + 22, &number, 8);
}

/* A request of n spans of the traces first, first + 1, ... */
static void make_many(uint64_t first, size_t n)
{
	uint8_t head[16], *out = head, span[SPAN];
	size_t len = n * SPAN, inner = 1;

	for (size_t left = len; left > 127; left >>= 7)
		inner++;
	request.len = 0;
	n_spans = n;
	*out++ = 0x0a;		/* request: resource_spans = 1 */
	out = wire_put_varint(out, 1 + inner + len);
	*out++ = 0x12;		/* ResourceSpans.scope_spans = 2 */
	out = wire_put_varint(out, len);
	bytes_add(&request, head, (size_t)(out - head));
	for (size_t i = 0; i < n; i++) {
		put_span(span, first + i, first + i);
		bytes_add(&request, span, SPAN);
	}
}

static size_t heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* --- Row 107: ten million traces ------------------------------------------ */

static const struct {
	const char *yaml;
	size_t most_heap;	/* MiB: of 16, the caches, what is on its way */
	bool all;		/* come out; else the last 50,000 */
} floods[] = {
	/* the bound in bytes, with room for any number of traces */
	{ "{decision_wait: 30s, num_traces: 100000000, memory_limit_mib: 16, "
	  "decision_cache: {sampled_cache_size: 50000}, "
	  "policies: [{name: a, type: always_sample}]}", 21, true },
	/* the Collector's bound */
	{ "{decision_wait: 30s, memory_limit_mib: 16, policies: [{name: a, "
	  "type: always_sample}]}", 40, false },
};

START_TEST(row_107_any_number_of_traces_takes_bounded_memory)
{
	size_t n = getenv("WEIR_TEN_MILLION") ? 10000000 : 1000000;
	size_t before, most = 0;

	n = SANITIZED ? n / 10 : n;
	open_crew(floods[_i].yaml);
	before = heap();
	for (size_t first = 0; first < n; first += BATCH) {
		make_many(first, BATCH);
		send_it();
		ck_assert_uint_le(weir_budget_used(), 17u << 20);
		if (first % (50 * BATCH) == 0 && heap() > most)
			most = heap();
	}
	printf("row 107: %zu traces, heap grew by %zu MiB\n", n,
	       (most - before) >> 20);
	ck_assert(SANITIZED || most < before + (floods[_i].most_heap << 20));
	ck_assert(metric(TS("new_trace_id_received")) == (double)n);
	ck_assert(metric(TS("sampling_trace_dropped_too_early")) ==
		  (floods[_i].all ? 0 : (double)(n - 50000)));
	stop_crew();
	ck_assert_uint_eq(came, floods[_i].all ? n : 50000);
	ck_assert(metric(TS("global_count_traces_sampled")) == (double)came);
	close_crew();
	ck_assert_uint_eq(weir_budget_used(), 0);	/* entries too */
}
END_TEST

/* --- Row 107: ids that collide -------------------------------------------- */

#define CRAFTED 512
#define HOMES 4096

static size_t home_of(uint64_t id)
{
	uint64_t whole[2] = { id, 0 };

	return weir_hash(whole, sizeof(whole)) >> 8 & (HOMES - 1);
}

/* Another process, who knows its key, writes ids that meet in one place. */
static void craft(int to)
{
	size_t n = 0;

	for (uint64_t id = 1; n < CRAFTED; id++)
		if (home_of(id) == 5) {
			n++;
			if (write(to, &id, sizeof(id)) != sizeof(id))
				abort();
		}
	_exit(0);
}

/* Slots that are looked at until all are in a table half full, with linear
 * probing: the sampler's. */
static size_t probes(const uint64_t *ids, size_t n)
{
	static bool taken[HOMES];
	size_t total = 0;

	memset(taken, 0, sizeof(taken));
	for (size_t i = 0; i < n; i++) {
		size_t at = home_of(ids[i]);

		for (total++; taken[at]; total++)
			at = (at + 1) % HOMES;
		taken[at] = true;
	}
	return total;
}

START_TEST(row_107_ids_that_collide_in_one_process_do_not_in_another)
{
	uint64_t ids[CRAFTED];
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	if (!fork())
		craft(ends[1]);
	for (size_t i = 0; i < CRAFTED; i++)
		ck_assert_int_eq(read(ends[0], &ids[i], 8), 8);
	ck_assert_int_gt(wait(NULL), 0);
	ck_assert_uint_lt(probes(ids, CRAFTED), 2 * CRAFTED);
	/* and none that only differ in a few bits, wherever these are */
	for (unsigned shift = 0; shift <= 48; shift += 8) {
		uint64_t row[HOMES / 2];

		for (uint64_t i = 0; i < HOMES / 2; i++)
			row[i] = i << shift;
		ck_assert_uint_lt(probes(row, HOMES / 2), HOMES);
	}
}
END_TEST

/* --- Row 109: a flood of decisions to remember ---------------------------- */

#define FAITHFUL 10		/* traces that go on all the time */

START_TEST(row_109_decisions_in_use_outlive_a_flood_of_others)
{
	size_t n = SANITIZED ? 40 : 200, rounds, settled = 0;

	open_crew("{decision_wait: 1s, decision_cache: {sampled_cache_size: "
		  "2000, non_sampled_cache_size: 2000}, policies: [{name: a, "
		  "type: always_sample}]}");
	make_many(0, FAITHFUL);
	send_it();
	seconds(2);
	for (rounds = 0; rounds < n; rounds++) {
		make_many(1000 + rounds * BATCH, BATCH);
		send_it();
		seconds(2);
		make_many(0, FAITHFUL);
		came = 0;
		send_it();
		ck_assert_uint_eq(came, FAITHFUL);	/* at once */
		if (rounds == n / 2)
			settled = heap();
	}
	ck_assert(metric(TS("early_releases_from_cache_decision")) ==
		  (double)(n * FAITHFUL));
	ck_assert(metric(TS("new_trace_id_received")) ==
		  (double)(FAITHFUL + n * BATCH));
	ck_assert(SANITIZED || heap() < settled + (1u << 20));
	close_crew();
}
END_TEST

/* --- Row 114: the wall clock steps ---------------------------------------- */

#define TEN_YEARS (10 * 365 * 86400 * (int64_t)SECOND)

static void step_wall(int64_t by)
{
	clock_manual(weir_now(), weir_wall_now() + (uint64_t)by, 7);
}

static const struct {
	const char *policy;
	size_t each[3];		/* of ten spans: before, after each step */
} steps[] = {
	{ "{name: a, type: always_sample}", { 10, 10, 10 } },
	/* one token is filled in while a trace waits, whatever the date says */
	{ "{name: r, type: rate_limiting, rate_limiting: {spans_per_second: 1, "
	  "burst_capacity: 4}}", { 4, 3, 3 } },
	/* its seconds are the wall's: each is one, also a former one */
	{ "{name: c, type: composite, composite: {max_total_spans_per_second: "
	  "6, composite_sub_policy: [{name: a, type: always_sample}], "
	  "rate_allocation: [{policy: a, percent: 100}]}}", { 6, 6, 6 } },
};

START_TEST(row_114_a_step_of_the_clock_changes_no_wait_and_no_rate)
{
	static const int64_t by[3] = { 0, TEN_YEARS, -2 * TEN_YEARS };
	char yaml[512];

	snprintf(yaml, sizeof(yaml), "{decision_wait: 2s, policies: [%s]}",
		 steps[_i].policy);
	open_crew(yaml);
	for (uint64_t i = 0; i < 3; i++) {
		make_many(i * 100, 10);
		came = 0;
		send_it();
		step_wall(by[i]);
		seconds(2);
		ck_assert_uint_eq(came, 0);	/* neither sooner */
		seconds(1);
		ck_assert_uint_eq(came, steps[_i].each[i]);	/* nor later */
	}
	close_crew();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/tail_sampling: floods");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 240);
	tcase_add_loop_test(tests,
		row_107_any_number_of_traces_takes_bounded_memory, 0,
		sizeof(floods) / sizeof(*floods));
	tcase_add_test(tests,
		row_107_ids_that_collide_in_one_process_do_not_in_another);
	tcase_add_test(tests,
		       row_109_decisions_in_use_outlive_a_flood_of_others);
	tcase_add_loop_test(tests,
		row_114_a_step_of_the_clock_changes_no_wait_and_no_rate, 0,
		sizeof(steps) / sizeof(*steps));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
