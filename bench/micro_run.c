/* SPDX-License-Identifier: Apache-2.0 */
/*
 * micro_run: what attribute processors and views cost a span, in memory.
 *
 * 48 payloads of 512 spans.  Three exact keys are deleted where 2 % of the
 * spans have them; the notes come from the validating walk, so what is timed
 * is the run alone.  memcpy of the same bytes into memory that is allocated
 * and freed as a payload is the yardstick: read ratios.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../tests/support/otlp_batch.h"
#include "interest.h"
#include "notes.h"
#include "run.h"
#include "walk.h"

#define PAYLOADS 48
#define SPANS 512
#define ROUNDS 40

static const char *const secret[] = { "api_key", "user_email", "token" };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* --- Stages --------------------------------------------------------------------- */

static void want_secrets(struct weir_component *c, enum weir_signal signal,
			 struct weir_interest *interest)
{
	(void)c;
	(void)signal;
	for (int i = 0; i < 3; i++)
		weir_interest_key(interest, WEIR_AT_RECORD,
				  weir_str_of(secret[i]));
}

static uintptr_t delete_secrets(struct weir_component *c,
				struct weir_element *e, uintptr_t parent)
{
	(void)c;
	(void)parent;
	for (int i = 0; i < 3; i++)
		weir_attr_remove_key(e, weir_str_of(secret[i]));
	return 0;
}

static void want_every_span(struct weir_component *c, enum weir_signal signal,
			    struct weir_interest *interest)
{
	(void)c;
	(void)signal;
	weir_interest_always(interest, WEIR_AT_RECORD);
}

static uintptr_t upsert(struct weir_component *c, struct weir_element *e,
			uintptr_t parent)
{
	struct weir_value value = { .type = WEIR_VALUE_STRING,
				    .str = WEIR_STR("production") };
	struct weir_attr *attr = weir_attr_find(e, WEIR_STR("deployment"));

	(void)c;
	(void)parent;
	if (attr)
		weir_attr_replace(e, attr, &value);
	else
		weir_attr_add(e, WEIR_STR("deployment"), &value);
	return 0;
}

static const struct weir_plugin deletes = { .interest = want_secrets,
					    .visit = delete_secrets };
static const struct weir_plugin upserts = { .interest = want_every_span,
					    .visit = upsert };

/* --- Timing ----------------------------------------------------------------------- */

static struct otlp_bytes input[PAYLOADS];
static struct weir_batch *batch[PAYLOADS];
static struct notes notes[PAYLOADS];
static size_t sum;

static void prepare(const struct interest_set *set)
{
	for (int i = 0; i < PAYLOADS; i++) {
		if (batch[i])
			batch_free(batch[i]);
		batch[i] = otlp_batch(WEIR_SIGNAL_TRACES, &input[i]);
		if (!set)
			continue;
		walk_request(WEIR_SIGNAL_TRACES, batch[i]->slices[0].ptr,
			     batch[i]->slices[0].len, set, &notes[i]);
		batch[i]->notes = &notes[i];
	}
}

static double time_run(const struct weir_plugin *plugin)
{
	struct weir_component c = { .plugin = plugin }, *stage = &c;
	struct run *run = run_new(&stage, 1, WEIR_SIGNAL_TRACES);
	double best = 1e18;

	for (int round = 0; round < ROUNDS; round++) {
		double start, took;

		prepare(run_interest(run));
		start = now();
		for (int i = 0; i < PAYLOADS; i++)
			run_apply(run, batch[i]);
		took = now() - start;
		best = took < best ? took : best;
	}
	run_free(&run);
	return best / PAYLOADS / SPANS;
}

/* A copy into a new payload that takes the old one's place. */
static double time_copy(void)
{
	double best = 1e18;

	for (int round = 0; round < ROUNDS; round++) {
		double start, took;

		prepare(NULL);
		start = now();
		for (int i = 0; i < PAYLOADS; i++) {
			struct weir_slice s = batch[i]->slices[0];
			struct weir_payload *p = payload_new(s.len, true);

			memcpy(p->bytes, s.ptr, s.len);
			batch_replace(batch[i], 0, p, p->bytes, s.len, SPANS);
		}
		took = now() - start;
		best = took < best ? took : best;
	}
	return best / PAYLOADS / SPANS;
}

static void view_all(const struct weir_batch *b)
{
	struct weir_span_cursor cursor = weir_spans(b);

	while (weir_span_next(&cursor)) {
		struct weir_value_cursor attr =
			weir_attributes(cursor.span.attributes);

		sum += cursor.span.kind + cursor.span.name.len;
		while (weir_value_next(&attr))
			sum += attr.item.key.len + attr.item.value.type;
	}
}

static bool keep_most(const struct weir_span_at *at, void *arg)
{
	(void)arg;
	return at->span.span_id.len && at->span.span_id.ptr[0] & 15;
}

static double time_views(bool filter)
{
	double best = 1e18;

	for (int round = 0; round < ROUNDS; round++) {
		double start, took;

		prepare(NULL);
		start = now();
		for (int i = 0; i < PAYLOADS; i++) {
			if (filter)
				sum += weir_spans_filter(batch[i], keep_most,
							 NULL);
			else
				view_all(batch[i]);
		}
		took = now() - start;
		best = took < best ? took : best;
	}
	return best / PAYLOADS / SPANS;
}

int main(void)
{
	double copy;

	for (unsigned i = 0; i < PAYLOADS; i++)
		input[i] = otlp_typical_traces(SPANS, 20, i + 1);
	copy = time_copy();
	printf("%-36s %7.1f ns/span\n", "copy into a new payload", copy);
	printf("%-36s %7.1f\n", "run: 3 deletes, 1 span in 50 hit",
	       time_run(&deletes));
	printf("%-36s %7.1f\n", "run: upsert on every span",
	       time_run(&upserts));
	printf("%-36s %7.1f\n", "views of spans and attributes",
	       time_views(false));
	printf("%-36s %7.1f\n", "filter that drops 1 span in 16",
	       time_views(true));
	printf("(%zu)\n", sum % 10);
	return 0;
}
