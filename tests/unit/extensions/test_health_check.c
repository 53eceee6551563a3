/* SPDX-License-Identifier: Apache-2.0 */
/* health_check as a load balancer sees it. */
#include "web.h"

#include "../../../extensions/health_check/encode.c"

#define ASK(method, path) method " " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static struct weir_test *t;
static char dir[] = "/tmp/weir-test-XXXXXX", path[64];

static void set_up(void)
{
	setenv("TZ", "UTC", 1);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
}

static void tear_down(void)
{
	struct weir_error error;

	if (t)
		ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
	unlink(path);
	rmdir(dir);
}

static struct weir_test *open_with(const char *more, struct weir_error *error)
{
	char yaml[512];

	*error = (struct weir_error){ 0 };
	snprintf(yaml, sizeof(yaml), "endpoint: %s\ntransport: unix\n%s", path,
		 more);
	return weir_test_open(web_plugin("extensions/health_check"), yaml, 0,
			      error);
}

static void serve(const char *more)
{
	struct weir_error error;

	t = open_with(more, &error);
	ck_assert_msg(t != NULL, "%s", error.text);
	ck_assert_msg(!weir_test_start(t, &error), "%s", error.text);
}

START_TEST(a_running_process_is_available)
{
	const char *answer;

	serve("");
	weir_test_advance(t, (weir_duration){ 62300000000 });
	answer = web_ask(t, path, ASK("GET", "/"));
	ck_assert(!strncmp(answer, "HTTP/1.1 200 OK\r\n", 17));
	ck_assert_ptr_nonnull(strstr(answer,
		"Content-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "Connection: close\r\n"));
	ck_assert_str_eq(web_body(answer),
		"{\"status\":\"Server available\","
		"\"upSince\":\"2023-11-14T22:13:20Z\",\"uptime\":\"1m2.3s\"}");
}
END_TEST

static const struct {
	const char *why, *config, *request, *status;
} paths[] = {
	{ "any method", "", ASK("POST", "/"), "HTTP/1.1 200 " },
	{ "below /", "", ASK("GET", "/deep/down"), "HTTP/1.1 200 " },
	{ "with a query", "", ASK("GET", "/?x=1"), "HTTP/1.1 200 " },
	{ "the exact path", "path: /up", ASK("GET", "/up"), "HTTP/1.1 200 " },
	{ "not beside it", "path: /up", ASK("GET", "/"), "HTTP/1.1 404 " },
	{ "not below it", "path: /up", ASK("GET", "/up/x"), "HTTP/1.1 404 " },
	{ "below a folder", "path: /up/", ASK("GET", "/up/x"),
	  "HTTP/1.1 200 " },
	{ "not above it", "path: /up/", ASK("GET", "/up"), "HTTP/1.1 404 " },
	{ "a bad request", "", "GET /\x01 HTTP/1.1\r\n\r\n",
	  "HTTP/1.1 400 " },
};

START_TEST(answers_on_its_path)
{
	const char *answer;

	serve(paths[_i].config);
	answer = web_ask(t, path, paths[_i].request);
	ck_assert_msg(!strncmp(answer, paths[_i].status,
			       strlen(paths[_i].status)),
		      "%s: %s", paths[_i].why, answer);
}
END_TEST

START_TEST(says_what_it_was_told_to_say)
{
	const char *answer;

	serve("response_body: {healthy: fine, unhealthy: alas}");
	answer = web_ask(t, path, ASK("GET", "/"));
	ck_assert_ptr_nonnull(strstr(answer,
		"Content-Type: text/plain; charset=utf-8\r\n"));
	ck_assert_str_eq(web_body(answer), "fine");
}
END_TEST

START_TEST(keys_without_effect_are_accepted)
{
	serve("check_collector_pipeline: {enabled: true, interval: 5m, "
	      "exporter_failure_threshold: 5}\n"
	      "cors: {allowed_origins: ['*']}\nread_timeout: 5s\n");
	ck_assert(!strncmp(web_ask(t, path, ASK("GET", "/")),
			   "HTTP/1.1 200 ", 13));
}
END_TEST

static const struct {
	const char *yaml, *path, *text;
} bad[] = {
	{ "path: up", "path", "path must start with /" },
	{ "path: ''", "path", "path must start with /" },
	{ "use_v2: true", "use_v2", "must specify at least one protocol" },
	{ "tls: {cert_file: x}", "tls", "TLS is not available yet: "
	  "take the block out, or put a proxy in front" },
	{ "http: {endpoint: x}", "http",
	  "v2 healthcheck configuration (http/grpc fields) detected but "
	  "feature gate is disabled" },
};

START_TEST(a_bad_key_is_refused)
{
	struct weir_error error;

	ck_assert_ptr_null(open_with(bad[_i].yaml, &error));
	ck_assert_str_eq(error.path, bad[_i].path);
	ck_assert_str_eq(error.text, bad[_i].text);
}
END_TEST

START_TEST(an_empty_endpoint_is_refused)
{
	struct weir_error error = { 0 };

	ck_assert_ptr_null(weir_test_open(
		web_plugin("extensions/health_check"), "endpoint: ''", 0,
		&error));
	ck_assert_str_eq(error.text, "http endpoint required");
}
END_TEST

START_TEST(a_socket_that_cannot_be_bound_stops_the_start)
{
	struct weir_error error = { 0 };

	t = weir_test_open(web_plugin("extensions/health_check"),
			   "endpoint: /nowhere/at/all\ntransport: unix", 0,
			   &error);
	ck_assert_ptr_nonnull(t);
	ck_assert_int_eq(weir_test_start(t, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.text, "failed to bind to address "
		"/nowhere/at/all: listen unix /nowhere/at/all: bind: "
		"no such file or directory"));
}
END_TEST

static const struct {
	uint64_t ns;
	const char *text;
} durations[] = {
	{ 0, "0s" }, { 1, "1ns" }, { 999, "999ns" }, { 1500, "1.5\u00b5s" },
	{ 1000000, "1ms" }, { 350000000, "350ms" },
	{ 999999999, "999.999999ms" }, { 1000000000, "1s" },
	{ 1000000001, "1.000000001s" }, { 60000000000, "1m0s" },
	{ 62300000000, "1m2.3s" }, { 3600000000000, "1h0m0s" },
	{ 90061500000000, "25h1m1.5s" },
};

START_TEST(durations_read_like_go)
{
	char text[64];

	encode_duration(durations[_i].ns, text, sizeof(text));
	ck_assert_str_eq(text, durations[_i].text);
}
END_TEST

static const struct {
	const char *zone;
	uint64_t ns;
	const char *text;
} times[] = {
	{ "UTC", 1767323045600000000, "2026-01-02T03:04:05.6Z" },
	{ "UTC", 1767323045000000001, "2026-01-02T03:04:05.000000001Z" },
	{ "XST-5:30", 1767323045000000000, "2026-01-02T08:34:05+05:30" },
	{ "XST3:30", 1767323045000000000, "2026-01-01T23:34:05-03:30" },
};

START_TEST(times_are_local_with_their_offset)
{
	char text[64];

	setenv("TZ", times[_i].zone, 1);
	tzset();
	encode_time(times[_i].ns, text, sizeof(text));
	ck_assert_str_eq(text, times[_i].text);
}
END_TEST

START_TEST(before_it_is_ready_it_never_was)
{
	char text[HEALTH_BODY_MAX];

	encode_not_ready(text, sizeof(text));
	ck_assert_str_eq(text, "{\"status\":\"Server not available\","
		"\"upSince\":\"0001-01-01T00:00:00Z\",\"uptime\":\"\"}");
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void)
{
	Suite *suite = suite_create("health_check");
	TCase *tc = tcase_create("health_check");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_running_process_is_available);
	tcase_add_loop_test(tc, answers_on_its_path, 0, N(paths));
	tcase_add_test(tc, says_what_it_was_told_to_say);
	tcase_add_test(tc, keys_without_effect_are_accepted);
	tcase_add_loop_test(tc, a_bad_key_is_refused, 0, N(bad));
	tcase_add_test(tc, an_empty_endpoint_is_refused);
	tcase_add_test(tc, a_socket_that_cannot_be_bound_stops_the_start);
	tcase_add_loop_test(tc, durations_read_like_go, 0, N(durations));
	tcase_add_loop_test(tc, times_are_local_with_their_offset, 0,
			    N(times));
	tcase_add_test(tc, before_it_is_ready_it_never_was);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
