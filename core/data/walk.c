/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk.c: the validating walk.
 *
 * One pass over a request, by the tables of schema.h: structure, UTF-8, what
 * makes it unusual, and (in a second instance of the same code, so that who
 * looks for nothing pays nothing) what attribute processors look for.
 * Attributes as every SDK writes them have a fast way of their own.
 *
 * Holds nothing between calls.  Must never read a byte that could decide
 * anything at or behind the end, recurse deeper than WALK_DEPTH, or allocate,
 * but for notes, whose number is bounded.
 */
#include "walk.h"

#include <stdlib.h>

#include "match.h"
#include "schema.h"
#include "base/utf8.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define always_inline inline __attribute__((always_inline))

/* Noted messages inside each other: wrapper, scope wrapper, metric, data,
 * data point, exemplar; and one below them all. */
#define FRAMES 7

/* More than receive.c lets pass: who wants everything is told "too big". */
#define NOTES_MAX (32u << 20)
/* A list that one huge request has grown is not kept for small ones. */
#define NOTES_KEPT (64u << 10)

/* A message that may be noted and is being walked. */
struct frame {
	const uint8_t *start;	/* of its tag */
	const uint8_t *body;
	size_t len;
	uint32_t tag;
	uint32_t note;		/* index, once it is noted */
	uint8_t kind;
	const struct place *place;	/* what is still looked for in it */
};

struct walker {
	const uint8_t *base;
	const struct interest_set *set;
	struct notes *notes;
	struct frame *top;
	uint32_t items, elements, invalid_utf8;
	bool unusual, too_big;
	bool validating;	/* notes on what is unusual are for nothing */
	const char *why;
	const uint8_t *where;
	struct frame frames[FRAMES];
};

static __attribute__((cold, noinline)) const uint8_t *
fail(struct walker *w, const uint8_t *where, const char *why)
{
	if (!w->why) {
		w->why = why;
		w->where = where;
	}
	return NULL;
}

/* --- Notes -------------------------------------------------------------- */

static bool notes_grow(struct notes *notes)
{
	uint32_t cap = notes->cap ? 2 * notes->cap : 64;
	struct note *v;

	if (cap > NOTES_MAX)
		return false;
	v = realloc(notes->v, cap * sizeof(*v));
	if (!v)
		return false;
	notes->v = v;
	notes->cap = cap;
	return true;
}

/* Empty again.  What the walk before last needed is the measure. */
static void notes_begin(struct notes *notes, const uint8_t *base)
{
	if (notes->cap > NOTES_KEPT && notes->n < NOTES_KEPT)
		notes_release(notes);
	notes->n = 0;
	notes->base = base;
}

/* Notes a frame, its ancestors first, unless it is noted already. */
static bool note(struct walker *w, struct frame *f)
{
	struct notes *notes = w->notes;
	uint32_t parent = NOTE_NONE;
	unsigned tag_width;

	if (f->note != NOTE_NONE)
		return true;
	if (f > w->frames + 1) {
		if (!note(w, f - 1))
			return false;
		parent = f[-1].note;
	}
	if (notes->n == notes->cap && !notes_grow(notes))
		return false;
	tag_width = wire_varint_size(f->tag);
	f->note = notes->n++;
	notes->v[f->note] = (struct note){
		.parent = parent,
		.offset = (uint32_t)(f->body - w->base),
		.len = (uint32_t)f->len,
		.kind = f->kind,
		.tag_width = (uint8_t)tag_width,
		.len_width = (uint8_t)((size_t)(f->body - f->start) -
				       tag_width),
		.field = wire_field_of(f->tag),
	};
	return true;
}

/* Somebody is interested in the message on top: no need to look further. */
static __attribute__((noinline)) void want(struct walker *w)
{
	struct frame *f = w->top;

	if ((w->unusual && w->validating) || w->why)
		return;		/* notes are not valid: spare the work */
	if (!note(w, f)) {
		w->too_big = true;
		fail(w, f->body, "too much to note");
		return;
	}
	w->notes->v[f->note].wanted = 1;
	f->place = &w->set->place[PLACE_NOTHING];
}

