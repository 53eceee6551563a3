/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c: how a batch ends, and who is told.
 *
 * Every batch ends once: acked, nacked, or emptied.  Whoever must be told has
 * a frame on the batch's stack; the top one is told first, owns the batch
 * then, and ends it again for the one below.
 *
 *	TRACK    a component that wants its batch back: told in a later turn
 *	CHARGE   credits to give back
 *	GROUP    several batches (branches, split parts) that answer as one
 *	MERGED   the shell of a batch whose content went into this one
 *
 * Only TRACK calls a component, so only it waits for the end of the turn; the
 * others are worked off at once.  A frame belongs to the worker that pushed
 * it, and is told there.
 */
#include <stdio.h>
#include <stdlib.h>

#include "credits.h"
#include "graph.h"
#include "str.h"

struct frame {
	struct waiter waiter;	/* first: waiters are frames */
	union {
		struct {
			struct weir_node_instance *node;
			void *cookie;
			size_t items;
		} track;
		struct {
			struct weir_credits *credits;
			uint64_t n;
		} charge;
		struct {
			uint32_t left;
			bool any_ok;		/* fan: one branch suffices */
			bool fan;
			struct weir_outcome *worst;
			struct weir_batch *whole;	/* fan: the original */
		} group;
		struct weir_batch *merged;
		struct frame *spare;
	};
};

static const struct weir_outcome fine = { .status = WEIR_OK };

static struct frame *frame_push(struct weir_batch *batch,
	void (*told)(struct waiter *, struct weir_batch *,
		     const struct weir_outcome *))
{
	struct worker *worker = worker_current();
	struct frame *frame = worker ? worker->spare_frames : NULL;

	if (frame)
		worker->spare_frames = frame->spare;
	else
		frame = xmalloc(sizeof(*frame));
	*frame = (struct frame){ .waiter = { .told = told,
					     .below = batch->waiters,
					     .worker = worker } };
	batch->waiters = &frame->waiter;
	return frame;
}

static void frame_free(struct frame *frame)
{
	struct worker *worker = worker_current();

	if (!worker) {
		free(frame);
		return;
	}
	frame->spare = worker->spare_frames;
	worker->spare_frames = frame;
}

void frames_release(struct worker *worker)
{
	while (worker->spare_frames) {
		struct frame *frame = worker->spare_frames;

		worker->spare_frames = frame->spare;
		free(frame);
	}
}

void batch_push_waiter(struct weir_batch *batch, struct waiter *waiter)
{
	waiter->below = batch->waiters;
	waiter->worker = worker_current();
	batch->waiters = waiter;
}

/* --- Ending ---------------------------------------------------------------------- */

static void track_told(struct waiter *self, struct weir_batch *batch,
		       const struct weir_outcome *outcome);
static void charge_told(struct waiter *self, struct weir_batch *batch,
			const struct weir_outcome *outcome);

static void keep_outcome(struct weir_batch *batch,
			 const struct weir_outcome *outcome)
{
	struct weir_outcome *copy = NULL;

	if (outcome && (outcome->status != WEIR_OK || outcome->rejected ||
			outcome->text[0])) {
		copy = xmalloc(sizeof(*copy));
		*copy = *outcome;
	}
	free(batch->outcome);
	batch->outcome = copy;
}

/* Pops the top waiter and tells it; the batch is its own then. */
static void tell(struct weir_batch *batch)
{
	struct waiter *waiter = batch->waiters;
	struct weir_outcome outcome = batch->outcome ? *batch->outcome : fine;

	batch->waiters = waiter->below;
	free(batch->outcome);
	batch->outcome = NULL;
	waiter->told(waiter, batch, &outcome);
}

static void deliver_answer(struct mail *mail);

/* Goes on with an ended batch: away to another worker, to the list of answers
 * of this turn, or to a waiter that needs no turn of its own. */
static void go_on(struct weir_batch *batch)
{
	struct waiter *top = batch->waiters;
	struct worker *here = worker_current();

	if (!top) {
		batch_free(batch);
	} else if (top->told == charge_told) {
		tell(batch);	/* credits may be given back from any thread */
	} else if (top->worker != here) {
		batch->mail.deliver = deliver_answer;
		worker_post(top->worker, &batch->mail);
	} else if (top->told == track_told) {
		weir_batch_push(&here->answers, batch);
	} else {
		tell(batch);
	}
}

