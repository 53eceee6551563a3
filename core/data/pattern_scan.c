/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern_scan.c: the pieces that the text of a pattern is made of.
 *
 * Holds nothing.  What looks like a piece and is none only loses a hint: RE2
 * reads the same text and has the last word.
 */
#include <string.h>

#include "pattern_scan.h"

/* --- Plain characters -------------------------------------------------------- */

bool scan_is_alnum(char c)
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
bool scan_plain(struct scan *s, char *out, size_t *len)
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
		if ((uint8_t)c >= 0x80 || scan_is_alnum(c))
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

bool scan_skip(struct scan *s, const char *word)
{
	size_t n = strlen(word);

	if (s->text.len - s->i < n || memcmp(s->text.ptr + s->i, word, n))
		return false;
	s->i += n;
	return true;
}

/* --- Pieces ------------------------------------------------------------------- */

/* Past a group, class, escape or single metacharacter that is no literal. */
static void skip_class(struct scan *s)
{
	s->i++;
	scan_skip(s, "^");
	scan_skip(s, "]");
	while (s->i < s->text.len && s->text.ptr[s->i] != ']') {
		if (s->text.ptr[s->i] == '\\') {
			s->i++;
		} else if (scan_skip(s, "[:")) {
			while (s->i < s->text.len && !scan_skip(s, ":]"))
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
	if ((c == 'p' || c == 'P' || c == 'x') && scan_skip(s, "{"))
		while (s->i < s->text.len && !scan_skip(s, "}"))
			s->i++;
	else if (c == 'Q')
		while (s->i < s->text.len && !scan_skip(s, "\\E"))
			s->i++;
	else if (c == 'x' || c == 'p' || c == 'P' || (c >= '0' && c <= '9'))
		while (s->i < s->text.len && scan_is_alnum(s->text.ptr[s->i]))
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
	while (s->i < s->text.len && !scan_skip(s, "}"))
		s->i++;
}

void scan_skip_piece(struct scan *s)
{
	switch (s->text.ptr[s->i]) {
	case '(': skip_group(s); break;
	case '[': skip_class(s); break;
	case '\\': skip_escape(s); break;
	case '{': skip_count(s); break;
	default: s->i++;
	}
}

