/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's engine: bodies in pieces against our own server's engine, and
 * what responses mean.  No socket.
 */
#include <check.h>
#include <stdlib.h>

#include "grpc_conn.h"
#include "grpc_request.h"

#define PATH "/test.v1.Service/Call"
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* --- Responses ---------------------------------------------------------- */

#define HEAD { ":status", "200" }, { "content-type", "application/grpc" }
#define EMPTY "\0\0\0\0"		/* and the literal's own NUL */

static const struct {
	const char *why;
	const char *headers[6][2];
	const char *body;
	size_t len;
	uint32_t error;
	enum weir_status status;
} responses[] = {
	{ "an empty message", { HEAD, { "grpc-status", "0" } }, EMPTY, 5, 0,
	  WEIR_OK },
	{ "GRPC-16: no status", { HEAD }, EMPTY, 5, 0, WEIR_UNKNOWN },
	{ "OK without a message", { HEAD, { "grpc-status", "0" } }, "", 0, 0,
	  WEIR_INTERNAL },
	{ "two messages", { HEAD, { "grpc-status", "0" } }, EMPTY "\0" EMPTY,
	  10, 0, WEIR_INTERNAL },
	{ "half a message", { HEAD, { "grpc-status", "0" } },
	  "\0\0\0\0\5ab", 7, 0, WEIR_INTERNAL },
	{ "GRPC-5: flag without encoding", { HEAD, { "grpc-status", "0" } },
	  "\1\0\0\0\1a", 6, 0, WEIR_INTERNAL },
	{ "GRPC-8: unknown encoding",
	  { HEAD, { "grpc-encoding", "br" }, { "grpc-status", "0" } },
	  "\1\0\0\0\1a", 6, 0, WEIR_INTERNAL },
	{ "125: a reply of 4 GiB", { HEAD, { "grpc-status", "0" } },
	  "\0\xff\xff\xff\xff", 5, 0, WEIR_RESOURCE_EXHAUSTED },
	{ "trailers only", { HEAD, { "grpc-status", "14" } }, "", 0, 0,
	  WEIR_UNAVAILABLE },
	{ "GRPC-15: the status wins over HTTP",
	  { { ":status", "503" }, { "content-type", "application/grpc" },
	    { "grpc-status", "3" } }, "", 0, 0, WEIR_INVALID_ARGUMENT },
	{ "a proxy's page", { { ":status", "502" },
	    { "content-type", "text/html" } }, "<html>", 6, 0,
	  WEIR_UNAVAILABLE },
	{ "REFUSED_STREAM", { { 0 } }, "", 0, 7, WEIR_UNAVAILABLE },
	{ "CANCEL", { { 0 } }, "", 0, 8, WEIR_CANCELLED },
	{ "a status and NO_ERROR", { HEAD, { "grpc-status", "8" } }, "", 0, 0,
	  WEIR_RESOURCE_EXHAUSTED },
	{ "a status that is none", { HEAD, { "grpc-status", "99" } }, "", 0, 0,
	  WEIR_UNKNOWN },
};

START_TEST(a_response_means_what_the_rules_say)
{
	struct weir_grpc_request r = { 0 };
	struct weir_outcome outcome;
	struct weir_payload *inflated;
	weir_str reply;

	for (int i = 0; i < 6 && responses[_i].headers[i][0]; i++)
		grpc_request_header(&r,
			weir_str_of(responses[_i].headers[i][0]),
			weir_str_of(responses[_i].headers[i][1]));
	grpc_request_data(&r, (const uint8_t *)responses[_i].body,
			  responses[_i].len);
	grpc_request_end(&r, NULL, responses[_i].error, &outcome, &reply,
			 &inflated);
	ck_assert_msg(outcome.status == responses[_i].status, "%s: %d %s",
		      responses[_i].why, outcome.status, outcome.text);
	grpc_request_release(&r);
}
END_TEST

START_TEST(a_reply_comes_in_any_pieces)
{
	static const uint8_t body[] = "\0\0\0\1\0";
	static uint8_t message[256];
	struct weir_grpc_request r = { .typed = true, .http = 200 };
	struct weir_outcome outcome;
	struct weir_payload *inflated;
	weir_str reply;

	for (size_t i = 0; i < 5; i++)
		grpc_request_data(&r, body + i, 1);
	for (size_t i = 0; i < 256; i++) {
		message[i] = (uint8_t)i;
		grpc_request_data(&r, message + i, 1);
	}
	grpc_request_header(&r, WEIR_STR("grpc-status"), WEIR_STR("0"));
	grpc_request_end(&r, NULL, 0, &outcome, &reply, &inflated);
	ck_assert_int_eq(outcome.status, WEIR_OK);
	ck_assert_uint_eq(reply.len, 256);
	ck_assert_mem_eq(reply.ptr, message, 256);
	grpc_request_release(&r);
}
END_TEST

/* --- Against our own server --------------------------------------------- */

