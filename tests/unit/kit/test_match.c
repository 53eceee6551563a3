/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks are compiled per signal, and blocks that are off cost nothing.  What
 * they choose is in processors/test_attributes.c.
 */
#include <check.h>
#include <weir/kit/match.h>

static const weir_str name[] = { { "m", 1 } };

START_TEST(blocks_that_are_off_are_not_checked)
{
	struct weir_match_config off = { .enabled = false };
	struct weir_error error;

	for (unsigned signal = 0; signal < WEIR_SIGNAL_COUNT; signal++) {
		struct weir_match *match = weir_match_new(&off, &off, signal,
							  &error);

		ck_assert_ptr_nonnull(match);
		weir_match_free(&match);
		ck_assert_ptr_null(match);
	}
}
END_TEST

START_TEST(a_field_belongs_to_its_signal)
{
	struct weir_match_config off = { .enabled = false };
	struct weir_match_config metrics = { .enabled = true,
		.match_type = WEIR_STR("strict"),
		.metric_names = { name, 1 } };
	struct weir_error error;
	struct weir_match *match;

	match = weir_match_new(&metrics, &off, WEIR_SIGNAL_METRICS, &error);
	ck_assert_ptr_nonnull(match);
	weir_match_free(&match);
	match = weir_match_new(&off, &metrics, WEIR_SIGNAL_TRACES, &error);
	ck_assert_ptr_null(match);
	ck_assert_str_eq(error.path, "exclude");
	ck_assert_str_eq(error.text,
			 "metric_names should not be specified for trace spans");
	ck_assert_ptr_null(weir_match_new(&metrics, &off, WEIR_SIGNAL_LOGS,
					  &error));
	ck_assert_str_eq(error.path, "include");
}
END_TEST

START_TEST(metrics_need_a_known_match_type)
{
	struct weir_match_config off = { .enabled = false };
	struct weir_match_config odd = { .enabled = true,
		.match_type = WEIR_STR("glob"), .metric_names = { name, 1 } };
	struct weir_error error;

	ck_assert_ptr_null(weir_match_new(&odd, &off, WEIR_SIGNAL_METRICS,
					  &error));
	ck_assert_str_eq(error.text, "unrecognized match_type: 'glob', valid "
			 "types are: [regexp strict]");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kit/match");
	TCase *c = tcase_create("match");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(c, blocks_that_are_off_are_not_checked);
	tcase_add_test(c, a_field_belongs_to_its_signal);
	tcase_add_test(c, metrics_need_a_known_match_type);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
