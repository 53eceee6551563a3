/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sql.c: SQL without its literals.
 *
 * Holds nothing.  A lexer that knows no grammar: strings, numbers, truth
 * values, NULL and numbered parameters become "?", and so does each run of
 * digits in a name (shards are tables).  Comments, blanks, operators and
 * named parameters stay.  Like the Collector's it ends at a NUL.
 */
#include <strings.h>

#include "sanitize.h"

struct lexer {
	const char *p, *end;
	bool mysql;
};

enum token { AS_IT_IS, LITERAL, NAME, FUNCTION };

/* The character n on; 0 behind the end. */
static char at(const struct lexer *l, size_t n)
{
	return n < (size_t)(l->end - l->p) ? l->p[n] : 0;
}

static bool one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Everything that is not ASCII passes for a letter. */
static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		(unsigned char)c >= 0x80;
}

static bool is_alnum(char c)
{
	return is_letter(c) || is_digit(c);
}

static bool is_operator(char c)
{
	return one_of(c, "+-*/=<>!&|^%~?@:#");
}

/* --- Tokens ------------------------------------------------------------------------ */

/* Ends at the quote; without one at the end. */
static enum token take_string(struct lexer *l, char quote)
{
	for (l->p++; at(l, 0); l->p++) {
		if (at(l, 0) == '\\' && at(l, 1)) {
			l->p++;
		} else if (at(l, 0) == quote) {
			l->p++;
			break;
		}
	}
	return LITERAL;
}

/* "a"."b" is one name. */
static enum token take_quoted_name(struct lexer *l, char quote)
{
	for (l->p++; at(l, 0); l->p++) {
		if (at(l, 0) != quote)
			continue;
		if (at(l, 1) != '.' || at(l, 2) != quote) {
			l->p++;
			return NAME;
		}
		l->p += 2;
	}
	return AS_IT_IS;	/* never closed: no name */
}

static bool is_constant(weir_str word)
{
	return (word.len == 4 && (!strncasecmp(word.ptr, "true", 4) ||
				  !strncasecmp(word.ptr, "null", 4))) ||
		(word.len == 5 && !strncasecmp(word.ptr, "false", 5));
}

static enum token take_word(struct lexer *l)
{
	const char *from = l->p;
	char next;

	while (is_letter(at(l, 0)) && (unsigned char)at(l, 0) < 0x80)
		l->p++;
	next = at(l, 0);
	if (is_constant((weir_str){ from, (size_t)(l->p - from) }) &&
	    (!next || one_of(next, " \t\n\r(),;.:[]{}")))
		return LITERAL;
	while (is_alnum(at(l, 0)) || one_of(at(l, 0), "\".?$#/@!"))
		l->p++;
	return at(l, 0) == '(' ? AS_IT_IS : NAME;
}

static enum token take_number(struct lexer *l)
{
	if (one_of(at(l, 0), "+-"))
		l->p++;
	if (at(l, 0) == '0' && one_of(at(l, 1), "xX")) {
		l->p += 2;
		while (is_digit(at(l, 0)) ||
		       one_of(at(l, 0), "abcdefABCDEF"))
			l->p++;
		return LITERAL;
	}
	while (is_digit(at(l, 0)) || one_of(at(l, 0), ".eE"))
		l->p += one_of(at(l, 0), "eE") && one_of(at(l, 1), "+-") ?
			2 : 1;
	return LITERAL;
}

static enum token take_line(struct lexer *l)
{
	while (at(l, 0) && at(l, 0) != '\n')
		l->p++;
	return AS_IT_IS;
}

static enum token take_comment(struct lexer *l)
{
	for (l->p += 2; at(l, 0); l->p++) {
		if (at(l, 0) == '*' && at(l, 1) == '/') {
			l->p += 2;
			break;
		}
	}
	return AS_IT_IS;
}

/* $tag$ ... $tag$; without its end the rest is a literal, too. */
static enum token take_dollar(struct lexer *l)
{
	const char *from = l->p, *close;
	size_t len, left;

	l->p++;
	while (at(l, 0) && at(l, 0) != '$')
		l->p++;
	l->p += at(l, 0) == '$';
	len = (size_t)(l->p - from);
	left = (size_t)(l->end - l->p);
	close = len > 1 ? memmem(l->p, left, from, len) : NULL;
	l->p = close ? close + len : l->end;
	return close && len == 6 && !memcmp(from, "$func$", 6) ? FUNCTION :
		LITERAL;
}

