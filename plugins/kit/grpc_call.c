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
#include "grpc_conn.h"
#include "grpc_status.h"

#include <stdlib.h>

#define FIRST_ROOM (512 << 10)	/* for a message that has only been announced */
#define SPARE_CALLS 256
#define HEADER_LIST (16 << 10)
#define PATIENCE 30000000000	/* ns for headers or a body, and ... */
#define SLOWEST (16 << 10)	/* ... a second more for so many bytes */
#define RETRY_AFTER 1000000000	/* ns; when the outcome says nothing */

struct weir_grpc_call {
	struct grpc_conn *conn;
	struct weir_grpc_call *prev, *next;	/* of the connection, or spare */
	const struct weir_grpc_method *method;
	struct weir_context *context;	/* its own: with metadata */
	struct weir_payload *payload;
	size_t got, want;		/* bytes of the message */
	uint64_t began, deadline;
	int32_t id;
	enum weir_encoding encoding;	/* what grpc-encoding says */
	uint8_t prefix[5];
	uint8_t n_prefix;
	bool post, typed, path, timed, bad_timeout, bad_metadata, host;
	bool whole;			/* headers are */
	bool ended;			/* END_STREAM came */
	bool open;			/* the stream is there */
	bool held;			/* a method has to answer */
	bool answered;
	uint8_t *reply;			/* prefix and message */
	size_t reply_len, reply_sent;
	uint8_t small[64];
};

/* --- Answering ---------------------------------------------------------- */

