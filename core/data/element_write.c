/* SPDX-License-Identifier: Apache-2.0 */
/*
 * element_write.c: what stages changed of an element, as edits.
 *
 * A removed field is cut, a replaced one written in its place, an added one
 * inserted at the place that was chosen when it was added.  A Resource, scope
 * or Status that did not exist is written as one field of its parent.
 */
#include "element.h"
#include "fields.h"

static uint8_t *put_bytes(uint8_t *out, uint32_t tag, weir_str body)
{
	out = wire_put_varint(out, tag);
	out = wire_put_varint(out, body.len);
	if (body.len)
		memcpy(out, body.ptr, body.len);
	return out + body.len;
}

static size_t bytes_size(uint32_t tag, size_t len)
{
	return wire_varint_size(tag) + wire_varint_size(len) + len;
}

static void entry_init(struct entry *entry, const struct weir_element *e,
		       const struct attr_slot *slot)
{
	struct fields fields = { e->base + slot->start,
				 e->base + slot->start + slot->len };
	struct wire_field f;

	entry->tag = TAG_BYTES(e->attr_field);
	entry->record = (weir_str){ 0 };
	entry->key = slot->pub.key;
	entry->value = &slot->pub.value;
	if (slot->len && fields_next(&fields, &f))
		entry->record = field_body(&f);
}

/* --- Into a message that is there ------------------------------------------ */

static void write_attr(struct weir_element *e, const struct attr_slot *slot,
		       struct edit_list *list)
{
	struct entry entry;
	uint8_t *out;

	if (slot->gone) {
		if (slot->len)
			edit_cut(list, e->own.node, slot->start, slot->len);
		return;
	}
	if (slot->len && !slot->replaced)
		return;
	entry_init(&entry, e, slot);
	out = edit_put(list, e->own.node, slot->start, slot->len,
		       (uint8_t)e->attr_field, (uint32_t)entry_size(&entry));
	entry_put(&entry, out);
}

static void write_text(const struct text_slot *slot, uint32_t node,
		       uint32_t field, struct edit_list *list)
{
	uint32_t tag = TAG_BYTES(field);
	uint32_t size = (uint32_t)bytes_size(tag, slot->text.len);

	if (slot->cut)
		edit_cut(list, node, slot->start, slot->len);
	else if (slot->replaced)
		put_bytes(edit_put(list, node, slot->start, slot->len,
				   (uint8_t)field, size), tag, slot->text);
	if (slot->inserted)
		put_bytes(edit_put(list, node, slot->anchor, 0,
				   (uint8_t)field, size), tag, slot->text);
}

static void write_body(struct weir_element *e, struct edit_list *list)
{
	uint32_t len = (uint32_t)weir_value_size(&e->body_value);
	uint8_t *out;

	if (!e->body.replaced && !e->body.inserted)
		return;
	out = edit_put(list, e->own.node,
		       e->body.replaced ? e->body.start : e->body.anchor,
		       e->body.replaced ? e->body.len : 0, 5,
		       (uint32_t)bytes_size(TAG_BYTES(5), len));
	*out++ = TAG_BYTES(5);		/* LogRecord.body = 5 */
	weir_value_write(&e->body_value, wire_put_varint(out, len));
}

/* Span.status = 15, Status.message = 2. */
static void write_status(struct weir_element *e, struct edit_list *list)
{
	const struct text_slot *slot = &e->text[WEIR_TEXT_STATUS_MESSAGE];
	size_t inside = slot->inserted ? bytes_size(TAG_BYTES(2),
						    slot->text.len) : 0;
	uint8_t *out;

	if (e->status.present) {
		if (!slot->cut && !slot->replaced && !slot->inserted)
			return;
		e->status.node = edit_node_body(list, e->own.node,
						e->status.body);
		write_text(slot, e->status.node, 2, list);
	} else if (e->status.made) {
		out = edit_put(list, e->own.node, e->status.anchor, 0, 15,
			       (uint32_t)bytes_size(TAG_BYTES(15), inside));
		*out++ = TAG_BYTES(15);
		out = wire_put_varint(out, inside);
		if (inside)
			put_bytes(out, TAG_BYTES(2), slot->text);
	}
}

static void write_own_texts(struct weir_element *e, struct edit_list *list)
{
	for (int i = 0; i < WEIR_TEXT_COUNT; i++)
		if (i != WEIR_TEXT_STATUS_MESSAGE && i != WEIR_TEXT_SCHEMA_URL)
			write_text(&e->text[i], e->own.node,
				   element_text_field(e, i), list);
	write_body(e, list);
	write_status(e, list);
}

/* --- A message that was not there ---------------------------------------------- */

/* Resource and InstrumentationScope: texts 1 and 2, then the attributes. */
static const enum weir_text_field made_texts[] = { WEIR_TEXT_NAME,
						   WEIR_TEXT_VERSION };

static size_t made_size(const struct weir_element *e)
{
	size_t size = 0;

	for (int i = 0; i < 2 && e->has_texts; i++)
		if (e->text[made_texts[i]].inserted)
			size += bytes_size(8, e->text[made_texts[i]].text.len);
	for (const struct attr_slot *a = e->first; a; a = a->next) {
		struct entry entry;

		if (a->gone)
			continue;
		entry_init(&entry, e, a);
		size += entry_size(&entry);
	}
	return size;
}

static void write_made(struct weir_element *e, struct edit_list *list)
{
	size_t size = made_size(e);
	uint8_t *out = edit_put(list, e->outer.node, e->own.anchor, 0, 1,
				(uint32_t)bytes_size(TAG_RESOURCE, size));

	*out++ = TAG_RESOURCE;		/* the scope has the same number */
	out = wire_put_varint(out, size);
	for (int i = 0; i < 2 && e->has_texts; i++) {
		const struct text_slot *slot = &e->text[made_texts[i]];

		if (slot->inserted)
			out = put_bytes(out, TAG_BYTES(
				element_text_field(e, made_texts[i])),
				slot->text);
	}
	for (const struct attr_slot *a = e->first; a; a = a->next) {
		struct entry entry;

		if (a->gone)
			continue;
		entry_init(&entry, e, a);
		entry_size(&entry);
		out = entry_put(&entry, out);
	}
}

void element_write(struct weir_element *e, struct edit_list *list)
{
	if (e->own.made)
		write_made(e, list);
	else if (e->own.present)
		for (const struct attr_slot *a = e->first; a; a = a->next)
			write_attr(e, a, list);
	if (!e->has_texts)
		return;
	if (e->own.present)
		write_own_texts(e, list);
	if (element_text_field(e, WEIR_TEXT_SCHEMA_URL))
		write_text(&e->text[WEIR_TEXT_SCHEMA_URL], e->outer.node,
			   3, list);
}
