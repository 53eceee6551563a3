/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_body.c: the body of one request, in one piece.
 *
 * What comes is copied once into a payload that is charged before it is
 * allocated; it doubles, so that a peer pays in bytes for what it announced.
 * Holds nothing of its own.  Must never take a byte more than the cap, neither
 * as sent nor inflated.
 */
#include "codec.h"
#include "http_conn.h"

#define FIRST_ROOM (512 << 10)	/* for a body that has only been announced */
#define LEAST_ROOM 4096

static bool no_memory(struct weir_http_exchange *x)
{
	http_refuse(x, 503, WEIR_UNAVAILABLE, WEIR_REASON_MEMORY,
		    "no memory for a request body");
	return false;
}

static bool too_large(struct weir_http_exchange *x)
{
	http_refuse(x, 413, WEIR_RESOURCE_EXHAUSTED, WEIR_REASON_TOO_BIG,
		    "request body too large");
	return false;
}

/* Bytes to make room for when `need` must fit. */
static size_t room_for(const struct weir_http_exchange *x, size_t need)
{
	size_t room = FIRST_ROOM, max = x->conn->server->max_body;

	if (x->body)
		room = weir_payload_capacity(x->body) * 2;
	else if (!x->announced)
		room = LEAST_ROOM;
	if (x->announced && room > x->announced)
		room = (size_t)x->announced;
	if (room < need)
		room = need;
	return room < max ? room : max;
}

static bool make_room(struct weir_http_exchange *x, size_t need)
{
	struct weir_payload *bigger;

	if (x->body && need <= weir_payload_capacity(x->body))
		return true;
	bigger = weir_payload_new(x->conn->server->c, room_for(x, need));
	if (!bigger)
		return no_memory(x);
	if (x->body) {
		memcpy(weir_payload_bytes(bigger), weir_payload_bytes(x->body),
		       x->body_len);
		weir_payload_free(&x->body);
	}
	x->body = bigger;
	return true;
}

bool http_body_add(struct weir_http_exchange *x, const uint8_t *data,
		   size_t len)
{
	if (len > x->conn->server->max_body - x->body_len)
		return too_large(x);
	if (!make_room(x, x->body_len + len))
		return false;
	memcpy(weir_payload_bytes(x->body) + x->body_len, data, len);
	x->body_len += len;
	return true;
}

static void refuse(struct weir_http_exchange *x, struct weir_outcome *refused)
{
	if (refused->reason == WEIR_REASON_COMPRESSION)
		refused->status = WEIR_INVALID_ARGUMENT;
	http_refuse(x, weir_outcome_http(refused), refused->status,
		    refused->reason, refused->text);
}

void http_body_unavailable(struct weir_http_exchange *x)
{
	struct weir_outcome refused;

	codec_unavailable(x->encoding, &refused);
	refuse(x, &refused);
}

/* Puts the inflated body in the place of what came. */
bool http_body_inflate(struct weir_http_exchange *x)
{
	const struct weir_http_server *server = x->conn->server;
	const uint8_t *in = x->body ? weir_payload_bytes(x->body)
				    : (const uint8_t *)"";
	struct weir_outcome refused;
	struct weir_payload *whole;
	size_t len = 0;

	whole = weir_decompress(server->c, x->encoding, in, x->body_len,
				server->max_body, &len, &refused);
	if (!whole) {
		refuse(x, &refused);
		return false;
	}
	if (x->body)
		weir_payload_free(&x->body);
	x->body = whole;
	x->body_len = len;
	return true;
}
