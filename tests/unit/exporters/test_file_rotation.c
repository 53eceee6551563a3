/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file exporter's rotation: when, what backups are called, which of them
 * stay, and that nothing is lost on the way.
 */
#include "../../support/file_box.h"

#define MEGABYTE 1048576
/* The clock of a test begins at 2023-11-14 22:13:20 UTC. */
#define BACKUP "out-2023-11-14T22-13-20.000-size.json"
#define NEXT_BACKUP "out-2023-11-14T22-13-20.001-size.json"

#define ROTATED "path: %s/out.json\nformat: proto\n" \
		"rotation: {max_megabytes: 1"

/* A request with one span whose name has that many bytes. */
static struct weir_outcome sent_name(struct weir_test *t, size_t len)
{
	uint8_t *bytes = malloc(len + 64), *p = bytes + 64, *end;
	struct weir_outcome outcome;
	const uint8_t tags[] = { 0x2a, 0x12, 0x12, 0x0a };

	memset(p, 'n', len);
	end = p + len;
	for (size_t i = 0; i < sizeof(tags); i++) {
		size_t inner = (size_t)(end - p);

		p -= 5;		/* tag and a length of four bytes */
		p[0] = tags[i];
		for (int j = 0; j < 4; j++)
			p[1 + j] = (uint8_t)((inner >> 7 * j & 0x7f) |
					     (j < 3 ? 0x80 : 0));
	}
	outcome = sent_bytes(t, p, (size_t)(end - p));
	free(bytes);
	return outcome;
}

static size_t size_of(const char *name)
{
	struct stat st;

	ck_assert_msg(!stat(in_dir(name), &st), "%s is not there", name);
	return (size_t)st.st_size;
}

START_TEST(renames_the_file_when_the_next_record_would_be_too_much)
{
	struct weir_test *t = started(ROTATED "}");

	ck_assert_int_eq(sent_name(t, 700000).status, WEIR_OK);
	ck_assert_int_eq(sent_name(t, 300000).status, WEIR_OK);
	ck_assert_uint_eq(files("."), 1);
	ck_assert_int_eq(sent_name(t, 100000).status, WEIR_OK);
	ck_assert_uint_eq(files("."), 2);
	ck_assert_uint_gt(size_of(BACKUP), 1000000);
	ck_assert_uint_le(size_of(BACKUP), MEGABYTE);
	ck_assert_uint_lt(size_of("out.json"), 101000);
	closed(&t);
}
END_TEST

START_TEST(a_backup_never_takes_the_place_of_another)
{
	struct weir_test *t = started(ROTATED "}");

	for (int i = 0; i < 3; i++)	/* within one millisecond */
		ck_assert_int_eq(sent_name(t, 600000).status, WEIR_OK);
	ck_assert_uint_gt(size_of(BACKUP), 600000);
	ck_assert_uint_gt(size_of(NEXT_BACKUP), 600000);
	ck_assert_uint_gt(size_of("out.json"), 600000);
	closed(&t);
}
END_TEST

START_TEST(names_backups_by_local_time_when_asked)
{
	struct weir_test *t;

	setenv("TZ", "XYZ-3", 1);
	t = started(ROTATED ", localtime: true}");
	sent_name(t, 600000);
	sent_name(t, 600000);
	ck_assert(exists("out-2023-11-15T01-13-20.000-size.json"));
	closed(&t);
}
END_TEST

START_TEST(a_rotated_file_is_never_emptied)
{
	struct weir_test *t;

	write_file("out.json", "old");
	t = started(ROTATED "}");
	ck_assert_uint_eq(size_of("out.json"), 3);
	ck_assert_int_eq(sent(t).status, WEIR_OK);
	ck_assert_uint_eq(size_of("out.json"), 3 + 4 + sizeof(span) - 1);
	closed(&t);
}
END_TEST

START_TEST(null_turns_rotation_on_with_a_hundred_megabytes)
{
	struct weir_test *t;

	write_file("out", "old");
	t = started("path: %s/out\nrotation:");
	sent(t);
	ck_assert_uint_gt(size_of("out"), 3);
	closed(&t);
	t = started("path: %s/out\nrotation:\nformat: proto");
	ck_assert_int_eq(sent_name(t, 1500000).status, WEIR_OK);
	ck_assert_uint_eq(files("."), 1);
	closed(&t);
}
END_TEST

START_TEST(a_record_longer_than_a_file_is_refused_for_good)
{
	struct weir_test *t = started(ROTATED "}");
	struct weir_outcome outcome = sent_name(t, MEGABYTE);

	ck_assert_int_eq(outcome.reason, WEIR_REASON_TOO_BIG);
	ck_assert(!weir_outcome_retryable(&outcome));
	ck_assert_ptr_nonnull(strstr(outcome.text, "exceeds maximum file size "
				     "1048576"));
	ck_assert_int_eq(sent(t).status, WEIR_OK);
	closed(&t);
}
END_TEST

