/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_json_attr.c: the fast way for attributes.
 *
 * Two thirds of a request are attributes, and every SDK writes most of them in
 * one way:
 *
 *	{"key":"http.method","value":{"stringValue":"GET"}}
 *
 * without blanks, the key first, and no escapes in either.  These are compared
 * with that text instead of being taken apart into nine tokens, and since both
 * lengths are known their lengths are written at once.  Anything else, and
 * anything wrong, is left to the scanner, from the start of that attribute.
 *
 * Holds nothing.  Must never take what the scanner would refuse.
 */
#include <endian.h>

#include "otlp_json_read.h"

#define KEY_HEAD "{\"key\":\""
#define VALUE_HEAD "\",\"value\":{\""
#define STRING_HEAD "stringValue\":\""
#define INT_HEAD "intValue\":"
#define BOOL_HEAD "boolValue\":"
#define DOUBLE_HEAD "doubleValue\":"
#define TAIL "}}"

#define INT_DIGITS 18		/* any so many fit */
/* KeyValue's and AnyValue's tags and lengths, a scalar, and SHORT; bytes. */
#define FRAME_MAX 80

/* Where in the text we are. */
struct place {
	const char *p, *end;
};

#define TAKE(place, literal) take(place, literal, sizeof(literal) - 1)

static inline bool take(struct place *at, const char *literal, size_t n)
{
	if (n > (size_t)(at->end - at->p) || memcmp(at->p, literal, n))
		return false;
	at->p += n;
	return true;
}

/* Up to what is no plain character. */
static inline weir_str take_plain(struct place *at)
{
	weir_str text = { at->p, (size_t)(at->end - at->p) };

	text.len = weir_json_plain(text);
	at->p += text.len;
	return text;
}

static inline size_t varint_size(uint64_t v)
{
	return (size_t)(70 - __builtin_clzll(v | 1)) / 7;
}

static inline uint8_t *put_varint(uint8_t *to, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*to++ = (uint8_t)(v | 0x80);
	*to++ = (uint8_t)v;
	return to;
}

/* Most texts are short: SHORT bytes at once, where there are so many behind
 * the text.  Behind `to` there are. */
#define SHORT 32

static inline uint8_t *put_text(uint8_t *to, uint8_t tag, weir_str text,
				const char *end)
{
	*to++ = tag;
	to = put_varint(to, text.len);
	if (text.len <= SHORT && end - text.ptr >= SHORT)
		memcpy(to, text.ptr, SHORT);
	else
		memcpy(to, text.ptr, text.len);
	return to + text.len;
}

/* An AnyValue of one member. */
struct value {
	uint8_t tag;
	weir_str text;		/* string_value = 1 */
	uint64_t number;	/* bool_value = 2, int_value = 3; bits of
				 * double_value = 4 */
};

/* An integer of RFC 8259, or that in quotes. */
static bool take_int(struct place *at, uint64_t *number)
{
	bool quoted = TAKE(at, "\""), negative = TAKE(at, "-");
	const char *first = at->p;
	uint64_t v = 0;

	while (at->p < at->end && (unsigned)(*at->p - '0') < 10 &&
	       at->p - first <= INT_DIGITS)
		v = v * 10 + (uint64_t)(*at->p++ - '0');
	*number = negative ? 0 - v : v;
	return at->p > first && at->p - first <= INT_DIGITS &&
	       (*first != '0' || at->p - first == 1) &&
	       (!quoted || TAKE(at, "\""));
}

static const char *pass_digits(const char *p, const char *end)
{
	while (p < end && (unsigned)(*p - '0') < 10)
		p++;
	return p;
}

/* A number of RFC 8259 with a fraction and no exponent. */
static bool take_double(struct place *at, uint64_t *bits)
{
	const char *first = at->p, *whole, *dot;
	double value;

	whole = first + (first < at->end && *first == '-');
	dot = pass_digits(whole, at->end);
	if (dot == whole || (*whole == '0' && dot - whole > 1) ||
	    at->end - dot < 2 || *dot != '.')
		return false;
	at->p = pass_digits(dot + 1, at->end);
	if (at->p == dot + 1 ||
	    !weir_json_double((weir_str){ first, (size_t)(at->p - first) },
			      &value))
		return false;
	memcpy(bits, &value, sizeof(*bits));
	return true;
}

