/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spans.h: the smallest export request of n spans, for tests that only count.
 *
 *	ResourceSpans (1) > ScopeSpans (2) > n times Span (2) of two ids
 */
#ifndef TESTS_SPANS_H
#define TESTS_SPANS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SPAN_BODY 28		/* trace_id = 1: 2 + 16; span_id = 2: 2 + 8 */
#define SPANS_FRAME 16		/* tags and lengths around them, at most */

struct spans {
	uint8_t *ptr;
	size_t len;
};

static inline size_t spans_varint(uint8_t *out, uint64_t value)
{
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		out[n++] = (uint8_t)(value | 0x80);
	out[n++] = (uint8_t)value;
	return n;
}

static inline size_t spans_varint_len(uint64_t value)
{
	uint8_t scratch[10];

	return spans_varint(scratch, value);
}

static inline struct spans spans_make(size_t n)
{
	size_t inner = n * (SPAN_BODY + 2);
	size_t outer = 1 + spans_varint_len(inner) + inner;
	uint8_t *out = malloc(inner + SPANS_FRAME), *p = out;

	*p++ = 0x0a;
	p += spans_varint(p, outer);
	*p++ = 0x12;
	p += spans_varint(p, inner);
	for (size_t i = 0; i < n; i++) {
		*p++ = 0x12;
		*p++ = SPAN_BODY;
		*p++ = 0x0a;
		*p++ = 16;
		memset(p, 0x11, 16);
		p += 16;
		*p++ = 0x12;
		*p++ = 8;
		memset(p, 0x22, 8);
		p += 8;
	}
	return (struct spans){ out, (size_t)(p - out) };
}

#endif
