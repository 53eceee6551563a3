/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_json_scalar.c: one JSON token becomes one protobuf field.
 *
 * Spellings are the Collector's (collector.md 7.4, wire.md 1.9): 64-bit and
 * 32-bit integers as numbers or strings, never through a double; doubles also
 * as text, "NaN" and "Infinity" included; enums by number or full name; ids
 * hexadecimal in either case; bytes in standard base64, padded.
 *
 * Must never take a value for another one: what does not fit is refused.
 */
#include <endian.h>
#include <weir/digits.h>
#include <weir/kit/actions.h>

#include "otlp_json_read.h"

#define TEXT_NUMBER_MAX 128	/* longer text is a plain JSON number or none */

static size_t varint_size(size_t v)
{
	return (size_t)(70 - __builtin_clzll(v | 1)) / 7;
}

static void put_varint(struct otlp_out *out, uint64_t v)
{
	uint8_t *p = out->bytes + out->len;

	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	out->len = (size_t)(p - out->bytes);
}

static void put_fixed(struct otlp_out *out, uint64_t v, size_t n)
{
	uint64_t little = htole64(v);

	/* Room for a record is more than eight bytes. */
	memcpy(out->bytes + out->len, &little, sizeof(little));
	out->len += n;
}

/* --- Text --------------------------------------------------------------- */

/* The current token's text without escapes; where it has some, it is written
 * behind what will be written next, and lies there until then. */
static bool plain_text(struct otlp_reading *r, weir_str *text)
{
	struct otlp_out *out = &r->out;
	char *to;

	*text = r->json.text;
	if (!r->json.escaped)
		return true;
	if (!otlp_out_need(out, text->len + 2 * OTLP_RECORD))
		return otlp_refuse_room(r);
	to = (char *)out->bytes + out->len + 2 * OTLP_RECORD;
	text->len = weir_json_unescape(*text, to);
	text->ptr = to;
	return true;
}

/* A length whose size was guessed by `most`: makes it the shortest. */
static void settle(struct otlp_out *out, size_t most, size_t len)
{
	size_t guess = varint_size(most), size = varint_size(len);
	uint8_t *body = out->bytes + out->len + guess;

	if (size < guess)
		memmove(body - (guess - size), body, len);
	put_varint(out, len);
	out->len += len;
}

static bool read_text(struct otlp_reading *r, const struct otlp_row *row,
		      bool keep)
{
	struct otlp_out *out = &r->out;
	weir_str text = r->json.text;

	if (r->json.token == WEIR_JSON_NULL)
		text.len = 0;
	else if (r->json.token != WEIR_JSON_STRING)
		return otlp_refuse(r, "a string is expected");
	if (!text.len && !keep)
		return true;
	if (!otlp_out_need(out, text.len + OTLP_RECORD))
		return otlp_refuse_room(r);
	put_varint(out, otlp_tag(row, 2));
	if (r->json.escaped) {
		uint8_t *to = out->bytes + out->len + varint_size(text.len);

		settle(out, text.len, weir_json_unescape(text, (char *)to));
		return true;
	}
	put_varint(out, text.len);
	memcpy(out->bytes + out->len, text.ptr, text.len);
	out->len += text.len;
	return true;
}

/* RFC 4648 4, padded.  to may lie a little before text.  -1: no base64. */
static int64_t decode_base64(weir_str text, uint8_t *to)
{
	const uint8_t *first = to;
	size_t n = text.len;

	if (n % 4)
		return -1;
	if (n && text.ptr[n - 1] == '=')
		n -= text.ptr[n - 2] == '=' ? 2 : 1;
	for (size_t i = 0; i < n; i += 4) {
		size_t some = n - i < 4 ? n - i : 4;
		uint32_t bits = 0;

		for (size_t k = 0; k < 4; k++) {
			int digit = k < some ? weir_digit_base64(text.ptr[i + k]) :
					       0;

			if (digit < 0)
				return -1;
			bits = bits << 6 | (uint32_t)digit;
		}
		for (size_t k = 0; k + 1 < some; k++)
			*to++ = (uint8_t)(bits >> (16 - 8 * k));
	}
	return to - first;
}

