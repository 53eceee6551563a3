/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The debug exporter: the texts of each verbosity, and the sampling.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <weir/testing.h>

static char path[64], so[512];

static void setup(void)
{
	const char *build = getenv("WEIR_BUILD");
	int fd;

	snprintf(so, sizeof(so), "%s/plugins/exporters/debug.so",
		 build ? build : "build");
	strcpy(path, "/tmp/weir-debug-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(path);
}

/* Opens with output to the file, and what more says. */
static struct weir_test *started(const char *more)
{
	struct weir_error error = { 0 };
	struct weir_test *t;
	char yaml[512];

	snprintf(yaml, sizeof(yaml), "use_internal_logger: false\n"
		 "output_paths: [%s]\n%s", path, more);
	t = weir_test_open(so, yaml, WEIR_ALL_SIGNALS, &error);
	ck_assert_msg(t != NULL, "%s", error.text);
	ck_assert_msg(!weir_test_start(t, &error), "%s", error.text);
	return t;
}

static void closed(struct weir_test **t)
{
	struct weir_error error = { 0 };

	ck_assert_msg(!weir_test_close(t, &error), "%s", error.text);
}

static void send(struct weir_test *t, enum weir_signal signal,
		 const char *bytes, size_t len)
{
	struct weir_outcome outcome = { 0 };
	int n = weir_test_send(t, signal, bytes, len, &outcome);

	ck_assert_int_ge(n, 0);
	weir_test_run(t);
	ck_assert(weir_test_answer(t, n, &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
}

static void expect_written(const char *expected)
{
	char text[8192];
	FILE *f = fopen(path, "rb");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	ck_assert_str_eq(text, expected);
}

/* A span "x" with k=1, in scope s@1, in a resource with r=a. */
static const char span[] =
	"\x0a\x28"
	"\x0a\x0a" "\x0a\x08" "\x0a\x01r" "\x12\x03\x0a\x01" "a"
	"\x12\x1a"
	"\x0a\x06" "\x0a\x01s" "\x12\x01" "1"
	"\x12\x10" "\x2a\x01x" "\x30\x02"
	"\x4a\x07" "\x0a\x01k" "\x12\x02\x18\x01" "\x7a\x00";
/* A log record with body "hi". */
static const char record[] =
	"\x0a\x0c" "\x12\x0a" "\x12\x08" "\x10\x0a" "\x2a\x04\x0a\x02hi";
/* A gauge m with a point of 1e6. */
static const char gauge[] =
	"\x0a\x16" "\x12\x14" "\x12\x12" "\x0a\x01m" "\x2a\x0d" "\x0a\x0b"
	"\x21\x00\x00\x00\x00\x80\x84\x2e\x41" "\x40\x01";

#define SEND(t, signal, bytes) send(t, signal, bytes, sizeof(bytes) - 1)

START_TEST(basic_counts)
{
	struct weir_test *t = started("");

	SEND(t, WEIR_SIGNAL_TRACES, span);
	SEND(t, WEIR_SIGNAL_METRICS, gauge);
	SEND(t, WEIR_SIGNAL_LOGS, record);
	expect_written("Traces\t{\"resource spans\": 1, \"spans\": 1}\n"
		       "Metrics\t{\"resource metrics\": 1, \"metrics\": 1, "
		       "\"data points\": 1}\n"
		       "Logs\t{\"resource logs\": 1, \"log records\": 1}\n");
	closed(&t);
}
END_TEST

START_TEST(normal_writes_a_line_per_item)
{
	struct weir_test *t = started("verbosity: Normal");

	SEND(t, WEIR_SIGNAL_TRACES, span);
	SEND(t, WEIR_SIGNAL_METRICS, gauge);
	SEND(t, WEIR_SIGNAL_LOGS, record);
	expect_written("Traces\t{\"resource spans\": 1, \"spans\": 1}\n"
		       "ResourceTraces #0 r=a\nScopeTraces #0 s@1\n"
		       "x   k=1\n\n"
		       "Metrics\t{\"resource metrics\": 1, \"metrics\": 1, "
		       "\"data points\": 1}\n"
		       "ResourceMetrics #0\nScopeMetrics #0\nm{} 1e+06\n\n"
		       "Logs\t{\"resource logs\": 1, \"log records\": 1}\n"
		       "ResourceLog #0\nScopeLog #0\nhi \n\n");
	closed(&t);
}
END_TEST

START_TEST(detailed_writes_every_field_of_a_span)
{
	struct weir_test *t = started("verbosity: detailed");

	SEND(t, WEIR_SIGNAL_TRACES, span);
	expect_written("Traces\t{\"resource spans\": 1, \"spans\": 1}\n"
		       "ResourceSpans #0\n"
		       "Resource SchemaURL: \n"
		       "Resource attributes:\n"
		       "     -> r: Str(a)\n"
		       "ScopeSpans #0\n"
		       "ScopeSpans SchemaURL: \n"
		       "InstrumentationScope s 1\n"
		       "Span #0\n"
		       "    Trace ID       : \n"
		       "    Parent ID      : \n"
		       "    ID             : \n"
		       "    Name           : x\n"
		       "    Kind           : Server\n"
		       "    Start time     : 1970-01-01 00:00:00 +0000 UTC\n"
		       "    End time       : 1970-01-01 00:00:00 +0000 UTC\n"
		       "    Status code    : Unset\n"
		       "    Status message : \n"
		       "    DroppedAttributesCount: 0\n"
		       "    DroppedEventsCount: 0\n"
		       "    DroppedLinksCount: 0\n"
		       "Attributes:\n"
		       "     -> k: Int(1)\n\n");
	closed(&t);
}
END_TEST

START_TEST(detailed_writes_every_field_of_a_log_record)
{
	struct weir_test *t = started("verbosity: detailed");

	SEND(t, WEIR_SIGNAL_LOGS, record);
	expect_written("Logs\t{\"resource logs\": 1, \"log records\": 1}\n"
		       "ResourceLog #0\n"
		       "Resource SchemaURL: \n"
		       "ScopeLogs #0\n"
		       "ScopeLogs SchemaURL: \n"
		       "InstrumentationScope  \n"
		       "LogRecord #0\n"
		       "ObservedTimestamp: 1970-01-01 00:00:00 +0000 UTC\n"
		       "Timestamp: 1970-01-01 00:00:00 +0000 UTC\n"
		       "SeverityText: \n"
		       "SeverityNumber: Info2(10)\n"
		       "Body: Str(hi)\n"
		       "Trace ID: \n"
		       "Span ID: \n"
		       "Flags: 0\n\n");
	closed(&t);
}
END_TEST

START_TEST(writes_the_first_of_a_second_and_then_every_third)
{
	struct weir_test *t = started("sampling_thereafter: 3");
	static const char line[] =
		"Traces\t{\"resource spans\": 1, \"spans\": 1}\n";
	char expected[sizeof(line) * 8] = "";

	for (int i = 0; i < 8; i++)	/* 1, 2, 5 and 8 */
		SEND(t, WEIR_SIGNAL_TRACES, span);
	for (int i = 0; i < 4; i++)
		strcat(expected, line);
	expect_written(expected);
	weir_test_advance(t, (weir_duration){ 1000000000 });
	SEND(t, WEIR_SIGNAL_TRACES, span);
	strcat(expected, line);
	expect_written(expected);
	closed(&t);
}
END_TEST

START_TEST(negative_numbers_of_sampling_are_very_large_ones)
{
	struct weir_test *t = started("sampling_initial: -1\n"
				      "sampling_thereafter: 0");
	static const char line[] =
		"Traces\t{\"resource spans\": 1, \"spans\": 1}\n";
	char expected[sizeof(line) * 4] = "";

	for (int i = 0; i < 4; i++) {
		SEND(t, WEIR_SIGNAL_TRACES, span);
		strcat(expected, line);
	}
	expect_written(expected);
	closed(&t);
}
END_TEST

/* A log record whose body is ESC [ NUL DEL, a C1 CSI, e acute, tab. */
static const char controls[] =
	"\x0a\x13" "\x12\x11" "\x12\x0f" "\x2a\x0d\x0a\x0b"
	"a\x1b[\x00\x7f\xc2\x9b\xc3\xa9\t.";

START_TEST(controls_are_escaped_so_that_a_terminal_is_safe)
{
	struct weir_test *t = started("verbosity: normal");

	SEND(t, WEIR_SIGNAL_LOGS, controls);
	expect_written("Logs\t{\"resource logs\": 1, \"log records\": 1}\n"
		       "ResourceLog #0\nScopeLog #0\n"
		       "a\\u001b[\\u0000\\u007f\\u009b\xc3\xa9\t. \n\n");
	closed(&t);
}
END_TEST

START_TEST(without_a_queue_there_are_no_gauges_of_one)
{
	struct weir_test *t = started("");

	ck_assert(weir_test_metric(t, "otelcol_exporter_queue_size") == -1);
	ck_assert(weir_test_metric(t, "otelcol_exporter_queue_capacity") == -1);
	ck_assert(weir_test_metric(t, "otelcol_exporter_in_flight_requests") ==
		  0);
	closed(&t);
}
END_TEST

START_TEST(a_queue_takes_batches_and_merges_them)
{
	struct weir_test *t = started("sending_queue:\n  sizer: items\n"
				      "  batch: {min_size: 3}");
	struct weir_outcome outcome;
	int n;

	for (int i = 0; i < 2; i++) {
		n = weir_test_send(t, WEIR_SIGNAL_TRACES, span,
				   sizeof(span) - 1, &outcome);
		weir_test_run(t);
		ck_assert(weir_test_answer(t, n, &outcome));
	}
	expect_written("");
	ck_assert_int_eq((int)weir_test_metric(t,
		"otelcol_exporter_queue_size"), 2);
	SEND(t, WEIR_SIGNAL_TRACES, span);
	expect_written("Traces\t{\"resource spans\": 3, \"spans\": 3}\n");
	ck_assert_int_eq((int)weir_test_metric(t,
		"otelcol_exporter_sent_spans"), 3);
	ck_assert_int_eq((int)weir_test_metric(t,
		"otelcol_exporter_queue_size"), 0);
	closed(&t);
}
END_TEST

START_TEST(what_is_queued_is_written_at_the_end)
{
	struct weir_test *t = started("sending_queue:\n  batch:");

	SEND(t, WEIR_SIGNAL_TRACES, span);
	expect_written("");
	weir_test_stop(t);
	weir_test_run(t);
	expect_written("Traces\t{\"resource spans\": 1, \"spans\": 1}\n");
	closed(&t);
}
END_TEST

static const char *const outputs[] = { "output_paths: %s",
				       "output_paths: [%s]",
				       "output_paths: ['file://%s']",
				       "output_paths: ['file://localhost%s']" };

START_TEST(writes_to_a_file_however_it_is_named)
{
	struct weir_error error = { 0 };
	struct weir_test *t;
	char yaml[256];

	snprintf(yaml, sizeof(yaml), outputs[_i], path);
	strcat(yaml, "\nuse_internal_logger: false");
	t = weir_test_open(so, yaml, WEIR_ALL_SIGNALS, &error);
	ck_assert_msg(t && !weir_test_start(t, &error), "%s", error.text);
	SEND(t, WEIR_SIGNAL_TRACES, span);
	expect_written("Traces\t{\"resource spans\": 1, \"spans\": 1}\n");
	closed(&t);
}
END_TEST

static const struct {
	const char *output, *text;
} unopened[] = {
	{ "/none/of/these", "open /none/of/these: No such file" },
	{ "http://localhost/x", "no sink found for \"http://localhost/x\"" },
	{ "''", "not a file name" },
};

START_TEST(does_not_start_with_an_output_that_cannot_be_opened)
{
	struct weir_error error = { 0 };
	struct weir_test *t;
	char yaml[256];

	snprintf(yaml, sizeof(yaml), "use_internal_logger: false\n"
		 "output_paths: [%s]", unopened[_i].output);
	t = weir_test_open(so, yaml, WEIR_ALL_SIGNALS, &error);
	ck_assert_ptr_nonnull(t);
	ck_assert_int_eq(weir_test_start(t, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.text, unopened[_i].text));
	closed(&t);
}
END_TEST

static const struct {
	const char *yaml, *text;
} refusals[] = {
	{ "verbosity: none", "verbosity level \"None\" is not supported" },
	{ "verbosity: loud", "'verbosity' unknown metrics level \"loud\"" },
	{ "output_paths: [stdout]", "output_paths is not supported when "
	  "use_internal_logger is true" },
	{ "output_paths: []\nuse_internal_logger: false",
	  "output_paths must not be empty when use_internal_logger is false" },
	{ "output_paths: [[a]]\nuse_internal_logger: false",
	  "'output_paths' must be a list of strings" },
	{ "output_paths: {a: b}\nuse_internal_logger: false",
	  "'output_paths' must be a list of strings" },
	{ "sending_queue: {num_consumers: 0}",
	  "`num_consumers` must be positive" },
	{ "sending_queue: {queue_size: 0}", "`queue_size` must be positive" },
	{ "sending_queue: {sizer: bags}", "invalid sizer: \"bags\"" },
	{ "sending_queue: {sizer: items, batch: {}}",
	  "`min_size` must be less than or equal to `queue_size`" },
	{ "retry_on_failure: {}", "unknown key \"retry_on_failure\"" },
	{ "timeout: 1s", "unknown key \"timeout\"" },
};

START_TEST(refuses_in_the_words_of_the_collector)
{
	struct weir_error error = { 0 };
	struct weir_test *t = weir_test_open(so, refusals[_i].yaml,
					     WEIR_ALL_SIGNALS, &error);

	ck_assert_ptr_null(t);
	ck_assert_str_eq(error.text, refusals[_i].text);
}
END_TEST

START_TEST(takes_a_queue_that_is_switched_off)
{
	struct weir_test *t = started("sending_queue: {enabled: false}");

	closed(&t);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("exporters/debug");
	TCase *tc = tcase_create("debug");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, basic_counts);
	tcase_add_test(tc, normal_writes_a_line_per_item);
	tcase_add_test(tc, detailed_writes_every_field_of_a_span);
	tcase_add_test(tc, detailed_writes_every_field_of_a_log_record);
	tcase_add_test(tc, writes_the_first_of_a_second_and_then_every_third);
	tcase_add_test(tc, takes_a_queue_that_is_switched_off);
	tcase_add_test(tc, negative_numbers_of_sampling_are_very_large_ones);
	tcase_add_test(tc, controls_are_escaped_so_that_a_terminal_is_safe);
	tcase_add_test(tc, without_a_queue_there_are_no_gauges_of_one);
	tcase_add_test(tc, a_queue_takes_batches_and_merges_them);
	tcase_add_test(tc, what_is_queued_is_written_at_the_end);
	tcase_add_loop_test(tc, writes_to_a_file_however_it_is_named, 0, 4);
	tcase_add_loop_test(tc,
		does_not_start_with_an_output_that_cannot_be_opened, 0,
		sizeof(unopened) / sizeof(unopened[0]));
	tcase_add_loop_test(tc, refuses_in_the_words_of_the_collector, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
