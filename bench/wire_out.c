/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_out.c: protobuf's wire format, field by field.
 */
#include "wire_out.h"

#include <stdlib.h>
#include <string.h>

void *grown(void *ptr, size_t size)
{
	ptr = realloc(ptr, size);
	if (!ptr)
		abort();
	return ptr;
}

void raw(struct out *o, const void *ptr, size_t len)
{
	if (o->cap - o->len < len) {
		o->cap = (o->cap + len) * 2;
		o->p = grown(o->p, o->cap);
	}
	memcpy(o->p + o->len, ptr, len);
	o->len += len;
}

static void varint(struct out *o, uint64_t v)
{
	uint8_t b[10];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		b[n++] = (uint8_t)(v | 0x80);
	b[n++] = (uint8_t)v;
	raw(o, b, n);
}

void bytes(struct out *o, uint32_t field, const void *ptr, size_t len)
{
	varint(o, field << 3 | 2);
	varint(o, len);
	raw(o, ptr, len);
}

void text(struct out *o, uint32_t field, const char *s)
{
	bytes(o, field, s, strlen(s));
}

void integer(struct out *o, uint32_t field, uint64_t v)
{
	varint(o, field << 3);
	varint(o, v);
}

void fixed64(struct out *o, uint32_t field, uint64_t v)
{
	varint(o, field << 3 | 1);
	raw(o, &v, 8);
}

/* KeyValue { key = 1, value = 2 } around an AnyValue */
static void attribute(struct out *o, uint32_t field, const char *key,
		      struct out *value)
{
	struct out kv = { 0 };

	text(&kv, 1, key);
	bytes(&kv, 2, value->p, value->len);
	bytes(o, field, kv.p, kv.len);
	free(kv.p);
	free(value->p);
}

void attr_text(struct out *o, uint32_t field, const char *key,
		      const char *s)
{
	struct out v = { 0 };

	text(&v, 1, s);
	attribute(o, field, key, &v);
}

void attr_int(struct out *o, uint32_t field, const char *key,
		     uint64_t n)
{
	struct out v = { 0 };

	integer(&v, 3, n);
	attribute(o, field, key, &v);
}

void attr_double(struct out *o, uint32_t field, const char *key,
			double d)
{
	struct out v = { 0 };
	uint64_t bits;

	memcpy(&bits, &d, 8);
	fixed64(&v, 4, bits);
	attribute(o, field, key, &v);
}

void attr_bool(struct out *o, uint32_t field, const char *key, bool b)
{
	struct out v = { 0 };

	integer(&v, 2, b);
	attribute(o, field, key, &v);
}

size_t read_varint(const uint8_t **p)
{
	size_t v = 0;

	for (int shift = 0;; shift += 7) {
		v |= (size_t)(**p & 0x7f) << shift;
		if (*(*p)++ < 0x80)
			return v;
	}
}
