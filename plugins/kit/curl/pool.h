/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h: the parts of libweircurl.so, to each other.
 *
 *	pool.c		libcurl on the loop: sockets, time, who is done
 *	transfer.c	one request: its options, its body, its end
 *	reply.c		what comes back, within its caps
 *	proxy.c		which proxy, by configuration and environment
 */
#ifndef KIT_CURL_POOL_H
#define KIT_CURL_POOL_H

#include <curl/curl.h>

#include "shim.h"

#define REPLY_MAX (4u << 20)		/* attacks.md 125 */
#define REPLY_HEADERS (64u << 10)
#define REPLY_LINES 200
#define REDIRECTS 10			/* as Go's client */

struct curl_pool {
	struct weir_component *c;
	const struct weir_http_client_config *config;
	CURLM *multi;
	CURLSH *cookies;		/* NULL: none */
	struct weir_timer timer;
	struct curl_transfer *busy, *idle;
	bool closing;
};

struct reply {
	char *lines;			/* REPLY_HEADERS, names and values */
	size_t used;
	size_t seen;			/* bytes of headers, of all answers */
	struct weir_http_header headers[REPLY_LINES];
	size_t n_headers;
	struct weir_payload *body;
	size_t len;
	bool too_big, no_memory;
};

struct curl_transfer {
	struct curl_transfer *next, *prev;
	struct curl_pool *pool;
	CURL *easy;
	struct curl_slist *headers;
	struct curl_call call;
	size_t piece, offset;		/* of the body: what goes next */
	unsigned int redirects;
	struct reply reply;
	char error[CURL_ERROR_SIZE];
};

/* --- transfer.c --- */
/* Sets everything; -1: no memory. */
int transfer_set_up(struct curl_transfer *t);
/* It has ended: tells who waits, or goes on where a redirect says. */
void transfer_done(struct curl_transfer *t, CURLcode code);
/* Frees what the request needed; the handle stays for the next. */
void transfer_release(struct curl_transfer *t);

/* --- pool.c --- */
void pool_retire(struct curl_transfer *t);

/* --- reply.c --- */
size_t reply_header(char *line, size_t size, size_t n, void *arg);
size_t reply_body(char *bytes, size_t size, size_t n, void *arg);
void reply_release(struct reply *reply);

/* --- proxy.c --- */
void proxy_set(CURL *easy, weir_str configured, weir_str url);

#endif
