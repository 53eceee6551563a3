/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_log: the lines that an operator reads.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "config/tree.h"
#include "runtime/worker.h"

#define WALL 1788600000123000000u	/* 2026-09-05T09:20:00.123Z */

static char path[] = "/tmp/weir-log-XXXXXX";
static struct weir_error error;

static void set_up(const char *level, const char *encoding, bool no_caller)
{
	weir_str paths[] = { weir_str_of(path) };
	struct log_options options = {
		.level = weir_str_of(level), .encoding = weir_str_of(encoding),
		.paths = { paths, 1 }, .disable_caller = no_caller,
	};

	ck_assert_msg(!log_setup(&options, &error), "%s", error.text);
}

static void setup(void)
{
	setenv("TZ", "UTC", 1);
	clock_manual(1000000000, WALL, 1);
	strcpy(path, "/tmp/weir-log-XXXXXX");
	close(mkstemp(path));
	set_up("info", "console", true);
}

static void teardown(void)
{
	unlink(path);
}

/* What was written since the last call. */
static const char *written(void)
{
	static char text[65536];
	static long from;
	FILE *file = fopen(path, "rb");
	size_t n;

	fseek(file, from, SEEK_SET);
	n = fread(text, 1, sizeof(text) - 1, file);
	from += (long)n;
	text[n] = 0;
	fclose(file);
	return text;
}

#define FRONT "2026-09-05T09:20:00.123Z\t"

START_TEST(a_line_has_time_level_words_and_fields)
{
	weir_log_warn(NULL, "Sender failed", "error=%s dropped_items=%zu",
		      "no route", (size_t)7);
	ck_assert_str_eq(written(), FRONT "warn\tSender failed\t"
			 "{\"error\": \"no route\", \"dropped_items\": 7}\n");
	weir_log_info(NULL, "Shutdown complete.", NULL);
	ck_assert_str_eq(written(), FRONT "info\tShutdown complete.\n");
}
END_TEST

static void set_up_more(struct log_options options)
{
	weir_str paths[] = { weir_str_of(path) };

	if (!options.nowhere)
		options.paths = (struct weir_strs){ paths, 1 };
	options.disable_caller = true;
	ck_assert_msg(!log_setup(&options, &error), "%s", error.text);
}

START_TEST(initial_fields_stand_in_every_line)
{
	struct arena arena = { 0 };
	const struct weir_node *fields = tree_parse_raw(&arena, "f", WEIR_STR(
		"{a: b, n: 5, x: 1.5, t: true, z: ~, l: [1, {m: '\"'}]}"),
		&error);

	set_up_more((struct log_options){ .initial_fields = fields });
	arena_release(&arena);		/* they are not kept */
	weir_log_info(NULL, "Hello", "k=%d", 1);
	ck_assert_str_eq(written(), FRONT "info\tHello\t{\"a\": \"b\", "
		"\"n\": 5, \"x\": 1.5, \"t\": true, \"z\": null, "
		"\"l\": [1, {\"m\": \"\\\"\"}], \"k\": 1}\n");
}
END_TEST

START_TEST(sampling_is_what_was_said)
{
	static const struct log_sampling two = { true, { 1000000000 }, 2, 0 },
					 off = { false, { 1 }, 1, 1 };
	size_t lines = 0;

	set_up_more((struct log_options){ .sampling = &two });
	for (int i = 0; i < 50; i++)
		weir_log_info(NULL, "Same", NULL);
	for (const char *p = written(); (p = strchr(p, '\n')); p++)
		lines++;
	ck_assert_uint_eq(lines, 2);
	set_up_more((struct log_options){ .sampling = &off });
	for (int i = 0; i < 50; i++)
		weir_log_info(NULL, "Same", NULL);
	for (const char *p = written(); (p = strchr(p, '\n')); p++)
		lines++;
	ck_assert_uint_eq(lines, 52);
}
END_TEST

START_TEST(nowhere_writes_no_line)
{
	set_up_more((struct log_options){ .nowhere = true });
	weir_log_error(NULL, "Hello", NULL);
	ck_assert_str_eq(written(), "");
}
END_TEST

START_TEST(what_cannot_be_written_is_told_elsewhere)
{
	weir_str full[] = { WEIR_STR("/dev/full") };
	weir_str elsewhere[] = { weir_str_of(path) };
	struct log_options options = { .paths = { full, 1 },
				       .error_paths = { elsewhere, 1 } };

	ck_assert_msg(!log_setup(&options, &error), "%s", error.text);
	weir_log_info(NULL, "Hello", NULL);
	ck_assert_str_eq(written(), "2026-09-05T09:20:00.123Z write error: "
				    "No space left on device\n");
}
END_TEST

START_TEST(the_caller_is_file_and_line)
{
	char wanted[64];

	set_up("info", "console", false);
	snprintf(wanted, sizeof(wanted), "\tinfo\tcore/test_log.c:%d\tHello\n",
		 __LINE__ + 1);
	weir_log_info(NULL, "Hello", NULL);
	ck_assert_ptr_nonnull(strstr(written(), wanted));
}
END_TEST

START_TEST(json_lines_are_json)
{
	set_up("info", "json", true);
	weir_log_error(NULL, "Say \"hi\"", "n=%d", -3);
	ck_assert_str_eq(written(), "{\"level\":\"error\",\"ts\":"
			 "\"2026-09-05T09:20:00.123Z\",\"msg\":"
			 "\"Say \\\"hi\\\"\",\"n\":-3}\n");
}
END_TEST

