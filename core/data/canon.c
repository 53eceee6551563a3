/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canon.c: the slow road, from legal but unusual to canonical.
 *
 * A message that came in pieces is the concatenation of their bodies, so a
 * message here is a list of segments.  It is written field by field in
 * ascending order, each found by another scan over the segments: nothing is
 * unpacked, and memory does not grow with the number of fields.  A length is
 * written as wide as the input's was and moved when that was wrong, so a byte
 * is moved at most once a level.
 *
 * Takes only what the walk has passed (WALK_DEPTH bounds the recursion).
 * Holds nothing between calls.
 */
#include "walk.h"

#include <stdlib.h>

#include "notes.h"
#include "schema.h"
#include "base/str.h"
#include "base/utf8.h"

struct segment {
	const uint8_t *p, *end;
};

struct canon {
	struct buf *out;
	struct segment *v;	/* a stack: pieces of what is written */
	size_t n, cap;
	bool failed;		/* memory */
};

/* --- Reading ------------------------------------------------------------ */

/* Over the fields of a message; groups are passed over. */
struct cursor {
	const struct canon *c;
	size_t i, last;		/* segments */
	const uint8_t *p;
	struct wire_field field;
};

static struct cursor fields(const struct canon *c, size_t first)
{
	return (struct cursor){ .c = c, .i = first, .last = c->n,
				.p = first < c->n ? c->v[first].p : NULL };
}

/* Behind the group whose start tag is at p; it is known to be whole. */
static const uint8_t *cut_group(const uint8_t *p, const uint8_t *end)
{
	unsigned depth = 0;
	uint32_t tag;

	do {
		p = wire_tag(p, end, &tag);
		if (!p)
			return end;
		if (wire_type_of(tag) == WIRE_GROUP)
			depth++;
		else if (wire_type_of(tag) == WIRE_END_GROUP)
			depth--;
		else
			p = wire_skip(p, end, tag);
		if (!p)
			return end;
	} while (depth);
	return p;
}

static bool next(struct cursor *cur)
{
	while (cur->i < cur->last) {
		const uint8_t *end = cur->c->v[cur->i].end;
		const uint8_t *p = cur->p;
		uint32_t tag;

		if (p == end) {
			if (++cur->i < cur->last)
				cur->p = cur->c->v[cur->i].p;
			continue;
		}
		if (wire_tag(p, end, &tag) && wire_type_of(tag) == WIRE_GROUP) {
			cur->p = cut_group(p, end);
			continue;
		}
		cur->p = wire_next(p, end, &cur->field);
		if (cur->p)
			return true;
		cur->p = end;	/* the walk passes nothing that comes here */
	}
	return false;
}

static bool is_old_scopes(const struct schema *s, uint32_t tag)
{
	return tag == SCHEMA_OLD_SCOPES && s->kind == NOTE_WRAPPER;
}

/* The next occurrence of field n (0: of any unknown field). */
static bool next_of(struct cursor *cur, const struct schema *s, uint32_t n)
{
	while (next(cur)) {
		uint32_t tag = cur->field.tag, number = wire_field_of(tag);

		if (n ? number == n : !is_old_scopes(s, tag) &&
			schema_field(s, number)->type == FIELD_UNKNOWN)
			return true;
	}
	return false;
}

/* --- Writing ------------------------------------------------------------ */

static void put_bytes(struct canon *c, const void *ptr, size_t len)
{
	if (!buf_reserve(c->out, len)) {
		c->failed = true;
		return;
	}
	if (len)
		memcpy(c->out->ptr + c->out->len, ptr, len);
	c->out->len += len;
}

static void put_varint(struct canon *c, uint64_t v)
{
	uint8_t text[WIRE_VARINT_MAX];

	put_bytes(c, text, (size_t)(wire_put_varint(text, v) - text));
}

/* The only form of a scalar: 32 bits where it has no more. */
static uint64_t normal(unsigned type, uint64_t v)
{
	switch (type) {
	case FIELD_UINT32:
	case FIELD_SINT32:
		return (uint32_t)v;
	case FIELD_ENUM:
		return (uint64_t)(int64_t)(int32_t)(uint32_t)v;
	case FIELD_BOOL:
		return v != 0;
	default:
		return v;
	}
}

static void put_scalar(struct canon *c, const struct schema_field *f,
		       const struct wire_field *field)
{
	put_varint(c, f->tag);
	if (f->type == FIELD_FIXED64)
		put_bytes(c, field->body, 8);
	else if (f->type == FIELD_FIXED32)
		put_bytes(c, field->body, 4);
	else
		put_varint(c, normal(f->type, field->value));
}

