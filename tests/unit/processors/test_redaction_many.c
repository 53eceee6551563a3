/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many value patterns at once: what each matches by itself is found among all,
 * and nothing else is.  The texts come from the patterns' own alphabets, so that
 * they come near.
 */
#include "attr_case.h"

#include "../../support/seeds.h"

#define TEXTS SEEDS_OF(60)	/* of each pattern */

static const char *const patterns[] = {
	"4[0-9]{12}(?:[0-9]{3})?", "AKIA[A-Z0-9]{16}", "sk-[A-Za-z0-9]{20}",
	"[0-9]{3}-[0-9]{2}-[0-9]{4}", "(?i)bearer [a-z0-9]+", "a|bcde|x{3}",
	"(foo|bar)baz", "ab?cd", "ab*cd", "ab+cd", "a{2,5}bc", "[^a]bcd",
	"\\d{4}\\s\\w{2}", "^abcd", "abcd$", "\\babcd\\b", "a.cd", "[a-c-]{4}",
	"[]x]{3}y", "[\\]\\-x]{4}", "(?i)TOKEN=[0-9]", "(?i)[a-j]{4}",
	"(?s)a.b", "x(?i)yz", "a(?i:b)cd", "\\x41bcd", "\\Qa.b\\E", "a{,2}b",
	"a{x}b", "\xc3\xa9t\xc3\xa9", "caf[\xc3\xa9" "e]s", "\\pLabc",
	"[[:digit:]]{4}", "(((a)b)c)d", "a(|b)c", "()abc", "q", "[xyz]", "xy",
	"x+y+z+1", "(?P<n>ab)cd", "a\\|b\\.c", "1{4}", "0{1,2}1{0}2{2}3",
	"[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}", "a??bc", "[a-f]+?12",
	"(?i)sksk=[0-9]",	/* also with a long s and a Kelvin sign */
};
#define N (sizeof(patterns) / sizeof(*patterns))

static uint64_t state;
static size_t all_hits, all_texts;

