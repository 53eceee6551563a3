/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_walk: what the border guard lets in, and what it says of the rest.
 * Numbers are rows of the catalogue of attacks.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../support/otlp_gen.h"
#include "../../support/seeds.h"
#include "data/walk.h"
#include "data/wire.h"

#define SEEDS SEEDS_OF(4000)	/* of each signal */

#define T WEIR_SIGNAL_TRACES
#define M WEIR_SIGNAL_METRICS
#define L WEIR_SIGNAL_LOGS

/* Hex text to bytes of their own, noise behind them. */
static struct otlp_bytes from_hex(const char *hex)
{
	uint8_t bytes[512];
	size_t n = 0;

	for (unsigned v; *hex; hex += *hex == ' ') {
		if (*hex == ' ')
			continue;
		ck_assert_int_eq(sscanf(hex, "%2x", &v), 1);
		bytes[n++] = (uint8_t)v;
		hex += 2;
	}
	return otlp_bytes_copy(bytes, n, n + 1);
}

static struct walk_result walk(enum weir_signal signal,
			       const struct otlp_bytes *b)
{
	return walk_request(signal, b->ptr, b->len, NULL, NULL);
}

/* A body with tag and length before it. */
static struct otlp_bytes wrapped(const struct otlp_bytes *body, uint8_t tag)
{
	uint8_t head[WIRE_VARINT_MAX + 1];
	uint8_t *end = wire_put_varint(head + 1, body->len);
	size_t n = (size_t)(end - head);
	struct otlp_bytes out;

	head[0] = tag;
	out = otlp_bytes_copy(head, n, body->len);
	otlp_bytes_append(&out, body->ptr, body->len);
	return out;
}

static void wrap(struct otlp_bytes *body, uint8_t tag)
{
	struct otlp_bytes out = wrapped(body, tag);

	otlp_bytes_free(body);
	*body = out;
}

/* A span's body as a whole request. */
static struct otlp_bytes span_of(const char *hex)
{
	struct otlp_bytes b = from_hex(hex);

	wrap(&b, 0x12);		/* ScopeSpans.spans */
	wrap(&b, 0x12);		/* ResourceSpans.scope_spans */
	wrap(&b, 0x0a);
	return b;
}

/* An AnyValue's body as a span's attribute without key. */
static struct otlp_bytes value_of(const char *hex)
{
	struct otlp_bytes b = from_hex(hex);

	wrap(&b, 0x12);		/* KeyValue.value */
	wrap(&b, 0x4a);		/* Span.attributes */
	wrap(&b, 0x12);
	wrap(&b, 0x12);
	wrap(&b, 0x0a);
	return b;
}

START_TEST(passes_what_an_sdk_writes_and_counts_it)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct gen_options options = { .unknown = seed & 1 };

		for (enum weir_signal s = T; s < WEIR_SIGNAL_COUNT; s++) {
			struct otlp_bytes b = otlp_gen(s, seed, &options);
			struct walk_result r = walk(s, &b);

			ck_assert_msg(r.verdict == WALK_CANONICAL,
				      "signal %d seed %lu: %s at %u", s,
				      (unsigned long)seed,
				      r.why ? r.why : "unusual", r.offset);
			ck_assert_msg(r.items == b.items,
				      "signal %d seed %lu: %u items of %u", s,
				      (unsigned long)seed, r.items, b.items);
			otlp_bytes_free(&b);
		}
	}
}
END_TEST

/* Ends of top-level records: the only prefixes that are requests. */
static bool whole_records(const struct otlp_bytes *b, size_t len)
{
	const uint8_t *p = b->ptr, *end = p + b->len;
	struct wire_field f;

	while (p < b->ptr + len)
		p = wire_next(p, end, &f);
	return p == b->ptr + len;
}

/* 13 */
START_TEST(refuses_every_prefix_that_cuts_a_record)
{
	const struct gen_options options = { .unknown = true };

	for (uint64_t seed = 1; seed <= 12; seed++)
		for (enum weir_signal s = T; s < WEIR_SIGNAL_COUNT; s++) {
			struct otlp_bytes b = otlp_gen(s, seed, &options);

			for (size_t n = 0; n <= b.len && n < 3000; n++) {
				struct otlp_bytes cut =
					otlp_bytes_copy(b.ptr, n, n);
				struct walk_result r = walk(s, &cut);
				bool whole = whole_records(&b, n);

				ck_assert_msg(
					(r.verdict == WALK_MALFORMED) != whole,
					"signal %d seed %lu prefix %zu", s,
					(unsigned long)seed, n);
				ck_assert(whole || r.why);
				ck_assert_uint_le(r.offset, n);
				otlp_bytes_free(&cut);
			}
			otlp_bytes_free(&b);
		}
}
END_TEST

