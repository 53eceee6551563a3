/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_bind: a tree to a struct, by a table of rows.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/bind.h"
#include "base/log.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct part {
	weir_str name;
	int64_t weight;
};

static const struct weir_field part_rows[] = {
	WEIR_FIELD(struct part, name, NULL, "Name.", .flags = WEIR_REQUIRED),
	WEIR_FIELD(struct part, weight, "3", "Weight."),
	WEIR_END
};

struct shared {
	weir_duration timeout;
	weir_str endpoint;
};

static const struct weir_field shared_rows[] = {
	WEIR_FIELD(struct shared, timeout, "5s", "Time."),
	WEIR_FIELD(struct shared, endpoint, "localhost:4317", "Address."),
	WEIR_END
};

struct switched {
	bool enabled;
	uint32_t size;
	weir_str must;
};

static const struct weir_field switched_rows[] = {
	WEIR_FIELD(struct switched, size, "10", "Size."),
	WEIR_END
};

static const struct weir_field strict_rows[] = {
	WEIR_FIELD(struct switched, must, NULL, "Must be there.",
		   .flags = WEIR_REQUIRED),
	WEIR_END
};

struct all {
	bool flag;
	int64_t integer;
	uint32_t small;
	uint64_t large;
	double real;
	weir_str text, mode;
	weir_secret secret;
	weir_duration wait;
	weir_size size;
	struct weir_strs names;
	struct weir_pairs headers;
	const struct weir_node *any;
	struct weir_list parts;
	struct shared shared;
	struct switched plain, by_default, on, none, strict, present;
};

static const struct weir_field rows[] = {
	WEIR_FIELD(struct all, flag, "true", "Bool."),
	WEIR_FIELD(struct all, integer, "-5", "Int."),
	WEIR_FIELD(struct all, small, "7", "Uint32."),
	WEIR_FIELD(struct all, large, NULL, "Uint64."),
	WEIR_FIELD(struct all, real, "1.5", "Double."),
	WEIR_FIELD(struct all, text, "\"12\"", "Text."),
	WEIR_FIELD(struct all, mode, "fast", "Mode.",
		   .choices = "fast slow careful"),
	WEIR_FIELD(struct all, secret, NULL, "Secret."),
	WEIR_FIELD(struct all, wait, "1m30s", "Duration."),
	WEIR_FIELD(struct all, size, "4MB", "Size."),
	WEIR_FIELD(struct all, names, "[a, b]", "Names."),
	WEIR_FIELD(struct all, headers, NULL, "Headers."),
	WEIR_FIELD(struct all, any, NULL, "Any."),
	WEIR_BLOCK(struct all, plain, switched_rows, "A block."),
	WEIR_LIST(struct all, parts, struct part, part_rows, "Parts."),
	WEIR_INCLUDE(struct all, shared, shared_rows),
	WEIR_OPTIONAL(struct all, by_default, switched_rows,
		      WEIR_BLOCK_DEFAULT, "Off unless there."),
	WEIR_OPTIONAL(struct all, on, switched_rows, WEIR_BLOCK_ON, "On."),
	WEIR_OPTIONAL(struct all, none, switched_rows, WEIR_BLOCK_NONE,
		      "Off unless a map."),
	WEIR_OPTIONAL(struct all, strict, strict_rows, WEIR_BLOCK_DEFAULT,
		      "Has a required key."),
	WEIR_OPTIONAL(struct all, present, switched_rows, WEIR_BLOCK_PRESENT,
		      "On when it is there."),
	WEIR_FIELD_IGNORED("old", "Once meant something."),
	WEIR_END
};

static struct arena arena;
static struct weir_error error;
static struct all got;

static void setup(void)
{
	weir_str none[] = { WEIR_STR("/dev/null") };
	struct log_options quiet = { .paths = { none, 1 } };

	ck_assert_int_eq(log_setup(&quiet, &error), 0);
	setenv("PIN", "0123", 1);
	setenv("LIST", "[x, y]", 1);
	unsetenv("UNSET");
}

