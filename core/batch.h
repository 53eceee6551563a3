/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h: batch and payload as core sees them.
 *
 * A batch belongs to one worker (home); payload counts are touched on that
 * thread only.  A batch that is handed to another worker is its own mailbox
 * node and comes back as its own answer.
 *
 *	waiters    a stack of those who must be told how the batch ended; the
 *	           top one is told first and owns the batch then
 *	reserved   credits of the first custodian ahead, given back with the
 *	           batch's end
 *	notes      what the validating walk noted; valid until the first
 *	           processor that is not part of the run, or a queue
 */
#ifndef CORE_BATCH_H
#define CORE_BATCH_H

#include <weir/batch.h>
#include <weir/credits.h>

struct worker;
struct graph;
struct notes;
struct weir_node_instance;

struct weir_payload {
	uint32_t refs;		/* home thread only */
	size_t capacity;	/* without the slack; what is charged */
	uint8_t bytes[];	/* capacity + PAYLOAD_SLACK */
};
#define PAYLOAD_SLACK 32	/* so that 16-byte loads may run over the end */

/* What a slice is a slice of; parallel to batch->slices. */
struct piece {
	struct weir_payload *payload;
	uint32_t items;
};

/* Who must be told.  told() owns the batch and must end it. */
struct waiter {
	void (*told)(struct waiter *self, struct weir_batch *batch,
		     const struct weir_outcome *outcome);
	struct waiter *below;
};

#define BATCH_INLINE 2

struct weir_batch {
	struct weir_batch *next;	/* a list, a mailbox, or the free list */
	enum weir_signal signal;
	uint32_t n, cap;
	struct weir_slice *slices;	/* first BATCH_INLINE are in here */
	struct piece *pieces;
	size_t items, bytes;
	struct weir_context *context;
	uint64_t deadline;
	struct waiter *waiters;
	struct worker *home;
	struct weir_node_instance *holder;		/* who owns it now */
	struct weir_credits *pool;	/* reserved from */
	uint64_t reserved;
	struct notes *notes;
	struct weir_node_instance *dest;		/* mailbox: where it goes */
	struct weir_outcome *outcome;	/* queued answer, else NULL */
	struct weir_slice slices_in[BATCH_INLINE];
	struct piece pieces_in[BATCH_INLINE];
};

/* --- Content: used by edit, filter, split.  Home thread. ------------------- */

/* A payload of `capacity`, charged; NULL when the budget's hard line is
 * reached (force: never NULL).  refs = 1. */
struct weir_payload *payload_new(size_t capacity, bool force);
void payload_ref(struct weir_payload *payload);
void payload_unref(struct weir_payload *payload);

/* An empty batch like `like` (signal, context, deadline), no waiters. */
struct weir_batch *batch_new_like(const struct weir_batch *like);
/* Appends a slice; takes a reference of its own to payload. */
void batch_add(struct weir_batch *batch, struct weir_payload *payload,
	       const uint8_t *ptr, size_t len, uint32_t items);
/* Replaces slice i by another; the new payload's reference moves in, the old
 * one's is dropped.  len 0 removes the slice (payload NULL).  Counts follow. */
void batch_replace(struct weir_batch *batch, uint32_t i,
		   struct weir_payload *payload, const uint8_t *ptr,
		   size_t len, uint32_t items);
/* Makes `part` (fresh, no waiters) answer together with `batch`: who waits for
 * batch is told when both ended, the worse outcome. */
void batch_share_answer(struct weir_batch *batch, struct weir_batch *part);

#endif
