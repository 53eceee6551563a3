/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot.c: every worker's counters summed into the series that the
 * Collector has.
 *
 * A snapshot travels from worker to worker by mail, each adding its nodes on
 * its own thread, so no counter needs an atomic; the worker that asked gets it
 * back last.  Names, labels and when a series appears: collector.md 6.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <malloc.h>

#include "base/budget.h"
#include "graph.h"
#include "net/net.h"
#include "program/service.h"
#include "base/str.h"

#define MAX_LABELS 8

struct series {
	struct weir_label labels[MAX_LABELS];
	size_t n_labels;
	union {
		uint64_t counter;
		int64_t gauge;
		double real;
		weir_histogram *histogram;
	};
	struct series *next;
};

struct family {
	struct weir_family shown;
	struct series *first, **end;
	size_t n;
	struct family *next;
};

struct snapshot {
	struct mail mail;
	uint32_t at;			/* worker that adds next */
	struct worker *asker;
	struct weir_node_instance *node;	/* who asked */
	void (*done)(struct weir_component *c, void *arg,
		     const struct weir_family *families, size_t n);
	void *arg;
	enum weir_metric_level level;
	struct arena arena;
	struct family *families;
	size_t n;
};

/* --- Series -------------------------------------------------------------- */

static struct family *get_family(struct snapshot *snap, const char *name,
				 enum weir_metric_type type, const char *unit,
				 const char *help)
{
	struct family *family;

	for (family = snap->families; family; family = family->next)
		if (weir_str_eq(family->shown.name, weir_str_of(name)))
			return family;
	family = arena_alloc(&snap->arena, sizeof(*family));
	family->shown.name = arena_str(&snap->arena, weir_str_of(name));
	family->shown.type = type;
	family->shown.unit = weir_str_of(unit);
	family->shown.help = weir_str_of(help);
	family->end = &family->first;
	family->next = snap->families;
	snap->families = family;
	snap->n++;
	return family;
}

static bool same_labels(const struct series *series,
			const struct weir_label *labels, size_t n)
{
	if (series->n_labels != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!weir_str_eq(series->labels[i].name, labels[i].name) ||
		    !weir_str_eq(series->labels[i].value, labels[i].value))
			return false;
	return true;
}

static struct series *get_series(struct snapshot *snap, struct family *family,
				 const struct weir_label *labels, size_t n)
{
	struct series *series;

	for (series = family->first; series; series = series->next)
		if (same_labels(series, labels, n))
			return series;
	series = arena_alloc(&snap->arena, sizeof(*series));
	for (size_t i = 0; i < n; i++)
		series->labels[i] = (struct weir_label){
			arena_str(&snap->arena, labels[i].name),
			arena_str(&snap->arena, labels[i].value) };
	series->n_labels = n;
	*family->end = series;
	family->end = &series->next;
	family->n++;
	return series;
}

/* Labels while they are put together. */
struct labels {
	struct weir_label v[MAX_LABELS];
	size_t n;
};

static void label(struct labels *labels, const char *name, const char *value)
{
	if (labels->n < MAX_LABELS)
		labels->v[labels->n++] = (struct weir_label){
			weir_str_of(name), weir_str_of(value) };
}

static void add_counter(struct snapshot *snap, const char *name,
			const char *unit, const char *help,
			const struct labels *labels, uint64_t value)
{
	struct family *family = get_family(snap, name, WEIR_METRIC_COUNTER,
					   unit, help);

	get_series(snap, family, labels->v, labels->n)->counter += value;
}

/* --- What core counts at the edges --------------------------------------- */

static const char *const items_of[] = { "spans", "metric_points",
					"log_records" };
static const char *const unit_of[] = { "{span}", "{datapoint}", "{record}" };

static void add_items(struct snapshot *snap, const char *prefix,
		      enum weir_signal signal, const char *help,
		      const struct labels *labels, uint64_t value)
{
	char name[96];

	snprintf(name, sizeof(name), "otelcol_%s_%s", prefix,
		 items_of[signal]);
	add_counter(snap, name, unit_of[signal], help, labels, value);
}

static void add_transport(struct snapshot *snap,
			  const struct weir_node_instance *node,
			  const struct transport_counts *over,
			  enum weir_signal signal)
{
	struct labels labels = { .n = 0 };

	label(&labels, "receiver", node->plan->id);
	label(&labels, "transport", over->name);
	add_items(snap, "receiver_accepted", signal,
		  "Number of items successfully pushed into the pipeline.",
		  &labels, over->of[signal].accepted);
	add_items(snap, "receiver_refused", signal,
		  "Number of items that could not be pushed into the pipeline.",
		  &labels, over->of[signal].refused);
	add_items(snap, "receiver_failed", signal,
		  "Number of items that failed inside the receiver.",
		  &labels, 0);
}

