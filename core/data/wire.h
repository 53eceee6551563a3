/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h: the protobuf wire format, its smallest parts.
 *
 * Everything is inline and pure.  Readers take a cursor and an end and answer
 * NULL for what is malformed; none reads at or behind `end`.  Lengths are
 * compared as `len > end - p`, never as a sum.
 */
#ifndef CORE_WIRE_H
#define CORE_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_BYTES = 2,		/* length-delimited */
	WIRE_GROUP = 3,
	WIRE_END_GROUP = 4,
	WIRE_FIXED32 = 5
};

#define WIRE_VARINT_MAX 10	/* bytes of the longest varint */

#define WIRE_TAG(field, type) ((uint32_t)(field) << 3 | (uint32_t)(type))

static inline uint32_t wire_field_of(uint32_t tag)
{
	return tag >> 3;
}

static inline enum wire_type wire_type_of(uint32_t tag)
{
	return (enum wire_type)(tag & 7);
}

/* Two bytes and more: at most ten, the tenth at most 1. */
static inline const uint8_t *wire_varint_long(const uint8_t *p,
					      const uint8_t *end, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 70 && p < end; shift += 7) {
		uint8_t byte = *p++;

		if (shift == 63 && byte > 1)
			return NULL;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*out = v;
			return p;
		}
	}
	return NULL;
}

/* Behind the varint at p, or NULL when it is cut off or longer than 64 bits. */
static inline const uint8_t *wire_varint(const uint8_t *p, const uint8_t *end,
					 uint64_t *out)
{
	if (p < end && *p < 0x80) {
		*out = *p;
		return p + 1;
	}
	return wire_varint_long(p, end, out);
}

/* A tag: a varint of 32 bits, five bytes at most (C++ and C parsers refuse
 * more), whose field number is not 0. */
static inline const uint8_t *wire_tag(const uint8_t *p, const uint8_t *end,
				      uint32_t *tag)
{
	uint64_t v;
	const uint8_t *q = wire_varint(p, end, &v);

	if (!q || v > UINT32_MAX || v < 8 || q - p > 5)
		return NULL;
	*tag = (uint32_t)v;
	return q;
}

/* Bytes of the shortest varint for v: 1 to 10. */
static inline unsigned wire_varint_size(uint64_t v)
{
	/* 64 - clz bits, seven a byte. */
	return (unsigned)(70 - __builtin_clzll(v | 1)) / 7;
}

/* Writes the shortest varint, returns behind it. */
static inline uint8_t *wire_put_varint(uint8_t *out, uint64_t v)
{
	while (v >= 0x80) {
		*out++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*out++ = (uint8_t)v;
	return out;
}

static inline uint64_t wire_fixed64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static inline uint32_t wire_fixed32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	return v;
}

static inline uint8_t *wire_put_fixed64(uint8_t *out, uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	memcpy(out, &v, sizeof(v));
	return out + sizeof(v);
}

static inline uint8_t *wire_put_fixed32(uint8_t *out, uint32_t v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	memcpy(out, &v, sizeof(v));
	return out + sizeof(v);
}

static inline int64_t wire_zigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* One field of a message. */
struct wire_field {
	uint32_t tag;
	uint64_t value;		/* VARINT, FIXED64, FIXED32; BYTES: length */
	const uint8_t *start;	/* of the tag */
	const uint8_t *body;	/* of the value; BYTES: behind the length */
};

/* Reads the field at p (p < end) and returns behind it.  NULL: malformed, or
 * a group: those are cut before cursors see anything. */
static inline const uint8_t *wire_next(const uint8_t *p, const uint8_t *end,
				       struct wire_field *f)
{
	f->start = p;
	p = wire_tag(p, end, &f->tag);
	if (!p)
		return NULL;
	f->body = p;
	switch (wire_type_of(f->tag)) {
	case WIRE_VARINT:
		return wire_varint(p, end, &f->value);
	case WIRE_FIXED64:
		if (8 > end - p)
			return NULL;
		f->value = wire_fixed64(p);
		return p + 8;
	case WIRE_BYTES:
		p = wire_varint(p, end, &f->value);
		if (!p || f->value > (uint64_t)(end - p))
			return NULL;
		f->body = p;
		return p + f->value;
	case WIRE_FIXED32:
		if (4 > end - p)
			return NULL;
		f->value = wire_fixed32(p);
		return p + 4;
	default:
		return NULL;
	}
}

/* Behind the value of a field whose tag was read; as wire_next. */
static inline const uint8_t *wire_skip(const uint8_t *p, const uint8_t *end,
				       uint32_t tag)
{
	uint64_t v;

	switch (wire_type_of(tag)) {
	case WIRE_VARINT:
		return wire_varint(p, end, &v);
	case WIRE_FIXED64:
		return 8 > end - p ? NULL : p + 8;
	case WIRE_BYTES:
		p = wire_varint(p, end, &v);
		return !p || v > (uint64_t)(end - p) ? NULL : p + v;
	case WIRE_FIXED32:
		return 4 > end - p ? NULL : p + 4;
	default:
		return NULL;
	}
}

#endif
