/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP/JSON: what is written for which bytes, message by message.
 *
 * The expected texts are what the Go collector's file exporter writes for the
 * same request.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <weir/kit/otlp_json.h>

/* The encoder asks a batch for these two things only: stand-ins. */
struct weir_batch {
	enum weir_signal signal;
	struct weir_slice slices[3];
	size_t n;
};

enum weir_signal weir_batch_signal(const struct weir_batch *batch)
{
	return batch->signal;
}

const struct weir_slice *weir_batch_slices(const struct weir_batch *batch,
					   size_t *n)
{
	*n = batch->n;
	return batch->slices;
}

/* --- A message under construction --------------------------------------- */

struct msg {
	uint8_t b[4096];
	size_t n;
};

static void varint(struct msg *m, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		m->b[m->n++] = (uint8_t)(v | 0x80);
	m->b[m->n++] = (uint8_t)v;
}

static void put_int(struct msg *m, uint32_t field, uint64_t v)
{
	varint(m, field << 3);
	varint(m, v);
}

static void put_fixed(struct msg *m, uint32_t field, uint64_t v, int bytes)
{
	varint(m, field << 3 | (bytes == 8 ? 1 : 5));
	for (int i = 0; i < bytes; i++)
		m->b[m->n++] = (uint8_t)(v >> 8 * i);
}

static void put_double(struct msg *m, uint32_t field, double d)
{
	uint64_t v;

	memcpy(&v, &d, sizeof(v));
	put_fixed(m, field, v, 8);
}

static void put_raw(struct msg *m, uint32_t field, const void *ptr, size_t n)
{
	varint(m, field << 3 | 2);
	varint(m, n);
	memcpy(m->b + m->n, ptr, n);
	m->n += n;
}

static void put_str(struct msg *m, uint32_t field, const char *text)
{
	put_raw(m, field, text, strlen(text));
}

static void put_msg(struct msg *m, uint32_t field, const struct msg *sub)
{
	put_raw(m, field, sub->b, sub->n);
}

/* item, in a scope, in a resource, in a request of that signal. */
static struct msg request_of(const struct msg *item)
{
	struct msg scope = { 0 }, resource = { 0 }, request = { 0 };

	put_msg(&scope, 2, item);
	put_msg(&resource, 2, &scope);
	put_msg(&request, 1, &resource);
	return request;
}

static void expect(enum weir_signal signal, const struct msg *request,
		   const char *json)
{
	struct weir_batch batch = { signal, { { request->b, request->n } }, 1 };
	struct weir_text out = { 0 };

	weir_otlp_json_write(&batch, &out);
	weir_text_add(&out, (weir_str){ "", 1 });
	ck_assert_str_eq(out.ptr, json);
	weir_text_release(&out);
}