static void add_receiver(struct snapshot *snap,
			 const struct weir_node_instance *node,
			 enum weir_signal signal)
{
	for (int i = 0; i < MAX_TRANSPORTS; i++)
		if (node->transports[i].of[signal].touched)
			add_transport(snap, node, &node->transports[i], signal);
}

static void add_processor(struct snapshot *snap,
			  const struct weir_node_instance *node,
			  enum weir_signal signal)
{
	const struct edge_counts *counts = &node->counts[signal];
	struct labels labels = { .n = 0 };

	if (!node->plan->plugin->counts_items)
		return;
	label(&labels, "processor", node->plan->id);
	label(&labels, "otel_signal", weir_signal_name(signal));
	add_counter(snap, "otelcol_processor_incoming_items", "{item}",
		    "Number of items passed to the processor.", &labels,
		    counts->in);
	add_counter(snap, "otelcol_processor_outgoing_items", "{item}",
		    "Number of items emitted from the processor.", &labels,
		    counts->out);
}

static void add_exporter(struct snapshot *snap,
			 const struct weir_node_instance *node,
			 enum weir_signal signal)
{
	const struct edge_counts *counts = &node->counts[signal];
	struct labels labels = { .n = 0 };

	label(&labels, "exporter", node->plan->id);
	if (counts->enqueue_failed)
		add_items(snap, "exporter_enqueue_failed", signal,
			  "Number of items that could not be added to the sending queue.",
			  &labels, counts->enqueue_failed);
	for (size_t i = 0; i < node->n_labels[signal] &&
			   labels.n < MAX_LABELS; i++)
		labels.v[labels.n++] = node->labels[signal][i];
	if (counts->sent)
		add_items(snap, "exporter_sent", signal,
			  "Number of items successfully sent to the destination.",
			  &labels, counts->in);
	if (counts->failed)
		add_items(snap, "exporter_send_failed", signal,
			  "Number of items in failed attempts to send to the destination.",
			  &labels, counts->out);
}

/* Ours: what went, by reason; the ledger's other side. */
static void add_reasons(struct snapshot *snap,
			const struct weir_node_instance *node,
			enum weir_signal signal)
{
	const struct edge_counts *counts = &node->counts[signal];

	for (int reason = 0; reason < WEIR_REASON_COUNT; reason++) {
		struct labels labels = { .n = 0 };

		label(&labels, weir_kind_name(node->plan->kind), node->plan->id);
		label(&labels, "otel_signal", weir_signal_name(signal));
		label(&labels, "reason",
		      weir_reason_name((enum weir_reason)reason));
		if (counts->dropped[reason])
			add_counter(snap, "weir_dropped_items", "{item}",
				    "Number of items dropped, by reason.",
				    &labels, counts->dropped[reason]);
		if (counts->refused[reason])
			add_counter(snap, "weir_refused_requests", "{request}",
				    "Number of requests refused, by reason.",
				    &labels, counts->refused[reason]);
	}
}

static void add_edges(struct snapshot *snap,
		      const struct weir_node_instance *node)
{
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++) {
		enum weir_signal signal = (enum weir_signal)i;

		if (!node->counts[i].touched && !node->counts[i].sent)
			continue;
		if (node->plan->kind == WEIR_RECEIVER)
			add_receiver(snap, node, signal);
		else if (node->plan->kind == WEIR_PROCESSOR)
			add_processor(snap, node, signal);
		else if (node->plan->kind == WEIR_EXPORTER)
			add_exporter(snap, node, signal);
		add_reasons(snap, node, signal);
	}
}

static void add_bytes(struct snapshot *snap,
		      const struct weir_node_instance *node)
{
	struct labels labels = { .n = 0 };

	label(&labels, weir_kind_name(node->plan->kind), node->plan->id);
	if (node->received_bytes)
		add_counter(snap, "weir_received_bytes", "By",
			    "Bytes of requests that were walked on entry.",
			    &labels, node->received_bytes);
	if (node->walked_bytes)
		add_counter(snap, "weir_walked_again_bytes", "By",
			    "Bytes walked a second time, for attribute processors behind others.",
			    &labels, node->walked_bytes);
	if (node->mended)
		add_counter(snap, "weir_mended_requests", "{request}",
			    "Number of requests that were put into canonical form.",
			    &labels, node->mended);
}

/* --- Rows of the plugins ------------------------------------------------- */

static void add_histogram(struct snapshot *snap, struct series *series,
			  const weir_histogram *value)
{
	if (!series->histogram)
		series->histogram = arena_alloc(&snap->arena,
						sizeof(*series->histogram));
	for (size_t i = 0; i <= WEIR_HISTOGRAM_MAX; i++)
		series->histogram->buckets[i] += value->buckets[i];
	series->histogram->count += value->count;
	series->histogram->sum += value->sum;
}

