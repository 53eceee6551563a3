/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.c: AnyValue, read in place and written anew.
 *
 * Holds nothing.  The bytes have passed the validating walk; where they have
 * not, a cursor stops at what it cannot read, and never reads past its end.
 */
#include <weir/value.h>

#include "keyvalue.h"

#define TAG_VALUES WIRE_TAG(1, WIRE_BYTES)	/* ArrayValue, KeyValueList */

/* Sets what the field says; a field of no member leaves *out alone. */
static void value_field(const struct wire_field *f, struct weir_value *out)
{
	switch (f->tag) {
	case WIRE_TAG(WEIR_VALUE_STRING, WIRE_BYTES):
	case WIRE_TAG(WEIR_VALUE_LIST, WIRE_BYTES):
	case WIRE_TAG(WEIR_VALUE_MAP, WIRE_BYTES):
	case WIRE_TAG(WEIR_VALUE_BYTES, WIRE_BYTES):
		out->str = field_body(f);
		break;
	case WIRE_TAG(WEIR_VALUE_BOOL, WIRE_VARINT):
		out->boolean = f->value != 0;
		break;
	case WIRE_TAG(WEIR_VALUE_INT, WIRE_VARINT):
		out->integer = (int64_t)f->value;
		break;
	case WIRE_TAG(WEIR_VALUE_DOUBLE, WIRE_FIXED64):
		memcpy(&out->real, &f->value, sizeof(out->real));
		break;
	default:
		return;
	}
	out->type = (enum weir_value_type)wire_field_of(f->tag);
}

/* An int or a bool alone, as nearly all of the rest are. */
static bool read_varint(const uint8_t *p, size_t len, struct weir_value *out)
{
	uint64_t v;

	if (len < 2 || (p[0] != WIRE_TAG(WEIR_VALUE_INT, WIRE_VARINT) &&
			p[0] != WIRE_TAG(WEIR_VALUE_BOOL, WIRE_VARINT)) ||
	    wire_varint(p + 1, p + len, &v) != p + len)
		return false;
	out->type = (enum weir_value_type)wire_field_of(p[0]);
	out->str.len = 0;
	if (out->type == WEIR_VALUE_INT)
		out->integer = (int64_t)v;
	else
		out->boolean = v != 0;
	return true;
}

void value_read_any(const uint8_t *p, size_t len, struct weir_value *out)
{
	struct fields fields = fields_of((weir_str){ (const char *)p, len });
	struct wire_field f;

	if (read_varint(p, len, out))
		return;
	*out = (struct weir_value){ 0 };
	while (fields_next(&fields, &f))
		value_field(&f, out);
}

struct weir_value weir_value_read(weir_str body)
{
	struct weir_value value;

	value_read((const uint8_t *)body.ptr, body.len, &value);
	return value;
}

size_t weir_value_size(const struct weir_value *value)
{
	switch (value->type) {
	case WEIR_VALUE_EMPTY:
		return 0;
	case WEIR_VALUE_BOOL:
		return 2;
	case WEIR_VALUE_INT:
		return 1 + wire_varint_size((uint64_t)value->integer);
	case WEIR_VALUE_DOUBLE:
		return 9;
	default:
		return 1 + wire_varint_size(value->str.len) + value->str.len;
	}
}

static uint8_t *put_str(uint8_t *out, weir_str str)
{
	out = wire_put_varint(out, str.len);
	if (str.len)
		memcpy(out, str.ptr, str.len);
	return out + str.len;
}

uint8_t *weir_value_write(const struct weir_value *value, uint8_t *out)
{
	uint64_t bits;

	switch (value->type) {
	case WEIR_VALUE_EMPTY:
		return out;
	case WEIR_VALUE_BOOL:
		*out++ = WIRE_TAG(WEIR_VALUE_BOOL, WIRE_VARINT);
		*out++ = value->boolean;
		return out;
	case WEIR_VALUE_INT:
		*out++ = WIRE_TAG(WEIR_VALUE_INT, WIRE_VARINT);
		return wire_put_varint(out, (uint64_t)value->integer);
	case WEIR_VALUE_DOUBLE:
		*out++ = WIRE_TAG(WEIR_VALUE_DOUBLE, WIRE_FIXED64);
		memcpy(&bits, &value->real, sizeof(bits));
		return wire_put_fixed64(out, bits);
	default:
		*out++ = (uint8_t)WIRE_TAG(value->type, WIRE_BYTES);
		return put_str(out, value->str);
	}
}

