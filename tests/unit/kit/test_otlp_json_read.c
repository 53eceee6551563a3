/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP/JSON in: what is read, what is refused and with which words.
 *
 * What was read is shown by the writer, after protobuf-c has made one of what
 * came twice.  The rules are the Go collector's; tests/compare/json_in.py asks
 * it.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir/kit/otlp_json.h>

#include "../../support/otlp_same.h"

/* The writer asks a batch for these two things only: stand-ins. */
struct weir_batch {
	enum weir_signal signal;
	struct weir_slice slice;
};

enum weir_signal weir_batch_signal(const struct weir_batch *batch)
{
	return batch->signal;
}

const struct weir_slice *weir_batch_slices(const struct weir_batch *batch,
					   size_t *n)
{
	*n = 1;
	return &batch->slice;
}

#define MAX ((size_t)1 << 26)

static struct weir_payload *read_text(enum weir_signal signal, weir_str text,
				      size_t max, size_t *len,
				      struct weir_outcome *refused)
{
	uint8_t *exact = malloc(text.len + !text.len);
	struct weir_payload *payload;

	memset(refused, 0, sizeof(*refused));
	memcpy(exact, text.ptr, text.len);	/* ASan sees its end */
	payload = weir_otlp_json_read(NULL, signal, exact, text.len, max, len,
				      refused);
	free(exact);
	return payload;
}

/* want NULL: refused as malformed. */
static void check(enum weir_signal signal, const char *text, const char *want)
{
	struct weir_outcome refused;
	struct weir_text out = { 0 };
	struct weir_payload *payload;
	struct otlp_bytes form;
	struct weir_batch batch = { .signal = signal };
	size_t len;

	payload = read_text(signal, weir_str_of(text), MAX, &len, &refused);
	if (!want) {
		ck_assert_msg(!payload, "%s was read", text);
		ck_assert_int_eq(refused.status, WEIR_INVALID_ARGUMENT);
		ck_assert_int_eq(refused.reason, WEIR_REASON_MALFORMED);
		return;
	}
	ck_assert_msg(payload != NULL, "%s: %s", text, refused.text);
	form = otlp_json_form(signal, weir_payload_bytes(payload), len);
	batch.slice = (struct weir_slice){ form.ptr, form.len };
	weir_otlp_json_write(&batch, &out);
	weir_text_add(&out, (weir_str){ "", 1 });
	ck_assert_str_eq(out.ptr, want);
	weir_text_release(&out);
	otlp_bytes_free(&form);
	weir_payload_free(&payload);
}

/* Members of the innermost message; what is around them is the same. */
static void check_inside(enum weir_signal signal, const char *head,
			 const char *tail, const char *text, const char *want)
{
	char in[2048], out[2048];

	snprintf(in, sizeof(in), "%s%s%s", head, text, tail);
	snprintf(out, sizeof(out), "%s%s%s", head, want ? want : "", tail);
	check(signal, in, want ? out : NULL);
}

struct row {
	const char *text, *want;
};

/* --- Values ------------------------------------------------------------- */

#define VALUE_HEAD							\
	"{\"resourceLogs\":[{\"resource\":{},\"scopeLogs\":[{\"scope\":{}," \
	"\"logRecords\":[{\"body\":{"
#define VALUE_TAIL "}}]}]}]}"

