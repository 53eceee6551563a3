/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest.c: the spans of a part find their traces.
 *
 * Span by span: a decided trace passes it on or discards it; else its bytes are
 * copied to the log, at the end of the trace's chain.  What concerns a piece,
 * the spans of one trace in one ResourceSpans, happens when that ends: sizes,
 * root spans, and with span-ingest the question to the policies.
 *
 * Where there is no room the trace that would be decided next is decided now,
 * with what is there of it.
 */
#include <stdlib.h>
#include <string.h>

#include "tail_sampling.h"

#define RELIEF_TRACES 32
#define RELIEF_BYTES (64u << 10)

static size_t field_size(size_t body)
{
	size_t n = 2;

	for (size_t len = body; len > 0x7f; len >>= 7)
		n++;
	return n + body;
}

/* --- Sizes, as the Collector counts them --------------------------------- */

/* Of the field Resource or scope in the wrapper: there even when empty. */
static size_t head_size(weir_str wrapper)
{
	struct weir_message_cursor cursor = weir_messages(wrapper, 1);

	return field_size(weir_message_next(&cursor) ? cursor.message.len : 0);
}

static void measure_heads(struct tail_sampling *self,
			  const struct weir_part *part)
{
	size_t n = part->n_scopes + part->n_resources;

	if (n > self->n_head_sizes) {
		free(self->head_sizes);
		self->head_sizes = malloc(n * sizeof(*self->head_sizes));
		if (!self->head_sizes)
			abort();
		self->n_head_sizes = n;
	}
	for (size_t i = 0; i < part->n_scopes; i++)
		self->head_sizes[i] = head_size(part->scopes[i].wrapper);
	for (size_t i = 0; i < part->n_resources; i++)
		self->head_sizes[part->n_scopes + i] =
			head_size(part->resources[i]);
}

static void begin_piece(struct tail_sampling *self,
			const struct weir_part *part, uint32_t scope,
			struct entry *entry)
{
	uint32_t resource = part->scopes[scope].resource;

	entry->in_piece = true;
	entry->root = false;
	entry->piece = NULL;
	entry->touched = NULL;
	*self->touched_end = entry;
	self->touched_end = &entry->touched;
	entry->scope = scope;
	entry->scope_bytes = self->head_sizes[scope];
	entry->piece_bytes = self->head_sizes[part->n_scopes + resource];
}

static void measure(struct tail_sampling *self, const struct weir_part *part,
		    const struct weir_part_span *span, struct entry *entry)
{
	if (!entry->in_piece) {
		begin_piece(self, part, span->scope, entry);
	} else if (entry->scope != span->scope) {
		entry->piece_bytes += field_size(entry->scope_bytes);
		entry->scope_bytes = self->head_sizes[span->scope];
		entry->scope = span->scope;
	}
	entry->scope_bytes += field_size(span->len);
}

/* --- The end of a piece -------------------------------------------------- */

static uint64_t soonest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When it is decided, now that spans of it have come. */
static void reschedule(struct tail_sampling *self, struct entry *entry)
{
	uint64_t next = self->buckets.now + 1, tick;

	if (entry->root && self->root_wait != UINT64_MAX)
		entry->limit = soonest(entry->limit, next + self->root_wait);
	tick = entry->limit;
	if (entry->rooted && self->quiet != UINT64_MAX)
		tick = soonest(tick, next + self->quiet);
	buckets_put(&self->buckets, entry, tick);
}

static void ask_piece(struct tail_sampling *self, struct entry *entry)
{
	uint64_t began = weir_now();
	enum verdict verdict = ask(self, entry, entry->piece);

	weir_histogram_record(&self->count.tick_ms,
			      &tail_sampling_metrics[ROW_TICK_MS],
			      (double)((weir_now() - began) / 1000000));
	count_verdict(self, verdict);
	if (verdict != VERDICT_PENDING)
		settle(self, entry, verdict);
}

static void too_large(struct tail_sampling *self, struct entry *entry)
{
	if (self->decide_large) {
		decide(self, entry);
		return;
	}
	weir_counter_add(&self->count.too_large, 1);
	entry->large = true;
	settle(self, entry, VERDICT_NOT_SAMPLED);
}

static void end_piece(struct tail_sampling *self, struct entry *entry)
{
	uint64_t most = self->set.maximum_trace_size_bytes;
	size_t size;

	entry->in_piece = false;
	if (entry->verdict != VERDICT_PENDING)
		return;
	size = entry->piece_bytes + field_size(entry->scope_bytes);
	entry->size += size;
	entry->bytes += field_size(size);
	reschedule(self, entry);
	if (most && entry->size > most)
		too_large(self, entry);
	else if (self->span_ingest && entry->piece)
		ask_piece(self, entry);
}

static void end_pieces(struct tail_sampling *self)
{
	self->piece++;
	while (self->touched) {
		struct entry *entry = self->touched;

		self->touched = entry->touched;
		if (!self->touched)
			self->touched_end = &self->touched;
		end_piece(self, entry);
	}
	out_flush(self, false);
}

/* --- Room ---------------------------------------------------------------- */

/* Decides traces that are due next: until there is room, or a batch worth
 * passing on.  False when that changes nothing. */
