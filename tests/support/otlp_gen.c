/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_gen.c: random OTLP requests, by the descriptors of protobuf-c.
 *
 * Nothing here knows a message by heart: what the schemas in plugins/proto
 * have is what is made.  Holds nothing between calls.
 */
#include "otlp_gen.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <otlp_logs.pb-c.h>
#include <otlp_metrics.pb-c.h>
#include <otlp_trace.pb-c.h>

#define SLACK 32

uint64_t gen_next(struct gen *gen)
{
	uint64_t z = (gen->state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint32_t gen_below(struct gen *gen, uint32_t below)
{
	return below ? (uint32_t)(gen_next(gen) % below) : 0;
}

bool gen_one_in(struct gen *gen, uint32_t n)
{
	return gen_below(gen, n) == 0;
}

const ProtobufCMessageDescriptor *otlp_descriptor(enum weir_signal signal)
{
	switch (signal) {
	case WEIR_SIGNAL_TRACES:
		return &otlp__export_trace_service_request__descriptor;
	case WEIR_SIGNAL_METRICS:
		return &otlp__export_metrics_service_request__descriptor;
	default:
		return &otlp__export_logs_service_request__descriptor;
	}
}

/* --- Bytes -------------------------------------------------------------- */

static struct otlp_bytes bytes_new(size_t len, uint64_t noise)
{
	struct otlp_bytes out = { malloc(len + SLACK), len, 0 };
	struct gen gen = { noise };

	assert(out.ptr);
	for (size_t i = 0; i < SLACK; i++)
		out.ptr[len + i] = (uint8_t)gen_next(&gen);
	return out;
}

struct otlp_bytes otlp_bytes_copy(const uint8_t *ptr, size_t len,
				  uint64_t noise)
{
	struct otlp_bytes out = bytes_new(len, noise);

	if (len)
		memcpy(out.ptr, ptr, len);
	return out;
}

void otlp_bytes_append(struct otlp_bytes *bytes, const uint8_t *ptr, size_t len)
{
	struct otlp_bytes out = bytes_new(bytes->len + len, bytes->len);

	if (bytes->len)
		memcpy(out.ptr, bytes->ptr, bytes->len);
	if (len)
		memcpy(out.ptr + bytes->len, ptr, len);
	out.items = bytes->items;
	otlp_bytes_free(bytes);
	*bytes = out;
}

void otlp_bytes_free(struct otlp_bytes *bytes)
{
	free(bytes->ptr);
	*bytes = (struct otlp_bytes){ 0 };
}

static struct otlp_bytes packed(const ProtobufCMessage *msg, uint64_t noise)
{
	struct otlp_bytes out =
		bytes_new(protobuf_c_message_get_packed_size(msg), noise);

	protobuf_c_message_pack(msg, out.ptr);
	return out;
}

struct otlp_bytes otlp_repacked(enum weir_signal signal, const uint8_t *ptr,
				size_t len)
{
	struct otlp_bytes out = { 0 };
	ProtobufCMessage *msg = protobuf_c_message_unpack(
		otlp_descriptor(signal), NULL, len, ptr);

	if (!msg)
		return out;
	out = packed(msg, len);
	protobuf_c_message_free_unpacked(msg, NULL);
	return out;
}

char *otlp_hex(const uint8_t *ptr, size_t len)
{
	char *text = malloc(2 * len + 1);

	assert(text);
	for (size_t i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", ptr[i]);
	text[2 * len] = '\0';
	return text;
}

/* --- Values ------------------------------------------------------------- */

static const char *const words[] = {
	"http.method", "http.status_code", "db.statement", "gen_ai.prompt",
	"gen_ai.usage.input_tokens", "api_key", "user_email", "token", "k", "",
	"service.name", "server.address", "GET", "checkout", "ok",
	"a@b.example",
	"Gr\xc3\xbc\xc3\x9f", "\xe2\x82\xac", "\xf0\x9f\x90\x9f",
	"a rather long value that is longer than thirty-two bytes",
};

static ProtobufCBinaryData data_of(const void *ptr, size_t len)
{
	ProtobufCBinaryData data = { len, malloc(len ? len : 1) };

	assert(data.data);
	if (len)
		memcpy(data.data, ptr, len);
	return data;
}

static ProtobufCBinaryData random_text(struct gen *gen)
{
	char text[600];
	size_t len = 0, want = gen_one_in(gen, 12) ? gen_below(gen, 300) : 0;

	do {
		const char *word = words[gen_below(
			gen, sizeof(words) / sizeof(*words))];

		memcpy(text + len, word, strlen(word));
		len += strlen(word);
	} while (len < want);
	if (gen_one_in(gen, 30))
		text[len++] = '\0';	/* legal, and a trap for C */
	return data_of(text, len);
}

static ProtobufCBinaryData random_bytes(struct gen *gen, size_t len)
{
	uint8_t bytes[64];

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)gen_next(gen);
	return data_of(bytes, len);
}

static size_t id_length(const char *field)
{
	if (!strcmp(field, "trace_id"))
		return 16;
	if (!strcmp(field, "span_id") || !strcmp(field, "parent_span_id"))
		return 8;
	return 0;
}

static ProtobufCBinaryData random_data(struct gen *gen, const char *field)
{
	size_t id = id_length(field);

	if (id)
		return random_bytes(gen, gen_one_in(gen, 4) ? 0 : id);
	if (!strcmp(field, "bytes_value"))
		return random_bytes(gen, gen_below(gen, 40));
	return random_text(gen);
}

/* Small, round, negative and enormous ones, by turns. */
static uint64_t random_number(struct gen *gen)
{
	uint64_t v = gen_next(gen);

	switch (gen_below(gen, 5)) {
	case 0:
		return 0;
	case 1:
		return v % 200;
	case 2:
		return -(v % 200);
	case 3:
		return 1ull << v % 64;
	default:
		return v;
	}
}

/* --- Messages ----------------------------------------------------------- */

struct maker {
	struct gen gen;
	struct gen_options options;
	uint32_t items;
};

static ProtobufCMessage *make(struct maker *m,
			      const ProtobufCMessageDescriptor *type,
			      unsigned depth);

static bool is_item(const ProtobufCMessageDescriptor *type)
{
	return type == &otlp__span__descriptor ||
	       type == &otlp__log_record__descriptor ||
	       strstr(type->short_name, "DataPoint");
}

static size_t size_of(const ProtobufCFieldDescriptor *f)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(ProtobufCMessage *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	default:
		return 4;
	}
}

static void make_value(struct maker *m, const ProtobufCFieldDescriptor *f,
		       void *at, unsigned depth)
{
	uint64_t v;
	ProtobufCBinaryData data;
	ProtobufCMessage *child;

	switch (f->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		child = make(m, f->descriptor, depth + 1);
		memcpy(at, &child, sizeof(child));
		break;
	case PROTOBUF_C_TYPE_BYTES:
		data = random_data(&m->gen, f->name);
		memcpy(at, &data, sizeof(data));
		break;
	case PROTOBUF_C_TYPE_BOOL:
		v = gen_below(&m->gen, 2);
		memcpy(at, &v, 4);
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		v = random_number(&m->gen);
		*(double *)at = (double)(int64_t)v / 8;
		break;
	default:
		v = random_number(&m->gen);
		memcpy(at, &v, size_of(f));
		break;
	}
}

static uint32_t how_many(struct maker *m, const ProtobufCFieldDescriptor *f,
			 unsigned depth)
{
	if (f->type != PROTOBUF_C_TYPE_MESSAGE)
		return gen_below(&m->gen, 6);
	if (depth == 0)
		return 1 + gen_below(&m->gen, 2);
	if (m->options.records && is_item(f->descriptor))
		return m->options.records / 3 + 1;
	if (m->options.records && depth < 3)
		return 1 + gen_below(&m->gen, 2);
	return depth > 12 ? 0 : gen_below(&m->gen, 4);
}

static void make_repeated(struct maker *m, const ProtobufCFieldDescriptor *f,
			  uint8_t *msg, unsigned depth)
{
	size_t n = how_many(m, f, depth);
	char *v;

	if (!n)
		return;
	v = calloc(n, size_of(f));
	assert(v);
	for (size_t i = 0; i < n; i++)
		make_value(m, f, v + i * size_of(f), depth);
	memcpy(msg + f->quantifier_offset, &n, sizeof(n));
	memcpy(msg + f->offset, &v, sizeof(v));
}

static void make_field(struct maker *m, const ProtobufCFieldDescriptor *f,
		       uint8_t *msg, unsigned depth)
{
	bool has = true;

	if (f->label == PROTOBUF_C_LABEL_REPEATED) {
		make_repeated(m, f, msg, depth);
		return;
	}
	if (gen_one_in(&m->gen, 3) ||
	    (f->type == PROTOBUF_C_TYPE_MESSAGE && depth > 12))
		return;
	make_value(m, f, msg + f->offset, depth);
	if (f->label == PROTOBUF_C_LABEL_OPTIONAL &&
	    f->type != PROTOBUF_C_TYPE_MESSAGE)
		*(protobuf_c_boolean *)(void *)(msg + f->quantifier_offset) =
			has;
}

/* One member of the oneof, or none. */
static void make_oneof(struct maker *m, const ProtobufCMessageDescriptor *type,
		       uint8_t *msg, unsigned depth)
{
	uint32_t members = 0, chosen;

	for (unsigned i = 0; i < type->n_fields; i++)
		members += !!(type->fields[i].flags &
			      PROTOBUF_C_FIELD_FLAG_ONEOF);
	chosen = gen_below(&m->gen, members + 1);
	for (unsigned i = 0; i < type->n_fields && chosen < members; i++) {
		const ProtobufCFieldDescriptor *f = &type->fields[i];

		if (!(f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) || chosen--)
			continue;
		if (f->type == PROTOBUF_C_TYPE_MESSAGE && depth > 12)
			return;
		make_value(m, f, msg + f->offset, depth);
		memcpy(msg + f->quantifier_offset, &f->id, 4);
		return;
	}
}

static void make_unknown(struct maker *m, ProtobufCMessage *msg)
{
	static const uint8_t bytes[] = { 3, 'n', 'e', 'w' };
	static const uint8_t varint[] = { 0x96, 0x01 };
	ProtobufCMessageUnknownField *v = calloc(2, sizeof(*v));

	assert(v);
	for (unsigned i = 0; i < 2; i++) {
		bool text = gen_one_in(&m->gen, 2);
		ProtobufCBinaryData data =
			text ? data_of(bytes, sizeof(bytes)) :
			       data_of(varint, sizeof(varint));

		v[i].tag = 20 + gen_below(&m->gen, 3000);
		v[i].tag += v[i].tag == 1000;	/* scopes once had it */
		v[i].wire_type = text ? PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED :
					PROTOBUF_C_WIRE_TYPE_VARINT;
		v[i].len = data.len;
		v[i].data = data.data;
	}
	msg->unknown_fields = v;
	msg->n_unknown_fields = 2;
}

static ProtobufCMessage *make(struct maker *m,
			      const ProtobufCMessageDescriptor *type,
			      unsigned depth)
{
	ProtobufCMessage *msg = calloc(1, type->sizeof_message);

	assert(msg);
	type->message_init(msg);
	m->items += is_item(type);
	for (unsigned i = 0; i < type->n_fields; i++)
		if (!(type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			make_field(m, &type->fields[i], (uint8_t *)msg, depth);
	make_oneof(m, type, (uint8_t *)msg, depth);
	if (m->options.unknown && gen_one_in(&m->gen, 8))
		make_unknown(m, msg);
	return msg;
}

struct otlp_bytes otlp_gen(enum weir_signal signal, uint64_t seed,
			   const struct gen_options *options)
{
	struct maker m = { .gen = { seed }, .options = *options };
	ProtobufCMessage *msg = make(&m, otlp_descriptor(signal), 0);
	struct otlp_bytes out = packed(msg, seed);

	protobuf_c_message_free_unpacked(msg, NULL);
	out.items = m.items;
	return out;
}