static const struct place *place_of(const struct interest_set *set,
				    unsigned kind)
{
	static const uint8_t id[] = {
		[NOTE_WRAPPER] = PLACE_WRAPPER,
		[NOTE_RESOURCE] = PLACE_OF(WEIR_LEVEL_RESOURCE, PLACE_FLAT),
		[NOTE_SCOPE_WRAPPER] = PLACE_SCOPE_WRAPPER,
		[NOTE_SCOPE] = PLACE_OF(WEIR_LEVEL_SCOPE, PLACE_FLAT),
		[NOTE_METRIC] = PLACE_OF(WEIR_LEVEL_METRIC, PLACE_FLAT),
		[NOTE_DATA] = PLACE_NOTHING,
		[NOTE_RECORD] = PLACE_OF(WEIR_LEVEL_RECORD, PLACE_FLAT),
		[NOTE_EVENT] = PLACE_OF(WEIR_LEVEL_EVENT, PLACE_FLAT),
		[NOTE_LINK] = PLACE_OF(WEIR_LEVEL_LINK, PLACE_FLAT),
		[NOTE_EXEMPLAR] = PLACE_OF(WEIR_LEVEL_EXEMPLAR, PLACE_FLAT),
	};

	return &set->place[id[kind]];
}

static const struct place *push(struct walker *w, unsigned kind,
				const uint8_t *start, const uint8_t *body,
				size_t len, uint32_t tag)
{
	struct frame *f = ++w->top;

	f->start = start;
	f->body = body;
	f->len = len;
	f->tag = tag;
	f->note = NOTE_NONE;
	f->kind = (uint8_t)kind;
	f->place = place_of(w->set, kind);
	if (f->place->always)
		want(w);
	return f->place;
}

/* Field 1 was not there.  A wrapper without resource or scope stands for it,
 * when every one of them is to be shown; a KeyValue has the empty key. */
static void miss_head(struct walker *w, const struct schema *s,
		      const struct place *place)
{
	static const uint8_t none[8];
	const struct interest_set *set = w->set;
	bool hit = false;

	if (s->kind == NOTE_WRAPPER)
		place = &set->place[PLACE_OF(WEIR_LEVEL_RESOURCE, PLACE_FLAT)];
	if (s->kind == NOTE_SCOPE_WRAPPER)
		place = &set->place[PLACE_OF(WEIR_LEVEL_SCOPE, PLACE_FLAT)];
	if (s->kind == NOTE_WRAPPER || s->kind == NOTE_SCOPE_WRAPPER)
		hit = place->always;
	else if (s->field[1].flags & FIELD_KEY)
		hit = match_key(set, place, none, 0);
	if (hit)
		want(w);
}

/* --- Scalars ------------------------------------------------------------ */

/* A tag of more than two bytes, or of more than it needs: unusual, where the
 * field is a known one. */
static __attribute__((noinline)) const uint8_t *
long_tag(struct walker *w, const struct schema *s, const uint8_t *p,
	 const uint8_t *end, uint32_t *tag)
{
	uint64_t v;
	const uint8_t *q = wire_varint(p, end, &v);

	if (!q || q - p > 5)
		return fail(w, p, "tag cut off or too long");
	if (v > UINT32_MAX)
		return fail(w, p, "field number too large");
	*tag = (uint32_t)v;
	if (schema_field(s, wire_field_of(*tag))->tag &&
	    (size_t)(q - p) != wire_varint_size(v))
		w->unusual = true;
	return q;
}

static __attribute__((noinline)) const uint8_t *
long_varint(struct walker *w, const uint8_t *p, const uint8_t *end,
	    uint64_t *v)
{
	const uint8_t *q = wire_varint(p, end, v);

	if (!q)
		return fail(w, p, "varint cut off or too long");
	if (q - p > 1 && !q[-1])
		w->unusual = true;
	return q;
}

static always_inline const uint8_t *
read_varint(struct walker *w, const uint8_t *p, const uint8_t *end, uint64_t *v)
{
	if (likely(p < end && *p < 0x80)) {
		*v = *p;
		return p + 1;
	}
	return long_varint(w, p, end, v);
}

