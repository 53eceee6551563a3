/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_call.c: one unary call, from its headers to its answer.
 *
 *	HEADERS -> what is asked -> 5-byte prefix -> message -> method
 *	                 \________________\____________\-> refused
 *	method -> reply: HEADERS, DATA, trailers | fail: Trailers-Only
 *
 * Holds the message being received, in one piece, charged before it is
 * allocated.  Must never give a peer room for what it has only announced, and
 * never answer a call twice.  Rules: gRPC over HTTP/2, "GRPC-n" in the tests.
 */
#include "codec.h"
#include "grpc_call.h"

#include <stdlib.h>

#define FIRST_ROOM (512 << 10)	/* for a message that has only been announced */
#define PATIENCE 30000000000	/* ns for a request, for an answer, and ... */
#define DRAIN 3000000000	/* ns, instead of PATIENCE, once it stops */
#define DRAIN_LEAST 4096	/* bytes of a request in each of them */
#define SLOWEST (16 << 10)	/* ... a second more for so many bytes */

static void *begin(void *arg, int32_t id)
{
	struct grpc_conn *conn = arg;
	struct grpc_service *service = conn->service;
	struct weir_grpc_call *call = service->spare;

	/* Calls whose client went away count until their method is done. */
	if (conn->n_calls >= service->limits.max_streams)
		return NULL;
	if (call) {
		service->spare = call->next;
		service->n_spare--;
	} else {
		call = malloc(sizeof(*call));
	}
	if (!call)
		return NULL;
	*call = (struct weir_grpc_call){ .conn = conn, .next = conn->calls,
					 .id = id, .began = conn->now,
					 .paced_at = conn->now,
					 .open = true };
	if (conn->calls)
		conn->calls->prev = call;
	conn->calls = call;
	if (!conn->n_calls++)
		conn->began(conn);
	return call;
}

/* --- The message -------------------------------------------------------- */

/* The prefix is complete: nothing has been allocated yet. */
static bool open_message(struct weir_grpc_call *call)
{
	const struct grpc_service *service = call->conn->service;
	const uint8_t *p = call->prefix;
	size_t room;

	call->want = (size_t)p[1] << 24 | (size_t)p[2] << 16 |
		     (size_t)p[3] << 8 | p[4];
	if (p[0] > 1 || (p[0] && call->encoding == WEIR_ENCODING_IDENTITY)) {
		REFUSE(call, "200", INTERNAL, COMPRESSION, p[0] > 1 ?
		       "unknown message flag %d" :
		       "message flag %d without grpc-encoding", p[0]);
		return false;
	}
	if (call->want > service->max_message) {
		REFUSE(call, "200", RESOURCE_EXHAUSTED, TOO_BIG,
		       "received message larger than max (%zu vs. %zu)",
		       call->want, service->max_message);
		return false;
	}
	room = call->want < FIRST_ROOM ? call->want : FIRST_ROOM;
	call->payload = weir_payload_new(service->c, room);
	if (!call->payload)
		REFUSE(call, "200", UNAVAILABLE, MEMORY,
		       "no memory for a message of %zu bytes", call->want);
	return call->payload;
}

/* Doubles the room, so that a peer pays in bytes for what it announced. */
static bool grow(struct weir_grpc_call *call, size_t need)
{
	size_t room = weir_payload_capacity(call->payload) * 2;
	struct weir_payload *bigger;

	if (room < need)
		room = need;
	if (room > call->want)
		room = call->want;
	bigger = weir_payload_new(call->conn->service->c, room);
	if (!bigger) {
		REFUSE(call, "200", UNAVAILABLE, MEMORY,
		       "no memory for a message of %zu bytes", call->want);
		return false;
	}
	memcpy(weir_payload_bytes(bigger), weir_payload_bytes(call->payload),
	       call->got);
	weir_payload_free(&call->payload);
	call->payload = bigger;
	return true;
}

static void data(void *arg, void *stream, const uint8_t *bytes, size_t len)
{
	struct weir_grpc_call *call = stream;

	(void)arg;
	if (call->foreign)
		return;
	while (len && call->n_prefix < 5 && !call->answered) {
		call->prefix[call->n_prefix++] = *bytes++;
		len--;
		if (call->n_prefix == 5)
			open_message(call);
	}
	if (!len || call->answered)
		return;
	if (len > call->want - call->got) {
		REFUSE(call, "200", UNIMPLEMENTED, MALFORMED,
		       "more than one message in a unary call");
		return;
	}
	if (call->got + len > weir_payload_capacity(call->payload) &&
	    !grow(call, call->got + len))
		return;
	memcpy(weir_payload_bytes(call->payload) + call->got, bytes, len);
	call->got += len;
}