static const struct row values[] = {
	{ "", "" },
	{ "\"stringValue\":\"\"", "\"stringValue\":\"\"" },
	{ "\"stringValue\":null", "\"stringValue\":\"\"" },
	{ "\"string_value\":\"a\\u00e9\\ud83d\"",
	  "\"stringValue\":\"a\xc3\xa9\xef\xbf\xbd\"" },
	{ "\"stringValue\":\"a\\u0000b\"", "\"stringValue\":\"a\\u0000b\"" },
	{ "\"stringValue\":1", NULL },
	{ "\"boolValue\":false", "\"boolValue\":false" },
	{ "\"boolValue\":true", "\"boolValue\":true" },
	{ "\"boolValue\":\"true\"", NULL },
	{ "\"boolValue\":null", NULL },
	{ "\"boolValue\":1", NULL },
	{ "\"intValue\":\"0\"", "\"intValue\":\"0\"" },
	{ "\"intValue\":0", "\"intValue\":\"0\"" },
	{ "\"intValue\":-0", "\"intValue\":\"0\"" },
	{ "\"intValue\":9007199254740993", "\"intValue\":\"9007199254740993\"" },
	{ "\"intValue\":\"-9223372036854775808\"",
	  "\"intValue\":\"-9223372036854775808\"" },
	{ "\"intValue\":\"9223372036854775808\"", NULL },
	{ "\"intValue\":\"+5\"", "\"intValue\":\"5\"" },
	{ "\"intValue\":\"007\"", "\"intValue\":\"7\"" },
	{ "\"intValue\":\"\\u0035\"", "\"intValue\":\"5\"" },
	{ "\"intValue\":\"+-5\"", NULL },
	{ "\"intValue\":\"\"", NULL },
	{ "\"intValue\":\" 5\"", NULL },
	{ "\"intValue\":5.0", NULL },
	{ "\"intValue\":1e3", NULL },
	{ "\"intValue\":\"5.0\"", NULL },
	{ "\"intValue\":null", NULL },
	{ "\"intValue\":true", NULL },
	{ "\"doubleValue\":0", "\"doubleValue\":0" },
	{ "\"doubleValue\":\"1.5\"", "\"doubleValue\":1.5" },
	{ "\"doubleValue\":\"NaN\"", "\"doubleValue\":\"NaN\"" },
	{ "\"doubleValue\":\"Infinity\"", "\"doubleValue\":\"Infinity\"" },
	{ "\"doubleValue\":\"-Infinity\"", "\"doubleValue\":\"-Infinity\"" },
	{ "\"doubleValue\":\"inf\"", "\"doubleValue\":\"Infinity\"" },
	{ "\"doubleValue\":\"0x1.8p1\"", "\"doubleValue\":3" },
	{ "\"doubleValue\":NaN", NULL },
	{ "\"doubleValue\":1e999999", NULL },
	{ "\"doubleValue\":\"1e999999\"", NULL },
	{ "\"doubleValue\":1e-999999", "\"doubleValue\":0" },
	{ "\"doubleValue\":null", NULL },
	{ "\"bytesValue\":\"\"", "\"bytesValue\":\"\"" },
	{ "\"bytesValue\":\"AAE=\"", "\"bytesValue\":\"AAE=\"" },
	{ "\"bytesValue\":\"+/+/\"", "\"bytesValue\":\"+/+/\"" },
	/* more than the Collector: a slash may be escaped in any string */
	{ "\"bytesValue\":\"+\\/+\\/\"", "\"bytesValue\":\"+/+/\"" },
	{ "\"bytesValue\":\"YR==\"", "\"bytesValue\":\"YQ==\"" },
	{ "\"bytesValue\":\"AAE\"", NULL },
	{ "\"bytesValue\":\"A-_=\"", NULL },
	{ "\"bytesValue\":\"A===\"", NULL },
	{ "\"bytesValue\":\"====\"", NULL },
	{ "\"bytesValue\":\"AA=E\"", NULL },
	{ "\"bytesValue\":null", NULL },
	{ "\"arrayValue\":null", "\"arrayValue\":{}" },
	{ "\"arrayValue\":{}", "\"arrayValue\":{}" },
	{ "\"arrayValue\":{\"values\":null}", "\"arrayValue\":{}" },
	{ "\"arrayValue\":{\"values\":[null,{}]}",
	  "\"arrayValue\":{\"values\":[{},{}]}" },
	{ "\"arrayValue\":[]", NULL },
	{ "\"kvlistValue\":{\"values\":[{\"key\":\"a\"}]}",
	  "\"kvlistValue\":{\"values\":[{\"key\":\"a\",\"value\":{}}]}" },
	/* a oneof: the last member, alone */
	{ "\"intValue\":1,\"stringValue\":\"a\"", "\"stringValue\":\"a\"" },
	{ "\"stringValue\":\"a\",\"stringValue\":\"\"", "\"stringValue\":\"\"" },
	{ "\"arrayValue\":{\"values\":[{}]},\"arrayValue\":{}",
	  "\"arrayValue\":{}" },
	{ "\"arrayValue\":{\"values\":[{}]},\"intValue\":1",
	  "\"intValue\":\"1\"" },
	{ "\"intValue\":1,\"arrayValue\":{\"values\":[{}]},\"kvlistValue\":{}",
	  "\"kvlistValue\":{}" },
	{ "\"arrayValue\":{\"values\":[{\"arrayValue\":{\"values\":[{}]},"
	  "\"arrayValue\":{}}]},\"arrayValue\":{\"values\":[{\"intValue\":1}]}",
	  "\"arrayValue\":{\"values\":[{\"intValue\":\"1\"}]}" },
	/* keys */
	{ "\"StringValue\":\"a\"", "" },
	{ "\"string_Value\":\"a\"", "" },
	{ "\"stringvalue\":\"a\"", "" },
	{ "\"stringValue \":\"a\"", "" },
	{ "\"\\u0073tringValue\":\"a\"", "\"stringValue\":\"a\"" },
	{ "\"x\":{\"stringValue\":[{\"a\":null}]},\"intValue\":1",
	  "\"intValue\":\"1\"" },
	{ "\"x\":01,\"intValue\":1", NULL },
};

