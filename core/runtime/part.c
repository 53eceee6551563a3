/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part.c: the spans of a batch, dealt out by their trace ids.
 *
 * Two descents over the lengths: the first counts, so that all the index is one
 * block, charged to the budget before; the second fills it, the spans of one
 * worker next to each other and in order.  No byte of a span is copied.  The
 * index is written by one thread, then only read, by several.
 */
#include "part.h"

#include <stdatomic.h>

#include "data/batch.h"
#include "blocks.h"
#include "base/budget.h"
#include "data/fields.h"
#include "graph.h"

struct parting {
	_Atomic uint32_t refs;
	size_t size;			/* of this block, charged */
	size_t n_resources, n_scopes;
	weir_str *resources;
	struct weir_part_scope *scopes;
	struct weir_part_span *spans;
};

/* --- Hashing ------------------------------------------------------------- */

uint64_t trace_hash(const uint8_t *trace_id)
{
	static const uint8_t empty[16];

	return weir_hash(trace_id ? trace_id : empty, sizeof(empty));
}

/* Usually the first field of a span; the walk has seen to its length. */
static const uint8_t *trace_id_of(weir_str span)
{
	struct fields fields = fields_of(span);
	struct wire_field f;

	if (!fields_find(&fields, TAG_BYTES(1), &f) || f.value != 16)
		return NULL;
	return f.body;
}

/* --- The descent --------------------------------------------------------- */

struct descent {
	uint32_t n;			/* workers */
	size_t n_resources, n_scopes, n_spans;
	size_t *counts;			/* counting: spans of each worker */
	struct parting *to;		/* filling; NULL: counting */
	size_t at[SHARDS];		/* filling: where the next one goes */
};

static uint32_t owner_of(uint64_t hash, uint32_t n)
{
	return (uint32_t)(hash % SHARDS) % n;
}

static void take_span(struct descent *d, weir_str span)
{
	const uint8_t *trace_id = trace_id_of(span);
	uint64_t hash = trace_hash(trace_id);
	uint32_t owner = owner_of(hash, d->n);

	d->n_spans++;
	if (!d->to) {
		d->counts[owner]++;
		return;
	}
	d->to->spans[d->at[owner]++] = (struct weir_part_span){
		.trace_id = trace_id,
		.message = (const uint8_t *)span.ptr,
		.len = (uint32_t)span.len,
		.scope = (uint32_t)d->n_scopes,
		.hash = hash };
}

static void take_scope(struct descent *d, weir_str wrapper)
{
	struct fields fields = fields_of(wrapper);
	size_t before = d->n_spans;
	struct wire_field f;

	while (fields_find(&fields, TAG_ITEMS, &f)) {
		__builtin_prefetch(fields.p);
		take_span(d, field_body(&f));
	}
	if (d->n_spans == before)
		return;
	if (d->to)
		d->to->scopes[d->n_scopes] = (struct weir_part_scope){
			wrapper, (uint32_t)d->n_resources };
	d->n_scopes++;
}

static void take_resource(struct descent *d, weir_str wrapper)
{
	struct fields fields = fields_of(wrapper);
	size_t before = d->n_scopes;
	struct wire_field f;

	while (fields_find(&fields, TAG_SCOPES, &f))
		take_scope(d, field_body(&f));
	if (d->n_scopes == before)
		return;
	if (d->to)
		d->to->resources[d->n_resources] = wrapper;
	d->n_resources++;
}

static void descend(struct descent *d, const struct weir_batch *batch)
{
	d->n_resources = d->n_scopes = d->n_spans = 0;
	for (uint32_t i = 0; i < batch->n; i++) {
		struct fields fields = fields_of((weir_str){
			(const char *)batch->slices[i].ptr,
			batch->slices[i].len });
		struct wire_field f;

		while (fields_find(&fields, TAG_RECORDS, &f))
			take_resource(d, field_body(&f));
	}
}

/* --- The index ----------------------------------------------------------- */

/* Everything in one block: it was counted before. */
static struct parting *index_new(const struct descent *d)
{
	struct parting *parting;
	size_t size = sizeof(*parting) +
		      d->n_spans * sizeof(*parting->spans) +
		      d->n_scopes * sizeof(*parting->scopes) +
		      d->n_resources * sizeof(*parting->resources);

	if (!budget_charge(size, false))
		return NULL;
	parting = block_new(size);
	if (!parting) {
		budget_return(size);
		return NULL;
	}
	parting->refs = 1;
	parting->size = size;
	parting->n_resources = d->n_resources;
	parting->n_scopes = d->n_scopes;
	parting->spans = (struct weir_part_span *)(void *)(parting + 1);
	parting->scopes = (struct weir_part_scope *)(void *)
		(parting->spans + d->n_spans);
	parting->resources = (weir_str *)(void *)
		(parting->scopes + d->n_scopes);
	return parting;
}

struct parting *parting_new(const struct weir_batch *batch, uint32_t n,
			    size_t counts[SHARDS])
{
	struct descent d = { .n = n, .counts = counts };

	memset(counts, 0, SHARDS * sizeof(*counts));
	descend(&d, batch);
	d.to = index_new(&d);
	if (!d.to)
		return NULL;
	for (uint32_t i = 1; i < n && i < SHARDS; i++)
		d.at[i] = d.at[i - 1] + counts[i - 1];
	descend(&d, batch);
	return d.to;
}

void parting_give(struct parting *parting, struct weir_batch *batch,
		  uint32_t i, const size_t counts[SHARDS])
{
	size_t before = 0;

	for (uint32_t j = 0; j < i; j++)
		before += counts[j];
	atomic_fetch_add_explicit(&parting->refs, 1, memory_order_relaxed);
	batch->parting = parting;
	batch->part = (struct weir_part){
		.spans = parting->spans + before, .n = counts[i],
		.scopes = parting->scopes, .n_scopes = parting->n_scopes,
		.resources = parting->resources,
		.n_resources = parting->n_resources };
	batch->items = counts[i];
}

void parting_unref(struct parting *parting)
{
	size_t size;

	if (!parting || atomic_fetch_sub_explicit(&parting->refs, 1,
						  memory_order_acq_rel) != 1)
		return;
	size = parting->size;
	block_free(parting, size);
	budget_return(size);
}

/* --- For components ------------------------------------------------------ */

const struct weir_part *weir_batch_part(const struct weir_batch *batch)
{
	return &batch->part;
}

struct weir_batch *weir_batch_make(struct weir_component *c,
	enum weir_signal signal, struct weir_payload **payload, size_t len,
	size_t items)
{
	struct weir_batch *batch = batch_new(signal);

	batch_add(batch, *payload, (*payload)->bytes, len, (uint32_t)items);
	payload_unref(*payload);
	*payload = NULL;
	node_hold(c->node, batch);
	return batch;
}
