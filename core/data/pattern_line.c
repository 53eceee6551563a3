/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern_line.c: matches of a literal with .* around it, without the engine.
 *
 * A dot is anything but a newline, so a match is as long as its line, or ends
 * with the literal: the leftmost line that has it, and of that line the last.
 * Holds nothing.
 */
#include <string.h>

#include "pattern.h"

/* Positions are offsets into the text. */
struct look {
	weir_str text, literal;
	struct pattern_line line;
	size_t from;
};

#define NOWHERE SIZE_MAX

static size_t next(const struct look *l, size_t from, size_t to)
{
	const char *at = memmem(l->text.ptr + from, to - from, l->literal.ptr,
				l->literal.len);

	return at ? (size_t)(at - l->text.ptr) : NOWHERE;
}

/* The last one in [from, to), of which one is known to be at `known`. */
static size_t last(const struct look *l, size_t known, size_t to)
{
	size_t at = to - l->literal.len;

	while (at > known && memcmp(l->text.ptr + at, l->literal.ptr,
				    l->literal.len))
		at--;
	return at;
}

static size_t line_end(const struct look *l, size_t at)
{
	const char *newline = memchr(l->text.ptr + at, '\n',
				     l->text.len - at);

	return newline ? (size_t)(newline - l->text.ptr) : l->text.len;
}

/* Where the line of `at` begins, but not before from. */
static size_t line_begin(const struct look *l, size_t at)
{
	const char *newline = memrchr(l->text.ptr + l->from, '\n',
				      at - l->from);

	return newline ? (size_t)(newline + 1 - l->text.ptr) : l->from;
}

/* The literal that the match is found by: the first, unless the end of the
 * text decides. */
static size_t anchor(const struct look *l)
{
	if (!l->line.end)
		return next(l, l->from, l->text.len);
	if (l->line.trail)	/* in the last line, the first */
		return next(l, line_begin(l, l->text.len), l->text.len);
	if (l->text.len - l->from < l->literal.len)
		return NOWHERE;
	return next(l, l->text.len - l->literal.len, l->text.len);
}

bool pattern_find_line(const struct pattern *pattern, weir_str text,
		       size_t from, weir_str *found)
{
	struct look l = { text, pattern->literal, pattern->line, from };
	size_t at, begin, end;

	if (l.line.begin && from)
		return false;
	if (l.line.begin && !l.line.end)	/* look no further */
		l.text.len = line_end(&l, 0);
	at = anchor(&l);
	if (at == NOWHERE)
		return false;
	begin = l.line.lead ? line_begin(&l, at) : at;
	if (l.line.begin && begin)
		return false;
	end = line_end(&l, at);
	if (!l.line.trail)
		end = (l.line.lead ? last(&l, at, end) : at) + l.literal.len;
	*found = (weir_str){ text.ptr + begin, end - begin };
	return true;
}
