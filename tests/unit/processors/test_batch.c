/* SPDX-License-Identifier: Apache-2.0 */
/* processors/batch: when a batch leaves, and what happens when it may not. */
#include <check.h>
#include <stdio.h>
#include <weir/testing.h>

#include "../../support/spans.h"

#define MS(n) ((weir_duration){ (int64_t)(n) * 1000000 })

static struct weir_test *t;

static const char *so(void)
{
	static char path[256];
	const char *build = getenv("WEIR_BUILD");

	snprintf(path, sizeof(path), "%s/plugins/processors/batch.so",
		 build ? build : "build");
	return path;
}

static void begin(const char *yaml)
{
	struct weir_error error = { 0 };

	t = weir_test_open(so(), yaml, WEIR_TRACES, &error);
	ck_assert_msg(t, "%s", error.text);
	ck_assert_msg(!weir_test_start(t, &error), "%s", error.text);
}

static void end(void)
{
	struct weir_error error = { 0 };

	ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
}

static int give(size_t n)
{
	struct spans spans = spans_make(n);
	struct weir_outcome outcome = { 0 };
	int number = weir_test_send(t, WEIR_SIGNAL_TRACES, spans.ptr,
				    spans.len, &outcome);

	free(spans.ptr);
	ck_assert_msg(number >= 0, "%s", outcome.text);
	weir_test_run(t);
	return number;
}

static struct weir_outcome heard(int number)
{
	struct weir_outcome outcome;

	ck_assert_msg(weir_test_answer(t, number, &outcome), "not answered");
	return outcome;
}

static void next_nacks(enum weir_status status, enum weir_reason reason)
{
	struct weir_outcome outcome = { .status = status, .reason = reason };

	snprintf(outcome.text, sizeof(outcome.text), "not now");
	weir_test_next_nacks(t, &outcome);
}

START_TEST(whoever_sent_is_answered_when_the_data_is_in_here)
{
	begin("");
	ck_assert_int_eq(heard(give(3)).status, WEIR_OK);
	ck_assert_uint_eq(weir_test_passed(t), 0);
	weir_test_advance(t, MS(200));
	ck_assert_uint_eq(weir_test_passed(t), 1);
	end();
}
END_TEST

START_TEST(ticks_come_each_timeout_from_the_start_on)
{
	begin("timeout: 200ms");
	weir_test_advance(t, MS(350));	/* ticks at 200 and 400 */
	give(3);
	weir_test_advance(t, MS(49));
	ck_assert_uint_eq(weir_test_passed(t), 0);
	weir_test_advance(t, MS(1));
	ck_assert_uint_eq(weir_test_passed(t), 1);
	give(1);
	weir_test_advance(t, MS(199));
	ck_assert_uint_eq(weir_test_passed(t), 1);
	weir_test_advance(t, MS(1));
	ck_assert_uint_eq(weir_test_passed(t), 2);
	ck_assert(weir_test_metric(t,
		"otelcol_processor_batch_timeout_trigger_send") == 2);
	end();
}
END_TEST

START_TEST(requests_that_come_between_two_ticks_leave_as_one_batch)
{
	begin("");
	give(3);
	give(4);
	weir_test_advance(t, MS(200));
	ck_assert_uint_eq(weir_test_passed(t), 1);
	ck_assert_uint_eq(weir_test_items(t, 0), 7);
	end();
}
END_TEST

START_TEST(a_batch_leaves_at_once_when_it_is_large_enough)
{
	begin("send_batch_size: 10");
	give(9);
	ck_assert_uint_eq(weir_test_passed(t), 0);
	give(4);
	ck_assert_uint_eq(weir_test_passed(t), 1);
	ck_assert_uint_eq(weir_test_items(t, 0), 13);
	ck_assert(weir_test_metric(t,
		"otelcol_processor_batch_batch_size_trigger_send") == 1);
	ck_assert(weir_test_metric(t,
		"otelcol_processor_batch_batch_send_size") == 1);
	end();
}
END_TEST

START_TEST(a_batch_cut_by_size_moves_the_ticks)
{
	begin("{timeout: 200ms, send_batch_size: 10}");
	weir_test_advance(t, MS(150));
	give(10);			/* ticks at 350, 550... from here */
	give(1);
	weir_test_advance(t, MS(199));
	ck_assert_uint_eq(weir_test_passed(t), 1);
	weir_test_advance(t, MS(1));
	ck_assert_uint_eq(weir_test_passed(t), 2);
	end();
}
END_TEST

START_TEST(a_large_request_is_cut_and_what_is_left_waits)
{
	begin("{send_batch_size: 10, send_batch_max_size: 10}");
	give(25);
	ck_assert_uint_eq(weir_test_passed(t), 2);
	ck_assert_uint_eq(weir_test_items(t, 0), 10);
	ck_assert_uint_eq(weir_test_items(t, 1), 10);
	weir_test_advance(t, MS(200));
	ck_assert_uint_eq(weir_test_passed(t), 3);
	ck_assert_uint_eq(weir_test_items(t, 2), 5);
	end();
}
END_TEST

