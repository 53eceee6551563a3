/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow.c: what happens to a batch at each step of a pipeline.
 *
 * Core owns the batch between two components.  Here it is admitted, shown to a
 * run, copied for the branches of a fan, given room at a custodian, handed to
 * another worker, and at last consumed.  Holds nothing between calls but the
 * batches that wait for room.
 */
#include <stdlib.h>

#include "data/batch.h"
#include "flow.h"
#include "gate.h"
#include "graph.h"
#include "base/str.h"

static struct weir_node_instance *owner_of(struct weir_node_instance *node)
{
	return node->remote ? node->remote : node;
}

/* --- Consuming ----------------------------------------------------------- */

/* Nothing goes on where components are being destroyed. */
void flow_refuse_draining(struct weir_batch *batch)
{
	struct weir_outcome outcome;

	weir_outcome_set(&outcome, WEIR_UNAVAILABLE, WEIR_REASON_DRAINING,
			 "shutting down");
	batch_end(batch, &outcome);
}

static void consume(struct weir_node_instance *node, struct weir_batch *batch)
{
	if (node->plan->kind != WEIR_EXPORTER) {
		node->counts[batch->signal].touched = true;
		node->counts[batch->signal].in += batch->items;
	}
	node_hold(node, batch);
	node->c->plugin->consume(node->c, batch);
}

static void deliver_batch(struct mail *mail)
{
	struct weir_batch *batch = (struct weir_batch *)
		((char *)mail - offsetof(struct weir_batch, mail));

	if (batch->dest->graph->gone)
		flow_refuse_draining(batch);
	else
		consume(batch->dest, batch);
}

void flow_hand_to(struct weir_node_instance *node, struct weir_batch *batch)
{
	batch->notes = NULL;
	if (node->worker == worker_current()) {
		consume(node, batch);
		return;
	}
	batch->dest = node;
	batch->mail.deliver = deliver_batch;
	worker_post(node->worker, &batch->mail);
}

/* Had no room for a copy that nobody else has: the sender hears of it.  What a
 * custodian keeps and brings again is not counted each time. */
void flow_count_refused(struct weir_node_instance *node,
			const struct weir_batch *batch, enum weir_reason reason)
{
	struct edge_counts *counts = &node->counts[batch->signal];

	if (batch_comes_back(batch))
		return;
	counts->touched = true;
	if (node->plan->kind == WEIR_EXPORTER)
		counts->enqueue_failed += batch->items;
	else
		counts->refused[reason]++;
}

/* --- Handing over --------------------------------------------------------- */

static void hand_over(struct weir_node_instance *node, struct weir_batch *batch)
{
	if (node->plan->plugin->placement == WEIR_BY_TRACE)
		gate_take(node, batch);
	else
		flow_hand_to(owner_of(node), batch);
}

/* --- Room at a custodian ------------------------------------------------- */

/* What a batch takes of the room: never more than there is in all, so that a
 * batch larger than the pool waits for all of it instead of for ever. */
static uint64_t share_of(const struct custody *room,
			 const struct weir_batch *batch)
{
	uint64_t n = weir_batch_size(batch, room->sizer);
	uint64_t total = weir_credits_total(room->credits);

	return n < total ? n : total;
}

static struct custody *room_of(struct weir_node_instance *node,
			       enum weir_signal signal)
{
	struct custody *room = &owner_of(node)->custody[signal];

	return room->credits ? room : NULL;
}

/* Had no room for a copy, while another branch had: this one is lost. */
static void count_lost(struct weir_node_instance *node,
		       const struct weir_batch *batch)
{
	struct edge_counts *counts = &node->counts[batch->signal];

	counts->touched = true;
	if (node->plan->kind == WEIR_EXPORTER)
		counts->enqueue_failed += batch->items;
	else
		counts->dropped[WEIR_REASON_FULL] += batch->items;
}

static void refuse_full(struct weir_node_instance *node,
			struct weir_batch *batch)
{
	struct weir_outcome outcome;

	weir_outcome_set(&outcome, WEIR_UNAVAILABLE, WEIR_REASON_FULL,
			 "%s: %s", node->plan->id,
			 node->plan->kind == WEIR_EXPORTER ?
			 "sending queue is full" : "full");
	batch_end(batch, &outcome);
}

/* A batch that waits for room (block_on_overflow). */
struct parked {
	struct weir_credits_wait wait;
	struct weir_timer timer;	/* the client's deadline */
	struct weir_node_instance *node;
	struct weir_batch *batch;
	uint64_t n;
	struct parked *next, **link;
};

static void unpark(struct parked *parked)
{
	weir_timer_cancel(&parked->timer);
	weir_credits_cancel(&parked->wait);
	*parked->link = parked->next;
	if (parked->next)
		parked->next->link = parked->link;
	free(parked);
}

