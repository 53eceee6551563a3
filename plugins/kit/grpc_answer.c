/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_answer.c: how a call is answered, and when it is over.
 *
 *	reply: HEADERS, DATA, trailers | fail: Trailers-Only
 *
 * Holds the answer until it is sent, in the call.  Must never answer a call
 * twice, nor end one that its stream or its method still has.
 */
#include "grpc_call.h"
#include "grpc_status.h"

#include <stdlib.h>

#define SPARE_CALLS 256
#define RETRY_AFTER 1000000000	/* ns; when the outcome says nothing */

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

void grpc_call_recycle(struct weir_grpc_call *call)
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

/* A call ends when both have let go. */
void grpc_call_let_go(struct weir_grpc_call *call)
{
	struct grpc_conn *conn = call->conn;

	if (call->open || call->held)
		return;
	grpc_call_recycle(call);
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

static ssize_t read_text(nghttp2_session *session, int32_t id, uint8_t *out,
			 size_t room, uint32_t *flags,
			 nghttp2_data_source *source, void *arg)
{
	struct weir_grpc_call *call = source->ptr;
	size_t left = call->reply_len - call->reply_sent;
	size_t n = left < room ? left : room;

	(void)session, (void)id, (void)arg;
	memcpy(out, call->reply + call->reply_sent, n);
	call->reply_sent += n;
	if (n == left)
		*flags = NGHTTP2_DATA_FLAG_EOF;
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

/* Who asks without speaking gRPC reads the reason as a text. */
static bool set_text(struct weir_grpc_call *call, const char *http,
		     const struct weir_outcome *outcome)
{
	size_t len = strlen(outcome->text);

	if (http[0] == '2')
		return false;
	call->reply = malloc(len + 1);
	if (!call->reply)
		return false;
	memcpy(call->reply, outcome->text, len);
	call->reply[len] = '\n';
	call->reply_len = len + 1;
	return true;
}

/* Trailers-Only, but for the text. */
void grpc_call_deny(struct weir_grpc_call *call, const char *http,
		    const struct weir_outcome *outcome)
{
	struct h2_server *h2 = call->conn->h2;
	char text[GRPC_MESSAGE_MAX], details[GRPC_DETAILS_MAX];
	char code[2] = { (char)('0' + outcome->status / 10),
			 (char)('0' + outcome->status % 10) };
	const nghttp2_data_provider body = { { .ptr = call }, read_text };
	bool two = outcome->status > 9, text_body;
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
					 "identity,gzip,zstd,snappy");
	text_body = set_text(call, http, outcome);
	if (text_body)
		nv[1] = (nghttp2_nv)NV("content-type",
				       "text/plain; charset=utf-8");
	call->answered = true;
	call->answered_at = weir_now();
	h2_server_respond(h2, call->id, nv, n, text_body ? &body : NULL);
	call->conn->wake(call->conn);
}

void weir_grpc_fail(struct weir_grpc_call *call,
		    const struct weir_outcome *outcome)
{
	call->held = false;
	if (call->open && !call->answered)
		grpc_call_deny(call, "200", outcome);
	grpc_call_let_go(call);
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
		call->answered_at = weir_now();
		h2_server_respond(call->conn->h2, call->id, reply_headers, 2,
				  &body);
		call->conn->wake(call->conn);
	}
	grpc_call_let_go(call);
}

void grpc_call_refuse(struct weir_grpc_call *call, const char *http,
		      const struct weir_outcome *outcome)
{
	if (call->payload)
		weir_payload_free(&call->payload);
	if (call->method && call->method->refused)
		call->method->refused(call->conn->service->c, outcome,
				      call->method->arg);
	grpc_call_deny(call, http, outcome);
}
