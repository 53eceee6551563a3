/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern.c: the syntax of a pattern, as far as it must be known before RE2.
 *
 * Holds nothing between calls.  Must never accept what Go refuses; what it
 * does not understand it leaves to the engine.
 */
#include <stdlib.h>
#include <string.h>

#include "pattern.h"

/* A reader of the pattern text. */
struct scan {
	weir_str text;
	size_t i;
};

static int refuse(struct weir_error *error, const char *what, weir_str where)
{
	return weir_fail(error, NULL, "error parsing regexp: %s: `%.*s`", what,
			 WEIR_STR_FMT(where));
}

/* --- UTF-8 ------------------------------------------------------------------ */

size_t pattern_rune(weir_str text, size_t at, bool *valid)
{
	const uint8_t *p = (const uint8_t *)text.ptr + at;
	size_t left = text.len - at;
	/* The second byte's range keeps out over-long forms, surrogates and
	 * what lies beyond U+10FFFF. */
	uint8_t low = 0x80, high = 0xbf;
	size_t n;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		goto invalid;
	switch (p[0]) {
	case 0xe0: low = 0xa0; break;
	case 0xed: high = 0x9f; break;
	case 0xf0: low = 0x90; break;
	case 0xf4: high = 0x8f; break;
	}
	if (left < n || p[1] < low || p[1] > high)
		goto invalid;
	for (size_t i = 2; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			goto invalid;
	return n;
invalid:
	*valid = false;
	return 1;
}

bool pattern_utf8(weir_str text)
{
	bool valid = true;

	for (size_t i = 0; i < text.len && valid; )
		i += pattern_rune(text, i, &valid);
	return valid;
}

/* --- Plain characters -------------------------------------------------------- */

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		(c >= 'A' && c <= 'Z');
}

static bool is_meta(char c)
{
	return c && strchr("\\.+*?()|[]{}^$", c) != NULL;
}

/* One character that stands for itself, escaped punctuation included; its
 * bytes are appended to out.  False: something else begins here. */
static bool plain(struct scan *s, char *out, size_t *len)
{
	bool valid = true;
	size_t n;

	if (s->i == s->text.len)
		return false;
	if (s->text.ptr[s->i] == '\\') {
		char c;

		if (s->text.len - s->i < 2)
			return false;
		c = s->text.ptr[s->i + 1];
		if ((uint8_t)c >= 0x80 || is_alnum(c))
			return false;
		out[(*len)++] = c;
		s->i += 2;
		return true;
	}
	if (is_meta(s->text.ptr[s->i]))
		return false;
	n = pattern_rune(s->text, s->i, &valid);
	memcpy(out + *len, s->text.ptr + s->i, n);
	*len += n;
	s->i += n;
	return true;
}

static bool skip(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if (s->text.len - s->i < n || memcmp(s->text.ptr + s->i, word, n))
		return false;
	s->i += n;
	return true;
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
	if (skip(s, "(?P<") || skip(s, "(?<")) {
		while (s->text.ptr[s->i] != '>')	/* names were checked */
			s->i++;
		s->i++;
		return true;
	}
	return skip(s, "(?:") || skip(s, "(");
}

/* ^word$ and ^(word|word)$. */
static bool find_words(struct pattern *pattern)
{
	struct scan s = { pattern->text, 0 };
	char *word = arena_alloc(&pattern->arena, s.text.len + 1);
	size_t len = 0, bars = 0;
	bool group;

	if (!skip(&s, "^"))
		return false;
	for (size_t i = 0; i < s.text.len; i++)
		bars += s.text.ptr[i] == '|';
	pattern->words = arena_alloc(&pattern->arena,
				     (bars + 1) * sizeof(weir_str));
	group = open_group(&s);
	for (;;) {
		if (plain(&s, word, &len))
			continue;
		add_word(pattern, word, len);
		len = 0;
		if (!group || !skip(&s, "|"))
			break;
	}
	if ((group && !skip(&s, ")")) || !skip(&s, "$") || s.i != s.text.len)
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

	while (plain(&s, out, &len))
		;
	/* U+FFFD must also match what is no valid UTF-8: the engine's case. */
	if (s.i != s.text.len || memmem(out, len, "\xef\xbf\xbd", 3))
		return false;
	pattern->literal = (weir_str){ out, len };
	return true;
}

/* Past a group, class, escape or single metacharacter that is no literal. */
static void skip_class(struct scan *s)
{
	s->i++;
	skip(s, "^");
	skip(s, "]");
	while (s->i < s->text.len && s->text.ptr[s->i] != ']') {
		if (s->text.ptr[s->i] == '\\') {
			s->i++;
		} else if (skip(s, "[:")) {
			while (s->i < s->text.len && !skip(s, ":]"))
				s->i++;
			continue;
		}
		s->i += s->i < s->text.len;
	}
	s->i += s->i < s->text.len;
}

static void skip_escape(struct scan *s)
{
	char c = s->text.len - s->i > 1 ? s->text.ptr[s->i + 1] : 0;

	s->i += 1 + (s->text.len - s->i > 1);
	if ((c == 'p' || c == 'P' || c == 'x') && skip(s, "{"))
		while (s->i < s->text.len && !skip(s, "}"))
			s->i++;
	else if (c == 'Q')
		while (s->i < s->text.len && !skip(s, "\\E"))
			s->i++;
	else if (c == 'x' || c == 'p' || c == 'P' || (c >= '0' && c <= '9'))
		while (s->i < s->text.len && is_alnum(s->text.ptr[s->i]))
			s->i++;		/* its digits; more only loses a hint */
}

