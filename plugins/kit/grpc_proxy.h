/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_proxy.h: the HTTP proxy that the environment names for a target.
 *
 * HTTPS_PROXY and NO_PROXY (upper case first), also for targets in plain text,
 * as grpc-go has it.  Targets on this host are never proxied.
 */
#ifndef KIT_GRPC_PROXY_H
#define KIT_GRPC_PROXY_H

#include <weir/value.h>

struct grpc_proxy {
	struct weir_text address;	/* host:port to connect to */
	struct weir_text request;	/* the CONNECT, whole */
};

/* target: host:port.  Fills *proxy and returns true if one is to be used.
 * Reads the environment: set-up only. */
bool grpc_proxy_find(weir_str target, struct grpc_proxy *proxy);
void grpc_proxy_release(struct grpc_proxy *proxy);

/* How a proxy's reply stands so far: 0 more must come, -1 it is none or not
 * 200, else the length of its head. */
int grpc_proxy_reply(const char *reply, size_t len);
#define GRPC_PROXY_REPLY_MAX 4096

/* Does a list like NO_PROXY's exempt host:port? */
bool grpc_proxy_exempt(const char *list, weir_str host, weir_str port);

#endif
