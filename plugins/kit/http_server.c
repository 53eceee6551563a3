/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server.c: a server: what it is configured to, and its listener.
 *
 * Holds the connections of one worker, and what all of them share.  Must never
 * forget an exchange that a handler still has when it goes.
 */
#include "http_conn.h"

#include <stdlib.h>
#include <weir/kit/text.h>

/* What 0 means: attacks.md 39, 41. */
#define HEAD_TIMEOUT (10 * HTTP_SECOND)
#define WRITE_TIMEOUT (30 * HTTP_SECOND)
#define IDLE_TIMEOUT (60 * HTTP_SECOND)
#define MAX_STREAMS 100
#define DEFAULT_BODY 20971520

/* --- setting up ----------------------------------------------------------- */

static uint64_t or_else(weir_duration value, uint64_t otherwise)
{
	return value.ns > 0 ? (uint64_t)value.ns : otherwise;
}

static struct http_limits limits_of(
	const struct weir_http_server_config *config)
{
	return (struct http_limits){
		.head = or_else(config->read_header_timeout,
				or_else(config->read_timeout, HEAD_TIMEOUT)),
		.body = or_else(config->read_timeout, 0),
		.write = or_else(config->write_timeout, WRITE_TIMEOUT),
		.idle = or_else(config->idle_timeout,
				or_else(config->read_timeout, IDLE_TIMEOUT)),
		.write_whole = config->write_timeout.ns > 0,
	};
}

/* What an answer says itself, and what frames it, is no one else's. */
static bool is_ours(weir_str name)
{
	static const char *const ours[] = {
		"content-type", "content-length", "date", "connection",
		"transfer-encoding", "keep-alive", "upgrade",
		"proxy-connection",
	};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (http_same_word(name, ours[i]))
			return true;
	return false;
}

static bool put_fixed(struct http_buf *fixed, const struct weir_pairs *pairs)
{
	bool good = true;

	for (size_t i = 0; good && i < pairs->len; i++) {
		weir_str name = pairs->items[i].name;
		weir_str value = pairs->items[i].value.text;

		if (!is_ours(name))
			good = http_buf_add(fixed, name.ptr, name.len) &&
			       http_buf_puts(fixed, ": ") &&
			       http_buf_add(fixed, value.ptr, value.len) &&
			       http_buf_puts(fixed, "\r\n");
	}
	return good;
}

static bool is_known(weir_str name)
{
	enum weir_encoding encoding = weir_encoding_parse(name);

	return name.len && encoding != WEIR_ENCODING_UNKNOWN &&
	       encoding != WEIR_ENCODING_IDENTITY;
}

/* The encodings that are enabled and known: all that a client may use.  A name
 * that stands there twice too often is left out. */
static void put_encodings(struct weir_http_server *server)
{
	const struct weir_strs *names = &server->config->compression_algorithms;
	struct weir_put out = { .ptr = server->encodings,
				.room = sizeof(server->encodings) -
					sizeof("\r\n") };
	const char *between = "Accept-Encoding: ";

	for (size_t i = 0; i < names->len; i++) {
		weir_str name = names->items[i];

		if (!is_known(name) ||
		    strlen(between) + name.len > out.room - out.len)
			continue;
		weir_puts(&out, between);
		weir_put(&out, name);
		between = ", ";
	}
	out.room = sizeof(server->encodings);
	if (out.len)
		weir_puts(&out, "\r\n");
	weir_put_end(&out);
}

static bool configure(struct weir_http_server *server)
{
	const struct weir_http_server_config *config = server->config;

	server->max_body = config->max_request_body_size > 0 ?
			   (size_t)config->max_request_body_size : DEFAULT_BODY;
	server->limits = limits_of(config);
	server->h2_limits = (struct h2_server_limits){
		.max_streams = MAX_STREAMS, .ping_without_stream = true,
		.patient = true };
	for (size_t i = 0; i < server->n_routes; i++)
		server->status_bodies |= server->routes[i].status_bodies;
	h2_mem_init(&server->mem);
	put_encodings(server);
	return put_fixed(&server->fixed, &config->response_headers);
}

static void free_server(struct weir_http_server *server)
{
	http_exchange_release_spare(server);
	h2_mem_release(&server->mem);
	http_buf_release(&server->fixed);
	http_buf_release(&server->lines);
	free(server);
}

struct weir_http_server *http_server_new(struct weir_component *c,
	const struct weir_http_server_config *config,
	const struct weir_http_route *routes, size_t n)
{
	struct weir_http_server *server = malloc(sizeof(*server));

	if (!server)
		return NULL;
	/* Not the scratch: it costs no memory before somebody asks. */
	memset(server, 0, offsetof(struct weir_http_server, scratch));
	server->c = c;
	server->config = config;
	server->routes = routes;
	server->n_routes = n;
	if (configure(server))
		return server;
	free_server(server);
	return NULL;
}

static void on_accept(struct weir_component *c, struct weir_stream *stream,
		      void *arg)
{
	struct http_conn *conn = malloc(sizeof(*conn));

	(void)c;
	if (conn)		/* core closes what was not started */
		http_conn_open(conn, arg, stream);
}

/* --- the contract --------------------------------------------------------- */

struct weir_http_server *weir_http_server_start(
	struct weir_component *c, const struct weir_http_server_config *config,
	const struct weir_http_route *routes, size_t n,
	struct weir_error *error)
{
	struct weir_http_server *server = http_server_new(c, config, routes, n);
	const struct weir_listener listener = {
		.endpoint = config->endpoint, .transport = config->transport,
		.max_per_address = config->max_connections_per_address,
		.accept = on_accept, .arg = server,
	};

	if (!server) {
		weir_fail(error, NULL, "out of memory");
		return NULL;
	}
	if (weir_listen(c, &listener, server->bound, error)) {
		free_server(server);
		return NULL;
	}
	if (config->cors.enabled && !config->cors.allowed_origins.len &&
	    config->cors.allowed_headers.len && !c->worker)
		weir_log_warn(c, "The CORS configuration specifies allowed "
			      "headers but no allowed origins, and is therefore "
			      "ignored.", "endpoint=%s", server->bound);
	return server;
}

const char *weir_http_server_address(const struct weir_http_server *server)
{
	return server->bound;
}

void weir_http_server_stop(struct weir_http_server *server)
{
	if (!server || server->stopping)
		return;
	server->stopping = true;
	server->stopped = weir_now();
	weir_unlisten(server->c);
	for (struct http_conn *conn = server->connections; conn;
	     conn = conn->next) {
		if (!conn->stream || conn->lingering)
			continue;
		if (conn->mode == HTTP_2)
			http_h2_stop(conn);
		else
			http_h1_stop(conn);
	}
}

void weir_http_server_free(struct weir_http_server **server)
{
	struct weir_http_server *s = *server;

	*server = NULL;
	if (!s)
		return;
	weir_http_server_stop(s);
	while (s->connections) {
		struct http_conn *conn = s->connections;

		s->connections = conn->next;
		if (conn->next)
			conn->next->prev = NULL;
		conn->next = NULL;
		if (conn->stream)
			weir_stream_close(conn->stream);
		http_conn_abandon(conn);
		conn->server = NULL;
		http_conn_let_go(conn);
	}
	free_server(s);
}