#define SPAN_HEAD							\
	"{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":["		\
	"{\"scope\":{},\"spans\":["
#define LOG_HEAD							\
	"{\"resourceLogs\":[{\"resource\":{},\"scopeLogs\":["		\
	"{\"scope\":{},\"logRecords\":["
#define METRIC_HEAD							\
	"{\"resourceMetrics\":[{\"resource\":{},\"scopeMetrics\":["	\
	"{\"scope\":{},\"metrics\":["
#define TAIL "]}]}]}"

/* --- Spans -------------------------------------------------------------- */

START_TEST(writes_a_span_in_the_order_of_the_proto_text)
{
	struct msg span = { 0 }, status = { 0 }, request;

	put_raw(&span, 1, "\x5b\x8e\xff\xf7\x98\x03\x81\x03"
		"\xd2\x69\xb6\x33\x81\x3f\xc6\x0c", 16);
	put_raw(&span, 2, "\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74", 8);
	put_str(&span, 5, "GET /");
	put_int(&span, 6, 2);
	put_fixed(&span, 7, 1544712660000000000u, 8);
	put_str(&status, 2, "no");
	put_int(&status, 3, 2);
	put_msg(&span, 15, &status);
	put_fixed(&span, 16, 257, 4);
	request = request_of(&span);
	expect(WEIR_SIGNAL_TRACES, &request, SPAN_HEAD
	       "{\"traceId\":\"5b8efff798038103d269b633813fc60c\","
	       "\"spanId\":\"eee19b7ec3c1b174\",\"flags\":257,"
	       "\"name\":\"GET /\",\"kind\":2,"
	       "\"startTimeUnixNano\":\"1544712660000000000\","
	       "\"status\":{\"message\":\"no\",\"code\":2}}" TAIL);
}
END_TEST

START_TEST(writes_wrappers_and_status_that_are_not_there)
{
	struct msg empty = { 0 }, request = request_of(&empty);
	struct msg wrapper = { 0 };

	expect(WEIR_SIGNAL_TRACES, &request, SPAN_HEAD "{\"status\":{}}" TAIL);
	put_msg(&wrapper, 1, &empty);
	put_msg(&wrapper, 1, &empty);
	expect(WEIR_SIGNAL_TRACES, &wrapper,
	       "{\"resourceSpans\":[{\"resource\":{}},{\"resource\":{}}]}");
}
END_TEST

START_TEST(leaves_out_an_id_of_zeros_and_fields_it_does_not_know)
{
	static const char zeros[16];
	struct msg span = { 0 }, request;

	put_raw(&span, 1, zeros, 16);
	put_raw(&span, 2, zeros, 8);
	put_int(&span, 99, 7);
	put_str(&span, 200, "from next year");
	request = request_of(&span);
	expect(WEIR_SIGNAL_TRACES, &request, SPAN_HEAD "{\"status\":{}}" TAIL);
}
END_TEST

START_TEST(joins_the_slices_of_a_batch)
{
	struct msg span = { 0 }, request = request_of(&span);
	struct weir_batch batch = { WEIR_SIGNAL_TRACES,
		{ { request.b, request.n }, { request.b, request.n } }, 2 };
	struct weir_text out = { 0 };

	weir_otlp_json_write(&batch, &out);
	weir_text_add(&out, (weir_str){ "", 1 });
	ck_assert_str_eq(out.ptr, SPAN_HEAD "{\"status\":{}}]}]},"
			 "{\"resource\":{},\"scopeSpans\":[{\"scope\":{},"
			 "\"spans\":[{\"status\":{}}" TAIL);
	weir_text_release(&out);
}
END_TEST

/* --- Values: the body of a log record ----------------------------------- */

static const struct {
	const char *why;
	const char *bytes;
	size_t len;
	const char *json;
} values[] = {
#define B(text) text, sizeof(text) - 1
	{ "no member is an empty value", B(""), "{}" },
	{ "empty text is a set member", B("\x0a\x00"),
	  "{\"stringValue\":\"\"}" },
	{ "false is a set member", B("\x10\x00"), "{\"boolValue\":false}" },
	{ "0 is a set member", B("\x18\x00"), "{\"intValue\":\"0\"}" },
	{ "-1 in ten bytes",
	  B("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	  "{\"intValue\":\"-1\"}" },
	{ "the least integer",
	  B("\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
	  "{\"intValue\":\"-9223372036854775808\"}" },
	{ "an empty list", B("\x2a\x00"), "{\"arrayValue\":{}}" },
	{ "a list of an empty value", B("\x2a\x02\x0a\x00"),
	  "{\"arrayValue\":{\"values\":[{}]}}" },
	{ "a map; a key without value",
	  B("\x32\x05\x0a\x03\x0a\x01k"),
	  "{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":{}}]}}" },
	{ "an empty key is left out", B("\x32\x04\x0a\x02\x12\x00"),
	  "{\"kvlistValue\":{\"values\":[{\"value\":{}}]}}" },
	{ "bytes are base64 with padding", B("\x3a\x01\xff"),
	  "{\"bytesValue\":\"/w==\"}" },
	{ "only what must be is escaped",
	  B("\x0a\x0f\"\\\n\r\t\b\x1f\x7f</>\xe2\x80\xa8/"),
	  "{\"stringValue\":\"\\\"\\\\\\n\\r\\t\\u0008\\u001f\x7f</>"
	  "\xe2\x80\xa8/\"}" },
#undef B
};

START_TEST(writes_every_kind_of_value)
{
	struct msg record = { 0 }, request;
	char json[512];

	put_raw(&record, 5, values[_i].bytes, values[_i].len);
	request = request_of(&record);
	snprintf(json, sizeof(json), LOG_HEAD "{\"body\":%s}" TAIL,
		 values[_i].json);
	expect(WEIR_SIGNAL_LOGS, &request, json);
}
END_TEST

static const struct {
	double value;
	const char *json;
} doubles[] = {
	{ 0, "0" }, { -0.0, "-0" }, { 0.1, "0.1" }, { 1e-6, "0.000001" },
	{ 1e-7, "1e-07" }, { 9.99e-7, "9.99e-07" }, { 5e-324, "5e-324" },
	{ 1e20, "100000000000000000000" }, { 1e21, "1e+21" },
	{ INFINITY, "\"Infinity\"" }, { -INFINITY, "\"-Infinity\"" },
	{ NAN, "\"NaN\"" },
};

START_TEST(writes_doubles_in_their_shortest_form)
{
	struct msg body = { 0 }, record = { 0 }, request;
	char json[512];

	put_double(&body, 4, doubles[_i].value);
	put_msg(&record, 5, &body);
	request = request_of(&record);
	snprintf(json, sizeof(json),
		 LOG_HEAD "{\"body\":{\"doubleValue\":%s}}" TAIL,
		 doubles[_i].json);
	expect(WEIR_SIGNAL_LOGS, &request, json);
}
END_TEST

START_TEST(writes_a_log_record_in_the_order_of_the_proto_text)
{
	struct msg record = { 0 }, request;

	put_fixed(&record, 1, 1, 8);
	put_int(&record, 2, 9);
	put_str(&record, 3, "Info");
	put_fixed(&record, 8, 1, 4);
	put_fixed(&record, 11, UINT64_MAX, 8);
	put_str(&record, 12, "login");
	request = request_of(&record);
	expect(WEIR_SIGNAL_LOGS, &request, LOG_HEAD
	       "{\"timeUnixNano\":\"1\","
	       "\"observedTimeUnixNano\":\"18446744073709551615\","
	       "\"severityNumber\":9,\"severityText\":\"Info\",\"body\":{},"
	       "\"flags\":1,\"eventName\":\"login\"}" TAIL);
}
END_TEST

/* --- Metrics ------------------------------------------------------------ */

static void expect_metric(uint32_t field, const struct msg *point,
			  const char *json)
{
	struct msg data = { 0 }, metric = { 0 }, request;
	char text[1024];

	put_msg(&data, 1, point);
	put_str(&metric, 1, "m");
	put_msg(&metric, field, &data);
	request = request_of(&metric);
	snprintf(text, sizeof(text), METRIC_HEAD "{\"name\":\"m\",%s}" TAIL,
		 json);
	expect(WEIR_SIGNAL_METRICS, &request, text);
}

START_TEST(writes_the_zero_of_a_oneof_and_of_an_optional)
{
	struct msg gauge = { 0 }, histogram = { 0 };

	put_double(&gauge, 4, 0);
	expect_metric(5, &gauge,
		      "\"gauge\":{\"dataPoints\":[{\"asDouble\":0}]}");
	put_double(&histogram, 5, 0);
	put_raw(&histogram, 6, "\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	put_raw(&histogram, 7, "\0\0\0\0\0\0\xf0\x3f", 8);
	put_double(&histogram, 11, -1);
	expect_metric(9, &histogram,
		      "\"histogram\":{\"dataPoints\":[{\"sum\":0,"
		      "\"bucketCounts\":[\"3\",\"0\"],\"explicitBounds\":[1],"
		      "\"min\":-1}]}");
}
END_TEST

START_TEST(writes_the_buckets_of_an_exponential_histogram)
{
	struct msg point = { 0 }, buckets = { 0 };

	put_int(&buckets, 1, 3);		/* zigzag: -2 */
	put_raw(&buckets, 2, "\x01\xac\x02", 3);
	put_int(&point, 6, 1);			/* zigzag: -1 */
	put_msg(&point, 9, &buckets);
	put_double(&point, 14, -0.0);
	expect_metric(10, &point,
		      "\"exponentialHistogram\":{\"dataPoints\":["
		      "{\"scale\":-1,\"positive\":{},\"negative\":"
		      "{\"offset\":-2,\"bucketCounts\":[\"1\",\"300\"]}}]}");
}
END_TEST

START_TEST(writes_a_metric_without_points)
{
	struct msg sum = { 0 }, metric = { 0 }, request;

	put_int(&sum, 2, 2);
	put_int(&sum, 3, 1);
	put_msg(&metric, 7, &sum);
	request = request_of(&metric);
	expect(WEIR_SIGNAL_METRICS, &request, METRIC_HEAD
	       "{\"sum\":{\"aggregationTemporality\":2,"
	       "\"isMonotonic\":true}}" TAIL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kit/otlp_json");
	TCase *tc = tcase_create("otlp_json");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, writes_a_span_in_the_order_of_the_proto_text);
	tcase_add_test(tc, writes_wrappers_and_status_that_are_not_there);
	tcase_add_test(tc,
		       leaves_out_an_id_of_zeros_and_fields_it_does_not_know);
	tcase_add_test(tc, joins_the_slices_of_a_batch);
	tcase_add_loop_test(tc, writes_every_kind_of_value, 0,
			    sizeof(values) / sizeof(values[0]));
	tcase_add_loop_test(tc, writes_doubles_in_their_shortest_form, 0,
			    sizeof(doubles) / sizeof(doubles[0]));
	tcase_add_test(tc, writes_a_log_record_in_the_order_of_the_proto_text);
	tcase_add_test(tc, writes_the_zero_of_a_oneof_and_of_an_optional);
	tcase_add_test(tc, writes_the_buckets_of_an_exponential_histogram);
	tcase_add_test(tc, writes_a_metric_without_points);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
