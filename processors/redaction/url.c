/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url.c: the same route gets the same text, whoever is named in it.
 *
 * Holds nothing.  A segment is an id when it has a character that no word has,
 * or when its letters look like chance.  The scheme of a whole URL is one, too:
 * that is the Collector's rule.
 */
#include "sanitize.h"

#define SEGMENTS_MAX 10		/* '/' and what is behind the tenth is cut */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
		c == '_' || c == '.' || c == ' ';
}

static bool is_end(char c)
{
	return c == '?' || c == '&' || c == '#';
}

/* One foreign character may stand in second place: v1, j4elk. */
static bool has_id(weir_str segment)
{
	for (size_t i = 0; i < segment.len; i++)
		if (!is_word(segment.ptr[i]) && i != 1)
			return true;
	return false;
}

/* The segment before a query is not judged by its letters. */
static void add_segment(weir_str segment, bool judged, struct weir_text *out)
{
	if (has_id(segment) || (judged && letters_by_chance(segment)))
		weir_text_add(out, WEIR_STR("*"));
	else
		weir_text_add(out, segment);
}

void sanitize_url(weir_str text, struct weir_text *out)
{
	size_t from = 0, slashes = 0;

	for (size_t i = 0; i <= text.len; i++) {
		char c = i < text.len ? text.ptr[i] : 0;
		bool last = i == text.len || is_end(c);

		if (!last && c != '/')
			continue;
		add_segment((weir_str){ text.ptr + from, i - from },
			    i == text.len || c == '/', out);
		if (last || ++slashes == SEGMENTS_MAX)
			return;
		weir_text_add(out, WEIR_STR("/"));
		from = i + 1;
	}
}
