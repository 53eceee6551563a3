/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_client.c: a worker's connection to a gRPC server, and its calls.
 *
 * Holds one connection (link) that takes new calls, older ones that a GOAWAY
 * told to finish, and the calls that wait for a connection.  Calls beyond the
 * server's MAX_CONCURRENT_STREAMS wait inside the session.
 *
 *	connecting -> link, SETTINGS come: ready -> lost: connecting again
 *	          \-> failed: 1 s, x1.6, at most 120 s, +-20 % -> connecting
 *
 * Until a first attempt has failed calls wait; from then on they fail at once
 * until a connection is ready, unless wait_for_ready.  Must never call done
 * from inside weir_grpc_client_call.
 */
#include "grpc_config.h"
#include "grpc_request.h"
#include "h2_mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND 1000000000
#define FIRST_BACKOFF ((int64_t)SECOND)
#define LAST_BACKOFF (120 * (int64_t)SECOND)
#define CONNECT_TIMEOUT (20 * (int64_t)SECOND)
#define LEAST_KEEPALIVE (10 * (int64_t)SECOND)
#define SPARE_REQUESTS 64
#define FIXED_HEADERS 9
#define TURN_LEAST (128 << 10)	/* bytes written in a turn ... */
#define TURN_PART 4		/* ... or that part of all that wait */

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

/* --- Lists -------------------------------------------------------------- */

static void push(struct weir_grpc_request **list, struct weir_grpc_request *r)
{
	r->list = list;
	r->prev = NULL;
	r->next = *list;
	if (r->next)
		r->next->prev = r;
	*list = r;
}

static void unlink_request(struct weir_grpc_request *r)
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

	unlink_request(r);
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
static void finish(struct weir_grpc_request *r, uint32_t error)
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

static void fail(struct weir_grpc_request *r, enum weir_status status,
		 const char *text)
{
	weir_outcome_set(&r->outcome, status, WEIR_REASON_NONE, "%s", text);
	r->failed = true;
	finish(r, NGHTTP2_NO_ERROR);
}

static void on_tell(struct weir_component *c, struct weir_timer *timer)
{
	struct weir_grpc_client *client = (struct weir_grpc_client *)(void *)
		((char *)timer - offsetof(struct weir_grpc_client, tell));

	(void)c;
	while (client->hopeless)
		finish(client->hopeless, NGHTTP2_NO_ERROR);
}

/* done runs in the next turn. */
static void fail_later(struct weir_grpc_request *r, enum weir_status status,
		       enum weir_reason reason, const char *text)
{
	struct weir_grpc_client *client = r->client;

	weir_outcome_set(&r->outcome, status, reason, "%s", text);
	r->failed = true;
	push(&client->hopeless, r);
	weir_timer_set(&client->tell, client->c, (weir_duration){ 0 }, on_tell);
}

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
	finish(r, NGHTTP2_NO_ERROR);
}

static void submit(struct link *link, struct weir_grpc_request *r)
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
		fail_later(r, WEIR_UNAVAILABLE, WEIR_REASON_NONE,
			   "the connection takes no more calls");
		return;
	}
	r->link = link;
	push(&link->requests, r);
	weir_stream_flush_later(link->stream);
}

/* --- Connecting --------------------------------------------------------- */

static void connect_now(struct weir_grpc_client *client);

static void on_retry(struct weir_component *c, struct weir_timer *timer)
{
	(void)c;
	connect_now((struct weir_grpc_client *)(void *)
		    ((char *)timer - offsetof(struct weir_grpc_client, retry)));
}

/* gRPC connection backoff; the first step after a connection that stood is
 * the shortest. */
static void connect_later(struct weir_grpc_client *client, const char *why)
{
	int64_t wait = client->backoff;
	struct weir_grpc_request *r, *next;

	wait += (int64_t)(weir_random() % (uint64_t)(wait * 2 / 5 + 1)) -
		wait / 5;
	client->backoff = client->backoff * 8 / 5;
	if (client->backoff > LAST_BACKOFF)
		client->backoff = LAST_BACKOFF;
	client->down = true;
	snprintf(client->why, sizeof(client->why), "connection error: %s", why);
	weir_timer_set(&client->retry, client->c, (weir_duration){ wait },
		       on_retry);
	if (client->config->wait_for_ready)
		return;
	for (r = client->waiting; r; r = next) {
		next = r->next;
		unlink_request(r);
		fail_later(r, WEIR_UNAVAILABLE, WEIR_REASON_NONE, client->why);
	}
}

