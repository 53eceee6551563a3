/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON scanner: what it shows, where, what it refuses and at which byte. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <weir/json.h>
#include <weir/value.h>

static struct weir_json opened(const char *text)
{
	struct weir_json json;

	weir_json_open(&json, weir_str_of(text));
	return json;
}

/* --- Tokens ------------------------------------------------------------- */

static const struct {
	enum weir_json_token token;
	const char *text;
	size_t start, end;
	uint32_t depth;
	bool escaped;
} shown[] = {
	{ WEIR_JSON_OBJECT, "{", 1, 2, 1, false },
	{ WEIR_JSON_KEY, "a", 3, 6, 1, false },
	{ WEIR_JSON_ARRAY, "[", 8, 9, 2, false },
	{ WEIR_JSON_NUMBER, "-1.5e+3", 9, 16, 2, false },
	{ WEIR_JSON_TRUE, "true", 18, 22, 2, false },
	{ WEIR_JSON_FALSE, "false", 23, 28, 2, false },
	{ WEIR_JSON_NULL, "null", 29, 33, 2, false },
	{ WEIR_JSON_STRING, "x\\n", 34, 39, 2, true },
	{ WEIR_JSON_ARRAY_END, "]", 39, 40, 1, false },
	{ WEIR_JSON_KEY, "", 42, 44, 1, false },
	{ WEIR_JSON_OBJECT, "{", 45, 46, 2, false },
	{ WEIR_JSON_OBJECT_END, "}", 47, 48, 1, false },
	{ WEIR_JSON_OBJECT_END, "}", 48, 49, 0, false },
	{ WEIR_JSON_END, "", 51, 51, 0, false },
	{ WEIR_JSON_END, "", 51, 51, 0, false },
};

START_TEST(shows_every_token_and_where_it_stands)
{
	struct weir_json json = opened(" { \"a\": [-1.5e+3 ,true,false,null,"
				       "\"x\\n\"], \"\":{ }}\r\n");

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		ck_assert_int_eq(weir_json_next(&json), shown[i].token);
		ck_assert_int_eq(json.token, shown[i].token);
		ck_assert_msg(weir_str_eq(json.text,
					  weir_str_of(shown[i].text)),
			      "%zu: %.*s", i, WEIR_STR_FMT(json.text));
		ck_assert_uint_eq(json.start, shown[i].start);
		ck_assert_uint_eq(json.end, shown[i].end);
		ck_assert_uint_eq(json.depth, shown[i].depth);
		ck_assert_int_eq(json.escaped, shown[i].escaped);
	}
}
END_TEST

static const char *const scalars[] = {
	"null", " true ", "0", "-0", "10", "1e5", "\"\"", "\"\\u00e9\"",
	"\"\x7f\"", "\"\xff\"", "{}", "[]",
};

START_TEST(a_text_is_one_value_of_any_type)
{
	struct weir_json json = opened(scalars[_i]);

	ck_assert_int_gt(weir_json_next(&json), WEIR_JSON_END);
	ck_assert(weir_json_skip(&json));
	ck_assert_int_eq(weir_json_next(&json), WEIR_JSON_END);
}
END_TEST

/* --- What is refused ---------------------------------------------------- */

