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
#include "otlp_json_read.h"

#define KEY_HEAD "{\"key\":\""
#define VALUE_HEAD "\",\"value\":{\""
#define STRING_HEAD "stringValue\":\""
#define INT_HEAD "intValue\":"
#define BOOL_HEAD "boolValue\":"
#define TAIL "}}"

#define INT_DIGITS 18		/* any so many fit */
/* KeyValue's and AnyValue's tags and lengths, and a scalar; bytes. */
#define FRAME_MAX 48

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

static inline uint8_t *put_text(uint8_t *to, uint8_t tag, weir_str text)
{
	*to++ = tag;
	to = put_varint(to, text.len);
	memcpy(to, text.ptr, text.len);
	return to + text.len;
}

/* An AnyValue of one member. */
struct value {
	uint8_t tag;
	weir_str text;		/* string_value = 1 */
	uint64_t number;	/* bool_value = 2, int_value = 3 */
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

static bool take_value(struct place *at, struct value *value)
{
	if (TAKE(at, STRING_HEAD)) {
		value->tag = 1 << 3 | 2;
		value->text = take_plain(at);
		return TAKE(at, "\"" TAIL);
	}
	if (TAKE(at, INT_HEAD)) {
		value->tag = 3 << 3;
		return take_int(at, &value->number) && TAKE(at, TAIL);
	}
	if (TAKE(at, BOOL_HEAD)) {
		value->tag = 2 << 3;
		value->number = TAKE(at, "true");
		return (value->number || TAKE(at, "false")) && TAKE(at, TAIL);
	}
	return false;
}

static void put_attribute(struct otlp_out *out, const struct otlp_row *row,
			  weir_str key, const struct value *value)
{
	uint8_t *to = out->bytes + out->len;
	size_t len, inner = 1;	/* its tag */

	if (value->tag == (1 << 3 | 2))
		inner += varint_size(value->text.len) + value->text.len;
	else
		inner += varint_size(value->number);
	len = 1 + varint_size(inner) + inner;
	if (key.len)
		len += 1 + varint_size(key.len) + key.len;
	*to++ = (uint8_t)otlp_tag(row, 2);
	to = put_varint(to, len);
	if (key.len)
		to = put_text(to, 1 << 3 | 2, key);	/* KeyValue.key */
	*to++ = 2 << 3 | 2;				/* KeyValue.value */
	to = put_varint(to, inner);
	if (value->tag == (1 << 3 | 2)) {
		to = put_text(to, value->tag, value->text);
	} else {
		*to++ = value->tag;
		to = put_varint(to, value->number);
	}
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
		put_attribute(&r->out, row, key, &value);
		done = at.p;
	}
	if (n)
		weir_json_passed(&r->json, (size_t)(done - r->in.ptr));
	return n;
}