START_TEST(values_are)
{
	check_inside(WEIR_SIGNAL_LOGS, VALUE_HEAD, VALUE_TAIL, values[_i].text,
		     values[_i].want);
}
END_TEST

/* --- Attributes: the fast way and its edges ------------------------------- */

#define ATTR_HEAD							\
	"{\"resourceLogs\":[{\"resource\":{\"attributes\":["
#define ATTR_TAIL "]},\"scopeLogs\":[{\"scope\":{}}]}]}"
#define KV(key, value) "{\"key\":\"" key "\",\"value\":{" value "}}"

static const struct row attributes[] = {
	{ KV("a", "\"stringValue\":\"b\""), KV("a", "\"stringValue\":\"b\"") },
	{ KV("a", "\"stringValue\":\"b\"") "," KV("c", "\"intValue\":\"-1\""),
	  KV("a", "\"stringValue\":\"b\"") "," KV("c", "\"intValue\":\"-1\"") },
	{ KV("a", "\"intValue\":12") "," KV("b", "\"boolValue\":true") ","
	  KV("c", "\"doubleValue\":0.5") "," KV("d", "\"boolValue\":false"),
	  KV("a", "\"intValue\":\"12\"") "," KV("b", "\"boolValue\":true") ","
	  KV("c", "\"doubleValue\":0.5") "," KV("d", "\"boolValue\":false") },
	{ KV("a", "\"intValue\":\"1234567890123456789\""),
	  KV("a", "\"intValue\":\"1234567890123456789\"") },
	{ KV("a", "\"intValue\":-0"), KV("a", "\"intValue\":\"0\"") },
	{ KV("a", "\"doubleValue\":-0.25"), KV("a", "\"doubleValue\":-0.25") },
	{ KV("a", "\"doubleValue\":1.5e3"), KV("a", "\"doubleValue\":1500") },
	{ KV("a", "\"doubleValue\":-0.0"), KV("a", "\"doubleValue\":-0") },
	{ KV("a", "\"intValue\":\"007\""), KV("a", "\"intValue\":\"7\"") },
	{ KV("a\\n", "\"stringValue\":\"\\t\""),
	  KV("a\\n", "\"stringValue\":\"\\t\"") },
	{ KV("a", "\"stringValue\":\"b\",\"intValue\":1"),
	  KV("a", "\"intValue\":\"1\"") },
	{ " " KV("a", "\"stringValue\":\"b\"") " , " KV("c", ""),
	  KV("a", "\"stringValue\":\"b\"") "," KV("c", "") },
	{ "null," KV("a", "\"stringValue\":\"b\"") ",null",
	  "{\"value\":{}}," KV("a", "\"stringValue\":\"b\"") ","
	  "{\"value\":{}}" },
	{ "{\"value\":{\"intValue\":1},\"key\":\"a\"}",
	  KV("a", "\"intValue\":\"1\"") },
	{ KV("", "\"stringValue\":\"\""),
	  "{\"value\":{\"stringValue\":\"\"}}" },
	{ "{\"key\":\"a\",\"value\":null}", KV("a", "") },
	{ "{\"key\":\"a\",\"value\":{\"arrayValue\":{}},\"value\":{}}",
	  KV("a", "\"arrayValue\":{}") },
	{ "{\"key\":\"a\",\"value\":{\"arrayValue\":{\"values\":[{}]}},"
	  "\"value\":{\"arrayValue\":{}}}", KV("a", "\"arrayValue\":{}") },
	{ KV("a", "\"stringValue\":\"b\"") ",", NULL },
	{ KV("a", "\"stringValue\":\"b\"") KV("a", ""), NULL },
	{ KV("a", "\"stringValue\":\"b\"") "}", NULL },
	{ KV("a", "\"doubleValue\":01.5"), NULL },
	{ KV("a", "\"doubleValue\":1."), NULL },
	{ KV("a", "\"doubleValue\":-.5"), NULL },
	{ KV("a", "\"doubleValue\":1.5.5"), NULL },
	{ KV("a", "\"intValue\":01"), NULL },
	{ KV("a", "\"intValue\":-"), NULL },
	{ KV("a", "\"intValue\":1.0"), NULL },
	{ KV("a", "\"intValue\":\"1"), NULL },
	{ KV("a", "\"boolValue\":truf"), NULL },
	{ KV("a\tb", "\"stringValue\":\"b\""), NULL },
};

