/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processors/tail_sampling: when a trace is decided: after a while, after its
 * root, when it is quiet, or (span-ingest) with each piece.
 */
#include "ts_case.h"

/* --- The while ------------------------------------------------------------ */

static const struct {
	const char *keys;
	bool child;
	int ticks;		/* until then */
} waits[] = {
	{ "decision_wait: 3s", false, 4 },
	{ "decision_wait: 3900ms", false, 4 },
	{ "decision_wait: 0s", false, 2 },
	{ "decision_wait: -5s", false, 2 },
	{ "decision_wait: 700ms", false, 2 },
	{ "decision_wait: 9s, decision_wait_after_root_received: 2s", false,
	  3 },
	{ "decision_wait: 9s, decision_wait_after_root_received: 500ms", false,
	  1 },
	{ "decision_wait: 9s, decision_wait_after_root_received: 2s", true,
	  10 },
	{ "decision_wait: 3s, decision_wait_after_root_received: 9s", false,
	  4 },
	{ "decision_wait: 9s, quiet_time: 1s", false, 2 },
	{ "decision_wait: 9s, quiet_time: 1s", true, 10 },
	{ "decision_wait: 3s, quiet_time: 9s", false, 4 },
};

START_TEST(a_trace_is_decided_a_while_after_its_first_span)
{
	char yaml[256];

	snprintf(yaml, sizeof(yaml), "{%s, %s}", waits[_i].keys, ALL);
	begin(yaml);
	GIVE(.trace = 1, .number = 1, .child = waits[_i].child);
	seconds(waits[_i].ticks - 1);
	ck_assert_uint_eq(came(1), 0);
	seconds(1);
	ck_assert_uint_eq(came(1), 1);
	end();
}
END_TEST

START_TEST(a_later_root_only_ever_hastens_the_decision)
{
	begin("{decision_wait: 5s, decision_wait_after_root_received: 2s, " ALL
	      "}");
	GIVE(.trace = 1, .number = 1, .child = true);
	seconds(1);
	GIVE(.trace = 1, .number = 2);		/* due with the fourth tick */
	seconds(1);
	GIVE(.trace = 1, .number = 3);
	seconds(1);
	ck_assert_uint_eq(all_that_came(), 0);
	seconds(1);
	ck_assert_uint_eq(all_that_came(), 3);
	end();
}
END_TEST

/* As the Collector: the id of no parent may be written out. */
START_TEST(a_parent_of_zeros_is_none)
{
	static const uint8_t span[] = {
		0x0a, 36, 0x12, 34, 0x12, 32, 0x0a, 16,
		1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7,
		0x22, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0x2a, 2, 'n', 'n' };

	begin("{decision_wait: 9s, decision_wait_after_root_received: 1s, " ALL
	      "}");
	ck_assert_int_ge(weir_test_send(t, WEIR_SIGNAL_TRACES, span,
					sizeof(span), NULL), 0);
	seconds(2);
	ck_assert_uint_eq(all_that_came(), 1);
	end();
}
END_TEST

START_TEST(a_trace_is_not_quiet_while_spans_come)
{
	begin("{decision_wait: 9s, quiet_time: 2s, " ALL "}");
	GIVE(.trace = 1, .number = 1);
	for (uint64_t i = 2; i < 6; i++) {
		seconds(1);
		GIVE(.trace = 1, .number = i, .child = true);
	}
	seconds(2);
	ck_assert_uint_eq(all_that_came(), 0);
	seconds(1);
	ck_assert_uint_eq(all_that_came(), 5);
	end();
}
END_TEST

START_TEST(a_trace_that_never_is_quiet_is_decided_all_the_same)
{
	begin("{decision_wait: 4s, quiet_time: 2s, " ALL "}");
	for (uint64_t i = 1; i <= 5; i++) {
		GIVE(.trace = 1, .number = i);
		seconds(1);
	}
	ck_assert_uint_eq(all_that_came(), 5);
	end();
}
END_TEST

START_TEST(the_sender_is_answered_at_once)
{
	struct weir_outcome outcome;

	begin("{" ALL "}");
	ck_assert(is_answered(send_span((struct a_span){ .trace = 1 }),
			      &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
	ck_assert_uint_eq(weir_test_held(t), 0);
	end();
}
END_TEST

/* --- span-ingest ---------------------------------------------------------- */

#define INGEST "{decision_wait: 2s, sampling_strategy: span-ingest, "

START_TEST(each_piece_may_decide_a_trace)
{
	begin(INGEST NONE "}");
	GIVE(.trace = 1, .number = 11);
	GIVE(.trace = 2, .number = 21);
	ck_assert_uint_eq(all_that_came(), 0);
	GIVE(.trace = 1, .number = 12, .status = 2);
	ck_assert_uint_eq(came(11) + came(12), 2);
	GIVE(.trace = 1, .number = 13);
	ck_assert_uint_eq(came(13), 1);
	ck_assert(metric(TS("count_traces_sampled")) == 3);
	ck_assert(metric(DECIDED) == 1);
	ck_assert(metric(ON_MEMORY) == 2);
	seconds(3);
	ck_assert_uint_eq(all_that_came(), 3);
	ck_assert(metric(DECIDED) == 2);	/* 2 was not sampled */
	ck_assert(metric(ON_MEMORY) == 1);	/* and is forgotten */
	end();
}
END_TEST

START_TEST(a_piece_is_asked_about_with_the_count_of_the_whole_trace)
{
	begin(INGEST "policies: [{name: c, type: span_count, span_count: "
	      "{min_spans: 3}}]}");
	GIVE(.trace = 1, .number = 1);
	GIVE(.trace = 1, .number = 2);
	ck_assert_uint_eq(all_that_came(), 0);
	GIVE(.trace = 1, .number = 3);
	ck_assert_uint_eq(all_that_came(), 3);
	end();
}
END_TEST

/* As in the Collector: such a configuration samples nothing. */
START_TEST(a_drop_policy_leaves_pieces_undecided)
{
	begin(INGEST "policies: [{name: all, type: always_sample}, {name: d1, "
	      "type: drop, drop: {drop_sub_policy: [{type: status_code, "
	      "status_code: {status_codes: [OK]}}]}}, {name: d2, type: drop, "
	      "drop: {drop_sub_policy: [{type: status_code, status_code: "
	      "{status_codes: [ERROR]}}]}}]}");
	GIVE(.trace = 1, .number = 1);
	ck_assert(metric(TS("sampling_policy_execution_count")) == 2);
	ck_assert(metric(DECIDED) == 0);
	GIVE(.trace = 1, .number = 2, .status = 2);	/* the second drops */
	ck_assert(metric(DECIDED) == 1);
	seconds(3);
	ck_assert_uint_eq(all_that_came(), 0);
	ck_assert(metric(DECIDED) == 1);
	end();
}
END_TEST

int main(void)
{
	const struct ts_test tests[] = {
		{ a_trace_is_decided_a_while_after_its_first_span,
		  ROWS(waits) },
		{ a_later_root_only_ever_hastens_the_decision, 0 },
		{ a_parent_of_zeros_is_none, 0 },
		{ a_trace_is_not_quiet_while_spans_come, 0 },
		{ a_trace_that_never_is_quiet_is_decided_all_the_same, 0 },
		{ the_sender_is_answered_at_once, 0 },
		{ each_piece_may_decide_a_trace, 0 },
		{ a_piece_is_asked_about_with_the_count_of_the_whole_trace, 0 },
		{ a_drop_policy_leaves_pieces_undecided, 0 },
	};

	return TS_MAIN("when", tests);
}
