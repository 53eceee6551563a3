/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.c: the log of segments.
 *
 *	buckets | head | span | span | head | span | ... | records
 *
 * Heads of a segment are found by the hash of their bytes, and for the part
 * that is being added by a memo: bytes are compared once a part, not once a
 * span.  Nothing is ever moved.
 */
#include "store.h"

#include <stdlib.h>
#include <string.h>

/* With what core adds to a payload it is a size that core keeps for reuse, so
 * that the next segment has warm pages. */
#define SEGMENT_SIZE ((256u << 10) - 256)
#define BUCKETS 64		/* heads by hash, at the segment's beginning */
#define RECORDS (1u << RECORD_BITS)
#define NUMBERS (UINT32_MAX >> RECORD_BITS)
#define AHEAD 640		/* bytes that are fetched before they are
				 * written: about one span */
#define LINE 64

/* What is known of a scope or resource of the part. */
struct head_memo {
	uint64_t serial;	/* of the segment with its head; 0: none */
	uint32_t head;
};

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

/* --- Wrappers without their children ------------------------------------- */

#define CHILDREN 0x12	/* scope_spans = 2, spans = 2 */

/* Walks what is between children: a run of other fields at a time. */
struct between {
	struct weir_message_cursor children;
	const uint8_t *p, *end;
	bool last;
};

static struct between between_children(weir_str wrapper)
{
	const uint8_t *p = (const uint8_t *)wrapper.ptr;

	return (struct between){ .children = weir_messages(wrapper, 2),
				 .p = p, .end = p + wrapper.len };
}

/* Where the field of that body begins: before its length and its tag. */
static const uint8_t *field_start(weir_str body)
{
	const uint8_t *p = (const uint8_t *)body.ptr - 1;
	size_t n = 1;

	for (size_t len = body.len; len > 0x7f; len >>= 7)
		n++;
	return p - n;
}

static bool next_run(struct between *b, weir_str *run)
{
	const uint8_t *start = b->p, *stop = b->end;

	if (b->last)
		return false;
	if (weir_message_next(&b->children)) {
		weir_str child = b->children.message;

		stop = field_start(child);
		b->p = (const uint8_t *)child.ptr + child.len;
	} else {
		b->last = true;
	}
	*run = (weir_str){ (const char *)start, (size_t)(stop - start) };
	return true;
}

static uint32_t hash_head(weir_str wrapper, size_t *len)
{
	struct between b = between_children(wrapper);
	uint64_t hash = 0;
	weir_str run;

	*len = 0;
	while (next_run(&b, &run)) {
		hash = hash * 31 + weir_hash(run.ptr, run.len);
		*len += run.len;
	}
	return (uint32_t)hash;
}

static bool same_head(const struct stored_head *head, weir_str wrapper)
{
	struct between b = between_children(wrapper);
	const uint8_t *at = head->fields, *end = at + head->len;
	weir_str run;

	while (next_run(&b, &run)) {
		if (run.len > (size_t)(end - at) ||
		    (run.len && memcmp(at, run.ptr, run.len)))
			return false;
		at += run.len;
	}
	return at == end;
}

static void copy_head(struct stored_head *head, weir_str wrapper)
{
	struct between b = between_children(wrapper);
	uint8_t *at = head->fields;
	weir_str run;

	while (next_run(&b, &run)) {
		if (run.len)
			memcpy(at, run.ptr, run.len);
		at += run.len;
	}
}

/* --- Segments ------------------------------------------------------------ */

