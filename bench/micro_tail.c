/* SPDX-License-Identifier: Apache-2.0 */
/*
 * micro_tail: what tail sampling costs a span, in memory, on one worker.
 *
 *	micro_tail [PAYLOADS A SECOND, 10]
 *
 * Payloads of 512 spans like those of the reference measurements, one span
 * each of 512 traces, whose other nine come with the next nine payloads.  Five
 * policies, one of which a tenth of the traces satisfies; ten payloads a
 * second, and a trace waits for ten.  What the same payloads cost without the
 * sampler (a copy, sender to sink) is taken off.  Rounds are short and the best
 * one counts: others use the machine.
 *
 * The lower bound is what the copy of a span costs alone, into as much memory
 * as waits: every byte of it has left the caches by the time it is written
 * again, and no sampler that keeps the bytes does with less.
 *
 * Then: memory of what waits, against its bytes on the wire.  Of what is
 * resident a second's worth is free again: traces are decided once a second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../tests/support/crew.h"
#include "../tests/support/otlp_gen.h"
#include "../tests/support/otlp_batch.h"
#include "data/batch.h"
#include "config/bind.h"
#include "config/tree.h"

#define SPANS 512
#define PAYLOADS 150		/* a round */
#define ROUNDS 40
#define WAIT 10			/* seconds */
#define COPIES 20		/* times the memory is filled */

extern const struct weir_plugin weir_plugin;	/* tail_sampling's */

static const char yaml[] =
	"{decision_wait: 10s, num_traces: %d, memory_limit_mib: 4096, "
	"policies: ["
	"{name: e, type: status_code, status_code: {status_codes: [ERROR]}}, "
	"{name: l, type: latency, latency: {threshold_ms: 60000}}, "
	"{name: s, type: string_attribute, string_attribute: {key: no.such, "
	"values: [a, b]}}, "
	"{name: n, type: numeric_attribute, numeric_attribute: {key: none, "
	"min_value: 500}}, "
	"{name: p, type: probabilistic, probabilistic: {sampling_percentage: "
	"10}}]}";

static struct otlp_bytes template;
static size_t ids[SPANS];	/* where the trace ids are in it */
static struct worker worker;
static uint64_t sent, arrived;
static int a_second = 10;	/* payloads */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* --- From sender to sink -------------------------------------------------- */

static void answered(struct weir_component *c, struct weir_batch *batch,
		     const struct weir_outcome *outcome, void *cookie)
{
	(void)c;
	(void)cookie;
	if (outcome->status != WEIR_OK)
		abort();
	weir_batch_ack(batch);
}

static void arrive(struct weir_component *c, struct weir_batch *batch)
{
	(void)c;
	arrived += weir_batch_items(batch);
	weir_batch_ack(batch);
}

static const struct weir_plugin source_plugin = {
	.kind = WEIR_RECEIVER, .type = "source", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .answered = answered,
};
static const struct weir_plugin sink_plugin = {
	.kind = WEIR_EXPORTER, .type = "sink", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .consume = arrive,
};

static struct plan_component source, sampler, sink;

static void open_plan(struct arena *arena, bool sampled)
{
	static struct plan_component *receivers[] = { &source };
	static struct plan_component *processors[] = { &sampler };
	static struct plan_component *exporters[] = { &sink };
	static struct plan_pipeline pipeline;
	static struct plan plan;
	struct weir_error error = { 0 };
	static char text[sizeof(yaml) + 16];

	snprintf(text, sizeof(text), yaml, 2000 * a_second);
	crew_component(&source, &source_plugin);
	crew_component(&sampler, &weir_plugin);
	crew_component(&sink, &sink_plugin);
	sampler.prototype->plugin = &weir_plugin;
	sampler.prototype->id = sampler.id;
	sampler.node = tree_parse(arena, "bench", weir_str_of(text), &error);
	if (!sampler.node || bind_fields(arena, weir_plugin.fields,
					 sampler.prototype, sampler.node, "",
					 &error) ||
	    weir_plugin.validate(sampler.prototype, &error)) {
		fprintf(stderr, "%s: %s\n", error.path, error.text);
		exit(1);
	}
	pipeline = (struct plan_pipeline){
		.id = "traces", .signal = WEIR_SIGNAL_TRACES,
		.receivers = receivers, .n_receivers = 1,
		.processors = processors, .n_processors = sampled,
		.exporters = exporters, .n_exporters = 1 };
	plan = (struct plan){ .components = &source, .n_components = 1,
			      .pipelines = &pipeline, .n_pipelines = 1 };
	memset(&worker, 0, sizeof(worker));
	workers = &worker;
	n_workers = 1;
	worker_init(&worker, 0, true);
	graph_new(&plan, &worker, NULL);
	if (graph_start(worker.graph, &error))
		exit(1);
}

