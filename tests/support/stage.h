/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.h: a plan of fake components on manual workers, for tests of core.
 *
 * A fake is one component; the test says what it does with a batch, and reads
 * what happened to it.  Pipelines are put together by ids.  Time is the test's.
 * One stage at a time; header only, because only tests of core can link it.
 */
#ifndef TESTS_STAGE_H
#define TESTS_STAGE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/batch.h"
#include "runtime/credits.h"
#include "runtime/graph.h"
#include "base/str.h"

enum fake_does {
	FAKE_ACKS, FAKE_NACKS, FAKE_HOLDS,
	FAKE_ACCEPTS,		/* custody, and holds */
	FAKE_FORWARDS,
	FAKE_TRACKS,		/* forwards, and passes the answer on */
	FAKE_KEEPS		/* accepts, tracks, forwards; holds what is
				 * nacked */
};

struct fake {
	const char *id;
	enum fake_does does;
	uint64_t room;			/* a custodian of so much, 0: none */
	enum weir_sizer sizer;
	bool custodian, block, fails_to_start;
	bool single;			/* one instance, on worker 0 */
	bool (*admit)(struct weir_component *c, const struct weir_batch *batch,
		      struct weir_outcome *refused);
	uintptr_t (*visit)(struct weir_component *c, struct weir_element *e,
			   uintptr_t parent);
	/* Filled here. */
	struct weir_plugin plugin;
	struct weir_component *c;
	struct weir_node_instance *node;
	struct weir_credits *credits;
	struct weir_batch_list held;
	unsigned consumed, answered, destroyed;
	size_t items;			/* consumed */
	struct weir_outcome outcome;	/* last answer; NACKS: what it says */
};

struct fake_component {
	struct weir_component base;
	struct fake *fake;
};

struct stage_answer {
	unsigned times;
	struct weir_outcome outcome;
};

#define STAGE_MAX 12
#define STAGE_WORKERS 2

static struct stage {
	struct worker workers[STAGE_WORKERS];
	struct plan plan;
	struct plan_component components[STAGE_MAX];
	struct plan_component *lists[STAGE_MAX * 4];
	struct plan_pipeline pipelines[STAGE_MAX];
	size_t n_lists;
	struct stage_answer answers[4096];
	size_t n_sent;
	unsigned depth;			/* of calls into fakes */
	char log[512];			/* "start a, stop a, ..." */
} stage;

static inline struct fake *fake_of(struct weir_component *c)
{
	return WEIR_SELF(c, struct fake_component)->fake;
}

static inline void stage_log(const char *what, const char *id)
{
	size_t len = strlen(stage.log);

	snprintf(stage.log + len, sizeof(stage.log) - len, "%s%s %s",
		 len ? ", " : "", what, id);
}

/* --- What fakes do ------------------------------------------------------- */

/* Core never calls a component from inside a call of a component, but for the
 * next one's consume. */
static inline void fake_consume(struct weir_component *c,
				struct weir_batch *batch)
{
	struct fake *fake = fake_of(c);

	stage.depth++;
	fake->consumed++;
	fake->items += weir_batch_items(batch);
	switch (fake->does) {
	case FAKE_ACKS:
		weir_batch_ack(batch);
		break;
	case FAKE_NACKS:
		weir_batch_nack(batch, &fake->outcome);
		break;
	case FAKE_ACCEPTS:
		batch = weir_batch_accept(c, batch);
		/* fall through */
	case FAKE_HOLDS:
		weir_batch_push(&fake->held, batch);
		break;
	case FAKE_KEEPS:
		batch = weir_batch_accept(c, batch);
		/* fall through */
	case FAKE_TRACKS:
		weir_batch_track(c, batch, fake);
		/* fall through */
	case FAKE_FORWARDS:
		weir_forward(c, batch);
		break;
	}
	stage.depth--;
}

static inline void fake_answered(struct weir_component *c,
				 struct weir_batch *batch,
				 const struct weir_outcome *outcome,
				 void *cookie)
{
	struct fake *fake = fake_of(c);

	ck_assert_msg(!stage.depth, "%s was answered inside a call", c->id);
	ck_assert_ptr_eq(cookie, fake);
	fake->answered++;
	fake->outcome = *outcome;
	if (outcome->status == WEIR_OK && outcome->rejected)
		weir_batch_ack_partial(batch, outcome);
	else if (outcome->status == WEIR_OK)
		weir_batch_ack(batch);
	else if (fake->does == FAKE_KEEPS)
		weir_batch_push(&fake->held, batch);
	else
		weir_batch_nack(batch, outcome);
}

