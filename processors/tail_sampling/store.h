/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h: the bytes of spans that wait for a decision.
 *
 * A log of segments.  A span is copied once, behind the one before; what
 * ResourceSpans and ScopeSpans say beside their children is a head, kept once
 * in a segment for all spans that share the bytes.  A segment goes when the
 * last of its spans was let go.  Segments are payloads: charged to the
 * process's byte budget.
 */
#ifndef TAIL_SAMPLING_STORE_H
#define TAIL_SAMPLING_STORE_H

#include <weir/credits.h>
#include <weir/part.h>
#include <weir/plugin.h>

struct segment;

struct stored_span {
	struct stored_span *next;	/* the owner's: of the same trace */
	struct segment *segment;
	uint32_t scope;			/* offset of its head in the segment */
	uint32_t len;
	uint8_t message[];		/* body of Span */
};

struct stored_head {
	uint32_t next;		/* of the same bucket, an offset; 0: none */
	uint32_t parent;	/* of a scope: its resource's; 0: a resource */
	uint32_t hash;
	uint32_t len;
	uint8_t fields[];	/* the wrapper's, but for its children */
};

struct store {
	struct weir_component *c;
	struct weir_credits *room;	/* bytes, of the whole process */
	struct segment *open;	/* where the next span goes */
	size_t bytes;		/* of all segments */
	size_t n_segments;
	uint64_t serial;	/* of the newest segment */
	struct head_memo *memos;	/* of the part that is being added: */
	size_t cap;			/* one a scope, one a resource */
};

void store_init(struct store *store, struct weir_component *c,
		struct weir_credits *room);
/* Spans that were not let go go too. */
void store_release(struct store *store);

/* A part is being added: its heads are not known yet. */
void store_begin(struct store *store, const struct weir_part *part);
/* Copies span i of the part; NULL when there is no room, here or in the
 * budget of the process. */
struct stored_span *store_add(struct store *store,
			      const struct weir_part *part, size_t i);
void store_let_go(struct store *store, struct stored_span *span);

const struct stored_head *stored_scope(const struct stored_span *span);
const struct stored_head *stored_resource(const struct stored_span *span);
/* The bytes of a head. */
static inline weir_str stored_fields(const struct stored_head *head)
{
	return (weir_str){ (const char *)head->fields, head->len };
}

#endif
