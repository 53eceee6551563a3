/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest.c: the spans of a part find their traces.
 *
 * Span by span: a decided trace passes it on or discards it; else its bytes
 * are copied to the log, and what the policies look for is looked for while
 * they are at hand.  What concerns several spans of a trace is in piece.c.
 *
 * Each span is of another trace, mostly, and there are more of them than caches
 * hold: so entries are fetched some spans ahead.
 *
 * Where there is no room the trace that would be decided next is decided now,
 * with what is there of it.
 */
#include <stdlib.h>
#include <string.h>

#include "tail_sampling.h"

#define SLOT_AHEAD 12		/* spans */
#define ENTRY_AHEAD 8
#define PENDING_AHEAD 4

/* --- Entries ------------------------------------------------------------- */

/* Reserved, or free.  With block_on_overflow who waits in the line comes behind
 * what is let in already. */
static bool take_place(struct tail_sampling *self)
{
	uint64_t total = weir_credits_total(self->traces);

	if (!self->set.block_on_overflow)
		return weir_credits_take(self->traces, 1);
	if (!self->places && weir_credits_used(self->traces) >= total)
		return false;
	self->places -= self->places != 0;
	weir_credits_force(self->traces, 1);
	return true;
}

/* One entry more within num_traces: else the oldest goes, decided or not.
 * With block_on_overflow a part that has more new traces than there can be
 * comes this far: there the oldest is decided first. */
static void make_place(struct tail_sampling *self)
{
	struct entry *oldest = table_oldest(&self->table);

	if (take_place(self))
		return;
	if (oldest && is_pending(oldest)) {
		if (self->set.block_on_overflow)
			decide(self, oldest);
		else
			weir_counter_add(&self->count.too_early, 1);
	}
	oldest = table_oldest(&self->table);	/* it may be in a cache now */
	if (oldest && !(is_pending(oldest) && self->set.block_on_overflow))
		forget(self, oldest, WEIR_REASON_FULL);
	weir_credits_force(self->traces, 1);
}

/* What core took for the request, of which the parts are alike.  It is for its
 * spans, which are charged beside it until all parts have ended. */
static uint64_t reserved(struct tail_sampling *self,
			 const struct weir_part *part)
{
	uint64_t per_part, per_span;

	if (self->reserved)
		return self->reserved;
	store_needs(&self->store, &per_part, &per_span);
	for (size_t i = 0; i < part->n; i++)
		self->reserved += part->spans[i].len;
	self->reserved += per_part + part->n * per_span;
	return self->reserved *= weir_workers();
}

/* Once for a lot of traces. */
static bool take_more(struct tail_sampling *self, const struct weir_part *part)
{
	return weir_credits_used(self->room) <=
	       weir_credits_total(self->room) + reserved(self, part) &&
	       table_ready(&self->table);
}

/* How many traces are new is not known before: so nothing was reserved for
 * them, and it is here that others give way. */
static bool make_room(struct tail_sampling *self, const struct weir_part *part)
{
	while (!table_is_ready(&self->table) && !take_more(self, part))
		if (!decide_some(self))
			return table_ready(&self->table);
	return true;
}

/* NULL: the budget of the process is used up. */
static struct entry *new_trace(struct tail_sampling *self,
			       const struct weir_part *part,
			       const struct weir_part_span *span)
{
	struct entry *entry;

	make_place(self);
	if (!make_room(self, part)) {
		weir_credits_give(self->traces, 1);
		return NULL;
	}
	entry = table_add(&self->table, span->hash, span->trace_id);
	entry->arrived = self->now;
	entry->pending->limit = self->buckets.now + 1 + (uint32_t)self->wait;
	buckets_put(&self->buckets, entry, entry->pending->limit);
	weir_counter_add(&self->count.new_traces, 1);
	return entry;
}

/* --- A span -------------------------------------------------------------- */

/* parent_span_id = 4: absent, empty, or zeros. */
static bool is_root(const struct weir_part_span *span)
{
	struct weir_message_cursor parent = weir_messages(
		(weir_str){ (const char *)span->message, span->len }, 4);

	return !weir_message_next(&parent) || !parent.message.len ||
	       (parent.message.len == 8 &&
		!memcmp(parent.message.ptr, "\0\0\0\0\0\0\0", 8));
}

/* What there is to know of the span that is now in the log. */
static void append(struct tail_sampling *self, const struct weir_part *part,
		   const struct weir_part_span *span, struct entry *entry,
		   span_ref ref)
{
	const struct watch *watch = policies_watch(self->policies);
	struct pending *pending = entry->pending;
	bool root = (self->root_wait != UINT64_MAX ||
		     self->quiet != UINT64_MAX) && is_root(span);

	piece_add(self, part, span, entry, root);
	store_span(&self->store, ref)->before = pending->last;
	pending->last = ref;
	pending->spans++;
	if (!watch->n)
		return;
	for (size_t i = 0; i < self->table.marks; i++)
		pending->marks[i] |= self->resource_marks[i];
	watch_span(watch, (weir_str){ (const char *)span->message, span->len },
		   &pending->times, pending->marks);
}

/* Copies span i for the out list or the entry.  The part was let in, so it may
 * take more than the room when nobody is left to be decided; NO_SPAN: the
 * budget of the process is used up. */
static span_ref keep(struct tail_sampling *self, const struct weir_part *part,
		     size_t i)
{
	span_ref ref;

	while (!(ref = store_add(&self->store, part, i, false)))
		if (!decide_some(self))
			return store_add(&self->store, part, i, true);
	return ref;
}