static void add_value(struct snapshot *snap,
		      const struct weir_node_instance *node,
		      const struct weir_metric_def *def, const void *member,
		      const struct weir_label *more, size_t n)
{
	struct labels labels = { .n = 0 };
	struct family *family;
	struct series *series;

	if (def->type == WEIR_METRIC_COUNTER && !def->zero &&
	    !((const weir_counter *)member)->value)
		return;
	if (def->type == WEIR_METRIC_GAUGE &&
	    ((const weir_gauge *)member)->value == WEIR_GAUGE_NONE)
		return;
	if (def->type == WEIR_METRIC_HISTOGRAM &&
	    !((const weir_histogram *)member)->count)
		return;
	if (!def->bare)
		label(&labels, weir_kind_name(node->plan->kind),
		      node->plan->id);
	if (def->label)
		label(&labels, def->label, def->label_value);
	for (size_t i = 0; i < n && labels.n < MAX_LABELS; i++)
		labels.v[labels.n++] = more[i];
	family = get_family(snap, def->name, (enum weir_metric_type)def->type,
			    def->unit, def->help);
	family->shown.bounds = def->bounds;
	family->shown.n_bounds = def->n_bounds;
	series = get_series(snap, family, labels.v, labels.n);
	if (def->type == WEIR_METRIC_COUNTER)
		series->counter += ((const weir_counter *)member)->value;
	else if (def->type == WEIR_METRIC_GAUGE)
		series->gauge += ((const weir_gauge *)member)->value;
	else
		add_histogram(snap, series, member);
}

struct metric_series {
	struct metric_series *next;
	const struct weir_metric_def *def;
	const struct weir_label *labels;
	size_t n;
	const void *value;
};

void weir_metric_series(struct weir_component *c,
			const struct weir_metric_def *def,
			const struct weir_label *labels, size_t n,
			const void *value)
{
	struct weir_node_instance *node = c->node;
	struct arena *arena = &node->graph->arena;
	struct metric_series *series = arena_alloc(arena, sizeof(*series));
	struct weir_label *copy = arena_alloc(arena, n * sizeof(*copy));

	if (n)				/* else labels may be NULL */
		memcpy(copy, labels, n * sizeof(*copy));
	*series = (struct metric_series){ node->series, def, copy, n, value };
	node->series = series;
}

/* Is a row of a signal that this component is not wired for?  The label
 * data_type names the signal. */
static bool other_signal(const struct weir_node_instance *node,
			 const struct weir_metric_def *def)
{
	if (!def->label || strcmp(def->label, "data_type"))
		return false;
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++)
		if (!strcmp(def->label_value,
			    weir_signal_name((enum weir_signal)i)))
			return !(node->c->signals & (1u << i));
	return false;
}

static void add_rows(struct snapshot *snap,
		     const struct weir_node_instance *node)
{
	const struct weir_metric_def *def = node->plan->plugin->metrics;

	if (node->c->plugin->measure)
		node->c->plugin->measure(node->c);
	for (; def && def->name; def++)
		if (def->level <= snap->level && !other_signal(node, def) &&
		    !def->series)
			add_value(snap, node, def,
				  (const char *)node->c + def->offset, NULL, 0);
	for (const struct metric_series *s = node->series; s; s = s->next)
		if (s->def->level <= snap->level)
			add_value(snap, node, s->def, s->value, s->labels,
				  s->n);
}

static void add_worker(struct snapshot *snap, struct worker *worker)
{
	struct graph *graph = worker->graph;

	for (size_t i = 0; graph && i < graph->n_nodes; i++) {
		const struct weir_node_instance *node = graph->nodes[i];

		add_edges(snap, node);	/* doors count too */
		if (!node->c)
			continue;
		add_bytes(snap, node);
		add_rows(snap, node);
	}
}

/* --- The process --------------------------------------------------------- */

static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static void add_refused_connections(struct snapshot *snap)
{
	static const char *const reasons[ADMIT_REASONS] = {
		[ADMIT_TOTAL] = "total", [ADMIT_ADDRESS] = "address",
		[ADMIT_DESCRIPTORS] = "descriptors"
	};

	for (int i = 0; i < ADMIT_REASONS; i++) {
		uint64_t n = admit_refused((enum admit_reason)i);
		struct labels labels = { .n = 0 };

		label(&labels, "reason", reasons[i]);
		if (n)
			add_counter(snap, "weir_refused_connections",
				    "{connection}",
				    "Connections refused, by reason.",
				    &labels, n);
	}
}

