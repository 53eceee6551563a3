/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing.c: the glass box of <weir/testing.h>.
 *
 * A plan is put together by hand: a receiver of ours that sends what the test
 * gives it, the plugin under test, and an exporter of ours that remembers.
 * The worker is manual: it turns when the test says so, on the test's clock.
 */
#include <weir/testing.h>

#include <stdio.h>
#include <stdlib.h>

#include "config/bind.h"
#include "base/budget.h"
#include "credits.h"
#include "graph.h"
#include "plugin/loader.h"
#include "program/service.h"
#include "base/str.h"

#define MAX_CHAIN 8

struct answer {
	bool here;
	struct weir_outcome outcome;
};

struct passed {
	struct buf bytes;
	size_t items;
};

/* What was sent, shared with the batch on its way and as it was: nobody may
 * write into a payload. */
struct sent {
	struct weir_batch *shared;
	struct buf before;
};

enum next_does { NEXT_ACKS, NEXT_NACKS, NEXT_HOLDS };

struct weir_test {
	struct arena arena;
	struct loader *loader;
	struct plan plan;
	struct plan_component source, capture, tested[MAX_CHAIN];
	struct plan_component *chain[MAX_CHAIN], *receivers[1], *exporters[1];
	struct plan_component *extensions[1];
	size_t n_chain;
	struct plan_pipeline pipelines[WEIR_SIGNAL_COUNT];
	struct worker worker;
	struct graph *graph;
	struct answer *answers;
	struct sent *sent;
	size_t n_answers;
	struct passed *passed;
	size_t n_passed;
	enum next_does next;
	struct weir_outcome next_outcome;
	struct weir_batch_list holding;
	struct weir_context *context;
	bool running, stopped;
	double metric;
	bool metric_found;
	const char *metric_name;
};

static struct weir_test *the_test;	/* one at a time: the clock is global */

/* --- Our receiver and our exporter --------------------------------------- */

static void source_answered(struct weir_component *c, struct weir_batch *batch,
			    const struct weir_outcome *outcome, void *cookie)
{
	struct answer *answer = &the_test->answers[(size_t)cookie];

	(void)c;
	if (answer->here) {
		fprintf(stderr, "weir_test: a batch was answered twice\n");
		abort();
	}
	answer->here = true;
	answer->outcome = *outcome;
	weir_batch_ack(batch);
}

static const struct weir_plugin source_plugin = {
	.abi = { WEIR_MAGIC, WEIR_ABI_MAJOR, WEIR_ABI_MINOR,
		 sizeof(struct weir_plugin), WEIR_VIEWS },
	.kind = WEIR_RECEIVER, .type = "source", .aliases = "",
	.signals = WEIR_ALL_SIGNALS, .size = sizeof(struct weir_component),
	.answered = source_answered,
};

static void remember(struct weir_test *t, const struct weir_batch *batch)
{
	struct passed *passed;
	size_t n;
	const struct weir_slice *slices = weir_batch_slices(batch, &n);

	t->passed = xrealloc(t->passed, (t->n_passed + 1) * sizeof(*passed));
	passed = &t->passed[t->n_passed++];
	*passed = (struct passed){ .items = weir_batch_items(batch) };
	for (size_t i = 0; i < n; i++)
		buf_add(&passed->bytes, slices[i].ptr, slices[i].len);
}

static void capture_consume(struct weir_component *c, struct weir_batch *batch)
{
	struct weir_test *t = the_test;

	(void)c;
	remember(t, batch);
	switch (t->next) {
	case NEXT_ACKS:
		weir_batch_ack(batch);
		break;
	case NEXT_NACKS:
		weir_batch_nack(batch, &t->next_outcome);
		break;
	case NEXT_HOLDS:
		weir_batch_push(&t->holding, batch);
		break;
	}
}

static const struct weir_plugin capture_plugin = {
	.abi = { WEIR_MAGIC, WEIR_ABI_MAJOR, WEIR_ABI_MINOR,
		 sizeof(struct weir_plugin), WEIR_VIEWS },
	.kind = WEIR_EXPORTER, .type = "capture", .aliases = "",
	.signals = WEIR_ALL_SIGNALS, .size = sizeof(struct weir_component),
	.consume = capture_consume,
};

/* --- Putting it together ------------------------------------------------- */

