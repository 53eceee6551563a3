/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_mem.h: nghttp2's memory, used again.
 *
 * nghttp2 allocates some eight small things for a request.  A pool serves all
 * sessions of one owner on one thread; they must be gone before it is
 * released.  All zero is an empty pool, but h2_mem_init must tell nghttp2 of
 * it.
 */
#ifndef KIT_H2_MEM_H
#define KIT_H2_MEM_H

#include <nghttp2/nghttp2.h>

#define H2_MEM_SIZES 9		/* 32 bytes ... 8 KiB */

struct h2_mem {
	nghttp2_mem mem;	/* for nghttp2_session_..._new3 */
	void *spare[H2_MEM_SIZES];
	size_t bytes;		/* of all that are spare */
};

/* The pool must not move from here on.  Twice is fine. */
void h2_mem_init(struct h2_mem *pool);
void h2_mem_release(struct h2_mem *pool);

#endif
