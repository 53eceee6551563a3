/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern.c: the syntax of a pattern, as far as it must be known before RE2.
 *
 * Holds nothing between calls.  Must never accept what Go refuses; what it
 * does not understand it leaves to the engine.
 */
#include <stdlib.h>
#include <string.h>

#include "pattern_scan.h"

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

/* --- Groups --------------------------------------------------------------------------- */

static bool name_ok(weir_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] != '_' && !scan_is_alnum(name.ptr[i]))
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

	if (!scan_skip(s, "(?P<"))
		scan_skip(s, "(?<");
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
		scan_skip_piece(&s);
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
	pattern_find_shape(pattern);
	return 0;
}

void pattern_release(struct pattern *pattern)
{
	arena_release(&pattern->arena);
	*pattern = (struct pattern){ 0 };
}