/* The body behind a length: *len bytes that are there. */
static always_inline const uint8_t *
read_len(struct walker *w, const uint8_t *p, const uint8_t *end, size_t *len)
{
	uint64_t v;
	const uint8_t *body = read_varint(w, p, end, &v);

	if (unlikely(!body))
		return NULL;
	if (unlikely(v > (uint64_t)(end - body)))
		return fail(w, p, "length past the end");
	*len = (size_t)v;
	return body;
}

static const uint8_t *walk_varint(struct walker *w, unsigned type,
				  const uint8_t *p, const uint8_t *end)
{
	uint64_t v;

	p = read_varint(w, p, end, &v);
	if (!p)
		return NULL;
	switch (type) {
	case FIELD_BOOL:
		w->unusual |= v > 1;
		break;
	case FIELD_ENUM:
		w->unusual |= v != (uint64_t)(int64_t)(int32_t)v;
		break;
	case FIELD_UINT32:
	case FIELD_SINT32:
		w->unusual |= v > UINT32_MAX;
		break;
	default:
		break;
	}
	return p;
}

static always_inline void walk_text(struct walker *w, const uint8_t *p,
				    size_t len)
{
	if (unlikely(!utf8_valid(p, len))) {
		w->invalid_utf8++;
		w->unusual = true;
	}
}

static const uint8_t *walk_packed(struct walker *w, unsigned type,
				  const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;
	uint64_t v;

	if (type == FIELD_PACKED64)
		return len % 8 ? fail(w, p, "packed field cut off") : end;
	while (p < end) {
		p = read_varint(w, p, end, &v);
		if (!p)
			return NULL;
	}
	return p;
}

/* --- What has no row, or not this shape --------------------------------- */

static const uint8_t *skip(struct walker *w, const uint8_t *p,
			   const uint8_t *end, uint32_t tag)
{
	const uint8_t *q = wire_skip(p, end, tag);

	return q ? q : fail(w, p, "value cut off");
}

/* An unknown group: skipped without recursion, its depth counted. */
static const uint8_t *skip_group(struct walker *w, const uint8_t *p,
				 const uint8_t *end, uint32_t tag,
				 unsigned depth)
{
	uint32_t open[WALK_DEPTH];
	unsigned n = 0;
	const uint8_t *q;

	w->unusual = true;
	for (;;) {
		if (wire_type_of(tag) == WIRE_GROUP) {
			if (depth + n >= WALK_DEPTH)
				return fail(w, p, "nested too deep");
			open[n++] = wire_field_of(tag);
		} else if (wire_type_of(tag) == WIRE_END_GROUP) {
			if (open[--n] != wire_field_of(tag))
				return fail(w, p, "end of another group");
			if (!n)
				return p;
		} else {
			p = skip(w, p, end, tag);
			if (!p)
				return NULL;
		}
		q = wire_tag(p, end, &tag);
		if (!q)
			return fail(w, p, p < end ? "bad tag in a group" :
						    "group without end");
		if (wire_type_of(tag) > WIRE_FIXED32)
			return fail(w, p, "wire type 6 or 7");
		p = q;
	}
}

static bool walk_plain(struct walker *w, const struct schema *s,
		       const uint8_t *p, const uint8_t *end, unsigned depth,
		       const struct place *place);

/* ScopeX under the number that it had before OTLP 0.15.  Collectors still read
 * it there, so it is moved to where everybody looks (canon.c). */
static const uint8_t *walk_old_scopes(struct walker *w, const struct schema *s,
				      const uint8_t *p, const uint8_t *end,
				      unsigned depth)
{
	uint64_t len;

	w->unusual = true;
	p = wire_varint(p, end, &len);
	if (!p || len > (uint64_t)(end - p))
		return fail(w, end, "length past the end");
	if (depth >= WALK_DEPTH)
		return fail(w, p, "nested too deep");
	s = &schemas[s->field[SCHEMA_SCOPES].child];
	return walk_plain(w, s, p, p + len, depth + 1, NULL) ? p + len : NULL;
}

