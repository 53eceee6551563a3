/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry_push: its bytes against protobuf-c, differences, refusals, and its
 * life beside a backend that is slow.  gRPC and the drain: tests/e2e.
 */
#include "web.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>

#include "otlp_metrics.pb-c.h"

#include "../../../extensions/telemetry_push/delta.c"
#include "../../../extensions/telemetry_push/encode.c"

#define LABELS(...)							\
	.labels = (const struct weir_label[]){ __VA_ARGS__ },		\
	.n_labels = sizeof((const struct weir_label[]){ __VA_ARGS__ }) / \
		    sizeof(struct weir_label)
#define LABEL(n, v) { WEIR_STR(n), WEIR_STR(v) }

static bool is(ProtobufCBinaryData data, const char *text)
{
	return weir_str_eq((weir_str){ (const char *)data.data, data.len },
			   weir_str_of(text));
}

/* --- Bytes -------------------------------------------------------------- */

static const struct weir_label resource[] = {
	LABEL("service.name", "weir"), LABEL("zone", ""),
};
static struct encode_options cumulative = {
	.resource = resource, .n_resource = 2, .scope_version = "1.2",
	.start = 1000, .last = 5000, .now = 9000,
};

static Otlp__ExportMetricsServiceRequest *request;

/* The metrics of a request, as protobuf-c reads it. */
static Otlp__ScopeMetrics *encoded(const struct encode_options *options,
				   const struct weir_family *families, size_t n)
{
	struct weir_text text = { 0 };

	if (request)
		otlp__export_metrics_service_request__free_unpacked(request,
								    NULL);
	encode_request(&text, options, families, n);
	request = otlp__export_metrics_service_request__unpack(
		NULL, text.len, (const uint8_t *)text.ptr);
	ck_assert_ptr_nonnull(request);
	/* nothing that it does not know, no length in more bytes than needed */
	ck_assert_uint_eq(
		otlp__export_metrics_service_request__get_packed_size(request),
		text.len);
	weir_text_release(&text);
	ck_assert_uint_eq(request->n_resource_metrics, 1);
	ck_assert_uint_eq(request->resource_metrics[0]->n_scope_metrics, 1);
	return request->resource_metrics[0]->scope_metrics[0];
}

START_TEST(resource_and_scope_say_who_sends)
{
	Otlp__ScopeMetrics *scope = encoded(&cumulative, NULL, 0);
	Otlp__Resource *r = request->resource_metrics[0]->resource;

	ck_assert(is(scope->scope->name, "weir"));
	ck_assert(is(scope->scope->version, "1.2"));
	ck_assert_uint_eq(scope->n_metrics, 0);
	ck_assert_uint_eq(r->n_attributes, 2);
	ck_assert(is(r->attributes[0]->key, "service.name"));
	ck_assert(is(r->attributes[0]->value->string_value, "weir"));
	ck_assert(is(r->attributes[1]->value->string_value, ""));
}
END_TEST

START_TEST(a_counter_is_a_monotonic_sum)
{
	struct weir_family family = {
		.name = WEIR_STR("otelcol_exporter_sent_spans"),
		.help = WEIR_STR("Number of spans."),
		.unit = WEIR_STR("{span}"), .n_samples = 2,
		.samples = (const struct weir_sample[]){
			{ LABELS(LABEL("exporter", "otlp/2")), .counter = 7 },
			{ .counter = UINT64_C(1) << 62 } },
	};
	Otlp__Metric *m = encoded(&cumulative, &family, 1)->metrics[0];
	Otlp__NumberDataPoint *p;

	ck_assert(is(m->name, "otelcol_exporter_sent_spans"));
	ck_assert(is(m->description, "Number of spans."));
	ck_assert(is(m->unit, "{span}"));
	ck_assert_int_eq(m->data_case, OTLP__METRIC__DATA_SUM);
	ck_assert(m->sum->is_monotonic);
	ck_assert_int_eq(m->sum->aggregation_temporality, 2);
	ck_assert_uint_eq(m->sum->n_data_points, 2);
	p = m->sum->data_points[0];
	ck_assert_int_eq(p->value_case,
			 OTLP__NUMBER_DATA_POINT__VALUE_AS_INT);
	ck_assert_int_eq(p->as_int, 7);
	ck_assert_uint_eq(p->start_time_unix_nano, 1000);
	ck_assert_uint_eq(p->time_unix_nano, 9000);
	ck_assert(is(p->attributes[0]->key, "exporter"));
	ck_assert(is(p->attributes[0]->value->string_value, "otlp/2"));
	ck_assert_int_eq(m->sum->data_points[1]->as_int, INT64_C(1) << 62);
}
END_TEST