static inline void source_answered(struct weir_component *c,
				   struct weir_batch *batch,
				   const struct weir_outcome *outcome,
				   void *cookie)
{
	struct stage_answer *answer = cookie;

	ck_assert_msg(!stage.depth, "%s was answered inside a call", c->id);
	answer->times++;
	answer->outcome = *outcome;
	weir_batch_ack(batch);
}

static inline int fake_start(struct weir_component *c, struct weir_error *error)
{
	struct fake *fake = fake_of(c);

	stage_log("start", c->id);
	if (!c->worker) {
		fake->c = c;
		fake->node = c->node;
	}
	for (int i = 0; fake->room && i < WEIR_SIGNAL_COUNT; i++) {
		enum weir_signal signal = (enum weir_signal)i;

		if (!(c->signals & 1u << i))
			continue;
		fake->credits = weir_credits_get(c, signal, "room", fake->room);
		weir_custody(c, signal, fake->credits, fake->sizer,
			     fake->block);
	}
	return fake->fails_to_start ? weir_fail(error, "", "it is a fake") : 0;
}

static inline void fake_stop(struct weir_component *c)
{
	stage_log("stop", c->id);
}

static inline void fake_destroy(struct weir_component *c)
{
	struct fake *fake = fake_of(c);
	struct weir_outcome outcome;
	struct weir_batch *batch;

	fake->destroyed++;
	weir_outcome_set(&outcome, WEIR_UNAVAILABLE, WEIR_REASON_DRAINING,
			 "destroyed");
	while ((batch = weir_batch_shift(&fake->held)))
		weir_batch_nack(batch, &outcome);
}

/* --- The plan ------------------------------------------------------------ */

static inline struct plan_component *stage_find(const char *id, size_t len)
{
	for (size_t i = 0; i < STAGE_MAX; i++) {
		const char *other = stage.components[i].id;

		if (other && strlen(other) == len && !memcmp(other, id, len))
			return &stage.components[i];
	}
	ck_abort_msg("no component %.*s", (int)len, id);
	return NULL;
}

static inline void stage_add(enum weir_kind kind, struct fake *fake)
{
	struct plan_component *component = stage.components;
	struct fake_component *prototype = xcalloc(1, sizeof(*prototype));

	while (component->id)
		component++;
	fake->plugin.kind = kind;
	fake->plugin.type = fake->id;
	fake->plugin.signals = WEIR_ALL_SIGNALS;
	fake->plugin.size = sizeof(*prototype);
	prototype->fake = fake;
	component->prototype = &prototype->base;
	component->plugin = &fake->plugin;
	component->kind = kind;
	component->id = fake->id;
	stage.plan.components = stage.components;
	stage.plan.n_components++;
}

/* "a b" as a list of components that are wired for signal. */
static inline struct plan_component **stage_list(const char *ids,
						 enum weir_signal signal,
						 size_t *n)
{
	struct plan_component **list = &stage.lists[stage.n_lists];

	for (*n = 0; *ids; (*n)++) {
		size_t len = strcspn(ids, " ");
		struct plan_component *c = stage_find(ids, len);

		c->signals |= 1u << signal;
		stage.lists[stage.n_lists++] = c;
		ids += len + strspn(ids + len, " ");
	}
	return list;
}

static inline void stage_pipeline(const char *id, enum weir_signal signal,
				  const char *receivers, const char *processors,
				  const char *exporters)
{
	struct plan_pipeline *p = &stage.pipelines[stage.plan.n_pipelines++];

	p->id = id;
	p->signal = signal;
	p->receivers = stage_list(receivers, signal, &p->n_receivers);
	p->processors = stage_list(processors, signal, &p->n_processors);
	p->exporters = stage_list(exporters, signal, &p->n_exporters);
	stage.plan.pipelines = stage.pipelines;
}

/* --- Running ------------------------------------------------------------- */

static inline void stage_open_on(uint32_t n)
{
	memset(&stage, 0, sizeof(stage));
	clock_manual(1000000000u, 1700000000000000000u, 42);
	workers = stage.workers;
	n_workers = n;
	while (n--)	/* the first one is this thread's */
		worker_init(&stage.workers[n], n, true);
}

static inline void stage_open(void)
{
	stage_open_on(1);
}

/* What the test has said about the fake by now. */
static inline void stage_fill(struct fake *fake)
{
	struct weir_plugin *plugin = &fake->plugin;

	plugin->custodian = fake->room || fake->custodian;
	plugin->counts_items = true;
	plugin->placement = fake->single ? WEIR_ONE : WEIR_PER_WORKER;
	plugin->start = fake_start;
	plugin->stop = fake_stop;
	plugin->destroy = fake_destroy;
	plugin->admit = fake->admit;
	plugin->visit = fake->visit;
	if (!fake->admit && !fake->visit)
		plugin->consume = fake_consume;
	plugin->answered = plugin->kind == WEIR_RECEIVER ? source_answered
							 : fake_answered;
}

