/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_call.h: one unary call, as the files that serve it share it.
 *
 *	grpc_headers.c	what is asked
 *	grpc_call.c	the message, and the calls of a connection
 *	grpc_answer.c	how it is answered, and when it is over
 */
#ifndef KIT_GRPC_CALL_H
#define KIT_GRPC_CALL_H

#include "grpc_conn.h"

#define HEADER_LIST (16 << 10)	/* bytes that a call's headers may take */

struct weir_grpc_call {
	struct grpc_conn *conn;
	struct weir_grpc_call *prev, *next;	/* of the connection, or spare */
	const struct weir_grpc_method *method;
	struct weir_context *context;	/* its own: with metadata */
	struct weir_payload *payload;
	size_t got, want;		/* bytes of the message */
	uint64_t began, deadline, answered_at;
	size_t paced;			/* got, when ... */
	uint64_t paced_at;		/* ... this was, while draining */
	int32_t id;
	enum weir_encoding encoding;	/* what grpc-encoding says */
	uint8_t prefix[5];
	uint8_t n_prefix;
	bool post, typed, path, timed, bad_timeout, bad_metadata, host;
	bool foreign;			/* not gRPC: refused at its end */
	bool whole;			/* headers are */
	bool ended;			/* END_STREAM came */
	bool open;			/* the stream is there */
	bool held;			/* a method has to answer */
	bool answered;
	uint8_t *reply;			/* prefix and message, or a text */
	size_t reply_len, reply_sent;
	struct codec_waiter waiter;	/* held meanwhile */
	uint8_t small[64];
};

/* --- grpc_answer.c ------------------------------------------------------ */

/* Unlinks it and keeps its memory for another. */
void grpc_call_recycle(struct weir_grpc_call *call);
/* Its stream or its method is done with it: the other may be as well. */
void grpc_call_let_go(struct weir_grpc_call *call);
/* Answers with Trailers-Only; not answered before.  http: three digits. */
void grpc_call_deny(struct weir_grpc_call *call, const char *http,
		    const struct weir_outcome *outcome);
/* The kit's own no: what was received is let go at once, the method's owner
 * told. */
void grpc_call_refuse(struct weir_grpc_call *call, const char *http,
		      const struct weir_outcome *outcome);

#define REFUSE(call, http, status, reason, ...)				\
	do {								\
		struct weir_outcome outcome_;				\
		weir_outcome_set(&outcome_, WEIR_##status,		\
				 WEIR_REASON_##reason, __VA_ARGS__);	\
		grpc_call_refuse(call, http, &outcome_);			\
	} while (0)

/* --- grpc_headers.c ----------------------------------------------------- */

/* h2_server_ops.header and .headers. */
void grpc_call_header(void *arg, void *stream, weir_str name, weir_str value);
void grpc_call_headers(void *arg, void *stream, size_t bytes);

#endif
