/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_link.c: the connections of a client.
 *
 * Holds, of each, its socket, its session and one timer: until SETTINGS came
 * that is patience, then keepalive.  One takes new calls; others finish what a
 * GOAWAY has left them.  Must never write all that waits in one turn.
 *
 *	connecting [-> CONNECT, 200] -> SETTINGS come: ready -> lost:
 *	connecting again
 *	          \-> failed: 1 s, x1.6, at most 120 s, +-20 % -> connecting
 */
#include "grpc_client.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND 1000000000
#define LAST_BACKOFF (120 * (int64_t)SECOND)
#define CONNECT_TIMEOUT (20 * (int64_t)SECOND)
#define TURN_LEAST (512 << 10)	/* bytes written in a turn ... */
#define TURN_PART 2		/* ... or that part of all that wait */

/* --- Calls on a link ---------------------------------------------------- */

static void on_header(struct h2_request *h2, weir_str name, weir_str value)
{
	grpc_request_header(request_of(h2), name, value);
}

static void on_reply(struct h2_request *h2, const uint8_t *data, size_t len)
{
	struct weir_grpc_request *r = request_of(h2);

	grpc_request_data(r, data, len);
	if (!r->failed)
		return;
	h2_client_cancel(r->link->h2, h2);
	grpc_client_finish(r, NGHTTP2_NO_ERROR);
}

void grpc_link_submit(struct link *link, struct weir_grpc_request *r)
{
	struct weir_grpc_client *client = link->client;
	size_t n = client->n_nv;

	/* One template serves all: names and values are not copied, but path
	 * and timeout stand in the request. */
	client->nv[2].value = (uint8_t *)r->unary.path;
	client->nv[2].valuelen = strlen(r->unary.path);
	if (r->timeout_len) {
		client->nv[n].value = (uint8_t *)r->timeout;
		client->nv[n].valuelen = r->timeout_len;
		n++;
	}
	if (h2_client_submit(link->h2, client->nv, n, &r->h2)) {
		grpc_client_fail_later(r, WEIR_UNAVAILABLE, WEIR_REASON_NONE,
				       "the connection takes no more calls");
		return;
	}
	r->link = link;
	grpc_client_push(&link->requests, r);
	weir_stream_flush_later(link->stream);
}

/* --- Connecting --------------------------------------------------------- */

static void on_retry(struct weir_component *c, struct weir_timer *timer)
{
	(void)c;
	grpc_link_connect((struct grpc_sub *)(void *)
		((char *)timer - offsetof(struct grpc_sub, retry)));
}

/* gRPC connection backoff; the first step after a connection that stood is
 * the shortest. */
static void connect_later(struct grpc_sub *sub, const char *why)
{
	int64_t wait = sub->backoff;

	wait += (int64_t)(weir_random() % (uint64_t)(wait * 2 / 5 + 1)) -
		wait / 5;
	sub->backoff = sub->backoff * 8 / 5;
	if (sub->backoff > LAST_BACKOFF)
		sub->backoff = LAST_BACKOFF;
	sub->down = true;
	snprintf(sub->why, sizeof(sub->why), "connection error: %s", why);
	weir_timer_set(&sub->retry, sub->client->c, (weir_duration){ wait },
		       on_retry);
	grpc_resolve(sub->client);
	grpc_sub_fail_waiting(sub->client);
}

static void lose(struct link *link, const char *why)
{
	struct weir_grpc_client *client = link->client;
	struct grpc_sub *sub = link->sub;
	struct link **at = &client->links;
	bool current = sub && sub->link == link;
	bool brief = weir_now() - link->opened < SECOND;

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	if (current)
		sub->link = NULL;
	weir_timer_cancel(&link->timer);
	if (current && link->ready && !brief) {
		grpc_link_connect(sub);
		grpc_resolve(client);
	} else if (current) {
		connect_later(sub, why);
	}
	h2_client_free(&link->h2);
	while (link->requests)
		grpc_client_fail(link->requests, WEIR_UNAVAILABLE, why);
	weir_text_release(&link->reply);
	free(link);
}