static const struct {
	const char *rotation, *file;
	bool stays;
	const char *why;
} pruned[] = {
	{ "max_backups: 2", "out-2023-11-13T00-00-00.000-size.json", true,
	  "the newest" },
	{ "max_backups: 2", "out-2023-11-12T00-00-00.000-size.json", true,
	  "the next" },
	{ "max_backups: 2", "out-2023-11-12T00-00-00.000-time.json", true,
	  "of the same time, which counts once" },
	{ "max_backups: 2", "out-2023-11-10T00-00-00.000-size.json", false,
	  "one too many" },
	{ "max_backups: 2", "out-2023-11-10T00-00-00.000-size.json.gz", false,
	  "compressed by something else" },
	{ "max_backups: 2", "out-2023-11-10T00-00-00.000.txt", true,
	  "another file" },
	{ "max_backups: 2", "out-2023-02-30T00-00-00.000-size.json", true,
	  "no such day" },
	{ "max_backups: 2", "out-2023-11-10T24-00-00.000-size.json", true,
	  "no such hour" },
	{ "max_backups: 2", "outs-2023-11-10T00-00-00.000-size.json", true,
	  "backup of another file" },
	{ "max_backups: 0", "out-2023-11-10T00-00-00.000-size.json", true,
	  "0 keeps all" },
	{ "max_backups: 0, max_days: 3",
	  "out-2023-11-10T00-00-00.000-size.json", false, "too old" },
	{ "max_backups: 0, max_days: 3",
	  "out-2023-11-12T00-00-00.000-size.json", true, "not too old" },
	{ "max_days: 5", "out-2023-11-10T00-00-00.000-size.json", true,
	  "a hundred are kept" },
};

START_TEST(removes_what_the_numbers_do_not_keep)
{
	struct weir_test *t;
	char yaml[256];

	for (size_t i = 0; i < sizeof(pruned) / sizeof(*pruned); i++)
		write_file(pruned[i].file, "b");
	snprintf(yaml, sizeof(yaml), "path: %s/out.json\nrotation: {%s}", "%s",
		 pruned[_i].rotation);
	t = started(yaml);
	ck_assert(exists(pruned[_i].file));
	ck_assert_int_eq(sent(t).status, WEIR_OK);
	ck_assert_msg(exists(pruned[_i].file) == pruned[_i].stays, "%s: %s",
		      pruned[_i].file, pruned[_i].why);
	closed(&t);
}
END_TEST

START_TEST(gives_backups_of_older_versions_their_new_name)
{
	struct weir_test *t;

	write_file("out-2023-11-10T00-00-00.000.json", "a");
	write_file("out-2023-11-11T00-00-00.000.json", "again");
	write_file("out-2023-11-11T00-00-00.000-size.json", "b");
	write_file("out-2023-13-10T00-00-00.000.json", "no month");
	t = started(ROTATED "}");
	expect("out-2023-11-10T00-00-00.000-size.json", "a");
	expect("out-2023-11-11T00-00-00.000-size.json", "b");
	ck_assert(!exists("out-2023-11-11T00-00-00.000.json"));
	ck_assert(exists("out-2023-13-10T00-00-00.000.json"));
	closed(&t);
}
END_TEST

START_TEST(fails_to_start_without_the_directory)
{
	struct weir_error error = { 0 };
	struct weir_test *t = opened("path: %s/none/out\nrotation:", &error);

	ck_assert_ptr_nonnull(t);
	ck_assert_int_eq(weir_test_start(t, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.text, "migrating legacy backups: "
				     "reading directory "));
	ck_assert_ptr_nonnull(strstr(error.text, "/none/: no such file or "
				     "directory"));
	closed(&t);
}
END_TEST

START_TEST(makes_a_directory_that_vanished_again)
{
	struct weir_test *t = started("path: %s/d/out\ncreate_directory: true\n"
				      "rotation: {max_megabytes: 1}");

	sent(t);
	unlink(in_dir("d/out"));
	ck_assert_int_eq(rmdir(in_dir("d")), 0);
	ck_assert_int_eq(sent(t).status, WEIR_OK);
	expect("d/out", span_json);
	closed(&t);
}
END_TEST

START_TEST(a_rotation_that_fails_is_tried_again)
{
	struct weir_test *t = started("path: %s/d/out\nformat: proto\n"
				      "create_directory: true\n"
				      "rotation: {max_megabytes: 1}");
	struct weir_outcome outcome;

	sent_name(t, 600000);
	/* The open file lives on under a name that the path does not have. */
	ck_assert_int_eq(rename(in_dir("d"), in_dir("moved")), 0);
	outcome = sent_name(t, 600000);
	ck_assert_int_eq(outcome.status, WEIR_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(outcome.text, "rename "));
	ck_assert_int_eq(rename(in_dir("moved"), in_dir("d")), 0);
	ck_assert_int_eq(sent_name(t, 600000).status, WEIR_OK);
	ck_assert_uint_gt(size_of("d/out-2023-11-14T22-13-20.000-size"),
			  600000);
	ck_assert_uint_gt(size_of("d/out"), 600000);
	closed(&t);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("exporters/file rotation");
	TCase *tc = tcase_create("rotation");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
		       renames_the_file_when_the_next_record_would_be_too_much);
	tcase_add_test(tc, a_backup_never_takes_the_place_of_another);
	tcase_add_test(tc, names_backups_by_local_time_when_asked);
	tcase_add_test(tc, a_rotated_file_is_never_emptied);
	tcase_add_test(tc, null_turns_rotation_on_with_a_hundred_megabytes);
	tcase_add_test(tc, a_record_longer_than_a_file_is_refused_for_good);
	tcase_add_loop_test(tc, removes_what_the_numbers_do_not_keep, 0,
			    sizeof(pruned) / sizeof(*pruned));
	tcase_add_test(tc, gives_backups_of_older_versions_their_new_name);
	tcase_add_test(tc, fails_to_start_without_the_directory);
	tcase_add_test(tc, makes_a_directory_that_vanished_again);
	tcase_add_test(tc, a_rotation_that_fails_is_tried_again);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
