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
		char c = l->text[i];

		if (is_digit(c))
			k.digits++;
		else if (is_upper(c))
			k.upper++;
		else if (is_letter(c))
			k.lower++;
		else
			k.marks += !!strchr("!@#$%^*+=~", c);
		k.upper_inside |= is_upper(c) && i > at;
	}
	return k;
}

bool no_word(const struct looks *k)
{
	return k->digits || (k->lower && k->upper_inside) || k->len >= 20;
}

static const char *const stop_words[] = {
	"bool", "boolean", "bytes", "denied", "disabled", "empty", "enabled",
	"expired", "failed", "false", "hidden", "incorrect", "invalid", "masked",
	"missing", "nil", "no", "none", "null", "number", "ok", "optional",
	"redacted", "required", "str", "string", "true", "undefined", "unset",
	"valid", "wrong", "yes",
};

bool is_stop_word(const struct look *l, size_t at, size_t end)
{
	for (size_t i = 0; i < sizeof(stop_words) / sizeof(*stop_words); i++)
		if (strlen(stop_words[i]) == end - at &&
		    has_word_at(l, at, stop_words[i]))
			return true;
	return false;
}

/* $NAME, ${name}, $(command), %s, %(name)s */
static bool is_variable(const struct look *l, size_t at, size_t end)
{
	if (l->text[at] == '%')
		return end - at == 2 || has_at(l, at, "%(");
	if (l->text[at] != '$' || end - at < 2)
		return false;
	return l->text[at + 1] == '{' || l->text[at + 1] == '(' ||
		(is_letter(l->text[at + 1]) &&
		 run_end(l, at + 1, UPPER | DIGITS | UNDERSCORE,
			 end - at - 1) == end);
}

/* <token>, [REDACTED], {key}; what is bare ends before the bracket. */
static bool is_bracketed(const struct look *l, size_t at, size_t end,
			 bool quoted)
{
	char c = l->text[at], last = l->text[end - 1];

	if (c != '<' && c != '[' && c != '{')
		return false;
	return !quoted || last == '>' || last == ']' || last == '}';
}

bool is_stand_in(const struct look *l, size_t at, size_t end, bool quoted)
{
	size_t n = at;
	char c = l->text[at];

	if (is_bracketed(l, at, end, quoted) || is_variable(l, at, end))
		return true;
	if (c && !strchr("*xX.-_", c))
		return is_stop_word(l, at, end);
	while (n < end && l->text[n] == c)
		n++;
	return n == end && n - at > 2;
}

/* --- Values ---------------------------------------------------------------------- */

bool is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}

/* Skips backslashes; *n is how many. */
static size_t skip_slashes(const struct look *l, size_t at, size_t *n)
{
	size_t begin = at;

	while (at < l->len && l->text[at] == '\\' && at - begin < 16)
		at++;
	*n = at - begin;
	return at;
}

size_t skip_quote(const struct look *l, size_t at)
{
	size_t slashes, quote = skip_slashes(l, at, &slashes);

	if (quote < l->len && is_quote(l->text[quote]))
		return quote + 1;
	return has_at(l, at, "%22") ? at + 3 : at;
}

size_t skip_blanks(const struct look *l, size_t at)
{
	size_t end = l->len - at > 16 ? at + 16 : l->len;

	while (at < end && (l->text[at] == ' ' || l->text[at] == '\t'))
		at++;
	return has_at(l, at, "%20") ? at + 3 : at;
}

/* Up to the quote that has no more backslashes before it than the first one;
 * one that is missing: all there is. */
static size_t quoted_end(const struct look *l, size_t at, char quote,
			 size_t slashes)
{
	size_t run = 0;

	for (; at < l->len; at++) {
		char c = l->text[at];

		if (c == quote && run <= slashes)
			return at - run;
		run = c == '\\' ? run + 1 : 0;
	}
	return l->len;
}

bool ends_value(const struct look *l, size_t at)
{
	char c = l->text[at];

	if (c == '\\')
		return at + 1 < l->len && strchr("nrt\"'", l->text[at + 1]);
	return (uint8_t)c <= ' ' || is_quote(c) || c == '&' || c == ';' ||
		c == ',' || c == '<' || c == '>' || c == ')' || c == ']' || c == '}' ||
		c == '|' || (c == '%' && (has_at(l, at, "%26") ||
					  has_at(l, at, "%22")));
}

size_t bare_end(const struct look *l, size_t at, size_t most)
{
	size_t end = l->len - at > most ? at + most : l->len;

	while (at < end && !ends_value(l, at))
		at++;
	return at;
}

void read_value(const struct look *l, size_t at, struct value *v)
{
	size_t slashes, quote = skip_slashes(l, at, &slashes);

	if (v->element) {
		v->at = v->end = at;
		v->quoted = true;
		while (v->end < l->len && l->text[v->end] != '<')
			v->end++;
		if (!has_at(l, v->end, "</"))
			v->end = at;
		return;
	}
	v->quoted = quote < l->len && is_quote(l->text[quote]);
	if (v->quoted) {
		v->at = quote + 1;
		v->end = quoted_end(l, v->at, l->text[quote], slashes);
		return;
	}
	v->at = has_at(l, at, "%22") ? at + 3 : at;
	v->end = bare_end(l, v->at, VALUE_JUDGED);
}
