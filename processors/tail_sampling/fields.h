/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h: the fields of a message that has passed the walk, one after the
 * other.  Pure, inline: this is the loop that every span goes through.
 */
#ifndef TAIL_SAMPLING_FIELDS_H
#define TAIL_SAMPLING_FIELDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <weir/base.h>

#define TAG(field, type) ((uint32_t)(field) << 3 | (type))
#define TAG_BYTES(field) TAG(field, 2)

struct field {
	uint32_t tag;
	uint64_t value;		/* a number; of bytes: how many */
	const uint8_t *body;	/* of bytes */
};

/* Behind the varint; NULL: cut off. */
static inline const uint8_t *get_varint(const uint8_t *p, const uint8_t *end,
					uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && p < end; shift += 7) {
		uint8_t byte = *p++;

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*out = v;
			return p;
		}
	}
	return NULL;
}

static inline const uint8_t *get_fixed(const uint8_t *p, const uint8_t *end,
				       size_t size, uint64_t *out)
{
	if (size > (size_t)(end - p))
		return NULL;
	*out = 0;
	memcpy(out, p, size);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	*out = __builtin_bswap64(*out);
#endif
	return p + size;
}

/* Any field but what next_field does itself. */
static __attribute__((noinline, unused)) const uint8_t *
next_field_any(const uint8_t *p, const uint8_t *end, struct field *f)
{
	uint64_t tag;

	if (p == end || !(p = get_varint(p, end, &tag)))
		return NULL;
	f->tag = (uint32_t)tag;
	switch (tag & 7) {
	case 0:
		return get_varint(p, end, &f->value);
	case 1:
		return get_fixed(p, end, 8, &f->value);
	case 2:
		p = get_varint(p, end, &f->value);
		if (!p || f->value > (uint64_t)(end - p))
			return NULL;
		f->body = p;
		return p + f->value;
	case 5:
		return get_fixed(p, end, 4, &f->value);
	default:	/* groups do not pass the walk */
		return NULL;
	}
}

/* Behind the field at p; NULL at the end, and at what cannot be read.  Inlined:
 * what most fields are, and fixed32 of field 16, the flags of a span. */
static inline __attribute__((always_inline)) const uint8_t *
next_field(const uint8_t *p, const uint8_t *end, struct field *f)
{
	if (2 > end - p)
		return next_field_any(p, end, f);
	f->tag = p[0];
	f->value = p[1];
	f->body = p + 2;
	switch (p[0] & 0x87) {
	case 2:
		if (p[1] < 0x80 && p[1] <= end - p - 2)
			return p + 2 + p[1];
		break;
	case 1:
		return get_fixed(p + 1, end, 8, &f->value);
	case 0:
		if (p[1] < 0x80)
			return p + 2;
		break;
	case 0x85:
		if (p[0] == 0x85 && p[1] == 1) {
			f->tag = TAG(16, 5);
			return get_fixed(p + 2, end, 4, &f->value);
		}
		break;
	}
	return next_field_any(p, end, f);
}

static inline weir_str field_body(const struct field *f)
{
	return (weir_str){ (const char *)f->body, (size_t)f->value };
}

#endif
