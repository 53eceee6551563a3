/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_json_put.h: the parts of OTLP/JSON, appended to a text.
 *
 *	otlp_json_put.c		texts, ids, numbers
 *	otlp_json_value.c	attributes and values
 *	otlp_json.c		messages, by their tables
 */
#ifndef KIT_OTLP_JSON_PUT_H
#define KIT_OTLP_JSON_PUT_H

#include <weir/value.h>

static inline void json_put(struct weir_text *out, const char *ptr, size_t len)
{
	if (len < out->cap - out->len) {
		memcpy(out->ptr + out->len, ptr, len);
		out->len += len;
		return;
	}
	weir_text_add(out, (weir_str){ ptr, len });
}

#define JSON_PUT(out, literal) json_put(out, literal, sizeof(literal) - 1)

/* --- otlp_json_put.c ------------------------------------------------------ */

void json_put_digits(struct weir_text *out, uint64_t value, bool negative);
void json_put_int(struct weir_text *out, int64_t value);
/* 64 bits do not survive a JavaScript number: they are strings. */
void json_put_uint64(struct weir_text *out, uint64_t value);
void json_put_int64(struct weir_text *out, int64_t value);
void json_put_double(struct weir_text *out, uint64_t bits);
void json_put_text(struct weir_text *out, weir_str text);
void json_put_id(struct weir_text *out, weir_str id);	/* in hex */

/* --- otlp_json_value.c ---------------------------------------------------- */

/* The body of a KeyValue, of an AnyValue. */
void otlp_json_put_attribute(struct weir_text *out, weir_str body);
void otlp_json_put_value(struct weir_text *out, weir_str body);

#endif
