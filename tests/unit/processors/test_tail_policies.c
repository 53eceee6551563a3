/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processors/tail_sampling: what each policy says of a trace, and what the
 * votes come to.  One trace a row: up to three spans in their order of arrival
 * under one resource.
 */
#include "ts_case.h"

#define SPANS 3
#define NS(ms) (1700000000000000000u + (uint64_t)(ms) * 1000000u)

struct row {
	const char *policies;		/* the list */
	struct attr resource[MAX_ATTRS];
	struct a_span spans[SPANS];
	bool sampled;
	const char *more;		/* keys of the processor */
};

static size_t send_row(const struct row *row)
{
	struct traces r = { 0 };
	size_t n = 0;

	traces_resource(&r, row->resource, NULL);
	for (size_t i = 0; i < SPANS; i++) {
		struct a_span span = row->spans[i];

		if (i && !span.number)
			continue;
		span.number = i + 1;
		if (!span.id)
			span.trace = 7;
		traces_span(&r, &span);
		n++;
	}
	send_traces(&r);
	return n;
}

static void check_row(const struct row *row, int i)
{
	char yaml[2048];
	size_t n;

	snprintf(yaml, sizeof(yaml), "{decision_wait: 1s, %s policies: [%s]}",
		 row->more ? row->more : "", row->policies);
	begin(yaml);
	n = send_row(row);
	ck_assert_uint_eq(weir_test_passed(t), 0);
	seconds(2);
	ck_assert_msg(all_that_came() == (row->sampled ? n : 0),
		      "row %d: %s: %zu of %zu", i, row->policies,
		      all_that_came(), n);
	end();
}

#define P(type, block) "{name: p, type: " type ", " type ": " block "}"
#define BARE(type) "{name: p, type: " type "}"
#define ONE(...) .spans = { { __VA_ARGS__ } }

