/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processors/tail_sampling: at its bounds: traces, their sizes, memory, and
 * senders that wait.
 */
#include "ts_case.h"

/* --- Traces, sizes, memory ------------------------------------------------ */
#define CACHES "decision_cache: {sampled_cache_size: 2, "		\
	"non_sampled_cache_size: 2}, "


START_TEST(the_oldest_trace_gives_way_decided_or_not)
{
	begin("{decision_wait: 2s, num_traces: 2, " ALL "}");
	GIVE(.trace = 1, .number = 1);
	GIVE(.trace = 2, .number = 2);
	GIVE(.trace = 3, .number = 3);		/* 1 is gone */
	ck_assert(metric(TOO_EARLY) == 1);
	ck_assert(metric(REMOVED) == 1);
	ck_assert(metric(ON_MEMORY) == 2);
	seconds(3);
	ck_assert_uint_eq(came(1), 0);
	ck_assert_uint_eq(came(2) + came(3), 2);
	GIVE(.trace = 4, .number = 4);		/* 2 is gone, decided */
	GIVE(.trace = 2, .number = 22);		/* new */
	ck_assert_uint_eq(came(22), 0);
	ck_assert(metric(TOO_EARLY) == 1);
	seconds(3);
	ck_assert_uint_eq(came(22), 1);
	end();
}
END_TEST

/* Of empty Resource and scope 2 bytes each, a span of 28: 36. */
static const struct {
	const char *keys;
	size_t came;
	double large;
} sizes[] = {
	{ "maximum_trace_size_bytes: 72", 2, 0 },
	{ "maximum_trace_size_bytes: 71", 0, 1 },
	{ "maximum_trace_size_bytes: 71, on_maximum_trace_size: decide", 3,
	  0 },
	{ "maximum_trace_size_bytes: 71, " CACHES "quiet_time: 0s", 0, 1 },
};

START_TEST(a_trace_that_is_too_large_is_not_sampled_or_decided_at_once)
{
	char yaml[512];

	snprintf(yaml, sizeof(yaml), "{decision_wait: 1s, %s, %s}",
		 sizes[_i].keys, ALL);
	begin(yaml);
	GIVE(.trace = 1, .number = 1);
	GIVE(.trace = 1, .number = 2);
	if (sizes[_i].came == 3)
		ck_assert_uint_eq(all_that_came(), 2);
	if (sizes[_i].came != 2)
		GIVE(.trace = 1, .number = 3);
	seconds(2);
	ck_assert_uint_eq(all_that_came(), sizes[_i].came);
	ck_assert(metric(TOO_LARGE) == sizes[_i].large);
	ck_assert(metric(DECIDED) == (sizes[_i].came ? 1 : 0));
	ck_assert(metric(LATE_AGE) == (sizes[_i].came == 3));
	end();
}
END_TEST

START_TEST(at_the_limit_of_memory_the_oldest_is_decided_with_what_is_there)
{
	uint64_t i;

	begin("{decision_wait: 30s, memory_limit_mib: 1, " HALF "}");
	GIVE(.trace = 1, .number = 1, .status = 1);
	GIVE(.trace = 2, .number = 2);
	for (i = 3; !all_that_came(); i++) {
		GIVE(.trace = i, .number = i, .pad = 10000);
		ck_assert_uint_lt(i, 200);
	}
	ck_assert_uint_gt(i, 60);
	ck_assert_uint_eq(came(1), 1);
	ck_assert_uint_eq(all_that_came(), 1);
	ck_assert(metric(DECIDED) >= 1);
	GIVE(.trace = 1, .number = 1000);	/* late, and sampled */
	ck_assert_uint_eq(came(1000), 1);
	end();
}
END_TEST

