/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str.c: growable bytes, arenas, allocation that aborts, edit distance.
 */
#include "str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static void *or_abort(void *ptr)
{
	if (!ptr) {
		static const char text[] = "weir: out of memory\n";

		fwrite(text, 1, sizeof(text) - 1, stderr);
		abort();
	}
	return ptr;
}

void *xmalloc(size_t size)
{
	return or_abort(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return or_abort(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *ptr, size_t size)
{
	return or_abort(realloc(ptr, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return or_abort(strdup(text));
}

/* --- buf ------------------------------------------------------------------ */

bool buf_reserve(struct buf *buf, size_t more)
{
	size_t cap = buf->cap ? buf->cap : 256;
	uint8_t *ptr;

	if (more <= buf->cap - buf->len)
		return true;
	if (more > SIZE_MAX / 4 - buf->len)
		return false;
	while (cap - buf->len < more)
		cap *= 2;
	ptr = realloc(buf->ptr, cap);
	if (!ptr)
		return false;
	buf->ptr = ptr;
	buf->cap = cap;
	return true;
}

void buf_add(struct buf *buf, const void *ptr, size_t len)
{
	if (!len)
		return;
	if (!buf_reserve(buf, len))
		or_abort(NULL);
	memcpy(buf->ptr + buf->len, ptr, len);
	buf->len += len;
}

void buf_addf(struct buf *buf, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return;
	if (!buf_reserve(buf, (size_t)len + 1))
		or_abort(NULL);
	va_start(args, format);
	vsnprintf((char *)buf->ptr + buf->len, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
}

void buf_release(struct buf *buf)
{
	free(buf->ptr);
	*buf = (struct buf){ 0 };
}

/* --- pages ---------------------------------------------------------------- */

void *pages_new(size_t size)
{
	void *ptr = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return or_abort(ptr == MAP_FAILED ? NULL : ptr);
}

void pages_free(void *pages, size_t size)
{
	if (pages)
		munmap(pages, size);
}

/* --- arena ---------------------------------------------------------------- */

#define ARENA_FIRST 1024
#define ARENA_ALIGN 16

struct arena_block {
	struct arena_block *next;
	size_t cap;
	_Alignas(ARENA_ALIGN) uint8_t bytes[];
};

static void arena_grow(struct arena *arena, size_t size)
{
	size_t cap = arena->cap ? arena->cap * 2 : ARENA_FIRST;
	struct arena_block *block;

	if (cap < size)
		cap = size;
	block = xmalloc(sizeof(*block) + cap);
	block->next = arena->blocks;
	block->cap = cap;
	arena->blocks = block;
	arena->used = 0;
	arena->cap = cap;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *ptr;

	if (size > SIZE_MAX / 2)
		or_abort(NULL);
	size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (!arena->blocks || size > arena->cap - arena->used)
		arena_grow(arena, size);
	ptr = arena->blocks->bytes + arena->used;
	arena->used += size;
	return memset(ptr, 0, size);
}

weir_str arena_str(struct arena *arena, weir_str text)
{
	char *copy = arena_alloc(arena, text.len + 1);

	if (text.len)
		memcpy(copy, text.ptr, text.len);
	return (weir_str){ copy, text.len };
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = arena_alloc(arena, (size_t)(len < 0 ? 0 : len) + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)(len < 0 ? 0 : len) + 1, format, args);
	va_end(args);
	return text;
}

void arena_reset(struct arena *arena)
{
	struct arena_block *block = arena->blocks;

	if (!block)
		return;
	while (block->next) {	/* the newest is the largest */
		struct arena_block *old = block->next;

		block->next = old->next;
		free(old);
	}
	arena->used = 0;
}

void arena_release(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	*arena = (struct arena){ 0 };
}

/* --- words ---------------------------------------------------------------- */

#define DISTANCE_MAX 64

size_t str_distance(weir_str a, weir_str b, size_t max)
{
	size_t row[DISTANCE_MAX + 1];

	if (a.len > DISTANCE_MAX || b.len > DISTANCE_MAX)
		return max + 1;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t cost = a.ptr[i - 1] != b.ptr[j - 1];
			size_t best = diagonal + cost;

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b.len] <= max ? row[b.len] : max + 1;
}
