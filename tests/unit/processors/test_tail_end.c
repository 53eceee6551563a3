/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processors/tail_sampling: the consumer behind it refuses, or it ends.
 */
#include "ts_case.h"

/* --- Downstream ----------------------------------------------------------- */

START_TEST(what_is_refused_for_now_is_brought_again)
{
	struct weir_outcome no;

	begin("{decision_wait: 1s, " ALL "}");
	weir_outcome_set(&no, WEIR_UNAVAILABLE, WEIR_REASON_BACKEND, "later");
	weir_test_next_nacks(t, &no);
	GIVE(.trace = 1, .number = 1);
	seconds(2);
	ck_assert_uint_eq(came(1), 1);
	seconds(2);
	ck_assert_uint_eq(came(1), 3);
	weir_test_next_acks(t);
	seconds(5);
	ck_assert_uint_eq(came(1), 4);
	ck_assert(metric(DROPPED) == 0);
	end();
}
END_TEST

START_TEST(what_is_refused_for_good_is_a_counted_drop)
{
	struct weir_outcome no;

	begin("{decision_wait: 1s, " ALL "}");
	weir_outcome_set(&no, WEIR_INVALID_ARGUMENT, WEIR_REASON_BACKEND, "no");
	weir_test_next_nacks(t, &no);
	GIVE(.trace = 1, .number = 1);
	seconds(5);
	ck_assert_uint_eq(came(1), 1);
	ck_assert(metric(DROPPED) == 1);
	end();
}
END_TEST

START_TEST(at_the_end_it_is_brought_for_ten_seconds)
{
	struct weir_outcome no;

	begin("{decision_wait: 1s, " ALL "}");
	weir_outcome_set(&no, WEIR_UNAVAILABLE, WEIR_REASON_BACKEND, "later");
	weir_test_next_nacks(t, &no);
	GIVE(.trace = 1, .number = 1);
	weir_test_stop(t);
	ck_assert_uint_eq(came(1), 1);
	seconds(9);
	ck_assert_uint_eq(came(1), 10);
	ck_assert(metric(DROPPED) == 0);
	seconds(5);
	ck_assert_uint_eq(came(1), 11);
	ck_assert(metric(DROPPED) == 1);
	end();
}
END_TEST

/* --- The end -------------------------------------------------------------- */

START_TEST(at_the_end_traces_are_decided_with_what_is_there)
{
	begin("{decision_wait: 30s, " NONE "}");
	GIVE(.trace = 1, .number = 1, .status = 2);
	GIVE(.trace = 2, .number = 2);
	weir_test_stop(t);
	ck_assert_uint_eq(came(1), 1);
	ck_assert_uint_eq(came(2), 0);
	ck_assert(metric(DECIDED) == 2);
	end();
}
END_TEST

START_TEST(or_they_are_dropped)
{
	begin("{decision_wait: 30s, drop_pending_traces_on_shutdown: true, " ALL
	      "}");
	GIVE(.trace = 1, .number = 1);
	weir_test_stop(t);
	ck_assert_uint_eq(all_that_came(), 0);
	ck_assert(metric(DECIDED) == 0);
	ck_assert(metric(DROPPED) == 1);
	end();
}
END_TEST

START_TEST(every_tick_is_timed)
{
	begin("{decision_wait: 1s, " ALL "}");
	seconds(5);
	ck_assert(metric(TICKS) == 5);
	ck_assert(metric(TS("sampling_policy_evaluation_error")) == 0);
	end();
}
END_TEST

int main(void)
{
	const struct ts_test tests[] = {
		{ what_is_refused_for_now_is_brought_again, 0 },
		{ what_is_refused_for_good_is_a_counted_drop, 0 },
		{ at_the_end_it_is_brought_for_ten_seconds, 0 },
		{ at_the_end_traces_are_decided_with_what_is_there, 0 },
		{ or_they_are_dropped, 0 },
		{ every_tick_is_timed, 0 },
	};

	return TS_MAIN("end", tests);
}