static void teardown(void)
{
	arena_release(&arena);
}

static int bind(const char *text)
{
	const struct weir_node *node = tree_parse(&arena, "f.yaml",
						  weir_str_of(text), &error);

	ck_assert_msg(node != NULL, "%s: %s", text, error.text);
	memset(&got, 0, sizeof(got));
	error = (struct weir_error){ 0 };
	return bind_fields(&arena, rows, &got, node, "exporters.x", &error);
}

static void good(const char *text)
{
	ck_assert_msg(!bind(text), "%s: %s: %s", text, error.path, error.text);
}

#define SAME(a, text) ck_assert(weir_str_eq((a), WEIR_STR(text)))

START_TEST(what_is_not_said_has_its_preset)
{
	good("{}");
	ck_assert(got.flag);
	ck_assert_int_eq(got.integer, -5);
	ck_assert_uint_eq(got.small, 7);
	ck_assert_uint_eq(got.large, 0);
	ck_assert(got.real == 1.5);
	SAME(got.text, "12");
	SAME(got.mode, "fast");
	SAME(got.secret.text, "");
	ck_assert_int_eq(got.wait.ns, 90000000000);
	ck_assert_uint_eq(got.size.bytes, 4000000);
	ck_assert_uint_eq(got.names.len, 2);
	SAME(got.names.items[1], "b");
	ck_assert_ptr_null(got.any);
	ck_assert_int_eq(got.shared.timeout.ns, 5000000000);
	SAME(got.shared.endpoint, "localhost:4317");
	ck_assert_uint_eq(got.on.size, 10);
}
END_TEST

START_TEST(null_makes_a_number_zero_and_keeps_other_presets)
{
	good("{flag: , integer: ~, text: null, names: , parts: , plain: ,"
	     " timeout: , wait: ~, headers: }");
	ck_assert(!got.flag);
	ck_assert_int_eq(got.integer, 0);
	ck_assert_int_eq(got.wait.ns, 0);
	SAME(got.text, "12");
	ck_assert_uint_eq(got.names.len, 2);
}
END_TEST

START_TEST(what_is_said_wins)
{
	good("flag: false\ninteger: 9\nsmall: 8\nlarge: 18446744073709551615\n"
	     "real: 2\ntext: hi\nmode: slow\nsecret: s\nwait: 250\n"
	     "size: 1KiB\nnames: []\nendpoint: e\nold: {a: [b]}\n"
	     "any: {k: v}\nplain: {size: 3}\n");
	ck_assert(!got.flag);
	ck_assert_int_eq(got.integer, 9);
	ck_assert_uint_eq(got.large, UINT64_MAX);
	ck_assert(got.real == 2);
	SAME(got.text, "hi");
	SAME(got.mode, "slow");
	SAME(got.secret.text, "s");
	ck_assert_int_eq(got.wait.ns, 250);
	ck_assert_uint_eq(got.size.bytes, 1024);
	ck_assert_uint_eq(got.names.len, 0);
	SAME(got.shared.endpoint, "e");
	ck_assert_uint_eq(weir_node_len(got.any), 1);
}
END_TEST

START_TEST(fractions_are_cut_and_2_to_the_32_is_taken)
{
	good("{integer: 2.9, small: 4294967296, large: 1.5, wait: 1.9}");
	ck_assert_int_eq(got.integer, 2);
	ck_assert_uint_eq(got.small, UINT32_MAX);
	ck_assert_uint_eq(got.large, 1);
	ck_assert_int_eq(got.wait.ns, 1);
}
END_TEST

START_TEST(text_for_a_list_is_split_at_commas)
{
	good("names: 'a, b,,c'");
	ck_assert_uint_eq(got.names.len, 4);
	SAME(got.names.items[1], " b");
	SAME(got.names.items[2], "");
	SAME(got.names.items[3], "c");
	good("names: ''");
	ck_assert_uint_eq(got.names.len, 0);
}
END_TEST

