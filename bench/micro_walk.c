/* SPDX-License-Identifier: Apache-2.0 */
/*
 * micro_walk: what the validating walk costs a span, in memory.
 *
 * 48 payloads of 512 spans (14 MB: out of L2, inside L3) are walked in turn;
 * the minimum of many rounds counts.  memcpy of the same bytes in the same run
 * is the yardstick: read ratios, not nanoseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../tests/support/otlp_gen.h"

#include "data/interest.h"
#include "data/walk.h"
#include "data/wire.h"

#define PAYLOADS 48
#define SPANS 512
#define ROUNDS 40

static struct otlp_bytes payload[PAYLOADS];
static uint8_t *copy;
static size_t sum;		/* keeps results alive */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Lengths only: what the least of walks would do. */
static size_t structure(const uint8_t *p, const uint8_t *end, unsigned depth)
{
	struct wire_field f;
	size_t n = 0;

	while (p < end) {
		p = wire_next(p, end, &f);
		if (!p)
			abort();
		n++;
		if (depth && wire_type_of(f.tag) == WIRE_BYTES && f.value > 16)
			n += structure(f.body, f.body + f.value, 0);
	}
	return n;
}

static void do_memcpy(const struct otlp_bytes *b, const void *arg)
{
	(void)arg;
	memcpy(copy, b->ptr, b->len);
	sum += copy[b->len / 2];
}

/* Top level, wrapper, scopes, spans: counted, not entered. */
static void do_shallow(const struct otlp_bytes *b, const void *arg)
{
	struct wire_field f;

	(void)arg;
	wire_next(b->ptr, b->ptr + b->len, &f);
	sum += structure(f.body, f.body + f.value, 1);
}

static void do_walk(const struct otlp_bytes *b, const void *arg)
{
	static struct notes notes;
	struct walk_result r = walk_request(WEIR_SIGNAL_TRACES, b->ptr, b->len,
					    arg, &notes);

	if (r.verdict != WALK_CANONICAL || r.items != SPANS)
		abort();
	sum += notes.n;
}

static double measure(void (*work)(const struct otlp_bytes *, const void *),
		      const void *arg)
{
	double best = 1e18;

	for (unsigned round = 0; round < ROUNDS; round++) {
		double start = now(), took;

		for (unsigned i = 0; i < PAYLOADS; i++)
			work(&payload[i], arg);
		took = now() - start;
		best = took < best ? took : best;
	}
	return best / PAYLOADS / SPANS;
}

static struct interest_set *keys(unsigned n)
{
	static const char *const secret[] = { "api_key", "user_email",
					      "token" };
	struct weir_interest *interest = interest_new();
	struct interest_set *set;
	char name[32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "some.secret.key.%u", i * i);
		weir_interest_key(interest,
				  WEIR_AT_RESOURCE | WEIR_AT_SCOPE |
					  WEIR_AT_RECORD | WEIR_AT_EVENT,
				  weir_str_of(i < 3 ? secret[i] : name));
	}
	set = interest_compile(&interest, 1);
	interest_free(&interest);
	return set;
}

int main(void)
{
	struct interest_set *three = keys(3), *fifty = keys(50);
	size_t bytes = 0;
	double yard;

	for (unsigned i = 0; i < PAYLOADS; i++) {
		payload[i] = otlp_typical_traces(SPANS, 20, i + 1);
		bytes += payload[i].len;
	}
	copy = malloc(2 * bytes / PAYLOADS);
	printf("%.0f bytes a span\n", (double)bytes / PAYLOADS / SPANS);
	yard = measure(do_memcpy, NULL);
	printf("%-28s %7.1f ns/span\n", "memcpy", yard);
	printf("%-28s %7.1f\n", "lengths of spans' fields",
	       measure(do_shallow, NULL));
	printf("%-28s %7.1f\n", "walk", measure(do_walk, NULL));
	printf("%-28s %7.1f\n", "walk, 3 keys", measure(do_walk, three));
	printf("%-28s %7.1f\n", "walk, 50 keys", measure(do_walk, fifty));
	printf("(%zu)\n", sum % 10);
	return 0;
}
