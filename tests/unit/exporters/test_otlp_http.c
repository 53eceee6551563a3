/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exporters/otlp_http: its configuration, what it makes of an answer, and its
 * queue while nobody listens.  A backend that answers: tests/e2e.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir/testing.h>

#include "../../../exporters/otlp_http/json.c"
#include "../../../exporters/otlp_http/reply.c"
#include "../../support/spans.h"

static const char *so(void)
{
	static char path[256];
	const char *build = getenv("WEIR_BUILD");

	snprintf(path, sizeof(path), "%s/plugins/exporters/otlp_http.so",
		 build ? build : "build");
	return path;
}

/* --- Configuration -------------------------------------------------------- */

static const struct {
	const char *yaml, *text;
} refused[] = {
	{ "", "at least one endpoint must be specified" },
	{ "endpoint: \"\"", "at least one endpoint must be specified" },
	{ "logs_endpoint: http://h",
	  "either endpoint or traces_endpoint must be specified" },
	{ "endpoint: localhost:4318", "endpoint must be a valid URL: the URL "
	  "\"localhost:4318\" does not begin with http:// or https://" },
	{ "traces_endpoint: http://h:x", "traces_endpoint must be a valid URL: "
	  "invalid port \"x\" in the URL" },
	{ "{endpoint: http://h, encoding: JSON}",
	  "invalid encoding type: JSON" },
	{ "{endpoint: http://h, compression: br}",
	  "unsupported compression type \"br\"" },
	{ "{endpoint: http://h, compression_params: {level: 10}}",
	  "unsupported parameters {Level:10} for compression type \"gzip\"" },
	{ "{endpoint: http://h, timeout: -1s}",
	  "'timeout' must be non-negative" },
	{ "{endpoint: http://h, sending_queue: {queue_size: 0}}",
	  "`queue_size` must be positive" },
	{ "{endpoint: http://h, auth: {authenticator: x}}",
	  "authentication is not available yet: take the block out" },
	{ "{endpoint: https://h, tls: {insecure_skip_verify: true}}",
	  "TLS settings are not available yet: https:// is verified by the "
	  "system's authorities, and only `insecure` is understood here" },
	{ "{endpoint: https://h, tls: {ca_file: /x}}",
	  "TLS settings are not available yet: https:// is verified by the "
	  "system's authorities, and only `insecure` is understood here" },
};

START_TEST(validation_says_what_the_collector_says)
{
	struct weir_error error = { 0 };

	ck_assert_ptr_null(weir_test_open(so(), refused[_i].yaml,
					  WEIR_TRACES, &error));
	ck_assert_str_eq(error.text, refused[_i].text);
}
END_TEST

static const char *const fine[] = {
	"endpoint: http://h",
	"traces_endpoint: https://h:1/x",
	"{endpoint: http://h, compression: lz4, encoding: json}",
	"{endpoint: http://h, tls: {insecure: true}, sending_queue: null}",
	"{endpoint: http://h, max_request_bytes: 4MB, cookies: {}}",
	"{endpoint: http://h, max_idle_conns: -1, read_buffer_size: -1, "
	"idle_conn_timeout: -1s, http2_read_idle_timeout: 10s}",
};

START_TEST(takes_what_the_collector_takes)
{
	struct weir_error error = { 0 };
	struct weir_test *t = weir_test_open(so(), fine[_i], WEIR_TRACES,
					     &error);

	ck_assert_msg(t, "%s", error.text);
	ck_assert_msg(!weir_test_start(t, &error), "%s", error.text);
	ck_assert(!weir_test_close(&t, &error));
}
END_TEST

/* --- When to try again ---------------------------------------------------- */

#define WALL (UINT64_C(784111777) * 1000000000)	/* the date of RFC 9110 */

static const struct {
	const char *value;
	int64_t seconds;
} waits[] = {
	{ "0", 0 }, { "7", 7 }, { "+7", 7 }, { "-7", 0 }, { "", 0 },
	{ "7.5", 0 }, { "soon", 0 }, { " 7", 0 },
	{ "Sun, 06 Nov 1994 08:49:37 GMT", 0 },		/* now */
	{ "Sun, 06 Nov 1994 08:49:47 GMT", 10 },
	{ "Sun, 06 Nov 1994 08:49:47 UTC", 10 },
	{ "Sun, 06 Nov 1994 08:49:47 CET", 0 },
	{ "Sat, 05 Nov 1994 08:49:37 GMT", 0 },		/* past */
	{ "Sun, 06 Nov 1994 08:49:47 GMT and then some more of it, so that it "
	  "is too long", 0 },
};

