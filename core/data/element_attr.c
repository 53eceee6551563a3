/* SPDX-License-Identifier: Apache-2.0 */
/*
 * element_attr.c: the attribute list of a message, looked at and changed.
 *
 * Read from the bytes each time; only what a stage takes in hand is decoded
 * into a slot.  So a key that is not there costs a comparison an attribute,
 * and nothing has to be built first.
 */
#include "element.h"
#include "keyvalue.h"

/* Stands between two attributes of the bytes. */
struct scan {
	struct weir_element *e;
	struct fields fields;		/* from here on */
	const uint8_t *behind;		/* the last one passed */
	struct attr_slot **link;	/* of the first slot not passed */
};

static struct scan scan_first(struct weir_element *e)
{
	return (struct scan){ e, e->attrs, e->attrs.p, &e->first };
}

static struct scan scan_after(struct weir_element *e, struct attr_slot *slot)
{
	const uint8_t *p = e->base + slot->start + slot->len;

	return (struct scan){ e, { p, e->attrs.end }, p, &slot->next };
}

/* The next attribute, with a key the next one that has it.  Narrows what later
 * scans have to look at. */
static inline __attribute__((always_inline)) bool
scan_to(struct scan *scan, const weir_str *key, struct wire_field *f)
{
	struct weir_element *e = scan->e;
	const uint32_t tag = TAG_BYTES(e->attr_field);
	struct fields fields = scan->fields;
	const uint8_t *behind = scan->behind, *first = NULL;
	bool found = false;

	while (!found && fields_next(&fields, f)) {
		if (f->tag != tag)
			continue;
		behind = fields.p;
		if (!first)
			first = f->start;
		found = !key || keyvalue_is(field_body(f), *key);
	}
	scan->fields.p = fields.p;
	scan->behind = behind;
	if (first && !e->attrs_begun) {
		e->attrs.p = first;
		e->attrs_begun = true;
	}
	if (!found) {
		e->attrs.end = behind;
		e->attrs_ended = true;
	}
	return found;
}

static bool scan_next(struct scan *scan, struct wire_field *f)
{
	return scan_to(scan, NULL, f);
}

static bool is_added(const struct attr_slot *slot)
{
	return !slot->len;
}

/* The slot of the attribute that was just passed; NULL when it has none. */
static struct attr_slot *scan_slot(struct scan *scan,
				   const struct wire_field *f)
{
	uint32_t start = element_offset(scan->e, f->start);
	struct attr_slot *slot;

	while ((slot = *scan->link) && !is_added(slot) && slot->start < start)
		scan->link = &slot->next;
	return slot && !is_added(slot) && slot->start == start ? slot : NULL;
}

static struct attr_slot *insert(struct weir_element *e,
				struct attr_slot **link)
{
	struct attr_slot *slot = element_slot(e);

	slot->next = *link;
	slot->gone = slot->replaced = false;
	if (!slot->next)
		e->last = slot;
	*link = slot;
	return slot;
}

/* The same, made when it has none. */
static struct attr_slot *scan_take(struct scan *scan,
				   const struct wire_field *f)
{
	struct attr_slot *slot = scan_slot(scan, f);

	if (slot)
		return slot;
	slot = insert(scan->e, scan->link);
	slot->start = element_offset(scan->e, f->start);
	slot->len = (uint32_t)(scan->fields.p - f->start);
	keyvalue_read(field_body(f), &slot->pub.key, &slot->pub.value);
	return slot;
}

/* The first live one from a slot on that a stage added. */
static struct attr_slot *live_added(struct attr_slot *slot)
{
	while (slot && (!is_added(slot) || slot->gone))
		slot = slot->next;
	return slot;
}

/* --- Looking ---------------------------------------------------------------- */

struct weir_attr *weir_attr_next(struct weir_element *e,
				 struct weir_attr *after)
{
	struct attr_slot *slot = (struct attr_slot *)(void *)after;
	struct scan scan;
	struct wire_field f;

	if (!slot || !is_added(slot)) {
		scan = slot ? scan_after(e, slot) : scan_first(e);
		while (scan_next(&scan, &f)) {
			slot = scan_take(&scan, &f);
			if (!slot->gone)
				return &slot->pub;
		}
		slot = live_added(*scan.link);
	} else {
		slot = live_added(slot->next);
	}
	return slot ? &slot->pub : NULL;
}

/* The next live one of that key in the bytes, then among the added. */
static struct attr_slot *find(struct scan *scan, weir_str key)
{
	struct attr_slot *slot;
	struct wire_field f;

	while (scan_to(scan, &key, &f)) {
		slot = scan_take(scan, &f);
		if (!slot->gone)
			return slot;
	}
	slot = live_added(*scan->link);
	while (slot && !weir_str_eq(slot->pub.key, key))
		slot = live_added(slot->next);
	return slot;
}

struct weir_attr *weir_attr_find(struct weir_element *e, weir_str key)
{
	struct scan scan = scan_first(e);
	struct attr_slot *slot = find(&scan, key);

	return slot ? &slot->pub : NULL;
}

/* --- Changing --------------------------------------------------------------- */

void weir_attr_remove(struct weir_element *e, struct weir_attr *attr)
{
	struct attr_slot *slot = (struct attr_slot *)(void *)attr;

	slot->gone = true;
	e->attrs_removed = true;
	e->changed = true;
}

/* A removed one is not found again: so the scan goes on behind it, and starts
 * over only among the few that were added. */
size_t weir_attr_remove_key(struct weir_element *e, weir_str key)
{
	struct scan scan = scan_first(e);
	struct attr_slot *slot;
	size_t n = 0;

	while ((slot = find(&scan, key))) {
		weir_attr_remove(e, &slot->pub);
		n++;
	}
	return n;
}

void weir_attr_replace(struct weir_element *e, struct weir_attr *attr,
		       const struct weir_value *value)
{
	struct attr_slot *slot = (struct attr_slot *)(void *)attr;

	slot->pub.value = element_keep_value(e, value);
	slot->replaced = true;
	e->changed = true;
}

/* Behind the last of the bytes that is live, else where the field belongs. */
static uint32_t place_of_first_added(struct weir_element *e)
{
	struct scan scan = scan_first(e);
	const uint8_t *end = NULL;
	struct wire_field f;

	if (e->attrs_ended && !e->attrs_removed && e->attrs_begun)
		return element_offset(e, e->attrs.end);
	while (scan_next(&scan, &f)) {
		const struct attr_slot *slot = scan_slot(&scan, &f);

		if (!slot || !slot->gone)
			end = scan.fields.p;
	}
	if (end)
		return element_offset(e, end);
	element_load_texts(e);
	return element_place(e, e->attr_field);
}

/* All that are added stand in one place. */
static uint32_t place_of_added(struct weir_element *e)
{
	const struct attr_slot *slot;

	if (e->last && is_added(e->last)) {
		slot = live_added(e->first);
		if (slot)
			return slot->start;
	}
	return place_of_first_added(e);
}

struct weir_attr *weir_attr_add(struct weir_element *e, weir_str key,
				const struct weir_value *value)
{
	struct attr_slot *slot;
	uint32_t place;

	element_touch(e);
	place = place_of_added(e);
	slot = insert(e, e->last ? &e->last->next : &e->first);
	slot->start = place;
	slot->len = 0;
	slot->pub.key = element_keep(e, key);
	slot->pub.value = element_keep_value(e, value);
	return &slot->pub;
}