static bool relieve(struct tail_sampling *self)
{
	size_t before = self->store.bytes, n = 0, waiting;
	struct entry *entry;

	while (n < RELIEF_TRACES && self->out.bytes < RELIEF_BYTES &&
	       self->store.bytes >= before &&
	       (entry = buckets_next(&self->buckets))) {
		decide(self, entry);
		n++;
	}
	waiting = self->out.n;
	out_flush(self, true);
	return n || self->out.n < waiting;
}

/* One entry more within num_traces: else the oldest goes, decided or not.
 * With block_on_overflow a part that has more new traces than there can be
 * comes this far: there the oldest is decided first. */
static void make_place(struct tail_sampling *self)
{
	struct entry *oldest = self->table.oldest;

	if (weir_credits_take(self->traces, 1))
		return;
	if (oldest && oldest->verdict == VERDICT_PENDING &&
	    self->set.block_on_overflow) {
		decide(self, oldest);
		if (weir_credits_take(self->traces, 1))
			return;
		oldest = self->table.oldest;
	}
	if (oldest) {
		if (oldest->verdict == VERDICT_PENDING)
			weir_counter_add(&self->count.too_early, 1);
		forget(self, oldest, WEIR_REASON_FULL);
	}
	weir_credits_force(self->traces, 1);
}

static struct entry *new_trace(struct tail_sampling *self,
			       const struct weir_part_span *span)
{
	struct entry *entry;

	make_place(self);
	entry = table_add(&self->table, span->hash, span->trace_id);
	entry->arrived = weir_now();
	entry->limit = self->buckets.now + 1 + self->wait;
	buckets_put(&self->buckets, entry, entry->limit);
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

static void append(struct tail_sampling *self, struct entry *entry,
		   struct stored_span *stored,
		   const struct weir_part_span *span)
{
	if (entry->last)
		entry->last->next = stored;
	else
		entry->first = stored;
	entry->last = stored;
	if (!entry->piece)
		entry->piece = stored;
	if ((self->root_wait != UINT64_MAX || self->quiet != UINT64_MAX) &&
	    is_root(span))
		entry->root = entry->rooted = true;
}

/* Copies span i for the out chain or the entry.  The part was let in, so it may
 * take more than the room when nobody is left to be decided; NULL: the budget
 * of the process is used up. */
static struct stored_span *keep(struct tail_sampling *self,
				const struct weir_part *part, size_t i)
{
	struct stored_span *stored;

	while (!(stored = store_add(&self->store, part, i, false)))
		if (!relieve(self))
			return store_add(&self->store, part, i, true);
	return stored;
}

static void lose(struct tail_sampling *self)
{
	weir_count_dropped(&self->base, WEIR_SIGNAL_TRACES, WEIR_REASON_MEMORY,
			   1);
}

static void pass_on(struct tail_sampling *self, const struct weir_part *part,
		    size_t i)
{
	struct stored_span *stored = keep(self, part, i);
	struct chain one = { stored, stored, 1, part->spans[i].len };

	if (stored)
		chain_join(&self->out, &one);
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
	uint64_t age = weir_now() - entry->settled;

	weir_histogram_record(&self->count.late_age,
			      &tail_sampling_metrics[ROW_LATE_AGE],
			      (double)(age / 1000000000));
}

static void late(struct tail_sampling *self, struct entry *entry,
		 const struct weir_part *part, size_t i)
{
	if (entry->settled && entry->late != self->piece)
		record_late(self, entry);
	entry->late = self->piece;
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
	if (!*entry || (*entry)->verdict == VERDICT_PENDING)
		return false;
	late(self, *entry, part, i);
	return true;
}

static void take_span(struct tail_sampling *self, const struct weir_part *part,
		      size_t i)
{
	const struct weir_part_span *span = &part->spans[i];
	uint64_t decided = self->decided;
	struct stored_span *stored;
	struct entry *entry;

	if (follows(self, part, i, &entry))
		return;
	stored = keep(self, part, i);
	if (!stored) {
		lose(self);
		return;
	}
	/* Its own trace may have been decided for want of room. */
	if (decided != self->decided && follows(self, part, i, &entry)) {
		store_let_go(&self->store, stored);
		return;
	}
	if (!entry)
		entry = new_trace(self, span);
	entry->spans++;
	measure(self, part, span, entry);
	append(self, entry, stored, span);
}

/* Makes room for a part before any of it is taken.  False: other workers have
 * it all, or what was sampled cannot go on. */
static bool have_room(struct tail_sampling *self, const struct weir_part *part)
{
	bool never;

	while (!store_fits(&self->store, part, &never))
		if (!relieve(self))
			return never && !self->out.n;
	return true;
}

bool ingest(struct tail_sampling *self, const struct weir_batch *batch)
{
	const struct weir_part *part = weir_batch_part(batch);
	uint32_t resource = UINT32_MAX;

	if (!have_room(self, part))
		return false;
	measure_heads(self, part);
	store_begin(&self->store, part);
	for (size_t i = 0; i < part->n; i++) {
		uint32_t of = part->scopes[part->spans[i].scope].resource;

		if (of != resource)
			end_pieces(self);
		resource = of;
		take_span(self, part, i);
	}
	end_pieces(self);
	out_flush(self, true);
	return true;
}

void ingest_release(struct tail_sampling *self)
{
	free(self->head_sizes);
}
