/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_telemetry.c: service.telemetry: what weir says of itself.
 *
 * The Prometheus reader is served by an extension of type "telemetry" that
 * nobody writes down; its block is made here.
 */
#include "plan_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct prometheus {
	weir_str host;
	uint32_t port;
	bool without_units, without_type_suffix, without_scope_info;
};

static const struct weir_field prometheus_rows[] = {
	WEIR_FIELD(struct prometheus, host, "localhost", "Address."),
	WEIR_FIELD(struct prometheus, port, "8888", "Port."),
	WEIR_FIELD(struct prometheus, without_units, "true",
		   "Names without units."),
	WEIR_FIELD(struct prometheus, without_type_suffix, "true",
		   "Names without _total."),
	WEIR_FIELD(struct prometheus, without_scope_info, "true",
		   "Series without labels of the scope."),
	WEIR_FIELD_IGNORED("with_resource_constant_labels",
			   "Resource attributes as labels."),
	WEIR_END
};

struct pull {
	struct {
		struct {
			struct prometheus prometheus;
		} exporter;
	} pull;
	const struct weir_node *periodic;
};

static const struct weir_field exporter_rows[] = {
	{ .key = "prometheus", .type = WEIR_TYPE_BLOCK, .sub = prometheus_rows,
	  .help = "The scrape page." },
	WEIR_END
};

static const struct weir_field pull_rows[] = {
	{ .key = "exporter", .type = WEIR_TYPE_BLOCK, .sub = exporter_rows,
	  .help = "What is pulled from." },
	WEIR_END
};

static const struct weir_field reader_rows[] = {
	{ .key = "pull", .type = WEIR_TYPE_BLOCK, .sub = pull_rows,
	  .offset = offsetof(struct pull, pull), .help = "A page to scrape." },
	WEIR_FIELD(struct pull, periodic, NULL, "Metrics pushed."),
	WEIR_END
};

struct config {
	struct {
		weir_str level, encoding;
		bool disable_caller;
		struct weir_strs output_paths;
	} logs;
	struct {
		weir_str level, address;
		const struct weir_node *readers;
	} metrics;
	const struct weir_node *resource;
};

static const struct weir_field sampling_rows[] = {
	WEIR_FIELD_IGNORED("enabled", "Sampling of equal lines is always on."),
	WEIR_FIELD_IGNORED("tick", "10s."),
	WEIR_FIELD_IGNORED("initial", "10."),
	WEIR_FIELD_IGNORED("thereafter", "100."),
	WEIR_END
};

#define IN(member) offsetof(struct config, member)

static const struct weir_field log_rows[] = {
	{ "level", WEIR_TYPE_STR, 0, IN(logs.level), "info",
	  "Least severity that is written.", 0, 0, 0, 0 },
	{ "encoding", WEIR_TYPE_STR, 0, IN(logs.encoding), "console",
	  "Form of a line.", 0, 0, 0, "console json" },
	{ "disable_caller", WEIR_TYPE_BOOL, 0, IN(logs.disable_caller),
	  "false", "Lines without file and line.", 0, 0, 0, 0 },
	{ "output_paths", WEIR_TYPE_STRS, 0, IN(logs.output_paths),
	  "[stderr]", "Files, stdout, stderr.", 0, 0, 0, 0 },
	{ "sampling", WEIR_TYPE_BLOCK, 0, 0, NULL,
	  "Equal lines that are left out.", sampling_rows, 0, 0, 0 },
	WEIR_FIELD_IGNORED("development", "For developers of the Collector."),
	WEIR_FIELD_IGNORED("disable_stacktrace", "There are none."),
	WEIR_FIELD_IGNORED("error_output_paths", "Errors of the logger."),
	WEIR_FIELD_IGNORED("initial_fields", "Fields of every line."),
	WEIR_FIELD_IGNORED("disable_zap_resource", "Lines have none."),
	WEIR_FIELD_IGNORED("processors", "Logs sent elsewhere."),
	WEIR_END
};

static const struct weir_field metric_rows[] = {
	{ "level", WEIR_TYPE_STR, 0, IN(metrics.level), "normal",
	  "How much is measured.", 0, 0, 0, 0 },
	{ "readers", WEIR_TYPE_NODE, 0, IN(metrics.readers), NULL,
	  "Who reads.", 0, 0, 0, 0 },
	{ "address", WEIR_TYPE_STR, 0, IN(metrics.address), "",
	  "Before there were readers: host:port of the scrape page.",
	  0, 0, 0, 0 },
	WEIR_FIELD_IGNORED("views", "Changes of the names."),
	WEIR_END
};

