/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide.c: a trace is laid out for the policies, and what they say is done.
 *
 * Who is sampled joins the chain of out.c; the others' spans are let go.  With
 * the matching cache the id moves there and the entry goes; without, the entry
 * stays, empty, for the spans that come late.
 */
#include <stdlib.h>
#include <string.h>

#include "tail_sampling.h"

static void *grown(void *memory, size_t *n, size_t size)
{
	*n = *n ? *n * 2 : 64;
	memory = realloc(memory, *n * size);
	if (!memory)
		abort();
	return memory;
}

/* --- Asking -------------------------------------------------------------- */

static uint32_t show_resource(struct tail_sampling *self, uint32_t n,
			      const struct stored_head *resource)
{
	struct weir_message_cursor cursor =
		weir_messages(stored_fields(resource), 1);

	if (n == self->n_resources)
		self->resources = grown(self->resources, &self->n_resources,
					sizeof(*self->resources));
	self->resources[n] = weir_message_next(&cursor) ? cursor.message :
			     WEIR_STR("");
	return n + 1;
}

static void read_span(struct trace_span *shown)
{
	struct weir_span span;

	weir_span_read(shown->message, &span);
	shown->status = span.status_code;
	shown->flags = span.flags;
	shown->start = span.start_unix_nano;
	shown->end = span.end_unix_nano;
}

static void show(struct tail_sampling *self, struct trace *trace,
		 const struct stored_span *from)
{
	const struct stored_head *last = NULL;
	uint32_t resources = 0;
	size_t n = 0;

	for (; from; from = from->next) {
		const struct stored_head *resource = stored_resource(from);

		if (resource != last)
			resources = show_resource(self, resources, resource);
		last = resource;
		if (n == self->n_shown)
			self->shown = grown(self->shown, &self->n_shown,
					    sizeof(*self->shown));
		self->shown[n] = (struct trace_span){
			.message = { (const char *)from->message, from->len },
			.resource = resources - 1 };
		if (policies_read_spans(self->policies))
			read_span(&self->shown[n]);
		n++;
	}
	trace->spans = self->shown;
	trace->n = n;
	trace->resources = self->resources;
	trace->n_resources = resources;
}

static void count_said(struct tail_sampling *self)
{
	for (size_t i = 0; i < policies_count(self->policies); i++) {
		const struct policy_said *said = &self->said[i];
		struct policy_counts *counts = &self->counts[i];

		if (said->vote == VOTE_NONE)
			continue;
		weir_counter_add(&counts->executions, 1);
		weir_counter_add(&counts->microseconds, said->ns / 1000);
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

enum verdict ask(struct tail_sampling *self, const struct entry *entry,
		 const struct stored_span *from)
{
	struct trace trace = { .id = entry->id, .span_count = entry->spans,
			       .bytes = entry->bytes };
	enum verdict verdict;

	show(self, &trace, from);
	verdict = policies_decide(self->policies, &trace,
				  self->set.sample_on_first_match, weir_now(),
				  weir_wall_now(), self->said);
	count_said(self);
	return verdict;
}

/* --- Settling ------------------------------------------------------------ */

void let_go(struct tail_sampling *self, struct chain *chain)
{
	struct stored_span *span = chain->first, *next;

	for (; span; span = next) {
		next = span->next;
		store_let_go(&self->store, span);
	}
	*chain = (struct chain){ 0 };
}

/* The spans that the entry holds. */
static struct chain spans_of(struct entry *entry)
{
	struct chain chain = { .first = entry->first, .last = entry->last };

	for (const struct stored_span *s = chain.first; s; s = s->next) {
		chain.n++;
		chain.bytes += s->len;
	}
	entry->first = entry->last = entry->piece = NULL;
	return chain;
}

/* Rare: a trace that was decided for want of memory while spans of it come. */
static void untouch(struct tail_sampling *self, const struct entry *entry)
{
	struct entry **link = &self->touched;

	while (*link && *link != entry)
		link = &(*link)->touched;
	if (!*link)
		return;
	*link = entry->touched;
	if (!*link)
		self->touched_end = link;
}

void forget(struct tail_sampling *self, struct entry *entry,
	    enum weir_reason reason)
{
	struct chain chain = spans_of(entry);
	uint64_t age = weir_now() - entry->arrived;

	if (entry->in_piece)
		untouch(self, entry);
	if (chain.n)
		weir_count_dropped(&self->base, WEIR_SIGNAL_TRACES, reason,
				   chain.n);
	let_go(self, &chain);
	weir_histogram_record(&self->count.removal_age,
			      &tail_sampling_metrics[ROW_REMOVAL_AGE],
			      (double)(age / 1000000000));
	buckets_take(&self->buckets, entry);
	table_remove(&self->table, entry);
	weir_credits_give(self->traces, 1);
}

void settle(struct tail_sampling *self, struct entry *entry,
	    enum verdict verdict)
{
	struct cache *cache = verdict == VERDICT_SAMPLED ? &self->sampled :
			      &self->rejected;
	struct chain chain = spans_of(entry);

	self->decided++;
	buckets_take(&self->buckets, entry);
	entry->verdict = (uint8_t)verdict;
	entry->settled = entry->large ? 0 : weir_now();
	if (verdict == VERDICT_SAMPLED) {
		chain_join(&self->out, &chain);
	} else {
		weir_count_dropped(&self->base, WEIR_SIGNAL_TRACES,
				   WEIR_REASON_FILTERED, chain.n);
		let_go(self, &chain);
	}
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
		verdict = ask(self, entry, entry->first);
	count_verdict(self, verdict);
	settle(self, entry, verdict);
	if (self->span_ingest && !cache_is_on(&self->rejected))
		forget(self, entry, WEIR_REASON_FULL);
	out_flush(self, false);
}

void decide_release(struct tail_sampling *self)
{
	free(self->shown);
	free(self->resources);
}
