/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.c: what a backend answers, within its caps (attacks.md 125).
 *
 * Holds header lines and a body that is charged to the byte budget before it
 * grows.  Must never keep what belongs to an answer that another one follows.
 */
#include "pool.h"

#include <stdlib.h>

#define FIRST_ROOM 4096

void reply_release(struct reply *reply)
{
	weir_payload_free(&reply->body);
	reply->used = reply->seen = reply->n_headers = reply->len = 0;
	reply->too_big = reply->no_memory = false;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Interim answers, and a proxy's to CONNECT, come before the one that counts:
 * a status line starts over. */
static bool is_status_line(const char *line, size_t len)
{
	return len >= 5 && !memcmp(line, "HTTP/", 5);
}

static void keep(struct reply *reply, const char *line, size_t name,
		 size_t len)
{
	struct weir_http_header *header = &reply->headers[reply->n_headers++];
	char *to = reply->lines + reply->used;
	size_t at = name + 1;

	for (size_t i = 0; i < name; i++)
		to[i] = line[i] >= 'A' && line[i] <= 'Z'
				? (char)(line[i] + 'a' - 'A') : line[i];
	while (at < len && is_blank(line[at]))
		at++;
	while (len > at && is_blank(line[len - 1]))
		len--;
	memcpy(to + name, line + at, len - at);
	header->name = (weir_str){ to, name };
	header->value = (weir_str){ to + name, len - at };
	reply->used += name + len - at;
}

size_t reply_header(char *line, size_t size, size_t n, void *arg)
{
	struct curl_transfer *t = arg;
	struct reply *reply = &t->reply;
	size_t len = size * n;
	const char *colon;

	reply->seen += len;
	if (reply->seen > REPLY_HEADERS || reply->n_headers == REPLY_LINES) {
		reply->too_big = true;
		return CURL_WRITEFUNC_ERROR;
	}
	if (is_status_line(line, len)) {
		reply->used = reply->n_headers = 0;
		return len;
	}
	colon = memchr(line, ':', len);
	if (colon)
		keep(reply, line, (size_t)(colon - line), len);
	return len;
}

static bool grow(struct curl_transfer *t, size_t need)
{
	struct reply *reply = &t->reply;
	size_t room = reply->body ? weir_payload_capacity(reply->body) : 0;
	struct weir_payload *larger;

	if (need <= room)
		return true;
	room = room ? room : FIRST_ROOM;
	while (room < need)
		room *= 2;
	larger = weir_payload_new(t->pool->c, room);
	if (!larger)
		return false;
	if (reply->len)
		memcpy(weir_payload_bytes(larger),
		       weir_payload_bytes(reply->body), reply->len);
	weir_payload_free(&reply->body);
	reply->body = larger;
	return true;
}

size_t reply_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct curl_transfer *t = arg;
	struct reply *reply = &t->reply;
	size_t len = size * n;

	if (len > REPLY_MAX - reply->len) {
		reply->too_big = true;
		return CURL_WRITEFUNC_ERROR;
	}
	if (!grow(t, reply->len + len)) {
		reply->no_memory = true;
		return CURL_WRITEFUNC_ERROR;
	}
	if (len)
		memcpy(weir_payload_bytes(reply->body) + reply->len, bytes,
		       len);
	reply->len += len;
	return len;
}
