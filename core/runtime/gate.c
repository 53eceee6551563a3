/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.c: a batch before a component that is placed by trace, until its parts
 * are handed over.
 *
 * What all parts need is taken together before the first one goes: so a batch
 * is let in whole, or refused whole.  Mostly it is there.  Else the batch waits:
 *
 *	COUNTING   a mail asks each owner in turn how many places its part needs
 *	PLACES     in the line for those, until the sender's deadline
 *	ROOM       in the line for bytes; owners are told to make room
 *
 * All take places first, then room, and who has both waits for nothing more:
 * so nobody waits for one who waits for him.  Each owner gives up its share of
 * what the first in the line wants, at once, and again whenever it has kept
 * more: so there is room as soon as what was let in before has been answered.
 *
 * Holds the batches that wait, in a list of their graph.
 */
#include "gate.h"

#include <stdlib.h>

#include "base/str.h"
#include "data/batch.h"
#include "flow.h"
#include "graph.h"
#include "part.h"

/* ns.  Room comes within a few turns of the owners, unless what they decided
 * cannot go on either. */
#define PATIENCE 5000000000ull

struct dealt {
	struct parting *parting;
	uint32_t n;			/* owners */
	uint32_t parts;			/* ... that get some */
	size_t counts[SHARDS];		/* spans, by owner */
	size_t places[SHARDS];		/* that were taken, or are wanted */
};

enum stage { COUNTING, PLACES, ROOM };

struct gate {
	struct mail mail;		/* COUNTING: on its way */
	struct weir_credits_wait wait;
	struct weir_timer timer;
	enum stage stage;
	struct weir_node_instance *node;
	struct weir_batch *batch;	/* NULL: ended while it was counted */
	struct weir_batch *shared;	/* COUNTING: keeps the bytes */
	uint32_t at;			/* COUNTING: this owner */
	uint64_t n;			/* credits that are waited for */
	struct gate *next, **link;
	struct dealt dealt;
};

/* The instance of the same component on worker i: all graphs have their nodes
 * in the same order. */
static struct weir_node_instance *peer_of(struct weir_node_instance *node,
					  uint32_t i)
{
	return n_workers > 1 ? workers[i].graph->nodes[node->index] : node;
}

static uint64_t within(uint64_t n, const struct weir_credits *pool)
{
	uint64_t total = weir_credits_total(pool);

	return n < total ? n : total;
}

static bool has_needs(struct weir_node_instance *node)
{
	if (!node->needs.room && node->ask_needs)
		node->ask_needs(node->c, &node->needs);
	return node->needs.room != NULL;
}

/* --- Parts ---------------------------------------------------------------- */

static bool deal(struct dealt *dealt, const struct weir_batch *batch)
{
	dealt->n = weir_workers() < SHARDS ? weir_workers() : SHARDS;
	dealt->parts = 0;
	dealt->parting = parting_new(batch, dealt->n, dealt->counts);
	if (!dealt->parting)
		return false;
	for (uint32_t i = 0; i < dealt->n; i++) {
		dealt->parts += dealt->counts[i] != 0;
		dealt->places[i] = 0;
	}
	return true;
}

static void give(struct dealt *dealt, struct weir_node_instance *node,
		 struct weir_batch *part, uint32_t i)
{
	parting_give(dealt->parting, part, i, dealt->counts);
	part->part.places = dealt->places[i];
	flow_hand_to(peer_of(node, i), part);
}

static void hand_out(struct weir_node_instance *node, struct weir_batch *whole,
		     struct dealt *dealt)
{
	uint32_t last = dealt->n - 1;
	struct waiter *group;

	while (last && !dealt->counts[last])
		last--;
	if (dealt->parts == 1) {
		give(dealt, node, whole, last);
		parting_unref(dealt->parting);
		return;
	}
	group = parts_open(whole, dealt->parts);
	for (uint32_t i = 0; i <= last; i++) {
		struct weir_batch *part;

		if (!dealt->counts[i])
			continue;
		part = batch_share(whole);
		part->waiters = group;
		give(dealt, node, part, i);
	}
	parting_unref(dealt->parting);
}

/* --- What they need ------------------------------------------------------- */

static uint64_t room_for(const struct weir_node_instance *node,
			 const struct weir_batch *batch,
			 const struct dealt *dealt)
{
	uint64_t n = weir_batch_size(batch, WEIR_SIZER_BYTES);

	n += node->needs.per_part * dealt->parts +
	     node->needs.per_span * batch->items +
	     parting_heads(dealt->parting) * (dealt->parts - 1);
	return within(n, node->needs.room);
}

/* Of n places that were taken, to each part what it wants. */
static void share_places(struct dealt *dealt, uint64_t n)
{
	for (uint32_t i = 0; i < dealt->n; i++) {
		if (dealt->places[i] > n)
			dealt->places[i] = (size_t)n;
		n -= dealt->places[i];
	}
}