START_TEST(attributes_have_their_dots_and_types)
{
	struct weir_family family = {
		.name = WEIR_STR("x"), .n_samples = 2,
		.samples = (const struct weir_sample[]){
			{ LABELS(LABEL("otel_signal", "logs"),
				 LABEL("server_address", "h"),
				 LABEL("server_port", "4317"),
				 LABEL("url_path", "/v1/logs"),
				 LABEL("data_type", "logs")) },
			{ LABELS(LABEL("server_port", "http"),
				 LABEL("server_port", "")) } },
	};
	static const char *const keys[] = { "otel.signal", "server.address",
		"server.port", "url.path", "data_type" };
	Otlp__Metric *m = encoded(&cumulative, &family, 1)->metrics[0];
	Otlp__NumberDataPoint *p = m->sum->data_points[0];

	for (size_t i = 0; i < 5; i++)
		ck_assert(is(p->attributes[i]->key, keys[i]));
	ck_assert_int_eq(p->attributes[2]->value->value_case,
			 OTLP__ANY_VALUE__VALUE_INT_VALUE);
	ck_assert_int_eq(p->attributes[2]->value->int_value, 4317);
	ck_assert(is(p->attributes[3]->value->string_value, "/v1/logs"));
	p = m->sum->data_points[1];
	ck_assert(is(p->attributes[0]->value->string_value, "http"));
	ck_assert(is(p->attributes[1]->value->string_value, ""));
}
END_TEST

START_TEST(a_gauge_may_be_negative_and_a_number_real)
{
	const struct weir_family families[] = {
		{ .name = WEIR_STR("g"), .type = WEIR_METRIC_GAUGE,
		  .n_samples = 1,
		  .samples = &(const struct weir_sample){ .gauge = -5 } },
		{ .name = WEIR_STR("r"), .is_real = true, .n_samples = 1,
		  .samples = &(const struct weir_sample){ .real = 1.25 } },
		{ .name = WEIR_STR("none") },
	};
	Otlp__ScopeMetrics *all = encoded(&cumulative, families, 3);

	ck_assert_uint_eq(all->n_metrics, 2);	/* none has no points */
	ck_assert_int_eq(all->metrics[0]->data_case, OTLP__METRIC__DATA_GAUGE);
	ck_assert_int_eq(all->metrics[0]->gauge->data_points[0]->as_int, -5);
	ck_assert_int_eq(all->metrics[1]->sum->data_points[0]->value_case,
			 OTLP__NUMBER_DATA_POINT__VALUE_AS_DOUBLE);
	ck_assert_double_eq(all->metrics[1]->sum->data_points[0]->as_double,
			    1.25);
}
END_TEST

START_TEST(what_comes_and_goes_is_a_sum_that_may_fall)
{
	struct weir_family family = {
		.name = WEIR_STR("otelcol_exporter_in_flight_requests"),
		.type = WEIR_METRIC_GAUGE, .n_samples = 1,
		.samples = &(const struct weir_sample){ .gauge = 3 },
	};
	Otlp__Metric *m = encoded(&cumulative, &family, 1)->metrics[0];

	ck_assert_int_eq(m->data_case, OTLP__METRIC__DATA_SUM);
	ck_assert(!m->sum->has_is_monotonic || !m->sum->is_monotonic);
	ck_assert_int_eq(m->sum->aggregation_temporality, 2);
}
END_TEST

static const double bounds[] = { 0.5, 10 };
static weir_histogram histogram = { .buckets = { 1, 0, 4 }, .count = 5,
				    .sum = 88.5 };
static const struct weir_label of_batch = LABEL("processor", "batch");
static const struct weir_sample histogram_sample = {
	.labels = &of_batch, .n_labels = 1, .histogram = &histogram };
static const struct weir_family of_histogram = {
	.name = { "h", 1 }, .type = WEIR_METRIC_HISTOGRAM,
	.bounds = bounds, .n_bounds = 2, .n_samples = 1,
	.samples = &histogram_sample,
};

