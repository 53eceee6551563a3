/* SPDX-License-Identifier: Apache-2.0 */
/*
 * element.c: what a stage sees and changes of one message.
 *
 * Holds the element's slots and scratch, reused from message to message.
 * Never writes: element_write.c turns the outcome into edits.
 */
#include "element.h"

#include <stdlib.h>

#include "fields.h"

#define CHUNK_SLOTS 64

struct slot_chunk {
	struct slot_chunk *next;
	struct attr_slot slots[CHUNK_SLOTS];
};

void element_open(struct weir_element *e, const struct element_place *place)
{
	static const uint32_t fields[] = {
		[WEIR_LEVEL_RESOURCE] = 1, [WEIR_LEVEL_SCOPE] = 3,
		[WEIR_LEVEL_METRIC] = 12, [WEIR_LEVEL_EVENT] = 3,
		[WEIR_LEVEL_LINK] = 4, [WEIR_LEVEL_EXEMPLAR] = 7 };

	e->level = place->level;
	e->data = place->data;
	e->outer = place->outer;
	e->own = place->own;
	e->status = (struct part){ .node = PART_UNKNOWN };
	if (e->level != WEIR_LEVEL_RECORD)
		e->attr_field = fields[e->level];
	else if (e->signal == WEIR_SIGNAL_METRICS)
		e->attr_field = point_attributes_field(e->data);
	else
		e->attr_field = e->signal == WEIR_SIGNAL_TRACES ? 9 : 6;
	e->has_attrs = e->has_texts = e->has_schema_url = e->has_view = false;
	e->changed = false;
	e->first = e->last = NULL;
	e->chunk = e->chunks;
	e->used = 0;
	if (e->scratched)
		arena_reset(&e->scratch);
	e->scratched = false;
}

void element_release(struct weir_element *e)
{
	while (e->chunks) {
		struct slot_chunk *chunk = e->chunks;

		e->chunks = chunk->next;
		free(chunk);
	}
	arena_release(&e->scratch);
	edit_release(&e->inner);
	weir_text_release(&e->path);
}

/* --- Memory -------------------------------------------------------------------- */

static struct attr_slot *slot_new(struct weir_element *e)
{
	struct attr_slot *slot;

	if (e->chunk && e->used == CHUNK_SLOTS && e->chunk->next) {
		e->chunk = e->chunk->next;
		e->used = 0;
	} else if (!e->chunk || e->used == CHUNK_SLOTS) {
		struct slot_chunk *more = xmalloc(sizeof(*more));

		more->next = NULL;
		if (e->chunk)
			e->chunk->next = more;
		else
			e->chunks = more;
		e->chunk = more;
		e->used = 0;
	}
	slot = &e->chunk->slots[e->used++];
	*slot = (struct attr_slot){ 0 };
	if (e->last)
		e->last->next = slot;
	else
		e->first = slot;
	e->last = slot;
	return slot;
}

void *weir_scratch(struct weir_element *e, size_t size)
{
	e->scratched = true;
	return arena_alloc(&e->scratch, size);
}

weir_str weir_scratch_str(struct weir_element *e, weir_str text)
{
	e->scratched = true;
	return arena_str(&e->scratch, text);
}

/* What a stage gave need live only until it returns; the slice lives longer. */
static weir_str keep(struct weir_element *e, weir_str text)
{
	uintptr_t at = (uintptr_t)text.ptr - (uintptr_t)e->base;

	return !text.len || at < e->base_len ? text : weir_scratch_str(e, text);
}

static struct weir_value keep_value(struct weir_element *e,
				    const struct weir_value *value)
{
	struct weir_value kept = *value;

	switch (value->type) {
	case WEIR_VALUE_STRING:
	case WEIR_VALUE_BYTES:
	case WEIR_VALUE_LIST:
	case WEIR_VALUE_MAP:
		kept.str = keep(e, value->str);
		break;
	default:
		break;
	}
	return kept;
}

static uint32_t offset_in(const struct weir_element *e, const uint8_t *p)
{
	return (uint32_t)(p - e->base);
}

/* --- Looking --------------------------------------------------------------------- */

enum weir_signal weir_element_signal(const struct weir_element *e)
{
	return e->signal;
}

enum weir_level weir_element_level(const struct weir_element *e)
{
	return e->level;
}

const struct weir_batch *weir_element_batch(const struct weir_element *e)
{
	return e->batch;
}

/* --- Where a new field goes --------------------------------------------------------- */

