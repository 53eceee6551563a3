/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_rows.h: what OTLP/JSON says about each message, a row per field.
 */
#ifndef KIT_OTLP_ROWS_H
#define KIT_OTLP_ROWS_H

#include <weir/base.h>

#define OTLP_FIELD_MAX 16	/* highest field number of any message */

enum otlp_kind {
	OTLP_TEXT, OTLP_ID,
	OTLP_UINT32, OTLP_ENUM, OTLP_SINT32, OTLP_BOOL,	/* varints */
	OTLP_FIXED32, OTLP_UINT64, OTLP_SFIXED64, OTLP_DOUBLE,
	OTLP_BUCKETS,		/* packed fixed64 */
	OTLP_COUNTS,		/* packed varints */
	OTLP_BOUNDS,		/* packed doubles */
	OTLP_MESSAGE, OTLP_ATTRIBUTE, OTLP_VALUE
};

enum otlp_rule {
	OTLP_REPEATED = 1 << 0,
	OTLP_ALWAYS = 1 << 1,	/* a message, {} when not on the wire */
	OTLP_PRESENT = 1 << 2	/* written when on the wire, even if 0 */
};

struct otlp_message;

struct otlp_row {
	uint8_t number, kind, rule;
	uint8_t name_len;	/* of name, quotes and colon included */
	const char *name;	/* "\"spanId\":" */
	const struct otlp_message *sub;
};

/* Rows stand in the order of the .proto's text, not of its numbers. */
struct otlp_message {
	const struct otlp_row *rows;
	size_t n;
};

/* An export request: how its document begins, and its field 1. */
struct otlp_request {
	const char *head;
	const struct otlp_message *wrapper;
};
extern const struct otlp_request otlp_requests[WEIR_SIGNAL_COUNT];

#endif
