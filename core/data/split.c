/* SPDX-License-Identifier: Apache-2.0 */
/*
 * split.c: the first so many items or bytes of a batch, as a batch.
 *
 * Slices and whole ResourceX that fit are moved.  The one that does not is
 * carved: each part is the record with the items of the other parts cut out,
 * so that resource, scope, schema_url and whatever else a wrapper holds stand
 * in every part (Metric.metadata only in the last).
 *
 *	record   R[ S[ 1 2 3 ]  S[ 4 5 6 ] ]
 *	parts    R[ S[ 1 2 3 ]  S[ 4 ] ]    R[ S[ 5 6 ] ]
 *
 * The rest of a record is carved at once into parts of the same size: cutting
 * one off at a time would copy the rest again and again.  It stays in one
 * piece when repeated wrappers would cost more than the record.
 */
#include <stdlib.h>

#include "edit.h"
#include "fields.h"
#include "runtime/graph.h"

#define TAG_METADATA TAG_BYTES(12)	/* Metric.metadata = 12 */
#define MAX_PARTS 1024			/* of one record in one go */
#define FREE_OVERHEAD 65536		/* bytes of repeated wrappers */

/* A field that is no child, behind the first child. */
struct other {
	uint32_t start, end;
	uint32_t tag;
};

/* A message on the way down to the next item. */
struct frame {
	weir_str body;
	const uint8_t *start;		/* of the field that the message is */
	const uint8_t *first;		/* child; the end when there is none */
	struct fields fields;		/* from the next child on */
	uint64_t size;			/* of the body in this part */
	uint64_t since;			/* steps of this part when opened */
	uint64_t others_size;
	struct other *others;
	uint32_t n_others, cap_others;
	uint32_t node;			/* edit node, EDIT_TOP: none yet */
};

enum { RECORD, WRAPPER, SCOPE, METRIC, DATA, DEPTH };

struct carver {
	enum weir_signal signal;
	enum weir_sizer sizer;
	const uint8_t *base;		/* the record, tag and all */
	size_t len;
	struct frame frame[DEPTH];	/* [RECORD] only sums up */
	int top;
	uint64_t taken;			/* items of this part */
	uint64_t steps;			/* those, and wrappers without any */
	uint64_t overhead;		/* of wrappers repeated so far */
	struct edit_list list;
};

static bool is_child(int level, uint32_t tag)
{
	switch (level) {
	case WRAPPER:
		return tag == TAG_SCOPES;
	case SCOPE:
		return tag == TAG_ITEMS;
	case METRIC:
		return tag_is_data(tag);
	default:
		return tag == TAG_RECORDS;	/* and TAG_POINTS */
	}
}

static int item_level(enum weir_signal signal)
{
	return signal == WEIR_SIGNAL_METRICS ? DATA : SCOPE;
}

static uint32_t count_items(enum weir_signal signal, int level, weir_str body)
{
	struct fields fields = fields_of(body);
	struct wire_field f;
	uint32_t n = 0;

	while (fields_next(&fields, &f)) {
		if (!is_child(level, f.tag))
			continue;
		n += level == item_level(signal) ? 1 :
			count_items(signal, level + 1, field_body(&f));
	}
	return n;
}

/* --- Frames ------------------------------------------------------------------ */

static uint32_t offset(const struct carver *c, const uint8_t *p)
{
	return (uint32_t)(p - c->base);
}

static void add_other(struct carver *c, struct frame *frame,
		      const struct wire_field *f, const uint8_t *end)
{
	if (frame->n_others == frame->cap_others) {
		frame->cap_others = frame->cap_others ?
					    2 * frame->cap_others : 8;
		frame->others = xrealloc(frame->others,
					 frame->cap_others *
						 sizeof(*frame->others));
	}
	frame->others[frame->n_others++] = (struct other){
		offset(c, f->start), offset(c, end), f->tag };
}