/* Puts the inflated message in the place of what came. */
static bool inflate_message(struct weir_grpc_call *call)
{
	const struct grpc_service *service = call->conn->service;
	struct weir_outcome refused;
	struct weir_payload *whole;
	size_t len;

	whole = weir_decompress(service->c, call->encoding,
				weir_payload_bytes(call->payload), call->got,
				service->max_message, &len, &refused);
	weir_payload_free(&call->payload);
	if (!whole) {
		grpc_call_refuse(call, "200", &refused);
		return false;
	}
	call->payload = whole;
	call->got = len;
	return true;
}

static void hand_over(struct weir_grpc_call *call)
{
	struct weir_payload *message;

	if (call->prefix[0] && !inflate_message(call))
		return;
	message = call->payload;
	call->payload = NULL;
	call->held = true;
	call->method->call(call->conn->service->c, call, &message, call->got,
			   call->method->arg);
	if (message)
		weir_payload_free(&message);
}

/* Its library has been opened, or cannot be; the client may have gone, or its
 * deadline passed. */
static void go_on(struct codec_waiter *waiter, bool open)
{
	struct weir_grpc_call *call = (struct weir_grpc_call *)(void *)
		((char *)waiter - offsetof(struct weir_grpc_call, waiter));
	struct weir_outcome refused;

	call->held = false;
	if (!call->open || call->answered) {
		grpc_call_let_go(call);
	} else if (open) {
		hand_over(call);
	} else {
		codec_unavailable(call->encoding, &refused);
		grpc_call_refuse(call, "200", &refused);
	}
}

static void end(void *arg, void *stream)
{
	struct grpc_conn *conn = arg;
	struct weir_grpc_call *call = stream;
	struct grpc_service *service = conn->service;

	call->ended = true;
	if (call->answered)
		return;
	/* Only now: it is answered like any HTTP request, not cut off. */
	if (call->foreign) {
		REFUSE(call, "415", INVALID_ARGUMENT, MEDIA_TYPE,
		       "content-type is not application/grpc");
		return;
	}
	if (!call->n_prefix) {
		REFUSE(call, "200", UNIMPLEMENTED, MALFORMED,
		       "no message in a unary call");
		return;
	}
	if (call->n_prefix < 5 || call->got < call->want) {
		REFUSE(call, "200", INTERNAL, MALFORMED,
		       "the message ends before its length");
		return;
	}
	call->waiter.go_on = go_on;
	call->held = call->prefix[0] &&
		     !codec_wait(&service->codecs, service->c, call->encoding,
				 &call->waiter);
	if (!call->held)
		hand_over(call);
}

static void closed(void *arg, void *stream)
{
	struct weir_grpc_call *call = stream;

	(void)arg;
	call->open = false;
	grpc_call_let_go(call);
}

struct weir_context *weir_grpc_call_context(struct weir_grpc_call *call)
{
	return call->context ? call->context : call->conn->context;
}

uint64_t weir_grpc_call_deadline(const struct weir_grpc_call *call)
{
	return call->deadline;
}

/* --- The connection ----------------------------------------------------- */

static void pong(void *arg)
{
	struct grpc_conn *conn = arg;

	conn->pong(conn);
}

static const struct h2_server_ops ops = {
	.begin = begin,
	.header = grpc_call_header,
	.headers = grpc_call_headers,
	.data = data,
	.end = end,
	.closed = closed,
	.pong = pong,
};

int grpc_conn_init(struct grpc_conn *conn)
{
	struct grpc_service *service = conn->service;

	h2_mem_init(&service->mem);
	conn->h2 = h2_server_new(&service->limits, &ops, conn,
				 &service->mem.mem);
	conn->context = weir_context_new(service->c, conn->peer);
	if (conn->h2 && conn->context)
		return 0;
	grpc_conn_release(conn);
	return -1;
}

bool grpc_conn_recv(struct grpc_conn *conn, const uint8_t *bytes, size_t len)
{
	conn->now = weir_now();
	return h2_server_recv(conn->h2, bytes, len, conn->now);
}

