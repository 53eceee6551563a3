/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.h: spans that go on, as a batch.
 */
#ifndef TAIL_SAMPLING_EMIT_H
#define TAIL_SAMPLING_EMIT_H

#include "store.h"

/* Spans in a row, linked by next. */
struct chain {
	struct stored_span *first, *last;
	size_t n;
	uint64_t bytes;			/* of the messages */
};
/* Puts from behind into; from is empty then. */
void chain_join(struct chain *into, struct chain *from);

struct emitter {
	struct span_group *groups;	/* while a batch is measured */
	size_t cap;
};
void emitter_release(struct emitter *emitter);

/* A new batch of c's with the spans, each under its scope and resource; spans
 * that follow each other and share them share the wrappers.  The chain stays
 * as it is.  NULL: no memory within the budget. */
struct weir_batch *emit(struct emitter *emitter, struct weir_component *c,
			const struct chain *chain);

#endif
