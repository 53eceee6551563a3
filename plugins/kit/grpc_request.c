/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_request.c: one unary call of a client, without its connection.
 *
 * Holds the request's frame head (and its compressed form), and as much of
 * the response as has come.  Must never take more of a reply than MAX_REPLY:
 * a backend may lie about lengths as well as a client may.
 */
#include "grpc_request.h"

#include <stdlib.h>

#define MAX_REPLY (4 << 20)
#define FIRST_ROOM 4096

/* --- What it sends ------------------------------------------------------ */

static void set_head(uint8_t *out, uint8_t flag, size_t len)
{
	out[0] = flag;
	out[1] = (uint8_t)(len >> 24);
	out[2] = (uint8_t)(len >> 16);
	out[3] = (uint8_t)(len >> 8);
	out[4] = (uint8_t)len;
}

int grpc_request_pack(struct weir_grpc_request *r,
		      struct weir_compressor *compressor)
{
	const struct weir_grpc_unary *unary = &r->unary;
	struct weir_iovec *in;
	size_t len = 0;

	for (size_t i = 0; i < unary->n; i++)
		len += unary->body[i].len;
	if (len > UINT32_MAX)
		return -1;
	r->h2 = (struct h2_request){ .head = { r->prefix, 5 },
				     .slices = unary->body, .n = unary->n,
				     .left = len + 5, .id = -1 };
	set_head(r->prefix, 0, len);
	if (!compressor)
		return 0;
	in = malloc((unary->n + 1) * sizeof(*in));
	if (!in)
		return -1;
	for (size_t i = 0; i < unary->n; i++)
		in[i] = (struct weir_iovec){ unary->body[i].ptr,
					     unary->body[i].len };
	r->packed = weir_compress(compressor, in, unary->n, 5, &len);
	free(in);
	if (!r->packed || len - 5 > UINT32_MAX)
		return -1;
	set_head(r->packed, 1, len - 5);
	r->h2 = (struct h2_request){ .head = { r->packed, len }, .left = len,
				     .id = -1 };
	return 0;
}

void grpc_request_release(struct weir_grpc_request *r)
{
	free(r->packed);
	r->packed = NULL;
	if (r->reply != r->small)
		free(r->reply);
	r->reply = NULL;
}

/* --- What comes back ---------------------------------------------------- */

