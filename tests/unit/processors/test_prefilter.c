/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pattern matches, its prefilter never turns away: chance makes patterns
 * of all that the syntax has, together with texts that they match, and those are
 * then surrounded, cut and changed.  And a prefilter is one: it turns away what
 * has no match.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../processors/redaction/detect_scan.h"
#include "../../../processors/redaction/prefilter.h"
#include "../../support/seeds.h"

#define ROUNDS SEEDS_OF(1500)
#define MOST 40			/* patterns of a prefilter */
#define TEXTS 10		/* of each pattern */

static uint64_t luck = 11;

static unsigned chance(uint64_t *state, unsigned n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*state >> 33) % n;
}

/* --- A pattern and a text that it matches ---------------------------------------- */

struct maker {
	uint64_t shape;		/* decides about the pattern */
	char pattern[8192], text[65536];
	size_t n, len;		/* of both */
	bool fold;
	unsigned names;
};

static void add(struct maker *m, const char *pattern)
{
	size_t n = strlen(pattern);

	if (m->n + n < sizeof(m->pattern)) {
		memcpy(m->pattern + m->n, pattern, n + 1);
		m->n += n;
	}
}

/* A character, in any case where case is nothing. */
static void say(struct maker *m, const char *c)
{
	char other[5] = "";

	snprintf(other, sizeof(other), "%s", c);
	if (m->fold && chance(&luck, 2)) {
		if ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z')
			other[0] ^= 0x20;
		if ((*c | 0x20) == 's' && chance(&luck, 2))
			strcpy(other, "\xc5\xbf");
		if ((*c | 0x20) == 'k' && chance(&luck, 2))
			strcpy(other, "\xe2\x84\xaa");
	}
	if (m->len + 4 < sizeof(m->text)) {
		memcpy(m->text + m->len, other, strlen(other));
		m->len += strlen(other);
	}
}

static const struct class {
	const char *pattern, *of[6];
} classes[] = {
	{ "[0-9]", { "0", "5", "9" } }, { "\\d", { "1", "4", "8" } },
	{ "[a-f0-9]", { "a", "f", "0", "7" } }, { "\\w", { "a", "Z", "_", "3" } },
	{ "[A-Z]", { "A", "K", "S", "Z" } }, { "[a-z]", { "a", "k", "s", "z" } },
	{ "\\s", { " ", "\t", "\n" } }, { "[^a]", { "b", "0", "\xc3\xa9" } },
	{ ".", { "x", ".", "\xe2\x82\xac" } }, { "\\pL", { "a", "\xc3\xa9" } },
	{ "\\p{Greek}", { "\xce\xb1" } }, { "\\D", { "x", "-" } },
	{ "[[:digit:]]", { "2" } }, { "[[:alpha:]_-]", { "q", "_", "-" } },
	{ "[\\d_-]", { "6", "_", "-" } }, { "[\xc3\xa9-\xc3\xbc" "0]", { "\xc3\xa9", "0" } },
	{ "[]x]", { "]", "x" } }, { "[\\]\\-k]", { "]", "-", "k" } },
	{ "[a\\PN]", { "a", "\xc3\xa9" } }, { "[\\W5]", { "5", "+" } },
	{ "[A-Za-z0-9+/]", { "A", "z", "0", "+", "/" } }, { "[+-]", { "+", "-" } },
	{ "[^\\d]", { "x", " " } }, { "[\\n\\t]", { "\n", "\t" } },
};

static const struct class letters[] = {
	{ "a", { "a" } }, { "b", { "b" } }, { "k", { "k" } }, { "s", { "s" } },
	{ "x", { "x" } }, { "A", { "A" } }, { "K", { "K" } }, { "4", { "4" } },
	{ "0", { "0" } }, { "-", { "-" } }, { "_", { "_" } }, { "@", { "@" } },
	{ "\\.", { "." } }, { "\\|", { "|" } }, { "\\(", { "(" } },
	{ "\\\\", { "\\" } }, { "\\{", { "{" } }, { "\xc3\xa9", { "\xc3\xa9" } },
	{ "\xe2\x82\xac", { "\xe2\x82\xac" } }, { "\\x41", { "A" } }, { " ", { " " } },
	{ "]", { "]" } }, { "}", { "}" } }, { "\\Qa.b\\E", { "a.b" } },
};