START_TEST(retry_after_is_seconds_or_a_date)
{
	weir_duration got = otlp_http_retry_after(
		weir_str_of(waits[_i].value), WALL);

	ck_assert_msg(got.ns == waits[_i].seconds * 1000000000, "%s: %lld",
		      waits[_i].value, (long long)got.ns);
}
END_TEST

START_TEST(a_wait_of_aeons_stays_a_number)	/* 126 */
{
	static const char *const aeons[] = {
		"9223372036", "9223372037", "1000000000000000000",
		"99999999999999999999999999999999999999",
		"Thu, 01 Jan 2299 00:00:00 GMT",
		"Fri, 31 Dec 9999 23:59:59 GMT"
	};

	for (size_t i = 0; i < sizeof(aeons) / sizeof(*aeons); i++)
		ck_assert_int_ge(otlp_http_retry_after(weir_str_of(aeons[i]),
						       WALL).ns,
				 INT64_C(100000000000000000));
}
END_TEST

/* --- Answers -------------------------------------------------------------- */

static const struct {
	const char *why, *text;
	bool good;
	uint64_t rejected;
	const char *message;
} documents[] = {
	{ "nothing said", "{}", true, 0, "" },
	{ "a number in a string",
	  "{\"partialSuccess\":{\"rejectedSpans\":\"5\"}}", true, 5, "" },
	{ "a number", "{\"partial_success\":{\"rejected_log_records\":5,"
	  "\"error_message\":\"no\"}}", true, 5, "no" },
	{ "below zero is none",				/* 127 */
	  "{\"partialSuccess\":{\"rejectedDataPoints\":\"-5\"}}", true, 0, "" },
	{ "null is absent", "{\"partialSuccess\":null}", true, 0, "" },
	{ "unknown keys", "{\"x\":[1],\"partialSuccess\":{\"y\":{}}}", true, 0,
	  "" },
	{ "control characters do not reach a log",	/* 113 */
	  "{\"partialSuccess\":{\"errorMessage\":\"a\\u001bb\"}}", true, 0,
	  "a?b" },
	{ "a list", "[]", false, 0, "" },
	{ "no JSON", "<html>", false, 0, "" },
	{ "half of it", "{\"partialSuccess\":{", false, 0, "" },
	{ "something behind it", "{} {}", false, 0, "" },
	{ "not an object", "{\"partialSuccess\":5}", false, 0, "" },
	{ "a text that is none", "{\"partialSuccess\":{\"errorMessage\":5}}",
	  false, 0, "" },
	{ "a number that is none",
	  "{\"partialSuccess\":{\"rejectedSpans\":\"5x\"}}", false, 0, "" },
	{ "a fraction", "{\"partialSuccess\":{\"rejectedSpans\":1.5}}", false,
	  0, "" },
};

START_TEST(json_answers_are_read_with_care)
{
	struct weir_outcome outcome = { .status = WEIR_OK };
	const char *text = documents[_i].text;

	ck_assert_msg(otlp_http_json_partial((const uint8_t *)text,
					     strlen(text), &outcome) ==
		      documents[_i].good, "%s", documents[_i].why);
	if (!documents[_i].good)
		return;
	ck_assert_msg(outcome.rejected == documents[_i].rejected, "%s",
		      documents[_i].why);
	ck_assert_str_eq(outcome.text, documents[_i].message);
}
END_TEST

START_TEST(deep_json_is_refused)
{
	uint8_t deep[60000];
	struct weir_outcome outcome;

	memset(deep, '[', sizeof(deep));
	ck_assert(!otlp_http_json_partial(deep, sizeof(deep), &outcome));
}
END_TEST

static const struct {
	int http;
	enum weir_status status;
	enum weir_reason reason;
	bool again;
} statuses[] = {
	{ 200, WEIR_OK, WEIR_REASON_NONE, false },
	{ 299, WEIR_OK, WEIR_REASON_NONE, false },
	{ 100, WEIR_UNKNOWN, WEIR_REASON_BACKEND, false },
	{ 304, WEIR_UNKNOWN, WEIR_REASON_BACKEND, false },
	{ 400, WEIR_INVALID_ARGUMENT, WEIR_REASON_BACKEND, false },
	{ 408, WEIR_UNKNOWN, WEIR_REASON_BACKEND, false },
	{ 413, WEIR_RESOURCE_EXHAUSTED, WEIR_REASON_TOO_BIG, false },
	{ 429, WEIR_UNAVAILABLE, WEIR_REASON_QUOTA, true },
	{ 500, WEIR_UNKNOWN, WEIR_REASON_BACKEND, false },
	{ 502, WEIR_UNAVAILABLE, WEIR_REASON_BACKEND, true },
	{ 503, WEIR_UNAVAILABLE, WEIR_REASON_BACKEND, true },
	{ 504, WEIR_UNAVAILABLE, WEIR_REASON_BACKEND, true },
};

