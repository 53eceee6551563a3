/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_json_put.c: texts, ids and numbers as the Collector writes them into
 * JSON.  Pure; out is all that grows.
 */
#include "otlp_json_put.h"

#include <math.h>
#include <weir/json.h>

void json_put_digits(struct weir_text *out, uint64_t value, bool negative)
{
	char digits[21], *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + value % 10);
	while (value /= 10);
	if (negative)
		*--p = '-';
	json_put(out, p, (size_t)(digits + sizeof(digits) - p));
}

void json_put_int(struct weir_text *out, int64_t value)
{
	uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	json_put_digits(out, size, value < 0);
}

void json_put_uint64(struct weir_text *out, uint64_t value)
{
	JSON_PUT(out, "\"");
	json_put_digits(out, value, false);
	JSON_PUT(out, "\"");
}

void json_put_int64(struct weir_text *out, int64_t value)
{
	JSON_PUT(out, "\"");
	json_put_int(out, value);
	JSON_PUT(out, "\"");
}

/* The shortest form, but exponents have two digits: 1e-07. */
void json_put_double(struct weir_text *out, uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	if (!isfinite(value)) {
		JSON_PUT(out, "\"");
		weir_text_add_double(out, value);
		JSON_PUT(out, "\"");
		return;
	}
	weir_text_add_double(out, value);
	if (out->len > 3 && !memcmp(out->ptr + out->len - 3, "e-", 2)) {
		char last = out->ptr[--out->len];

		JSON_PUT(out, "0");
		json_put(out, &last, 1);
	}
}

static void put_escape(struct weir_text *out, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char code[6] = { '\\', 'u', '0', '0', digits[c >> 4],
			       digits[c & 15] };

	switch (c) {
	case '"':
		JSON_PUT(out, "\\\"");
		break;
	case '\\':
		JSON_PUT(out, "\\\\");
		break;
	case '\n':
		JSON_PUT(out, "\\n");
		break;
	case '\r':
		JSON_PUT(out, "\\r");
		break;
	case '\t':
		JSON_PUT(out, "\\t");
		break;
	default:	/* also \b and \f, as the Collector's file has them */
		json_put(out, code, sizeof(code));
		break;
	}
}

void json_put_text(struct weir_text *out, weir_str text)
{
	JSON_PUT(out, "\"");
	for (;;) {
		size_t n = weir_json_plain(text);

		json_put(out, text.ptr, n);
		if (n == text.len)
			break;
		put_escape(out, (unsigned char)text.ptr[n]);
		text = (weir_str){ text.ptr + n + 1, text.len - n - 1 };
	}
	JSON_PUT(out, "\"");
}

void json_put_id(struct weir_text *out, weir_str id)
{
	static const char digits[] = "0123456789abcdef";
	char hex[32];
	size_t n = 0;

	JSON_PUT(out, "\"");
	for (size_t i = 0; i < id.len; i++) {
		unsigned char c = (unsigned char)id.ptr[i];

		hex[n++] = digits[c >> 4];
		hex[n++] = digits[c & 15];
		if (n == sizeof(hex)) {
			json_put(out, hex, n);
			n = 0;
		}
	}
	json_put(out, hex, n);
	JSON_PUT(out, "\"");
}
