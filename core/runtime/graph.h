/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph.h: one worker's share of the pipelines.
 *
 * A node is an instance of a component.  A step is a place in a pipeline: what
 * happens to a batch next.  Steps are made once, when the graph is built:
 *
 *	receiver -> FAN -> ADMIT -> RUN -> PROCESS -> FAN -> EXPORT
 *	           (pipelines)  (stages)          (exporters)
 *
 * A fan with one branch is left out.  Admission processors of a run of
 * attribute processors are asked before it.
 */
#ifndef CORE_GRAPH_H
#define CORE_GRAPH_H

#include <weir/part.h>
#include <weir/plugin.h>

#include "data/batch.h"
#include "data/notes.h"
#include "config/plan.h"
#include "data/run.h"
#include "worker.h"

#define LEVEL_EXTENSION UINT32_MAX	/* stopped after all levels */

/* What core counts at the edges of one node, per signal. */
struct edge_counts {
	uint64_t in, out;	/* processor: incoming, outgoing; exporter:
				 * sent, failed */
	uint64_t enqueue_failed;
	uint64_t dropped[WEIR_REASON_COUNT];
	uint64_t refused[WEIR_REASON_COUNT];	/* requests, by reason */
	bool touched;		/* a series appears once it was added to */
	bool failed;		/* send_failed appears from the first one on */
	bool sent;
};

/* What a receiver took and refused over one transport, in items. */
#define MAX_TRANSPORTS 4
struct transport_counts {
	const char *name;	/* "" until it was set; NULL: none */
	struct {
		uint64_t accepted, refused;
		bool touched;
	} of[WEIR_SIGNAL_COUNT];
};

/* A custodian's room for one signal. */
struct custody {
	struct weir_credits *credits;
	enum weir_sizer sizer;
	bool block;
};

struct step;

struct weir_node_instance {
	struct weir_component *c;	/* NULL: a door, or destroyed */
	struct plan_component *plan;
	struct worker *worker;
	struct graph *graph;
	const char *pipeline;		/* processors */
	struct step *next[WEIR_SIGNAL_COUNT];	/* NULL: not wired */
	struct run *first_run[WEIR_SIGNAL_COUNT];	/* receivers: what the
						 * validating walk looks for */
	struct custody custody[WEIR_SIGNAL_COUNT];
	struct weir_part_needs needs;	/* room NULL: not known */
	void (*ask_needs)(struct weir_component *c,
			  struct weir_part_needs *needs);	/* NULL: none */
	struct mail relief;		/* gate.c: make room */
	_Atomic bool relieving;		/* ... it is in the mail */
	uint32_t level;			/* order of stopping */
	size_t index;			/* in graph->nodes, of all workers */
	size_t held;			/* batches it owns now */
	size_t tracked;			/* batches that come back to it */
	size_t work;			/* weir_work under way */
	bool busy;			/* wants to be waited for in the drain */
	struct edge_counts counts[WEIR_SIGNAL_COUNT];
	uint64_t received_bytes, walked_bytes, mended;
	struct transport_counts transports[MAX_TRANSPORTS];	/* receivers */
	uint32_t transport;		/* of what it receives now */
	struct weir_label *labels[WEIR_SIGNAL_COUNT];	/* of sent, failed */
	size_t n_labels[WEIR_SIGNAL_COUNT];
	struct metric_series *series;	/* snapshot.c: registered in start */
	bool started, stopped;
	struct weir_node_instance *remote;	/* WEIR_ONE on another worker:
						 * this one is only a door */
};

enum step_kind { STEP_FAN, STEP_ADMIT, STEP_RUN, STEP_PROCESS, STEP_EXPORT };

struct step {
	enum step_kind kind;
	struct weir_node_instance *node;	/* ADMIT, PROCESS, EXPORT */
	struct run *run;		/* RUN */
	struct weir_node_instance **stages;	/* RUN: for the counters */
	size_t n;			/* RUN: stages; FAN: branches */
	struct step **branches;		/* FAN */
	struct step *next;		/* ADMIT, RUN, PROCESS */
};

struct graph {
	struct worker *worker;
	struct plan *plan;
	struct arena arena;
	struct weir_node_instance **nodes;	/* in order of start */
	size_t n_nodes, cap_nodes;
	struct notes notes;		/* of the validating walk */
	struct run **runs;
	size_t n_runs;
	struct parked *parked;		/* flow.c: batches that wait for room */
	struct gate *gates;		/* gate.c: the same, for parts */
	bool closed;			/* receivers were stopped */
	bool gone;			/* being destroyed: nothing is passed on */
	uint32_t levels;		/* receivers 0 .. exporters levels-1 */
};

/* Makes all instances and steps of one worker; nothing is started.  first: the
 * graph of worker 0, where WEIR_ONE instances live (NULL: this is it). */
struct graph *graph_new(struct plan *plan, struct worker *worker,
			struct graph *first);
/* Starts nodes in order: extensions, exporters, processors, receivers.  On the
 * worker's thread.  -1: those that started are to be stopped by the caller. */
int graph_start(struct graph *graph, struct weir_error *error);
/* Calls stop on the nodes of a level; true when they hold nothing more. */
void graph_stop(struct graph *graph, uint32_t level);
bool graph_idle(struct graph *graph, uint32_t level);
/* Stops the extensions, destroys all components.  On the worker's thread.
 * Answers that are still in the mail find nodes without a component. */
void graph_destroy(struct graph *graph);
/* Frees nodes and steps, when no worker can name them any more. */
void graph_free(struct graph **graph);

/* Lets the batch go on at step; gives it up. */
void step_take(struct step *step, struct weir_batch *batch);

/* Ownership of a batch, for the accounting. */
static inline void node_hold(struct weir_node_instance *node,
			     struct weir_batch *batch)
{
	batch->holder = node;
	if (node)
		node->held++;
}

static inline void node_release(struct weir_batch *batch)
{
	if (batch->holder)
		batch->holder->held--;
	batch->holder = NULL;
}

#endif