START_TEST(a_reference_is_text_for_text_and_a_number_for_numbers)
{
	good("{text: '${PIN}', integer: '${PIN}', names: '${LIST}'}");
	SAME(got.text, "0123");
	ck_assert_int_eq(got.integer, 83);
	ck_assert_uint_eq(got.names.len, 2);
	good("{text: '${LIST}', secret: '${UNSET}', integer: '${UNSET}'}");
	SAME(got.text, "[x, y]");
	SAME(got.secret.text, "");
	ck_assert_int_eq(got.integer, 0);
	good("{text: '${UNSET}'}");
	SAME(got.text, "");
	ck_assert_int_eq(bind("{integer: '1${PIN}'}"), -1);
}
END_TEST

START_TEST(headers_are_a_map_or_a_list_sorted_by_name)
{
	good("headers: {b: '2', a: '1', c: }");
	ck_assert_uint_eq(got.headers.len, 3);
	SAME(got.headers.items[0].name, "a");
	SAME(got.headers.items[1].value.text, "2");
	SAME(got.headers.items[2].value.text, "");
	good("headers: [{name: b, value: '2'}, {name: a, value: '1'}]");
	SAME(got.headers.items[0].value.text, "1");
}
END_TEST

START_TEST(lists_of_blocks_have_presets_of_their_own)
{
	good("parts: [{name: a}, {name: b, weight: 9}]");
	ck_assert_uint_eq(got.parts.len, 2);
	ck_assert_int_eq(((const struct part *)got.parts.items)[0].weight, 3);
	ck_assert_int_eq(((const struct part *)got.parts.items)[1].weight, 9);
}
END_TEST

static const struct {
	const char *text;
	bool by_default, on, none;
} flavours[] = {
	{ "{}", false, true, false },
	{ "{by_default: , on: , none: }", true, true, false },
	{ "{by_default: {}, on: {}, none: {}}", true, true, true },
	{ "{by_default: {size: 1}, on: {size: 1}, none: {size: 1}}",
	  true, true, true },
	{ "{by_default: {enabled: false}, on: {enabled: false, size: 3}, "
	  "none: {enabled: false}}", false, false, false },
	{ "{by_default: {enabled: true}, none: {enabled: true}}",
	  true, true, true },
};

START_TEST(optional_blocks_have_three_flavours)
{
	good(flavours[_i].text);
	ck_assert_int_eq(got.by_default.enabled, flavours[_i].by_default);
	ck_assert_int_eq(got.on.enabled, flavours[_i].on);
	ck_assert_int_eq(got.none.enabled, flavours[_i].none);
}
END_TEST

START_TEST(a_block_that_is_off_requires_nothing)
{
	good("strict: {enabled: false}");
	good("{}");
	ck_assert_int_eq(bind("strict:"), -1);
	ck_assert_str_eq(error.text, "requires a non-empty \"must\"");
	ck_assert_str_eq(error.path, "exporters.x.strict");
}
END_TEST

