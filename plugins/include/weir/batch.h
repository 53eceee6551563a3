/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h: what flows, and how it is answered.
 *
 * A payload is an immutable run of OTLP bytes: whole records of field 1 of an
 * export request (ResourceSpans, ResourceMetrics, ResourceLogs).  A batch is a
 * list of slices of payloads with a count of items and bytes, what the client
 * sent along, and who must be told how it ended.
 *
 * A batch has one owner at a time.  weir_forward, weir_batch_ack and
 * weir_batch_nack give it up; nothing else does, and all three always do.
 * Every batch ends exactly once; debug builds abort, naming the component.
 *
 *	    consume(c, batch)                 you own it
 *	          |
 *	   .------+---------+--------.
 *	forward   ack      nack     keep it: accept (custodians), a list, a timer
 *
 * A component that forwards and wants to hear the outcome marks the batch
 * (weir_batch_track); it then comes back through `answered` and is owned again.
 * Answers come in a later turn of the loop, never from inside a call.
 *
 * All calls: only on the thread of the component that owns the batch.
 */
#ifndef WEIR_BATCH_H
#define WEIR_BATCH_H

#include <weir/base.h>
#include <weir/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_batch;
struct weir_payload;
struct weir_context;
struct weir_component;

/* Whole field-1 records, tags included; slices of one batch laid end to end
 * are an export request. */
struct weir_slice {
	const uint8_t *ptr;
	size_t len;
};

/* --- Looking ------------------------------------------------------------ */

WEIR_API enum weir_signal weir_batch_signal(const struct weir_batch *batch);
/* Spans, log records or data points. */
WEIR_API size_t weir_batch_items(const struct weir_batch *batch);
/* Bytes on the wire: the sum of the slices' lengths. */
WEIR_API size_t weir_batch_bytes(const struct weir_batch *batch);
/* The slices; *n gets their number.  Valid until the batch is given up,
 * edited, merged or split. */
WEIR_API const struct weir_slice *weir_batch_slices(
	const struct weir_batch *batch, size_t *n);
/* weir_now() value after which nobody waits for the answer; 0: no end. */
WEIR_API uint64_t weir_batch_deadline(const struct weir_batch *batch);
/* What the client sent along; never NULL.  Lives as long as the batch. */
WEIR_API const struct weir_context *weir_batch_context(
	const struct weir_batch *batch);

/* --- The client's context ------------------------------------------------ */

/* "192.0.2.1:4711", "" when unknown. */
WEIR_API weir_str weir_context_peer(const struct weir_context *context);
/* The i-th value sent under name (lower case compare); false past the last.
 * Empty unless the receiver has include_metadata. */
WEIR_API bool weir_context_metadata(const struct weir_context *context,
				    weir_str name, size_t i, weir_str *value);
/* An attribute that the server authenticator set; false when absent. */
WEIR_API bool weir_context_auth(const struct weir_context *context,
				weir_str name, weir_str *value);

/* Receivers make contexts; counted, one may serve many batches of a
 * connection.  New: count 1.  Add metadata before first use only. */
WEIR_API struct weir_context *weir_context_new(struct weir_component *c,
					       weir_str peer);
WEIR_API void weir_context_add(struct weir_context *context, weir_str name,
			       weir_str value);
WEIR_API void weir_context_add_auth(struct weir_context *context,
				    weir_str name, weir_str value);
WEIR_API void weir_context_free(struct weir_context **context);

/* --- Payloads: where received bytes are put ------------------------------ */

/* Room for capacity bytes, charged to the process's byte budget *before* it is
 * allocated; NULL when the budget's hard line or memory is reached (answer
 * UNAVAILABLE, reason MEMORY).  32 bytes of slack lie behind. */
WEIR_API struct weir_payload *weir_payload_new(struct weir_component *c,
					       size_t capacity);
/* To write into, until weir_batch_decode took the payload. */
WEIR_API uint8_t *weir_payload_bytes(struct weir_payload *payload);
WEIR_API size_t weir_payload_capacity(const struct weir_payload *payload);
/* For a payload that never became a batch.  Leaves NULL behind. */
WEIR_API void weir_payload_free(struct weir_payload **payload);

