/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ingest.c: the spans of a part find their traces.
 *
 * Span by span: a decided trace passes it on or discards it; else its bytes are
 * copied to the log, and what the policies look for is looked for while they
 * are at hand.  What concerns a piece, the spans of one trace in one
 * ResourceSpans, happens when that ends: sizes, root spans, and with span-ingest
 * the question to the policies.
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

#define RELIEF_TRACES 32
#define RELIEF_BYTES (64u << 10)
#define SLOT_AHEAD 12		/* spans */
#define ENTRY_AHEAD 6

/* The spans of one trace in the resource that is taken in. */
struct piece {
	struct entry *entry;		/* NULL: it went */
	uint32_t scope;			/* the current one, */
	bool root;			/* one is a root span */
	uint64_t scope_bytes, bytes;	/* its body, what is before */
};

static size_t field_size(size_t body)
{
	size_t n = 2;

	for (size_t len = body; len > 0x7f; len >>= 7)
		n++;
	return n + body;
}

/* --- Sizes, as the Collector counts them --------------------------------- */

/* Body of the field Resource or scope in the wrapper; "" when absent. */
static weir_str head_of(weir_str wrapper)
{
	struct weir_message_cursor cursor = weir_messages(wrapper, 1);

	return weir_message_next(&cursor) ? cursor.message : WEIR_STR("");
}

/* With tag and length: counted even when empty. */
static size_t head_size(weir_str wrapper)
{
	return field_size(head_of(wrapper).len);
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
			head_size(part->resources[i].wrapper);
}

/* Those whose entries went leave, so that there are not many more than traces
 * are known. */
static void compact_pieces(struct tail_sampling *self)
{
	size_t n = 0;

	for (size_t i = 0; i < self->n_pieces; i++) {
		struct piece *piece = &self->pieces[i];

		if (!piece->entry)
			continue;
		self->pieces[n++] = *piece;
		piece->entry->piece = (uint32_t)n;
	}
	self->n_pieces = n;
}

static void more_pieces(struct tail_sampling *self)
{
	compact_pieces(self);
	if (self->cap_pieces && self->n_pieces <= self->cap_pieces / 2)
		return;
	self->cap_pieces = self->cap_pieces ? self->cap_pieces * 2 : 512;
	self->pieces = realloc(self->pieces,
			       self->cap_pieces * sizeof(*self->pieces));
	if (!self->pieces)
		abort();
}

static struct piece *new_piece(struct tail_sampling *self)
{
	if (self->n_pieces == self->cap_pieces)
		more_pieces(self);
	return &self->pieces[self->n_pieces++];
}

static void begin_piece(struct tail_sampling *self,
			const struct weir_part *part, uint32_t scope,
			struct entry *entry)
{
	uint32_t resource = part->scopes[scope].resource;

	*new_piece(self) = (struct piece){
		.entry = entry, .scope = scope,
		.scope_bytes = self->head_sizes[scope],
		.bytes = self->head_sizes[part->n_scopes + resource] };
	entry->piece = (uint32_t)self->n_pieces;
	if (!self->span_ingest)
		return;
	/* Policies are asked about the piece alone. */
	entry->times = (struct trace_times){ 0 };
	memset(entry->marks, 0, self->table.marks * sizeof(*entry->marks));
}

static struct piece *measure(struct tail_sampling *self,
			     const struct weir_part *part,
			     const struct weir_part_span *span,
			     struct entry *entry)
{
	struct piece *piece;

	if (!entry->piece)
		begin_piece(self, part, span->scope, entry);
	piece = &self->pieces[entry->piece - 1];
	if (piece->scope != span->scope) {
		piece->bytes += field_size(piece->scope_bytes);
		piece->scope_bytes = self->head_sizes[span->scope];
		piece->scope = span->scope;
	}
	piece->scope_bytes += field_size(span->len);
	return piece;
}

/* --- The end of a piece -------------------------------------------------- */

static uint64_t soonest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When it is decided, now that spans of it have come. */
static void reschedule(struct tail_sampling *self, struct entry *entry,
		       bool root)
{
	uint64_t next = self->buckets.now + 1, tick;

	if (root && self->root_wait != UINT64_MAX)
		entry->limit = (uint32_t)soonest(entry->limit,
						 next + self->root_wait);
	tick = entry->limit;
	if (entry->rooted && self->quiet != UINT64_MAX)
		tick = soonest(tick, next + self->quiet);
	buckets_put(&self->buckets, entry, (uint32_t)tick);
}

