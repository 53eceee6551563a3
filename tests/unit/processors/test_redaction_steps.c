/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Catalogue row 111, the detectors: no text makes them look at more than a few
 * times its bytes.  Counted, not timed: every byte that a probe reads and every
 * window that is compared is a step.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define DETECT_STEPS
#include "../../../processors/redaction/detect.c"
#include "../../../processors/redaction/detect_key.c"
#include "../../../processors/redaction/detect_name.c"
#include "../../../processors/redaction/detect_number.c"
#include "../../../processors/redaction/detect_scan.c"
#include "../../../processors/redaction/detect_scheme.c"
#include "../../../processors/redaction/detect_seen.c"
#include "../../../processors/redaction/detect_text.c"
#include "../../../processors/redaction/detect_value.c"
#include "detect_floods.h"

#define LONG (64 << 10)
#define PAIR (16 << 10)	/* of two floods: there are many pairs */
#define STEPS 12	/* a byte, at most */
#define CHANCES 4000

uint64_t detect_steps;

static struct detectors compiled(int only)
{
	weir_str on[DETECTORS];
	struct weir_strs list = { on, 0 };
	struct weir_error error;
	struct detectors d;

	for (int i = 0; i < DETECTORS; i++)
		if (only < 0 || only == i)
			on[list.len++] = weir_str_of(detector_name(i));
	ck_assert_int_eq(detectors_init(&d, list, &error), 0);
	return d;
}

/* Steps to find all there is. */
static uint64_t steps_of(const struct detectors *d, const char *text,
			 size_t len)
{
	struct detect_walk walk;
	struct detected hit;
	size_t from = 0;

	detect_steps = 0;
	detect_start(&walk, d, (weir_str){ text, len });
	while (detect_next(&walk, from, &hit)) {
		ck_assert_uint_ge(hit.at, from);
		from = hit.at + hit.len;
	}
	ck_assert_uint_le(from, len);
	return detect_steps;
}

static void check_flood(const struct detectors *d, const char *what, size_t n)
{
	static char text[LONG];
	uint64_t steps;

	flood_fill(text, LONG, what, n);
	steps = steps_of(d, text, LONG);
	if (getenv("WEIR_STEPS"))
		printf("%6.2f steps a byte: %.*s\n", (double)steps / LONG,
		       (int)n, what);
	ck_assert_msg(steps <= (uint64_t)STEPS * LONG,
		      "%.1f steps a byte for \"%.*s\"", (double)steps / LONG,
		      (int)n, what);
}

START_TEST(row_111_no_flood_of_near_misses_is_read_more_than_a_few_times)
{
	struct detectors d = compiled(-1);

	for (size_t i = 0; i < FLOODS; i++)
		check_flood(&d, floods[i], strlen(floods[i]));
}
END_TEST

START_TEST(row_111_nor_does_one_detector_alone_read_more)
{
	struct detectors d = compiled(_i);

	for (size_t i = 0; i < FLOODS; i++)
		check_flood(&d, floods[i], strlen(floods[i]));
}
END_TEST

START_TEST(row_111_nor_does_a_flood_made_by_chance)
{
	struct detectors d = compiled(-1);

	for (uint64_t i = 0; i < CHANCES / 8; i++) {
		char what[64];
		size_t n = flood_by_chance((uint64_t)_i * CHANCES + i, what);

		check_flood(&d, what, n);
	}
}
END_TEST

/* Two near-misses in each other: what the first reads, the second asks for. */
static void check_pair(const struct detectors *d, const char *one,
		       const char *other)
{
	static char text[PAIR];
	uint64_t steps;

	flood_fill(text, PAIR / 2, one, strlen(one));
	flood_fill(text + PAIR / 2, PAIR / 2, other, strlen(other));
	steps = steps_of(d, text, PAIR);
	ck_assert_msg(steps <= (uint64_t)STEPS * PAIR,
		      "%.1f steps a byte for \"%s\" and \"%s\"",
		      (double)steps / PAIR, one, other);
}

/* One in eight of the pairs, another for each: all take half a minute. */
START_TEST(row_111_nor_does_one_flood_behind_another)
{
	struct detectors d = compiled(-1);

	for (size_t i = (size_t)_i; i < FLOODS; i += 8)
		for (size_t j = i / 8 % 8; j < FLOODS; j += 8)
			check_pair(&d, floods[i], floods[j]);
}
END_TEST

/* They are searched by halves. */
START_TEST(the_tables_of_numbers_are_in_order)
{
	size_t n = sizeof(issuers) / sizeof(*issuers);

	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_le(issuers[i].first, issuers[i].last);
		ck_assert(!i || issuers[i - 1].last < issuers[i].first);
	}
}
END_TEST

/* The counter counts: a byte that is read twice is two steps. */
START_TEST(steps_are_counted)
{
	struct look l = { "abc", 3, 0, 0, NULL };

	detect_steps = 0;
	ck_assert(run_end(&l, 0, LOWER, SIZE_MAX) == 3);
	ck_assert(byte_at(&l, 1) == 'b');
	ck_assert_uint_eq(detect_steps, 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/redaction, row 111");
	TCase *tests = tcase_create("steps");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, steps_are_counted);
	tcase_add_test(tests, the_tables_of_numbers_are_in_order);
	tcase_add_test(tests,
		row_111_no_flood_of_near_misses_is_read_more_than_a_few_times);
	tcase_add_loop_test(tests, row_111_nor_does_one_detector_alone_read_more,
			    0, DETECTORS);
	tcase_add_loop_test(tests, row_111_nor_does_a_flood_made_by_chance, 0,
			    8);
	tcase_add_loop_test(tests, row_111_nor_does_one_flood_behind_another, 0,
			    8);
	tcase_set_timeout(tests, 60);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
