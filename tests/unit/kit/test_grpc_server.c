/* SPDX-License-Identifier: Apache-2.0 */
/* A server connection, byte for byte, without a socket. */
#include <check.h>
#include <stdio.h>

#include "grpc_peer.h"

static const struct {
	const char *why;
	struct request request;
	int http, grpc;
	const char *message;
} refusals[] = {
	{ "GRPC-1: another media type", { .type = "application/json",
	  .body = (const uint8_t *)HELLO, .len = 10 }, 415, 3, "content-type" },
	{ "GRPC-1: a longer word", { .type = "application/grpcx",
	  .body = (const uint8_t *)HELLO, .len = 10 }, 415, 3, "content-type" },
	{ "GRPC-2: an unknown method", { .path = "/test.v1.Service/Other",
	  .body = (const uint8_t *)HELLO, .len = 10 }, 200, 12, "unknown" },
	{ "GRPC-3: not POST", { .method = "PUT",
	  .body = (const uint8_t *)HELLO, .len = 10 }, 405, 13, "POST" },
	{ "GRPC-4: no unit", { .timeout = "10",
	  .body = (const uint8_t *)HELLO, .len = 10 }, 400, 13, "timeout" },
	{ "70: no time at all", { .timeout = "0n",
	  .body = (const uint8_t *)HELLO, .len = 10 }, 200, 4, "deadline" },
	{ "11: flag without grpc-encoding",
	  { .body = (const uint8_t *)"\1\0\0\0\5hello", .len = 10 },
	  200, 13, "flag 1" },
	{ "11: a flag that is neither", { .encoding = "gzip",
	  .body = (const uint8_t *)"\2\0\0\0\5hello", .len = 10 },
	  200, 13, "flag 2" },
	{ "10: an encoding nobody has", { .encoding = "deflate",
	  .body = (const uint8_t *)HELLO, .len = 10 }, 200, 12, "encoding" },
	{ "3: four GiB announced, nothing sent", { .open = true,
	  .body = (const uint8_t *)"\0\xff\xff\xff\xff", .len = 5 },
	  200, 8, "larger than max" },
	{ "3: one byte over the limit", { .open = true,
	  .body = (const uint8_t *)"\0\0\x10\0\1", .len = 5 },
	  200, 8, "1048577 vs. 1048576" },
	{ "67: no message", { .body = (const uint8_t *)"", .len = 0 },
	  200, 12, "no message" },
	{ "67: two messages",
	  { .body = (const uint8_t *)HELLO HELLO, .len = 15 },
	  200, 12, "more than one" },
	{ "half a prefix", { .body = (const uint8_t *)"\0\0\0", .len = 3 },
	  200, 13, "ends before" },
	{ "half a message", { .body = (const uint8_t *)HELLO, .len = 7 },
	  200, 13, "ends before" },
	{ "8: broken gzip", { .encoding = "gzip",
	  .body = (const uint8_t *)"\1\0\0\0\5hello", .len = 10 },
	  200, 13, "broken" },
};

START_TEST(says_no_as_the_rules_say)
{
	struct request r = refusals[_i].request;
	struct answer *a;

	peer_open();
	a = ask(&r);
	ck_assert_msg(a->http == refusals[_i].http, "%s: HTTP %d",
		      refusals[_i].why, a->http);
	ck_assert_msg(a->grpc == refusals[_i].grpc, "%s: %d %s",
		      refusals[_i].why, a->grpc, a->message);
	ck_assert_msg(strstr(a->message, refusals[_i].message), "%s: %s",
		      refusals[_i].why, a->message);
	ck_assert_msg(a->closed && !a->error, "%s", refusals[_i].why);
	/* All final, but a deadline, which says when to try again. */
	ck_assert_int_eq(a->details[0] != 0, a->grpc == WEIR_DEADLINE_EXCEEDED);
	ck_assert_uint_eq(peer.n_calls, 0);
	ck_assert_uint_eq(peer.conn.n_calls, 0);
	peer_close();
}
END_TEST

