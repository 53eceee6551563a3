/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_grpc: any bytes from a client, behind its preface and SETTINGS.
 *
 * The first bytes: where the bytes are cut in two reads, whether metadata is
 * kept, whether the socket goes before the methods have answered, whether the
 * headers of a proper call come first, so that messages are reached too.  Every
 * call that a method got is answered; nothing stays charged.
 */
#include <stdlib.h>
#include <string.h>

#include "grpc_conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PATH "/x"

static const uint8_t preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	"\0\0\0\4\0\0\0\0\0";

/* :method POST, :scheme http, :path /x, :authority x, content-type application/grpc,
 * grpc-encoding gzip; stream 1. */
static const uint8_t call[] = "\0\0\x30\1\4\0\0\0\1\x83\x86\x04\x02/x\x01\x01x"
	"\x0f\x10\x10" "application/grpc"
	"\x00\x0dgrpc-encoding\x04gzip";

static struct weir_grpc_call *calls[1024];
static size_t n_calls;

static void keep_call(struct weir_component *c, struct weir_grpc_call *grpc,
		      struct weir_payload **message, size_t len, void *arg)
{
	(void)c, (void)arg;
	if (len > weir_payload_capacity(*message))
		abort();
	if (n_calls == sizeof(calls) / sizeof(*calls))
		abort();	/* more than streams can be open */
	calls[n_calls++] = grpc;
}

static const struct weir_grpc_method methods[] = {
	{ .path = PATH, .call = keep_call },
};

static void nothing(struct grpc_conn *conn)
{
	(void)conn;
}

static void drain(struct grpc_conn *conn)
{
	static uint8_t out[4096];

	while (h2_server_fill(conn->h2, out, sizeof(out)))
		;
}

static void answer_all(void)
{
	struct weir_outcome no;

	for (size_t i = 0; i < n_calls; i++) {
		weir_outcome_set(&no, WEIR_UNAVAILABLE, WEIR_REASON_FULL, "x");
		if (i & 1)
			weir_grpc_fail(calls[i], &no);
		else
			weir_grpc_reply(calls[i], "", 0);
	}
	n_calls = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct grpc_service service = {
		.methods = methods, .n_methods = 1, .max_message = 65536,
		.limits = { .max_streams = 100 },
	};
	struct grpc_conn conn = {
		.service = &service, .wake = nothing, .began = nothing,
		.pong = nothing, .freed = nothing,
	};
	size_t cut;
	bool good;

	if (size < 2)
		return 0;
	service.include_metadata = data[0] & 1;
	cut = data[1] % (size - 1);
	if (cut > size - 2)
		cut = size - 2;
	if (grpc_conn_init(&conn))
		abort();
	good = grpc_conn_recv(&conn, preface, sizeof(preface) - 1);
	if (data[0] & 2)
		good = good && grpc_conn_recv(&conn, call, sizeof(call) - 1);
	good = good && grpc_conn_recv(&conn, data + 2, cut);
	drain(&conn);
	if (good)
		grpc_conn_recv(&conn, data + 2 + cut, size - 2 - cut);
	grpc_conn_check(&conn, conn.now + 60000000000);
	if (data[0] & 4)
		grpc_conn_lost(&conn);
	answer_all();
	if (conn.h2)
		drain(&conn);
	grpc_conn_lost(&conn);
	if (conn.n_calls)
		abort();
	grpc_conn_release(&conn);
	grpc_service_release(&service);
	if (weir_budget_used())
		abort();
	return 0;
}
