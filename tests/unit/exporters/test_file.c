/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file exporter: what stands in the file, and who is told what.
 */
#include <signal.h>
#include <sys/resource.h>

#include "../../support/file_box.h"

START_TEST(writes_a_line_and_acks_the_batch)
{
	struct weir_test *t = started("path: %s/out");
	char text[512];

	ck_assert_int_eq(sent(t).status, WEIR_OK);
	contents("out", text, sizeof(text));
	ck_assert_str_eq(text, span_json);
	closed(&t);
}
END_TEST

START_TEST(writes_the_length_before_a_protobuf_message)
{
	struct weir_test *t = started("path: %s/out\nformat: proto");
	char bytes[64];
	size_t n;

	ck_assert_int_eq(sent(t).status, WEIR_OK);
	n = contents("out", bytes, sizeof(bytes));
	ck_assert_uint_eq(n, 4 + sizeof(span) - 1);
	ck_assert_mem_eq(bytes, "\0\0\0\x09", 4);
	ck_assert_mem_eq(bytes + 4, span, sizeof(span) - 1);
	closed(&t);
}
END_TEST

START_TEST(empties_the_file_at_start)
{
	struct weir_test *t;
	char text[512];

	write_file("out", "old\n");
	t = started("path: %s/out");
	sent(t);
	contents("out", text, sizeof(text));
	ck_assert_str_eq(text, span_json);
	closed(&t);
}
END_TEST

START_TEST(keeps_the_file_with_append)
{
	struct weir_test *t;
	char text[512];

	write_file("out", "old\n");
	t = started("path: %s/out\nappend: true");
	sent(t);
	contents("out", text, sizeof(text));
	ck_assert_int_eq(memcmp(text, "old\n", 4), 0);
	ck_assert_str_eq(text + 4, span_json);
	closed(&t);
}
END_TEST

START_TEST(makes_directories_with_their_mode)
{
	struct weir_test *t = started("path: %s/a/b/out\n"
				      "create_directory: true\n"
				      "directory_permissions: \"0700\"");
	char path[128], text[512];
	struct stat st;

	sent(t);
	contents("a/b/out", text, sizeof(text));
	ck_assert_str_eq(text, span_json);
	snprintf(path, sizeof(path), "%s/a/b", dir);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	closed(&t);
}
END_TEST

START_TEST(fails_to_start_without_the_directory)
{
	struct weir_error error = { 0 };
	struct weir_test *t = opened("path: %s/none/out", &error);

	ck_assert_ptr_nonnull(t);
	ck_assert_int_eq(weir_test_start(t, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.text, "/none/out: no such file or "
				     "directory"));
	closed(&t);
}
END_TEST

START_TEST(nacks_what_the_disk_does_not_take)
{
	struct weir_test *t = started("path: /dev/full");
	struct weir_outcome outcome = sent(t);

	ck_assert_int_eq(outcome.status, WEIR_UNAVAILABLE);
	ck_assert_int_eq(outcome.reason, WEIR_REASON_STORAGE);
	ck_assert(weir_outcome_retryable(&outcome));
	ck_assert_ptr_nonnull(strstr(outcome.text, "No space left"));
	closed(&t);
}
END_TEST

START_TEST(cuts_off_what_got_in_of_a_write_that_failed)
{
	const struct rlimit small = { 10, 10 };
	struct weir_test *t;
	char text[512];

	write_file("out", "old\n");
	t = started("path: %s/out\nappend: true");
	signal(SIGXFSZ, SIG_IGN);	/* EFBIG after 10 bytes instead */
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	ck_assert_int_eq(sent(t).status, WEIR_UNAVAILABLE);
	contents("out", text, sizeof(text));
	ck_assert_str_eq(text, "old\n");
	closed(&t);
}
END_TEST

