/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_http: the HTTP/1.1 parser on any bytes.
 *
 * What it reads must not depend on how the bytes are cut: the same input goes
 * in whole and in pieces, and both must agree on every request, byte of body
 * and refusal.  Limits must hold at any time.
 */
#include "http_parser.h"

#include <stdlib.h>

#define MAX_BODY 512

struct trace {
	uint64_t hash;
	unsigned requests;
	int status;
	bool failed;
};

static void mix(struct trace *t, const void *ptr, size_t len)
{
	const uint8_t *bytes = ptr;

	for (size_t i = 0; i < len; i++)
		t->hash = (t->hash ^ bytes[i]) * 0x100000001b3u;
}

static void mix_head(struct trace *t, const struct http_parser *p)
{
	weir_str text = http_head_text(p->head, p->head->path);

	mix(t, text.ptr, text.len);
	text = http_head_text(p->head, p->head->query);
	mix(t, text.ptr, text.len);
	for (uint32_t i = 0; i < p->head->n; i++) {
		text = http_head_text(p->head, p->head->headers[i].name);
		if (!text.len || memchr(text.ptr, ' ', text.len))
			abort();
		mix(t, text.ptr, text.len);
		text = http_head_text(p->head, p->head->headers[i].value);
		if (memchr(text.ptr, '\n', text.len) ||
		    memchr(text.ptr, '\0', text.len))
			abort();
		mix(t, text.ptr, text.len);
	}
}

static void begin(struct http_parser *p, struct http_head *head)
{
	http_head_clear(head);
	http_parser_begin(p, head, MAX_BODY);
}

static void on_event(struct trace *t, struct http_parser *p,
		     const struct http_event *event)
{
	switch (event->type) {
	case HTTP_HEAD:
		mix_head(t, p);
		break;
	case HTTP_BODY:
		mix(t, event->data, event->len);
		break;
	case HTTP_DONE:
		if (p->body > MAX_BODY ||
		    (p->has_length && p->body != p->length))
			abort();
		t->requests++;
		begin(p, p->head);
		break;
	case HTTP_FAIL:
		t->failed = true;
		t->status = p->status;
		break;
	case HTTP_MORE:
		break;
	}
}

static struct trace run(const uint8_t *data, size_t size, size_t step)
{
	struct trace t = { .hash = 0xcbf29ce484222325u };
	struct http_head head = { 0 };
	struct http_parser p;
	size_t at = 0;

	begin(&p, &head);
	while (!t.failed) {
		size_t len = size - at < step ? size - at : step;
		struct http_event event;

		at += http_parser_feed(&p, data + at, len, &event);
		if (head.used > HTTP_MAX_HEAD + HTTP_MAX_TRAILER)
			abort();
		on_event(&t, &p, &event);
		if (at == size && event.type == HTTP_MORE)
			break;
	}
	http_head_release(&head);
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace whole, cut;

	if (!size)
		return 0;
	whole = run(data + 1, size - 1, SIZE_MAX);
	cut = run(data + 1, size - 1, 1 + data[0] % 16);
	if (whole.hash != cut.hash || whole.requests != cut.requests ||
	    whole.failed != cut.failed || whole.status != cut.status)
		abort();
	return 0;
}
