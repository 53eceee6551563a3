/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender.h: a receiver on every worker of a crew that has so many batches to
 * send and keeps a few of them under way, until all are answered, or enough to
 * tear everything down.  Says when by a semaphore.  One kind at a time.
 */
#ifndef TESTS_SENDER_H
#define TESTS_SENDER_H

#include <stdatomic.h>

#include "crew.h"

#include "data/batch.h"

struct sender {
	struct weir_component base;
	unsigned sent, under_way;
};

static struct {
	/* the test's */
	struct weir_batch *(*make)(struct sender *sender);
	unsigned batches, window;	/* of a sender */
	unsigned enough;		/* answers; 0: all */
	size_t items;			/* of an answer; 0: any */
	/* filled here */
	atomic_uint answered, acked, refused, left;
	atomic_uint wrong;		/* on another thread, or not as sent */
	uv_sem_t done;
} sending;

static inline void sender_more(struct sender *self)
{
	while (self->under_way < sending.window &&
	       self->sent < sending.batches) {
		struct weir_batch *batch = sending.make(self);

		node_hold(self->base.node, batch);
		weir_batch_track(&self->base, batch, worker_current());
		self->sent++;
		self->under_way++;
		weir_forward(&self->base, batch);
	}
}

static inline void sender_answered(struct weir_component *c,
				   struct weir_batch *batch,
				   const struct weir_outcome *outcome,
				   void *cookie)
{
	struct sender *self = WEIR_SELF(c, struct sender);

	if (cookie != worker_current() ||
	    c->node->worker != worker_current() ||
	    (sending.items && weir_batch_items(batch) != sending.items))
		atomic_fetch_add(&sending.wrong, 1);
	if (outcome->status == WEIR_OK)
		atomic_fetch_add(&sending.acked, 1);
	else
		atomic_fetch_add(&sending.refused, 1);
	if (atomic_fetch_add(&sending.answered, 1) == sending.enough &&
	    sending.enough)
		uv_sem_post(&sending.done);
	weir_batch_ack(batch);
	self->under_way--;
	sender_more(self);
	if (self->sent == sending.batches && !self->under_way &&
	    !sending.enough && atomic_fetch_sub(&sending.left, 1) == 1)
		uv_sem_post(&sending.done);
}

static const struct weir_plugin sender_plugin = {
	.kind = WEIR_RECEIVER, .type = "sender", .signals = WEIR_TRACES,
	.size = sizeof(struct sender), .answered = sender_answered,
};

static inline void sender_begin(struct worker *worker)
{
	for (size_t i = 0; i < worker->graph->n_nodes; i++)
		if (worker->graph->nodes[i]->plan->kind == WEIR_RECEIVER)
			sender_more((struct sender *)
				    worker->graph->nodes[i]->c);
}

/* Runs the plan, with a sender on each of n workers, to the end.  What make,
 * batches, window, enough and items say stands. */
static inline void sender_play(struct plan *plan, uint32_t n)
{
	sending.answered = sending.acked = sending.refused = sending.wrong = 0;
	sending.left = n;
	uv_sem_init(&sending.done, 0);
	crew_open(plan, n);
	crew_all(sender_begin);
	uv_sem_wait(&sending.done);
	crew_close(!sending.enough);
	uv_sem_destroy(&sending.done);
}

#endif
