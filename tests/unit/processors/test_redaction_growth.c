/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masks and digests are longer than what they stand for: what would grow
 * without measure is masked whole, and counted; what is taken is charged to
 * the byte budget, and given back.
 */
#include "redact_long.h"

#define RULES "allow_all_keys: true\n"
#define HMAC "hash_function: hmac-sha512\nhmac_key: " \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
#define SHA3 "hash_function: sha3\n"
#define JSON "structured_strings: {enabled: true}\n"

/* A megabyte of it each. */
static const struct {
	const char *why, *yaml, *text;
} floods[] = {
	{ "every digit a digest", HMAC "blocked_values: ['[0-9]']\n", "7" },
	{ "what is between the digits, too", HMAC "blocked_values: ['x*']\n",
	  "7" },
	{ "stars eight times as long", "blocked_values: ['[0-9]', '[*]']\n",
	  "7" },
	{ "every address", SHA3 "detectors: [email]\n", "a@b.de " },
	{ "every line of a blocked key", HMAC "blocked_key_patterns: [k]\n",
	  "\n" },
};

START_TEST(what_grows_without_measure_is_masked_whole_and_counted)
{
	struct weir_text text = { 0 }, out = { 0 };
	uint64_t before = weir_budget_used();
	char yaml[512];

	snprintf(yaml, sizeof(yaml), RULES "%s", floods[_i].yaml);
	repeat(&text, floods[_i].text);
	ck_assert_msg(redacted(yaml, (weir_str){ text.ptr, text.len }, &out) ==
		      1, "%s", floods[_i].why);
	ck_assert_uint_lt(out.len, 300);
	ck_assert_uint_eq(weir_budget_used(), before);
	weir_text_release(&text);
	weir_text_release(&out);
}
END_TEST

START_TEST(json_that_grows_without_measure_is_removed_and_counted)
{
	struct weir_text text = { 0 }, out = { 0 };
	uint64_t before = weir_budget_used();

	repeat(&text, "7,");
	text.ptr[0] = '[';
	text.ptr[text.len - 1] = ']';
	text.ptr[1] = '7';
	ck_assert_double_eq(redacted(RULES JSON HMAC
				     "blocked_values: ['[0-9]']\n",
				     (weir_str){ text.ptr, text.len }, &out),
			    1);
	ck_assert_uint_lt(out.len, 300);
	ck_assert_uint_eq(weir_budget_used(), before);
	weir_text_release(&text);
	weir_text_release(&out);
}
END_TEST

/* 4,000 digits become half a megabyte, of the one that may be borrowed. */
#ifndef __SANITIZE_THREAD__
START_TEST(a_value_may_grow_where_those_before_it_did_not)
{
	struct weir_text text = { 0 }, out = { 0 };

	while (text.len < 4000)
		weir_text_add(&text, WEIR_STR("7"));
	ck_assert_double_eq(redacted_times(RULES HMAC
				"blocked_values: ['[0-9]']\n",
				(weir_str){ text.ptr, text.len }, 1, &out),
			    -1);
	ck_assert_uint_gt(out.len, 4000 * 128);
	ck_assert_double_eq(redacted_times(RULES HMAC
				"blocked_values: ['[0-9]']\n",
				(weir_str){ text.ptr, text.len }, 5, &out), 3);
	ck_assert_uint_gt(out.len, 2 * 4000 * 128);
	ck_assert_uint_lt(out.len, 2 * 4000 * 128 + 2000);
	weir_text_release(&text);
	weir_text_release(&out);
}
END_TEST
#endif

/* A digest is longer than `no`: that alone is no reason, however many. */
START_TEST(single_digests_have_room_however_many_there_are)
{
	struct weir_text out = { 0 };

	ck_assert_double_eq(redacted_times(RULES HMAC
				"blocked_values: ['^no$']\n", WEIR_STR("no"),
				20000, &out), -1);
	ck_assert_uint_gt(out.len, 20000 * 128);
	weir_text_release(&out);
}
END_TEST

/* The budget says no: nothing that should be masked passes for it. */
START_TEST(without_memory_for_masks_a_value_is_masked_whole)
{
	struct weir_text text = { 0 }, out = { 0 };

	repeat(&text, "card 4111111111111111 and so on ");
	/* half a megabyte behind the request itself */
	weir_budget_limit(weir_budget_used() + (3 << 19),
			  weir_budget_used() + (3 << 19));
	ck_assert_double_eq(redacted(RULES "blocked_values: ['4[0-9]{15}']\n",
				     (weir_str){ text.ptr, text.len }, &out),
			    1);
	ck_assert(!is_in(&out, "4111"));
	ck_assert(is_in(&out, "****"));
	ck_assert_uint_lt(out.len, 300);
	weir_text_release(&text);
	weir_text_release(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/redaction, growth");
	TCase *tests = tcase_create("growth");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests,
		what_grows_without_measure_is_masked_whole_and_counted, 0,
		(int)(sizeof(floods) / sizeof(*floods)));
	tcase_add_test(tests,
		       json_that_grows_without_measure_is_removed_and_counted);
#ifndef __SANITIZE_THREAD__	/* 20,000 digests take longer than a value may */
	tcase_add_test(tests, a_value_may_grow_where_those_before_it_did_not);
#endif
	tcase_add_test(tests, single_digests_have_room_however_many_there_are);
	tcase_add_test(tests, without_memory_for_masks_a_value_is_masked_whole);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
