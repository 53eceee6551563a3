/* SPDX-License-Identifier: Apache-2.0 */
/*
 * element_place.c: where a field that a stage adds goes.
 *
 * In the order of field numbers among what is live at that moment, which is
 * where it would stand had every earlier change been written already.
 */
#include "element.h"

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
uint32_t element_place(struct weir_element *e, uint32_t number)
{
	struct fields fields = fields_of(e->own.body);
	const struct attr_slot *slot;
	uint32_t place = element_offset(e, fields.end);
	struct wire_field f;

	if (!e->own.present)
		return 0;
	slot = e->first;
	while (fields_next(&fields, &f)) {
		uint32_t start = element_offset(e, f.start);

		if (wire_field_of(f.tag) > number && is_live(e, start, &slot)) {
			place = start;
			break;
		}
	}
	return place_of_inserted(e, number, place);
}

/* The same for a message of which one text field at most changes. */
uint32_t element_place_in(const struct weir_element *e,
			  const struct part *part, uint32_t number)
{
	struct fields fields = fields_of(part->body);
	struct wire_field f;

	if (!part->present)
		return 0;
	while (fields_next(&fields, &f))
		if (wire_field_of(f.tag) > number)
			return element_offset(e, f.start);
	return element_offset(e, fields.end);
}

/* Something was put into the own message: it exists from now on. */
void element_touch(struct weir_element *e)
{
	e->changed = true;
	if (e->own.present || e->own.made)
		return;
	e->own.made = true;
	e->own.anchor = element_offset(e, fields_of(e->outer.body).p);
}

