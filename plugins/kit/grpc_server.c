/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_server.c: listens, and carries the bytes of each connection.
 *
 * Holds the connections of one worker, one timer for each, and what a socket
 * did not take.  What a turn has answered on a connection leaves in one write.
 * Must never fetch more frames from a session whose socket is full: a client
 * that does not read makes nobody remember more than 64 KiB for it.
 *
 *	open -> (idle, age, stop) notice: GOAWAY 2^31-1, PING
 *	     -> pong or a second later: GOAWAY with the exact last id
 *	     -> calls ended: closed
 */
#include "grpc_conn.h"

#include <stdlib.h>

#define SECOND 1000000000
#define OUT_ROOM (64 << 10)
#define HANDSHAKE (10 * (uint64_t)SECOND)	/* until the first SETTINGS */
#define WRITE_TIMEOUT (30 * (uint64_t)SECOND)
#define MAX_STREAMS 100
#define MAX_MESSAGE (4 << 20)

/* What 0 means (gRPC's defaults, proposals A8 and A9). */
#define PING_TIME (7200 * (int64_t)SECOND)
#define PING_TIMEOUT (20 * (int64_t)SECOND)
#define PING_MIN_TIME (300 * (int64_t)SECOND)

struct connection {
	struct grpc_conn grpc;
	struct weir_timer timer;
	struct weir_grpc_server *server;	/* NULL: it was freed */
	struct weir_stream *stream;		/* NULL: closed */
	struct connection *prev, *next;
	uint8_t *unsent;		/* what the socket did not take */
	size_t unsent_len, unsent_at;
	uint64_t opened, heard, idle_since, stuck_since, pinged, noticed;
	uint64_t age;			/* this one's, with jitter; 0: none */
	uint64_t due;			/* of the timer */
	bool closing;			/* write what is left, then close */
	bool deaf;			/* the client sends no more */
	bool last_id_sent;
};

struct weir_grpc_server {
	char bound[128];		/* the address it listens on */
	struct grpc_service service;
	struct weir_grpc_keepalive_params params;
	struct connection *connections;
	uint8_t out[OUT_ROOM];
};

static void set_timer(struct connection *conn, uint64_t now);

static struct connection *of(struct grpc_conn *grpc)
{
	return (struct connection *)(void *)grpc;
}

static void forget(struct connection *conn)
{
	if (conn->prev)
		conn->prev->next = conn->next;
	else if (conn->server)
		conn->server->connections = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	weir_timer_cancel(&conn->timer);
	grpc_conn_release(&conn->grpc);
	free(conn->unsent);
	free(conn);
}

/* --- Writing ------------------------------------------------------------ */

/* true: everything is out.  What the socket leaves is kept for `writable`. */
static bool write_some(struct connection *conn, const uint8_t *bytes,
		       size_t len)
{
	const struct weir_iovec iov = { bytes, len };
	int64_t n = weir_stream_writev(conn->stream, &iov, 1);

	if (n < 0)
		return false;		/* closed follows */
	if ((size_t)n == len)
		return true;
	conn->unsent_len = len - (size_t)n;
	conn->unsent_at = 0;
	if (!conn->unsent)
		conn->unsent = malloc(OUT_ROOM);
	if (!conn->unsent) {
		weir_stream_close(conn->stream);
		return false;
	}
	memcpy(conn->unsent, bytes + n, conn->unsent_len);
	conn->stuck_since = weir_now();
	weir_stream_want_write(conn->stream);
	set_timer(conn, conn->stuck_since);
	return false;
}

static void write_frames(struct connection *conn)
{
	uint8_t *out = conn->server->out;
	size_t len;

	if (conn->unsent_len)
		return;
	do {
		len = h2_server_fill(conn->grpc.h2, out, OUT_ROOM);
		if (len && !write_some(conn, out, len))
			return;
	} while (len == OUT_ROOM);
	if (conn->closing || (conn->deaf && !conn->grpc.n_calls) ||
	    h2_server_is_done(conn->grpc.h2))
		weir_stream_close(conn->stream);
}

