/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h: lists of words, and the word that somebody meant.
 */
#ifndef CORE_WORDS_H
#define CORE_WORDS_H

#include "str.h"

/* The words of a blank-separated list, one after the other; false at the end.
 * *list moves on. */
bool word_next(const char **list, weir_str *word);

/* "did you mean": the word of those offered that is nearest to what was
 * written.  Zero-initialise `best` to nothing, offer, then ask. */
struct nearest {
	weir_str written, best;
	size_t distance;
};
void nearest_offer(struct nearest *nearest, weir_str word);
/* `; did you mean "endpoint"?` or "". */
const char *nearest_hint(const struct nearest *nearest, struct arena *arena);

#endif
