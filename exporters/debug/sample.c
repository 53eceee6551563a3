/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample.c: counts of entries, by hash and second.
 */
#include "sample.h"

#include <stdlib.h>

#define COUNTS 4096
#define SECOND 1000000000u

void debug_sample_init(struct debug_sample *s, int64_t initial,
		       int64_t thereafter)
{
	s->initial = initial;
	s->thereafter = thereafter;
	if (thereafter != 1)
		s->counts = calloc(COUNTS, sizeof(*s->counts));
}

/* FNV-1a, 32 bits. */
static uint32_t hash(weir_str text)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (unsigned char)text.ptr[i]) * 16777619u;
	return h;
}

bool debug_sample_take(struct debug_sample *s, weir_str message)
{
	struct debug_count_of *count;
	uint64_t now, beyond;

	if (!s->counts)
		return true;
	now = weir_now();
	count = &s->counts[hash(message) % COUNTS];
	if (now >= count->until) {
		count->until = now + SECOND;
		count->n = 0;
	}
	count->n++;
	if (s->initial > 0 && count->n <= (uint64_t)s->initial)
		return true;
	if (s->thereafter <= 0)
		return false;
	beyond = count->n - (s->initial > 0 ? (uint64_t)s->initial : 0);
	return beyond % (uint64_t)s->thereafter == 0;
}

void debug_sample_free(struct debug_sample *s)
{
	free(s->counts);
	s->counts = NULL;
}
