/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Go's regexp package takes, refuses, finds and replaces; the rows were
 * compared with it.
 */
#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/regex.h>

#include "data/pattern.h"

/* Core finds the engine beside libweir.so; here core is linked in, so it is
 * opened beforehand and found by its soname. */
static void open_engine(void)
{
	const char *build = getenv("WEIR_BUILD");
	char path[4096];

	snprintf(path, sizeof(path), "%s/libweirre2.so", build ? build : "build");
	ck_assert_msg(dlopen(path, RTLD_NOW) != NULL, "%s", dlerror());
}

static struct weir_regex *compile(const char *pattern)
{
	struct weir_error error;
	struct weir_regex *regex = weir_regex_new(weir_str_of(pattern), &error);

	ck_assert_msg(regex != NULL, "%s: %s", pattern, error.text);
	return regex;
}

/* --- What is refused ------------------------------------------------------- */

static const struct {
	const char *pattern, *text;
} refused[] = {
	{ "a(b", "missing closing ): `a(b`" },
	{ "a)", "unexpected ): `a)`" },
	{ "[a", "missing closing ]: `[a`" },
	{ "[z-a]", "invalid character class range: `z-a`" },
	{ "*a", "missing argument to repetition operator: `*`" },
	{ "a**", "invalid nested repetition operator: `**`" },
	{ "a{2,1}", "invalid repeat count: `{2,1}`" },
	{ "a{1001}", "invalid repeat count: `{1001}`" },
	{ "(?P<n-a>a)", "invalid named capture: `(?P<n-a>`" },
	{ "(?<n", "invalid named capture: `(?<n`" },
	{ "(?<=a)b", "invalid named capture: `(?<=a)b`" },
	{ "(?P<>a)", "invalid named capture: `(?P<>`" },
	{ "(?<\xc3\xa9>a)", "invalid named capture: `(?<\xc3\xa9>`" },
	{ "x\\C", "invalid escape sequence: `\\C`" },
	{ "[\\C]", "invalid escape sequence: `\\C`" },
	{ "\\8", "invalid escape sequence: `\\8`" },
	{ "\\Z", "invalid escape sequence: `\\Z`" },
	{ "a\\", "trailing backslash at end of expression: ``" },
	{ "(?=a)", "invalid or unsupported Perl syntax: `(?=`" },
	{ "[[:foo:]]", "invalid character class range: `[:foo:]`" },
	{ "\\pX", "invalid character class range: `\\pX`" },
	{ "(?P<n>", "missing closing ): `(?P<n>`" },
	{ "a\xff", "invalid UTF-8: `a\xff`" },
};

START_TEST(refuses_what_go_refuses)
{
	struct weir_error error;
	char want[600];

	open_engine();
	snprintf(want, sizeof(want), "error parsing regexp: %s",
		 refused[_i].text);
	ck_assert_ptr_null(weir_regex_new(weir_str_of(refused[_i].pattern),
					  &error));
	ck_assert_str_eq(error.text, want);
}
END_TEST

/* --- What matches ------------------------------------------------------------ */

