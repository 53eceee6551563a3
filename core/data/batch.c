/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.c: payloads, the content of batches, and the client's context.
 *
 * Holds between calls: the process's byte budget (budget.c does the sums) and
 * each worker's list of spare batches.  Never looks into the bytes.
 *
 * Counts of payloads and contexts are atomic: a batch may be shared between
 * branches that end on different workers.  One such pair of operations a
 * request costs about a nanosecond a span for requests of ten.
 */
#include "batch.h"

#include <stdlib.h>
#include <strings.h>

#include "runtime/blocks.h"
#include "base/budget.h"
#include "runtime/part.h"
#include "base/str.h"
#include "runtime/worker.h"

/* --- Payloads ------------------------------------------------------------ */

struct weir_payload *payload_new(size_t capacity, bool force)
{
	struct weir_payload *payload;

	if (capacity > UINT32_MAX - PAYLOAD_SLACK)
		return NULL;	/* offsets into a payload are 32 bits */
	if (!budget_charge(capacity, force))
		return NULL;
	payload = block_new(sizeof(*payload) + capacity + PAYLOAD_SLACK);
	if (!payload) {
		budget_return(capacity);
		return NULL;
	}
	atomic_init(&payload->refs, 1);
	payload->capacity = capacity;
	return payload;
}

void payload_ref(struct weir_payload *payload)
{
	atomic_fetch_add_explicit(&payload->refs, 1, memory_order_relaxed);
}

void payload_unref(struct weir_payload *payload)
{
	if (atomic_fetch_sub_explicit(&payload->refs, 1,
				      memory_order_acq_rel) != 1)
		return;
	budget_return(payload->capacity);
	block_free(payload, sizeof(*payload) + payload->capacity +
				    PAYLOAD_SLACK);
}

struct weir_payload *weir_payload_new(struct weir_component *c,
				      size_t capacity)
{
	(void)c;
	return payload_new(capacity, false);
}

uint8_t *weir_payload_bytes(struct weir_payload *payload)
{
	return payload->bytes;
}

size_t weir_payload_capacity(const struct weir_payload *payload)
{
	return payload->capacity;
}

void weir_payload_free(struct weir_payload **payload)
{
	if (*payload)
		payload_unref(*payload);
	*payload = NULL;
}

/* --- Batches ------------------------------------------------------------- */

struct weir_batch *batch_new(enum weir_signal signal)
{
	struct worker *worker = worker_current();
	struct weir_batch *batch = worker ? worker->spare_batches : NULL;

	if (batch) {
		worker->spare_batches = batch->next;
	} else {
		batch = xcalloc(1, sizeof(*batch));
		batch->slices = batch->slices_in;
		batch->pieces = batch->pieces_in;
		batch->cap = BATCH_INLINE;
	}
	batch->next = NULL;
	batch->signal = signal;
	return batch;
}

struct weir_batch *batch_new_like(const struct weir_batch *like)
{
	struct weir_batch *batch = batch_new(like->signal);

	batch->deadline = like->deadline;
	batch->holder = like->holder;
	batch_set_context(batch, like->context);
	return batch;
}

struct weir_batch *batch_share(const struct weir_batch *like)
{
	struct weir_batch *batch = batch_new_like(like);

	for (uint32_t i = 0; i < like->n; i++)
		batch_add(batch, like->pieces[i].payload, like->slices[i].ptr,
			  like->slices[i].len, like->pieces[i].items);
	batch->notes = like->notes;
	return batch;
}

/* Lists that do not fit in the batch are blocks. */
static void lists_free(struct weir_batch *batch)
{
	if (batch->slices == batch->slices_in)
		return;
	block_free(batch->slices, batch->cap * sizeof(*batch->slices));
	block_free(batch->pieces, batch->cap * sizeof(*batch->pieces));
	batch->slices = batch->slices_in;
	batch->pieces = batch->pieces_in;
	batch->cap = BATCH_INLINE;
}

static void grow(struct weir_batch *batch)
{
	uint32_t cap = batch->cap * 4;
	struct weir_slice *slices = block_new(cap * sizeof(*slices));
	struct piece *pieces = block_new(cap * sizeof(*pieces));

	if (!slices || !pieces)
		abort();
	memcpy(slices, batch->slices, batch->n * sizeof(*slices));
	memcpy(pieces, batch->pieces, batch->n * sizeof(*pieces));
	lists_free(batch);
	batch->slices = slices;
	batch->pieces = pieces;
	batch->cap = cap;
}

