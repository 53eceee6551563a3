/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus text: the encoder alone, and the extension over a socket. */
#include "web.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>

#include "../../../extensions/telemetry/encode.c"

static const struct encode_options plain = {
	.without_units = true, .without_type_suffix = true,
	.without_scope_info = true,
};
static const struct encode_options full = { .scope_version = "1.2" };

#define LABELS(...)							\
	.labels = (const struct weir_label[]){ __VA_ARGS__ },		\
	.n_labels = sizeof((const struct weir_label[]){ __VA_ARGS__ }) / \
		    sizeof(struct weir_label)
#define LABEL(n, v) { WEIR_STR(n), WEIR_STR(v) }

/* The text up to the scrape handler's own series. */
static const char *encode(const struct weir_family *family,
			  const struct encode_options *options)
{
	static char copy[8192];
	struct text text = { 0 };
	char *end;

	encode_metrics(&text, options, family, 1);
	ck_assert(!text.failed);
	ck_assert_int_eq(text.ptr[text.len - 1], '\n');
	snprintf(copy, sizeof(copy), "%.*s", (int)text.len, text.ptr);
	end = strstr(copy, "# HELP promhttp_");
	ck_assert_ptr_nonnull(end);
	*end = '\0';
	text_release(&text);
	return copy;
}

START_TEST(a_counter_keeps_its_name)
{
	struct weir_family family = {
		.name = WEIR_STR("otelcol_exporter_sent_spans"),
		.help = WEIR_STR("Number of spans."),
		.unit = WEIR_STR("{span}"),
		.n_samples = 2, .samples = (const struct weir_sample[]){
			{ LABELS(LABEL("exporter", "otlp/2"),
				 LABEL("server.address", "h")),
			  .counter = UINT64_MAX },
			{ .counter = 0 } },
	};

	ck_assert_str_eq(encode(&family, &plain),
		"# HELP otelcol_exporter_sent_spans Number of spans.\n"
		"# TYPE otelcol_exporter_sent_spans counter\n"
		"otelcol_exporter_sent_spans{exporter=\"otlp/2\","
		"server_address=\"h\"} 18446744073709551615\n"
		"otelcol_exporter_sent_spans 0\n");
}
END_TEST

START_TEST(nothing_in_a_label_or_help_breaks_a_line)
{
	struct weir_family family = {
		.name = WEIR_STR("9 a\nb"), .help = WEIR_STR("a\\b\n\"c\""),
		.type = WEIR_METRIC_GAUGE, .n_samples = 1,
		.samples = (const struct weir_sample[]){
			{ LABELS(LABEL("0{\"", "a\\b\n\"c\"}")),
			  .gauge = INT64_MIN } },
	};

	ck_assert_str_eq(encode(&family, &plain),
		"# HELP _9_a_b a\\\\b\\n\"c\"\n"
		"# TYPE _9_a_b gauge\n"
		"_9_a_b{_0__=\"a\\\\b\\n\\\"c\\\"}\"} -9223372036854775808\n");
}
END_TEST

START_TEST(a_histogram_is_cumulative_and_ends_at_infinity)
{
	static const double bounds[] = { 0.1, 10, 1e21 };
	static const weir_histogram histogram = {
		.buckets = { 1, 2, 0, 4 }, .count = 7, .sum = 12.5 };
	struct weir_family family = {
		.name = WEIR_STR("x"), .help = WEIR_STR("h"),
		.type = WEIR_METRIC_HISTOGRAM,
		.bounds = bounds, .n_bounds = 3, .n_samples = 1,
		.samples = (const struct weir_sample[]){
			{ LABELS(LABEL("p", "batch")),
			  .histogram = &histogram } },
	};

	ck_assert_str_eq(encode(&family, &plain),
		"# HELP x h\n"
		"# TYPE x histogram\n"
		"x_bucket{p=\"batch\",le=\"0.1\"} 1\n"
		"x_bucket{p=\"batch\",le=\"10\"} 3\n"
		"x_bucket{p=\"batch\",le=\"1e+21\"} 3\n"
		"x_bucket{p=\"batch\",le=\"+Inf\"} 7\n"
		"x_sum{p=\"batch\"} 12.5\n"
		"x_count{p=\"batch\"} 7\n");
}
END_TEST