static const struct {
	const char *why, *pattern, *text;
	bool matches;
} matches[] = {
	{ "a literal is found anywhere", "key", "my_key_2", true },
	{ "a literal is case-sensitive", "key", "KEY", false },
	{ "escaped punctuation is literal", "user\\.email", "userxemail", false },
	{ "the empty pattern is everywhere", "", "", true },
	{ "a word is the whole text", "^token$", "token", true },
	{ "a longer text is not the word", "^token$", "token2", false },
	{ "one of the words", "^(api_key|token)$", "token", true },
	{ "a part of a word", "^(api_key|token)$", "api", false },
	{ "the empty word", "^(a|)$", "", true },
	{ "words in a group without capture", "^(?:a|b)$", "b", true },
	{ "words in a named group", "^(?<n>a|b)$", "b", true },
	{ "alternatives outside of a group are not anchored", "^a|b$", "xb",
	  true },
	{ "no anchor at the end", "^(a|b)", "bc", true },
	{ "$ is not before a last newline", "^a$", "a\n", false },
	{ "$ of the engine neither", "^a+$", "a\n", false },
	{ "a literal at the front", "^internal\\.", "internal.x", true },
	{ "and only there", "^internal\\.", "my.internal.x", false },
	{ "a text shorter than the front", "^internal", "intern", false },
	{ "the empty front", "^", "", true },
	{ "(?i) folds", "(?i)token", "ToKeN", true },
	{ "(?i) in the middle folds", "x(?i)y", "xY", true },
	{ ". is no newline", "a.b", "a\nb", false },
	{ "(?s). is", "(?s)a.b", "a\nb", true },
	{ "a class", "[0-9]{3}", "ab123", true },
	{ "the digits of a count are no text", "[0-9]{4}", "a1111", true },
	{ "nor are those of two counts", "\\d{3}-[a-z]{2,5}", "111-abc", true },
	{ "after a count text is required", "[0-9]{4}x", "1111", false },
	{ "a brace that counts nothing is text", "[0-9]{a}x", "1{a}x", true },
	{ "an open one, too", "[0-9]x{", "1x{", true },
	{ "a class that holds a bracket", "[]a]x", "]x", true },
	{ "the same name twice", "(?<n>a)(?P<n>b)", "ab", true },
	{ "a quoted parenthesis is no group", "\\Qa(?<n>b\\E+", "a(?<n>b",
	  true },
	{ "an optional literal is not required", "ab?c*d{0}e", "ae", true },
	{ "a repeated one is", "xab+c", "xac", false },
	{ "after a class escape", "\\d+key", "1key", true },
	{ "a Unicode class", "\\p{Greek}", "\xce\xb1", true },
	{ "a character of two bytes repeated", "\xc3\xa9+x",
	  "\xc3\xa9\xc3\xa9x", true },
	{ "invalid UTF-8 reads as U+FFFD", "a\xef\xbf\xbd" "b", "a\xff" "b",
	  true },
	{ ". matches an invalid byte", "^a.b$", "a\xff" "b", true },
	{ "but only one", "^a.b$", "a\xff\xfe" "b", false },
};

START_TEST(matches_as_go)
{
	struct weir_regex *regex;

	open_engine();
	regex = compile(matches[_i].pattern);
	ck_assert_msg(weir_regex_match(regex, weir_str_of(matches[_i].text)) ==
		      matches[_i].matches, "%s", matches[_i].why);
	weir_regex_free(&regex);
	ck_assert_ptr_null(regex);
}
END_TEST

/* --- What needs no engine ------------------------------------------------------ */

static const struct {
	const char *pattern;
	enum pattern_kind kind;
	const char *literal;
} kinds[] = {
	{ "key", PATTERN_LITERAL, "key" },
	{ "a\\.b", PATTERN_LITERAL, "a.b" },
	{ "", PATTERN_LITERAL, "" },
	{ "^key$", PATTERN_WORDS, "" },
	{ "^(a|b\\.c|d)$", PATTERN_WORDS, "" },
	{ "^key", PATTERN_PREFIX, "key" },
	{ "^a\\.b", PATTERN_PREFIX, "a.b" },
	{ ".*key.*", PATTERN_LINE, "key" },
	{ "^key.*", PATTERN_LINE, "key" },
	{ ".*k\\.y$", PATTERN_LINE, "k.y" },
	{ "key$", PATTERN_LINE, "key" },
	{ "^.*key$", PATTERN_LINE, "key" },
	{ ".*", PATTERN_ENGINE, "" },
	{ ".*key.*?", PATTERN_ENGINE, "key" },
	{ ".*?key", PATTERN_ENGINE, "key" },
	{ ".*key.", PATTERN_ENGINE, "key" },
	{ "k\ney.*", PATTERN_ENGINE, "k\ney" },
	{ "key.*|a", PATTERN_ENGINE, "" },
	{ ".*\xef\xbf\xbd", PATTERN_ENGINE, "" },
	{ "^\xef\xbf\xbd$", PATTERN_ENGINE, "" },
	{ "^keys?", PATTERN_ENGINE, "key" },
	{ "^a|b$", PATTERN_ENGINE, "" },
	{ "^(a|b)+$", PATTERN_ENGINE, "" },
	{ "^(a+|b)$", PATTERN_ENGINE, "" },
	{ "(?i)key", PATTERN_ENGINE, "" },
	{ "(?i:k)ey", PATTERN_ENGINE, "" },
	{ "(a|b)key", PATTERN_ENGINE, "key" },
	{ "a|key", PATTERN_ENGINE, "" },
	{ "ab?key.*z", PATTERN_ENGINE, "key" },
	{ "sk-[A-Za-z0-9]{20}", PATTERN_ENGINE, "sk-" },
	{ "\\x{6b}ey", PATTERN_ENGINE, "ey" },
	{ "[\\]key]x", PATTERN_ENGINE, "x" },
	{ "([)(]key)ab", PATTERN_ENGINE, "ab" },
	{ "key{2}", PATTERN_ENGINE, "ke" },
	{ "\xef\xbf\xbd", PATTERN_ENGINE, "" },
};

