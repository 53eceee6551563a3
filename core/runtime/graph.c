/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph.c: a plan becomes components, steps and edges on one worker; and goes
 * again, in order.
 *
 * Each worker has a graph of its own.  Where a component is to exist once in
 * the process, the others hold a door: a node without an instance that points
 * to the one on worker 0.
 */
#include "graph.h"

#include <stdlib.h>

#include "flow.h"
#include "gate.h"
#include "base/str.h"

/* --- Nodes --------------------------------------------------------------- */

static struct weir_node_instance *add_node(struct graph *graph,
	struct plan_component *plan, const char *pipeline, uint32_t level)
{
	struct weir_node_instance *node =
		arena_alloc(&graph->arena, sizeof(*node));

	if (graph->n_nodes == graph->cap_nodes) {
		graph->cap_nodes = graph->cap_nodes ? graph->cap_nodes * 2 : 16;
		graph->nodes = xrealloc(graph->nodes, graph->cap_nodes *
					sizeof(*graph->nodes));
	}
	node->index = graph->n_nodes;
	graph->nodes[graph->n_nodes++] = node;
	node->plan = plan;
	node->pipeline = pipeline;
	node->graph = graph;
	node->worker = graph->worker;
	node->level = level;
	node->transports[0].name = "";
	return node;
}

static void make_instance(struct weir_node_instance *node)
{
	struct plan_component *plan = node->plan;
	struct weir_component *c = xmalloc(plan->plugin->size);

	memcpy(c, plan->prototype, plan->plugin->size);
	c->plugin = plan->plugin;
	c->id = plan->id;
	c->pipeline = node->pipeline;
	c->worker = node->worker->number;
	c->node = node;
	node->c = c;
}

static struct weir_node_instance *find_node(const struct graph *graph,
	const struct plan_component *plan, const char *pipeline)
{
	for (size_t i = 0; i < graph->n_nodes; i++) {
		struct weir_node_instance *node = graph->nodes[i];

		if (node->plan == plan && node->pipeline == pipeline)
			return node;
	}
	return NULL;
}

/* The node of a component (in a pipeline), made when it is not there yet. */
static struct weir_node_instance *get_node(struct graph *graph,
	struct graph *first, struct plan_component *plan, const char *pipeline,
	uint32_t level)
{
	struct weir_node_instance *node = find_node(graph, plan, pipeline);

	if (node)
		return node;
	node = add_node(graph, plan, pipeline, level);
	if (first && plan->plugin->placement == WEIR_ONE) {
		node->remote = find_node(first, plan, pipeline);
		return node;
	}
	make_instance(node);
	node->c->signals = plan->signals;
	return node;
}

/* --- Steps --------------------------------------------------------------- */

static struct step *new_step(struct graph *graph, enum step_kind kind)
{
	struct step *step = arena_alloc(&graph->arena, sizeof(*step));

	step->kind = kind;
	return step;
}

static struct step *fan_of(struct graph *graph, struct step **branches,
			   size_t n)
{
	struct step *fan;

	if (n == 1)
		return branches[0];
	fan = new_step(graph, STEP_FAN);
	fan->branches = branches;
	fan->n = n;
	return fan;
}

static struct step *exporters_step(struct graph *graph, struct graph *first,
				   const struct plan_pipeline *pipeline)
{
	struct step **branches = arena_alloc(&graph->arena,
		pipeline->n_exporters * sizeof(*branches));

	for (size_t i = 0; i < pipeline->n_exporters; i++) {
		branches[i] = new_step(graph, STEP_EXPORT);
		branches[i]->node = get_node(graph, first,
					     pipeline->exporters[i], NULL,
					     graph->levels - 1);
	}
	return fan_of(graph, branches, pipeline->n_exporters);
}

static bool is_stage(const struct weir_node_instance *node)
{
	return !node->remote &&
	       (node->c->plugin->visit || node->c->plugin->enter);
}

static bool is_admission(const struct weir_node_instance *node)
{
	return !node->remote && node->c->plugin->admit;
}

/* n stages that stand next to each other become one run. */
static struct step *run_step(struct graph *graph,
			     struct weir_node_instance **stages, size_t n,
			     enum weir_signal signal)
{
	struct weir_component **components = xmalloc(n * sizeof(*components));
	struct step *step = new_step(graph, STEP_RUN);

	for (size_t i = 0; i < n; i++)
		components[i] = stages[i]->c;
	step->run = run_new(components, n, signal);
	step->stages = stages;
	step->n = n;
	free(components);
	graph->runs = xrealloc(graph->runs,
			       (graph->n_runs + 1) * sizeof(*graph->runs));
	graph->runs[graph->n_runs++] = step->run;
	return step;
}

