/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_json.c: OTLP bytes to OTLP/JSON as the Collector writes it.
 *
 * A message is gone over once to learn where its fields start, then printed
 * row by row of its table (otlp_rows.c).  Unknown fields are left out: JSON
 * has no place for them.
 *
 * Holds nothing between calls.  Must never build a tree or allocate per item:
 * out is all that grows.  The bytes have passed the validating walk, so there
 * is nothing to refuse; lengths are checked all the same, and what does not
 * fit ends the message it stands in.
 */
#include <endian.h>
#include <math.h>
#include <weir/json.h>
#include <weir/kit/otlp_json.h>

#include "otlp_rows.h"

/* --- Records of a message ----------------------------------------------- */

struct record {
	uint32_t number, wire;
	uint64_t scalar;	/* varint, fixed64, fixed32 */
	weir_str bytes;		/* length-delimited */
};

static bool long_varint(const uint8_t **p, const uint8_t *end, uint64_t *value)
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

static inline bool varint(const uint8_t **p, const uint8_t *end,
			  uint64_t *value)
{
	if (*p < end && **p < 0x80) {
		*value = *(*p)++;
		return true;
	}
	return long_varint(p, end, value);
}

static uint64_t little(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return le64toh(v);
}

static bool fixed(const uint8_t **p, const uint8_t *end, size_t n,
		  uint64_t *value)
{
	if (n > (size_t)(end - *p))
		return false;
	*value = little(*p, n);
	*p += n;
	return true;
}

static bool next(const uint8_t **p, const uint8_t *end, struct record *r)
{
	uint64_t key, len;

	if (*p >= end || !varint(p, end, &key))
		return false;
	r->number = (uint32_t)(key >> 3);
	r->wire = key & 7;
	switch (r->wire) {
	case 0:
		return varint(p, end, &r->scalar);
	case 1:
		return fixed(p, end, 8, &r->scalar);
	case 5:
		return fixed(p, end, 4, &r->scalar);
	case 2:
		if (!varint(p, end, &len) || len > (uint64_t)(end - *p))
			return false;
		r->bytes = (weir_str){ (const char *)*p, (size_t)len };
		*p += len;
		return true;
	default:		/* groups do not pass the walk */
		return false;
	}
}

/* --- Scalars ------------------------------------------------------------ */

static void put(struct weir_text *out, const char *ptr, size_t len)
{
	if (len < out->cap - out->len) {
		memcpy(out->ptr + out->len, ptr, len);
		out->len += len;
		return;
	}
	weir_text_add(out, (weir_str){ ptr, len });
}

#define PUT(out, literal) put(out, literal, sizeof(literal) - 1)

static void put_digits(struct weir_text *out, uint64_t value, bool negative)
{
	char digits[21], *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + value % 10);
	while (value /= 10);
	if (negative)
		*--p = '-';
	put(out, p, (size_t)(digits + sizeof(digits) - p));
}

static void put_int(struct weir_text *out, int64_t value)
{
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	put_digits(out, size, value < 0);
}

/* 64 bits do not survive a JavaScript number: they are strings. */
static void put_uint64(struct weir_text *out, uint64_t value)
{
	PUT(out, "\"");
	put_digits(out, value, false);
	PUT(out, "\"");
}

static void put_int64(struct weir_text *out, int64_t value)
{
	PUT(out, "\"");
	put_int(out, value);
	PUT(out, "\"");
}

/* The shortest form, but exponents have two digits: 1e-07. */
static void put_double(struct weir_text *out, uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	if (!isfinite(value)) {
		PUT(out, "\"");
		weir_text_add_double(out, value);
		PUT(out, "\"");
		return;
	}
	weir_text_add_double(out, value);
	if (out->len > 3 && !memcmp(out->ptr + out->len - 3, "e-", 2)) {
		char last = out->ptr[--out->len];

		PUT(out, "0");
		put(out, &last, 1);
	}
}