static enum token take_parameter(struct lexer *l)
{
	for (l->p += 2; is_digit(at(l, 0)); )
		l->p++;
	return LITERAL;
}

static enum token take_at(struct lexer *l)
{
	if (at(l, 1) == '@' || one_of(at(l, 1), "?>"))
		l->p++;
	l->p++;
	while (is_alnum(at(l, 0)))
		l->p++;
	return AS_IT_IS;
}

static enum token take_operator(struct lexer *l)
{
	static const char *const whole[] = {	/* nothing joins these */
		"->>", "->", "#>>", "#>", "#-", "?|", "?&", "<@",
	};
	char last = at(l, 0);

	for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++) {
		size_t n = strlen(whole[i]);

		if ((size_t)(l->end - l->p) >= n && !memcmp(l->p, whole[i], n)) {
			l->p += n;
			return AS_IT_IS;
		}
	}
	for (l->p++; is_operator(at(l, 0)); l->p++) {
		if (last == '=' && one_of(at(l, 0), "?@"))
			break;
		last = at(l, 0);
	}
	return AS_IT_IS;
}

static bool starts_at(const struct lexer *l)
{
	return at(l, 0) == '@' && (at(l, 1) == '@' || is_alnum(at(l, 1)) ||
				   one_of(at(l, 1), "?>"));
}

static bool starts_number(const struct lexer *l)
{
	return is_digit(at(l, 0)) ||
		(one_of(at(l, 0), "+-") &&
		 (is_digit(at(l, 1)) || at(l, 1) == '.'));
}

/* In the order in which the Collector's lexer asks. */
static enum token take_token(struct lexer *l)
{
	char c = at(l, 0);

	if (is_letter(c))
		return take_word(l);
	if (c == '\'' || (c == '"' && l->mysql))
		return take_string(l, c);
	if (c == '"' || (c == '`' && l->mysql))
		return take_quoted_name(l, c);
	if (c == '-' && at(l, 1) == '-')
		return take_line(l);
	if (c == '/' && at(l, 1) == '*')
		return take_comment(l);
	if (starts_number(l))
		return take_number(l);
	if (c == '$')
		return is_digit(at(l, 1)) ? take_parameter(l) : take_dollar(l);
	if (starts_at(l))
		return take_at(l);
	if (is_operator(c) && c != '*')
		return take_operator(l);
	l->p++;
	return AS_IT_IS;
}

/* --- Writing ------------------------------------------------------------------------- */

static void add_name(weir_str name, struct weir_text *out)
{
	for (size_t i = 0; i < name.len; i++) {
		if (!is_digit(name.ptr[i]))
			weir_text_add(out, (weir_str){ name.ptr + i, 1 });
		else if (!i || !is_digit(name.ptr[i - 1]))
			weir_text_add(out, WEIR_STR("?"));
	}
}

static void add_all(weir_str text, bool mysql, struct weir_text *out);

/* The body of a function is SQL again.  It ends at the first $func$, so there
 * is none in it. */
static void add_function(weir_str token, bool mysql, struct weir_text *out)
{
	const size_t tag = sizeof("$func$") - 1;

	weir_text_add(out, WEIR_STR("$func$"));
	add_all((weir_str){ token.ptr + tag, token.len - 2 * tag }, mysql, out);
	weir_text_add(out, WEIR_STR("$func$"));
}

static void add_all(weir_str text, bool mysql, struct weir_text *out)
{
	struct lexer l = { text.ptr, text.len ? text.ptr + text.len : text.ptr,
			   mysql };
	size_t from = out->len;
	weir_str made;

	while (at(&l, 0)) {
		const char *start = l.p;
		enum token kind = take_token(&l);
		weir_str token = { start, (size_t)(l.p - start) };

		switch (kind) {
		case LITERAL: weir_text_add(out, WEIR_STR("?")); break;
		case NAME: add_name(token, out); break;
		case FUNCTION: add_function(token, mysql, out); break;
		default: weir_text_add(out, token);
		}
	}
	made = out->len > from ?
		trimmed((weir_str){ out->ptr + from, out->len - from }) :
		WEIR_STR("");
	if (made.len)
		memmove(out->ptr + from, made.ptr, made.len);
	out->len = from + made.len;
}

void sanitize_sql(weir_str text, bool mysql, struct weir_text *out)
{
	add_all(text, mysql, out);
}
