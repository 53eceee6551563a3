/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pattern_scan.h: the pieces that the text of a pattern is made of.
 */
#ifndef CORE_PATTERN_SCAN_H
#define CORE_PATTERN_SCAN_H

#include "pattern.h"

/* A reader of the pattern text. */
struct scan {
	weir_str text;
	size_t i;
};

/* ASCII. */
bool scan_is_alnum(char c);
/* Past `word`, if that is next. */
bool scan_skip(struct scan *s, const char *word);
/* One character that stands for itself, escaped punctuation included; its
 * bytes are appended to out.  False: something else begins here. */
bool scan_plain(struct scan *s, char *out, size_t *len);
/* Past a group, class, escape or count, or one character. */
void scan_skip_piece(struct scan *s);

/* Which of the shapes of pattern.h it is, with what goes with it. */
void pattern_find_shape(struct pattern *pattern);

#endif