/* The oldest first. */
static void submit_waiting(struct weir_grpc_client *client)
{
	struct weir_grpc_request *r = client->waiting;

	while (r && r->next)
		r = r->next;
	while (r) {
		struct weir_grpc_request *older = r->prev;

		grpc_client_unlink(r);
		grpc_link_submit(grpc_sub_pick(client), r);
		r = older;
	}
}

static void on_ready(void *arg)
{
	struct link *link = arg;
	struct weir_grpc_client *client = link->client;

	link->ready = true;
	if (!link->sub)
		return;
	link->sub->down = false;
	link->sub->backoff = GRPC_FIRST_BACKOFF;
	if (link->sub->link == link)
		submit_waiting(client);
}

/* GOAWAY: what is under way ends here, what is new goes elsewhere. */
static void on_leaving(void *arg, weir_str debug)
{
	struct link *link = arg;
	struct weir_grpc_client *client = link->client;
	struct grpc_sub *sub = link->sub;

	if (link->leaving)
		return;
	link->leaving = true;
	if (weir_str_eq(debug, WEIR_STR("too_many_pings")))
		client->keepalive *= 2;
	if (!sub || sub->link != link)
		return;
	sub->link = NULL;
	if (weir_now() - link->opened < SECOND)
		connect_later(sub, "the server sends connections away");
	else
		grpc_link_connect(sub);
}

static void on_ended(struct h2_request *h2, uint32_t error)
{
	grpc_client_finish(request_of(h2), error);
}

static const struct h2_client_ops h2_ops = {
	.header = on_header,
	.data = on_reply,
	.closed = on_ended,
	.ready = on_ready,
	.leaving = on_leaving,
};

/* --- The socket --------------------------------------------------------- */

/* One gather, and whether the socket took it whole; -1: it is closing. */
static int write_gather(struct link *link, size_t most, size_t *done)
{
	const struct weir_iovec *iov;
	size_t n, len = 0;
	int64_t wrote;

	iov = h2_client_pieces(link->h2, most - *done, &n);
	for (size_t i = 0; i < n; i++)
		len += iov[i].len;
	if (!len)
		return 0;
	wrote = weir_stream_writev(link->stream, iov, n);
	if (wrote < 0)
		return -1;
	h2_client_wrote(link->h2, (size_t)wrote);
	*done += (size_t)wrote;
	return (size_t)wrote == len;
}

/* A part of what waits in each turn: meanwhile others are read and answered,
 * and the server can take what it has got.  The more waits the larger the
 * part, so that what comes in cannot outrun it. */
static void write_pieces(struct link *link)
{
	size_t most, done = 0;
	int whole;

	if (!link->h2)
		return;		/* abandoned */
	most = h2_client_owes(link->h2) / TURN_PART;
	if (most < TURN_LEAST)
		most = TURN_LEAST;
	do {
		whole = write_gather(link, most, &done);
	} while (whole > 0 && done < most);
	if (whole < 0)
		return;
	if (done && h2_client_wants_write(link->h2))
		weir_stream_want_write(link->stream);
	else if (h2_client_is_done(link->h2) ||
		 (link->leaving && !link->requests))
		weir_stream_close(link->stream);
}

static void on_writable(struct weir_stream *stream, void *arg)
{
	struct link *link = arg;

	(void)stream;
	if (link->tunnel && link->client)
		grpc_tunnel_write(link);
	else
		write_pieces(link);
}

static void receive(struct link *link, const uint8_t *data, size_t len)
{
	if (!h2_client_recv(link->h2, data, len))
		weir_stream_close(link->stream);
	else if (h2_client_wants_write(link->h2) ||
		 h2_client_is_done(link->h2) ||
		 (link->leaving && !link->requests))
		weir_stream_flush_later(link->stream);
}

static void on_data(struct weir_stream *stream, void *arg, const uint8_t *data,
		    size_t len)
{
	struct link *link = arg;

	(void)stream;
	link->heard = weir_now();
	link->pinged = 0;
	if (link->tunnel) {
		size_t used = grpc_tunnel_hear(link, data, len);

		data += used;
		len -= used;
	}
	if (!link->tunnel && !link->refused)
		receive(link, data, len);
}

