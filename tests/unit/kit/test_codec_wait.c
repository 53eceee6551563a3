/* SPDX-License-Identifier: Apache-2.0 */
/* The first message of an encoding whose library is not open yet: it is opened
 * on the thread pool, and the request waits.  Each test is a process. */
#include <dlfcn.h>

#include "http_ask.h"

#include "codec.h"
#include <weir/library.h>

static const struct ask snappy = {
	.method = "POST", .path = "/x",
	.headers = "Content-Encoding: snappy\n",
	.body = "\x05\x10" "hello", .len = 7 };

static struct weir_http_server *server;
static struct weir_http_server_config config;
static unsigned handled, opened;
static bool missing;

/* The pool, which runs when a test says so. */
static struct {
	void (*in)(void *arg);
	void (*out)(struct weir_component *c, void *arg);
	void *arg;
	bool full;
} pool;

int weir_work(struct weir_component *who, void (*in)(void *arg),
	      void (*out)(struct weir_component *c, void *arg), void *arg)
{
	ck_assert_ptr_eq(who, &c);
	ck_assert_ptr_null(pool.in);
	if (pool.full)
		return -1;
	pool.in = in;
	pool.out = out;
	pool.arg = arg;
	return 0;
}

static void run_pool(void)
{
	void (*in)(void *arg) = pool.in;

	ck_assert_ptr_nonnull(in);
	in(pool.arg);
	pool.in = NULL;
	pool.out(&c, pool.arg);
	turn();
}

const void *weir_library_open(const char *file, const char *symbol,
			      struct weir_error *error)
{
	const char *build = getenv("WEIR_BUILD");
	char path[256];
	void *library;

	opened++;
	if (missing) {
		weir_fail(error, NULL, "it is not there");
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/%s", build ? build : "build", file);
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(library != NULL, "%s", path);
	return dlsym(library, symbol);
}

static void handle(struct weir_component *who, struct weir_http_exchange *x,
		   void *arg)
{
	(void)who, (void)arg;
	handled++;
	weir_http_respond(x, 200, "text/plain", "", weir_http_body(x));
}

static const struct weir_http_route routes[] = { { .handle = handle } };

static void set_up(void)
{
	struct weir_error error;

	weir_http_server_defaults(&config);
	config.endpoint = WEIR_STR("h:1");
	server = weir_http_server_start(&c, &config, routes, 1, &error);
	ck_assert_ptr_nonnull(server);
}

static void tear_down(void)
{
	weir_http_server_free(&server);
	if (!peer.gone) {
		peer.closing = true;
		turn();
	}
	h2_forget();
	ck_assert_uint_eq(weir_budget_used(), 0);
}

static void hear_again(int protocol, struct answer *a)
{
	if (protocol) {
		h2_pump();
		*a = *answer_of(1);
	} else {
		parse_h1(a, heard(), peer.n);
	}
}

START_TEST(a_request_waits_for_its_library)
{
	static struct answer a;

	ask_in(_i, &snappy, &a);
	ck_assert_int_eq(a.status, 0);
	ck_assert_uint_eq(handled + opened, 0);
	pass(S(20));		/* nothing of it is late */
	run_pool();
	hear_again(_i, &a);
	ck_assert_int_eq(a.status, 200);
	ck_assert_mem_eq(a.body, "hello", 5);
	ck_assert_uint_eq(opened, 1);
	ask_in(_i, &snappy, &a);	/* and now at once */
	ck_assert_int_eq(a.status, 200);
}
END_TEST

START_TEST(who_comes_meanwhile_waits_as_well)
{
	struct ask first = snappy, second = snappy;
	struct ask plain = { .method = "POST", .path = "/x", .body = "abc" };

	h2_connect();
	h2_submit(&first);
	h2_submit(&second);
	h2_submit(&plain);
	h2_pump();
	ck_assert_uint_eq(handled, 1);		/* what needs none does not */
	ck_assert_int_eq(answer_of(5)->status, 200);
	run_pool();
	h2_pump();
	ck_assert_uint_eq(handled, 3);
	ck_assert_int_eq(answer_of(1)->status, 200);
	ck_assert_int_eq(answer_of(3)->status, 200);
}
END_TEST

START_TEST(what_is_pipelined_behind_it_stays_behind)
{
	static const char both[] =
		"POST /x HTTP/1.1\r\nHost: h\r\nContent-Encoding: snappy\r\n"
		"Content-Length: 7\r\n\r\n\x05\x10" "hello"
		"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";

	connect_peer();
	say_bytes(both, sizeof(both) - 1);
	ck_assert_uint_eq(handled, 0);
	run_pool();
	ck_assert_uint_eq(handled, 2);
	ck_assert(strstr(strstr(heard(), "hello"), "abc"));
}
END_TEST

START_TEST(a_peer_may_go_while_it_waits)
{
	static struct answer a;

	ask_in(_i, &snappy, &a);
	peer.closing = true;
	turn();
	run_pool();
	ck_assert_uint_eq(handled, 0);
}
END_TEST

START_TEST(a_library_that_is_missing_is_said)
{
	static struct answer a;

	missing = true;
	for (int i = 0; i < 2; i++) {		/* each is a try */
		ask_in(_i, &snappy, &a);
		run_pool();
		hear_again(_i, &a);
		ck_assert_int_eq(a.status, 415);
		ck_assert_ptr_nonnull(strstr(a.body, "snappy is not available "
					     "here"));
	}
	ck_assert_uint_eq(opened, 2);
	missing = false;			/* somebody installs it */
	ask_in(_i, &snappy, &a);
	run_pool();
	hear_again(_i, &a);
	ck_assert_int_eq(a.status, 200);
}
END_TEST

START_TEST(a_pool_that_is_full_is_not_waited_for)
{
	static struct answer a;

	pool.full = true;
	ask_in(_i, &snappy, &a);
	ck_assert_int_eq(a.status, 200);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("codec_wait");
	TCase *tc = tcase_create("codec_wait");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, a_request_waits_for_its_library, 0, 2);
	tcase_add_test(tc, who_comes_meanwhile_waits_as_well);
	tcase_add_test(tc, what_is_pipelined_behind_it_stays_behind);
	tcase_add_loop_test(tc, a_peer_may_go_while_it_waits, 0, 2);
	tcase_add_loop_test(tc, a_library_that_is_missing_is_said, 0, 2);
	tcase_add_loop_test(tc, a_pool_that_is_full_is_not_waited_for, 0, 2);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
