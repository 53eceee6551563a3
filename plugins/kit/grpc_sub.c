/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_sub.c: the addresses that a client spreads its calls over.
 *
 * Holds the list and whose turn it is (round_robin).  One address is down from
 * a failed attempt until a connection is ready; the client is without hope
 * when all are.
 */
#include "grpc_client.h"

#include <stdlib.h>

struct grpc_sub *grpc_sub_add(struct weir_grpc_client *client,
			      weir_str address, char *text)
{
	struct grpc_sub **more, *sub = calloc(1, sizeof(*sub));

	more = realloc(client->subs, (client->n_subs + 1) * sizeof(*more));
	if (more)
		client->subs = more;
	if (!more || !sub) {
		free(sub);
		return NULL;
	}
	sub->client = client;
	sub->address = address;
	sub->text = text;
	sub->backoff = GRPC_FIRST_BACKOFF;
	client->subs[client->n_subs++] = sub;
	return sub;
}

void grpc_sub_remove(struct weir_grpc_client *client, size_t i)
{
	struct grpc_sub *sub = client->subs[i];

	weir_timer_cancel(&sub->retry);
	if (sub->connecting)
		weir_connect_cancel(&sub->connecting);
	for (struct link *link = client->links; link; link = link->next)
		if (link->sub == sub)
			grpc_link_retire(link);
	client->n_subs--;
	memmove(client->subs + i, client->subs + i + 1,
		(client->n_subs - i) * sizeof(*client->subs));
	free(sub->text);
	free(sub);
}

struct link *grpc_sub_pick(struct weir_grpc_client *client)
{
	for (size_t i = 0; i < client->n_subs; i++) {
		size_t at = (client->turn + i) % client->n_subs;
		struct link *link = client->subs[at]->link;

		if (link && link->ready) {
			client->turn = at + 1;
			return link;
		}
	}
	return NULL;
}

const char *grpc_sub_hopeless(const struct weir_grpc_client *client)
{
	if (!client->n_subs)
		return client->lookup_failed ? client->why : NULL;
	for (size_t i = 0; i < client->n_subs; i++)
		if (!client->subs[i]->down)
			return NULL;
	return client->subs[client->n_subs - 1]->why;
}

void grpc_sub_fail_waiting(struct weir_grpc_client *client)
{
	const char *why = grpc_sub_hopeless(client);
	struct weir_grpc_request *r, *next;

	if (!why || client->config->wait_for_ready)
		return;
	for (r = client->waiting; r; r = next) {
		next = r->next;
		grpc_client_unlink(r);
		grpc_client_fail_later(r, WEIR_UNAVAILABLE, WEIR_REASON_NONE,
				       why);
	}
}