static struct {
	struct grpc_service service;
	struct grpc_conn conn;
	struct h2_client *h2;
	uint64_t sum;			/* of what the method got */
	size_t got, calls, closed, ready;
	uint32_t error;
} x;

static void take(struct weir_component *c, struct weir_grpc_call *call,
		 struct weir_payload **message, size_t len, void *arg)
{
	(void)c, (void)arg;
	x.sum = 0;
	for (size_t i = 0; i < len; i++)
		x.sum = x.sum * 31 + weir_payload_bytes(*message)[i];
	x.got = len;
	x.calls++;
	weir_grpc_reply(call, "ok", 2);
}

static const struct weir_grpc_method methods[] = {
	{ .path = PATH, .call = take },
};

static void nothing(struct grpc_conn *conn)
{
	(void)conn;
}

static void on_header(struct h2_request *h2, weir_str name, weir_str value)
{
	grpc_request_header(request_of(h2), name, value);
}

static void on_data(struct h2_request *h2, const uint8_t *data, size_t len)
{
	grpc_request_data(request_of(h2), data, len);
}

static void on_closed(struct h2_request *h2, uint32_t error)
{
	(void)h2;
	x.closed++;
	x.error = error;
}

static void on_ready(void *arg)
{
	(void)arg;
	x.ready++;
}

static void on_leaving(void *arg, weir_str debug)
{
	(void)arg, (void)debug;
}

static const struct h2_client_ops ops = {
	.header = on_header, .data = on_data, .closed = on_closed,
	.ready = on_ready, .leaving = on_leaving,
};

/* Writes at most `most` bytes a step, as a slow socket would.  false: nothing
 * moved. */
static bool step(size_t most)
{
	static uint8_t out[1 << 16];
	const struct weir_iovec *iov;
	size_t n, len;
	bool moved = false;

	iov = h2_client_pieces(x.h2, SIZE_MAX, &n);
	if (n) {
		len = iov->len < most ? iov->len : most;
		grpc_conn_recv(&x.conn, iov->ptr, len);
		h2_client_wrote(x.h2, len);
		moved = true;
	}
	while ((len = h2_server_fill(x.conn.h2, out, sizeof(out)))) {
		h2_client_recv(x.h2, out, len);
		moved = true;
	}
	return moved;
}

static void set_up(void)
{
	memset(&x, 0, sizeof(x));
	x.service = (struct grpc_service){
		.methods = methods, .n_methods = 1, .max_message = 4 << 20,
		.limits = { .max_streams = 100 },
	};
	x.conn = (struct grpc_conn){
		.service = &x.service, .wake = nothing, .began = nothing,
		.pong = nothing, .freed = nothing,
	};
	ck_assert_int_eq(grpc_conn_init(&x.conn), 0);
	x.h2 = h2_client_new(&ops, NULL, NULL);
	while (step(1 << 20))
		;
	ck_assert_uint_eq(x.ready, 1);
}

static void tear_down(void)
{
	h2_client_free(&x.h2);
	grpc_conn_lost(&x.conn);
	grpc_conn_release(&x.conn);
	grpc_service_release(&x.service);
	ck_assert_uint_eq(weir_budget_used(), 0);
}