static bool read_bytes(struct otlp_reading *r, const struct otlp_row *row)
{
	struct otlp_out *out = &r->out;
	weir_str text;
	int64_t len;

	if (r->json.token != WEIR_JSON_STRING)
		return otlp_refuse(r, "a string in base64 is expected");
	if (!plain_text(r, &text))
		return false;
	if (!r->json.escaped && !otlp_out_need(out, text.len + OTLP_RECORD))
		return otlp_refuse_room(r);
	put_varint(out, otlp_tag(row, 2));
	len = decode_base64(text, out->bytes + out->len +
			    varint_size(text.len));
	if (len < 0)
		return otlp_refuse(r, "this is no base64 with its padding");
	settle(out, text.len, (size_t)len);
	return true;
}

/* A digit's value and 16; 0 for anything else. */
static const uint8_t hex[256] = {
	['0'] = 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
	['A'] = 26, 27, 28, 29, 30, 31, ['a'] = 26, 27, 28, 29, 30, 31
};

/* n bytes; false: not all of it are digits. */
static bool decode_hex(const char *text, size_t n, uint8_t *to)
{
	const uint8_t *p = (const uint8_t *)text;
	unsigned all = 16;

	for (size_t i = 0; i < n; i++) {
		unsigned high = hex[p[2 * i]], low = hex[p[2 * i + 1]];

		all &= high & low;
		to[i] = (uint8_t)(high << 4 | (low & 15));
	}
	return all;
}

static bool read_id(struct otlp_reading *r, const struct otlp_row *row,
		    size_t size, bool keep)
{
	struct otlp_out *out = &r->out;
	weir_str text;

	if (r->json.token != WEIR_JSON_STRING)
		return otlp_refuse(r, "an id in hexadecimal is expected");
	if (!plain_text(r, &text))
		return false;
	if (!text.len && !keep)
		return true;
	if (text.len && text.len != 2 * size)
		return otlp_refuse(r, size == 16 ?
			"an id of 32 hexadecimal digits is expected" :
			"an id of 16 hexadecimal digits is expected");
	if (!r->json.escaped && !otlp_out_need(out, 2 * OTLP_RECORD))
		return otlp_refuse_room(r);
	put_varint(out, otlp_tag(row, 2));
	put_varint(out, text.len / 2);
	if (!decode_hex(text.ptr, text.len / 2, out->bytes + out->len))
		return otlp_refuse(r, "this is no hexadecimal digit");
	out->len += text.len / 2;
	return true;
}

/* --- Numbers ------------------------------------------------------------ */

static bool read_unsigned(struct otlp_reading *r, uint64_t max, uint64_t *value)
{
	weir_str text;

	if (r->json.token != WEIR_JSON_NUMBER &&
	    r->json.token != WEIR_JSON_STRING)
		return otlp_refuse(r, "an integer is expected");
	if (!plain_text(r, &text))
		return false;
	if (text.len && text.ptr[0] == '-')
		return otlp_refuse(r, "this may not be negative");
	if (!weir_json_uint64(text, value) || *value > max)
		return otlp_refuse(r, "no integer, or out of range");
	return true;
}

/* Text may have leading zeros, and a plus sign. */
static bool read_signed(struct otlp_reading *r, int64_t min, int64_t max,
			int64_t *value)
{
	weir_str text;

	if (r->json.token != WEIR_JSON_NUMBER &&
	    r->json.token != WEIR_JSON_STRING)
		return otlp_refuse(r, "an integer is expected");
	if (!plain_text(r, &text))
		return false;
	if (text.len > 1 && text.ptr[0] == '+' && text.ptr[1] != '-')
		text = (weir_str){ text.ptr + 1, text.len - 1 };
	if (!weir_json_int64(text, value) || *value < min || *value > max)
		return otlp_refuse(r, "no integer, or out of range");
	return true;
}

/* Text of any length without an allocation of that length. */
static bool parse_text(weir_str text, double *value)
{
	struct weir_json json;

	if (text.len < TEXT_NUMBER_MAX)
		return weir_parse_double(text, value);
	weir_json_open(&json, text);
	return weir_json_next(&json) == WEIR_JSON_NUMBER &&
	       json.text.len == text.len && weir_json_double(text, value);
}

/* The bits of a double. */
static bool read_double(struct otlp_reading *r, uint64_t *bits)
{
	weir_str text;
	double value;
	bool ok;

	if (r->json.token != WEIR_JSON_NUMBER &&
	    r->json.token != WEIR_JSON_STRING)
		return otlp_refuse(r, "a number is expected");
	if (!plain_text(r, &text))
		return false;
	ok = r->json.token == WEIR_JSON_NUMBER ?
		weir_json_double(text, &value) : parse_text(text, &value);
	if (!ok)
		return otlp_refuse(r, "no number, or out of range");
	memcpy(bits, &value, sizeof(*bits));
	return true;
}