static void add_process(struct snapshot *snap)
{
	struct rusage usage;
	struct mallinfo2 heap = mallinfo2();
	uint64_t wall, since;
	struct family *family;

	getrusage(RUSAGE_SELF, &usage);
	weir_service_since(&wall, &since);
	family = get_family(snap, "otelcol_process_uptime",
			    WEIR_METRIC_COUNTER, "s",
			    "Uptime of the process.");
	family->shown.is_real = true;
	get_series(snap, family, NULL, 0)->real =
		since ? (double)(weir_now() - since) / 1e9 : 0;
	family = get_family(snap, "otelcol_process_cpu_seconds",
			    WEIR_METRIC_COUNTER, "s",
			    "Total CPU user and system time in seconds.");
	family->shown.is_real = true;
	get_series(snap, family, NULL, 0)->real =
		seconds(usage.ru_utime) + seconds(usage.ru_stime);
	family = get_family(snap, "otelcol_process_memory_rss",
			    WEIR_METRIC_GAUGE, "By",
			    "Total physical memory (resident set size).");
	get_series(snap, family, NULL, 0)->gauge = (int64_t)weir_process_rss();
	family = get_family(snap, "otelcol_process_runtime_heap_alloc_bytes",
			    WEIR_METRIC_GAUGE, "By",
			    "Bytes of allocated heap objects.");
	get_series(snap, family, NULL, 0)->gauge =
		(int64_t)(heap.uordblks + heap.hblkhd);
	family = get_family(snap, "otelcol_process_runtime_total_alloc_bytes",
			    WEIR_METRIC_COUNTER, "By",
			    "Cumulative bytes allocated for payloads.");
	get_series(snap, family, NULL, 0)->counter = budget_ever();
	family = get_family(snap, "otelcol_process_runtime_total_sys_memory_bytes",
			    WEIR_METRIC_GAUGE, "By",
			    "Total bytes of memory obtained from the OS.");
	get_series(snap, family, NULL, 0)->gauge =
		(int64_t)(heap.arena + heap.hblkhd);
	add_refused_connections(snap);
	family = get_family(snap, "weir_budget_used_bytes", WEIR_METRIC_GAUGE,
			    "By", "Bytes of payloads in flight.");
	get_series(snap, family, NULL, 0)->gauge = (int64_t)weir_budget_used();
}

/* --- The round ----------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct weir_family *left = a, *right = b;
	size_t len = left->name.len < right->name.len ? left->name.len
						      : right->name.len;
	int order = memcmp(left->name.ptr, right->name.ptr, len);

	return order ? order : (left->name.len > right->name.len) -
			       (left->name.len < right->name.len);
}

static struct weir_family *lay_out(struct snapshot *snap)
{
	struct weir_family *all = arena_alloc(&snap->arena,
					      snap->n * sizeof(*all));
	size_t at = 0;

	for (struct family *f = snap->families; f; f = f->next) {
		struct weir_sample *samples =
			arena_alloc(&snap->arena, f->n * sizeof(*samples));
		size_t i = 0;

		for (struct series *s = f->first; s; s = s->next, i++) {
			samples[i].labels = s->labels;
			samples[i].n_labels = s->n_labels;
			samples[i].counter = s->counter;
			if (f->shown.type == WEIR_METRIC_HISTOGRAM)
				samples[i].histogram = s->histogram;
			else if (f->shown.is_real)
				samples[i].real = s->real;
		}
		f->shown.samples = samples;
		f->shown.n_samples = f->n;
		all[at++] = f->shown;
	}
	qsort(all, snap->n, sizeof(*all), by_name);
	return all;
}

static void finish(struct mail *mail)
{
	struct snapshot *snap = (struct snapshot *)mail;

	add_process(snap);
	if (snap->node->c)	/* the asker may have gone meanwhile */
		snap->done(snap->node->c, snap->arg, lay_out(snap), snap->n);
	arena_release(&snap->arena);
	free(snap);
}

static void visit_worker(struct mail *mail)
{
	struct snapshot *snap = (struct snapshot *)mail;

	add_worker(snap, &workers[snap->at]);
	if (++snap->at < n_workers) {
		worker_post(&workers[snap->at], &snap->mail);
	} else {
		snap->mail.deliver = finish;
		worker_post(snap->asker, &snap->mail);
	}
}

void weir_metrics_snapshot(struct weir_component *c,
	void (*done)(struct weir_component *c, void *arg,
		     const struct weir_family *families, size_t n),
	void *arg)
{
	struct snapshot *snap = xcalloc(1, sizeof(*snap));

	snap->node = c->node;
	snap->done = done;
	snap->arg = arg;
	snap->asker = c->node->worker;
	snap->level = service_metrics_level();
	snap->mail.deliver = visit_worker;
	worker_post(&workers[0], &snap->mail);
}