/* Is the field that starts there still live?  *slot runs along the original
 * attributes, which are in ascending order. */
static bool is_live(const struct weir_element *e, uint32_t start,
		    const struct attr_slot **slot)
{
	while (*slot && (*slot)->start < start)
		*slot = (*slot)->next;
	if (*slot && (*slot)->start == start && (*slot)->len)
		return !(*slot)->gone;
	for (int i = 0; i < WEIR_TEXT_COUNT; i++)
		if (e->text[i].len && e->text[i].start == start)
			return !e->text[i].cut;
	return true;
}

/* Inserted fields of the own message with a greater number: the least place
 * of one. */
static uint32_t place_of_inserted(const struct weir_element *e,
				  uint32_t number, uint32_t place)
{
	for (int i = 0; i < WEIR_TEXT_COUNT; i++) {
		const struct text_slot *text = &e->text[i];

		if (i != WEIR_TEXT_STATUS_MESSAGE && i != WEIR_TEXT_SCHEMA_URL
		    && text->inserted && text->anchor < place &&
		    element_text_field(e, i) > number)
			place = text->anchor;
	}
	if (e->body.inserted && e->body.anchor < place && number < 5)
		place = e->body.anchor;
	if (e->status.made && e->status.anchor < place && number < 15)
		place = e->status.anchor;
	if (number >= e->attr_field)
		return place;
	for (const struct attr_slot *a = e->first; a; a = a->next)
		if (!a->len && !a->gone && a->start < place)
			place = a->start;
	return place;
}

/* In front of the first live field with a greater number, else at the end. */
static uint32_t place_in_own(struct weir_element *e, uint32_t number)
{
	struct fields fields = fields_of(e->own.body);
	const struct attr_slot *slot;
	uint32_t place = offset_in(e, fields.end);
	struct wire_field f;

	if (!e->own.present)
		return 0;
	element_load_attrs(e);
	slot = e->first;
	while (fields_next(&fields, &f)) {
		uint32_t start = offset_in(e, f.start);

		if (wire_field_of(f.tag) > number && is_live(e, start, &slot)) {
			place = start;
			break;
		}
	}
	return place_of_inserted(e, number, place);
}

/* The same for a message of which one text field at most changes. */
static uint32_t place_in(const struct weir_element *e,
			 const struct part *part, uint32_t number)
{
	struct fields fields = fields_of(part->body);
	struct wire_field f;

	if (!part->present)
		return 0;
	while (fields_next(&fields, &f))
		if (wire_field_of(f.tag) > number)
			return offset_in(e, f.start);
	return offset_in(e, fields.end);
}

/* Something was put into the own message: it exists from now on. */
static void touch_own(struct weir_element *e)
{
	e->changed = true;
	if (e->own.present || e->own.made)
		return;
	e->own.made = true;
	e->own.anchor = offset_in(e, fields_of(e->outer.body).p);
}

/* --- Attributes -------------------------------------------------------------------- */

/* One KeyValue field, from its tag to end. */
static void load_attr(struct weir_element *e, const uint8_t *start,
		      const uint8_t *end)
{
	struct weir_value_cursor cursor = { .p = start, .end = end,
		.tag = TAG_BYTES(e->attr_field), .map = true };
	struct attr_slot *slot = slot_new(e);

	weir_value_next(&cursor);
	slot->pub.key = cursor.item.key;
	slot->pub.value = cursor.item.value;
	slot->start = offset_in(e, start);
	slot->len = (uint32_t)(end - start);
}

void element_load_attrs(struct weir_element *e)
{
	struct fields fields = fields_of(e->own.body);
	struct wire_field f;

	if (e->has_attrs)
		return;
	e->has_attrs = true;
	while (e->own.present && fields_next(&fields, &f))
		if (f.tag == TAG_BYTES(e->attr_field))
			load_attr(e, f.start, fields.p);
}

static struct attr_slot *live(struct attr_slot *slot)
{
	while (slot && slot->gone)
		slot = slot->next;
	return slot;
}

struct weir_attr *weir_attr_next(struct weir_element *e,
				 struct weir_attr *after)
{
	struct attr_slot *slot = (struct attr_slot *)(void *)after;

	element_load_attrs(e);
	slot = live(slot ? slot->next : e->first);
	return slot ? &slot->pub : NULL;
}

struct weir_attr *weir_attr_find(struct weir_element *e, weir_str key)
{
	struct weir_attr *attr = NULL;