#define REPLACEMENT "\xef\xbf\xbd"	/* U+FFFD */

/* The length of a text once it is mended. */
static size_t mended(const uint8_t *p, const uint8_t *end)
{
	size_t len = 0, n, bad;

	for (; p < end; p += n ? n : bad) {
		n = utf8_character(p, end, &bad);
		len += n ? n : sizeof(REPLACEMENT) - 1;
	}
	return len;
}

static void put_text(struct canon *c, const struct schema_field *f,
		     const struct wire_field *field)
{
	const uint8_t *p = field->body, *end = p + field->value;
	size_t n, bad;

	put_varint(c, f->tag);
	if (utf8_valid_slow(p, field->value)) {
		put_varint(c, field->value);
		put_bytes(c, p, field->value);
		return;
	}
	put_varint(c, mended(p, end));
	for (; p < end; p += n ? n : bad) {
		n = utf8_character(p, end, &bad);
		if (n)
			put_bytes(c, p, n);
		else
			put_bytes(c, REPLACEMENT, sizeof(REPLACEMENT) - 1);
	}
}

static void put_raw(struct canon *c, const struct schema_field *f,
		    const struct wire_field *field)
{
	put_varint(c, f->tag);
	put_varint(c, field->value);
	put_bytes(c, field->body, field->value);
}

/* --- Packed fields ------------------------------------------------------ */

/* Values of one occurrence, in a chunk or alone: their canonical size, and
 * written when `put`. */
static size_t packed(struct canon *c, const struct schema_field *f,
		     const struct wire_field *field, bool put)
{
	bool chunk = wire_type_of(field->tag) == WIRE_BYTES;
	const uint8_t *p = field->body, *end = p + (chunk ? field->value : 0);
	uint64_t v = field->value;
	size_t size = 0;

	if (f->type == FIELD_PACKED64) {
		size = chunk ? field->value : 8;
		if (put)
			put_bytes(c, p, size);
		return size;
	}
	do {
		if (chunk && p < end)
			p = wire_varint(p, end, &v);
		else if (chunk)
			break;
		size += wire_varint_size(v);
		if (put)
			put_varint(c, v);
	} while (p && p < end);
	return size;
}

static void put_packed(struct canon *c, const struct schema *s, uint32_t n,
		       size_t first)
{
	const struct schema_field *f = schema_field(s, n);
	struct cursor cur = fields(c, first);
	size_t size = 0;

	while (next_of(&cur, s, n))
		size += packed(c, f, &cur.field, false);
	if (!size)
		return;
	put_varint(c, f->tag);
	put_varint(c, size);
	cur = fields(c, first);
	while (next_of(&cur, s, n))
		packed(c, f, &cur.field, true);
}

/* --- Messages ----------------------------------------------------------- */

static void put_message(struct canon *c, const struct schema *s, size_t first);

static void add_segment(struct canon *c, const struct wire_field *field)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;
		struct segment *v = realloc(c->v, cap * sizeof(*v));

		if (!v) {
			c->failed = true;
			return;
		}
		c->v = v;
		c->cap = cap;
	}
	c->v[c->n++] = (struct segment){ field->body,
					 field->body + field->value };
}

/* Writes the segments from `first` as one sub-message, and drops them. */
static void put_child(struct canon *c, const struct schema_field *f,
		      size_t first)
{
	size_t input = 0, at, len;
	unsigned guess, width;

	for (size_t i = first; i < c->n; i++)
		input += (size_t)(c->v[i].end - c->v[i].p);
	guess = wire_varint_size(input);
	put_varint(c, f->tag);
	put_bytes(c, "\0\0\0\0\0\0\0\0\0", guess);
	at = c->out->len;
	put_message(c, &schemas[f->child], first);
	c->n = first;
	if (c->failed)
		return;
	len = c->out->len - at;
	width = wire_varint_size(len);
	if (width > guess)	/* mended text is longer */
		put_bytes(c, "\0\0\0\0\0\0\0\0\0", width - guess);
	if (c->failed)
		return;
	if (width != guess)
		memmove(c->out->ptr + at - guess + width, c->out->ptr + at,
			len);
	wire_put_varint(c->out->ptr + at - guess, len);
	c->out->len = at - guess + width + len;
}