START_TEST(never_lets_bytes_behind_the_end_decide)
{
	for (uint64_t seed = 1; seed <= 300; seed++) {
		const struct gen_options options = { .unknown = true };
		enum weir_signal s = (enum weir_signal)(seed % 3);
		struct otlp_bytes b = otlp_gen(s, seed, &options);
		struct gen gen = { seed };
		size_t n = gen_below(&gen, (uint32_t)b.len + 1);
		struct otlp_bytes one = otlp_bytes_copy(b.ptr, n, 1);
		struct otlp_bytes two = otlp_bytes_copy(b.ptr, n, ~seed);
		struct walk_result r = walk(s, &one), q;

		memset(two.ptr + n, 0xff, 16);
		q = walk(s, &two);
		ck_assert_int_eq(r.verdict, q.verdict);
		ck_assert_uint_eq(r.items, q.items);
		ck_assert_uint_eq(r.offset, q.offset);
		ck_assert_uint_eq(r.invalid_utf8, q.invalid_utf8);
		ck_assert_ptr_eq(r.why, q.why);
		otlp_bytes_free(&one);
		otlp_bytes_free(&two);
		otlp_bytes_free(&b);
	}
}
END_TEST

static const struct {
	const char *reason;
	struct otlp_bytes (*make)(const char *hex);
	const char *hex;
	enum walk_verdict verdict;
	const char *why;
} edges[] = {
	{ "27: an empty request", from_hex, "", WALK_CANONICAL, NULL },
	{ "27: an empty span", span_of, "", WALK_CANONICAL, NULL },
	{ "14: a varint of eleven bytes", span_of,
	  "30 80 80 80 80 80 80 80 80 80 80 01", WALK_MALFORMED, "varint" },
	{ "14: a tenth byte above one", span_of,
	  "50 ff ff ff ff ff ff ff ff ff 02", WALK_MALFORMED, "varint" },
	{ "29: kind -1 has ten bytes", span_of,
	  "30 ff ff ff ff ff ff ff ff ff 01", WALK_CANONICAL, NULL },
	{ "29: a kind nobody knows", span_of, "30 63", WALK_CANONICAL, NULL },
	{ "an enum of 32 bits without its sign", span_of,
	  "30 ff ff ff ff 0f", WALK_UNUSUAL, NULL },
	{ "15: a length of 2^31", from_hex, "0a 80 80 80 80 08",
	  WALK_MALFORMED, "length past the end" },
	{ "15: a length of 2^63", from_hex,
	  "0a 80 80 80 80 80 80 80 80 80 01", WALK_MALFORMED,
	  "length past the end" },
	{ "15: a length of 2^64 - 1", from_hex,
	  "0a ff ff ff ff ff ff ff ff ff 01", WALK_MALFORMED,
	  "length past the end" },
	{ "15: a name past the span's end", span_of, "2a 05 61",
	  WALK_MALFORMED, "length past the end" },
	{ "16: field number 0", span_of, "02 00", WALK_MALFORMED,
	  "field number 0" },
	{ "16: tag 0", span_of, "00 00", WALK_MALFORMED, "field number 0" },
	{ "16: wire type 6", span_of, "a6 01", WALK_MALFORMED, "wire type" },
	{ "16: wire type 7 on a known field", span_of, "2f", WALK_MALFORMED,
	  "wire type" },
	{ "16: a name that is a number", span_of, "28 05", WALK_MALFORMED,
	  "wrong wire type" },
	{ "16: a known field as a group", span_of, "2b 2c", WALK_MALFORMED,
	  "wrong wire type" },
	{ "a field number above 2^29 - 1", span_of, "80 80 80 80 10 00",
	  WALK_MALFORMED, "field number too large" },
	{ "a tag of six bytes", span_of, "a0 81 80 80 80 00 01",
	  WALK_MALFORMED, "too long" },
	{ "18: a group ends that never began", span_of, "a4 01",
	  WALK_MALFORMED, "not open" },
	{ "18: a group without end", span_of, "a3 01", WALK_MALFORMED,
	  "group without end" },
	{ "18: groups crossed", span_of, "a3 01 ab 01 a4 01 ac 01",
	  WALK_MALFORMED, "another group" },
	{ "18: a group of unknown fields", span_of, "a3 01 08 05 a4 01",
	  WALK_UNUSUAL, NULL },
	{ "21: unknown fields of each kind", span_of,
	  "a0 01 05 a1 01 01 02 03 04 05 06 07 08 a2 01 01 61 a5 01 01 02 03 04",
	  WALK_CANONICAL, NULL },
	{ "21: unknown ones may be long-winded", span_of, "a0 81 00 85 00",
	  WALK_CANONICAL, NULL },
	{ "22: invalid UTF-8 in a name", span_of, "2a 02 61 ff",
	  WALK_UNUSUAL, NULL },
	{ "22: a surrogate", span_of, "2a 03 ed a0 80", WALK_UNUSUAL, NULL },
	{ "23: NUL and ESC in a name", span_of, "2a 02 00 1b",
	  WALK_CANONICAL, NULL },
	{ "24: a trace_id of 5 bytes", span_of, "0a 05 01 02 03 04 05",
	  WALK_MALFORMED, "trace_id" },
	{ "24: an empty trace_id", span_of, "0a 00", WALK_CANONICAL, NULL },
	{ "24: a parent of 16 bytes", span_of,
	  "22 10 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f",
	  WALK_MALFORMED, "span_id" },
	{ "24: a link's span_id of 9 bytes", span_of,
	  "6a 0b 12 09 00 01 02 03 04 05 06 07 08", WALK_MALFORMED,
	  "span_id" },
	{ "20: a name twice", span_of, "2a 01 61 2a 01 62", WALK_UNUSUAL,
	  NULL },
	{ "20: a status in two pieces", span_of, "7a 02 18 01 7a 00",
	  WALK_UNUSUAL, NULL },
	{ "an over-long length", span_of, "2a 81 00 61", WALK_UNUSUAL, NULL },
	{ "an over-long tag", span_of, "aa 00 01 61", WALK_UNUSUAL, NULL },
	{ "an over-long count", span_of, "50 81 00", WALK_UNUSUAL, NULL },
	{ "a count of 33 bits", span_of, "50 81 80 80 80 10", WALK_UNUSUAL,
	  NULL },
	{ "a value with two members", value_of, "0a 01 61 18 05",
	  WALK_UNUSUAL, NULL },
	{ "a truth of 2", value_of, "10 02", WALK_UNUSUAL, NULL },
	{ "a zero that was written", value_of, "18 00", WALK_CANONICAL, NULL },
	{ "an over-long number", value_of, "18 85 00", WALK_UNUSUAL, NULL },
	{ "no value at all", value_of, "", WALK_CANONICAL, NULL },
	{ "a double cut off", value_of, "21 00 00", WALK_MALFORMED,
	  "value cut off" },
	{ "a key twice", span_of, "4a 06 0a 01 61 0a 01 62", WALK_UNUSUAL,
	  NULL },
	{ "a value before its key", span_of, "4a 08 12 03 0a 01 76 0a 01 61",
	  WALK_CANONICAL, NULL },
	{ "a resource behind its scopes", from_hex, "0a 04 12 00 0a 00",
	  WALK_UNUSUAL, NULL },
	{ "a scope behind its spans", from_hex, "0a 06 12 04 12 00 0a 00",
	  WALK_UNUSUAL, NULL },
	{ "a schema_url behind the children", from_hex,
	  "0a 05 12 00 1a 01 75", WALK_CANONICAL, NULL },
	{ "status before attributes", span_of, "7a 00 4a 02 12 00",
	  WALK_CANONICAL, NULL },
};

