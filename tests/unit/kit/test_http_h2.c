/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 on the HTTP server's port: which protocol it is, answers, bodies and
 * the end.  Numbers are rows of the catalogue of attacks. */
#include "http_h2_case.h"

/* --- which protocol it is ------------------------------------------------- */

START_TEST(the_preface_may_come_in_pieces)
{
	static const char whole[] = PREFACE SETTINGS;

	serve();
	connect_peer();
	for (size_t i = 0; i < sizeof(whole) - 1; i += (size_t)_i)
		say_bytes(whole + i, sizeof(whole) - 1 - i < (size_t)_i ?
			  sizeof(whole) - 1 - i : (size_t)_i);
	/* SETTINGS, and ours is acknowledged */
	ck_assert_int_eq(peer.wrote[3], NGHTTP2_SETTINGS);
	ck_assert_ptr_nonnull(memmem(peer.wrote, peer.n,
				     "\0\0\0\4\1\0\0\0\0", 9));
	ck_assert(!peer.shut);
}
END_TEST

static const struct {
	const char *why, *text, *answer;
	size_t len;
} firsts[] = {
	{ "begins like the preface", "PRIX /x HTTP/1.1\r\nHost: h\r\n\r\n",
	  "HTTP/1.1 405 ", 13 },
	{ "a POST that does as well", "P", "", 0 },
	{ "53: a preface that goes wrong",
	  "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
	  SETTINGS "\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\1", 26 },
	{ "53: neither", "INVALID CONNECTION PREFACE\r\n\r\n",
	  SETTINGS "\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\1", 26 },
	{ "51: an upgrade is not taken", "GET /x HTTP/1.1\r\nHost: h\r\n"
	  "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
	  "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", "HTTP/1.1 200 ", 13 },
};

START_TEST(the_first_bytes_decide)
{
	serve();
	connect_peer();
	say(firsts[_i].text);
	ck_assert_msg(peer.n >= firsts[_i].len &&
		      !memcmp(peer.wrote, firsts[_i].answer, firsts[_i].len),
		      "%s: %s", firsts[_i].why, heard());
	ck_assert_msg(peer.shut == (firsts[_i].len == 26), "%s",
		      firsts[_i].why);
}
END_TEST

START_TEST(half_a_preface_does_not_stay)
{
	serve();
	connect_peer();
	say("PRI * HTTP/2.0\r\n");
	pass(S(10) - 1);
	ck_assert(!peer.gone);
	pass(1);
	ck_assert(peer.gone);
}
END_TEST

/* --- answers -------------------------------------------------------------- */

START_TEST(streams_are_answered_in_any_order)
{
	struct answer *a, *b;

	serve();
	later = true;
	a = get();
	b = get();
	h2_pump();
	ck_assert_uint_eq(n_waiting, 2);
	respond_to(waiting[1]);
	turn();
	h2_pump();
	ck_assert(!a->status);
	ck_assert_int_eq(b->status, 200);
	ck_assert(b->closed && !b->error);
	respond_to(waiting[0]);
	turn();
	h2_pump();
	ck_assert_int_eq(a->status, 200);
	n_waiting = 0;
}
END_TEST

START_TEST(a_client_that_waits_for_100_gets_it)
{
	struct ask ask = { .method = "POST", .path = "/x", .len = 5,
			   .headers = "expect: 100-continue\n"
				      "content-length: 5\n",
			   .open = true };
	struct answer *a;

	serve();
	ask.len = 0;
	a = h2_submit(&ask);
	h2_pump();
	ck_assert(a->continued && !a->status);
	ask = (struct ask){ .body = "hello", .len = 5 };
	nghttp2_session_resume_data(h2.session, 1);
	h2_pump();
	ck_assert_int_eq(a->status, 200);
}
END_TEST

START_TEST(a_large_answer_waits_for_its_window)
{
	struct answer *a;

	serve();
	page = 60000;
	peer.room = 100;
	a = get();
	h2_pump();
	while (peer.want_write) {
		take(7000);
		h2_pump();
	}
	ck_assert_uint_eq(a->len, 60000);
	ck_assert(a->closed);
}
END_TEST

static const struct {
	const char *why;
	struct ask ask;
	int status;			/* 0: reset */
} odd[] = {
	{ "58: a path without slash", { .method = "GET", .path = "x" }, 0 },
	{ "58: an empty path", { .method = "GET", .path = "" }, 0 },
	{ "a fragment", { .method = "GET", .path = "/x#y" }, 400 },
	{ "58: a connection header", { .method = "GET", .path = "/x",
	  .headers = "connection: close\n" }, 0 },
	{ "58: te", { .method = "GET", .path = "/x", .headers = "te: gzip\n" },
	  0 },
	{ "64: less than was said", { .method = "POST", .path = "/x",
	  .headers = "content-length: 6\n", .body = "hello" }, 0 },
	{ "64: a length that is none", { .method = "POST", .path = "/x",
	  .headers = "content-length: 5x\n", .body = "hello" }, 0 },
	{ "42: too many headers", { .method = "GET", .path = "/x",
	  .headers = "A" }, 431 },
};

