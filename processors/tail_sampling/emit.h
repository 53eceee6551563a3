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
void span_list_release(struct span_list *list);

struct emitter {
	struct span_group *groups;	/* while a batch is measured */
	size_t cap;
};
void emitter_release(struct emitter *emitter);

/* A new batch of c's with the spans, each under its scope and resource; spans
 * that follow each other and share them share the wrappers.  The list stays
 * as it is.  NULL: no memory within the budget. */
struct weir_batch *emit(struct emitter *emitter, struct weir_component *c,
			const struct store *store,
			const struct span_list *list);

#endif
