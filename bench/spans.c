/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spans.c: what the spans hold, and where their trace ids are.
 */
#include "spans.h"
#include "wire_out.h"

#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START 1700000000000000000u	/* ns; when the first span begins */

uint64_t spans_random(uint64_t *state)	/* splitmix64 */
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void id(struct out *o, uint32_t field, size_t len, uint64_t *random)
{
	uint64_t v[2] = { spans_random(random), spans_random(random) };

	bytes(o, field, v, len);
}

/* Span.attributes = 9 */
static void http_attributes(struct out *s, uint64_t r)
{
	char buf[96];

	attr_text(s, 9, "http.request.method", r & 1 ? "GET" : "POST");
	attr_int(s, 9, "http.response.status_code", r % 50 ? 200 : 503);
	snprintf(buf, sizeof(buf), "/v1/chat/%u/messages/latest",
		 (unsigned int)(r >> 8 & 0xffff));
	attr_text(s, 9, "url.path", buf);
	attr_text(s, 9, "server.address", "orchestrator.internal");
	attr_int(s, 9, "server.port", 8443);
	attr_text(s, 9, "user_agent.original",
		  "agent-sdk/4.11 (linux; python 3.12; httpx 0.28)");
}

static void db_attributes(struct out *s, uint64_t r)
{
	attr_text(s, 9, "db.system.name", "postgresql");
	attr_text(s, 9, "db.operation.name", "SELECT");
	attr_text(s, 9, "db.query.text",
		  "SELECT id, role, body, created_at "
		  "FROM messages WHERE chat = $1 ORDER BY id LIMIT 50");
	attr_int(s, 9, "db.response.returned_rows", r & 63);
	attr_bool(s, 9, "db.cached", r & 1);
	attr_text(s, 9, "network.peer.address", "10.2.0.17");
}

static void llm_attributes(struct out *s, uint64_t r)
{
	attr_text(s, 9, "gen_ai.operation.name", "chat");
	attr_text(s, 9, "gen_ai.request.model", "large-2026-05");
	attr_int(s, 9, "gen_ai.usage.input_tokens", r >> 16 & 4095);
	attr_int(s, 9, "gen_ai.usage.output_tokens", r >> 28 & 1023);
	attr_double(s, 9, "gen_ai.request.temperature",
		    (double)(r >> 40 & 15) / 10);
	attr_text(s, 9, "gen_ai.response.finish_reason", "stop");
}

static void secrets(struct out *s)
{
	attr_text(s, 9, "api_key", "sk-live-0123456789abcdef0123456789abcdef");
	attr_text(s, 9, "user_email", "somebody@example.com");
	attr_text(s, 9, "token", "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl");
}

/* Span.events = 11, Event { time = 1, name = 2, attributes = 3 } */
static void event(struct out *s, uint64_t at)
{
	struct out e = { 0 };

	fixed64(&e, 1, at);
	text(&e, 2, "gen_ai.content.completion");
	attr_int(&e, 3, "index", 0);
	bytes(s, 11, e.p, e.len);
	free(e.p);
}

/* Span.links = 13, Link { trace_id = 1, span_id = 2 } */
static void link_to(struct out *s, uint64_t *random)
{
	struct out l = { 0 };

	id(&l, 1, 16, random);
	id(&l, 2, 8, random);
	bytes(s, 13, l.p, l.len);
	free(l.p);
}

/* gen_ai.input.messages: JSON of 1 to 2 KB, as a chat sends it. */
static void messages(struct out *s, uint64_t r, bool hit)
{
	static const char *const said[] = {
		"Please compare the two offers and tell me which one is "
		"cheaper over three years. ",
		"The first one is from March, \\\"version 2\\\", and has a "
		"discount of 12 percent.\\n",
		"I wrote to them on Tuesday at 10:30 and got no answer so "
		"far. ",
		"Order 4711-0815 was shipped with the wrong cable; the "
		"ticket is still open. " };
	size_t want = 1000 + (r >> 20) % 1000;
	struct out json = { 0 };

#define SAY(text) raw(&json, text, strlen(text))
	SAY("[{\"role\":\"system\",\"parts\":[{\"type\":\"text\","
	    "\"content\":\"You help customers of a shop.\"}]},"
	    "{\"role\":\"user\",\"parts\":[{\"type\":\"text\","
	    "\"content\":\"");
	for (size_t i = r & 3; json.len < want; i++)
		SAY(said[i & 3]);
	if (hit)
		SAY("Write to somebody@example.com.");
	SAY("\"},{\"type\":\"tool_call\",\"id\":\"call_7\",\"name\":"
	    "\"lookup\",\"arguments\":{\"order\":4711,\"deep\":true}}]}]");
	raw(&json, "", 1);
#undef SAY
	attr_text(s, 9, "gen_ai.input.messages", (const char *)json.p);
	free(json.p);
}

