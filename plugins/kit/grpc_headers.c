/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_headers.c: what a call's headers ask for, and whether it may.
 *
 * Holds nothing: what they say is noted in the call.  Must never keep more of
 * them than HEADER_LIST.
 */
#include "grpc_call.h"
#include "grpc_status.h"

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

void grpc_call_header(void *arg, void *stream, weir_str name, weir_str value)
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
			call->encoding = weir_grpc_encoding_parse(value);
		break;
	}
	if (conn->service->include_metadata)
		add_metadata(call, name, value);
}

void grpc_call_headers(void *arg, void *stream, size_t bytes)
{
	struct grpc_conn *conn = arg;
	struct weir_grpc_call *call = stream;

	call->whole = true;
	if (bytes > HEADER_LIST)
		REFUSE(call, "200", RESOURCE_EXHAUSTED, TOO_BIG,
		       "header list of %zu bytes, more than %d", bytes,
		       HEADER_LIST);
	else if (!call->typed)
		call->foreign = true;
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
