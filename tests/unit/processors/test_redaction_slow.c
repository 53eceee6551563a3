/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Catalogue row 111, the patterns of users: what hurts other engines is linear
 * here; what this one cannot do in time is masked as a whole, and counted.
 */
#include "redact_long.h"

#define RULES "allow_all_keys: true\n"

/* Letters a and b by chance: an automaton that has to remember them gets a new
 * state with each. */
static void chance(struct weir_text *text)
{
	uint64_t z = 1;

	weir_text_clear(text);
	while (text->len < LONG) {
		z = z * 6364136223846793005u + 1442695040888963407u;
		weir_text_add(text, z >> 63 ? WEIR_STR("a") : WEIR_STR("b"));
	}
}

/* --- Linear -------------------------------------------------------------------- */

static const struct {
	const char *pattern, *text;
} linear[] = {
	{ "(a|a)*b", "a" }, { "(a*)*b", "a" }, { "(x+x+)+y", "x" },
	{ "([a-z]+)*!", "a" }, { "(a|aa)+c", "a" }, { "^(([a-z])+.)+[A-Z]$", "a" },
	{ "[^@]+@[^@]+\\.[a-z]+", "@" }, { "[^@]+@[^@]+\\.[a-z]+", "a@" },
	{ "(.*)(.*)(.*)(.*)(.*)x!", "x" }, { "a.*b.*c.*d", "abc" },
	{ "\\d+-\\d+-\\d+!", "12-" }, { "(?i)(pass|pw)+=+!", "passpw" },
};

/* A megabyte that no pattern hits goes as it came. */
START_TEST(row_111_what_others_choke_on_passes_as_it_came)
{
	struct weir_text text = { 0 }, out = { 0 };
	char yaml[256];

	snprintf(yaml, sizeof(yaml), RULES "blocked_values: ['%s']\n",
		 linear[_i].pattern);
	repeat(&text, linear[_i].text);
	ck_assert_double_eq(redacted(yaml, (weir_str){ text.ptr, text.len },
				     &out), -1);
	ck_assert_uint_gt(out.len, text.len);
	weir_text_release(&text);
	weir_text_release(&out);
}
END_TEST

/* --- Too much ------------------------------------------------------------------- */

static const struct {
	const char *why, *pattern, *text;	/* NULL: by chance */
} slow[] = {
	{ "states without end", "([ab]{0,20}a){20}c", NULL },
	{ "and those of a shorter one", "[ab]*a[ab]{20}c", NULL },
	{ "a far look behind each match", "x|x.*y", "x" },
	{ "and behind words", "(x+ )(.*!)?", "xx " },
};

START_TEST(row_111_what_is_too_much_is_masked_whole_and_counted)
{
	struct weir_text text = { 0 }, out = { 0 };
	char yaml[256];

	snprintf(yaml, sizeof(yaml), RULES "blocked_values: ['%s']\n",
		 slow[_i].pattern);
	if (slow[_i].text)
		repeat(&text, slow[_i].text);
	else
		chance(&text);
	weir_text_addf(&text, "SECRET aaaaaaaaaaaaaaaaaaaaaaaac");
	ck_assert_double_eq(redacted(yaml, (weir_str){ text.ptr, text.len },
				     &out), 1);
	ck_assert_msg(!is_in(&out, "SECRET"), "%s", slow[_i].why);
	ck_assert_msg(is_in(&out, "****"), "%s", slow[_i].why);
	ck_assert_uint_lt(out.len, 100);
	weir_text_release(&text);
	weir_text_release(&out);
}
END_TEST

/* A list that lets pass does not when it cannot tell. */
START_TEST(row_111_an_allowed_value_that_cannot_be_told_is_none)
{
	struct weir_text text = { 0 }, out = { 0 };

	chance(&text);
	weir_text_addf(&text, " SECRET c");
	redacted(RULES "blocked_values: ['SECRET']\n"
		 "allowed_values: ['([ab]{0,20}a){20}c']\n",
		 (weir_str){ text.ptr, text.len }, &out);
	ck_assert(!is_in(&out, "SECRET"));
	ck_assert(is_in(&out, "****"));
	weir_text_release(&text);
	weir_text_release(&out);
}
END_TEST

/* Many hits are no reason: each is masked.  An eighth of the length, far within
 * what they may take, also on a slow machine and sanitized. */
#ifndef __SANITIZE_THREAD__
START_TEST(row_111_many_matches_in_a_long_text_are_masked_each)
{
	struct weir_text text = { 0 }, out = { 0 };

	repeat(&text, "some words of text around card 4111111111111111 ... ");
	weir_text_cut(&text, LONG / 8);
	ck_assert_double_eq(redacted(RULES "blocked_values: "
				     "['4[0-9]{15}', '[a-z]+@[a-z.]+']\n",
				     (weir_str){ text.ptr, text.len }, &out),
			    -1);
	ck_assert(!is_in(&out, "4111"));
	ck_assert_uint_gt(out.len, text.len / 2);
	weir_text_release(&text);
	weir_text_release(&out);
}
END_TEST
#endif

#define N(table) (int)(sizeof(table) / sizeof(*table))

int main(void)
{
	Suite *suite = suite_create("processors/redaction, slow patterns");
	TCase *tests = tcase_create("slow");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests,
			    row_111_what_others_choke_on_passes_as_it_came, 0,
			    N(linear));
	tcase_add_loop_test(tests,
		row_111_what_is_too_much_is_masked_whole_and_counted, 0,
		N(slow));
	tcase_add_test(tests,
		       row_111_an_allowed_value_that_cannot_be_told_is_none);
#ifndef __SANITIZE_THREAD__	/* takes longer than a text may, there */
	tcase_add_test(tests,
		       row_111_many_matches_in_a_long_text_are_masked_each);
#endif
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
