/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.c: the sections of a configuration to bound, validated components.
 *
 * Order, as the Collector has it: every section is decoded, so that a typo in
 * a component that nobody uses is found too; then service is wired; then every
 * component validates itself.  The first error ends it.  Prototypes live in
 * the plan's arena and are destroyed with it.
 */
#include "plan_parts.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const sections[WEIR_KIND_COUNT] = {
	[WEIR_RECEIVER] = "receivers", [WEIR_PROCESSOR] = "processors",
	[WEIR_EXPORTER] = "exporters", [WEIR_CONNECTOR] = "connectors",
	[WEIR_EXTENSION] = "extensions",
};

/* --- top level ------------------------------------------------------------------- */

struct document {
	const struct weir_node *sections[WEIR_KIND_COUNT];
	const struct weir_node *service;
};

static int read_document(struct planner *p, struct document *doc)
{
	const struct weir_node *root = p->plan->tree;
	static const struct weir_field rows[] = {
		WEIR_FIELD_AS(struct document, "receivers",
			      sections[WEIR_RECEIVER], NULL, "Data in."),
		WEIR_FIELD_AS(struct document, "processors",
			      sections[WEIR_PROCESSOR], NULL, "In between."),
		WEIR_FIELD_AS(struct document, "exporters",
			      sections[WEIR_EXPORTER], NULL, "Data out."),
		WEIR_FIELD_AS(struct document, "connectors",
			      sections[WEIR_CONNECTOR], NULL,
			      "From pipeline to pipeline."),
		WEIR_FIELD_AS(struct document, "extensions",
			      sections[WEIR_EXTENSION], NULL,
			      "Beside the pipelines."),
		WEIR_FIELD(struct document, service, NULL,
			   "What is started, and how it is wired."),
		WEIR_END
	};

	if (root->kind == WEIR_NODE_NULL ||
	    (root->kind == WEIR_NODE_MAP && !root->n))
		return tree_error(p->error, root, "",
				  "empty configuration file");
	return bind_fields(&p->plan->arena, rows, doc, root, "", p->error);
}

/* --- components ------------------------------------------------------------------- */

static const char *path_of(struct planner *p, const struct plan_component *c)
{
	return c->path ? c->path
		       : arena_printf(&p->plan->arena, "%s.%s",
				      sections[c->kind], c->id);
}

/* Where an error about the whole component is shown. */
static const struct weir_node *place_of(const struct plan_component *c)
{
	return c->node ? c->node : c->key;
}

/* The loader's sentence, at the component's place. */
static int not_loaded(struct planner *p, const struct plan_component *c)
{
	static const char unknown[] = "unknown type: ";
	struct weir_error why = *p->error;
	weir_str type = plan_id_type(c->id);
	const char *rest = why.text + sizeof(unknown) - 1 + type.len + 2;

	if (c->kind == WEIR_EXPORTER && weir_str_eq(type, WEIR_STR("logging")))
		return tree_error(p->error, c->key, path_of(p, c),
				  "the logging exporter has been deprecated, "
				  "use the debug exporter instead");
	if (strncmp(why.text, unknown, sizeof(unknown) - 1))
		return tree_error(p->error, c->key, path_of(p, c), "%s",
				  why.text);
	return tree_error(p->error, c->key, path_of(p, c),
			  "unknown type: \"%.*s\" for id: \"%s\"%s",
			  WEIR_STR_FMT(type), c->id, rest);
}

static int bind_component(struct planner *p, struct plan_component *c)
{
	weir_str type = plan_id_type(c->id);

	c->plugin = loader_find(p->loader, c->kind, type, p->error);
	if (!c->plugin)
		return not_loaded(p, c);
	c->prototype = arena_alloc(&p->plan->arena, c->plugin->size);
	if (bind_fields(&p->plan->arena, c->plugin->fields, c->prototype,
			c->node, path_of(p, c), p->error)) {
		if (!p->error->line)
			tree_error(p->error, c->key, p->error->path, "%s",
				   arena_printf(&p->plan->arena, "%s",
						p->error->text));
		return -1;
	}
	c->prototype->plugin = c->plugin;
	c->prototype->id = c->id;
	return 0;
}

static int check_twice(struct planner *p, const struct plan_component *c)
{
	for (const struct plan_component *o = p->plan->components; o < c; o++)
		if (o->kind == c->kind && !strcmp(o->id, c->id))
			return tree_error(p->error, c->key, sections[c->kind],
				"duplicate name \"%s\" after unmarshaling",
				c->id);
	return 0;
}

static int read_section(struct planner *p, enum weir_kind kind,
			const struct weir_node *section)
{
	for (size_t i = 0; i < weir_node_len(section); i++) {
		struct plan_component *c =
			&p->plan->components[p->plan->n_defined];
		const struct weir_node *node = section->items[i];

		c->kind = kind;
		c->key = section->keys[i];
		c->node = node->kind == WEIR_NODE_NULL ? NULL : node;
		c->id = plan_id(p, c->key, sections[kind]);
		if (!c->id || check_twice(p, c) || bind_component(p, c))
			return -1;
		p->plan->n_defined++;
	}
	return 0;
}