#define NV(name, value)							\
	{ (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1,	\
	  sizeof(value) - 1, 0 }
static const nghttp2_nv nv[] = {
	NV(":method", "POST"), NV(":scheme", "http"), NV(":path", PATH),
	NV(":authority", "x"), NV("content-type", "application/grpc"),
	NV("grpc-encoding", "gzip"),
};

/* n slices of uneven lengths over one run of bytes. */
static uint64_t make_body(struct weir_slice *slices, size_t n, uint8_t *bytes,
			  size_t len)
{
	uint64_t sum = 0;
	size_t at = 0;

	for (size_t i = 0; i < len; i++) {
		bytes[i] = (uint8_t)(i * 7 + i / 251);
		sum = sum * 31 + bytes[i];
	}
	for (size_t i = 0; i < n; i++) {
		size_t piece = i == n - 1 ? len - at : i % 5 * len / n / 3;

		slices[i] = (struct weir_slice){ bytes + at, piece };
		at += piece;
	}
	return sum;
}

static const struct {
	size_t n, len, most;
} bodies[] = {
	{ 0, 0, 1 << 20 }, { 1, 10, 1 }, { 1, 3000000, 1 << 20 },
	{ 500, 600000, 1 << 20 }, { 500, 600000, 1000 }, { 3, 40000, 7 },
};

START_TEST(a_body_in_pieces_arrives_whole)
{
	static uint8_t bytes[3000000];
	static struct weir_slice slices[500];
	uint64_t sum = make_body(slices, bodies[_i].n, bytes, bodies[_i].len);
	struct weir_compressor *z[] = { NULL,
		weir_compressor_new(WEIR_ENCODING_GZIP, 0) };

	set_up();
	for (int i = 0; i < 2; i++) {
		struct weir_grpc_request r = {
			.unary = { .body = slices, .n = bodies[_i].n } };

		ck_assert_int_eq(grpc_request_pack(&r, z[i]), 0);
		ck_assert_int_eq(h2_client_submit(x.h2, nv, COUNT(nv), &r.h2),
				 0);
		while (step(bodies[_i].most))
			;
		ck_assert_uint_eq(x.calls, (unsigned)i + 1);
		ck_assert_uint_eq(x.got, bodies[_i].len);
		ck_assert_uint_eq(x.sum, sum);
		ck_assert_uint_eq(x.closed, (unsigned)i + 1);
		ck_assert_int_eq(r.outcome.status, WEIR_OK);
		ck_assert_mem_eq(r.reply, "ok", 2);
		grpc_request_release(&r);
	}
	weir_compressor_free(&z[1]);
	tear_down();
}
END_TEST

START_TEST(a_cancelled_body_may_go_while_it_is_being_written)
{
	uint8_t *bytes = malloc(200000);
	struct weir_slice slice;
	struct weir_grpc_request r = { .unary = { .body = &slice, .n = 1 } };
	struct weir_grpc_request next = { 0 };
	uint64_t sum = make_body(&slice, 1, bytes, 200000);

	set_up();
	ck_assert_int_eq(grpc_request_pack(&r, NULL), 0);
	ck_assert_int_eq(h2_client_submit(x.h2, nv, COUNT(nv), &r.h2), 0);
	step(1000);
	h2_client_cancel(x.h2, &r.h2);
	memset(bytes, 0xee, 200000);
	free(bytes);
	memset(&r, 0xee, sizeof(r));
	while (step(1000))
		;
	/* All of it was gathered before: it arrives as it was. */
	ck_assert_uint_eq(x.calls, 1);
	ck_assert_uint_eq(x.sum, sum);
	ck_assert_uint_eq(x.closed, 0);
	ck_assert_uint_eq(x.conn.n_calls, 0);
	ck_assert_int_eq(grpc_request_pack(&next, NULL), 0);
	ck_assert_int_eq(h2_client_submit(x.h2, nv, COUNT(nv), &next.h2), 0);
	while (step(1 << 20))
		;
	ck_assert_uint_eq(x.calls, 2);	/* the connection is whole */
	tear_down();
}
END_TEST

START_TEST(calls_beyond_the_servers_limit_wait_their_turn)
{
	static struct weir_grpc_request r[250];

	set_up();
	memset(r, 0, sizeof(r));
	for (size_t i = 0; i < COUNT(r); i++) {
		ck_assert_int_eq(grpc_request_pack(&r[i], NULL), 0);
		ck_assert_int_eq(h2_client_submit(x.h2, nv, COUNT(nv),
						  &r[i].h2), 0);
	}
	while (step(1 << 20))
		;
	ck_assert_uint_eq(x.closed, COUNT(r));
	ck_assert_uint_eq(x.calls, COUNT(r));
	tear_down();
}
END_TEST

START_TEST(an_early_answer_ends_a_body_that_is_still_being_sent)
{
	static uint8_t bytes[3000000];
	struct weir_slice slice;
	struct weir_grpc_request r = { .unary = { .body = &slice, .n = 1 } };

	make_body(&slice, 1, bytes, sizeof(bytes));
	set_up();
	x.service.max_message = 1000;
	ck_assert_int_eq(grpc_request_pack(&r, NULL), 0);
	ck_assert_int_eq(h2_client_submit(x.h2, nv, COUNT(nv), &r.h2), 0);
	while (step(5000))
		;
	ck_assert_uint_eq(x.closed, 1);
	ck_assert_uint_eq(x.error, NGHTTP2_NO_ERROR);
	ck_assert_int_eq(r.outcome.status, WEIR_RESOURCE_EXHAUSTED);
	tear_down();
}
END_TEST

START_TEST(a_goaway_fails_what_the_server_will_not_see)
{
	struct weir_grpc_request r = { 0 };

	set_up();
	h2_server_finish(x.conn.h2, NGHTTP2_NO_ERROR, "");
	ck_assert_int_eq(grpc_request_pack(&r, NULL), 0);
	ck_assert_int_eq(h2_client_submit(x.h2, nv, COUNT(nv), &r.h2), 0);
	while (step(1 << 20))
		;
	ck_assert_uint_eq(x.closed, 1);
	ck_assert_uint_eq(x.calls, 0);
	ck_assert(h2_client_is_done(x.h2));
	tear_down();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("grpc_client");
	TCase *tc = tcase_create("engine");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, a_response_means_what_the_rules_say, 0,
			    COUNT(responses));
	tcase_add_test(tc, a_reply_comes_in_any_pieces);
	tcase_add_loop_test(tc, a_body_in_pieces_arrives_whole, 0,
			    COUNT(bodies));
	tcase_add_test(tc, a_cancelled_body_may_go_while_it_is_being_written);
	tcase_add_test(tc, calls_beyond_the_servers_limit_wait_their_turn);
	tcase_add_test(tc, an_early_answer_ends_a_body_that_is_still_being_sent);
	tcase_add_test(tc, a_goaway_fails_what_the_server_will_not_see);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