/* As many as there are spans: then nobody needs to count. */
static bool take_places(const struct weir_node_instance *node,
			struct weir_batch *batch, struct dealt *dealt)
{
	struct weir_credits *places = node->needs.places;

	if (!places || node->graph->closed)
		return true;
	if (!weir_credits_take(places, batch->items))
		return false;
	batch_charge(batch, places, batch->items);
	memcpy(dealt->places, dealt->counts, dealt->n * sizeof(size_t));
	return true;
}

static bool take_room(const struct weir_node_instance *node,
		      struct weir_batch *batch, const struct dealt *dealt)
{
	uint64_t n = room_for(node, batch, dealt);

	if (!weir_credits_take(node->needs.room, n))
		return false;
	batch_charge(batch, node->needs.room, n);
	return true;
}

/* --- Relief --------------------------------------------------------------- */

static void deliver_relief(struct mail *mail)
{
	struct weir_node_instance *node = (struct weir_node_instance *)
		((char *)mail - offsetof(struct weir_node_instance, relief));

	atomic_store(&node->relieving, false);
	if (node->c && !node->graph->gone && has_needs(node))
		node->needs.relieve(node->c);
}

/* Somebody is in the line: all owners hear of it. */
static void ask_for_relief(struct weir_node_instance *node)
{
	for (uint32_t i = 0; i < weir_workers(); i++) {
		struct weir_node_instance *peer = peer_of(node, i);

		if (!atomic_exchange(&peer->relieving, true))
			worker_post(peer->worker, &peer->relief);
	}
}

static void look_behind(struct weir_node_instance *node,
			const struct weir_credits *pool)
{
	uint64_t n;

	if (weir_credits_wanted(pool, &n))
		ask_for_relief(node);
}

/* --- Waiting -------------------------------------------------------------- */

static void leave(struct gate *gate)
{
	*gate->link = gate->next;
	if (gate->next)
		gate->next->link = gate->link;
	weir_timer_cancel(&gate->timer);
}

static struct weir_credits *pool_of(const struct gate *gate)
{
	return gate->stage == ROOM ? gate->node->needs.room :
	       gate->node->needs.places;
}

/* The batch is not to be let in: it is the caller's.  The one behind may want
 * more than this one did. */
static struct weir_batch *turn_away(struct gate *gate)
{
	struct weir_batch *batch = gate->batch;

	leave(gate);
	gate->batch = NULL;
	if (gate->stage == COUNTING)
		return batch;		/* the mail finds nobody */
	weir_credits_cancel(&gate->wait);
	look_behind(gate->node, pool_of(gate));
	parting_unref(gate->dealt.parting);
	free(gate);
	return batch;
}

static void let_in(struct gate *gate)
{
	struct weir_node_instance *node = gate->node;

	leave(gate);
	look_behind(node, node->needs.room);
	hand_out(node, gate->batch, &gate->dealt);
	free(gate);
}

static void expired(struct weir_component *c, struct weir_timer *timer)
{
	struct gate *gate = (struct gate *)
		((char *)timer - offsetof(struct gate, timer));
	struct weir_node_instance *node = gate->node;
	struct weir_batch *batch = turn_away(gate);
	bool late = batch->deadline && batch->deadline <= weir_now();
	enum weir_reason reason = late ? WEIR_REASON_DEADLINE :
				  WEIR_REASON_FULL;
	struct weir_outcome outcome;

	(void)c;
	weir_outcome_set(&outcome, late ? WEIR_DEADLINE_EXCEEDED :
			 WEIR_UNAVAILABLE, reason,
			 "%s: no room%s", node->plan->id,
			 late ? " before the deadline" : "");
	flow_count_refused(node, batch, reason);
	batch_end(batch, &outcome);
}

/* Until the deadline; for room not longer than PATIENCE. */
static void set_timer(struct gate *gate)
{
	uint64_t now = weir_now(), end = gate->batch->deadline;

	if (gate->stage == ROOM && (!end || end > now + PATIENCE))
		end = now + PATIENCE;
	weir_timer_cancel(&gate->timer);
	if (end)
		weir_timer_set(&gate->timer, gate->node->c, (weir_duration){
				       end > now ? (int64_t)(end - now) : 0 },
			       expired);
}

static void granted(struct weir_component *c, struct weir_credits_wait *wait);

static void stand_in_line(struct gate *gate, enum stage stage, uint64_t n)
{
	gate->stage = stage;
	gate->n = within(n, pool_of(gate));
	gate->wait.granted = granted;
	set_timer(gate);
	weir_credits_wait(&gate->wait, gate->node->c, pool_of(gate), gate->n);
	ask_for_relief(gate->node);
}

static void wait_for_room(struct gate *gate)
{
	struct weir_node_instance *node = gate->node;

	if (take_room(node, gate->batch, &gate->dealt))
		let_in(gate);
	else
		stand_in_line(gate, ROOM,
			      room_for(node, gate->batch, &gate->dealt));
}