static void room_granted(struct weir_component *c,
			 struct weir_credits_wait *wait)
{
	struct parked *parked = (struct parked *)wait;
	struct weir_node_instance *node = parked->node;
	struct weir_batch *batch = parked->batch;
	struct custody *room = room_of(node, batch->signal);

	(void)c;
	batch_charge(batch, room->credits, parked->n);
	unpark(parked);
	hand_over(node, batch);
}

static void park_expired(struct weir_component *c, struct weir_timer *timer)
{
	(void)c;		/* of a door there is none here */
	struct parked *parked = (struct parked *)
		((char *)timer - offsetof(struct parked, timer));
	struct weir_batch *batch = parked->batch;
	struct weir_outcome outcome;

	weir_outcome_set(&outcome, WEIR_DEADLINE_EXCEEDED,
			 WEIR_REASON_DEADLINE,
			 "%s: no room before the deadline",
			 parked->node->plan->id);
	flow_count_refused(parked->node, batch, WEIR_REASON_DEADLINE);
	unpark(parked);
	batch_end(batch, &outcome);
}

static void park(struct weir_node_instance *node, struct weir_batch *batch,
		 struct custody *room)
{
	struct graph *graph = worker_current()->graph;
	struct parked *parked = xcalloc(1, sizeof(*parked));
	uint64_t now = weir_now();

	parked->node = node;
	parked->batch = batch;
	parked->n = share_of(room, batch);
	parked->wait.granted = room_granted;
	parked->next = graph->parked;
	parked->link = &graph->parked;
	if (parked->next)
		parked->next->link = &parked->next;
	graph->parked = parked;
	batch->notes = NULL;
	if (batch->deadline) {
		int64_t left = batch->deadline > now ?
			       (int64_t)(batch->deadline - now) : 0;

		weir_timer_set(&parked->timer, node->c,
			       (weir_duration){ left }, park_expired);
	}
	weir_credits_wait(&parked->wait, node->c, room->credits, parked->n);
}

void flow_unpark_all(struct graph *graph)
{
	while (graph->parked) {
		struct weir_batch *batch = graph->parked->batch;

		unpark(graph->parked);
		flow_refuse_draining(batch);
	}
}

static void arrive(struct weir_node_instance *node, struct weir_batch *batch)
{
	struct custody *room = room_of(node, batch->signal);
	uint64_t n;

	if (!room) {
		hand_over(node, batch);
		return;
	}
	n = share_of(room, batch);
	if (batch_recharge(batch, room->credits, n)) {
		hand_over(node, batch);	/* the fan reserved it */
	} else if (weir_credits_take(room->credits, n)) {
		batch_charge(batch, room->credits, n);
		hand_over(node, batch);
	} else if (room->block) {
		park(node, batch, room);
	} else {
		flow_count_refused(node, batch, WEIR_REASON_FULL);
		refuse_full(node, batch);
	}
}

/* --- Fans ---------------------------------------------------------------- */

/* The first custodian that every batch of this branch meets; NULL: none, or
 * the branch divides before. */
static struct weir_node_instance *first_custodian(struct step *step)
{
	for (; step; step = step->next) {
		if (step->kind == STEP_FAN)
			return NULL;
		if (step->node && step->node->plan->plugin->custodian)
			return step->node;
	}
	return NULL;
}

static struct step *inner_fan(struct step *step)
{
	while (step && step->kind != STEP_FAN)
		step = step->next;
	return step;
}

enum verdict { NO_ROOM, ROOM, RESERVED };

/* Takes room in a branch, if one custodian decides; else looks whether any
 * branch further down has some. */
static enum verdict reserve(struct step *branch, struct weir_batch *batch)
{
	struct weir_node_instance *node = first_custodian(branch);
	struct custody *room = node ? room_of(node, batch->signal) : NULL;
	struct step *fan;

	if (room) {
		if (weir_credits_take(room->credits, share_of(room, batch)))
			return RESERVED;
		return room->block ? ROOM : NO_ROOM;
	}
	fan = inner_fan(branch);
	if (!fan)
		return ROOM;
	for (size_t i = 0; i < fan->n; i++) {
		enum verdict verdict = reserve(fan->branches[i], batch);

		if (verdict == RESERVED) {	/* only looking */
			node = first_custodian(fan->branches[i]);
			room = room_of(node, batch->signal);
			weir_credits_give(room->credits,
					  share_of(room, batch));
		}
		if (verdict != NO_ROOM)
			return ROOM;
	}
	return NO_ROOM;
}

