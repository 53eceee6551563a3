/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache.c: an array of items that grows to the limit; chains by hash and one
 * list by use, both of indexes.  Once full the oldest item is taken again.
 */
#include "cache.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define FIRST 256

struct cached {
	uint64_t key;
	uint32_t chain;			/* next of the same hash */
	uint32_t newer, older;
};

static uint64_t key_of(const uint8_t *id)
{
	uint64_t key = 0;

	if (id)
		memcpy(&key, id + 8, sizeof(key));
	return key;
}

static uint32_t *head_of(const struct cache *cache, uint64_t key)
{
	return &cache->heads[weir_hash(&key, sizeof(key)) % cache->cap];
}

void cache_init(struct cache *cache, int64_t limit)
{
	*cache = (struct cache){ .newest = NONE, .oldest = NONE };
	if (limit > 0)
		cache->limit = limit < NONE ? (uint32_t)limit : NONE - 1;
}

void cache_release(struct cache *cache)
{
	free(cache->items);
	free(cache->heads);
	cache_init(cache, 0);
}

static uint32_t find(const struct cache *cache, uint64_t key)
{
	uint32_t at = cache->cap ? *head_of(cache, key) : NONE;

	while (at != NONE && cache->items[at].key != key)
		at = cache->items[at].chain;
	return at;
}

/* --- By use -------------------------------------------------------------- */

static void leave(struct cache *cache, uint32_t at)
{
	const struct cached *item = &cache->items[at];

	if (item->newer == NONE)
		cache->newest = item->older;
	else
		cache->items[item->newer].older = item->older;
	if (item->older == NONE)
		cache->oldest = item->newer;
	else
		cache->items[item->older].newer = item->newer;
}

static void enter(struct cache *cache, uint32_t at)
{
	struct cached *item = &cache->items[at];

	item->newer = NONE;
	item->older = cache->newest;
	if (cache->newest == NONE)
		cache->oldest = at;
	else
		cache->items[cache->newest].newer = at;
	cache->newest = at;
}

bool cache_has(struct cache *cache, const uint8_t *id)
{
	uint32_t at = find(cache, key_of(id));

	if (at == NONE)
		return false;
	leave(cache, at);
	enter(cache, at);
	return true;
}

/* --- Putting ------------------------------------------------------------- */

static void chain(struct cache *cache, uint32_t at)
{
	uint32_t *head = head_of(cache, cache->items[at].key);

	cache->items[at].chain = *head;
	*head = at;
}

static void unchain(struct cache *cache, uint32_t at)
{
	uint32_t *link = head_of(cache, cache->items[at].key);

	while (*link != at)
		link = &cache->items[*link].chain;
	*link = cache->items[at].chain;
}

static void *resized(void *memory, size_t n, size_t size)
{
	memory = realloc(memory, n * size);
	if (!memory)
		abort();
	return memory;
}

static void grow(struct cache *cache)
{
	uint64_t cap = cache->cap ? (uint64_t)cache->cap * 2 : FIRST;

	cache->cap = cap < cache->limit ? (uint32_t)cap : cache->limit;
	cache->items = resized(cache->items, cache->cap, sizeof(*cache->items));
	cache->heads = resized(cache->heads, cache->cap, sizeof(*cache->heads));
	memset(cache->heads, 0xff, cache->cap * sizeof(*cache->heads));
	for (uint32_t i = 0; i < cache->n; i++)
		chain(cache, i);
}

/* Room for one more: new, or the oldest's. */
static uint32_t take(struct cache *cache)
{
	uint32_t at = cache->oldest;

	if (cache->n < cache->limit) {
		if (cache->n == cache->cap)
			grow(cache);
		return cache->n++;
	}
	leave(cache, at);
	unchain(cache, at);
	return at;
}

void cache_put(struct cache *cache, const uint8_t *id)
{
	uint32_t at;

	if (!cache->limit || cache_has(cache, id))
		return;
	at = take(cache);
	cache->items[at].key = key_of(id);
	chain(cache, at);
	enter(cache, at);
}