static void of_class(struct maker *m, const struct class *class)
{
	unsigned n = 0;

	add(m, class->pattern);
	while (n < 6 && class->of[n])
		n++;
	say(m, class->of[chance(&luck, n)]);
}

static void alternatives(struct maker *m, unsigned depth);

static void group(struct maker *m, unsigned depth)
{
	static const char *const open[] = {
		"(", "(?:", "(?i:", "(?s:", "(?-i:", "(?P<", "(?<", "(?U:"
	};
	unsigned which = chance(&m->shape, 8);
	bool fold = m->fold;
	char name[24] = "";

	if (which == 5 || which == 6)
		snprintf(name, sizeof(name), "n%u>", m->names++);
	add(m, open[which]);
	add(m, name);
	m->fold = which == 2 || (which != 4 && m->fold);
	alternatives(m, depth + 1);
	add(m, ")");
	m->fold = fold;
}

static void atom(struct maker *m, unsigned depth)
{
	unsigned what = chance(&m->shape, 20);

	if (what < 3 && depth < 4)
		group(m, depth);
	else if (what < 9)
		of_class(m, &classes[chance(&m->shape, sizeof(classes) /
					    sizeof(*classes))]);
	else
		of_class(m, &letters[chance(&m->shape, sizeof(letters) /
					    sizeof(*letters))]);
}

static const struct times {
	const char *pattern;
	unsigned least, most;
} times[] = {
	{ "*", 0, 3 }, { "+", 1, 4 }, { "?", 0, 1 }, { "*?", 0, 3 },
	{ "+?", 1, 3 }, { "??", 0, 1 }, { "{4}", 4, 4 }, { "{2,5}", 2, 5 },
	{ "{3,}", 3, 6 }, { "{0,2}", 0, 2 }, { "{0}", 0, 0 }, { "{1}", 1, 1 },
	{ "{13}", 13, 13 }, { "{8,}", 8, 20 }, { "{6,9}", 6, 9 },
	{ "{40}", 40, 40 }, { "{2}?", 2, 2 },
};

/* The same atom again and again: written once, said as often as it must. */
static void piece(struct maker *m, unsigned depth)
{
	const struct times one = { "", 1, 1 }, *t = &one;
	unsigned which = chance(&m->shape, 3 * sizeof(times) / sizeof(*times));
	uint64_t shape = m->shape;
	unsigned n, names = m->names;
	size_t at = m->n, len = m->len;

	if (which < sizeof(times) / sizeof(*times) && depth < 3)
		t = &times[which];
	n = t->least + chance(&luck, t->most - t->least + 1);
	for (unsigned i = 0; i < n || !i; i++) {
		m->shape = shape;
		m->names = names;
		m->n = at;
		atom(m, depth);
	}
	if (!n)
		m->len = len;
	add(m, t->pattern);
}

/* Flags hold up to the end of the group. */
static void row(struct maker *m, unsigned depth)
{
	static const char *const between[] = {
		"\\b", "^", "$", "(?i)", "(?s)", "(?m)", "(?-i)", "(?U)"
	};
	unsigned n = 1 + chance(&m->shape, depth ? 4 : 7);

	for (unsigned i = 0; i < n; i++) {
		unsigned which = chance(&m->shape, 64);

		if (which < sizeof(between) / sizeof(*between)) {
			add(m, between[which]);
			m->fold |= which == 3;
			m->fold &= which != 6;
		}
		piece(m, depth);
	}
}

