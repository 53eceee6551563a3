/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.h: AnyValue, read in place and written anew.
 *
 * opentelemetry.proto.common.v1.AnyValue.  A value is a small struct whose
 * text, bytes, lists and maps point into the message it was read from.
 * Pure functions; any thread.
 */
#ifndef WEIR_VALUE_H
#define WEIR_VALUE_H

#include <weir/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum weir_value_type {		/* AnyValue's oneof field numbers */
	WEIR_VALUE_EMPTY = 0,
	WEIR_VALUE_STRING = 1,
	WEIR_VALUE_BOOL = 2,
	WEIR_VALUE_INT = 3,
	WEIR_VALUE_DOUBLE = 4,
	WEIR_VALUE_LIST = 5,	/* ArrayValue */
	WEIR_VALUE_MAP = 6,	/* KeyValueList */
	WEIR_VALUE_BYTES = 7
};

struct weir_value {
	enum weir_value_type type;
	union {
		weir_str str;		/* STRING, BYTES */
		weir_str raw;		/* LIST, MAP: the message's bytes */
		bool boolean;
		int64_t integer;
		double real;
	};
};

struct weir_attribute {		/* KeyValue, flat */
	weir_str key;
	struct weir_value value;
};

/* Reads the body of an AnyValue message (canonical bytes). */
WEIR_API struct weir_value weir_value_read(weir_str body);
/* Bytes that weir_value_write needs, and writes the body of an AnyValue. */
WEIR_API size_t weir_value_size(const struct weir_value *value);
WEIR_API uint8_t *weir_value_write(const struct weir_value *value,
				   uint8_t *out);
/* Deep equality; map entries compare in any order. */
WEIR_API bool weir_value_eq(const struct weir_value *a,
			    const struct weir_value *b);

/* Elements of a LIST or entries of a MAP (key "" for lists), and attribute
 * lists of any message:
 *	struct weir_value_cursor cur = weir_value_items(&value);
 *	while (weir_value_next(&cur)) use(cur.item.key, cur.item.value); */
struct weir_value_cursor {
	struct weir_attribute item;
	weir_str record;	/* the element's whole message body */
	const uint8_t *p, *end;	/* core's */
	uint32_t tag;		/* core's: records with other tags are skipped */
	bool map;
};
WEIR_API struct weir_value_cursor weir_value_items(
	const struct weir_value *value);
WEIR_API bool weir_value_next(struct weir_value_cursor *cursor);

/* Where text is put that has no other home: grows, reused, never shrinks in
 * mid-use.  release frees.
 *
 * With `charged`, which is set while it has no room, its room is taken from the
 * process's byte budget before it grows.  Where that says no, `refused` is set
 * and what is added may be left out, until cut, clear or release: look once, at
 * the end.  With `forced` as well it is counted, and never refused. */
struct weir_text {
	char *ptr;
	size_t len, cap;
	bool charged, forced, refused;
};
WEIR_API void weir_text_add(struct weir_text *text, weir_str more);
WEIR_API void weir_text_addf(struct weir_text *text, const char *format, ...)
	WEIR_PRINTF(2, 3);
/* Back to the first len bytes. */
WEIR_API void weir_text_cut(struct weir_text *text, size_t len);
WEIR_API void weir_text_clear(struct weir_text *text);
WEIR_API void weir_text_release(struct weir_text *text);

/* The canonical string form (collector.md 3.3, convert to string): strings as
 * they are, bool true/false, int decimal, shortest double, bytes base64, list
 * and map as JSON with sorted keys, empty "".  A STRING is returned in place;
 * anything else is appended to scratch and the result points there. */
WEIR_API weir_str weir_value_text(const struct weir_value *value,
				  struct weir_text *scratch);
/* Shortest form that reads back the same, as JSON of the Collector has it
 * (exponent below 1e-6 and from 1e21; NaN, Infinity, -Infinity bare). */
WEIR_API void weir_text_add_double(struct weir_text *text, double value);
/* Standard base64 with padding; lower-case hex. */
WEIR_API void weir_text_add_base64(struct weir_text *text, weir_str bytes);
WEIR_API void weir_text_add_hex(struct weir_text *text, weir_str bytes);
/* Bytes as text: what is no UTF-8 becomes U+FFFD. */
WEIR_API void weir_text_add_utf8(struct weir_text *text, weir_str bytes);
/* As the inside of a JSON string: only ", \ and control characters escaped. */
WEIR_API void weir_text_add_json(struct weir_text *text, weir_str utf8);

#ifdef __cplusplus
}
#endif
#endif
