/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file exporter's groups: which file a resource goes to, that no value of
 * an attribute leads out of the prefix, and what happens with many files.
 */
#include <fcntl.h>
#include <sys/resource.h>

#include "../../support/file_box.h"

#define GROUPED(path) "path: " path "\ngroup_by: {enabled: true}"

/* --- Requests: ResourceSpans with an attribute and a span "x" ----------- */

struct request {
	uint8_t bytes[1 << 17];
	size_t len;
};

static void put(struct request *r, const void *ptr, size_t len)
{
	ck_assert_uint_le(r->len + len, sizeof(r->bytes));
	memcpy(r->bytes + r->len, ptr, len);
	r->len += len;
}

static void put_byte(struct request *r, uint8_t byte)
{
	put(r, &byte, 1);
}

static void put_head(struct request *r, uint8_t tag, size_t len)
{
	put_byte(r, tag);
	put_byte(r, (uint8_t)(len & 0x7f) | 0x80);
	put_byte(r, (uint8_t)(len >> 7));
}

/* The attribute's value is of that field of AnyValue. */
static void add(struct request *r, const char *key, uint8_t value_tag,
		const char *value, size_t len)
{
	static const char scope[] = "\x12\x05\x12\x03\x2a\x01x";
	size_t any = len + 3, pair = strlen(key) + 3 + any + 3;
	size_t resource = pair + 3;

	put_head(r, 0x0a, resource + 3 + sizeof(scope) - 1);
	put_head(r, 0x0a, resource);
	put_head(r, 0x0a, pair);
	put_head(r, 0x0a, strlen(key));
	put(r, key, strlen(key));
	put_head(r, 0x12, any);
	put_head(r, value_tag, len);
	put(r, value, len);
	put(r, scope, sizeof(scope) - 1);
}

#define KEY "fileexporter.path_segment"

static void add_segment(struct request *r, const char *segment)
{
	add(r, KEY, 0x0a, segment, strlen(segment));
}

static struct weir_outcome sent_segment(struct weir_test *t,
					const char *segment)
{
	struct request r = { .len = 0 };

	add_segment(&r, segment);
	return sent_bytes(t, r.bytes, r.len);
}

#define LINE(segment)							\
	SPAN_JSON("\"attributes\":[{\"key\":\"" KEY "\",\"value\":"	\
		  "{\"stringValue\":\"" segment "\"}}]")

/* --- Paths -------------------------------------------------------------- */

static const struct {
	const char *prefix, *segment, *file;	/* below w/, the directory */
} paths[] = {
	{ "g/", "a", "g/a.json" },
	{ "g/", "", "g/.json" },
	{ "g/", "a/b", "g/a/b.json" },
	{ "g/", "../a", "g/a.json" },
	{ "g/", "../../a", "g/a.json" },
	{ "g/", "/../../a", "g/a.json" },
	{ "g/", "a/../../../b", "g/b.json" },
	{ "g/", ".//../a", "g/a.json" },
	{ "g/", "..", "g/...json" },
	{ "g/", "../..", "g/...json" },
	{ "g/", "a/..", "g/a/...json" },
	{ "g/", "x/../../p-y", "g/p-y.json" },
	{ "g/", "a//b/", "g/a/b/.json" },
	{ "g/", "../g/z", "g/g/z.json" },
	{ "g/", "-/../../../../etc/passwd", "g/etc/passwd.json" },
	{ "g/", "a\\..\\b", "g/a\\..\\b.json" },
	{ "./g/", "../../a", "g/a.json" },
	{ "./g/", "./a", "g/a.json" },
	{ "g/p-", "a", "g/p-a.json" },
	{ "g/p-", "../a", "g/p-/a.json" },
	{ "g/p-", "/a", "g/p-/a.json" },
	{ "g/p-", "a/../../../b", "g/p-/b.json" },
	{ "g/p-", "..", "g/p-...json" },
	{ "g//x/../", "a/../../../b", "g/b.json" },
	{ "../w/g/", "../../a", "g/a.json" },
	/* Ours: the Collector leaves a prefix that ends in "..". */
	{ "../", "x/../../../../b", "../b.json" },
	{ "../", "../../../b", "../b.json" },
	{ "g/../../", "x/../../../../b", "../b.json" },
};