static void alternatives(struct maker *m, unsigned depth)
{
	static const unsigned of[8] = { 1, 1, 1, 1, 2, 2, 3, 1 };
	unsigned n = of[chance(&m->shape, 8)];
	unsigned said = chance(&luck, n);

	for (unsigned i = 0; i < n; i++) {
		size_t len = m->len;

		if (i)
			add(m, "|");
		if (!depth || chance(&m->shape, 16))	/* else empty */
			row(m, depth);
		if (i != said)
			m->len = len;
	}
}

static void make(struct maker *m, uint64_t shape)
{
	m->shape = shape;
	m->n = m->len = 0;
	m->fold = false;
	m->names = 0;
	alternatives(m, 0);
}

/* --- Against the engine ------------------------------------------------------------ */

struct batch {
	struct weir_regex *regex[MOST];
	uint64_t shape[MOST];
	struct prefilter fastest, slower;
	size_t n;
};

static size_t matches, texts, turned_away;

static void look(struct batch *b, struct prefilter *f, weir_str text)
{
	struct near near;
	bool any = prefilter_near(f, text, &near), one = false;

	for (size_t i = 0; i < b->n; i++) {
		if (!weir_regex_match(b->regex[i], text)) {
			turned_away += !any || !is_near(&near, i);
			texts++;
			continue;
		}
		matches++;
		texts++;
		one = true;
		ck_assert_msg(any && is_near(&near, i), "`%.*s`: `%.*s`",
			      WEIR_STR_FMT(weir_regex_pattern(b->regex[i])),
			      WEIR_STR_FMT(text));
	}
	ck_assert(prefilter_match(f, text) == one);
}

static void look_both_ways(struct batch *b, const char *text, size_t len)
{
	/* in memory of its own: what is read beside it shows */
	char *copy = malloc(len ? len : 1);
	weir_str given = { copy, len };

	memcpy(copy, text, len);
	look(b, &b->fastest, given);
	look(b, &b->slower, given);
	free(copy);
}

static void open_batch(struct batch *b, struct maker *m, size_t n)
{
	struct weir_error error;

	for (b->n = 0; b->n < n; ) {
		uint64_t shape = luck;

		chance(&luck, 2);
		make(m, shape);
		b->shape[b->n] = shape;
		b->regex[b->n] = weir_regex_new((weir_str){ m->pattern, m->n },
						&error);
		b->n += b->regex[b->n] != NULL;
	}
	prefilter_init(&b->fastest, b->regex, n);
	prefilter_init(&b->slower, b->regex, n);
	b->slower.scan.scan = chance(&luck, 2) ? SCAN_TABLES :
		scan_fastest() < SCAN_VECTORS ? SCAN_VECTORS : scan_fastest();
}

static void close_batch(struct batch *b)
{
	prefilter_release(&b->fastest);
	prefilter_release(&b->slower);
	for (size_t i = 0; i < b->n; i++)
		weir_regex_free(&b->regex[i]);
}

/* Something before it and behind it, a byte changed, or the end missing. */
static size_t disguise(const struct maker *m, char out[4096])
{
	static const char *const around[] = {
		"", "", "x", " ", "0", "abc", "4444444444444", "\xc3\xa9", "\xff",
		"kks", "order 4711-0815 of 2026-05-17, ",
	};
	size_t body = m->len < 3900 ? m->len : 3900, len;

	len = (size_t)sprintf(out, "%s", around[chance(&luck, 11)]);
	memcpy(out + len, m->text, body);
	if (body && !chance(&luck, 4))
		out[len + chance(&luck, (unsigned)body)] =
			"a0 -\xe9"[chance(&luck, 5)];
	if (body && !chance(&luck, 6))
		body -= 1 + chance(&luck, (unsigned)body);
	len += body;
	return len + (size_t)sprintf(out + len, "%s", around[chance(&luck, 11)]);
}

static void round_of(struct maker *m, size_t n)
{
	static struct batch b;
	char text[4200];

	open_batch(&b, m, n);
	for (size_t i = 0; i < n * TEXTS; i++) {
		make(m, b.shape[i % n]);
		look_both_ways(&b, text, disguise(m, text));
	}
	close_batch(&b);
}

