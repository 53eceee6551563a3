/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern_shape.c: which patterns need no engine, and what every match of the
 * others contains.
 *
 * Holds nothing.  Must never take a shape for another: what is not surely one
 * is left to the engine.
 */
#include <stdlib.h>
#include <string.h>

#include "pattern_scan.h"

/* U+FFFD must also match what is no valid UTF-8: the engine's case. */
static bool has_replacement(const char *text, size_t len)
{
	return memmem(text, len, "\xef\xbf\xbd", 3) != NULL;
}

/* --- Words ------------------------------------------------------------------------ */

static int by_length(const void *a, const void *b)
{
	const weir_str *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->len ? memcmp(x->ptr, y->ptr, x->len) : 0;
}

bool pattern_has_word(const struct pattern *pattern, weir_str text)
{
	return bsearch(&text, pattern->sorted, pattern->n_words, sizeof(text),
		       by_length) != NULL;
}

static void add_word(struct pattern *pattern, const char *ptr, size_t len)
{
	pattern->words[pattern->n_words++] =
		arena_str(&pattern->arena, (weir_str){ ptr, len });
}

/* "(", "(?:", "(?P<name>", "(?<name>" or nothing; *capturing says which. */
static bool open_group(struct scan *s)
{
	if (scan_skip(s, "(?P<") || scan_skip(s, "(?<")) {
		while (s->text.ptr[s->i] != '>')	/* names were checked */
			s->i++;
		s->i++;
		return true;
	}
	return scan_skip(s, "(?:") || scan_skip(s, "(");
}

/* ^word$ and ^(word|word)$. */
static bool find_words(struct pattern *pattern)
{
	struct scan s = { pattern->text, 0 };
	char *word = arena_alloc(&pattern->arena, s.text.len + 1);
	size_t len = 0, bars = 0;
	bool group;

	if (!scan_skip(&s, "^") || has_replacement(s.text.ptr, s.text.len))
		return false;
	for (size_t i = 0; i < s.text.len; i++)
		bars += s.text.ptr[i] == '|';
	pattern->words = arena_alloc(&pattern->arena,
				     (bars + 1) * sizeof(weir_str));
	group = open_group(&s);
	for (;;) {
		if (scan_plain(&s, word, &len))
			continue;
		add_word(pattern, word, len);
		len = 0;
		if (!group || !scan_skip(&s, "|"))
			break;
	}
	if ((group && !scan_skip(&s, ")")) || !scan_skip(&s, "$") || s.i != s.text.len)
		return false;
	pattern->sorted = arena_alloc(&pattern->arena,
				      pattern->n_words * sizeof(weir_str));
	memcpy(pattern->sorted, pattern->words,
	       pattern->n_words * sizeof(weir_str));
	qsort(pattern->sorted, pattern->n_words, sizeof(weir_str), by_length);
	return true;
}

/* --- Literals ------------------------------------------------------------------------ */

/* The pattern from `from` on is a literal and nothing else. */
static bool find_literal(struct pattern *pattern, size_t from)
{
	struct scan s = { pattern->text, from };
	char *out = arena_alloc(&pattern->arena, s.text.len + 1);
	size_t len = 0;

	while (scan_plain(&s, out, &len))
		;
	if (s.i != s.text.len || has_replacement(out, len))
		return false;
	pattern->literal = (weir_str){ out, len };
	return true;
}

/* The longest run of literals that every match contains: only at the top
 * level, only where nothing is folded and no alternative leads around it. */
static void find_required(struct pattern *pattern)
{
	struct scan s = { pattern->text, 0 };
	char *run = arena_alloc(&pattern->arena, s.text.len + 1);
	char *best = arena_alloc(&pattern->arena, s.text.len + 1);
	size_t len = 0, best_len = 0;

	while (s.i < s.text.len) {
		size_t before = len;
		char next;

		if (!scan_plain(&s, run, &len)) {
			/* An alternative, or flags that may fold: no hint. */
			if (s.text.ptr[s.i] == '|' ||
			    (s.text.len - s.i > 2 &&
			     !memcmp(s.text.ptr + s.i, "(?", 2) &&
			     !strchr(":P<", s.text.ptr[s.i + 2])))
				return;
			scan_skip_piece(&s);
			len = 0;
			continue;
		}
		next = s.i < s.text.len ? s.text.ptr[s.i] : 0;
		if (next == '*' || next == '?' || next == '{')
			len = before;
		if (len > best_len)
			memcpy(best, run, best_len = len);
		if (next == '*' || next == '?' || next == '{' || next == '+')
			len = 0;
	}
	if (!has_replacement(best, best_len))
		pattern->literal = (weir_str){ best, best_len };
}

/* --- Literals in a line ----------------------------------------------------------------- */

/* ^ .* literal .* $, of which all but the literal and one of .* and $ may be
 * missing. */
static bool find_line(struct pattern *pattern)
{
	struct scan s = { pattern->text, 0 };
	char *out = arena_alloc(&pattern->arena, s.text.len + 1);
	struct pattern_line line = { 0 };
	size_t len = 0;

	line.begin = scan_skip(&s, "^");
	line.lead = scan_skip(&s, ".*");
	while (scan_plain(&s, out, &len))
		;
	line.trail = scan_skip(&s, ".*");
	line.end = scan_skip(&s, "$");
	if (s.i != s.text.len || !len || memchr(out, '\n', len) ||
	    has_replacement(out, len))
		return false;
	pattern->line = line;
	pattern->literal = (weir_str){ out, len };
	return true;
}

/* --- Which it is ------------------------------------------------------------------------ */

void pattern_find_shape(struct pattern *pattern)
{
	bool begins = pattern->text.len && pattern->text.ptr[0] == '^';

	if (find_literal(pattern, 0)) {
		pattern->kind = PATTERN_LITERAL;
	} else if (begins && find_literal(pattern, 1)) {
		pattern->kind = PATTERN_PREFIX;
	} else if (find_words(pattern)) {
		pattern->kind = PATTERN_WORDS;
	} else if (find_line(pattern)) {
		pattern->kind = PATTERN_LINE;
		pattern->n_words = 0;
	} else {
		pattern->kind = PATTERN_ENGINE;
		pattern->n_words = 0;
		find_required(pattern);
	}
}
