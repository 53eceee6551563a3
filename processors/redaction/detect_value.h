/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_value.h: values that stand behind names.
 */
#ifndef REDACTION_DETECT_VALUE_H
#define REDACTION_DETECT_VALUE_H

#include "detect_parts.h"

struct looks {
	size_t len;
	unsigned digits, lower, upper, marks;
	bool upper_inside;
};

/* Of its first 64 bytes. */
struct looks looks_of(const struct look *l, size_t at, size_t end);
/* Is it unlikely to be a word of a sentence? */
bool no_word(const struct looks *k);
/* "none", "required", "true": said of a secret, not one. */
bool is_stop_word(const struct look *l, size_t at, size_t end);
/* Something that stands for a value: ***, xxxx, $NAME, <token>, or a stop
 * word. */
bool is_stand_in(const struct look *l, size_t at, size_t end, bool quoted);

struct value {
	size_t at, end;
	bool quoted;
	bool loose;	/* white space before it */
	bool lines;	/* on a line of its own */
	bool element;	/* of XML */
	enum stop stop;	/* what ends it when it has no quotes */
};

/* Reads one that begins at `at`, with or without a quote: at, end, quoted.  Of
 * one without, VALUE_JUDGED bytes: what is refused has cost no more. */
#define VALUE_JUDGED 256
void read_value(const struct look *l, size_t at, struct value *v);
/* Where a value without quotes ends, `most` bytes on at the latest. */
static inline size_t bare_end(const struct look *l, size_t at, size_t most,
			      enum stop stop)
{
	return stop_at(l, at, l->len - at > most ? at + most : l->len,
		       stop);
}
/* Behind a quote, escaped or not; `at` when there is none. */
size_t skip_quote(const struct look *l, size_t at);
/* Behind blanks, tabs and %20. */
size_t skip_blanks(const struct look *l, size_t at);
/* Behind the ends of lines, too, escaped or not; *lines: there is one. */
size_t skip_space(const struct look *l, size_t at, bool *lines);
bool hit_value(const struct look *l, enum detector what, struct value *v,
	       struct detected *hit);
/* A value behind the name that ends before `name` with blanks only between
 * (detect_scheme.c). */
bool probe_spoken(const struct look *l, const struct trigger *t, size_t name,
		  struct detected *hit);
/* name=, name:, "name": that begins at `at` */
bool is_named(const struct look *l, size_t at, char separator);

#endif