/* start: of the tag; p: behind it. */
static __attribute__((noinline)) const uint8_t *
walk_odd(struct walker *w, const struct schema *s, const struct schema_field *f,
	 uint32_t tag, const uint8_t *start, const uint8_t *p,
	 const uint8_t *end, unsigned depth)
{
	enum wire_type type = wire_type_of(tag);

	if (tag < 8)
		return fail(w, start, "field number 0");
	if (type > WIRE_FIXED32)
		return fail(w, start, "wire type 6 or 7");
	if (type == WIRE_END_GROUP)
		return fail(w, start, "end of a group that is not open");
	if (s->kind == NOTE_WRAPPER &&
	    wire_field_of(tag) == wire_field_of(SCHEMA_OLD_SCOPES))
		return tag == SCHEMA_OLD_SCOPES ?
			walk_old_scopes(w, s, p, end, depth) :
			fail(w, start, "wrong wire type");
	if (f->type == FIELD_UNKNOWN)
		return type == WIRE_GROUP ? skip_group(w, p, end, tag, depth) :
					    skip(w, p, end, tag);
	w->unusual = true;	/* a packed field may come unpacked */
	if (f->type == FIELD_PACKED64 && type == WIRE_FIXED64)
		return skip(w, p, end, tag);
	if (f->type == FIELD_PACKED_VARINT && type == WIRE_VARINT)
		return skip(w, p, end, tag);
	return fail(w, start, "wrong wire type");
}

/* --- Messages ----------------------------------------------------------- */

static bool walk_match(struct walker *w, const struct schema *s,
		       const uint8_t *p, const uint8_t *end, unsigned depth,
		       const struct place *place);

/* What is looked for in text: a key, a value, a text field. */
static void match_field(struct walker *w, const struct schema_field *f,
			const struct place *place, const uint8_t *p, size_t len)
{
	bool hit = false;

	if (f->flags & FIELD_KEY)
		hit = match_key(w->set, place, p, len);
	else if (f->flags & FIELD_VALUE)
		hit = match_text(w->set, place, p, len);
	else if (f->flags & FIELD_SHOWN)
		hit = match_text(w->set, place->text, p, len);
	if (hit)
		want(w);
}

/* The place inside a nested message. */
static const struct place *place_in(const struct interest_set *set,
				    const struct schema_field *f,
				    const struct place *place)
{
	if (f->child == SCHEMA_LIST)
		return place->in_list;
	if (f->child == SCHEMA_MAP)
		return place->in_map;
	if (f->flags & FIELD_BODY)
		return &set->place[PLACE_BODY];
	return place;
}

static always_inline bool
walk_child(struct walker *w, const struct schema_field *f, const uint8_t *start,
	   const uint8_t *p, size_t len, uint32_t tag, unsigned depth,
	   const struct place *place, const bool match)
{
	const struct schema *s = &schemas[f->child];
	bool ok;

	w->elements++;
	w->items += s->item;
	if (unlikely(depth >= WALK_DEPTH))
		return fail(w, start, "nested too deep");
	if (!match)
		return walk_plain(w, s, p, p + len, depth + 1, NULL);
	if (s->kind == SCHEMA_UNNOTED)
		return walk_match(w, s, p, p + len, depth + 1,
				  place_in(w->set, f, place));
	place = push(w, s->kind, start, p, len, tag);
	ok = walk_match(w, s, p, p + len, depth + 1, place);
	w->top--;
	return ok;
}

/* A number that is written as short as it can be, and nothing behind it. */
static always_inline bool read_int_fast(const uint8_t *p, size_t len,
					uint64_t *v)
{
	if (len == 1) {
		*v = p[0];
		return p[0] < 0x80;
	}
	if (len == 2) {
		*v = (p[0] & 0x7fu) | (uint64_t)p[1] << 7;
		return p[0] >= 0x80 && p[1] - 1u < 0x7f;
	}
	return len > 2 && p[len - 1] && wire_varint(p, p + len, v) == p + len;
}

/* An AnyValue of less than 128 bytes with one member, whole; false when it is
 * anything else, and nothing has been counted then. */
