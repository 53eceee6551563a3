/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cli: the words of a command line, feature gates, and how values are
 * written.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/bind.h"
#include "config/emit.h"
#include "base/log.h"
#include "program/options.h"
#include "program/print_config.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct options options;

static void setup(void)
{
	weir_str none[] = { WEIR_STR("/dev/null") };
	struct log_options quiet = { .paths = { none, 1 } };
	struct weir_error error;

	ck_assert_int_eq(log_setup(&quiet, &error), 0);
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
}

static void teardown(void)
{
	options_release(&options);
}

/* "a b c" as argv[1..]. */
static int read_line(const char *line)
{
	static char words[512];
	char *argv[20] = { "weir" }, *rest;
	int argc = 1;

	snprintf(words, sizeof(words), "%s", line);
	for (char *word = strtok_r(words, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	return options_read(&options, argc, argv);
}

/* --- words --------------------------------------------------------------- */

static const struct {
	const char *line;
	enum command command;
	size_t sources, configs;
} good[] = {
	{ "", COMMAND_RUN, 0, 0 },
	{ "--config a", COMMAND_RUN, 1, 1 },
	{ "--config=a --config b --set c=d", COMMAND_RUN, 3, 2 },
	{ "run --config a", COMMAND_RUN, 1, 1 },
	{ "--config a validate", COMMAND_VALIDATE, 1, 1 },
	{ "validate --set a=b --config a", COMMAND_VALIDATE, 2, 1 },
	{ "print-config --mode=unredacted --format json --config a",
	  COMMAND_PRINT_CONFIG, 1, 1 },
	{ "print-initial-config --validate=false", COMMAND_PRINT_CONFIG, 0, 0 },
	{ "print-config --validate --config a", COMMAND_PRINT_CONFIG, 1, 1 },
	{ "components", COMMAND_COMPONENTS, 0, 0 },
	{ "describe exporters/debug", COMMAND_DESCRIBE, 0, 0 },
	{ "featuregate service.AllowNoPipelines", COMMAND_FEATUREGATE, 0, 0 },
	{ "validate --help", COMMAND_HELP, 0, 0 },
	{ "-h validate", COMMAND_HELP, 0, 0 },
	{ "--version", COMMAND_VERSION, 0, 0 },
	{ "-v", COMMAND_VERSION, 0, 0 },
	{ "--feature-gates= --config a", COMMAND_RUN, 1, 1 },
};

START_TEST(a_line_is_read)
{
	ck_assert_msg(!read_line(good[_i].line), "%s", good[_i].line);
	ck_assert_msg(options.command == good[_i].command, "%s",
		      good[_i].line);
	ck_assert_uint_eq(options.n_sources, good[_i].sources);
	ck_assert_uint_eq(options.n_configs, good[_i].configs);
}
END_TEST

static const char *const bad[] = {
	"--confg a", "-config a", "--config", "--set a", "--set", "bogus",
	"validate x", "run run", "describe a b", "featuregate a b",
	"--mode=x", "--format=x", "--validate=x", "--version=1", "--help=1",
	"--feature-gates=x", "--feature-gates", "--configx=a", "-", "--",
};

START_TEST(a_line_is_refused)
{
	ck_assert_msg(read_line(bad[_i]), "%s", bad[_i]);
}
END_TEST

START_TEST(what_is_said_is_kept)
{
	ck_assert_int_eq(read_line("print-config --config=file:x --set a=b=c "
		"--plugin-dir p --mode unredacted --format=json "
		"--validate=false"), 0);
	ck_assert_str_eq(options.sources[0].text, "file:x");
	ck_assert(!options.sources[0].set);
	ck_assert_str_eq(options.sources[1].text, "a=b=c");
	ck_assert(options.sources[1].set);
	ck_assert_str_eq(options.plugin_dir, "p");
	ck_assert_str_eq(options.mode, "unredacted");
	ck_assert_str_eq(options.format, "json");
	ck_assert(options.skip_validation);
}
END_TEST

/* --- gates --------------------------------------------------------------- */

static const struct {
	const char *list;
	bool append, partial;	/* an alpha one, a beta one */
} gates[] = {
	{ "", false, true },
	{ "confmap.enableMergeAppendOption", true, true },
	{ "+confmap.enableMergeAppendOption", true, true },
	{ "-confmap.enableMergeAppendOption", false, true },
	{ "confmap.enableMergeAppendOption,-service.partialReloadReceivers",
	  true, false },
	{ "confmap.enableMergeAppendOption,-confmap.enableMergeAppendOption",
	  false, true },
	{ "processor.filter.defaultErrorModeIgnore", false, true },
};

START_TEST(gates_are_switched)
{
	struct gates g;
	char *why;

	gates_init(&g);
	why = gates_set(&g, gates[_i].list);
	ck_assert_msg(!why, "%s", why);
	ck_assert(gates_on(&g, "confmap.enableMergeAppendOption") ==
		  gates[_i].append);
	ck_assert(gates_on(&g, "service.partialReloadReceivers") ==
		  gates[_i].partial);
}
END_TEST

static const struct {
	const char *list, *why;
} bad_gates[] = {
	{ "nope", "no such feature gate \"nope\". valid gates: [confmap." },
	{ "-nope", "no such feature gate \"nope\"." },
	{ "service.AlowNoPipelines",
	  "did you mean \"service.AllowNoPipelines\"?" },
	{ ",service.AllowNoPipelines",
	  "empty feature gate identifier at index 0" },
	{ "service.AllowNoPipelines,",
	  "empty feature gate identifier at index 1" },
	{ ",", "index 0; empty feature gate identifier at index 1" },
	{ "-processor.filter.defaultErrorModeIgnore",
	  "is stable, can not be disabled" },
	{ "+", "no such feature gate \"\"" },
};

START_TEST(what_is_no_gate_is_said)
{
	struct gates g;
	char *why;

	gates_init(&g);
	why = gates_set(&g, bad_gates[_i].list);
	ck_assert_msg(why && strstr(why, bad_gates[_i].why), "%s: %s",
		      bad_gates[_i].list, why ? why : "nothing");
	free(why);
}
END_TEST

START_TEST(gates_are_listed)
{
	struct gates g;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	gates_init(&g);
	ck_assert_int_eq(gates_print(&g, NULL, out), 0);
	ck_assert_int_eq(gates_print(&g, "service.AllowNoPipelines", out), 0);
	ck_assert_int_eq(gates_print(&g, "nope", out), -1);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "\ntransform.flatten.logs "));
	ck_assert_ptr_nonnull(strstr(text, "\nEnabled: false\nStage: Alpha\n"));
	free(text);
}
END_TEST