static void lose(struct tail_sampling *self)
{
	weir_count_dropped(&self->base, WEIR_SIGNAL_TRACES, WEIR_REASON_MEMORY,
			   1);
}

static void pass_on(struct tail_sampling *self, const struct weir_part *part,
		    size_t i)
{
	span_ref ref = keep(self, part, i);

	if (ref != NO_SPAN)
		span_list_add(&self->out, &self->store, ref);
	else
		lose(self);
}

static void discard(struct tail_sampling *self)
{
	weir_count_dropped(&self->base, WEIR_SIGNAL_TRACES,
			   WEIR_REASON_FILTERED, 1);
}

/* Is the decision remembered?  Then the span follows it. */
static bool by_cache(struct tail_sampling *self, const struct weir_part *part,
		     size_t i)
{
	const uint8_t *id = part->spans[i].trace_id;

	if (cache_is_on(&self->sampled) && cache_has(&self->sampled, id)) {
		weir_counter_add(&self->count.late_sampled, 1);
		pass_on(self, part, i);
		return true;
	}
	if (cache_is_on(&self->rejected) && cache_has(&self->rejected, id)) {
		weir_counter_add(&self->count.late_not_sampled, 1);
		discard(self);
		return true;
	}
	return false;
}

/* Once a piece. */
static void record_late(struct tail_sampling *self, const struct entry *entry)
{
	uint64_t age = self->now - entry->settled;

	weir_histogram_record(&self->count.late_age,
			      &tail_sampling_metrics[ROW_LATE_AGE],
			      (double)(age / 1000000000));
}

static void late(struct tail_sampling *self, struct entry *entry,
		 const struct weir_part *part, size_t i)
{
	if (entry->settled && entry->late != self->n_resources)
		record_late(self, entry);
	entry->late = self->n_resources;
	if (entry->verdict == VERDICT_SAMPLED)
		pass_on(self, part, i);
	else
		discard(self);
}

/* What is decided already: the span follows.  Else *entry is its trace, NULL
 * when that is new. */
static bool follows(struct tail_sampling *self, const struct weir_part *part,
		    size_t i, struct entry **entry)
{
	const struct weir_part_span *span = &part->spans[i];

	if (by_cache(self, part, i))
		return true;
	*entry = table_find(&self->table, span->hash, span->trace_id);
	if (!*entry || is_pending(*entry))
		return false;
	late(self, *entry, part, i);
	return true;
}

static void take_span(struct tail_sampling *self, const struct weir_part *part,
		      size_t i)
{
	const struct weir_part_span *span = &part->spans[i];
	uint64_t decided = self->decided;
	struct entry *entry;
	span_ref ref;

	if (follows(self, part, i, &entry))
		return;
	ref = keep(self, part, i);
	if (ref == NO_SPAN) {
		lose(self);
		return;
	}
	/* Its own trace may have been decided for want of room. */
	if (decided != self->decided && follows(self, part, i, &entry)) {
		store_let_go(&self->store, ref);
		return;
	}
	if (!entry)
		entry = new_trace(self, part, span);
	if (entry) {
		append(self, part, span, entry, ref);
	} else {
		store_let_go(&self->store, ref);
		lose(self);
	}
}

/* What policies look for in the resource of the spans that follow. */
static void see_resource(struct tail_sampling *self, weir_str wrapper)
{
	struct weir_message_cursor resource = weir_messages(wrapper, 1);
	const struct watch *watch = policies_watch(self->policies);

	memset(self->resource_marks, 0,
	       self->table.marks * sizeof(*self->resource_marks));
	if (watch->n_keys && weir_message_next(&resource))
		watch_resource(watch, resource.message, self->resource_marks);
}

static void fetch_ahead(struct tail_sampling *self,
			const struct weir_part *part, size_t i)
{
	if (i + SLOT_AHEAD < part->n)
		table_fetch_slot(&self->table,
				 part->spans[i + SLOT_AHEAD].hash);
	if (i + ENTRY_AHEAD < part->n)
		table_fetch_entry(&self->table,
				  part->spans[i + ENTRY_AHEAD].hash);
	if (i + PENDING_AHEAD < part->n)
		table_fetch_pending(&self->table,
				    part->spans[i + PENDING_AHEAD].hash);
}

void ingest(struct tail_sampling *self, const struct weir_batch *batch)
{
	const struct weir_part *part = weir_batch_part(batch);
	uint32_t resource = UINT32_MAX;

	self->places = part->places;
	self->reserved = 0;
	begin_pieces(self);
	store_begin(&self->store);
	for (size_t i = 0; i < part->n; i++) {
		uint32_t of = part->scopes[part->spans[i].scope].resource;

		if (of != resource) {
			end_pieces(self);
			see_resource(self, part->resources[of].wrapper);
		}
		resource = of;
		fetch_ahead(self, part, i);
		take_span(self, part, i);
	}
	end_pieces(self);
	trim_pieces(self);
	out_flush(self, true);
}

void ingest_init(struct tail_sampling *self)
{
	size_t marks = watch_words(policies_watch(self->policies));

	self->resource_marks = calloc(marks + 1,
				      sizeof(*self->resource_marks));
	if (!self->resource_marks)
		abort();
}

void ingest_release(struct tail_sampling *self)
{
	free(self->pieces);
	free(self->resource_marks);
}