static inline int stage_start(struct weir_error *error)
{
	for (size_t i = 0; i < stage.plan.n_components; i++)
		stage_fill(fake_of(stage.components[i].prototype));
	for (uint32_t i = 0; i < n_workers; i++) {
		graph_new(&stage.plan, &stage.workers[i],
			  i ? stage.workers[0].graph : NULL);
		if (graph_start(stage.workers[i].graph, error))
			return -1;
	}
	return 0;
}

static inline struct weir_node_instance *stage_node(uint32_t worker,
						    const struct fake *fake)
{
	struct graph *graph = stage.workers[worker].graph;

	for (size_t i = 0; i < graph->n_nodes; i++)
		if (graph->nodes[i]->plan->id == fake->id)
			return graph->nodes[i];
	ck_abort_msg("no node of %s", fake->id);
	return NULL;
}

static inline void stage_run(void)
{
	if (n_workers > 1)
		workers_settle();
	else
		while (worker_turn(&stage.workers[0]))
			;
}

/* A batch of traces that holds nothing real. */
static inline struct weir_batch *stage_batch(uint32_t items)
{
	struct weir_payload *payload = payload_new(64, true);
	struct weir_batch *batch = batch_new(WEIR_SIGNAL_TRACES);

	memset(payload->bytes, 'x', 64);
	batch_add(batch, payload, payload->bytes, 64, items);
	payload_unref(payload);
	return batch;
}

static inline struct stage_answer *stage_forward(struct fake *source,
						 struct weir_batch *batch)
{
	struct stage_answer *answer = &stage.answers[stage.n_sent++];

	*answer = (struct stage_answer){ 0 };
	worker_enter(&stage.workers[0]);
	node_hold(source->node, batch);
	weir_batch_track(source->c, batch, answer);
	stage.depth++;
	weir_forward(source->c, batch);
	stage.depth--;
	worker_leave(&stage.workers[0]);
	return answer;
}

/* Sends a batch of so many items; its answer, now or later. */
static inline struct stage_answer *stage_send(struct fake *source,
					      uint32_t items)
{
	struct stage_answer *answer = stage_forward(source, stage_batch(items));

	stage_run();
	return answer;
}

/* Ends the oldest batch that the fake holds; NULL: OK. */
static inline void stage_end(struct fake *fake,
			     const struct weir_outcome *outcome)
{
	struct weir_batch *batch = weir_batch_shift(&fake->held);

	ck_assert_ptr_nonnull(batch);
	worker_enter(&stage.workers[0]);
	if (!outcome || outcome->status == WEIR_OK)
		batch_end(batch, outcome);
	else
		weir_batch_nack(batch, outcome);
	worker_leave(&stage.workers[0]);
	stage_run();
}

/* Stops level by level; every level must become idle when `idle`. */
static inline void stage_stop(bool idle)
{
	struct graph *graph = stage.workers[0].graph;

	for (uint32_t level = 0; level < graph->levels; level++) {
		graph_stop(graph, level);
		stage_run();
		if (idle)
			ck_assert_msg(graph_idle(graph, level),
				      "level %u is not idle", level);
	}
}

/* Takes it down; nothing may be left. */
static inline void stage_close(void)
{
	for (uint32_t i = 0; i < n_workers; i++)
		if (!stage.workers[i].graph->gone)
			graph_destroy(stage.workers[i].graph);
	workers_settle();
	for (uint32_t i = 0; i < n_workers; i++)
		worker_release(&stage.workers[i]);
	for (uint32_t i = 0; i < n_workers; i++)
		graph_free(&stage.workers[i].graph);
	credits_release();
	for (size_t i = 0; i < STAGE_MAX; i++)
		free(stage.components[i].prototype);
	for (size_t i = 0; i < stage.n_sent; i++)
		ck_assert_uint_le(stage.answers[i].times, 1);
	ck_assert_uint_eq(weir_budget_used(), 0);
}

/* --- main ---------------------------------------------------------------- */

struct stage_test {
	const TTest *run;
	int n;			/* rows of its table, 0: it has none */
};

static inline int stage_main(const char *name, const struct stage_test *tests,
			     size_t n)
{
	Suite *suite = suite_create(name);
	TCase *all = tcase_create("all");
	SRunner *runner = NULL;
	int failed;

	tcase_set_timeout(all, 120);
	for (size_t i = 0; i < n; i++)
		tcase_add_loop_test(all, tests[i].run, 0,
				    tests[i].n ? tests[i].n : 1);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

#endif