/* Nothing is read while memory is out: what has come only in part would keep
 * it, and all others waiting, until its time is over. */
static bool is_starving(const struct weir_grpc_call *call)
{
	return !call->ended && call->payload && weir_budget_full();
}

uint64_t grpc_due(const struct grpc_service *service, uint64_t from,
		  uint64_t allowed)
{
	uint64_t due = from + allowed, drained;

	if (!service->draining)
		return due;
	drained = (from > service->drained ? from : service->drained) + DRAIN;
	return drained < due ? drained : due;
}

/* The client leaves no window for an answer, or opens it bit by bit (attacks.md
 * 60): the answer has its time and no more. */
static void check_answer(struct weir_grpc_call *call, uint64_t now)
{
	uint64_t allowed = PATIENCE + (uint64_t)call->reply_len * 1000000000 /
			   SLOWEST;

	if (now <= grpc_due(call->conn->service, call->answered_at, allowed))
		return;
	call->answered_at = now;	/* the reset may wait for the socket */
	h2_server_reset(call->conn->h2, call->id, NGHTTP2_CANCEL);
	call->conn->wake(call->conn);
}

/* Does a request that is not whole hold up the drain?  Not while it comes in
 * at a pace. */
static bool is_in_the_way(struct weir_grpc_call *call, uint64_t now)
{
	const struct grpc_service *service = call->conn->service;

	if (!service->draining ||
	    now <= grpc_due(service, call->paced_at, PATIENCE))
		return false;
	if (call->got - call->paced < DRAIN_LEAST)
		return true;
	call->paced = call->got;
	call->paced_at = now;
	return false;
}

static bool is_slow(const struct weir_grpc_call *call, uint64_t now)
{
	return now - call->began > PATIENCE + (uint64_t)call->got *
					      1000000000 / SLOWEST;
}

/* One call; false: the connection itself is stuck. */
static bool check_call(struct weir_grpc_call *call, uint64_t now)
{
	struct weir_outcome late;

	if (is_starving(call)) {
		REFUSE(call, "200", UNAVAILABLE, MEMORY,
		       "no memory for the rest of this request");
	} else if (!call->ended && is_in_the_way(call, now)) {
		if (!call->whole)
			return false;
		REFUSE(call, "200", UNAVAILABLE, DRAINING,
		       "the server is shutting down");
	} else if (!call->ended && is_slow(call, now)) {
		if (!call->whole)
			return false;
		REFUSE(call, "200", DEADLINE_EXCEEDED, DEADLINE,
		       "the request came too slowly");
	} else if (call->deadline && now >= call->deadline) {
		weir_outcome_set(&late, WEIR_DEADLINE_EXCEEDED,
				 WEIR_REASON_DEADLINE, "the deadline is over");
		grpc_call_deny(call, "200", &late);
	}
	return true;
}

bool grpc_conn_check(struct grpc_conn *conn, uint64_t now)
{
	struct weir_grpc_call *next;

	for (struct weir_grpc_call *call = conn->calls; call; call = next) {
		next = call->next;
		if (!call->open)
			continue;
		if (call->answered)
			check_answer(call, now);
		else if (!check_call(call, now))
			return false;
	}
	return true;
}

/* What was not whole by then never will be. */
void grpc_conn_eof(struct grpc_conn *conn)
{
	for (struct weir_grpc_call *call = conn->calls; call;
	     call = call->next) {
		if (call->ended || !call->open)
			continue;
		call->answered = true;
		if (call->payload)
			weir_payload_free(&call->payload);
		h2_server_reset(conn->h2, call->id, NGHTTP2_CANCEL);
	}
}

void grpc_conn_lost(struct grpc_conn *conn)
{
	struct weir_grpc_call *next;

	h2_server_free(&conn->h2);
	for (struct weir_grpc_call *call = conn->calls; call; call = next) {
		next = call->next;
		call->open = false;
		if (!call->held)
			grpc_call_recycle(call);
	}
}

void grpc_conn_release(struct grpc_conn *conn)
{
	h2_server_free(&conn->h2);
	while (conn->calls)
		grpc_call_recycle(conn->calls);
	if (conn->context)
		weir_context_free(&conn->context);
}

void grpc_service_release(struct grpc_service *service)
{
	while (service->spare) {
		struct weir_grpc_call *call = service->spare;

		service->spare = call->next;
		free(call);
	}
	service->n_spare = 0;
	h2_mem_release(&service->mem);
}
