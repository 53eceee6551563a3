/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.h: four bytes in a row that every match of a pattern has in it.
 *
 * Pure.
 */
#ifndef REDACTION_WINDOW_H
#define REDACTION_WINDOW_H

#include <weir/base.h>

/* A set of bytes for each of the four; before a text stand zeros. */
struct window {
	uint64_t set[4][4];
};

static inline bool set_has(const uint64_t bits[4], uint8_t c)
{
	return bits[c >> 6] >> (c & 63) & 1;
}

/* At most so many alternatives can a pattern have. */
size_t windows_max(weir_str pattern);
/* A window for each; returns how many, 0: there is an alternative of which none
 * is known. */
size_t windows_of(weir_str pattern, struct window *windows);

#endif
