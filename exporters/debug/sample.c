/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample.c: counts of entries, by hash and second.
 */
#include "sample.h"

#include <stdlib.h>

#define COUNTS 4096
#define SECOND 1000000000u

bool debug_sample_init(struct debug_sample *s, int64_t initial,
		       int64_t thereafter)
{
	s->initial = (uint64_t)initial;
	s->thereafter = (uint64_t)thereafter;
	if (thereafter != 1)
		s->counts = calloc(COUNTS, sizeof(*s->counts));
	return thereafter == 1 || s->counts;
}

/* FNV-1a, 32 bits. */
static uint32_t hash(weir_str text)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (unsigned char)text.ptr[i]) * 16777619u;
	return h;
}

/* Which of its second this entry is, from 1. */
static uint64_t count(struct debug_count *count)
{
	uint64_t now = weir_now(), until = atomic_load(&count->until);

	if (until > now)
		return atomic_fetch_add(&count->n, 1) + 1;
	atomic_store(&count->n, 1);
	/* Another worker that began the second as well has counted 1, too. */
	if (!atomic_compare_exchange_strong(&count->until, &until,
					    now + SECOND))
		return atomic_fetch_add(&count->n, 1) + 1;
	return 1;
}

/* Unsigned throughout, as in the Collector: -1 is very many. */
bool debug_sample_take(struct debug_sample *s, weir_str message)
{
	uint64_t n;

	if (!s->counts)
		return true;
	n = count(&s->counts[hash(message) % COUNTS]);
	if (n <= s->initial)
		return true;
	return s->thereafter && (n - s->initial) % s->thereafter == 0;
}

void debug_sample_free(struct debug_sample *s)
{
	free(s->counts);
	s->counts = NULL;
}