static void on_eof(struct weir_stream *stream, void *arg)
{
	(void)arg;
	weir_stream_close(stream);
}

static void on_closed(struct weir_stream *stream, void *arg, int error)
{
	struct link *link = arg;

	(void)stream;
	if (!link->client) {
		weir_text_release(&link->reply);
		free(link);
	} else if (link->refused) {
		char why[128];

		grpc_tunnel_refusal(link, why, sizeof(why));
		lose(link, why);
	} else {
		lose(link, error ? strerror(error) :
		     "the server closed the connection");
	}
}

static const struct weir_stream_ops stream_ops = {
	.data = on_data,
	.writable = on_writable,
	.flush = on_writable,
	.eof = on_eof,
	.closed = on_closed,
};

/* Before the server's SETTINGS: gives up on it.  Afterwards: keepalive. */
static void on_timer(struct weir_component *c, struct weir_timer *timer)
{
	struct link *link = (struct link *)(void *)
		((char *)timer - offsetof(struct link, timer));
	struct weir_grpc_client *client = link->client;
	const struct weir_grpc_client_keepalive *k = &client->config->keepalive;
	uint64_t now = weir_now(), quiet = now - link->heard;
	int64_t wait = client->keepalive;

	if (!link->ready || link->pinged) {
		weir_stream_close(link->stream);
		return;
	}
	if (!wait)
		return;
	if (quiet < (uint64_t)wait) {
		wait -= (int64_t)quiet;
	} else if (link->requests || k->permit_without_stream) {
		link->pinged = now;
		h2_client_ping(link->h2);
		weir_stream_flush_later(link->stream);
		wait = k->timeout.ns > 0 ? k->timeout.ns : CONNECT_TIMEOUT;
	}
	weir_timer_set(timer, c, (weir_duration){ wait }, on_timer);
}

static void on_opened(struct weir_component *c, struct weir_stream *stream,
		      void *arg)
{
	struct grpc_sub *sub = arg;
	struct weir_grpc_client *client = sub->client;
	struct link *link = calloc(1, sizeof(*link));
	int64_t first = CONNECT_TIMEOUT;

	sub->connecting = NULL;
	if (link)
		link->h2 = h2_client_new(&h2_ops, link,
					 &client->mem.mem);
	if (!link || !link->h2) {
		free(link);
		connect_later(sub, "out of memory");
		return;		/* not started: core closes it */
	}
	link->client = client;
	link->sub = sub;
	link->stream = stream;
	link->tunnel = client->proxied;
	link->opened = link->heard = weir_now();
	link->next = client->links;
	client->links = sub->link = link;
	if (client->keepalive && client->keepalive < first)
		first = client->keepalive;
	weir_timer_set(&link->timer, c, (weir_duration){ first }, on_timer);
	weir_stream_start(stream, &stream_ops, link);
	weir_stream_flush_later(stream);
}

static void on_failed(struct weir_component *c, int error, const char *text,
		      void *arg)
{
	struct grpc_sub *sub = arg;

	(void)c, (void)error;
	sub->connecting = NULL;
	connect_later(sub, text);
}

void grpc_link_connect(struct grpc_sub *sub)
{
	const struct weir_connect how = {
		.endpoint = sub->address, .opened = on_opened,
		.timeout = { CONNECT_TIMEOUT }, .failed = on_failed,
		.arg = sub,
	};

	if (!sub->connecting)
		sub->connecting = weir_connect(sub->client->c, &how);
}

void grpc_link_retire(struct link *link)
{
	link->sub = NULL;
	link->leaving = true;
	if (!link->requests)
		weir_stream_close(link->stream);
}

/* The socket closes in a later turn: its link must not know us then. */
void grpc_link_abandon(struct link *link)
{
	weir_timer_cancel(&link->timer);
	h2_client_free(&link->h2);
	link->client = NULL;
	weir_stream_close(link->stream);
}