static void skip_group(struct scan *s)
{
	size_t depth = 0;

	do {
		switch (s->text.ptr[s->i]) {
		case '(': depth++; s->i++; break;
		case ')': depth--; s->i++; break;
		case '[': skip_class(s); break;
		case '\\': skip_escape(s); break;
		default: s->i++;
		}
	} while (depth && s->i < s->text.len);
}

/* {2}, {2,} or {2,5}: its digits are no text.  What only looks like one loses
 * a hint. */
static void skip_count(struct scan *s)
{
	while (s->i < s->text.len && !skip(s, "}"))
		s->i++;
}

static void skip_piece(struct scan *s)
{
	switch (s->text.ptr[s->i]) {
	case '(': skip_group(s); break;
	case '[': skip_class(s); break;
	case '\\': skip_escape(s); break;
	case '{': skip_count(s); break;
	default: s->i++;
	}
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

		if (!plain(&s, run, &len)) {
			/* An alternative, or flags that may fold: no hint. */
			if (s.text.ptr[s.i] == '|' ||
			    (s.text.len - s.i > 2 &&
			     !memcmp(s.text.ptr + s.i, "(?", 2) &&
			     !strchr(":P<", s.text.ptr[s.i + 2])))
				return;
			skip_piece(&s);
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
	if (!memmem(best, best_len, "\xef\xbf\xbd", 3))
		pattern->literal = (weir_str){ best, best_len };
}

/* --- Groups --------------------------------------------------------------------------- */

static bool name_ok(weir_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] != '_' && !is_alnum(name.ptr[i]))
			return false;
	return name.len > 0;
}

/* At "(?P<" or "(?<": takes the name, leaves s behind its '>'. */
static int take_name(struct pattern *pattern, struct scan *s,
		     struct weir_error *error)
{
	weir_str all = { s->text.ptr + s->i, s->text.len - s->i };
	const char *close;
	weir_str name;

	if (!skip(s, "(?P<"))
		skip(s, "(?<");
	name.ptr = s->text.ptr + s->i;
	close = memchr(name.ptr, '>', s->text.len - s->i);
	if (!close)
		return refuse(error, "invalid named capture", all);
	name.len = (size_t)(close - name.ptr);
	all.len = (size_t)(close + 1 - all.ptr);
	if (!name_ok(name))
		return refuse(error, "invalid named capture", all);
	s->i += name.len + 1;
	pattern->names[pattern->n_groups++] = name;
	return 0;
}

static int take_group(struct pattern *pattern, struct scan *s,
		      struct buf *engine, struct weir_error *error)
{
	weir_str left = { s->text.ptr + s->i, s->text.len - s->i };

	if ((left.len >= 4 && !memcmp(left.ptr, "(?P<", 4)) ||
	    (left.len >= 3 && !memcmp(left.ptr, "(?<", 3))) {
		if (take_name(pattern, s, error))
			return -1;
	} else {
		if (left.len < 2 || left.ptr[1] != '?')
			pattern->names[pattern->n_groups++] = WEIR_STR("");
		s->i++;
	}
	buf_add(engine, "(", 1);
	return 0;
}

/* `\C` in what lies between two places is Go's error, not RE2's. */
static bool any_byte(weir_str piece)
{
	return piece.len >= 2 && piece.ptr[0] == '\\' && piece.ptr[1] == 'C';
}

/* `\C` inside of a class. */
static bool class_has_any_byte(weir_str class)
{
	for (size_t i = 0; i + 1 < class.len; i++) {
		if (class.ptr[i] != '\\')
			continue;
		if (class.ptr[i + 1] == 'C')
			return true;
		i++;
	}
	return false;
}

/* The pattern without names, and the names. */
static int take_groups(struct pattern *pattern, struct buf *engine,
		       struct weir_error *error)
{
	struct scan s = { pattern->text, 0 };

	while (s.i < s.text.len) {
		weir_str piece = { s.text.ptr + s.i, 0 };

		if (*piece.ptr == '(') {
			if (take_group(pattern, &s, engine, error))
				return -1;
			continue;
		}
		skip_piece(&s);
		piece.len = (size_t)(s.text.ptr + s.i - piece.ptr);
		if (any_byte(piece) ||
		    (*piece.ptr == '[' && class_has_any_byte(piece)))
			return refuse(error, "invalid escape sequence",
				      WEIR_STR("\\C"));
		buf_add(engine, piece.ptr, piece.len);
	}
	return 0;
}

/* --- The whole ------------------------------------------------------------------------- */

static size_t count_byte(weir_str text, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == c;
	return n;
}

int pattern_parse(struct pattern *pattern, weir_str text,
		  struct weir_error *error)
{
	struct buf engine = { 0 };
	int failed;

	pattern->text = arena_str(&pattern->arena, text);
	if (!pattern_utf8(text))
		return refuse(error, "invalid UTF-8", text);
	pattern->names = arena_alloc(&pattern->arena,
		(count_byte(text, '(') + 1) * sizeof(weir_str));
	failed = take_groups(pattern, &engine, error);
	pattern->engine = arena_str(&pattern->arena,
		(weir_str){ (const char *)engine.ptr, engine.len });
	buf_release(&engine);
	if (failed)
		return -1;
	if (find_literal(pattern, 0)) {
		pattern->kind = PATTERN_LITERAL;
	} else if (text.len && text.ptr[0] == '^' && find_literal(pattern, 1)) {
		pattern->kind = PATTERN_PREFIX;
	} else if (find_words(pattern)) {
		pattern->kind = PATTERN_WORDS;
	} else {
		pattern->kind = PATTERN_ENGINE;
		pattern->n_words = 0;
		find_required(pattern);
	}
	return 0;
}

void pattern_release(struct pattern *pattern)
{
	arena_release(&pattern->arena);
	*pattern = (struct pattern){ 0 };
}
