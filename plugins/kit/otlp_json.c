/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_json.c: OTLP bytes to OTLP/JSON as the Collector writes it.
 *
 * A message is gone over once to learn where its fields start, then printed
 * row by row of its table (otlp_rows.c).  Unknown fields are left out: JSON
 * has no place for them.
 *
 * Holds nothing between calls.  Must never build a tree or allocate per item:
 * out is all that grows.
 */
#include <weir/kit/otlp_json.h>

#include "otlp_field.h"
#include "otlp_json_put.h"
#include "otlp_rows.h"

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

static bool zero_bytes(weir_str bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.ptr[i])
			return false;
	return true;
}

/* Does a scalar that is on the wire stand for "not set"? */
static bool is_default(const struct otlp_row *row, const struct otlp_field *r)
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

	JSON_PUT(out, "[");
	while (p < end) {
		if (p != (const uint8_t *)bytes.ptr)
			JSON_PUT(out, ",");
		if (!(kind == OTLP_COUNTS ? otlp_read_varint(&p, end, &v) :
		      otlp_read_fixed(&p, end, 8, &v)))
			break;
		if (kind == OTLP_BOUNDS)
			json_put_double(out, v);
		else
			json_put_uint64(out, v);
	}
	JSON_PUT(out, "]");
}

static void put_one(struct weir_text *out, const struct otlp_row *row,
		    const struct otlp_field *r)
{
	uint32_t low = (uint32_t)r->scalar;

	switch ((enum otlp_kind)row->kind) {
	case OTLP_TEXT:
		json_put_text(out, r->bytes);
		break;
	case OTLP_BYTES:
		JSON_PUT(out, "\"");
		weir_text_add_base64(out, r->bytes);
		JSON_PUT(out, "\"");
		break;
	case OTLP_ID16:
	case OTLP_ID8:
		json_put_id(out, r->bytes);
		break;
	case OTLP_UINT32:
	case OTLP_FIXED32:
		json_put_digits(out, low, false);
		break;
	case OTLP_ENUM:
		json_put_int(out, (int32_t)low);
		break;
	case OTLP_SINT32:		/* zigzag */
		json_put_int(out, (int32_t)(low >> 1 ^ (0 - (low & 1))));
		break;
	case OTLP_BOOL:		/* false is the default: never here */
		JSON_PUT(out, "true");
		break;
	case OTLP_UINT64:
		json_put_uint64(out, r->scalar);
		break;
	case OTLP_INT64:
	case OTLP_SFIXED64:
		json_put_int64(out, (int64_t)r->scalar);
		break;
	case OTLP_DOUBLE:
		json_put_double(out, r->scalar);
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
		otlp_json_put_attribute(out, r->bytes);
		break;
	case OTLP_VALUE:
		otlp_json_put_value(out, r->bytes);
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
	struct otlp_field r;

	JSON_PUT(out, "[");
	while (left && otlp_field_next(&p, end, &r)) {
		if (r.number != row->number || r.wire != 2)
			continue;
		put_one(out, row, &r);
		if (--left)
			JSON_PUT(out, ",");
	}
	JSON_PUT(out, "]");
}

static void put_name(struct weir_text *out, const struct otlp_row *row,
		     bool *any)
{
	if (*any)
		JSON_PUT(out, ",");
	*any = true;
	json_put(out, row->name, row->name_len);
}

static void put_row(struct weir_text *out, const struct otlp_row *row,
		    const struct slot *slot, const uint8_t *end, bool *any)
{
	const uint8_t *p = slot->p;
	struct otlp_field r;

	if (!slot->n || !otlp_field_next(&p, end, &r) || r.wire != wire_of(row)) {
		if (row->rule & OTLP_ALWAYS) {
			put_name(out, row, any);
			JSON_PUT(out, "{}");
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
	struct otlp_field r;
	bool any = false;

	while (otlp_field_next(&p, end, &r)) {
		if (r.number <= OTLP_FIELD_MAX && !slots[r.number].n++)
			slots[r.number].p = at;
		at = p;
	}
	JSON_PUT(out, "{");
	for (size_t i = 0; i < message->n; i++) {
		const struct otlp_row *row = &message->rows[i];

		put_row(out, row, &slots[row->number], end, &any);
	}
	JSON_PUT(out, "}");
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
		struct otlp_field r;

		while (otlp_field_next(&p, end, &r)) {
			if (r.number != 1 || r.wire != 2)
				continue;
			if (any)
				JSON_PUT(out, ",");
			any = true;
			put_message(out, r.bytes, how->wrapper);
		}
	}
	JSON_PUT(out, "]}");
}

void weir_otlp_json_write(const struct weir_batch *batch,
			  struct weir_text *out)
{
	size_t n;
	const struct weir_slice *slices = weir_batch_slices(batch, &n);

	weir_otlp_json_write_slices(weir_batch_signal(batch), slices, n, out);
}
