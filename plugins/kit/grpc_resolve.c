/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_resolve.c: the addresses behind a client's name (gRPC's dns resolver).
 *
 * A look-up is a job of the thread pool that owns what it needs.  It begins at
 * start, and when a connection was lost or an attempt failed, at most every
 * 30 s; one that fails is repeated with back-off, and what was known stays.
 * Must never block the loop.
 */
#include "grpc_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define LEAST_INTERVAL (30 * (int64_t)1000000000)
#define LAST_BACKOFF (120 * (int64_t)1000000000)
#define ADDRESSES_MAX 64
#define ADDRESS_TEXT (INET6_ADDRSTRLEN + 8)	/* [ ] : port */

struct grpc_resolving {
	struct weir_grpc_client *client;	/* NULL: it is gone */
	char host[256], port[32];
	int error;			/* getaddrinfo's */
	size_t n;
	char addresses[ADDRESSES_MAX][ADDRESS_TEXT];
};

int (*grpc_lookup)(const char *host, const char *port,
		   const struct addrinfo *hints,
		   struct addrinfo **out) = getaddrinfo;
void (*grpc_lookup_free)(struct addrinfo *addresses) = freeaddrinfo;

/* --- Names -------------------------------------------------------------- */

/* host:port or [host]:port, of an endpoint that was validated. */
static bool split(weir_str address, char host[256], char port[32])
{
	const char *colon = address.len ?
		memrchr(address.ptr, ':', address.len) : NULL;
	weir_str h, p;

	if (!colon)
		return false;
	h = (weir_str){ address.ptr, (size_t)(colon - address.ptr) };
	p = (weir_str){ colon + 1, address.len - h.len - 1 };
	if (h.len > 2 && h.ptr[0] == '[' && h.ptr[h.len - 1] == ']')
		h = (weir_str){ h.ptr + 1, h.len - 2 };
	if (h.len >= 256 || p.len >= 32)
		return false;
	snprintf(host, 256, "%.*s", WEIR_STR_FMT(h));
	snprintf(port, 32, "%.*s", WEIR_STR_FMT(p));
	return host[0] != '\0';
}

bool grpc_resolves(const struct weir_grpc_client_config *config,
		   const struct grpc_target *target)
{
	static const char passthrough[] = "passthrough:";
	char host[256], port[32];
	unsigned char number[sizeof(struct in6_addr)];

	if (target->is_unix ||
	    weir_str_eq(config->balancer_name, WEIR_STR("pick_first")) ||
	    (config->endpoint.len >= sizeof(passthrough) - 1 &&
	     !memcmp(config->endpoint.ptr, passthrough,
		     sizeof(passthrough) - 1)))
		return false;
	return split(target->address, host, port) && !strchr(host, '%') &&
	       inet_pton(AF_INET, host, number) != 1 &&
	       inet_pton(AF_INET6, host, number) != 1;
}

/* --- On the thread pool ------------------------------------------------- */

static bool print(const struct addrinfo *ai, char out[ADDRESS_TEXT])
{
	const void *raw = ai->ai_addr;
	const struct sockaddr_in *v4 = raw;
	const struct sockaddr_in6 *v6 = raw;
	char host[INET6_ADDRSTRLEN];

	if (ai->ai_family == AF_INET)
		snprintf(out, ADDRESS_TEXT, "%s:%u",
			 inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host)),
			 ntohs(v4->sin_port));
	else if (ai->ai_family == AF_INET6)
		snprintf(out, ADDRESS_TEXT, "[%s]:%u",
			 inet_ntop(AF_INET6, &v6->sin6_addr, host,
				   sizeof(host)), ntohs(v6->sin6_port));
	else
		return false;
	return true;
}

static bool has(const struct grpc_resolving *job, const char *address)
{
	for (size_t i = 0; i < job->n; i++)
		if (!strcmp(job->addresses[i], address))
			return true;
	return false;
}

