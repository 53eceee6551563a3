/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_parts.h: between the files that make a plan.
 *
 *	plan.c            sections, components, prototypes
 *	plan_id.c         component and pipeline ids
 *	plan_wire.c       service.extensions, service.pipelines
 *	plan_telemetry.c  service.telemetry, with plan_readers.c (metrics)
 *	                  and plan_resource.c
 */
#ifndef CORE_PLAN_PARTS_H
#define CORE_PLAN_PARTS_H

#include "bind.h"
#include "plan.h"

struct planner {
	struct plan *plan;
	struct loader *loader;
	struct weir_error *error;
	bool allow_no_pipelines;
};

/* What `service:` may hold. */
struct plan_service {
	const struct weir_node *extensions, *pipelines, *telemetry, *workers;
	weir_str ack;
	weir_duration drain_timeout;
};

/* "type/name", blanks around both cut.  NULL and an error at node. */
const char *plan_id(struct planner *p, const struct weir_node *node,
		    const char *path);
/* The part before the first slash. */
weir_str plan_id_type(const char *id);
/* "traces/x"; the signal goes to *signal. */
const char *plan_pipeline_id(struct planner *p, const struct weir_node *node,
			     const char *path, enum weir_signal *signal);

/* Marks what service refers to, before components have their final place. */
int plan_mark_used(struct planner *p, const struct plan_service *service);
/* Fills plan->extensions and plan->pipelines, and signals. */
int plan_wire(struct planner *p, const struct plan_service *service);
/* `received` only, for now. */
int plan_check_ack(struct planner *p, weir_str ack,
		   const struct weir_node *node, const char *path);

int plan_read_telemetry(struct planner *p, const struct weir_node *node);

/* The rows of what is no component. */
extern const struct weir_field plan_service_rows[], plan_pipeline_rows[],
	plan_telemetry_rows[];

#endif