static void own(struct weir_test *t, struct plan_component *component,
		const struct weir_plugin *plugin, uint32_t signals)
{
	component->plugin = plugin;
	component->kind = (enum weir_kind)plugin->kind;
	component->id = plugin->type;
	component->signals = signals & plugin->signals;
	component->prototype = arena_alloc(&t->arena, plugin->size);
	component->prototype->plugin = plugin;
	component->prototype->id = plugin->type;
	component->prototype->signals = component->signals;
}

/* Binds and validates yaml into the prototype. */
static int configure(struct weir_test *t, struct plan_component *component,
		     const char *yaml, struct weir_error *error)
{
	const struct weir_plugin *plugin = component->plugin;
	weir_str text = arena_str(&t->arena, weir_str_of(yaml ? yaml : ""));

	if (yaml && *yaml) {
		component->node = tree_parse(&t->arena, "test", text, error);
		if (!component->node)
			return -1;
	}
	if (bind_fields(&t->arena, plugin->fields, component->prototype,
			component->node, "", error))
		return -1;
	return plugin->validate ?
	       plugin->validate(component->prototype, error) : 0;
}

int weir_test_append(struct weir_test *t, const char *so, const char *yaml,
		     struct weir_error *error)
{
	const struct weir_plugin *plugin = loader_open(t->loader, so, error);
	struct plan_component *component = &t->tested[t->n_chain];

	if (!plugin)
		return -1;
	own(t, component, plugin, t->source.signals);
	if (t->n_chain)
		component->id = arena_printf(&t->arena, "%s/%zu", plugin->type,
					     t->n_chain);
	t->chain[t->n_chain++] = component;
	if (!plugin->fields && yaml && *yaml)
		return weir_fail(error, "", "takes no configuration");
	return configure(t, component, yaml, error);
}

static void wire(struct weir_test *t)
{
	struct plan_component *tested = t->chain[0];
	enum weir_kind kind = tested->kind;
	size_t n = 0;

	t->receivers[0] = kind == WEIR_RECEIVER ? tested : &t->source;
	t->exporters[0] = kind == WEIR_EXPORTER ? tested : &t->capture;
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++) {
		if (!(tested->signals & (1u << i)) || kind == WEIR_EXTENSION)
			continue;
		t->pipelines[n++] = (struct plan_pipeline){
			.id = weir_signal_name((enum weir_signal)i),
			.signal = (enum weir_signal)i,
			.receivers = t->receivers, .n_receivers = 1,
			.exporters = t->exporters, .n_exporters = 1,
			.processors = t->chain,
			.n_processors = kind == WEIR_PROCESSOR ? t->n_chain : 0,
		};
	}
	t->plan.pipelines = t->pipelines;
	t->plan.n_pipelines = n;
	t->plan.components = t->receivers[0];
	t->plan.n_components = 1;
	t->extensions[0] = tested;
	t->plan.extensions = t->extensions;
	t->plan.n_extensions = kind == WEIR_EXTENSION;
}

struct weir_test *weir_test_open(const char *so, const char *yaml,
				 uint32_t signals, struct weir_error *error)
{
	struct weir_test *t = xcalloc(1, sizeof(*t));

	the_test = t;
	clock_manual(1000000000u, 1700000000000000000u, 42);
	t->loader = loader_new("");
	own(t, &t->source, &source_plugin, signals);
	own(t, &t->capture, &capture_plugin, signals);
	if (weir_test_append(t, so, yaml, error)) {
		weir_test_close(&t, &(struct weir_error){ 0 });
		return NULL;
	}
	return t;
}

int weir_test_start(struct weir_test *t, struct weir_error *error)
{
	wire(t);
	workers = &t->worker;
	n_workers = 1;
	worker_init(&t->worker, 0, true);
	t->running = true;
	t->graph = graph_new(&t->plan, &t->worker, NULL);
	if (graph_start(t->graph, error))
		return -1;
	net_accept_begin();
	service_set_state(WEIR_SERVICE_READY);
	weir_test_run(t);
	return 0;
}

static struct weir_node_instance *node_of(struct weir_test *t,
					  const struct plan_component *plan)
{
	for (size_t i = 0; t->graph && i < t->graph->n_nodes; i++)
		if (t->graph->nodes[i]->plan == plan)
			return t->graph->nodes[i];
	return NULL;
}

struct weir_component *weir_test_component(struct weir_test *t)
{
	struct weir_node_instance *node = node_of(t, t->chain[0]);

