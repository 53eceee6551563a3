/* SPDX-License-Identifier: Apache-2.0 */
/* receivers/otlp: which configurations make sense, and what is said of others. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/testing.h>

static const char *so(void)
{
	static char path[256];
	const char *build = getenv("WEIR_BUILD");

	snprintf(path, sizeof(path), "%s/plugins/receivers/otlp.so",
		 build ? build : "build");
	return path;
}

#define HTTP(keys) "{protocols: {http: {" keys "}}}"
#define URL "invalid HTTP URL path set for signal: parse "

static const struct {
	const char *yaml, *path, *text;	/* text NULL: it is fine */
} configs[] = {
	/* a null and an empty block both turn a protocol on */
	{ "{protocols: {grpc: }}", NULL, NULL },
	{ "{protocols: {grpc: {}}}", NULL, NULL },
	{ "{protocols: {http: }}", NULL, NULL },
	{ "{protocols: {http: {}}}", NULL, NULL },
	{ "{protocols: {grpc: , http: }}", NULL, NULL },
	{ "{}", "", "must specify at least one protocol" },
	{ "{protocols: }", "", "must specify at least one protocol" },
	{ "{protocols: {}}", "", "must specify at least one protocol" },
	{ "{protocols: {htp: }}", "protocols", "did you mean \"http\"" },

	{ HTTP("traces_url_path: a/b"), NULL, NULL },
	{ HTTP("traces_url_path: 'http://h:1/a?b#c'"), NULL, NULL },
	{ HTTP("traces_url_path: ''"), NULL, NULL },
	{ HTTP("traces_url_path: ':a'"), "protocols.http.traces_url_path",
	  URL "\":a\": missing protocol scheme" },
	{ HTTP("metrics_url_path: '/a%zz'"), "protocols.http.metrics_url_path",
	  URL "\"/a%zz\": invalid URL escape" },
	{ HTTP("metrics_url_path: '/a%4'"), "protocols.http.metrics_url_path",
	  "invalid URL escape" },
	{ HTTP("logs_url_path: '1a:b'"), "protocols.http.logs_url_path",
	  "first path segment in URL cannot contain colon" },
	{ HTTP("logs_url_path: \"/a\\tb\""), "protocols.http.logs_url_path",
	  "invalid control character in URL" },
	{ HTTP("logs_url_path: '/%00'"), "protocols.http.logs_url_path",
	  "NUL" },
	{ HTTP("metrics_url_path: v1/traces"),
	  "protocols.http.metrics_url_path",
	  "/v1/traces is the path of another signal: traces_url_path" },
	{ HTTP("logs_url_path: '/v1/%74races'"), "protocols.http.logs_url_path",
	  "is the path of another signal" },

	{ HTTP("endpoint: nowhere"), "protocols.http.endpoint",
	  "missing port in address" },
	{ HTTP("endpoint: 'a:99999'"), "protocols.http.endpoint",
	  "invalid port" },
	{ HTTP("tls: {}"), "protocols.http.tls", "not available yet" },
	{ HTTP("auth: {authenticator: x}"), "protocols.http.auth",
	  "not available yet" },
	{ HTTP("response_headers: {'a b': c}"),
	  "protocols.http.response_headers", "a name is not one of a header" },
	{ HTTP("max_body: 1"), "protocols.http", "unknown key" },
};

START_TEST(a_configuration_is_taken_or_a_sentence_says_why)
{
	struct weir_error error = { 0 };
	struct weir_test *t = weir_test_open(so(), configs[_i].yaml,
					     WEIR_ALL_SIGNALS, &error);

	if (!configs[_i].text) {
		ck_assert_msg(t, "%s: %s", configs[_i].yaml, error.text);
		weir_test_close(&t, &error);
		return;
	}
	ck_assert_msg(!t, "%s is taken", configs[_i].yaml);
	ck_assert_msg(strstr(error.text, configs[_i].text), "%s: %s",
		      configs[_i].yaml, error.text);
	ck_assert_msg(strstr(error.path, configs[_i].path), "%s: at %s",
		      configs[_i].yaml, error.path);
}
END_TEST

START_TEST(what_serves_both_starts_and_stops)
{
	struct weir_error error = { 0 };
	struct weir_test *t = weir_test_open(so(), "{protocols: {grpc: "
		"{endpoint: '127.0.0.1:0'}, http: {endpoint: '127.0.0.1:0'}}}",
		WEIR_ALL_SIGNALS, &error);

	ck_assert_msg(t, "%s", error.text);
	ck_assert_msg(!weir_test_start(t, &error), "%s", error.text);
	ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("receivers/otlp");
	TCase *tc = tcase_create("otlp");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, a_configuration_is_taken_or_a_sentence_says_why,
			    0, (int)(sizeof(configs) / sizeof(*configs)));
	tcase_add_test(tc, what_serves_both_starts_and_stops);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