static const struct row rows[] = {
	{ BARE("always_sample"), .sampled = true },
	{ "", .sampled = false },		/* no policies */

	/* latency: more than threshold, up to upper, in whole ms */
	{ P("latency", "{threshold_ms: 100}"),
	  ONE(.start = NS(0), .end = NS(100)), .sampled = false },
	{ P("latency", "{threshold_ms: 100}"),
	  ONE(.start = NS(0), .end = NS(101)), .sampled = true },
	{ P("latency", "{threshold_ms: 100}"),
	  ONE(.start = NS(0), .end = NS(101) - 1), .sampled = false },
	{ P("latency", "{threshold_ms: 100}"),
	  .spans = { { .start = NS(0), .end = NS(60) },
		     { .number = 2, .start = NS(50), .end = NS(110) } },
	  .sampled = true },
	{ P("latency", "{threshold_ms: 100, upper_threshold_ms: 200}"),
	  ONE(.start = NS(0), .end = NS(200)), .sampled = true },
	{ P("latency", "{threshold_ms: 100, upper_threshold_ms: 200}"),
	  ONE(.start = NS(0), .end = NS(201)), .sampled = false },
	/* a beginning that satisfies it is enough ... */
	{ P("latency", "{threshold_ms: 100, upper_threshold_ms: 200}"),
	  .spans = { { .start = NS(0), .end = NS(150) },
		     { .number = 2, .start = NS(0), .end = NS(900) } },
	  .sampled = true },
	/* ... but not an end */
	{ P("latency", "{threshold_ms: 100, upper_threshold_ms: 200}"),
	  .spans = { { .start = NS(0), .end = NS(900) },
		     { .number = 2, .start = NS(0), .end = NS(150) } },
	  .sampled = false },
	/* a start of 0 counts from the epoch, until the next span */
	{ P("latency", "{threshold_ms: 100}"), ONE(.end = NS(0)),
	  .sampled = true },
	{ P("latency", "{threshold_ms: 100, upper_threshold_ms: 200}"),
	  .spans = { { .end = NS(0) },
		     { .number = 2, .start = NS(-150), .end = NS(-1) } },
	  .sampled = true },
	/* the end before the start: less than nothing */
	{ P("latency", "{threshold_ms: 0}"),
	  ONE(.start = NS(10), .end = NS(0)), .sampled = false },
	{ P("latency", "{threshold_ms: -1000}"),
	  ONE(.start = NS(10), .end = NS(0)), .sampled = true },

	/* numeric_attribute: both ends belong to it; 0 is no bound */
	{ P("numeric_attribute", "{key: k, min_value: 5, max_value: 9}"),
	  ONE(.attrs = { INT("k", 5) }), .sampled = true },
	{ P("numeric_attribute", "{key: k, min_value: 5, max_value: 9}"),
	  ONE(.attrs = { INT("k", 9) }), .sampled = true },
	{ P("numeric_attribute", "{key: k, min_value: 5, max_value: 9}"),
	  ONE(.attrs = { INT("k", 10) }), .sampled = false },
	{ P("numeric_attribute", "{key: k, min_value: 5, max_value: 9}"),
	  ONE(.attrs = { INT("K", 7) }), .sampled = false },
	{ P("numeric_attribute", "{key: k, min_value: 5}"),
	  ONE(.attrs = { INT("k", INT64_MAX) }), .sampled = true },
	{ P("numeric_attribute", "{key: k, max_value: -5}"),
	  ONE(.attrs = { INT("k", INT64_MIN) }), .sampled = true },
	{ P("numeric_attribute", "{key: k, min_value: 9, max_value: 5}"),
	  ONE(.attrs = { INT("k", 7) }), .sampled = false },
	/* any other type is 0 */
	{ P("numeric_attribute", "{key: k, min_value: -1, max_value: 1}"),
	  ONE(.attrs = { DOUBLE("k", 77.0) }), .sampled = true },
	{ P("numeric_attribute", "{key: k, min_value: -1, max_value: 1}"),
	  ONE(.attrs = { TEXT("k", "77") }), .sampled = true },
	{ P("numeric_attribute", "{key: k, min_value: 1, max_value: 99}"),
	  ONE(.attrs = { DOUBLE("k", 77.0) }), .sampled = false },
	{ P("numeric_attribute", "{key: k, max_value: 9}"), .sampled = false },
	{ P("numeric_attribute", "{key: k, max_value: 9}"),
	  .resource = { INT("k", 3) }, .sampled = true },
	{ P("numeric_attribute", "{key: k, max_value: 9, invert_match: true}"),
	  .sampled = true },
	{ P("numeric_attribute", "{key: k, max_value: 9, invert_match: true}"),
	  .spans = { { .attrs = { INT("k", 11) } },
		     { .number = 2, .attrs = { INT("k", 9) } } },
	  .sampled = false },

	/* boolean_attribute: what is no bool is false, if it is there */
	{ P("boolean_attribute", "{key: k, value: true}"),
	  ONE(.attrs = { BOOL("k", 1) }), .sampled = true },
	{ P("boolean_attribute", "{key: k, value: true}"),
	  ONE(.attrs = { BOOL("k", 0) }), .sampled = false },
	{ P("boolean_attribute", "{key: k}"),
	  ONE(.attrs = { BOOL("k", 0) }), .sampled = true },
	{ P("boolean_attribute", "{key: k}"),
	  ONE(.attrs = { TEXT("k", "true") }), .sampled = true },
	{ P("boolean_attribute", "{key: k}"), .sampled = false },
	{ P("boolean_attribute", "{key: k, invert_match: true}"),
	  .sampled = true },
	{ P("boolean_attribute", "{key: k, value: true, invert_match: true}"),
	  .resource = { BOOL("k", 1) }, .sampled = false },

	/* string_attribute */
	{ P("string_attribute", "{key: k, values: [a, b]}"),
	  ONE(.attrs = { TEXT("k", "b") }), .sampled = true },
	{ P("string_attribute", "{key: k, values: [a, b]}"),
	  ONE(.attrs = { TEXT("k", "B") }), .sampled = false },
	{ P("string_attribute", "{key: k, values: [a, b]}"),
	  ONE(.attrs = { TEXT("k", "ab") }), .sampled = false },
	{ P("string_attribute", "{key: k, values: [a]}"),
	  .resource = { TEXT("k", "a") }, .sampled = true },
	{ P("string_attribute", "{key: k, values: ['5']}"),
	  ONE(.attrs = { INT("k", 5) }), .sampled = false },
	{ P("string_attribute", "{key: k, values: ['']}"),
	  .resource = { TEXT("k", "") }, .sampled = false },
	/* the first of two attributes of that key */
	{ P("string_attribute", "{key: k, values: [b]}"),
	  ONE(.attrs = { TEXT("k", "a"), TEXT("k", "b") }), .sampled = false },
#define REGEX(values) P("string_attribute", "{key: k, values: " values	\
			", enabled_regex_matching: true, cache_max_size: 1}")
	{ REGEX("['b+']"), ONE(.attrs = { TEXT("k", "abbc") }),
	  .sampled = true },
	{ REGEX("['^b+$', '^x']"), ONE(.attrs = { TEXT("k", "abbc") }),
	  .sampled = false },
	{ REGEX("['^b+$', 'c$']"), ONE(.attrs = { TEXT("k", "abbc") }),
	  .sampled = true },
	/* "" is asked about on a resource, not on a span */
	{ REGEX("['.*']"), ONE(.attrs = { TEXT("k", "") }), .sampled = false },
	{ REGEX("['.*']"), ONE(.attrs = { INT("k", 1) }), .sampled = false },
	{ REGEX("['.*']"), .resource = { TEXT("k", "") }, .sampled = true },
	{ REGEX("['.*']"), .resource = { INT("k", 1) }, .sampled = true },
	{ REGEX("['']"), ONE(.attrs = { TEXT("k", "x") }), .sampled = true },
	{ REGEX("['.*']"), .sampled = false },
	{ P("string_attribute", "{key: k, values: [a], invert_match: true}"),
	  ONE(.attrs = { TEXT("k", "a") }), .sampled = false },
	{ P("string_attribute", "{key: k, values: [a], invert_match: true}"),
	  .sampled = true },

	/* status_code */
	{ P("status_code", "{status_codes: [ERROR]}"), ONE(.status = 2),
	  .sampled = true },
	{ P("status_code", "{status_codes: [ERROR]}"), ONE(.status = 1),
	  .sampled = false },
	{ P("status_code", "{status_codes: [UNSET]}"), .sampled = true },
	{ P("status_code", "{status_codes: [OK, ERROR]}"),
	  .spans = { { .status = 0 }, { .number = 2, .status = 1 } },
	  .sampled = true },

	/* span_count */
	{ P("span_count", "{min_spans: 2}"), .sampled = false },
	{ P("span_count", "{min_spans: 2}"), .spans = { { 0 },
	  { .number = 2 } }, .sampled = true },
	{ P("span_count", "{min_spans: 1, max_spans: 2}"), .spans = { { 0 },
	  { .number = 2 }, { .number = 3 } }, .sampled = false },
	{ P("span_count", "{max_spans: 3}"), .spans = { { 0 },
	  { .number = 2 }, { .number = 3 } }, .sampled = true },
	{ P("span_count", "{}"), .sampled = true },
	{ P("span_count", "{max_spans: -1}"), .sampled = false },

	/* trace_state */