static const struct {
	const char *text;
	size_t at;
	const char *why;
} bad[] = {
	{ "", 0, "the text ends too early" },
	{ "  ", 2, "the text ends too early" },
	{ "\xef\xbb\xbf{}", 0, "this is no value" },
	{ "{} {}", 3, "more than one value" },
	{ "1 2", 2, "more than one value" },
	{ "{}]", 2, "more than one value" },
	{ "[1,]", 3, "this is no value" },
	{ "[,1]", 1, "this is no value" },
	{ "[1 2]", 3, "a comma or the end of the array is missing" },
	{ "[1}", 2, "a comma or the end of the array is missing" },
	{ "{\"a\":1]", 6, "a comma or the end of the object is missing" },
	{ "{\"a\":1,}", 7, "a name in quotes is missing" },
	{ "{,}", 1, "a name in quotes is missing" },
	{ "{a:1}", 1, "a name in quotes is missing" },
	{ "{'a':1}", 1, "a name in quotes is missing" },
	{ "{\"a\"}", 4, "a colon is missing" },
	{ "{\"a\" 1}", 5, "a colon is missing" },
	{ "{\"a\":}", 5, "this is no value" },
	{ "{\"a\":", 5, "the text ends too early" },
	{ "[", 1, "the text ends too early" },
	{ "tru", 3, "the text ends too early" },
	{ "trve", 2, "this is no value" },
	{ "nulls", 4, "more than one value" },
	{ "NaN", 0, "this is no value" },
	{ "Infinity", 0, "this is no value" },
	{ "01", 1, "this is no number" },
	{ "-01", 2, "this is no number" },
	{ "+1", 0, "this is no value" },
	{ "-", 1, "the text ends too early" },
	{ "-a", 1, "this is no number" },
	{ ".5", 0, "this is no value" },
	{ "1.", 2, "the text ends too early" },
	{ "[1.]", 3, "this is no number" },
	{ "[1e]", 3, "this is no number" },
	{ "[1e+]", 4, "this is no number" },
	{ "1.5.5", 3, "more than one value" },
	{ "0x10", 1, "more than one value" },
	{ "\"a", 2, "the text ends too early" },
	{ "\"a\nb\"", 2, "control character in a string" },
	{ "\"0123456789abcdef\x1f\"", 17, "control character in a string" },
	{ "\"\\x\"", 2, "bad escape in a string" },
	{ "\"\\u12g4\"", 5, "bad escape in a string" },
	{ "\"\\u123", 6, "the text ends too early" },
	{ "\"\\", 2, "the text ends too early" },
	{ "{\"\\q\":1}", 3, "bad escape in a string" },
	{ "[1/**/]", 2, "a comma or the end of the array is missing" },
	{ "\v1", 0, "this is no value" },
};

START_TEST(refuses_and_says_where_and_why)
{
	struct weir_json json = opened(bad[_i].text);

	while (weir_json_next(&json) > WEIR_JSON_END)
		;
	ck_assert_int_eq(json.token, WEIR_JSON_ERROR);
	ck_assert_uint_eq(json.start, bad[_i].at);
	ck_assert_str_eq(json.why, bad[_i].why);
	ck_assert_int_eq(weir_json_next(&json), WEIR_JSON_ERROR);
	ck_assert(!weir_json_skip(&json));
}
END_TEST

START_TEST(a_nul_is_a_byte_like_others)
{
	static const char nul[] = "[1\0]", in_string[] = "\"a\0\"";
	struct weir_json json;

	weir_json_open(&json, (weir_str){ nul, 4 });
	weir_json_next(&json);
	ck_assert(!weir_json_skip(&json));
	ck_assert_uint_eq(json.start, 2);
	weir_json_open(&json, (weir_str){ in_string, 4 });
	ck_assert_int_eq(weir_json_next(&json), WEIR_JSON_ERROR);
	ck_assert_uint_eq(json.start, 2);
}
END_TEST

/* --- Depth -------------------------------------------------------------- */

/* n containers, objects where a bit of `objects` is set. */
static struct weir_text nested(unsigned n, uint64_t objects)
{
	struct weir_text text = { 0 };

	for (unsigned i = 0; i < n; i++)
		weir_text_add(&text, objects >> i % 64 & 1 ?
			      WEIR_STR("{\"a\":") : WEIR_STR("["));
	weir_text_add(&text, WEIR_STR("1"));
	for (unsigned i = n; i--;)
		weir_text_add(&text, objects >> i % 64 & 1 ? WEIR_STR("}") :
							     WEIR_STR("]"));
	return text;
}

