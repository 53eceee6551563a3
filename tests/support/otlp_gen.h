/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_gen.h: random OTLP requests for tests.
 *
 * The same seed gives the same request.  Requests are made as protobuf-c
 * trees and packed, so they are canonical; otlp_unusual() writes the same
 * meaning in ways that are legal but odd.  Whoever finds a failure prints the
 * seed.  Results are owned by the caller.
 */
#ifndef TESTS_OTLP_GEN_H
#define TESTS_OTLP_GEN_H

#include <protobuf-c/protobuf-c.h>
#include <weir/base.h>

/* The little generator (splitmix64) behind it all. */
struct gen {
	uint64_t state;
};
uint64_t gen_next(struct gen *gen);
/* 0 .. below-1; 0 when below is 0. */
uint32_t gen_below(struct gen *gen, uint32_t below);
/* True once in n. */
bool gen_one_in(struct gen *gen, uint32_t n);

struct gen_options {
	uint32_t records;	/* about so many spans, logs, points; 0: some */
	bool unknown;		/* also fields that no schema has */
};

/* Packed bytes with 32 bytes of slack behind `len`, filled with noise. */
struct otlp_bytes {
	uint8_t *ptr;
	size_t len;
	uint32_t items;		/* spans, log records, data points in it */
};
void otlp_bytes_free(struct otlp_bytes *bytes);
/* A copy with fresh noise behind it; len may be a prefix's. */
struct otlp_bytes otlp_bytes_copy(const uint8_t *ptr, size_t len,
				  uint64_t noise);

/* Appends; the noise moves behind. */
void otlp_bytes_append(struct otlp_bytes *bytes, const uint8_t *ptr,
		       size_t len);

/* A random valid request of that signal. */
struct otlp_bytes otlp_gen(enum weir_signal signal, uint64_t seed,
			   const struct gen_options *options);
/* The same meaning, written oddly: fields twice, sub-messages split, over-long
 * varints, fields shuffled, packed fields unpacked or in pieces, groups. */
struct otlp_bytes otlp_unusual(enum weir_signal signal,
			       const struct otlp_bytes *valid, uint64_t seed);

/* Like the spans of the reference measurements: n spans of ~583 bytes, 12
 * attributes each, one resource of 8 attributes, two scopes; `hits` in
 * thousand spans carry api_key, user_email and token. */
struct otlp_bytes otlp_typical_traces(uint32_t n, uint32_t hits,
				      uint64_t seed);

/* The oracle: the descriptor of a signal's export request. */
const ProtobufCMessageDescriptor *otlp_descriptor(enum weir_signal signal);
/* Unpack and pack again: one form for equal messages.  ptr NULL when
 * protobuf-c does not take it. */
struct otlp_bytes otlp_repacked(enum weir_signal signal, const uint8_t *ptr,
				size_t len);

/* Lower-case hex of bytes; free() it. */
char *otlp_hex(const uint8_t *ptr, size_t len);

#endif