START_TEST(acks_what_got_in_whole_and_nacks_the_rest)
{
	const rlim_t line = sizeof(span_json) - 1;
	const struct rlimit small = { 2 * line + 10, 2 * line + 10 };
	struct weir_test *t = started("path: %s/out");
	struct weir_outcome outcome;
	char twice[1024];
	int n[3];

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 3; i++)	/* two of them in one write */
		n[i] = weir_test_send(t, WEIR_SIGNAL_TRACES, span,
				      sizeof(span) - 1, &outcome);
	do
		weir_test_run(t);
	while (!weir_test_answer(t, n[2], &outcome));
	ck_assert_int_eq(outcome.status, WEIR_UNAVAILABLE);
	for (int i = 0; i < 2; i++) {
		ck_assert(weir_test_answer(t, n[i], &outcome));
		ck_assert_int_eq(outcome.status, WEIR_OK);
	}
	snprintf(twice, sizeof(twice), "%s%s", span_json, span_json);
	expect("out", twice);
	closed(&t);
}
END_TEST

/* The first is on its way to the disk while the others come. */
START_TEST(text_that_would_pass_the_budget_is_refused_and_can_come_again)
{
	struct weir_test *t = started("path: %s/out");
	struct weir_outcome outcome;
	uint64_t line;
	int first, second;

	first = weir_test_send(t, WEIR_SIGNAL_TRACES, span, sizeof(span) - 1,
			       &outcome);
	line = weir_budget_used() + 256;	/* the request, not its text */
	weir_budget_limit(line, line);
	second = weir_test_send(t, WEIR_SIGNAL_TRACES, span, sizeof(span) - 1,
				&outcome);
	ck_assert_int_ge(second, 0);
	do
		weir_test_run(t);
	while (!weir_test_answer(t, first, &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
	ck_assert(weir_test_answer(t, second, &outcome));
	ck_assert_int_eq(outcome.status, WEIR_UNAVAILABLE);
	ck_assert_int_eq(outcome.reason, WEIR_REASON_MEMORY);
	ck_assert(weir_outcome_retryable(&outcome));
	ck_assert_double_eq(weir_test_metric(t,
			"otelcol_exporter_send_failed_spans"), 1);
	expect("out", span_json);

	/* With nothing on its way it is taken: memory is freed by writing. */
	ck_assert_int_eq(sent(t).status, WEIR_OK);
	weir_budget_limit(0, 0);
	closed(&t);
	ck_assert_uint_eq(weir_budget_used(), 0);
}
END_TEST

START_TEST(makes_a_file_that_was_removed_again)
{
	struct weir_test *t = started("path: %s/a/out\ncreate_directory: true");

	ck_assert_int_eq(sent(t).status, WEIR_OK);
	ck_assert_int_eq(unlink(in_dir("a/out")), 0);
	ck_assert_int_eq(sent(t).status, WEIR_OK);
	expect("a/out", span_json);
	ck_assert_int_eq(unlink(in_dir("a/out")), 0);
	ck_assert_int_eq(rmdir(in_dir("a")), 0);
	ck_assert_int_eq(sent(t).status, WEIR_OK);
	expect("a/out", span_json);
	closed(&t);
}
END_TEST

START_TEST(nacks_while_the_directory_is_gone)
{
	struct weir_test *t;
	struct weir_outcome outcome;

	ck_assert_int_eq(mkdir(in_dir("a"), 0755), 0);
	t = started("path: %s/a/out");
	ck_assert_int_eq(unlink(in_dir("a/out")), 0);
	ck_assert_int_eq(rmdir(in_dir("a")), 0);
	outcome = sent(t);
	ck_assert_int_eq(outcome.status, WEIR_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(outcome.text, "No such file"));
	ck_assert_int_eq(mkdir(in_dir("a"), 0755), 0);
	ck_assert_int_eq(sent(t).status, WEIR_OK);
	expect("a/out", span_json);
	closed(&t);
}
END_TEST

static const char *const compressed[] = { "json", "proto" };

START_TEST(a_compressed_message_is_a_frame_behind_its_length)
{
	struct weir_test *t;
	unsigned char bytes[512];
	char yaml[128];
	size_t n, first;

	snprintf(yaml, sizeof(yaml), "path: %%s/out\ncompression: zstd\n"
		 "compression_params: {level: 99}\nformat: %s",
		 compressed[_i]);
	t = started(yaml);
	ck_assert_int_eq(sent(t).status, WEIR_OK);
	n = contents("out", (char *)bytes, sizeof(bytes));
	first = (size_t)bytes[2] << 8 | bytes[3];
	ck_assert_mem_eq(bytes, "\0\0", 2);
	ck_assert_uint_eq(n, 4 + first);
	ck_assert_mem_eq(bytes + 4, "\x28\xb5\x2f\xfd", 4);
	ck_assert_int_eq(sent(t).status, WEIR_OK);
	ck_assert_uint_eq(contents("out", (char *)bytes, sizeof(bytes)),
			  2 * (4 + first));
	closed(&t);
}
END_TEST

START_TEST(a_fifo_without_a_reader_does_not_hold_up_the_start)
{
	struct weir_test *t;

	ck_assert_int_eq(mkfifo(in_dir("out"), 0600), 0);
	t = started("path: %s/out");
	ck_assert_int_eq(sent(t).status, WEIR_OK);
	closed(&t);
}
END_TEST

START_TEST(a_file_that_another_shortens_gets_no_hole)
{
	struct weir_test *t = started("path: %s/out");

	ck_assert_int_eq(sent(t).status, WEIR_OK);
	ck_assert_int_eq(truncate(in_dir("out"), 0), 0);
	ck_assert_int_eq(sent(t).status, WEIR_OK);
	expect("out", span_json);
	closed(&t);
}
END_TEST

static const struct {
	const char *yaml, *text;
} refusals[] = {
	{ "", "path must be non-empty" },
	{ "path: x\nappend: true\nrotation:",
	  "append and rotation enabled at the same time is not supported" },
	{ "path: x\nformat: JSON", "format type is not supported" },
	{ "path: x\ncompression: none", "compression is not supported" },
	{ "path: x\nflush_interval: -1s",
	  "flush_interval must be larger than zero" },
	{ "path: x\ngroup_by: {enabled: true}",
	  "path must contain exactly one * when group_by is enabled" },
	{ "path: '*x'\ngroup_by: {enabled: true}",
	  "path must not start with * when group_by is enabled" },
	{ "path: x*\ngroup_by: {enabled: true, resource_attribute: ''}",
	  "resource_attribute must not be empty when group_by is enabled" },
	{ "path: x\ndirectory_permissions: '0755'",
	  "directory_permissions requires create_directory to be true" },
	{ "path: x\ncreate_directory: true\ndirectory_permissions: '0789'",
	  "directory_permissions value must be a valid octal "
	  "representation" },
	{ "path: x\ncreate_directory: true\ndirectory_permissions: '1755'",
	  "directory_permissions contain invalid bits for file access" },
	{ "path: x\nrotation: {enabled: true}", "unknown key \"enabled\"" },
	{ "path: x\nencoding: otlp_json",
	  "unknown encoding \"otlp_json\": there are no encoding extensions; "
	  "leave it out and choose a format" },
	{ "path: x\nencoding: ''", "id must not be empty" },
	{ "path: a*b\ngroup_by: {enabled: true, max_open_files: 0}",
	  "must provide a positive size" },
	{ "path: x\nsending_queue: {}", "unknown key \"sending_queue\"" },
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

int main(void)
{
	Suite *suite = suite_create("exporters/file");
	TCase *tc = tcase_create("file");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, writes_a_line_and_acks_the_batch);
	tcase_add_test(tc, writes_the_length_before_a_protobuf_message);
	tcase_add_test(tc, empties_the_file_at_start);
	tcase_add_test(tc, keeps_the_file_with_append);
	tcase_add_test(tc, makes_directories_with_their_mode);
	tcase_add_test(tc, fails_to_start_without_the_directory);
	tcase_add_test(tc, nacks_what_the_disk_does_not_take);
	tcase_add_test(tc, cuts_off_what_got_in_of_a_write_that_failed);
	tcase_add_test(tc, acks_what_got_in_whole_and_nacks_the_rest);
	tcase_add_test(tc,
		text_that_would_pass_the_budget_is_refused_and_can_come_again);
	tcase_add_test(tc, makes_a_file_that_was_removed_again);
	tcase_add_test(tc, nacks_while_the_directory_is_gone);
	tcase_add_loop_test(tc,
		a_compressed_message_is_a_frame_behind_its_length, 0, 2);
	tcase_add_test(tc, a_fifo_without_a_reader_does_not_hold_up_the_start);
	tcase_add_test(tc, a_file_that_another_shortens_gets_no_hole);
	tcase_add_loop_test(tc, refuses_in_the_words_of_the_collector, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
