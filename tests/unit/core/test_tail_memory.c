/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tail_memory.c: the tail sampler, on two workers that take turns: memory
 * whose size a sender chooses is charged or bounded and is given back, and the
 * store leaves some of the budget to others.
 */
#include <malloc.h>

#include "../../support/tail_turns.h"
#include "runtime/blocks.h"

#define MIB (1u << 20)
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1		/* memory is not what it was */
#else
#define SANITIZED 0
#endif

static size_t heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* The request of what was written. */
static void take(struct traces *r)
{
	traces_end(r);
	bytes_free(&request);
	request = r->out;
	n_spans = r->n;
	r->out = (struct bytes){ 0 };
	traces_free(r);
}

/* --- Parts of any form ---------------------------------------------------- */

#define MANY 200000

/* A scope of its own for each span, of few traces. */
static void many_scopes(uint64_t first, size_t n)
{
	struct traces r = { 0 };
	char name[24];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%zu", i);
		traces_scope(&r, name, NULL);
		traces_span(&r, &(struct a_span){ .trace = first + i % 8,
						  .number = i });
	}
	take(&r);
}

/* A resource of its own for each. */
static void many_resources(uint64_t first, size_t n)
{
	struct traces r = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct attr attrs[MAX_ATTRS] = { INT("i", (int64_t)i) };

		traces_resource(&r, attrs, NULL);
		traces_span(&r, &(struct a_span){ .trace = first + i % 8,
						  .number = i });
	}
	take(&r);
}

/* One trace. */
static void many_spans(uint64_t first, size_t n)
{
	struct traces r = { 0 };

	for (size_t i = 0; i < n; i++)
		traces_span(&r, &(struct a_span){ .trace = first,
						  .number = i });
	take(&r);
}

/* A new trace for each. */
static void many_traces(uint64_t first, size_t n)
{
	struct traces r = { 0 };

	for (size_t i = 0; i < n; i++)
		traces_span(&r, &(struct a_span){ .trace = first + i,
						  .number = i });
	take(&r);
}

static const struct {
	void (*make)(uint64_t first, size_t n);
	size_t least, most;		/* that come */
} forms[] = {
	{ many_scopes, MANY, MANY },
	{ many_resources, MANY, MANY },
	{ many_spans, MANY, MANY },
	/* num_traces; each worker may know one more */
	{ many_traces, 1000, 1000 + WORKERS },
};

static void send_and_forget(void)
{
	send_it();
	seconds(2);
}

/* Beside what is charged, and what core keeps for the next payloads. */
static size_t heap_of_ours(void)
{
	size_t charged = weir_budget_used(), all;

	for (uint32_t i = 0; i < WORKERS; i++)
		crew_as(i, blocks_release);
	all = heap() - request.cap;
	return all > charged ? all - charged : 0;
}

START_TEST(nothing_that_is_sized_by_a_part_is_kept_or_not_charged)
{
	size_t before;

	open_crew("{decision_wait: 1s, num_traces: 1000, policies: [{name: a, "
		  "type: always_sample}]}");
	forms[_i].make(1, 2000);
	send_and_forget();
	before = heap_of_ours();
	came = 0;
	forms[_i].make(10000, MANY);
	send_it();
	ck_assert(SANITIZED || heap_of_ours() < before + 2 * MIB);
	seconds(2);
	ck_assert_uint_ge(came, forms[_i].least);
	ck_assert_uint_le(came, forms[_i].most);
	ck_assert(SANITIZED || heap_of_ours() < before + 2 * MIB);
	/* but the entries, of a thousand traces at most */
	ck_assert_uint_lt(weir_budget_used(), 1000 * 64 + MIB / 16);
	close_crew();
	ck_assert_uint_eq(weir_budget_used(), 0);
}
END_TEST

/* --- The budget ----------------------------------------------------------- */

static const struct {
	const char *limit;
	size_t most;			/* MiB, of a budget of 32 */
} limits[] = {
	{ "0", 16 }, { "8", 8 }, { "24", 24 }, { "25", 24 }, { "1000", 24 },
	{ "8796093022207", 24 },
};

START_TEST(what_waits_leaves_some_of_the_budget_to_what_leaves)
{
	size_t all = 0, most = 0;
	char yaml[256];

	snprintf(yaml, sizeof(yaml), "{decision_wait: 30s, memory_limit_mib: "
		 "%s, policies: [{name: a, type: always_sample}]}",
		 limits[_i].limit);
	open_crew(yaml);
	weir_budget_limit(0, 32 * MIB);		/* as memory_limiter, later */
	for (uint64_t i = 1; i <= 500; i++) {
		struct traces r = { 0 };

		traces_span(&r, &(struct a_span){ .trace = i, .number = i,
						  .pad = 100000 });
		take(&r);
		send_it();
		all++;
		if (weir_budget_used() > most)
			most = weir_budget_used();
	}
	ck_assert_uint_le(most, limits[_i].most * MIB);
	ck_assert_uint_gt(most, (limits[_i].most - 1) * MIB);
	seconds(32);
	ck_assert_uint_eq(came, all);
	close_crew();
}
END_TEST

#define N(a) (int)(sizeof(a) / sizeof(*(a)))

int main(void)
{
	Suite *suite = suite_create("processors/tail_sampling: memory of all");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 240);
	tcase_add_loop_test(tests,
		nothing_that_is_sized_by_a_part_is_kept_or_not_charged, 0,
		N(forms));
	tcase_add_loop_test(tests,
		what_waits_leaves_some_of_the_budget_to_what_leaves, 0,
		N(limits));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
