/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processors/tail_sampling: what waits and what leaves is not much more than
 * what came, however it is made, and where memory is short nothing stays behind.
 */
#include "ts_case.h"

#define KIB 1024u
#define MIB (1024u * KIB)
#define BATCH_MOST (2 * MIB)

/* A text of that many letters, by which a head becomes large. */
static char *letters(size_t n, char letter)
{
	char *text = malloc(n + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, letter, n);
	text[n] = 0;
	return text;
}

/* A resource of that size, and a span in it of each of the traces from 1 on;
 * their numbers are those of the traces and `more`. */
static void add_resource(struct traces *r, size_t size, char letter,
			 uint64_t traces, uint64_t more)
{
	char *text = letters(size, letter);
	struct attr attrs[MAX_ATTRS] = { TEXT("head", text) };

	traces_resource(r, attrs, NULL);
	for (uint64_t i = 1; i <= traces; i++)
		traces_span(r, &(struct a_span){ .trace = i,
						 .number = i + more });
	free(text);
}

static void send_ok(struct traces *r)
{
	struct weir_outcome outcome;

	ck_assert(is_answered(send_traces(r), &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
}

/* --- What came out -------------------------------------------------------- */

#define SPANS 8192

struct tally {
	uint8_t times[SPANS];		/* by number */
};

static void count(void *arg, weir_str resource, weir_str scope, weir_str span,
		  uint64_t number)
{
	struct tally *tally = arg;

	(void)resource;
	(void)scope;
	(void)span;
	ck_assert_uint_lt(number, SPANS);
	tally->times[number]++;
}

/* Spans 1 to n came, each once. */
static void all_came_once(uint64_t n)
{
	struct tally tally = { 0 };

	for (size_t i = 0; i < weir_test_passed(t); i++)
		traces_each(weir_test_bytes(t, i), count, &tally);
	for (uint64_t i = 1; i <= n; i++)
		ck_assert_msg(tally.times[i] == 1, "span %llu came %u times",
			      (unsigned long long)i, tally.times[i]);
	ck_assert_uint_eq(all_that_came(), n);
}

/* Bytes of all batches, none of which is larger than that. */
static size_t bytes_that_came(size_t most)
{
	size_t sum = 0;

	for (size_t i = 0; i < weir_test_passed(t); i++) {
		ck_assert_uint_le(weir_test_bytes(t, i).len, most);
		sum += weir_test_bytes(t, i).len;
	}
	return sum;
}

/* --- Batches -------------------------------------------------------------- */

START_TEST(a_trace_larger_than_a_batch_leaves_in_several)
{
	begin("{decision_wait: 1s, " ALL "}");
	for (uint64_t i = 1; i <= 60; i++)
		GIVE(.trace = 1, .number = i, .pad = 100 * KIB);
	seconds(2);
	all_came_once(60);
	bytes_that_came(BATCH_MOST);
	end();
}
END_TEST

START_TEST(a_span_larger_than_a_batch_leaves_alone)
{
	begin("{decision_wait: 1s, " ALL "}");
	GIVE(.trace = 1, .number = 1);
	GIVE(.trace = 1, .number = 2, .pad = 3 * MIB);
	GIVE(.trace = 1, .number = 3);
	seconds(2);
	all_came_once(3);
	bytes_that_came(3 * MIB + 100);
	end();
}
END_TEST

/* Trace by trace it would be 600 MB. */
START_TEST(heads_of_many_traces_leave_a_few_times)
{
	struct traces r = { 0 };

	begin("{decision_wait: 1s, " ALL "}");
	weir_budget_limit(0, 64 * MIB);
	add_resource(&r, 100000, 'a', 3000, 0);
	add_resource(&r, 100000, 'b', 3000, 3000);
	send_ok(&r);
	seconds(2);
	all_came_once(6000);
	ck_assert_uint_lt(bytes_that_came(BATCH_MOST), 2 * MIB);
	GIVE(.trace = 9000, .number = 6001);
	seconds(2);
	all_came_once(6001);
	ck_assert(metric(DROPPED) == 0);
	end();
}
END_TEST

/* A hundred of each letter. */
static void look_at_head(void *arg, weir_str resource, weir_str scope,
			 weir_str span, uint64_t number)
{
	struct weir_message_cursor head = weir_messages(resource, 1);

	(void)arg;
	(void)scope;
	(void)span;
	ck_assert(weir_message_next(&head));
	ck_assert_int_eq(head.message.ptr[head.message.len - 1],
			 (char)('a' + (number - 1) / 100));
}

START_TEST(spans_stay_with_their_heads_where_these_are_heavy)
{
	struct traces r = { 0 };
	uint64_t n = 0;

	begin("{decision_wait: 1s, " ALL "}");
	for (char letter = 'a'; letter <= 'e'; letter++) {
		add_resource(&r, 20000, letter, 100, n);
		n += 100;
	}
	send_ok(&r);
	seconds(2);
	all_came_once(n);
	for (size_t i = 0; i < weir_test_passed(t); i++)
		traces_each(weir_test_bytes(t, i), look_at_head, NULL);
	end();
}
END_TEST

/* --- The store ------------------------------------------------------------ */

static const size_t head_sizes[] = { 10, 60 * KIB, 100 * KIB, 200 * KIB,
				     255 * KIB, 256 * KIB, 300 * KIB,
				     2 * MIB };

START_TEST(a_head_of_any_size_is_stored_once_for_many_spans)
{
	struct traces r = { 0 };
	size_t head = head_sizes[_i];

	begin("{decision_wait: 30s, " ALL "}");
	add_resource(&r, head, 'a', 1000, 0);
	send_ok(&r);
	ck_assert_uint_le(kept(), head + 600 * KIB);
	seconds(40);
	all_came_once(1000);
	ck_assert_uint_lt(bytes_that_came(BATCH_MOST + head),
			  head + 300 * KIB);
	end();
}
END_TEST

/* --- Short memory --------------------------------------------------------- */

START_TEST(where_memory_is_short_smaller_batches_leave_and_the_rest_later)
{
	size_t before;

	begin("{decision_wait: 1s, " ALL "}");
	for (uint64_t i = 1; i <= 100; i++)
		GIVE(.trace = i, .number = i, .pad = 10 * KIB);
	weir_budget_limit(0, weir_budget_used() + 100 * KIB);
	seconds(2);
	before = all_that_came();
	ck_assert_uint_gt(before, 4);
	weir_budget_limit(0, weir_budget_used());
	seconds(5);
	ck_assert_uint_eq(all_that_came(), before);
	weir_budget_limit(0, 64 * MIB);
	seconds(1);
	all_came_once(100);
	ck_assert(metric(DROPPED) == 0);
	end();
}
END_TEST

START_TEST(a_span_that_no_memory_can_hold_any_more_is_a_counted_drop)
{
	begin("{decision_wait: 1s, " ALL "}");
	GIVE(.trace = 1, .number = 2, .pad = 300 * KIB);
	weir_budget_limit(0, 400 * KIB);	/* as when a limit is lowered */
	seconds(2);
	ck_assert_uint_eq(all_that_came(), 0);
	ck_assert(metric(DROPPED) == 1);
	weir_budget_limit(0, 64 * MIB);
	GIVE(.trace = 2, .number = 1);
	seconds(2);
	all_came_once(1);
	end();
}
END_TEST

int main(void)
{
	const struct ts_test tests[] = {
		{ a_trace_larger_than_a_batch_leaves_in_several, 0 },
		{ a_span_larger_than_a_batch_leaves_alone, 0 },
		{ heads_of_many_traces_leave_a_few_times, 0 },
		{ spans_stay_with_their_heads_where_these_are_heavy, 0 },
		{ a_head_of_any_size_is_stored_once_for_many_spans,
		  ROWS(head_sizes) },
		{ where_memory_is_short_smaller_batches_leave_and_the_rest_later,
		  0 },
		{ a_span_that_no_memory_can_hold_any_more_is_a_counted_drop,
		  0 },
	};

	return TS_MAIN("memory", tests);
}