#define FIXED (NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE)
#define NV(name, value)							\
	{ (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1,	\
	  sizeof(value) - 1, FIXED }

static const nghttp2_nv reply_headers[] = {
	NV(":status", "200"),
	NV("content-type", "application/grpc"),
};
static const nghttp2_nv reply_trailers[] = {
	NV("grpc-status", "0"),
};

static void unlink_call(struct weir_grpc_call *call)
{
	struct grpc_conn *conn = call->conn;

	if (call->prev)
		call->prev->next = call->next;
	else
		conn->calls = call->next;
	if (call->next)
		call->next->prev = call->prev;
	conn->n_calls--;
}

static void free_reply(struct weir_grpc_call *call)
{
	if (call->reply != call->small)
		free(call->reply);
	call->reply = NULL;
}

static void recycle(struct weir_grpc_call *call)
{
	struct grpc_service *service = call->conn->service;

	unlink_call(call);
	free_reply(call);
	if (call->payload)
		weir_payload_free(&call->payload);
	if (call->context)
		weir_context_free(&call->context);
	if (service->n_spare == SPARE_CALLS) {
		free(call);
		return;
	}
	call->next = service->spare;
	service->spare = call;
	service->n_spare++;
}

/* A call ends when both its stream and its method have let go. */
static void let_go(struct weir_grpc_call *call)
{
	struct grpc_conn *conn = call->conn;

	if (call->open || call->held)
		return;
	recycle(call);
	conn->freed(conn);
}

static ssize_t read_reply(nghttp2_session *session, int32_t id, uint8_t *out,
			  size_t room, uint32_t *flags,
			  nghttp2_data_source *source, void *arg)
{
	struct weir_grpc_call *call = source->ptr;
	size_t left = call->reply_len - call->reply_sent;
	size_t n = left < room ? left : room;

	(void)arg;
	memcpy(out, call->reply + call->reply_sent, n);
	call->reply_sent += n;
	if (n < left)
		return (ssize_t)n;
	*flags = NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
	if (nghttp2_submit_trailer(session, id, reply_trailers, 1))
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	return (ssize_t)n;
}

static void put_prefix(uint8_t *out, size_t len)
{
	out[0] = 0;
	out[1] = (uint8_t)(len >> 24);
	out[2] = (uint8_t)(len >> 16);
	out[3] = (uint8_t)(len >> 8);
	out[4] = (uint8_t)len;
}

static nghttp2_nv text_nv(const char *name, const char *value, size_t len)
{
	return (nghttp2_nv){ (uint8_t *)name, (uint8_t *)value, strlen(name),
			     len, NGHTTP2_NV_FLAG_NO_COPY_NAME };
}

static bool may_retry(const struct weir_outcome *outcome, weir_duration *after)
{
	if (!weir_outcome_retryable(outcome))
		return false;
	*after = outcome->retry_after;
	if (after->ns <= 0)
		after->ns = RETRY_AFTER;
	return true;
}

/* Trailers-Only. */
static void answer_failure(struct weir_grpc_call *call, const char *http,
			   const struct weir_outcome *outcome)
{
	struct h2_server *h2 = call->conn->h2;
	char text[GRPC_MESSAGE_MAX], details[GRPC_DETAILS_MAX];
	char code[2] = { (char)('0' + outcome->status / 10),
			 (char)('0' + outcome->status % 10) };
	bool two = outcome->status > 9;
	weir_duration after = { 0 };
	nghttp2_nv nv[6] = {
		text_nv(":status", http, 3),
		reply_headers[1],
		text_nv("grpc-status", two ? code : code + 1, two ? 2 : 1),
	};
	size_t n = 3;

	if (outcome->text[0])
		nv[n++] = text_nv("grpc-message", text,
				  grpc_message_encode(text, outcome->text));
	if (may_retry(outcome, &after))
		nv[n++] = text_nv("grpc-status-details-bin", details,
			grpc_details_encode(details, outcome, after));
	if (call->encoding == WEIR_ENCODING_UNKNOWN)
		nv[n++] = (nghttp2_nv)NV("grpc-accept-encoding",
					 "identity,gzip,zstd");
	call->answered = true;
	h2_server_respond(h2, call->id, nv, n, NULL);
	call->conn->wake(call->conn);
}

void weir_grpc_fail(struct weir_grpc_call *call,
		    const struct weir_outcome *outcome)
{
	call->held = false;
	if (call->open && !call->answered)
		answer_failure(call, "200", outcome);
	let_go(call);
}

static bool set_reply(struct weir_grpc_call *call, const void *message,
		      size_t len)
{
	call->reply = call->small;
	if (len > sizeof(call->small) - 5)
		call->reply = malloc(len + 5);
	if (!call->reply)
		return false;
	put_prefix(call->reply, len);
	if (len)
		memcpy(call->reply + 5, message, len);
	call->reply_len = len + 5;
	return true;
}

void weir_grpc_reply(struct weir_grpc_call *call, const void *message,
		     size_t len)
{
	const nghttp2_data_provider body = { { .ptr = call }, read_reply };
	struct weir_outcome no_memory;

	if (call->open && !call->answered && !set_reply(call, message, len)) {
		weir_outcome_set(&no_memory, WEIR_UNAVAILABLE,
				 WEIR_REASON_MEMORY, "out of memory");
		weir_grpc_fail(call, &no_memory);
		return;
	}
	call->held = false;
	if (call->open && !call->answered) {
		call->answered = true;
		h2_server_respond(call->conn->h2, call->id, reply_headers, 2,
				  &body);
		call->conn->wake(call->conn);
	}
	let_go(call);
}

/* The kit's own no; what was received is let go at once. */
static void refuse(struct weir_grpc_call *call, const char *http,
		   const struct weir_outcome *outcome)
{
	if (call->payload)
		weir_payload_free(&call->payload);
	if (call->method && call->method->refused)
		call->method->refused(call->conn->service->c, outcome,
				      call->method->arg);
	answer_failure(call, http, outcome);
}

#define REFUSE(call, http, status, reason, ...)				\
	do {								\
		struct weir_outcome outcome_;				\
		weir_outcome_set(&outcome_, WEIR_##status,		\
				 WEIR_REASON_##reason, __VA_ARGS__);	\
		refuse(call, http, &outcome_);				\
	} while (0)

/* --- Headers ------------------------------------------------------------ */

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
					 .open = true };
	if (conn->calls)
		conn->calls->prev = call;
	conn->calls = call;
	if (!conn->n_calls++)
		conn->began(conn);
	return call;
}