static void put_escape(struct weir_text *out, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char code[6] = { '\\', 'u', '0', '0', digits[c >> 4],
			       digits[c & 15] };

	switch (c) {
	case '"':
		PUT(out, "\\\"");
		break;
	case '\\':
		PUT(out, "\\\\");
		break;
	case '\n':
		PUT(out, "\\n");
		break;
	case '\r':
		PUT(out, "\\r");
		break;
	case '\t':
		PUT(out, "\\t");
		break;
	default:	/* also \b and \f, as the Collector's file has them */
		put(out, code, sizeof(code));
		break;
	}
}

static void put_text(struct weir_text *out, weir_str text)
{
	PUT(out, "\"");
	for (;;) {
		size_t n = weir_json_plain(text);

		put(out, text.ptr, n);
		if (n == text.len)
			break;
		put_escape(out, (unsigned char)text.ptr[n]);
		text = (weir_str){ text.ptr + n + 1, text.len - n - 1 };
	}
	PUT(out, "\"");
}

static void put_id(struct weir_text *out, weir_str id)
{
	static const char digits[] = "0123456789abcdef";
	char hex[32];
	size_t n = 0;

	PUT(out, "\"");
	for (size_t i = 0; i < id.len; i++) {
		unsigned char c = (unsigned char)id.ptr[i];

		hex[n++] = digits[c >> 4];
		hex[n++] = digits[c & 15];
		if (n == sizeof(hex)) {
			put(out, hex, n);
			n = 0;
		}
	}
	put(out, hex, n);
	PUT(out, "\"");
}

static bool zero_bytes(weir_str bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.ptr[i])
			return false;
	return true;
}

/* --- AnyValue and KeyValue: what there is most of, so by hand ----------- */

static void put_value(struct weir_text *out, weir_str body);

static void put_attribute(struct weir_text *out, weir_str body)
{
	const uint8_t *p = (const uint8_t *)body.ptr, *end = p + body.len;
	weir_str key = WEIR_STR(""), value = WEIR_STR("");
	struct record r;

	while (next(&p, end, &r)) {
		if (r.wire != 2)
			continue;
		if (r.number == 1)
			key = r.bytes;
		else if (r.number == 2)
			value = r.bytes;
	}
	PUT(out, "{");
	if (key.len) {
		PUT(out, "\"key\":");
		put_text(out, key);
		PUT(out, ",");
	}
	PUT(out, "\"value\":");
	put_value(out, value);
	PUT(out, "}");
}

/* ArrayValue.values, KeyValueList.values = 1 */
static void put_values(struct weir_text *out, weir_str body,
		       void (*each)(struct weir_text *, weir_str))
{
	const uint8_t *p = (const uint8_t *)body.ptr, *end = p + body.len;
	struct record r;
	bool any = false;

	PUT(out, "{");
	while (next(&p, end, &r)) {
		if (r.number != 1 || r.wire != 2)
			continue;
		if (any)
			PUT(out, ",");
		else
			PUT(out, "\"values\":[");
		any = true;
		each(out, r.bytes);
	}
	if (any)
		PUT(out, "]");
	PUT(out, "}");
}

/* One member of the oneof; false: none that we know. */
static bool put_member(struct weir_text *out, const struct record *r)
{
	switch (r->number << 3 | r->wire) {
	case 1 << 3 | 2:
		PUT(out, "\"stringValue\":");
		put_text(out, r->bytes);
		return true;
	case 2 << 3 | 0:
		PUT(out, "\"boolValue\":");
		if (r->scalar)
			PUT(out, "true");
		else
			PUT(out, "false");
		return true;
	case 3 << 3 | 0:
		PUT(out, "\"intValue\":");
		put_int64(out, (int64_t)r->scalar);
		return true;
	case 4 << 3 | 1:
		PUT(out, "\"doubleValue\":");
		put_double(out, r->scalar);
		return true;
	case 5 << 3 | 2:
		PUT(out, "\"arrayValue\":");
		put_values(out, r->bytes, put_value);
		return true;
	case 6 << 3 | 2:
		PUT(out, "\"kvlistValue\":");
		put_values(out, r->bytes, put_attribute);
		return true;
	case 7 << 3 | 2:
		PUT(out, "\"bytesValue\":\"");
		weir_text_add_base64(out, r->bytes);
		PUT(out, "\"");
		return true;
	default:
		return false;
	}
}