static const struct weir_field telemetry_rows[] = {
	{ "logs", WEIR_TYPE_BLOCK, 0, 0, NULL, "Logs.", log_rows, 0, 0, 0 },
	{ "metrics", WEIR_TYPE_BLOCK, 0, 0, NULL, "Metrics.", metric_rows,
	  0, 0, 0 },
	WEIR_FIELD_IGNORED("traces", "Traces of weir itself: there are none."),
	WEIR_FIELD(struct config, resource, NULL,
		   "Attributes of this process."),
	WEIR_END
};

/* The word as it is known, whatever its case; empty when it is not. */
static weir_str known_word(const char *const *words, weir_str word)
{
	for (; *words; words++)
		if (word.len == strlen(*words) &&
		    !strncasecmp(word.ptr, *words, word.len))
			return weir_str_of(*words);
	return (weir_str){ "", 0 };
}

/* --- metrics ---------------------------------------------------------------------- */

static void take_prometheus(struct plan_telemetry *t,
			    const struct prometheus *from)
{
	t->metrics_host = from->host;
	t->metrics_port = from->port;
	t->without_units = from->without_units;
	t->without_type_suffix = from->without_type_suffix;
	t->without_scope_info = from->without_scope_info;
}

static int read_reader(struct planner *p, const struct weir_node *node,
		       const char *path)
{
	struct pull reader = { 0 };
	const struct weir_node *exporter;

	if (bind_fields(&p->plan->arena, reader_rows, &reader, node, path,
			p->error))
		return -1;
	exporter = weir_node_get(weir_node_get(node, WEIR_STR("pull")),
				 WEIR_STR("exporter"));
	if (weir_node_kind(weir_node_get(exporter, WEIR_STR("prometheus"))) !=
	    WEIR_NODE_MAP)
		return tree_error(p->error, node, path,
			"no valid metric exporter: only `pull: {exporter: "
			"{prometheus: {host, port}}}` is possible");
	if (reader.pull.exporter.prometheus.port == 0 ||
	    reader.pull.exporter.prometheus.port > 65535)
		return tree_error(p->error, exporter, path,
				  "port must be from 1 to 65535");
	take_prometheus(&p->plan->telemetry, &reader.pull.exporter.prometheus);
	return 0;
}

/* "host:port" of old configurations; an empty host is all interfaces. */
static int read_address(struct planner *p, weir_str address,
			const struct weir_node *node)
{
	struct plan_telemetry *t = &p->plan->telemetry;
	const char *colon = memrchr(address.ptr, ':', address.len);
	char *end;
	unsigned long port;

	port = colon ? strtoul(colon + 1, &end, 10) : 0;
	if (!port || port > 65535 || end != address.ptr + address.len)
		return tree_error(p->error, node,
				  "service.telemetry.metrics.address",
				  "\"%.*s\" is not host:port",
				  WEIR_STR_FMT(address));
	t->metrics_host = (weir_str){ address.ptr,
				      (size_t)(colon - address.ptr) };
	if (!t->metrics_host.len)
		t->metrics_host = WEIR_STR("0.0.0.0");
	t->metrics_port = (uint32_t)port;
	return 0;
}

static int read_metrics(struct planner *p, const struct config *config,
			const struct weir_node *node)
{
	static const struct prometheus standard = {
		WEIR_STR("localhost"), 8888, true, true, true
	};
	static const char *const levels[] = { "none", "basic", "normal",
					      "detailed", NULL };
	const struct weir_node *readers = config->metrics.readers;
	const char *path = "service.telemetry.metrics.readers";
	weir_str level = known_word(levels, config->metrics.level);

	if (!level.len)
		return tree_error(p->error, tree_at(node, "metrics.level"),
				  "service.telemetry.metrics.level",
				  "unknown metrics level \"%.*s\"",
				  WEIR_STR_FMT(config->metrics.level));
	p->plan->telemetry.metrics_level = level;
	if (weir_str_eq(level, WEIR_STR("none")))
		return 0;
	take_prometheus(&p->plan->telemetry, &standard);
	if (config->metrics.address.len && !readers)
		return read_address(p, config->metrics.address, node);
	if (weir_node_kind(readers) == WEIR_NODE_NULL)
		return 0;
	if (readers->kind != WEIR_NODE_LIST)
		return tree_error(p->error, readers, path,
				  "expected a list, got %s",
				  tree_kind_phrase(readers));
	if (!readers->n)
		return tree_error(p->error, readers, path,
				  "collector telemetry metrics reader should "
				  "exist when metric level is not none");
	if (readers->n > 1)
		return tree_error(p->error, readers->items[1], path,
				  "only one reader is possible");
	return read_reader(p, readers->items[0],
			   arena_printf(&p->plan->arena, "%s[0]", path));
}

