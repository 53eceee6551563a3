/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.c: the log of segments.
 *
 *	segment | head | span | span | head | span | ...
 *
 * Heads of a segment are found by the hash of their bytes, and for the part
 * that is being added by a memo: bytes are compared once a part, not once a
 * span.  Nothing is ever moved.
 */
#include "store.h"

#include <stdlib.h>
#include <string.h>

#define SEGMENT_SIZE (256u << 10)
#define BUCKETS 64

struct segment {
	struct segment *next, *prev;
	struct weir_payload *payload;	/* this very memory */
	uint64_t serial;		/* no two have the same */
	size_t size, used;
	size_t live;			/* spans not let go */
	uint32_t buckets[BUCKETS];	/* heads by hash */
};

/* What is known of a scope or resource of the part. */
struct head_memo {
	uint64_t serial;	/* of the segment with its head; 0: none */
	uint32_t head;
};

static size_t aligned(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static struct stored_head *head_at(struct segment *segment, uint32_t offset)
{
	return (struct stored_head *)(void *)((uint8_t *)segment + offset);
}

const struct stored_head *stored_scope(const struct stored_span *span)
{
	return head_at(span->segment, span->scope);
}

const struct stored_head *stored_resource(const struct stored_span *span)
{
	return head_at(span->segment, stored_scope(span)->parent);
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

static bool open_segment(struct store *store, size_t need)
{
	size_t size = aligned(sizeof(struct segment)) + need;
	struct weir_payload *payload = NULL;
	struct segment *segment;

	if (size < SEGMENT_SIZE)
		size = SEGMENT_SIZE;
	if (!weir_credits_take(store->room, size))
		return false;
	payload = weir_payload_new(store->c, size);
	if (!payload) {
		weir_credits_give(store->room, size);
		return false;
	}
	segment = (struct segment *)(void *)weir_payload_bytes(payload);
	memset(segment, 0, sizeof(*segment));
	segment->payload = payload;
	segment->serial = ++store->serial;
	segment->size = size;
	segment->used = aligned(sizeof(*segment));
	segment->next = store->open;
	if (segment->next)
		segment->next->prev = segment;
	store->open = segment;
	store->bytes += size;
	store->n_segments++;
	return true;
}

static void drop_segment(struct store *store, struct segment *segment)
{
	struct weir_payload *payload = segment->payload;

	if (segment->prev)
		segment->prev->next = segment->next;
	else
		store->open = segment->next;
	if (segment->next)
		segment->next->prev = segment->prev;
	store->bytes -= segment->size;
	store->n_segments--;
	weir_credits_give(store->room, segment->size);
	weir_payload_free(&payload);
}

static void *take(struct segment *segment, size_t n)
{
	void *at = (uint8_t *)segment + segment->used;

	segment->used += aligned(n);
	return at;
}

/* --- Heads --------------------------------------------------------------- */

static uint32_t find_head(struct segment *segment, uint32_t hash,
			  uint32_t parent, weir_str wrapper)
{
	uint32_t at = segment->buckets[hash % BUCKETS];

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
	uint32_t *bucket = &segment->buckets[hash % BUCKETS];
	uint32_t at = (uint32_t)segment->used;
	struct stored_head *head = take(segment, sizeof(*head) + len);

	*head = (struct stored_head){ *bucket, parent, hash, (uint32_t)len };
	copy_head(head, wrapper);
	return *bucket = at;
}

static uint32_t get_head(struct segment *segment, struct head_memo *memo,
			 uint32_t parent, weir_str wrapper)
{
	uint32_t hash;
	size_t len;

	if (memo->serial == segment->serial)
		return memo->head;
	hash = hash_head(wrapper, &len);
	memo->head = find_head(segment, hash, parent, wrapper);
	if (!memo->head)
		memo->head = put_head(segment, hash, len, parent, wrapper);
	memo->serial = segment->serial;
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
	while (store->open)
		drop_segment(store, store->open);
	free(store->memos);
	store->memos = NULL;
	store->cap = 0;
}

/* The memos of its scopes, then those of its resources. */
void store_begin(struct store *store, const struct weir_part *part)
{
	size_t n = part->n_scopes + part->n_resources;

	if (n > store->cap) {
		store->cap = n;
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
	return aligned(sizeof(struct stored_span) + span->len) +
	       aligned(sizeof(struct stored_head) + scope_len) +
	       aligned(sizeof(struct stored_head) + resource_len);
}

static bool fits(const struct store *store, const struct weir_part *part,
		 size_t i)
{
	const struct weir_part_span *span = &part->spans[i];
	const struct segment *open = store->open;
	size_t left;

	if (!open)
		return false;
	left = open->size - open->used;
	if (store->memos[span->scope].serial == open->serial)
		return aligned(sizeof(struct stored_span) + span->len) <= left;
	return room_for(part, i) <= left;
}

struct stored_span *store_add(struct store *store,
			      const struct weir_part *part, size_t i)
{
	const struct weir_part_span *from = &part->spans[i];
	const struct weir_part_scope *scope = &part->scopes[from->scope];
	struct head_memo *memo = &store->memos[from->scope];
	struct stored_span *span;

	if (!fits(store, part, i) && !open_segment(store, room_for(part, i)))
		return NULL;
	if (memo->serial != store->open->serial) {
		struct head_memo *of = &store->memos[part->n_scopes +
						     scope->resource];
		uint32_t parent = get_head(store->open, of, 0,
					   part->resources[scope->resource]);

		get_head(store->open, memo, parent, scope->wrapper);
	}
	span = take(store->open, sizeof(*span) + from->len);
	*span = (struct stored_span){ .segment = store->open,
				      .scope = memo->head, .len = from->len };
	memcpy(span->message, from->message, from->len);
	store->open->live++;
	return span;
}

void store_let_go(struct store *store, struct stored_span *span)
{
	if (!--span->segment->live)
		drop_segment(store, span->segment);
}