static void append(struct weir_batch *batch, struct weir_slice slice,
		   struct piece piece)
{
	if (batch->n == batch->cap)
		grow(batch);
	batch->slices[batch->n] = slice;
	batch->pieces[batch->n++] = piece;
	batch->bytes += slice.len;
	batch->items += piece.items;
}

void batch_add(struct weir_batch *batch, struct weir_payload *payload,
	       const uint8_t *ptr, size_t len, uint32_t items)
{
	if (!len)
		return;
	payload_ref(payload);
	append(batch, (struct weir_slice){ ptr, len },
	       (struct piece){ payload, items });
}

void batch_replace(struct weir_batch *batch, uint32_t i,
		   struct weir_payload *payload, const uint8_t *ptr,
		   size_t len, uint32_t items)
{
	struct weir_slice *slice = &batch->slices[i];
	struct piece *piece = &batch->pieces[i];
	size_t behind = batch->n - i - 1;

	batch->bytes -= slice->len;
	batch->items -= piece->items;
	payload_unref(piece->payload);
	if (len) {
		*slice = (struct weir_slice){ ptr, len };
		*piece = (struct piece){ payload, items };
		batch->bytes += len;
		batch->items += items;
		return;
	}
	memmove(slice, slice + 1, behind * sizeof(*slice));
	memmove(piece, piece + 1, behind * sizeof(*piece));
	batch->n--;
}

/* into is empty: the lists change hands as they are. */
static void take_lists(struct weir_batch *into, struct weir_batch *from)
{
	lists_free(into);
	into->slices = from->slices;
	into->pieces = from->pieces;
	into->cap = from->cap;
	into->n = from->n;
	into->bytes = from->bytes;
	into->items = from->items;
	from->slices = from->slices_in;
	from->pieces = from->pieces_in;
	from->cap = BATCH_INLINE;
	from->n = 0;
}

void batch_move(struct weir_batch *into, struct weir_batch *from)
{
	if (!into->n && from->slices != from->slices_in)
		take_lists(into, from);
	for (uint32_t i = 0; i < from->n; i++)
		append(into, from->slices[i], from->pieces[i]);
	from->n = 0;
	from->items = from->bytes = 0;
	into->notes = NULL;
}

#define KEEP_SLICES 64		/* larger lists are not kept for reuse */

void batch_free(struct weir_batch *batch)
{
	struct worker *worker = worker_current();

	for (uint32_t i = 0; i < batch->n; i++)
		payload_unref(batch->pieces[i].payload);
	weir_context_free(&batch->context);
	free(batch->outcome);
	parting_unref(batch->parting);
	batch->parting = NULL;
	batch->part = (struct weir_part){ 0 };
	if (batch->cap > KEEP_SLICES || !worker)
		lists_free(batch);
	if (!worker) {
		free(batch);
		return;
	}
	batch->n = 0;
	batch->items = batch->bytes = 0;
	batch->deadline = 0;
	batch->waiters = NULL;
	batch->holder = NULL;
	batch->notes = NULL;
	batch->outcome = NULL;
	batch->next = worker->spare_batches;
	worker->spare_batches = batch;
}

void batch_pool_release(struct worker *worker)
{
	while (worker->spare_batches) {
		struct weir_batch *batch = worker->spare_batches;

		worker->spare_batches = batch->next;
		lists_free(batch);
		free(batch);
	}
}

/* --- Looking ------------------------------------------------------------- */

enum weir_signal weir_batch_signal(const struct weir_batch *batch)
{
	return batch->signal;
}

size_t weir_batch_items(const struct weir_batch *batch)
{
	return batch->items;
}

size_t weir_batch_bytes(const struct weir_batch *batch)
{
	return batch->bytes;
}

const struct weir_slice *weir_batch_slices(const struct weir_batch *batch,
					   size_t *n)
{
	*n = batch->n;
	return batch->slices;
}

uint64_t weir_batch_deadline(const struct weir_batch *batch)
{
	return batch->deadline;
}

uint64_t weir_batch_size(const struct weir_batch *batch, enum weir_sizer sizer)
{
	switch (sizer) {
	case WEIR_SIZER_ITEMS:
		return batch->items;
	case WEIR_SIZER_BYTES:
		return batch->bytes;
	case WEIR_SIZER_REQUESTS:
		break;
	}
	return 1;
}

void weir_batch_push(struct weir_batch_list *list, struct weir_batch *batch)
{
	batch->next = NULL;
	batch->notes = NULL;
	if (list->tail)
		list->tail->next = batch;
	else
		list->head = batch;
	list->tail = batch;
	list->len++;
}

struct weir_batch *weir_batch_shift(struct weir_batch_list *list)
{
	struct weir_batch *batch = list->head;

