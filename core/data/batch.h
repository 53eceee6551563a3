/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h: batch and payload as core sees them.
 *
 * One worker owns a batch at a time.  A batch that is handed to another worker
 * is its own mailbox node, and comes back as its own answer, so that neither
 * needs room anywhere.
 *
 *	waiters    a stack of those who must be told how the batch ended; the
 *	           top one is told first and owns the batch then
 *	notes      what the validating walk noted; good for the run that follows
 *	           at once, and forgotten by anyone who keeps the batch
 */
#ifndef CORE_BATCH_H
#define CORE_BATCH_H

#include <stdatomic.h>
#include <weir/batch.h>
#include <weir/credits.h>
#include <weir/part.h>

#include "base/mail.h"

struct waiter;		/* answer.c: one who must be told */
struct worker;
struct notes;
struct weir_node_instance;

struct weir_payload {
	_Atomic uint32_t refs;	/* batches of several workers may share it */
	size_t capacity;	/* without the slack; what is charged */
	uint8_t bytes[];	/* capacity + PAYLOAD_SLACK */
};
#define PAYLOAD_SLACK 32	/* so that 16-byte loads may run over the end */

/* What a slice is a slice of; parallel to batch->slices. */
struct piece {
	struct weir_payload *payload;
	uint32_t items;
};

#define BATCH_INLINE 2

struct weir_batch {
	struct weir_batch *next;	/* a list, or the worker's free list */
	struct mail mail;		/* on its way to another worker */
	enum weir_signal signal;
	uint32_t n, cap;
	struct weir_slice *slices;	/* first BATCH_INLINE are in here */
	struct piece *pieces;
	size_t items, bytes;
	struct weir_context *context;
	uint64_t deadline;
	struct waiter *waiters;
	struct weir_node_instance *holder;	/* who owns it; NULL: core */
	struct notes *notes;
	struct weir_node_instance *dest;	/* mailbox: where it goes */
	struct weir_outcome *outcome;	/* once it has ended; NULL: OK */
	struct parting *parting;	/* part.c: of a part; else NULL */
	struct weir_part part;
	struct weir_slice slices_in[BATCH_INLINE];
	struct piece pieces_in[BATCH_INLINE];
};

/* --- Content: used by edit, filter, split.  The owner's thread. ---------- */

/* A payload of `capacity`, charged; NULL when memory fails or, without force,
 * when the budget's hard line is reached.  One reference. */
struct weir_payload *payload_new(size_t capacity, bool force);
void payload_ref(struct weir_payload *payload);
void payload_unref(struct weir_payload *payload);

/* An empty batch of that signal; owned by core until someone consumes it. */
struct weir_batch *batch_new(enum weir_signal signal);
/* An empty batch like `like` (signal, context, deadline, holder), no waiters. */
struct weir_batch *batch_new_like(const struct weir_batch *like);
/* The same content in a batch of its own, no waiters. */
struct weir_batch *batch_share(const struct weir_batch *like);
/* Holds a reference to context (may be NULL) with the batch. */
void batch_set_context(struct weir_batch *batch, struct weir_context *context);
/* Leaves batch what both were sent along with: the same, or nothing. */
void batch_join_context(struct weir_batch *batch,
			const struct weir_batch *other);
/* Appends a slice; takes a reference of its own to payload. */
void batch_add(struct weir_batch *batch, struct weir_payload *payload,
	       const uint8_t *ptr, size_t len, uint32_t items);
/* Replaces slice i by another; the new payload's reference moves in, the old
 * one's is dropped.  len 0 removes the slice (payload NULL).  Counts follow. */
void batch_replace(struct weir_batch *batch, uint32_t i,
		   struct weir_payload *payload, const uint8_t *ptr,
		   size_t len, uint32_t items);
/* Moves all slices of from behind those of into. */
void batch_move(struct weir_batch *into, struct weir_batch *from);
/* Drops content and context and gives the batch back to the worker's list;
 * nobody may be waiting. */
void batch_free(struct weir_batch *batch);
/* Frees what the free lists of this worker hold. */
void batch_pool_release(struct worker *worker);

/* --- Answers: answer.c --------------------------------------------------- */

/* Ends the batch with that outcome; NULL: OK. */
void batch_end(struct weir_batch *batch, const struct weir_outcome *outcome);
/* Tells the waiters of answers that were queued in this turn; true if any. */
bool batch_tell(struct worker *worker);
/* Makes `part` (the first items, cut off batch; no waiters) answer together with
 * `batch`: who waits for content of both is told when both ended, the worse
 * outcome.  Each holds its share of the room. */
void batch_share_answer(struct weir_batch *batch, struct weir_batch *part);
/* Opens a fan: whole waits aside until `branches` batches, whose only waiter
 * is the one returned, have ended.  OK when one branch was. */
struct waiter *fan_open(struct weir_batch *whole, uint32_t branches);
/* The same for parts of one content: OK only when all were. */
struct waiter *parts_open(struct weir_batch *whole, uint32_t parts);
/* Will a custodian get it back, if it is nacked now, and keep it? */
bool batch_comes_back(const struct weir_batch *batch);
/* Frees the waiters that this worker keeps for reuse. */
void waiters_release(struct worker *worker);
/* Marks the batch as holding n credits; given back when it ends. */
void batch_charge(struct weir_batch *batch, struct weir_credits *credits,
		  uint64_t n);
/* Makes the batch hold n of credits instead, if it holds some already. */
bool batch_recharge(struct weir_batch *batch, struct weir_credits *credits,
		    uint64_t n);

#endif