static bool charge(struct store *store, size_t size, bool force)
{
	if (force)
		weir_credits_force(store->room, size);
	return force || weir_credits_take(store->room, size);
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

static bool open_segment(struct store *store, size_t need, bool force)
{
	size_t size = BUCKETS * sizeof(uint32_t) + need;
	uint32_t number;

	if (size < SEGMENT_SIZE)
		size = SEGMENT_SIZE;
	size = (size + 15) & ~(size_t)15;	/* records end there */
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

static uint32_t find_head(struct segment *segment, uint32_t hash,
			  uint32_t parent, weir_str wrapper)
{
	uint32_t at = *bucket_of(segment, hash);

	for (; at; at = head_at(segment, at)->next) {
		const struct stored_head *head = head_at(segment, at);

		if (head->hash == hash && head->parent == parent &&
		    same_head(head, wrapper))
			return at;
	}
	return 0;
}

static uint32_t put_head(struct segment *segment, uint32_t hash, size_t len,
			 uint32_t parent, weir_str wrapper)
{
	uint32_t *bucket = bucket_of(segment, hash);
	uint32_t at = (uint32_t)aligned(segment->used);
	struct stored_head *head = head_at(segment, at);

	segment->used = at + (uint32_t)(sizeof(*head) + len);
	*head = (struct stored_head){ *bucket, parent, hash, (uint32_t)len };
	copy_head(head, wrapper);
	return *bucket = at;
}

static uint32_t get_head(const struct store *store, struct head_memo *memo,
			 uint32_t parent, weir_str wrapper)
{
	struct segment *segment = &store->segments[store->open];
	uint32_t hash;
	size_t len;

	if (memo->serial == store->serial)
		return memo->head;
	hash = hash_head(wrapper, &len);
	memo->head = find_head(segment, hash, parent, wrapper);
	if (!memo->head)
		memo->head = put_head(segment, hash, len, parent, wrapper);
	memo->serial = store->serial;
	return memo->head;
}

/* --- Adding, letting go -------------------------------------------------- */

void store_init(struct store *store, struct weir_component *c,
		struct weir_credits *room)
{
	*store = (struct store){ .c = c, .room = room };
}

void store_release(struct store *store)
{
	for (uint32_t i = 1; i <= store->n_numbers; i++)
		if (store->segments[i].bytes)
			drop_segment(store, &store->segments[i]);
	free(store->segments);
	free(store->memos);
	*store = (struct store){ 0 };
}

/* The memos of its scopes, then those of its resources. */
void store_begin(struct store *store, const struct weir_part *part)
{
	size_t n = part->n_scopes + part->n_resources;

	if (n > store->n_memos) {
		store->n_memos = n;
		free(store->memos);
		store->memos = malloc(n * sizeof(*store->memos));
		if (!store->memos)
			abort();
	}
	memset(store->memos, 0, n * sizeof(*store->memos));
}

/* With heads of its own, and what alignment costs. */
static size_t room_for(const struct weir_part *part, size_t i)
{
	const struct weir_part_span *span = &part->spans[i];
	const struct weir_part_scope *scope = &part->scopes[span->scope];
	size_t scope_len, resource_len;

	hash_head(scope->wrapper, &scope_len);
	hash_head(part->resources[scope->resource], &resource_len);
	return sizeof(struct stored_span) + span->len +
	       2 * aligned(sizeof(struct stored_head) + 3) + scope_len +
	       resource_len;
}

static bool fits(const struct store *store, const struct weir_part *part,
		 size_t i)
{
	const struct weir_part_span *span = &part->spans[i];
	const struct segment *open;

	if (!store->open)		/* nor any segment, maybe */
		return false;
	open = &store->segments[store->open];
	if (open->n == RECORDS)
		return false;
	if (store->memos[span->scope].serial == store->serial)
		return sizeof(struct stored_span) + span->len <= left_in(open);
	return room_for(part, i) <= left_in(open);
}

bool store_fits(const struct store *store, const struct weir_part *part,
		bool *never)
{
	uint64_t total = weir_credits_total(store->room),
		 used = weir_credits_used(store->room);
	uint64_t free_room = used < total ? total - used : 0, need = 0;
	uint64_t here = store->open ?
			left_in(&store->segments[store->open]) : 0;

	for (size_t i = 0; i < part->n; i++)
		need += sizeof(struct stored_span) + part->spans[i].len;
	*never = need > total;
	if (need <= here)
		return true;
	return free_room >= SEGMENT_SIZE && need <= here + free_room;
}

/* The head of its scope in the open segment. */
static uint32_t scope_of(struct store *store, const struct weir_part *part,
			 uint32_t scope)
{
	struct head_memo *memo = &store->memos[scope];
	uint32_t resource = part->scopes[scope].resource, parent;

	if (memo->serial == store->serial)
		return memo->head;
	parent = get_head(store, &store->memos[part->n_scopes + resource], 0,
			  part->resources[resource]);
	return get_head(store, memo, parent, part->scopes[scope].wrapper);
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
	uint32_t scope;
	span_ref ref;

	if (!fits(store, part, i) &&
	    !open_segment(store, room_for(part, i), force))
		return NO_SPAN;
	scope = scope_of(store, part, from->scope);
	open = &store->segments[store->open];
	ref = store->open << RECORD_BITS | open->n;
	open->n++;
	open->live++;
	*store_span(store, ref) = (struct stored_span){
		.scope = scope, .at = open->used, .len = from->len };
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