static void granted(struct weir_component *c, struct weir_credits_wait *wait)
{
	struct gate *gate = (struct gate *)
		((char *)wait - offsetof(struct gate, wait));

	(void)c;
	batch_charge(gate->batch, pool_of(gate), gate->n);
	if (gate->stage == ROOM) {
		let_in(gate);
		return;
	}
	look_behind(gate->node, gate->node->needs.places);
	share_places(&gate->dealt, gate->n);
	wait_for_room(gate);
}

/* --- Counting ------------------------------------------------------------- */

static void counted(struct gate *gate)
{
	uint64_t n = 0;

	batch_end(gate->shared, NULL);
	if (!gate->batch) {
		parting_unref(gate->dealt.parting);
		free(gate);
		return;
	}
	for (uint32_t i = 0; i < gate->dealt.n; i++)
		n += gate->dealt.places[i];
	if (gate->node->graph->closed) {
		share_places(&gate->dealt, 0);
		wait_for_room(gate);
	} else {
		stand_in_line(gate, PLACES, n);
	}
}

static void deliver_question(struct mail *mail);

static void send_on(struct gate *gate, struct weir_node_instance *to)
{
	gate->mail.deliver = deliver_question;
	worker_post(to->worker, &gate->mail);
}

/* On the thread of the owner. */
static void ask_owner(struct gate *gate, struct weir_node_instance *node)
{
	struct weir_part part = parting_view(gate->dealt.parting, gate->at,
					     gate->dealt.counts);

	if (node->c && !node->graph->gone && has_needs(node))
		gate->dealt.places[gate->at] = node->needs.count(node->c,
								 &part);
}

/* One after the other, and home: at is the worker that this thread speaks
 * for, or all have been asked. */
static void deliver_question(struct mail *mail)
{
	struct gate *gate = (struct gate *)mail;

	if (gate->at == gate->dealt.n) {
		counted(gate);
		return;
	}
	ask_owner(gate, peer_of(gate->node, gate->at));
	do
		gate->at++;
	while (gate->at < gate->dealt.n && !gate->dealt.counts[gate->at]);
	send_on(gate, gate->at < gate->dealt.n ?
		peer_of(gate->node, gate->at) : gate->node);
}

static void count_places(struct gate *gate)
{
	gate->stage = COUNTING;
	gate->shared = batch_share(gate->batch);
	while (!gate->dealt.counts[gate->at])
		gate->at++;
	set_timer(gate);
	send_on(gate, peer_of(gate->node, gate->at));
}

/* --- The gate ------------------------------------------------------------- */

static struct gate *gate_new(struct weir_node_instance *node,
			     struct weir_batch *batch,
			     const struct dealt *dealt)
{
	struct graph *graph = worker_current()->graph;
	struct gate *gate = xcalloc(1, sizeof(*gate));

	gate->node = node;
	gate->batch = batch;
	gate->dealt = *dealt;
	gate->next = graph->gates;
	gate->link = &graph->gates;
	if (gate->next)
		gate->next->link = &gate->next;
	graph->gates = gate;
	return gate;
}

static void refuse_memory(struct weir_node_instance *node,
			  struct weir_batch *batch)
{
	struct weir_outcome outcome;

	weir_outcome_set(&outcome, WEIR_UNAVAILABLE, WEIR_REASON_MEMORY,
			 "%s: out of memory", node->plan->id);
	flow_count_refused(node, batch, WEIR_REASON_MEMORY);
	batch_end(batch, &outcome);
}

void gate_take(struct weir_node_instance *node, struct weir_batch *batch)
{
	struct dealt dealt;

	batch->notes = NULL;
	if (!deal(&dealt, batch))
		refuse_memory(node, batch);
	else if (!has_needs(node))
		hand_out(node, batch, &dealt);
	else if (!take_places(node, batch, &dealt))
		count_places(gate_new(node, batch, &dealt));
	else if (!take_room(node, batch, &dealt))
		stand_in_line(gate_new(node, batch, &dealt), ROOM,
			      room_for(node, batch, &dealt));
	else
		hand_out(node, batch, &dealt);
}

void gate_close(struct graph *graph)
{
	struct gate *gate = graph->gates, *next;

	graph->closed = true;
	for (; gate; gate = next) {
		next = gate->next;
		if (gate->stage != PLACES)
			continue;
		weir_credits_cancel(&gate->wait);
		share_places(&gate->dealt, 0);
		wait_for_room(gate);
	}
}

void gate_refuse_all(struct graph *graph)
{
	while (graph->gates)
		flow_refuse_draining(turn_away(graph->gates));
}

void weir_part_reserve(struct weir_component *c,
		       void (*needs)(struct weir_component *c,
				     struct weir_part_needs *needs))
{
	c->node->ask_needs = needs;
	c->node->relief.deliver = deliver_relief;
}

uint32_t weir_workers(void)
{
	return n_workers > 1 ? n_workers : 1;
}