static always_inline bool walk_value_fast(struct walker *w, const uint8_t *p,
					  size_t len, const struct place *place,
					  const bool match)
{
	uint64_t v;

	if (likely(p[0] == WIRE_TAG(1, WIRE_BYTES))) {	/* string_value */
		if (len < 2 || p[1] != len - 2)
			return false;
		walk_text(w, p + 2, len - 2);
		if (match && match_text(w->set, place, p + 2, len - 2))
			want(w);
		return true;
	}
	if (match && unlikely(place->any_type))
		return false;
	if (p[0] == WIRE_TAG(3, WIRE_VARINT)) {		/* int_value */
		if (!read_int_fast(p + 1, len - 1, &v))
			return false;
		if (match && unlikely(place->integers) && v >= place->integers)
			want(w);
		return true;
	}
	if (p[0] == WIRE_TAG(2, WIRE_VARINT))		/* bool_value */
		return len == 2 && p[1] <= 1;
	if (p[0] == WIRE_TAG(4, WIRE_FIXED64))		/* double_value */
		return len == 9;
	return false;
}

/* A KeyValue as every SDK writes it: key, then value, both short, the key in
 * ASCII.  False: take the slow way from its start. */
static always_inline bool walk_attribute_fast(struct walker *w,
					      const uint8_t *p, size_t len,
					      const struct place *place,
					      const bool match)
{
	const uint8_t *value;
	size_t key_len, value_len;

	if (unlikely(len < 4 || p[0] != WIRE_TAG(1, WIRE_BYTES)))
		return false;
	key_len = p[1];
	if (unlikely(key_len >= 0x80 || key_len + 4 > len))
		return false;
	value = p + 2 + key_len;
	value_len = len - key_len - 4;
	if (unlikely(value[0] != WIRE_TAG(2, WIRE_BYTES) ||
		     value[1] != value_len || value_len >= 0x80))
		return false;
	if (unlikely(!(key_len <= 32 ? utf8_ascii_short(p + 2, key_len) :
				       utf8_ascii_long(p + 2, key_len))))
		return false;
	if (match && unlikely(match_key(w->set, place, p + 2, key_len)))
		want(w);
	return value_len &&
	       walk_value_fast(w, value + 2, value_len, place, match);
}

static always_inline bool
walk_message(struct walker *w, const struct schema *s, const uint8_t *p,
	     const uint8_t *end, unsigned depth, const struct place *place,
	     const bool match)
{
	uint32_t seen = 0, attributes = 0;

	while (p < end) {
		const uint8_t *start = p;
		const struct schema_field *f;
		uint32_t tag = *p++;
		size_t len = 0;

		if (unlikely(tag >= 0x80) && p < end && *p - 1u < 0x7f) {
			tag = (tag & 0x7f) | (uint32_t)*p++ << 7;
		} else if (unlikely(tag >= 0x80)) {
			p = long_tag(w, s, start, end, &tag);
			if (!p)
				return false;
		}
		f = schema_field(s, wire_field_of(tag));
		if (unlikely(tag != f->tag))
			goto odd;
		if (unlikely(seen & f->conflict))
			w->unusual = true;
		seen |= 1u << wire_field_of(tag);

		switch (f->type) {
		case FIELD_FIXED64:
			if (unlikely(8 > end - p))
				return fail(w, p, "value cut off");
			p += 8;
			break;
		case FIELD_FIXED32:
			if (unlikely(4 > end - p))
				return fail(w, p, "value cut off");
			p += 4;
			break;
		case FIELD_UINT32:
		case FIELD_SINT32:
		case FIELD_ENUM:
		case FIELD_INT64:
		case FIELD_BOOL:
			p = walk_varint(w, f->type, p, end);
			if (unlikely(!p))
				return false;
			break;
		case FIELD_TEXT:
			p = read_len(w, p, end, &len);
			if (unlikely(!p))
				return false;
			walk_text(w, p, len);
			if (match)
				match_field(w, f, place, p, len);
			p += len;
			break;
		case FIELD_BYTES:
			p = read_len(w, p, end, &len);
			if (unlikely(!p))
				return false;
			if (match && f->flags & FIELD_VALUE &&
			    match_bytes(w->set, place, p, len))
				want(w);
			p += len;
			break;
		case FIELD_ID16:
			p = read_len(w, p, end, &len);
			if (unlikely(!p))
				return false;
			if (unlikely(len != 16 && len))
				return fail(w, start,
					    "trace_id is not 16 bytes long");
			p += len;
			break;
		case FIELD_ID8:
			p = read_len(w, p, end, &len);
			if (unlikely(!p))
				return false;
			if (unlikely(len != 8 && len))
				return fail(w, start,
					    "span_id is not 8 bytes long");
			p += len;
			break;
		case FIELD_ATTRIBUTE:
			/* They come in a row: no dispatch for each. */
			do {
				p = read_len(w, p, end, &len);
				if (unlikely(!p))
					return false;
				if (likely(walk_attribute_fast(w, p, len, place,
							       match)))
					attributes++;
				else if (!walk_child(w, f, start, p, len, tag,
						     depth, place, match))
					return false;
				if (match)
					place = w->top->place;
				p += len;
				start = p;
			} while (p < end && *p == tag && p++);
			break;
		case FIELD_MESSAGE:
			p = read_len(w, p, end, &len);
			if (unlikely(!p))
				return false;
			if (!walk_child(w, f, start, p, len, tag, depth, place,
					match))
				return false;
			p += len;
			break;
		case FIELD_PACKED64:
		case FIELD_PACKED_VARINT:
			p = read_len(w, p, end, &len);
			if (!p)
				return false;
			p = walk_packed(w, f->type, p, len);
			if (!p)
				return false;
			break;
		default:
		odd:
			p = walk_odd(w, s, f, tag, start, p, end, depth);
			if (!p)
				return false;
			break;
		}
		/* Values that are no strings: whoever wants them written out
		 * does that itself. */
		if (match && unlikely(f->flags & FIELD_VALUE) &&
		    f->type != FIELD_TEXT &&
		    (place->any_type || (f->type == FIELD_INT64 &&
					 place->integers)))
			want(w);
	}
	w->elements += 2 * attributes;	/* with their values */
	if (match && unlikely(!(seen & 2)))
		miss_head(w, s, place);
	return true;
}

