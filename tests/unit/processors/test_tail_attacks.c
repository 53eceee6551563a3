/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processors/tail_sampling: rows of the catalogue of attacks.
 */
#include "ts_case.h"

/* --- Row 108: a trace with a million spans -------------------------------- */

static const struct {
	const char *keys;
	size_t came;
	double decided, large;
} giants[] = {
	/* decided at its cap, the rest streams */
	{ "maximum_trace_size_bytes: 1000000, on_maximum_trace_size: decide, "
	  "memory_limit_mib: 4", 1000000, 1, 0 },
	{ "maximum_trace_size_bytes: 1000000, memory_limit_mib: 4", 0, 0, 1 },
	/* without a cap: decided when the memory is used up */
	{ "memory_limit_mib: 4", 1000000, 1, 0 },
};

START_TEST(row_108_a_giant_trace_takes_no_more_than_its_cap)
{
	uint64_t number = 1;
	char yaml[512];

	snprintf(yaml, sizeof(yaml), "{decision_wait: 30s, %s, %s}",
		 giants[_i].keys, ALL);
	begin(yaml);
	for (int k = 0; k < 100; k++) {
		struct traces r = { 0 };

		for (int i = 0; i < 10000; i++)
			traces_span(&r, &(struct a_span){ .trace = 1,
							  .number = number++ });
		send_traces(&r);
		ck_assert_uint_lt(kept(), 5u << 20);
	}
	ck_assert_uint_eq(all_that_came(), giants[_i].came);
	ck_assert(metric(ON_MEMORY) == 1);
	ck_assert(metric(DECIDED) == giants[_i].decided);
	ck_assert(metric(TOO_LARGE) == giants[_i].large);
	end();
}
END_TEST

/* --- Row 107: more ids than there can be traces --------------------------- */

/* Ten million of them: tests/unit/core/test_tail_flood.c. */
START_TEST(row_107_a_flood_of_ids_is_bounded_in_bytes)
{
	uint64_t number = 1;

	begin("{decision_wait: 30s, num_traces: 10000000, memory_limit_mib: 2, "
	      ALL "}");
	for (int k = 0; k < 100; k++) {
		struct traces r = { 0 };

		for (int i = 0; i < 1000; i++) {
			traces_span(&r, &(struct a_span){
				.trace = number * 0x9e3779b97f4a7c15u,
				.number = number, .pad = 100 });
			number++;
		}
		send_traces(&r);
		ck_assert_uint_lt(kept(), 3u << 20);
	}
	ck_assert_uint_gt(all_that_came(), 80000);	/* the oldest */
	ck_assert_uint_eq(came(1), 1);
	ck_assert(metric(TOO_EARLY) == 0);
	weir_test_stop(t);
	ck_assert_uint_eq(all_that_came(), 100000);
	end();
}
END_TEST

START_TEST(row_107_a_flood_of_ids_is_bounded_in_traces)
{
	uint64_t number = 1;

	begin("{decision_wait: 30s, num_traces: 1000, " ALL "}");
	for (int k = 0; k < 100; k++) {
		struct traces r = { 0 };

		for (int i = 0; i < 1000; i++) {
			traces_span(&r, &(struct a_span){
				.trace = number * 0x9e3779b97f4a7c15u,
				.number = number });
			number++;
		}
		send_traces(&r);
		ck_assert(metric(ON_MEMORY) == 1000);
	}
	ck_assert(metric(TOO_EARLY) == 99000);
	ck_assert_uint_lt(kept(), 1u << 20);
	end();
}
END_TEST

/* --- Row 109: late spans of very many traces ------------------------------ */

START_TEST(row_109_a_flood_of_late_spans_keeps_to_the_caches)
{
	begin("{decision_wait: 1s, decision_cache: {sampled_cache_size: 1000, "
	      "non_sampled_cache_size: 1000}, " ALL "}");
	for (int k = 0; k < 20; k++) {
		struct traces r = { 0 };

		for (uint64_t i = 0; i < 2000; i++)
			traces_span(&r, &(struct a_span){
				.trace = (i + 1) * 0x9e3779b97f4a7c15u,
				.number = (uint64_t)k * 2000 + i });
		send_traces(&r);
		seconds(2);
		ck_assert(metric(ON_MEMORY) == 0);
	}
	ck_assert_uint_eq(all_that_came(), 40000);
	ck_assert_uint_eq(kept(), 0);
	end();
}
END_TEST

/* --- Rows 24, 25: ids and times that are none ----------------------------- */

/* Zeros and none are one trace. */
START_TEST(row_24_spans_without_an_id_are_one_trace)
{
	static const uint8_t zeros[16];

	begin("{decision_wait: 1s, " ALL "}");
	GIVE(.number = 1);
	GIVE(.id = zeros, .number = 2);
	GIVE(.number = 3);
	ck_assert(metric(FRESH) == 1);
	seconds(2);
	ck_assert_uint_eq(all_that_came(), 3);
	end();
}
END_TEST

