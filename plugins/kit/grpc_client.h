/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_client.h: a client and its connections, as their files share them.
 *
 *	grpc_client.c	the calls, from their begin to their end
 *	grpc_link.c	the connections that carry them
 *	grpc_template.c	the headers that all of them have
 */
#ifndef KIT_GRPC_CLIENT_H
#define KIT_GRPC_CLIENT_H

#include "grpc_config.h"
#include "grpc_request.h"
#include "h2_mem.h"

#define GRPC_FIRST_BACKOFF ((int64_t)1000000000)	/* ns */

struct link {
	struct weir_grpc_client *client;
	struct weir_stream *stream;
	struct h2_client *h2;
	struct link *next;		/* of the client's */
	struct weir_grpc_request *requests;
	struct weir_timer timer;
	uint64_t opened, heard, pinged;
	bool ready, leaving;
};

struct weir_grpc_client {
	struct weir_component *c;
	const struct weir_grpc_client_config *config;
	struct grpc_target target;
	struct weir_compressor *compressor;
	struct weir_connecting *connecting;
	struct link *link;		/* takes calls, or will when ready */
	struct link *links;		/* all there are */
	struct weir_grpc_request *waiting;	/* newest first */
	struct weir_grpc_request *hopeless;	/* told in the next turn */
	struct weir_grpc_request *spare;
	size_t n_spare;
	struct h2_mem mem;		/* of the links' sessions */
	struct weir_timer retry, tell;
	int64_t backoff;
	int64_t keepalive;		/* ns; 0: none */
	bool down;			/* the last attempt failed */
	char why[160];			/* ... because */
	nghttp2_nv *nv;			/* of every call; path is nv[2] */
	size_t n_nv;
	char *texts;			/* what nv points to */
};

/* --- grpc_client.c ------------------------------------------------------ */

void grpc_client_push(struct weir_grpc_request **list,
		      struct weir_grpc_request *r);
void grpc_client_unlink(struct weir_grpc_request *r);
/* The stream ended with that error of HTTP/2's: calls done; r is gone. */
void grpc_client_finish(struct weir_grpc_request *r, uint32_t error);
void grpc_client_fail(struct weir_grpc_request *r, enum weir_status status,
		      const char *text);
/* Of a request in no list: done runs in the next turn. */
void grpc_client_fail_later(struct weir_grpc_request *r,
			    enum weir_status status, enum weir_reason reason,
			    const char *text);

/* --- grpc_link.c -------------------------------------------------------- */

/* Begins to connect, unless it is under way. */
void grpc_link_connect(struct weir_grpc_client *client);
void grpc_link_submit(struct link *link, struct weir_grpc_request *r);
/* Its client goes: closes it; its requests must have ended. */
void grpc_link_abandon(struct link *link);

/* --- grpc_template.c ---------------------------------------------------- */

/* Fills nv and texts.  -1: out of memory. */
int grpc_template_make(struct weir_grpc_client *client);

#endif