static bool read_bool(struct otlp_reading *r, uint64_t *value)
{
	if (r->json.token != WEIR_JSON_TRUE && r->json.token != WEIR_JSON_FALSE)
		return otlp_refuse(r, "true or false is expected");
	*value = r->json.token == WEIR_JSON_TRUE;
	return true;
}

static bool read_enum(struct otlp_reading *r, const struct otlp_names *names,
		      uint64_t *value)
{
	weir_str text;
	int64_t number;

	if (r->json.token == WEIR_JSON_NUMBER) {
		if (!read_signed(r, INT32_MIN, INT32_MAX, &number))
			return false;
		*value = (uint64_t)number;
		return true;
	}
	if (r->json.token != WEIR_JSON_STRING)
		return otlp_refuse(r, "a number or a name is expected");
	if (!plain_text(r, &text))
		return false;
	for (*value = 0; *value < names->n; ++*value)
		if (weir_str_eq(text, weir_str_of(names->name[*value])))
			return true;
	return otlp_refuse(r, "there is no such name for this field");
}

/* What the wire has for the number that is the current token. */
static bool read_number(struct otlp_reading *r, const struct otlp_row *row,
			uint64_t *value)
{
	int64_t number;

	switch ((enum otlp_kind)row->kind) {
	case OTLP_UINT32:
	case OTLP_FIXED32:
		return read_unsigned(r, UINT32_MAX, value);
	case OTLP_UINT64:
	case OTLP_BUCKETS:
	case OTLP_COUNTS:
		return read_unsigned(r, UINT64_MAX, value);
	case OTLP_SINT32:
		if (!read_signed(r, INT32_MIN, INT32_MAX, &number))
			return false;
		/* zigzag */
		*value = (uint32_t)number << 1 ^ (number < 0 ? UINT32_MAX : 0);
		return true;
	case OTLP_INT64:
	case OTLP_SFIXED64:
		if (!read_signed(r, INT64_MIN, INT64_MAX, &number))
			return false;
		*value = (uint64_t)number;
		return true;
	case OTLP_ENUM:
		return read_enum(r, row->names, value);
	case OTLP_BOOL:
		return read_bool(r, value);
	default:
		return read_double(r, value);
	}
}

/* Wire types: varint 0, fixed64 1, fixed32 5. */
static uint32_t wire_of(const struct otlp_row *row)
{
	switch ((enum otlp_kind)row->kind) {
	case OTLP_FIXED32:
		return 5;
	case OTLP_UINT64:
	case OTLP_SFIXED64:
	case OTLP_DOUBLE:
	case OTLP_BUCKETS:
	case OTLP_BOUNDS:
		return 1;
	default:
		return 0;
	}
}

static void put_number(struct otlp_out *out, uint32_t wire, uint64_t value)
{
	if (wire == 0)
		put_varint(out, value);
	else
		put_fixed(out, value, wire == 1 ? 8 : 4);
}

bool otlp_read_element(struct otlp_reading *r, const struct otlp_row *row)
{
	uint64_t value;

	if (!read_number(r, row, &value))
		return false;
	if (!otlp_out_need(&r->out, OTLP_RECORD))
		return otlp_refuse_room(r);
	put_number(&r->out, wire_of(row), value);
	return true;
}

bool otlp_read_scalar(struct otlp_reading *r, const struct otlp_row *row,
		      bool keep)
{
	uint32_t wire = wire_of(row);
	uint64_t value;

	if (row->kind == OTLP_TEXT)
		return read_text(r, row, keep);
	if (row->kind == OTLP_BYTES)
		return read_bytes(r, row);
	if (row->kind == OTLP_ID16 || row->kind == OTLP_ID8)
		return read_id(r, row, row->kind == OTLP_ID16 ? 16 : 8, keep);
	if (!read_number(r, row, &value))
		return false;
	if (!keep && !value)
		return true;
	if (!otlp_out_need(&r->out, OTLP_RECORD))
		return otlp_refuse_room(r);
	put_varint(&r->out, otlp_tag(row, wire));
	put_number(&r->out, wire, value);
	return true;
}