START_TEST(what_is_odd_never_reaches_a_handler)
{
	static char many[4096];
	struct ask ask = odd[_i].ask;
	struct answer *a;

	serve();
	for (int i = 0; ask.headers && *ask.headers == 'A' && i < 120; i++)
		sprintf(many + strlen(many), "h%d: v\n", i);
	if (*many)
		ask.headers = many;
	a = h2_submit(&ask);
	h2_pump();
	ck_assert_msg(a->status == odd[_i].status, "%s: %d", odd[_i].why,
		      a->status);
	if (!odd[_i].status)
		ck_assert_uint_eq(a->error, NGHTTP2_PROTOCOL_ERROR);
	ck_assert_uint_eq(handled, 0);
}
END_TEST

/* --- bodies --------------------------------------------------------------- */

START_TEST(row_2_refused_at_the_crossing_byte)
{
	struct ask ask = { .method = "POST", .path = "/x", .open = true,
			   .body = "0123456789", .len = 10 };
	struct answer *a;

	config.max_request_body_size = 10;
	serve();
	a = h2_submit(&ask);
	h2_pump();
	ck_assert_int_eq(a->status, 0);
	ask.body = "x";
	ask.len = 1;
	nghttp2_session_resume_data(h2.session, 1);
	h2_pump();
	ck_assert_int_eq(a->status, 413);
	ck_assert_uint_eq(weir_budget_used(), 0);
	/* The client need not send the rest, when it has read the answer. */
	ck_assert(!a->closed);
	pass(S(3));
	h2_pump();
	ck_assert(a->closed);
	ck_assert_uint_eq(a->error, NGHTTP2_NO_ERROR);
}
END_TEST

START_TEST(a_refusal_waits_for_the_end_of_a_small_request)
{
	static char much[70000];
	struct ask ask = { .method = "PUT", .path = "/x", .open = true,
			   .body = much, .len = 1000 };
	struct answer *a;

	serve();
	a = h2_submit(&ask);
	h2_pump();
	ck_assert_int_eq(a->status, 0);
	ask.body = much;
	ask.len = _i ? 1 : sizeof(much);
	ask.open = !_i;		/* the end, or too much */
	nghttp2_session_resume_data(h2.session, 1);
	h2_pump();
	ck_assert_int_eq(a->status, 405);
	ck_assert_uint_eq(weir_budget_used(), 0);
}
END_TEST

START_TEST(row_40_a_slow_body_is_refused)
{
	struct ask ask = { .method = "POST", .path = "/x", .open = true,
			   .body = "0123456789", .len = 10 };
	struct answer *a;

	serve();
	a = h2_submit(&ask);
	h2_pump();
	pass(S(9));
	h2_pump();
	ck_assert(!a->status);
	pass(S(2));
	h2_pump();
	ck_assert_int_eq(a->status, 408);
	ck_assert(!peer.shut);
	/* Others are not affected. */
	a = get();
	h2_pump();
	ck_assert_int_eq(a->status, 200);
}
END_TEST

START_TEST(read_timeout_is_for_the_whole_request)
{
	static char part[4096];
	struct ask ask = { .method = "POST", .path = "/x", .open = true,
			   .body = part, .len = sizeof(part) };
	struct answer *a;

	config.read_timeout.ns = (int64_t)S(30);
	serve();
	a = h2_submit(&ask);
	h2_pump();
	for (int i = 0; i < 29; i++) {
		pass(S(1));
		h2_pump();
		ck_assert(!a->status);
		ask.body = part;
		ask.len = sizeof(part);
		nghttp2_session_resume_data(h2.session, 1);
		h2_pump();
	}
	pass(S(2));
	h2_pump();
	ck_assert_int_eq(a->status, 408);
}
END_TEST

START_TEST(row_39_headers_that_never_end)
{
	/* HEADERS of stream 1 without END_HEADERS */
	static const char half[] = "\0\0\1\1\0\0\0\0\1\x82";

	serve();
	say_bytes(half, sizeof(half) - 1);
	pass(S(9));
	ck_assert(!peer.gone);
	pass(S(2));
	ck_assert(peer.gone);
}
END_TEST

START_TEST(row_52_a_peer_that_goes_in_the_middle)
{
	struct ask ask = { .method = "POST", .path = "/x", .open = true,
			   .body = "0123456789", .len = 10 };

	serve();
	h2_submit(&ask);
	h2_pump();
	fin();
	ck_assert(peer.gone);
	ck_assert_uint_eq(handled, 0);
}
END_TEST

