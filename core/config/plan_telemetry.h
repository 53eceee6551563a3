/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_telemetry.h: service.telemetry as it is bound, between its files.
 */
#ifndef CORE_PLAN_TELEMETRY_H
#define CORE_PLAN_TELEMETRY_H

#include "plan_parts.h"

struct telemetry_logs {
	const struct weir_node *level;
	weir_str encoding;
	bool development, disable_caller, disable_stacktrace;
	struct log_sampling sampling;
	struct weir_strs output_paths, error_output_paths;
	const struct weir_node *initial_fields;
	bool disable_zap_resource;
	const struct weir_node *processors;
};

struct telemetry_reader {
	struct {
		struct {
			const struct weir_node *prometheus;
		} exporter;
	} pull;
	const struct weir_node *periodic;
};

struct telemetry_metrics {
	const struct weir_node *level;
	weir_str address;
	struct weir_list readers;
	const struct weir_node *views;
};

struct telemetry_traces {
	const struct weir_node *level, *propagators, *processors, *sampler,
		*limits;
};

struct telemetry_config {
	struct telemetry_logs logs;
	struct telemetry_metrics metrics;
	struct telemetry_traces traces;
	const struct weir_node *resource;
};

extern const struct weir_field plan_metrics_rows[];

/* "none", "basic", "normal", "detailed". */
extern const char *const plan_metrics_levels[];
/* Which of words (the first is -1) a node says, by name in any case or by
 * number; empty when none. */
weir_str plan_level(const struct weir_node *node, const char *const *words);

int plan_read_metrics(struct planner *p,
		      const struct telemetry_metrics *metrics,
		      const struct weir_node *node);
int plan_read_resource(struct planner *p, const struct weir_node *node);

#endif
