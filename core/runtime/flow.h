/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow.h: batches between components; see step_take in graph.h.
 */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

#include <weir/status.h>

struct graph;
struct weir_batch;
struct weir_node_instance;

/* Refuses every batch that waits for room (DRAINING). */
void flow_unpark_all(struct graph *graph);

/* --- For gate.c ---------------------------------------------------------- */

/* Gives the batch to the instance, on its worker. */
void flow_hand_to(struct weir_node_instance *node, struct weir_batch *batch);
/* Counts that node had no room for the batch, which nobody else has. */
void flow_count_refused(struct weir_node_instance *node,
			const struct weir_batch *batch,
			enum weir_reason reason);
void flow_refuse_draining(struct weir_batch *batch);

#endif