static void put_value(struct weir_text *out, weir_str body)
{
	const uint8_t *p = (const uint8_t *)body.ptr, *end = p + body.len;
	struct record r;

	PUT(out, "{");
	while (next(&p, end, &r) && !put_member(out, &r))
		;
	PUT(out, "}");
}

/* --- Messages by table -------------------------------------------------- */

static void put_message(struct weir_text *out, weir_str body,
			const struct otlp_message *message);

static uint32_t wire_of(const struct otlp_row *row)
{
	switch (row->kind) {
	case OTLP_UINT32:
	case OTLP_ENUM:
	case OTLP_SINT32:
	case OTLP_INT64:
	case OTLP_BOOL:
		return 0;
	case OTLP_UINT64:
	case OTLP_SFIXED64:
	case OTLP_DOUBLE:
		return 1;
	case OTLP_FIXED32:
		return 5;
	default:
		return 2;
	}
}

/* Does a scalar that is on the wire stand for "not set"? */
static bool is_default(const struct otlp_row *row, const struct record *r)
{
	if (row->rule & OTLP_PRESENT)
		return false;
	switch (row->kind) {
	case OTLP_ID16:
	case OTLP_ID8:
		return zero_bytes(r->bytes);
	case OTLP_TEXT:
	case OTLP_BUCKETS:
	case OTLP_COUNTS:
	case OTLP_BOUNDS:
		return r->bytes.len == 0;
	case OTLP_UINT32:
	case OTLP_ENUM:
	case OTLP_SINT32:
		return (uint32_t)r->scalar == 0;
	case OTLP_DOUBLE:		/* -0 is 0 */
		return r->scalar << 1 == 0;
	default:
		return r->scalar == 0;
	}
}

/* A packed field: fixed64 or varint elements. */
static void put_packed(struct weir_text *out, uint8_t kind, weir_str bytes)
{
	const uint8_t *p = (const uint8_t *)bytes.ptr, *end = p + bytes.len;
	uint64_t v;

	PUT(out, "[");
	while (p < end) {
		if (p != (const uint8_t *)bytes.ptr)
			PUT(out, ",");
		if (!(kind == OTLP_COUNTS ? varint(&p, end, &v) :
		      fixed(&p, end, 8, &v)))
			break;
		if (kind == OTLP_BOUNDS)
			put_double(out, v);
		else
			put_uint64(out, v);
	}
	PUT(out, "]");
}

static void put_one(struct weir_text *out, const struct otlp_row *row,
		    const struct record *r)
{
	uint32_t low = (uint32_t)r->scalar;

	switch ((enum otlp_kind)row->kind) {
	case OTLP_TEXT:
		put_text(out, r->bytes);
		break;
	case OTLP_BYTES:
		PUT(out, "\"");
		weir_text_add_base64(out, r->bytes);
		PUT(out, "\"");
		break;
	case OTLP_ID16:
	case OTLP_ID8:
		put_id(out, r->bytes);
		break;
	case OTLP_UINT32:
	case OTLP_FIXED32:
		put_digits(out, low, false);
		break;
	case OTLP_ENUM:
		put_int(out, (int32_t)low);
		break;
	case OTLP_SINT32:		/* zigzag */
		put_int(out, (int32_t)(low >> 1 ^ (0 - (low & 1))));
		break;
	case OTLP_BOOL:		/* false is the default: never here */
		PUT(out, "true");
		break;
	case OTLP_UINT64:
		put_uint64(out, r->scalar);
		break;
	case OTLP_INT64:
	case OTLP_SFIXED64:
		put_int64(out, (int64_t)r->scalar);
		break;
	case OTLP_DOUBLE:
		put_double(out, r->scalar);
		break;
	case OTLP_BUCKETS:
	case OTLP_COUNTS:
	case OTLP_BOUNDS:
		put_packed(out, row->kind, r->bytes);
		break;
	case OTLP_MESSAGE:
		put_message(out, r->bytes, row->sub);
		break;
	case OTLP_ATTRIBUTE:
		put_attribute(out, r->bytes);
		break;
	case OTLP_VALUE:
		put_value(out, r->bytes);
		break;
	}
}

