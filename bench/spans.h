/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spans.h: export requests as an LLM service sends them.
 *
 * One resource of 8 attributes, two scopes, about 580 bytes a span: 12
 * attributes of mixed types, an event in every fifth span, a link in 3 %.
 * Some have api_key, user_email and token; on request each has a prompt, as
 * JSON of 1 to 2 KB.
 */
#ifndef BENCH_SPANS_H
#define BENCH_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spans_shape {
	size_t n;		/* spans a request */
	unsigned hits;		/* of thousand spans, so many with secrets */
	bool messages;		/* each with a prompt */
};

struct spans_place {
	uint32_t start, end;	/* of a Span; its trace id is at start + 2 */
};

struct spans_request {
	uint8_t *bytes;		/* 5 bytes of gRPC head, then the message */
	size_t len;		/* all of it */
	size_t n;		/* spans */
	struct spans_place *spans;
};

/* A request of that shape, always the same bytes.  Aborts when memory fails;
 * lives as long as the program. */
struct spans_request spans_build(const struct spans_shape *shape);
/* The same content in memory of its own. */
struct spans_request spans_copy(const struct spans_request *r);
/* Fresh trace ids, in place: each span is a trace. */
void spans_refresh(struct spans_request *r, uint64_t *random);
/* Compresses the message with gzip, level 6; trace ids are fixed then. */
void spans_gzip(struct spans_request *r);

uint64_t spans_random(uint64_t *state);

#endif
