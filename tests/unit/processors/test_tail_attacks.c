/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processors/tail_sampling: rows of the catalogue of attacks.
 */
#include "ts_case.h"

/* attacks.md 108: a million spans of one trace. */
START_TEST(a_giant_trace_is_decided_at_its_cap_and_streams_on)
{
	uint64_t number = 1;

	begin("{decision_wait: 30s, maximum_trace_size_bytes: 1000000, "
	      "on_maximum_trace_size: decide, memory_limit_mib: 4, " ALL "}");
	for (int k = 0; k < 100; k++) {
		struct traces r = { 0 };

		for (int i = 0; i < 10000; i++)
			traces_span(&r, &(struct a_span){ .trace = 1,
							  .number = number++ });
		send_traces(&r);
		ck_assert_uint_lt(kept(), 5u << 20);
	}
	ck_assert_uint_eq(all_that_came(), 1000000);
	ck_assert(metric(ON_MEMORY) == 1);
	end();
}
END_TEST

/* attacks.md 107: more ids than there can be traces.  A bound in bytes and one
 * in traces; nobody is lost before num_traces. */
START_TEST(a_flood_of_ids_is_bounded_in_bytes)
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

/* attacks.md 109: late spans of very many traces. */
START_TEST(a_flood_of_late_spans_keeps_to_the_caches)
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

/* attacks.md 24: ids of all zeros and none are one trace. */
START_TEST(spans_without_an_id_are_one_trace)
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

/* attacks.md 25. */
START_TEST(times_of_any_size_are_no_trouble)
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

START_TEST(a_flood_of_ids_is_bounded_in_traces)
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

START_TEST(an_id_of_another_length_is_refused)
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

int main(void)
{
	const struct ts_test tests[] = {
		{ a_giant_trace_is_decided_at_its_cap_and_streams_on, 0 },
		{ a_flood_of_ids_is_bounded_in_bytes, 0 },
		{ a_flood_of_late_spans_keeps_to_the_caches, 0 },
		{ spans_without_an_id_are_one_trace, 0 },
		{ times_of_any_size_are_no_trouble, 0 },
		{ a_flood_of_ids_is_bounded_in_traces, 0 },
		{ an_id_of_another_length_is_refused, 0 },
	};

	return TS_MAIN("attacks", tests);
}