START_TEST(row_52_a_half_closed_peer_gets_its_answers)
{
	struct answer *a;

	serve();
	later = true;
	a = get();
	h2_pump();
	fin();
	ck_assert(!peer.gone);
	respond_all();
	h2_read();
	ck_assert_int_eq(a->status, 200);
	ck_assert(peer.gone);
}
END_TEST

/* --- the end -------------------------------------------------------------- */

START_TEST(an_idle_connection_is_sent_away)
{
	serve();
	get();
	h2_pump();
	pass(S(59));
	h2_pump();
	ck_assert_uint_eq(h2.goaways, 0);
	pass(S(2));
	h2_pump();		/* two GOAWAYs: a notice, and the last id */
	ck_assert_uint_eq(h2.goaways, 2);
	ck_assert_uint_eq(h2.goaway, NGHTTP2_NO_ERROR);
	ck_assert_int_eq(h2.last_id, 1);
	ck_assert(peer.shut);
}
END_TEST

START_TEST(row_66_draining_answers_what_is_under_way)
{
	struct answer *a, *b;

	serve();
	later = true;
	a = get();
	h2_pump();
	weir_http_server_stop(server);
	weir_http_server_stop(server);
	/* One that crosses the notice is refused, and may be sent again. */
	b = get();
	h2_send();
	h2_pump();
	ck_assert_int_eq(b->status, 503);
	ck_assert(has_line(b, "retry-after: 1\n"));
	ck_assert_uint_eq(h2.goaways, 2);
	ck_assert_int_eq(h2.last_id, 3);
	ck_assert(!peer.shut);
	respond_all();
	h2_pump();
	ck_assert_int_eq(a->status, 200);
	ck_assert(peer.shut);
}
END_TEST

START_TEST(row_66_a_client_that_does_not_answer_the_notice)
{
	serve();
	later = true;
	get();
	h2_pump();
	weir_http_server_stop(server);
	turn();
	h2_read();
	ck_assert_uint_eq(h2.goaways, 1);
	pass(S(2));
	h2_read();
	ck_assert_uint_eq(h2.goaways, 2);
	ck_assert_int_eq(h2.last_id, 1);
	respond_all();
	ck_assert(peer.shut);
}
END_TEST

START_TEST(row_133_half_a_request_does_not_hold_up_the_drain)
{
	struct ask ask = { .method = "POST", .path = "/x", .open = true,
			   .body = "0123456789", .len = 10 };
	struct answer *a;

	serve();
	a = h2_submit(&ask);
	h2_pump();
	pass(S(2));
	weir_http_server_stop(server);
	turn();
	pass(S(2));
	h2_pump();
	ck_assert(!a->status);
	pass(S(2));
	h2_pump();
	ck_assert_int_eq(a->status, 503);
	ck_assert(has_line(a, "retry-after: 1\n"));
	pass(S(2));
	h2_pump();
	ck_assert(peer.shut);
}
END_TEST

START_TEST(answers_after_the_server_has_gone_are_dropped)
{
	serve();
	later = true;
	get();
	get();
	h2_pump();
	if (_i) {
		peer.closing = true;
		turn();
		respond_all();
	}
	weir_http_server_free(&server);
	turn();
	respond_all();
	ck_assert(peer.gone);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_h2");
	TCase *tc = tcase_create("http_h2");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, the_preface_may_come_in_pieces, 1, 34);
	tcase_add_loop_test(tc, the_first_bytes_decide, 0, N(firsts));
	tcase_add_test(tc, half_a_preface_does_not_stay);
	tcase_add_test(tc, streams_are_answered_in_any_order);
	tcase_add_test(tc, a_client_that_waits_for_100_gets_it);
	tcase_add_test(tc, a_large_answer_waits_for_its_window);
	tcase_add_loop_test(tc, what_is_odd_never_reaches_a_handler, 0,
			    N(odd));
	tcase_add_test(tc, row_2_refused_at_the_crossing_byte);
	tcase_add_loop_test(tc,
		a_refusal_waits_for_the_end_of_a_small_request, 0, 2);
	tcase_add_test(tc, row_40_a_slow_body_is_refused);
	tcase_add_test(tc, read_timeout_is_for_the_whole_request);
	tcase_add_test(tc, row_39_headers_that_never_end);
	tcase_add_test(tc, row_52_a_peer_that_goes_in_the_middle);
	tcase_add_test(tc, row_52_a_half_closed_peer_gets_its_answers);
	tcase_add_test(tc, an_idle_connection_is_sent_away);
	tcase_add_test(tc, row_66_draining_answers_what_is_under_way);
	tcase_add_test(tc, row_66_a_client_that_does_not_answer_the_notice);
	tcase_add_test(tc, row_133_half_a_request_does_not_hold_up_the_drain);
	tcase_add_loop_test(tc, answers_after_the_server_has_gone_are_dropped,
			    0, 2);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