static void turn(void)
{
	while (worker_turn(&worker))
		;
}

static void close_plan(void)
{
	crew_stop(&worker);
	turn();
	graph_destroy(worker.graph);
	turn();
	worker_release(&worker);
	graph_free(&worker.graph);
}

/* --- Payloads ------------------------------------------------------------- */

static void make_template(void)
{
	struct weir_span_cursor cursor;
	struct weir_batch *batch;
	size_t n = 0;

	template = otlp_typical_traces(SPANS, 0, 1);
	batch = otlp_batch(WEIR_SIGNAL_TRACES, &template);
	cursor = weir_spans(batch);
	while (weir_span_next(&cursor))
		ids[n++] = (size_t)((const uint8_t *)cursor.span.trace_id.ptr -
				    batch->slices[0].ptr);
	batch_free(batch);
	if (n != SPANS)
		exit(1);
}

static void send_one(void)
{
	struct weir_component *c = worker.graph->nodes[0]->c;
	struct weir_batch *batch = batch_new(WEIR_SIGNAL_TRACES);
	struct weir_payload *payload = payload_new(template.len, true);

	for (size_t i = 0; worker.graph->nodes[i]->plan != &source; )
		c = worker.graph->nodes[++i]->c;
	memcpy(payload->bytes, template.ptr, template.len);
	for (uint64_t i = 0; i < SPANS; i++) {
		uint64_t trace = (sent / 10 * SPANS + i + 1) *
				 0x9e3779b97f4a7c15u;

		memcpy(payload->bytes + ids[i] + 8, &trace, 8);
	}
	sent++;
	batch_add(batch, payload, payload->bytes, template.len, SPANS);
	payload_unref(payload);
	worker_enter(&worker);
	node_hold(c->node, batch);
	weir_batch_track(c, batch, NULL);
	weir_forward(c, batch);
	worker_leave(&worker);
}

static void send_all(void)
{
	for (int i = 0; i < PAYLOADS; i++) {
		send_one();
		if (sent % (uint64_t)a_second == 0)
			clock_advance(1000000000u);
		turn();
	}
}

static double resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long size, rss;

	if (!f || fscanf(f, "%lu %lu", &size, &rss) != 2)
		exit(1);
	fclose(f);
	return (double)rss * (double)sysconf(_SC_PAGESIZE);
}

/* --- The two ways --------------------------------------------------------- */

static double measure(bool sampled)
{
	struct arena arena = { 0 };
	double best = 0, before;

	sent = arrived = 0;
	open_plan(&arena, sampled);
	before = resident();
	for (int round = 0; round < ROUNDS; round++) {
		double began = now(), took;

		send_all();
		took = (now() - began) / PAYLOADS / SPANS;
		best = !round || took < best ? took : best;
	}
	if (sampled) {
		/* what came in the last ten seconds, and up to one more */
		double waits = WAIT * a_second * (double)template.len;

		printf("%.1f %% kept; %.0f MB wait; their memory: %.2f of the "
		       "bytes on the wire (%.2f by the budget)\n",
		       100.0 * (double)arrived / ((double)sent * SPANS),
		       waits / 1e6, (resident() - before) / waits,
		       (double)weir_budget_used() / waits);
	}
	close_plan();
	weir_plugin.destroy(sampler.prototype);
	free(source.prototype);
	free(sampler.prototype);
	free(sink.prototype);
	arena_release(&arena);
	return best;
}

/* One span after the other into as much memory as waits, from a payload that
 * is in the caches. */
static double measure_copy(void)
{
	size_t span = template.len / SPANS, n = (size_t)(WAIT * a_second);
	uint8_t *log = malloc(n * template.len);
	double best = 0;

	if (!log)
		exit(1);
	memset(log, 1, n * template.len);
	for (int round = 0; round < COPIES; round++) {
		double began = now(), took;

		for (size_t i = 0; i < n * SPANS; i++)
			memcpy(log + i * span,
			       template.ptr + i % SPANS * span, span);
		took = (now() - began) / (double)n / SPANS;
		best = !round || took < best ? took : best;
	}
	__asm__ volatile("" : : "r"(log) : "memory");
	free(log);
	return best;
}

int main(int argc, char **argv)
{
	double without, with, copy;

	if (argc > 1 && atoi(argv[1]) > 0)
		a_second = atoi(argv[1]);
	clock_manual(1000000000u, 1700000000000000000u, 42);
	make_template();
	without = measure(false);
	with = measure(true);
	copy = measure_copy();
	printf("%zu bytes a span; %.0f ns without, %.0f ns with: %.0f ns more "
	       "a span, of which the copy alone is %.0f\n",
	       template.len / SPANS, without, with, with - without, copy);
	otlp_bytes_free(&template);
	return 0;
}
