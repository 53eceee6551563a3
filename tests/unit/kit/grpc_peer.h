/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_peer.h: a server connection and an HTTP/2 client, joined by memory.
 *
 * The method under test keeps its calls until the test answers them.
 */
#ifndef TESTS_GRPC_PEER_H
#define TESTS_GRPC_PEER_H

#include <stdlib.h>

#include "grpc_conn.h"
#include "grpc_status.h"

#define PATH "/test.v1.Service/Call"
#define MAX_ANSWERS 256

struct answer {			/* of one stream */
	int http, grpc;		/* -1: absent */
	char message[300], details[600], accept[64];
	uint8_t body[64];
	size_t len;
	bool closed;
	uint32_t error;
};

struct request {
	const char *method, *path, *type, *timeout, *encoding;
	const char *name, *value;	/* one header more, or NULL */
	const uint8_t *body;
	size_t len, sent;
	bool open;			/* no END_STREAM */
};

struct peer {
	struct grpc_service service;
	struct grpc_conn conn;
	nghttp2_session *session;
	struct answer answers[MAX_ANSWERS];	/* by (id - 1) / 2 */
	uint32_t goaway;		/* error code of a GOAWAY, -1: none */
	int32_t last_id;
	char debug[64];
	bool dead;			/* the server wants to close */
	struct weir_grpc_call *calls[MAX_ANSWERS];	/* not answered yet */
	size_t n_calls, n_refused, n_freed;
	char got[256];			/* the last message */
	size_t got_len;
};

static struct peer peer;

static void keep_call(struct weir_component *c, struct weir_grpc_call *call,
		      struct weir_payload **message, size_t len, void *arg)
{
	(void)c, (void)arg;
	peer.got_len = len;
	memcpy(peer.got, weir_payload_bytes(*message),
	       len < sizeof(peer.got) ? len : sizeof(peer.got));
	peer.calls[peer.n_calls++] = call;
}

static void count_refused(struct weir_component *c,
			  const struct weir_outcome *outcome, void *arg)
{
	(void)c, (void)outcome, (void)arg;
	peer.n_refused++;
}

static const struct weir_grpc_method methods[] = {
	{ .path = PATH, .call = keep_call, .refused = count_refused },
};

static void nothing(struct grpc_conn *conn)
{
	(void)conn;
}

static void count_freed(struct grpc_conn *conn)
{
	(void)conn;
	peer.n_freed++;
}

static struct answer *answer_of(int32_t id)
{
	return &peer.answers[(id - 1) / 2 % MAX_ANSWERS];
}

static int peer_header(nghttp2_session *session, const nghttp2_frame *frame,
		       const uint8_t *name, size_t name_len,
		       const uint8_t *value, size_t value_len, uint8_t flags,
		       void *arg)
{
	struct answer *a = answer_of(frame->hd.stream_id);
	char text[600] = "";
	weir_str n = { (const char *)name, name_len };

	(void)session, (void)flags, (void)arg;
	memcpy(text, value, value_len < 599 ? value_len : 599);
	if (weir_str_eq(n, WEIR_STR(":status")))
		a->http = atoi(text);
	else if (weir_str_eq(n, WEIR_STR("grpc-status")))
		a->grpc = atoi(text);
	else if (weir_str_eq(n, WEIR_STR("grpc-message")))
		memcpy(a->message, text, sizeof(a->message) - 1);
	else if (weir_str_eq(n, WEIR_STR("grpc-status-details-bin")))
		memcpy(a->details, text, sizeof(a->details));
	else if (weir_str_eq(n, WEIR_STR("grpc-accept-encoding")))
		memcpy(a->accept, text, sizeof(a->accept) - 1);
	return 0;
}

static int peer_data(nghttp2_session *session, uint8_t flags, int32_t id,
		     const uint8_t *data, size_t len, void *arg)
{
	struct answer *a = answer_of(id);

	(void)session, (void)flags, (void)arg;
	for (size_t i = 0; i < len && a->len < sizeof(a->body); i++)
		a->body[a->len++] = data[i];
	return 0;
}

static int peer_closed(nghttp2_session *session, int32_t id, uint32_t error,
		       void *arg)
{
	(void)session, (void)arg;
	answer_of(id)->closed = true;
	answer_of(id)->error = error;
	return 0;
}

static int peer_frame(nghttp2_session *session, const nghttp2_frame *frame,
		      void *arg)
{
	(void)session, (void)arg;
	if (frame->hd.type == NGHTTP2_GOAWAY) {
		peer.goaway = frame->goaway.error_code;
		peer.last_id = frame->goaway.last_stream_id;
		snprintf(peer.debug, sizeof(peer.debug), "%.*s",
			 (int)frame->goaway.opaque_data_len,
			 (const char *)frame->goaway.opaque_data);
	}
	return 0;
}