static void on_flush(struct weir_stream *stream, void *arg)
{
	struct connection *conn = arg;

	(void)stream;
	if (conn->server)
		write_frames(conn);
}

static void on_writable(struct weir_stream *stream, void *arg)
{
	struct connection *conn = arg;
	struct weir_iovec iov = { conn->unsent + conn->unsent_at,
				  conn->unsent_len };
	int64_t n;

	if (!conn->server)
		return;
	n = weir_stream_writev(stream, &iov, 1);
	if (n < 0)
		return;
	if (n)
		conn->stuck_since = weir_now();
	conn->unsent_at += (size_t)n;
	conn->unsent_len -= (size_t)n;
	if (conn->unsent_len) {
		weir_stream_want_write(stream);
		return;
	}
	free(conn->unsent);
	conn->unsent = NULL;
	write_frames(conn);
}

static void wake(struct grpc_conn *grpc)
{
	if (of(grpc)->stream)
		weir_stream_flush_later(of(grpc)->stream);
}

/* --- Time --------------------------------------------------------------- */

static void on_timer(struct weir_component *c, struct weir_timer *timer);

/* Every second while something can be late, else when the next thing is due:
 * a quiet connection costs nothing. */
static void set_timer(struct connection *conn, uint64_t now)
{
	const struct weir_grpc_keepalive_params *p = &conn->server->params;
	uint64_t due = conn->heard + (uint64_t)p->time.ns;
	uint64_t idle = conn->idle_since + (uint64_t)p->max_connection_idle.ns;

	if (p->max_connection_idle.ns > 0 && idle < due)
		due = idle;
	if (conn->age && conn->opened + conn->age < due)
		due = conn->opened + conn->age;
	if (conn->grpc.n_calls || conn->unsent_len || conn->noticed ||
	    conn->pinged || conn->closing ||
	    !h2_server_is_ready(conn->grpc.h2))
		due = now + SECOND;
	conn->due = due;
	weir_timer_set(&conn->timer, conn->server->service.c,
		       (weir_duration){ due > now ? (int64_t)(due - now) : 0 },
		       on_timer);
}

static void began(struct grpc_conn *grpc)
{
	struct connection *conn = of(grpc);

	if (conn->due > grpc->now + SECOND)
		set_timer(conn, grpc->now);
}

/* Asks the client to go; the last id follows when it has heard. */
static void notice(struct connection *conn, uint64_t now)
{
	if (conn->noticed || !conn->stream)
		return;
	conn->noticed = now;
	h2_server_notice(conn->grpc.h2);
	wake(&conn->grpc);
	set_timer(conn, now);
}

static void send_last_id(struct connection *conn)
{
	conn->last_id_sent = true;
	h2_server_finish(conn->grpc.h2, NGHTTP2_NO_ERROR, "");
	wake(&conn->grpc);
}

static void pong(struct grpc_conn *grpc)
{
	struct connection *conn = of(grpc);

	conn->pinged = 0;
	if (conn->noticed && !conn->last_id_sent)
		send_last_id(conn);
}

/* Is there a reason to cut the connection off? */
static bool is_stuck(struct connection *conn, uint64_t now)
{
	const struct weir_grpc_keepalive_params *p = &conn->server->params;
	uint64_t grace = (uint64_t)p->max_connection_age_grace.ns;

	if (!h2_server_is_ready(conn->grpc.h2) &&
	    now - conn->opened > HANDSHAKE)
		return true;
	if ((conn->unsent_len || conn->closing) &&
	    now > grpc_due(&conn->server->service, conn->stuck_since,
			   WRITE_TIMEOUT))
		return true;
	if (conn->pinged && now - conn->pinged > (uint64_t)p->timeout.ns)
		return true;
	return conn->noticed && conn->age && grace &&
	       now - conn->noticed > grace;
}

