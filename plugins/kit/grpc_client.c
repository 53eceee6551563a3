/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_client.c: the calls of a client, from their begin to their end.
 *
 * Holds the calls that wait for a connection, and those that must be told that
 * there is none.  Calls beyond the server's MAX_CONCURRENT_STREAMS wait inside
 * the session.
 *
 * Until a first attempt to connect has failed calls wait; from then on they
 * fail at once until a connection is ready, unless wait_for_ready.  Must never
 * call done from inside weir_grpc_client_call.
 */
#include "grpc_client.h"

#include <stdlib.h>

#define SECOND 1000000000
#define LEAST_KEEPALIVE (10 * (int64_t)SECOND)
#define SPARE_REQUESTS 64

/* --- Lists -------------------------------------------------------------- */

void grpc_client_push(struct weir_grpc_request **list,
		      struct weir_grpc_request *r)
{
	r->list = list;
	r->prev = NULL;
	r->next = *list;
	if (r->next)
		r->next->prev = r;
	*list = r;
}

void grpc_client_unlink(struct weir_grpc_request *r)
{
	if (r->prev)
		r->prev->next = r->next;
	else
		*r->list = r->next;
	if (r->next)
		r->next->prev = r->prev;
}

static void recycle(struct weir_grpc_request *r)
{
	struct weir_grpc_client *client = r->client;

	grpc_client_unlink(r);
	grpc_request_release(r);
	if (client->n_spare == SPARE_REQUESTS) {
		free(r);
		return;
	}
	client->n_spare++;
	r->next = client->spare;
	client->spare = r;
}

/* The request's struct may serve another call before done is back. */
void grpc_client_finish(struct weir_grpc_request *r, uint32_t error)
{
	struct weir_grpc_unary unary = r->unary;
	struct weir_component *c = r->client->c;
	struct weir_payload *inflated;
	struct weir_outcome outcome;
	weir_str reply;
	uint8_t small[sizeof(r->small)];
	uint8_t *heap = NULL;

	grpc_request_end(r, c, error, &outcome, &reply, &inflated);
	if (reply.len && reply.ptr == (const char *)r->small) {
		memcpy(small, r->small, reply.len);
		reply.ptr = (const char *)small;
	} else if (r->reply != r->small) {
		heap = r->reply;
		r->reply = NULL;
	}
	recycle(r);
	unary.done(c, unary.arg, &outcome, (const uint8_t *)reply.ptr,
		   reply.len);
	free(heap);
	if (inflated)
		weir_payload_free(&inflated);
}

void grpc_client_fail(struct weir_grpc_request *r, enum weir_status status,
		      const char *text)
{
	weir_outcome_set(&r->outcome, status, WEIR_REASON_NONE, "%s", text);
	r->failed = true;
	grpc_client_finish(r, NGHTTP2_NO_ERROR);
}

static void on_tell(struct weir_component *c, struct weir_timer *timer)
{
	struct weir_grpc_client *client = (struct weir_grpc_client *)(void *)
		((char *)timer - offsetof(struct weir_grpc_client, tell));

	(void)c;
	while (client->hopeless)
		grpc_client_finish(client->hopeless, NGHTTP2_NO_ERROR);
}

/* done runs in the next turn. */
void grpc_client_fail_later(struct weir_grpc_request *r,
			    enum weir_status status,
			    enum weir_reason reason, const char *text)
{
	struct weir_grpc_client *client = r->client;

	weir_outcome_set(&r->outcome, status, reason, "%s", text);
	r->failed = true;
	grpc_client_push(&client->hopeless, r);
	weir_timer_set(&client->tell, client->c, (weir_duration){ 0 }, on_tell);
}

/* --- The client --------------------------------------------------------- */

static int set_up(struct weir_grpc_client *client)
{
	const struct weir_grpc_client_config *config = client->config;
	enum weir_encoding encoding =
		weir_grpc_encoding_parse(config->compression);

	grpc_target_parse(config->endpoint, &client->target);
	client->resolve_backoff = GRPC_FIRST_BACKOFF;
	h2_mem_init(&client->mem);
	if (config->keepalive.enabled) {
		client->keepalive = config->keepalive.time.ns;
		if (client->keepalive < LEAST_KEEPALIVE)
			client->keepalive = LEAST_KEEPALIVE;
	}
	if (encoding != WEIR_ENCODING_IDENTITY &&
	    encoding != WEIR_ENCODING_UNKNOWN) {
		client->compressor = weir_compressor_new(encoding, 0);
		if (!client->compressor)
			return -1;
	}
	return grpc_template_make(client);
}