/* Our own verdict, whatever else comes. */
#define FAIL(r, status, reason, ...)					\
	do {								\
		weir_outcome_set(&(r)->outcome, WEIR_##status,		\
				 WEIR_REASON_##reason, __VA_ARGS__);	\
		(r)->failed = true;					\
	} while (0)

static void set_http(struct weir_grpc_request *r, weir_str value)
{
	r->http = 0;
	for (size_t i = 0; i < value.len && i < 3; i++)
		r->http = r->http * 10 + (value.ptr[i] - '0');
}

static bool is(weir_str name, const char *literal)
{
	return !memcmp(name.ptr, literal, name.len);
}

void grpc_request_header(struct weir_grpc_request *r, weir_str name,
			 weir_str value)
{
	struct weir_outcome *outcome = &r->outcome;

	if (r->failed)
		return;
	switch (name.len) {
	case 7:
		if (is(name, ":status"))
			set_http(r, value);
		break;
	case 11:
		if (is(name, "grpc-status")) {
			outcome->status = grpc_status_parse(value);
			r->has_status = true;
		}
		break;
	case 12:
		if (is(name, "content-type"))
			r->typed = value.len >= 16 &&
				!memcmp(value.ptr, "application/grpc", 16);
		else if (is(name, "grpc-message"))
			grpc_message_decode(value, outcome->text,
					    sizeof(outcome->text));
		break;
	case 13:
		if (is(name, "grpc-encoding"))
			r->encoding = weir_grpc_encoding_parse(value);
		break;
	case 23:
		if (is(name, "grpc-status-details-bin"))
			grpc_details_retry(value, &outcome->retry_after);
		break;
	}
}

static void open_reply(struct weir_grpc_request *r)
{
	const uint8_t *p = r->head;

	r->want = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 |
		  p[4];
	if (p[0] > 1 || (p[0] && r->encoding == WEIR_ENCODING_IDENTITY))
		FAIL(r, INTERNAL, COMPRESSION, "unknown message flag %d in the "
		     "response", p[0]);
	else if (p[0] && r->encoding == WEIR_ENCODING_UNKNOWN)
		FAIL(r, INTERNAL, COMPRESSION,
		     "the response's grpc-encoding is not supported");
	else if (r->want > MAX_REPLY)
		FAIL(r, RESOURCE_EXHAUSTED, TOO_BIG, "received message larger "
		     "than max (%zu vs. %d)", r->want, MAX_REPLY);
	r->reply = r->small;
	r->room = sizeof(r->small);
}

static bool grow(struct weir_grpc_request *r, size_t need)
{
	size_t room = need * 2 < FIRST_ROOM ? FIRST_ROOM : need * 2;
	uint8_t *bytes;

	if (room > r->want)
		room = r->want;
	bytes = realloc(r->reply == r->small ? NULL : r->reply, room);
	if (!bytes) {
		FAIL(r, UNAVAILABLE, MEMORY, "no memory for a response");
		return false;
	}
	if (r->reply == r->small)
		memcpy(bytes, r->small, r->got);
	r->reply = bytes;
	r->room = room;
	return true;
}

void grpc_request_data(struct weir_grpc_request *r, const uint8_t *data,
		       size_t len)
{
	if (!r->typed || r->http != 200)
		return;		/* some proxy's page */
	while (len && r->n_head < 5 && !r->failed) {
		r->head[r->n_head++] = *data++;
		len--;
		if (r->n_head == 5)
			open_reply(r);
	}
	if (!len || r->failed)
		return;
	if (len > r->want - r->got) {
		FAIL(r, INTERNAL, MALFORMED,
		     "more than one message in a unary response");
		return;
	}
	if (r->got + len > r->room && !grow(r, r->got + len))
		return;
	memcpy(r->reply + r->got, data, len);
	r->got += len;
}

/* The stream ended without grpc-status. */
static void explain(struct weir_grpc_request *r, uint32_t error)
{
	if (error != NGHTTP2_NO_ERROR)
		FAIL(r, UNKNOWN, NONE, "stream terminated by RST_STREAM with "
		     "error code %u", error);
	else if (!r->typed || r->http != 200)
		FAIL(r, UNKNOWN, NONE, "unexpected HTTP status code received "
		     "from server: %d", r->http);
	else
		FAIL(r, UNKNOWN, NONE, "server closed the stream without "
		     "sending trailers");
	r->outcome.status = error != NGHTTP2_NO_ERROR ?
		grpc_status_of_h2(error) : grpc_status_of_http(r->http);
}

static void take_reply(struct weir_grpc_request *r, struct weir_component *c,
		       weir_str *reply, struct weir_payload **inflated)
{
	size_t len;

	if (r->n_head < 5 || r->got < r->want) {
		FAIL(r, INTERNAL, MALFORMED, r->n_head ?
		     "the response ends before its length" :
		     "no message in a unary response");
		return;
	}
	*reply = (weir_str){ (const char *)r->reply, r->got };
	if (!r->head[0])
		return;
	*inflated = weir_decompress(c, r->encoding, r->reply, r->got,
				    MAX_REPLY, &len, &r->outcome);
	if (*inflated)
		*reply = (weir_str){
			(const char *)weir_payload_bytes(*inflated), len };
}

/* The server's own details carry the retry hint; its text and code stand. */
void grpc_request_end(struct weir_grpc_request *r, struct weir_component *c,
		      uint32_t error, struct weir_outcome *outcome,
		      weir_str *reply, struct weir_payload **inflated)
{
	*reply = (weir_str){ 0 };
	*inflated = NULL;
	if (!r->failed && !r->has_status)
		explain(r, error);
	if (!r->failed && r->outcome.status == WEIR_OK)
		take_reply(r, c, reply, inflated);
	if (r->outcome.status == WEIR_OK)
		r->outcome.retry_after.ns = 0;
	*outcome = r->outcome;
	if (outcome->status != WEIR_OK)
		*reply = (weir_str){ 0 };
}
