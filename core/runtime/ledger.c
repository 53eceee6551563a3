/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.c: what plugins report beside what core counts itself.
 */
#include "graph.h"

static struct edge_counts *counts_of(struct weir_component *c,
				     enum weir_signal signal)
{
	struct edge_counts *counts = &c->node->counts[signal];

	counts->touched = true;
	return counts;
}

void weir_count_dropped(struct weir_component *c, enum weir_signal signal,
			enum weir_reason reason, uint64_t n)
{
	counts_of(c, signal)->dropped[reason] += n;
}

void weir_count_refused(struct weir_component *c, enum weir_signal signal,
			enum weir_reason reason, uint64_t items)
{
	struct weir_node_instance *node = c->node;
	struct transport_counts *over = &node->transports[node->transport];

	counts_of(c, signal)->refused[reason]++;
	over->of[signal].refused += items;
	over->of[signal].touched = true;
}

void weir_count_sent(struct weir_component *c, enum weir_signal signal,
		     uint64_t items)
{
	struct edge_counts *counts = counts_of(c, signal);

	counts->sent = true;
	counts->in += items;
}

void weir_count_send_failed(struct weir_component *c, enum weir_signal signal,
			    const struct weir_outcome *outcome, uint64_t items)
{
	struct edge_counts *counts = counts_of(c, signal);

	counts->sent = true;	/* the series exists, with 0 */
	counts->failed = true;
	counts->out += items;
	counts->dropped[outcome->reason] += items;
}

void weir_set_transport(struct weir_component *c, const char *transport)
{
	struct weir_node_instance *node = c->node;
	struct transport_counts *over = node->transports;
	uint32_t i;

	if (!over->name[0])		/* the first */
		over->name = transport;
	for (i = 0; i < MAX_TRANSPORTS - 1 && over[i].name; i++)
		if (over[i].name == transport ||
		    !strcmp(over[i].name, transport))
			break;
	if (!over[i].name)
		over[i].name = transport;
	node->transport = i;
}

void weir_label_exporter_signal(struct weir_component *c,
				enum weir_signal signal,
				const struct weir_label *labels, size_t n)
{
	struct weir_node_instance *node = c->node;

	node->labels[signal] = arena_alloc(&node->graph->arena,
					   n * sizeof(*labels));
	memcpy(node->labels[signal], labels, n * sizeof(*labels));
	node->n_labels[signal] = n;
}

void weir_label_exporter(struct weir_component *c,
			 const struct weir_label *labels, size_t n)
{
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++)
		weir_label_exporter_signal(c, (enum weir_signal)i, labels, n);
}

void weir_histogram_record(weir_histogram *histogram,
			   const struct weir_metric_def *def, double value)
{
	size_t i = 0;

	while (i < def->n_bounds && value > def->bounds[i])
		i++;
	histogram->buckets[i]++;
	histogram->count++;
	histogram->sum += value;
}