static const struct {
	const char *text, *path, *why;
	uint32_t line, column;
} refused[] = {
	{ "endpont: x", "exporters.x",
	  "unknown key \"endpont\"; did you mean \"endpoint\"?", 1, 1 },
	{ "a:\n", "exporters.x", "unknown key \"a\"", 1, 1 },
	{ "shared: {}", "exporters.x", "unknown key \"shared\"", 1, 1 },
	{ "'': {}", "exporters.x", "unknown key \"\"", 1, 1 },
	{ "Flag: true", "exporters.x",
	  "unknown key \"Flag\"; did you mean \"flag\"?", 1, 1 },
	{ "on:\n  sice: 1", "exporters.x.on",
	  "unknown key \"sice\"; did you mean \"size\"?", 2, 3 },
	{ "on: {enabled: false, sice: 1}", "exporters.x.on", "unknown", 1, 22 },
	{ "parts:\n  - name: a\n  - nam: b", "exporters.x.parts[1]",
	  "unknown key \"nam\"; did you mean \"name\"?", 3, 5 },
	{ "parts: [{weight: 1}]", "exporters.x.parts[0]",
	  "requires a non-empty \"name\"", 1, 9 },
	{ "parts: {name: a}", "exporters.x.parts", "expected a list", 1, 8 },
	{ "on: [1]", "exporters.x.on", "expected a map, got a list", 1, 5 },
	{ "[1]", "exporters.x", "expected a map, got a list", 1, 1 },
	{ "on: {enabled: maybe}", "exporters.x.on.enabled",
	  "unexpected type string for 'enabled': got 'maybe' value expected "
	  "'true' or 'false'", 1, 15 },
	{ "flag: yes", "exporters.x.flag",
	  "expected type 'bool', got unconvertible type 'string'", 1, 7 },
	{ "flag: 1", "exporters.x.flag", "got unconvertible type 'int'", 1, 7 },
	{ "integer: '1'", "exporters.x.integer",
	  "expected type 'int', got unconvertible type 'string'", 1, 10 },
	{ "integer: 18446744073709551615", "exporters.x.integer",
	  "does not fit type 'int'", 1, 10 },
	{ "small: -1", "exporters.x.small",
	  "-1 does not fit type 'uint32'", 1, 8 },
	{ "large: .nan", "exporters.x.large", "does not fit", 1, 8 },
	{ "integer: .inf", "exporters.x.integer", "does not fit", 1, 10 },
	{ "real: x", "exporters.x.real", "expected type 'float'", 1, 7 },
	{ "text: 5", "exporters.x.text", "expected type 'string', got "
	  "unconvertible type 'int'; put it in quotes", 1, 7 },
	{ "text: {}", "exporters.x.text", "unconvertible type 'map'", 1, 7 },
	{ "mode: slwo", "exporters.x.mode", "unknown value \"slwo\", expected "
	  "one of: fast slow careful; did you mean \"slow\"?", 1, 7 },
	{ "mode: ''", "exporters.x.mode", "unknown value \"\"", 1, 7 },
	{ "wait: 5x", "exporters.x.wait", "invalid duration \"5x\"", 1, 7 },
	{ "size: 5 potatoes", "exporters.x.size", "invalid size", 1, 7 },
	{ "names: [1]", "exporters.x.names[0]", "put it in quotes", 1, 9 },
	{ "names: {}", "exporters.x.names", "'list of strings'", 1, 8 },
	{ "headers: [{name: a}, {name: a}]", "exporters.x.headers",
	  "duplicate keys in map-style list: [a]", 1, 10 },
	{ "headers: {a: 1}", "exporters.x.headers.a",
	  "expected type 'secret string'", 1, 14 },
	{ "headers: x", "exporters.x.headers", "'map of strings'", 1, 10 },
};

START_TEST(a_block_that_is_on_when_it_is_there_has_no_key_enabled)
{
	good("");
	ck_assert(!got.present.enabled);
	good("present:");
	ck_assert(got.present.enabled);
	good("present: {}");
	ck_assert(got.present.enabled);
	ck_assert_int_eq(bind("present: {enabled: false}"), -1);
	ck_assert_str_eq(error.path, "exporters.x.present");
	ck_assert_ptr_nonnull(strstr(error.text, "unknown key \"enabled\""));
}
END_TEST

START_TEST(what_is_wrong_is_named_with_its_place)
{
	ck_assert_msg(bind(refused[_i].text), "took %s", refused[_i].text);
	ck_assert_str_eq(error.path, refused[_i].path);
	ck_assert_msg(strstr(error.text, refused[_i].why) != NULL,
		      "%s: said \"%s\"", refused[_i].text, error.text);
	ck_assert_uint_eq(error.line, refused[_i].line);
	ck_assert_uint_eq(error.column, refused[_i].column);
	ck_assert_str_eq(error.file, "f.yaml");
}
END_TEST