static void push(struct carver *c, const struct wire_field *field)
{
	struct frame *frame = &c->frame[++c->top];
	struct fields fields = fields_of(field_body(field));
	struct wire_field f;

	frame->body = field_body(field);
	frame->start = field->start;
	frame->first = fields.end;
	frame->fields = fields;
	frame->since = c->steps;
	frame->others_size = 0;
	frame->n_others = 0;
	frame->node = EDIT_TOP;
	while (fields_next(&fields, &f)) {
		if (!is_child(c->top, f.tag)) {
			frame->others_size += (uint64_t)(fields.p - f.start);
			add_other(c, frame, &f, fields.p);
		} else if (frame->first == fields.end) {
			frame->first = f.start;
		}
	}
	frame->size = frame->others_size;
}

static uint64_t field_size(uint64_t body)
{
	return 1 + wire_varint_size(body) + body;
}

static void pop(struct carver *c)
{
	uint64_t size = c->frame[c->top--].size;

	c->frame[c->top].size += field_size(size);
}

/* Bytes of the part if `more` were added to the message on top. */
static uint64_t part_size(const struct carver *c, uint64_t more)
{
	uint64_t size = c->frame[c->top].size + more;

	for (int i = c->top; i > RECORD; i--)
		size = field_size(size) + c->frame[i - 1].size;
	return size;
}

/* --- One part ------------------------------------------------------------------- */

static bool fits(const struct carver *c, uint64_t item, uint64_t limit)
{
	if (c->sizer == WEIR_SIZER_ITEMS)
		return c->taken < limit;
	return part_size(c, item) <= limit;
}

/* The end of a message.  One without items may have been too much: false, and
 * it is the next again. */
static bool leave(struct carver *c, uint64_t limit)
{
	struct frame *frame = &c->frame[c->top];

	if (frame->since == c->steps) {
		if (c->sizer == WEIR_SIZER_BYTES && part_size(c, 0) > limit) {
			c->frame[--c->top].fields.p = frame->start;
			return false;
		}
		c->steps++;
	}
	pop(c);
	return true;
}

/* Over items as long as they fit, and the first that does not is the next.
 * False at the end of the record. */
static bool advance(struct carver *c, uint64_t limit)
{
	while (c->top > RECORD) {
		struct frame *frame = &c->frame[c->top];
		struct fields fields = frame->fields;
		struct wire_field f;
		bool child;

		if (!fields_next(&fields, &f)) {
			if (!leave(c, limit))
				return true;
			continue;
		}
		child = is_child(c->top, f.tag);
		if (child && c->top == item_level(c->signal)) {
			uint64_t size = (uint64_t)(fields.p - f.start);

			if (!fits(c, size, limit))
				return true;
			frame->size += size;
			c->taken++;
			c->steps++;
			child = false;
		}
		frame->fields = fields;
		if (child)
			push(c, &f);
	}
	return false;
}

static uint32_t node_at(struct carver *c, int level)
{
	struct frame *frame = &c->frame[level];
	uint32_t parent = EDIT_TOP;

	if (frame->node != EDIT_TOP)
		return frame->node;
	if (level > WRAPPER)
		parent = node_at(c, level - 1);
	frame->node = edit_node_body(&c->list, parent, frame->body);
	return frame->node;
}

/* The children from..to of a message go, what is between them stays. */
static void cut_children(struct carver *c, int level, const uint8_t *from,
			 const uint8_t *to)
{
	const struct frame *frame = &c->frame[level];
	uint32_t at = offset(c, from), end = offset(c, to);

	for (uint32_t i = 0; i < frame->n_others && at < end; i++) {
		const struct other *other = &frame->others[i];

		if (other->start < at)
			continue;
		if (other->start >= end)
			break;
		if (other->start > at)
			edit_cut(&c->list, node_at(c, level), at,
				 other->start - at);
		at = other->end;
	}
	if (at < end)
		edit_cut(&c->list, node_at(c, level), at, end - at);
}

/* What earlier parts have: up to where every open message stands. */
static void begin_part(struct carver *c)
{
	edit_begin(&c->list, c->base, c->len);
	c->taken = c->steps = 0;
	for (int i = RECORD; i <= c->top; i++) {
		c->frame[i].node = EDIT_TOP;
		c->frame[i].since = 0;
		c->frame[i].size = c->frame[i].others_size;
	}
	for (int i = WRAPPER; i <= c->top; i++)
		cut_children(c, i, c->frame[i].first,
			     i < c->top ? c->frame[i + 1].start :
					  c->frame[i].fields.p);
}

