/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_out.h: writes protobuf messages by hand, without any library.
 *
 * Written from the front; a message's length is known before it is written,
 * because it is built in a buffer of its own.  Aborts when memory fails.
 */
#ifndef BENCH_WIRE_OUT_H
#define BENCH_WIRE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct out {			/* all zero is empty; free(p) */
	uint8_t *p;
	size_t len, cap;
};

void *grown(void *ptr, size_t size);
void raw(struct out *o, const void *ptr, size_t len);
void bytes(struct out *o, uint32_t field, const void *ptr, size_t len);
void text(struct out *o, uint32_t field, const char *s);
void integer(struct out *o, uint32_t field, uint64_t v);
void fixed64(struct out *o, uint32_t field, uint64_t v);

/* KeyValue { key = 1, value = 2 } around an AnyValue of that type. */
void attr_text(struct out *o, uint32_t field, const char *key, const char *s);
void attr_int(struct out *o, uint32_t field, const char *key, uint64_t n);
void attr_double(struct out *o, uint32_t field, const char *key, double d);
void attr_bool(struct out *o, uint32_t field, const char *key, bool b);

/* Of our own bytes: looks at no end. */
size_t read_varint(const uint8_t **p);

#endif
