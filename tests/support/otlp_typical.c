/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_typical.c: traces like those the reference figures were measured on:
 * about 583 bytes a span, 12 attributes (two thirds text, the rest numbers,
 * truths and a list), an event on every fifth span, a link on three in a
 * hundred.
 */
#include "otlp_gen.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <otlp_trace.pb-c.h>

#define ATTRIBUTES_MAX 16

static ProtobufCBinaryData text(const char *literal)
{
	return (ProtobufCBinaryData){ strlen(literal),
				      (uint8_t *)(uintptr_t)literal };
}

/* One span's parts, in a place of their own: packed before they are reused. */
struct typical {
	Otlp__Span span;
	Otlp__KeyValue kv[ATTRIBUTES_MAX], *kvs[ATTRIBUTES_MAX];
	Otlp__AnyValue value[ATTRIBUTES_MAX];
	char buf[ATTRIBUTES_MAX][96];
	size_t n;
};

static Otlp__AnyValue *attribute(struct typical *t, const char *key)
{
	size_t i = t->n++;

	assert(i < ATTRIBUTES_MAX);
	otlp__key_value__init(&t->kv[i]);
	otlp__any_value__init(&t->value[i]);
	t->kv[i].key = text(key);
	t->kv[i].value = &t->value[i];
	t->kvs[i] = &t->kv[i];
	return &t->value[i];
}

static void text_attribute(struct typical *t, const char *key,
			   const char *format, uint64_t number)
{
	char *buf = t->buf[t->n];
	Otlp__AnyValue *value = attribute(t, key);

	snprintf(buf, sizeof(t->buf[0]), format, (unsigned long long)number);
	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = text(buf);
}

static void int_attribute(struct typical *t, const char *key, int64_t number)
{
	Otlp__AnyValue *value = attribute(t, key);

	value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
	value->int_value = number;
}

static void http_span(struct typical *t, struct gen *gen)
{
	text_attribute(t, "http.request.method", "GET%.0llu", 0);
	text_attribute(t, "url.path", "/api/v1/orders/%llu",
		       gen_below(gen, 100000));
	text_attribute(t, "url.scheme", "https%.0llu", 0);
	text_attribute(t, "server.address", "shop-%llu.internal.example",
		       gen_below(gen, 9));
	int_attribute(t, "server.port", 8443);
	int_attribute(t, "http.response.status_code", 200);
	text_attribute(t, "user_agent.original",
		       "Mozilla/5.0 (X11; Linux x86_64) Gecko/%llu",
		       gen_below(gen, 9));
	text_attribute(t, "client.address", "10.4.3.%llu",
		       gen_below(gen, 255));
}

static void model_span(struct typical *t, struct gen *gen)
{
	text_attribute(t, "gen_ai.operation.name", "chat%.0llu", 0);
	text_attribute(t, "gen_ai.request.model", "large-4-%llu",
		       gen_below(gen, 9));
	text_attribute(t, "gen_ai.system", "example%.0llu", 0);
	int_attribute(t, "gen_ai.usage.input_tokens", gen_below(gen, 5000));
	int_attribute(t, "gen_ai.usage.output_tokens", gen_below(gen, 900));
	text_attribute(t, "server.address", "model-%llu.internal.example",
		       gen_below(gen, 9));
	text_attribute(t, "gen_ai.response.id", "chatcmpl-AbCdEfGh01-%016llx",
		       gen_next(gen));
	text_attribute(t, "gen_ai.response.finish_reason", "stop%.0llu", 0);
}

static void common(struct typical *t, struct gen *gen)
{
	Otlp__AnyValue *value;

	text_attribute(t, "thread.name", "worker-%llu", gen_below(gen, 64));
	value = attribute(t, "app.cache_hit");
	value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
	value->bool_value = 1;
	value = attribute(t, "app.ratio");
	value->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
	value->double_value = 0.25;
	text_attribute(t, "session.id", "7d9e2c44-0b1a-4f77-%016llx",
		       gen_next(gen));
}

static void secrets(struct typical *t, struct gen *gen)
{
	text_attribute(t, "api_key", "sk-%016llx", gen_next(gen));
	text_attribute(t, "user_email", "user%llu@mail.example",
		       gen_below(gen, 1000));
	text_attribute(t, "token", "%016llx", gen_next(gen));
}

/* --- The request -------------------------------------------------------- */

struct writer {
	uint8_t *ptr;
	size_t len, cap;
};

