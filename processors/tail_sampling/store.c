/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.c: the log of segments.
 *
 *	buckets | head | span | span | head | span | ... | records
 *
 * Heads of a segment are found by the hash of their bytes, and for the scope
 * that is being added by a memo: bytes are compared once a scope of a part, not
 * once a span.  Nothing is ever moved.
 */
#include "store.h"

#include "heads.h"

#include <stdlib.h>
#include <string.h>

/* With what core adds to a payload it is a size that core keeps for reuse, so
 * that the next segment has warm pages. */
#define SEGMENT_SIZE(size) ((size) - 256)
#define LARGEST (256u << 10)
#define SMALLEST (4u << 10)
#define SEGMENTS 16		/* so many a worker, at least, in all the room */
#define BUCKETS 64		/* heads by hash, at the segment's beginning */
#define RECORDS (1u << RECORD_BITS)
#define NUMBERS (UINT32_MAX >> RECORD_BITS)
#define AHEAD 640		/* bytes that are fetched before they are
				 * written: about one span */
#define LINE 64
#define NOBODY UINT32_MAX

/* Of heads; spans are only copied and have none. */
static size_t aligned(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static struct stored_head *head_at(struct segment *segment, uint32_t offset)
{
	return (struct stored_head *)(void *)(segment->bytes + offset);
}

static uint32_t *bucket_of(struct segment *segment, uint32_t hash)
{
	return (uint32_t *)(void *)segment->bytes + hash % BUCKETS;
}

static size_t left_in(const struct segment *segment)
{
	return segment->size - segment->used -
	       segment->n * sizeof(struct stored_span);
}

/* --- Segments ------------------------------------------------------------ */

/* The room was reserved, but for a part that is larger than all of it. */
static bool charge(const struct store *store, size_t size, bool force)
{
	if (!force &&
	    store->bytes + size > weir_credits_total(store->room))
		return false;
	weir_credits_force(store->room, size);
	return true;
}

/* A number for one more segment; 0: there are none. */
static uint32_t new_number(struct store *store)
{
	uint32_t number = store->spare;

	if (number) {
		store->spare = store->segments[number].spare;
		return number;
	}
	if (store->n_numbers == NUMBERS)
		return 0;
	number = ++store->n_numbers;
	if (number >= store->cap) {
		store->cap = store->cap ? store->cap * 2 : 64;
		store->segments = realloc(store->segments, store->cap *
					  sizeof(*store->segments));
		if (!store->segments)
			abort();
	}
	return number;
}

static void spare_number(struct store *store, uint32_t number)
{
	store->segments[number] = (struct segment){ .spare = store->spare };
	store->spare = number;
}

/* Charged: room, the budget of the process, a number. */
static bool make_segment(struct store *store, uint32_t number, size_t size,
			 bool force)
{
	struct segment *segment = &store->segments[number];
	struct weir_payload *payload;

	if (!charge(store, size, force))
		return false;
	payload = weir_payload_new(store->c, size);
	if (!payload) {
		weir_credits_give(store->room, size);
		return false;
	}
	*segment = (struct segment){ .payload = payload,
		.bytes = weir_payload_bytes(payload), .size = (uint32_t)size,
		.used = BUCKETS * sizeof(uint32_t) };
	memset(segment->bytes, 0, segment->used);
	return true;
}

/* For a span and its heads.  Large heads come on top of the usual size: what is
 * left shall hold many spans that share them, for the next segment has the heads
 * again. */
static size_t size_for(const struct store *store, size_t need, size_t heads)
{
	size_t size = BUCKETS * sizeof(uint32_t) + need + heads;

	if (heads > store->segment_size / 4)
		size += store->segment_size;
	if (size < store->segment_size)
		size = store->segment_size;
	return (size + 15) & ~(size_t)15;	/* records end there */
}

static bool open_segment(struct store *store, size_t size, bool force)
{
	uint32_t number;

	number = size > UINT32_MAX ? 0 : new_number(store);
	if (!number)
		return false;
	if (!make_segment(store, number, size, force)) {
		spare_number(store, number);
		return false;
	}
	store->open = number;
	store->bytes += size;
	store->serial++;
	return true;
}

static void drop_segment(struct store *store, struct segment *segment)
{
	uint32_t number = (uint32_t)(segment - store->segments);

	store->bytes -= segment->size;
	weir_credits_give(store->room, segment->size);
	weir_payload_free(&segment->payload);
	if (store->open == number)
		store->open = 0;
	spare_number(store, number);
}

/* --- Heads --------------------------------------------------------------- */

static struct wrapper scope_wrapper(const struct weir_part *part, uint32_t i)
{
	return (struct wrapper){ part->scopes[i].wrapper,
				 part->scopes[i].head };
}

static struct wrapper resource_wrapper(const struct weir_part *part, uint32_t i)
{
	return (struct wrapper){ part->resources[i].wrapper,
				 part->resources[i].head };
}

static void measure(struct head_memo *memo, const struct wrapper *wrapper)
{
	if (!memo->measured)
		memo->hash = wrapper_hash(wrapper, &memo->len);
	memo->measured = true;
}

static uint32_t find_head(struct segment *segment, const struct head_memo *memo,
			  uint32_t parent, const struct wrapper *wrapper)
{
	uint32_t at = *bucket_of(segment, memo->hash);

	for (; at; at = head_at(segment, at)->next) {
		const struct stored_head *head = head_at(segment, at);

		if (head->hash == memo->hash && head->parent == parent &&
		    wrapper_has(wrapper, head->fields, head->len))
			return at;
	}
	return 0;
}

static uint32_t put_head(struct segment *segment, const struct head_memo *memo,
			 uint32_t parent, const struct wrapper *wrapper)
{
	uint32_t *bucket = bucket_of(segment, memo->hash);
	uint32_t at = (uint32_t)aligned(segment->used);
	struct stored_head *head = head_at(segment, at);

	segment->used = at + (uint32_t)(sizeof(*head) + memo->len);
	*head = (struct stored_head){ *bucket, parent, memo->hash,
				      (uint32_t)memo->len };
	wrapper_copy(wrapper, head->fields);
	return *bucket = at;
}

/* In the open segment. */
static uint32_t get_head(const struct store *store, struct head_memo *memo,
			 uint32_t parent, const struct wrapper *wrapper)
{
	struct segment *segment = &store->segments[store->open];

	if (memo->serial == store->serial)
		return memo->head;
	measure(memo, wrapper);
	memo->head = find_head(segment, memo, parent, wrapper);
	if (!memo->head)
		memo->head = put_head(segment, memo, parent, wrapper);
	memo->serial = store->serial;
	return memo->head;
}

/* Spans come scope by scope: one memo of each is enough. */
static void turn_to(struct store *store, const struct weir_part *part,
		    uint32_t scope)
{
	uint32_t resource = part->scopes[scope].resource;

	if (store->scope.index == scope)
		return;
	store->scope = (struct head_memo){ .index = scope };
	if (store->resource.index != resource)
		store->resource = (struct head_memo){ .index = resource };
}

static void get_scope(struct store *store, const struct weir_part *part)
{
	struct wrapper resource = resource_wrapper(part,
						   store->resource.index);
	struct wrapper scope = scope_wrapper(part, store->scope.index);
	uint32_t parent = get_head(store, &store->resource, 0, &resource);

	get_head(store, &store->scope, parent, &scope);
}

/* What the heads of the scope take at most: with what alignment costs. */
static size_t room_for_heads(struct store *store, const struct weir_part *part)
{
	struct wrapper resource = resource_wrapper(part,
						   store->resource.index);
	struct wrapper scope = scope_wrapper(part, store->scope.index);

	measure(&store->resource, &resource);
	measure(&store->scope, &scope);
	return 2 * aligned(sizeof(struct stored_head) + 3) +
	       store->resource.len + store->scope.len;
}

/* --- Adding, letting go -------------------------------------------------- */

/* Small ones where there is little room for many workers. */
static size_t segment_size(const struct weir_credits *room)
{
	uint64_t most = weir_credits_total(room) / SEGMENTS / weir_workers();
	size_t size = LARGEST;

	while (size > SMALLEST && size > most)
		size /= 2;
	return SEGMENT_SIZE(size);
}

void store_init(struct store *store, struct weir_component *c,
		struct weir_credits *room)
{
	*store = (struct store){ .c = c, .room = room,
				 .segment_size = segment_size(room) };
}

void store_release(struct store *store)
{
	for (uint32_t i = 1; i <= store->n_numbers; i++)
		if (store->segments[i].bytes)
			drop_segment(store, &store->segments[i]);
	free(store->segments);
	*store = (struct store){ 0 };
}

void store_begin(struct store *store)
{
	store->scope = store->resource = (struct head_memo){ .index = NOBODY };
}

static bool fits(const struct store *store, size_t need)
{
	const struct segment *open;

	if (!store->open)		/* nor any segment, maybe */
		return false;
	open = &store->segments[store->open];
	return open->n < RECORDS && need <= left_in(open);
}

/* Room for the span in the open segment, or a new one. */
static bool make_room(struct store *store, const struct weir_part *part,
		      size_t i, bool force)
{
	size_t need = sizeof(struct stored_span) + part->spans[i].len, heads;

	if (store->scope.serial == store->serial && fits(store, need))
		return true;
	heads = room_for_heads(store, part);
	if (store->scope.serial != store->serial && fits(store, need + heads))
		return true;
	return open_segment(store, size_for(store, need, heads), force);
}

/* What stays free at the end of a segment, and of the last one; each span may
 * bring two heads. */
void store_needs(const struct store *store, uint64_t *per_part,
		 uint64_t *per_span)
{
	*per_part = 2 * store->segment_size;
	*per_span = sizeof(struct stored_span) +
		    2 * aligned(sizeof(struct stored_head) + 3);
}

/* The log's end is memory that nobody has touched for the time that traces
 * wait.  A little before it is written is early enough. */
static void fetch_ahead(const struct segment *segment, size_t len)
{
	const uint8_t *p = segment->bytes + segment->used + AHEAD;
	size_t n = len < LINE * 32 ? len : LINE * 32;

	for (size_t i = 0; i < n; i += LINE)
		__builtin_prefetch(p + i, 1);
}

span_ref store_add(struct store *store, const struct weir_part *part, size_t i,
		   bool force)
{
	const struct weir_part_span *from = &part->spans[i];
	struct segment *open;
	span_ref ref;

	turn_to(store, part, from->scope);
	if (!make_room(store, part, i, force))
		return NO_SPAN;
	if (store->scope.serial != store->serial)
		get_scope(store, part);
	open = &store->segments[store->open];
	ref = store->open << RECORD_BITS | open->n;
	open->n++;
	open->live++;
	*store_span(store, ref) = (struct stored_span){
		.scope = store->scope.head, .at = open->used, .len = from->len };
	fetch_ahead(open, from->len);
	memcpy(open->bytes + open->used, from->message, from->len);
	open->used += from->len;
	return ref;
}

void store_let_go(struct store *store, span_ref ref)
{
	struct segment *segment = store_segment(store, ref);

	if (!--segment->live)
		drop_segment(store, segment);
}
