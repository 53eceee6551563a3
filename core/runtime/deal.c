/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deal.c: the parts of a batch are handed to the instances that own them.
 *
 * Holds nothing between calls; whether they may go now gate.c knows.
 */
#include "deal.h"

#include "data/batch.h"
#include "flow.h"
#include "graph.h"

/* All graphs have their nodes in the same order. */
struct weir_node_instance *deal_peer(struct weir_node_instance *node,
				     uint32_t i)
{
	return n_workers > 1 ? workers[i].graph->nodes[node->index] : node;
}

bool deal(struct dealt *dealt, const struct weir_batch *batch)
{
	dealt->n = weir_workers() < SHARDS ? weir_workers() : SHARDS;
	dealt->parts = 0;
	dealt->parting = parting_new(batch, dealt->n, dealt->counts);
	if (!dealt->parting)
		return false;
	for (uint32_t i = 0; i < dealt->n; i++) {
		dealt->parts += dealt->counts[i] != 0;
		dealt->places[i] = 0;
	}
	return true;
}

static void give(const struct dealt *dealt, struct weir_node_instance *node,
		 struct weir_batch *part, uint32_t i)
{
	parting_give(dealt->parting, part, i, dealt->counts);
	part->part.places = dealt->places[i];
	flow_hand_to(deal_peer(node, i), part);
}

void deal_out(struct weir_node_instance *node, struct weir_batch *whole,
	      const struct dealt *dealt)
{
	uint32_t last = dealt->n - 1;
	struct waiter *group;

	while (last && !dealt->counts[last])
		last--;
	if (dealt->parts == 1) {
		give(dealt, node, whole, last);
		parting_unref(dealt->parting);
		return;
	}
	group = parts_open(whole, dealt->parts);
	for (uint32_t i = 0; i <= last; i++) {
		struct weir_batch *part;

		if (!dealt->counts[i])
			continue;
		part = batch_share(whole);
		part->waiters = group;
		give(dealt, node, part, i);
	}
	parting_unref(dealt->parting);
}

void deal_places(struct dealt *dealt, uint64_t n)
{
	for (uint32_t i = 0; i < dealt->n; i++) {
		if (dealt->places[i] > n)
			dealt->places[i] = (size_t)n;
		n -= dealt->places[i];
	}
}
