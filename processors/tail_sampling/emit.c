/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.c: a list of stored spans becomes an export request.
 *
 * Measured first, in groups of neighbours with the same heads, as many as one
 * batch shall have, then written once into a payload of exactly that size.  What is written is canonical: the
 * wrappers' own fields, then their children, minimal lengths.
 */
#include "emit.h"

#include <stdlib.h>
#include <string.h>

#define RECORDS 0x0a		/* request: resource_spans = 1 */
#define SCOPES 0x12		/* ResourceSpans.scope_spans = 2 */
#define SPANS 0x12		/* ScopeSpans.spans = 2 */

#define LINE 64
#define FETCHED 1024		/* bytes; the processor finds the rest */
#define KEPT 65536		/* spans of a list that is empty */
#define GROUPS 4096		/* of a batch at most */
#define SHARE 8			/* of a batch that spans have, however large
				 * the heads of the first are: they would leave
				 * with each of them */
#define AROUND 6		/* tag and length of a field at most */

/* Neighbours that share a scope. */
struct span_group {
	const struct stored_head *scope, *resource;
	size_t n;
	size_t scope_len;	/* body of ScopeSpans */
	size_t resource_len;	/* body of ResourceSpans; in its first group */
	bool first;		/* a ResourceSpans begins */
};

/* --- The list ------------------------------------------------------------- */

static span_ref *make_room(struct span_list *list, size_t n)
{
	size_t cap = list->cap ? list->cap : 1024;

	while (cap - list->n < n)
		cap *= 2;
	if (cap != list->cap) {
		list->refs = realloc(list->refs, cap * sizeof(*list->refs));
		if (!list->refs)
			abort();
		list->cap = cap;
	}
	list->n += n;
	return list->refs + list->n;
}

static void put(struct span_list *list, const struct store *store,
		span_ref *to, span_ref ref)
{
	const struct stored_span *span = store_span(store, ref);

	*to = ref;
	list->bytes += span->len + sizeof(*span);
	/* Soon it will be read. */
	__builtin_prefetch(store_message(store, ref));
}

void span_list_add(struct span_list *list, const struct store *store,
		   span_ref ref)
{
	put(list, store, make_room(list, 1) - 1, ref);
}

void span_list_add_trace(struct span_list *list, const struct store *store,
			 span_ref last, size_t n)
{
	span_ref *to = make_room(list, n);

	for (; n; n--, last = store_span(store, last)->before)
		put(list, store, --to, last);
}

void span_list_remove(struct span_list *list, size_t n, uint64_t bytes)
{
	list->n -= n;
	list->bytes -= bytes;
	if (list->n)
		memmove(list->refs, list->refs + n,
			list->n * sizeof(*list->refs));
	else if (list->cap > KEPT)
		span_list_release(list);
}

void span_list_release(struct span_list *list)
{
	free(list->refs);
	*list = (struct span_list){ 0 };
}

void emitter_release(struct emitter *emitter)
{
	free(emitter->groups);
	*emitter = (struct emitter){ 0 };
}

static size_t varint_len(uint64_t v)
{
	size_t n = 1;

	for (; v > 0x7f; v >>= 7)
		n++;
	return n;
}

static size_t field_len(size_t body)
{
	return 1 + varint_len(body) + body;
}

/* --- Measuring ----------------------------------------------------------- */

static bool same_bytes(const struct stored_head *a, const struct stored_head *b)
{
	return a == b || (a->hash == b->hash && a->len == b->len &&
			  !memcmp(a->fields, b->fields, a->len));
}

static struct span_group *new_group(struct emitter *emitter, size_t i)
{
	if (i == emitter->cap) {
		emitter->cap = emitter->cap ? emitter->cap * 2 : 64;
		emitter->groups = realloc(emitter->groups, emitter->cap *
					  sizeof(*emitter->groups));
		if (!emitter->groups)
			abort();
	}
	return &emitter->groups[i];
}

/* What is at hand while the spans of a batch are gathered in groups. */
struct grouping {
	struct emitter *emitter;
	const struct store *store;
	struct span_group *group;	/* the last one; NULL: none */
	size_t most, sum;		/* bytes: allowed, so far at most */
};

