/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part.c: the spans of a batch, dealt out by their trace ids.
 *
 * A first descent counts the wrappers, by their beginnings; how many spans
 * there are the batch knows: so all the index is one block, charged to the
 * budget before.  The second notes the spans, and hashes each id once.  For
 * several workers they are then dealt out, those of one next to each other and
 * in order.  No byte of a span is copied.  The index is written by one thread,
 * then only read, by several.
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
	struct weir_part_resource *resources;
	struct weir_part_scope *scopes;
	struct weir_part_span *spans;	/* each worker's next to each other */
};

/* --- Hashing ------------------------------------------------------------- */

uint64_t trace_hash(const uint8_t *trace_id)
{
	static const uint8_t empty[16];

	return weir_hash(trace_id ? trace_id : empty, sizeof(empty));
}

/* Nearly always the first field of a span, 16 bytes; the walk has seen to its
 * length. */
static inline const uint8_t *trace_id_of(weir_str span)
{
	const uint8_t *p = (const uint8_t *)span.ptr;
	struct fields fields = fields_of(span);
	struct wire_field f;

	if (span.len >= 18 && p[0] == TAG_BYTES(1) && p[1] == 16)
		return p + 2;
	if (!fields_find(&fields, TAG_BYTES(1), &f) || f.value != 16)
		return NULL;
	return f.body;
}

/* --- Fields, with lengths of two bytes ------------------------------------ */

/* As fields_next; inlined for what nearly all spans are. */
static inline bool next_child(struct fields *fields, struct wire_field *f)
{
	const uint8_t *p = fields->p;
	size_t len;

	if (4 > fields->end - p || p[0] != TAG_ITEMS || p[1] < 0x80 ||
	    p[2] >= 0x80)
		return fields_next(fields, f);
	len = (size_t)(p[1] & 0x7f) | (size_t)p[2] << 7;
	if (len > (size_t)(fields->end - p - 3))
		return fields_next(fields, f);
	f->tag = TAG_ITEMS;
	f->value = len;
	f->start = p;
	f->body = p + 3;
	fields->p = f->body + len;
	/* The one behind it, at a guess. */
	__builtin_prefetch(fields->p + len);
	return true;
}

/* What is beside the children, as they are come by. */
struct beside {
	const uint8_t *first, *behind;	/* of children so far */
	bool split;
};

static inline void beside_child(struct beside *beside,
				const struct wire_field *f, const uint8_t *end)
{
	if (!beside->first)
		beside->first = f->start;
	else if (f->start != beside->behind)
		beside->split = true;
	beside->behind = end;
}

static struct weir_part_head head_of(const struct beside *beside,
				     weir_str wrapper)
{
	const uint8_t *p = (const uint8_t *)wrapper.ptr;

	return (struct weir_part_head){
		.before = (uint32_t)(beside->first - p),
		.behind = (uint32_t)(p + wrapper.len - beside->behind),
		.split = beside->split };
}

/* --- Counting wrappers ---------------------------------------------------- */

static bool has_spans(weir_str scope)
{
	struct fields fields = fields_of(scope);
	struct wire_field f;

	return fields_find(&fields, TAG_ITEMS, &f);
}

/* Scopes with spans, and resources with such scopes. */
static void count_wrappers(struct parting *sum, weir_str resource)
{
	struct fields fields = fields_of(resource);
	size_t before = sum->n_scopes;
	struct wire_field f;

	while (fields_find(&fields, TAG_SCOPES, &f))
		sum->n_scopes += has_spans(field_body(&f));
	sum->n_resources += sum->n_scopes != before;
}

/* --- Noting --------------------------------------------------------------- */

struct descent {
	struct parting *to;
	struct weir_part_span *spans;	/* in the order of the batch */
	size_t n_resources, n_scopes, n_spans;
	size_t most;			/* spans: what there is room for */
};

static inline void note_span(struct descent *d, weir_str span)
{
	const uint8_t *trace_id = trace_id_of(span);

	if (d->n_spans == d->most)
		return;
	d->spans[d->n_spans++] = (struct weir_part_span){
		.trace_id = trace_id,
		.message = (const uint8_t *)span.ptr,
		.len = (uint32_t)span.len,
		.scope = (uint32_t)d->n_scopes,
		.hash = trace_hash(trace_id) };
}

static void note_scope(struct descent *d, weir_str wrapper)
{
	struct fields fields = fields_of(wrapper);
	struct beside beside = { 0 };
	struct wire_field f;

	while (next_child(&fields, &f)) {
		if (f.tag != TAG_ITEMS)
			continue;
		beside_child(&beside, &f, fields.p);
		note_span(d, field_body(&f));
	}
	if (beside.first)
		d->to->scopes[d->n_scopes++] = (struct weir_part_scope){
			.wrapper = wrapper, .head = head_of(&beside, wrapper),
			.resource = (uint32_t)d->n_resources };
}