/* --- values written ------------------------------------------------------ */

static const struct {
	int64_t ns;
	const char *text;
} durations[] = {
	{ 0, "0s" }, { 1, "1ns" }, { 999, "999ns" },
	{ 1500, "1.5\xc2\xb5s" }, { 1000000, "1ms" }, { 200000000, "200ms" },
	{ 1500000000, "1.5s" }, { 60000000000, "1m0s" },
	{ 90000000000, "1m30s" }, { 3600000000000, "1h0m0s" },
	{ 3661500000001, "1h1m1.500000001s" }, { -1500000, "-1.5ms" },
	{ INT64_MAX, "2562047h47m16.854775807s" },
	{ INT64_MIN + 1, "-2562047h47m16.854775807s" },
};

START_TEST(a_duration_is_written_as_go_does_and_read_again)
{
	weir_duration in = { durations[_i].ns }, out;
	char text[64];

	print_duration(in, text, sizeof(text));
	ck_assert_str_eq(text, durations[_i].text);
	ck_assert(bind_duration(weir_str_of(text), &out));
	ck_assert_int_eq(out.ns, in.ns);
}
END_TEST

static const struct {
	const char *text, *yaml, *json;
} texts[] = {
	{ "", "\"\"", "\"\"" },
	{ "a", "a", "\"a\"" },
	{ "a b", "\"a b\"", "\"a b\"" },
	{ "true", "\"true\"", "\"true\"" },
	{ "yes", "\"yes\"", "\"yes\"" },
	{ "5", "\"5\"", "\"5\"" },
	{ "0x1f", "\"0x1f\"", "\"0x1f\"" },
	{ "1e3", "\"1e3\"", "\"1e3\"" },
	{ "null", "\"null\"", "\"null\"" },
	{ "2001-12-14", "\"2001-12-14\"", "\"2001-12-14\"" },
	{ "1.2.3", "1.2.3", "\"1.2.3\"" },
	{ "otlp/2", "otlp/2", "\"otlp/2\"" },
	{ "localhost:4317", "localhost:4317", "\"localhost:4317\"" },
	{ "a:", "\"a:\"", "\"a:\"" },
	{ "- a", "\"- a\"", "\"- a\"" },
	{ "a#b", "\"a#b\"", "\"a#b\"" },
	{ "a\"\\\n\t\x01", "\"a\\\"\\\\\\n\\t\\u0001\"",
	  "\"a\\\"\\\\\\n\\t\\u0001\"" },
	{ "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"",
	  "\"gr\xc3\xbc\xc3\x9f\"" },
	{ "\xe2\x80\xa8\xc2\x85", "\"\\u2028\\u0085\"",
	  "\"\\u2028\\u0085\"" },
	{ "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"",
	  "\"\xf0\x9f\x98\x80\"" },
	{ "a\xff", "\"a\\ufffd\"", "\"a\\ufffd\"" },
};