static unsigned chance(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

/* Pieces of all patterns' texts, and of this one more often. */
static size_t make_text(unsigned of, char *out)
{
	static const char *const more[] = {
		"4111111111111111", "AKIAABCDEFGHIJKLMNOP", "bearer 1", "BEARER x",
		"sk-abcdefghijklmnopqrst", "123-45-6789", "foobaz", "abcd",
		"1234 ab", "toKen=5", "to\xe2\x84\xaa" "en=5", "\xc3\xa9t\xc3\xa9",
		"10.20.30", "aXcd", "x", " ", "]x]y", "a|b.c", "xxyz1", "ABCD",
		"\xc5\xbfksk=1", "sks\xe2\x84\xaa=1",
	};
	size_t len = 0, pieces = 1 + chance(4);

	for (size_t i = 0; i < pieces; i++) {
		const char *from = chance(3) ? patterns[of] :
			chance(2) ? more[chance(22)] : patterns[chance(N)];
		size_t n = strlen(from), at = chance(2) ? 0 : chance((unsigned)n);
		size_t many = chance(2) ? n - at : 1 + chance((unsigned)(n - at));

		/* a metacharacter less, now and then */
		for (size_t j = at; j < at + many; j++)
			if (!strchr("\\[]{}()?*+^$", from[j]) || !chance(4))
				out[len++] = from[j] == ' ' ? '_' : from[j];
	}
	return len;
}

static bool is_utf8(const char *text, size_t len)
{
	struct weir_text mended = { 0 };
	bool same;

	weir_text_add_utf8(&mended, (weir_str){ text, len });
	same = mended.len == len && (!len || !memcmp(mended.ptr, text, len));
	weir_text_release(&mended);
	return same;
}

static struct weir_test *open_plugin(size_t first, size_t end)
{
	static char yaml[8192];
	size_t len = (size_t)sprintf(yaml, "allow_all_keys: true\n"
				     "summary: info\nblocked_values:\n");
	struct weir_error error = { .text = "" };
	struct weir_test *t;

	for (size_t i = first; i < end; i++)
		len += (size_t)sprintf(yaml + len, "- '%s'\n", patterns[i]);
	t = weir_test_open(plugin_path("redaction"), yaml, WEIR_TRACES,
			   &error);
	ck_assert_msg(t != NULL, "%s: %s", error.path, error.text);
	ck_assert(!weir_test_start(t, &error));
	return t;
}

/* Was its only attribute changed?  Then a count stands beside it. */
static bool is_hit(struct weir_test *t, size_t n, const char *text, size_t len)
{
	struct bytes value = { .len = 0 }, pair = { .len = 0 };
	struct bytes span = { .len = 0 }, scope = { .len = 0 };
	struct bytes wrapper = { .len = 0 }, request = { .len = 0 };
	struct weir_outcome outcome;
	weir_str got;

	put_field(&value, 1, text, len);
	put_text(&pair, 1, "-");
	put_field(&pair, 2, value.v, value.len);
	put_field(&span, 9, pair.v, pair.len);
	put_field(&scope, 2, span.v, span.len);
	put_field(&wrapper, 2, scope.v, scope.len);
	put_field(&request, 1, wrapper.v, wrapper.len);
	ck_assert_int_ge(weir_test_send(t, WEIR_SIGNAL_TRACES, request.v,
					request.len, &outcome), 0);
	weir_test_run(t);
	ck_assert_uint_eq(weir_test_passed(t), n + 1);
	got = weir_test_bytes(t, n);
	return memmem(got.ptr, got.len, "redaction.masked", 16) != NULL;
}

/* Patterns from `first` to before `end`, texts near each of them. */
static void compare(size_t first, size_t end)
{
	struct weir_regex *regex[N];
	struct weir_error error;
	struct weir_test *t = open_plugin(first, end);
	size_t n = 0, hits = 0;

	for (size_t i = first; i < end; i++) {
		regex[i] = weir_regex_new(weir_str_of(patterns[i]), &error);
		ck_assert_ptr_nonnull(regex[i]);
	}
	for (size_t i = 0; i < TEXTS * (end - first); i++) {
		char text[512];
		size_t len = make_text((unsigned)(first + i % (end - first)),
				       text);
		bool expected = false;

		if (!is_utf8(text, len))
			continue;
		for (size_t j = first; j < end; j++)
			expected |= weir_regex_match(regex[j],
						     (weir_str){ text, len });
		ck_assert_msg(is_hit(t, n++, text, len) == expected,
			      "%s: %.*s: %d", patterns[first], (int)len, text,
			      expected);
		hits += expected;
	}
	all_hits += hits;
	all_texts += n;
	for (size_t i = first; i < end; i++)
		weir_regex_free(&regex[i]);
	weir_test_stop(t);
	ck_assert(!weir_test_close(&t, &error));
}

START_TEST(finds_what_the_engine_finds)
{
	state = 7;
	for (size_t i = 0; i < N; i++)
		compare(i, i + 1);
	ck_assert_uint_gt(all_hits, all_texts / 10);
	ck_assert_uint_lt(all_hits, all_texts * 9 / 10);
}
END_TEST

START_TEST(finds_among_many_what_each_finds_alone)
{
	state = 8;
	for (size_t i = 0; i < N; i += 6)
		compare(i, i + 6 < N ? i + 6 : N);
	compare(0, N);
	ck_assert_uint_gt(all_hits, all_texts / 10);
	ck_assert_uint_lt(all_hits, all_texts);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("processors/redaction, many patterns");
	TCase *c = tcase_create("redaction");
	SRunner *r = srunner_create(s);
	int failed;

	(void)expect_case;
	(void)expect_refused;
	tcase_set_timeout(c, 300);
	tcase_add_test(c, finds_what_the_engine_finds);
	tcase_add_test(c, finds_among_many_what_each_finds_alone);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