START_TEST(goes_200_deep_and_no_deeper)
{
	static const uint64_t kinds[] = { 0, UINT64_MAX, 0x5555555555555555,
					  0xc3a5f00f12345678 };

	for (size_t k = 0; k < 4; k++) {
		for (unsigned n = WEIR_JSON_DEPTH - 1;
		     n <= WEIR_JSON_DEPTH + 1; n++) {
			struct weir_text text = nested(n, kinds[k]);
			struct weir_json json;
			bool fits = n <= WEIR_JSON_DEPTH;

			weir_json_open(&json, (weir_str){ text.ptr, text.len });
			weir_json_next(&json);
			ck_assert_int_eq(weir_json_skip(&json), fits);
			if (fits)
				ck_assert_int_eq(weir_json_next(&json),
						 WEIR_JSON_END);
			else
				ck_assert_str_eq(json.why, "nested too deep");
			weir_text_release(&text);
		}
	}
}
END_TEST

START_TEST(a_million_brackets_cost_what_two_hundred_do)
{
	char *text = malloc(1000000);
	struct weir_json json;

	memset(text, '[', 1000000);
	weir_json_open(&json, (weir_str){ text, 1000000 });
	weir_json_next(&json);
	ck_assert(!weir_json_skip(&json));
	ck_assert_uint_eq(json.start, WEIR_JSON_DEPTH);
	free(text);
}
END_TEST

/* --- Cutting and skipping ----------------------------------------------- */

START_TEST(skips_a_value_and_says_where_it_was)
{
	static const char text[] = "{\"a\":[1,{\"b\":[]}] ,\"c\" : \"x\" ,"
				   "\"d\":-1}";
	struct weir_json json = opened(text);
	static const char *const values[] = { "[1,{\"b\":[]}]", "\"x\"", "-1" };

	weir_json_next(&json);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(weir_json_next(&json), WEIR_JSON_KEY);
		ck_assert(weir_json_skip(&json));
		ck_assert(weir_str_eq((weir_str){ text + json.start,
						  json.end - json.start },
				      weir_str_of(values[i])));
	}
	ck_assert_int_eq(weir_json_next(&json), WEIR_JSON_OBJECT_END);
	ck_assert_int_eq(weir_json_next(&json), WEIR_JSON_END);
}
END_TEST

START_TEST(skips_the_rest_of_an_array_element_by_element)
{
	struct weir_json json = opened("[1,[2],{\"a\":3},\"4\"]");
	int n = 0;

	weir_json_next(&json);
	while (weir_json_next(&json) != WEIR_JSON_ARRAY_END) {
		ck_assert(weir_json_skip(&json));
		n++;
	}
	ck_assert_int_eq(n, 4);
	ck_assert_int_eq(weir_json_next(&json), WEIR_JSON_END);
}
END_TEST

START_TEST(what_is_around_a_value_that_was_replaced_stays_as_it_was)
{
	static const char text[] = "{ \"user\" : {\"email\":\"a@b\",\"n\":1.0},"
				   "\t\"t\":[1e0, 2]}";
	struct weir_json json = opened(text);
	struct weir_text out = { 0 };
	size_t done = 0;

	while (weir_json_next(&json) > WEIR_JSON_END) {
		if (json.token != WEIR_JSON_KEY ||
		    !weir_str_eq(json.text, WEIR_STR("email")))
			continue;
		ck_assert(weir_json_skip(&json));
		weir_text_add(&out, (weir_str){ text + done,
						json.start - done });
		weir_text_add(&out, WEIR_STR("\"***\""));
		done = json.end;
	}
	ck_assert_int_eq(json.token, WEIR_JSON_END);
	weir_text_add(&out, (weir_str){ text + done, sizeof(text) - done });
	ck_assert_str_eq(out.ptr, "{ \"user\" : {\"email\":\"***\",\"n\":1.0},"
			 "\t\"t\":[1e0, 2]}");
	weir_text_release(&out);
}
END_TEST