START_TEST(hands_over_a_whole_message_and_replies)
{
	struct request r = { .body = (const uint8_t *)HELLO, .len = 10 };
	struct answer *a;

	peer_open();
	a = ask(&r);
	ck_assert_uint_eq(peer.n_calls, 1);
	ck_assert_mem_eq(peer.got, "hello", 5);
	ck_assert(!a->closed);
	weir_grpc_reply(peer.calls[0], "yes", 3);
	pump();
	ck_assert_int_eq(a->http, 200);
	ck_assert_int_eq(a->grpc, 0);
	ck_assert_uint_eq(a->len, 8);
	ck_assert_mem_eq(a->body, "\0\0\0\0\3yes", 8);
	ck_assert(a->closed);
	ck_assert_uint_eq(peer.n_freed, 1);
	peer_close();
}
END_TEST

START_TEST(takes_a_message_in_single_bytes)
{
	struct request r = { .open = true };
	struct answer *a;

	peer_open();
	a = ask(&r);
	for (size_t i = 0; i < 10; i++) {
		r.body = (const uint8_t *)HELLO;
		r.len = i + 1;
		r.open = i < 9;
		nghttp2_session_resume_data(peer.session, 1);
		pump();
	}
	ck_assert_uint_eq(peer.n_calls, 1);
	ck_assert_mem_eq(peer.got, "hello", 5);
	weir_grpc_reply(peer.calls[0], NULL, 0);
	pump();
	ck_assert_int_eq(a->grpc, 0);
	peer_close();
}
END_TEST

START_TEST(retryable_failures_say_when)
{
	struct request r = { .body = (const uint8_t *)HELLO, .len = 10 };
	struct weir_outcome full;
	struct answer *a;
	weir_duration after;

	peer_open();
	a = ask(&r);
	weir_outcome_set(&full, WEIR_UNAVAILABLE, WEIR_REASON_FULL,
			 "queue is full: 100 %%");
	weir_grpc_fail(peer.calls[0], &full);
	pump();
	ck_assert_int_eq(a->grpc, 14);
	ck_assert_str_eq(a->message, "queue is full: 100 %25");
	ck_assert(grpc_details_retry(weir_str_of(a->details), &after));
	ck_assert_int_eq(after.ns, 1000000000);
	peer_close();
}
END_TEST

static const enum weir_encoding packings[] = {
	WEIR_ENCODING_GZIP, WEIR_ENCODING_ZSTD, WEIR_ENCODING_SNAPPY_FRAMED
};

START_TEST(inflates_what_it_says_it_accepts)
{
	struct weir_compressor *z = weir_compressor_new(packings[_i], 0);
	const struct weir_iovec in = { "hello, hello, hello", 19 };
	size_t len;
	uint8_t *body = weir_compress(z, &in, 1, 5, &len);
	struct request r = { .encoding = weir_grpc_encoding_name(packings[_i]),
			     .body = body, .len = len };

	body[0] = 1;
	body[1] = body[2] = body[3] = 0;
	body[4] = (uint8_t)(len - 5);
	peer_open();
	ask(&r);
	ck_assert_uint_eq(peer.got_len, 19);
	ck_assert_mem_eq(peer.got, "hello, hello, hello", 19);
	weir_grpc_reply(peer.calls[0], NULL, 0);
	pump();
	peer_close();
	free(body);
	weir_compressor_free(&z);
}
END_TEST

START_TEST(a_client_that_goes_away_frees_nothing_twice)
{
	struct request r = { .body = (const uint8_t *)HELLO, .len = 10 };

	peer_open();
	ask(&r);
	nghttp2_submit_rst_stream(peer.session, 0, 1, NGHTTP2_CANCEL);
	pump();
	ck_assert_uint_eq(peer.conn.n_calls, 1);	/* the method's */
	weir_grpc_reply(peer.calls[0], "late", 4);
	ck_assert_uint_eq(peer.conn.n_calls, 0);
	ck_assert_uint_eq(peer.n_freed, 1);
	peer_close();
}
END_TEST

