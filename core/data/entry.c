/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.c: a KeyValue field written anew.
 *
 * The value takes the place of the old one; every other field of the old
 * record, known or not, is copied as it is.  A new entry is key and value.
 */
#include "element.h"
#include "keyvalue.h"

/* "field" of a KeyValue: how long with tag and length. */
static size_t field_size(size_t body)
{
	return 1 + wire_varint_size(body) + body;
}

static size_t body_size(const struct entry *entry)
{
	struct fields fields = fields_of(entry->record);
	size_t size = field_size(entry->value_len);
	struct wire_field f;

	if (!entry->record.len)
		return size + (entry->key.len ? field_size(entry->key.len) : 0);
	while (fields_next(&fields, &f))
		if (f.tag != TAG_VALUE)
			size += (size_t)(fields.p - f.start);
	return size;
}

size_t entry_size(struct entry *entry)
{
	entry->value_len = weir_value_size(entry->value);
	entry->body_len = body_size(entry);
	return wire_varint_size(entry->tag) +
	       wire_varint_size(entry->body_len) + entry->body_len;
}

static uint8_t *put_value(const struct entry *entry, uint8_t *out)
{
	*out++ = TAG_VALUE;
	out = wire_put_varint(out, entry->value_len);
	return weir_value_write(entry->value, out);
}

static uint8_t *put_key(const struct entry *entry, uint8_t *out)
{
	if (!entry->key.len)
		return out;
	*out++ = TAG_KEY;
	out = wire_put_varint(out, entry->key.len);
	memcpy(out, entry->key.ptr, entry->key.len);
	return out + entry->key.len;
}

uint8_t *entry_put(const struct entry *entry, uint8_t *out)
{
	struct fields fields = fields_of(entry->record);
	struct wire_field f;
	bool done = false;

	out = wire_put_varint(out, entry->tag);
	out = wire_put_varint(out, entry->body_len);
	if (!entry->record.len)
		return put_value(entry, put_key(entry, out));
	while (fields_next(&fields, &f)) {
		size_t len = (size_t)(fields.p - f.start);

		if (f.tag != TAG_VALUE) {
			memcpy(out, f.start, len);
			out += len;
		} else if (!done) {
			out = put_value(entry, out);
			done = true;
		}
	}
	return done ? out : put_value(entry, out);
}
