/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_server.h: the server's side of one HTTP/2 connection, without I/O.
 *
 * Bytes in (h2_server_recv), callbacks, bytes out (h2_server_fill).  It knows
 * limits, floods, pings and GOAWAY; what a request means is its owner's.
 */
#ifndef KIT_H2_SERVER_H
#define KIT_H2_SERVER_H

#include <nghttp2/nghttp2.h>
#include <weir/base.h>

struct h2_server_limits {
	uint32_t max_streams;		/* concurrent, of one connection */
	weir_duration min_ping;		/* a client may ping no more often */
	bool ping_without_stream;	/* ... and also when it has no call */
	bool patient;	/* the owner resets what is answered but not ended,
			 * if the answer has a body */
};

struct h2_server_ops {
	/* A request begins; what is returned comes with all that follows.
	 * NULL: RST_STREAM(REFUSED_STREAM). */
	void *(*begin)(void *arg, int32_t id);
	void (*header)(void *arg, void *stream, weir_str name, weir_str value);
	/* The last header has come; bytes: their decoded size. */
	void (*headers)(void *arg, void *stream, size_t bytes);
	void (*data)(void *arg, void *stream, const uint8_t *data, size_t len);
	void (*end)(void *arg, void *stream);	/* END_STREAM */
	void (*closed)(void *arg, void *stream);	/* the last of a stream */
	void (*pong)(void *arg);		/* our PING was answered */
};

struct h2_server;

/* mem serves the session, NULL: malloc.  NULL: out of memory. */
struct h2_server *h2_server_new(const struct h2_server_limits *limits,
				const struct h2_server_ops *ops, void *arg,
				nghttp2_mem *mem);
/* Calls nothing: streams that are left are the owner's to forget. */
void h2_server_free(struct h2_server **h2);

/* now: weir_now().  false: fill until empty, then close the connection. */
bool h2_server_recv(struct h2_server *h2, const uint8_t *data, size_t len,
		    uint64_t now);
/* Frames that wait to be written, at most room bytes; 0: none. */
size_t h2_server_fill(struct h2_server *h2, uint8_t *out, size_t room);
/* Nothing more to read or write, or out of memory: close. */
bool h2_server_is_done(struct h2_server *h2);
/* The client's preface and SETTINGS have come. */
bool h2_server_is_ready(const struct h2_server *h2);

/* HEADERS; with body (which says EOF, and submits trailers in its callback
 * when there are any) or, without, END_STREAM.  A request that has not ended
 * by then is reset with NO_ERROR (limits: patient). */
void h2_server_respond(struct h2_server *h2, int32_t id, const nghttp2_nv *nv,
		       size_t n, const nghttp2_data_provider *body);
/* An informational answer ("100") before the real one. */
void h2_server_inform(struct h2_server *h2, int32_t id, const char *status);
void h2_server_reset(struct h2_server *h2, int32_t id, uint32_t error);
void h2_server_ping(struct h2_server *h2);
/* "No new requests soon": GOAWAY with the highest id; pong tells that the
 * client has seen it.  Then finish: GOAWAY with the exact last id. */
void h2_server_notice(struct h2_server *h2);
void h2_server_finish(struct h2_server *h2, uint32_t error, const char *debug);

#endif