/* --- Making batches (receivers) ------------------------------------------- */

/* Takes the first len bytes of *payload (ownership moves, NULL is left) and
 * walks them once: malformed gives NULL and an outcome to answer with; legal
 * but unusual bytes are put into canonical form first.  The batch holds a
 * reference to context.  deadline: weir_now() value, 0 = none.
 * Receivers then weir_batch_track() and weir_forward() it.  A request without
 * items gives a batch of 0 items: core acks it when it is forwarded. */
WEIR_API struct weir_batch *weir_batch_decode(struct weir_component *c,
	enum weir_signal signal, struct weir_payload **payload, size_t len,
	struct weir_context *context, uint64_t deadline,
	struct weir_outcome *refused);

/* --- Ending and passing on -------------------------------------------------- */

/* Passes the batch to whatever the pipeline has next.  An emptied batch is
 * acked instead.  A receiver's batch goes to every pipeline of its signal. */
WEIR_API void weir_forward(struct weir_component *c, struct weir_batch *batch);
WEIR_API void weir_batch_ack(struct weir_batch *batch);
/* *outcome is copied; its status is not OK. */
WEIR_API void weir_batch_nack(struct weir_batch *batch,
			      const struct weir_outcome *outcome);
/* An ack with partial success: rejected items were refused by the backend. */
WEIR_API void weir_batch_ack_partial(struct weir_batch *batch,
				     const struct weir_outcome *outcome);

/* Marks the batch: when it ends downstream it comes back to c->answered with
 * the cookie, and c owns it again.  Once per forward. */
WEIR_API void weir_batch_track(struct weir_component *c,
			       struct weir_batch *batch, void *cookie);

/* --- Custody ----------------------------------------------------------------- */

/* For custodians (descriptor: .custodian): "this is in my bounded memory now".
 * With `ack: received` all who wait are told OK and the returned batch has
 * nobody to answer; otherwise they go on waiting and the same batch is
 * returned.  The argument is given up; the result is owned. */
WEIR_API struct weir_batch *weir_batch_accept(struct weir_component *c,
					      struct weir_batch *batch);

/* Appends the slices of *from to into; whoever waits for *from is answered
 * with the outcome of into.  Same signal.  *from becomes NULL.  Of the client's
 * context into keeps what both have. */
WEIR_API void weir_batch_merge(struct weir_batch *into,
			       struct weir_batch **from);

enum weir_sizer { WEIR_SIZER_REQUESTS, WEIR_SIZER_ITEMS, WEIR_SIZER_BYTES };

/* The size of a batch in that unit (a batch is one request). */
WEIR_API uint64_t weir_batch_size(const struct weir_batch *batch,
				  enum weir_sizer sizer);
/* Cuts the first max units off (items or bytes) into a batch of its own, with
 * resource, scope and metric wrappers repeated as needed; batch keeps the
 * rest.  Who waits for batch is answered when both ended, by the worse.
 * NULL when everything fits (batch unchanged), or when a single item is larger
 * than max bytes: then *too_large (may be NULL) is set and batch unchanged. */
WEIR_API struct weir_batch *weir_batch_split(struct weir_batch *batch,
	enum weir_sizer sizer, uint64_t max, bool *too_large);

/* Drops n items' worth of accounting: the plugin says why, the ledger counts.
 * Call it beside whatever removed them (filter, an emptied batch, a final
 * failure that is not handed back). */
WEIR_API void weir_count_dropped(struct weir_component *c,
				 enum weir_signal signal,
				 enum weir_reason reason, uint64_t n);

/* --- A queue of batches one owns ----------------------------------------------- */

/* An intrusive list: batches need no node of their own.  Zero-initialised. */
struct weir_batch_list {
	struct weir_batch *head, *tail;
	size_t len;
};
WEIR_API void weir_batch_push(struct weir_batch_list *list,
			      struct weir_batch *batch);
WEIR_API struct weir_batch *weir_batch_shift(struct weir_batch_list *list);

#ifdef __cplusplus
}
#endif
#endif