/* The group of a span, a new one if need be; NULL: the batch is full. */
static struct span_group *group_for(struct grouping *g, span_ref ref,
				    const struct stored_span *span)
{
	const struct stored_head *scope = store_head(g->store, ref,
						     span->scope);
	const struct stored_head *resource = store_head(g->store, ref,
							scope->parent);
	bool first = !g->group || !same_bytes(g->group->resource, resource);
	bool fresh = first || !same_bytes(g->group->scope, scope);
	size_t heads = (first ? resource->len + AROUND : 0) +
		       (fresh ? scope->len + AROUND : 0);
	size_t sum = g->sum + heads + span->len + AROUND;

	if (!g->group && heads > g->most - g->most / SHARE)
		g->most = heads + g->most / SHARE;
	if (g->group && (sum > g->most ||
			 (fresh && g->emitter->n_groups == GROUPS)))
		return NULL;
	g->sum = sum;
	g->emitter->heads += heads;
	if (!fresh)
		return g->group;
	g->group = new_group(g->emitter, g->emitter->n_groups++);
	*g->group = (struct span_group){ scope, resource, 0, scope->len, 0,
					 first };
	return g->group;
}

static void group_spans(struct grouping *g, const span_ref *refs, size_t n)
{
	struct emitter *emitter = g->emitter;

	for (size_t i = 0; i < n; i++) {
		const struct stored_span *span = store_span(g->store, refs[i]);
		struct span_group *group = group_for(g, refs[i], span);

		if (!group)
			break;
		group->n++;
		group->scope_len += field_len(span->len);
		emitter->messages += span->len;
		emitter->n++;
	}
}

static size_t measure_groups(struct emitter *emitter)
{
	struct span_group *of = NULL;
	size_t sum = 0;

	for (size_t i = 0; i < emitter->n_groups; i++) {
		struct span_group *group = &emitter->groups[i];

		if (group->first) {
			sum += of ? field_len(of->resource_len) : 0;
			of = group;
			of->resource_len = group->resource->len;
		}
		of->resource_len += field_len(group->scope_len);
	}
	return sum + (of ? field_len(of->resource_len) : 0);
}

void emit_measure(struct emitter *emitter, const struct store *store,
		  const span_ref *refs, size_t n, size_t most)
{
	struct grouping g = { .emitter = emitter, .store = store,
			      .most = most };

	*emitter = (struct emitter){ .groups = emitter->groups,
				     .cap = emitter->cap };
	group_spans(&g, refs, n);
	emitter->len = measure_groups(emitter);
}

/* --- Writing ------------------------------------------------------------- */

static uint8_t *put_head(uint8_t *out, uint8_t tag, size_t len)
{
	*out++ = tag;
	for (; len > 0x7f; len >>= 7)
		*out++ = (uint8_t)(len | 0x80);
	*out++ = (uint8_t)len;
	return out;
}

static uint8_t *put_bytes(uint8_t *out, const uint8_t *bytes, size_t len)
{
	if (len)
		memcpy(out, bytes, len);
	return out + len;
}

/* The bytes have waited for long: those of the span that is written after the
 * next one are fetched meanwhile. */
static void fetch(const struct store *store, span_ref ref)
{
	const uint8_t *p = store_message(store, ref);
	size_t len = store_span(store, ref)->len;

	for (size_t at = 0; at < len && at < FETCHED; at += LINE)
		__builtin_prefetch(p + at);
}

static uint8_t *write_span(uint8_t *out, const struct store *store,
			   span_ref ref)
{
	size_t len = store_span(store, ref)->len;

	out = put_head(out, SPANS, len);
	return put_bytes(out, store_message(store, ref), len);
}

static uint8_t *write_heads(uint8_t *out, const struct span_group *group)
{
	if (group->first) {
		out = put_head(out, RECORDS, group->resource_len);
		out = put_bytes(out, group->resource->fields,
				group->resource->len);
	}
	out = put_head(out, SCOPES, group->scope_len);
	return put_bytes(out, group->scope->fields, group->scope->len);
}

static void write_groups(uint8_t *out, const struct emitter *emitter,
			 const struct store *store, const span_ref *refs)
{
	const span_ref *end = refs + emitter->n;

	for (size_t i = 0; i < emitter->n_groups; i++) {
		out = write_heads(out, &emitter->groups[i]);
		for (size_t k = 0; k < emitter->groups[i].n; k++) {
			if (end - refs > 2)
				fetch(store, refs[2]);
			out = write_span(out, store, *refs++);
		}
	}
}

struct weir_batch *emit(const struct emitter *emitter,
			struct weir_component *c, const struct store *store,
			const span_ref *refs)
{
	struct weir_payload *payload = weir_payload_new(c, emitter->len);

	if (!payload)
		return NULL;
	write_groups(weir_payload_bytes(payload), emitter, store, refs);
	return weir_batch_make(c, WEIR_SIGNAL_TRACES, &payload, emitter->len,
			       emitter->n);
}