START_TEST(takes_up_behind_what_the_caller_has_passed)
{
	static const char text[] = "[[1],[2],[3],{}]";
	struct weir_json json = opened(text);

	weir_json_next(&json);
	weir_json_passed(&json, 8);	/* "[1],[2]" */
	ck_assert_int_eq(weir_json_next(&json), WEIR_JSON_ARRAY);
	ck_assert_uint_eq(json.start, 9);
	ck_assert(weir_json_skip(&json));
	weir_json_passed(&json, 15);
	ck_assert_int_eq(weir_json_next(&json), WEIR_JSON_ARRAY_END);
	ck_assert_int_eq(weir_json_next(&json), WEIR_JSON_END);
}
END_TEST

START_TEST(plain_characters_end_at_what_is_not_plain)
{
	static const char stops[] = "\"\\\n\x1f\0";
	char text[40];

	for (size_t at = 0; at < sizeof(text); at++) {
		for (size_t i = 0; i < sizeof(stops) - 1; i++) {
			memset(text, at & 1 ? 0xc3 : ' ', sizeof(text));
			text[at] = stops[i];
			ck_assert_uint_eq(weir_json_plain(
				(weir_str){ text, sizeof(text) }), at);
		}
	}
	memset(text, 0x7f, sizeof(text));
	ck_assert_uint_eq(weir_json_plain((weir_str){ text, sizeof(text) }),
			  sizeof(text));
}
END_TEST

/* --- Strings ------------------------------------------------------------ */

static const struct {
	const char *raw, *kept, *mended;
	bool utf8;
} texts[] = {
	{ "", "", "", true },
	{ "abc", "abc", "abc", true },
	{ "\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t", NULL, true },
	{ "\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac", NULL, true },
	{ "\\uD83D\\uDC1F", "\xf0\x9f\x90\x9f", NULL, true },
	{ "\\uDBFF\\uDFFF", "\xf4\x8f\xbf\xbf", NULL, true },
	{ "\\ud800\\udc00", "\xf0\x90\x80\x80", NULL, true },
	{ "\\ud83d", "\xef\xbf\xbd", NULL, true },
	{ "\\udc1f", "\xef\xbf\xbd", NULL, true },
	{ "\\ud83dx", "\xef\xbf\xbdx", NULL, true },
	{ "\\ud83d\\n", "\xef\xbf\xbd\n", NULL, true },
	{ "\\ud83d\\u0041", "\xef\xbf\xbd""A", NULL, true },
	{ "\\udc1f\\ud83d", "\xef\xbf\xbd\xef\xbf\xbd", NULL, true },
	{ "\\ud83d\\ud83d\\udc1f", "\xef\xbf\xbd\xf0\x9f\x90\x9f", NULL, true },
	{ "\xc3\xa9", "\xc3\xa9", NULL, true },
	{ "a\xff", "a\xff", "a\xef\xbf\xbd", false },
	{ "\\n\xc3", "\n\xc3", "\n\xef\xbf\xbd", false },
	{ "\xed\xa0\x80", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
	  false },
	{ "\xc0\xaf\\u0041", "\xc0\xaf""A", "\xef\xbf\xbd\xef\xbf\xbd""A",
	  false },
};

START_TEST(strings_stand_for)
{
	weir_str raw = weir_str_of(texts[_i].raw);
	const char *mended = texts[_i].mended ? texts[_i].mended :
						texts[_i].kept;
	/* As much room as is promised to be enough, and no more. */
	char *out = malloc(raw.len + 1), *most = malloc(3 * raw.len + 1);
	size_t n = weir_json_unescape(raw, out);

	ck_assert_uint_le(n, raw.len);
	ck_assert(weir_str_eq((weir_str){ out, n },
			      weir_str_of(texts[_i].kept)));
	n = weir_json_unescape_utf8(raw, most);
	ck_assert(weir_str_eq((weir_str){ most, n }, weir_str_of(mended)));
	ck_assert_int_eq(weir_json_utf8_ok(raw), texts[_i].utf8);
	free(out);
	free(most);
}
END_TEST

