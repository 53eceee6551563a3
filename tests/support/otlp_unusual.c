/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_unusual.c: the same message, written oddly.
 *
 * Every field becomes one unit or several (a value that a later one replaces,
 * a sub-message in two pieces, a packed field in chunks); units of different
 * fields then change places, and groups that no one knows come between.
 */
#include "otlp_gen.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "data/wire.h"

/* A run of bytes that must stay whole. */
struct unit {
	uint32_t key;		/* units of one key keep their order */
	size_t at, len;
};

struct units {
	uint8_t *bytes;
	size_t len, cap;
	struct unit *v;
	size_t n, n_cap;
};

#define KEY_ONEOF 100000u	/* all members of a oneof */
#define KEY_UNKNOWN 100001u
#define KEY_FREE 200000u	/* may stand anywhere */

static uint8_t *room(struct units *u, size_t len)
{
	if (u->cap - u->len < len) {
		u->cap = 2 * u->cap + len + 64;
		u->bytes = realloc(u->bytes, u->cap);
		assert(u->bytes);
	}
	return u->bytes + u->len;
}

static void put(struct units *u, const void *ptr, size_t len)
{
	uint8_t *to = room(u, len);

	if (len)
		memcpy(to, ptr, len);
	u->len += len;
}

/* Now and then longer than it needs to be. */
static void put_long(struct units *u, struct gen *gen, uint64_t v, int max)
{
	uint8_t text[WIRE_VARINT_MAX];
	uint8_t *end = wire_put_varint(text, v);

	if (gen_one_in(gen, 9))
		while (end - text < max && gen_one_in(gen, 2)) {
			end[-1] |= 0x80;
			*end++ = 0;
		}
	put(u, text, (size_t)(end - text));
}

static void put_varint(struct units *u, struct gen *gen, uint64_t v)
{
	put_long(u, gen, v, WIRE_VARINT_MAX);
}

/* Parsers take no more than five bytes for a tag. */
static void put_tag(struct units *u, struct gen *gen, uint32_t tag)
{
	put_long(u, gen, tag, 5);
}

static struct unit *begin(struct units *u, uint32_t key)
{
	if (u->n == u->n_cap) {
		u->n_cap = 2 * u->n_cap + 16;
		u->v = realloc(u->v, u->n_cap * sizeof(*u->v));
		assert(u->v);
	}
	u->v[u->n] = (struct unit){ key, u->len, 0 };
	return &u->v[u->n++];
}

static void finish(struct units *u)
{
	u->v[u->n - 1].len = u->len - u->v[u->n - 1].at;
}

static void put_field(struct units *u, struct gen *gen, uint32_t key,
		      uint32_t tag, const void *ptr, size_t len)
{
	begin(u, key);
	put_tag(u, gen, tag);
	if (wire_type_of(tag) == WIRE_BYTES)
		put_varint(u, gen, len);
	put(u, ptr, len);
	finish(u);
}

static void release(struct units *u)
{
	free(u->bytes);
	free(u->v);
}

/* --- Fields ------------------------------------------------------------- */

static void odd_message(struct units *u, struct gen *gen,
			const ProtobufCMessageDescriptor *type,
			const uint8_t *p, const uint8_t *end);

/* Enums have a descriptor, too. */
static bool is_message(const ProtobufCFieldDescriptor *f)
{
	return f->type == PROTOBUF_C_TYPE_MESSAGE;
}

static uint32_t key_of(const ProtobufCFieldDescriptor *f)
{
	return f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF ? KEY_ONEOF : f->id;
}

/* A sub-message; a singular one perhaps in two pieces. */
static void odd_child(struct units *u, struct gen *gen,
		      const ProtobufCFieldDescriptor *f,
		      const struct wire_field *field)
{
	struct units in = { 0 };
	size_t split = 0, cut;

	odd_message(&in, gen, f->descriptor, field->body,
		    field->body + field->value);
	if (f->label != PROTOBUF_C_LABEL_REPEATED && gen_one_in(gen, 3))
		split = gen_below(gen, (uint32_t)in.n + 1);
	cut = split < in.n && split ? in.v[split].at : 0;
	if (cut)
		put_field(u, gen, key_of(f), field->tag, in.bytes, cut);
	put_field(u, gen, key_of(f), field->tag, in.bytes + cut, in.len - cut);
	release(&in);
}