static void deliver_answer(struct mail *mail)
{
	struct weir_batch *batch = (struct weir_batch *)
		((char *)mail - offsetof(struct weir_batch, mail));

	go_on(batch);
}

void batch_end(struct weir_batch *batch, const struct weir_outcome *outcome)
{
	node_release(batch);
	keep_outcome(batch, outcome);
	batch->notes = NULL;
	go_on(batch);
}

bool batch_tell(struct worker *worker)
{
	struct weir_batch_list now = worker->answers;
	struct weir_batch *batch;

	worker->answers = (struct weir_batch_list){ 0 };
	if (!now.head)
		return false;
	while ((batch = weir_batch_shift(&now)))
		tell(batch);
	return true;
}

void weir_batch_ack(struct weir_batch *batch)
{
	batch_end(batch, NULL);
}

void weir_batch_ack_partial(struct weir_batch *batch,
			    const struct weir_outcome *outcome)
{
	struct weir_outcome partial = *outcome;

	partial.status = WEIR_OK;
	batch_end(batch, &partial);
}

void weir_batch_nack(struct weir_batch *batch,
		     const struct weir_outcome *outcome)
{
	if (outcome->status == WEIR_OK) {
		fprintf(stderr, "weir: %s nacked a batch with status OK\n",
			batch->holder ? batch->holder->c->id : "core");
		abort();
	}
	batch_end(batch, outcome);
}

/* --- TRACK ------------------------------------------------------------------------ */

/* What a receiver's batch was when it went in decides its counters. */
static void count_answer(struct weir_node_instance *node,
			 enum weir_signal signal, size_t items,
			 const struct weir_outcome *outcome)
{
	struct edge_counts *counts = &node->counts[signal];

	if (node->plan->kind != WEIR_RECEIVER)
		return;
	counts->touched = true;
	if (outcome->status == WEIR_OK) {
		counts->in += items;
	} else {
		counts->out += items;
		counts->refused[outcome->reason]++;
	}
}

static void track_told(struct waiter *self, struct weir_batch *batch,
		       const struct weir_outcome *outcome)
{
	struct frame *frame = (struct frame *)self;
	struct weir_node_instance *node = frame->track.node;
	void *cookie = frame->track.cookie;

	node->tracked--;
	count_answer(node, batch->signal, frame->track.items, outcome);
	frame_free(frame);
	if (!node->c) {		/* destroyed: the one below is told instead */
		batch_end(batch, outcome);
		return;
	}
	node_hold(node, batch);
	node->c->plugin->answered(node->c, batch, outcome, cookie);
}

void weir_batch_track(struct weir_component *c, struct weir_batch *batch,
		      void *cookie)
{
	struct frame *frame = frame_push(batch, track_told);

	frame->track.node = c->node;
	frame->track.cookie = cookie;
	frame->track.items = batch->items;
	c->node->tracked++;
}

/* --- CHARGE ----------------------------------------------------------------------- */

static void charge_told(struct waiter *self, struct weir_batch *batch,
			const struct weir_outcome *outcome)
{
	struct frame *frame = (struct frame *)self;

	weir_credits_give(frame->charge.credits, frame->charge.n);
	frame_free(frame);
	batch_end(batch, outcome);
}

void batch_charge(struct weir_batch *batch, struct weir_credits *credits,
		  uint64_t n)
{
	struct frame *frame = frame_push(batch, charge_told);

	frame->charge.credits = credits;
	frame->charge.n = n;
}

static struct frame *charge_of(struct weir_batch *batch)
{
	if (!batch->waiters || batch->waiters->told != charge_told)
		return NULL;
	return (struct frame *)batch->waiters;
}

bool batch_recharge(struct weir_batch *batch, struct weir_credits *credits,
		    uint64_t n)
{
	struct frame *frame = charge_of(batch);

	if (!frame || frame->charge.credits != credits)
		return false;
	if (n > frame->charge.n)
		weir_credits_force(credits, n - frame->charge.n);
	else
		weir_credits_give(credits, frame->charge.n - n);
	frame->charge.n = n;
	return true;
}

/* --- GROUP ------------------------------------------------------------------------ */

