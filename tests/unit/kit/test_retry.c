/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait, and how that is written. */
#include <check.h>
#include <stdlib.h>
#include <weir/kit/text.h>

#include "retry.h"

#define MS(n) ((int64_t)(n) * 1000000)
#define S(n) MS((n) * 1000)

static const struct weir_retry_config usual = {
	.initial_interval = { S(5) }, .max_interval = { S(30) },
	.randomization_factor = 0.5, .multiplier = 1.5
};

START_TEST(waits_grow_by_the_multiplier_up_to_the_longest)
{
	struct weir_retry_config config = usual;
	struct backoff backoff = { 0 };
	static const int64_t want[] = { S(5), MS(7500), MS(11250), MS(16875),
					25312500000, S(30), S(30) };

	config.randomization_factor = 0;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
		ck_assert_int_eq(backoff_next(&backoff, &config, 0.7),
				 want[i]);
}
END_TEST

START_TEST(the_first_wait_is_not_capped)
{
	struct weir_retry_config config = usual;
	struct backoff backoff = { 0 };

	config.randomization_factor = 0;
	config.initial_interval.ns = S(60);
	ck_assert_int_eq(backoff_next(&backoff, &config, 0), S(60));
	ck_assert_int_eq(backoff_next(&backoff, &config, 0), S(30));
}
END_TEST

static const struct {
	const char *why;
	double factor, chance;
	int64_t want;
} spreads[] = {
	{ "least chance: half of it less",	0.5, 0.0, 2500000000 },
	{ "middle: as it is",			0.5, 0.5, 5000000000 },
	{ "nearly one: half of it more",	0.5, 0.9999999999, 7500000000 },
	{ "whole factor, least: no wait",	1.0, 0.0, 0 },
	{ "no factor: chance has no say",	0.0, 0.9, 5000000000 },
};

START_TEST(chance_spreads_a_wait)
{
	struct weir_retry_config config = usual;
	struct backoff backoff = { 0 };
	int64_t got;

	config.randomization_factor = spreads[_i].factor;
	got = backoff_next(&backoff, &config, spreads[_i].chance);
	ck_assert_msg(llabs(got - spreads[_i].want) <= 1, "%s: %lld",
		      spreads[_i].why, (long long)got);
}
END_TEST

START_TEST(nothing_overflows)
{
	struct weir_retry_config config = {
		.initial_interval = { INT64_MAX },
		.max_interval = { INT64_MAX },
		.randomization_factor = 1, .multiplier = 1e300
	};
	struct backoff backoff = { 0 };

	for (int i = 0; i < 4; i++)
		ck_assert_int_gt(backoff_next(&backoff, &config, 0.99), 0);
}
END_TEST

START_TEST(a_multiplier_of_nothing_begins_again)
{
	struct weir_retry_config config = usual;
	struct backoff backoff = { 0 };

	config.multiplier = 0;
	config.randomization_factor = 0;
	ck_assert_int_eq(backoff_next(&backoff, &config, 0), S(5));
	ck_assert_int_eq(backoff_next(&backoff, &config, 0), S(5));
}
END_TEST

START_TEST(chance_lies_in_zero_to_one)
{
	ck_assert(backoff_chance(0) == 0);
	ck_assert(backoff_chance(UINT64_MAX) < 1);
	ck_assert(backoff_chance(UINT64_MAX) > 0.999999);
}
END_TEST

static const struct {
	const char *why;
	int64_t asked, want;
} throttles[] = {	/* attacks 126 */
	{ "what was asked for",		S(7), S(7) },
	{ "nothing asked",		0, 0 },
	{ "a date gone by",		-S(1), 0 },
	{ "for ever is the longest",	INT64_MAX, S(30) },
	{ "just over the longest",	S(30) + 1, S(30) },
};

START_TEST(a_backend_cannot_ask_for_more_than_the_longest_wait)
{
	weir_duration asked = { throttles[_i].asked };

	ck_assert_msg(retry_throttle(&usual, asked) == throttles[_i].want,
		      "%s", throttles[_i].why);
}
END_TEST

static const struct {
	int64_t ns;
	const char *text;
} durations[] = {	/* as Go's time.Duration writes them */
	{ 0, "0s" }, { 1, "1ns" }, { 1100, "1.1\xc2\xb5s" },
	{ 2200000, "2.2ms" }, { 983075947, "983.075947ms" },
	{ 3300000000, "3.3s" }, { 5000000000, "5s" },
	{ 60000000000, "1m0s" }, { 245000000000, "4m5s" },
	{ 245001000000, "4m5.001s" }, { 18367001000000, "5h6m7.001s" },
	{ 480000000001, "8m0.000000001s" }, { -1500000000, "-1.5s" },
	{ INT64_MAX, "2562047h47m16.854775807s" },
	{ INT64_MIN, "-2562047h47m16.854775808s" },
};

START_TEST(durations_read_as_in_go)
{
	char text[WEIR_DURATION_TEXT];

	ck_assert_str_eq(weir_duration_text(
		(weir_duration){ durations[_i].ns }, text),
		durations[_i].text);
}
END_TEST

#define EACH(tc, test, rows) \
	tcase_add_loop_test(tc, test, 0, sizeof(rows) / sizeof(*(rows)))

int main(void)
{
	Suite *suite = suite_create("kit/retry");
	TCase *tc = tcase_create("retry");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, waits_grow_by_the_multiplier_up_to_the_longest);
	tcase_add_test(tc, the_first_wait_is_not_capped);
	EACH(tc, chance_spreads_a_wait, spreads);
	tcase_add_test(tc, nothing_overflows);
	tcase_add_test(tc, a_multiplier_of_nothing_begins_again);
	tcase_add_test(tc, chance_lies_in_zero_to_one);
	EACH(tc, a_backend_cannot_ask_for_more_than_the_longest_wait,
	     throttles);
	EACH(tc, durations_read_as_in_go, durations);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
