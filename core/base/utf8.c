/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.c: see utf8.h.  Holds nothing. */
#include "utf8.h"

bool utf8_ascii_long(const uint8_t *p, size_t len)
{
	uint64_t word, set = 0;

#ifdef __SSE2__
	for (; len > 16; p += 16, len -= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);

		if (_mm_movemask_epi8(v))
			return false;
	}
#endif
	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		set |= word;
	}
	for (; len; len--)
		set |= *p++;
	return !(set & 0x8080808080808080u);
}

/* Continuation bytes that follow a lead byte, and what the first of them may
 * be: narrower where a longer form, a surrogate or more than U+10FFFF would
 * begin (Unicode table 3-7).  0: no lead byte. */
static unsigned follow(uint8_t lead, uint8_t *low, uint8_t *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	if (lead < 0xe0)
		return 1;
	if (lead < 0xf0) {
		if (lead == 0xe0)
			*low = 0xa0;
		if (lead == 0xed)
			*high = 0x9f;
		return 2;
	}
	if (lead == 0xf0)
		*low = 0x90;
	if (lead == 0xf4)
		*high = 0x8f;
	return 3;
}

size_t utf8_character(const uint8_t *p, const uint8_t *end, size_t *bad)
{
	uint8_t low, high;
	unsigned n, i;

	if (*p < 0x80)
		return 1;
	n = follow(*p, &low, &high);
	for (i = 1; i <= n; i++) {
		if (i >= (size_t)(end - p) || p[i] < low || p[i] > high)
			break;
		low = 0x80;
		high = 0xbf;
	}
	if (n && i > n)
		return n + 1;
	*bad = i;
	return 0;
}

bool utf8_valid_slow(const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;
	size_t n, bad;

	for (; p < end; p += n) {
		n = utf8_character(p, end, &bad);
		if (!n)
			return false;
	}
	return true;
}