START_TEST(finds_what_needs_no_engine)
{
	struct pattern p = { 0 };
	struct weir_error error;

	ck_assert_int_eq(pattern_parse(&p, weir_str_of(kinds[_i].pattern),
				       &error), 0);
	ck_assert_msg(p.kind == kinds[_i].kind, "%s", kinds[_i].pattern);
	ck_assert_msg(weir_str_eq(p.literal, weir_str_of(kinds[_i].literal)),
		      "%s: %.*s", kinds[_i].pattern, WEIR_STR_FMT(p.literal));
	pattern_release(&p);
}
END_TEST

/* --- Against the engine -------------------------------------------------------- */

static uint64_t dice = 88172645463325252u;

static uint32_t roll(uint32_t n)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (uint32_t)(dice >> 33) % n;
}

static void append(char *out, const char *const *pieces, uint32_t n)
{
	strcat(out, pieces[roll(n)]);
}

/* Mostly shapes that need no engine, and neighbours of them. */
static void make_pattern(char *out)
{
	static const char *const begins[] = { "", "", "", "^", "^", "^(" };
	static const char *const dots[] = { "", "", ".*", ".*", ".*", ".*?" };
	static const char *const letters[] = { "a", "b", "ab", "\\.", "-",
		"\xc3\xa9", "a", "b", "ba", "\n", "\xef\xbf\xbd", "|",
		"a?" };
	static const char *const ends[] = { "", "", "$", "$", "$", ")$" };

	out[0] = '\0';
	append(out, begins, 6);
	append(out, dots, 6);
	for (uint32_t n = roll(4); n--;)
		append(out, letters, 13);
	append(out, dots, 6);
	append(out, ends, 6);
}

static size_t make_text(char *out)
{
	static const char *const letters[] = { "a", "b", "a", "b", "ab", ".",
		"-", "\xc3\xa9", "\n", "\xef\xbf\xbd", "\xff", "\xc3" };

	out[0] = '\0';
	for (uint32_t n = roll(9); n--;)
		append(out, letters, 12);
	return strlen(out);
}

static void put_brackets(void *arg, weir_str match, struct weir_text *out)
{
	(void)arg;
	weir_text_add(out, WEIR_STR("<"));
	weir_text_add(out, match);
	weir_text_add(out, WEIR_STR(">"));
}

static void compare(const struct weir_regex *ours,
		    const struct weir_regex *engine, weir_str text)
{
	struct weir_text one = { 0 }, two = { 0 };
	weir_str pattern = weir_regex_pattern(ours), a, b;

	ck_assert_msg(weir_regex_match(ours, text) ==
		      weir_regex_match(engine, text), "%.*s on %.*s",
		      WEIR_STR_FMT(pattern), WEIR_STR_FMT(text));
	for (size_t from = 0; from <= text.len; from++) {
		if (from < text.len && (text.ptr[from] & 0xc0) == 0x80)
			continue;	/* never asked inside a character */
		ck_assert_msg(weir_regex_find(ours, text, from, &a, 1) ==
			      weir_regex_find(engine, text, from, &b, 1) &&
			      a.ptr == b.ptr && a.len == b.len,
			      "%.*s on %.*s from %zu", WEIR_STR_FMT(pattern),
			      WEIR_STR_FMT(text), from);
	}
	ck_assert(weir_regex_replace(ours, text, &one, put_brackets, NULL) ==
		  weir_regex_replace(engine, text, &two, put_brackets, NULL));
	ck_assert_msg(one.len == two.len &&
		      (!one.len || !memcmp(one.ptr, two.ptr, one.len)),
		      "%.*s on %.*s", WEIR_STR_FMT(pattern),
		      WEIR_STR_FMT(text));
	weir_text_release(&one);
	weir_text_release(&two);
}

