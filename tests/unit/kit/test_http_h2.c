/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 on the HTTP server's port: which protocol it is, floods, waits and the
 * end.  Numbers are rows of the catalogue of attacks. */
#include "http_ask.h"

#define N(table) (int)(sizeof(table) / sizeof((table)[0]))
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define MAX_WAITING 512

static struct weir_http_server *server;
static struct weir_http_server_config config;
static struct weir_http_exchange *waiting[MAX_WAITING];
static unsigned n_waiting, handled;
static bool later;
static size_t page;		/* bytes of an answer */

/* --- a server ------------------------------------------------------------- */

static void respond_to(struct weir_http_exchange *x)
{
	static char text[2 << 20];

	memset(text, 'x', sizeof(text));
	weir_http_respond(x, 200, "text/plain", "", (weir_str){ text, page });
}

static void handle(struct weir_component *who, struct weir_http_exchange *x,
		   void *arg)
{
	(void)who, (void)arg;
	handled++;
	if (!later) {
		respond_to(x);
		return;
	}
	ck_assert_uint_lt(n_waiting, MAX_WAITING);
	waiting[n_waiting++] = x;
}

static void respond_all(void)
{
	for (unsigned i = 0; i < n_waiting; i++)
		respond_to(waiting[i]);
	n_waiting = 0;
	if (!peer.gone)
		turn();
}

static const struct weir_http_route routes[] = {
	{ .path = { "/x", 2 }, .methods = WEIR_HTTP_GET | WEIR_HTTP_POST,
	  .status_bodies = true, .handle = handle },
};

static void set_up(void)
{
	weir_http_server_defaults(&config);
	config.endpoint = WEIR_STR("h:1");
	page = 5;
}

static void serve(void)
{
	struct weir_error error;

	server = weir_http_server_start(&c, &config, routes, 1, &error);
	ck_assert_ptr_nonnull(server);
	h2_connect();
	h2_pump();
}

static void tear_down(void)
{
	h2_forget();
	weir_http_server_free(&server);
	turn();
	respond_all();
	ck_assert_uint_eq(weir_budget_used(), 0);
}

static struct answer *get(void)
{
	static struct ask ask;

	ask = (struct ask){ .method = "GET", .path = "/x" };
	return h2_submit(&ask);
}

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

/* --- floods --------------------------------------------------------------- */

START_TEST(row_63_streams_past_a_hundred_are_refused)
{
	struct answer *all[110];

	serve();
	later = true;
	h2_connect();		/* a client that has not heard of the limit */
	for (int i = 0; i < 110; i++)
		all[i] = get();
	h2_send();
	h2_pump();
	ck_assert_uint_eq(n_waiting, 100);
	for (int i = 100; i < 110; i++) {
		ck_assert(all[i]->closed);
		ck_assert_uint_eq(all[i]->error, NGHTTP2_REFUSED_STREAM);
	}
	respond_all();
	h2_pump();
	ck_assert_int_eq(all[99]->status, 200);
}
END_TEST

START_TEST(row_54_rapid_reset)
{
	serve();
	for (int i = 0; i < 200 && h2.goaway == (uint32_t)-1; i++) {
		struct ask ask = { .method = "POST", .path = "/x",
				   .open = true };

		h2_submit(&ask);
		h2_pump();
		nghttp2_submit_rst_stream(h2.session, 0, 2 * i + 1,
					  NGHTTP2_CANCEL);
		h2_pump();
	}
	ck_assert_uint_eq(h2.goaway, NGHTTP2_ENHANCE_YOUR_CALM);
	ck_assert(peer.shut);
}
END_TEST

START_TEST(row_54_a_reset_stream_keeps_its_place_until_it_is_answered)
{
	serve();
	later = true;
	for (int i = 0; i < 60; i++)
		get();
	h2_pump();
	for (int i = 0; i < 60; i++)
		nghttp2_submit_rst_stream(h2.session, 0, 2 * i + 1,
					  NGHTTP2_CANCEL);
	for (int i = 0; i < 60; i++)
		get();
	h2_pump();
	ck_assert_uint_eq(n_waiting, 100);
	respond_all();
	h2_pump();
	get();
	h2_pump();
	ck_assert_uint_eq(n_waiting, 1);
}
END_TEST

