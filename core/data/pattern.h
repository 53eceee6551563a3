/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern.h: the syntax of a pattern, as far as it must be known before RE2.
 *
 * Go's syntax is RE2's but for three things: `(?<name>` is a group, a name may
 * come twice, `\C` is an error.  So names are taken out here and RE2 sees
 * plain groups.  And what needs no engine is found: words, literals, and a
 * literal that every match must contain.
 */
#ifndef CORE_PATTERN_H
#define CORE_PATTERN_H

#include <weir/status.h>

#include "base/str.h"

enum pattern_kind {
	PATTERN_WORDS,		/* ^(a|b|c)$ or ^a$: text equals one of them */
	PATTERN_LITERAL,	/* no metacharacter: text contains it */
	PATTERN_PREFIX,		/* ^ and a literal: text begins with it */
	PATTERN_LINE,		/* a literal with .* around it, or at the end */
	PATTERN_ENGINE		/* everything else */
};

/* LINE: what stands around the literal. */
struct pattern_line {
	bool begin;		/* ^ */
	bool lead, trail;	/* .* before it, behind it */
	bool end;		/* $ */
};

struct pattern {
	enum pattern_kind kind;
	struct pattern_line line;
	weir_str text;		/* as configured */
	weir_str engine;	/* ENGINE: what RE2 gets */
	weir_str literal;	/* LITERAL, PREFIX, LINE: it; ENGINE:
				 * required, "" if none */
	weir_str *words;	/* WORDS: in the order given */
	weir_str *sorted;	/* the same by length, then bytes */
	size_t n_words;
	weir_str *names;	/* of the groups, "" if none */
	size_t n_groups;
	struct arena arena;	/* owns all of the above */
};

/* Fills *pattern (zeroed).  -1 and Go's sentence for what Go refuses and RE2
 * would not; RE2 finds the rest.  Release it in either case. */
int pattern_parse(struct pattern *pattern, weir_str text,
		  struct weir_error *error);
void pattern_release(struct pattern *pattern);
/* WORDS: is text one of them? */
bool pattern_has_word(const struct pattern *pattern, weir_str text);

/* LINE: the leftmost match at or after `from`, as RE2 finds it.  text need not
 * be UTF-8. */
bool pattern_find_line(const struct pattern *pattern, weir_str text,
		       size_t from, weir_str *found);

/* Bytes of the character at text.ptr[at], by Go's rules: a byte that begins
 * no valid UTF-8 counts for itself and *valid becomes false. */
size_t pattern_rune(weir_str text, size_t at, bool *valid);
bool pattern_utf8(weir_str text);

#endif
