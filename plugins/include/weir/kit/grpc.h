/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc.h: unary gRPC over HTTP/2, both sides.
 *
 * Keys, defaults and error texts are the Collector's configgrpc.  Calls and
 * connections belong to the kit; the plugin sees whole messages.
 */
#ifndef WEIR_KIT_GRPC_H
#define WEIR_KIT_GRPC_H

#include <weir/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Server -------------------------------------------------------------------- */

struct weir_grpc_keepalive_params {
	weir_duration max_connection_idle, max_connection_age,
		max_connection_age_grace, time, timeout;
};
struct weir_grpc_keepalive_policy {
	weir_duration min_time;
	bool permit_without_stream;
};
struct weir_grpc_server_keepalive {
	bool enabled;
	struct weir_grpc_keepalive_params server_parameters;
	struct weir_grpc_keepalive_policy enforcement_policy;
};
struct weir_grpc_server_config {	/* rows: weir_grpc_server_fields */
	bool enabled;
	weir_str endpoint, transport;
	int64_t max_recv_msg_size_mib;
	uint32_t max_concurrent_streams;
	uint32_t max_connections_per_address;	/* 0: weir/net.h */
	int64_t read_buffer_size, write_buffer_size;
	struct weir_grpc_server_keepalive keepalive;
	bool include_metadata;
	/* Recognised, and refused until they exist. */
	const struct weir_node *tls, *auth, *middlewares;
};
WEIR_API extern const struct weir_field weir_grpc_server_fields[];
/* What the rows cannot say; path: of the block, "protocols.grpc". */
WEIR_API int weir_grpc_server_validate(
	const struct weir_grpc_server_config *config, const char *path,
	struct weir_error *error);

struct weir_grpc_server;
struct weir_grpc_call;

struct weir_grpc_method {
	const char *path;	/* "/opentelemetry...TraceService/Export" */
	/* A whole, inflated message: take *message (leave NULL) or leave it.
	 * Answer with reply or fail, once, now or later. */
	void (*call)(struct weir_component *c, struct weir_grpc_call *call,
		     struct weir_payload **message, size_t len, void *arg);
	void *arg;
	/* The call was refused by the kit before it was a message. */
	void (*refused)(struct weir_component *c,
			const struct weir_outcome *outcome, void *arg);
};

/* Listens and serves; from `start`.  methods: n entries, live as long as the
 * server; others are UNIMPLEMENTED.  NULL and a sentence on failure. */
WEIR_API struct weir_grpc_server *weir_grpc_server_start(
	struct weir_component *c, const struct weir_grpc_server_config *config,
	const struct weir_grpc_method *methods, size_t n,
	struct weir_error *error);
/* "127.0.0.1:4317", or a path; lives as long as the server. */
WEIR_API const char *weir_grpc_server_address(
	const struct weir_grpc_server *server);
/* Drains: GOAWAY on every connection, new calls refused, answers still sent;
 * connections close when their calls ended. */
WEIR_API void weir_grpc_server_stop(struct weir_grpc_server *server);
/* Closes what is left.  Leaves NULL. */
WEIR_API void weir_grpc_server_free(struct weir_grpc_server **server);

/* What the client sent along; lives as long as the call. */
WEIR_API struct weir_context *weir_grpc_call_context(
	struct weir_grpc_call *call);
/* weir_now() value from grpc-timeout, 0 = none. */
WEIR_API uint64_t weir_grpc_call_deadline(const struct weir_grpc_call *call);
/* Ends the call with OK and one message (copied). */
WEIR_API void weir_grpc_reply(struct weir_grpc_call *call,
			      const void *message, size_t len);
/* Ends it with the outcome: status, percent-encoded text, and RetryInfo when
 * it may be retried (retry_after, else 1 s). */
WEIR_API void weir_grpc_fail(struct weir_grpc_call *call,
			     const struct weir_outcome *outcome);

/* --- Client -------------------------------------------------------------------- */

struct weir_grpc_client_keepalive {
	bool enabled;
	weir_duration time, timeout;
	bool permit_without_stream;
};
struct weir_grpc_client_config {	/* rows: weir_grpc_client_fields */
	weir_str endpoint;
	weir_str compression;
	/* { insecure: true }; anything else is refused until TLS exists. */
	const struct weir_node *tls;
	struct weir_grpc_client_keepalive keepalive;
	int64_t read_buffer_size, write_buffer_size;
	bool wait_for_ready;
	struct weir_pairs headers;
	weir_str balancer_name, authority, user_agent;
	const struct weir_node *auth, *middlewares;	/* refused as well */
};
WEIR_API extern const struct weir_field weir_grpc_client_fields[];
WEIR_API int weir_grpc_client_validate(
	const struct weir_grpc_client_config *config, const char *path,
	struct weir_error *error);
/* The same, but for `tls`: of a client whose user asked for plain text in
 * other words. */
WEIR_API int weir_grpc_client_validate_plain(
	const struct weir_grpc_client_config *config, const char *path,
	struct weir_error *error);

struct weir_grpc_client;
struct weir_grpc_request;

/* Connects eagerly, reconnects with backoff; never fails for a dead peer. */
WEIR_API struct weir_grpc_client *weir_grpc_client_new(
	struct weir_component *c, const struct weir_grpc_client_config *config,
	struct weir_error *error);
/* Requests under way end CANCELLED.  Leaves NULL. */
WEIR_API void weir_grpc_client_free(struct weir_grpc_client **client);

struct weir_grpc_unary {
	const char *path;		/* lives as long as the request */
	const struct weir_slice *body;	/* the message, in pieces; must live
					 * and stay until done */
	size_t n;
	weir_duration timeout;		/* 0: none */
	/* reply: the response message, inflated; dies with the call.  outcome:
	 * status, RetryInfo in retry_after, text. */
	void (*done)(struct weir_component *c, void *arg,
		     const struct weir_outcome *outcome,
		     const uint8_t *reply, size_t len);
	void *arg;
};
/* Sends, or waits for the connection to stand (without wait_for_ready a
 * connection that just failed answers UNAVAILABLE).  done runs once, in a
 * later turn. */
WEIR_API struct weir_grpc_request *weir_grpc_client_call(
	struct weir_grpc_client *client, const struct weir_grpc_unary *unary);
/* RST_STREAM(CANCEL); done does not run. */
WEIR_API void weir_grpc_request_cancel(struct weir_grpc_request **request);

#ifdef __cplusplus
}
#endif
#endif