	return node ? node->c : t->chain[0]->prototype;
}

/* --- Sending and answers ------------------------------------------------- */

void weir_test_context(struct weir_test *t, const char *peer,
		       const char *const *metadata, size_t n)
{
	weir_context_free(&t->context);
	t->context = weir_context_new(NULL, weir_str_of(peer));
	for (size_t i = 0; i < n; i++) {
		const char *eq = strchr(metadata[i], '=');
		weir_str name = { metadata[i], (size_t)(eq - metadata[i]) };

		weir_context_add(t->context, name, weir_str_of(eq + 1));
	}
}

int weir_test_send(struct weir_test *t, enum weir_signal signal,
		   const void *bytes, size_t len, struct weir_outcome *outcome)
{
	struct weir_component *c = node_of(t, &t->source)->c;
	struct weir_payload *payload = weir_payload_new(c, len);
	struct weir_outcome refused;
	struct weir_batch *batch;
	size_t number = t->n_answers;

	if (len)
		memcpy(weir_payload_bytes(payload), bytes, len);
	worker_enter(&t->worker);
	batch = weir_batch_decode(c, signal, &payload, len, t->context, 0,
				  outcome ? outcome : &refused);
	if (batch) {
		t->answers = xrealloc(t->answers, (number + 1) *
				      sizeof(*t->answers));
		t->sent = xrealloc(t->sent, (number + 1) * sizeof(*t->sent));
		t->sent[number] = (struct sent){ batch_share(batch), { 0 } };
		t->sent[number].shared->holder = NULL;
		for (uint32_t i = 0; i < batch->n; i++)
			buf_add(&t->sent[number].before, batch->slices[i].ptr,
				batch->slices[i].len);
		t->answers[t->n_answers++] = (struct answer){ 0 };
		weir_batch_track(c, batch, (void *)number);
		weir_forward(c, batch);
	}
	worker_leave(&t->worker);
	return batch ? (int)number : -1;
}

bool weir_test_answer(struct weir_test *t, int number,
		      struct weir_outcome *outcome)
{
	struct answer *answer;

	if (number < 0 || (size_t)number >= t->n_answers)
		return false;
	answer = &t->answers[number];
	if (answer->here && outcome)
		*outcome = answer->outcome;
	return answer->here;
}

void weir_test_next_acks(struct weir_test *t)
{
	t->next = NEXT_ACKS;
}

void weir_test_next_nacks(struct weir_test *t,
			  const struct weir_outcome *outcome)
{
	t->next = NEXT_NACKS;
	t->next_outcome = *outcome;
}

void weir_test_next_holds(struct weir_test *t)
{
	t->next = NEXT_HOLDS;
}

void weir_test_release(struct weir_test *t, const struct weir_outcome *outcome)
{
	struct weir_batch *batch;

	worker_enter(&t->worker);
	while ((batch = weir_batch_shift(&t->holding))) {
		if (outcome)
			weir_batch_nack(batch, outcome);
		else
			weir_batch_ack(batch);
	}
	worker_leave(&t->worker);
}

size_t weir_test_passed(struct weir_test *t)
{
	return t->n_passed;
}

weir_str weir_test_bytes(struct weir_test *t, size_t i)
{
	return (weir_str){ (char *)t->passed[i].bytes.ptr,
			   t->passed[i].bytes.len };
}

size_t weir_test_items(struct weir_test *t, size_t i)
{
	return t->passed[i].items;
}

/* --- Time and metrics ---------------------------------------------------- */

#define MAX_TURNS 10000

void weir_test_run(struct weir_test *t)
{
	for (int i = 0; i < MAX_TURNS; i++) {
		if (worker_turn(&t->worker))
			continue;
		if (!work_under_way())
			break;
		uv_run(&t->worker.loop, UV_RUN_ONCE);	/* the thread pool */
	}
}

void weir_test_advance(struct weir_test *t, weir_duration by)
{
	weir_test_run(t);
	clock_advance((uint64_t)by.ns);
	weir_test_run(t);
}

static double value_of(const struct weir_family *family)
{
	double sum = 0;

	for (size_t i = 0; i < family->n_samples; i++) {
		const struct weir_sample *s = &family->samples[i];

		if (family->is_real)
			sum += s->real;
		else if (family->type == WEIR_METRIC_GAUGE)
			sum += (double)s->gauge;
		else if (family->type == WEIR_METRIC_COUNTER)
			sum += (double)s->counter;
		else
			sum += (double)s->histogram->count;
	}
	return sum;
}

