/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_fields.h: the fields of a log line as JSON text.
 */
#ifndef CORE_LOG_FIELDS_H
#define CORE_LOG_FIELDS_H

#include <stdarg.h>

#include <weir/config.h>

#include "str.h"

/* JSON text being written; spaced: a blank behind colons and commas. */
struct log_json {
	struct buf *out;
	bool spaced;
	bool more;		/* a field stands in front */
};

/* "key": -- the value follows. */
void log_json_key(struct log_json *json, weir_str name);
/* Fields that are JSON text already. */
void log_json_raw(struct log_json *json, const void *ptr, size_t len);
/* "name": value, as YAML has it. */
void log_json_node(struct log_json *json, weir_str name,
		   const struct weir_node *node);
/* The value alone. */
void log_json_value(struct buf *out, const struct weir_node *node);
/* "name": "text" */
void log_json_text(struct log_json *json, weir_str name, weir_str text);
void log_json_str(struct log_json *json, const char *key, weir_str text);
void log_json_uint(struct log_json *json, const char *key, uint64_t value);
/* Text in quotes; what is no UTF-8 becomes U+FFFD. */
void log_json_quote(struct buf *out, weir_str text);
/* "a=%s b=%zu" with its arguments.  Pairs are taken apart by the format, so a
 * value may hold blanks, quotes and equals signs. */
void log_json_fields(struct log_json *json, const char *format, va_list args);

#endif
