/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.h: the bytes of spans that wait for a decision.
 *
 * A log of segments.  A span is copied once, behind the one before; what
 * ResourceSpans and ScopeSpans say beside their children is a head, kept once
 * in a segment for all spans that share the bytes.  Records of spans, which
 * say where the bytes are and link a trace, lie together at the other end of
 * the segment: so a trace is let go without a look at the bytes, which have
 * been out of the caches for long.  A segment goes when the last of its spans
 * was let go.  Segments are payloads: charged to the process's byte budget.
 */
#ifndef TAIL_SAMPLING_STORE_H
#define TAIL_SAMPLING_STORE_H

#include <weir/credits.h>
#include <weir/part.h>
#include <weir/plugin.h>

/* A stored span: number of the segment, from 1, and of the record in it. */
typedef uint32_t span_ref;
#define NO_SPAN 0u
#define RECORD_BITS 14

struct stored_span {
	span_ref before;	/* the owner's: of the same trace */
	uint32_t scope;		/* offset of its head in the segment */
	uint32_t at;		/* ... of the bytes: body of Span */
	uint32_t len;
};

struct stored_head {
	uint32_t next;		/* of the same bucket, an offset; 0: none */
	uint32_t parent;	/* of a scope: its resource's; 0: a resource */
	uint32_t hash;
	uint32_t len;
	uint8_t fields[];	/* the wrapper's, but for its children */
};

/* What is known of the scope, or the resource, of the span that is added. */
struct head_memo {
	uint32_t index;			/* in the part */
	uint32_t head;			/* offset in the segment of that */
	uint64_t serial;		/* ... segment; 0: not looked for yet */
	bool measured;			/* what follows was set */
	uint32_t hash;
	size_t len;
};

struct segment {
	uint8_t *bytes;			/* of the payload; NULL: not in use */
	struct weir_payload *payload;
	uint32_t size;
	uint32_t used;			/* from the beginning: spans, heads */
	uint32_t n;			/* records, from the end */
	uint32_t live;			/* spans not let go */
	uint32_t spare;			/* not in use: the next such one */
};

struct store {
	struct weir_component *c;
	struct weir_credits *room;	/* bytes, of the whole process */
	size_t segment_size;		/* what is usual */
	struct segment *segments;	/* by number; 0 is none */
	uint32_t cap, n_numbers;	/* allocated; ever in use */
	uint32_t spare;			/* numbers not in use; 0: none */
	uint32_t open;			/* where the next span goes; 0: none */
	size_t bytes;			/* of all segments */
	uint64_t serial;		/* of the open one; no two have one */
	struct head_memo scope, resource;	/* of the span that is added */
};

void store_init(struct store *store, struct weir_component *c,
		struct weir_credits *room);
/* Spans that were not let go go too. */
void store_release(struct store *store);

/* A part is being added: its heads are not known yet.  Each is looked for once
 * a segment when the spans are added in their order. */
void store_begin(struct store *store);
/* What it takes beside the bytes that came: for each part, for each span. */
void store_needs(const struct store *store, uint64_t *per_part,
		 uint64_t *per_span);
/* Copies span i of the part; NO_SPAN when this store alone would take more than
 * all the room, or there is nothing in the budget of the process.  force: also
 * beyond the room, not beyond the budget. */
span_ref store_add(struct store *store, const struct weir_part *part, size_t i,
		   bool force);
void store_let_go(struct store *store, span_ref ref);

/* A length-delimited field of a number below 16, with that body. */
static inline size_t field_size(size_t body)
{
	size_t n = 2;

	for (size_t len = body; len > 0x7f; len >>= 7)
		n++;
	return n + body;
}

static inline struct segment *store_segment(const struct store *store,
					    span_ref ref)
{
	return &store->segments[ref >> RECORD_BITS];
}

/* The record: until store_add opens a segment or the span is let go. */
static inline struct stored_span *store_span(const struct store *store,
					     span_ref ref)
{
	const struct segment *segment = store_segment(store, ref);
	uint32_t back = (ref & ((1u << RECORD_BITS) - 1)) + 1;

	return (struct stored_span *)(void *)(segment->bytes + segment->size) -
	       back;
}

static inline const struct stored_head *store_head(const struct store *store,
						   span_ref ref, uint32_t at)
{
	return (const struct stored_head *)(void *)
		(store_segment(store, ref)->bytes + at);
}

static inline const uint8_t *store_message(const struct store *store,
					   span_ref ref)
{
	return store_segment(store, ref)->bytes + store_span(store, ref)->at;
}

#endif
