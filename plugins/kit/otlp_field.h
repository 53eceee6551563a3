/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_field.h: the fields of a message, one by one.
 *
 * The bytes have passed the validating walk, so there is nothing to refuse;
 * lengths are checked all the same, and what does not fit ends the message it
 * stands in.  Pure; inline, since this is where reading spends its time.
 */
#ifndef KIT_OTLP_FIELD_H
#define KIT_OTLP_FIELD_H

#include <endian.h>
#include <weir/base.h>

struct otlp_field {
	uint32_t number, wire;
	uint64_t scalar;	/* varint, fixed64, fixed32 */
	weir_str bytes;		/* length-delimited */
};

static inline bool otlp_read_varint_slowly(const uint8_t **p,
					   const uint8_t *end,
					   uint64_t *value)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift < 64 && *p < end; shift += 7) {
		uint8_t byte = *(*p)++;

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*value = v;
			return true;
		}
	}
	return false;
}

static inline bool otlp_read_varint(const uint8_t **p, const uint8_t *end,
				    uint64_t *value)
{
	if (*p < end && **p < 0x80) {
		*value = *(*p)++;
		return true;
	}
	return otlp_read_varint_slowly(p, end, value);
}

static inline bool otlp_read_fixed(const uint8_t **p, const uint8_t *end,
				   size_t n, uint64_t *value)
{
	uint64_t little = 0;

	if (n > (size_t)(end - *p))
		return false;
	memcpy(&little, *p, n);
	*value = le64toh(little);
	*p += n;
	return true;
}

/* false: the end, or what is no field. */
static inline bool otlp_field_next(const uint8_t **p, const uint8_t *end,
				   struct otlp_field *r)
{
	uint64_t key, len;

	if (*p >= end || !otlp_read_varint(p, end, &key))
		return false;
	r->number = (uint32_t)(key >> 3);
	r->wire = key & 7;
	switch (r->wire) {
	case 0:
		return otlp_read_varint(p, end, &r->scalar);
	case 1:
		return otlp_read_fixed(p, end, 8, &r->scalar);
	case 5:
		return otlp_read_fixed(p, end, 4, &r->scalar);
	case 2:
		if (!otlp_read_varint(p, end, &len) ||
		    len > (uint64_t)(end - *p))
			return false;
		r->bytes = (weir_str){ (const char *)*p, (size_t)len };
		*p += len;
		return true;
	default:		/* groups do not pass the walk */
		return false;
	}
}

#endif
