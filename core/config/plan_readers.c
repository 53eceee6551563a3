/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_readers.c: service.telemetry.metrics: how much is measured, and who
 * reads it.
 *
 * Each reader becomes an extension that nobody writes down: one for Prometheus
 * of type "telemetry", whose block is what stands under `prometheus`; one that
 * is periodic of type "telemetry_push", whose block is `periodic`.
 */
#include "plan_telemetry.h"

#include <stdlib.h>

static const struct weir_field exporter_rows[] = {
	{ .key = "prometheus", .type = WEIR_TYPE_NODE,
	  .help = "The page for Prometheus." },
	WEIR_END
};

static const struct weir_field pull_rows[] = {
	{ .key = "exporter", .type = WEIR_TYPE_BLOCK, .sub = exporter_rows,
	  .help = "What is pulled from." },
	WEIR_END
};

static const struct weir_field reader_rows[] = {
	WEIR_BLOCK(struct telemetry_reader, pull, pull_rows,
		   "A page to scrape."),
	WEIR_FIELD(struct telemetry_reader, periodic, NULL,
		   "Metrics that are sent every interval."),
	WEIR_END
};

const struct weir_field plan_metrics_rows[] = {
	WEIR_FIELD(struct telemetry_metrics, level, NULL,
		   "How much is measured: none, basic, normal, detailed."),
	WEIR_LIST(struct telemetry_metrics, readers, struct telemetry_reader,
		  reader_rows, "Who reads; else a page on localhost:8888."),
	WEIR_FIELD(struct telemetry_metrics, address, "",
		   "Before there were readers: host:port of the page."),
	WEIR_FIELD(struct telemetry_metrics, views, NULL,
		   "Changes of metrics: refused."),
	WEIR_END
};

#define READERS "service.telemetry.metrics.readers"
#define VIEWS "service.telemetry.metrics.views"

/* --- one reader --------------------------------------------------------- */

static bool is_given(const struct weir_node *node, const char *key)
{
	return weir_node_kind(weir_node_get(node, weir_str_of(key))) !=
	       WEIR_NODE_NULL;
}

static void add_reader(struct planner *p, const char *type,
		       const struct weir_node *node, const char *path)
{
	struct plan_telemetry *t = &p->plan->telemetry;

	t->readers[t->n_readers++] = (struct plan_reader){ type, node, path };
}

/* Headers by name are of an older schema of the same keys. */
static int read_periodic(struct planner *p, const struct weir_node *periodic,
			 const char *path)
{
	const struct weir_node *headers = weir_node_get(weir_node_get(
		weir_node_get(periodic, WEIR_STR("exporter")),
		WEIR_STR("otlp")), WEIR_STR("headers"));

	if (weir_node_kind(headers) == WEIR_NODE_MAP && headers->n)
		weir_log_warn(NULL, "Telemetry metrics configuration is using "
			      "the deprecated v0.2.0 Declarative Configuration "
			      "format, please migrate to the v0.3.0 format",
			      "headers=%s", "[{name, value}]");
	add_reader(p, "telemetry_push", periodic,
		   arena_printf(&p->plan->arena, "%s.periodic", path));
	return 0;
}

static int read_reader(struct planner *p, const struct weir_node *node,
		       const char *path)
{
	const struct weir_node *page = weir_node_get(node, WEIR_STR("pull"));

	if (is_given(node, "pull") && is_given(node, "periodic"))
		return tree_error(p->error, node, path,
				  "must not specify multiple metric reader "
				  "type");
	if (is_given(node, "periodic"))
		return read_periodic(p, weir_node_get(node,
						      WEIR_STR("periodic")),
				     path);
	page = weir_node_get(weir_node_get(page, WEIR_STR("exporter")),
			     WEIR_STR("prometheus"));
	if (weir_node_kind(page) == WEIR_NODE_NULL)
		return tree_error(p->error, node, path,
				  "no valid metric exporter: a reader is `pull: "
				  "{exporter: {prometheus: {host, port}}}` or "
				  "`periodic: {exporter: {otlp or console}}`");
	path = arena_printf(&p->plan->arena, "%s.pull.exporter.prometheus",
			    path);
	if (page->kind == WEIR_NODE_MAP && !is_given(page, "host"))
		return tree_error(p->error, page, path,
				  "host must be specified");
	if (page->kind == WEIR_NODE_MAP && !is_given(page, "port"))
		return tree_error(p->error, page, path,
				  "port must be specified");
	add_reader(p, "telemetry", page, path);
	return 0;
}