static bool is(weir_str name, weir_str literal)
{
	return !memcmp(name.ptr, literal.ptr, literal.len);
}
#define IS(name, literal) is(name, WEIR_STR(literal))

static bool is_grpc(weir_str type)
{
	weir_str grpc = WEIR_STR("application/grpc");

	if (type.len < grpc.len || memcmp(type.ptr, grpc.ptr, grpc.len))
		return false;
	return type.len == grpc.len || type.ptr[grpc.len] == '+' ||
	       type.ptr[grpc.len] == ';';
}

static void set_method(struct weir_grpc_call *call, weir_str path)
{
	const struct grpc_service *service = call->conn->service;

	call->path = true;
	for (size_t i = 0; i < service->n_methods; i++)
		if (weir_str_eq(weir_str_of(service->methods[i].path), path))
			call->method = &service->methods[i];
}

static void set_deadline(struct weir_grpc_call *call, weir_str value)
{
	uint64_t ns;

	if (!grpc_timeout_parse(value, &ns)) {
		call->bad_timeout = true;
		return;
	}
	call->timed = true;
	call->deadline = call->conn->now + ns;
}

/* -bin: several values may stand in one, between commas. */
static void add_binary(struct weir_grpc_call *call, weir_str name,
		       weir_str value)
{
	uint8_t bytes[HEADER_LIST];

	for (;;) {
		const char *comma = memchr(value.ptr, ',', value.len);
		size_t n = comma ? (size_t)(comma - value.ptr) : value.len;
		int64_t len = grpc_base64_decode((weir_str){ value.ptr, n },
						 bytes, sizeof(bytes));

		if (len < 0) {
			call->bad_metadata = true;
			return;
		}
		weir_context_add(call->context, name,
				 (weir_str){ (char *)bytes, (size_t)len });
		if (!comma)
			return;
		value.ptr += n + 1;
		value.len -= n + 1;
	}
}

/* What a Go server shows as metadata: all but the protocol's own. */
static void add_metadata(struct weir_grpc_call *call, weir_str name,
			 weir_str value)
{
	struct grpc_conn *conn = call->conn;

	if (!call->context)
		call->context = weir_context_new(conn->service->c, conn->peer);
	if (!call->context || (name.ptr[0] == ':' && !IS(name, ":authority")))
		return;
	if ((name.len >= 5 && IS(name, "grpc-")) ||
	    (name.len == 2 && IS(name, "te")))
		return;
	if (name.ptr[0] == ':')
		name = WEIR_STR("host");
	if (name.len > 4 && !memcmp(name.ptr + name.len - 4, "-bin", 4))
		add_binary(call, name, value);
	else
		weir_context_add(call->context, name, value);
}

static void header(void *arg, void *stream, weir_str name, weir_str value)
{
	struct grpc_conn *conn = arg;
	struct weir_grpc_call *call = stream;

	switch (name.len) {
	case 5:
		if (IS(name, ":path"))
			set_method(call, value);
		break;
	case 7:
		if (IS(name, ":method"))
			call->post = weir_str_eq(value, WEIR_STR("POST"));
		break;
	case 12:
		if (IS(name, "content-type"))
			call->typed = is_grpc(value);
		else if (IS(name, "grpc-timeout"))
			set_deadline(call, value);
		break;
	case 13:
		if (IS(name, "grpc-encoding"))
			call->encoding = weir_encoding_parse(value);
		break;
	}
	if (conn->service->include_metadata)
		add_metadata(call, name, value);
}

