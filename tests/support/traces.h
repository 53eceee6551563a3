/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traces.h: spans of chosen traces, written and read back by their numbers.
 *
 * A span's id is its number, so what came out can be told from what went in.
 * Requests are put together from the inside out:
 *
 *	traces_resource(&r, ...); traces_scope(&r, ...); traces_span(&r, ...);
 *	traces_end(&r);		r.out holds the request then
 */
#ifndef TESTS_TRACES_H
#define TESTS_TRACES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/views.h>

/* --- Bytes --------------------------------------------------------------- */

struct bytes {
	uint8_t *ptr;
	size_t len, cap;
};

static inline void bytes_add(struct bytes *b, const void *p, size_t n)
{
	if (b->len + n > b->cap) {
		b->cap = 2 * (b->len + n) + 64;
		b->ptr = realloc(b->ptr, b->cap);
	}
	if (n)
		memcpy(b->ptr + b->len, p, n);
	b->len += n;
}

static inline void bytes_free(struct bytes *b)
{
	free(b->ptr);
	*b = (struct bytes){ 0 };
}

static inline void bytes_varint(struct bytes *b, uint64_t v)
{
	uint8_t byte;

	for (; v > 0x7f; v >>= 7) {
		byte = (uint8_t)(v | 0x80);
		bytes_add(b, &byte, 1);
	}
	byte = (uint8_t)v;
	bytes_add(b, &byte, 1);
}

static inline void bytes_field(struct bytes *b, uint32_t number, const void *p,
			       size_t n)
{
	bytes_varint(b, number << 3 | 2);
	bytes_varint(b, n);
	bytes_add(b, p, n);
}

static inline void bytes_text(struct bytes *b, uint32_t number,
			      const char *text)
{
	if (text && *text)
		bytes_field(b, number, text, strlen(text));
}

static inline void bytes_fixed64(struct bytes *b, uint32_t number, uint64_t v)
{
	bytes_varint(b, number << 3 | 1);
	bytes_add(b, &v, 8);
}

static inline void bytes_uint(struct bytes *b, uint32_t number, uint64_t v)
{
	bytes_varint(b, number << 3);
	bytes_varint(b, v);
}

/* Puts all of inner into a field, and empties it. */
static inline void bytes_wrap(struct bytes *b, uint32_t number,
			      struct bytes *inner)
{
	bytes_field(b, number, inner->ptr, inner->len);
	inner->len = 0;
}

/* --- Attributes ---------------------------------------------------------- */

enum attr_type { ATTR_NONE, ATTR_TEXT, ATTR_INT, ATTR_BOOL, ATTR_DOUBLE };

struct attr {
	const char *key;
	enum attr_type type;
	const char *text;
	int64_t number;
	double real;
};
#define TEXT(k, v) { .key = k, .type = ATTR_TEXT, .text = v }
#define INT(k, v) { .key = k, .type = ATTR_INT, .number = v }
#define BOOL(k, v) { .key = k, .type = ATTR_BOOL, .number = v }
#define DOUBLE(k, v) { .key = k, .type = ATTR_DOUBLE, .real = v }
#define EMPTY(k) { .key = k, .type = ATTR_NONE }
#define MAX_ATTRS 4

/* KeyValue { key = 1, value = 2: AnyValue { string 1, bool 2, int 3,
 * double 4 } } */
static inline void bytes_attr(struct bytes *b, uint32_t number,
			      const struct attr *attr)
{
	struct bytes pair = { 0 }, value = { 0 };

	bytes_text(&pair, 1, attr->key);
	if (attr->type == ATTR_TEXT) {
		bytes_field(&value, 1, attr->text, strlen(attr->text));
	} else if (attr->type == ATTR_DOUBLE) {
		uint64_t bits;

		memcpy(&bits, &attr->real, sizeof(bits));
		bytes_fixed64(&value, 4, bits);
	} else if (attr->type != ATTR_NONE) {
		bytes_uint(&value, attr->type == ATTR_BOOL ? 2 : 3,
			   (uint64_t)attr->number);
	}
	bytes_wrap(&pair, 2, &value);
	bytes_wrap(b, number, &pair);
	bytes_free(&pair);
	bytes_free(&value);
}

static inline void bytes_attrs(struct bytes *b, uint32_t number,
			       const struct attr *attrs)
{
	for (size_t i = 0; i < MAX_ATTRS && attrs[i].key; i++)
		bytes_attr(b, number, &attrs[i]);
}

/* --- Spans --------------------------------------------------------------- */