/* Moves bytes both ways until nobody has any. */
static void pump(void)
{
	static uint8_t out[1 << 16];
	const uint8_t *in;
	ssize_t len;
	size_t n;
	bool moved = true;

	while (moved) {
		moved = false;
		while ((len = nghttp2_session_mem_send(peer.session,
						       &in)) > 0) {
			moved = true;
			if (!peer.dead)
				peer.dead = !grpc_conn_recv(&peer.conn, in,
							    (size_t)len);
		}
		while ((n = h2_server_fill(peer.conn.h2, out, sizeof(out)))) {
			moved = true;
			nghttp2_session_mem_recv(peer.session, out, n);
		}
	}
}

static void peer_open(void)
{
	nghttp2_session_callbacks *cb;
	nghttp2_option *option;
	const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
	};

	memset(&peer, 0, sizeof(peer));
	for (size_t i = 0; i < MAX_ANSWERS; i++)
		peer.answers[i].http = peer.answers[i].grpc = -1;
	peer.goaway = (uint32_t)-1;
	peer.service = (struct grpc_service){
		.methods = methods, .n_methods = 1, .max_message = 1 << 20,
		.limits = { .max_streams = 100,
			    .min_ping = { 300000000000 } },
	};
	peer.conn = (struct grpc_conn){
		.service = &peer.service, .peer = WEIR_STR("127.0.0.1:9"),
		.wake = nothing, .began = nothing, .pong = nothing,
		.freed = count_freed,
	};
	ck_assert_int_eq(grpc_conn_init(&peer.conn), 0);
	nghttp2_session_callbacks_new(&cb);
	nghttp2_session_callbacks_set_on_header_callback(cb, peer_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb,
								  peer_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb,
							       peer_closed);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, peer_frame);
	nghttp2_option_new(&option);	/* windows open when a test says so */
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_session_client_new2(&peer.session, cb, NULL, option);
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(cb);
	nghttp2_submit_settings(peer.session, 0, settings, 1);
	pump();
}

static void peer_close(void)
{
	nghttp2_session_del(peer.session);
	grpc_conn_release(&peer.conn);
	grpc_service_release(&peer.service);
	ck_assert_uint_eq(peer.conn.n_calls, 0);
	ck_assert_uint_eq(weir_budget_used(), 0);
}

static ssize_t peer_read(nghttp2_session *session, int32_t id, uint8_t *out,
			 size_t room, uint32_t *flags,
			 nghttp2_data_source *source, void *arg)
{
	struct request *r = source->ptr;
	size_t n = r->len - r->sent;

	(void)session, (void)id, (void)arg;
	if (!n && r->open)
		return NGHTTP2_ERR_DEFERRED;
	if (n > room)
		n = room;
	if (n)
		memcpy(out, r->body + r->sent, n);
	r->sent += n;
	if (r->sent == r->len && !r->open)
		*flags = NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static size_t put_nv(nghttp2_nv *nv, size_t n, const char *name,
		     const char *value)
{
	if (!value)
		return n;
	nv[n] = (nghttp2_nv){ (uint8_t *)name, (uint8_t *)value, strlen(name),
			      strlen(value), 0 };
	return n + 1;
}

/* The stream's answer, after everything has been moved. */
static struct answer *ask(struct request *r)
{
	const nghttp2_data_provider body = { { .ptr = r }, peer_read };
	nghttp2_nv nv[12];
	size_t n = 0;
	int32_t id;

	n = put_nv(nv, n, ":method", r->method ? r->method : "POST");
	n = put_nv(nv, n, ":scheme", "http");
	n = put_nv(nv, n, ":path", r->path ? r->path : PATH);
	n = put_nv(nv, n, ":authority", "localhost");
	n = put_nv(nv, n, "content-type", r->type ? r->type :
		   "application/grpc");
	n = put_nv(nv, n, "te", "trailers");
	n = put_nv(nv, n, "grpc-timeout", r->timeout);
	n = put_nv(nv, n, "grpc-encoding", r->encoding);
	n = put_nv(nv, n, r->name ? r->name : "x", r->value);
	id = nghttp2_submit_request(peer.session, NULL, nv, n, &body, NULL);
	ck_assert_int_gt(id, 0);
	pump();
	return answer_of(id);
}

#define HELLO "\0\0\0\0\5hello"

#endif
