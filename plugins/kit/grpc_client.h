/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_client.h: a client and its connections, as their files share them.
 *
 *	grpc_client.c	the calls, from their begin to their end
 *	grpc_sub.c	the addresses that calls are spread over
 *	grpc_resolve.c	where the addresses come from
 *	grpc_link.c	the connections that carry them
 *	grpc_tunnel.c	their first words, to a proxy
 *	grpc_template.c	the headers that all of them have
 */
#ifndef KIT_GRPC_CLIENT_H
#define KIT_GRPC_CLIENT_H

#include "grpc_config.h"
#include "grpc_proxy.h"
#include "grpc_request.h"
#include "h2_mem.h"

#include <netdb.h>

#define GRPC_FIRST_BACKOFF ((int64_t)1000000000)	/* ns */

/* One address and the connection to it. */
struct grpc_sub {
	struct weir_grpc_client *client;
	weir_str address;		/* as weir_connect takes it */
	char *text;			/* what address points to; or NULL */
	struct weir_connecting *connecting;
	struct link *link;		/* takes calls, or will when ready */
	struct weir_timer retry;
	int64_t backoff;
	bool down;			/* the last attempt failed */
	char why[160];			/* ... because */
};

struct grpc_resolving;

struct link {
	struct weir_grpc_client *client;	/* NULL: abandoned */
	struct grpc_sub *sub;		/* NULL: its address is gone */
	struct weir_stream *stream;
	struct h2_client *h2;
	struct link *next;		/* of the client's */
	struct weir_grpc_request *requests;
	struct weir_timer timer;
	uint64_t opened, heard, pinged;
	bool ready, leaving;
	bool tunnel;			/* a proxy has not yet agreed */
	bool refused;			/* ... and does not */
	size_t told;			/* bytes of the CONNECT written */
	struct weir_text reply;		/* the proxy's so far */
};

struct weir_grpc_client {
	struct weir_component *c;
	const struct weir_grpc_client_config *config;
	struct grpc_target target;
	struct weir_compressor *compressor;
	struct grpc_proxy proxy;
	bool proxied;
	struct grpc_sub **subs;
	size_t n_subs, turn;		/* turn: who is next */
	struct link *links;		/* all there are */
	struct weir_grpc_request *waiting;	/* newest first */
	struct weir_grpc_request *hopeless;	/* told in the next turn */
	struct weir_grpc_request *spare;
	size_t n_spare;
	struct h2_mem mem;		/* of the links' sessions */
	struct weir_timer tell;
	int64_t keepalive;		/* ns; 0: none */
	struct grpc_resolving *resolving;	/* under way; or NULL */
	struct weir_timer resolve;	/* begins the next look-up */
	uint64_t resolved;		/* weir_now() of the last one */
	int64_t resolve_backoff;
	bool resolves;			/* the address is a name to look up */
	bool lookup_failed;
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
void grpc_link_connect(struct grpc_sub *sub);
void grpc_link_submit(struct link *link, struct weir_grpc_request *r);
/* Its client goes: closes it; its requests must have ended. */
void grpc_link_abandon(struct link *link);
/* Its address is gone: takes nothing new, ends when its calls have. */
void grpc_link_retire(struct link *link);

/* --- grpc_sub.c --------------------------------------------------------- */

/* A first or another address; text (or NULL) is what it points to and becomes
 * the sub's.  NULL: out of memory, text stays the caller's. */
struct grpc_sub *grpc_sub_add(struct weir_grpc_client *client,
			      weir_str address, char *text);
void grpc_sub_remove(struct weir_grpc_client *client, size_t i);
/* A connection that takes calls, in turn; NULL: none is ready. */
struct link *grpc_sub_pick(struct weir_grpc_client *client);
/* Is there no hope before a back-off is over?  Why, or NULL. */
const char *grpc_sub_hopeless(const struct weir_grpc_client *client);
/* Ends all that wait, if there is no hope and they may not wait. */
void grpc_sub_fail_waiting(struct weir_grpc_client *client);

/* --- grpc_resolve.c ----------------------------------------------------- */

/* getaddrinfo; tests put their own here. */
extern int (*grpc_lookup)(const char *host, const char *port,
			  const struct addrinfo *hints, struct addrinfo **out);
extern void (*grpc_lookup_free)(struct addrinfo *addresses);

/* Is it to be spread over the addresses of a name? */
bool grpc_resolves(const struct weir_grpc_client_config *config,
		   const struct grpc_target *target);
/* Looks the name up, on the thread pool; not again within 30 s. */
void grpc_resolve(struct weir_grpc_client *client);
/* The client goes. */
void grpc_resolve_end(struct weir_grpc_client *client);

/* --- grpc_tunnel.c ------------------------------------------------------ */

/* Of a link whose proxy has not agreed yet: writes what is left of the CONNECT;
 * hears what came, ends the waiting or the link, and returns how much of it was
 * the proxy's; what a proxy that refused has said. */
void grpc_tunnel_write(struct link *link);
size_t grpc_tunnel_hear(struct link *link, const uint8_t *data, size_t len);
void grpc_tunnel_refusal(const struct link *link, char *out, size_t size);

/* --- grpc_template.c ---------------------------------------------------- */

/* Fills nv and texts.  -1: out of memory. */
int grpc_template_make(struct weir_grpc_client *client);

#endif
