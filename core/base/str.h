/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.h: growable bytes and an arena.  Leaves: they depend on nothing above.
 *
 * Out of memory aborts (xmalloc), but for buf_reserve, whose size a peer may
 * choose.
 */
#ifndef CORE_STR_H
#define CORE_STR_H

#include <weir/base.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *ptr, size_t size);
char *xstrdup(const char *text);

/* Growable bytes; zero-initialised. */
struct buf {
	uint8_t *ptr;
	size_t len, cap;
};
/* Room for `more` bytes behind len; false when memory fails. */
bool buf_reserve(struct buf *buf, size_t more);
void buf_add(struct buf *buf, const void *ptr, size_t len);
void buf_addf(struct buf *buf, const char *format, ...) WEIR_PRINTF(2, 3);
void buf_clear(struct buf *buf);
void buf_release(struct buf *buf);

/* Zeroed memory of which no page is there before it is touched, unlike what
 * calloc takes from a heap; for large tables that may never be used. */
void *pages_new(size_t size);
void pages_free(void *pages, size_t size);	/* NULL is fine */

/* Memory freed all at once; zero-initialised. */
struct arena_block;
struct arena {
	struct arena_block *blocks;
	size_t used, cap;	/* of the newest block */
};
void *arena_alloc(struct arena *arena, size_t size);	/* 16-byte aligned, zeroed */
weir_str arena_str(struct arena *arena, weir_str text);	/* copied, NUL behind */
char *arena_printf(struct arena *arena, const char *format, ...)
	WEIR_PRINTF(2, 3);
void arena_reset(struct arena *arena);	/* keeps the largest block */
void arena_release(struct arena *arena);

/* Distance for "did you mean": edits between two words, at most max + 1. */
size_t str_distance(weir_str a, weir_str b, size_t max);

#endif
