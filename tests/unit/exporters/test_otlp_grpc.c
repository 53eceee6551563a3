/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exporters/otlp_grpc: its configuration and its queue while nobody listens.  A backend that answers: tests/e2e.
 */
#include <check.h>
#include <stdio.h>
#include <weir/testing.h>

#include "../../../exporters/otlp_grpc/reply.c"
#include "../../support/spans.h"

static const char *so(void)
{
	static char path[256];
	const char *build = getenv("WEIR_BUILD");

	snprintf(path, sizeof(path), "%s/plugins/exporters/otlp_grpc.so",
		 build ? build : "build");
	return path;
}

/* --- Configuration ------------------------------------------------------------- */

static const struct {
	const char *yaml, *text;
} refused[] = {
	{ "", "requires a non-empty \"endpoint\"" },
	{ "endpoint: \"\"", "requires a non-empty \"endpoint\"" },
	{ "endpoint: http://", "requires a non-empty \"endpoint\"" },
	{ "{endpoint: \"h:1\", tls: {insecure: true}, timeout: -1s}",
	  "'timeout' must be non-negative" },
	{ "{endpoint: \"h:1\", tls: {insecure: true}, "
	  "sending_queue: {queue_size: 0}}",
	  "`queue_size` must be positive" },
	{ "{endpoint: \"h:1\", tls: {insecure: true}, "
	  "sending_queue: {sizer: items, batch: {}}}",
	  "`min_size` must be less than or equal to `queue_size`" },
	{ "{endpoint: \"h:1\", tls: {insecure: true}, "
	  "retry_on_failure: {max_elapsed_time: 10s}}",
	  "'max_elapsed_time' must not be less than 'max_interval'" },
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
	"{endpoint: \"h:1\", tls: {insecure: true}}",
	"{endpoint: \"http://h:1\", tls: {insecure: true}, compression: none}",
	"{endpoint: \"h:1\", tls: {insecure: true}, sending_queue: null}",
	"{endpoint: \"h:1\", tls: {insecure: true}, "
	"sending_queue: {enabled: false, queue_size: 0}}",
	"{endpoint: \"h:1\", tls: {insecure: true}, sending_queue: "
	"{batch: {}}, max_request_bytes: 0}",
};

START_TEST(takes_what_the_collector_takes)
{
	struct weir_error error = { 0 };
	struct weir_test *t = weir_test_open(so(), fine[_i], WEIR_TRACES,
					     &error);

	ck_assert_msg(t, "%s", error.text);
	ck_assert(!weir_test_close(&t, &error));
}
END_TEST

/* --- Labels ------------------------------------------------------------------------ */

static const struct {
	const char *endpoint, *host, *port;
} endpoints[] = {
	{ "backend:4317", "backend", "4317" },
	{ "http://backend:4317", "backend", "4317" },
	{ "dns:///backend:4317", "backend", "4317" },
	{ "[::1]:4317", "::1", "4317" },
	{ "unix:///run/otlp.sock", "unix:///run/otlp.sock", "" },
	{ "backend:otlp", "backend:otlp", "" },
};

START_TEST(labels_name_the_server)
{
	weir_str host, port;

	otlp_host_port(weir_str_of(endpoints[_i].endpoint), &host, &port);
	ck_assert(weir_str_eq(host, weir_str_of(endpoints[_i].host)));
	ck_assert(weir_str_eq(port, weir_str_of(endpoints[_i].port)));
}
END_TEST

/* --- Without a backend ------------------------------------------------------------- */

START_TEST(the_queue_takes_what_it_has_room_for)
{
	struct weir_error error = { 0 };
	struct weir_outcome outcome;
	struct spans spans = spans_make(3);
	struct weir_test *t = weir_test_open(so(),
		"{endpoint: \"127.0.0.1:1\", tls: {insecure: true}, "
		"sending_queue: {queue_size: 2}}", WEIR_TRACES, &error);
	int numbers[3];

	ck_assert_msg(t, "%s", error.text);
	ck_assert_msg(!weir_test_start(t, &error), "%s", error.text);
	for (int i = 0; i < 3; i++) {
		numbers[i] = weir_test_send(t, WEIR_SIGNAL_TRACES, spans.ptr,
					    spans.len, NULL);
		weir_test_run(t);
	}
	free(spans.ptr);
	ck_assert(weir_test_answer(t, numbers[1], &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
	ck_assert(weir_test_answer(t, numbers[2], &outcome));
	ck_assert_int_eq(outcome.status, WEIR_UNAVAILABLE);
	ck_assert_int_eq(outcome.reason, WEIR_REASON_FULL);
	ck_assert(weir_test_metric(t, "otelcol_exporter_queue_size") == 2);
	ck_assert(weir_test_metric(t, "otelcol_exporter_queue_capacity") == 2);
	ck_assert(weir_test_metric(t,
			"otelcol_exporter_in_flight_requests") == 2);
	ck_assert(weir_test_metric(t,
			"otelcol_exporter_enqueue_failed_spans") == 3);
	/* Stopping: one last attempt, each ended by its timeout at the latest. */
	weir_test_stop(t);
	for (int i = 0; i < 3; i++)
		weir_test_advance(t, (weir_duration){ 5000000000 });
	ck_assert_uint_eq(weir_test_held(t), 0);
	ck_assert(weir_test_metric(t,
			"otelcol_exporter_send_failed_spans") == 6);
	ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
}
END_TEST

#define EACH(tc, test, rows) \
	tcase_add_loop_test(tc, test, 0, sizeof(rows) / sizeof(*(rows)))

int main(void)
{
	Suite *suite = suite_create("exporters/otlp_grpc");
	TCase *tc = tcase_create("otlp_grpc");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	EACH(tc, validation_says_what_the_collector_says, refused);
	EACH(tc, takes_what_the_collector_takes, fine);
	EACH(tc, labels_name_the_server, endpoints);
	tcase_add_test(tc, the_queue_takes_what_it_has_room_for);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
