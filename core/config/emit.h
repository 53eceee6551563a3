/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.h: YAML or JSON, value by value, to a stream.
 */
#ifndef CORE_EMIT_H
#define CORE_EMIT_H

#include <weir/base.h>

#include <stdio.h>

#define EMIT_MAX_DEPTH 160

/* Zero-initialise but for out and json. */
struct emit {
	FILE *out;
	bool json;
	unsigned depth;
	struct emit_level {
		bool list;
		bool inlined;	/* its first entry stays on the line */
		size_t n;
	} levels[EMIT_MAX_DEPTH + 1];
	bool keyed;		/* the next value stands behind a key */
};

/* In a map every value comes behind its key; in a list, and at the top, it
 * comes alone. */
void emit_key(struct emit *e, weir_str key);
void emit_map(struct emit *e);
void emit_list(struct emit *e);
void emit_end(struct emit *e);		/* of the innermost map or list */
void emit_str(struct emit *e, weir_str text);
void emit_bool(struct emit *e, bool value);
void emit_int(struct emit *e, int64_t value);
void emit_uint(struct emit *e, uint64_t value);
void emit_double(struct emit *e, double value);
void emit_null(struct emit *e);

#endif