/* A proxy looks names up itself.  Else the addresses of a name are spread over;
 * anything else is one, of which core tries what it stands for in turn. */
static int begin(struct weir_grpc_client *client)
{
	weir_str address = client->target.address;
	struct grpc_sub *sub;

	client->proxied = !client->target.is_unix &&
			  grpc_proxy_find(address, &client->proxy);
	client->resolves = !client->proxied &&
		grpc_resolves(client->config, &client->target);
	if (client->resolves) {
		grpc_resolve(client);
		return 0;
	}
	if (client->target.is_unix)
		address = client->config->endpoint;
	else if (client->proxied)
		address = (weir_str){ client->proxy.address.ptr,
				      client->proxy.address.len };
	sub = grpc_sub_add(client, address, NULL);
	if (!sub)
		return -1;
	grpc_link_connect(sub);
	return 0;
}

struct weir_grpc_client *weir_grpc_client_new(struct weir_component *c,
	const struct weir_grpc_client_config *config, struct weir_error *error)
{
	struct weir_grpc_client *client = calloc(1, sizeof(*client));

	if (client) {
		client->c = c;
		client->config = config;
		if (set_up(client))
			weir_grpc_client_free(&client);
	}
	if (client && begin(client))
		weir_grpc_client_free(&client);
	if (!client)
		weir_fail(error, "", "out of memory");
	return client;
}

void weir_grpc_client_free(struct weir_grpc_client **where)
{
	struct weir_grpc_client *client = *where;
	struct link *link, *next;

	if (!client)
		return;
	weir_timer_cancel(&client->tell);
	grpc_resolve_end(client);
	for (link = client->links; link; link = next) {
		next = link->next;
		while (link->requests)
			grpc_client_fail(link->requests, WEIR_CANCELLED,
					 "shutting down");
		grpc_link_abandon(link);
	}
	client->links = NULL;
	while (client->n_subs)
		grpc_sub_remove(client, client->n_subs - 1);
	free(client->subs);
	grpc_proxy_release(&client->proxy);
	while (client->waiting)
		grpc_client_fail(client->waiting, WEIR_CANCELLED,
				 "shutting down");
	while (client->hopeless)
		grpc_client_finish(client->hopeless, NGHTTP2_NO_ERROR);
	while (client->spare) {
		struct weir_grpc_request *r = client->spare;

		client->spare = r->next;
		free(r);
	}
	h2_mem_release(&client->mem);
	weir_compressor_free(&client->compressor);
	free(client->nv);
	free(client->texts);
	free(client);
	*where = NULL;
}

static struct weir_grpc_request *new_request(struct weir_grpc_client *client)
{
	struct weir_grpc_request *r = client->spare;

	if (r) {
		client->spare = r->next;
		client->n_spare--;
	} else {
		r = malloc(sizeof(*r));
	}
	if (r)
		*r = (struct weir_grpc_request){ .client = client };
	return r;
}

struct weir_grpc_request *weir_grpc_client_call(
	struct weir_grpc_client *client, const struct weir_grpc_unary *unary)
{
	struct weir_grpc_request *r = new_request(client);
	const char *why;
	struct link *link;

	if (!r)
		abort();	/* as everything else that is this small */
	r->unary = *unary;
	if (unary->timeout.ns > 0)
		r->timeout_len = grpc_timeout_format(r->timeout,
			(uint64_t)unary->timeout.ns);
	if (grpc_request_pack(r, client->compressor))
		grpc_client_fail_later(r, WEIR_UNAVAILABLE, WEIR_REASON_MEMORY,
				       "no memory to send a request");
	else if ((link = grpc_sub_pick(client)))
		grpc_link_submit(link, r);
	else if (!client->config->wait_for_ready &&
		 (why = grpc_sub_hopeless(client)))
		grpc_client_fail_later(r, WEIR_UNAVAILABLE, WEIR_REASON_NONE,
				       why);
	else
		grpc_client_push(&client->waiting, r);
	return r;
}

void weir_grpc_request_cancel(struct weir_grpc_request **request)
{
	struct weir_grpc_request *r = *request;
	struct link *link;

	*request = NULL;
	if (!r)
		return;
	link = r->link;
	if (link && link->h2) {
		h2_client_cancel(link->h2, &r->h2);
		weir_stream_flush_later(link->stream);
	}
	recycle(r);
}