/* Admission first, then the stages, of nodes[0..n): they do not end a run. */
static struct step *group_step(struct graph *graph,
			       struct weir_node_instance **nodes, size_t n,
			       enum weir_signal signal, struct step *next)
{
	struct weir_node_instance **stages =
		arena_alloc(&graph->arena, (n + 1) * sizeof(*stages));
	size_t n_stages = 0;

	for (size_t i = 0; i < n; i++)
		if (is_stage(nodes[i]))
			stages[n_stages++] = nodes[i];
	if (n_stages) {
		struct step *run = run_step(graph, stages, n_stages, signal);

		run->next = next;
		next = run;
	}
	for (size_t i = n; i--;) {
		struct step *step;

		if (!is_admission(nodes[i]))
			continue;
		step = new_step(graph, STEP_ADMIT);
		step->node = nodes[i];
		step->next = next;
		next = step;
	}
	for (size_t i = 0; i < n; i++)
		nodes[i]->next[signal] = next;	/* never forwarded from */
	return next;
}

/* The first step of a pipeline, built from its end. */
static struct step *pipeline_step(struct graph *graph, struct graph *first,
				  const struct plan_pipeline *pipeline)
{
	enum weir_signal signal = pipeline->signal;
	size_t n = pipeline->n_processors;
	struct weir_node_instance **nodes =
		arena_alloc(&graph->arena, (n + 1) * sizeof(*nodes));
	struct step *next = exporters_step(graph, first, pipeline);

	for (size_t i = 0; i < n; i++)
		nodes[i] = get_node(graph, first, pipeline->processors[i],
				    pipeline->id, 1 + (uint32_t)i);
	while (n) {
		size_t from = n;
		struct step *step;

		while (from && (is_stage(nodes[from - 1]) ||
				is_admission(nodes[from - 1])))
			from--;
		if (from < n) {
			next = group_step(graph, nodes + from, n - from,
					  signal, next);
			n = from;
			continue;
		}
		step = new_step(graph, STEP_PROCESS);
		step->node = nodes[--n];
		step->next = next;
		step->node->next[signal] = next;
		next = step;
	}
	return next;
}

/* What the validating walk of a receiver's signal may look for: the first run,
 * if one pipeline alone is behind it. */
static struct run *first_run(struct step *step)
{
	while (step && step->kind == STEP_ADMIT)
		step = step->next;
	return step && step->kind == STEP_RUN ? step->run : NULL;
}

static bool fed_by(const struct plan_pipeline *pipeline,
		   const struct plan_component *receiver)
{
	for (size_t i = 0; i < pipeline->n_receivers; i++)
		if (pipeline->receivers[i] == receiver)
			return true;
	return false;
}

static void wire_receiver(struct graph *graph, struct graph *first,
			  struct plan_component *receiver,
			  struct step *const *starts)
{
	const struct plan *plan = graph->plan;
	struct weir_node_instance *node = get_node(graph, first, receiver,
						   NULL, 0);

	for (int signal = 0; signal < WEIR_SIGNAL_COUNT; signal++) {
		struct step **branches = arena_alloc(&graph->arena,
			plan->n_pipelines * sizeof(*branches));
		size_t n = 0;

		for (size_t i = 0; i < plan->n_pipelines; i++)
			if (plan->pipelines[i].signal ==
				    (enum weir_signal)signal &&
			    fed_by(&plan->pipelines[i], receiver))
				branches[n++] = starts[i];
		if (!n)
			continue;
		node->next[signal] = fan_of(graph, branches, n);
		node->first_run[signal] = first_run(node->next[signal]);
	}
}

static uint32_t count_levels(const struct plan *plan)
{
	size_t most = 0;

	for (size_t i = 0; i < plan->n_pipelines; i++)
		if (plan->pipelines[i].n_processors > most)
			most = plan->pipelines[i].n_processors;
	return (uint32_t)most + 2;
}

struct graph *graph_new(struct plan *plan, struct worker *worker,
			struct graph *first)
{
	struct graph *graph = xcalloc(1, sizeof(*graph));
	struct step **starts;