/* In a group nothing is found that could be matched without the engine. */
START_TEST(what_needs_no_engine_is_matched_as_by_the_engine)
{
	uint32_t lines = 0;

	open_engine();
	for (int i = 0; i < 4000; i++) {
		char text[64], pattern[64], grouped[80];
		struct weir_regex *ours, *engine;
		struct weir_error error;
		struct pattern shape = { 0 };

		make_pattern(pattern);
		snprintf(grouped, sizeof(grouped), "(?:%s)", pattern);
		ours = weir_regex_new(weir_str_of(pattern), &error);
		engine = weir_regex_new(weir_str_of(grouped), &error);
		ck_assert_msg(!ours == !engine, "%s", pattern);
		if (!ours)
			continue;
		pattern_parse(&shape, weir_str_of(pattern), &error);
		lines += shape.kind == PATTERN_LINE;
		pattern_release(&shape);
		for (int j = 0; j < 30; j++)
			compare(ours, engine,
				(weir_str){ text, make_text(text) });
		weir_regex_free(&ours);
		weir_regex_free(&engine);
	}
	ck_assert_uint_gt(lines, 500);
}
END_TEST

START_TEST(words_come_in_the_order_given)
{
	struct weir_regex *regex = compile("^(token|api_key|a\\.b)$");
	weir_str word;

	ck_assert(weir_regex_word(regex, 0, &word));
	ck_assert(weir_str_eq(word, WEIR_STR("token")));
	ck_assert(weir_regex_word(regex, 2, &word));
	ck_assert(weir_str_eq(word, WEIR_STR("a.b")));
	ck_assert(!weir_regex_word(regex, 3, &word));
	weir_regex_free(&regex);
	regex = compile("token");
	ck_assert(!weir_regex_word(regex, 0, &word));
	weir_regex_free(&regex);
}
END_TEST

START_TEST(one_object_serves_a_pattern)
{
	struct weir_regex *a = compile("^x$"), *b = compile("^x$"), *c = b;

	ck_assert_ptr_eq(a, b);
	weir_regex_free(&a);
	ck_assert(weir_regex_match(b, WEIR_STR("x")));
	weir_regex_free(&b);
	a = compile("^y$");
	ck_assert(c != NULL && weir_regex_match(a, WEIR_STR("y")));
	weir_regex_free(&a);
}
END_TEST

START_TEST(an_engine_that_cannot_be_opened_refuses_the_pattern)
{
	struct weir_error error;

	ck_assert_ptr_null(weir_regex_new(WEIR_STR("a+"), &error));
	ck_assert_ptr_nonnull(strstr(error.text, "libweirre2.so"));
}
END_TEST

/* --- Groups ---------------------------------------------------------------------- */

START_TEST(groups_have_names_and_places)
{
	struct weir_regex *regex;
	weir_str got[4], text = WEIR_STR("k=v;z=");

	open_engine();
	regex = compile("(?P<key>\\w+)=(?<value>\\w+)?(;)?");
	ck_assert_uint_eq(weir_regex_groups(regex), 3);
	ck_assert(weir_str_eq(weir_regex_group_name(regex, 1), WEIR_STR("key")));
	ck_assert(weir_str_eq(weir_regex_group_name(regex, 2),
			      WEIR_STR("value")));
	ck_assert_uint_eq(weir_regex_group_name(regex, 3).len, 0);
	ck_assert(weir_regex_find(regex, text, 0, got, 4));
	ck_assert(weir_str_eq(got[0], WEIR_STR("k=v;")));
	ck_assert(weir_regex_find(regex, text, 4, got, 4));
	ck_assert(weir_str_eq(got[1], WEIR_STR("z")));
	ck_assert_ptr_null(got[2].ptr);
	ck_assert(!weir_regex_find(regex, text, 6, got, 4));
	weir_regex_free(&regex);
}
END_TEST

