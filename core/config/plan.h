/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan.h: a tree to a validated plan.  A plan is a value: what the graph shall
 * be, with every component's configuration bound and checked; nothing runs
 * yet.
 */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include <weir/plugin.h>

#include "plugin/loader.h"
#include "base/log.h"
#include "base/str.h"
#include "tree.h"

struct plan_component {
	const struct weir_plugin *plugin;
	enum weir_kind kind;
	const char *id;			/* as the user wrote it */
	const char *path;		/* of its block; NULL: section and id */
	const struct weir_node *node;	/* its block, NULL when null */
	struct weir_component *prototype;	/* plugin->size bytes, bound */
	uint32_t signals;		/* wired by pipelines */
	const struct weir_node *key;	/* where its id stands */
	bool used;			/* service refers to it */
	bool validated;			/* validate was called: destroy it */
};

struct plan_pipeline {
	const char *id;			/* "traces/x" */
	enum weir_signal signal;
	struct plan_component **receivers, **processors, **exporters;
	size_t n_receivers, n_processors, n_exporters;
};

struct plan_reader {			/* an extension that core adds */
	const char *type;		/* "telemetry", "telemetry_push" */
	const struct weir_node *node;
	const char *path;
};

struct plan_telemetry {			/* service.telemetry (1.9) */
	struct log_options log;
	weir_str metrics_level;
	struct plan_reader *readers;
	size_t n_readers;
	struct weir_label *resource;	/* attributes of the process; value.ptr
					 * NULL: the default one is removed */
	size_t n_resource;
};

struct plan {
	struct arena arena;
	struct weir_node *tree;
	/* Referenced from service only; defined but unused ones are bound and
	 * validated, and stand behind these. */
	struct plan_component *components;
	size_t n_components, n_defined;
	struct plan_component **extensions;	/* in service.extensions order,
						 * the readers last */
	size_t n_extensions;
	struct plan_pipeline *pipelines;
	size_t n_pipelines;
	uint32_t workers;		/* service.workers; 0 = auto */
	weir_duration drain_timeout;	/* service.drain_timeout, 20s */
	struct plan_telemetry telemetry;
};

struct plan_request {
	struct tree_request tree;
	bool allow_no_pipelines;	/* gate service.AllowNoPipelines */
	bool decode_only;		/* bound, not wired, not validated */
};

/* Reads, binds and validates what all sources together say.  The loader
 * outlives the plan.  NULL and an error that names file, line, column and
 * path. */
struct plan *plan_build(struct loader *loader,
			const struct plan_request *request,
			struct weir_error *error);
/* The same of one file, or of a text. */
struct plan *plan_load(struct loader *loader, const char *file,
		       struct weir_error *error);
struct plan *plan_parse(struct loader *loader, const char *name, weir_str text,
			struct weir_error *error);
/* Destroys the prototypes too. */
void plan_free(struct plan **plan);

/* "file:line:column: path: sentence", as it is printed; cut to size. */
void plan_error_text(const struct weir_error *error, char *out, size_t size);

#endif