static void note_worst(struct frame *group, const struct weir_outcome *outcome)
{
	if (outcome->status == WEIR_OK) {
		group->group.any_ok = true;
		if (!outcome->rejected && !outcome->text[0])
			return;
	}
	if (!group->group.worst) {
		group->group.worst = xmalloc(sizeof(*outcome));
		*group->group.worst = *outcome;
	} else {
		weir_outcome_merge(group->group.worst, outcome);
	}
}

/* One branch suffices: what another nacked is its drop, counted there. */
static void fan_done(struct frame *group)
{
	struct weir_batch *whole = group->group.whole;
	struct weir_outcome *worst = group->group.worst;
	bool ok = group->group.any_ok;

	frame_free(group);
	batch_end(whole, ok ? NULL : worst);
	free(worst);
}

static void group_told(struct waiter *self, struct weir_batch *batch,
		       const struct weir_outcome *outcome)
{
	struct frame *group = (struct frame *)self;
	struct weir_outcome *worst;

	note_worst(group, outcome);
	if (--group->group.left) {
		batch->waiters = NULL;	/* the last one answers for all */
		batch_free(batch);
		return;
	}
	if (group->group.fan) {
		batch->waiters = NULL;
		batch_free(batch);
		fan_done(group);
		return;
	}
	worst = group->group.worst;
	frame_free(group);
	batch_end(batch, worst);
	free(worst);
}

void batch_share_answer(struct weir_batch *batch, struct weir_batch *part)
{
	struct frame *group;

	if (!batch->waiters)
		return;
	group = frame_push(batch, group_told);
	group->group.left = 2;
	part->waiters = &group->waiter;
}

struct waiter *fan_open(struct weir_batch *whole, uint32_t branches)
{
	struct weir_batch tip = { 0 };
	struct frame *group = frame_push(&tip, group_told);

	node_release(whole);
	group->group.fan = true;
	group->group.left = branches;
	group->group.whole = whole;
	return &group->waiter;
}

/* --- MERGED ----------------------------------------------------------------------- */

static void merged_told(struct waiter *self, struct weir_batch *batch,
			const struct weir_outcome *outcome)
{
	struct frame *frame = (struct frame *)self;
	struct weir_batch *shell = frame->merged;

	frame_free(frame);
	batch_end(shell, outcome);
	batch_end(batch, outcome);
}

/* Both only hold credits of one pool: one frame can hold the sum. */
static bool fold_charges(struct weir_batch *into, struct weir_batch *from)
{
	struct frame *a = charge_of(into), *b = charge_of(from);

	if (!b || b->waiter.below)
		return false;
	if (!a || a->charge.credits != b->charge.credits) {
		if (into->waiters)
			return false;
		into->waiters = from->waiters;
	} else {
		a->charge.n += b->charge.n;
		frame_free(b);
	}
	from->waiters = NULL;
	return true;
}

void weir_batch_merge(struct weir_batch *into, struct weir_batch **from)
{
	struct weir_batch *gone = *from;

	*from = NULL;
	batch_move(into, gone);
	if (gone->deadline && (!into->deadline ||
			       gone->deadline < into->deadline))
		into->deadline = gone->deadline;
	if (!gone->waiters || fold_charges(into, gone)) {
		node_release(gone);
		batch_free(gone);
		return;
	}
	node_release(gone);
	frame_push(into, merged_told)->merged = gone;
}

/* --- Custody ------------------------------------------------------------------------ */

struct weir_batch *weir_batch_accept(struct weir_component *c,
				     struct weir_batch *batch)
{
	struct frame *charge = charge_of(batch);
	struct waiter *upstream = charge ? charge->waiter.below
					 : batch->waiters;
	struct weir_batch *mine;

	batch->notes = NULL;
	if (!upstream) {	/* nobody waits: the batch itself is kept */
		batch->deadline = 0;
		return batch;
	}
	mine = batch_new(batch->signal);
	batch_move(mine, batch);
	batch_set_context(mine, batch->context);
	if (charge) {
		charge->waiter.below = NULL;
		mine->waiters = &charge->waiter;
		batch->waiters = upstream;
	}
	node_hold(c->node, mine);
	batch_end(batch, NULL);
	return mine;
}
