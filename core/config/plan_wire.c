/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_wire.c: which component feeds which: service.extensions and
 * service.pipelines.
 *
 * Runs twice over the same lists: first to mark what is used, so that
 * components can be put in order; then to resolve ids to them.
 */
#include "plan_parts.h"

#include <stdio.h>

struct lists {			/* one pipeline */
	const struct weir_node *receivers, *processors, *exporters;
	weir_str ack;
};

const struct weir_field plan_pipeline_rows[] = {
	WEIR_FIELD(struct lists, receivers, NULL, "Ids of receivers."),
	WEIR_FIELD(struct lists, processors, NULL, "Ids of processors."),
	WEIR_FIELD(struct lists, exporters, NULL, "Ids of exporters."),
	WEIR_FIELD(struct lists, ack, "", "When senders are answered.",
		   .flags = WEIR_OURS, .choices = "received durable delivered"),
	WEIR_END
};

int plan_check_ack(struct planner *p, weir_str ack,
		   const struct weir_node *node, const char *path)
{
	if (!ack.len || weir_str_eq(ack, WEIR_STR("received")))
		return 0;
	return tree_error(p->error, node, path,
			  "ack \"%.*s\" is not possible in this version, only "
			  "\"received\" is", WEIR_STR_FMT(ack));
}

static struct plan_component *find(struct planner *p, enum weir_kind kind,
				   const char *id)
{
	for (size_t i = 0; i < p->plan->n_defined; i++) {
		struct plan_component *c = &p->plan->components[i];

		if (c->kind == kind && !strcmp(c->id, id))
			return c;
	}
	return NULL;
}

static void not_configured(struct planner *p, enum weir_kind kind,
			   const char *id, const struct weir_node *node,
			   const char *path)
{
	struct nearest nearest = { .written = weir_str_of(id) };

	for (size_t i = 0; i < p->plan->n_defined; i++)
		if (p->plan->components[i].kind == kind)
			nearest_offer(&nearest, weir_str_of(
					      p->plan->components[i].id));
	tree_error(p->error, node, path,
		   "references %s \"%s\" which is not configured%s",
		   weir_kind_name(kind), id,
		   nearest_hint(&nearest, &p->plan->arena));
}

static struct plan_component *refer(struct planner *p, enum weir_kind kind,
				    const struct weir_node *node,
				    const char *path)
{
	struct plan_component *found;
	const char *id;

	if (node->kind != WEIR_NODE_STR) {
		tree_error(p->error, node, path,
			   "expected the id of a component, got %s",
			   tree_kind_phrase(node));
		return NULL;
	}
	id = plan_id(p, node, path);
	if (!id)
		return NULL;
	found = find(p, kind, id);
	if (!found)
		not_configured(p, kind, id, node, path);
	return found;
}

/* Resolves a list of ids.  A component that comes twice counts once, but for
 * processors, where it is an error. */
static int resolve(struct planner *p, enum weir_kind kind,
		   const struct weir_node *list, const char *path,
		   struct plan_component ***out, size_t *n)
{
	*n = 0;
	*out = NULL;
	if (weir_node_kind(list) == WEIR_NODE_NULL)
		return 0;
	if (list->kind != WEIR_NODE_LIST)
		return tree_error(p->error, list, path,
				  "expected a list of ids, got %s",
				  tree_kind_phrase(list));
	*out = arena_alloc(&p->plan->arena, list->n * sizeof(**out));
	for (size_t i = 0; i < list->n; i++) {
		struct plan_component *c = refer(p, kind, list->items[i], path);
		size_t at = 0;

		if (!c)
			return -1;
		while (at < *n && (*out)[at] != c)
			at++;
		if (at < *n && kind == WEIR_PROCESSOR)
			return tree_error(p->error, list->items[i], path,
				"references processor \"%s\" multiple times",
				c->id);
		if (at == *n)
			(*out)[(*n)++] = c;
		c->used = true;
	}
	return 0;
}

/* --- signals -------------------------------------------------------------------- */

static int add_signal(struct planner *p, struct plan_component *c,
		      const struct plan_pipeline *pipeline,
		      const struct weir_node *node, const char *path)
{
	c->signals |= 1u << pipeline->signal;
	if (c->plugin->signals & (1u << pipeline->signal))
		return 0;
	if (c->kind == WEIR_PROCESSOR)
		return tree_error(p->error, node, path,
			"failed to create \"%s\" processor, in pipeline "
			"\"%s\": telemetry type is not supported", c->id,
			pipeline->id);
	return tree_error(p->error, node, path,
			  "failed to create \"%s\" %s for data type \"%s\": "
			  "telemetry type is not supported", c->id,
			  weir_kind_name(c->kind),
			  weir_signal_name(pipeline->signal));
}

