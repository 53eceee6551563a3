/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_telemetry.c: service.telemetry: what weir says of itself.  Its logs and
 * traces here, metrics and resource in files of their own.
 *
 * Levels are words in any case, or the numbers that the Collector's are.
 */
#include "plan_telemetry.h"

#include <stdlib.h>
#include <strings.h>

static const struct weir_field sampling_rows[] = {
	{ .key = "enabled", .type = WEIR_TYPE_BOOL, .preset = "true",
	  .offset = offsetof(struct log_sampling, enabled),
	  .help = "Leave out most of many equal lines." },
	WEIR_FIELD(struct log_sampling, tick, "10s",
		   "Time for which equal lines are counted."),
	WEIR_FIELD(struct log_sampling, initial, "10",
		   "Equal lines in that time that are written."),
	WEIR_FIELD(struct log_sampling, thereafter, "100",
		   "Then each line of so many is written; 0: none."),
	WEIR_END
};

static const struct weir_field log_rows[] = {
	WEIR_FIELD(struct telemetry_logs, level, NULL,
		   "Least severity that is written: debug, info, warn, error."),
	WEIR_FIELD(struct telemetry_logs, encoding, "console",
		   "Form of a line.", .choices = "console json"),
	WEIR_FIELD(struct telemetry_logs, development, "false",
		   "Of the Collector's developers; without effect."),
	WEIR_FIELD(struct telemetry_logs, disable_caller, "false",
		   "Lines without file and line of the source."),
	WEIR_FIELD(struct telemetry_logs, disable_stacktrace, "false",
		   "Lines have no stack traces anyway."),
	WEIR_BLOCK(struct telemetry_logs, sampling, sampling_rows,
		   "Equal lines that are left out."),
	WEIR_FIELD(struct telemetry_logs, output_paths, "[stderr]",
		   "Where lines go: files, stdout, stderr."),
	WEIR_FIELD(struct telemetry_logs, error_output_paths, "[stderr]",
		   "Where it is said that a line could not be written."),
	WEIR_FIELD(struct telemetry_logs, initial_fields, NULL,
		   "Fields of every line, by name."),
	WEIR_FIELD(struct telemetry_logs, disable_zap_resource, "false",
		   "Lines without the attributes of `resource`."),
	WEIR_FIELD(struct telemetry_logs, processors, NULL,
		   "Logs sent elsewhere: refused."),
	WEIR_END
};

static const struct weir_field trace_rows[] = {
	WEIR_FIELD(struct telemetry_traces, level, NULL,
		   "Weir makes no spans of its own, whatever the level."),
	WEIR_FIELD(struct telemetry_traces, propagators, NULL,
		   "Without effect."),
	WEIR_FIELD(struct telemetry_traces, processors, NULL,
		   "Without effect, with a warning."),
	WEIR_FIELD(struct telemetry_traces, sampler, NULL,
		   "Without effect."),
	WEIR_FIELD(struct telemetry_traces, limits, NULL, "Without effect."),
	WEIR_END
};

const struct weir_field plan_telemetry_rows[] = {
	WEIR_BLOCK(struct telemetry_config, logs, log_rows, "Log lines."),
	WEIR_BLOCK(struct telemetry_config, metrics, plan_metrics_rows,
		   "Metrics of weir itself."),
	WEIR_BLOCK(struct telemetry_config, traces, trace_rows,
		   "Traces of weir itself: there are none."),
	WEIR_FIELD(struct telemetry_config, resource, NULL,
		   "Attributes of this process: {name: value}, or "
		   "{attributes: [{name, value}]}."),
	WEIR_END
};

/* --- levels ----------------------------------------------------------------------- */

weir_str plan_level(const struct weir_node *node, const char *const *words)
{
	weir_str text = weir_node_text(node);

	if (node->kind == WEIR_NODE_INT) {
		for (int64_t at = -1; *words; words++, at++)
			if (!node->big && node->integer == at)
				return weir_str_of(*words);
	} else if (node->kind == WEIR_NODE_STR || node->expanded) {
		for (; *words; words++)
			if (text.len == strlen(*words) &&
			    !strncasecmp(text.ptr, *words, text.len))
				return weir_str_of(*words);
	}
	return (weir_str){ "", 0 };
}

const char *const plan_metrics_levels[] = { "none", "basic", "normal",
					    "detailed", NULL };

/* --- logs ------------------------------------------------------------------------- */