static void read_metric(struct weir_component *c, void *arg,
			const struct weir_family *families, size_t n)
{
	struct weir_test *t = arg;

	(void)c;
	for (size_t i = 0; i < n; i++) {
		if (!weir_str_eq(families[i].name,
				 weir_str_of(t->metric_name)))
			continue;
		t->metric = value_of(&families[i]);
	}
}

double weir_test_metric(struct weir_test *t, const char *name)
{
	t->metric = -1;
	t->metric_name = name;
	weir_metrics_snapshot(t->graph->nodes[0]->c, read_metric, t);
	weir_test_run(t);
	return t->metric;
}

size_t weir_test_held(struct weir_test *t)
{
	size_t held = 0;

	for (size_t i = 0; i < t->n_chain; i++) {
		struct weir_node_instance *node = node_of(t, t->chain[i]);

		held += node ? node->held : 0;
	}
	return held;
}

/* --- The end ------------------------------------------------------------- */

void weir_test_stop(struct weir_test *t)
{
	if (t->stopped || !t->graph)
		return;
	t->stopped = true;
	service_set_state(WEIR_SERVICE_STOPPING);
	for (uint32_t level = 0; level < t->graph->levels; level++) {
		graph_stop(t->graph, level);
		weir_test_run(t);
	}
	graph_stop(t->graph, LEVEL_EXTENSION);
	weir_test_run(t);
}

static int find_leak(struct weir_test *t, struct weir_error *error)
{
	for (size_t i = 0; i < t->n_chain; i++) {
		struct weir_node_instance *node = node_of(t, t->chain[i]);

		if (node && node->held)
			return weir_fail(error, "", "%s still holds %zu batches after stop",
					 t->chain[i]->id, node->held);
		if (node && node->tracked)
			return weir_fail(error, "", "%zu batches never came back to %s",
					 node->tracked, t->chain[i]->id);
	}
	return 0;
}

/* Compares what is shared with what it was, and lets it go. */
static int find_changed(struct weir_test *t, struct weir_error *error)
{
	int failed = 0;

	for (size_t i = 0; i < t->n_answers; i++) {
		struct sent *sent = &t->sent[i];
		size_t at = 0;

		for (uint32_t k = 0; k < sent->shared->n; k++) {
			const struct weir_slice *s = &sent->shared->slices[k];

			if (memcmp(sent->before.ptr + at, s->ptr, s->len))
				failed = weir_fail(error, "", "the bytes of batch %zu were written into",
						   i);
			at += s->len;
		}
		batch_free(sent->shared);
		buf_release(&sent->before);
	}
	free(t->sent);
	t->sent = NULL;
	return failed;
}

static int find_unanswered(struct weir_test *t, struct weir_error *error)
{
	for (size_t i = 0; i < t->n_answers; i++)
		if (!t->answers[i].here)
			return weir_fail(error, "", "batch %zu was never answered",
					 i);
	if (weir_budget_used())
		return weir_fail(error, "", "%llu bytes of payloads were never given back",
				 (unsigned long long)weir_budget_used());
	return 0;
}

/* When no instance is left; what validate made is freed by destroy. */
static void destroy_prototypes(struct weir_test *t)
{
	for (size_t i = 0; i < t->n_chain; i++) {
		const struct weir_plugin *plugin = t->chain[i]->plugin;

		if (plugin->destroy)
			plugin->destroy(t->chain[i]->prototype);
	}
}

int weir_test_close(struct weir_test **test, struct weir_error *error)
{
	struct weir_test *t = *test;
	int failed = 0;

	*test = NULL;
	if (t->running) {
		weir_test_stop(t);
		weir_test_release(t, NULL);
		weir_test_run(t);
		failed = find_leak(t, error);
		if (find_changed(t, error))
			failed = -1;
		graph_destroy(t->graph);
		weir_test_run(t);
		worker_release(&t->worker);
		graph_free(&t->graph);
		credits_release();
	}
	destroy_prototypes(t);
	weir_context_free(&t->context);
	if (!failed)
		failed = find_unanswered(t, error);
	for (size_t i = 0; i < t->n_passed; i++)
		buf_release(&t->passed[i].bytes);
	free(t->passed);
	free(t->answers);
	loader_free(&t->loader);
	arena_release(&t->arena);
	free(t);
	return failed;
}