static void ask_piece(struct tail_sampling *self, struct entry *entry)
{
	uint64_t began = weir_now();
	enum verdict verdict = ask(self, entry);

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

static void end_piece(struct tail_sampling *self, const struct piece *piece)
{
	uint64_t most = self->set.maximum_trace_size_bytes;
	struct entry *entry = piece->entry;
	size_t size;

	entry->piece = 0;
	if (entry->verdict != VERDICT_PENDING)
		return;
	size = piece->bytes + field_size(piece->scope_bytes);
	entry->size += size;
	entry->bytes += field_size(size);
	reschedule(self, entry, piece->root);
	if (most && entry->size > most)
		too_large(self, entry);
	else if (self->span_ingest)
		ask_piece(self, entry);
}

static void end_pieces(struct tail_sampling *self)
{
	self->resource++;
	for (size_t i = 0; i < self->n_pieces; i++)
		if (self->pieces[i].entry)
			end_piece(self, &self->pieces[i]);
	self->n_pieces = 0;
	out_flush(self, false);
}

void leave_piece(struct tail_sampling *self, const struct entry *entry)
{
	self->pieces[entry->piece - 1].entry = NULL;
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
	entry->arrived = self->now;
	entry->limit = self->buckets.now + 1 + (uint32_t)self->wait;
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

/* What there is to know of the span that is now in the log. */
static void append(struct tail_sampling *self, const struct weir_part *part,
		   const struct weir_part_span *span, struct entry *entry,
		   span_ref ref)
{
	const struct watch *watch = policies_watch(self->policies);
	struct piece *piece = measure(self, part, span, entry);

	store_span(&self->store, ref)->before = entry->last;
	entry->last = ref;
	entry->spans++;
	if ((self->root_wait != UINT64_MAX || self->quiet != UINT64_MAX) &&
	    is_root(span))
		piece->root = entry->rooted = true;
	if (!watch->n)
		return;
	for (size_t i = 0; i < self->table.marks; i++)
		entry->marks[i] |= self->resource_marks[i];
	watch_span(watch, (weir_str){ (const char *)span->message, span->len },
		   &entry->times, entry->marks);
}

/* Copies span i for the out list or the entry.  The part was let in, so it may
 * take more than the room when nobody is left to be decided; NO_SPAN: the budget
 * of the process is used up. */
static span_ref keep(struct tail_sampling *self, const struct weir_part *part,
		     size_t i)
{
	span_ref ref;

	while (!(ref = store_add(&self->store, part, i, false)))
		if (!relieve(self))
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
	if (entry->settled && entry->late != self->resource)
		record_late(self, entry);
	entry->late = self->resource;
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
		entry = new_trace(self, span);
	append(self, part, span, entry, ref);
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

/* What policies look for in the resource of the spans that follow. */
static void see_resource(struct tail_sampling *self, weir_str wrapper)
{
	const struct watch *watch = policies_watch(self->policies);

	memset(self->resource_marks, 0,
	       self->table.marks * sizeof(*self->resource_marks));
	if (watch->n_keys)
		watch_resource(watch, head_of(wrapper), self->resource_marks);
}

static void fetch_ahead(struct tail_sampling *self,
			const struct weir_part *part, size_t i)
{
	if (i + SLOT_AHEAD < part->n)
		table_fetch_slot(&self->table, part->spans[i + SLOT_AHEAD].hash);
	if (i + ENTRY_AHEAD < part->n)
		table_fetch_entry(&self->table,
				  part->spans[i + ENTRY_AHEAD].hash);
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

		if (of != resource) {
			end_pieces(self);
			see_resource(self, part->resources[of].wrapper);
		}
		resource = of;
		fetch_ahead(self, part, i);
		take_span(self, part, i);
	}
	end_pieces(self);
	out_flush(self, true);
	return true;
}

void ingest_init(struct tail_sampling *self)
{
	self->table.marks = watch_words(policies_watch(self->policies));
	self->resource_marks = calloc(self->table.marks + 1,
				      sizeof(*self->resource_marks));
	if (!self->resource_marks)
		abort();
}

void ingest_release(struct tail_sampling *self)
{
	free(self->head_sizes);
	free(self->pieces);
	free(self->resource_marks);
}
