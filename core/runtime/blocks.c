/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocks.c: memory of payloads, used again while it is warm.
 *
 * Holds a free list for each size and worker, last in, first out, at most
 * SPARE_MOST bytes together: what a request needed serves the next one, without
 * the allocator and without page faults.  Four sizes for each power of two, so
 * that no block is a quarter larger than what it was made for.
 *
 * Other sizes, and threads that are no worker, have malloc's.  So has a build
 * with AddressSanitizer, which is to see every use after the end.
 */
#include "blocks.h"

#include <stdbool.h>
#include <stdlib.h>

#include "worker.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPARE_MOST 0
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SPARE_MOST 0
#endif
#ifndef SPARE_MOST
#define SPARE_MOST (24u << 20)
#endif

#define LEAST_BITS 8			/* the least size is 256 bytes ... */
#define MOST_BITS 20			/* ... and the largest 1 MiB */
#define SIZES (4 * (MOST_BITS - LEAST_BITS) + 1)

struct block {
	struct block *next;
};

struct blocks {
	struct block *spare[SIZES];
	size_t bytes;			/* of all that are spare */
};

/* 256, 320, 384, 448, 512, 640...; false when it is larger than all. */
static bool size_of(size_t bytes, size_t *row, size_t *size)
{
	unsigned bits = LEAST_BITS;
	size_t step;

	if (bytes > (size_t)1 << MOST_BITS)
		return false;
	if (bytes > (size_t)1 << LEAST_BITS)
		bits = 63 - (unsigned)__builtin_clzll(bytes - 1);
	else
		bytes = (size_t)1 << LEAST_BITS;
	step = (size_t)1 << (bits - 2);
	*size = (bytes + step - 1) & ~(step - 1);
	*row = 4 * (bits - LEAST_BITS) + *size / step - 4;
	return true;
}

void *block_new(size_t bytes)
{
	struct worker *worker = worker_current();
	struct blocks *blocks = worker ? worker->blocks : NULL;
	struct block *block;
	size_t row, size;

	if (!size_of(bytes, &row, &size))
		return malloc(bytes);
	if (!blocks || !blocks->spare[row])
		return malloc(size);
	block = blocks->spare[row];
	blocks->spare[row] = block->next;
	blocks->bytes -= size;
	return block;
}

void block_free(void *memory, size_t bytes)
{
	struct worker *worker = worker_current();
	struct block *block = memory;
	size_t row, size;

	if (!worker || !size_of(bytes, &row, &size)) {
		free(memory);
		return;
	}
	if (!worker->blocks)
		worker->blocks = calloc(1, sizeof(*worker->blocks));
	if (!worker->blocks || worker->blocks->bytes + size > SPARE_MOST) {
		free(memory);
		return;
	}
	block->next = worker->blocks->spare[row];
	worker->blocks->spare[row] = block;
	worker->blocks->bytes += size;
}

void blocks_release(struct worker *worker)
{
	struct blocks *blocks = worker->blocks;

	for (size_t row = 0; blocks && row < SIZES; row++) {
		while (blocks->spare[row]) {
			struct block *block = blocks->spare[row];

			blocks->spare[row] = block->next;
			free(block);
		}
	}
	free(blocks);
	worker->blocks = NULL;
}