static void cut_metadata(struct carver *c)
{
	const struct frame *metric = &c->frame[METRIC];

	for (uint32_t i = 0; i < metric->n_others; i++) {
		const struct other *other = &metric->others[i];

		if (other->tag == TAG_METADATA)
			edit_cut(&c->list, node_at(c, METRIC), other->start,
				 other->end - other->start);
	}
}

/* What later parts have.  A message that was opened but gave nothing yet goes
 * as a whole. */
static void end_part(struct carver *c)
{
	for (int i = WRAPPER; i <= c->top; i++) {
		const struct frame *frame = &c->frame[i];
		const uint8_t *end = fields_of(frame->body).end;

		c->overhead += frame->others_size;
		if (i < c->top && c->frame[i + 1].since == c->steps) {
			cut_children(c, i, c->frame[i + 1].start, end);
			break;
		}
		if (i == METRIC)
			cut_metadata(c);
		cut_children(c, i, frame->fields.p, end);
	}
}

/* Writes the part as a slice of its own behind those of the batch. */
static void add_part(struct carver *c, struct weir_batch *to, uint32_t items)
{
	size_t len = edit_measure(&c->list);
	struct weir_payload *payload = payload_new(len, true);

	if (!payload)
		abort();	/* out of memory, as xmalloc */
	edit_write(&c->list, payload->bytes);
	batch_add(to, payload, payload->bytes, len, items);
	payload_unref(payload);
}

/* --- One record -------------------------------------------------------------------- */

struct record {
	weir_str bytes;		/* tag and all */
	uint32_t items;
};

/* Parts of at most max each, and what is left, behind the batch's slices. */
static void carve_rest(struct carver *c, struct weir_batch *batch,
		       uint32_t items, uint64_t max)
{
	bool more = true;

	for (uint32_t n = 0; more; n++) {
		begin_part(c);
		if (n == MAX_PARTS || c->overhead > c->len + FREE_OVERHEAD)
			break;
		more = advance(c, max);
		if (!more || !c->steps)
			break;
		end_part(c);
		add_part(c, batch, (uint32_t)c->taken);
		items -= (uint32_t)c->taken;
	}
	/* begin_part has cut what went before, nothing is cut behind. */
	add_part(c, batch, items);
}

/* The record's first `room` go to part, the rest behind batch's slices.  False
 * when not even one item fits. */
static bool carve(struct weir_batch *batch, struct weir_batch *part,
		  enum weir_sizer sizer, const struct record *record,
		  uint64_t room, uint64_t max)
{
	struct carver c = { .signal = batch->signal, .sizer = sizer,
			    .base = (const uint8_t *)record->bytes.ptr,
			    .len = record->bytes.len };
	struct fields fields = fields_of(record->bytes);
	struct wire_field f;
	bool carved;

	if (fields_next(&fields, &f))
		push(&c, &f);
	begin_part(&c);
	carved = advance(&c, room) && c.steps;
	if (carved) {
		end_part(&c);
		add_part(&c, part, (uint32_t)c.taken);
		carve_rest(&c, batch, record->items - (uint32_t)c.taken, max);
	}
	edit_release(&c.list);
	for (int i = RECORD; i < DEPTH; i++)
		free(c.frame[i].others);
	return carved;
}

/* --- The batch ------------------------------------------------------------------------ */

static uint64_t measure(enum weir_sizer sizer, size_t bytes, uint32_t items)
{
	return sizer == WEIR_SIZER_ITEMS ? items : bytes;
}

static void drop_front(struct weir_batch *batch, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		batch->bytes -= batch->slices[i].len;
		batch->items -= batch->pieces[i].items;
		payload_unref(batch->pieces[i].payload);
	}
	batch->n -= n;
	memmove(batch->slices, batch->slices + n,
		batch->n * sizeof(*batch->slices));
	memmove(batch->pieces, batch->pieces + n,
		batch->n * sizeof(*batch->pieces));
}