static const char *const at_once[] = {
	"timeout: 0", "send_batch_size: 0",
	"{timeout: 0s, send_batch_size: 100}"
};

START_TEST(without_a_timer_every_request_leaves_at_once)
{
	begin(at_once[_i]);
	give(2);
	give(3);
	ck_assert_uint_eq(weir_test_passed(t), 2);
	ck_assert(weir_test_metric(t,
		"otelcol_processor_batch_batch_size_trigger_send") == 2);
	end();
}
END_TEST

START_TEST(what_is_refused_for_a_passing_reason_is_kept_and_tried_again)
{
	begin("timeout: 0");
	next_nacks(WEIR_UNAVAILABLE, WEIR_REASON_FULL);
	ck_assert_int_eq(heard(give(5)).status, WEIR_OK);
	ck_assert_uint_eq(weir_test_passed(t), 1);
	ck_assert_uint_eq(weir_test_held(t), 1);
	weir_test_advance(t, MS(50));
	ck_assert_uint_eq(weir_test_passed(t), 2);
	weir_test_next_acks(t);
	weir_test_advance(t, MS(100));
	ck_assert_uint_eq(weir_test_passed(t), 3);
	ck_assert_uint_eq(weir_test_items(t, 2), 5);
	ck_assert_uint_eq(weir_test_held(t), 0);
	ck_assert(weir_test_metric(t,
		"otelcol_processor_batch_batch_size_trigger_send") == 1);
	end();
}
END_TEST

/* Not later and later: room comes back at the backend's pace. */
START_TEST(when_what_is_ahead_is_full_it_is_asked_every_ten_milliseconds)
{
	begin("timeout: 0");
	next_nacks(WEIR_UNAVAILABLE, WEIR_REASON_FULL);
	give(5);
	for (size_t i = 0; i < 100; i++)
		weir_test_advance(t, MS(10));
	ck_assert_uint_ge(weir_test_passed(t), 101);
	ck_assert_uint_le(weir_test_passed(t), 201);
	weir_test_next_acks(t);
	weir_test_advance(t, MS(10));
	ck_assert_uint_eq(weir_test_held(t), 0);
	end();
}
END_TEST

static const struct {
	enum weir_status status;
	enum weir_reason reason;
} finals[] = {
	{ WEIR_INVALID_ARGUMENT, WEIR_REASON_BACKEND },
	{ WEIR_UNAVAILABLE, WEIR_REASON_GAVE_UP },
	{ WEIR_RESOURCE_EXHAUSTED, WEIR_REASON_TOO_BIG },
};

START_TEST(what_is_refused_for_good_is_dropped_and_does_not_stop_the_rest)
{
	begin("timeout: 0");
	next_nacks(finals[_i].status, finals[_i].reason);
	give(5);
	ck_assert_uint_eq(weir_test_held(t), 0);
	weir_test_next_acks(t);
	give(6);
	ck_assert_uint_eq(weir_test_items(t, 1), 6);
	ck_assert(weir_test_metric(t,
		"otelcol_processor_batch_batch_size_trigger_send") == 1);
	end();
}
END_TEST

START_TEST(one_batch_is_under_way_at_a_time)
{
	begin("send_batch_size: 10");
	weir_test_next_holds(t);
	give(10);
	give(10);
	weir_test_advance(t, MS(1000));
	ck_assert_uint_eq(weir_test_passed(t), 1);
	weir_test_next_acks(t);
	weir_test_release(t, NULL);
	weir_test_run(t);
	ck_assert_uint_eq(weir_test_passed(t), 2);
	end();
}
END_TEST

START_TEST(a_full_one_refuses_so_that_the_client_keeps_its_data)
{
	struct weir_outcome outcome;

	begin("");
	weir_test_next_holds(t);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(heard(give(8192)).status, WEIR_OK);
	outcome = heard(give(1));
	ck_assert_int_eq(outcome.status, WEIR_UNAVAILABLE);
	ck_assert_int_eq(outcome.reason, WEIR_REASON_FULL);
	weir_test_next_acks(t);
	weir_test_release(t, NULL);
	weir_test_run(t);
	ck_assert_uint_eq(weir_test_passed(t), 3);
	ck_assert_int_eq(heard(give(1)).status, WEIR_OK);
	end();
}
END_TEST

START_TEST(a_request_larger_than_all_its_room_is_taken)
{
	begin("");
	ck_assert_int_eq(heard(give(30000)).status, WEIR_OK);
	ck_assert_uint_eq(weir_test_items(t, 0), 30000);
	ck_assert_int_eq(heard(give(30000)).status, WEIR_OK);
	end();
}
END_TEST

