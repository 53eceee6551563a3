/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail_turns.h: the tail sampler on two workers that take turns, on the test's
 * clock, between a sender and a sink that counts.
 */
#ifndef TESTS_TAIL_TURNS_H
#define TESTS_TAIL_TURNS_H

#include "tail_crew.h"
#include "traces.h"

#define WORKERS 2
#define SECOND 1000000000ull
#define TS(name) "otelcol_processor_tail_sampling_" name

static size_t came, refused;

/* --- What stands around the sampler --------------------------------------- */

static inline void answered(struct weir_component *c, struct weir_batch *batch,
			    const struct weir_outcome *outcome, void *cookie)
{
	(void)c;
	(void)cookie;
	refused += outcome->status != WEIR_OK;
	weir_batch_ack(batch);
}

static const struct weir_plugin sender_plugin = {
	.kind = WEIR_RECEIVER, .type = "sender", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .answered = answered,
};

static inline void consume(struct weir_component *c, struct weir_batch *batch)
{
	(void)c;
	came += weir_batch_items(batch);
	weir_batch_ack(batch);
}

static const struct weir_plugin sink_plugin = {
	.kind = WEIR_EXPORTER, .type = "sink", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .consume = consume,
};

static inline void open_crew(const char *yaml)
{
	clock_manual(SECOND, 1700000000 * SECOND, 7);
	crew_open_manual(tail_crew_plan(yaml, &sender_plugin, &sink_plugin),
			 WORKERS);
}

static inline void all_take_turns(void)
{
	for (int times = 0; times < 2; times++)
		for (uint32_t i = 0; i < WORKERS; i++)
			crew_turn(i);
}

static inline void seconds(int n)
{
	while (n--) {
		clock_advance(SECOND);
		all_take_turns();
	}
}

static inline void stop_crew(void)
{
	for (uint32_t i = 0; i < WORKERS; i++)
		crew_as(i, crew_stop);
	all_take_turns();
}

static inline void close_crew(void)
{
	crew_close_manual();
	tail_crew_free();
	ck_assert_uint_eq(refused, 0);
}

static struct bytes request;
static size_t n_spans;

static inline void send_request(struct worker *worker)
{
	tail_crew_send(worker, request.ptr, request.len, n_spans, NULL);
}

/* By the workers in turn. */
static inline void send_it(void)
{
	static uint32_t i;

	crew_as(i++ % WORKERS, send_request);
	all_take_turns();
}

static inline double metric(const char *name)
{
	struct tail_crew_metric metric = { .name = name };

	worker_be(&workers[0]);
	weir_metrics_snapshot(tail_crew_find(&workers[0], WEIR_RECEIVER),
			      tail_crew_add_up, &metric);
	workers_settle();
	return metric.value;
}

#endif