struct weir_node *plan_telemetry_block(struct planner *p)
{
	const struct plan_telemetry *t = &p->plan->telemetry;
	struct weir_error ignored;
	const char *text;

	if (!t->metrics_port)
		return NULL;
	text = arena_printf(&p->plan->arena,
			    "host: '%.*s'\nport: %u\nwithout_units: %s\n"
			    "without_type_suffix: %s\nwithout_scope_info: %s\n",
			    WEIR_STR_FMT(t->metrics_host), t->metrics_port,
			    t->without_units ? "true" : "false",
			    t->without_type_suffix ? "true" : "false",
			    t->without_scope_info ? "true" : "false");
	return tree_parse_raw(&p->plan->arena, "service.telemetry",
			      weir_str_of(text), &ignored);
}

/* --- resource ------------------------------------------------------------------------ */

static int read_attribute(struct planner *p, struct weir_label *label,
			  weir_str name, const struct weir_node *value,
			  bool declared)
{
	if (weir_node_kind(value) >= WEIR_NODE_LIST)
		return tree_error(p->error, value, "service.telemetry.resource",
				  "the value of \"%.*s\" is a %s, expected a "
				  "scalar", WEIR_STR_FMT(name),
				  tree_kind_name(value));
	if (!declared && weir_node_kind(value) != WEIR_NODE_NULL &&
	    value->kind != WEIR_NODE_STR && !value->expanded)
		return tree_error(p->error, value, "service.telemetry.resource",
				  "legacy resource attribute \"%.*s\" must be "
				  "string or null", WEIR_STR_FMT(name));
	label->name = name;
	if (weir_node_kind(value) != WEIR_NODE_NULL)
		label->value = value->text;
	return 0;
}

/* {attributes: [{name, value, type}]}, or {name: value}. */
static int read_resource(struct planner *p, const struct weir_node *node)
{
	struct plan_telemetry *t = &p->plan->telemetry;
	const struct weir_node *listed = weir_node_get(node,
						       WEIR_STR("attributes"));
	bool declared = weir_node_kind(listed) == WEIR_NODE_LIST;

	if (weir_node_kind(node) == WEIR_NODE_NULL)
		return 0;
	if (node->kind != WEIR_NODE_MAP)
		return tree_error(p->error, node, "service.telemetry.resource",
				  "expected a map, got %s",
				  tree_kind_phrase(node));
	if (!declared)
		listed = node;
	t->resource = arena_alloc(&p->plan->arena,
				  listed->n * sizeof(*t->resource));
	for (size_t i = 0; i < listed->n; i++) {
		const struct weir_node *value = listed->items[i];
		weir_str name = weir_node_key(listed, i);

		if (declared) {
			name = weir_node_text(weir_node_get(value,
						WEIR_STR("name")));
			value = weir_node_get(value, WEIR_STR("value"));
		}
		if (read_attribute(p, &t->resource[t->n_resource++], name,
				   value, declared))
			return -1;
	}
	return 0;
}

/* --- logs ------------------------------------------------------------------------------- */

static int read_logs(struct planner *p, const struct config *config,
		     const struct weir_node *node)
{
	static const char *const levels[] = { "debug", "info", "warn", "error",
					      "dpanic", "panic", "fatal",
					      NULL };
	struct plan_telemetry *t = &p->plan->telemetry;

	t->log_encoding = config->logs.encoding;
	t->log_disable_caller = config->logs.disable_caller;
	t->log_output_paths = config->logs.output_paths;
	t->log_level = known_word(levels, config->logs.level);
	if (t->log_level.len)
		return 0;
	return tree_error(p->error, tree_at(node, "logs.level"),
			  "service.telemetry.logs.level",
			  "unrecognized level: \"%.*s\"",
			  WEIR_STR_FMT(config->logs.level));
}

int plan_read_telemetry(struct planner *p, const struct weir_node *node)
{
	struct config config = { 0 };

	if (bind_fields(&p->plan->arena, telemetry_rows, &config, node,
			"service.telemetry", p->error))
		return -1;
	if (read_logs(p, &config, node) || read_metrics(p, &config, node))
		return -1;
	return read_resource(p, config.resource);
}