START_TEST(a_value_cannot_make_fields_or_lines)
{
	weir_log_info(NULL, "x", "a=%s b=%.*s", "1 c=2\n\"\\\x01\xff\xc3\xa9", 3,
		      "abcdef");
	ck_assert_str_eq(written(), FRONT "info\tx\t{\"a\": \"1 c=2\\n\\\"\\\\"
			 "\\u0001\\ufffd\xc3\xa9\", \"b\": \"abc\"}\n");
}
END_TEST

START_TEST(every_conversion_of_the_contract_works)
{
	weir_log_info(NULL, "x", "d=%d u=%u x=%x ld=%ld lu=%lu lld=%lld "
		      "llu=%llu zu=%zu g=%g c=%c s=%s w=word two=%u%s e=", -1,
		      4294967295u, 255u, -2L, 3UL, -4LL,
		      18446744073709551615ULL, (size_t)6, 1.5, 'z', "",
		      5u, "ms");
	ck_assert_str_eq(written(), FRONT "info\tx\t{\"d\": -1, "
			 "\"u\": 4294967295, \"x\": \"ff\", \"ld\": -2, "
			 "\"lu\": 3, \"lld\": -4, "
			 "\"llu\": 18446744073709551615, \"zu\": 6, "
			 "\"g\": 1.5, \"c\": \"z\", \"s\": \"\", "
			 "\"w\": \"word\", \"two\": \"5ms\", \"e\": \"\"}\n");
}
END_TEST

START_TEST(a_component_is_named)
{
	static const struct weir_plugin plugin = { .kind = WEIR_PROCESSOR };
	struct weir_component c = { .plugin = &plugin, .id = "batch/2",
				    .pipeline = "traces/x" };

	weir_log_info(&c, "x", "n=%d", 1);
	ck_assert_str_eq(written(), FRONT "info\tx\t"
		"{\"otelcol.component.id\": \"batch/2\", "
		"\"otelcol.component.kind\": \"processor\", "
		"\"otelcol.pipeline.id\": \"traces/x\", "
		"\"otelcol.signal\": \"traces\", \"n\": 1}\n");
	c = (struct weir_component){ .id = "otlp", .signals = WEIR_ALL_SIGNALS };
	weir_log_info(&c, "x", NULL);
	ck_assert_ptr_null(strstr(written(), "signal"));
}
END_TEST

START_TEST(what_is_below_the_level_is_not_written)
{
	ck_assert(!weir_log_enabled(WEIR_DEBUG));
	weir_log_debug(NULL, "x", NULL);
	ck_assert_str_eq(written(), "");
	set_up("error", "console", true);
	weir_log_warn(NULL, "x", NULL);
	ck_assert_str_eq(written(), "");
	weir_log_error(NULL, "x", NULL);
	ck_assert_ptr_nonnull(strstr(written(), "\terror\t"));
	set_up("fatal", "console", true);
	weir_log_error(NULL, "x", NULL);
	ck_assert_str_eq(written(), "");
}
END_TEST

static void repeat(int times)
{
	for (int i = 0; i < times; i++)
		weir_log_warn(NULL, "again", "i=%d", i);
}

static int lines(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

START_TEST(a_site_writes_ten_lines_then_every_hundredth)
{
	const char *text;

	repeat(1000);
	text = written();
	ck_assert_int_eq(lines(text), 10 + 9);
	ck_assert_ptr_nonnull(strstr(text, "\"i\": 9}\n"));
	ck_assert_ptr_nonnull(strstr(text, "\"i\": 109, \"suppressed\": 99}"));
	clock_advance(10000000000);
	repeat(1);
	text = written();
	ck_assert_int_eq(lines(text), 1);
	ck_assert_ptr_nonnull(strstr(text, "\"suppressed\": 90}"));
}
END_TEST

START_TEST(a_log_that_cannot_be_opened_leaves_the_old_one)
{
	weir_str paths[] = { weir_str_of(path), WEIR_STR("/nonexistent/x") };
	struct log_options options = { .paths = { paths, 2 } };

	ck_assert_int_eq(log_setup(&options, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.text, "open /nonexistent/x: "));
	weir_log_info(NULL, "still here", NULL);
	ck_assert_ptr_nonnull(strstr(written(), "still here"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_line_has_time_level_words_and_fields);
	tcase_add_test(tests, initial_fields_stand_in_every_line);
	tcase_add_test(tests, sampling_is_what_was_said);
	tcase_add_test(tests, nowhere_writes_no_line);
	tcase_add_test(tests, what_cannot_be_written_is_told_elsewhere);
	tcase_add_test(tests, the_caller_is_file_and_line);
	tcase_add_test(tests, json_lines_are_json);
	tcase_add_test(tests, a_value_cannot_make_fields_or_lines);
	tcase_add_test(tests, every_conversion_of_the_contract_works);
	tcase_add_test(tests, a_component_is_named);
	tcase_add_test(tests, what_is_below_the_level_is_not_written);
	tcase_add_test(tests, a_site_writes_ten_lines_then_every_hundredth);
	tcase_add_test(tests, a_log_that_cannot_be_opened_leaves_the_old_one);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