/* Metrics can have so many readers. */
#define READERS_MAX 16

/* All sections; one array for all, with room for the readers. */
static int read_sections(struct planner *p, const struct document *doc)
{
	size_t n = READERS_MAX;

	for (int kind = 0; kind < WEIR_KIND_COUNT; kind++) {
		const struct weir_node *section = doc->sections[kind];

		if (weir_node_kind(section) != WEIR_NODE_NULL &&
		    section->kind != WEIR_NODE_MAP)
			return tree_error(p->error, section, sections[kind],
					  "expected a map, got %s",
					  tree_kind_phrase(section));
		n += weir_node_len(section);
	}
	p->plan->components = arena_alloc(&p->plan->arena,
					  n * sizeof(*p->plan->components));
	for (int kind = 0; kind < WEIR_KIND_COUNT; kind++)
		if (read_section(p, (enum weir_kind)kind, doc->sections[kind]))
			return -1;
	return 0;
}

static int check_sections(struct planner *p, const struct document *doc)
{
	if (p->allow_no_pipelines)
		return 0;
	if (!weir_node_len(doc->sections[WEIR_RECEIVER]))
		return tree_error(p->error, p->plan->tree, "receivers", "no "
				  "receiver configuration specified in config");
	if (!weir_node_len(doc->sections[WEIR_EXPORTER]))
		return tree_error(p->error, p->plan->tree, "exporters", "no "
				  "exporter configuration specified in config");
	return 0;
}

/* --- validation -------------------------------------------------------------------- */

/* What a plugin said, with file, line, column and the whole path. */
static int complete_error(struct planner *p, const struct plan_component *c)
{
	struct weir_error said = *p->error;
	const struct weir_node *at = tree_at(c->node, said.path);
	bool bare = !said.path[0] || said.path[0] == '[';

	return tree_error(p->error, at ? at : place_of(c),
			  arena_printf(&p->plan->arena, "%s%s%s",
				       path_of(p, c), bare ? "" : ".",
				       said.path), "%s", said.text);
}

static void warn_of_alias(struct planner *p, const struct plan_component *c)
{
	weir_str type = plan_id_type(c->id);
	const char *words;

	if (weir_str_eq(type, weir_str_of(c->plugin->type)))
		return;
	words = arena_printf(&p->plan->arena, "\"%.*s\" alias is deprecated; "
			     "use \"%s\" instead", WEIR_STR_FMT(type),
			     c->plugin->type);
	weir_log_warn(c->prototype, words, NULL);
}

static int validate(struct planner *p)
{
	for (size_t i = 0; i < p->plan->n_defined; i++) {
		struct plan_component *c = &p->plan->components[i];

		warn_of_alias(p, c);
		c->prototype->signals = c->signals;
		c->validated = true;
		*p->error = (struct weir_error){ 0 };
		if (c->plugin->validate &&
		    c->plugin->validate(c->prototype, p->error))
			return complete_error(p, c);
	}
	return 0;
}

/* --- service --------------------------------------------------------------------------- */

const struct weir_field plan_service_rows[] = {
	WEIR_FIELD(struct plan_service, extensions, NULL, "Ids, in order."),
	WEIR_FIELD(struct plan_service, pipelines, NULL, "By signal/name."),
	WEIR_FIELD(struct plan_service, telemetry, NULL, "Of weir itself."),
	WEIR_FIELD(struct plan_service, workers, NULL,
		   "Threads: auto, or a number.", .flags = WEIR_OURS),
	WEIR_FIELD(struct plan_service, ack, "received",
		   "When senders are answered.", .flags = WEIR_OURS,
		   .choices = "received durable delivered"),
	WEIR_FIELD(struct plan_service, drain_timeout, "20s",
		   "From SIGTERM to exit.", .flags = WEIR_OURS),
	WEIR_END
};

#define WORKERS_MAX 256

static int read_workers(struct planner *p, const struct weir_node *node)
{
	if (weir_node_kind(node) == WEIR_NODE_NULL ||
	    weir_str_eq(weir_node_text(node), WEIR_STR("auto")))
		return 0;
	if (node->kind != WEIR_NODE_INT || node->big || node->integer < 1 ||
	    node->integer > WORKERS_MAX)
		return tree_error(p->error, node, "service.workers",
				  "expected auto, or a number from 1 to %d",
				  WORKERS_MAX);
	p->plan->workers = (uint32_t)node->integer;
	return 0;
}

static int read_service(struct planner *p, struct plan_service *service,
			const struct weir_node *node)
{
	const struct weir_node *at = node ? node : p->plan->tree;

	if (bind_fields(&p->plan->arena, plan_service_rows, service, node,
			"service", p->error) ||
	    read_workers(p, service->workers) ||
	    plan_check_ack(p, service->ack, tree_at(at, "ack"), "service.ack"))
		return -1;
	if (service->drain_timeout.ns < 0)
		return tree_error(p->error, tree_at(at, "drain_timeout"),
				  "service.drain_timeout",
				  "must not be negative");
	p->plan->drain_timeout = service->drain_timeout;
	return plan_read_telemetry(p, service->telemetry);
}

