/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c: how a batch ends, and who is told.
 *
 * Every batch ends once: acked, nacked, or emptied.  Whoever must be told is a
 * waiter on the batch's stack; the top one is told first, owns the batch then,
 * and ends it again for the one below.
 *
 *	TRACK    a component that wants its batch back: told in a later turn
 *	CHARGE   credits to give back
 *	GROUP    several batches (branches, split parts) that answer as one
 *	MERGED   the shell of a batch whose content went into this one
 *
 * Only TRACK calls a component, so only it waits for the end of the turn; the
 * others are worked off at once, in a loop: a merged batch may answer
 * thousands.  A waiter belongs to the worker that pushed it, and is told there.
 */
#include <stdio.h>
#include <stdlib.h>

#include "credits.h"
#include "graph.h"
#include "base/str.h"

enum waiter_kind { TRACK, CHARGE, GROUP, MERGED };

struct waiter {
	enum waiter_kind kind;
	uint32_t transport;	/* track: what a receiver got it over */
	struct waiter *below;	/* or the next one on the worker's free list */
	struct worker *worker;
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
			bool fan;		/* one branch suffices */
			bool any_ok;
			struct weir_outcome *worst;	/* NULL: plain OK */
			struct weir_batch *whole;	/* fan, parts: the
							 * original */
		} group;
		struct {
			struct weir_batch *shell;
			size_t items;		/* of its content */
		} merged;
	};
};

static const struct weir_outcome fine = { .status = WEIR_OK };

static struct waiter *waiter_new(enum waiter_kind kind, struct waiter *below)
{
	struct worker *worker = worker_current();
	struct waiter *waiter = worker ? worker->spare_waiters : NULL;

	if (waiter)
		worker->spare_waiters = waiter->below;
	else
		waiter = xmalloc(sizeof(*waiter));
	*waiter = (struct waiter){ .kind = kind, .below = below,
				   .worker = worker };
	return waiter;
}

static void waiter_free(struct waiter *waiter)
{
	struct worker *worker = worker_current();

	if (!worker) {
		free(waiter);
		return;
	}
	waiter->below = worker->spare_waiters;
	worker->spare_waiters = waiter;
}

void waiters_release(struct worker *worker)
{
	while (worker->spare_waiters) {
		struct waiter *waiter = worker->spare_waiters;

		worker->spare_waiters = waiter->below;
		free(waiter);
	}
}

static struct waiter *push(struct weir_batch *batch, enum waiter_kind kind)
{
	return batch->waiters = waiter_new(kind, batch->waiters);
}

static struct waiter *pop(struct weir_batch *batch)
{
	struct waiter *waiter = batch->waiters;

	batch->waiters = waiter->below;
	return waiter;
}

/* --- Those that are told at once ----------------------------------------- */

static struct weir_outcome *copy_outcome(const struct weir_outcome *outcome)
{
	struct weir_outcome *copy;

	if (!outcome || (outcome->status == WEIR_OK && !outcome->rejected &&
			 !outcome->text[0]))
		return NULL;
	copy = xmalloc(sizeof(*copy));
	*copy = *outcome;
	return copy;
}

static void tell_charge(struct weir_batch *batch, struct weir_batch_list *ended)
{
	struct waiter *charge = pop(batch);

	weir_credits_give(charge->charge.credits, charge->charge.n);
	waiter_free(charge);
	weir_batch_push(ended, batch);
}

static void tell_merged(struct weir_batch *batch, struct weir_batch_list *ended)
{
	struct waiter *merged = pop(batch);
	struct weir_batch *shell = merged->merged.shell;

	waiter_free(merged);
	shell->outcome = copy_outcome(batch->outcome);
	weir_batch_push(ended, shell);
	weir_batch_push(ended, batch);
}

static void note_worst(struct waiter *group, const struct weir_outcome *outcome)
{
	if (!outcome || outcome->status == WEIR_OK)
		group->group.any_ok = true;
	if (!outcome)
		return;
	if (group->group.worst)
		weir_outcome_merge(group->group.worst, outcome);
	else
		group->group.worst = copy_outcome(outcome);
}

/* The last one answers for all.  In a fan one branch suffices: what another
 * nacked is its drop, counted there. */
static void tell_group(struct weir_batch *batch, struct weir_batch_list *ended)
{
	struct waiter *group = batch->waiters;
	struct weir_batch *whole = group->group.whole;

	note_worst(group, batch->outcome);
	if (--group->group.left) {
		batch->waiters = NULL;
		batch_free(batch);
		return;
	}
	pop(batch);
	if (whole) {
		batch_free(batch);
		batch = whole;
	}
	free(batch->outcome);
	batch->outcome = group->group.worst;
	if (group->group.fan && group->group.any_ok) {
		free(batch->outcome);
		batch->outcome = NULL;
	}
	waiter_free(group);
	weir_batch_push(ended, batch);
}