static const struct {
	const char *why, *frame;
	size_t len;
	int times;
} floods[] = {
	{ "59: PING", "\0\0\x08\6\0\0\0\0\0" "12345678", 17, 1100 },
	{ "59: SETTINGS", SETTINGS, 9, 1100 },
	{ "59: PRIORITY of a stream to come",
	  "\0\0\5\2\0\0\0\0\x09\0\0\0\0\7", 14, 1100 },
	{ "59: empty DATA", "\0\0\0\0\0\0\0\0\1", 9, 1100 },
	{ "62: a type nobody knows", "\0\0\0\xf0\0\0\0\0\0", 9, 1100 },
	{ "62: WINDOW_UPDATE of nothing",
	  "\0\0\4\x08\0\0\0\0\0\0\0\0\1", 13, 1100 },
	{ "56: CONTINUATION", "\0\0\1\x09\0\0\0\0\3\x90", 10, 20 },
};

START_TEST(row_59_a_flood_ends_the_connection)
{
	struct ask ask = { .method = "POST", .path = "/x", .open = true };
	static char all[1 << 16];
	size_t n = 0;

	serve();
	h2_submit(&ask);
	h2_pump();
	if (floods[_i].times == 20) {	/* HEADERS of stream 3 to go on */
		memcpy(all, "\0\0\1\1\0\0\0\0\3\x82", 10);
		n = 10;
	}
	for (int i = 0; i < floods[_i].times; i++, n += floods[_i].len)
		memcpy(all + n, floods[_i].frame, floods[_i].len);
	say_bytes(all, n);
	ck_assert_msg(raw_goaway() == NGHTTP2_ENHANCE_YOUR_CALM, "%s: %d",
		      floods[_i].why, (int)raw_goaway());
	ck_assert(peer.shut);
}
END_TEST

START_TEST(row_62_a_headers_frame_that_no_list_can_fill)
{
	static char frame[20000] = "\0\x4e\x17\1\5\0\0\0\1";

	serve();
	say_bytes(frame, sizeof(frame));
	h2_read();
	ck_assert_uint_eq(h2.goaway, NGHTTP2_FRAME_SIZE_ERROR);
}
END_TEST

static const struct {
	const char *why, *frame;
	size_t len;
	uint32_t error;
} late[] = {
	{ "62: HEADERS on a closed stream",
	  "\0\0\4\1\5\0\0\0\5\x82\x86\x84\x41", 13, NGHTTP2_STREAM_CLOSED },
	{ "62: DATA on a closed stream", "\0\0\0\0\1\0\0\0\5", 9,
	  NGHTTP2_STREAM_CLOSED },
	{ "62: an id that was passed over",
	  "\0\0\3\1\5\0\0\0\3\x82\x86\x84", 12, NGHTTP2_PROTOCOL_ERROR },
	{ "62: PRIORITY without a stream",
	  "\0\0\5\2\0\0\0\0\0\0\0\0\0\7", 14, NGHTTP2_PROTOCOL_ERROR },
};

START_TEST(row_62_a_stream_that_is_over)
{
	serve();
	nghttp2_session_set_next_stream_id(h2.session, 5);
	get();
	h2_pump();
	ck_assert_uint_eq(handled, 1);
	say_bytes(late[_i].frame, late[_i].len);
	h2_read();
	ck_assert_msg(h2.goaway == late[_i].error, "%s: %d", late[_i].why,
		      (int)h2.goaway);
	ck_assert_uint_eq(handled, 1);
}
END_TEST