static const struct {
	const char *name, *unit;
	enum weir_metric_type type;
	const char *wanted;
} names[] = {
	{ "up", "s", WEIR_METRIC_COUNTER, "up_seconds_total" },
	{ "cpu_seconds", "s", WEIR_METRIC_COUNTER, "cpu_seconds_total" },
	{ "rss", "By", WEIR_METRIC_GAUGE, "rss_bytes" },
	{ "alloc_bytes", "By", WEIR_METRIC_GAUGE, "alloc_bytes" },
	{ "total_alloc", "By", WEIR_METRIC_COUNTER, "total_alloc_bytes_total" },
	{ "latency", "ms", WEIR_METRIC_GAUGE, "latency_milliseconds" },
	{ "sent", "{span}", WEIR_METRIC_COUNTER, "sent_total" },
	{ "sent_total", "{span}", WEIR_METRIC_COUNTER, "sent_total" },
	{ "sent_total", "By", WEIR_METRIC_COUNTER, "sent_bytes_total" },
	{ "ratio", "1", WEIR_METRIC_GAUGE, "ratio" },
	{ "a.b", "", WEIR_METRIC_GAUGE, "a_b" },
};

START_TEST(units_and_total_are_added_on_request)
{
	struct weir_family family = {
		.name = weir_str_of(names[_i].name),
		.unit = weir_str_of(names[_i].unit), .type = names[_i].type,
		.n_samples = 1, .samples = &(const struct weir_sample){ 0 },
	};
	char wanted[300];

	snprintf(wanted, sizeof(wanted), "\n%s{otel_scope_name=\"weir\","
		 "otel_scope_schema_url=\"\",otel_scope_version=\"1.2\"} 0\n",
		 names[_i].wanted);
	ck_assert_msg(strstr(encode(&family, &full), wanted) != NULL, "%s",
		      encode(&family, &full));
}
END_TEST

static const struct {
	double value;
	const char *text;
} reals[] = {
	{ 0, "0" }, { 0.1, "0.1" }, { 1.986264416, "1.986264416" },
	{ 1.0 / 3, "0.3333333333333333" }, { 1e300, "1e+300" },
	{ -2.5, "-2.5" }, { 999999, "999999" }, { 1048576, "1.048576e+06" },
	{ 1e6, "1e+06" }, { 0.0001, "0.0001" }, { 0.00001, "1e-05" },
	{ 5394944.5, "5.3949445e+06" }, { 524288, "524288" }, { INFINITY, "+Inf" }, { -INFINITY, "-Inf" },
	{ NAN, "NaN" },
};

START_TEST(reals_are_short_and_read_back_the_same)
{
	struct weir_family family = {
		.name = WEIR_STR("x"), .type = WEIR_METRIC_GAUGE,
		.is_real = true, .n_samples = 1,
		.samples = &(const struct weir_sample){
			.real = reals[_i].value },
	};
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "\nx %s\n", reals[_i].text);
	ck_assert_msg(strstr(encode(&family, &plain), wanted) != NULL, "%s",
		      encode(&family, &plain));
}
END_TEST

START_TEST(the_resource_is_in_target_info)
{
	static const struct weir_label resource[] = {
		LABEL("service.name", "weir"), LABEL("a-b", "x\"y") };
	struct encode_options options = plain;
	struct text text = { 0 };
	char *page;

	options.resource = resource;
	options.n_resource = 2;
	encode_metrics(&text, &options, NULL, 0);
	page = strndup(text.ptr, text.len);
	ck_assert_str_eq(page,
		"# HELP promhttp_metric_handler_errors_total "
		"Errors met while answering a scrape.\n"
		"# TYPE promhttp_metric_handler_errors_total counter\n"
		"promhttp_metric_handler_errors_total{cause=\"encoding\"} 0\n"
		"promhttp_metric_handler_errors_total{cause=\"gathering\"} 0\n"
		"# HELP target_info Target metadata\n"
		"# TYPE target_info gauge\n"
		"target_info{service_name=\"weir\",a_b=\"x\\\"y\"} 1\n");
	free(page);
	text_release(&text);
}
END_TEST

static const weir_str only_b = { "b", 1 };
static const struct {
	struct label_filter filter;
	const char *line;
} constants[] = {
	{ { .enabled = false }, "\nx 1\n" },
	{ { .enabled = true }, "\nx{a=\"1\",b=\"2\"} 1\n" },
	{ { .enabled = true, .included = { &only_b, 1 } },
	  "\nx{b=\"2\"} 1\n" },
	{ { .enabled = true, .excluded = { &only_b, 1 } },
	  "\nx{a=\"1\"} 1\n" },
};

