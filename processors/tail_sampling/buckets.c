/* SPDX-License-Identifier: Apache-2.0 */
/* buckets.c: the ring of buckets.h.  Holds no entry's memory. */
#include "buckets.h"

#include <stdlib.h>

void buckets_init(struct buckets *buckets, const struct table *table,
		  uint32_t farthest)
{
	*buckets = (struct buckets){ .table = table, .size = farthest + 1 };
	buckets->ring = calloc(buckets->size, sizeof(*buckets->ring));
	if (!buckets->ring)
		abort();
}

void buckets_release(struct buckets *buckets)
{
	free(buckets->ring);
	*buckets = (struct buckets){ 0 };
}

static struct entry_list *bucket_of(const struct buckets *buckets,
				    uint32_t tick)
{
	return &buckets->ring[tick % buckets->size];
}

void buckets_take(struct buckets *buckets, struct entry *entry)
{
	if (!entry->tick)
		return;
	table_unlink(buckets->table, bucket_of(buckets, entry->tick), BY_TURN,
		     entry);
	entry->tick = 0;
}

void buckets_put(struct buckets *buckets, struct entry *entry, uint32_t tick)
{
	if (entry->tick == tick)
		return;
	buckets_take(buckets, entry);
	table_link(buckets->table, bucket_of(buckets, tick), BY_TURN, entry);
	entry->tick = tick;
	if (tick < buckets->soonest)
		buckets->soonest = tick;
}

struct entry *buckets_first(const struct buckets *buckets, uint32_t tick)
{
	return table_at(buckets->table, bucket_of(buckets, tick)->first);
}

struct entry *buckets_after(const struct buckets *buckets,
			    const struct entry *entry)
{
	return table_at(buckets->table, entry->in[BY_TURN].after);
}

struct entry *buckets_next(struct buckets *buckets)
{
	uint32_t end = buckets->now + buckets->size;

	if (buckets->soonest <= buckets->now)
		buckets->soonest = buckets->now + 1;
	for (; buckets->soonest < end; buckets->soonest++) {
		struct entry *entry = buckets_first(buckets, buckets->soonest);

		if (entry)
			return entry;
	}
	return NULL;
}
