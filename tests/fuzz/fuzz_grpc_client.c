/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_grpc_client: any bytes from a server, to a client with two calls.
 *
 * The first bytes: whether SETTINGS and the headers of a proper response come
 * first, whether a call is cancelled half-way; where the bytes are cut in two
 * reads; how much of the calls has been sent.  Every call that is not cancelled ends once, by the server or with
 * the connection; nothing stays charged.
 */
#include <stdlib.h>
#include <string.h>

#include "grpc_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* SETTINGS, and then :status 200 and content-type application/grpc and
 * grpc-encoding gzip for stream 1. */
static const uint8_t settings[] = "\0\0\0\4\0\0\0\0";
static const uint8_t headers[] = "\0\0\x28\1\4\0\0\0\1\x88"
	"\x0f\x10\x10" "application/grpc"
	"\x00\x0dgrpc-encoding\x04gzip";

static struct weir_grpc_request requests[2];
static int ended[2];
static struct h2_client *h2;

static void end(struct weir_grpc_request *r, uint32_t error)
{
	struct weir_payload *inflated;
	struct weir_outcome outcome;
	weir_str reply;

	if (ended[r - requests]++)
		abort();
	grpc_request_end(r, NULL, error, &outcome, &reply, &inflated);
	if (outcome.status != WEIR_OK && reply.len)
		abort();
	if (inflated)
		weir_payload_free(&inflated);
	grpc_request_release(r);
}

static void on_header(struct h2_request *r, weir_str name, weir_str value)
{
	grpc_request_header(request_of(r), name, value);
}

static void on_data(struct h2_request *r, const uint8_t *data, size_t len)
{
	grpc_request_data(request_of(r), data, len);
	if (!request_of(r)->failed)
		return;
	h2_client_cancel(h2, r);
	end(request_of(r), 0);
}

static void on_closed(struct h2_request *r, uint32_t error)
{
	end(request_of(r), error);
}

static void on_ready(void *arg)
{
	(void)arg;
}

static void on_leaving(void *arg, weir_str debug)
{
	(void)arg;
	if (debug.len && debug.ptr[0] == debug.ptr[debug.len - 1])
		return;		/* it was read, to its end */
}

static const struct h2_client_ops ops = {
	.header = on_header, .data = on_data, .closed = on_closed,
	.ready = on_ready, .leaving = on_leaving,
};

/* Takes what the client writes, at most so many bytes of it. */
static void drain(size_t most)
{
	const struct weir_iovec *iov;
	size_t n;

	while ((iov = h2_client_pieces(h2, SIZE_MAX, &n)) && n && most) {
		size_t len = iov->len < most ? iov->len : most;

		h2_client_wrote(h2, len);
		most -= len;
	}
}

static void submit(struct weir_grpc_request *r, const struct weir_slice *body)
{
	static const char *const words[][2] = {
		{ ":method", "POST" }, { ":scheme", "http" },
		{ ":path", "/x" }, { ":authority", "x" },
	};
	nghttp2_nv nv[4];

	for (int i = 0; i < 4; i++)
		nv[i] = (nghttp2_nv){ (uint8_t *)words[i][0],
				      (uint8_t *)words[i][1],
				      strlen(words[i][0]),
				      strlen(words[i][1]), 0 };
	*r = (struct weir_grpc_request){
		.unary = { .path = "/x", .body = body, .n = 1 } };
	if (grpc_request_pack(r, NULL) ||
	    h2_client_submit(h2, nv, 4, &r->h2))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t message[1000];
	static const struct weir_slice body = { message, sizeof(message) };
	size_t cut;
	bool good;

	if (size < 4)
		return 0;
	cut = data[1] % (size - 3);
	ended[0] = ended[1] = 0;
	h2 = h2_client_new(&ops, NULL, NULL);
	if (!h2)
		abort();
	submit(&requests[0], &body);
	submit(&requests[1], &body);
	drain(data[2] * 16u);
	good = true;
	if (data[0] & 1)
		good = h2_client_recv(h2, settings, 9);
	if (good && data[0] & 2)
		good = h2_client_recv(h2, headers, sizeof(headers) - 1);
	good = good && h2_client_recv(h2, data + 3, cut);
	if (data[0] & 4 && !ended[1]) {
		h2_client_cancel(h2, &requests[1].h2);
		ended[1]++;
		grpc_request_release(&requests[1]);
	}
	drain(SIZE_MAX);
	if (good)
		h2_client_recv(h2, data + 3 + cut, size - 3 - cut);
	drain(SIZE_MAX);
	h2_client_free(&h2);
	for (int i = 0; i < 2; i++)
		if (!ended[i])
			end(&requests[i], NGHTTP2_INTERNAL_ERROR);
	if (weir_budget_used())
		abort();
	return 0;
}
