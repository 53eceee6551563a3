/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The corpora: every marked secret is found, and nothing else; every look-alike
 * survives.  Alone and surrounded, at every offset of a block, by every way to
 * scan.
 */
#include "detect_corpus.h"
#include "../../../processors/redaction/detect_scan.h"

#define FOUND "tests/data/secrets/found.txt"
#define SURVIVE "tests/data/secrets/survive.txt"
#define SEEDS 8
#define OFFSETS 67	/* more than four blocks */

static const enum detect_scan scans[] = {
	SCAN_WIDE, SCAN_VECTORS, SCAN_TABLES, SCAN_EVERYWHERE
};

/* Or the fastest, if this machine has no such. */
static enum detect_scan scan_of(size_t i)
{
	return scans[i] < scan_fastest() ? scan_fastest() : scans[i];
}

static struct detectors one[DETECTORS], all;

static void compile(void)
{
	all = detectors_of(NULL);
	for (unsigned i = 0; i < DETECTORS; i++)
		one[i] = detectors_of(detector_name(i));
}

/* --- Lines ---------------------------------------------------------------------- */

/* Calls `each` with every line that is no comment. */
static size_t each_line(const char *path, void (*each)(char *line))
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t room = 0, lines = 0;
	ssize_t n;

	ck_assert_msg(file, "%s is missing", path);
	while ((n = getline(&line, &room, file)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		if (line[0] == '#')
			continue;
		each(line);
		lines++;
	}
	free(line);
	fclose(file);
	return lines;
}

/* --- Found ------------------------------------------------------------------------ */

/* Exactly the marks, and by this detector. */
static void check_marks(const struct detectors *d, enum detector what,
			const struct corpus_text *t, const char *line)
{
	weir_str text = { t->text, t->len };
	struct detected hit;
	size_t from = 0;

	ck_assert_msg(detect_any(d, text), "not seen: %s\n%.*s", line,
		      WEIR_STR_FMT(text));
	for (size_t i = 0; i < t->marks; i++) {
		ck_assert_msg(detect_from(d, text, from, &hit),
			      "not found: %s\n%.*s", line, WEIR_STR_FMT(text));
		ck_assert_msg(hit.what == what && hit.at == t->mark[i].at &&
			      hit.at + hit.len == t->mark[i].end,
			      "%s found [%.*s]: %s\n%.*s",
			      detector_name(hit.what), (int)hit.len,
			      t->text + hit.at, line, WEIR_STR_FMT(text));
		from = hit.at + hit.len;
	}
	ck_assert_msg(!detect_from(d, text, from, &hit),
		      "%s found too much [%.*s]: %s\n%.*s",
		      detector_name(hit.what), (int)hit.len, t->text + hit.at,
		      line, WEIR_STR_FMT(text));
}

/* With all detectors on, whoever finds it: no marked byte is left. */
static void check_covered(const struct corpus_text *t, const char *line)
{
	weir_str text = { t->text, t->len };
	char left[CORPUS_ROOM];
	struct detected hit;
	size_t from = 0;

	memcpy(left, t->text, t->len);
	while (detect_from(&all, text, from, &hit)) {
		memset(left + hit.at, 0, hit.len);
		from = hit.at + hit.len;
	}
	for (size_t i = 0; i < t->marks; i++)
		for (size_t at = t->mark[i].at; at < t->mark[i].end; at++)
			ck_assert_msg(!left[at], "left [%s]: %s", left + at,
				      line);
}

static const char *split_line(char *line, enum detector *what)
{
	char *tab = strchr(line, '\t');
	unsigned i = 0;

	ck_assert_msg(tab, "no detector: %s", line);
	while (i < DETECTORS &&
	       (strlen(detector_name(i)) != (size_t)(tab - line) ||
		memcmp(detector_name(i), line, (size_t)(tab - line))))
		i++;
	ck_assert_msg(i < DETECTORS, "no such detector: %s", line);
	*what = i;
	return tab + 1;
}

static void find_alone(char *line)
{
	enum detector what;
	const char *text = split_line(line, &what);

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct corpus_text t = { .len = 0 };

		corpus_line(&t, text, seed);
		ck_assert_msg(t.marks, "no mark: %s", line);
		for (size_t i = 0; i < sizeof(scans) / sizeof(*scans); i++) {
			one[what].scan = scan_of(i);
			check_marks(&one[what], what, &t, line);
		}
		check_covered(&t, line);
	}
}

START_TEST(everything_marked_is_found_and_nothing_else)
{
	compile();
	ck_assert_uint_ge(each_line(FOUND, find_alone), 300);
}
END_TEST

/* --- Survive ---------------------------------------------------------------------- */

static void check_none(const struct corpus_text *t, const char *line)
{
	weir_str text = { t->text, t->len };
	struct detected hit;

	for (size_t i = 0; i < sizeof(scans) / sizeof(*scans); i++) {
		all.scan = scan_of(i);
		ck_assert_msg(!detect_from(&all, text, 0, &hit),
			      "%s found [%.*s]: %s\n%.*s",
			      detector_name(hit.what), (int)hit.len,
			      t->text + hit.at, line, WEIR_STR_FMT(text));
		ck_assert(!detect_any(&all, text));
	}
}

static void survive_alone(char *line)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct corpus_text t = { .len = 0 };

		corpus_line(&t, line, seed);
		check_none(&t, line);
	}
}

START_TEST(everything_that_only_looks_like_it_survives)
{
	compile();
	ck_assert_uint_ge(each_line(SURVIVE, survive_alone), 300);
}
END_TEST

/* --- Surrounded ------------------------------------------------------------------- */

