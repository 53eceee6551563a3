/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_rows.h: what OTLP/JSON says about each message, a row per field.
 */
#ifndef KIT_OTLP_ROWS_H
#define KIT_OTLP_ROWS_H

#include <weir/base.h>

#define OTLP_FIELD_MAX 16	/* highest field number of any message */

enum otlp_kind {
	OTLP_TEXT,
	OTLP_BYTES,		/* base64 */
	OTLP_ID16, OTLP_ID8,	/* hexadecimal, of so many bytes or none */
	OTLP_UINT32, OTLP_ENUM, OTLP_SINT32, OTLP_INT64, OTLP_BOOL, /* varint */
	OTLP_FIXED32, OTLP_UINT64, OTLP_SFIXED64, OTLP_DOUBLE,
	OTLP_BUCKETS,		/* packed fixed64 */
	OTLP_COUNTS,		/* packed varints */
	OTLP_BOUNDS,		/* packed doubles */
	OTLP_MESSAGE, OTLP_ATTRIBUTE, OTLP_VALUE
};

enum otlp_rule {
	OTLP_REPEATED = 1 << 0,
	OTLP_ALWAYS = 1 << 1,	/* a message, {} when not on the wire */
	OTLP_PRESENT = 1 << 2,	/* written when on the wire, even if 0 */
	/* Read: what comes a second time, or a rival in the oneof, takes its
	 * place; other messages merge. */
	OTLP_REPLACES = 1 << 3,
	OTLP_MEMBER = 1 << 4	/* of the message's oneof; replaces */
};

struct otlp_message;

/* An enum's names in full; they stand for 0 and up. */
struct otlp_names {
	const char *const *name;
	size_t n;
};

struct otlp_row {
	uint8_t number, kind, rule;
	uint8_t name_len;	/* of name, quotes and colon included */
	const char *name;	/* "\"spanId\":" */
	const struct otlp_message *sub;
	const struct otlp_names *names;
};

/* Rows stand in the order of the .proto's text, not of its numbers. */
struct otlp_message {
	const struct otlp_row *rows;
	size_t n;
};

/* What ATTRIBUTE and VALUE are; their writing is otlp_json.c's own. */
extern const struct otlp_message otlp_key_value, otlp_any_value;

/* An export request: how its document begins, and its field 1. */
struct otlp_request {
	const char *head;
	const struct otlp_message *wrapper;
	const struct otlp_message *whole;
};
extern const struct otlp_request otlp_requests[WEIR_SIGNAL_COUNT];

#endif