static void odd_packed(struct units *u, struct gen *gen,
		       const ProtobufCFieldDescriptor *f,
		       const struct wire_field *field)
{
	const uint8_t *p = field->body, *end = p + field->value;
	bool fixed = f->type != PROTOBUF_C_TYPE_UINT64;

	while (p < end) {
		const uint8_t *from = p;
		uint32_t n = 1 + gen_below(gen, 3);
		uint64_t v = 0;
		bool alone = gen_one_in(gen, 2);

		for (; p < end && n; n = alone ? 0 : n - 1)
			p = fixed ? p + 8 : wire_varint(p, end, &v);
		if (!alone) {
			put_field(u, gen, f->id, field->tag, from,
				  (size_t)(p - from));
			continue;
		}
		begin(u, f->id);
		put_tag(u, gen, WIRE_TAG(f->id, fixed ? WIRE_FIXED64 :
							   WIRE_VARINT));
		if (fixed)
			put(u, from, 8);
		else
			put_varint(u, gen, v);
		finish(u);
	}
}

/* More bits than the field has, or another truth. */
static uint64_t same_number(struct gen *gen, ProtobufCType type, uint64_t v)
{
	switch (type) {
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
		return gen_one_in(gen, 6) ? (v & UINT32_MAX) |
						    gen_next(gen) << 32 :
					    v;
	case PROTOBUF_C_TYPE_BOOL:
		return v ? 1 + gen_below(gen, 3) : 0;
	default:
		return v;
	}
}

static void odd_scalar(struct units *u, struct gen *gen,
		       const ProtobufCFieldDescriptor *f,
		       const struct wire_field *field)
{
	begin(u, key_of(f));
	put_tag(u, gen, field->tag);
	if (wire_type_of(field->tag) == WIRE_VARINT)
		put_varint(u, gen, same_number(gen, f->type, field->value));
	else
		put(u, field->body,
		    wire_type_of(field->tag) == WIRE_FIXED64 ? 8 : 4);
	finish(u);
}

/* What the real value replaces: the last one wins. */
static void decoy(struct units *u, struct gen *gen,
		  const ProtobufCFieldDescriptor *f,
		  const struct wire_field *field)
{
	static const uint8_t noise[] = "0123456\xff 89abcdef";
	size_t len = gen_below(gen, 12);

	if (strstr(f->name, "span_id"))
		len = 8;
	else if (!strcmp(f->name, "trace_id"))
		len = 16;
	switch (wire_type_of(field->tag)) {
	case WIRE_BYTES:
		put_field(u, gen, key_of(f), field->tag, noise, len);
		break;
	case WIRE_VARINT:
		begin(u, key_of(f));
		put_tag(u, gen, field->tag);
		put_varint(u, gen, gen_next(gen));
		finish(u);
		break;
	default:
		put_field(u, gen, key_of(f), field->tag, noise,
			  wire_type_of(field->tag) == WIRE_FIXED64 ? 8 : 4);
		break;
	}
}

/* A rival in the same oneof, before the member that wins. */
static void rival(struct units *u, struct gen *gen,
		  const ProtobufCMessageDescriptor *type)
{
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];
		struct wire_field field = { 0 };

		if (!(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ||
		    !gen_one_in(gen, 2))
			continue;
		if (is_message(f))
			put_field(u, gen, KEY_ONEOF,
				  WIRE_TAG(f->id, WIRE_BYTES), "", 0);
		else if (f->type == PROTOBUF_C_TYPE_BYTES)
			field.tag = WIRE_TAG(f->id, WIRE_BYTES);
		else if (f->type == PROTOBUF_C_TYPE_BOOL ||
			 f->type == PROTOBUF_C_TYPE_INT64)
			field.tag = WIRE_TAG(f->id, WIRE_VARINT);
		else
			field.tag = WIRE_TAG(f->id, WIRE_FIXED64);
		if (field.tag)
			decoy(u, gen, f, &field);
	}
}