/* Takes bytes off the front of the first slice. */
static void shorten_front(struct weir_batch *batch, size_t len, uint32_t items)
{
	struct weir_slice *slice = &batch->slices[0];

	if (len == slice->len) {
		drop_front(batch, 1);
		return;
	}
	slice->ptr += len;
	slice->len -= len;
	batch->bytes -= len;
	batch->pieces[0].items -= items;
	batch->items -= items;
}

/* Whole slices that fit; returns the room left. */
static uint64_t move_slices(struct weir_batch *batch, struct weir_batch *part,
			    enum weir_sizer sizer, uint64_t room)
{
	uint32_t n = 0;

	for (; n < batch->n; n++) {
		const struct weir_slice *slice = &batch->slices[n];
		uint32_t items = batch->pieces[n].items;
		uint64_t size = measure(sizer, slice->len, items);

		if (size > room)
			break;
		room -= size;
		batch_add(part, batch->pieces[n].payload, slice->ptr,
			  slice->len, items);
	}
	drop_front(batch, n);
	return room;
}

/* Whole records of the first slice that fit; *next is the first that does
 * not. */
static uint64_t move_records(struct weir_batch *batch,
			     struct weir_batch *part, enum weir_sizer sizer,
			     uint64_t room, struct record *next)
{
	const struct weir_slice *slice = &batch->slices[0];
	struct fields fields = { slice->ptr, slice->ptr + slice->len };
	uint32_t items = 0;
	const uint8_t *end = slice->ptr;
	struct wire_field f;

	while (fields_next(&fields, &f)) {
		uint32_t n = f.tag == TAG_RECORDS ?
			count_items(batch->signal, WRAPPER, field_body(&f)) :
			0;
		size_t len = (size_t)(fields.p - f.start);

		*next = (struct record){ { (const char *)f.start, len }, n };
		if (measure(sizer, len, n) > room)
			break;
		room -= measure(sizer, len, n);
		items += n;
		end = fields.p;
	}
	if (end != slice->ptr) {
		batch_add(part, batch->pieces[0].payload, slice->ptr,
			  (size_t)(end - slice->ptr), items);
		shorten_front(batch, (size_t)(end - slice->ptr), items);
	}
	return room;
}

/* The last n slices come first. */
static void turn(struct weir_batch *batch, uint32_t n)
{
	uint32_t rest = batch->n - n;
	struct weir_slice *slices = xmalloc(n * sizeof(*slices));
	struct piece *pieces = xmalloc(n * sizeof(*pieces));

	memcpy(slices, batch->slices + rest, n * sizeof(*slices));
	memcpy(pieces, batch->pieces + rest, n * sizeof(*pieces));
	memmove(batch->slices + n, batch->slices, rest * sizeof(*slices));
	memmove(batch->pieces + n, batch->pieces, rest * sizeof(*pieces));
	memcpy(batch->slices, slices, n * sizeof(*slices));
	memcpy(batch->pieces, pieces, n * sizeof(*pieces));
	free(slices);
	free(pieces);
}

static void carve_front(struct weir_batch *batch, struct weir_batch *part,
			enum weir_sizer sizer, const struct record *record,
			uint64_t room, uint64_t max)
{
	uint32_t before = batch->n;

	uint32_t parts;

	if (!carve(batch, part, sizer, record, room, max))
		return;
	parts = batch->n - before;
	shorten_front(batch, record->bytes.len, record->items);
	turn(batch, parts);
}

struct weir_batch *weir_batch_split(struct weir_batch *batch,
	enum weir_sizer sizer, uint64_t max, bool *too_large)
{
	struct weir_batch *part;
	struct record next = { 0 };
	uint64_t room;

	if (too_large)
		*too_large = false;
	if (sizer == WEIR_SIZER_REQUESTS || !max ||
	    weir_batch_size(batch, sizer) <= max)
		return NULL;
	part = batch_new_like(batch);
	room = move_slices(batch, part, sizer, max);
	room = move_records(batch, part, sizer, room, &next);
	if (room)
		carve_front(batch, part, sizer, &next, room, max);
	if (!part->n) {
		batch_free(part);
		if (too_large)
			*too_large = true;
		return NULL;
	}
	batch->notes = NULL;
	if (batch->holder)
		node_hold(batch->holder, part);
	batch_share_answer(batch, part);
	return part;
}