START_TEST(places_are_those_of_the_text_as_given)
{
	weir_str text = WEIR_STR("\xff\xff" "a1"), got[1];
	struct weir_regex *regex;

	open_engine();
	regex = compile("[0-9]");
	ck_assert(weir_regex_find(regex, text, 1, got, 1));
	ck_assert_ptr_eq(got[0].ptr, text.ptr + 3);
	ck_assert_uint_eq(got[0].len, 1);
	weir_regex_free(&regex);
}
END_TEST

/* --- Replacing --------------------------------------------------------------------- */

static void stars(void *arg, weir_str match, struct weir_text *out)
{
	(void)arg;
	weir_text_addf(out, "<%.*s>", WEIR_STR_FMT(match));
}

static const struct {
	const char *pattern, *text, *want;	/* want NULL: no match */
} replaced[] = {
	{ ".*", "", "<>" },
	{ ".*", "a\nb\n", "<a>\n<b>\n<>" },
	{ "a*", "baac", "<>b<aa>c<>" },
	{ "x*", "abc", "<>a<>b<>c<>" },
	{ "$", "ab", "ab<>" },
	{ "^", "ab", "<>ab" },
	{ "\\b", "ab cd", "<>ab<> <>cd<>" },
	{ "(?m)^", "a\nb", "<>a\n<>b" },
	{ "", "ab", "<>a<>b<>" },
	{ "", "\xc3\xa9", "<>\xc3\xa9<>" },
	{ "aa", "aaaaa", "<aa><aa>a" },
	{ "^a", "aaa", "<a>aa" },
	{ "^(aaa|b)$", "aaa", "<aaa>" },
	{ "4[0-9]{3}", "x4111 4222y", "x<4111> <4222>y" },
	{ "4[0-9]{3}", "x411", NULL },
	{ "[0-9]{4}", "11112222333", "<1111><2222>333" },
	{ "\\d", "\xff" "1\xfe" "2", "\xff<1>\xfe<2>" },
	{ ".", "\xff\xe9", "<\xff><\xe9>" },
};

START_TEST(replaces_as_go)
{
	struct weir_text out = { 0 };
	struct weir_regex *regex;
	bool any;

	open_engine();
	regex = compile(replaced[_i].pattern);
	any = weir_regex_replace(regex, weir_str_of(replaced[_i].text), &out,
				 stars, NULL);
	ck_assert(any == (replaced[_i].want != NULL));
	if (any)
		ck_assert_msg(weir_str_eq((weir_str){ out.ptr, out.len },
					  weir_str_of(replaced[_i].want)),
			      "%s on %s: %.*s", replaced[_i].pattern,
			      replaced[_i].text, (int)out.len, out.ptr);
	weir_text_release(&out);
	weir_regex_free(&regex);
}
END_TEST

START_TEST(a_pattern_too_large_for_the_usual_memory_is_taken)
{
	struct weir_regex *regex;

	open_engine();
	regex = compile("[[:word:]\\pL]{900}x");
	ck_assert(!weir_regex_match(regex, WEIR_STR("short")));
	weir_regex_free(&regex);
}
END_TEST

#define EACH(t, rows) tcase_add_loop_test(c, t, 0, \
		(int)(sizeof(rows) / sizeof(*(rows))))

int main(void)
{
	Suite *s = suite_create("core/regex");
	TCase *c = tcase_create("regex");
	SRunner *r = srunner_create(s);
	int failed;

	EACH(refuses_what_go_refuses, refused);
	EACH(matches_as_go, matches);
	EACH(finds_what_needs_no_engine, kinds);
	EACH(replaces_as_go, replaced);
	tcase_add_test(c, what_needs_no_engine_is_matched_as_by_the_engine);
	tcase_add_test(c, words_come_in_the_order_given);
	tcase_add_test(c, one_object_serves_a_pattern);
	tcase_add_test(c, an_engine_that_cannot_be_opened_refuses_the_pattern);
	tcase_add_test(c, groups_have_names_and_places);
	tcase_add_test(c, places_are_those_of_the_text_as_given);
	tcase_add_test(c, a_pattern_too_large_for_the_usual_memory_is_taken);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