START_TEST(edge_of_what_passes)
{
	struct otlp_bytes b = edges[_i].make(edges[_i].hex);
	struct walk_result r = walk(T, &b);

	ck_assert_msg(r.verdict == edges[_i].verdict, "%s: verdict %d, %s",
		      edges[_i].reason, r.verdict, r.why ? r.why : "");
	if (edges[_i].why)
		ck_assert_msg(strstr(r.why, edges[_i].why), "%s: \"%s\"",
			      edges[_i].reason, r.why);
	else
		ck_assert_msg(!r.why, "%s", edges[_i].reason);
	otlp_bytes_free(&b);
}
END_TEST

static const struct {
	const char *reason;
	const char *hex;	/* a metric's body */
	enum walk_verdict verdict;
} metrics[] = {
	{ "a name behind the data", "2a 00 0a 01 6e", WALK_UNUSUAL },
	{ "metadata behind the data", "2a 00 62 02 12 00", WALK_CANONICAL },
	{ "two kinds of data", "2a 00 3a 00", WALK_UNUSUAL },
	{ "buckets unpacked", "4a 0b 0a 09 31 01 00 00 00 00 00 00 00",
	  WALK_UNUSUAL },
	{ "buckets in chunks", "4a 06 0a 04 32 00 32 00", WALK_UNUSUAL },
	{ "buckets of 7 bytes", "4a 0b 0a 09 32 07 01 02 03 04 05 06 07",
	  WALK_MALFORMED },
	{ "counts that end in a varint", "52 08 0a 06 42 04 12 02 01 80",
	  WALK_MALFORMED },
	{ "an over-long count", "52 08 0a 06 42 04 12 02 81 00",
	  WALK_UNUSUAL },
	{ "26: a scale at the limit", "52 08 0a 06 30 ff ff ff ff 0f",
	  WALK_CANONICAL },
	{ "a point with two values",
	  "2a 14 0a 12 21 00 00 00 00 00 00 00 00 31 00 00 00 00 00 00 00 00",
	  WALK_UNUSUAL },
};