	while ((attr = weir_attr_next(e, attr)))
		if (weir_str_eq(attr->key, key))
			break;
	return attr;
}

void weir_attr_remove(struct weir_element *e, struct weir_attr *attr)
{
	struct attr_slot *slot = (struct attr_slot *)(void *)attr;

	slot->gone = true;
	e->changed = true;
}

size_t weir_attr_remove_key(struct weir_element *e, weir_str key)
{
	struct weir_attr *attr = NULL;
	size_t n = 0;

	while ((attr = weir_attr_next(e, attr))) {
		if (!weir_str_eq(attr->key, key))
			continue;
		weir_attr_remove(e, attr);
		n++;
	}
	return n;
}

void weir_attr_replace(struct weir_element *e, struct weir_attr *attr,
		       const struct weir_value *value)
{
	struct attr_slot *slot = (struct attr_slot *)(void *)attr;

	slot->pub.value = keep_value(e, value);
	slot->replaced = true;
	e->changed = true;
}

/* Behind the last live one of the list, else where the field belongs. */
static uint32_t place_of_attr(struct weir_element *e)
{
	const struct attr_slot *last = e->last;

	if (last && last->gone) {
		last = NULL;
		for (const struct attr_slot *a = e->first; a; a = a->next)
			if (!a->gone)
				last = a;
	}
	if (last)
		return last->start + last->len;
	element_load_texts(e);
	return place_in_own(e, e->attr_field);
}

struct weir_attr *weir_attr_add(struct weir_element *e, weir_str key,
				const struct weir_value *value)
{
	struct attr_slot *slot;
	uint32_t place;

	element_load_attrs(e);
	touch_own(e);
	place = place_of_attr(e);
	slot = slot_new(e);
	slot->start = place;
	slot->pub.key = keep(e, key);
	slot->pub.value = keep_value(e, value);
	return &slot->pub;
}

/* --- Text fields ---------------------------------------------------------------------- */

/* By level; a record's depends on the signal.  Data points and exemplars have
 * no text. */
static const uint8_t text_fields[WEIR_LEVEL_COUNT][WEIR_TEXT_COUNT] = {
	[WEIR_LEVEL_RESOURCE] = { [WEIR_TEXT_SCHEMA_URL] = 3 },
	[WEIR_LEVEL_SCOPE] = { [WEIR_TEXT_NAME] = 1, [WEIR_TEXT_VERSION] = 2,
			       [WEIR_TEXT_SCHEMA_URL] = 3 },
	[WEIR_LEVEL_METRIC] = { [WEIR_TEXT_NAME] = 1,
				[WEIR_TEXT_DESCRIPTION] = 2,
				[WEIR_TEXT_UNIT] = 3 },
	[WEIR_LEVEL_EVENT] = { [WEIR_TEXT_NAME] = 2 },
	[WEIR_LEVEL_LINK] = { [WEIR_TEXT_TRACE_STATE] = 3 },
};
static const uint8_t span_texts[WEIR_TEXT_COUNT] = {
	[WEIR_TEXT_NAME] = 5, [WEIR_TEXT_STATUS_MESSAGE] = 2,
	[WEIR_TEXT_TRACE_STATE] = 3,
};
static const uint8_t log_texts[WEIR_TEXT_COUNT] = {
	[WEIR_TEXT_NAME] = 12, [WEIR_TEXT_SEVERITY] = 3,
};

uint32_t element_text_field(const struct weir_element *e,
			    enum weir_text_field field)
{
	if (field >= WEIR_TEXT_COUNT)
		return 0;
	if (e->level != WEIR_LEVEL_RECORD)
		return text_fields[e->level][field];
	if (e->signal == WEIR_SIGNAL_METRICS)
		return 0;
	return e->signal == WEIR_SIGNAL_TRACES ? span_texts[field] :
						 log_texts[field];
}

static void load_slot(const struct weir_element *e, struct text_slot *slot,
		      const struct wire_field *f, const uint8_t *end)
{
	slot->text = field_body(f);
	slot->start = offset_in(e, f->start);
	slot->len = (uint32_t)(end - f->start);
}

/* The text field of a part that the tag is, or -1. */
static int text_of_tag(const struct weir_element *e, uint32_t tag)
{
	for (int i = 0; i < WEIR_TEXT_COUNT; i++)
		if (i != WEIR_TEXT_STATUS_MESSAGE &&
		    i != WEIR_TEXT_SCHEMA_URL && element_text_field(e, i) &&
		    tag == TAG_BYTES(element_text_field(e, i)))
			return i;
	return -1;
}