/* --- Lists, maps, attributes ----------------------------------------------- */

struct weir_value_cursor weir_value_items(const struct weir_value *value)
{
	struct weir_value_cursor cursor = { .tag = TAG_VALUES };

	if (value->type != WEIR_VALUE_LIST && value->type != WEIR_VALUE_MAP)
		return cursor;
	cursor.map = value->type == WEIR_VALUE_MAP;
	cursor.p = (const uint8_t *)value->raw.ptr;
	cursor.end = value->raw.len ? cursor.p + value->raw.len : cursor.p;
	return cursor;
}

void keyvalue_read_any(weir_str record, weir_str *key,
		       struct weir_value *value)
{
	struct fields fields = fields_of(record);
	struct wire_field f;

	*key = (weir_str){ record.ptr, 0 };
	*value = (struct weir_value){ 0 };
	while (fields_next(&fields, &f)) {
		if (f.tag == TAG_KEY)
			*key = field_body(&f);
		else if (f.tag == TAG_VALUE)
			value_read(f.body, f.value, value);
	}
}

bool weir_value_next(struct weir_value_cursor *cursor)
{
	struct fields fields = { cursor->p, cursor->end };
	struct wire_field f;
	bool found = fields_find(&fields, cursor->tag, &f);

	cursor->p = fields.p;
	if (!found)
		return false;
	cursor->record = field_body(&f);
	if (cursor->map) {
		keyvalue_read(cursor->record, &cursor->item.key,
			      &cursor->item.value);
		return true;
	}
	cursor->item.key = (weir_str){ 0 };
	value_read(f.body, f.value, &cursor->item.value);
	return true;
}

/* --- Equality --------------------------------------------------------------- */

static size_t count_items(const struct weir_value *value)
{
	struct weir_value_cursor cursor = weir_value_items(value);
	size_t n = 0;

	while (weir_value_next(&cursor))
		n++;
	return n;
}

static bool list_eq(const struct weir_value *a, const struct weir_value *b)
{
	struct weir_value_cursor x = weir_value_items(a);
	struct weir_value_cursor y = weir_value_items(b);

	while (weir_value_next(&x))
		if (!weir_value_next(&y) ||
		    !weir_value_eq(&x.item.value, &y.item.value))
			return false;
	return !weir_value_next(&y);
}

/* The first entry of that key decides, as a lookup would. */
static bool map_has(const struct weir_value *map,
		    const struct weir_attribute *entry)
{
	struct weir_value_cursor cursor = weir_value_items(map);

	while (weir_value_next(&cursor))
		if (weir_str_eq(cursor.item.key, entry->key))
			return weir_value_eq(&cursor.item.value, &entry->value);
	return false;
}

/* Quadratic, but only for maps of equal size: one of the two is from a
 * configuration. */
static bool map_eq(const struct weir_value *a, const struct weir_value *b)
{
	struct weir_value_cursor cursor = weir_value_items(a);

	if (count_items(a) != count_items(b))
		return false;
	while (weir_value_next(&cursor))
		if (!map_has(b, &cursor.item))
			return false;
	return true;
}

bool weir_value_eq(const struct weir_value *a, const struct weir_value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case WEIR_VALUE_EMPTY:
		return true;
	case WEIR_VALUE_BOOL:
		return a->boolean == b->boolean;
	case WEIR_VALUE_INT:
		return a->integer == b->integer;
	case WEIR_VALUE_DOUBLE:
		return a->real == b->real;
	case WEIR_VALUE_LIST:
		return list_eq(a, b);
	case WEIR_VALUE_MAP:
		return map_eq(a, b);
	default:
		return weir_str_eq(a->str, b->str);
	}
}
