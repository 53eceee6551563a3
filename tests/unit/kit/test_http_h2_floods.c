/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 on the HTTP server's port: floods, and peers that do not read.
 * Numbers are rows of the catalogue of attacks. */
#include "http_h2_case.h"

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

int main(void)
{
	Suite *suite = suite_create("http_h2, floods");
	TCase *tc = tcase_create("http_h2");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
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
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
