/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.h: bytes in a row that every match of a pattern has in it.
 *
 * Pure.
 */
#ifndef REDACTION_WINDOW_H
#define REDACTION_WINDOW_H

#include <weir/base.h>

#define WINDOW_ROW 32

/* A row of sets of bytes, and the four of them that the fewest texts have: the
 * last ones of row[0..end).  Of a row of less than four the first may be any
 * byte; before a text stand zeros. */
struct window {
	uint64_t set[4][4];
	uint64_t row[WINDOW_ROW][4];
	uint8_t n, end;
	double share;		/* of the places of a text that look so */
};

static inline bool set_has(const uint64_t bits[4], uint8_t c)
{
	return bits[c >> 6] >> (c & 63) & 1;
}

/* How likely a byte of a text is this one. */
double byte_share(uint8_t c);
/* At most so many windows can a pattern have. */
size_t windows_max(weir_str pattern);
/* Windows of which every match has one; returns how many, 0: a match may be
 * without. */
size_t windows_of(weir_str pattern, struct window *windows);

#endif
