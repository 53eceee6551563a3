/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_interest_scan: keys that a function knows, and integers from a bound
 * on.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "data/interest.h"
#include "data/match.h"
#include "data/walk.h"
#include "data/wire.h"

/* --- Scans of keys ------------------------------------------------------ */

struct asked {
	const char *word;
	unsigned times;
};

static bool ask(const void *arg, weir_str key)
{
	struct asked *asked = (struct asked *)(uintptr_t)arg;

	asked->times++;
	return memmem(key.ptr, key.len, asked->word,
		      strlen(asked->word)) != NULL;
}

/* Every key is asked about once, the answer holds where the scan looks, and
 * beside what others look for. */
START_TEST(a_scan_is_asked_about_each_key_once)
{
	struct asked first = { "pass", 0 }, second = { "key", 0 };
	struct weir_interest *interest = interest_new();
	struct interest_set *set;
	const struct place *record, *nested, *event;
	static const struct {
		const char *key;
		bool record, nested, event;
	} cases[] = {
		{ "db.password", true, true, false },
		{ "api_key", true, false, false },
		{ "exact", true, false, false },
		{ "index", false, false, false },
		{ "password_key", true, true, false },
		{ "", false, false, false }, { "pas", false, false, false },
	};
	enum { CASES = sizeof(cases) / sizeof(*cases) };

	weir_interest_key_scan(interest, WEIR_AT_RECORD | WEIR_AT_NESTED, ask,
			       &first);
	weir_interest_key_scan(interest, WEIR_AT_RECORD, ask, &second);
	weir_interest_key(interest, WEIR_AT_RECORD, WEIR_STR("exact"));
	set = interest_compile(&interest, 1);
	ck_assert(!interest_set_empty(set));
	record = &set->place[PLACE_OF(WEIR_LEVEL_RECORD, PLACE_FLAT)];
	nested = &set->place[PLACE_OF(WEIR_LEVEL_RECORD, PLACE_NESTED)];
	event = &set->place[PLACE_OF(WEIR_LEVEL_EVENT, PLACE_FLAT)];
	for (unsigned round = 0; round < 3; round++)
		for (int i = 0; i < CASES; i++) {
			uint8_t key[64] = { 0 };	/* read over */
			size_t n = strlen(cases[i].key);

			memcpy(key, cases[i].key, n);
			ck_assert_msg(match_key(set, record, key, n) ==
				      cases[i].record, "%s", cases[i].key);
			ck_assert_msg(match_key(set, nested, key, n) ==
				      cases[i].nested, "%s", cases[i].key);
			ck_assert_msg(match_key(set, event, key, n) ==
				      cases[i].event, "%s", cases[i].key);
		}
	ck_assert_uint_eq(first.times, CASES);
	ck_assert_uint_eq(second.times, CASES - 3);	/* wanted already */
	interest_set_free(&set);
	interest_free(&interest);
}
END_TEST

/* One too long to be remembered is asked about each time. */
START_TEST(a_scan_is_asked_again_about_a_long_key)
{
	struct asked asked = { "pass", 0 };
	struct weir_interest *interest = interest_new();
	struct interest_set *set;
	const struct place *record;
	uint8_t key[80];

	memset(key, 'x', sizeof(key));
	memcpy(key + 66, "pass", 4);
	weir_interest_key_scan(interest, WEIR_AT_RECORD, ask, &asked);
	set = interest_compile(&interest, 1);
	record = &set->place[PLACE_OF(WEIR_LEVEL_RECORD, PLACE_FLAT)];
	for (unsigned round = 1; round <= 3; round++) {
		ck_assert(match_key(set, record, key, 70));
		ck_assert(!match_key(set, record, key, 69));
		ck_assert_uint_eq(asked.times, 2 * round);
	}
	interest_set_free(&set);
	interest_free(&interest);
}
END_TEST

/* --- Integers ------------------------------------------------------------ */

/* A span with the attribute k of that value; returns how long it is. */
static size_t put_span(uint8_t *out, const uint8_t *value, size_t n)
{
	static const uint8_t key[] = { 0x0a, 0x01, 'k', 0x12 };
	uint8_t *p = out;
	size_t pair = sizeof(key) + 1 + n;

	for (size_t i = 0; i < 3; i++) {	/* resource, scope, span */
		*p++ = i ? 0x12 : 0x0a;
		*p++ = (uint8_t)(pair + 2 * (3 - i));
	}
	*p++ = 0x4a;
	*p++ = (uint8_t)pair;
	memcpy(p, key, sizeof(key));
	p += sizeof(key);
	*p++ = (uint8_t)n;
	memcpy(p, value, n);
	return (size_t)(p + n - out);
}