static int read_readers(struct planner *p, const struct weir_node *readers)
{
	if (!readers->n)
		return tree_error(p->error, readers, READERS,
				  "collector telemetry metrics reader should "
				  "exist when metric level is not none");
	p->plan->telemetry.readers =
		arena_alloc(&p->plan->arena,
			    readers->n * sizeof(struct plan_reader));
	for (size_t i = 0; i < readers->n; i++)
		if (read_reader(p, readers->items[i],
				arena_printf(&p->plan->arena, READERS "[%zu]",
					     i)))
			return -1;
	return 0;
}

/* --- where none is written ---------------------------------------------- */

static void make_page(struct planner *p, weir_str host, unsigned long port)
{
	const char *text = arena_printf(&p->plan->arena,
					"host: '%.*s'\nport: %lu\n",
					WEIR_STR_FMT(host), port);
	struct weir_error ignored;

	p->plan->telemetry.readers = arena_alloc(&p->plan->arena,
						 sizeof(struct plan_reader));
	add_reader(p, "telemetry",
		   tree_parse_raw(&p->plan->arena, "service.telemetry",
				  weir_str_of(text), &ignored),
		   "service.telemetry.metrics");
}

/* "host:port" of old configurations; an empty host is all interfaces. */
static int read_address(struct planner *p, weir_str address,
			const struct weir_node *node)
{
	const char *colon = memrchr(address.ptr, ':', address.len);
	weir_str host = { address.ptr, 0 };
	unsigned long port = 0;
	char *end = NULL;

	if (colon) {
		host.len = (size_t)(colon - address.ptr);
		port = strtoul(colon + 1, &end, 10);
	}
	if (!port || port > 65535 || end != address.ptr + address.len ||
	    memchr(host.ptr, '\'', host.len))
		return tree_error(p->error, tree_at(node, "metrics.address"),
				  "service.telemetry.metrics.address",
				  "\"%.*s\" is not host:port",
				  WEIR_STR_FMT(address));
	weir_log_warn(NULL, "service.telemetry.metrics.address is deprecated; "
		      "use readers with a Prometheus exporter",
		      "address=%.*s", WEIR_STR_FMT(address));
	if (host.len > 1 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
		host = (weir_str){ host.ptr + 1, host.len - 2 };
	make_page(p, host.len ? host : WEIR_STR("0.0.0.0"), port);
	return 0;
}

/* --- all ---------------------------------------------------------------- */

static int check_views(struct planner *p, const struct weir_node *views,
		       weir_str level)
{
	if (weir_node_kind(views) == WEIR_NODE_NULL)
		return 0;
	if (!weir_str_eq(level, WEIR_STR("detailed")))
		return tree_error(p->error, views, VIEWS,
				  "service::telemetry::metrics::views can only "
				  "be set when service::telemetry::metrics::"
				  "level is detailed");
	if (!weir_node_len(views))
		return 0;
	return tree_error(p->error, views, VIEWS,
			  "weir has no views: rename or drop what is not "
			  "wanted where the page is scraped");
}

int plan_read_metrics(struct planner *p,
		      const struct telemetry_metrics *metrics,
		      const struct weir_node *node)
{
	const struct weir_node *readers;
	weir_str level = WEIR_STR("normal");

	readers = weir_node_get(weir_node_get(node, WEIR_STR("metrics")),
				WEIR_STR("readers"));
	if (weir_node_kind(metrics->level) != WEIR_NODE_NULL)
		level = plan_level(metrics->level, plan_metrics_levels);
	if (!level.len)
		return tree_error(p->error, metrics->level,
				  "service.telemetry.metrics.level",
				  "unknown metrics level \"%.*s\"",
				  WEIR_STR_FMT(weir_node_text(metrics->level)));
	p->plan->telemetry.metrics_level = level;
	if (check_views(p, metrics->views, level))
		return -1;
	if (weir_str_eq(level, WEIR_STR("none")))
		return 0;
	if (weir_node_kind(readers) != WEIR_NODE_NULL)
		return read_readers(p, readers);
	if (metrics->address.len)
		return read_address(p, metrics->address, node);
	make_page(p, WEIR_STR("localhost"), 8888);
	return 0;
}