START_TEST(an_escaped_nul_is_a_byte)
{
	char out[9];

	ck_assert_uint_eq(weir_json_unescape(WEIR_STR("a\\u0000b"), out), 3);
	ck_assert(!memcmp(out, "a\0b", 3));
}
END_TEST

/* --- Numbers ------------------------------------------------------------ */

static const struct {
	const char *text;
	bool is_signed, is_unsigned;
	int64_t integer;
} integers[] = {
	{ "0", true, true, 0 },
	{ "-0", true, true, 0 },
	{ "-1", true, false, -1 },
	{ "9007199254740993", true, true, 9007199254740993 },
	{ "9223372036854775807", true, true, INT64_MAX },
	{ "9223372036854775808", false, true, INT64_MIN },
	{ "-9223372036854775808", true, false, INT64_MIN },
	{ "-9223372036854775809", false, false, 0 },
	{ "18446744073709551615", false, true, -1 },
	{ "18446744073709551616", false, false, 0 },
	{ "18446744073709551619", false, false, 0 },
	{ "99999999999999999999", false, false, 0 },
	{ "184467440737095516150", false, false, 0 },
	{ "1234567890123456789012345678901234567890", false, false, 0 },
	{ "5.0", false, false, 0 },
	{ "1e3", false, false, 0 },
};

START_TEST(integers_are_exact_or_refused)
{
	weir_str text = weir_str_of(integers[_i].text);
	int64_t i;
	uint64_t u;

	ck_assert_int_eq(weir_json_int64(text, &i), integers[_i].is_signed);
	if (integers[_i].is_signed)
		ck_assert_int_eq(i, integers[_i].integer);
	ck_assert_int_eq(weir_json_uint64(text, &u), integers[_i].is_unsigned);
	if (integers[_i].is_unsigned)
		ck_assert_uint_eq(u, (uint64_t)integers[_i].integer);
}
END_TEST

static const struct {
	const char *text;
	double value;
} doubles[] = {
	{ "0", 0 }, { "1", 1 }, { "-1.5", -1.5 }, { "1e22", 1e22 },
	{ "1e23", 1e23 }, { "0.1", 0.1 }, { "123456789.123456789",
	  123456789.123456789 }, { "1e-7", 1e-7 }, { "1E+2", 100 },
	{ "0.000001e6", 1 }, { "00000", 0 }, { "1000000e-6", 1 },
	{ "9007199254740993", 9007199254740992 },	/* a tie, to even */
	{ "9007199254740995", 9007199254740996 },
	{ "9007199254740993.00000000000000000000000001", 9007199254740994 },
	{ "1.7976931348623157e308", 0x1.fffffffffffffp1023 },
	{ "1.7976931348623158e308", 0x1.fffffffffffffp1023 },
	{ "1.7976931348623159e308", INFINITY }, { "1e309", INFINITY },
	{ "-1e999999999999999999999", -INFINITY },
	{ "4.9406564584124654e-324", 0x1p-1074 },
	{ "2.4703282292062328e-324", 0x1p-1074 },	/* just over the half */
	{ "2.4703282292062327e-324", 0 },
	{ "2.2250738585072011e-308", 0x0.fffffffffffffp-1022 },
	{ "1e-999999999999999999999", 0 },
	{ "0e999999999999999999999", 0 },
};

START_TEST(doubles_are_the_nearest)
{
	double value = 1;
	bool ok = weir_json_double(weir_str_of(doubles[_i].text), &value);

	ck_assert_int_eq(ok, isfinite(doubles[_i].value));
	ck_assert_msg(value == doubles[_i].value, "%s: %a", doubles[_i].text,
		      value);
}
END_TEST

START_TEST(minus_zero_is_a_double_of_its_own)
{
	double value = 1;

	ck_assert(weir_json_double(WEIR_STR("-0"), &value));
	ck_assert(value == 0 && signbit(value));
}
END_TEST

