/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h: items of one size, by number, none of which is ever moved.
 *
 * They are allocated in chunks, and a chunk is charged: to the room that spans
 * share (memory_limit_mib), and to the budget of the process.  A chunk that
 * nobody uses goes back, all but one: so what a flood took is there for others
 * behind it, and neither an item nor an atomic count is needed for one more.
 */
#ifndef TAIL_SAMPLING_POOL_H
#define TAIL_SAMPLING_POOL_H

#include <weir/credits.h>

#define POOL_CHUNK_BITS 6		/* 64 items */

struct pool_chunk {
	uint8_t *items;			/* NULL: not in use */
	uint32_t live;			/* items that somebody has */
	uint32_t used;			/* from the beginning, at any time */
	uint32_t spare;			/* of these the first, + 1; 0: none */
	uint32_t before, after;		/* of those with spare items; not in
					 * use: after, the next such one */
};

struct pool {
	struct weir_credits *room;	/* NULL: not charged */
	size_t size;			/* of an item; a multiple of 32 */
	struct pool_chunk *chunks;	/* 0 is none */
	uint32_t n, cap;		/* numbers ever in use; allocated */
	uint32_t holes;			/* numbers not in use; 0: none */
	uint32_t open;			/* the next with spare items; 0: none */
	uint32_t empty;			/* the one that nobody uses; 0: none */
	size_t bytes;			/* charged */
};

/* Takes bytes of the budget, and of the room, where they were reserved.  False:
 * the budget is used up. */
bool pool_charge(struct weir_credits *room, size_t bytes);
void pool_discharge(struct weir_credits *room, size_t bytes);

void pool_init(struct pool *pool, struct weir_credits *room, size_t size);
/* Items that were not given back go too.  It may be used again. */
void pool_release(struct pool *pool);
/* Sees to it that there is a spare item, until one is taken.  False: no
 * memory. */
bool pool_ready(struct pool *pool);
/* A spare item, as it was left; its number is not 0. */
void *pool_take(struct pool *pool, uint32_t *number);
void pool_give(struct pool *pool, uint32_t number);

static inline void *pool_at(const struct pool *pool, uint32_t number)
{
	uint32_t in_chunk = number & ((1u << POOL_CHUNK_BITS) - 1);

	return pool->chunks[number >> POOL_CHUNK_BITS].items +
	       in_chunk * pool->size;
}

#endif
