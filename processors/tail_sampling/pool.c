/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c: a number says which chunk, and which item of it.
 *
 * Items that were given back are linked, each by its first bytes; the others of
 * a chunk are not touched before they are taken.
 */
#include "pool.h"

#include <stdlib.h>
#include <string.h>
#include <weir/plugin.h>

#define CHUNK (1u << POOL_CHUNK_BITS)
#define LINE 64

bool pool_charge(struct weir_credits *room, size_t bytes)
{
	if (!room)
		return true;
	if (!weir_budget_take(bytes))
		return false;
	weir_credits_force(room, bytes);
	return true;
}

void pool_discharge(struct weir_credits *room, size_t bytes)
{
	if (!room || !bytes)
		return;
	weir_budget_give(bytes);
	weir_credits_give(room, bytes);
}

static size_t chunk_size(const struct pool *pool)
{
	return CHUNK * pool->size;
}

/* --- Chunks with spare items ---------------------------------------------- */

static void join(struct pool *pool, uint32_t index)
{
	struct pool_chunk *chunk = &pool->chunks[index];

	chunk->before = 0;
	chunk->after = pool->open;
	if (pool->open)
		pool->chunks[pool->open].before = index;
	pool->open = index;
}

static void leave(struct pool *pool, const struct pool_chunk *chunk)
{
	if (chunk->before)
		pool->chunks[chunk->before].after = chunk->after;
	else
		pool->open = chunk->after;
	if (chunk->after)
		pool->chunks[chunk->after].before = chunk->before;
}

/* --- Making and dropping them --------------------------------------------- */

static uint32_t new_index(struct pool *pool)
{
	uint32_t index = pool->holes;

	if (index) {
		pool->holes = pool->chunks[index].after;
		return index;
	}
	index = ++pool->n;
	if (index >= pool->cap) {
		pool->cap = pool->cap ? pool->cap * 2 : 64;
		pool->chunks = realloc(pool->chunks,
				       pool->cap * sizeof(*pool->chunks));
		if (!pool->chunks)
			abort();
	}
	return index;
}

static void add_chunk(struct pool *pool)
{
	uint32_t index = new_index(pool);
	uint8_t *items = aligned_alloc(LINE, chunk_size(pool));

	if (!items)
		abort();
	pool->chunks[index] = (struct pool_chunk){ .items = items };
	pool->bytes += chunk_size(pool);
	pool->empty = index;
	join(pool, index);
}

static void drop_chunk(struct pool *pool, uint32_t index)
{
	struct pool_chunk *chunk = &pool->chunks[index];

	leave(pool, chunk);
	free(chunk->items);
	*chunk = (struct pool_chunk){ .after = pool->holes };
	pool->holes = index;
	pool->bytes -= chunk_size(pool);
	pool_discharge(pool->room, chunk_size(pool));
}

/* --- Items ---------------------------------------------------------------- */

void pool_init(struct pool *pool, struct weir_credits *room, size_t size)
{
	*pool = (struct pool){ .room = room, .size = size };
}

void pool_release(struct pool *pool)
{
	for (uint32_t i = 1; i <= pool->n; i++)
		free(pool->chunks[i].items);
	free(pool->chunks);
	pool_discharge(pool->room, pool->bytes);
	pool_init(pool, pool->room, pool->size);
}

bool pool_ready(struct pool *pool)
{
	if (pool->open)
		return true;
	if (!pool_charge(pool->room, chunk_size(pool)))
		return false;
	add_chunk(pool);
	return true;
}

void *pool_take(struct pool *pool, uint32_t *number)
{
	uint32_t index = pool->open, at;
	struct pool_chunk *chunk = &pool->chunks[index];

	if (pool->empty == index)
		pool->empty = 0;
	at = chunk->spare ? chunk->spare - 1 : chunk->used++;
	*number = index << POOL_CHUNK_BITS | at;
	if (chunk->spare)
		memcpy(&chunk->spare, pool_at(pool, *number),
		       sizeof(chunk->spare));
	if (++chunk->live == CHUNK)
		leave(pool, chunk);
	return pool_at(pool, *number);
}

void pool_give(struct pool *pool, uint32_t number)
{
	uint32_t index = number >> POOL_CHUNK_BITS;
	struct pool_chunk *chunk = &pool->chunks[index];

	memcpy(pool_at(pool, number), &chunk->spare, sizeof(chunk->spare));
	chunk->spare = (number & (CHUNK - 1)) + 1;
	if (chunk->live-- == CHUNK)
		join(pool, index);
	if (chunk->live)
		return;
	if (pool->empty)
		drop_chunk(pool, index);
	else
		pool->empty = index;
}