START_TEST(a_histogram_has_its_buckets_and_bounds)
{
	Otlp__Metric *m = encoded(&cumulative, &of_histogram, 1)->metrics[0];
	Otlp__HistogramDataPoint *p = m->histogram->data_points[0];

	ck_assert_int_eq(m->data_case, OTLP__METRIC__DATA_HISTOGRAM);
	ck_assert_int_eq(m->histogram->aggregation_temporality, 2);
	ck_assert_uint_eq(p->count, 5);
	ck_assert_double_eq(p->sum, 88.5);
	ck_assert_uint_eq(p->n_bucket_counts, 3);
	ck_assert_uint_eq(p->bucket_counts[2], 4);
	ck_assert_uint_eq(p->n_explicit_bounds, 2);
	ck_assert_double_eq(p->explicit_bounds[1], 10);
	ck_assert(is(p->attributes[0]->value->string_value, "batch"));
}
END_TEST

/* Lengths of one, two and three bytes, in every message around the text. */
START_TEST(a_length_takes_the_bytes_it_needs)
{
	static const size_t sizes[] = { 0, 90, 127, 128, 16000, 16383, 16384,
					70000 };
	char *long_text = malloc(sizes[_i] + 1);
	struct weir_label label = { WEIR_STR("k"), { long_text, sizes[_i] } };
	struct weir_sample sample = { .labels = &label, .n_labels = 1 };
	struct weir_family family = { .name = WEIR_STR("x"), .n_samples = 1,
				      .samples = &sample };
	Otlp__Metric *m;

	memset(long_text, 'v', sizes[_i]);
	m = encoded(&cumulative, &family, 1)->metrics[0];
	ck_assert_uint_eq(m->sum->data_points[0]->attributes[0]->value
				  ->string_value.len, sizes[_i]);
	free(long_text);
}
END_TEST

START_TEST(without_a_start_there_is_none)
{
	struct weir_family family = {
		.name = WEIR_STR("x"), .n_samples = 1,
		.samples = &(const struct weir_sample){ 0 },
	};
	struct encode_options early = { .scope_version = "", .now = 3 };
	Otlp__Metric *m = encoded(&early, &family, 1)->metrics[0];

	ck_assert(!m->sum->data_points[0]->has_start_time_unix_nano);
}
END_TEST

/* --- Differences -------------------------------------------------------- */

static const struct {
	const char *name;
	enum weir_metric_type type;
	enum preference preference;
	bool delta;
} temporalities[] = {
	{ "x", WEIR_METRIC_COUNTER, PREFER_CUMULATIVE, false },
	{ "x", WEIR_METRIC_COUNTER, PREFER_DELTA, true },
	{ "x", WEIR_METRIC_GAUGE, PREFER_DELTA, false },
	{ "x", WEIR_METRIC_HISTOGRAM, PREFER_DELTA, true },
	{ "otelcol_process_uptime", WEIR_METRIC_COUNTER, PREFER_DELTA, true },
	{ "x", WEIR_METRIC_COUNTER, PREFER_LOWMEMORY, true },
	{ "x", WEIR_METRIC_HISTOGRAM, PREFER_LOWMEMORY, true },
	{ "otelcol_process_uptime", WEIR_METRIC_COUNTER, PREFER_LOWMEMORY,
	  false },
};

START_TEST(the_preference_says_what_is_a_difference)
{
	struct weir_sample sample = { .histogram = &histogram };
	struct weir_family family = {
		.name = weir_str_of(temporalities[_i].name),
		.type = temporalities[_i].type,
		.samples = &sample, .n_samples = 1,
		.bounds = bounds, .n_bounds = 2,
	};
	struct encode_options options = cumulative;
	bool delta = temporalities[_i].delta;
	Otlp__Metric *m;

	options.preference = temporalities[_i].preference;
	m = encoded(&options, &family, 1)->metrics[0];
	if (family.type == WEIR_METRIC_HISTOGRAM) {
		ck_assert_int_eq(m->histogram->aggregation_temporality,
				 delta ? 1 : 2);
		ck_assert_uint_eq(m->histogram->data_points[0]
					  ->start_time_unix_nano,
				  delta ? 5000 : 1000);
	} else if (family.type == WEIR_METRIC_COUNTER) {
		ck_assert_int_eq(m->sum->aggregation_temporality,
				 delta ? 1 : 2);
		ck_assert_uint_eq(m->sum->data_points[0]->start_time_unix_nano,
				  delta ? 5000 : 1000);
	} else {
		ck_assert_int_eq(m->data_case, OTLP__METRIC__DATA_GAUGE);
	}
}
END_TEST