#define STATE P("trace_state", "{key: k, values: [v, w, '']}")
	{ STATE, ONE(.state = "k=v"), .sampled = true },
	{ STATE, ONE(.state = "a=1, k=w ,b=2"), .sampled = true },
	{ STATE, ONE(.state = "k=V"), .sampled = false },
	{ STATE, ONE(.state = "kk=v"), .sampled = false },
	{ STATE, ONE(.state = "k=v,k=w"), .sampled = false },
	{ STATE, ONE(.state = "k=v,A=1"), .sampled = false },
	{ STATE, ONE(.state = "k=v,b"), .sampled = false },
	{ STATE, .sampled = false },

	/* trace_flags */
	{ BARE("trace_flags"), ONE(.flags = 1), .sampled = true },
	{ BARE("trace_flags"), ONE(.flags = 0x301), .sampled = true },
	{ BARE("trace_flags"), ONE(.flags = 0x302), .sampled = false },
	{ BARE("trace_flags"), .sampled = false },

	/* limits: not more than the burst; twice the rate, unless it is said */
	{ P("rate_limiting", "{spans_per_second: 1}"), .spans = { { 0 },
	  { .number = 2 } }, .sampled = true },
	{ P("rate_limiting", "{spans_per_second: 1}"), .spans = { { 0 },
	  { .number = 2 }, { .number = 3 } }, .sampled = false },
	{ P("rate_limiting", "{spans_per_second: 1, burst_capacity: 3}"),
	  .spans = { { 0 }, { .number = 2 }, { .number = 3 } },
	  .sampled = true },
	{ P("rate_limiting", "{}"), .sampled = false },
	/* TracesData of a span of 28 bytes: four wrappers, two empty heads */
	{ P("bytes_limiting", "{bytes_per_second: 18}"), .sampled = false },
	{ P("bytes_limiting", "{bytes_per_second: 19}"), .sampled = true },

	/* and, not, drop */
