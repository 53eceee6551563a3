/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_json_value.c: AnyValue and KeyValue as JSON.  By hand, not by table:
 * there is most of these.  Holds nothing; out is all that grows.
 */
#include "otlp_field.h"
#include "otlp_json_put.h"

void otlp_json_put_attribute(struct weir_text *out, weir_str body)
{
	const uint8_t *p = (const uint8_t *)body.ptr, *end = p + body.len;
	weir_str key = WEIR_STR(""), value = WEIR_STR("");
	struct otlp_field r;

	while (otlp_field_next(&p, end, &r)) {
		if (r.wire != 2)
			continue;
		if (r.number == 1)
			key = r.bytes;
		else if (r.number == 2)
			value = r.bytes;
	}
	JSON_PUT(out, "{");
	if (key.len) {
		JSON_PUT(out, "\"key\":");
		json_put_text(out, key);
		JSON_PUT(out, ",");
	}
	JSON_PUT(out, "\"value\":");
	otlp_json_put_value(out, value);
	JSON_PUT(out, "}");
}

/* ArrayValue.values, KeyValueList.values = 1 */
static void put_values(struct weir_text *out, weir_str body,
		       void (*each)(struct weir_text *, weir_str))
{
	const uint8_t *p = (const uint8_t *)body.ptr, *end = p + body.len;
	struct otlp_field r;
	bool any = false;

	JSON_PUT(out, "{");
	while (otlp_field_next(&p, end, &r)) {
		if (r.number != 1 || r.wire != 2)
			continue;
		if (any)
			JSON_PUT(out, ",");
		else
			JSON_PUT(out, "\"values\":[");
		any = true;
		each(out, r.bytes);
	}
	if (any)
		JSON_PUT(out, "]");
	JSON_PUT(out, "}");
}

/* One member of the oneof; false: none that we know. */
static bool put_member(struct weir_text *out, const struct otlp_field *r)
{
	switch (r->number << 3 | r->wire) {
	case 1 << 3 | 2:
		JSON_PUT(out, "\"stringValue\":");
		json_put_text(out, r->bytes);
		return true;
	case 2 << 3 | 0:
		JSON_PUT(out, "\"boolValue\":");
		if (r->scalar)
			JSON_PUT(out, "true");
		else
			JSON_PUT(out, "false");
		return true;
	case 3 << 3 | 0:
		JSON_PUT(out, "\"intValue\":");
		json_put_int64(out, (int64_t)r->scalar);
		return true;
	case 4 << 3 | 1:
		JSON_PUT(out, "\"doubleValue\":");
		json_put_double(out, r->scalar);
		return true;
	case 5 << 3 | 2:
		JSON_PUT(out, "\"arrayValue\":");
		put_values(out, r->bytes, otlp_json_put_value);
		return true;
	case 6 << 3 | 2:
		JSON_PUT(out, "\"kvlistValue\":");
		put_values(out, r->bytes, otlp_json_put_attribute);
		return true;
	case 7 << 3 | 2:
		JSON_PUT(out, "\"bytesValue\":\"");
		weir_text_add_base64(out, r->bytes);
		JSON_PUT(out, "\"");
		return true;
	default:
		return false;
	}
}

void otlp_json_put_value(struct weir_text *out, weir_str body)
{
	const uint8_t *p = (const uint8_t *)body.ptr, *end = p + body.len;
	struct otlp_field r;

	JSON_PUT(out, "{");
	while (otlp_field_next(&p, end, &r) && !put_member(out, &r))
		;
	JSON_PUT(out, "}");
}