START_TEST(a_lost_connection_leaves_its_calls_to_their_methods)
{
	struct request r = { .body = (const uint8_t *)HELLO, .len = 10 };
	struct request half = { .open = true, .body = r.body, .len = 7 };
	struct weir_outcome no;

	peer_open();
	ask(&r);
	ask(&half);
	grpc_conn_lost(&peer.conn);
	ck_assert_uint_eq(peer.conn.n_calls, 1);
	weir_outcome_set(&no, WEIR_UNAVAILABLE, WEIR_REASON_FULL, "full");
	weir_grpc_fail(peer.calls[0], &no);
	ck_assert_uint_eq(peer.conn.n_calls, 0);
	peer_close();
}
END_TEST

START_TEST(draining_refuses_new_calls_and_answers_old_ones)
{
	struct request r = { .body = (const uint8_t *)HELLO, .len = 10 };
	struct request s = r;
	struct answer *first, *second;

	peer_open();
	first = ask(&r);
	peer.service.draining = true;
	second = ask(&s);
	ck_assert_int_eq(second->grpc, 14);
	ck_assert_str_ne(second->details, "");
	h2_server_notice(peer.conn.h2);
	pump();
	ck_assert_int_eq(peer.last_id, INT32_MAX);
	h2_server_finish(peer.conn.h2, NGHTTP2_NO_ERROR, "");
	pump();
	ck_assert_int_eq(peer.last_id, 3);
	ck_assert(!h2_server_is_done(peer.conn.h2));
	weir_grpc_reply(peer.calls[0], NULL, 0);
	pump();
	ck_assert_int_eq(first->grpc, 0);
	ck_assert(h2_server_is_done(peer.conn.h2));
	peer_close();
}
END_TEST

START_TEST(too_many_resets_end_the_connection)
{
	struct request r = { .body = (const uint8_t *)HELLO, .len = 7,
			     .open = true };
	int n;

	peer_open();
	for (n = 0; n < 200 && !peer.dead; n++) {
		struct request one = r;

		ask(&one);
		nghttp2_submit_rst_stream(peer.session, 0, 2 * n + 1,
					  NGHTTP2_CANCEL);
		pump();
	}
	ck_assert_int_eq(n, 101);		/* 54: over 100 a minute */
	ck_assert_uint_eq(peer.goaway, NGHTTP2_ENHANCE_YOUR_CALM);
	peer_close();
}
END_TEST

START_TEST(too_many_pings_end_the_connection)
{
	int n;

	peer_open();
	for (n = 0; n < 10 && !peer.dead; n++) {
		nghttp2_submit_ping(peer.session, 0, NULL);
		pump();
	}
	ck_assert_int_eq(n, 4);		/* one is free, two are tolerated */
	ck_assert_uint_eq(peer.goaway, NGHTTP2_ENHANCE_YOUR_CALM);
	ck_assert_str_eq(peer.debug, "too_many_pings");
	peer_close();
}
END_TEST