START_TEST(edge_of_metrics)
{
	struct otlp_bytes b = from_hex(metrics[_i].hex);
	struct walk_result r;

	wrap(&b, 0x12);
	wrap(&b, 0x12);
	wrap(&b, 0x0a);
	r = walk(M, &b);
	ck_assert_msg(r.verdict == metrics[_i].verdict, "%s: %s",
		      metrics[_i].reason, r.why ? r.why : "");
	otlp_bytes_free(&b);
}
END_TEST

/* A span attribute of lists within lists: request, resource, scope, span and
 * attribute are five messages below the root, and two a list. */
static struct walk_result nested_lists(unsigned lists, bool group)
{
	struct otlp_bytes b = from_hex(group ? "a3 01 a4 01" : "");
	struct walk_result r;

	for (unsigned i = 0; i < lists; i++) {
		wrap(&b, 0x0a);		/* ArrayValue.values */
		wrap(&b, 0x2a);		/* AnyValue.array_value */
	}
	wrap(&b, 0x12);
	wrap(&b, 0x4a);
	wrap(&b, 0x12);
	wrap(&b, 0x12);
	wrap(&b, 0x0a);
	r = walk(T, &b);
	otlp_bytes_free(&b);
	return r;
}

/* 17, 18 */
START_TEST(counts_depth_over_messages_and_groups)
{
	ck_assert_int_eq(nested_lists(47, false).verdict, WALK_CANONICAL);
	ck_assert_int_eq(nested_lists(48, false).verdict, WALK_MALFORMED);
	ck_assert_str_eq(nested_lists(48, false).why, "nested too deep");
	ck_assert_int_eq(nested_lists(47, true).verdict, WALK_UNUSUAL);
	ck_assert_int_eq(nested_lists(5000, false).verdict, WALK_MALFORMED);
}
END_TEST

/* 18 */
START_TEST(skips_groups_without_recursion)
{
	uint8_t bytes[40000];
	struct otlp_bytes b;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i < sizeof(bytes) / 2 ? 0x7b : 0x7c;
	b = otlp_bytes_copy(bytes, sizeof(bytes), 1);
	ck_assert_str_eq(walk(T, &b).why, "nested too deep");
	otlp_bytes_free(&b);
}
END_TEST

/* 19 */
START_TEST(tells_how_many_messages_there_are)
{
	uint8_t bytes[2000];
	struct otlp_bytes b;

	for (size_t i = 0; i < sizeof(bytes); i += 2) {
		bytes[i] = 0x0a;
		bytes[i + 1] = 0;
	}
	b = otlp_bytes_copy(bytes, sizeof(bytes), 1);
	ck_assert_uint_eq(walk(T, &b).elements, 1000);
	ck_assert_uint_eq(walk(T, &b).items, 0);
	otlp_bytes_free(&b);
}
END_TEST

/* 22 */
START_TEST(counts_texts_to_be_mended)
{
	struct otlp_bytes b = span_of("2a 02 61 ff 1a 01 80 7a 03 12 01 c3");

	ck_assert_uint_eq(walk(T, &b).invalid_utf8, 3);
	otlp_bytes_free(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core/walk");
	TCase *tc = tcase_create("walk");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, passes_what_an_sdk_writes_and_counts_it);
	tcase_add_test(tc, refuses_every_prefix_that_cuts_a_record);
	tcase_add_test(tc, never_lets_bytes_behind_the_end_decide);
	tcase_add_loop_test(tc, edge_of_what_passes, 0,
			    sizeof(edges) / sizeof(*edges));
	tcase_add_loop_test(tc, edge_of_metrics, 0,
			    sizeof(metrics) / sizeof(*metrics));
	tcase_add_test(tc, counts_depth_over_messages_and_groups);
	tcase_add_test(tc, skips_groups_without_recursion);
	tcase_add_test(tc, tells_how_many_messages_there_are);
	tcase_add_test(tc, counts_texts_to_be_mended);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
