/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow.h: batches between components; see step_take in graph.h.
 */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

struct graph;

/* Refuses every batch that waits for room (DRAINING). */
void flow_unpark_all(struct graph *graph);

#endif
