/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_conn.h: the calls of one server connection, without I/O.
 *
 * Bytes go in through grpc_conn_recv and come out of h2_server_fill.  A call
 * lives as long as its stream, and as long as a method has it: a client that
 * goes away leaves calls behind which are answered to nobody, so a connection
 * outlives its socket until the last of them ended.
 */
#ifndef KIT_GRPC_CONN_H
#define KIT_GRPC_CONN_H

#include "codec_wait.h"
#include "h2_mem.h"
#include "h2_server.h"

#include <weir/kit/compress.h>
#include <weir/kit/grpc.h>

/* What all connections of a server share. */
struct grpc_service {
	struct weir_component *c;
	const struct weir_grpc_method *methods;
	size_t n_methods;
	size_t max_message;		/* bytes, compressed and inflated */
	struct h2_server_limits limits;
	bool include_metadata;
	bool draining;			/* new calls are UNAVAILABLE */
	uint64_t drained;		/* since when */
	struct weir_grpc_call *spare;	/* a stack of unused calls */
	size_t n_spare;
	struct h2_mem mem;		/* of their sessions */
	struct codec_wait codecs;
};

struct grpc_conn {
	struct grpc_service *service;
	struct h2_server *h2;
	weir_str peer;
	struct weir_context *context;	/* of all calls, unless metadata */
	struct weir_grpc_call *calls;	/* newest first */
	uint32_t n_calls;
	uint64_t now;			/* of the bytes being read */
	void (*wake)(struct grpc_conn *conn);	/* there is to write */
	void (*began)(struct grpc_conn *conn);	/* a call did */
	void (*pong)(struct grpc_conn *conn);
	void (*freed)(struct grpc_conn *conn);	/* a call was; the last act */
};

/* When a wait that began then is over: what waits when the server stops has a
 * moment more, and not all of its time. */
uint64_t grpc_due(const struct grpc_service *service, uint64_t from,
		  uint64_t allowed);
/* The caller has set service, peer and the functions.  -1: out of memory. */
int grpc_conn_init(struct grpc_conn *conn);
/* false: write what is left, then close. */
bool grpc_conn_recv(struct grpc_conn *conn, const uint8_t *data, size_t len);
/* The client sends no more: ends the calls that are not whole. */
void grpc_conn_eof(struct grpc_conn *conn);
/* Ends what took too long: bodies that stall, deadlines that are over.  false:
 * the connection itself is stuck. */
bool grpc_conn_check(struct grpc_conn *conn, uint64_t now);
/* The socket is gone: ends the session and every stream.  Calls that a method
 * still has stay until it answers. */
void grpc_conn_lost(struct grpc_conn *conn);
/* Frees all calls, answered or not; no method may answer after this. */
void grpc_conn_release(struct grpc_conn *conn);
void grpc_service_release(struct grpc_service *service);

#endif