/* Two series, whose values are a and b now: what is sent of them. */
static void take(struct delta *delta, uint64_t a, uint64_t b, uint64_t *of_a,
		 uint64_t *of_b)
{
	const struct weir_sample samples[] = {
		{ LABELS(LABEL("k", "a")), .counter = a },
		{ LABELS(LABEL("k", "b")), .counter = b },
	};
	const struct weir_family families[] = {
		{ .name = WEIR_STR("g"), .type = WEIR_METRIC_GAUGE,
		  .samples = samples, .n_samples = 1 },
		{ .name = WEIR_STR("x"), .samples = samples, .n_samples = 2 },
	};
	struct weir_family *out = delta_take(delta, PREFER_DELTA, families, 2);

	ck_assert_uint_eq(out[0].samples[0].counter, a);	/* a gauge */
	*of_a = out[1].samples[0].counter;
	*of_b = out[1].samples[1].counter;
	delta_free(&out);
	ck_assert_ptr_null(out);
}

START_TEST(a_difference_is_to_what_arrived)
{
	struct delta delta = { 0 };
	uint64_t a, b;

	take(&delta, 5, 7, &a, &b);
	ck_assert(a == 5 && b == 7);
	delta_arrived(&delta);
	take(&delta, 6, 7, &a, &b);
	ck_assert(a == 1 && b == 0);
	take(&delta, 9, 8, &a, &b);	/* the one before was lost */
	ck_assert(a == 4 && b == 1);
	delta_arrived(&delta);
	take(&delta, 2, 8, &a, &b);	/* a began anew */
	ck_assert(a == 2 && b == 0);
	delta_release(&delta);
}
END_TEST

START_TEST(histograms_and_reals_are_differences_too)
{
	weir_histogram now = histogram;
	const struct weir_sample samples[] = { { .histogram = &now } };
	struct weir_sample real[] = { { .real = 1.5 } };
	struct weir_family families[] = { of_histogram,
		{ .name = WEIR_STR("r"), .is_real = true, .samples = real,
		  .n_samples = 1 } };
	struct delta delta = { 0 };
	struct weir_family *out;

	families[0].samples = samples;
	out = delta_take(&delta, PREFER_DELTA, families, 2);
	ck_assert_uint_eq(out[0].samples[0].histogram->count, 5);
	delta_free(&out);
	delta_arrived(&delta);
	now.buckets[1] += 2;
	now.count += 2;
	now.sum += 10;
	real[0].real = 4;
	out = delta_take(&delta, PREFER_DELTA, families, 2);
	ck_assert_uint_eq(out[0].samples[0].histogram->count, 2);
	ck_assert_uint_eq(out[0].samples[0].histogram->buckets[0], 0);
	ck_assert_uint_eq(out[0].samples[0].histogram->buckets[1], 2);
	ck_assert_double_eq(out[0].samples[0].histogram->sum, 10);
	ck_assert_double_eq(out[1].samples[0].real, 2.5);
	ck_assert_uint_eq(now.count, 7);	/* the snapshot is as it was */
	delta_free(&out);
	delta_release(&delta);
}
END_TEST

/* --- Refusals ----------------------------------------------------------- */

#define OTLP(more) "exporter: {otlp: {protocol: grpc, endpoint: " \
		   "'http://h:1', " more "}}"

