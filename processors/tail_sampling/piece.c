/* SPDX-License-Identifier: Apache-2.0 */
/*
 * piece.c: what concerns the spans of one trace in one ResourceSpans together.
 *
 * A piece begins with the first such span; when the resource ends all pieces
 * end, in the order of their beginnings: sizes, root spans, and with
 * span-ingest the question to the policies.  Between resources there is none.
 */
#include <stdlib.h>
#include <string.h>

#include "tail_sampling.h"

#define KEPT 16384		/* more than large batches have */
#define NOBODY UINT32_MAX

/* The spans of one trace in the resource that is taken in. */
struct piece {
	struct entry *entry;		/* which waits; NULL: no longer */
	uint32_t scope;			/* the current one, */
	bool root;			/* one is a root span */
	uint64_t scope_bytes, bytes;	/* its body, what is before */
};

/* Those of traces that wait no longer leave, so that there are not many more
 * than wait. */
static void compact_pieces(struct tail_sampling *self)
{
	size_t n = 0;

	for (size_t i = 0; i < self->n_pieces; i++) {
		struct piece *piece = &self->pieces[i];

		if (!piece->entry)
			continue;
		self->pieces[n++] = *piece;
		piece->entry->pending->piece = (uint32_t)n;
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

/* --- Sizes, as the Collector counts them --------------------------------- */

/* Of the field Resource or scope in the wrapper, with tag and length: counted
 * even when absent. */
static size_t head_size(weir_str wrapper)
{
	struct weir_message_cursor cursor = weir_messages(wrapper, 1);

	return field_size(weir_message_next(&cursor) ? cursor.message.len : 0);
}

/* Of the scope of the span that comes, and of its resource. */
static void measure_heads(struct tail_sampling *self,
			  const struct weir_part *part, uint32_t scope)
{
	uint32_t resource = part->scopes[scope].resource;

	if (self->scope.index == scope)
		return;
	if (self->resource.index != resource)
		self->resource = (struct head_size){ resource,
			head_size(part->resources[resource].wrapper) };
	self->scope = (struct head_size){ scope,
		head_size(part->scopes[scope].wrapper) };
}

/* --- Its beginning ------------------------------------------------------- */

static void begin_piece(struct tail_sampling *self, struct entry *entry)
{
	struct pending *pending = entry->pending;

	*new_piece(self) = (struct piece){
		.entry = entry, .scope = self->scope.index,
		.scope_bytes = self->scope.size,
		.bytes = self->resource.size };
	pending->piece = (uint32_t)self->n_pieces;
	if (!self->span_ingest)
		return;
	/* Policies are asked about the piece alone. */
	pending->times = (struct trace_times){ 0 };
	memset(pending->marks, 0, self->table.marks * sizeof(*pending->marks));
}

void piece_add(struct tail_sampling *self, const struct weir_part *part,
	       const struct weir_part_span *span, struct entry *entry,
	       bool root)
{
	struct piece *piece;

	measure_heads(self, part, span->scope);
	if (!entry->pending->piece)
		begin_piece(self, entry);
	piece = &self->pieces[entry->pending->piece - 1];
	if (piece->scope != span->scope) {
		piece->bytes += field_size(piece->scope_bytes);
		piece->scope_bytes = self->scope.size;
		piece->scope = span->scope;
	}
	piece->scope_bytes += field_size(span->len);
	piece->root |= root;
	entry->pending->rooted |= root;
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
	struct pending *pending = entry->pending;
	uint64_t next = self->buckets.now + 1, tick;

	if (root && self->root_wait != UINT64_MAX)
		pending->limit = (uint32_t)soonest(pending->limit,
						   next + self->root_wait);
	tick = pending->limit;
	if (pending->rooted && self->quiet != UINT64_MAX)
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
	entry->pending->large = true;
	settle(self, entry, VERDICT_NOT_SAMPLED);
}

static void end_piece(struct tail_sampling *self, const struct piece *piece)
{
	uint64_t most = self->set.maximum_trace_size_bytes;
	struct entry *entry = piece->entry;
	struct pending *pending = entry->pending;
	size_t size = piece->bytes + field_size(piece->scope_bytes);

	pending->piece = 0;
	pending->size += size;
	pending->bytes += field_size(size);
	reschedule(self, entry, piece->root);
	if (most && pending->size > most)
		too_large(self, entry);
	else if (self->span_ingest)
		ask_piece(self, entry);
}

void end_pieces(struct tail_sampling *self)
{
	self->n_resources++;
	for (size_t i = 0; i < self->n_pieces; i++)
		if (self->pieces[i].entry)
			end_piece(self, &self->pieces[i]);
	self->n_pieces = 0;
	out_flush(self, false);
}

void begin_pieces(struct tail_sampling *self)
{
	self->scope.index = self->resource.index = NOBODY;
}

void trim_pieces(struct tail_sampling *self)
{
	if (self->cap_pieces <= KEPT)
		return;
	free(self->pieces);
	self->pieces = NULL;
	self->cap_pieces = 0;
}

void leave_piece(struct tail_sampling *self, const struct pending *pending)
{
	self->pieces[pending->piece - 1].entry = NULL;
}