START_TEST(turns_nothing_away_that_a_pattern_matches)
{
	static struct maker m;

	for (int i = 0; i < ROUNDS; i++)
		round_of(&m, 1);
	for (int i = 0; i < ROUNDS / 20; i++)
		round_of(&m, 2 + chance(&luck, MOST - 1));
	ck_assert_uint_gt(matches, texts / 10);
	ck_assert_uint_gt(turned_away, texts / 3);
}
END_TEST

/* --- What it is for ----------------------------------------------------------------- */

#define CARD "\\b(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|3[47][0-9]{13})\\b"

static const struct far {
	const char *pattern, *text;
	bool near;
} fars[] = {
	{ CARD, "4111111111111111", true },
	{ CARD, "411111111111", false },
	{ CARD, "2026-05-17T04:04:44.123456789Z", false },
	{ CARD, "span 4011111111a11111111111111", false },
	{ CARD, "1700000000000000000", false },
	{ "\\b[0-9a-f]{32}\\b", "0123456789abcdef0123456789abcdef", true },
	{ "\\b[0-9a-f]{32}\\b", "0123456789abcdef0123456789abcde", false },
	{ "\\b[0-9a-f]{32}\\b", "a face, a facade and a dead beef", false },
	{ "[A-Za-z0-9+/]{24,}={0,2}", "bm90aGluZyBvZiB1c2UgaGVyZQ==", true },
	{ "[A-Za-z0-9+/]{24,}={0,2}", "nothing of use here, to nobody", false },
	{ "(?:a|b)[a-z-]+\\.corp\\.example", "orchestrator.internal", false },
	{ "[a-z.]+@[a-z]+\\.[a-z]+", "GET /v1/chat/messages.latest", false },
	{ "x(?i:name)=[0-9]+", "xTime=7", false },
	{ "x(?i:name)=[0-9]+", "xNaMe=7", true },
	{ "(?i)(?:bearer|basic) [a-z]{4}", "no credentials", false },
	{ "(a|b|)cd", "acd", true },
	{ "(a|b)?", "xyz", true },
};

START_TEST(turns_away_what_has_no_match)
{
	const struct far *far = &fars[_i];
	struct weir_error error;
	struct weir_regex *regex = weir_regex_new(weir_str_of(far->pattern),
						  &error);
	struct prefilter f;
	struct near near;
	bool any;

	ck_assert_ptr_nonnull(regex);
	prefilter_init(&f, &regex, 1);
	any = prefilter_near(&f, weir_str_of(far->text), &near) &&
		is_near(&near, 0);
	ck_assert_msg(any == far->near, "%s: %s", far->pattern, far->text);
	prefilter_release(&f);
	weir_regex_free(&regex);
}
END_TEST

#define WIDE 16

START_TEST(sees_a_long_run_of_one_class_wherever_it_is)
{
	struct weir_error error;
	struct weir_regex *regex = weir_regex_new(WEIR_STR("[a-z]{7}"), &error);
	struct prefilter f;

	prefilter_init(&f, &regex, 1);
	ck_assert_uint_eq(f.n_stretches, 1);
	for (unsigned bits = 0; bits < 1u << WIDE; bits++) {
		char text[WIDE];
		weir_str all = { text, WIDE };
		struct near near;

		for (unsigned i = 0; i < WIDE; i++)
			text[i] = "a-"[bits >> i & 1];
		ck_assert_msg(prefilter_near(&f, all, &near) ==
			      weir_regex_match(regex, all), "%.16s", text);
	}
	prefilter_release(&f);
	weir_regex_free(&regex);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("processors/redaction, prefilter");
	TCase *c = tcase_create("prefilter");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(c, 300);
	tcase_add_test(c, turns_nothing_away_that_a_pattern_matches);
	tcase_add_loop_test(c, turns_away_what_has_no_match, 0,
			    sizeof(fars) / sizeof(*fars));
	tcase_add_test(c, sees_a_long_run_of_one_class_wherever_it_is);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