static const struct {
	const char *yaml, *path, *text;
} refused[] = {
	{ "", "exporter", "no valid metric exporter" },
	{ "exporter: {otlp: }", "exporter", "no valid metric exporter" },
	{ "exporter: {console: 1}", "exporter.console", "expected a map" },
	{ "exporter: {console: {}, otlp: {}}", "exporter",
	  "must not specify multiple exporters" },
	{ "exporter: {otlp: {}}", "exporter.otlp", "no valid metric exporter" },
	{ "exporter: {otlp: {protocol: pigeon}}", "exporter.otlp.protocol",
	  "unsupported protocol \"pigeon\"" },
	{ "exporter: {otlp: {protocol: grpc}}", "exporter.otlp",
	  "endpoint must be specified" },
	{ "exporter: {otlp: {protocol: grpc, endpoint: 'h:1'}}",
	  "exporter.otlp.endpoint", "TLS is not available yet: write http://" },
	{ "exporter: {otlp: {protocol: grpc, endpoint: 'https://h:1', "
	  "insecure: true}}", "exporter.otlp.endpoint", "TLS" },
	{ "exporter: {otlp: {protocol: grpc, endpoint: 'http://h'}}",
	  "exporter.otlp.endpoint", "missing port in address" },
	{ "exporter: {otlp: {protocol: grpc, endpoint: 'http://'}}",
	  "exporter.otlp.endpoint", "no host in the URL" },
	{ "exporter: {otlp: {protocol: http/protobuf, endpoint: 'http://h:x'}}",
	  "exporter.otlp.endpoint", "invalid port" },
	{ OTLP("compression: zstd"), "exporter.otlp.compression",
	  "unsupported compression \"zstd\"" },
	{ OTLP("temporality_preference: x"),
	  "exporter.otlp.temporality_preference",
	  "unsupported temporality preference \"x\"" },
	{ OTLP("headers_list: a=b"), "exporter.otlp.headers_list",
	  "write `headers`" },
	{ OTLP("certificate: /c"), "exporter.otlp.certificate",
	  "TLS settings are not available yet" },
	{ OTLP("client_key: /c"), "exporter.otlp.client_key", "TLS" },
	{ OTLP("client_certificate: /c"), "exporter.otlp.client_certificate",
	  "TLS" },
	{ OTLP("headers: [{name: 'a b', value: c}]"), "exporter.otlp.headers",
	  "a name holds only" },
	{ OTLP("headers: [{name: a, value: \"b\\n\"}]"),
	  "exporter.otlp.headers", "a value holds a control character" },
	{ "{interval: 5s, " OTLP("") "}", "interval", "" },
};

START_TEST(what_makes_no_sense_is_refused_at_its_place)
{
	struct weir_error error = { 0 };

	ck_assert_ptr_null(weir_test_open(
		web_plugin("extensions/telemetry_push"), refused[_i].yaml, 0,
		&error));
	ck_assert_str_eq(error.path, refused[_i].path);
	ck_assert_msg(strstr(error.text, refused[_i].text) != NULL, "%s",
		      error.text);
}
END_TEST

static const char *const accepted[] = {
	"exporter: {console: {}}",
	OTLP("compression: gzip, timeout: 0, headers: {a: b}"),
	"{interval: -1, timeout: 0, " OTLP("insecure: true") "}",
	"exporter: {otlp: {protocol: grpc, endpoint: 'h:1', insecure: true}}",
	"exporter: {otlp: {protocol: grpc, endpoint: 'http://u@[::1]:1/x'}}",
	"exporter: {otlp: {protocol: http/protobuf, endpoint: 'h:1'}}",
	OTLP("default_histogram_aggregation: explicit_bucket_histogram"),
};

START_TEST(what_makes_sense_is_taken)
{
	struct weir_error error = { 0 };
	struct weir_test *t = weir_test_open(
		web_plugin("extensions/telemetry_push"), accepted[_i], 0,
		&error);

	ck_assert_msg(t != NULL, "%s: %s", error.path, error.text);
	ck_assert(!weir_test_close(&t, &error));
}
END_TEST

/* --- Life --------------------------------------------------------------- */

#define SENT "weir_telemetry_push_sent_exports"
#define FAILED "weir_telemetry_push_failed_exports"
#define SECOND ((weir_duration){ 1000000000 })

static int listen_on_loopback(int *port)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(any);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert(!bind(fd, (struct sockaddr *)&any, len));
	ck_assert(!listen(fd, 8));
	getsockname(fd, (struct sockaddr *)&any, &len);
	*port = ntohs(any.sin_port);
	return fd;
}

/* One that pushes every second to such a port. */
static struct weir_test *open_pushing(int port, const char *more)
{
	struct weir_error error = { 0 };
	struct weir_test *t;
	char yaml[300];