START_TEST(a_span_larger_than_all_the_memory_is_taken_alone)
{
	struct weir_outcome outcome;

	begin("{decision_wait: 30s, memory_limit_mib: 1, " ALL "}");
	GIVE(.trace = 1, .number = 1);
	ck_assert(is_answered(send_span((struct a_span){ .trace = 2,
				.number = 2, .pad = 2 << 20 }), &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
	ck_assert_uint_eq(came(1), 1);		/* decided, for the room */
	ck_assert_uint_eq(came(2), 0);
	GIVE(.trace = 3, .number = 3);
	ck_assert_uint_eq(came(2), 1);		/* the next to give way */
	seconds(40);
	ck_assert_uint_eq(all_that_came(), 3);
	ck_assert(metric(DROPPED) == 0);
	end();
}
END_TEST



/* --- block_on_overflow ---------------------------------------------------- */

#define BLOCKING "{decision_wait: 2s, num_traces: 2, block_on_overflow: true, "

START_TEST(a_full_sampler_lets_senders_wait)
{
	struct weir_outcome outcome;
	int third, fourth;

	begin(BLOCKING ALL "}");
	GIVE(.trace = 1, .number = 1);
	GIVE(.trace = 2, .number = 2);
	third = send_span((struct a_span){ .trace = 3, .number = 3 });
	fourth = send_span((struct a_span){ .trace = 1, .number = 4 });
	ck_assert(!is_answered(third, &outcome));
	ck_assert(!is_answered(fourth, &outcome));	/* not overtaken */
	ck_assert(metric(ON_MEMORY) == 2);
	seconds(3);		/* decided; without caches they give way */
	ck_assert(is_answered(third, &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
	ck_assert(is_answered(fourth, &outcome));
	seconds(3);
	for (uint64_t i = 1; i <= 4; i++)
		ck_assert_uint_eq(came(i), 1);
	ck_assert(metric(TOO_EARLY) == 0);
	end();
}
END_TEST

START_TEST(spans_of_known_traces_need_no_room)
{
	struct weir_outcome outcome;
	struct traces r = { 0 };

	begin(BLOCKING ALL "}");
	GIVE(.trace = 1, .number = 1);
	for (uint64_t i = 2; i < 9; i++)	/* one new trace */
		traces_span(&r, &(struct a_span){ .trace = 1 + i % 2,
						  .number = i });
	ck_assert(is_answered(send_traces(&r), &outcome));
	seconds(3);
	ck_assert_uint_eq(all_that_came(), 8);
	end();
}
END_TEST

START_TEST(a_part_of_more_traces_than_there_can_be_is_let_in_when_it_is_empty)
{
	struct weir_outcome outcome;
	struct traces r = { 0 };
	int number;

	begin(BLOCKING ALL "}");
	GIVE(.trace = 1, .number = 1);
	for (uint64_t i = 2; i < 9; i++)
		traces_span(&r, &(struct a_span){ .trace = i, .number = i });
	number = send_traces(&r);
	ck_assert(!is_answered(number, &outcome));
	seconds(3);
	ck_assert(is_answered(number, &outcome));
	seconds(3);
	ck_assert_uint_eq(all_that_came(), 8);	/* decided, not lost */
	ck_assert(metric(TOO_EARLY) == 0);
	end();
}
END_TEST

START_TEST(who_waits_when_it_ends_is_let_in)
{
	struct weir_outcome outcome;
	int third, fourth;

	begin(BLOCKING ALL "}");
	GIVE(.trace = 1, .number = 1);
	GIVE(.trace = 2, .number = 2);
	third = send_span((struct a_span){ .trace = 3, .number = 3 });
	fourth = send_span((struct a_span){ .trace = 4, .number = 4 });
	weir_test_stop(t);
	ck_assert(is_answered(third, &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
	ck_assert(is_answered(fourth, &outcome));
	ck_assert_uint_eq(all_that_came(), 4);
	end();
}
END_TEST

int main(void)
{
	const struct ts_test tests[] = {
		{ the_oldest_trace_gives_way_decided_or_not, 0 },
		{ a_trace_that_is_too_large_is_not_sampled_or_decided_at_once,
		  ROWS(sizes) },
		{ at_the_limit_of_memory_the_oldest_is_decided_with_what_is_there,
		  0 },
		{ a_span_larger_than_all_the_memory_is_taken_alone, 0 },
		{ a_full_sampler_lets_senders_wait, 0 },
		{ spans_of_known_traces_need_no_room, 0 },
		{ a_part_of_more_traces_than_there_can_be_is_let_in_when_it_is_empty,
		  0 },
		{ who_waits_when_it_ends_is_let_in, 0 },
	};

	return TS_MAIN("bounds", tests);
}