static int read_log_level(struct planner *p, const struct weir_node *node,
			  weir_str *level)
{
	static const char *const levels[] = { "debug", "info", "warn", "error",
					      "dpanic", "panic", "fatal",
					      NULL };
	static const char *const other[] = { "warning", NULL };

	*level = WEIR_STR("info");
	if (weir_node_kind(node) == WEIR_NODE_NULL ||
	    (node->kind == WEIR_NODE_STR && !node->text.len))
		return 0;
	*level = plan_level(node, levels);
	if (!level->len && node->kind == WEIR_NODE_STR &&
	    plan_level(node, other).len)
		*level = WEIR_STR("warn");
	if (level->len)
		return 0;
	return tree_error(p->error, node, "service.telemetry.logs.level",
			  "unrecognized level: \"%.*s\"",
			  WEIR_STR_FMT(weir_node_text(node)));
}

/* "a:b" is a URL there: of the kinds of URLs only files can be. */
static int check_path(struct planner *p, weir_str path, const char *where,
		      const struct weir_node *node)
{
	const char *colon = memmem(path.ptr, path.len, "://", 3);

	if (!colon || (colon - path.ptr == 4 && !memcmp(path.ptr, "file", 4)))
		return 0;
	return tree_error(p->error, tree_at(node, where),
			  arena_printf(&p->plan->arena,
				       "service.telemetry.%s", where),
			  "open sink \"%.*s\": no sink found for scheme "
			  "\"%.*s\"", WEIR_STR_FMT(path),
			  (int)(colon - path.ptr), path.ptr);
}

static int check_paths(struct planner *p, const struct weir_strs *paths,
		       const char *where, const struct weir_node *node)
{
	for (size_t i = 0; i < paths->len; i++)
		if (check_path(p, paths->items[i], where, node))
			return -1;
	return 0;
}

static int check_logs(struct planner *p, const struct telemetry_logs *logs,
		      const struct weir_node *node)
{
	if (weir_node_kind(logs->initial_fields) != WEIR_NODE_NULL &&
	    logs->initial_fields->kind != WEIR_NODE_MAP)
		return tree_error(p->error, logs->initial_fields,
				  "service.telemetry.logs.initial_fields",
				  "expected a map, got %s",
				  tree_kind_phrase(logs->initial_fields));
	if (weir_node_len(logs->processors))
		return tree_error(p->error, logs->processors,
				  "service.telemetry.logs.processors",
				  "weir does not send its own log anywhere: "
				  "write it to a file with output_paths, and "
				  "let that be collected");
	if (check_paths(p, &logs->output_paths, "logs.output_paths", node))
		return -1;
	return check_paths(p, &logs->error_output_paths,
			   "logs.error_output_paths", node);
}

static int read_logs(struct planner *p, const struct telemetry_config *config,
		     const struct weir_node *node)
{
	const struct telemetry_logs *logs = &config->logs;
	struct log_options *log = &p->plan->telemetry.log;
	struct log_sampling *sampling;

	if (check_logs(p, logs, node) ||
	    read_log_level(p, logs->level, &log->level))
		return -1;
	sampling = arena_alloc(&p->plan->arena, sizeof(*sampling));
	*sampling = logs->sampling;
	log->sampling = sampling;
	log->encoding = logs->encoding;
	log->disable_caller = logs->disable_caller;
	log->paths = logs->output_paths;
	log->error_paths = logs->error_output_paths;
	log->nowhere = !logs->output_paths.len;
	log->initial_fields = logs->initial_fields;
	log->resource = weir_node_len(config->resource) &&
			!logs->disable_zap_resource;
	return 0;
}

/* --- traces ------------------------------------------------------------------------ */

static int read_traces(struct planner *p, const struct telemetry_traces *traces)
{
	const struct weir_node *level = traces->level;
	bool none = false;

	if (weir_node_kind(level) != WEIR_NODE_NULL) {
		weir_str word = plan_level(level, plan_metrics_levels);

		if (!word.len)
			return tree_error(p->error, level,
				"service.telemetry.traces.level",
				"unknown metrics level \"%.*s\"",
				WEIR_STR_FMT(weir_node_text(level)));
		none = weir_str_eq(word, WEIR_STR("none"));
	}
	if (!none && weir_node_len(traces->processors))
		weir_log_warn(NULL, "service.telemetry.traces has no effect: "
			      "weir makes no spans of its own", NULL);
	return 0;
}

int plan_read_telemetry(struct planner *p, const struct weir_node *node)
{
	struct telemetry_config config = { 0 };

	if (bind_fields(&p->plan->arena, plan_telemetry_rows, &config, node,
			"service.telemetry", p->error))
		return -1;
	if (read_logs(p, &config, node) ||
	    plan_read_metrics(p, &config.metrics, node) ||
	    read_traces(p, &config.traces))
		return -1;
	return plan_read_resource(p, config.resource);
}