static void look_up(void *arg)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct grpc_resolving *job = arg;
	struct addrinfo *all = NULL;
	char text[ADDRESS_TEXT];

	job->error = grpc_lookup(job->host, job->port, &hints, &all);
	if (job->error)
		return;
	for (struct addrinfo *ai = all; ai && job->n < ADDRESSES_MAX;
	     ai = ai->ai_next)
		if (print(ai, text) && !has(job, text))
			memcpy(job->addresses[job->n++], text, sizeof(text));
	grpc_lookup_free(all);
}

/* --- On the loop -------------------------------------------------------- */

static void on_time(struct weir_component *c, struct weir_timer *timer);

static void again_in(struct weir_grpc_client *client, int64_t ns)
{
	weir_timer_set(&client->resolve, client->c, (weir_duration){ ns },
		       on_time);
}

static void failed(struct weir_grpc_client *client, const char *host,
		   const char *why)
{
	int64_t wait = client->resolve_backoff;

	client->resolve_backoff = wait * 8 / 5 < LAST_BACKOFF ?
		wait * 8 / 5 : LAST_BACKOFF;
	wait += (int64_t)(weir_random() % (uint64_t)(wait * 2 / 5 + 1)) -
		wait / 5;
	client->lookup_failed = true;
	snprintf(client->why, sizeof(client->why),
		 "name resolver error: lookup %.80s: %s", host, why);
	again_in(client, wait);
	grpc_sub_fail_waiting(client);
}

static bool is_known(const struct weir_grpc_client *client, const char *address)
{
	for (size_t i = 0; i < client->n_subs; i++)
		if (weir_str_eq(client->subs[i]->address,
				weir_str_of(address)))
			return true;
	return false;
}

/* Connections to addresses that stay, stay. */
static void take(struct weir_grpc_client *client,
		 const struct grpc_resolving *job)
{
	for (size_t i = client->n_subs; i-- > 0;)
		if (!has(job, client->subs[i]->text))
			grpc_sub_remove(client, i);
	for (size_t i = 0; i < job->n; i++) {
		char *text;
		struct grpc_sub *sub;

		if (is_known(client, job->addresses[i]))
			continue;
		text = strdup(job->addresses[i]);
		sub = text ? grpc_sub_add(client, weir_str_of(text), text) :
			     NULL;
		if (sub)
			grpc_link_connect(sub);
		else
			free(text);
	}
}

static void looked_up(struct weir_component *c, void *arg)
{
	struct grpc_resolving *job = arg;
	struct weir_grpc_client *client = job->client;

	(void)c;
	if (client) {
		client->resolving = NULL;
		client->resolved = weir_now();
		if (job->error || !job->n) {
			failed(client, job->host, job->error ?
			       gai_strerror(job->error) :
			       "produced zero addresses");
		} else {
			client->lookup_failed = false;
			client->resolve_backoff = GRPC_FIRST_BACKOFF;
			take(client, job);
		}
	}
	free(job);
}

static void begin(struct weir_grpc_client *client)
{
	struct grpc_resolving *job = calloc(1, sizeof(*job));

	if (!job) {
		failed(client, "", "out of memory");
		return;
	}
	job->client = client;
	split(client->target.address, job->host, job->port);
	if (weir_work(client->c, look_up, looked_up, job) < 0) {
		failed(client, job->host, "no thread is free");
		free(job);
		return;
	}
	client->resolving = job;
}

static void on_time(struct weir_component *c, struct weir_timer *timer)
{
	struct weir_grpc_client *client = (struct weir_grpc_client *)(void *)
		((char *)timer - offsetof(struct weir_grpc_client, resolve));

	(void)c;
	if (!client->resolving)
		begin(client);
}

void grpc_resolve(struct weir_grpc_client *client)
{
	int64_t since = (int64_t)(weir_now() - client->resolved);

	if (!client->resolves || client->resolving ||
	    weir_timer_is_set(&client->resolve))
		return;
	if (!client->resolved)
		begin(client);
	else
		again_in(client, since < LEAST_INTERVAL ?
			 LEAST_INTERVAL - since : 0);
}

void grpc_resolve_end(struct weir_grpc_client *client)
{
	weir_timer_cancel(&client->resolve);
	if (client->resolving)
		client->resolving->client = NULL;
	client->resolving = NULL;
}