START_TEST(attributes_are)
{
	check_inside(WEIR_SIGNAL_LOGS, ATTR_HEAD, ATTR_TAIL,
		     attributes[_i].text, attributes[_i].want);
}
END_TEST

/* --- Spans -------------------------------------------------------------- */

#define SPAN_HEAD							\
	"{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":["		\
	"{\"scope\":{},\"spans\":[{"
#define SPAN_TAIL ",\"status\":{}}]}]}]}"
#define ID16 "5b8efff798038103d269b633813fc60c"

static const struct row spans[] = {
	{ "\"traceId\":\"" ID16 "\"", "\"traceId\":\"" ID16 "\"" },
	{ "\"trace_id\":\"5B8EFFF798038103D269B633813FC60C\"",
	  "\"traceId\":\"" ID16 "\"" },
	{ "\"name\":\"a\",\"traceId\":\"\"", "\"name\":\"a\"" },
	{ "\"traceId\":\"" ID16 "\",\"traceId\":\"\",\"name\":\"a\"",
	  "\"name\":\"a\"" },
	{ "\"traceId\":\"5b8efff798038103d269b633813fc60\"", NULL },
	{ "\"traceId\":\"" ID16 "0\"", NULL },
	{ "\"traceId\":\"5b8efff798038103d269b633813fc60g\"", NULL },
	{ "\"traceId\":\"5b8efff798038103d269b633813fc60/\"", NULL },
	{ "\"traceId\":\"5b8efff798038103\"", NULL },
	{ "\"traceId\":null", NULL },
	{ "\"traceId\":1", NULL },
	{ "\"spanId\":\"eee19b7ec3c1b174\"",
	  "\"spanId\":\"eee19b7ec3c1b174\"" },
	{ "\"spanId\":\"" ID16 "\"", NULL },
	{ "\"kind\":2", "\"kind\":2" },
	{ "\"kind\":\"SPAN_KIND_SERVER\"", "\"kind\":2" },
	{ "\"kind\":77", "\"kind\":77" },
	{ "\"kind\":-1", "\"kind\":-1" },
	{ "\"kind\":\"SERVER\"", NULL },
	{ "\"kind\":\"span_kind_server\"", NULL },
	{ "\"kind\":\"2\"", NULL },
	{ "\"kind\":\"\"", NULL },
	{ "\"kind\":2147483648", NULL },
	{ "\"kind\":null", NULL },
	{ "\"kind\":3,\"kind\":0,\"name\":\"a\"", "\"name\":\"a\"" },
	{ "\"flags\":\"257\"", "\"flags\":257" },
	{ "\"flags\":4294967296", NULL },
	{ "\"flags\":-1", NULL },
	{ "\"flags\":\"+1\"", NULL },
	{ "\"startTimeUnixNano\":\"1544712660000000001\"",
	  "\"startTimeUnixNano\":\"1544712660000000001\"" },
	{ "\"start_time_unix_nano\":18446744073709551615",
	  "\"startTimeUnixNano\":\"18446744073709551615\"" },
	{ "\"startTimeUnixNano\":18446744073709551616", NULL },
	{ "\"startTimeUnixNano\":-0", NULL },
	{ "\"startTimeUnixNano\":1.5e18", NULL },
	{ "\"startTimeUnixNano\":\"\"", NULL },
	{ "\"name\":\"a\",\"name\":null,\"kind\":1", "\"kind\":1" },
	{ "\"name\":\"a\",\"name\":\"b\"", "\"name\":\"b\"" },
	{ "\"name\":5", NULL },
	{ "\"name\":\"\\q\"", NULL },
	{ "\"kind\":1,\"attributes\":null,\"events\":[],\"status\":null",
	  "\"kind\":1" },
	{ "\"attributes\":{}", NULL },
	{ "\"status\":[]", NULL },
	{ "\"links\":[null]", "\"links\":[{}]" },
	/* lists append, messages merge */
	{ "\"events\":[{\"name\":\"a\"}],\"events\":[{\"name\":\"b\"}]",
	  "\"events\":[{\"name\":\"a\"},{\"name\":\"b\"}]" },
	{ "\"droppedAttributesCount\":1,\"dropped_attributes_count\":2",
	  "\"droppedAttributesCount\":2" },
};

START_TEST(spans_are)
{
	check_inside(WEIR_SIGNAL_TRACES, SPAN_HEAD, SPAN_TAIL, spans[_i].text,
		     spans[_i].want);
}
END_TEST

/* --- Metrics ------------------------------------------------------------ */

#define METRIC_HEAD							\
	"{\"resourceMetrics\":[{\"resource\":{},\"scopeMetrics\":["	\
	"{\"scope\":{},\"metrics\":[{"
#define METRIC_TAIL "}]}]}]}"

static const struct row metrics[] = {
	{ "\"gauge\":null", "\"gauge\":{}" },
	{ "\"gauge\":{\"dataPoints\":[{\"asInt\":\"-5\"}]}",
	  "\"gauge\":{\"dataPoints\":[{\"asInt\":\"-5\"}]}" },
	{ "\"gauge\":{\"data_points\":[{\"as_double\":0}]}",
	  "\"gauge\":{\"dataPoints\":[{\"asDouble\":0}]}" },
	{ "\"gauge\":{\"dataPoints\":[{\"asInt\":1,\"asDouble\":2}]}",
	  "\"gauge\":{\"dataPoints\":[{\"asDouble\":2}]}" },
	/* a oneof of messages: the last, alone */
	{ "\"gauge\":{\"dataPoints\":[{}]},\"name\":\"a\",\"gauge\":{}",
	  "\"name\":\"a\",\"gauge\":{}" },
	{ "\"gauge\":{\"dataPoints\":[{}]},\"sum\":{\"isMonotonic\":true}",
	  "\"sum\":{\"isMonotonic\":true}" },
	{ "\"sum\":{\"dataPoints\":[{}]},\"gauge\":{},\"sum\":null,"
	  "\"name\":\"a\"", "\"name\":\"a\",\"sum\":{}" },
	{ "\"histogram\":{\"aggregationTemporality\":"
	  "\"AGGREGATION_TEMPORALITY_DELTA\",\"dataPoints\":[{\"sum\":0,"
	  "\"bucketCounts\":[1,\"2\"],\"explicitBounds\":[\"NaN\",1.5]}]}",
	  "\"histogram\":{\"dataPoints\":[{\"sum\":0,\"bucketCounts\":[\"1\","
	  "\"2\"],\"explicitBounds\":[\"NaN\",1.5]}],"
	  "\"aggregationTemporality\":1}" },
	{ "\"histogram\":{\"dataPoints\":[{\"bucketCounts\":[1],"
	  "\"bucketCounts\":[],\"bucketCounts\":null,\"bucketCounts\":[2]}]}",
	  "\"histogram\":{\"dataPoints\":[{\"bucketCounts\":[\"1\",\"2\"]}]}" },
	{ "\"histogram\":{\"dataPoints\":[{\"bucketCounts\":[null]}]}", NULL },
	{ "\"histogram\":{\"dataPoints\":[{\"bucketCounts\":[-1]}]}", NULL },
	{ "\"histogram\":{\"dataPoints\":[{\"bucketCounts\":[[]]}]}", NULL },
	{ "\"histogram\":{\"dataPoints\":[{\"bucketCounts\":[1,]}]}", NULL },
	{ "\"histogram\":{\"dataPoints\":[{\"sum\":null}]}", NULL },
	{ "\"histogram\":{\"dataPoints\":[{\"count\":\"1e3\"}]}", NULL },
	{ "\"exponentialHistogram\":{\"dataPoints\":[{\"scale\":-1,"
	  "\"positive\":{\"offset\":-2,\"bucketCounts\":[1,300,"
	  "18446744073709551615]},\"positive\":{\"offset\":0},"
	  "\"negative\":null}]}",
	  "\"exponentialHistogram\":{\"dataPoints\":[{\"scale\":-1,"
	  "\"positive\":{\"bucketCounts\":[\"1\",\"300\","
	  "\"18446744073709551615\"]},\"negative\":{}}]}" },
	{ "\"exponentialHistogram\":{\"dataPoints\":[{\"scale\":2147483648}]}",
	  NULL },
	{ "\"summary\":{\"dataPoints\":[{\"quantileValues\":[{\"quantile\":1,"
	  "\"value\":0.25}]}]}",
	  "\"summary\":{\"dataPoints\":[{\"quantileValues\":[{\"quantile\":1,"
	  "\"value\":0.25}]}]}" },
	{ "\"metadata\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"b\"}}]",
	  "\"metadata\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"b\"}}]" },
};

START_TEST(metrics_are)
{
	check_inside(WEIR_SIGNAL_METRICS, METRIC_HEAD, METRIC_TAIL,
		     metrics[_i].text, metrics[_i].want);
}
END_TEST

/* --- Whole requests ------------------------------------------------------- */

static const struct row requests[] = {
	{ "{}", "{\"resourceSpans\":[]}" },
	{ " \t\r\n{ } ", "{\"resourceSpans\":[]}" },
	{ "null", "{\"resourceSpans\":[]}" },
	{ "{\"resourceSpans\":null}", "{\"resourceSpans\":[]}" },
	{ "{\"resource_spans\":[]}", "{\"resourceSpans\":[]}" },
	{ "{\"resourceLogs\":[{}]}", "{\"resourceSpans\":[]}" },
	{ "{\"resourceSpans\":[{\"schemaUrl\":\"a\"}],\"x\":[1,{\"y\":2}],"
	  "\"resourceSpans\":[{\"schemaUrl\":\"b\"}]}",
	  "{\"resourceSpans\":[{\"resource\":{},\"schemaUrl\":\"a\"},"
	  "{\"resource\":{},\"schemaUrl\":\"b\"}]}" },
	{ "", NULL },
	{ " ", NULL },
	{ "[]", NULL },
	{ "1", NULL },
	{ "{}{}", NULL },
	{ "{}\n{}\n", NULL },
	{ "{}x", NULL },
	{ "\xef\xbb\xbf{}", NULL },
	{ "{\"resourceSpans\":{}}", NULL },
	{ "{\"resourceSpans\":[{}}", NULL },
	{ "{\"resourceSpans\":[[]]}", NULL },
};

START_TEST(requests_are)
{
	check(WEIR_SIGNAL_TRACES, requests[_i].text, requests[_i].want);
}
END_TEST

/* The walk makes one of two scopes; to overrule, a default must be there. */
START_TEST(a_message_that_comes_twice_says_its_defaults)
{
	static const char text[] = "{\"resourceSpans\":[{\"scopeSpans\":[{"
		"\"scope\":{\"name\":\"a\",\"version\":\"\"},"
		"\"scope\":{\"name\":\"\",\"droppedAttributesCount\":0}}]}]}";
	static const char want[] = "\x0a\x0d\x12\x0b"
		"\x0a\x03\x0a\x01""a" "\x0a\x04\x0a\x00\x20\x00";
	struct weir_outcome refused;
	struct weir_payload *payload;
	size_t len;

	payload = read_text(WEIR_SIGNAL_TRACES, weir_str_of(text), MAX, &len,
			    &refused);
	ck_assert_msg(payload != NULL, "%s", refused.text);
	ck_assert_uint_eq(len, sizeof(want) - 1);
	ck_assert(!memcmp(weir_payload_bytes(payload), want, len));
	weir_payload_free(&payload);
}
END_TEST

START_TEST(utf16_and_nul_are_refused)
{
	static const char *const texts[] = { "{\0}\0", "\0{\0}", "{}\0\0" };
	struct weir_outcome refused;
	size_t len;

	for (size_t i = 0; i < 3; i++) {
		ck_assert(!read_text(WEIR_SIGNAL_LOGS,
				     (weir_str){ texts[i], 4 }, MAX, &len,
				     &refused));
		ck_assert_int_eq(refused.reason, WEIR_REASON_MALFORMED);
	}
}
END_TEST

/* --- What a refused peer hears -------------------------------------------- */

static const struct row words[] = {
	{ "{\"resourceSpans\":[{},{\"scopeSpans\":[{\"spans\":[{},{},"
	  "{\"kind\":\"secret\"}]}]}]}",
	  "malformed request: resourceSpans[1].scopeSpans[0].spans[2].kind at "
	  "byte 60: there is no such name for this field" },
	{ "{\"resource_spans\":[{\"scope_spans\":[{\"spans\":[{\"trace_id\":"
	  "\"secret\"}]}]}]}",
	  "malformed request: resourceSpans[0].scopeSpans[0].spans[0].traceId "
	  "at byte 57: an id of 32 hexadecimal digits is expected" },
	{ "{\"resourceSpans\":7}", "malformed request: resourceSpans[0] at "
	  "byte 17: a list is expected" },
	{ "[1]", "malformed request: the request at byte 0: an object is "
	  "expected" },
	{ "{\"resourceSpans\":[secret", "malformed JSON at byte 18: this is no "
	  "value" },
	{ "{} secret", "malformed JSON at byte 3: more than one value" },
	{ "", "malformed JSON at byte 0: the text ends too early" },
};

START_TEST(a_refused_peer_hears_where_and_why_and_no_payload)
{
	struct weir_outcome refused;
	size_t len;

	ck_assert(!read_text(WEIR_SIGNAL_TRACES, weir_str_of(words[_i].text),
			     MAX, &len, &refused));
	ck_assert_str_eq(refused.text, words[_i].want);
}
END_TEST

/* n lists in a value: so many are 3 n containers of JSON. */
static struct weir_text lists(size_t n)
{
	struct weir_text text = { 0 };

	weir_text_add(&text, WEIR_STR(VALUE_HEAD));
	for (size_t i = 0; i < n; i++)
		weir_text_add(&text, i ?
			WEIR_STR("{\"arrayValue\":{\"values\":[") :
			WEIR_STR("\"arrayValue\":{\"values\":["));
	weir_text_add(&text, WEIR_STR("null"));
	for (size_t i = 0; i < n; i++)
		weir_text_add(&text, i + 1 < n ? WEIR_STR("]}}") :
						 WEIR_STR("]}"));
	weir_text_add(&text, WEIR_STR(VALUE_TAIL));
	return text;
}

START_TEST(a_path_that_is_too_long_is_cut)
{
	struct weir_text text = lists(60);
	struct weir_outcome refused;
	size_t len;

	memcpy(strstr(text.ptr, "null"), "true", 4);
	ck_assert(!read_text(WEIR_SIGNAL_LOGS,
			     (weir_str){ text.ptr, text.len }, MAX, &len,
			     &refused));
	ck_assert_ptr_nonnull(strstr(refused.text, "resourceLogs[0].scopeLogs"
				     "[0].logRecords[0].body.arrayValue.val"));
	ck_assert_ptr_nonnull(strstr(refused.text, "...  at byte") ?
			      NULL : strstr(refused.text, "... at byte"));
	weir_text_release(&text);
}
END_TEST

/* Eight containers are around the first list's values. */
START_TEST(depth_is_counted_in_containers_and_ends_at_200)
{
	for (size_t n = 64; n <= 65; n++) {
		struct weir_text text = lists(n);
		struct weir_outcome refused;
		struct weir_payload *payload;
		size_t len;

		payload = read_text(WEIR_SIGNAL_LOGS,
				    (weir_str){ text.ptr, text.len }, MAX, &len,
				    &refused);
		ck_assert_int_eq(payload != NULL, n == 64);
		if (payload)
			weir_payload_free(&payload);
		else
			ck_assert_ptr_nonnull(strstr(refused.text,
						     "nested too deep"));
		weir_text_release(&text);
	}
}
END_TEST

/* --- Room ----------------------------------------------------------------- */

/* Counts that take two bytes of text and eight of protobuf. */
START_TEST(what_becomes_larger_than_its_text_has_room)
{
	struct weir_text text = { 0 };
	struct weir_outcome refused;
	struct weir_payload *payload;
	size_t n = 100000, len = 0;

	weir_text_add(&text, WEIR_STR(METRIC_HEAD "\"histogram\":{\"dataPoints"
				      "\":[{\"bucketCounts\":[1"));
	for (size_t i = 1; i < n; i++)
		weir_text_add(&text, WEIR_STR(",1"));
	weir_text_add(&text, WEIR_STR("]}]}" METRIC_TAIL));
	payload = read_text(WEIR_SIGNAL_METRICS,
			    (weir_str){ text.ptr, text.len }, MAX, &len,
			    &refused);
	ck_assert(payload != NULL);
	ck_assert_uint_gt(len, 8 * n);
	ck_assert_uint_lt(len, 8 * n + 64);
	weir_payload_free(&payload);
	/* to the byte */
	payload = read_text(WEIR_SIGNAL_METRICS,
			    (weir_str){ text.ptr, text.len }, len, &len,
			    &refused);
	ck_assert(payload != NULL);
	weir_payload_free(&payload);
	ck_assert(!read_text(WEIR_SIGNAL_METRICS,
			     (weir_str){ text.ptr, text.len }, len - 1, &len,
			     &refused));
	ck_assert_int_eq(refused.status, WEIR_RESOURCE_EXHAUSTED);
	ck_assert_int_eq(refused.reason, WEIR_REASON_TOO_BIG);
	weir_text_release(&text);
}
END_TEST

/* Empty messages: a gap of eight bytes each until they are closed up. */
START_TEST(a_hundred_thousand_empty_messages_close_up)
{
	struct weir_text text = { 0 };
	struct weir_outcome refused;
	struct weir_payload *payload;
	size_t n = 100000, len = 0;
	const uint8_t *bytes;

	weir_text_add(&text, WEIR_STR("{\"resourceSpans\":[{}"));
	for (size_t i = 1; i < n; i++)
		weir_text_add(&text, WEIR_STR(",{}"));
	weir_text_add(&text, WEIR_STR("]}"));
	payload = read_text(WEIR_SIGNAL_TRACES,
			    (weir_str){ text.ptr, text.len }, 2 * n, &len,
			    &refused);
	ck_assert_msg(payload != NULL, "%s", refused.text);
	ck_assert_uint_eq(len, 2 * n);
	bytes = weir_payload_bytes(payload);
	for (size_t i = 0; i < len; i += 2)
		ck_assert(bytes[i] == 0x0a && bytes[i + 1] == 0);
	weir_payload_free(&payload);
	weir_text_release(&text);
}
END_TEST

/* Lengths around what a varint of one, two and three bytes holds. */
static const size_t lengths[] = {
	0, 1, 100, 117, 118, 119, 120, 121, 126, 127, 128, 129, 16370, 16383,
	16384, 16385, 2097151, 2097152
};

START_TEST(every_length_is_written_as_short_as_it_can_be)
{
	static const char *const letters[] = { "x", "\\u0078", "\\n" };

	for (size_t l = 0; l < 3; l++) {
		struct weir_text text = { 0 };
		struct weir_outcome refused;
		struct weir_payload *payload;
		struct otlp_bytes again;
		size_t len;

		weir_text_add(&text, WEIR_STR(VALUE_HEAD "\"stringValue\":\""));
		for (size_t i = 0; i < lengths[_i]; i++)
			weir_text_add(&text, weir_str_of(letters[l]));
		weir_text_add(&text, WEIR_STR("\"" VALUE_TAIL));
		payload = read_text(WEIR_SIGNAL_LOGS,
				    (weir_str){ text.ptr, text.len }, MAX, &len,
				    &refused);
		ck_assert_msg(payload != NULL, "%s", refused.text);
		/* protobuf-c writes no varint longer than it must be */
		again = otlp_repacked(WEIR_SIGNAL_LOGS,
				      weir_payload_bytes(payload), len);
		ck_assert_uint_eq(again.len, len);
		ck_assert(!memcmp(again.ptr, weir_payload_bytes(payload), len));
		otlp_bytes_free(&again);
		weir_payload_free(&payload);
		weir_text_release(&text);
	}
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void)
{
	Suite *suite = suite_create("kit/otlp_json_read");
	TCase *tc = tcase_create("otlp_json_read");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, values_are, 0, N(values));
	tcase_add_loop_test(tc, attributes_are, 0, N(attributes));
	tcase_add_loop_test(tc, spans_are, 0, N(spans));
	tcase_add_loop_test(tc, metrics_are, 0, N(metrics));
	tcase_add_loop_test(tc, requests_are, 0, N(requests));
	tcase_add_test(tc, a_message_that_comes_twice_says_its_defaults);
	tcase_add_test(tc, utf16_and_nul_are_refused);
	tcase_add_loop_test(tc,
			    a_refused_peer_hears_where_and_why_and_no_payload,
			    0, N(words));
	tcase_add_test(tc, a_path_that_is_too_long_is_cut);
	tcase_add_test(tc, depth_is_counted_in_containers_and_ends_at_200);
	tcase_add_test(tc, what_becomes_larger_than_its_text_has_room);
	tcase_add_test(tc, a_hundred_thousand_empty_messages_close_up);
	tcase_add_loop_test(tc,
			    every_length_is_written_as_short_as_it_can_be, 0,
			    N(lengths));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
