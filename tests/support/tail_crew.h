/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail_crew.h: a plan of a sender, the tail sampler and a sink, for tests that
 * put the sampler's own objects on several workers.  One at a time.
 */
#ifndef TESTS_TAIL_CREW_H
#define TESTS_TAIL_CREW_H

#include <check.h>
#include <dlfcn.h>

#include "crew.h"

#include "config/bind.h"
#include "config/tree.h"
#include "data/batch.h"
#include "runtime/credits.h"

extern const struct weir_plugin weir_plugin;	/* tail_sampling's */

static struct {
	struct plan_component senders, sampler, sink;
	struct plan_component *receivers[1], *processors[1], *exporters[1];
	struct plan_pipeline pipeline;
	struct plan plan;
	struct arena arena;
} tail_crew;

static inline int tail_crew_configure(weir_str yaml, struct weir_error *error)
{
	struct plan_component *sampler = &tail_crew.sampler;
	struct arena *arena = &tail_crew.arena;

	sampler->prototype->plugin = &weir_plugin;
	sampler->prototype->id = sampler->id = "tail_sampling/x";
	sampler->prototype->signals = WEIR_TRACES;
	sampler->node = tree_parse(arena, "test", yaml, error);
	if (!sampler->node ||
	    bind_fields(arena, weir_plugin.fields, sampler->prototype,
			sampler->node, "", error))
		return -1;
	return weir_plugin.validate(sampler->prototype, error);
}

static inline void tail_crew_wire(void)
{
	tail_crew.receivers[0] = &tail_crew.senders;
	tail_crew.processors[0] = &tail_crew.sampler;
	tail_crew.exporters[0] = &tail_crew.sink;
	tail_crew.pipeline = (struct plan_pipeline){
		.id = "traces", .signal = WEIR_SIGNAL_TRACES,
		.receivers = tail_crew.receivers, .n_receivers = 1,
		.processors = tail_crew.processors, .n_processors = 1,
		.exporters = tail_crew.exporters, .n_exporters = 1 };
	tail_crew.plan = (struct plan){
		.components = &tail_crew.senders, .n_components = 1,
		.pipelines = &tail_crew.pipeline, .n_pipelines = 1 };
}

/* NULL and a sentence: the block is refused.  tail_crew_free follows in both
 * cases. */
static inline struct plan *tail_crew_try(weir_str yaml,
					 const struct weir_plugin *sender,
					 const struct weir_plugin *sink,
					 struct weir_error *error)
{
	memset(&tail_crew, 0, sizeof(tail_crew));
	crew_component(&tail_crew.senders, sender);
	crew_component(&tail_crew.sampler, &weir_plugin);
	crew_component(&tail_crew.sink, sink);
	tail_crew_wire();
	return tail_crew_configure(yaml, error) ? NULL : &tail_crew.plan;
}

/* The plan, for crew_open; good until tail_crew_free. */
static inline struct plan *tail_crew_plan(const char *yaml,
					  const struct weir_plugin *sender,
					  const struct weir_plugin *sink)
{
	struct weir_error error = { 0 };
	struct plan *plan = tail_crew_try(weir_str_of(yaml), sender, sink,
					  &error);

	ck_assert_msg(plan != NULL, "%s: %s\n%s", error.path, error.text,
		      yaml);
	return plan;
}

/* When no worker is left. */
static inline void tail_crew_free(void)
{
	if (weir_budget_used())
		abort();
	weir_plugin.destroy(tail_crew.sampler.prototype);
	free(tail_crew.senders.prototype);
	free(tail_crew.sampler.prototype);
	free(tail_crew.sink.prototype);
	arena_release(&tail_crew.arena);
	credits_release();
}

static inline struct weir_component *tail_crew_find(struct worker *worker,
						    enum weir_kind kind)
{
	for (size_t i = 0; i < worker->graph->n_nodes; i++)
		if (worker->graph->nodes[i]->plan->kind == kind)
			return worker->graph->nodes[i]->c;
	return NULL;
}

/* Patterns look for it by name; here it is not beside libweir.so. */
static inline void tail_crew_open_regex(void)
{
	const char *build = getenv("WEIR_BUILD");
	char path[256];

	snprintf(path, sizeof(path), "%s/libweirre2.so",
		 build ? build : "build");
	ck_assert_msg(dlopen(path, RTLD_NOW) != NULL, "%s", dlerror());
}

/* What the samplers still bring again. */
static inline size_t tail_crew_held(const struct worker *worker)
{
	size_t held = 0;

	for (size_t i = 0; i < worker->graph->n_nodes; i++)
		held += worker->graph->nodes[i]->held;
	return held;
}

/* --- One sender and one sink for plays ------------------------------------ */

/* Sends the request through the receiver of the worker that this thread speaks
 * for; its answer comes with the cookie. */
static inline void tail_crew_send(struct worker *worker, const void *bytes,
				  size_t len, size_t spans, void *cookie)
{
	struct weir_component *c = tail_crew_find(worker, WEIR_RECEIVER);
	struct weir_batch *batch = batch_new(WEIR_SIGNAL_TRACES);
	struct weir_payload *payload = payload_new(len, true);

	if (len)
		memcpy(payload->bytes, bytes, len);
	batch_add(batch, payload, payload->bytes, len, (uint32_t)spans);
	payload_unref(payload);
	node_hold(c->node, batch);
	weir_batch_track(c, batch, cookie);
	weir_forward(c, batch);
}

/* The value of a metric, summed over its labels. */
struct tail_crew_metric {
	const char *name;
	double value;
};

static inline void tail_crew_add_up(struct weir_component *c, void *arg,
				    const struct weir_family *families,
				    size_t n)
{
	struct tail_crew_metric *metric = arg;

	(void)c;
	for (size_t i = 0; i < n; i++) {
		const struct weir_family *family = &families[i];

		if (!weir_str_eq(family->name, weir_str_of(metric->name)))
			continue;
		for (size_t k = 0; k < family->n_samples; k++)
			metric->value += (double)(
				family->type == WEIR_METRIC_HISTOGRAM ?
				family->samples[k].histogram->count :
				family->samples[k].counter);
	}
}

#endif