static void lose(struct link *link, const char *why)
{
	struct weir_grpc_client *client = link->client;
	struct link **at = &client->links;
	bool current = client->link == link;
	bool brief = weir_now() - link->opened < SECOND;

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	if (current)
		client->link = NULL;
	weir_timer_cancel(&link->timer);
	if (current && link->ready && !brief)
		connect_now(client);
	else if (current)
		connect_later(client, why);
	h2_client_free(&link->h2);
	while (link->requests)
		fail(link->requests, WEIR_UNAVAILABLE, why);
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

		unlink_request(r);
		submit(client->link, r);
		r = older;
	}
}

static void on_ready(void *arg)
{
	struct link *link = arg;
	struct weir_grpc_client *client = link->client;

	link->ready = true;
	client->down = false;
	client->backoff = FIRST_BACKOFF;
	if (client->link == link)
		submit_waiting(client);
}

/* GOAWAY: what is under way ends here, what is new goes elsewhere. */
static void on_leaving(void *arg, weir_str debug)
{
	struct link *link = arg;
	struct weir_grpc_client *client = link->client;

	if (link->leaving)
		return;
	link->leaving = true;
	if (weir_str_eq(debug, WEIR_STR("too_many_pings")))
		client->keepalive *= 2;
	if (client->link != link)
		return;
	client->link = NULL;
	if (weir_now() - link->opened < SECOND)
		connect_later(client, "the server sends connections away");
	else
		connect_now(client);
}

static void on_ended(struct h2_request *h2, uint32_t error)
{
	finish(request_of(h2), error);
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
	(void)stream;
	write_pieces(arg);
}

static void on_data(struct weir_stream *stream, void *arg, const uint8_t *data,
		    size_t len)
{
	struct link *link = arg;

	link->heard = weir_now();
	link->pinged = 0;
	if (!h2_client_recv(link->h2, data, len))
		weir_stream_close(stream);
	else if (h2_client_wants_write(link->h2) ||
		 h2_client_is_done(link->h2) ||
		 (link->leaving && !link->requests))
		weir_stream_flush_later(stream);
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
	if (link->client)
		lose(link, error ? strerror(error) :
		     "the server closed the connection");
	else
		free(link);
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
	struct weir_grpc_client *client = arg;
	struct link *link = calloc(1, sizeof(*link));
	int64_t first = CONNECT_TIMEOUT;

	client->connecting = NULL;
	if (link)
		link->h2 = h2_client_new(&h2_ops, link,
					 &client->mem.mem);
	if (!link || !link->h2) {
		free(link);
		connect_later(client, "out of memory");
		return;		/* not started: core closes it */
	}
	link->client = client;
	link->stream = stream;
	link->opened = link->heard = weir_now();
	link->next = client->links;
	client->links = client->link = link;
	if (client->keepalive && client->keepalive < first)
		first = client->keepalive;
	weir_timer_set(&link->timer, c, (weir_duration){ first }, on_timer);
	weir_stream_start(stream, &stream_ops, link);
	weir_stream_flush_later(stream);
}

static void on_failed(struct weir_component *c, int error, const char *text,
		      void *arg)
{
	struct weir_grpc_client *client = arg;

	(void)c, (void)error;
	client->connecting = NULL;
	connect_later(client, text);
}

static void connect_now(struct weir_grpc_client *client)
{
	struct weir_connect how = {
		.endpoint = client->config->endpoint, .opened = on_opened,
		.timeout = { CONNECT_TIMEOUT }, .failed = on_failed,
		.arg = client,
	};

	if (!client->target.is_unix)
		how.endpoint = client->target.address;
	if (!client->connecting)
		client->connecting = weir_connect(client->c, &how);
}

/* --- The template of a call's headers ----------------------------------- */

#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#else
#define ARCH "unknown"
#endif

#define FIXED (NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE)

static void add_nv(struct weir_grpc_client *client, weir_str name,
		   weir_str value)
{
	client->nv[client->n_nv++] = (nghttp2_nv){
		(uint8_t *)name.ptr, (uint8_t *)value.ptr, name.len, value.len,
		FIXED };
}

static bool is_binary(weir_str name)
{
	return name.len > 4 && !memcmp(name.ptr + name.len - 4, "-bin", 4);
}

/* Lower-case names, -bin values in base64, into client->texts at *at. */
static void add_header(struct weir_grpc_client *client,
		       const struct weir_pair *pair, char **at)
{
	weir_str name = { *at, pair->name.len };
	weir_str value = pair->value.text;

	for (size_t i = 0; i < name.len; i++)
		*(*at)++ = (char)tolower((unsigned char)pair->name.ptr[i]);
	if (is_binary(name)) {
		size_t len = grpc_base64_encode(*at,
			(const uint8_t *)value.ptr, value.len);

		value = (weir_str){ *at, len };
		*at += len;
	}
	add_nv(client, name, value);
}

static weir_str or_else(weir_str given, weir_str otherwise)
{
	return given.len ? given : otherwise;
}

