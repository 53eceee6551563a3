/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deal.h: a batch in parts, before they go.
 */
#ifndef CORE_DEAL_H
#define CORE_DEAL_H

#include "part.h"

struct weir_batch;
struct weir_node_instance;

struct dealt {
	struct parting *parting;
	uint32_t n;			/* owners */
	uint32_t parts;			/* ... that get some */
	size_t counts[SHARDS];		/* spans, by owner */
	size_t places[SHARDS];		/* that were taken, or are wanted */
};

/* The instance of the same component on worker i. */
struct weir_node_instance *deal_peer(struct weir_node_instance *node,
				     uint32_t i);
/* Finds the parts, without places.  False: over the budget. */
bool deal(struct dealt *dealt, const struct weir_batch *batch);
/* Of n places that were taken, to each part what it wants. */
void deal_places(struct dealt *dealt, uint64_t n);
/* Gives each part to its owner.  parting and batch are given up. */
void deal_out(struct weir_node_instance *node, struct weir_batch *whole,
	      const struct dealt *dealt);

#endif
