/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heads.h: what ResourceSpans and ScopeSpans say beside their children, as
 * bytes: hashed, compared, copied.  Pure.
 */
#ifndef TAIL_SAMPLING_HEADS_H
#define TAIL_SAMPLING_HEADS_H

#include <weir/part.h>

struct wrapper {
	weir_str body;			/* of ResourceSpans or ScopeSpans */
	struct weir_part_head head;
};

/* *len: of the fields. */
uint32_t wrapper_hash(const struct wrapper *of, size_t *len);
/* Are these its fields? */
bool wrapper_has(const struct wrapper *of, const uint8_t *fields, size_t len);
void wrapper_copy(const struct wrapper *of, uint8_t *to);

#endif