static void deliver_answer(struct mail *mail);

/* Brings an ended batch to whoever is told next: another worker, the list of
 * answers of this turn, or a waiter that needs no turn of its own. */
static void tell_top(struct weir_batch *batch, struct weir_batch_list *ended)
{
	struct waiter *top = batch->waiters;
	struct worker *here = worker_current();

	if (!top) {
		batch_free(batch);
	} else if (top->kind == CHARGE) {
		tell_charge(batch, ended);	/* from any thread */
	} else if (top->worker != here) {
		batch->mail.deliver = deliver_answer;
		worker_post(top->worker, &batch->mail);
	} else if (top->kind == TRACK) {
		weir_batch_push(&here->answers, batch);
	} else if (top->kind == GROUP) {
		tell_group(batch, ended);
	} else {
		tell_merged(batch, ended);
	}
}

/* --- Ending -------------------------------------------------------------- */

static void go_on(struct weir_batch *batch)
{
	struct weir_batch_list ended = { 0 };

	for (; batch; batch = weir_batch_shift(&ended))
		tell_top(batch, &ended);
}

static void deliver_answer(struct mail *mail)
{
	go_on((struct weir_batch *)(void *)
		((char *)mail - offsetof(struct weir_batch, mail)));
}

void batch_end(struct weir_batch *batch, const struct weir_outcome *outcome)
{
	node_release(batch);
	batch->outcome = copy_outcome(outcome);
	batch->notes = NULL;
	go_on(batch);
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
			batch->holder ? batch->holder->plan->id : "core");
		abort();
	}
	batch_end(batch, outcome);
}

/* --- TRACK --------------------------------------------------------------- */

/* What a receiver's batch was when it went in decides its counters. */
static void count_answer(const struct waiter *track, enum weir_signal signal,
			 const struct weir_outcome *outcome)
{
	struct weir_node_instance *node = track->track.node;
	struct edge_counts *counts = &node->counts[signal];
	struct transport_counts *over = &node->transports[track->transport];

	if (node->plan->kind != WEIR_RECEIVER)
		return;
	counts->touched = over->of[signal].touched = true;
	if (outcome->status == WEIR_OK) {
		over->of[signal].accepted += track->track.items;
	} else {
		over->of[signal].refused += track->track.items;
		counts->refused[outcome->reason]++;
	}
}

static void tell_track(struct weir_batch *batch)
{
	struct waiter *track = pop(batch);
	struct weir_node_instance *node = track->track.node;
	struct weir_outcome outcome = batch->outcome ? *batch->outcome : fine;
	void *cookie = track->track.cookie;

	node->tracked--;
	count_answer(track, batch->signal, &outcome);
	waiter_free(track);
	if (!node->c) {		/* destroyed: the one below is told instead */
		go_on(batch);
		return;
	}
	free(batch->outcome);
	batch->outcome = NULL;
	node_hold(node, batch);
	node->c->plugin->answered(node->c, batch, &outcome, cookie);
}

bool batch_tell(struct worker *worker)
{
	struct weir_batch_list now = worker->answers;
	struct weir_batch *batch;

	worker->answers = (struct weir_batch_list){ 0 };
	if (!now.head)
		return false;
	while ((batch = weir_batch_shift(&now)))
		tell_track(batch);
	return true;
}

void weir_batch_track(struct weir_component *c, struct weir_batch *batch,
		      void *cookie)
{
	struct waiter *track = push(batch, TRACK);

	track->track.node = c->node;
	track->track.cookie = cookie;
	track->track.items = batch->items;
	track->transport = c->node->transport;
	c->node->tracked++;
}

bool batch_comes_back(const struct weir_batch *batch)
{
	for (struct waiter *w = batch->waiters; w; w = w->below)
		if (w->kind == TRACK && w->track.node->plan->plugin->custodian)
			return true;
	return false;
}

/* --- CHARGE -------------------------------------------------------------- */

void batch_charge(struct weir_batch *batch, struct weir_credits *credits,
		  uint64_t n)
{
	struct waiter *charge = push(batch, CHARGE);

	charge->charge.credits = credits;
	charge->charge.n = n;
}

static struct waiter *charge_of(struct weir_batch *batch)
{
	struct waiter *top = batch->waiters;

	return top && top->kind == CHARGE ? top : NULL;
}

/* Puts the charge of credits on top, from below those who track the batch:
 * whoever accepts it looks there. */
static struct waiter *lift_charge(struct weir_batch *batch,
				  const struct weir_credits *credits)
{
	struct waiter **link = &batch->waiters, *charge;

	while (*link && ((*link)->kind == TRACK ||
			 ((*link)->kind == CHARGE &&
			  (*link)->charge.credits != credits)))
		link = &(*link)->below;
	charge = *link;
	if (!charge || charge->kind != CHARGE)
		return NULL;
	*link = charge->below;
	charge->below = batch->waiters;
	return batch->waiters = charge;
}

