/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.h: is this text UTF-8, and how long is what is wrong with it.
 *
 * Pure.  The ASCII test may read up to 32 bytes behind the text (PAYLOAD_SLACK)
 * but never lets them decide.
 */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Bytes of the character at p, or 0 and in *bad the bytes of the maximal
 * subpart that one U+FFFD stands for (Unicode 3.9).  p < end. */
size_t utf8_character(const uint8_t *p, const uint8_t *end, size_t *bad);
bool utf8_valid_slow(const uint8_t *p, size_t len);
bool utf8_ascii_long(const uint8_t *p, size_t len);

/* Text of up to 32 bytes, as most is, takes two loads and no loop. */
static inline bool utf8_ascii_short(const uint8_t *p, size_t len)
{
#ifdef __SSE2__
	__m128i low = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i high = _mm_loadu_si128((const __m128i *)(const void *)(p + 16));
	uint32_t set = (uint32_t)_mm_movemask_epi8(low) |
		       (uint32_t)_mm_movemask_epi8(high) << 16;

	return !(set & (uint32_t)((1ull << len) - 1));
#else
	return utf8_ascii_long(p, len);
#endif
}

static inline bool utf8_valid(const uint8_t *p, size_t len)
{
	if (len <= 32 ? utf8_ascii_short(p, len) : utf8_ascii_long(p, len))
		return true;
	return utf8_valid_slow(p, len);
}

#endif