static void from(const char *tenant)
{
	weir_test_context(t, "192.0.2.1:1", &tenant, tenant != NULL);
}

START_TEST(combinations_of_metadata_are_gathered_apart)
{
	begin("{metadata_keys: [Tenant], metadata_cardinality_limit: 3}");
	from("tenant=a");
	give(1);
	from("tenant=");
	give(2);
	from(NULL);
	give(4);
	from("tenant=a");
	give(8);
	weir_test_advance(t, MS(200));
	ck_assert_uint_eq(weir_test_passed(t), 3);
	ck_assert_uint_eq(weir_test_items(t, 0) + weir_test_items(t, 1) +
			  weir_test_items(t, 2), 15);
	ck_assert(weir_test_metric(t,
		"otelcol_processor_batch_metadata_cardinality") == 3);
	end();
}
END_TEST

START_TEST(combinations_beyond_the_limit_are_refused_for_good)
{
	struct weir_outcome outcome;

	begin("{metadata_keys: [tenant], metadata_cardinality_limit: 1}");
	from("tenant=a");
	give(1);
	from("tenant=b");
	outcome = heard(give(1));
	ck_assert_int_eq(outcome.status, WEIR_INTERNAL);
	ck_assert(!weir_outcome_retryable(&outcome));
	ck_assert_str_eq(outcome.text,
			 "too many batcher metadata-value combinations");
	end();
}
END_TEST

START_TEST(stopping_sends_what_is_pending)
{
	begin("timeout: 1h");
	give(3);
	ck_assert_uint_eq(weir_test_passed(t), 0);
	weir_test_stop(t);
	weir_test_run(t);
	ck_assert_uint_eq(weir_test_passed(t), 1);
	end();
}
END_TEST

START_TEST(stopping_is_patient_but_not_for_ever)
{
	begin("timeout: 0");
	next_nacks(WEIR_UNAVAILABLE, WEIR_REASON_FULL);
	give(3);
	weir_test_stop(t);
	weir_test_run(t);
	weir_test_advance(t, MS(6000));
	ck_assert_uint_eq(weir_test_held(t), 1);
	weir_test_advance(t, MS(6000));
	ck_assert_uint_eq(weir_test_held(t), 0);
	end();
}
END_TEST

static const struct {
	const char *yaml, *text;
} refused[] = {
	{ "{send_batch_size: 10, send_batch_max_size: 9, timeout: -1s}",
	  "send_batch_max_size must be greater or equal to send_batch_size" },
	{ "{metadata_keys: [A, b, a], timeout: -1s}",
	  "duplicate entry in metadata_keys: \"a\" (case-insensitive)" },
	{ "timeout: -1s", "timeout must be greater or equal to 0" },
};

START_TEST(validation_says_what_the_collector_says)
{
	struct weir_error error = { 0 };

	t = weir_test_open(so(), refused[_i].yaml, WEIR_TRACES, &error);
	ck_assert_ptr_null(t);
	ck_assert_str_eq(error.text, refused[_i].text);
}
END_TEST

#define EACH(tc, test, rows) \
	tcase_add_loop_test(tc, test, 0, sizeof(rows) / sizeof(*(rows)))

int main(void)
{
	Suite *suite = suite_create("processors/batch");
	TCase *tc = tcase_create("batch");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc,
		whoever_sent_is_answered_when_the_data_is_in_here);
	tcase_add_test(tc, ticks_come_each_timeout_from_the_start_on);
	tcase_add_test(tc,
		requests_that_come_between_two_ticks_leave_as_one_batch);
	tcase_add_test(tc, a_batch_leaves_at_once_when_it_is_large_enough);
	tcase_add_test(tc, a_batch_cut_by_size_moves_the_ticks);
	tcase_add_test(tc, a_large_request_is_cut_and_what_is_left_waits);
	EACH(tc, without_a_timer_every_request_leaves_at_once, at_once);
	tcase_add_test(tc,
		what_is_refused_for_a_passing_reason_is_kept_and_tried_again);
	tcase_add_test(tc,
		when_what_is_ahead_is_full_it_is_asked_every_ten_milliseconds);
	EACH(tc,
	     what_is_refused_for_good_is_dropped_and_does_not_stop_the_rest,
	     finals);
	tcase_add_test(tc, one_batch_is_under_way_at_a_time);
	tcase_add_test(tc,
		a_full_one_refuses_so_that_the_client_keeps_its_data);
	tcase_add_test(tc, a_request_larger_than_all_its_room_is_taken);
	tcase_add_test(tc, combinations_of_metadata_are_gathered_apart);
	tcase_add_test(tc,
		combinations_beyond_the_limit_are_refused_for_good);
	tcase_add_test(tc, stopping_sends_what_is_pending);
	tcase_add_test(tc, stopping_is_patient_but_not_for_ever);
	EACH(tc, validation_says_what_the_collector_says, refused);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