START_TEST(a_status_decides_what_becomes_of_the_data)
{
	const struct weir_http_reply reply = { .status = statuses[_i].http };
	struct weir_outcome outcome;

	otlp_http_outcome(&reply, WEIR_STR("http://h/v1/traces"), WALL,
			  &outcome);
	ck_assert_int_eq(outcome.status, statuses[_i].status);
	ck_assert_int_eq(outcome.reason, statuses[_i].reason);
	ck_assert_int_eq(weir_outcome_retryable(&outcome), statuses[_i].again);
}
END_TEST

START_TEST(texts_are_the_collectors)
{
	const struct weir_http_header later = { WEIR_STR("retry-after"),
						WEIR_STR("3") };
	struct weir_http_reply reply = { .status = 503, .headers = &later,
					 .n_headers = 1 };
	weir_str url = WEIR_STR("http://h/v1/traces");
	struct weir_outcome outcome;

	otlp_http_outcome(&reply, url, WALL, &outcome);
	ck_assert_str_eq(outcome.text, "rpc error: code = Unavailable desc = "
			 "error exporting items, request to http://h/v1/traces "
			 "responded with HTTP Status Code 503, Message=, "
			 "Details=[]");
	ck_assert_int_eq(outcome.retry_after.ns, 3000000000);
	reply.status = 502;	/* only 429 and 503 may say when */
	otlp_http_outcome(&reply, url, WALL, &outcome);
	ck_assert_int_eq(outcome.retry_after.ns, 0);
	reply = (struct weir_http_reply){ .outcome = {
		.status = WEIR_UNAVAILABLE, .text = "EOF" } };
	otlp_http_outcome(&reply, url, WALL, &outcome);
	ck_assert_str_eq(outcome.text, "failed to make an HTTP request: Post "
			 "\"http://h/v1/traces\": EOF");
}
END_TEST

START_TEST(texts_hold_no_secret_of_the_url)
{
	weir_str url = WEIR_STR("http://user:hush@h/v1/traces?key=hush");
	struct weir_http_reply reply = { .status = _i };
	struct weir_outcome outcome;

	otlp_http_outcome(&reply, url, WALL, &outcome);
	ck_assert(strstr(outcome.text, "http://***@h/v1/traces?***"));
	ck_assert(!strstr(outcome.text, "hush"));
}
END_TEST

/* --- Without a backend ---------------------------------------------------- */

START_TEST(what_is_under_way_ends_with_the_component)
{
	struct weir_error error = { 0 };
	struct spans spans = spans_make(3);
	struct weir_test *t = weir_test_open(so(),
		"{endpoint: \"http://127.0.0.1:1\", encoding: json, "
		"max_conns_per_host: 1, sending_queue: {queue_size: 2}}",
		WEIR_TRACES, &error);
	struct weir_outcome outcome;
	int numbers[3];

	ck_assert_msg(t, "%s", error.text);
	ck_assert_msg(!weir_test_start(t, &error), "%s", error.text);
	for (int i = 0; i < 3; i++)
		numbers[i] = weir_test_send(t, WEIR_SIGNAL_TRACES, spans.ptr,
					    spans.len, NULL);
	weir_test_run(t);
	free(spans.ptr);
	ck_assert(weir_test_answer(t, numbers[0], &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
	ck_assert(weir_test_answer(t, numbers[2], &outcome));
	ck_assert_int_eq(outcome.reason, WEIR_REASON_FULL);
	ck_assert(weir_test_metric(t, "otelcol_exporter_queue_size") == 2);
	ck_assert(weir_test_metric(t,
			"otelcol_exporter_in_flight_requests") == 2);
	ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
}
END_TEST

#define EACH(tc, test, rows) \
	tcase_add_loop_test(tc, test, 0, sizeof(rows) / sizeof(*(rows)))

int main(void)
{
	Suite *suite = suite_create("exporters/otlp_http");
	TCase *tc = tcase_create("otlp_http");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	EACH(tc, validation_says_what_the_collector_says, refused);
	EACH(tc, takes_what_the_collector_takes, fine);
	EACH(tc, retry_after_is_seconds_or_a_date, waits);
	tcase_add_test(tc, a_wait_of_aeons_stays_a_number);
	EACH(tc, json_answers_are_read_with_care, documents);
	tcase_add_test(tc, deep_json_is_refused);
	EACH(tc, a_status_decides_what_becomes_of_the_data, statuses);
	tcase_add_test(tc, texts_are_the_collectors);
	tcase_add_loop_test(tc, texts_hold_no_secret_of_the_url, 0, 1);
	tcase_add_loop_test(tc, texts_hold_no_secret_of_the_url, 503, 504);
	tcase_add_test(tc, what_is_under_way_ends_with_the_component);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
