/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_head.c: request line and headers as one piece of text.
 *
 * Holds at most HTTP_MAX_HEAD bytes of a request, and what the parser puts
 * behind them (trailers); what is large is charged to the byte budget, since
 * HPACK makes it of a few bytes.  Must never grow past what 16-bit offsets can
 * name.
 */
#include "http_head.h"

#include <stdlib.h>

#define FIRST_ROOM 512
#define KEPT_ROOM 2048		/* a larger buffer does not wait for the next */

void http_head_clear(struct http_head *head)
{
	if (head->cap > KEPT_ROOM)
		http_head_release(head);
	head->used = head->n = 0;
	head->starved = false;
	head->method = head->path = head->query = (struct http_text){ 0, 0 };
}

void http_head_release(struct http_head *head)
{
	if (!head->large)
		free(head->text);
	weir_payload_free(&head->large);
	head->text = NULL;
	head->used = head->cap = head->n = 0;
}

static char *grow(struct http_head *head, uint32_t cap)
{
	struct weir_payload *large;
	char *text;

	if (cap <= KEPT_ROOM)
		return realloc(head->text, cap);
	large = weir_payload_new(head->c, cap);
	if (!large)
		return NULL;
	text = (char *)weir_payload_bytes(large);
	if (head->used)
		memcpy(text, head->text, head->used);
	if (!head->large)
		free(head->text);
	weir_payload_free(&head->large);
	head->large = large;
	return text;
}

bool http_head_room(struct http_head *head, size_t len)
{
	uint32_t cap = head->cap ? head->cap : FIRST_ROOM;
	char *text;

	if (len <= head->cap - head->used)
		return true;
	if (len > UINT16_MAX - head->used)
		return false;
	while (cap - head->used < len)
		cap *= 2;
	text = grow(head, cap);
	head->starved = !text;
	if (!text)
		return false;
	head->text = text;
	head->cap = cap;
	return true;
}

bool http_head_keep(struct http_head *head, weir_str text,
		    struct http_text *kept)
{
	if (text.len > HTTP_MAX_HEAD ||
	    head->used > HTTP_MAX_HEAD - text.len ||
	    !http_head_room(head, text.len))
		return false;
	if (text.len)
		memcpy(head->text + head->used, text.ptr, text.len);
	*kept = (struct http_text){ (uint16_t)head->used, (uint16_t)text.len };
	head->used += (uint32_t)text.len;
	return true;
}

bool http_head_add(struct http_head *head, weir_str name, weir_str value)
{
	struct http_text n, v;

	if (head->n == HTTP_MAX_HEADERS || !http_head_keep(head, name, &n) ||
	    !http_head_keep(head, value, &v))
		return false;
	head->headers[head->n].name = n;
	head->headers[head->n++].value = v;
	return true;
}

void http_head_target(struct http_head *head, struct http_text target)
{
	weir_str text = http_head_text(head, target);
	const char *query = text.len ? memchr(text.ptr, '?', text.len) : NULL;
	uint16_t len = query ? (uint16_t)(query - text.ptr) : target.len;
	uint16_t end = (uint16_t)(target.at + target.len);

	head->path = (struct http_text){ target.at, len };
	head->query = (struct http_text){ end, 0 };
	if (query)
		head->query = (struct http_text){
			(uint16_t)(target.at + len + 1),
			(uint16_t)(target.len - len - 1) };
}

weir_str http_head_text(const struct http_head *head, struct http_text text)
{
	return (weir_str){ head->text ? head->text + text.at : "", text.len };
}

bool http_head_find(const struct http_head *head, weir_str name, size_t i,
		    weir_str *value)
{
	for (uint32_t at = 0; at < head->n; at++)
		if (weir_str_eq(http_head_text(head, head->headers[at].name),
				name) && !i--) {
			*value = http_head_text(head,
						head->headers[at].value);
			return true;
		}
	return false;
}

bool http_same_word(weir_str text, const char *word)
{
	size_t i = 0;

	for (; i < text.len && word[i]; i++) {
		char ch = text.ptr[i];

		if (ch >= 'A' && ch <= 'Z')
			ch = (char)(ch + ('a' - 'A'));
		if (ch != word[i])
			return false;
	}
	return i == text.len && !word[i];
}