static void note_resource(struct descent *d, weir_str wrapper)
{
	struct fields fields = fields_of(wrapper);
	size_t before = d->n_scopes;
	struct beside beside = { 0 };
	struct wire_field f;

	while (fields_find(&fields, TAG_SCOPES, &f)) {
		beside_child(&beside, &f, fields.p);
		note_scope(d, field_body(&f));
	}
	if (d->n_scopes != before)
		d->to->resources[d->n_resources++] =
			(struct weir_part_resource){
				.wrapper = wrapper,
				.head = head_of(&beside, wrapper) };
}

/* Resource by resource; sum: only counted. */
static void descend(const struct weir_batch *batch, struct parting *sum,
		    struct descent *d)
{
	for (uint32_t i = 0; i < batch->n; i++) {
		struct fields fields = fields_of((weir_str){
			(const char *)batch->slices[i].ptr,
			batch->slices[i].len });
		struct wire_field f;

		while (fields_find(&fields, TAG_RECORDS, &f)) {
			if (sum)
				count_wrappers(sum, field_body(&f));
			else
				note_resource(d, field_body(&f));
		}
	}
}

/* --- Dealing out ---------------------------------------------------------- */

static uint32_t owner_of(uint64_t hash, uint32_t n)
{
	return (uint32_t)(hash % SHARDS) % n;
}

static void deal_out(const struct descent *d, uint32_t n,
		     size_t counts[SHARDS])
{
	size_t at[SHARDS] = { 0 };

	for (size_t i = 0; i < d->n_spans; i++)
		counts[owner_of(d->spans[i].hash, n)]++;
	for (uint32_t i = 1; i < n && i < SHARDS; i++)
		at[i] = at[i - 1] + counts[i - 1];
	for (size_t i = 0; i < d->n_spans; i++)
		d->to->spans[at[owner_of(d->spans[i].hash, n)]++] =
			d->spans[i];
}

/* --- The index ------------------------------------------------------------ */

/* Everything in one block: it was counted before.  spans: with those that are
 * not dealt out yet. */
static struct parting *index_new(const struct parting *sum, size_t spans)
{
	struct parting *parting;
	size_t size = sizeof(*parting) + spans * sizeof(*parting->spans) +
		      sum->n_scopes * sizeof(*parting->scopes) +
		      sum->n_resources * sizeof(*parting->resources);

	if (!budget_charge(size, false))
		return NULL;
	parting = block_new(size);
	if (!parting) {
		budget_return(size);
		return NULL;
	}
	*parting = *sum;
	parting->refs = 1;
	parting->size = size;
	parting->spans = (struct weir_part_span *)(void *)(parting + 1);
	parting->scopes = (struct weir_part_scope *)(void *)
		(parting->spans + spans);
	parting->resources = (struct weir_part_resource *)(void *)
		(parting->scopes + sum->n_scopes);
	return parting;
}

struct parting *parting_new(const struct weir_batch *batch, uint32_t n,
			    size_t counts[SHARDS])
{
	size_t items = batch->items;
	struct descent d = { .most = items };
	struct parting sum = { 0 };

	memset(counts, 0, SHARDS * sizeof(*counts));
	descend(batch, &sum, NULL);
	d.to = index_new(&sum, n > 1 ? 2 * items : items);
	if (!d.to)
		return NULL;
	d.spans = d.to->spans + (n > 1 ? items : 0);
	descend(batch, NULL, &d);
	if (n > 1)
		deal_out(&d, n, counts);
	else
		counts[0] = d.n_spans;
	return d.to;
}

struct weir_part parting_view(const struct parting *parting, uint32_t i,
			      const size_t counts[SHARDS])
{
	size_t before = 0;

	for (uint32_t j = 0; j < i; j++)
		before += counts[j];
	return (struct weir_part){
		.spans = parting->spans + before, .n = counts[i],
		.scopes = parting->scopes, .n_scopes = parting->n_scopes,
		.resources = parting->resources,
		.n_resources = parting->n_resources };
}

void parting_give(struct parting *parting, struct weir_batch *batch,
		  uint32_t i, const size_t counts[SHARDS])
{
	atomic_fetch_add_explicit(&parting->refs, 1, memory_order_relaxed);
	batch->parting = parting;
	batch->part = parting_view(parting, i, counts);
	batch->items = counts[i];
}

uint64_t parting_heads(const struct parting *parting)
{
	uint64_t n = 0;

	for (size_t i = 0; i < parting->n_scopes; i++)
		n += parting->scopes[i].head.before +
		     parting->scopes[i].head.behind;
	for (size_t i = 0; i < parting->n_resources; i++)
		n += parting->resources[i].head.before +
		     parting->resources[i].head.behind;
	return n;
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
