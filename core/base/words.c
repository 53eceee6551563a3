/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.c: lists of words, and the word that somebody meant.  Holds nothing.
 */
#include "words.h"

#include <weir/status.h>

bool word_next(const char **list, weir_str *word)
{
	const char *p = *list ? *list : "";

	p += strspn(p, " ");
	*word = (weir_str){ p, strcspn(p, " ") };
	*list = p + word->len;
	return word->len > 0;
}

void nearest_offer(struct nearest *nearest, weir_str word)
{
	size_t most = nearest->written.len / 4 + 1;
	size_t distance;

	if (most > 3)
		most = 3;
	distance = str_distance(nearest->written, word, most);
	if (distance > most || (nearest->best.ptr &&
				distance >= nearest->distance))
		return;
	nearest->best = word;
	nearest->distance = distance;
}

const char *nearest_hint(const struct nearest *nearest, struct arena *arena)
{
	if (!nearest->best.ptr)
		return "";
	return arena_printf(arena, "; did you mean \"%.*s\"?",
			    WEIR_STR_FMT(nearest->best));
}

weir_str weir_nearest(weir_str written, const char *words)
{
	struct nearest nearest = { .written = written };
	weir_str word;

	while (word_next(&words, &word))
		nearest_offer(&nearest, word);
	return nearest.best;
}