static void keep_alive(struct connection *conn, uint64_t now)
{
	const struct weir_grpc_keepalive_params *p = &conn->server->params;

	if (conn->pinged || now - conn->heard < (uint64_t)p->time.ns)
		return;
	conn->pinged = now;
	h2_server_ping(conn->grpc.h2);
	wake(&conn->grpc);
}

static bool has_expired(const struct connection *conn, uint64_t now)
{
	uint64_t idle = (uint64_t)conn->server->params.max_connection_idle.ns;

	if (conn->age && now - conn->opened >= conn->age)
		return true;
	return idle && !conn->grpc.n_calls && now - conn->idle_since >= idle;
}

static void on_timer(struct weir_component *c, struct weir_timer *timer)
{
	struct connection *conn = (struct connection *)(void *)
		((char *)timer - offsetof(struct connection, timer));
	uint64_t now = weir_now();

	(void)c;
	if (is_stuck(conn, now) || !grpc_conn_check(&conn->grpc, now)) {
		weir_stream_close(conn->stream);
		return;
	}
	keep_alive(conn, now);
	if (has_expired(conn, now))
		notice(conn, now);
	if (conn->noticed && !conn->last_id_sent &&
	    now - conn->noticed >= SECOND)
		send_last_id(conn);
	set_timer(conn, now);
}

/* --- Reading ------------------------------------------------------------ */

static void on_data(struct weir_stream *stream, void *arg, const uint8_t *data,
		    size_t len)
{
	struct connection *conn = arg;

	if (!conn->server || conn->closing)
		return;
	if (!grpc_conn_recv(&conn->grpc, data, len)) {
		conn->closing = true;
		conn->stuck_since = conn->grpc.now;
	}
	conn->heard = conn->grpc.now;
	conn->pinged = 0;
	weir_stream_flush_later(stream);
}

/* A client that will send no more gets what it is owed; then there is nothing
 * to wait for. */
static void on_eof(struct weir_stream *stream, void *arg)
{
	struct connection *conn = arg;

	conn->deaf = true;
	if (conn->server)
		grpc_conn_eof(&conn->grpc);
	weir_stream_flush_later(stream);
}

static void on_closed(struct weir_stream *stream, void *arg, int error)
{
	struct connection *conn = arg;

	(void)stream, (void)error;
	conn->stream = NULL;
	if (!conn->server) {
		free(conn);
		return;
	}
	weir_timer_cancel(&conn->timer);
	grpc_conn_lost(&conn->grpc);
	if (!conn->grpc.n_calls)
		forget(conn);
}

/* The last call of a lost connection takes it along. */
static void freed(struct grpc_conn *grpc)
{
	struct connection *conn = of(grpc);

	if (grpc->n_calls)
		return;
	conn->idle_since = weir_now();
	if (!conn->stream)
		forget(conn);
	else if (conn->deaf)
		wake(grpc);
}

static const struct weir_stream_ops stream_ops = {
	.data = on_data,
	.writable = on_writable,
	.flush = on_flush,
	.eof = on_eof,
	.closed = on_closed,
};

/* Age with a jitter of a tenth, so that clients do not return in step. */
static uint64_t pick_age(int64_t age)
{
	uint64_t tenth = (uint64_t)age / 10;

	if (age <= 0)
		return 0;
	return (uint64_t)age - tenth + weir_random() % (2 * tenth + 1);
}

