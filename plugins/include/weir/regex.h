/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex.h: the patterns of a configuration, RE2's syntax and meaning (Go's).
 *
 * Searches are unanchored and linear in the text.  One compiled object a
 * pattern for the whole process; matching is safe from any thread.  The
 * engine's library is opened when the first real pattern is compiled: an
 * anchored alternation of plain words never opens it.
 */
#ifndef WEIR_REGEX_H
#define WEIR_REGEX_H

#include <weir/base.h>
#include <weir/status.h>
#include <weir/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_regex;

/* Compiles, or finds the same pattern compiled before.  NULL and a sentence in
 * *error (text only) for what Go would refuse.  Set-up only. */
WEIR_API struct weir_regex *weir_regex_new(weir_str pattern,
					   struct weir_error *error);
WEIR_API void weir_regex_free(struct weir_regex **regex);

/* How often the engine could not tell, for searches of the calling thread: out of
 * memory, or a text that would have taken too long.  One that is asked about
 * what may stay compares it before and after. */
WEIR_API uint64_t weir_regex_untold(void);

/* Does it occur anywhere in text?  Fails closed: true if the engine cannot
 * tell (out of memory). */
WEIR_API bool weir_regex_match(const struct weir_regex *regex, weir_str text);

/* The first match at or after `from`: groups[0] is the whole, groups[i] the
 * i-th group, ptr NULL when it took no part.  n: room in groups. */
WEIR_API bool weir_regex_find(const struct weir_regex *regex, weir_str text,
			      size_t from, weir_str *groups, size_t n);
/* Appends text to out, each match replaced by what `put` appends for it; an
 * empty match right behind another one is none (Go's ReplaceAllStringFunc).
 * False when nothing matched: out is as it was.  Fails closed: what the engine
 * cannot tell counts as one match. */
WEIR_API bool weir_regex_replace(const struct weir_regex *regex, weir_str text,
	struct weir_text *out,
	void (*put)(void *arg, weir_str match, struct weir_text *out),
	void *arg);
/* Number of groups, without group 0; name of the i-th (from 1), "" if none. */
WEIR_API size_t weir_regex_groups(const struct weir_regex *regex);
WEIR_API weir_str weir_regex_group_name(const struct weir_regex *regex,
					size_t i);
WEIR_API weir_str weir_regex_pattern(const struct weir_regex *regex);

/* The i-th word of a pattern that is an anchored alternation of plain words
 * (^(a|b|c)$, ^a$): text matches exactly when it equals one of them.  False
 * past the last, and for every other pattern. */
WEIR_API bool weir_regex_word(const struct weir_regex *regex, size_t i,
			      weir_str *word);

#ifdef __cplusplus
}
#endif
#endif