bool batch_recharge(struct weir_batch *batch, struct weir_credits *credits,
		    uint64_t n)
{
	struct waiter *charge = lift_charge(batch, credits);

	if (!charge)
		return false;
	if (n > charge->charge.n)
		weir_credits_force(credits, n - charge->charge.n);
	else
		weir_credits_give(credits, charge->charge.n - n);
	charge->charge.n = n;
	return true;
}

/* --- GROUP --------------------------------------------------------------- */

/* Of n, what a part with so many of the items takes along. */
static uint64_t share_of(uint64_t n, size_t part, size_t rest)
{
	size_t all = part + rest;

	return all ? n / all * part + n % all * part / all : 0;
}

/* Room is not held together: each part gives its share back when it ends. */
static void share_charge(struct weir_batch *batch, struct weir_batch *part,
			 struct waiter *charge)
{
	uint64_t n = share_of(charge->charge.n, part->items, batch->items);

	charge->below = batch->waiters;
	batch->waiters = charge;
	charge->charge.n -= n;
	if (n)
		batch_charge(part, charge->charge.credits, n);
}

static void push_merged(struct weir_batch *into, struct weir_batch *shell,
			size_t items)
{
	struct waiter *merged = push(into, MERGED);

	merged->merged.shell = shell;
	merged->merged.items = items;
}

/* `both` waits for what the two have of its content, those below for what only
 * the part has. */
static void share_merged(struct weir_batch *part, struct waiter *group,
			 struct waiter *both, size_t in_rest)
{
	struct weir_batch *shell = batch_new(part->signal);

	part->waiters = both->below;
	both->below = NULL;
	shell->waiters = group;
	push_merged(part, shell, both->merged.items - in_rest);
}

/* What was merged last is last: it stays with the rest, and who sent what is
 * wholly in the part is told when that ends.  Else under load, with a rest that
 * always grows, nobody would ever be told. */
static void share_waiters(struct weir_batch *batch, struct weir_batch *part)
{
	struct waiter **link = &batch->waiters, *both, *group;
	size_t rest = batch->items;

	while (*link && (*link)->kind == MERGED &&
	       (*link)->merged.items <= rest) {
		rest -= (*link)->merged.items;
		link = &(*link)->below;
	}
	both = *link;
	if (!both)
		return;
	if (!rest && link != &batch->waiters) {
		part->waiters = both;
		*link = NULL;
		return;
	}
	group = waiter_new(GROUP, both);
	group->group.left = 2;
	*link = part->waiters = group;
	if (both->kind == MERGED && both->below)
		share_merged(part, group, both, rest);
}

void batch_share_answer(struct weir_batch *batch, struct weir_batch *part)
{
	struct waiter *charge = charge_of(batch);

	if (charge)
		pop(batch);
	share_waiters(batch, part);
	if (charge)
		share_charge(batch, part, charge);
}

struct waiter *parts_open(struct weir_batch *whole, uint32_t parts)
{
	struct waiter *group = waiter_new(GROUP, NULL);

	node_release(whole);
	whole->notes = NULL;
	group->group.left = parts;
	group->group.whole = whole;
	return group;
}

struct waiter *fan_open(struct weir_batch *whole, uint32_t branches)
{
	struct waiter *group = parts_open(whole, branches);

	group->group.fan = true;
	return group;
}

/* --- MERGED -------------------------------------------------------------- */

/* Both only hold credits of one pool: one frame can hold the sum. */
static bool fold_charges(struct weir_batch *into, struct weir_batch *from)
{
	struct waiter *a = charge_of(into), *b = charge_of(from);

	if (!b || b->below)
		return false;
	if (!a || a->charge.credits != b->charge.credits) {
		if (into->waiters)
			return false;
		into->waiters = from->waiters;
	} else {
		a->charge.n += b->charge.n;
		waiter_free(b);
	}
	from->waiters = NULL;
	return true;
}

void weir_batch_merge(struct weir_batch *into, struct weir_batch **from)
{
	struct weir_batch *gone = *from;
	size_t items = gone->items;

	*from = NULL;
	batch_join_context(into, gone);
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
	push_merged(into, gone, items);
}

/* --- Custody ------------------------------------------------------------- */

struct weir_batch *weir_batch_accept(struct weir_component *c,
				     struct weir_batch *batch)
{
	struct waiter *charge = charge_of(batch);
	struct waiter *upstream = charge ? charge->below : batch->waiters;
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
		charge->below = NULL;
		mine->waiters = charge;
		batch->waiters = upstream;
	}
	node_hold(c->node, mine);
	batch_end(batch, NULL);
	return mine;
}
