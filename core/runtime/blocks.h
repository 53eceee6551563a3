/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocks.h: memory of payloads, used again while it is warm.
 */
#ifndef CORE_BLOCKS_H
#define CORE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

struct worker;

/* A block of at least `bytes`, any thread; NULL when memory fails. */
void *block_new(size_t bytes);
/* Gives it back; bytes as they were asked for. */
void block_free(void *block, size_t bytes);
/* Frees what this worker keeps. */
void blocks_release(struct worker *worker);

#endif