static const uint8_t idle_frames[][14] = {
	{ 0, 0, 0, 0 /* DATA */, 0, 0, 0, 0, 1 },
	{ 0, 0, 5, 2 /* PRIORITY */, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0 },
	{ 0, 0, 0, 0xf7 /* unknown */, 0, 0, 0, 0, 0 },
	{ 0, 0, 4, 8 /* WINDOW_UPDATE */, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
};

START_TEST(row_59_empty_frames_end_the_connection)
{
	struct request r = { .open = true };
	const uint8_t *empty = idle_frames[_i];
	bool alive = true;
	int n;

	peer_open();
	ask(&r);
	for (n = 0; n < 2000 && alive; n++)
		alive = grpc_conn_recv(&peer.conn, empty, 9 + empty[2]);
	peer.dead = true;
	pump();
	ck_assert_int_le(n, 1001);	/* 59 */
	ck_assert_uint_eq(peer.goaway, NGHTTP2_ENHANCE_YOUR_CALM);
	peer_close();
}
END_TEST

START_TEST(http1_is_sent_away)
{
	static const char http1[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	struct grpc_conn conn;

	peer_open();
	conn = peer.conn;
	conn.context = NULL;
	ck_assert_int_eq(grpc_conn_init(&conn), 0);
	ck_assert(!grpc_conn_recv(&conn, (const uint8_t *)http1,
				  sizeof(http1) - 1));
	grpc_conn_release(&conn);
	peer_close();
}
END_TEST

START_TEST(a_large_header_list_fails_its_call_only)
{
	static char big[20000];
	struct request r = { .body = (const uint8_t *)HELLO, .len = 10,
			     .name = "x-big", .value = big };
	struct request s = { .body = (const uint8_t *)HELLO, .len = 10 };
	struct answer *a;

	memset(big, 'x', sizeof(big) - 1);
	peer_open();
	a = ask(&r);
	ck_assert_int_eq(a->grpc, 8);
	ask(&s);
	ck_assert_uint_eq(peer.n_calls, 1);
	peer_close();
}
END_TEST

START_TEST(a_stalled_body_is_ended)
{
	struct request r = { .open = true, .body = (const uint8_t *)HELLO,
			     .len = 7 };
	struct answer *a;

	peer_open();
	a = ask(&r);
	ck_assert(grpc_conn_check(&peer.conn, weir_now() + 29000000000));
	pump();
	ck_assert(!a->closed);
	ck_assert(grpc_conn_check(&peer.conn, weir_now() + 31000000000));
	pump();
	ck_assert_int_eq(a->grpc, 4);
	ck_assert_uint_eq(peer.conn.n_calls, 0);
	peer_close();
}
END_TEST

static void shut_windows(void)
{
	const nghttp2_settings_entry none[] = {
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0 } };

	nghttp2_submit_settings(peer.session, 0, none, 1);
	pump();
}

static const struct {
	const char *why;
	bool taken;			/* the stream's last bytes are */
	int every;			/* seconds for a byte; 0: none ever */
} slow_readers[] = {
	{ "never", false, 0 },
	{ "a byte in ten seconds", false, 10 },
	{ "a byte in two seconds", true, 2 },
};

/* 8 bytes of an answer, and the method is done with the call. */
START_TEST(row_60_an_answer_that_nobody_takes_has_its_time)
{
	struct request r = { .body = (const uint8_t *)HELLO, .len = 10 };
	int every = slow_readers[_i].every;
	uint64_t start;
	struct answer *a;

	peer_open();
	shut_windows();
	a = ask(&r);
	start = weir_now();
	weir_grpc_reply(peer.calls[0], "yes", 3);
	pump();
	for (int s = 1; s <= 32; s++) {
		if (s == 30)
			ck_assert(slow_readers[_i].taken || !a->closed);
		if (every && s % every == 0 && !a->closed)
			nghttp2_submit_window_update(peer.session, 0, 1, 1);
		ck_assert(grpc_conn_check(&peer.conn,
					  start + (uint64_t)s * 1000000000));
		pump();
	}
	ck_assert_msg(a->closed, "%s", slow_readers[_i].why);
	ck_assert_uint_eq(a->error, slow_readers[_i].taken ? NGHTTP2_NO_ERROR
							   : NGHTTP2_CANCEL);
	ck_assert_uint_eq(peer.conn.n_calls, 0);
	ck_assert(!peer.dead);		/* the other streams live on */
	peer_close();
}
END_TEST

START_TEST(row_133_half_a_request_does_not_hold_up_the_drain)
{
	struct request r = { .open = true, .body = (const uint8_t *)HELLO,
			     .len = 7 };
	struct answer *a;
	uint64_t stop;

	peer_open();
	a = ask(&r);
	stop = weir_now() + 5000000000;
	peer.service.draining = true;
	peer.service.drained = stop;
	ck_assert(grpc_conn_check(&peer.conn, stop + 2900000000));
	pump();
	ck_assert(!a->closed);
	ck_assert(grpc_conn_check(&peer.conn, stop + 3100000000));
	pump();
	ck_assert_int_eq(a->grpc, 14);
	ck_assert_str_ne(a->details, "");
	ck_assert_uint_eq(peer.conn.n_calls, 0);
	peer_close();
}
END_TEST

/* The pool, which runs when a test says so. */
static struct {
	void (*in)(void *arg);
	void (*out)(struct weir_component *c, void *arg);
	void *arg;
} pool;

int weir_work(struct weir_component *c, void (*in)(void *arg),
	      void (*out)(struct weir_component *c, void *arg), void *arg)
{
	(void)c;
	pool.in = in;
	pool.out = out;
	pool.arg = arg;
	return 0;
}

/* A call in framed snappy, of which the library is not open. */
static struct answer *ask_packed(const char *timeout)
{
	static const uint8_t body[] = "\1\0\0\0\x17"
		"\xff\x06\0\0sNaPpY\x01\x09\0\0\xbb\x1f\x1c\x19hello";
	static struct request r;

	r = (struct request){ .encoding = "snappy", .timeout = timeout,
			      .body = body, .len = sizeof(body) - 1 };
	peer_open();
	return ask(&r);
}

static void run_pool(void)
{
	pool.in(pool.arg);
	pool.out(NULL, pool.arg);
	pump();
}

START_TEST(a_call_waits_for_the_library_of_its_encoding)
{
	struct answer *a = ask_packed(NULL);

	ck_assert_uint_eq(peer.n_calls, 0);
	run_pool();
	ck_assert_uint_eq(peer.n_calls, 1);
	ck_assert_mem_eq(peer.got, "hello", 5);
	weir_grpc_reply(peer.calls[0], NULL, 0);
	pump();
	ck_assert_int_eq(a->grpc, 0);
	peer_close();
}
END_TEST

START_TEST(a_client_may_go_while_its_library_is_opened)
{
	ask_packed(NULL);
	grpc_conn_lost(&peer.conn);
	pool.in(pool.arg);
	pool.out(NULL, pool.arg);
	ck_assert_uint_eq(peer.n_calls, 0);
	ck_assert_uint_eq(peer.n_freed, 1);
	peer_close();
}
END_TEST

START_TEST(a_deadline_may_pass_while_its_library_is_opened)
{
	struct answer *a = ask_packed("1S");

	ck_assert(grpc_conn_check(&peer.conn, weir_now() + 2000000000));
	pump();
	ck_assert_int_eq(a->grpc, 4);
	run_pool();
	ck_assert_uint_eq(peer.n_calls, 0);
	ck_assert_uint_eq(peer.conn.n_calls, 0);
	peer_close();
}
END_TEST

START_TEST(row_12_a_part_of_a_request_is_let_go_when_memory_is_out)
{
	struct request r = { .open = true, .body = (const uint8_t *)HELLO,
			     .len = 7 };
	struct answer *a;

	peer_open();
	a = ask(&r);
	ck_assert(grpc_conn_check(&peer.conn, weir_now()));
	pump();
	ck_assert(!a->closed);
	weir_budget_limit(0, 1);
	ck_assert(grpc_conn_check(&peer.conn, weir_now()));
	pump();
	weir_budget_limit(0, 0);
	ck_assert_int_eq(a->grpc, 14);
	ck_assert(a->details[0]);	/* RetryInfo */
	ck_assert_uint_eq(peer.n_refused, 1);
	ck_assert_uint_eq(peer.conn.n_calls, 0);
	ck_assert_uint_eq(weir_budget_used(), 0);
	peer_close();
}
END_TEST

START_TEST(row_52_a_client_that_sends_no_more_ends_what_is_not_whole)
{
	struct request part = { .open = true, .body = (const uint8_t *)HELLO,
				.len = 7 };
	struct request whole = { .body = (const uint8_t *)HELLO, .len = 10 };
	struct answer *a, *b;

	peer_open();
	a = ask(&part);
	b = ask(&whole);
	grpc_conn_eof(&peer.conn);
	ck_assert_uint_eq(weir_budget_used(), 0);
	pump();
	ck_assert(a->closed && a->grpc == -1);
	ck_assert(!b->closed);
	weir_grpc_reply(peer.calls[0], NULL, 0);
	pump();
	ck_assert_int_eq(b->grpc, 0);
	ck_assert_uint_eq(peer.conn.n_calls, 0);
	peer_close();
}
END_TEST

START_TEST(a_deadline_is_answered_although_the_method_is_not_done)
{
	struct request r = { .timeout = "50m", .len = 10,
			     .body = (const uint8_t *)HELLO };
	struct answer *a;

	peer_open();
	a = ask(&r);
	ck_assert(weir_grpc_call_deadline(peer.calls[0]));
	grpc_conn_check(&peer.conn, weir_now() + 1000000000);
	pump();
	ck_assert_int_eq(a->grpc, 4);
	weir_grpc_reply(peer.calls[0], NULL, 0);
	ck_assert_uint_eq(peer.conn.n_calls, 0);
	peer_close();
}
END_TEST

START_TEST(metadata_is_kept_when_asked_for)
{
	struct request r = { .body = (const uint8_t *)HELLO, .len = 10,
			     .name = "x-id-bin", .value = "aGk,aG8=" };
	struct weir_context *context;
	weir_str value;

	peer_open();
	peer.service.include_metadata = true;
	ask(&r);
	context = weir_grpc_call_context(peer.calls[0]);
	ck_assert(weir_context_metadata(context, WEIR_STR("x-id-bin"), 1,
					&value));
	ck_assert(weir_str_eq(value, WEIR_STR("ho")));
	ck_assert(weir_context_metadata(context, WEIR_STR("host"), 0, &value));
	ck_assert(weir_str_eq(value, WEIR_STR("localhost")));
	ck_assert(!weir_context_metadata(context, WEIR_STR("te"), 0, &value));
	weir_grpc_reply(peer.calls[0], NULL, 0);
	peer_close();
}
END_TEST

START_TEST(broken_binary_metadata_fails_its_call)
{
	struct request r = { .body = (const uint8_t *)HELLO, .len = 10,
			     .name = "x-id-bin", .value = "***" };

	peer_open();
	peer.service.include_metadata = true;
	ck_assert_int_eq(ask(&r)->grpc, 3);	/* 71 */
	peer_close();
}
END_TEST

START_TEST(a_large_message_grows_with_what_arrives)
{
	static uint8_t body[(900 << 10) + 5];
	struct request r = { .body = body, .len = sizeof(body) - 400000,
			     .open = true };
	size_t announced = sizeof(body) - 5;

	body[2] = (uint8_t)(announced >> 16);
	body[3] = (uint8_t)(announced >> 8);
	body[4] = (uint8_t)announced;
	body[sizeof(body) - 1] = 7;
	peer_open();
	ask(&r);
	ck_assert_uint_le(weir_budget_used(), 512 << 10);
	r.len = sizeof(body);
	r.open = false;
	nghttp2_session_resume_data(peer.session, 1);
	pump();
	ck_assert_uint_eq(peer.n_calls, 1);
	ck_assert_uint_eq(peer.got_len, announced);
	weir_grpc_reply(peer.calls[0], NULL, 0);
	pump();
	peer_close();
}
END_TEST

/* --- A client that does not count ---------------------------------------- */

/* HEADERS: :method POST, :scheme http, :path PATH, :authority x,
 * content-type application/grpc; not Huffman-coded. */
static size_t put_call(uint8_t *out, uint8_t id)
{
	static const uint8_t block[] = "\x83\x86\x04\x15" PATH
		"\x01\x01x\x0f\x10\x10" "application/grpc";
	const uint8_t head[9] = { 0, 0, sizeof(block) - 1, NGHTTP2_HEADERS,
				  NGHTTP2_FLAG_END_HEADERS, 0, 0, 0, id };

	ck_assert_uint_eq(strlen(PATH), 0x15);
	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), block, sizeof(block) - 1);
	return sizeof(head) + sizeof(block) - 1;
}