	graph->plan = plan;
	graph->worker = worker;
	graph->levels = count_levels(plan);
	worker->graph = graph;
	for (size_t i = 0; i < plan->n_extensions; i++)
		get_node(graph, first, plan->extensions[i], NULL,
			 LEVEL_EXTENSION);
	/* exporters first: nodes stand in order of start */
	for (size_t i = 0; i < plan->n_pipelines; i++)
		exporters_step(graph, first, &plan->pipelines[i]);
	starts = xmalloc((plan->n_pipelines + 1) * sizeof(*starts));
	for (size_t i = 0; i < plan->n_pipelines; i++)
		starts[i] = pipeline_step(graph, first, &plan->pipelines[i]);
	for (size_t i = 0; i < plan->n_components; i++)
		if (plan->components[i].kind == WEIR_RECEIVER)
			wire_receiver(graph, first, &plan->components[i],
				      starts);
	free(starts);
	return graph;
}

/* --- Start and stop ------------------------------------------------------ */

static int start_node(struct weir_node_instance *node, struct weir_error *error)
{
	struct weir_component *c = node->c;
	struct weir_error inner = { 0 };

	if (node->remote)
		return 0;
	node->started = true;
	if (!c->plugin->start || !c->plugin->start(c, &inner))
		return 0;
	weir_fail(error, "", "cannot start %s \"%s\": %s",
		  weir_kind_name(node->plan->kind), c->id, inner.text);
	return -1;
}

int graph_start(struct graph *graph, struct weir_error *error)
{
	int failed = 0;

	worker_enter(graph->worker);
	for (size_t i = 0; !failed && i < graph->n_nodes; i++)
		failed = start_node(graph->nodes[i], error);
	worker_leave(graph->worker);
	return failed;
}

static void stop_node(struct weir_node_instance *node)
{
	if (node->remote || !node->started || node->stopped)
		return;
	node->stopped = true;
	if (node->c->plugin->stop)
		node->c->plugin->stop(node->c);
}

void graph_stop(struct graph *graph, uint32_t level)
{
	worker_enter(graph->worker);
	if (!level)
		gate_close(graph);
	for (size_t i = 0; i < graph->n_nodes; i++)
		if (graph->nodes[i]->level == level)
			stop_node(graph->nodes[i]);
	worker_leave(graph->worker);
}

/* What is parked belongs to nobody, and somebody further down gets it yet. */
bool graph_idle(struct graph *graph, uint32_t level)
{
	if (graph->parked)
		return false;
	for (size_t i = 0; i < graph->n_nodes; i++) {
		const struct weir_node_instance *node = graph->nodes[i];

		if (node->level != level || !node->c)
			continue;
		if (node->held || node->tracked || node->busy ||
		    (level == 0 && net_streams(node->c)))
			return false;
	}
	return true;
}

static void destroy_node(struct weir_node_instance *node)
{
	if (node->remote)
		return;
	work_finish(node->c);
	timers_forget(node->c);
	if (node->c->plugin->destroy)
		node->c->plugin->destroy(node->c);
	net_forget(node->c);	/* `closed` of what destroy has closed */
	timers_forget(node->c);
	free(node->c);
	node->c = NULL;
}

void graph_destroy(struct graph *graph)
{
	graph->gone = true;
	worker_enter(graph->worker);
	flow_unpark_all(graph);
	gate_refuse_all(graph);
	graph_stop(graph, LEVEL_EXTENSION);	/* where no drain did */
	worker_leave(graph->worker);
	worker_enter(graph->worker);
	for (size_t i = graph->n_nodes; i--;)
		destroy_node(graph->nodes[i]);
	worker_leave(graph->worker);
}

void graph_free(struct graph **graph_ptr)
{
	struct graph *graph = *graph_ptr;

	*graph_ptr = NULL;
	for (size_t i = 0; i < graph->n_runs; i++)
		run_free(&graph->runs[i]);
	notes_release(&graph->notes);
	free(graph->runs);
	free(graph->nodes);
	arena_release(&graph->arena);
	free(graph);
}

void weir_set_busy(struct weir_component *c, bool busy)
{
	c->node->busy = busy;
}

/* --- Extensions ---------------------------------------------------------- */

const struct weir_capabilities *weir_extension_find(struct weir_component *c,
	weir_str id, struct weir_component **extension,
	struct weir_error *error)
{
	static const struct weir_capabilities none;
	struct graph *graph = c->node->graph;

	for (size_t i = 0; i < graph->n_nodes; i++) {
		struct weir_node_instance *node = graph->nodes[i];

		if (node->plan->kind != WEIR_EXTENSION ||
		    !weir_str_eq(weir_str_of(node->plan->id), id))
			continue;
		*extension = node->remote ? node->remote->c : node->c;
		return node->plan->plugin->capabilities ?
		       node->plan->plugin->capabilities : &none;
	}
	weir_fail(error, "", "extension \"%.*s\" not found",
		  WEIR_STR_FMT(id));
	return NULL;
}
