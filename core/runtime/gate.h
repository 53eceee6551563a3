/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.h: batches before a component that is placed by trace.
 */
#ifndef CORE_GATE_H
#define CORE_GATE_H

struct graph;
struct weir_batch;
struct weir_node_instance;

/* Takes what all parts of the batch need (weir_part_reserve), then hands them
 * to their owners; it may wait for that.  node: this worker's. */
void gate_take(struct weir_node_instance *node, struct weir_batch *batch);
/* Nobody sends any more: who waits for places is let in without. */
void gate_close(struct graph *graph);
/* Refuses every batch that waits (DRAINING). */
void gate_refuse_all(struct graph *graph);

#endif