#define STRING_TAG (1 << 3 | 2)
#define BOOL_TAG (2 << 3)
#define INT_TAG (3 << 3)
#define DOUBLE_TAG (4 << 3 | 1)

static bool take_value(struct place *at, struct value *value)
{
	if (TAKE(at, STRING_HEAD)) {
		value->tag = STRING_TAG;
		value->text = take_plain(at);
		return TAKE(at, "\"" TAIL);
	}
	if (TAKE(at, INT_HEAD)) {
		value->tag = INT_TAG;
		return take_int(at, &value->number) && TAKE(at, TAIL);
	}
	if (TAKE(at, BOOL_HEAD)) {
		value->tag = BOOL_TAG;
		value->number = TAKE(at, "true");
		return (value->number || TAKE(at, "false")) && TAKE(at, TAIL);
	}
	if (TAKE(at, DOUBLE_HEAD)) {
		value->tag = DOUBLE_TAG;
		return take_double(at, &value->number) && TAKE(at, TAIL);
	}
	return false;
}

/* Of the body of the AnyValue. */
static inline size_t value_size(const struct value *value)
{
	switch (value->tag) {
	case STRING_TAG:
		return 1 + varint_size(value->text.len) + value->text.len;
	case DOUBLE_TAG:
		return 1 + 8;
	default:
		return 1 + varint_size(value->number);
	}
}

static inline uint8_t *put_value(uint8_t *to, const struct value *value,
				 const char *end)
{
	uint64_t little = htole64(value->number);

	if (value->tag == STRING_TAG)
		return put_text(to, STRING_TAG, value->text, end);
	*to++ = value->tag;
	if (value->tag != DOUBLE_TAG)
		return put_varint(to, value->number);
	memcpy(to, &little, sizeof(little));
	return to + sizeof(little);
}

static void put_attribute(struct otlp_out *out, const struct otlp_row *row,
			  weir_str key, const struct value *value,
			  const char *end)
{
	uint8_t *to = out->bytes + out->len;
	size_t inner = value_size(value), len;

	len = 1 + varint_size(inner) + inner;
	if (key.len)
		len += 1 + varint_size(key.len) + key.len;
	*to++ = (uint8_t)otlp_tag(row, 2);
	to = put_varint(to, len);
	if (key.len)			/* KeyValue.key = 1, .value = 2 */
		to = put_text(to, 1 << 3 | 2, key, end);
	*to++ = 2 << 3 | 2;
	to = put_varint(to, inner);
	to = put_value(to, value, end);
	out->len = (size_t)(to - out->bytes);
}

static bool take_attribute(struct place *at, weir_str *key, struct value *value)
{
	if (!TAKE(at, KEY_HEAD))
		return false;
	*key = take_plain(at);
	return TAKE(at, VALUE_HEAD) && take_value(at, value);
}

size_t otlp_read_attributes(struct otlp_reading *r, const struct otlp_row *row)
{
	struct place at = { r->in.ptr + r->json.end, r->in.ptr + r->in.len };
	bool first = r->json.token == WEIR_JSON_ARRAY;
	const char *done = at.p;
	weir_str key;
	size_t n = 0;

	for (;; n++) {
		struct value value = { 0 };

		if (!first && !TAKE(&at, ","))
			break;
		first = false;
		if (!take_attribute(&at, &key, &value))
			break;
		if (!otlp_out_need(&r->out, key.len + value.text.len +
				   FRAME_MAX)) {
			otlp_refuse_room(r);
			return SIZE_MAX;
		}
		put_attribute(&r->out, row, key, &value, at.end);
		done = at.p;
	}
	if (n)
		weir_json_passed(&r->json, (size_t)(done - r->in.ptr));
	return n;
}