/* Where a field first stands, and how often. */
struct slot {
	const uint8_t *p;
	size_t n;
};

static void put_list(struct weir_text *out, const struct otlp_row *row,
		     const struct slot *slot, const uint8_t *end)
{
	const uint8_t *p = slot->p;
	size_t left = slot->n;
	struct record r;

	PUT(out, "[");
	while (left && next(&p, end, &r)) {
		if (r.number != row->number || r.wire != 2)
			continue;
		put_one(out, row, &r);
		if (--left)
			PUT(out, ",");
	}
	PUT(out, "]");
}

static void put_name(struct weir_text *out, const struct otlp_row *row,
		     bool *any)
{
	if (*any)
		PUT(out, ",");
	*any = true;
	put(out, row->name, row->name_len);
}

static void put_row(struct weir_text *out, const struct otlp_row *row,
		    const struct slot *slot, const uint8_t *end, bool *any)
{
	const uint8_t *p = slot->p;
	struct record r;

	if (!slot->n || !next(&p, end, &r) || r.wire != wire_of(row)) {
		if (row->rule & OTLP_ALWAYS) {
			put_name(out, row, any);
			PUT(out, "{}");
		}
		return;
	}
	if (row->rule & OTLP_REPEATED) {
		put_name(out, row, any);
		put_list(out, row, slot, end);
	} else if (row->kind == OTLP_MESSAGE || row->kind == OTLP_VALUE ||
		   !is_default(row, &r)) {
		put_name(out, row, any);
		put_one(out, row, &r);
	}
}

static void put_message(struct weir_text *out, weir_str body,
			const struct otlp_message *message)
{
	const uint8_t *p = (const uint8_t *)body.ptr, *end = p + body.len;
	struct slot slots[OTLP_FIELD_MAX + 1] = { { 0 } };
	const uint8_t *at = p;
	struct record r;
	bool any = false;

	while (next(&p, end, &r)) {
		if (r.number <= OTLP_FIELD_MAX && !slots[r.number].n++)
			slots[r.number].p = at;
		at = p;
	}
	PUT(out, "{");
	for (size_t i = 0; i < message->n; i++) {
		const struct otlp_row *row = &message->rows[i];

		put_row(out, row, &slots[row->number], end, &any);
	}
	PUT(out, "}");
}

/* --- Requests ----------------------------------------------------------- */

void weir_otlp_json_write_slices(enum weir_signal signal,
				 const struct weir_slice *slices, size_t n,
				 struct weir_text *out)
{
	const struct otlp_request *how = &otlp_requests[signal];
	bool any = false;

	weir_text_add(out, weir_str_of(how->head));
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = slices[i].ptr, *end = p + slices[i].len;
		struct record r;

		while (next(&p, end, &r)) {
			if (r.number != 1 || r.wire != 2)
				continue;
			if (any)
				PUT(out, ",");
			any = true;
			put_message(out, r.bytes, how->wrapper);
		}
	}
	PUT(out, "]}");
}

void weir_otlp_json_write(const struct weir_batch *batch,
			  struct weir_text *out)
{
	size_t n;
	const struct weir_slice *slices = weir_batch_slices(batch, &n);

	weir_otlp_json_write_slices(weir_batch_signal(batch), slices, n, out);
}
