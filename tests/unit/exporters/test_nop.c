/* SPDX-License-Identifier: Apache-2.0 */
/* exporters/nop: takes everything. */
#include <check.h>
#include <stdio.h>
#include <weir/testing.h>

#include "../../support/spans.h"

static const char *so(void)
{
	static char path[256];
	const char *build = getenv("WEIR_BUILD");

	snprintf(path, sizeof(path), "%s/plugins/exporters/nop.so",
		 build ? build : "build");
	return path;
}

START_TEST(takes_everything_and_counts_it)
{
	struct weir_error error = { 0 };
	struct weir_outcome outcome;
	struct weir_test *t = weir_test_open(so(), "", WEIR_TRACES, &error);
	struct spans spans = spans_make(5);
	int number;

	ck_assert_msg(t, "%s", error.text);
	ck_assert_msg(!weir_test_start(t, &error), "%s", error.text);
	number = weir_test_send(t, WEIR_SIGNAL_TRACES, spans.ptr, spans.len,
				NULL);
	weir_test_run(t);
	ck_assert(weir_test_answer(t, number, &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
	ck_assert(weir_test_metric(t, "otelcol_exporter_sent_spans") == 5);
	ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
	free(spans.ptr);
}
END_TEST

START_TEST(takes_no_keys)
{
	struct weir_error error = { 0 };

	ck_assert_ptr_null(weir_test_open(so(), "speed: 1", WEIR_TRACES,
					  &error));
	ck_assert_uint_ne(strlen(error.text), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("exporters/nop");
	TCase *tc = tcase_create("nop");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, takes_everything_and_counts_it);
	tcase_add_test(tc, takes_no_keys);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