/* So many bytes of words, the last one a newline. */
static void filler(struct corpus_text *t, size_t n)
{
	static const char words[] = "of the many things that were said there "
		"some are true, 42 of 1000 or so; others (few) can't be\n";

	for (size_t i = 0; i + 1 < n; i++)
		corpus_putc(t, words[(t->chance + i) % (sizeof(words) - 1)]);
	if (n)
		corpus_putc(t, '\n');
}

static void surround(struct corpus_text *t, const char *line, size_t before,
		     uint64_t seed)
{
	t->chance = seed;
	filler(t, before);
	corpus_line(t, line, seed);
	if (t->ends)
		return;
	corpus_putc(t, '\n');
	filler(t, seed % 40);
}

static void find_everywhere(char *line)
{
	enum detector what;
	const char *text = split_line(line, &what);

	for (size_t before = 0; before < OFFSETS; before++) {
		struct corpus_text t = { .len = 0 };

		surround(&t, text, before, before * 7919);
		one[what].scan = scan_of(before % 3);
		check_marks(&one[what], what, &t, line);
	}
}

START_TEST(secrets_are_found_at_every_offset_in_other_text)
{
	compile();
	each_line(FOUND, find_everywhere);
}
END_TEST

static void survive_everywhere(char *line)
{
	for (size_t before = 0; before < OFFSETS; before++) {
		struct corpus_text t = { .len = 0 };

		surround(&t, line, before, before * 7919);
		check_none(&t, line);
	}
}

START_TEST(what_looks_like_it_survives_at_every_offset)
{
	compile();
	each_line(SURVIVE, survive_everywhere);
}
END_TEST

/* --- All at once ------------------------------------------------------------------ */

static struct corpus_text heap;
static size_t marks;

static void pile(char *line)
{
	enum detector what;
	const char *text = split_line(line, &what);

	if (!strncmp(text, "\xc2\xab", 2) && !strstr(text, "%{end}") &&
	    heap.len < CORPUS_ROOM - 1024) {
		corpus_line(&heap, text, heap.len);
		corpus_putc(&heap, '\n');
		marks += heap.marks;
		heap.marks = 0;
	}
}

START_TEST(what_one_call_found_the_next_does_not_find_again)
{
	weir_str text;
	struct detected hit;
	size_t from = 0, hits = 0;

	compile();
	each_line(FOUND, pile);
	text = (weir_str){ heap.text, heap.len };
	while (detect_from(&all, text, from, &hit)) {
		ck_assert_uint_ge(hit.at, from);
		ck_assert_uint_gt(hit.len, 0);
		ck_assert_uint_le(hit.len, text.len - hit.at);
		from = hit.at + hit.len;
		hits++;
	}
	ck_assert_uint_ge(hits, marks);
}
END_TEST

/* --- By chance -------------------------------------------------------------------- */

/* What ids look like, and how many of CHANCES may be taken for a secret: of the
 * numbers that begin as a card's do and have its length, one in ten has its
 * check digit. */
#define CHANCES 2000
static const struct chance_case {
	const char *what, *line;
	unsigned most;
} by_chance[] = {
	{ "UUIDs", "%{a-f0-9:8}-%{a-f0-9:4}-4%{a-f0-9:3}-a%{a-f0-9:3}-"
	  "%{a-f0-9:12}", 0 },
	{ "hashes", "%{a-f0-9:40}", 0 },
	{ "hashes of 128 bits", "%{a-f0-9:32}", 0 },
	{ "span ids", "span %{a-f0-9:16} ended", 1 },
	{ "epoch nanoseconds", "17%{0-9:17}", 0 },
	{ "epoch microseconds", "at=17%{0-9:14}", 0 },
	{ "ids of 18 digits", "%{1-9:1}%{0-9:17}", 10 },
	{ "those that begin with 4", "4%{0-9:17}", 0 },
	{ "ids of 17 digits", "%{1-9:1}%{0-9:16}", 10 },
	{ "rows of eight numbers", "%{1-9:1}%{0-9:3} %{1-9:1}%{0-9:3} "
	  "%{1-9:1}%{0-9:3} %{1-9:1}%{0-9:3} %{1-9:1}%{0-9:3} "
	  "%{1-9:1}%{0-9:3} %{1-9:1}%{0-9:3} %{1-9:1}%{0-9:3}", 0 },
	{ "rows of floats", "%{1-9:1}%{0-9:3}.%{0-9:4} %{0-9:4}.%{0-9:4} "
	  "%{0-9:4}.%{0-9:4}", 0 },
	{ "base64", "%{A-Za-z0-9+/:43}=", 0 },
	{ "words by chance", "Basic %{a-z:12}", 10 },
};

START_TEST(ids_by_chance_are_hardly_ever_taken_for_secrets)
{
	const struct chance_case *c = &by_chance[_i];
	unsigned found = 0;

	compile();
	for (uint64_t seed = 0; seed < CHANCES; seed++) {
		struct corpus_text t = { .len = 0 };

		corpus_line(&t, c->line, seed);
		found += detect_any(&all, (weir_str){ t.text, t.len });
	}
	ck_assert_msg(found <= c->most, "%u of %u %s", found, CHANCES, c->what);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/redaction/detect: corpora");
	TCase *tests = tcase_create("corpora");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, everything_marked_is_found_and_nothing_else);
	tcase_add_test(tests, everything_that_only_looks_like_it_survives);
	tcase_add_test(tests, secrets_are_found_at_every_offset_in_other_text);
	tcase_add_test(tests, what_looks_like_it_survives_at_every_offset);
	tcase_add_test(tests, what_one_call_found_the_next_does_not_find_again);
	tcase_add_loop_test(tests,
			    ids_by_chance_are_hardly_ever_taken_for_secrets, 0,
			    sizeof(by_chance) / sizeof(*by_chance));
	tcase_set_timeout(tests, 60);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
