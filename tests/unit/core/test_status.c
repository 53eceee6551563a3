/* SPDX-License-Identifier: Apache-2.0 */
/* Outcomes as values: what HTTP says of them, and their text. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <weir/plugin.h>

#define N(table) (int)(sizeof(table) / sizeof((table)[0]))

static const struct {
	enum weir_status status;
	enum weir_reason reason;
	int http;
} codes[] = {
	{ WEIR_OK, WEIR_REASON_NONE, 200 },
	{ WEIR_OK, WEIR_REASON_FULL, 200 },
	{ WEIR_INTERNAL, WEIR_REASON_NONE, 500 },
	{ WEIR_UNAVAILABLE, WEIR_REASON_STORAGE, 503 },
	{ WEIR_UNAVAILABLE, WEIR_REASON_QUOTA, 429 },
	{ WEIR_UNAVAILABLE, WEIR_REASON_GAVE_UP, 503 },
	{ WEIR_DEADLINE_EXCEEDED, WEIR_REASON_DEADLINE, 503 },
	{ WEIR_RESOURCE_EXHAUSTED, WEIR_REASON_TOO_BIG, 413 },
	{ WEIR_INVALID_ARGUMENT, WEIR_REASON_MEDIA_TYPE, 415 },
	/* final: nothing that asks to send it again */
	{ WEIR_INTERNAL, WEIR_REASON_STORAGE, 500 },
	{ WEIR_UNKNOWN, WEIR_REASON_GAVE_UP, 500 },
	{ WEIR_INVALID_ARGUMENT, WEIR_REASON_QUOTA, 400 },
	{ (enum weir_status)99, WEIR_REASON_FULL, 500 },
};

START_TEST(http_says_the_same)
{
	struct weir_outcome outcome = { .status = codes[_i].status,
					.reason = codes[_i].reason };

	ck_assert_int_eq(weir_outcome_http(&outcome), codes[_i].http);
}
END_TEST

static const struct {
	const char *from, *text;
} texts[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "a\nb\x1b[2J\x7f", "a?b?[2J?" },
	{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
	{ "\xff\xc3(\xed\xa0\x80", "?\?(???" },
	{ "half a \xe2\x82", "half a ??" },
};

START_TEST(a_text_is_printable_utf8)
{
	struct weir_outcome outcome;

	weir_outcome_set(&outcome, WEIR_INTERNAL, WEIR_REASON_BACKEND, "%s",
			 texts[_i].from);
	ck_assert_str_eq(outcome.text, texts[_i].text);
}
END_TEST

START_TEST(a_character_that_is_cut_is_none)
{
	struct weir_outcome outcome;
	size_t end = sizeof(outcome.text) - 1;

	weir_outcome_set(&outcome, WEIR_INTERNAL, WEIR_REASON_BACKEND,
			 "%*s\xe2\x82\xac", (int)end - _i, "");
	ck_assert_uint_eq(strlen(outcome.text), end);
	ck_assert_int_eq(outcome.text[end - 1], _i == 3 ? '\xac' : '?');
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("status");
	TCase *tc = tcase_create("outcomes");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, http_says_the_same, 0, N(codes));
	tcase_add_loop_test(tc, a_text_is_printable_utf8, 0, N(texts));
	tcase_add_loop_test(tc, a_character_that_is_cut_is_none, 1, 4);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