static void append(struct writer *w, uint32_t field,
		   const ProtobufCMessage *msg, const void *ptr, size_t len)
{
	size_t n = msg ? protobuf_c_message_get_packed_size(msg) : len;
	size_t left = n;

	while (w->cap - w->len < n + 16) {
		w->cap = 2 * w->cap + 4096;
		w->ptr = realloc(w->ptr, w->cap);
		assert(w->ptr);
	}
	w->ptr[w->len++] = (uint8_t)(field << 3 | 2);
	for (; left >= 0x80; left >>= 7)
		w->ptr[w->len++] = (uint8_t)(left | 0x80);
	w->ptr[w->len++] = (uint8_t)left;
	if (msg)
		protobuf_c_message_pack(msg, w->ptr + w->len);
	else
		memcpy(w->ptr + w->len, ptr, n);
	w->len += n;
}

static void append_span(struct writer *w, struct gen *gen, uint32_t i, bool hit)
{
	static const char names[][32] = { "GET /api/v1/orders/{id}",
					  "chat large-4" };
	struct typical t = { .n = 0 };
	uint8_t ids[32];
	Otlp__Event event = OTLP__EVENT__INIT, *events = &event;
	Otlp__Link link = OTLP__LINK__INIT, *links = &link;
	Otlp__Status status = OTLP__STATUS__INIT;

	for (size_t b = 0; b < sizeof(ids); b++)
		ids[b] = (uint8_t)gen_next(gen);
	otlp__span__init(&t.span);
	t.span.trace_id = (ProtobufCBinaryData){ 16, ids };
	t.span.span_id = (ProtobufCBinaryData){ 8, ids + 16 };
	t.span.parent_span_id = (ProtobufCBinaryData){ 8, ids + 24 };
	t.span.name = text(names[i & 1]);
	t.span.kind = OTLP__SPAN_KIND__SPAN_KIND_CLIENT;
	t.span.start_time_unix_nano = 1760000000000000000u + i;
	t.span.end_time_unix_nano = t.span.start_time_unix_nano + 1500000;
	t.span.flags = 0x101;
	if (i & 1)
		model_span(&t, gen);
	else
		http_span(&t, gen);
	common(&t, gen);
	if (hit)
		secrets(&t, gen);
	t.span.attributes = t.kvs;
	t.span.n_attributes = t.n;
	event.time_unix_nano = t.span.start_time_unix_nano + 7;
	event.name = text("cache.lookup");
	event.attributes = t.kvs;
	event.n_attributes = 2;
	link.trace_id = t.span.trace_id;
	link.span_id = t.span.span_id;
	t.span.events = &events;
	t.span.n_events = i % 5 == 0;
	t.span.links = &links;
	t.span.n_links = i % 33 == 0;
	status.code = OTLP__STATUS_CODE__STATUS_CODE_OK;
	t.span.status = i % 2 ? &status : NULL;
	append(w, 2, &t.span.base, NULL, 0);
}

static void append_scope(struct writer *w, struct gen *gen, uint32_t from,
			 uint32_t to, uint32_t hits)
{
	Otlp__InstrumentationScope scope = OTLP__INSTRUMENTATION_SCOPE__INIT;
	struct writer in = { 0 };

	scope.name = text("opentelemetry.instrumentation.requests");
	scope.version = text("0.49b0");
	append(&in, 1, &scope.base, NULL, 0);
	for (uint32_t i = from; i < to; i++)
		append_span(&in, gen, i, gen_below(gen, 1000) < hits);
	append(w, 2, NULL, in.ptr, in.len);
	free(in.ptr);
}

struct otlp_bytes otlp_typical_traces(uint32_t n, uint32_t hits, uint64_t seed)
{
	struct gen gen = { seed };
	struct typical t = { .n = 0 };
	Otlp__Resource resource = OTLP__RESOURCE__INIT;
	struct writer wrapper = { 0 }, request = { 0 };
	struct otlp_bytes out;

	http_span(&t, &gen);
	resource.attributes = t.kvs;
	resource.n_attributes = t.n;
	append(&wrapper, 1, &resource.base, NULL, 0);
	append_scope(&wrapper, &gen, 0, n / 2, hits);
	append_scope(&wrapper, &gen, n / 2, n, hits);
	append(&request, 1, NULL, wrapper.ptr, wrapper.len);
	out = otlp_bytes_copy(request.ptr, request.len, seed);
	out.items = n;
	free(wrapper.ptr);
	free(request.ptr);
	return out;
}