static int make_template(struct weir_grpc_client *client)
{
	const struct weir_grpc_client_config *config = client->config;
	const struct weir_pairs *pairs = &config->headers;
	enum weir_encoding encoding = weir_encoding_parse(config->compression);
	weir_str host = client->target.is_unix ? WEIR_STR("localhost") :
						 client->target.address;
	size_t room = 1;
	char *at;

	for (size_t i = 0; i < pairs->len; i++)
		room += pairs->items[i].name.len +
			pairs->items[i].value.text.len * 2 + 2;
	client->nv = calloc(FIXED_HEADERS + pairs->len + 1,
			    sizeof(*client->nv));
	client->texts = at = malloc(room);
	if (!client->nv || !at)
		return -1;
	add_nv(client, WEIR_STR(":method"), WEIR_STR("POST"));
	add_nv(client, WEIR_STR(":scheme"), WEIR_STR("http"));
	add_nv(client, WEIR_STR(":path"), WEIR_STR(""));
	add_nv(client, WEIR_STR(":authority"),
	       or_else(config->authority, host));
	add_nv(client, WEIR_STR("content-type"), WEIR_STR("application/grpc"));
	add_nv(client, WEIR_STR("user-agent"),
	       or_else(config->user_agent,
		       WEIR_STR("Weir/" WEIR_VERSION " (linux/" ARCH ")")));
	add_nv(client, WEIR_STR("te"), WEIR_STR("trailers"));
	add_nv(client, WEIR_STR("grpc-accept-encoding"),
	       WEIR_STR("identity,gzip,zstd"));
	if (client->compressor)
		add_nv(client, WEIR_STR("grpc-encoding"),
		       weir_str_of(weir_encoding_name(encoding)));
	for (size_t i = 0; i < pairs->len; i++)
		add_header(client, &pairs->items[i], &at);
	/* One more behind them, for calls that have a deadline. */
	client->nv[client->n_nv].name = (uint8_t *)"grpc-timeout";
	client->nv[client->n_nv].namelen = strlen("grpc-timeout");
	client->nv[client->n_nv].flags = NGHTTP2_NV_FLAG_NO_COPY_NAME;
	return 0;
}

/* --- The client --------------------------------------------------------- */

static int set_up(struct weir_grpc_client *client)
{
	const struct weir_grpc_client_config *config = client->config;
	enum weir_encoding encoding = weir_encoding_parse(config->compression);

	grpc_target_parse(config->endpoint, &client->target);
	client->backoff = FIRST_BACKOFF;
	h2_mem_init(&client->mem);
	if (config->keepalive.enabled) {
		client->keepalive = config->keepalive.time.ns;
		if (client->keepalive < LEAST_KEEPALIVE)
			client->keepalive = LEAST_KEEPALIVE;
	}
	if (encoding == WEIR_ENCODING_GZIP || encoding == WEIR_ENCODING_ZSTD) {
		client->compressor = weir_compressor_new(encoding);
		if (!client->compressor)
			return -1;
	}
	return make_template(client);
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
	if (client)
		connect_now(client);
	else
		weir_fail(error, "", "out of memory");
	return client;
}

/* The socket closes in a later turn: its link must not know us then. */
static void abandon(struct link *link)
{
	weir_timer_cancel(&link->timer);
	h2_client_free(&link->h2);
	link->client = NULL;
	weir_stream_close(link->stream);
}

void weir_grpc_client_free(struct weir_grpc_client **where)
{
	struct weir_grpc_client *client = *where;
	struct link *link, *next;

	if (!client)
		return;
	weir_timer_cancel(&client->retry);
	weir_timer_cancel(&client->tell);
	if (client->connecting)
		weir_connect_cancel(&client->connecting);
	for (link = client->links; link; link = next) {
		next = link->next;
		while (link->requests)
			fail(link->requests, WEIR_CANCELLED, "shutting down");
		abandon(link);
	}
	while (client->waiting)
		fail(client->waiting, WEIR_CANCELLED, "shutting down");
	while (client->hopeless)
		finish(client->hopeless, NGHTTP2_NO_ERROR);
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

	if (!r)
		abort();	/* as everything else that is this small */
	r->unary = *unary;
	if (unary->timeout.ns > 0)
		r->timeout_len = grpc_timeout_format(r->timeout,
			(uint64_t)unary->timeout.ns);
	if (grpc_request_pack(r, client->compressor))
		fail_later(r, WEIR_UNAVAILABLE, WEIR_REASON_MEMORY,
			   "no memory to send a request");
	else if (client->link && client->link->ready)
		submit(client->link, r);
	else if (client->down && !client->config->wait_for_ready)
		fail_later(r, WEIR_UNAVAILABLE, WEIR_REASON_NONE, client->why);
	else
		push(&client->waiting, r);
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
