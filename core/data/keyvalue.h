/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyvalue.h: KeyValue and AnyValue as every SDK writes them, read at once.
 *
 * Key before value, one member, lengths below 128: a few comparisons instead
 * of two loops over fields.  Anything else takes the long way in value.c, to
 * the same result.
 */
#ifndef CORE_KEYVALUE_H
#define CORE_KEYVALUE_H

#include "fields.h"

#define TAG_KEY TAG_BYTES(1)		/* KeyValue.key = 1 */
#define TAG_VALUE TAG_BYTES(2)		/* KeyValue.value = 2 */

void value_read_any(const uint8_t *p, size_t len, struct weir_value *out);
void keyvalue_read_any(weir_str record, weir_str *key,
		       struct weir_value *value);

/* The members of the oneof that are length-delimited. */
#define VALUE_BYTES_MASK (1u << WEIR_VALUE_STRING | 1u << WEIR_VALUE_LIST | \
			  1u << WEIR_VALUE_MAP | 1u << WEIR_VALUE_BYTES)

/* Writes member by member: a struct put together and then copied waits for its
 * own stores. */
static inline void value_read(const uint8_t *p, size_t len,
			      struct weir_value *out)
{
	if (len >= 2 && p[1] == len - 2 && p[1] < 0x80 && p[0] < 0x40 &&
	    wire_type_of(p[0]) == WIRE_BYTES &&
	    VALUE_BYTES_MASK >> wire_field_of(p[0]) & 1) {
		out->type = (enum weir_value_type)wire_field_of(p[0]);
		out->str.ptr = (const char *)p + 2;
		out->str.len = len - 2;
	} else if (len == 9 &&
		   p[0] == WIRE_TAG(WEIR_VALUE_DOUBLE, WIRE_FIXED64)) {
		uint64_t bits = wire_fixed64(p + 1);

		out->type = WEIR_VALUE_DOUBLE;
		out->str.len = 0;
		memcpy(&out->real, &bits, sizeof(bits));
	} else {
		value_read_any(p, len, out);
	}
}

static inline void keyvalue_read(weir_str record, weir_str *key,
				 struct weir_value *value)
{
	const uint8_t *p = (const uint8_t *)record.ptr;
	size_t key_len, value_len;

	if (record.len < 4 || p[0] != TAG_KEY || p[1] >= 0x80 ||
	    p[1] > record.len - 4)
		goto any;
	key_len = p[1];
	value_len = record.len - 4 - key_len;
	if (p[2 + key_len] != TAG_VALUE || p[3 + key_len] != value_len ||
	    value_len >= 0x80)
		goto any;
	key->ptr = (const char *)p + 2;
	key->len = key_len;
	value_read(p + 4 + key_len, value_len, value);
	return;
any:
	keyvalue_read_any(record, key, value);
}

/* Has the record that key? */
static inline bool keyvalue_is(weir_str record, weir_str key)
{
	const uint8_t *p = (const uint8_t *)record.ptr;
	struct weir_value value;
	weir_str own;

	if (record.len >= 2 && p[0] == TAG_KEY && p[1] < 0x80)
		return p[1] == key.len && key.len <= record.len - 2 &&
		       (!key.len || (p[2] == (uint8_t)key.ptr[0] &&
				     !memcmp(p + 2, key.ptr, key.len)));
	keyvalue_read_any(record, &own, &value);
	return weir_str_eq(own, key);
}

#endif