START_TEST(a_segment_never_leads_out_of_the_prefix)
{
	char yaml[256], file[256];
	struct weir_test *t;

	ck_assert_int_eq(mkdir(in_dir("w"), 0755), 0);
	ck_assert_int_eq(chdir(in_dir("w")), 0);
	snprintf(yaml, sizeof(yaml), GROUPED("'%s*.json'"),
		 paths[_i].prefix);
	t = started(yaml);
	ck_assert_int_eq(sent_segment(t, paths[_i].segment).status, WEIR_OK);
	snprintf(file, sizeof(file), "w/%s", paths[_i].file);
	ck_assert_msg(exists(file), "%s not made of \"%s*.json\" and \"%s\"",
		      paths[_i].file, paths[_i].prefix, paths[_i].segment);
	closed(&t);
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

/* --- Batches ------------------------------------------------------------ */

START_TEST(a_batch_goes_to_the_files_of_its_resources)
{
	struct weir_test *t = started(GROUPED("'%s/*/out'"));
	struct request r = { .len = 0 };

	add_segment(&r, "b");
	add_segment(&r, "a");
	add_segment(&r, "b");
	ck_assert_int_eq(sent_bytes(t, r.bytes, r.len).status, WEIR_OK);
	expect("a/out", LINE("a"));
	expect("b/out",
	       "{\"resourceSpans\":["
	       "{\"resource\":{\"attributes\":[{\"key\":\"" KEY "\",\"value\":"
	       "{\"stringValue\":\"b\"}}]},\"scopeSpans\":[{\"scope\":{},"
	       "\"spans\":[{\"name\":\"x\",\"status\":{}}]}]},"
	       "{\"resource\":{\"attributes\":[{\"key\":\"" KEY "\",\"value\":"
	       "{\"stringValue\":\"b\"}}]},\"scopeSpans\":[{\"scope\":{},"
	       "\"spans\":[{\"name\":\"x\",\"status\":{}}]}]}]}\n");
	ck_assert_int_eq((int)weir_test_metric(t,
		"otelcol_exporter_sent_spans"), 3);
	closed(&t);
}
END_TEST

START_TEST(takes_the_attribute_that_it_is_told)
{
	struct weir_test *t = started("path: '%s/*'\ngroup_by: {enabled: true,"
				      " resource_attribute: host}");
	struct request r = { .len = 0 };

	add(&r, "host", 0x0a, "h1", 2);
	ck_assert_int_eq(sent_bytes(t, r.bytes, r.len).status, WEIR_OK);
	ck_assert(exists("h1"));
	closed(&t);
}
END_TEST

START_TEST(counts_resources_without_the_attribute_as_dropped)
{
	struct weir_test *t = started(GROUPED("'%s/*'"));
	struct request r = { .len = 0 };

	add(&r, "other", 0x0a, "a", 1);
	add(&r, KEY, 0x3a, "a", 1);	/* bytes, not a string */
	add_segment(&r, "a");
	ck_assert_int_eq(sent_bytes(t, r.bytes, r.len).status, WEIR_OK);
	expect("a", LINE("a"));
	ck_assert_uint_eq(files("."), 1);
	ck_assert_int_eq((int)weir_test_metric(t,
		"otelcol_exporter_sent_spans"), 1);
	ck_assert_int_eq((int)weir_test_metric(t,
		"weir_dropped_items"), 2);
	closed(&t);
}
END_TEST

START_TEST(a_batch_without_the_attribute_at_all_is_acked)
{
	struct weir_test *t = started(GROUPED("'%s/*'"));

	ck_assert_int_eq(sent(t).status, WEIR_OK);
	ck_assert_uint_eq(files("."), 0);
	ck_assert_int_eq((int)weir_test_metric(t,
		"weir_dropped_items"), 1);
	closed(&t);
}
END_TEST

START_TEST(more_resources_than_are_looked_at_at_once_are_all_written)
{
	struct weir_test *t = started(GROUPED("'%s/*'"));
	struct request r = { .len = 0 };
	static char text[1 << 20];
	size_t n = 0;

	for (int i = 0; i < 2200; i++)
		add_segment(&r, i % 2 ? "a" : "b");
	ck_assert_int_eq(sent_bytes(t, r.bytes, r.len).status, WEIR_OK);
	contents("a", text, sizeof(text));
	for (const char *p = text; (p = strstr(p, "\"name\":\"x\"")); p++)
		n++;
	ck_assert_uint_eq(n, 1100);
	closed(&t);
}
END_TEST

/* --- Many files --------------------------------------------------------- */

START_TEST(a_file_that_was_closed_for_another_keeps_what_it_has)
{
	struct weir_test *t = started("path: '%s/*'\ngroup_by: {enabled: true,"
				      " max_open_files: 2}");
	static const char *const order[] = { "a", "b", "c", "a", "b", "c" };
	char twice[1024];

	write_file("a", "of an earlier run\n");
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		ck_assert_int_eq(sent_segment(t, order[i]).status, WEIR_OK);
	snprintf(twice, sizeof(twice), "%s%s", LINE("a"), LINE("a"));
	expect("a", twice);
	closed(&t);
}
END_TEST

static size_t open_files(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(no_more_files_are_open_than_allowed)
{
	struct weir_test *t = started("path: '%s/*'\ngroup_by: {enabled: true,"
				      " max_open_files: 3}");
	size_t before = open_files();
	char name[8];

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		ck_assert_int_eq(sent_segment(t, name).status, WEIR_OK);
	}
	ck_assert_uint_eq(files("."), 20);
	ck_assert_uint_le(open_files(), before + 3);
	closed(&t);
}
END_TEST

START_TEST(closes_files_when_there_are_no_descriptors_left)
{
	struct weir_test *t = started(GROUPED("'%s/*'"));
	struct rlimit limit;
	char name[8];

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = open_files() + 5;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		ck_assert_int_eq(sent_segment(t, name).status, WEIR_OK);
	}
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_uint_eq(files("."), 20);
	closed(&t);
}
END_TEST

