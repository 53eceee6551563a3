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

/* --- Quotes ---------------------------------------------------------------------- */

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

/* --- White space ----------------------------------------------------------------- */

#define SPACE 512	/* bytes of it at most: pretty-printed JSON is indented */

/* Behind one blank; `at` when there is none. */
static size_t skip_blank(const struct look *l, size_t at)
{
	char c = at < l->len ? byte_at(l, at) : 0;

	if (c == ' ' || c == '\t')
		return at + 1;
	return c == '%' && has_at(l, at, "%20") ? at + 3 : at;
}

size_t skip_blanks(const struct look *l, size_t at)
{
	size_t begin = at, next;

	while (at - begin < SPACE && (next = skip_blank(l, at)) > at)
		at = next;
	return at;
}

static size_t skip_line_end(const struct look *l, size_t at)
{
	char c = at < l->len ? byte_at(l, at) : 0;

	if (c == '\n' || c == '\r')
		return at + 1;
	if (c == '\\' && at + 1 < l->len &&
	    (byte_at(l, at + 1) == 'n' || byte_at(l, at + 1) == 'r'))
		return at + 2;
	return at;
}

size_t skip_space(const struct look *l, size_t at, bool *lines)
{
	size_t begin = at, next;

	while (at - begin < SPACE) {
		next = skip_blanks(l, at);
		if (next == at) {
			next = skip_line_end(l, at);
			*lines |= next > at;
		}
		if (next == at)
			break;
		at = next;
	}
	return at;
}

/* --- Where they end -------------------------------------------------------------- */

#define NAME_MOST 64

bool is_named(const struct look *l, size_t at, char separator)
{
	size_t end = run_end(l, at, BASE64URL | DOT, NAME_MOST);

	/* User Id=sa */
	for (int words = 0; separator == ';' && words < 3 && end > at &&
	     end + 1 < l->len && byte_at(l, end) == ' ' &&
	     is_letter(byte_at(l, end + 1)); words++)
		end = run_end(l, end + 1, BASE64URL | DOT, NAME_MOST);
	if (end == at || end >= l->len)
		return false;
	if (byte_at(l, end) == ':')
		return separator != '&' && is_letter(byte_at(l, at));
	return byte_at(l, end) == '=' || has_at(l, end, "%3D");
}

/* A separator in a value may belong to it: what follows says whether something
 * else begins there. */
static bool ends_there(const struct look *l, size_t at, char c)
{
	char next = at + 1 < l->len ? byte_at(l, at + 1) : 0;

	if (at + 1 >= l->len)
		return true;
	if (c == ')' || c == ']' || c == '}' || c == '>')
		return !is_of(next, ALNUM | UNDERSCORE);
	if (next == ',' || next == ';' || next == '&' || next == '|' ||
	    next == '%')
		return false;
	return is_of(next, VALUE_END) || is_named(l, at + 1, c);
}

/* The @ of `user:password@tcp(host)/db` and `user:password@/db`. */
static bool calls_network(const struct look *l, size_t at)
{
	char c = at < l->len ? byte_at(l, at) : 0;

	if (c == 't')
		return has_at(l, at, "tcp(") || has_at(l, at, "tcp4(") ||
			has_at(l, at, "tcp6(");
	if (c == 'u')
		return has_at(l, at, "unix(") || has_at(l, at, "udp(");
	if (c == 'c')
		return has_at(l, at, "cloudsql(");
	return c == '/' && at + 1 < l->len && is_alnum(byte_at(l, at + 1));
}

static bool ends_plain(const struct look *l, size_t at, char c)
{
	return (uint8_t)c <= ' ' || is_quote(c) || c == '<' ||
		ends_there(l, at, c);
}

bool ends_value(const struct look *l, size_t at, enum stop stop)
{
	char c = byte_at(l, at);

	if (c == '\\')		/* an escape of what ends it */
		return at + 1 < l->len && strchr("nrt\"'", byte_at(l, at + 1));
	if (stop == A_LINE_END)
		return true;
	if (stop == A_DSN_END)
		return c != '@' || calls_network(l, at + 1);
	if (c == '%')
		return stop == AN_ENCODED_END && (has_at(l, at, "%26") ||
						  has_at(l, at, "%22"));
	return (stop == A_QUERY_END && c == '&') || ends_plain(l, at, c);
}

/* --- Values ---------------------------------------------------------------------- */

/* b'x', Rb"x", $"x", Some("x"): where the quote is; `at` when none is. */
static size_t skip_mark(const struct look *l, size_t at)
{
	static const char marks[] = "bBuUrRfFlL@$";
	size_t end = has_at(l, at, "Some(") ? at + 5 : at, slashes, quote;

	while (end < l->len && end - at < 2 && byte_at(l, end) &&
	       strchr(marks, byte_at(l, end)))
		end++;
	quote = skip_slashes(l, end, &slashes);
	return quote < l->len && is_quote(byte_at(l, quote)) ? end : at;
}

static void read_element(const struct look *l, size_t at, struct value *v)
{
	v->at = v->end = at;
	v->quoted = true;
	while (v->end < l->len && byte_at(l, v->end) != '<')
		v->end++;
	if (!has_at(l, v->end, "</"))
		v->end = at;
}

void read_value(const struct look *l, size_t at, struct value *v)
{
	size_t slashes, quote;

	if (v->element) {
		read_element(l, at, v);
		return;
	}
	at = skip_mark(l, at);
	quote = skip_slashes(l, at, &slashes);
	v->quoted = quote < l->len && is_quote(byte_at(l, quote));
	if (v->quoted) {
		v->at = quote + 1;
		if (v->at == l->walk->named) {
			v->end = l->walk->named_end;
			return;
		}
		v->end = quoted_end(l, v->at, byte_at(l, quote), slashes);
		return;
	}
	v->at = at;
	if (at == l->walk->named) {
		v->end = l->walk->named_end;
		return;
	}
	if (has_at(l, at, "%22")) {
		v->at = at + 3;
		v->stop = AN_ENCODED_END;
	}
	v->end = bare_end(l, v->at, VALUE_JUDGED, v->stop);
}