START_TEST(the_last_of_a_thousand_digits_breaks_a_tie)
{
	char text[1100] = "9007199254740993.";
	size_t n = strlen(text);
	double value;

	memset(text + n, '0', 1000);
	ck_assert(weir_json_double((weir_str){ text, n + 1000 }, &value));
	ck_assert(value == 9007199254740992);
	text[n + 999] = '1';
	ck_assert(weir_json_double((weir_str){ text, n + 1000 }, &value));
	ck_assert(value == 9007199254740994);
}
END_TEST

/* --- Time --------------------------------------------------------------- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Every long thing takes time in proportion: ten megabytes of it are read in
 * what a slow machine takes for ten times as much and more. */
static const struct {
	const char *head, *body, *tail;
} long_ones[] = {
	{ "", "1", "" }, { "0.", "0", "1" }, { "1e", "9", "" },
	{ "\"", "a", "\"" }, { "\"", "\\\\", "\"" }, { "\"", "\\ud83d", "\"" },
	{ "\"", "\xff", "\"" }, { "", " ", "1" }, { "[", "0,", "0]" },
	{ "[", "[],", "[]]" }, { "{", "\"\":{},", "\"\":1}" },
};

START_TEST(ten_megabytes_of_anything_take_linear_time)
{
	size_t size = 10000000, n;
	struct weir_text text = { 0 };
	struct weir_json json;
	double start, value;
	char *out;

	weir_text_add(&text, weir_str_of(long_ones[_i].head));
	while (text.len < size)
		weir_text_add(&text, weir_str_of(long_ones[_i].body));
	weir_text_add(&text, weir_str_of(long_ones[_i].tail));
	out = malloc(3 * text.len);
	start = seconds();
	weir_json_open(&json, (weir_str){ text.ptr, text.len });
	weir_json_next(&json);
	n = json.token == WEIR_JSON_STRING ?
		weir_json_unescape_utf8(json.text, out) : 0;
	if (json.token == WEIR_JSON_NUMBER)
		n += weir_json_double(json.text, &value);
	ck_assert_uint_le(n, 3 * text.len);
	ck_assert(weir_json_skip(&json));
	ck_assert_int_eq(weir_json_next(&json), WEIR_JSON_END);
	ck_assert_double_lt(seconds() - start, 5);
	weir_text_release(&text);
	free(out);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void)
{
	Suite *suite = suite_create("core/json");
	TCase *tc = tcase_create("json");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, shows_every_token_and_where_it_stands);
	tcase_add_loop_test(tc, a_text_is_one_value_of_any_type, 0, N(scalars));
	tcase_add_loop_test(tc, refuses_and_says_where_and_why, 0, N(bad));
	tcase_add_test(tc, a_nul_is_a_byte_like_others);
	tcase_add_test(tc, goes_200_deep_and_no_deeper);
	tcase_add_test(tc, a_million_brackets_cost_what_two_hundred_do);
	tcase_add_test(tc, skips_a_value_and_says_where_it_was);
	tcase_add_test(tc, skips_the_rest_of_an_array_element_by_element);
	tcase_add_test(tc,
		       what_is_around_a_value_that_was_replaced_stays_as_it_was);
	tcase_add_test(tc, takes_up_behind_what_the_caller_has_passed);
	tcase_add_test(tc, plain_characters_end_at_what_is_not_plain);
	tcase_add_loop_test(tc, strings_stand_for, 0, N(texts));
	tcase_add_test(tc, an_escaped_nul_is_a_byte);
	tcase_add_loop_test(tc, integers_are_exact_or_refused, 0, N(integers));
	tcase_add_loop_test(tc, doubles_are_the_nearest, 0, N(doubles));
	tcase_add_test(tc, minus_zero_is_a_double_of_its_own);
	tcase_add_test(tc, the_last_of_a_thousand_digits_breaks_a_tie);
	tcase_add_loop_test(tc, ten_megabytes_of_anything_take_linear_time, 0,
			    N(long_ones));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
