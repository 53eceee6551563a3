/* SPDX-License-Identifier: Apache-2.0 */
/* buckets.c: the ring of buckets.h.  Holds no entry's memory. */
#include "buckets.h"

#include <stdlib.h>

void buckets_init(struct buckets *buckets, uint32_t farthest)
{
	*buckets = (struct buckets){ .size = farthest + 1 };
	buckets->ring = calloc(buckets->size, sizeof(*buckets->ring));
	if (!buckets->ring)
		abort();
}

void buckets_release(struct buckets *buckets)
{
	free(buckets->ring);
	*buckets = (struct buckets){ 0 };
}

static struct bucket *bucket_of(const struct buckets *buckets, uint32_t tick)
{
	return &buckets->ring[tick % buckets->size];
}

void buckets_take(struct buckets *buckets, struct entry *entry)
{
	struct bucket *bucket;

	if (!entry->tick)
		return;
	bucket = bucket_of(buckets, entry->tick);
	if (entry->before)
		entry->before->after = entry->after;
	else
		bucket->first = entry->after;
	if (entry->after)
		entry->after->before = entry->before;
	else
		bucket->last = entry->before;
	entry->tick = 0;
}

void buckets_put(struct buckets *buckets, struct entry *entry, uint32_t tick)
{
	struct bucket *bucket;

	if (entry->tick == tick)
		return;
	buckets_take(buckets, entry);
	bucket = bucket_of(buckets, tick);
	entry->tick = tick;
	entry->before = bucket->last;
	entry->after = NULL;
	if (bucket->last)
		bucket->last->after = entry;
	else
		bucket->first = entry;
	bucket->last = entry;
}

struct entry *buckets_first(const struct buckets *buckets, uint32_t tick)
{
	return bucket_of(buckets, tick)->first;
}

struct entry *buckets_next(const struct buckets *buckets)
{
	for (uint32_t i = 1; i < buckets->size; i++) {
		struct entry *entry = buckets_first(buckets, buckets->now + i);

		if (entry)
			return entry;
	}
	return NULL;
}