	snprintf(yaml, sizeof(yaml), "{interval: 1000, exporter: {otlp: "
		 "{protocol: http/protobuf, endpoint: 'http://127.0.0.1:%d/in',"
		 " headers: [{name: Api-Key, value: secret}]%s}}}", port, more);
	t = weir_test_open(web_plugin("extensions/telemetry_push"), yaml, 0,
			   &error);
	ck_assert_msg(t != NULL, "%s", error.text);
	ck_assert_msg(!weir_test_start(t, &error), "%s", error.text);
	return t;
}

static int accept_one(struct weir_test *t, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
		weir_test_run(t);
	return fd;
}

/* A whole request: its head in the buffer, its body read by protobuf-c. */
static Otlp__ExportMetricsServiceRequest *read_request(struct weir_test *t,
							int fd, char *buffer,
							size_t size)
{
	size_t at = 0, head = 0, body = SIZE_MAX;
	Otlp__ExportMetricsServiceRequest *r;

	while (at - head < body || !head) {
		ssize_t n = recv(fd, buffer + at, size - 1 - at, MSG_DONTWAIT);
		char *end;

		ck_assert_int_ne(n, 0);
		weir_test_run(t);
		if (n < 0)
			continue;
		at += (size_t)n;
		buffer[at] = '\0';
		end = strstr(buffer, "\r\n\r\n");
		if (head || !end)
			continue;
		head = (size_t)(end + 4 - buffer);
		body = (size_t)atol(strcasestr(buffer, "content-length:") + 15);
	}
	r = otlp__export_metrics_service_request__unpack(NULL, body,
		(uint8_t *)buffer + head);
	ck_assert_ptr_nonnull(r);
	return r;
}

static void answer(int fd, const char *status)
{
	char text[100];
	int len = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n"
			   "Content-Length: 0\r\n\r\n", status);

	ck_assert_int_eq(send(fd, text, (size_t)len, 0), len);
}

static void run_until(struct weir_test *t, const char *metric, double n)
{
	while (weir_test_metric(t, metric) < n)
		weir_test_run(t);
}

static char buffer[1 << 17];

START_TEST(one_export_at_a_time_and_one_at_the_end)
{
	int port, listener = listen_on_loopback(&port), fd;
	struct weir_test *t = open_pushing(port, "");
	Otlp__ExportMetricsServiceRequest *r;
	struct weir_error error;

	weir_test_advance(t, SECOND);
	fd = accept_one(t, listener);
	r = read_request(t, fd, buffer, sizeof(buffer));
	ck_assert(!strncmp(buffer, "POST /in HTTP/1.1\r\n", 19));
	ck_assert_ptr_nonnull(strstr(buffer, "Api-Key: secret\r\n"));
	ck_assert_ptr_nonnull(strcasestr(buffer, "application/x-protobuf"));
	ck_assert_uint_gt(r->resource_metrics[0]->scope_metrics[0]->n_metrics,
			  5);
	otlp__export_metrics_service_request__free_unpacked(r, NULL);
	for (int i = 0; i < 5; i++)	/* it is not answered yet */
		weir_test_advance(t, SECOND);
	ck_assert_int_lt(recv(fd, buffer, 1, MSG_DONTWAIT), 0);
	ck_assert_int_lt(accept(listener, NULL, NULL), 0);
	answer(fd, "200 OK");
	run_until(t, SENT, 1);
	weir_test_stop(t);
	r = read_request(t, fd, buffer, sizeof(buffer));
	otlp__export_metrics_service_request__free_unpacked(r, NULL);
	answer(fd, "200 OK");
	run_until(t, SENT, 2);
	ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
	close(fd);
	close(listener);
}
END_TEST

START_TEST(a_stop_waits_for_the_export_under_way)
{
	int port, listener = listen_on_loopback(&port), fd;
	struct weir_test *t = open_pushing(port, "");
	struct weir_error error;

	weir_test_advance(t, SECOND);
	fd = accept_one(t, listener);
	otlp__export_metrics_service_request__free_unpacked(
		read_request(t, fd, buffer, sizeof(buffer)), NULL);
	weir_test_stop(t);
	ck_assert_int_lt(recv(fd, buffer, 1, MSG_DONTWAIT), 0);
	answer(fd, "200 OK");
	otlp__export_metrics_service_request__free_unpacked(
		read_request(t, fd, buffer, sizeof(buffer)), NULL);
	ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
	close(fd);
	close(listener);
}
END_TEST

