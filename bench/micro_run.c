/* SPDX-License-Identifier: Apache-2.0 */
/*
 * micro_run: what attribute processors and views cost a span, in memory.
 *
 * 48 payloads of 512 spans.  Three exact keys are deleted where 2 % of the
 * spans have them; the notes come from the validating walk, so what is timed
 * is the run alone.  Letters choose what to time: c r u s f.  memcpy of the same bytes into memory that is allocated
 * and freed as a payload is the yardstick: read ratios.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../tests/support/otlp_batch.h"
#include "data/interest.h"
#include "data/notes.h"
#include "data/run.h"
#include "data/walk.h"

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

/* As it stands before a run: walked a moment ago. */
static void prepare(int i, const struct interest_set *set)
{
	if (batch[i])
		batch_free(batch[i]);
	batch[i] = otlp_batch(WEIR_SIGNAL_TRACES, &input[i]);
	walk_request(WEIR_SIGNAL_TRACES, batch[i]->slices[0].ptr,
		     batch[i]->slices[0].len, set, &notes[i]);
	batch[i]->notes = &notes[i];
}

/* What is timed: one batch. */
typedef void (*work)(struct run *run, struct weir_batch *b);

/* The best of each payload, summed: on a machine with other work a whole
 * round is never undisturbed. */
static double time_work(work work, struct run *run)
{
	double best[PAYLOADS], total = 0;

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < PAYLOADS; i++) {
			double start, took;

			prepare(i, run ? run_interest(run) : NULL);
			start = now();
			work(run, batch[i]);
			took = now() - start;
			if (!round || took < best[i])
				best[i] = took;
		}
	}
	for (int i = 0; i < PAYLOADS; i++)
		total += best[i];
	return total / PAYLOADS / SPANS;
}

/* A copy into a new payload that takes the old one's place. */
static void copy(struct run *run, struct weir_batch *b)
{
	struct weir_slice s = b->slices[0];
	struct weir_payload *p = payload_new(s.len, true);

	(void)run;
	memcpy(p->bytes, s.ptr, s.len);
	batch_replace(b, 0, p, p->bytes, s.len, SPANS);
}

static void apply(struct run *run, struct weir_batch *b)
{
	run_apply(run, b);
}

static double time_run(const struct weir_plugin *plugin)
{
	struct weir_component c = { .plugin = plugin }, *stage = &c;
	struct run *run = run_new(&stage, 1, WEIR_SIGNAL_TRACES);
	double ns = time_work(apply, run);

	run_free(&run);
	return ns;
}

static void view_all(struct run *run, struct weir_batch *b)
{
	struct weir_span_cursor cursor = weir_spans(b);

	(void)run;
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

static void filter(struct run *run, struct weir_batch *b)
{
	(void)run;
	sum += weir_spans_filter(b, keep_most, NULL);
}

static void report(const char *what, double ns)
{
	printf("%-36s %7.1f ns/span\n", what, ns);
}

int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : "crusf";

	for (unsigned i = 0; i < PAYLOADS; i++)
		input[i] = otlp_typical_traces(SPANS, 20, i + 1);
	if (strchr(only, 'c'))
		report("copy into a new payload", time_work(copy, NULL));
	if (strchr(only, 'r'))
		report("run: 3 deletes, 1 span in 50 hit", time_run(&deletes));
	if (strchr(only, 'u'))
		report("run: upsert on every span", time_run(&upserts));
	if (strchr(only, 's'))
		report("views of spans and attributes",
		       time_work(view_all, NULL));
	if (strchr(only, 'f'))
		report("filter that drops 1 span in 16",
		       time_work(filter, NULL));
	return sum == 1;	/* so that it is needed */
}
