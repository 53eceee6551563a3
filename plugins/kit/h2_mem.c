/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_mem.c: nghttp2's memory, used again.
 *
 * Holds a free list for each power of two, at most SPARE_MOST bytes together.
 * The block's row stands before it, since nghttp2 frees without a size.  A
 * build with AddressSanitizer keeps nothing, to see every use after the end.
 */
#include "h2_mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPARE_MOST 0
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SPARE_MOST 0
#endif
#ifndef SPARE_MOST
#define SPARE_MOST (512u << 10)
#endif

#define LEAST 32
#define NO_ROW H2_MEM_SIZES	/* larger than all: malloc's */

struct block {
	size_t row;
	size_t size;		/* what the caller may use */
	max_align_t bytes[];
};

static struct block *block_of(void *bytes)
{
	return (struct block *)(void *)
		((char *)bytes - offsetof(struct block, bytes));
}

static size_t row_of(size_t size)
{
	size_t row = 0;

	while (row < NO_ROW && ((size_t)LEAST << row) < size)
		row++;
	return row;
}

static void *take(size_t size, void *arg)
{
	struct h2_mem *pool = arg;
	size_t row = row_of(size);
	struct block *block;

	if (row < NO_ROW)
		size = (size_t)LEAST << row;
	if (row < NO_ROW && pool->spare[row]) {
		block = pool->spare[row];
		memcpy(&pool->spare[row], block->bytes, sizeof(void *));
		pool->bytes -= size;
		return block->bytes;
	}
	if (size > SIZE_MAX - sizeof(*block))
		return NULL;
	block = malloc(sizeof(*block) + size);
	if (!block)
		return NULL;
	block->row = row;
	block->size = size;
	return block->bytes;
}

static void give(void *bytes, void *arg)
{
	struct h2_mem *pool = arg;
	struct block *block;

	if (!bytes)
		return;
	block = block_of(bytes);
	if (block->row == NO_ROW || pool->bytes + block->size > SPARE_MOST) {
		free(block);
		return;
	}
	memcpy(block->bytes, &pool->spare[block->row], sizeof(void *));
	pool->spare[block->row] = block;
	pool->bytes += block->size;
}

static void *take_zeroed(size_t n, size_t size, void *arg)
{
	void *bytes = NULL;

	if (!size || n <= SIZE_MAX / size)
		bytes = take(n * size, arg);
	if (bytes)
		memset(bytes, 0, n * size);
	return bytes;
}

static void *take_more(void *bytes, size_t size, void *arg)
{
	void *more;

	if (bytes && size <= block_of(bytes)->size)
		return bytes;
	more = take(size, arg);
	if (more && bytes) {
		memcpy(more, bytes, block_of(bytes)->size);
		give(bytes, arg);
	}
	return more;
}

void h2_mem_init(struct h2_mem *pool)
{
	pool->mem = (nghttp2_mem){ .mem_user_data = pool, .malloc = take,
				   .free = give, .calloc = take_zeroed,
				   .realloc = take_more };
}

void h2_mem_release(struct h2_mem *pool)
{
	for (size_t row = 0; row < H2_MEM_SIZES; row++) {
		while (pool->spare[row]) {
			struct block *block = pool->spare[row];

			memcpy(&pool->spare[row], block->bytes,
			       sizeof(void *));
			free(block);
		}
	}
	pool->bytes = 0;
}
