/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_print_config: a bound struct as text, and that text bound again.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/bind.h"
#include "base/log.h"
#include "program/print_config.h"

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

struct inner {
	bool enabled;
	uint32_t size;
};

static const struct weir_field inner_rows[] = {
	WEIR_FIELD(struct inner, size, "10", "Size."),
	WEIR_END
};

struct shared {
	weir_duration wait;
	double ratio;
};

static const struct weir_field shared_rows[] = {
	WEIR_FIELD(struct shared, wait, "1s", "Wait."),
	WEIR_FIELD(struct shared, ratio, "0.5", "Ratio."),
	WEIR_END
};

struct all {
	struct weir_component base;
	bool flag;
	uint64_t large;
	weir_size room;
	weir_str text, other;
	weir_secret secret;
	struct weir_strs names;
	struct weir_pairs headers;
	const struct weir_node *any;
	struct inner plain, given, on, none;
	struct weir_list parts;
	struct shared shared;
	int64_t ours;
};

static const struct weir_field rows[] = {
	WEIR_FIELD(struct all, flag, "true", "Bool."),
	WEIR_FIELD(struct all, large, NULL, "Uint64."),
	WEIR_FIELD(struct all, room, "4KiB", "Size."),
	WEIR_FIELD(struct all, text, "a b", "Text."),
	WEIR_FIELD(struct all, other, NULL, "Text."),
	WEIR_FIELD(struct all, secret, NULL, "Secret."),
	WEIR_FIELD(struct all, names, "[x]", "List."),
	WEIR_FIELD(struct all, headers, NULL, "Headers."),
	WEIR_FIELD(struct all, any, NULL, "Any."),
	WEIR_BLOCK(struct all, plain, inner_rows, "Block."),
	WEIR_OPTIONAL(struct all, given, inner_rows, WEIR_BLOCK_DEFAULT, "."),
	WEIR_OPTIONAL(struct all, on, inner_rows, WEIR_BLOCK_ON, "Block."),
	WEIR_OPTIONAL(struct all, none, inner_rows, WEIR_BLOCK_NONE, "Block."),
	WEIR_LIST(struct all, parts, struct part, part_rows, "Parts."),
	/* a key that the table behind it has too */
	WEIR_FIELD_AS(struct all, "ratio", shared.ratio, "0.25", "Ratio."),
	WEIR_INCLUDE(struct all, shared, shared_rows),
	WEIR_FIELD(struct all, ours, "7", "Ours.", .flags = WEIR_OURS),
	WEIR_FIELD_IGNORED("old", "Nothing."),
	WEIR_END
};

static const struct weir_plugin plugin = {
	.type = "x", .kind = WEIR_EXPORTER, .fields = rows,
	.size = sizeof(struct all),
};

static struct arena arena;
static struct weir_error error;

static void setup(void)
{
	weir_str none[] = { WEIR_STR("/dev/null") };
	struct log_options quiet = { .paths = { none, 1 } };

	ck_assert_int_eq(log_setup(&quiet, &error), 0);
	setenv("NUMBER", "0123", 1);
}

static void teardown(void)
{
	arena_release(&arena);
}

/* The block of exporter x, bound, and the whole printed. */
static char *print(const char *text, bool json, bool unredacted)
{
	struct weir_node *root = tree_parse(&arena, "f.yaml",
					    weir_str_of(text), &error);
	struct plan_component c = { .plugin = &plugin, .kind = WEIR_EXPORTER,
				    .id = "x/1" };
	struct plan plan = { .tree = root, .components = &c, .n_defined = 1 };
	struct print_options options = { json, unredacted };
	const struct weir_node *section;
	char *out = NULL;
	size_t len;
	FILE *file = open_memstream(&out, &len);

	ck_assert_msg(root != NULL, "%s: %s", text, error.text);
	section = weir_node_get(root, WEIR_STR("exporters"));
	ck_assert_ptr_nonnull(section);
	c.key = section->keys[0];
	c.node = section->items[0];
	c.prototype = arena_alloc(&arena, plugin.size);
	ck_assert_msg(!bind_fields(&arena, rows, c.prototype, c.node, "x",
				   &error), "%s: %s", text, error.text);
	print_config(&plan, &options, file);
	fclose(file);
	return out;
}

#define FRONT "exporters:\n  x/1:\n"

