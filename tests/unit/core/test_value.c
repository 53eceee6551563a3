/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values: read and written as protobuf-c does, compared deeply, and the string
 * forms of the Collector.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <otlp_common.pb-c.h>
#include <weir/plugin.h>

#include "../../support/otlp_gen.h"

static const struct {
	double value;
	const char *text;
} doubles[] = {
	{ 0, "0" }, { -0.0, "-0" }, { 1, "1" }, { 1.5, "1.5" },
	{ -2.25, "-2.25" }, { 0.1, "0.1" }, { 100, "100" },
	{ 1e20, "100000000000000000000" }, { 1e21, "1e+21" },
	{ 1e-6, "0.000001" }, { 1e-7, "1e-7" }, { 1.5e-10, "1.5e-10" },
	{ 123456789.125, "123456789.125" }, { 1e300, "1e+300" },
	{ 5e-324, "5e-324" }, { 0x1p-44, "5.684341886080802e-14" },
	{ 1.7976931348623157e308, "1.7976931348623157e+308" },
	{ 9007199254740993.0, "9007199254740992" },
	{ INFINITY, "Infinity" }, { -INFINITY, "-Infinity" }, { NAN, "NaN" },
};

START_TEST(a_double_is_written_as_the_collector_writes_it)
{
	struct weir_text text = { 0 };

	weir_text_add_double(&text, doubles[_i].value);
	ck_assert_uint_eq(text.len, strlen(doubles[_i].text));
	ck_assert_mem_eq(text.ptr, doubles[_i].text, text.len);
	weir_text_release(&text);
}
END_TEST

START_TEST(any_double_reads_back_the_same)
{
	struct gen gen = { 11 };
	struct weir_text text = { 0 };

	for (int i = 0; i < 20000; i++) {
		uint64_t bits = gen_next(&gen);
		double value;

		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			continue;
		weir_text_clear(&text);
		weir_text_add_double(&text, value);
		weir_text_add(&text, (weir_str){ "", 1 });
		ck_assert_msg(strtod(text.ptr, NULL) == value, "%s", text.ptr);
	}
	weir_text_release(&text);
}
END_TEST

static const struct {
	const char *why;
	const char *bytes;	/* AnyValue */
	size_t len;
	const char *text;
} forms[] = {
	{ "empty", "", 0, "" },
	{ "string", "\x0a\x02hi", 4, "hi" },
	{ "true", "\x10\x01", 2, "true" },
	{ "false", "\x10\x00", 2, "false" },
	{ "negative int", "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11,
	  "-1" },
	{ "bytes, padded twice", "\x3a\x01\xff", 3, "/w==" },
	{ "bytes, padded once", "\x3a\x02\xff\xfe", 4, "//4=" },
	{ "empty list", "\x2a\x00", 2, "[]" },
	{ "empty map", "\x32\x00", 2, "{}" },
	{ "list of empty and string",
	  "\x2a\x08\x0a\x00\x0a\x04\x0a\x02\"\n", 10, "[null,\"\\\"\\n\"]" },
	{ "map, keys sorted",
	  "\x32\x12\x0a\x07\x0a\x01" "b\x12\x02\x18\x02\x0a\x07\x0a\x01"
	  "a\x12\x02\x18\x01", 20, "{\"a\":1,\"b\":2}" },
	{ "list of no bytes", "\x2a\x04\x0a\x02\x3a\x00", 6, "[null]" },
	{ "line and paragraph separators inside, escaped",
	  "\x2a\x11\x0a\x0f\x0a\x0d" "a\xe2\x80\xa8\xe2\x80\xa7\xe2\x80\xa9"
	  "\xe2\x80\xaa", 19, "[\"a\\u2028\xe2\x80\xa7\\u2029\xe2\x80\xaa\"]" },
	{ "and not when the string is all", "\x0a\x03\xe2\x80\xa8", 5,
	  "\xe2\x80\xa8" },
	{ "map, equal keys all show",
	  "\x32\x12\x0a\x07\x0a\x01" "a\x12\x02\x18\x02\x0a\x07\x0a\x01"
	  "a\x12\x02\x18\x01", 20, "{\"a\":2,\"a\":1}" },
};

START_TEST(a_value_has_its_string_form)
{
	struct weir_value value = weir_value_read(
		(weir_str){ forms[_i].bytes, forms[_i].len });
	struct weir_text scratch = { 0 };
	weir_str text;

	weir_text_add(&scratch, WEIR_STR("before"));
	text = weir_value_text(&value, &scratch);
	ck_assert_msg(text.len == strlen(forms[_i].text) &&
		      !memcmp(text.ptr, forms[_i].text, text.len),
		      "%s: %.*s", forms[_i].why, WEIR_STR_FMT(text));
	weir_text_release(&scratch);
}
END_TEST

