/* SPDX-License-Identifier: Apache-2.0 */
/*
 * element_text.c: a message's text fields, and a log record's body.
 *
 * Decoded together when the first is asked for.  Holds nothing of its own.
 */
#include "element.h"

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
	slot->start = element_offset(e, f->start);
	slot->len = (uint32_t)(end - f->start);
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

/* The text field of the own message that each number is, plus one. */
struct text_map {
	uint8_t of[16];
};

static struct text_map own_texts(const struct weir_element *e)
{
	struct text_map map = { { 0 } };

	for (int i = 0; i < WEIR_TEXT_COUNT; i++)
		if (i != WEIR_TEXT_STATUS_MESSAGE && i != WEIR_TEXT_SCHEMA_URL)
			map.of[element_text_field(e, i)] = (uint8_t)(i + 1);
	map.of[0] = 0;
	return map;
}

static void load_own_field(struct weir_element *e, const struct text_map *map,
			   const struct wire_field *f, const uint8_t *end)
{
	uint32_t number = wire_field_of(f->tag);
	bool record = e->level == WEIR_LEVEL_RECORD;

	if (wire_type_of(f->tag) != WIRE_BYTES || number >= 16)
		return;
	if (map->of[number]) {
		load_slot(e, &e->text[map->of[number] - 1], f, end);
	} else if (record && e->signal == WEIR_SIGNAL_TRACES &&
		   number == 15) {
		load_status(e, f);
	} else if (record && e->signal == WEIR_SIGNAL_LOGS && number == 5) {
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
	struct text_map map;
	struct wire_field f;

	if (e->has_texts)
		return;
	map = own_texts(e);
	e->has_texts = true;
	memset(e->text, 0, sizeof(e->text));
	e->body = (struct text_slot){ 0 };
	load_schema_url(e);
	while (e->own.present && fields_next(&fields, &f))
		load_own_field(e, &map, &f, fields.p);
}

bool weir_text_applies(const struct weir_element *e,
		       enum weir_text_field field)
{
	return element_text_field(e, field) != 0;
}

weir_str weir_text_get(const struct weir_element *e,
		       enum weir_text_field field)
{
	if (!weir_text_applies(e, field))
		return (weir_str){ "", 0 };
	element_load_texts(element_mutable(e));
	if (!e->text[field].text.len)
		return (weir_str){ "", 0 };
	return e->text[field].text;
}

static void make_status(struct weir_element *e)
{
	if (e->status.present || e->status.made)
		return;
	e->status.anchor = element_place(e, 15);
	e->status.made = true;
}

static void insert_text(struct weir_element *e, enum weir_text_field field)
{
	struct text_slot *slot = &e->text[field];
	uint32_t number = element_text_field(e, field);

	if (field == WEIR_TEXT_SCHEMA_URL) {
		slot->anchor = element_place_in(e, &e->outer, number);
	} else if (field == WEIR_TEXT_STATUS_MESSAGE) {
		make_status(e);
		slot->anchor = element_place_in(e, &e->status, number);
	} else {
		element_touch(e);
		slot->anchor = element_place(e, number);
	}
	slot->inserted = true;
}

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
	slot->text = element_keep(e, text);
	element_view_update(e);
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
	element_load_texts(element_mutable(e));
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
		e->body.anchor = element_place(e, 5);
		e->body.inserted = true;
	}
	e->body_value = element_keep_value(e, body);
	element_view_update(e);
}