/* One value alone in a list, without the list. */
static char *write_text(const char *text, bool json)
{
	char *out = NULL, *value;
	size_t len;
	struct emit e = { .out = open_memstream(&out, &len), .json = json };

	emit_list(&e);
	emit_str(&e, weir_str_of(text));
	emit_end(&e);
	fclose(e.out);
	value = strdup(out + (json ? 4 : 2));
	value[strcspn(value, "\n")] = 0;
	free(out);
	return value;
}

START_TEST(text_is_written_so_that_it_is_text_again)
{
	struct arena arena = { 0 };
	struct weir_error error;

	for (int json = 0; json < 2; json++) {
		char *got = write_text(texts[_i].text, json);
		struct weir_node *node;

		ck_assert_str_eq(got, json ? texts[_i].json : texts[_i].yaml);
		node = tree_parse_raw(&arena, "f", weir_str_of(got), &error);
		ck_assert_msg(node != NULL, "%s: %s", got, error.text);
		ck_assert_int_eq(node->kind, WEIR_NODE_STR);
		if (!strchr(texts[_i].text, '\xff'))
			ck_assert(weir_str_eq(node->text,
					      weir_str_of(texts[_i].text)));
		free(got);
	}
	arena_release(&arena);
}
END_TEST

/* A map of a list of maps, empty ones, and numbers of all kinds. */
static void write_all(struct emit *e)
{
	emit_map(e);
	emit_key(e, WEIR_STR("none"));
	emit_map(e);
	emit_end(e);
	emit_key(e, WEIR_STR("list"));
	emit_list(e);
	emit_map(e);
	emit_key(e, WEIR_STR("a"));
	emit_int(e, -1);
	emit_key(e, WEIR_STR("b"));
	emit_list(e);
	emit_end(e);
	emit_end(e);
	emit_list(e);
	emit_uint(e, UINT64_MAX);
	emit_double(e, 5);
	emit_double(e, 0.1);
	emit_double(e, 1e300);
	emit_end(e);
	emit_map(e);
	emit_end(e);
	emit_end(e);
	emit_key(e, WEIR_STR("5"));
	emit_bool(e, true);
	emit_key(e, WEIR_STR("null"));
	emit_null(e);
	emit_end(e);
}

static const char *const wholes[] = {
	"none: {}\n"
	"list:\n"
	"  - a: -1\n"
	"    b: []\n"
	"  - - 18446744073709551615\n"
	"    - 5.0\n"
	"    - 0.1\n"
	"    - 1e+300\n"
	"  - {}\n"
	"\"5\": true\n"
	"\"null\": null\n",
	"{\n"
	"  \"none\": {},\n"
	"  \"list\": [\n"
	"    {\n"
	"      \"a\": -1,\n"
	"      \"b\": []\n"
	"    },\n"
	"    [\n"
	"      18446744073709551615,\n"
	"      5.0,\n"
	"      0.1,\n"
	"      1e+300\n"
	"    ],\n"
	"    {}\n"
	"  ],\n"
	"  \"5\": true,\n"
	"  \"null\": null\n"
	"}\n",
};

START_TEST(a_tree_is_laid_out)
{
	char *text = NULL;
	size_t len;
	struct emit e = { .out = open_memstream(&text, &len), .json = _i };

	write_all(&e);
	fclose(e.out);
	ck_assert_str_eq(text, wholes[_i]);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, a_line_is_read, 0, COUNT(good));
	tcase_add_loop_test(tests, a_line_is_refused, 0, COUNT(bad));
	tcase_add_test(tests, what_is_said_is_kept);
	tcase_add_loop_test(tests, gates_are_switched, 0, COUNT(gates));
	tcase_add_loop_test(tests, what_is_no_gate_is_said, 0,
			    COUNT(bad_gates));
	tcase_add_test(tests, gates_are_listed);
	tcase_add_loop_test(tests,
			    a_duration_is_written_as_go_does_and_read_again, 0,
			    COUNT(durations));
	tcase_add_loop_test(tests, text_is_written_so_that_it_is_text_again, 0,
			    COUNT(texts));
	tcase_add_loop_test(tests, a_tree_is_laid_out, 0, COUNT(wholes));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
