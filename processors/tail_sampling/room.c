/* SPDX-License-Identifier: Apache-2.0 */
/*
 * room.c: what is given up for those who wait.
 *
 * Core lets a request in when there is room for all its parts, in the whole
 * process.  Until then each instance gives up its share of what is missing:
 * where decided traces take more than an eighth, these; else those that are due
 * next are decided with what is there.  For places (with
 * block_on_overflow) decided entries give way, and the others are decided in
 * time.  So a wait always ends.
 */
#include <stdlib.h>

#include "tail_sampling.h"

#define TRACES 256		/* are decided before what they left is passed
				 * on, ... */
#define BYTES (64u << 10)	/* ... or so much */
#define DECIDED 8		/* traces that are may keep that part of what
				 * is taken */
#define SPARE 16		/* that part of all room is made beside what is
				 * wanted, for who comes next */

/* --- Room ---------------------------------------------------------------- */

uint64_t room_taken(const struct tail_sampling *self)
{
	return self->store.bytes + table_bytes(&self->table);
}

static bool decide_next(struct tail_sampling *self)
{
	struct entry *next = buckets_next(&self->buckets);

	if (!next)
		return false;
	decide(self, next);
	let_all_go(self);
	return true;
}

static bool forget_decided(struct tail_sampling *self)
{
	if (!self->table.n_decided)
		return false;
	forget(self, table_first_decided(&self->table), WEIR_REASON_FULL);
	return true;
}

static bool give_up_one(struct tail_sampling *self)
{
	if (DECIDED * table_decided_bytes(&self->table) > room_taken(self))
		return forget_decided(self) || decide_next(self);
	return decide_next(self) || forget_decided(self);
}

bool decide_some(struct tail_sampling *self)
{
	uint64_t before = room_taken(self);
	size_t n = 0, waiting;

	if (self->n_going) {
		let_all_go(self);
		return true;
	}
	while (n < TRACES && self->out.bytes < BYTES &&
	       room_taken(self) >= before && give_up_one(self))
		n++;
	waiting = self->out.n;
	out_flush(self, true);
	return n || self->out.n < waiting;
}

/* What was decided has no memory to leave now. */
static bool is_stuck(const struct tail_sampling *self)
{
	return self->out.n && self->short_at == self->now;
}

/* Is there too little beside what is in use? */
static bool is_short(const struct tail_sampling *self, uint64_t wanted)
{
	return weir_credits_used(self->room) + wanted >
	       weir_credits_total(self->room);
}

/* When all workers keep no more than this there is enough. */
static uint64_t may_keep(const struct tail_sampling *self, uint64_t wanted)
{
	uint64_t total = weir_credits_total(self->room);

	return wanted < total ? (total - wanted) / weir_workers() : 0;
}

static void give_room(struct tail_sampling *self)
{
	uint64_t wanted, keep;

	if (!self->room || !weir_credits_wanted(self->room, &wanted))
		return;
	wanted += weir_credits_total(self->room) / SPARE;
	keep = may_keep(self, wanted);
	while (room_taken(self) > keep && is_short(self, wanted) &&
	       !is_stuck(self))
		if (!decide_some(self))
			return;
}

/* --- New traces, each counted once --------------------------------------- */

static bool is_new(const struct tail_sampling *self,
		   const struct weir_part_span *span)
{
	return !table_find(&self->table, span->hash, span->trace_id);
}

/* Hashes, for as long as it takes to count: its size is the sender's choice, so
 * it is charged, and nothing of it is kept. */
struct hash_set {
	uint64_t *slots;
	size_t size;			/* a power of two */
};

static bool set_init(struct hash_set *set, size_t n)
{
	set->size = 64;
	while (set->size < 2 * n)
		set->size *= 2;
	if (!weir_budget_take(set->size * sizeof(*set->slots)))
		return false;
	set->slots = calloc(set->size, sizeof(*set->slots));
	if (!set->slots)
		abort();
	return true;
}

static void set_release(struct hash_set *set)
{
	free(set->slots);
	weir_budget_give(set->size * sizeof(*set->slots));
}

/* False: it was there.  By hash: two traces that share one count as one. */
static bool set_add(struct hash_set *set, uint64_t hash)
{
	size_t at = hash >> 8 & (set->size - 1);

	hash += !hash;
	for (; set->slots[at]; at = (at + 1) & (set->size - 1))
		if (set->slots[at] == hash)
			return false;
	set->slots[at] = hash;
	return true;
}

/* Not further than to num_traces: nobody can have more, and without memory to
 * count that many are wanted. */
size_t count_places(struct weir_component *c, const struct weir_part *part)
{
	struct tail_sampling *self = WEIR_SELF(c, struct tail_sampling);
	size_t most = (size_t)weir_credits_total(self->traces);
	struct hash_set set;
	size_t n = 0;

	if (!set_init(&set, (part->n < most ? part->n : most) + 1))
		return most;
	for (size_t i = 0; i < part->n && n < most; i++)
		if (is_new(self, &part->spans[i]))
			n += set_add(&set, part->spans[i].hash);
	set_release(&set);
	return n;
}

/* --- Places -------------------------------------------------------------- */

/* Decided traces are only remembered. */
static void give_places(struct tail_sampling *self)
{
	uint64_t total = weir_credits_total(self->traces), wanted;

	if (!self->set.block_on_overflow ||
	    !weir_credits_wanted(self->traces, &wanted))
		return;
	while (weir_credits_used(self->traces) + wanted > total &&
	       forget_decided(self))
		;
}

void give_way(struct tail_sampling *self)
{
	give_room(self);
	give_places(self);
}
