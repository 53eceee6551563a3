/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spans.h: export requests as an LLM service sends them.
 *
 * One resource of 8 attributes, two scopes, about 580 bytes a span: 12
 * attributes of mixed types, an event in every fifth span, a link in 3 %, and
 * api_key, user_email and token in 2 %.
 */
#ifndef BENCH_SPANS_H
#define BENCH_SPANS_H

#include <stddef.h>
#include <stdint.h>

struct spans_request {
	uint8_t *bytes;		/* 5 bytes of gRPC head, then the message */
	size_t len;		/* all of it */
	size_t n;		/* spans */
	uint32_t *trace_ids;	/* offsets of the 16 bytes, one per span */
};

/* A request of n spans; the same seed gives the same bytes.  Aborts when
 * memory fails; lives as long as the program. */
struct spans_request spans_build(size_t n, uint64_t seed);
/* The same content in memory of its own. */
struct spans_request spans_copy(const struct spans_request *r);
/* Fresh trace ids, in place. */
void spans_refresh(struct spans_request *r, uint64_t *random);
/* Compresses the message with gzip, level 6; trace ids are fixed then. */
void spans_gzip(struct spans_request *r);

uint64_t spans_random(uint64_t *state);

#endif