static void span(struct out *s, const struct spans_shape *shape, size_t i,
		 uint64_t *random)
{
	size_t every = shape->hits ? 1000 / shape->hits : 0;
	bool hit = every && i % every == 7 % every;

	static const char *const names[] = { "POST /v1/chat", "SELECT messages",
					     "chat large-2026-05" };
	uint64_t r = spans_random(random), start = START + i * 1000;

	id(s, 1, 16, random);
	id(s, 2, 8, random);
	id(s, 4, 8, random);
	text(s, 5, names[i % 3]);
	integer(s, 6, 1 + i % 3);
	fixed64(s, 7, start);
	fixed64(s, 8, start + 1000000 + (r & 0xfffff));
	if (i % 3 != 2)
		http_attributes(s, r);
	else
		llm_attributes(s, r);
	if (i % 3 != 0)
		db_attributes(s, r);
	else
		llm_attributes(s, r);
	if (shape->messages)
		messages(s, r, hit);
	if (hit)
		secrets(s);
	if (i % 5 == 0)
		event(s, start + 500);
	if (i % 33 == 3)
		link_to(s, random);
	bytes(s, 15, "\x18\x01", 2);	/* Status { code = 3: OK } */
}

static void resource(struct out *o)
{
	struct out r = { 0 };

	attr_text(&r, 1, "service.name", "orchestrator");
	attr_text(&r, 1, "service.namespace", "assistants");
	attr_text(&r, 1, "service.version", "2026.5.1");
	attr_text(&r, 1, "deployment.environment.name", "production");
	attr_text(&r, 1, "host.name", "node-17");
	attr_text(&r, 1, "telemetry.sdk.language", "python");
	attr_text(&r, 1, "telemetry.sdk.version", "1.45.0");
	attr_int(&r, 1, "process.pid", 4711);
	bytes(o, 1, r.p, r.len);
	free(r.p);
}

/* ScopeSpans { scope = 1, spans = 2 } with spans from..to */
static void scope_spans(struct out *o, const struct spans_shape *shape,
			const char *name, size_t from, size_t to,
			uint64_t *random)
{
	struct out scope = { 0 }, all = { 0 };

	text(&scope, 1, name);
	text(&scope, 2, "0.52b0");
	bytes(&all, 1, scope.p, scope.len);
	for (size_t i = from; i < to; i++) {
		struct out s = { 0 };

		span(&s, shape, i, random);
		bytes(&all, 2, s.p, s.len);
		free(s.p);
	}
	bytes(o, 2, all.p, all.len);
	free(scope.p);
	free(all.p);
}

/* --- Where the spans are ------------------------------------------------ */

/* Goes over the length-delimited fields of ResourceSpans and ScopeSpans. */
static void find_spans(struct spans_request *r, const uint8_t *p,
		       const uint8_t *end, int depth)
{
	while (p < end) {
		uint8_t tag = *p++;
		size_t len = read_varint(&p);

		if (depth == 2 && tag == (2 << 3 | 2))
			r->spans[r->n++] = (struct spans_place){
				(uint32_t)(p - r->bytes),
				(uint32_t)(p + len - r->bytes) };
		else if (tag == (depth ? 2 << 3 | 2 : 1 << 3 | 2))
			find_spans(r, p, p + len, depth + 1);
		p += len;
	}
}

static void frame_head(uint8_t *head, bool compressed, size_t len)
{
	head[0] = compressed;
	head[1] = (uint8_t)(len >> 24);
	head[2] = (uint8_t)(len >> 16);
	head[3] = (uint8_t)(len >> 8);
	head[4] = (uint8_t)len;
}

struct spans_request spans_build(const struct spans_shape *shape)
{
	struct spans_request r = { 0 };
	struct out rs = { 0 }, all = { 0 };
	uint64_t random = 7;
	size_t n = shape->n;

	resource(&rs);
	scope_spans(&rs, shape, "opentelemetry.instrumentation.fastapi", 0,
		    n / 2, &random);
	scope_spans(&rs, shape, "assistants.llm", n / 2, n, &random);
	raw(&all, "\0\0\0\0\0", 5);
	bytes(&all, 1, rs.p, rs.len);
	free(rs.p);
	r.bytes = all.p;
	r.len = all.len;
	frame_head(r.bytes, false, r.len - 5);
	r.spans = grown(NULL, (n + 1) * sizeof(*r.spans));
	find_spans(&r, r.bytes + 5, r.bytes + r.len, 0);
	return r;
}

struct spans_request spans_copy(const struct spans_request *r)
{
	struct spans_request copy = *r;

	copy.bytes = grown(NULL, r->len);
	memcpy(copy.bytes, r->bytes, r->len);
	return copy;	/* places are shared: nobody changes them */
}

void spans_refresh(struct spans_request *r, uint64_t *random)
{
	for (size_t i = 0; i < r->n; i++) {
		uint64_t v[2] = { spans_random(random), spans_random(random) };

		memcpy(r->bytes + r->spans[i].start + 2, v, 16);
	}
}

void spans_gzip(struct spans_request *r)
{
	struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
	size_t cap = libdeflate_gzip_compress_bound(c, r->len);
	uint8_t *packed = grown(NULL, cap + 5);
	size_t n = libdeflate_gzip_compress(c, r->bytes + 5, r->len - 5,
					    packed + 5, cap);

	frame_head(packed, true, n);
	free(r->bytes);
	r->bytes = packed;
	r->len = n + 5;
	libdeflate_free_compressor(c);
}
