/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server's connections: who waits for whom, and for how long.  Numbers
 * are rows of the catalogue of attacks. */
#include "http_peer.h"

/* --- a server ------------------------------------------------------------- */

static struct weir_http_server *server;
static struct weir_http_server_config config;
static struct weir_http_exchange *waiting;
static bool later;
static unsigned handled;
static char last_body[8193], last_type[64];

static void handle(struct weir_component *who, struct weir_http_exchange *x,
		   void *arg)
{
	weir_str body = weir_http_body(x), type = weir_http_content_type(x);
	weir_str header = { type.ptr, type.len };
	char text[32];

	(void)who;
	(void)arg;
	ck_assert(!waiting);
	ck_assert_uint_lt(body.len, sizeof(last_body));
	memcpy(last_body, body.len ? body.ptr : "", body.len);
	last_body[body.len] = '\0';
	/* Both lie in the head, wherever that is by now. */
	weir_http_header(x, WEIR_STR("content-type"), &header);
	ck_assert_ptr_eq(type.ptr, header.ptr);
	snprintf(last_type, sizeof(last_type), "%.*s", WEIR_STR_FMT(type));
	snprintf(text, sizeof(text), "answer %u\n", ++handled);
	if (later)
		waiting = x;
	else
		weir_http_respond(x, 200, "text/plain", "X-Ours: 1\r\n",
				  weir_str_of(text));
}

static void respond(void)
{
	struct weir_http_exchange *x = waiting;

	waiting = NULL;
	weir_http_respond(x, 200, "text/plain", "", WEIR_STR("late\n"));
	turn();
}

static const struct weir_http_route routes[] = { { .handle = handle } };

static void set_up(void)
{
	weir_http_server_defaults(&config);
	config.endpoint = WEIR_STR("h:1");
	config.max_request_body_size = 100;
}

static void serve(bool keep_alive)
{
	struct weir_error error;

	config.keep_alives_enabled = keep_alive;
	server = weir_http_server_start(&c, &config, routes, 1, &error);
	ck_assert_ptr_nonnull(server);
	connect_peer();
}

static void tear_down(void)
{
	if (!server)
		return;
	weir_http_server_free(&server);
	turn();
	ck_assert(peer.gone);
}

START_TEST(answers_and_closes)
{
	serve(false);
	say(GET);
	ck_assert_str_eq(heard(),
		"HTTP/1.1 200 OK\r\n"
		"Content-Type: text/plain\r\n"
		"X-Ours: 1\r\n"
		"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		"Content-Length: 9\r\n"
		"Connection: close\r\n"
		"\r\n"
		"answer 1\n");
	ck_assert(peer.shut && !peer.closing);
	say("what comes now is thrown away");
	fin();
	ck_assert(peer.gone);
	ck_assert_uint_eq(handled, 1);
}
END_TEST

START_TEST(a_peer_that_stays_after_the_last_answer_is_left)
{
	serve(false);
	say(GET);
	pass(S(1));
	ck_assert(peer.gone);
}
END_TEST