#define SUB(keys) "{name: s, " keys "}"
#define AND(list) "{name: p, type: and, and: {and_sub_policy: [" list "]}}"
#define NOT(sub) "{name: p, type: not, not: {not_sub_policy: " sub "}}"
#define DROP(list) "{name: d, type: drop, drop: {drop_sub_policy: [" list "]}}"
#define SUB_ALL SUB("type: always_sample")
#define ERROR_ SUB("type: status_code, status_code: {status_codes: [ERROR]}")
#define NOT_ERROR SUB("type: not, not: {not_sub_policy: " ERROR_ "}")
	{ AND(""), .sampled = true },
	{ AND(SUB_ALL ", " ERROR_), ONE(.status = 2), .sampled = true },
	{ AND(SUB_ALL ", " ERROR_), .sampled = false },
	{ AND(SUB_ALL ", " NOT_ERROR), .sampled = true },
	{ NOT(SUB_ALL), .sampled = false },
	{ NOT(ERROR_), .sampled = true },
	{ DROP(""), .sampled = false },
	{ BARE("always_sample") ", " DROP(""), .sampled = false },
	{ BARE("always_sample") ", " DROP(ERROR_), ONE(.status = 2),
	  .sampled = false },
	{ BARE("always_sample") ", " DROP(ERROR_), .sampled = true },
	{ BARE("always_sample") ", " DROP(NOT_ERROR), .sampled = false },
	{ DROP(ERROR_), .sampled = false },

	/* votes that are inverted veto nothing */
	{ "{name: n, type: string_attribute, string_attribute: {key: k, "
	  "values: [a], invert_match: true}}, " BARE("always_sample"),
	  ONE(.attrs = { TEXT("k", "a") }), .sampled = true },
};

START_TEST(each_policy_says_what_the_collector_s_says)
{
	check_row(&rows[_i], _i);
}
END_TEST

/* --- Chance -------------------------------------------------------------- */

#define ID_A "\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c"
#define ID_F "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
#define ID_4 "\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36"

static const struct {
	const char *id, *keys;
	bool sampled;
} chances[] = {		/* hashes are 20.2141, 9.2754 and 64.5587 % */
	{ ID_A, "sampling_percentage: 20.21", false },
	{ ID_A, "sampling_percentage: 20.22", true },
	{ ID_F, "sampling_percentage: 9.27", false },
	{ ID_F, "sampling_percentage: 9.28", true },
	{ ID_4, "sampling_percentage: 64.55", false },
	{ ID_4, "sampling_percentage: 64.56", true },
	{ ID_4, "sampling_percentage: 64.56, hash_salt: default-hash-seed",
	  true },
	{ ID_A, "sampling_percentage: 0", false },
	{ ID_A, "sampling_percentage: -5", false },
	{ ID_4, "sampling_percentage: 100", true },
	{ ID_4, "sampling_percentage: 1e9", true },
	{ ID_4, "", false },
};

