/* SPDX-License-Identifier: Apache-2.0 */
/*
 * micro_json: what OTLP/JSON costs a span, in memory.
 *
 * 12 requests of 512 spans, as JSON.  Timed: memcpy of the text, every token of
 * it, reading it into protobuf, the validating walk of that, and writing it
 * again.  The minimum of many rounds counts; read ratios, not nanoseconds.
 *
 * cc -O2 -Iplugins/include -Iplugins/kit -Icore bench/micro_json.c
 *    tests/support/otlp_*.c and the objects of core, plugins/kit, build/proto
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <weir/json.h>
#include <weir/kit/otlp_json.h>

#include "../tests/support/otlp_gen.h"
#include "data/batch.h"
#include "data/walk.h"

#define REQUESTS 12
#define SPANS 512
#define ROUNDS 25

struct request {
	struct weir_text json;
	struct weir_payload *payload;
	size_t len;
};

static struct request request[REQUESTS];
static char *copy;
static size_t sum;		/* keeps results alive */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void do_memcpy(struct request *r)
{
	memcpy(copy, r->json.ptr, r->json.len);
	sum += (size_t)copy[r->json.len / 2];
}

static void do_scan(struct request *r)
{
	struct weir_json json;

	weir_json_open(&json, (weir_str){ r->json.ptr, r->json.len });
	while (weir_json_next(&json) > WEIR_JSON_END)
		sum++;
}

static void do_read(struct request *r)
{
	struct weir_outcome refused;

	weir_payload_free(&r->payload);
	r->payload = weir_otlp_json_read(NULL, WEIR_SIGNAL_TRACES,
		(const uint8_t *)r->json.ptr, r->json.len, SIZE_MAX / 2,
		&r->len, &refused);
	if (!r->payload) {
		fprintf(stderr, "%s\n", refused.text);
		exit(1);
	}
}

static void do_walk(struct request *r)
{
	sum += walk_request(WEIR_SIGNAL_TRACES, weir_payload_bytes(r->payload),
			    r->len, NULL, NULL).items;
}

static void do_write(struct request *r)
{
	struct weir_slice slice = { weir_payload_bytes(r->payload), r->len };
	struct weir_batch batch = { .signal = WEIR_SIGNAL_TRACES, .n = 1,
				    .slices = &slice };

	weir_text_clear(&r->json);
	weir_otlp_json_write(&batch, &r->json);
}

static void measure(const char *what, void (*does)(struct request *))
{
	double best = 1e30;

	for (int round = 0; round < ROUNDS; round++) {
		double start = now(), took;

		for (int i = 0; i < REQUESTS; i++)
			does(&request[i]);
		took = now() - start;
		if (took < best)
			best = took;
	}
	printf("%-24s %8.1f ns/span\n", what, best / (REQUESTS * SPANS));
}

int main(void)
{
	size_t most = 0, bytes = 0;

	for (int i = 0; i < REQUESTS; i++) {
		struct otlp_bytes b = otlp_typical_traces(SPANS, 20,
							  (uint64_t)i);
		struct request *r = &request[i];

		r->payload = weir_payload_new(NULL, b.len);
		r->len = b.len;
		memcpy(weir_payload_bytes(r->payload), b.ptr, b.len);
		do_write(r);
		bytes += r->json.len;
		if (r->json.len > most)
			most = r->json.len;
		otlp_bytes_free(&b);
	}
	copy = malloc(most);
	printf("%zu bytes of JSON and %zu of protobuf a span\n",
	       bytes / (REQUESTS * SPANS), request[0].len / SPANS);
	measure("memcpy of the text", do_memcpy);
	measure("every token", do_scan);
	measure("read", do_read);
	measure("walk", do_walk);
	measure("write", do_write);
	return sum == 0;
}