static int add_signals(struct planner *p, struct plan_component **list,
		       size_t n, const struct plan_pipeline *pipeline,
		       const struct weir_node *node, const char *path)
{
	for (size_t i = 0; i < n; i++)
		if (add_signal(p, list[i], pipeline, node, path))
			return -1;
	return 0;
}

/* --- pipelines -------------------------------------------------------------------- */

static int wire_pipeline(struct planner *p, struct plan_pipeline *pipeline,
			 const struct weir_node *key,
			 const struct weir_node *node, const char *path)
{
	struct lists lists = { 0 };

	if (bind_fields(&p->plan->arena, plan_pipeline_rows, &lists, node,
			path, p->error) ||
	    plan_check_ack(p, lists.ack, node, path))
		return -1;
	if (!weir_node_len(lists.receivers) &&
	    weir_node_kind(lists.receivers) != WEIR_NODE_STR)
		return tree_error(p->error, key, path,
				  "must have at least one receiver");
	if (!weir_node_len(lists.exporters) &&
	    weir_node_kind(lists.exporters) != WEIR_NODE_STR)
		return tree_error(p->error, key, path,
				  "must have at least one exporter");
	if (resolve(p, WEIR_RECEIVER, lists.receivers, path,
		    &pipeline->receivers, &pipeline->n_receivers) ||
	    resolve(p, WEIR_PROCESSOR, lists.processors, path,
		    &pipeline->processors, &pipeline->n_processors) ||
	    resolve(p, WEIR_EXPORTER, lists.exporters, path,
		    &pipeline->exporters, &pipeline->n_exporters))
		return -1;
	return add_signals(p, pipeline->exporters, pipeline->n_exporters,
			   pipeline, lists.exporters, path) ||
	       add_signals(p, pipeline->processors, pipeline->n_processors,
			   pipeline, lists.processors, path) ||
	       add_signals(p, pipeline->receivers, pipeline->n_receivers,
			   pipeline, lists.receivers, path) ? -1 : 0;
}

static int check_pipeline_twice(struct planner *p, size_t n,
				const struct weir_node *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(p->plan->pipelines[i].id, p->plan->pipelines[n].id))
			return tree_error(p->error, key, "service.pipelines",
				"duplicate name \"%s\" after unmarshaling",
				p->plan->pipelines[n].id);
	return 0;
}

static int wire_pipelines(struct planner *p, const struct weir_node *node)
{
	struct plan *plan = p->plan;

	if (weir_node_kind(node) != WEIR_NODE_NULL &&
	    node->kind != WEIR_NODE_MAP)
		return tree_error(p->error, node, "service.pipelines",
				  "expected a map, got %s",
				  tree_kind_phrase(node));
	if (!weir_node_len(node) && p->allow_no_pipelines)
		return 0;
	if (!weir_node_len(node))
		return tree_error(p->error, node ? node : plan->tree, "service",
				  "service must have at least one pipeline");
	plan->n_pipelines = node->n;
	plan->pipelines = arena_alloc(&plan->arena, node->n *
						    sizeof(*plan->pipelines));
	for (size_t i = 0; i < node->n; i++) {
		struct plan_pipeline *pipeline = &plan->pipelines[i];
		const char *path;

		pipeline->id = plan_pipeline_id(p, node->keys[i],
						"service.pipelines",
						&pipeline->signal);
		if (!pipeline->id || check_pipeline_twice(p, i, node->keys[i]))
			return -1;
		path = arena_printf(&plan->arena, "service.pipelines.%s",
				    pipeline->id);
		if (wire_pipeline(p, pipeline, node->keys[i], node->items[i],
				  path))
			return -1;
	}
	return 0;
}

int plan_wire(struct planner *p, const struct plan_service *service)
{
	for (size_t i = 0; i < p->plan->n_defined; i++)
		p->plan->components[i].signals = 0;
	if (wire_pipelines(p, service->pipelines))
		return -1;
	return resolve(p, WEIR_EXTENSION, service->extensions,
		       "service.extensions", &p->plan->extensions,
		       &p->plan->n_extensions);
}

int plan_mark_used(struct planner *p, const struct plan_service *service)
{
	for (size_t i = 0; i < p->plan->n_defined; i++)
		p->plan->components[i].used = false;
	return plan_wire(p, service);
}