START_TEST(keeps_the_connection_while_both_want_it)
{
	serve(true);
	say(GET);
	ck_assert(!hears("Connection:"));
	say(GET);
	ck_assert_uint_eq(handled, 2);
	ck_assert(!peer.shut);
	say("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	ck_assert(hears("Connection: keep-alive\r\n"));
	say("GET / HTTP/1.0\r\n\r\n");
	ck_assert_uint_eq(handled, 4);
	ck_assert(peer.shut);
}
END_TEST

START_TEST(head_has_the_length_and_not_the_body)
{
	serve(true);
	say("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
	ck_assert(hears("Content-Length: 9\r\n\r\n"));
	ck_assert(!hears("answer"));
}
END_TEST

START_TEST(row_48_pipelined_requests_are_answered_in_order)
{
	enum { N = 10000 };
	size_t len = sizeof(GET) - 1;
	char *all = malloc(N * len);
	const char *at;

	for (size_t i = 0; i < N; i++)
		memcpy(all + i * len, GET, len);
	serve(true);
	peer.room = 0;
	say_bytes(all, N * len);
	ck_assert(peer.paused);
	/* At most 16 KiB of answers wait: some two hundred. */
	ck_assert_uint_lt(handled, 300);
	while (handled < N)
		take(3333);
	take(sizeof(peer.wrote));
	at = heard();
	for (int i = 1; i <= N; i++) {
		char wanted[32];

		snprintf(wanted, sizeof(wanted), "\r\n\r\nanswer %d\n", i);
		at = strstr(at, "\r\n\r\n");
		ck_assert_ptr_nonnull(at);
		ck_assert_msg(!strncmp(at, wanted, strlen(wanted)), "%d", i);
		at += 4;
	}
	ck_assert(!peer.paused);
	free(all);
}
END_TEST

START_TEST(the_content_type_outlives_trailers)
{
	static char trailers[4000];

	memset(trailers, 'a', sizeof(trailers) - 1);
	memcpy(trailers, "t: ", 3);
	serve(true);
	say(POST "Content-Type: Text/Plain; q=1\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n");
	say(trailers);
	say("\r\n\r\n");
	ck_assert_str_eq(last_body, "abc");
	ck_assert_str_eq(last_type, "text/plain");
}
END_TEST

START_TEST(an_answer_that_waits_for_its_flush_is_not_late)
{
	serve(true);
	later = true;
	pass(S(9));
	say(GET);
	weir_http_respond(waiting, 200, "text/plain", "", WEIR_STR("late\n"));
	ck_assert(peer.flush);
	pass(S(60));		/* a timer before the flush */
	ck_assert(hears("late\n"));
	waiting = NULL;
}
END_TEST

START_TEST(one_request_is_in_flight_at_a_time)
{
	serve(true);
	later = true;
	say(GET GET);
	ck_assert_uint_eq(handled, 1);
	ck_assert(peer.paused);
	respond();
	ck_assert_uint_eq(handled, 2);
	respond();
	ck_assert(!peer.paused);
	ck_assert(!waiting);
	ck_assert(!peer.closing);
}
END_TEST

START_TEST(an_answer_for_a_peer_that_has_gone_is_dropped)
{
	serve(true);
	later = true;
	say(GET);
	peer.closing = true;
	turn();
	respond();
	ck_assert_uint_eq(peer.n, 0);
}
END_TEST

START_TEST(an_answer_after_the_server_has_gone_is_dropped)
{
	serve(true);
	later = true;
	say(GET);
	weir_http_server_free(&server);
	ck_assert_ptr_null(server);
	turn();
	respond();
	ck_assert_uint_eq(peer.n, 0);
}
END_TEST

START_TEST(row_39_a_slow_head_is_refused_after_ten_seconds)
{
	serve(true);
	say("GET / HTTP/1.1\r\n");
	pass(S(5));
	say("X: 1\r\n");
	pass(S(5) - 1);
	ck_assert_uint_eq(peer.n, 0);
	pass(1);
	ck_assert(hears("HTTP/1.1 408 "));
	ck_assert(hears("Connection: close\r\n"));
	pass(S(1));
	ck_assert(peer.gone);
	ck_assert_uint_eq(handled, 0);
}
END_TEST

START_TEST(row_40_a_slow_body_is_refused)
{
	serve(true);
	say(POST "Content-Length: 50\r\n\r\nabc");
	pass(S(9));
	say("d");
	pass(S(1));
	ck_assert(hears("HTTP/1.1 408 "));
	ck_assert_uint_eq(handled, 0);
}
END_TEST

START_TEST(row_41_a_peer_that_does_not_read_is_left_after_thirty_seconds)
{
	serve(true);
	peer.room = 10;
	say(GET);
	ck_assert(peer.want_write);
	pass(S(29));
	take(10);		/* progress */
	pass(S(29));
	ck_assert(!peer.gone);
	pass(S(1));
	ck_assert(peer.gone);
}
END_TEST

START_TEST(an_idle_connection_ends_without_a_word)
{
	size_t n;

	serve(true);
	say(GET);
	n = peer.n;
	pass(S(60));
	ck_assert(peer.gone);
	ck_assert_uint_eq(peer.n, n);
}
END_TEST

START_TEST(row_49_no_100_for_a_body_that_is_too_big)
{
	serve(true);
	say(POST "Expect: 100-continue\r\nContent-Length: 101\r\n\r\n");
	ck_assert(hears("HTTP/1.1 413 "));
	ck_assert(!hears("100 Continue"));
}
END_TEST

START_TEST(a_client_that_waits_for_100_gets_it)
{
	serve(true);
	say(POST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
	ck_assert_str_eq(heard(), "HTTP/1.1 100 Continue\r\n\r\n");
	say("hello");
	ck_assert_str_eq(last_body, "hello");
	ck_assert(hears("HTTP/1.1 200 OK"));
}
END_TEST

START_TEST(row_51_connect_and_trace_are_not_implemented)
{
	serve(true);
	say(_i ? "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"
	       : "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n");
	ck_assert(hears("HTTP/1.1 501 "));
	ck_assert_uint_eq(handled, 0);
	ck_assert(peer.shut);
}
END_TEST

START_TEST(row_52_fin_in_the_middle_of_a_body_is_discarded)
{
	serve(true);
	say(POST "Content-Length: 50\r\n\r\nabc");
	fin();
	ck_assert(peer.gone);
	ck_assert_uint_eq(handled, 0);
	ck_assert_uint_eq(peer.n, 0);
}
END_TEST

START_TEST(row_52_a_half_closed_peer_gets_its_answers)
{
	serve(true);
	peer.room = 0;
	say(GET GET);
	fin();
	ck_assert(!peer.gone);
	take(sizeof(peer.wrote));
	ck_assert(hears("answer 2\n"));
	ck_assert(peer.gone);
}
END_TEST

static const struct {
	const char *text, *status;
} refused[] = {
	{ "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
	{ POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
	  "HTTP/1.1 400 Bad Request\r\n" },
	{ POST "Content-Length: 101\r\n\r\n",
	  "HTTP/1.1 413 Content Too Large\r\n" },
	{ "GET / HTTP/3.0\r\n",
	  "HTTP/1.1 505 HTTP Version Not Supported\r\n" },
};

START_TEST(a_refusal_is_answered_and_nothing_is_read_behind_it)
{
	serve(true);
	say(refused[_i].text);
	ck_assert(!strncmp(heard(), refused[_i].status,
			   strlen(refused[_i].status)));
	ck_assert(hears("Connection: close\r\n"));
	say(GET);
	ck_assert_uint_eq(handled, 0);
	ck_assert(peer.shut);
}
END_TEST

START_TEST(row_45_http_0_9_is_closed_without_a_word)
{
	serve(true);
	say("GET /\r\n");
	ck_assert(peer.gone);
	ck_assert_uint_eq(peer.n, 0);
}
END_TEST

START_TEST(stopping_closes_the_idle_and_lets_the_busy_finish)
{
	serve(true);
	if (_i) {
		later = true;
		say(GET);
	}
	weir_http_server_stop(server);
	weir_http_server_stop(server);
	turn();
	ck_assert_ptr_null(listening.accept);
	if (_i) {
		ck_assert(!peer.gone);
		respond();
		ck_assert(hears("Connection: close\r\n"));
		ck_assert(peer.shut);
	} else {
		ck_assert(peer.gone);
	}
}
END_TEST

static const struct {
	const char *what;
	uint64_t before;	/* time that it takes before the stop */
	const char *text;
} halves[] = {
	{ "half a head", S(1), "GET /x HTTP/1.1\r\nHo" },
	{ "half a body", S(1), POST "Content-Length: 50\r\n\r\nabc" },
	{ "half a chunk", S(1), POST "Transfer-Encoding: chunked\r\n\r\n9\r\na" },
	{ "one whose time is nearly over", S(9), POST
	  "Content-Length: 50\r\n\r\nabc" },
};

START_TEST(row_133_half_a_request_does_not_hold_up_the_drain)
{
	bool nearly = halves[_i].before > S(8);

	serve(true);
	say(halves[_i].text);
	pass(halves[_i].before);
	weir_http_server_stop(server);
	turn();
	pass(nearly ? S(1) - 1 : S(3) - 1);
	ck_assert_msg(peer.n == 0 && !peer.closing, "%s", halves[_i].what);
	pass(1);
	ck_assert(hears("HTTP/1.1 503 "));
	ck_assert(hears("Retry-After: 1\r\n"));
	ck_assert(hears("Connection: close\r\n"));
	pass(S(1));
	ck_assert(peer.gone);
}
END_TEST

START_TEST(row_133_what_comes_at_a_pace_is_waited_for)
{
	static char part[4096];

	config.max_request_body_size = 8192;
	serve(true);
	say(POST "Content-Length: 8192\r\n\r\n");
	weir_http_server_stop(server);
	turn();
	for (int i = 0; i < 2; i++) {
		pass(S(2));
		ck_assert_uint_eq(peer.n, 0);
		say_bytes(part, sizeof(part));
	}
	ck_assert_uint_eq(handled, 1);
	ck_assert(hears("HTTP/1.1 200 OK\r\n"));
	ck_assert(hears("Connection: close\r\n"));
}
END_TEST

START_TEST(row_133_who_does_not_read_does_not_hold_up_the_drain)
{
	serve(true);
	peer.room = 10;
	say(GET);
	pass(S(1));
	weir_http_server_stop(server);
	turn();
	pass(S(3) - 1);
	ck_assert(!peer.gone);
	pass(1);
	ck_assert(peer.gone);
}
END_TEST

START_TEST(an_address_that_cannot_be_bound_is_an_error)
{
	struct weir_error error;

	config.endpoint = WEIR_STR("");
	ck_assert_ptr_null(weir_http_server_start(&c, &config, routes, 1,
						  &error));
	ck_assert_str_eq(error.text, "no address");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_server");
	TCase *tc = tcase_create("http_server");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, answers_and_closes);
	tcase_add_test(tc, a_peer_that_stays_after_the_last_answer_is_left);
	tcase_add_test(tc, keeps_the_connection_while_both_want_it);
	tcase_add_test(tc, head_has_the_length_and_not_the_body);
	tcase_add_test(tc, row_48_pipelined_requests_are_answered_in_order);
	tcase_add_test(tc, the_content_type_outlives_trailers);
	tcase_add_test(tc, an_answer_that_waits_for_its_flush_is_not_late);
	tcase_add_test(tc, one_request_is_in_flight_at_a_time);
	tcase_add_test(tc, an_answer_for_a_peer_that_has_gone_is_dropped);
	tcase_add_test(tc, an_answer_after_the_server_has_gone_is_dropped);
	tcase_add_test(tc, row_39_a_slow_head_is_refused_after_ten_seconds);
	tcase_add_test(tc, row_40_a_slow_body_is_refused);
	tcase_add_test(tc,
	    row_41_a_peer_that_does_not_read_is_left_after_thirty_seconds);
	tcase_add_test(tc, an_idle_connection_ends_without_a_word);
	tcase_add_test(tc, row_49_no_100_for_a_body_that_is_too_big);
	tcase_add_test(tc, a_client_that_waits_for_100_gets_it);
	tcase_add_loop_test(tc,
		row_51_connect_and_trace_are_not_implemented, 0, 2);
	tcase_add_test(tc,
		row_52_fin_in_the_middle_of_a_body_is_discarded);
	tcase_add_test(tc, row_52_a_half_closed_peer_gets_its_answers);
	tcase_add_loop_test(tc,
		a_refusal_is_answered_and_nothing_is_read_behind_it, 0,
		sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, row_45_http_0_9_is_closed_without_a_word);
	tcase_add_loop_test(tc,
		stopping_closes_the_idle_and_lets_the_busy_finish, 0, 2);
	tcase_add_loop_test(tc,
		row_133_half_a_request_does_not_hold_up_the_drain, 0,
		sizeof(halves) / sizeof(halves[0]));
	tcase_add_test(tc, row_133_what_comes_at_a_pace_is_waited_for);
	tcase_add_test(tc,
		row_133_who_does_not_read_does_not_hold_up_the_drain);
	tcase_add_test(tc, an_address_that_cannot_be_bound_is_an_error);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