static bool integer_wanted(const struct interest_set *set,
			   const uint8_t *value, size_t n)
{
	uint8_t bytes[128] = { 0 };
	size_t len = put_span(bytes, value, n);
	struct notes notes = { 0 };
	bool wanted;

	ck_assert(walk_interest(WEIR_SIGNAL_TRACES, bytes, len, set, &notes));
	wanted = notes.n;
	notes_release(&notes);
	return wanted;
}

static const struct {
	const char *why;
	int64_t value;
	uint64_t least, second;		/* second: of another stage, 0 none */
	bool wanted;
} integers[] = {
	{ "less", 999, 1000, 0, false },
	{ "as much", 1000, 1000, 0, true },
	{ "more", 1001, 1000, 0, true },
	{ "one below 13 digits", 999999999999, 1000000000000, 0, false },
	{ "13 digits", 1000000000000, 1000000000000, 0, true },
	{ "the largest", INT64_MAX, 1000000000000, 0, true },
	{ "nothing", 0, 1, 0, false },
	{ "none is least: all that is something", 1, 0, 0, true },
	{ "a negative one, whatever it is", -1, 1000, 0, true },
	{ "the least", INT64_MIN, 1000, 0, true },
	{ "one byte", 127, 127, 0, true },
	{ "one byte, less", 126, 127, 0, false },
	{ "two bytes", 128, 128, 0, true },
	{ "the most of two", 16383, 16383, 0, true },
	{ "less of two", 16382, 16383, 0, false },
	{ "three bytes", 16384, 16384, 0, true },
	{ "the smaller bound counts", 50, 1000, 50, true },
	{ "in either order", 50, 50, 1000, true },
	{ "and not less than that", 49, 1000, 50, false },
};

START_TEST(integers_are_wanted_from_a_bound_on)
{
	struct weir_interest *interest = interest_new();
	struct interest_set *set;
	uint8_t value[16] = { 0x18 }, *end;

	weir_interest_integers(interest, WEIR_AT_RECORD, integers[_i].least);
	if (integers[_i].second)
		weir_interest_integers(interest, WEIR_AT_RECORD,
				       integers[_i].second);
	set = interest_compile(&interest, 1);
	end = wire_put_varint(value + 1, (uint64_t)integers[_i].value);
	ck_assert_msg(integer_wanted(set, value, (size_t)(end - value)) ==
		      integers[_i].wanted, "%s", integers[_i].why);
	interest_set_free(&set);
	interest_free(&interest);
}
END_TEST

/* Only where the stage looks, and of integers only: no double, no text. */
START_TEST(nothing_else_is_wanted_with_integers)
{
	static const uint8_t integer[] = { 0x18, 0x80, 0x80, 0x80, 0x10 };
	static const uint8_t real[] = { 0x21, 0xff, 0xff, 0xff, 0xff, 0xff,
					0xff, 0xef, 0x7f };
	static const uint8_t text[] = { 0x0a, 0x03, '9', '9', '9' };
	static const uint8_t truth[] = { 0x10, 0x01 };
	struct weir_interest *interest = interest_new();
	struct interest_set *set;

	weir_interest_integers(interest, WEIR_AT_RECORD, 1);
	set = interest_compile(&interest, 1);
	ck_assert(integer_wanted(set, integer, sizeof(integer)));
	ck_assert(!integer_wanted(set, real, sizeof(real)));
	ck_assert(!integer_wanted(set, text, sizeof(text)));
	ck_assert(!integer_wanted(set, truth, sizeof(truth)));
	interest_set_free(&set);
	interest_free(&interest);
	interest = interest_new();
	weir_interest_integers(interest, WEIR_AT_RESOURCE | WEIR_AT_EVENT, 1);
	set = interest_compile(&interest, 1);
	ck_assert(!integer_wanted(set, integer, sizeof(integer)));
	interest_set_free(&set);
	interest_free(&interest);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core/interest, scans");
	TCase *tc = tcase_create("scans");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, a_scan_is_asked_about_each_key_once);
	tcase_add_test(tc, a_scan_is_asked_again_about_a_long_key);
	tcase_add_loop_test(tc, integers_are_wanted_from_a_bound_on, 0,
			    sizeof(integers) / sizeof(*integers));
	tcase_add_test(tc, nothing_else_is_wanted_with_integers);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