static void load_status(struct weir_element *e, const struct wire_field *f)
{
	struct fields fields = fields_of(field_body(f));
	struct text_slot *slot = &e->text[WEIR_TEXT_STATUS_MESSAGE];
	struct wire_field g;

	e->status.present = true;
	e->status.body = field_body(f);
	while (fields_next(&fields, &g))
		if (g.tag == TAG_BYTES(2))
			load_slot(e, slot, &g, fields.p);
}

static void load_own_field(struct weir_element *e, const struct wire_field *f,
			   const uint8_t *end)
{
	bool record = e->level == WEIR_LEVEL_RECORD;
	int text = text_of_tag(e, f->tag);

	if (text >= 0) {
		load_slot(e, &e->text[text], f, end);
	} else if (record && e->signal == WEIR_SIGNAL_TRACES &&
		   f->tag == TAG_BYTES(15)) {
		load_status(e, f);
	} else if (record && e->signal == WEIR_SIGNAL_LOGS &&
		   f->tag == TAG_BYTES(5)) {
		load_slot(e, &e->body, f, end);
		e->body_value = weir_value_read(field_body(f));
	}
}

static void load_schema_url(struct weir_element *e)
{
	struct fields fields = fields_of(e->outer.body);
	struct wire_field f;

	if (!element_text_field(e, WEIR_TEXT_SCHEMA_URL))
		return;
	while (fields_next(&fields, &f))
		if (f.tag == TAG_SCHEMA_URL)
			load_slot(e, &e->text[WEIR_TEXT_SCHEMA_URL], &f,
				  fields.p);
}

void element_load_texts(struct weir_element *e)
{
	struct fields fields = fields_of(e->own.body);
	struct wire_field f;

	if (e->has_texts)
		return;
	e->has_texts = true;
	memset(e->text, 0, sizeof(e->text));
	e->body = (struct text_slot){ 0 };
	load_schema_url(e);
	while (e->own.present && fields_next(&fields, &f))
		load_own_field(e, &f, fields.p);
}

bool weir_text_applies(const struct weir_element *e,
		       enum weir_text_field field)
{
	return element_text_field(e, field) != 0;
}

/* Decoding late changes nothing that anyone can see. */
static struct weir_element *mutable(const struct weir_element *e)
{
	return (struct weir_element *)(uintptr_t)e;
}

weir_str weir_text_get(const struct weir_element *e,
		       enum weir_text_field field)
{
	if (!weir_text_applies(e, field))
		return (weir_str){ "", 0 };
	element_load_texts(mutable(e));
	if (!e->text[field].text.len)
		return (weir_str){ "", 0 };
	return e->text[field].text;
}

static void make_status(struct weir_element *e)
{
	if (e->status.present || e->status.made)
		return;
	e->status.anchor = place_in_own(e, 15);
	e->status.made = true;
}

static void insert_text(struct weir_element *e, enum weir_text_field field)
{
	struct text_slot *slot = &e->text[field];
	uint32_t number = element_text_field(e, field);

	if (field == WEIR_TEXT_SCHEMA_URL) {
		slot->anchor = place_in(e, &e->outer, number);
	} else if (field == WEIR_TEXT_STATUS_MESSAGE) {
		make_status(e);
		slot->anchor = place_in(e, &e->status, number);
	} else {
		touch_own(e);
		slot->anchor = place_in_own(e, number);
	}
	slot->inserted = true;
}

static void view_update(struct weir_element *e);

/* An empty text is an absent field. */
void weir_text_set(struct weir_element *e, enum weir_text_field field,
		   weir_str text)
{
	struct text_slot *slot = &e->text[field];

	if (!weir_text_applies(e, field) ||
	    weir_str_eq(weir_text_get(e, field), text))
		return;
	e->changed = true;
	if (!text.len) {
		slot->cut = slot->len != 0;
		slot->inserted = slot->replaced = false;
	} else if (slot->len && !slot->cut) {
		slot->replaced = true;
	} else if (!slot->inserted) {
		insert_text(e, field);
	}
	slot->text = keep(e, text);
	view_update(e);
}

/* --- Body ---------------------------------------------------------------------------- */

static bool has_body(const struct weir_element *e)
{
	return e->signal == WEIR_SIGNAL_LOGS && e->level == WEIR_LEVEL_RECORD;
}

bool weir_body_get(const struct weir_element *e, struct weir_value *body)
{
	if (!has_body(e))
		return false;
	element_load_texts(mutable(e));
	if (!e->body.len && !e->body.inserted)
		return false;
	*body = e->body_value;
	return true;
}