	if (!batch)
		return NULL;
	list->head = batch->next;
	if (!list->head)
		list->tail = NULL;
	list->len--;
	batch->next = NULL;
	return batch;
}

/* --- The client's context ------------------------------------------------ */

struct fact {			/* name and value, text behind the struct */
	struct fact *next;
	weir_str name, value;
	bool auth;
};

struct weir_context {
	_Atomic uint32_t refs;
	weir_str peer;
	struct fact *first, **end;
	struct arena arena;
};

static const struct weir_context nobody = { .peer = { "", 0 } };

void batch_set_context(struct weir_batch *batch, struct weir_context *context)
{
	if (context)
		atomic_fetch_add_explicit(&context->refs, 1,
					  memory_order_relaxed);
	batch->context = context;
}

struct weir_context *weir_context_new(struct weir_component *c, weir_str peer)
{
	struct weir_context *context = xcalloc(1, sizeof(*context));

	(void)c;
	atomic_init(&context->refs, 1);
	context->end = &context->first;
	context->peer = arena_str(&context->arena, peer);
	return context;
}

static void add_fact(struct weir_context *context, weir_str name,
		     weir_str value, bool auth)
{
	struct fact *fact = arena_alloc(&context->arena, sizeof(*fact));

	fact->name = arena_str(&context->arena, name);
	fact->value = arena_str(&context->arena, value);
	fact->auth = auth;
	*context->end = fact;
	context->end = &fact->next;
}

void weir_context_add(struct weir_context *context, weir_str name,
		      weir_str value)
{
	add_fact(context, name, value, false);
}

void weir_context_add_auth(struct weir_context *context, weir_str name,
			   weir_str value)
{
	add_fact(context, name, value, true);
}

void weir_context_free(struct weir_context **context)
{
	struct weir_context *gone = *context;

	*context = NULL;
	if (!gone || atomic_fetch_sub_explicit(&gone->refs, 1,
					       memory_order_acq_rel) != 1)
		return;
	arena_release(&gone->arena);
	free(gone);
}

/* Does other say the same under that name and kind, as the i-th value? */
static bool has_fact(const struct weir_context *context,
		     const struct fact *wanted)
{
	for (const struct fact *f = context->first; f; f = f->next)
		if (f->auth == wanted->auth &&
		    weir_str_eq(f->name, wanted->name) &&
		    weir_str_eq(f->value, wanted->value))
			return true;
	return false;
}

static bool says_all(const struct weir_context *a, const struct weir_context *b)
{
	for (const struct fact *f = b->first; f; f = f->next)
		if (!has_fact(a, f))
			return false;
	return weir_str_eq(a->peer, b->peer);
}

static struct weir_context *common(const struct weir_context *a,
				   const struct weir_context *b)
{
	struct weir_context *both = weir_context_new(NULL, WEIR_STR(""));

	for (const struct fact *f = a->first; f; f = f->next)
		if (has_fact(b, f))
			add_fact(both, f->name, f->value, f->auth);
	if (!both->first)
		weir_context_free(&both);
	return both;
}

/* A merged batch speaks for several clients: it keeps what all of them said,
 * such as the metadata that it was gathered by. */
void batch_join_context(struct weir_batch *batch,
			const struct weir_batch *other)
{
	struct weir_context *a = batch->context, *b = other->context;
	struct weir_context *both;

	if (a == b || (batch->n && !a))
		return;
	if (!batch->n) {
		weir_context_free(&batch->context);
		batch_set_context(batch, b);
		return;
	}
	if (b && says_all(b, a))
		return;
	both = b ? common(a, b) : NULL;
	weir_context_free(&batch->context);
	batch->context = both;
}

const struct weir_context *weir_batch_context(const struct weir_batch *batch)
{
	return batch->context ? batch->context : &nobody;
}

weir_str weir_context_peer(const struct weir_context *context)
{
	return context->peer;
}

static bool same_name(weir_str a, weir_str b)
{
	return a.len == b.len && !strncasecmp(a.ptr, b.ptr, a.len);
}

static bool find_fact(const struct weir_context *context, weir_str name,
		      size_t i, bool auth, weir_str *value)
{
	for (const struct fact *f = context->first; f; f = f->next) {
		if (f->auth != auth || !same_name(f->name, name) || i--)
			continue;
		*value = f->value;
		return true;
	}
	return false;
}

bool weir_context_metadata(const struct weir_context *context, weir_str name,
			   size_t i, weir_str *value)
{
	return find_fact(context, name, i, false, value);
}

bool weir_context_auth(const struct weir_context *context, weir_str name,
		       weir_str *value)
{
	return find_fact(context, name, 0, true, value);
}