START_TEST(json_text_escapes_only_what_it_must)
{
	static const char want[] = "a\\\"\\\\\\u0000\\u001f\\t<>&\x7f\xc3\xa9";
	struct weir_text text = { 0 };

	weir_text_add_json(&text, (weir_str){ "a\"\\\0\x1f\t<>&\x7f\xc3\xa9",
					      12 });
	ck_assert_uint_eq(text.len, sizeof(want) - 1);
	ck_assert_mem_eq(text.ptr, want, text.len);
	weir_text_clear(&text);
	weir_text_add_hex(&text, (weir_str){ "\x01\xaf", 2 });
	ck_assert_mem_eq(text.ptr, "01af", 4);
	weir_text_clear(&text);
	weir_text_add_utf8(&text, (weir_str){ "a\xff\xe2\x82z\0\xc3\xa9", 8 });
	ck_assert_uint_eq(text.len, 11);
	ck_assert_mem_eq(text.ptr, "a\xef\xbf\xbd\xef\xbf\xbdz\0\xc3\xa9", 11);
	weir_text_add_utf8(&text, (weir_str){ NULL, 0 });
	ck_assert_uint_eq(text.len, 11);
	weir_text_release(&text);
}
END_TEST

START_TEST(maps_are_equal_in_any_order_and_lists_are_not)
{
	weir_str ab = WEIR_STR("\x0a\x03\x0a\x01" "a\x0a\x03\x0a\x01" "b");
	weir_str ba = WEIR_STR("\x0a\x03\x0a\x01" "b\x0a\x03\x0a\x01" "a");
	struct weir_value a = { .type = WEIR_VALUE_MAP, .raw = ab };
	struct weir_value b = { .type = WEIR_VALUE_MAP, .raw = ba };

	ck_assert(weir_value_eq(&a, &b));
	b.raw.len = 5;
	ck_assert(!weir_value_eq(&a, &b));
	b.raw.len = 10;
	a.type = b.type = WEIR_VALUE_LIST;
	ck_assert(!weir_value_eq(&a, &b));
	ck_assert(weir_value_eq(&a, &a));
	b.type = WEIR_VALUE_BYTES;
	ck_assert(!weir_value_eq(&a, &b));
}
END_TEST

/* What weir_value_write writes, protobuf-c packs. */
START_TEST(scalars_are_written_as_protobuf_c_packs_them)
{
	struct gen gen = { 5 };

	for (int i = 0; i < 10000; i++) {
		struct weir_value value = { .type = 1 + gen_below(&gen, 4) };
		uint8_t ours[32], theirs[32];
		Otlp__AnyValue *tree;
		size_t len;

		value.integer = (int64_t)(gen_next(&gen) >>
					  gen_below(&gen, 64));
		if (value.type == WEIR_VALUE_STRING)
			value.str = WEIR_STR("text");
		else if (value.type == WEIR_VALUE_BOOL)
			value.boolean = i & 1;
		len = weir_value_size(&value);
		ck_assert_ptr_eq(weir_value_write(&value, ours), ours + len);
		tree = otlp__any_value__unpack(NULL, len, ours);
		ck_assert_ptr_nonnull(tree);
		ck_assert_uint_eq(otlp__any_value__pack(tree, theirs), len);
		ck_assert_mem_eq(ours, theirs, len);
		otlp__any_value__free_unpacked(tree, NULL);
	}
}
END_TEST

START_TEST(a_charged_text_grows_with_the_budget_and_not_past_it)
{
	struct weir_text text = { .charged = true };

	weir_text_add(&text, WEIR_STR("abc"));
	ck_assert_uint_eq(weir_budget_used(), text.cap);
	weir_budget_limit(text.cap, text.cap);
	for (int i = 0; i < 20; i++)
		weir_text_add_hex(&text, WEIR_STR("0123456789"));
	ck_assert(text.refused);
	ck_assert_uint_le(text.len, text.cap);
	weir_text_cut(&text, 3);
	ck_assert(!text.refused);
	weir_text_add(&text, WEIR_STR("d"));
	ck_assert_uint_eq(text.len, 4);
	ck_assert_mem_eq(text.ptr, "abcd", 4);
	text.forced = true;	/* over the line, and counted */
	weir_text_addf(&text, "%0200d", 7);
	ck_assert(!text.refused);
	ck_assert_uint_eq(text.len, 204);
	ck_assert_uint_eq(weir_budget_used(), text.cap);
	weir_text_release(&text);
	ck_assert_uint_eq(weir_budget_used(), 0);
	weir_budget_limit(0, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("value");
	TCase *tc = tcase_create("value");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_double_is_written_as_the_collector_writes_it,
			    0, sizeof(doubles) / sizeof(*doubles));
	tcase_add_test(tc, any_double_reads_back_the_same);
	tcase_add_loop_test(tc, a_value_has_its_string_form, 0,
			    sizeof(forms) / sizeof(*forms));
	tcase_add_test(tc, json_text_escapes_only_what_it_must);
	tcase_add_test(tc, maps_are_equal_in_any_order_and_lists_are_not);
	tcase_add_test(tc, scalars_are_written_as_protobuf_c_packs_them);
	tcase_add_test(tc,
		       a_charged_text_grows_with_the_budget_and_not_past_it);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
