/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.c: a list of stored spans becomes an export request.
 *
 * Measured first, in groups of neighbours with the same heads, then written
 * once into a payload of exactly that size.  What is written is canonical: the
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

static size_t group_spans(struct emitter *emitter, const struct store *store,
			  const struct span_list *list)
{
	struct span_group *group = NULL;
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct stored_span *span = store_span(store,
							    list->refs[i]);
		const struct stored_head *scope =
			store_head(store, list->refs[i], span->scope);
		const struct stored_head *resource =
			store_head(store, list->refs[i], scope->parent);
		bool first = !group || !same_bytes(group->resource, resource);

		if (first || !same_bytes(group->scope, scope)) {
			group = new_group(emitter, n++);
			*group = (struct span_group){ scope, resource, 0,
				scope->len, 0, first };
		}
		group->n++;
		group->scope_len += field_len(span->len);
	}
	return n;
}

static size_t measure(struct emitter *emitter, size_t n)
{
	struct span_group *of = NULL;
	size_t sum = 0;

	for (size_t i = 0; i < n; i++) {
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
static void fetch(const struct store *store, const struct span_list *list,
		  size_t i)
{
	const uint8_t *p;
	size_t len;

	if (i >= list->n)
		return;
	p = store_message(store, list->refs[i]);
	len = store_span(store, list->refs[i])->len;
	for (size_t at = 0; at < len && at < FETCHED; at += LINE)
		__builtin_prefetch(p + at);
}

static uint8_t *write_span(uint8_t *out, const struct store *store,
			   const struct span_list *list, size_t i)
{
	size_t len = store_span(store, list->refs[i])->len;

	fetch(store, list, i + 2);
	out = put_head(out, SPANS, len);
	return put_bytes(out, store_message(store, list->refs[i]), len);
}

static void write_spans(uint8_t *out, const struct emitter *emitter, size_t n,
			const struct store *store,
			const struct span_list *list)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		const struct span_group *group = &emitter->groups[i];

		if (group->first) {
			out = put_head(out, RECORDS, group->resource_len);
			out = put_bytes(out, group->resource->fields,
					group->resource->len);
		}
		out = put_head(out, SCOPES, group->scope_len);
		out = put_bytes(out, group->scope->fields, group->scope->len);
		for (size_t k = 0; k < group->n; k++)
			out = write_span(out, store, list, at++);
	}
}

struct weir_batch *emit(struct emitter *emitter, struct weir_component *c,
			const struct store *store,
			const struct span_list *list)
{
	size_t n = group_spans(emitter, store, list);
	size_t len = measure(emitter, n);
	struct weir_payload *payload = weir_payload_new(c, len);

	if (!payload)
		return NULL;
	write_spans(weir_payload_bytes(payload), emitter, n, store, list);
	return weir_batch_make(c, WEIR_SIGNAL_TRACES, &payload, len, list->n);
}