START_TEST(what_is_not_taken_is_counted)
{
	int port, listener = listen_on_loopback(&port), fd;
	struct weir_test *t = open_pushing(port, ", timeout: 1500");
	struct weir_error error;

	weir_test_advance(t, SECOND);
	fd = accept_one(t, listener);
	otlp__export_metrics_service_request__free_unpacked(
		read_request(t, fd, buffer, sizeof(buffer)), NULL);
	answer(fd, "500 Oh");
	run_until(t, FAILED, 1);
	weir_test_advance(t, SECOND);	/* this one is never answered */
	otlp__export_metrics_service_request__free_unpacked(
		read_request(t, fd, buffer, sizeof(buffer)), NULL);
	/* by two clocks: curl has its own */
	while (weir_test_metric(t, FAILED) < 2)
		weir_test_advance(t, (weir_duration){ 1000000 });
	close(fd);
	close(listener);		/* and now there is nobody */
	weir_test_advance(t, SECOND);
	run_until(t, FAILED, 3);
	ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
}
END_TEST

/* How many failed exports a request tells of; -1: it does not. */
static int64_t failures_in(Otlp__ExportMetricsServiceRequest *r)
{
	Otlp__ScopeMetrics *scope = r->resource_metrics[0]->scope_metrics[0];
	int64_t found = -1;

	for (size_t i = 0; i < scope->n_metrics; i++) {
		Otlp__Metric *m = scope->metrics[i];

		if (!is(m->name, FAILED))
			continue;
		ck_assert_int_eq(m->sum->aggregation_temporality, 1);
		found = m->sum->data_points[0]->as_int;
	}
	otlp__export_metrics_service_request__free_unpacked(r, NULL);
	return found;
}

START_TEST(a_difference_that_was_lost_comes_again)
{
	static const char *const answers[] = { "503 No", "503 No", "200 OK",
					       "200 OK" };
	static const int64_t told[] = { -1, 1, 2, 0 };
	int port, listener = listen_on_loopback(&port), fd = -1;
	struct weir_test *t = open_pushing(port,
		", temporality_preference: delta");
	struct weir_error error;

	for (int i = 0; i < 4; i++) {
		weir_test_advance(t, SECOND);
		if (fd < 0)
			fd = accept_one(t, listener);
		ck_assert_int_eq(failures_in(read_request(t, fd, buffer,
							  sizeof(buffer))),
				 told[i]);
		answer(fd, answers[i]);
		run_until(t, i < 2 ? FAILED : SENT, i % 2 + 1);
	}
	ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
	close(fd);
	close(listener);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void)
{
	Suite *suite = suite_create("telemetry_push");
	TCase *tc = tcase_create("telemetry_push");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, resource_and_scope_say_who_sends);
	tcase_add_test(tc, a_counter_is_a_monotonic_sum);
	tcase_add_test(tc, attributes_have_their_dots_and_types);
	tcase_add_test(tc, a_gauge_may_be_negative_and_a_number_real);
	tcase_add_test(tc, what_comes_and_goes_is_a_sum_that_may_fall);
	tcase_add_test(tc, a_histogram_has_its_buckets_and_bounds);
	tcase_add_loop_test(tc, a_length_takes_the_bytes_it_needs, 0, 8);
	tcase_add_test(tc, without_a_start_there_is_none);
	tcase_add_loop_test(tc, the_preference_says_what_is_a_difference, 0,
			    N(temporalities));
	tcase_add_test(tc, a_difference_is_to_what_arrived);
	tcase_add_test(tc, histograms_and_reals_are_differences_too);
	tcase_add_loop_test(tc, what_makes_no_sense_is_refused_at_its_place, 0,
			    N(refused));
	tcase_add_loop_test(tc, what_makes_sense_is_taken, 0, N(accepted));
	tcase_add_test(tc, one_export_at_a_time_and_one_at_the_end);
	tcase_add_test(tc, a_stop_waits_for_the_export_under_way);
	tcase_add_test(tc, what_is_not_taken_is_counted);
	tcase_add_test(tc, a_difference_that_was_lost_comes_again);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
