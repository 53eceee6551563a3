/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tail_flood.c: the tail sampler, on two workers that take turns, under
 * what a hostile peer sends: rows 107 to 110 and 114 of the catalogue of
 * attacks that need the clock, the memory or the labels of the whole process.
 *
 * Row 107 asks for ten million trace ids.  One million are tried; with
 * WEIR_TEN_MILLION=1 in the environment all ten.
 */
#include <malloc.h>

#include "../../support/tail_crew.h"
#include "../../support/traces.h"
#include "data/wire.h"

#define WORKERS 2
#define SPAN 30			/* with its tag: two ids */
#define BATCH 1000		/* spans */
#define SECOND 1000000000ull
#define TS(name) "otelcol_processor_tail_sampling_" name
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1		/* memory is not what it was */
#else
#define SANITIZED 0
#endif

static size_t came, refused;

/* --- What stands around the sampler --------------------------------------- */

static void answered(struct weir_component *c, struct weir_batch *batch,
		     const struct weir_outcome *outcome, void *cookie)
{
	(void)c;
	(void)cookie;
	refused += outcome->status != WEIR_OK;
	weir_batch_ack(batch);
}

static const struct weir_plugin sender_plugin = {
	.kind = WEIR_RECEIVER, .type = "sender", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .answered = answered,
};

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	(void)c;
	came += weir_batch_items(batch);
	weir_batch_ack(batch);
}

static const struct weir_plugin sink_plugin = {
	.kind = WEIR_EXPORTER, .type = "sink", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .consume = consume,
};

static void open_crew(const char *yaml)
{
	clock_manual(SECOND, 1700000000 * SECOND, 7);
	crew_open_manual(tail_crew_plan(yaml, &sender_plugin, &sink_plugin),
			 WORKERS);
}

static void all_take_turns(void)
{
	for (int times = 0; times < 2; times++)
		for (uint32_t i = 0; i < WORKERS; i++)
			crew_turn(i);
}

static void seconds(int n)
{
	while (n--) {
		clock_advance(SECOND);
		all_take_turns();
	}
}

static void stop_crew(void)
{
	for (uint32_t i = 0; i < WORKERS; i++)
		crew_as(i, crew_stop);
	all_take_turns();
}

static void close_crew(void)
{
	crew_close_manual();
	tail_crew_free();
	ck_assert_uint_eq(refused, 0);
}

static struct bytes request;
static size_t n_spans;

static void send_request(struct worker *worker)
{
	tail_crew_send(worker, request.ptr, request.len, n_spans, NULL);
}

/* By the workers in turn. */
static void send_it(void)
{
	static uint32_t i;

	crew_as(i++ % WORKERS, send_request);
	all_take_turns();
}

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

static double metric(const char *name)
{
	struct tail_crew_metric metric = { .name = name };

	worker_be(&workers[0]);
	weir_metrics_snapshot(tail_crew_find(&workers[0], WEIR_RECEIVER),
			      tail_crew_add_up, &metric);
	workers_settle();
	return metric.value;
}

static size_t heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* --- Row 107: ten million traces ------------------------------------------ */

static const struct {
	const char *yaml;
	size_t most_heap;	/* MiB */
	bool all;		/* come out; else the last 50,000 */
} floods[] = {
	/* the bound in bytes, with room for any number of traces */
	{ "{decision_wait: 30s, num_traces: 100000000, memory_limit_mib: 16, "
	  "decision_cache: {sampled_cache_size: 50000}, "
	  "policies: [{name: a, type: always_sample}]}", 96, true },
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

/* --- Row 110: what data may not become ------------------------------------ */

static struct {
	size_t series;
	bool leaked;
} labels;

static void look_at_labels(struct weir_component *c, void *arg,
			   const struct weir_family *families, size_t n)
{
	(void)c;
	(void)arg;
	for (size_t i = 0; i < n; i++) {
		labels.series += families[i].n_samples;
		for (size_t k = 0; k < families[i].n_samples; k++) {
			const struct weir_sample *s = &families[i].samples[k];

			for (size_t l = 0; l < s->n_labels; l++)
				labels.leaked |= memmem(s->labels[l].value.ptr,
					s->labels[l].value.len, "tenant", 6) ||
					memmem(s->labels[l].name.ptr,
					s->labels[l].name.len, "tenant", 6);
		}
	}
}

static size_t count_series(void)
{
	labels.series = 0;
	worker_be(&workers[0]);
	weir_metrics_snapshot(tail_crew_find(&workers[0], WEIR_RECEIVER),
			      look_at_labels, NULL);
	workers_settle();
	return labels.series;
}

/* Their number is in the trace's id, and in all that can be named. */
static void make_tenants(uint64_t first, size_t n)
{
	struct traces r = { 0 };

	for (uint64_t i = first; i < first + n; i++) {
		char name[32], state[48];
		struct attr attrs[MAX_ATTRS] = { TEXT("tenant", name),
						 TEXT(name, "x") };

		snprintf(name, sizeof(name), "tenant-%lu", (unsigned long)i);
		snprintf(state, sizeof(state), "k=%s", name);
		traces_resource(&r, attrs, name);
		traces_scope(&r, name, name);
		traces_span(&r, &(struct a_span){ .trace = i, .number = i,
			.state = state, .status = (uint32_t)i % 3,
			.attrs = { attrs[0], attrs[1] } });
	}
	traces_end(&r);
	request.len = 0;
	bytes_add(&request, r.out.ptr, r.out.len);
	n_spans = r.n;
	traces_free(&r);
}

START_TEST(row_110_nothing_that_is_sent_becomes_a_label)
{
	size_t before;

	tail_crew_open_regex();
	open_crew("{decision_wait: 1s, policies: ["
		  "{name: s, type: string_attribute, string_attribute: {key: "
		  "tenant, values: [tenant-1, tenant-2], invert_match: true}}, "
		  "{name: r, type: string_attribute, string_attribute: {key: "
		  "tenant, enabled_regex_matching: true, values: "
		  "['tenant-.*7']}}, {name: t, type: trace_state, trace_state: "
		  "{key: k, values: [tenant-3]}}, {name: d, type: drop, drop: "
		  "{drop_sub_policy: [{type: status_code, status_code: "
		  "{status_codes: [ERROR]}}]}}]}");
	make_tenants(1, 30);
	send_it();
	seconds(2);
	before = count_series();
	for (uint64_t round = 0; round < 50; round++) {
		make_tenants(100 + round * 100, 100);
		send_it();
		seconds(2);
	}
	ck_assert_uint_gt(came, 1000);
	ck_assert_uint_eq(count_series(), before);
	ck_assert(!labels.leaked);
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
	tcase_add_test(tests, row_110_nothing_that_is_sent_becomes_a_label);
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