static const struct {
	const char *block, *wanted;	/* what is printed; with !, is not */
} lines[] = {
	{ "{}", "    flag: true\n" },
	{ "{}", "    large: 0\n" },
	{ "{}", "    room: 4096\n" },
	{ "{}", "    text: \"a b\"\n" },
	{ "{}", "    names:\n      - x\n" },
	{ "{}", "    plain:\n      size: 10\n" },
	{ "{}", "    \"on\":\n      size: 10\n" },
	{ "{}", "    wait: 1s\n" },
	{ "{}", "!other" },
	{ "{}", "!secret" },
	{ "{}", "!headers" },
	{ "{}", "!any" },
	{ "{}", "!given" },
	{ "{}", "!none" },
	{ "{}", "!parts" },
	{ "{}", "!ours" },
	{ "{old: 5}", "!old" },
	{ "{names: []}", "    names: []\n" },
	{ "{text: ''}", "    text: \"\"\n" },
	{ "{ours: 8}", "    ours: 8\n" },
	{ "{given: }", "    given:\n      size: 10\n" },
	{ "{given: {enabled: false}}", "!given" },
	{ "{none: {}}", "    none:\n      size: 10\n" },
	{ "{on: {enabled: false}}", "    \"on\":\n      enabled: false\n" },
	{ "{wait: 90s}", "    wait: 1m30s\n" },
	{ "{ratio: 2}", "    ratio: 2.0\n" },
	{ "{large: 18446744073709551615}",
	  "    large: 18446744073709551615\n" },
	{ "{parts: [{name: a}, {name: b, weight: 0}]}",
	  "    parts:\n      - name: a\n        weight: 3\n"
	  "      - name: b\n        weight: 0\n" },
	{ "{secret: hush}", "    secret: \"[REDACTED]\"\n" },
	{ "{secret: hush}", "!hush" },
	{ "{headers: {b: hush, a: ''}}",
	  "    headers:\n      a: \"\"\n      b: \"[REDACTED]\"\n" },
	{ "{any: {headers: [{name: a, value: hush}]}}",
	  "      headers:\n        - name: a\n"
	  "          value: \"[REDACTED]\"\n" },
	{ "{any: {headers: {a: 5}}}", "        a: \"[REDACTED]\"\n" },
	{ "{any: [1, 2.0, true, ~, '5', '${NUMBER}']}",
	  "    any:\n      - 1\n      - 2.0\n      - true\n      - null\n"
	  "      - \"5\"\n      - 83\n" },
	{ "{text: '${NUMBER}'}", "    text: \"0123\"\n" },
	{ "{text: 'a$b'}", "    text: \"a$b\"\n" },
	{ "{text: 'a$${b}'}", "    text: \"a$${b}\"\n" },
	{ "{text: 'a$$$$b'}", "    text: \"a$$$$b\"\n" },
};

START_TEST(a_value_is_a_line)
{
	char *text = arena_printf(&arena, "exporters: {x/1: %s}",
				  lines[_i].block);
	const char *wanted = lines[_i].wanted;
	bool not = *wanted == '!';
	char *got = print(text, false, false);

	ck_assert(!strncmp(got, FRONT, strlen(FRONT)));
	ck_assert_msg(!strstr(got, wanted + not) == not, "%s gives\n%s",
		      lines[_i].block, got);
	free(got);
}
END_TEST

START_TEST(what_is_printed_binds_alike)
{
	char *text = arena_printf(&arena, "exporters: {x/1: %s}",
				  lines[_i].block);

	for (int json = 0; json < 2; json++) {
		char *once = print(text, json, true);
		char *twice = print(once, json, true);

		ck_assert_str_eq(once, twice);
		ck_assert_ptr_null(strstr(once, "REDACTED"));
		free(once);
		free(twice);
	}
}
END_TEST

START_TEST(a_key_of_two_rows_is_printed_once)
{
	char *got = print("exporters: {x/1: {}}", false, false);
	const char *ratio = strstr(got, "    ratio: ");

	ck_assert_ptr_nonnull(ratio);
	ck_assert_ptr_null(strstr(ratio + 10, "ratio"));
	free(got);
}
END_TEST

START_TEST(the_service_has_its_defaults)
{
	char *got = print("exporters: {x/1: {}}\n"
			  "service: {telemetry: {logs: {level: debug}, "
			  "resource: {a: '${NUMBER}'}}}\n", false, false);

	ck_assert_ptr_nonnull(strstr(got, "      level: debug\n"));
	ck_assert_ptr_nonnull(strstr(got, "      encoding: console\n"));
	ck_assert_ptr_nonnull(strstr(got, "port: 8888\n"));
	ck_assert_ptr_nonnull(strstr(got, "      a: \"0123\"\n"));
	free(got);
	got = print("exporters: {x/1: {}}\n"
		    "service: {telemetry: {metrics: {address: 'h:1'}}}\n",
		    false, false);
	ck_assert_ptr_nonnull(strstr(got, "address: h:1\n"));
	ck_assert_ptr_null(strstr(got, "readers"));
	free(got);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("print_config");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, a_value_is_a_line, 0, COUNT(lines));
	tcase_add_loop_test(tests, what_is_printed_binds_alike, 0,
			    COUNT(lines));
	tcase_add_test(tests, a_key_of_two_rows_is_printed_once);
	tcase_add_test(tests, the_service_has_its_defaults);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
