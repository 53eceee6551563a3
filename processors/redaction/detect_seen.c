/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_seen.c: how far a run of bytes reaches, read once.
 *
 * Floods of near-misses (`sk-sk-sk-`, `pwd=/pwd=/`) have a candidate every few
 * bytes, and each asks where the same run ends.  What was found is kept in the
 * walk, for one place a question: candidates come from left to right, so the
 * next one asks inside of it or behind it.
 */
#include "detect_parts.h"

static const struct {
	uint32_t alphabet;
	bool is;		/* ends at what is of it, else at what is not */
} stops[STOPS] = {
	[NO_BASE64URL] = { BASE64URL, false },
	[NO_ALNUM] = { ALNUM, false },
	[NO_ALNUM_DASH] = { ALNUM | DASH, false },
	[NO_HEX] = { HEX, false },
	[NO_ALNUM_UNDERSCORE] = { ALNUM | UNDERSCORE, false },
	[NO_BASE64URL_DOT] = { BASE64URL | DOT, false },
	[NO_ALNUM_DASH_DOT] = { ALNUM | DASH | DOT, false },
	[NO_AWS] = { ALNUM | BASE64, false },
	[NO_BEARER] = { BASE64URL | DOT | BASE64 | TILDE, false },
	[NO_BASE64] = { BASE64URL | BASE64, false },
	[A_DIGIT] = { DIGITS, true },
	[AN_UPPER] = { UPPER, true },
	[A_LOWER] = { LOWER, true },
	[A_VALUE_END] = { VALUE_END, true },
	[A_QUERY_END] = { VALUE_END, true },
	[AN_ENCODED_END] = { VALUE_END, true },
	[A_LINE_END] = { LINE_END, true },
	[A_DSN_END] = { DSN_END, true },
};

/* From `at` on, before the limit; *found: one is there. */
static size_t search(const struct look *l, size_t at, size_t limit,
		     enum stop stop, bool *found)
{
	uint32_t alphabet = stops[stop].alphabet;
	bool is = stops[stop].is;

	for (; at < limit; at++)
		if (is_of(byte_at(l, at), alphabet) == is &&
		    (stop < A_VALUE_END || ends_value(l, at, stop)))
			break;
	*found = at < limit;
	return at;
}

#define AHEAD 512

/* Who asks twice will go on asking. */
static size_t ahead(const struct look *l, size_t limit)
{
	return l->len - limit > AHEAD ? limit + AHEAD : l->len;
}

size_t stop_at(const struct look *l, size_t at, size_t limit, enum stop stop)
{
	struct detect_stop *s = &l->walk->stop[stop];
	bool again = false, found;

	if (limit > l->len)
		limit = l->len;
	if (at >= limit)
		return limit;
	if (at < s->from && l->walk->stops >> stop & 1) {
		size_t end = limit < s->from ? limit : s->from;
		size_t to = search(l, at, end, stop, &found);

		if (found || to < s->from)
			return to;
		s->from = at;
	} else if (!(l->walk->stops >> stop & 1) || at > s->to) {
		*s = (struct detect_stop){ at, at, false };
		l->walk->stops |= 1u << stop;
	} else {
		again = true;
	}
	if (!s->found && s->to < limit)
		s->to = search(l, s->to, again ? ahead(l, limit) : limit, stop,
			       &s->found);
	return s->to < limit ? s->to : limit;
}

/* --- Quotes ------------------------------------------------------------------------ */

#define SLASHES 17	/* 0 to 16 of them before a quote */

static struct detect_quote read_quoted(const struct look *l, size_t at,
				       char quote, size_t slashes)
{
	struct detect_quote q = { at, l->len, l->len };
	size_t run = 0;

	for (; at < l->len; at++) {
		char c = byte_at(l, at);

		if (c == quote && run <= slashes) {
			q.at = at;
			q.end = at - run;
			break;
		}
		run = c == '\\' ? run + 1 : 0;
	}
	return q;
}

size_t quoted_end(const struct look *l, size_t at, char quote, size_t slashes)
{
	unsigned kind = quote == '"' ? 0 : quote == '\'' ? 1 : 2;
	unsigned i = kind * SLASHES + (unsigned)slashes;
	struct detect_quote *q = &l->walk->quote[i];

	_Static_assert(3 * SLASHES == DETECT_QUOTES, "one each");
	if (!(l->walk->quotes >> i & 1) || at < q->from || at > q->at) {
		*q = read_quoted(l, at, quote, slashes);
		l->walk->quotes |= UINT64_C(1) << i;
	}
	/* what begins at the quote that closes has nothing in it */
	return q->end > at ? q->end : at;
}