START_TEST(the_resource_is_in_every_series_on_request)
{
	static const struct weir_label resource[] = { LABEL("a", "1"),
						      LABEL("b", "2") };
	struct weir_family family = {
		.name = WEIR_STR("x"), .n_samples = 1,
		.samples = &(const struct weir_sample){ .counter = 1 },
	};
	struct encode_options options = plain;

	options.resource = resource;
	options.n_resource = 2;
	options.constant = &constants[_i].filter;
	ck_assert_msg(strstr(encode(&family, &options), constants[_i].line)
			      != NULL, "%s", encode(&family, &options));
}
END_TEST

/* --- the extension -------------------------------------------------------- */

static int free_port(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(any);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert(!bind(fd, (struct sockaddr *)&any, len));
	getsockname(fd, (struct sockaddr *)&any, &len);
	close(fd);
	return ntohs(any.sin_port);
}

static const struct {
	const char *request, *status, *text;
} requests[] = {
	{ "GET /metrics HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ",
	  "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n" },
	{ "GET /metrics HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ",
	  "\n# TYPE otelcol_process_uptime counter\n" },
	{ "GET /metrics?x HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ",
	  "\ntarget_info" },
	{ "POST /metrics HTTP/1.0\r\n\r\n", "HTTP/1.1 405 ",
	  "Allow: GET, HEAD\r\n" },
	{ "GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 404 ", "404 page not found\n" },
	{ "GET /metrics/ HTTP/1.0\r\n\r\n", "HTTP/1.1 404 ", "" },
	{ "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n"
	  "GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
	  "HTTP/1.1 200 ", "Connection: close\r\n" },
};

START_TEST(a_scrape_is_answered)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int port = free_port();
	struct weir_error error = { 0 };
	struct weir_test *t;
	const char *answer;
	char yaml[32];

	snprintf(yaml, sizeof(yaml), "port: %d", port);
	t = weir_test_open(web_plugin("extensions/telemetry"), yaml, 0, &error);
	ck_assert_msg(t != NULL, "%s", error.text);
	ck_assert_msg(!weir_test_start(t, &error), "%s", error.text);
	to.sin_port = htons((uint16_t)port);
	answer = web_ask_at(t, (struct sockaddr *)&to, sizeof(to),
			    requests[_i].request);
	ck_assert_msg(!strncmp(answer, requests[_i].status, 13), "%s", answer);
	ck_assert_msg(strstr(answer, requests[_i].text) != NULL, "%s", answer);
	ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
}
END_TEST

START_TEST(a_port_that_is_none_is_refused)
{
	struct weir_error error = { 0 };

	ck_assert_ptr_null(weir_test_open(web_plugin("extensions/telemetry"),
					  "port: 65536", 0, &error));
	ck_assert_str_eq(error.path, "port");
	ck_assert_str_eq(error.text, "65536 is not a TCP port");
}
END_TEST

START_TEST(a_label_that_is_both_in_and_out_is_refused)
{
	struct weir_error error = { 0 };

	ck_assert_ptr_null(weir_test_open(web_plugin("extensions/telemetry"),
		"with_resource_constant_labels: {included: [a], excluded: "
		"[b, a]}", 0, &error));
	ck_assert_str_eq(error.text, "attribute cannot be in both include and "
				     "exclude list: a");
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void)
{
	Suite *suite = suite_create("telemetry");
	TCase *tc = tcase_create("telemetry");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, a_counter_keeps_its_name);
	tcase_add_test(tc, nothing_in_a_label_or_help_breaks_a_line);
	tcase_add_test(tc, a_histogram_is_cumulative_and_ends_at_infinity);
	tcase_add_loop_test(tc, units_and_total_are_added_on_request, 0,
			    N(names));
	tcase_add_loop_test(tc, reals_are_short_and_read_back_the_same, 0,
			    N(reals));
	tcase_add_test(tc, the_resource_is_in_target_info);
	tcase_add_loop_test(tc, the_resource_is_in_every_series_on_request, 0,
			    N(constants));
	tcase_add_loop_test(tc, a_scrape_is_answered, 0, N(requests));
	tcase_add_test(tc, a_port_that_is_none_is_refused);
	tcase_add_test(tc, a_label_that_is_both_in_and_out_is_refused);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
