/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out.c: sampled spans go on.
 *
 * Traces that were sampled at about the same time leave in one batch.  What the
 * next component refuses for a passing reason is kept and brought again with
 * the next tick; the senders have been told OK long since.  A final refusal is
 * a counted drop.
 */
#include <weir/log.h>

#include "tail_sampling.h"

#define ENOUGH (1u << 20)	/* bytes that leave without waiting for more */

static void let_all_go(struct tail_sampling *self)
{
	for (size_t i = 0; i < self->out.n; i++)
		store_let_go(&self->store, self->out.refs[i]);
	self->out.n = 0;
	self->out.bytes = 0;
}

void out_flush(struct tail_sampling *self, bool all)
{
	struct weir_component *c = &self->base;
	struct weir_batch *batch;

	if (!self->out.n || (!all && self->out.bytes < ENOUGH))
		return;
	batch = emit(&self->emitter, c, &self->store, &self->out);
	if (!batch)		/* no memory: the spans stay where they are */
		return;
	let_all_go(self);
	weir_batch_track(c, batch, NULL);
	weir_forward(c, batch);
}

static void lose(struct tail_sampling *self, struct weir_batch *batch,
		 const struct weir_outcome *outcome)
{
	struct weir_component *c = &self->base;

	weir_log_warn(c, "Error sending spans to destination",
		      "error=%s dropped_items=%zu", outcome->text,
		      weir_batch_items(batch));
	weir_count_dropped(c, WEIR_SIGNAL_TRACES, outcome->reason,
			   weir_batch_items(batch));
	weir_batch_ack(batch);
}

void out_answered(struct weir_component *c, struct weir_batch *batch,
		  const struct weir_outcome *outcome, void *cookie)
{
	struct tail_sampling *self = WEIR_SELF(c, struct tail_sampling);
	bool late = self->patience && weir_now() >= self->patience;

	(void)cookie;
	if (outcome->status == WEIR_OK)
		weir_batch_ack(batch);
	else if (weir_outcome_retryable(outcome) && !late)
		weir_batch_push(&self->back, batch);
	else
		lose(self, batch, outcome);
}

void out_again(struct tail_sampling *self)
{
	struct weir_component *c = &self->base;
	struct weir_batch_list now = self->back;
	struct weir_batch *batch;

	self->back = (struct weir_batch_list){ 0 };
	while ((batch = weir_batch_shift(&now))) {
		weir_batch_track(c, batch, NULL);
		weir_forward(c, batch);
	}
}

void out_release(struct tail_sampling *self)
{
	struct weir_batch *batch;

	while ((batch = weir_batch_shift(&self->back))) {
		weir_count_dropped(&self->base, WEIR_SIGNAL_TRACES,
				   WEIR_REASON_DRAINING,
				   weir_batch_items(batch));
		weir_batch_ack(batch);
	}
	weir_count_dropped(&self->base, WEIR_SIGNAL_TRACES,
			   WEIR_REASON_DRAINING, self->out.n);
	let_all_go(self);
	span_list_release(&self->out);
	emitter_release(&self->emitter);
}