START_TEST(what_comes_late_for_a_stream_we_reset_is_ignored)
{
	struct ask ask = { .method = "POST", .path = "/y", .open = true };
	struct answer *a;

	serve();
	ask.headers = "content-length: 100000\n";
	h2_submit(&ask);
	h2_pump();		/* 404 at once */
	pass(S(3));		/* and NO_ERROR */
	h2_pump();
	say_bytes("\0\0\1\0\0\0\0\0\1x", 10);
	say_bytes("\0\0\0\1\5\0\0\0\1", 9);
	h2_read();
	ck_assert_uint_eq(h2.goaway, (uint32_t)-1);
	a = get();
	h2_pump();
	ck_assert_int_eq(a->status, 200);
}
END_TEST

/* --- peers that do not read ----------------------------------------------- */

START_TEST(row_41_a_socket_that_stays_full)
{
	serve();
	page = 60000;
	peer.room = 10;
	get();
	h2_pump();
	pass(S(29));
	take(10);		/* progress */
	pass(S(29));
	ck_assert(!peer.gone);
	pass(S(2));
	ck_assert(peer.gone);
}
END_TEST

START_TEST(row_60_a_window_that_stays_shut)
{
	const nghttp2_settings_entry none[] = {
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0 } };
	struct answer *a;

	serve();
	nghttp2_submit_settings(h2.session, 0, none, 1);
	h2_pump();
	a = get();
	h2_pump();
	ck_assert_int_eq(a->status, 200);
	ck_assert(!a->closed);
	pass(S(29));
	h2_pump();
	ck_assert(!a->closed);
	pass(S(3));
	h2_pump();
	ck_assert(a->closed);
	ck_assert_uint_eq(a->error, NGHTTP2_CANCEL);
}
END_TEST

START_TEST(row_60_a_body_does_not_wait_with_its_answer)
{
	const nghttp2_settings_entry none[] = {
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0 } };
	struct ask ask = { .method = "POST", .path = "/x", .body = "abc" };
	struct answer *a;

	serve();
	nghttp2_submit_settings(h2.session, 0, none, 1);
	h2_pump();
	a = h2_submit(&ask);
	h2_pump();
	ck_assert_int_eq(a->status, 200);
	ck_assert(!a->closed);
	ck_assert_uint_eq(weir_budget_used(), 0);
}
END_TEST

static const struct {
	size_t page;
	int kept;		/* of 20: 1 MiB, or the one that is larger */
} untaken[] = { { 100000, 10 }, { 3 << 19, 1 } };

START_TEST(row_60_answers_that_nobody_takes_are_bounded)
{
	const nghttp2_settings_entry none[] = {
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0 } };
	struct answer *all[20];
	int kept = 0;

	serve();
	nghttp2_submit_settings(h2.session, 0, none, 1);
	h2_pump();
	page = untaken[_i].page;
	for (int i = 0; i < 20; i++)
		all[i] = get();
	h2_pump();
	for (int i = 0; i < 20; i++)
		kept += !all[i]->closed;
	ck_assert_int_eq(kept, untaken[_i].kept);
	ck_assert_uint_eq(all[19]->error, NGHTTP2_ENHANCE_YOUR_CALM);
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
	tcase_add_test(tc, row_63_streams_past_a_hundred_are_refused);
	tcase_add_test(tc, row_54_rapid_reset);
	tcase_add_test(tc,
	    row_54_a_reset_stream_keeps_its_place_until_it_is_answered);
	tcase_add_loop_test(tc, row_59_a_flood_ends_the_connection, 0,
			    N(floods));
	tcase_add_test(tc, row_62_a_headers_frame_that_no_list_can_fill);
	tcase_add_loop_test(tc, row_62_a_stream_that_is_over, 0, N(late));
	tcase_add_test(tc, what_comes_late_for_a_stream_we_reset_is_ignored);
	tcase_add_test(tc, row_41_a_socket_that_stays_full);
	tcase_add_test(tc, row_60_a_window_that_stays_shut);
	tcase_add_test(tc, row_60_a_body_does_not_wait_with_its_answer);
	tcase_add_loop_test(tc, row_60_answers_that_nobody_takes_are_bounded,
			    0, N(untaken));
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
