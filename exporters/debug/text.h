/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h: a batch as text for people, in the Collector's words.
 *
 * Appends to out; pure.  One function per verbosity and signal; what they
 * share is in text.c.
 */
#ifndef EXPORTERS_DEBUG_TEXT_H
#define EXPORTERS_DEBUG_TEXT_H

#include <weir/plugin.h>

void debug_normal(const struct weir_batch *batch, struct weir_text *out);
void debug_detailed(const struct weir_batch *batch, struct weir_text *out);

/* What the summary line counts. */
struct debug_counts {
	size_t resources, metrics;
};
struct debug_counts debug_count(const struct weir_batch *batch);

/* Wrappers of a batch one after the other, over all its slices. */
struct debug_wrappers {
	const struct weir_slice *slices;
	size_t n;
	struct weir_message_cursor cur;
	size_t index;		/* of the current one */
	bool begun;
};
struct debug_wrappers debug_wrappers(const struct weir_batch *batch);
bool debug_wrapper_next(struct debug_wrappers *w);

/* The string form of a value. */
void debug_value(struct weir_text *out, const struct weir_value *value);
/* Lower-case hex; nothing for an id of zeros. */
void debug_id(struct weir_text *out, weir_str id);
/* As Go's %v: shortest digits, exponent below 1e-4 and from 1e+06. */
void debug_double(struct weir_text *out, double value);
/* As Go's %f: six digits behind the point; NaN, +Inf, -Inf. */
void debug_fixed(struct weir_text *out, double value);
/* e to the x, infinite where Go's is. */
double debug_exp(double x);
/* "2020-02-11 20:26:12.000000321 +0000 UTC" */
void debug_time(struct weir_text *out, uint64_t unix_nano);

/* Elements of packed fields: fixed64 (doubles as their bits) and varints. */
struct debug_packed {
	const uint8_t *p, *end;
	uint64_t value;
};
struct debug_packed debug_packed(weir_str bytes);
bool debug_next_fixed(struct debug_packed *packed);
bool debug_next_varint(struct debug_packed *packed);
/* The same from the end. */
bool debug_last_varint(struct debug_packed *packed);
/* How many varints there are. */
size_t debug_varints(weir_str bytes);

#endif
