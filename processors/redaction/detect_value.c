/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_value.c: where a value begins and ends, and what it looks like.
 *
 * Quotes may be escaped as often as the text around was put into another one.
 */
#include "detect_value.h"

/* --- What looks like a secret ---------------------------------------------------- */

struct looks looks_of(const struct look *l, size_t at, size_t end)
{
	struct looks k = { .len = end - at };

	for (size_t i = at; i < end && i < at + 64; i++) {
		char c = byte_at(l, i);

		k.digits += is_of(c, DIGITS);
		k.upper += is_of(c, UPPER);
		k.lower += is_of(c, LOWER);
		k.marks += is_of(c, MARK);
		k.upper_inside |= is_upper(c) && i > at;
	}
	return k;
}

bool no_word(const struct looks *k)
{
	return k->digits || (k->lower && k->upper_inside) || k->len >= 20;
}

#define LONGEST_STOP 9

/* By their length. */
static const char *const stop_words[LONGEST_STOP + 1][9] = {
	[2] = { "no", "ok" },
	[3] = { "nil", "str", "yes" },
	[4] = { "bool", "none", "null", "true" },
	[5] = { "bytes", "empty", "false", "unset", "valid", "wrong" },
	[6] = { "denied", "failed", "hidden", "masked", "number", "string" },
	[7] = { "boolean", "enabled", "expired", "invalid", "missing" },
	[8] = { "disabled", "optional", "redacted", "required" },
	[9] = { "incorrect", "undefined" },
};

bool is_stop_word(const struct look *l, size_t at, size_t end)
{
	const char *const *word;

	if (end - at > LONGEST_STOP)
		return false;
	for (word = stop_words[end - at]; *word; word++)
		if (has_word_at(l, at, *word))
			return true;
	return false;
}

/* $NAME, ${name}, $(command), %s, %(name)s */
static bool is_variable(const struct look *l, size_t at, size_t end)
{
	if (byte_at(l, at) == '%')
		return end - at == 2 || has_at(l, at, "%(");
	if (byte_at(l, at) != '$' || end - at < 2)
		return false;
	return byte_at(l, at + 1) == '{' || byte_at(l, at + 1) == '(' ||
		(is_letter(byte_at(l, at + 1)) &&
		 run_end(l, at + 1, UPPER | DIGITS | UNDERSCORE,
			 end - at - 1) == end);
}

/* <token>, [REDACTED], {key}; what is bare ends before the bracket. */
static bool is_bracketed(const struct look *l, size_t at, size_t end,
			 bool quoted)
{
	char c = byte_at(l, at), last = byte_at(l, end - 1);

	if (c != '<' && c != '[' && c != '{')
		return false;
	return !quoted || last == '>' || last == ']' || last == '}';
}

bool is_stand_in(const struct look *l, size_t at, size_t end, bool quoted)
{
	size_t n = at;
	char c = byte_at(l, at);

	if (is_bracketed(l, at, end, quoted) || is_variable(l, at, end))
		return true;
	if (c != '*' && c != 'x' && c != 'X' && c != '.' && c != '-' &&
	    c != '_')
		return is_stop_word(l, at, end);
	while (n < end && byte_at(l, n) == c)
		n++;
	return n == end && n - at > 2;
}

/* --- Values ---------------------------------------------------------------------- */

/* Skips backslashes; *n is how many. */
static size_t skip_slashes(const struct look *l, size_t at, size_t *n)
{
	size_t begin = at;

	while (at < l->len && byte_at(l, at) == '\\' && at - begin < 16)
		at++;
	*n = at - begin;
	return at;
}

size_t skip_quote(const struct look *l, size_t at)
{
	size_t slashes, quote = skip_slashes(l, at, &slashes);

	if (quote < l->len && is_quote(byte_at(l, quote)))
		return quote + 1;
	return has_at(l, at, "%22") ? at + 3 : at;
}

size_t skip_blanks(const struct look *l, size_t at)
{
	size_t end = l->len - at > 16 ? at + 16 : l->len;

	while (at < end && (byte_at(l, at) == ' ' || byte_at(l, at) == '\t'))
		at++;
	return has_at(l, at, "%20") ? at + 3 : at;
}

bool ends_value(const struct look *l, size_t at)
{
	char c = byte_at(l, at);

	if (c == '\\')
		return at + 1 < l->len && strchr("nrt\"'", byte_at(l, at + 1));
	return (uint8_t)c <= ' ' || is_quote(c) || c == '&' || c == ';' ||
		c == ',' || c == '<' || c == '>' || c == ')' || c == ']' || c == '}' ||
		c == '|' || (c == '%' && (has_at(l, at, "%26") ||
					  has_at(l, at, "%22")));
}

void read_value(const struct look *l, size_t at, struct value *v)
{
	size_t slashes, quote = skip_slashes(l, at, &slashes);

	if (v->element) {
		v->at = v->end = at;
		v->quoted = true;
		while (v->end < l->len && byte_at(l, v->end) != '<')
			v->end++;
		if (!has_at(l, v->end, "</"))
			v->end = at;
		return;
	}
	v->quoted = quote < l->len && is_quote(byte_at(l, quote));
	if (v->quoted) {
		v->at = quote + 1;
		v->end = quoted_end(l, v->at, byte_at(l, quote), slashes);
		return;
	}
	v->at = has_at(l, at, "%22") ? at + 3 : at;
	v->end = bare_end(l, v->at, VALUE_JUDGED);
}