static bool walk_plain(struct walker *w, const struct schema *s,
		       const uint8_t *p, const uint8_t *end, unsigned depth,
		       const struct place *place)
{
	return walk_message(w, s, p, end, depth, place, false);
}

static bool walk_match(struct walker *w, const struct schema *s,
		       const uint8_t *p, const uint8_t *end, unsigned depth,
		       const struct place *place)
{
	return walk_message(w, s, p, end, depth, place, true);
}

static bool walk(struct walker *w, const struct schema *s, const uint8_t *end)
{
	if (!w->set)
		return walk_plain(w, s, w->base, end, 0, NULL);
	w->top->note = NOTE_NONE;
	w->top->place = &w->set->place[PLACE_NOTHING];
	return walk_match(w, s, w->base, end, 0, w->top->place);
}

static struct walk_result walk_bytes(enum weir_signal signal,
				     const uint8_t *bytes, size_t len,
				     const struct interest_set *set,
				     struct notes *notes, bool validating)
{
	struct walker w;
	struct walk_result result = { 0 };

	memset(&w, 0, offsetof(struct walker, frames));
	w.base = bytes;
	w.set = set && !set->empty ? set : NULL;
	w.notes = notes;
	w.validating = validating;
	w.top = w.frames;
	if (notes)
		notes_begin(notes, bytes);
	if (walk(&w, schema_of(signal), bytes + len) && !w.why)
		result.verdict = w.unusual ? WALK_UNUSUAL : WALK_CANONICAL;
	else
		result.verdict = WALK_MALFORMED;
	result.items = w.items;
	result.elements = w.elements;
	result.invalid_utf8 = w.invalid_utf8;
	result.too_big = w.too_big;
	if (result.verdict == WALK_MALFORMED) {
		result.why = w.why;
		result.offset = (uint32_t)(w.where - bytes);
	}
	return result;
}

struct walk_result walk_request(enum weir_signal signal, const uint8_t *bytes,
				size_t len, const struct interest_set *set,
				struct notes *notes)
{
	return walk_bytes(signal, bytes, len, set, notes, true);
}

bool walk_interest(enum weir_signal signal, const uint8_t *bytes, size_t len,
		   const struct interest_set *set, struct notes *notes)
{
	return walk_bytes(signal, bytes, len, set, notes, false).verdict !=
	       WALK_MALFORMED;
}
