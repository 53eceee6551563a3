/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocked.c: with block_on_overflow, parts that wait for room in num_traces.
 *
 * They are answered when they were let in, or when their deadline has passed.
 * Decided entries give way, so that a wait always ends: with the next traces
 * that are decided.
 */
#include <stdlib.h>

#include "tail_sampling.h"

static bool is_new(const struct tail_sampling *self,
		   const struct weir_part_span *span)
{
	return !table_find(&self->table, span->hash, span->trace_id);
}

/* Spans of new traces: at least as many as there are new traces. */
static size_t count_spans(const struct tail_sampling *self,
			  const struct weir_part *part)
{
	size_t n = 0;

	for (size_t i = 0; i < part->n; i++)
		n += is_new(self, &part->spans[i]);
	return n;
}

/* --- New traces, each counted once --------------------------------------- */

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

/* Not further than to most: there the answer is no anyway, as it is without
 * memory to count. */
static size_t count_traces(const struct tail_sampling *self,
			   const struct weir_part *part, size_t most)
{
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

/* --- Letting in ---------------------------------------------------------- */

/* Decided traces are only remembered. */
static void forget_decided(struct tail_sampling *self, uint64_t want)
{
	for (; want && self->table.n_decided; want--)
		forget(self, table_first_decided(&self->table),
		       WEIR_REASON_FULL);
}

/* A part with more new traces than there can be is let in when there are none,
 * and where the others have it all: who has nothing frees nothing. */
static bool has_places(struct tail_sampling *self,
		       const struct weir_batch *batch)
{
	const struct weir_part *part = weir_batch_part(batch);
	uint64_t total = weir_credits_total(self->traces),
		 used = weir_credits_used(self->traces);
	uint64_t fresh = count_spans(self, part);

	if (used + fresh > total)
		fresh = count_traces(self, part, (size_t)total + 1);
	if (used + fresh > total)
		forget_decided(self, used + fresh - total);
	return !self->table.n ||
	       weir_credits_used(self->traces) + fresh <= total;
}

bool must_wait(struct tail_sampling *self, const struct weir_batch *batch)
{
	return self->set.block_on_overflow &&
	       (self->blocked.len || !has_places(self, batch));
}

static bool has_expired(const struct weir_batch *batch)
{
	uint64_t deadline = weir_batch_deadline(batch);

	return deadline && deadline <= weir_now();
}

static void expire(struct weir_batch *batch)
{
	struct weir_outcome outcome;

	weir_outcome_set(&outcome, WEIR_DEADLINE_EXCEEDED,
			 WEIR_REASON_DEADLINE,
			 "no room for new traces before the deadline");
	weir_batch_nack(batch, &outcome);
}

/* First come, first served; whoever waits no longer is told so. */
void unblock(struct tail_sampling *self)
{
	struct weir_batch_list waiting = self->blocked;
	struct weir_batch *batch;

	self->blocked = (struct weir_batch_list){ 0 };
	while ((batch = weir_batch_shift(&waiting))) {
		if (has_expired(batch))
			expire(batch);
		else if (must_wait(self, batch))
			weir_batch_push(&self->blocked, batch);
		else
			take_part(self, batch);
	}
}

void blocked_release(struct tail_sampling *self)
{
	struct weir_batch *batch;

	while ((batch = weir_batch_shift(&self->blocked)))
		refuse_memory(batch);
}
