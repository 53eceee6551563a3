/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part.h: what a component that is placed by trace gets.
 *
 * Core hashes the trace id of every span with a key of this process, and gives
 * each instance the spans of the traces that it owns: 256 shards of hashes,
 * dealt out to the workers.  So an instance sees whole traces, and two never
 * see the same one.  Nothing is copied: a part is a batch that shares the bytes
 * with the other parts, and an index of its own spans.
 *
 * A part is kept, acked or nacked; it cannot be forwarded, split, merged or
 * filtered.  What shall go on is copied into a batch of its own
 * (weir_batch_make).  Who waits for the whole batch is answered when all parts
 * were, by the worst outcome.
 */
#ifndef WEIR_PART_H
#define WEIR_PART_H

#include <weir/batch.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a wrapper says beside its children: so many bytes at its beginning, and
 * so many at its end.  split: also between children, which nobody writes; who
 * wants it walks the wrapper. */
struct weir_part_head {
	uint32_t before, behind;
	bool split;
};

struct weir_part_resource {
	weir_str wrapper;	/* body of ResourceSpans */
	struct weir_part_head head;
};

struct weir_part_scope {
	weir_str wrapper;	/* body of ScopeSpans */
	struct weir_part_head head;
	uint32_t resource;	/* index into resources */
};

struct weir_part_span {
	const uint8_t *trace_id;	/* Span.trace_id = 1, 16 bytes; NULL:
					 * empty */
	const uint8_t *message;	/* body of Span */
	uint32_t len;		/* of it */
	uint32_t scope;		/* index into scopes */
	uint64_t hash;		/* of the trace id, keyed; its low 8 bits are
				 * the shard */
};

/* The spans are in the order of the batch.  Scopes and resources are those of
 * the whole batch that have spans.  Dies with the batch. */
struct weir_part {
	const struct weir_part_span *spans;
	size_t n;
	const struct weir_part_scope *scopes;
	size_t n_scopes;
	const struct weir_part_resource *resources;
	size_t n_resources;
	size_t places;			/* reserved for it: weir_part_needs */
};
/* In consume of a component placed by trace: what is its own. */
WEIR_API const struct weir_part *weir_batch_part(
	const struct weir_batch *batch);

/*
 * What a batch needs before any of its parts is handed over: all or nothing, so
 * that nobody has a part of what the sender hears was refused.  Core takes the
 * credits for all parts together and gives them back when all have ended; what a
 * component keeps it charges itself meanwhile, by weir_credits_force.
 */
struct weir_part_needs {
	/* Bytes.  Of a batch: what came; its heads again for each part but one;
	 * so much more for each part, and for each span. */
	struct weir_credits *room;
	uint64_t per_part, per_span;
	/* NULL, or what is counted by the owners: how many places the part
	 * needs beside those that c has.  A batch waits for places until its
	 * deadline; for room five seconds at most. */
	struct weir_credits *places;
	size_t (*count)(struct weir_component *c, const struct weir_part *part);
	/* On c's thread: somebody waits (weir_credits_wanted).  c gives up its
	 * share of what is missing, and does so too when it has kept more or
	 * has something to give up, while somebody waits. */
	void (*relieve)(struct weir_component *c);
};
/* In start of a component placed by trace.  needs says what it is, the same on
 * all workers: called once, on c's thread, when it is wanted first. */
WEIR_API void weir_part_reserve(struct weir_component *c,
	void (*needs)(struct weir_component *c, struct weir_part_needs *needs));

/* A new batch of c's of the first len bytes of *payload (ownership moves, NULL
 * is left), which hold `items` items in whole records, written canonically:
 * assembled from bytes that have passed the walk.  Nobody waits for it. */
WEIR_API struct weir_batch *weir_batch_make(struct weir_component *c,
	enum weir_signal signal, struct weir_payload **payload, size_t len,
	size_t items);

#ifdef __cplusplus
}
#endif
#endif
