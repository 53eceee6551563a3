/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide.c: the policies are asked about a trace, and what they say is done.
 *
 * Who is sampled joins the list of out.c; the others' spans are let go.  With
 * the matching cache the id moves there and the entry goes; without, the entry
 * stays, empty, for the spans that come late.  The bytes of spans are not
 * touched here.
 */
#include "tail_sampling.h"

#define TIMED 64		/* of so many questions one is timed */

/* --- Asking -------------------------------------------------------------- */

static void count_said(struct tail_sampling *self)
{
	for (size_t i = 0; i < policies_count(self->policies); i++) {
		const struct policy_said *said = &self->said[i];
		struct policy_counts *counts = &self->counts[i];

		if (said->vote == VOTE_NONE)
			continue;
		weir_counter_add(&counts->executions, 1);
		counts->ns += said->ns * TIMED;
		weir_counter_add(&counts->microseconds, counts->ns / 1000);
		counts->ns %= 1000;
		if (said->vote == VOTE_SAMPLED)
			weir_counter_add(&counts->sampled, 1);
		else if (said->vote == VOTE_NOT_SAMPLED)
			weir_counter_add(&counts->not_sampled, 1);
		else
			weir_counter_add(&counts->dropped, 1);
	}
}

void count_verdict(struct tail_sampling *self, enum verdict verdict)
{
	if (verdict == VERDICT_SAMPLED)
		weir_counter_add(&self->count.sampled, 1);
	else if (verdict == VERDICT_NOT_SAMPLED)
		weir_counter_add(&self->count.not_sampled, 1);
	else if (verdict == VERDICT_DROPPED)
		weir_counter_add(&self->count.dropped, 1);
}

enum verdict ask(struct tail_sampling *self, const struct entry *entry)
{
	const struct pending *pending = entry->pending;
	struct trace trace = { .id = entry->id, .marks = pending->marks,
			       .span_count = pending->spans,
			       .bytes = pending->bytes };
	enum verdict verdict;

	verdict = policies_decide(self->policies, &trace,
				  self->set.sample_on_first_match, self->now,
				  self->wall, !(self->asked++ % TIMED),
				  self->said);
	count_said(self);
	return verdict;
}

/* --- Settling ------------------------------------------------------------ */

/* The records of a trace lie in as many places as it has spans, each saying
 * where the one before is: several traces at a time, so that there is always
 * one whose next record has been fetched meanwhile. */
void let_all_go(struct tail_sampling *self)
{
	struct store *store = &self->store;
	size_t left = self->n_going;

	while (left) {
		left = 0;
		for (size_t i = 0; i < self->n_going; i++) {
			span_ref ref = self->going[i], before;

			before = store_span(store, ref)->before;
			store_let_go(store, ref);
			if (before == NO_SPAN)
				continue;
			__builtin_prefetch(store_span(store, before));
			self->going[left++] = before;
		}
		self->n_going = left;
	}
}

/* The spans of a trace are dropped, for that reason. */
static void let_go(struct tail_sampling *self, const struct pending *pending,
		   enum weir_reason reason)
{
	weir_count_dropped(&self->base, WEIR_SIGNAL_TRACES, reason,
			   pending->spans);
	if (pending->last == NO_SPAN)
		return;
	__builtin_prefetch(store_span(&self->store, pending->last));
	self->going[self->n_going++] = pending->last;
	if (self->n_going == GOING)
		let_all_go(self);
}

/* It waits no longer. */
static void end_waiting(struct tail_sampling *self, struct entry *entry)
{
	buckets_take(&self->buckets, entry);
	if (entry->pending->piece)
		leave_piece(self, entry->pending);
}

void forget(struct tail_sampling *self, struct entry *entry,
	    enum weir_reason reason)
{
	uint64_t age = self->now - entry->arrived;

	if (is_pending(entry)) {
		end_waiting(self, entry);
		let_go(self, entry->pending, reason);
	}
	weir_histogram_record(&self->count.removal_age,
			      &tail_sampling_metrics[ROW_REMOVAL_AGE],
			      (double)(age / 1000000000));
	table_remove(&self->table, entry);
	weir_credits_give(self->traces, 1);
}

void settle(struct tail_sampling *self, struct entry *entry,
	    enum verdict verdict)
{
	struct cache *cache = verdict == VERDICT_SAMPLED ? &self->sampled :
			      &self->rejected;

	const struct pending *pending = entry->pending;

	self->decided++;
	end_waiting(self, entry);
	if (verdict == VERDICT_SAMPLED)
		span_list_add_trace(&self->out, &self->store, pending->last,
				    pending->spans);
	else
		let_go(self, pending, WEIR_REASON_FILTERED);
	table_settle(&self->table, entry, verdict,
		     pending->large ? 0 : self->now);
	if (!cache_is_on(cache))
		return;
	cache_put(cache, entry->id);
	forget(self, entry, WEIR_REASON_FULL);
}

void decide(struct tail_sampling *self, struct entry *entry)
{
	enum verdict verdict = VERDICT_NOT_SAMPLED;

	/* span-ingest: nobody is asked at the end. */
	if (!self->span_ingest)
		verdict = ask(self, entry);
	count_verdict(self, verdict);
	settle(self, entry, verdict);
	if (self->span_ingest && !cache_is_on(&self->rejected))
		forget(self, entry, WEIR_REASON_FULL);
	out_flush(self, false);
}
