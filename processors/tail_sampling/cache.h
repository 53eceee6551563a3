/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.h: trace ids whose decision is known, the least recently used ones
 * forgotten first.  As the Collector's, it knows an id by its last 8 bytes.
 */
#ifndef TAIL_SAMPLING_CACHE_H
#define TAIL_SAMPLING_CACHE_H

#include <weir/base.h>

struct cache {
	uint32_t limit;		/* 0: off */
	uint32_t n, cap;	/* in use, allocated */
	struct cached *items;
	uint32_t *heads;	/* of the chains; as many as items */
	uint32_t newest, oldest;
};

void cache_init(struct cache *cache, int64_t limit);
void cache_release(struct cache *cache);
static inline bool cache_is_on(const struct cache *cache)
{
	return cache->limit != 0;
}
/* Is it known?  Then it is the most recently used one. */
bool cache_has(struct cache *cache, const uint8_t *id);
void cache_put(struct cache *cache, const uint8_t *id);

#endif
