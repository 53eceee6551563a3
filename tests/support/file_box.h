/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_box.h: a file exporter in a directory of its own, for its tests.
 *
 * Use setup and teardown as a checked fixture.
 */
#ifndef TESTS_FILE_BOX_H
#define TESTS_FILE_BOX_H

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weir/testing.h>

static char dir[64], so[4096];

static inline void setup(void)
{
	const char *build = getenv("WEIR_BUILD");
	char relative[256];

	snprintf(relative, sizeof(relative), "%s/plugins/exporters/file.so",
		 build ? build : "build");
	ck_assert_msg(realpath(relative, so) != NULL, "%s", relative);
	strcpy(dir, "/tmp/weir-file-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static inline void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

/* yaml with %s for the directory; NULL when it is refused. */
static inline struct weir_test *opened(const char *yaml,
				       struct weir_error *error)
{
	char text[512];

	snprintf(text, sizeof(text), yaml, dir, dir);
	return weir_test_open(so, text, WEIR_ALL_SIGNALS, error);
}

static inline struct weir_test *started(const char *yaml)
{
	struct weir_error error = { 0 };
	struct weir_test *t = opened(yaml, &error);

	ck_assert_msg(t != NULL, "%s", error.text);
	ck_assert_msg(!weir_test_start(t, &error), "%s", error.text);
	return t;
}

static inline void closed(struct weir_test **t)
{
	struct weir_error error = { 0 };

	ck_assert_msg(!weir_test_close(t, &error), "%s", error.text);
}

/* dir/name */
static inline const char *in_dir(const char *name)
{
	static char path[4][512];
	static int i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static inline bool exists(const char *name)
{
	return access(in_dir(name), F_OK) == 0;
}

static inline size_t contents(const char *name, char *out, size_t size)
{
	FILE *f = fopen(in_dir(name), "rb");
	size_t n;

	ck_assert_msg(f != NULL, "%s is not there", name);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	fclose(f);
	return n;
}

static inline void expect(const char *name, const char *text)
{
	char have[4096];

	contents(name, have, sizeof(have));
	ck_assert_str_eq(have, text);
}

static inline void write_file(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "wb");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

/* How many files (not directories) there are. */
static inline size_t files(const char *name)
{
	DIR *d = opendir(in_dir(name));
	struct dirent *entry;
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d)))
		n += entry->d_type != DT_DIR;
	closedir(d);
	return n;
}

/* One span named "x" and nothing else. */
static const char span[] = "\x0a\x07\x12\x05\x12\x03\x2a\x01x";
#define SPAN_JSON(resource)						\
	"{\"resourceSpans\":[{\"resource\":{" resource "},"		\
	"\"scopeSpans\":[{\"scope\":{},"				\
	"\"spans\":[{\"name\":\"x\",\"status\":{}}]}]}]}\n"
static const char span_json[] = SPAN_JSON("");

static inline struct weir_outcome sent_bytes(struct weir_test *t,
					     const void *bytes, size_t len)
{
	struct weir_outcome outcome = { 0 };
	int n = weir_test_send(t, WEIR_SIGNAL_TRACES, bytes, len, &outcome);

	ck_assert_int_ge(n, 0);
	do		/* the write is another thread's; Check limits this */
		weir_test_run(t);
	while (!weir_test_answer(t, n, &outcome));
	return outcome;
}

static inline struct weir_outcome sent(struct weir_test *t)
{
	return sent_bytes(t, span, sizeof(span) - 1);
}

#endif
