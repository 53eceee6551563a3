/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out.c: sampled spans go on.
 *
 * Traces that were sampled at about the same time leave in one batch, as far as
 * that does not grow too large.  What there is no memory for stays in the store
 * until the next tick.  What the next component refuses for a passing reason is
 * kept and brought again with the next tick; the senders have been told OK long
 * since.  A final refusal is a counted drop.
 */
#include <weir/log.h>

#include "tail_sampling.h"

#define ENOUGH (1u << 20)	/* bytes that leave without waiting for more */
#define MOST (2u << 20)		/* ... of a batch: half of what a gRPC server
				 * takes when nobody says otherwise */

#define HEAVY 4			/* heads: so many times the bytes of spans */

/* Sampled spans that are on their way out. */
struct passing {
	span_ref *refs;
	size_t n, done;
	size_t gathered;		/* of them: are in the order of heads */
	uint64_t bytes;			/* done, as the list counts */
};

static void let_go(struct tail_sampling *self, const span_ref *refs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		store_let_go(&self->store, refs[i]);
}

/* Does a head leave again and again? */
static bool is_heavy(const struct emitter *emitter)
{
	return emitter->n_groups > 2 &&
	       emitter->heads / HEAVY > emitter->messages;
}

static void measure(struct tail_sampling *self, struct passing *passing,
		    size_t most)
{
	struct emitter *emitter = &self->emitter;
	span_ref *refs = passing->refs + passing->done;
	size_t left = passing->n - passing->done;

	emit_measure(emitter, &self->store, refs, left, most);
	if (!is_heavy(emitter) || passing->gathered > passing->done)
		return;
	passing->gathered = passing->done + gather(&self->store, refs, left);
	emit_measure(emitter, &self->store, refs, left, most);
}

/* The first spans that are left, fewer of them where memory is short. */
static struct weir_batch *make_batch(struct tail_sampling *self,
				     struct passing *passing)
{
	struct weir_batch *batch;

	for (size_t most = MOST;; most /= 4) {
		measure(self, passing, most);
		batch = emit(&self->emitter, &self->base, &self->store,
			     passing->refs + passing->done);
		if (batch || self->emitter.n == 1)
			return batch;
	}
}

/* One span that no budget will ever have the memory for, beside its copy. */
static bool is_hopeless(const struct emitter *emitter)
{
	return emitter->len > weir_budget_total() / 2;
}

static void give_up(struct tail_sampling *self)
{
	weir_log_warn(&self->base, "A sampled span is too large for the memory",
		      "bytes=%zu dropped_items=1", self->emitter.len);
	weir_count_dropped(&self->base, WEIR_SIGNAL_TRACES, WEIR_REASON_MEMORY,
			   1);
}

/* False: there is no memory for as much as one span now. */
static bool pass_some(struct tail_sampling *self, struct passing *passing)
{
	struct weir_batch *batch = make_batch(self, passing);
	const struct emitter *emitter = &self->emitter;

	if (!batch && !is_hopeless(emitter))
		return false;
	let_go(self, passing->refs + passing->done, emitter->n);
	passing->done += emitter->n;
	passing->bytes += emitter->messages +
			  emitter->n * sizeof(struct stored_span);
	if (batch) {
		weir_batch_track(&self->base, batch, NULL);
		weir_forward(&self->base, batch);
	} else {
		give_up(self);
	}
	return true;
}

/* Memory that is short is so for longer than the same part or tick. */
void out_flush(struct tail_sampling *self, bool all)
{
	struct passing passing = { self->out.refs, self->out.n, 0, 0, 0 };

	if (all)
		let_all_go(self);
	if ((!all && self->out.bytes < ENOUGH) ||
	    self->short_at == self->now)
		return;
	while (passing.done < passing.n) {
		if (pass_some(self, &passing))
			continue;
		self->short_at = self->now;
		break;
	}
	span_list_remove(&self->out, passing.done, passing.bytes);
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

/* What there was no memory for until the end. */
static void lose_rest(struct tail_sampling *self)
{
	if (self->out.n)
		weir_log_warn(&self->base, "No memory to send sampled spans",
			      "dropped_items=%zu", self->out.n);
	weir_count_dropped(&self->base, WEIR_SIGNAL_TRACES,
			   WEIR_REASON_DRAINING, self->out.n);
	let_go(self, self->out.refs, self->out.n);
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
	lose_rest(self);
	span_list_release(&self->out);
	emitter_release(&self->emitter);
}