static void odd_field(struct units *u, struct gen *gen,
		      const ProtobufCMessageDescriptor *type,
		      const struct wire_field *field)
{
	const ProtobufCFieldDescriptor *f =
		protobuf_c_message_descriptor_get_field(
			type, wire_field_of(field->tag));
	bool oneof = f && f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;

	/* A message rival would merge with a message that wins. */
	if (oneof && !is_message(f) && gen_one_in(gen, 4))
		rival(u, gen, type);
	if (is_message(f)) {
		odd_child(u, gen, f, field);
		return;
	}
	if (f->flags & PROTOBUF_C_FIELD_FLAG_PACKED) {
		odd_packed(u, gen, f, field);
		return;
	}
	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		put_field(u, gen, f->id, field->tag, field->body,
			  field->value);
		return;
	}
	if (gen_one_in(gen, 5))
		decoy(u, gen, f, field);
	if (wire_type_of(field->tag) == WIRE_BYTES)
		put_field(u, gen, key_of(f), field->tag, field->body,
			  field->value);
	else
		odd_scalar(u, gen, f, field);
}

/* --- Messages ----------------------------------------------------------- */

static void group(struct units *u, struct gen *gen)
{
	uint32_t number = 30 + gen_below(gen, 2000);
	unsigned depth = 1 + gen_below(gen, 3);

	begin(u, KEY_FREE + (uint32_t)u->n);
	for (unsigned i = 0; i < depth; i++)
		put_tag(u, gen, WIRE_TAG(number + i, WIRE_GROUP));
	put_tag(u, gen, WIRE_TAG(1, WIRE_BYTES));
	put(u, "\x02hi", 3);
	for (unsigned i = depth; i-- > 0;)
		put_tag(u, gen, WIRE_TAG(number + i, WIRE_END_GROUP));
	finish(u);
}

static void shuffle(struct units *u, struct gen *gen)
{
	for (size_t swaps = gen_below(gen, 3) ? 0 : 2 * u->n; swaps; swaps--) {
		size_t i = gen_below(gen, (uint32_t)u->n);
		struct unit unit = u->v[i];

		if (i + 1 >= u->n || u->v[i + 1].key == unit.key)
			continue;
		u->v[i] = u->v[i + 1];
		u->v[i + 1] = unit;
	}
}

/* The units' bytes in the order of the units. */
static void settle(struct units *u)
{
	uint8_t *bytes = malloc(u->len + 1);
	size_t len = 0;

	assert(bytes);
	for (size_t i = 0; i < u->n; i++) {
		memcpy(bytes + len, u->bytes + u->v[i].at, u->v[i].len);
		u->v[i].at = len;
		len += u->v[i].len;
	}
	free(u->bytes);
	u->bytes = bytes;
	u->cap = u->len + 1;
}

static void odd_message(struct units *u, struct gen *gen,
			const ProtobufCMessageDescriptor *type,
			const uint8_t *p, const uint8_t *end)
{
	struct wire_field field;

	while (p < end) {
		const uint8_t *next = wire_next(p, end, &field);

		assert(next);
		if (protobuf_c_message_descriptor_get_field(
			    type, wire_field_of(field.tag))) {
			odd_field(u, gen, type, &field);
		} else {	/* unknown: kept as it is */
			begin(u, KEY_UNKNOWN);
			put(u, p, (size_t)(next - p));
			finish(u);
		}
		if (gen_one_in(gen, 40))
			group(u, gen);
		p = next;
	}
	shuffle(u, gen);
	settle(u);
}

struct otlp_bytes otlp_unusual(enum weir_signal signal,
			       const struct otlp_bytes *valid, uint64_t seed)
{
	struct gen gen = { seed };
	struct units u = { 0 };
	struct otlp_bytes out;

	odd_message(&u, &gen, otlp_descriptor(signal), valid->ptr,
		    valid->ptr + valid->len);
	out = otlp_bytes_copy(u.bytes, u.len, seed);
	out.items = valid->items;
	release(&u);
	return out;
}
