/* SPDX-License-Identifier: Apache-2.0 */
/* processors/memory_limiter: when data is refused, and which limits make sense. */
#include <check.h>
#include <stdio.h>
#include <weir/testing.h>

#include "../../support/spans.h"

#define MS(n) ((weir_duration){ (int64_t)(n) * 1000000 })
#define ACCEPTED "otelcol_processor_memory_limiter_accepted_spans"
#define REFUSED "otelcol_processor_memory_limiter_refused_spans"

static struct weir_test *t;

static const char *so(void)
{
	static char path[256];
	const char *build = getenv("WEIR_BUILD");

	snprintf(path, sizeof(path), "%s/plugins/processors/memory_limiter.so",
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

static struct weir_outcome give(size_t n)
{
	struct spans spans = spans_make(n);
	struct weir_outcome outcome;
	int number = weir_test_send(t, WEIR_SIGNAL_TRACES, spans.ptr,
				    spans.len, &outcome);

	free(spans.ptr);
	weir_test_run(t);
	ck_assert(weir_test_answer(t, number, &outcome));
	return outcome;
}

START_TEST(passes_everything_on_below_the_soft_line)
{
	begin("{check_interval: 1s, limit_mib: 4000000}");
	weir_test_advance(t, MS(5000));
	ck_assert_int_eq(give(3).status, WEIR_OK);
	ck_assert_uint_eq(weir_test_passed(t), 1);
	ck_assert(weir_test_metric(t, ACCEPTED) == 3);
	ck_assert(weir_test_metric(t, REFUSED) <= 0);
	end();
}
END_TEST

START_TEST(refuses_from_the_first_check_on_when_memory_is_high)
{
	struct weir_outcome outcome;

	begin("{check_interval: 1s, limit_mib: 1}");	/* less than we are */
	weir_test_advance(t, MS(999));
	ck_assert_int_eq(give(2).status, WEIR_OK);
	weir_test_advance(t, MS(1));
	outcome = give(5);
	ck_assert_int_eq(outcome.status, WEIR_UNAVAILABLE);
	ck_assert_int_eq(outcome.reason, WEIR_REASON_MEMORY);
	ck_assert(weir_outcome_retryable(&outcome));
	ck_assert_str_eq(outcome.text,
			 "data refused due to high memory usage");
	ck_assert_uint_eq(weir_test_passed(t), 1);
	ck_assert(weir_test_metric(t, ACCEPTED) == 2);
	ck_assert(weir_test_metric(t, REFUSED) == 5);
	end();
}
END_TEST

START_TEST(payloads_alone_cross_the_line_between_two_checks)
{
	begin("{check_interval: 1h, limit_mib: 1}");
	weir_test_next_holds(t);
	for (int i = 0; i < 2; i++) {	/* 0.27 of 0.8 MiB each */
		struct spans spans = spans_make(9500);

		weir_test_send(t, WEIR_SIGNAL_TRACES, spans.ptr, spans.len,
			       NULL);
		free(spans.ptr);
	}
	weir_test_run(t);
	ck_assert_uint_eq(weir_test_passed(t), 2);
	ck_assert_int_eq(give(9500).reason, WEIR_REASON_MEMORY);
	weir_test_release(t, NULL);
	weir_test_run(t);
	end();
}
END_TEST

START_TEST(a_share_of_all_memory_is_a_limit)
{
	begin("{check_interval: 1s, limit_percentage: 100, "
	      "spike_limit_percentage: 1}");
	weir_test_advance(t, MS(1000));
	ck_assert_int_eq(give(1).status, WEIR_OK);
	end();
}
END_TEST

#define SOFT "max_gc_interval_when_soft_limited"
#define HARD "max_gc_interval_when_hard_limited"

static const struct {
	const char *yaml, *text;
} refused[] = {	/* in the order in which they are looked at */
	{ "", "'check_interval' must be greater than zero" },
	{ "{check_interval: 1s, min_gc_interval_when_soft_limited: 1s, "
	  "min_gc_interval_when_hard_limited: 2s}",
	  "'min_gc_interval_when_soft_limited' should be larger than "
	  "'min_gc_interval_when_hard_limited'" },
	{ "{check_interval: 1s, " SOFT ": -1s}",
	  "'" SOFT "' must be non-negative" },
	{ "{check_interval: 1s, " HARD ": -1s}",
	  "'" HARD "' must be non-negative" },
	{ "{check_interval: 1s, " SOFT ": 5s}",
	  "'" SOFT "' must be greater than or equal to "
	  "'min_gc_interval_when_soft_limited' (or 0 to disable)" },
	{ "{check_interval: 1s, min_gc_interval_when_hard_limited: 5s, "
	  HARD ": 1s}",
	  "'" HARD "' must be greater than or equal to "
	  "'min_gc_interval_when_hard_limited' (or 0 to disable)" },
	{ "{check_interval: 1s, " SOFT ": 20s}",
	  "'" SOFT "' should be larger than or equal to '" HARD "' (when both "
	  "are set)" },
	{ "check_interval: 1s",
	  "'limit_mib' or 'limit_percentage' must be greater than zero" },
	{ "{check_interval: 1s, limit_percentage: 101}",
	  "'limit_percentage' and 'spike_limit_percentage' must be greater "
	  "than zero and less than or equal to hundred" },
	{ "{check_interval: 1s, limit_mib: 10, spike_limit_mib: 10}",
	  "'spike_limit_mib' must be smaller than 'limit_mib'" },
	{ "{check_interval: 1s, limit_mib: 10, limit_percentage: 10, "
	  "spike_limit_percentage: 10}",
	  "'spike_limit_percentage' must be smaller than "
	  "'limit_percentage'" },
};

START_TEST(validation_says_what_the_collector_says)
{
	struct weir_error error = { 0 };

	t = weir_test_open(so(), refused[_i].yaml, WEIR_TRACES, &error);
	ck_assert_ptr_null(t);
	ck_assert_str_eq(error.text, refused[_i].text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/memory_limiter");
	TCase *tc = tcase_create("memory_limiter");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, passes_everything_on_below_the_soft_line);
	tcase_add_test(tc,
		refuses_from_the_first_check_on_when_memory_is_high);
	tcase_add_test(tc, payloads_alone_cross_the_line_between_two_checks);
	tcase_add_test(tc, a_share_of_all_memory_is_a_limit);
	tcase_add_loop_test(tc, validation_says_what_the_collector_says, 0,
			    sizeof(refused) / sizeof(*refused));
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