/* The server's frames: what streams were reset with, by id, and what is said
 * of the limit. */
static void read_frames(uint32_t resets[16], uint32_t *limit, bool *goaway)
{
	static uint8_t out[1 << 16];
	size_t len = h2_server_fill(peer.conn.h2, out, sizeof(out));

	for (size_t at = 0; at + 9 <= len;) {
		const uint8_t *f = out + at, *body = f + 9;
		size_t n = (size_t)f[0] << 16 | (size_t)f[1] << 8 | f[2];

		if (f[3] == NGHTTP2_RST_STREAM)
			resets[f[8] & 15] = body[3];
		if (f[3] == NGHTTP2_GOAWAY)
			*goaway = true;
		for (size_t i = 0; f[3] == NGHTTP2_SETTINGS && i < n; i += 6)
			if (body[i + 1] ==
			    NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
				*limit = (uint32_t)body[i + 4] << 8 |
					 body[i + 5];
		at += 9 + n;
	}
}

START_TEST(one_stream_too_many_is_refused_alone)
{
	static const uint8_t hello[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
		"\0\0\0\4\0\0\0\0\0" "\0\0\0\4\1\0\0\0";
	static const uint8_t message[] = "\0\0\xa\0\1\0\0\0\1" HELLO;
	uint32_t resets[16] = { 0 }, limit = 0;
	uint8_t bytes[128];
	bool goaway = false;

	peer_open();
	grpc_conn_release(&peer.conn);
	peer.service.limits.max_streams = 2;
	ck_assert_int_eq(grpc_conn_init(&peer.conn), 0);
	ck_assert(grpc_conn_recv(&peer.conn, hello, sizeof(hello)));
	for (uint8_t id = 1; id <= 7; id += 2)
		ck_assert(grpc_conn_recv(&peer.conn, bytes,
					 put_call(bytes, id)));
	read_frames(resets, &limit, &goaway);
	ck_assert_uint_eq(limit, 2);
	ck_assert_uint_eq(resets[1], 0);
	ck_assert_uint_eq(resets[3], 0);
	ck_assert_uint_eq(resets[5], NGHTTP2_REFUSED_STREAM);
	ck_assert_uint_eq(resets[7], NGHTTP2_REFUSED_STREAM);
	/* A call ends, and there is room again. */
	ck_assert(grpc_conn_recv(&peer.conn, message, sizeof(message) - 1));
	ck_assert_uint_eq(peer.n_calls, 1);
	weir_grpc_reply(peer.calls[0], "", 0);
	read_frames(resets, &limit, &goaway);
	ck_assert(grpc_conn_recv(&peer.conn, bytes, put_call(bytes, 9)));
	read_frames(resets, &limit, &goaway);
	ck_assert_uint_eq(resets[9], 0);
	ck_assert(!goaway);
	peer_close();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("grpc_server");
	TCase *tc = tcase_create("connection");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, says_no_as_the_rules_say, 0,
			    sizeof(refusals) / sizeof(*refusals));
	tcase_add_test(tc, hands_over_a_whole_message_and_replies);
	tcase_add_test(tc, takes_a_message_in_single_bytes);
	tcase_add_test(tc, retryable_failures_say_when);
	tcase_add_loop_test(tc, inflates_what_it_says_it_accepts, 0,
			    sizeof(packings) / sizeof(*packings));
	tcase_add_test(tc, a_client_that_goes_away_frees_nothing_twice);
	tcase_add_test(tc, a_lost_connection_leaves_its_calls_to_their_methods);
	tcase_add_test(tc, draining_refuses_new_calls_and_answers_old_ones);
	tcase_add_test(tc, too_many_resets_end_the_connection);
	tcase_add_test(tc, too_many_pings_end_the_connection);
	tcase_add_loop_test(tc, row_59_empty_frames_end_the_connection, 0, 4);
	tcase_add_test(tc, http1_is_sent_away);
	tcase_add_test(tc, a_large_header_list_fails_its_call_only);
	tcase_add_test(tc, a_stalled_body_is_ended);
	tcase_add_test(tc,
		row_52_a_client_that_sends_no_more_ends_what_is_not_whole);
	tcase_add_test(tc,
		row_12_a_part_of_a_request_is_let_go_when_memory_is_out);
	tcase_add_loop_test(tc,
		row_60_an_answer_that_nobody_takes_has_its_time, 0,
		sizeof(slow_readers) / sizeof(*slow_readers));
	tcase_add_test(tc, row_133_half_a_request_does_not_hold_up_the_drain);
	tcase_add_test(tc, a_call_waits_for_the_library_of_its_encoding);
	tcase_add_test(tc, a_client_may_go_while_its_library_is_opened);
	tcase_add_test(tc, a_deadline_may_pass_while_its_library_is_opened);
	tcase_add_test(tc, a_deadline_is_answered_although_the_method_is_not_done);
	tcase_add_test(tc, metadata_is_kept_when_asked_for);
	tcase_add_test(tc, broken_binary_metadata_fails_its_call);
	tcase_add_test(tc, a_large_message_grows_with_what_arrives);
	tcase_add_test(tc, one_stream_too_many_is_refused_alone);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
