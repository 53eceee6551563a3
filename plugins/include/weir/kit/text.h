/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h: small values as people read them, and room of a fixed size to write
 * them into.  Pure.
 */
#ifndef WEIR_KIT_TEXT_H
#define WEIR_KIT_TEXT_H

#include <weir/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_DURATION_TEXT 48	/* bytes that hold any duration */

/* "1h2m3.5s", "983.075947ms", "0s": as Go writes a duration.  Returns out. */
WEIR_API const char *weir_duration_text(weir_duration duration,
					char out[WEIR_DURATION_TEXT]);

/* Bytes written one behind the other into an array of the caller's:
 *	char line[64];
 *	struct weir_put out = WEIR_PUT(line);
 * What does not fit whole is left out, and `full` stays set from then on. */
struct weir_put {
	char *ptr;
	size_t len, room;
	bool full;
};
#define WEIR_PUT(array) { .ptr = (char *)(array), .room = sizeof(array) }

WEIR_API void weir_put(struct weir_put *out, weir_str bytes);
WEIR_API void weir_puts(struct weir_put *out, const char *text);
/* The varint of protobuf; a decimal number. */
WEIR_API void weir_put_varint(struct weir_put *out, uint64_t value);
WEIR_API void weir_put_number(struct weir_put *out, uint64_t value);
/* Printable text, as an outcome has it, as a JSON string with its quotes: only
 * two characters are escaped, so it takes 2 * strlen(text) + 2 at most. */
WEIR_API void weir_put_json(struct weir_put *out, const char *text);
/* 0-terminates what is there; in full arrays the last byte goes. */
WEIR_API const char *weir_put_end(struct weir_put *out);

#ifdef __cplusplus
}
#endif
#endif