START_TEST(a_secret_is_never_in_an_error)
{
	static const char *const texts[] = {
		"secret: [hunter2]", "secret: {a: hunter2}", "secret: 20177",
		"headers: {a: [hunter2]}", "headers: [{name: a, value: 20177}]",
	};

	ck_assert_int_eq(bind(texts[_i]), -1);
	ck_assert_ptr_null(strstr(error.text, "hunter2"));
	ck_assert_ptr_null(strstr(error.text, "20177"));
	ck_assert_ptr_null(strstr(error.path, "hunter2"));
}
END_TEST

static const struct {
	const char *text;
	bool good;
	int64_t ns;
} durations[] = {
	{ "0", true, 0 }, { "-0", true, 0 }, { "1ns", true, 1 },
	{ "1.5s", true, 1500000000 }, { "-3ms", true, -3000000 },
	{ "+3ms", true, 3000000 }, { "1h2m3s", true, 3723000000000 },
	{ "100us", true, 100000 }, { "100\xc2\xb5s", true, 100000 },
	{ ".5m", true, 30000000000 }, { "5.s", true, 5000000000 },
	{ "0.1s", true, 100000000 }, { "0.000000001s", true, 1 },
	{ "1.000000003s", true, 1000000003 },
	{ "2562047h", true, 2562047 * 3600000000000 },
	{ "", false, 0 }, { "-", false, 0 }, { "5", false, 0 },
	{ "s", false, 0 }, { ".s", false, 0 }, { "5 s", false, 0 },
	{ "5d", false, 0 }, { "1s-", false, 0 }, { "--1s", false, 0 },
	{ "9999999999h", false, 0 }, { "99999999999999999999s", false, 0 },
	{ "2562048h", false, 0 },
};

START_TEST(durations_are_those_of_go)
{
	weir_duration out = { 0 };

	ck_assert_msg(bind_duration(weir_str_of(durations[_i].text), &out) ==
		      durations[_i].good, "%s", durations[_i].text);
	ck_assert_int_eq(out.ns, durations[_i].ns);
}
END_TEST

START_TEST(sizes_have_units_of_1000_and_1024)
{
	weir_size out;

	ck_assert(bind_size(WEIR_STR("4MB"), &out) && out.bytes == 4000000);
	ck_assert(bind_size(WEIR_STR("512KiB"), &out) && out.bytes == 524288);
	ck_assert(bind_size(WEIR_STR("1.5 GiB"), &out) &&
		  out.bytes == 1610612736);
	ck_assert(bind_size(WEIR_STR("77"), &out) && out.bytes == 77);
	ck_assert(!bind_size(WEIR_STR("-1"), &out));
	ck_assert(!bind_size(WEIR_STR("99999999TiB"), &out));
	ck_assert(!bind_size(WEIR_STR(""), &out));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bind");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, what_is_not_said_has_its_preset);
	tcase_add_test(tests, null_makes_a_number_zero_and_keeps_other_presets);
	tcase_add_test(tests, what_is_said_wins);
	tcase_add_test(tests, fractions_are_cut_and_2_to_the_32_is_taken);
	tcase_add_test(tests, text_for_a_list_is_split_at_commas);
	tcase_add_test(tests,
		a_reference_is_text_for_text_and_a_number_for_numbers);
	tcase_add_test(tests, headers_are_a_map_or_a_list_sorted_by_name);
	tcase_add_test(tests, lists_of_blocks_have_presets_of_their_own);
	tcase_add_loop_test(tests, optional_blocks_have_three_flavours, 0,
			    COUNT(flavours));
	tcase_add_test(tests, a_block_that_is_off_requires_nothing);
	tcase_add_test(tests,
		       a_block_that_is_on_when_it_is_there_has_no_key_enabled);
	tcase_add_loop_test(tests, what_is_wrong_is_named_with_its_place, 0,
			    COUNT(refused));
	tcase_add_loop_test(tests, a_secret_is_never_in_an_error, 0, 5);
	tcase_add_loop_test(tests, durations_are_those_of_go, 0,
			    COUNT(durations));
	tcase_add_test(tests, sizes_have_units_of_1000_and_1024);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