/* All of number n, each as what the row says. */
static void put_children(struct canon *c, const struct schema *s,
			 const struct schema_field *f, uint32_t n, size_t first)
{
	struct cursor cur = fields(c, first);
	size_t mine = c->n;

	while (!c->failed && next_of(&cur, s, n)) {
		add_segment(c, &cur.field);
		if (!c->failed)
			put_child(c, f, mine);
	}
}

/* Scopes under their old number go where they are now; as in the Collector
 * they do not count beside new ones. */
static void put_old_scopes(struct canon *c, const struct schema *s,
			   uint32_t seen, size_t first)
{
	if (s->kind == NOTE_WRAPPER && !(seen >> SCHEMA_SCOPES & 1))
		put_children(c, s, schema_field(s, SCHEMA_SCOPES),
			     wire_field_of(SCHEMA_OLD_SCOPES), first);
}

/* All the pieces of a singular one: cur stands before the first. */
static void put_merged(struct canon *c, const struct schema *s, uint32_t n,
		       struct cursor cur)
{
	size_t mine = c->n;

	while (!c->failed && next_of(&cur, s, n))
		add_segment(c, &cur.field);
	if (!c->failed)
		put_child(c, schema_field(s, n), mine);
}

static void put_strings(struct canon *c, const struct schema *s, uint32_t n,
			size_t first)
{
	struct cursor cur = fields(c, first);

	while (next_of(&cur, s, n))
		put_text(c, schema_field(s, n), &cur.field);
}

/* The last one wins. */
static void put_last(struct canon *c, const struct schema *s, uint32_t n,
		     struct cursor cur)
{
	const struct schema_field *f = schema_field(s, n);
	struct wire_field last = { 0 };

	while (next_of(&cur, s, n))
		last = cur.field;
	if (f->type == FIELD_TEXT)
		put_text(c, f, &last);
	else if (wire_type_of(f->tag) == WIRE_BYTES)
		put_raw(c, f, &last);
	else
		put_scalar(c, f, &last);
}

static void put_field(struct canon *c, const struct schema *s, uint32_t n,
		      size_t first, struct cursor from)
{
	const struct schema_field *f = schema_field(s, n);

	if (f->type == FIELD_PACKED64 || f->type == FIELD_PACKED_VARINT)
		put_packed(c, s, n, first);
	else if (f->child && f->flags & FIELD_REPEATED)
		put_children(c, s, f, n, first);
	else if (f->child)
		put_merged(c, s, n, from);
	else if (f->flags & FIELD_REPEATED)
		put_strings(c, s, n, first);
	else
		put_last(c, s, n, from);
}

/* Which fields there are.  Of a oneof only the last member counts, and of that
 * only what came behind the last rival: *from is where it begins. */
static uint32_t survey(struct canon *c, const struct schema *s, size_t first,
		       uint32_t *member, struct cursor *from)
{
	struct cursor cur = fields(c, first), before = cur;
	uint32_t seen = 0;

	*member = 0;
	for (; next(&cur); before = cur) {
		uint32_t n = wire_field_of(cur.field.tag);

		if (schema_field(s, n)->type == FIELD_UNKNOWN) {
			seen |= 1;
			continue;
		}
		seen |= 1u << n;
		if (s->oneof >> n & 1 && *member != n) {
			*member = n;
			*from = before;
		}
	}
	return seen;
}

static void put_message(struct canon *c, const struct schema *s, size_t first)
{
	struct cursor start = fields(c, first), from = start;
	uint32_t member, seen = survey(c, s, first, &member, &from);

	for (uint32_t n = 1; n < SCHEMA_FIELDS && !c->failed; n++) {
		if (!(seen >> n & 1))
			continue;
		if (s->oneof >> n & 1) {
			if (n == member)
				put_field(c, s, n, first, from);
		} else {
			put_field(c, s, n, first, start);
		}
	}
	if (!(seen & 1))
		return;
	put_old_scopes(c, s, seen, first);
	while (next_of(&start, s, 0))
		put_bytes(c, start.field.start,
			  (size_t)(start.p - start.field.start));
}

bool canon_request(enum weir_signal signal, const uint8_t *bytes, size_t len,
		   struct buf *out)
{
	struct canon c = { .out = out };
	struct wire_field whole = { .body = bytes, .value = len };
	size_t kept = out->len;

	if (!buf_reserve(out, len + len / 8 + 16))
		return false;
	add_segment(&c, &whole);
	if (!c.failed)
		put_message(&c, schema_of(signal), 0);
	free(c.v);
	if (c.failed)
		out->len = kept;
	return !c.failed;
}
