/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traces.c: trace ids, and what sampling policies look for, written into a
 * request in place.  Where those bytes are is found once, for all copies.
 */
#include "traces.h"
#include "wire_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOW 6000000000u	/* ns */

enum mark { NONE, ERROR, SLOWLY, FAILED, ROWS };

/* What changes of a span, as offsets from its start; 0: it has none. */
struct places {
	uint32_t end_time;	/* Span.end_time_unix_nano = 8 */
	uint32_t status;	/* the last byte of Span.status = 15 */
	uint32_t finish;	/* the text "stop" */
	uint32_t rows;		/* a varint of one byte */
	uint64_t ends;		/* the end time as it was */
	uint8_t had;		/* the rows as they were */
};

static struct places *places;	/* a row per span of a request */

/* The value's bytes are at the end of the KeyValue. */
static bool is_key(const uint8_t *kv, size_t len, const char *key)
{
	return len > strlen(key) + 2 && kv[1] == strlen(key) &&
	       !memcmp(kv + 2, key, kv[1]);
}

static struct places find(const uint8_t *span, const uint8_t *end)
{
	const uint8_t *p = span;
	struct places at = { 0 };

	while (p < end) {
		uint8_t tag = *p++;
		size_t len;

		if ((tag & 7) == 0) {
			read_varint(&p);
			continue;
		}
		len = (tag & 7) == 1 ? 8 : read_varint(&p);
		if (tag >> 3 == 8) {
			at.end_time = (uint32_t)(p - span);
			memcpy(&at.ends, p, 8);
		} else if (tag >> 3 == 15) {
			at.status = (uint32_t)(p + len - 1 - span);
		} else if (is_key(p, len, "gen_ai.response.finish_reason")) {
			at.finish = (uint32_t)(p + len - 4 - span);
		} else if (is_key(p, len, "db.response.returned_rows")) {
			at.rows = (uint32_t)(p + len - 1 - span);
			at.had = p[len - 1];
		}
		p += len;
	}
	if (!at.end_time || !at.status || !(at.finish || at.rows)) {
		fprintf(stderr, "traces: a span that is none of ours\n");
		exit(1);
	}
	return at;
}

static void find_all(const struct spans_request *r)
{
	places = grown(NULL, r->n * sizeof(*places));
	for (size_t i = 0; i < r->n; i++)
		places[i] = find(r->bytes + r->spans[i].start,
				 r->bytes + r->spans[i].end);
}

/* What a trace has; a span that lacks the attribute stays as it is. */
static enum mark mark_of(uint64_t trace_id)
{
	static const enum mark marks[] = { ERROR, SLOWLY, FAILED, ROWS };
	uint64_t turn = trace_id % 1000;

	return turn < 20 ? marks[turn / 5] : NONE;
}

static void write_marks(uint8_t *span, const struct places *at,
			enum mark mark)
{
	uint64_t ends = at->ends + (mark == SLOWLY ? SLOW : 0);

	memcpy(span + at->end_time, &ends, 8);
	span[at->status] = mark == ERROR ? 2 : 1;
	if (at->finish)
		memcpy(span + at->finish, mark == FAILED ? "fail" : "stop", 4);
	if (at->rows)
		span[at->rows] = mark == ROWS ? 99 : at->had;
}

void traces_refresh(struct spans_request *r, size_t length, uint64_t number)
{
	if (!places)
		find_all(r);
	for (size_t i = 0; i < r->n; i++) {
		uint64_t turn = number + i, seed = turn / length * r->n + i;
		uint64_t id[2] = { spans_random(&seed), spans_random(&seed) };
		uint8_t *span = r->bytes + r->spans[i].start;

		memcpy(span + 2, id, 16);
		write_marks(span, &places[i], turn % length == length / 2 ?
			    mark_of(id[1]) : NONE);
	}
}