void weir_body_set(struct weir_element *e, const struct weir_value *body)
{
	if (!has_body(e))
		return;
	element_load_texts(e);
	e->changed = true;
	if (e->body.len) {
		e->body.replaced = true;
	} else if (!e->body.inserted) {
		e->body.anchor = place_in_own(e, 5);
		e->body.inserted = true;
	}
	e->body_value = keep_value(e, body);
	view_update(e);
}

/* --- Flat views ------------------------------------------------------------------------ */

static void update_span(struct weir_element *e)
{
	struct weir_span *span = &e->view.span;

	span->name = e->text[WEIR_TEXT_NAME].text;
	span->trace_state = e->text[WEIR_TEXT_TRACE_STATE].text;
	span->status_message = e->text[WEIR_TEXT_STATUS_MESSAGE].text;
	span->has_status = e->status.present || e->status.made;
}

static void update_log(struct weir_element *e)
{
	struct weir_log_record *log = &e->view.log;

	log->event_name = e->text[WEIR_TEXT_NAME].text;
	log->severity_text = e->text[WEIR_TEXT_SEVERITY].text;
	log->has_body = weir_body_get(e, &log->body);
}

static void update_metric(struct weir_element *e)
{
	struct weir_metric_view *metric = &e->view.metric;

	metric->name = e->text[WEIR_TEXT_NAME].text;
	metric->description = e->text[WEIR_TEXT_DESCRIPTION].text;
	metric->unit = e->text[WEIR_TEXT_UNIT].text;
}

static void update_scope(struct weir_element *e)
{
	struct weir_scope *scope = &e->view.scope;

	scope->name = e->text[WEIR_TEXT_NAME].text;
	scope->version = e->text[WEIR_TEXT_VERSION].text;
	scope->schema_url = e->text[WEIR_TEXT_SCHEMA_URL].text;
}

/* Brings what stages changed into a view that is decoded. */
static void view_update(struct weir_element *e)
{
	if (!e->has_view || !e->has_texts)
		return;
	if (e->level == WEIR_LEVEL_SCOPE)
		update_scope(e);
	else if (e->level == WEIR_LEVEL_METRIC)
		update_metric(e);
	else if (e->signal == WEIR_SIGNAL_TRACES)
		update_span(e);
	else if (e->signal == WEIR_SIGNAL_LOGS)
		update_log(e);
}

/* Is it of that kind?  Then its view is decoded and up to date. */
static bool view_of(struct weir_element *e, enum weir_level level,
		    int signal)
{
	weir_str body = e->own.body;

	if (e->level != level || (signal >= 0 && (int)e->signal != signal))
		return false;
	if (e->has_view)
		return true;
	e->has_view = true;
	if (level == WEIR_LEVEL_SCOPE)
		weir_scope_read(e->outer.body, &e->view.scope);
	else if (level == WEIR_LEVEL_METRIC)
		weir_metric_read(body, &e->view.metric);
	else if (signal == WEIR_SIGNAL_TRACES)
		weir_span_read(body, &e->view.span);
	else if (signal == WEIR_SIGNAL_LOGS)
		weir_log_read(body, &e->view.log);
	else
		weir_point_read(body, e->data, &e->view.point);
	view_update(e);
	return true;
}

const struct weir_span *weir_element_span(const struct weir_element *e)
{
	return view_of(mutable(e), WEIR_LEVEL_RECORD, WEIR_SIGNAL_TRACES) ?
		&e->view.span : NULL;
}

const struct weir_log_record *weir_element_log(const struct weir_element *e)
{
	return view_of(mutable(e), WEIR_LEVEL_RECORD, WEIR_SIGNAL_LOGS) ?
		&e->view.log : NULL;
}

const struct weir_point *weir_element_point(const struct weir_element *e)
{
	return view_of(mutable(e), WEIR_LEVEL_RECORD, WEIR_SIGNAL_METRICS) ?
		&e->view.point : NULL;
}

const struct weir_metric_view *weir_element_metric(
	const struct weir_element *e)
{
	return view_of(mutable(e), WEIR_LEVEL_METRIC, -1) ?
		&e->view.metric : NULL;
}

const struct weir_scope *weir_element_scope(const struct weir_element *e)
{
	return view_of(mutable(e), WEIR_LEVEL_SCOPE, -1) ?
		&e->view.scope : NULL;
}