struct a_span {
	uint64_t trace;			/* 0: an empty id */
	const uint8_t *id;		/* instead: 16 bytes */
	uint64_t number;
	bool child;			/* has a parent */
	uint64_t start, end;
	uint32_t status, flags;
	const char *state;
	struct attr attrs[MAX_ATTRS];
	size_t pad;			/* letters in its name */
};

struct traces {
	struct bytes span, scope, resource, out;
	bool in_scope, in_resource;
	const char *scope_url, *resource_url;	/* of the open ones */
	size_t n;
};

static inline void trace_id_of_number(uint64_t trace, uint8_t id[16])
{
	memset(id, 0, 16);
	for (int i = 0; i < 8; i++)
		id[15 - i] = (uint8_t)(trace >> 8 * i);
	id[0] = trace ? 1 : 0;
}

static inline void traces_end_scope(struct traces *r)
{
	if (!r->in_scope)
		return;
	bytes_text(&r->scope, 3, r->scope_url);
	bytes_wrap(&r->resource, 2, &r->scope);
	r->in_scope = false;
}

static inline void traces_end_resource(struct traces *r)
{
	traces_end_scope(r);
	if (!r->in_resource)
		return;
	bytes_text(&r->resource, 3, r->resource_url);
	bytes_wrap(&r->out, 1, &r->resource);
	r->in_resource = false;
}

static inline void traces_resource(struct traces *r, const struct attr *attrs,
				   const char *url)
{
	struct bytes body = { 0 };

	traces_end_resource(r);
	if (attrs)
		bytes_attrs(&body, 1, attrs);
	bytes_wrap(&r->resource, 1, &body);
	bytes_free(&body);
	r->resource_url = url;
	r->in_resource = true;
}

static inline void traces_scope(struct traces *r, const char *name,
				const char *url)
{
	struct bytes body = { 0 };

	if (!r->in_resource)
		traces_resource(r, NULL, NULL);
	traces_end_scope(r);
	bytes_text(&body, 1, name);
	bytes_wrap(&r->scope, 1, &body);
	bytes_free(&body);
	r->scope_url = url;
	r->in_scope = true;
}

static inline void span_body(struct bytes *b, const struct a_span *s)
{
	uint8_t id[16];

	trace_id_of_number(s->trace, id);
	if (s->id || s->trace)
		bytes_field(b, 1, s->id ? s->id : id, 16);
	bytes_field(b, 2, &s->number, 8);
	bytes_text(b, 3, s->state);
	if (s->child)
		bytes_field(b, 4, "parent!", 8);
	if (s->pad) {
		char *name = malloc(s->pad);

		memset(name, 'n', s->pad);
		bytes_field(b, 5, name, s->pad);
		free(name);
	}
	if (s->start)
		bytes_fixed64(b, 7, s->start);
	if (s->end)
		bytes_fixed64(b, 8, s->end);
	bytes_attrs(b, 9, s->attrs);
	if (s->status) {
		struct bytes status = { 0 };

		bytes_uint(&status, 3, s->status);
		bytes_wrap(b, 15, &status);
		bytes_free(&status);
	}
	if (s->flags) {
		bytes_varint(b, 16 << 3 | 5);
		bytes_add(b, &s->flags, 4);
	}
}

static inline void traces_span(struct traces *r, const struct a_span *s)
{
	if (!r->in_scope)
		traces_scope(r, NULL, NULL);
	span_body(&r->span, s);
	bytes_wrap(&r->scope, 2, &r->span);
	r->n++;
}

static inline void traces_end(struct traces *r)
{
	traces_end_resource(r);
}

static inline void traces_free(struct traces *r)
{
	bytes_free(&r->span);
	bytes_free(&r->scope);
	bytes_free(&r->resource);
	bytes_free(&r->out);
	*r = (struct traces){ 0 };
}

/* --- Reading back -------------------------------------------------------- */

/* Calls seen for each span of a request, in order. */
static inline void traces_each(weir_str request,
			       void (*seen)(void *arg, weir_str resource_spans,
					    weir_str scope_spans,
					    weir_str span, uint64_t number),
			       void *arg)
{
	struct weir_message_cursor r = weir_messages(request, 1);

	while (weir_message_next(&r)) {
		struct weir_message_cursor s = weir_messages(r.message, 2);

		while (weir_message_next(&s)) {
			struct weir_message_cursor one =
				weir_messages(s.message, 2);

			while (weir_message_next(&one)) {
				struct weir_message_cursor id =
					weir_messages(one.message, 2);
				uint64_t number = 0;

				if (weir_message_next(&id) &&
				    id.message.len == 8)
					memcpy(&number, id.message.ptr, 8);
				seen(arg, r.message, s.message, one.message,
				     number);
			}
		}
	}
}

#endif