START_TEST(row_25_times_of_any_size_are_no_trouble)
{
	static const uint64_t times[] = { 0, 1, INT64_MAX,
		(uint64_t)INT64_MAX + 1, UINT64_MAX };
	uint64_t n = 0;

	begin("{decision_wait: 1s, policies: [{name: l, type: latency, latency:"
	      " {threshold_ms: 1}}, {name: u, type: latency, latency: "
	      "{threshold_ms: 1, upper_threshold_ms: 9223372036854775807}}]}");
	for (int i = 0; i < 5; i++)
		for (int k = 0; k < 5; k++) {
			n++;
			GIVE(.trace = n, .number = n, .start = times[i],
			     .end = times[k]);
			GIVE(.trace = 100, .number = 100 + n,
			     .start = times[k], .end = times[i]);
		}
	seconds(2);
	ck_assert_uint_eq(came(3), 1);		/* 0 .. INT64_MAX */
	ck_assert_uint_eq(came(1), 0);		/* 0 .. 0 */
	end();
}
END_TEST

START_TEST(row_24_an_id_of_another_length_is_refused)
{
	static const uint8_t request[] = { 0x0a, 8, 0x12, 6, 0x12, 4, 0x0a, 2,
					   1, 2 };
	struct weir_outcome outcome;

	begin("{" ALL "}");
	ck_assert_int_lt(weir_test_send(t, WEIR_SIGNAL_TRACES, request,
					sizeof(request), &outcome), 0);
	ck_assert_int_eq(outcome.status, WEIR_INVALID_ARGUMENT);
	end();
}
END_TEST

/* --- Row 112: what hides in a trace state --------------------------------- */

#define MEMBERS_16 "a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1,j=1,l=1,m=1,n=1,o=1,"	\
	"p=1,q=1"
#define MEMBERS_15 "a1=1,b1=1,c1=1,d1=1,e1=1,f1=1,g1=1,h1=1,i1=1,j1=1,l1=1,"	\
	"m1=1,n1=1,o1=1,p1=1"

static const struct {
	weir_str state;
	bool holds;		/* k=v */
} states[] = {
	{ WEIR_STR("k=v"), true },
	{ WEIR_STR(MEMBERS_16 "," MEMBERS_15 ",k=v"), true },	/* 32 */
	{ WEIR_STR(MEMBERS_16 "," MEMBERS_15 ",k1=1,k=v"), false },
	{ WEIR_STR("a=k=v"), false },
	{ WEIR_STR("a=1;k=v"), false },
	{ WEIR_STR("k=v\0"), false },
	{ WEIR_STR("k\0=v"), false },
	{ WEIR_STR("k=v,\xc3\xa9=1"), false },
	{ WEIR_STR("k=v\r\nk=w"), false },
	{ WEIR_STR("k=v,k=v"), false },
	{ WEIR_STR("K=v"), false },
	{ WEIR_STR("k=v=v"), false },
	{ WEIR_STR("k="), false },
	{ WEIR_STR("=v"), false },
};

/* A span with this trace state, which may hold any byte. */
static void send_state(weir_str state)
{
	struct bytes span = { 0 }, scope = { 0 }, resource = { 0 }, all = { 0 };

	bytes_field(&span, 1, "sixteen letters.", 16);
	bytes_field(&span, 3, state.ptr, state.len);
	bytes_wrap(&scope, 2, &span);
	bytes_wrap(&resource, 2, &scope);
	bytes_wrap(&all, 1, &resource);
	ck_assert_int_ge(weir_test_send(t, WEIR_SIGNAL_TRACES, all.ptr,
					all.len, NULL), 0);
	weir_test_run(t);
	bytes_free(&span);
	bytes_free(&scope);
	bytes_free(&resource);
	bytes_free(&all);
}

START_TEST(row_112_a_trace_state_is_read_as_w3c_says_or_not_at_all)
{
	weir_str state = states[_i].state, out;

	begin("{decision_wait: 1s, policies: [{name: s, type: trace_state, "
	      "trace_state: {key: k, values: [v]}}, {name: not, type: not, "
	      "not: {not_sub_policy: {type: trace_state, trace_state: {key: k, "
	      "values: [v]}}}}]}");
	send_state(state);
	seconds(2);
	ck_assert_uint_eq(all_that_came(), 1);	/* by the one or the other */
	ck_assert(metric(TS("count_traces_sampled")) == 2);
	out = weir_test_bytes(t, 0);
	ck_assert_ptr_nonnull(memmem(out.ptr, out.len, state.ptr, state.len));
	end();
	begin("{decision_wait: 1s, policies: [{name: s, type: trace_state, "
	      "trace_state: {key: k, values: [v]}}]}");
	send_state(state);
	seconds(2);
	ck_assert_uint_eq(all_that_came(), states[_i].holds);
	end();
}
END_TEST

int main(void)
{
	const struct ts_test tests[] = {
		{ row_108_a_giant_trace_takes_no_more_than_its_cap,
		  ROWS(giants) },
		{ row_112_a_trace_state_is_read_as_w3c_says_or_not_at_all,
		  ROWS(states) },
		{ row_107_a_flood_of_ids_is_bounded_in_bytes, 0 },
		{ row_109_a_flood_of_late_spans_keeps_to_the_caches, 0 },
		{ row_24_spans_without_an_id_are_one_trace, 0 },
		{ row_25_times_of_any_size_are_no_trouble, 0 },
		{ row_107_a_flood_of_ids_is_bounded_in_traces, 0 },
		{ row_24_an_id_of_another_length_is_refused, 0 },
	};

	return TS_MAIN("attacks", tests);
}