static void headers(void *arg, void *stream, size_t bytes)
{
	struct grpc_conn *conn = arg;
	struct weir_grpc_call *call = stream;

	call->whole = true;
	if (bytes > HEADER_LIST)
		REFUSE(call, "200", RESOURCE_EXHAUSTED, TOO_BIG,
		       "header list of %zu bytes, more than %d", bytes,
		       HEADER_LIST);
	else if (!call->typed)
		REFUSE(call, "415", INVALID_ARGUMENT, MEDIA_TYPE,
		       "content-type is not application/grpc");
	else if (!call->post)
		REFUSE(call, "405", INTERNAL, MALFORMED, "method is not POST");
	else if (call->bad_timeout)
		REFUSE(call, "400", INTERNAL, MALFORMED,
		       "malformed grpc-timeout");
	else if (conn->service->draining)
		REFUSE(call, "200", UNAVAILABLE, DRAINING,
		       "the server is shutting down");
	else if (!call->method)
		REFUSE(call, "200", UNIMPLEMENTED, NO_PIPELINE,
		       "unknown service or method");
	else if (call->encoding == WEIR_ENCODING_UNKNOWN)
		REFUSE(call, "200", UNIMPLEMENTED, COMPRESSION,
		       "grpc-encoding is not supported");
	else if (call->bad_metadata)
		REFUSE(call, "200", INVALID_ARGUMENT, MALFORMED,
		       "malformed binary metadata");
	else if (conn->service->include_metadata && !call->context)
		REFUSE(call, "200", UNAVAILABLE, MEMORY, "out of memory");
	else if (call->timed && call->deadline <= conn->now)
		REFUSE(call, "200", DEADLINE_EXCEEDED, DEADLINE,
		       "the deadline is over");
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
		refuse(call, "200", &refused);
		return false;
	}
	call->payload = whole;
	call->got = len;
	return true;
}

static void end(void *arg, void *stream)
{
	struct grpc_conn *conn = arg;
	struct weir_grpc_call *call = stream;
	struct weir_payload *message;

	call->ended = true;
	if (call->answered)
		return;
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
	if (call->prefix[0] && !inflate_message(call))
		return;
	message = call->payload;
	call->payload = NULL;
	call->held = true;
	call->method->call(conn->service->c, call, &message, call->got,
			   call->method->arg);
	if (message)
		weir_payload_free(&message);
}

static void closed(void *arg, void *stream)
{
	struct weir_grpc_call *call = stream;

	(void)arg;
	call->open = false;
	let_go(call);
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
	.header = header,
	.headers = headers,
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

bool grpc_conn_check(struct grpc_conn *conn, uint64_t now)
{
	struct weir_grpc_call *next;

	for (struct weir_grpc_call *call = conn->calls; call; call = next) {
		uint64_t allowed = PATIENCE +
			(uint64_t)call->got * 1000000000 / SLOWEST;
		struct weir_outcome late;

		next = call->next;
		if (call->answered || !call->open)
			continue;
		if (!call->ended && now - call->began > allowed) {
			if (!call->whole)
				return false;
			REFUSE(call, "200", DEADLINE_EXCEEDED, DEADLINE,
			       "the request came too slowly");
		} else if (call->deadline && now >= call->deadline) {
			weir_outcome_set(&late, WEIR_DEADLINE_EXCEEDED,
					 WEIR_REASON_DEADLINE,
					 "the deadline is over");
			answer_failure(call, "200", &late);
		}
	}
	return true;
}

void grpc_conn_lost(struct grpc_conn *conn)
{
	struct weir_grpc_call *next;

	h2_server_free(&conn->h2);
	for (struct weir_grpc_call *call = conn->calls; call; call = next) {
		next = call->next;
		call->open = false;
		if (!call->held)
			recycle(call);
	}
}

void grpc_conn_release(struct grpc_conn *conn)
{
	h2_server_free(&conn->h2);
	while (conn->calls)
		recycle(conn->calls);
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
