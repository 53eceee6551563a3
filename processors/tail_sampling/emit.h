/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.h: spans that go on, as a batch.
 */
#ifndef TAIL_SAMPLING_EMIT_H
#define TAIL_SAMPLING_EMIT_H

#include "store.h"

/* Spans in the order in which they leave.  The array is kept: it grows to what
 * leaves at a time. */
struct span_list {
	span_ref *refs;
	size_t n, cap;
	uint64_t bytes;			/* of the messages, and records */
};
void span_list_add(struct span_list *list, const struct store *store,
		   span_ref ref);
/* The spans of a trace: n of them, the last is given.  As they came. */
void span_list_add_trace(struct span_list *list, const struct store *store,
			 span_ref last, size_t n);
/* The first n have left, of so many bytes.  A list that is empty then does not
 * keep the array of a flood. */
void span_list_remove(struct span_list *list, size_t n, uint64_t bytes);
void span_list_release(struct span_list *list);

/* What the next batch would be. */
struct emitter {
	struct span_group *groups;
	size_t n_groups, cap;
	size_t n;			/* spans */
	size_t len;			/* of the payload */
	size_t messages, heads;		/* of that: spans; what they share */
};
void emitter_release(struct emitter *emitter);

/* Measures a batch of the first of n spans, each under its scope and resource;
 * spans that follow each other and share them share the wrappers.  As many as
 * fit into `most` bytes, but one at least; with heads larger than that it is
 * larger by them. */
void emit_measure(struct emitter *emitter, const struct store *store,
		  const span_ref *refs, size_t n, size_t most);
/* That batch, new and c's; the refs as they were measured.  NULL: no memory
 * within the budget. */
struct weir_batch *emit(const struct emitter *emitter,
			struct weir_component *c, const struct store *store,
			const span_ref *refs);

/* --- gather.c ------------------------------------------------------------ */

/* Puts the first spans of n in the order of their resources and scopes.  How
 * many of them. */
size_t gather(const struct store *store, span_ref *refs, size_t n);

#endif