START_TEST(chance_is_the_collector_s_hash)
{
	char yaml[256];

	snprintf(yaml, sizeof(yaml), "{decision_wait: 1s, policies: [{name: p, "
		 "type: probabilistic, probabilistic: {%s}}]}",
		 chances[_i].keys);
	begin(yaml);
	GIVE(.id = (const uint8_t *)chances[_i].id, .number = 1);
	seconds(2);
	ck_assert_uint_eq(came(1), chances[_i].sampled);
	end();
}
END_TEST

START_TEST(a_salt_makes_another_choice)
{
	size_t n[2];

	for (int salted = 0; salted < 2; salted++) {
		struct traces r = { 0 };

		begin(salted ?
		      "{decision_wait: 1s, policies: [{name: p, type: "
		      "probabilistic, probabilistic: {sampling_percentage: 25, "
		      "hash_salt: other}}]}" :
		      "{decision_wait: 1s, policies: [{name: p, type: "
		      "probabilistic, probabilistic: {sampling_percentage: 25}}"
		      "]}");
		for (uint64_t i = 1; i <= 2000; i++)
			traces_span(&r, &(struct a_span){ .number = i,
				.trace = i * 0x9e3779b97f4a7c15u });
		send_traces(&r);
		seconds(2);
		n[salted] = all_that_came();
		ck_assert_uint_gt(n[salted], 430);
		ck_assert_uint_lt(n[salted], 570);
		end();
	}
	ck_assert_uint_ne(n[0], n[1]);
}
END_TEST

/* --- Many ----------------------------------------------------------------- */

#define MANY 130		/* more than two words of bits */

/* Each asks for a key of its own, beside all the others'. */
START_TEST(very_many_policies_and_keys_are_all_asked)
{
	static char yaml[MANY * 120], keys[MANY][16];
	struct traces r = { 0 };
	size_t len = (size_t)sprintf(yaml, "{decision_wait: 1s, policies: [");

	for (uint64_t i = 0; i < MANY; i++) {
		struct attr yes[MAX_ATTRS] = { TEXT("key-x", "v"),
					       TEXT(keys[i], "v") };
		struct attr no[MAX_ATTRS] = { TEXT(keys[i], "w"),
					      TEXT("key-y", "v") };

		sprintf(keys[i], "key-%u", (unsigned)i);
		len += (size_t)sprintf(yaml + len, "{name: p%u, type: "
			"string_attribute, string_attribute: {key: %s, values: "
			"[v]}}, ", (unsigned)i, keys[i]);
		traces_resource(&r, i % 2 ? yes : no, NULL);
		traces_span(&r, &(struct a_span){ .trace = 1 + i,
			.number = 1 + i, .attrs = { i % 2 ? no[0] : yes[0],
						    i % 2 ? no[1] : yes[1] } });
		traces_resource(&r, no, NULL);
		traces_span(&r, &(struct a_span){ .trace = 1001 + i,
			.number = 1001 + i, .attrs = { no[0], no[1] } });
	}
	sprintf(yaml + len, "]}");
	begin(yaml);
	send_traces(&r);
	seconds(2);
	ck_assert_uint_eq(all_that_came(), MANY);
	for (uint64_t i = 0; i < MANY; i++)
		ck_assert_uint_eq(came(1 + i), 1);
	ck_assert(metric(TS("count_traces_sampled")) == 2 * MANY * MANY);
	end();
}
END_TEST

int main(void)
{
	const struct ts_test tests[] = {
		{ each_policy_says_what_the_collector_s_says, ROWS(rows) },
		{ chance_is_the_collector_s_hash, ROWS(chances) },
		{ a_salt_makes_another_choice, 0 },
		{ very_many_policies_and_keys_are_all_asked, 0 },
	};

	return TS_MAIN("policies", tests);
}