/* What is used comes first, each part in the order of the file. */
static void put_used_first(struct plan *plan)
{
	size_t bytes = plan->n_defined * sizeof(*plan->components);
	struct plan_component *old = xmalloc(bytes);
	size_t n = 0;

	memcpy(old, plan->components, bytes);
	for (int used = 1; used >= 0; used--) {
		for (size_t i = 0; i < plan->n_defined; i++)
			if (old[i].used == used)
				plan->components[n++] = old[i];
		if (used)
			plan->n_components = n;
	}
	free(old);
}

/* Makes the extensions that serve or send metrics, behind all others. */
static int add_telemetry(struct planner *p)
{
	struct plan *plan = p->plan;
	const struct plan_telemetry *t = &plan->telemetry;

	for (size_t i = 0; i < t->n_readers; i++) {
		struct plan_component *c = &plan->components[plan->n_defined];
		const struct plan_reader *reader = &t->readers[i];

		if (i == READERS_MAX)
			return tree_error(p->error, reader->node, reader->path,
					  "more than %d readers", READERS_MAX);
		c->kind = WEIR_EXTENSION;
		c->id = i ? arena_printf(&plan->arena, "%s/%zu", reader->type,
					 i + 1)
			  : reader->type;
		c->path = reader->path;
		c->node = c->key = reader->node;
		c->used = true;
		if (bind_component(p, c))
			return -1;
		plan->n_defined++;
	}
	return 0;
}

static int append_telemetry(struct planner *p)
{
	struct plan *plan = p->plan;
	struct plan_component **list;

	list = arena_alloc(&plan->arena,
			   (plan->n_extensions + plan->telemetry.n_readers) *
				   sizeof(*list));
	if (plan->n_extensions)
		memcpy(list, plan->extensions,
		       plan->n_extensions * sizeof(*list));
	for (size_t i = 0; i < plan->n_defined; i++)
		if (plan->components[i].path)
			list[plan->n_extensions++] = &plan->components[i];
	plan->extensions = list;
	return 0;
}

/* --- all of it ------------------------------------------------------------------------------ */

static int make(struct planner *p, bool decode_only)
{
	struct document doc = { 0 };
	struct plan_service service = { 0 };

	if (read_document(p, &doc) || read_sections(p, &doc) ||
	    read_service(p, &service, doc.service))
		return -1;
	if (decode_only)
		return 0;
	if (check_sections(p, &doc) || plan_mark_used(p, &service) ||
	    add_telemetry(p))
		return -1;
	put_used_first(p->plan);
	if (plan_wire(p, &service) || append_telemetry(p))
		return -1;
	return validate(p);
}

struct plan *plan_build(struct loader *loader,
			const struct plan_request *request,
			struct weir_error *error)
{
	struct plan *plan = xcalloc(1, sizeof(*plan));
	struct planner p = { plan, loader, error,
			     request->allow_no_pipelines };

	*error = (struct weir_error){ 0 };
	plan->tree = tree_load(&plan->arena, &request->tree, error);
	if (!plan->tree || make(&p, request->decode_only))
		plan_free(&plan);
	return plan;
}

struct plan *plan_parse(struct loader *loader, const char *name, weir_str text,
			struct weir_error *error)
{
	struct plan *plan = xcalloc(1, sizeof(*plan));
	struct planner p = { plan, loader, error, false };

	*error = (struct weir_error){ 0 };
	plan->tree = tree_parse(&plan->arena, name, text, error);
	if (!plan->tree || make(&p, false))
		plan_free(&plan);
	return plan;
}

struct plan *plan_load(struct loader *loader, const char *file,
		       struct weir_error *error)
{
	struct arena arena = { 0 };
	struct tree_source source = {
		arena_printf(&arena, "file:%s", file), false
	};
	struct plan_request request = { .tree = { .sources = &source, .n = 1 } };
	struct plan *plan = plan_build(loader, &request, error);

	arena_release(&arena);
	return plan;
}

void plan_free(struct plan **plan)
{
	struct plan *gone = *plan;

	*plan = NULL;
	if (!gone)
		return;
	for (size_t i = 0; i < gone->n_defined; i++) {
		struct plan_component *c = &gone->components[i];

		if (c->validated && c->plugin->destroy)
			c->plugin->destroy(c->prototype);
	}
	arena_release(&gone->arena);
	free(gone);
}

void plan_error_text(const struct weir_error *error, char *out, size_t size)
{
	char place[sizeof(error->file) + 32] = "";

	if (error->file[0] && error->line)
		snprintf(place, sizeof(place), "%s:%u:%u: ", error->file,
			 error->line, error->column);
	else if (error->file[0])
		snprintf(place, sizeof(place), "%s: ", error->file);
	snprintf(out, size, "%s%s%s%s", place, error->path,
		 error->path[0] ? ": " : "", error->text);
}