/* Who counts what a branch without room does not get. */
static void count_branch(struct step *branch, const struct weir_batch *batch,
			 bool lost)
{
	struct weir_node_instance *node = first_custodian(branch);
	struct step *fan = node ? NULL : inner_fan(branch);

	if (node && lost)
		count_lost(node, batch);
	else if (node)
		flow_count_refused(node, batch, WEIR_REASON_FULL);
	for (size_t i = 0; fan && i < fan->n; i++)
		count_branch(fan->branches[i], batch, lost);
}

static void send_branch(struct step *branch, enum verdict verdict,
			struct weir_batch *whole, struct waiter *group)
{
	struct weir_batch *copy = batch_share(whole);

	copy->waiters = group;
	if (verdict == RESERVED) {
		struct weir_node_instance *node = first_custodian(branch);
		struct custody *room = room_of(node, whole->signal);

		batch_charge(copy, room->credits, share_of(room, whole));
	}
	step_take(branch, copy);
}

#define FAN_INLINE 16

/* Room is taken in all branches first; a branch without room loses its copy,
 * counted; without any room the batch is refused. */
static void fan_out(struct step *fan, struct weir_batch *batch)
{
	enum verdict few[FAN_INLINE];
	enum verdict *verdicts = fan->n <= FAN_INLINE ? few :
		xmalloc(fan->n * sizeof(*verdicts));
	struct waiter *group;
	uint32_t open = 0;

	for (size_t i = 0; i < fan->n; i++) {
		verdicts[i] = reserve(fan->branches[i], batch);
		open += verdicts[i] != NO_ROOM;
	}
	for (size_t i = 0; i < fan->n; i++)
		if (verdicts[i] == NO_ROOM)
			count_branch(fan->branches[i], batch, open != 0);
	if (!open) {
		struct weir_outcome outcome;

		weir_outcome_set(&outcome, WEIR_UNAVAILABLE, WEIR_REASON_FULL,
				 "all sending queues are full");
		batch_end(batch, &outcome);
	} else {
		group = fan_open(batch, open);
		for (size_t i = 0; i < fan->n; i++)
			if (verdicts[i] != NO_ROOM)
				send_branch(fan->branches[i], verdicts[i],
					    batch, group);
	}
	if (verdicts != few)
		free(verdicts);
}

/* --- Steps --------------------------------------------------------------- */

static bool admit(struct step *step, struct weir_batch *batch)
{
	struct weir_component *c = step->node->c;
	struct edge_counts *counts = &step->node->counts[batch->signal];
	struct weir_outcome outcome;

	counts->touched = true;
	counts->in += batch->items;
	if (c->plugin->admit(c, batch, &outcome)) {
		counts->out += batch->items;
		return true;
	}
	counts->refused[outcome.reason]++;
	batch_end(batch, &outcome);
	return false;
}

/* False when all of the batch was lost, and it has been answered. */
static bool show(struct step *step, struct weir_batch *batch)
{
	struct edge_counts *first =
		&step->stages[0]->counts[batch->signal];
	size_t items = batch->items;
	struct run_outcome run = run_apply(step->run, batch);
	struct weir_outcome outcome;

	for (size_t i = 0; i < step->n; i++) {
		struct edge_counts *counts =
			&step->stages[i]->counts[batch->signal];

		counts->touched = true;
		counts->in += i ? batch->items : items;
		counts->out += batch->items;
	}
	first->dropped[WEIR_REASON_MEMORY] += run.dropped;
	step->stages[0]->walked_bytes += run.walked;
	batch->notes = NULL;	/* offsets have moved */
	if (batch->items || !run.dropped)
		return true;
	weir_outcome_set(&outcome, WEIR_UNAVAILABLE, WEIR_REASON_MEMORY,
			 "%s: out of memory", step->stages[0]->c->id);
	batch_end(batch, &outcome);
	return false;
}

void step_take(struct step *step, struct weir_batch *batch)
{
	for (;; step = step->next) {
		switch (step->kind) {
		case STEP_ADMIT:
			if (!admit(step, batch))
				return;
			break;
		case STEP_RUN:
			if (!show(step, batch))
				return;
			break;
		case STEP_FAN:
			fan_out(step, batch);
			return;
		case STEP_PROCESS:
		case STEP_EXPORT:
			arrive(step->node, batch);
			return;
		}
	}
}

void weir_forward(struct weir_component *c, struct weir_batch *batch)
{
	struct weir_node_instance *node = c->node;

	node_release(batch);
	if (node->graph->gone) {
		flow_refuse_draining(batch);
		return;
	}
	if (!batch->items) {
		batch_end(batch, NULL);
		return;
	}
	if (node->plan->kind == WEIR_PROCESSOR)
		node->counts[batch->signal].out += batch->items;
	step_take(node->next[batch->signal], batch);
}

bool weir_has_pipeline(const struct weir_component *c, enum weir_signal signal)
{
	return c->node->next[signal] != NULL;
}