static void on_accept(struct weir_component *c, struct weir_stream *stream,
		      void *arg)
{
	struct weir_grpc_server *server = arg;
	struct connection *conn = calloc(1, sizeof(*conn));
	uint64_t now = weir_now();

	(void)c;
	if (!conn)
		return;		/* not started: core closes it */
	*conn = (struct connection){
		.grpc = { .service = &server->service,
			  .peer = weir_stream_peer(stream),
			  .now = now, .wake = wake, .began = began,
			  .pong = pong, .freed = freed },
		.stream = stream, .opened = now, .heard = now,
		.idle_since = now,
		.age = pick_age(server->params.max_connection_age.ns),
	};
	if (grpc_conn_init(&conn->grpc)) {
		free(conn);
		return;
	}
	conn->server = server;
	conn->next = server->connections;
	if (conn->next)
		conn->next->prev = conn;
	server->connections = conn;
	weir_stream_start(stream, &stream_ops, conn);
	weir_stream_flush_later(stream);	/* our SETTINGS */
	set_timer(conn, now);
}

/* --- The server --------------------------------------------------------- */

static int64_t or_default(weir_duration value, int64_t otherwise)
{
	return value.ns > 0 ? value.ns : otherwise;
}

static void configure(struct weir_grpc_server *server,
		      const struct weir_grpc_server_config *config)
{
	const struct weir_grpc_keepalive_policy *policy =
		&config->keepalive.enforcement_policy;
	struct grpc_service *service = &server->service;

	service->max_message = MAX_MESSAGE;
	if (config->max_recv_msg_size_mib > 0)
		service->max_message =
			(size_t)config->max_recv_msg_size_mib << 20;
	service->include_metadata = config->include_metadata;
	service->limits.max_streams = MAX_STREAMS;
	if (config->max_concurrent_streams)
		service->limits.max_streams = config->max_concurrent_streams;
	service->limits.min_ping.ns = or_default(policy->min_time,
						 PING_MIN_TIME);
	service->limits.ping_without_stream = policy->permit_without_stream;
	server->params = config->keepalive.server_parameters;
	server->params.time.ns = or_default(server->params.time, PING_TIME);
	server->params.timeout.ns = or_default(server->params.timeout,
					       PING_TIMEOUT);
}

struct weir_grpc_server *weir_grpc_server_start(struct weir_component *c,
	const struct weir_grpc_server_config *config,
	const struct weir_grpc_method *methods, size_t n,
	struct weir_error *error)
{
	struct weir_grpc_server *server = malloc(sizeof(*server));
	const struct weir_listener listener = {
		.endpoint = config->endpoint, .transport = config->transport,
		.max_per_address = config->max_connections_per_address,
		.accept = on_accept, .arg = server,
	};

	if (!server) {
		weir_fail(error, "", "out of memory");
		return NULL;
	}
	/* Not the room for answers: it costs no memory before there is one. */
	memset(server, 0, offsetof(struct weir_grpc_server, out));
	server->service = (struct grpc_service){ .c = c, .methods = methods,
						 .n_methods = n };
	configure(server, config);
	if (weir_listen(c, &listener, server->bound, error)) {
		free(server);
		return NULL;
	}
	if (!c->worker)
		weir_log_info(c, "Starting GRPC server", "endpoint=%s",
			      server->bound);
	return server;
}

const char *weir_grpc_server_address(const struct weir_grpc_server *server)
{
	return server->bound;
}

void weir_grpc_server_stop(struct weir_grpc_server *server)
{
	struct connection *conn;
	uint64_t now = weir_now();

	if (server->service.draining)
		return;
	weir_unlisten(server->service.c);
	server->service.draining = true;
	server->service.drained = now;
	for (conn = server->connections; conn; conn = conn->next)
		notice(conn, now);
}

void weir_grpc_server_free(struct weir_grpc_server **server)
{
	struct connection *conn, *next;

	if (!*server)
		return;
	for (conn = (*server)->connections; conn; conn = next) {
		next = conn->next;
		weir_timer_cancel(&conn->timer);
		grpc_conn_release(&conn->grpc);
		free(conn->unsent);
		conn->server = NULL;
		if (conn->stream)
			weir_stream_close(conn->stream);
		else
			free(conn);
	}
	grpc_service_release(&(*server)->service);
	free(*server);
	*server = NULL;
}