/* --- Failures ----------------------------------------------------------- */

static const struct {
	const char *segment;
	size_t len;
	const char *text;
} bad[] = {
	{ "a\0b", 3, "Invalid argument" },
	{ "file/x", 6, "Not a directory" },
	{ "dir", 3, "Is a directory" },
	{ NULL, 300, "File name too long" },
	{ NULL, 5000, "File name too long" },
};

START_TEST(a_path_that_cannot_be_is_refused_for_good)
{
	struct weir_test *t = started(GROUPED("'%s/*'"));
	struct request r = { .len = 0 };
	struct weir_outcome outcome;
	static char longer[5000];

	memset(longer, 'l', sizeof(longer));
	write_file("file", "");
	ck_assert_int_eq(mkdir(in_dir("dir"), 0755), 0);
	add(&r, KEY, 0x0a, bad[_i].segment ? bad[_i].segment : longer,
	    bad[_i].len);
	outcome = sent_bytes(t, r.bytes, r.len);
	ck_assert_int_eq(outcome.status, WEIR_INTERNAL);
	ck_assert_int_eq(outcome.reason, WEIR_REASON_STORAGE);
	ck_assert_ptr_nonnull(strstr(outcome.text, bad[_i].text));
	ck_assert_int_eq((int)weir_test_metric(t,
		"otelcol_exporter_send_failed_spans"), 1);
	closed(&t);
}
END_TEST

START_TEST(a_batch_that_is_written_in_part_does_not_come_again)
{
	struct weir_test *t = started(GROUPED("'%s/*'"));
	struct request r = { .len = 0 };
	struct weir_outcome outcome;

	ck_assert_int_eq(symlink("/dev/full", in_dir("full")), 0);
	add_segment(&r, "full");
	outcome = sent_bytes(t, r.bytes, r.len);
	ck_assert_int_eq(outcome.status, WEIR_UNAVAILABLE);
	add_segment(&r, "good");
	outcome = sent_bytes(t, r.bytes, r.len);
	ck_assert_int_eq(outcome.status, WEIR_INTERNAL);
	ck_assert(!weir_outcome_retryable(&outcome));
	expect("good", LINE("good"));
	ck_assert_int_eq((int)weir_test_metric(t,
		"otelcol_exporter_sent_spans"), 1);
	ck_assert_int_eq((int)weir_test_metric(t,
		"otelcol_exporter_send_failed_spans"), 2);
	closed(&t);
}
END_TEST

START_TEST(each_group_is_rotated_for_itself)
{
	struct weir_test *t = started(GROUPED("'%s/*.json'")
				      "\nrotation: {max_megabytes: 1}");

	write_file("a.json", "");
	ck_assert_int_eq(truncate(in_dir("a.json"), 1048576), 0);
	ck_assert_int_eq(sent_segment(t, "a").status, WEIR_OK);
	ck_assert_int_eq(sent_segment(t, "b").status, WEIR_OK);
	ck_assert(exists("a-2023-11-14T22-13-20.000-size.json"));
	expect("a.json", LINE("a"));
	ck_assert_uint_eq(files("."), 3);
	closed(&t);
}
END_TEST

#define ALL(tc, name, rows)						\
	tcase_add_loop_test(tc, name, 0, sizeof(rows) / sizeof(*(rows)))

int main(void)
{
	Suite *suite = suite_create("exporters/file groups");
	TCase *tc = tcase_create("groups");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	ALL(tc, a_segment_never_leads_out_of_the_prefix, paths);
	tcase_add_test(tc, a_batch_goes_to_the_files_of_its_resources);
	tcase_add_test(tc, takes_the_attribute_that_it_is_told);
	tcase_add_test(tc, counts_resources_without_the_attribute_as_dropped);
	tcase_add_test(tc, a_batch_without_the_attribute_at_all_is_acked);
	tcase_add_test(tc,
		more_resources_than_are_looked_at_at_once_are_all_written);
	tcase_add_test(tc, a_file_that_was_closed_for_another_keeps_what_it_has);
	tcase_add_test(tc, no_more_files_are_open_than_allowed);
	tcase_add_test(tc, closes_files_when_there_are_no_descriptors_left);
	ALL(tc, a_path_that_cannot_be_is_refused_for_good, bad);
	tcase_add_test(tc, a_batch_that_is_written_in_part_does_not_come_again);
	tcase_add_test(tc, each_group_is_rotated_for_itself);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
