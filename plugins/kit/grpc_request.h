/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_request.h: one unary call of a client: what it sends, and what its
 * response means.  No I/O; the client that owns it moves it about.
 */
#ifndef KIT_GRPC_REQUEST_H
#define KIT_GRPC_REQUEST_H

#include "h2_client.h"
#include "grpc_status.h"

#include <weir/kit/compress.h>
#include <weir/kit/grpc.h>

struct link;

struct weir_grpc_request {
	struct h2_request h2;		/* first: nghttp2 gives this back */
	struct weir_grpc_client *client;
	struct link *link;		/* its connection, NULL: it waits */
	struct weir_grpc_request *prev, *next;	/* in its list, or spare */
	struct weir_grpc_request **list;
	struct weir_grpc_unary unary;
	uint8_t *packed;		/* the compressed message, or NULL */
	uint8_t prefix[5];
	char timeout[GRPC_TIMEOUT_MAX];
	size_t timeout_len;

	/* The response. */
	struct weir_outcome outcome;	/* as the trailers say */
	int http;
	bool typed, has_status;
	bool failed;			/* we said so: nothing else counts */
	enum weir_encoding encoding;
	uint8_t head[5];
	size_t n_head, want, got, room;
	uint8_t *reply;
	uint8_t small[128];
};

static inline struct weir_grpc_request *request_of(struct h2_request *h2)
{
	return (struct weir_grpc_request *)(void *)h2;
}

/* Frames the message, compressed unless compressor is NULL.  -1: no memory. */
int grpc_request_pack(struct weir_grpc_request *r,
		      struct weir_compressor *compressor);
void grpc_request_header(struct weir_grpc_request *r, weir_str name,
			 weir_str value);
void grpc_request_data(struct weir_grpc_request *r, const uint8_t *data,
		       size_t len);
/* The stream ended: *outcome gets what that means, and the inflated reply if
 * it is OK (*inflated is to be freed when it is not NULL). */
void grpc_request_end(struct weir_grpc_request *r, struct weir_component *c,
		      uint32_t error, struct weir_outcome *outcome,
		      weir_str *reply, struct weir_payload **inflated);
/* Frees what it holds, not the request. */
void grpc_request_release(struct weir_grpc_request *r);

#endif
