/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file exporter: what stands in the file, and who is told what.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weir/testing.h>

static char dir[64], so[512];

static void setup(void)
{
	const char *build = getenv("WEIR_BUILD");

	snprintf(so, sizeof(so), "%s/plugins/exporters/file.so",
		 build ? build : "build");
	strcpy(dir, "/tmp/weir-file-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/out", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/a/b/out", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/a/b", dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/a", dir);
	rmdir(path);
	rmdir(dir);
}

/* yaml with %s for the directory; NULL when it is refused. */
static struct weir_test *opened(const char *yaml, struct weir_error *error)
{
	char text[512];

	snprintf(text, sizeof(text), yaml, dir, dir);
	return weir_test_open(so, text, WEIR_ALL_SIGNALS, error);
}

static struct weir_test *started(const char *yaml)
{
	struct weir_error error = { 0 };
	struct weir_test *t = opened(yaml, &error);

	ck_assert_msg(t != NULL, "%s", error.text);
	ck_assert_msg(!weir_test_start(t, &error), "%s", error.text);
	return t;
}

static void closed(struct weir_test **t)
{
	struct weir_error error = { 0 };

	ck_assert_msg(!weir_test_close(t, &error), "%s", error.text);
}

static size_t contents(const char *name, char *out, size_t size)
{
	char path[128];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "%s is not there", path);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	fclose(f);
	return n;
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

/* One span named "x" and nothing else. */
static const char span[] = "\x0a\x07\x12\x05\x12\x03\x2a\x01x";
static const char span_json[] =
	"{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{},"
	"\"spans\":[{\"name\":\"x\",\"status\":{}}]}]}]}\n";

static struct weir_outcome sent(struct weir_test *t)
{
	struct weir_outcome outcome = { 0 };
	int n = weir_test_send(t, WEIR_SIGNAL_TRACES, span, sizeof(span) - 1,
			       &outcome);

	ck_assert_int_ge(n, 0);
	do		/* the write is another thread's; Check limits this */
		weir_test_run(t);
	while (!weir_test_answer(t, n, &outcome));
	return outcome;
}

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
	tcase_add_loop_test(tc, refuses_in_the_words_of_the_collector, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
