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
#define N_ROWS (sizeof(rows) / sizeof(*rows))

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

/* --- Limits -------------------------------------------------------------- */

/* Sends traces of one span, from, from + 1 ..., and lets them be decided. */
static size_t pass(uint64_t from, int n)
{
	size_t before = all_that_came();
	struct traces r = { 0 };

	for (int i = 0; i < n; i++)
		traces_span(&r, &(struct a_span){ .trace = from + (uint64_t)i,
					.number = from + (uint64_t)i });
	send_traces(&r);
	seconds(2);
	return all_that_came() - before;
}

/* 1/7 of a second is no whole number of nanoseconds. */
START_TEST(a_limit_refills_all_the_time_up_to_its_burst)
{
	begin("{decision_wait: 1s, policies: [{name: p, type: rate_limiting, "
	      "rate_limiting: {spans_per_second: 7, burst_capacity: 21}}]}");
	ck_assert_uint_eq(pass(1000, 50), 21);	/* full at first */
	ck_assert_uint_eq(pass(2000, 50), 14);	/* two seconds */
	seconds(1);
	ck_assert_uint_eq(pass(3000, 50), 21);
	ck_assert_uint_eq(pass(4000, 3), 3);
	ck_assert_uint_eq(pass(5000, 50), 21);	/* 11 + 14, but no more */
	end();
}
END_TEST

START_TEST(a_refused_trace_takes_nothing_of_a_limit)
{
	struct traces r = { 0 };

	begin("{decision_wait: 1s, policies: [{name: p, type: rate_limiting, "
	      "rate_limiting: {spans_per_second: 4, burst_capacity: 4}}]}");
	for (uint64_t i = 1; i <= 3; i++)
		traces_span(&r, &(struct a_span){ .trace = 1, .number = i });
	for (uint64_t i = 11; i <= 13; i++)
		traces_span(&r, &(struct a_span){ .trace = 2, .number = i });
	traces_span(&r, &(struct a_span){ .trace = 3, .number = 21 });
	traces_span(&r, &(struct a_span){ .trace = 4, .number = 31 });
	send_traces(&r);
	seconds(2);
	ck_assert_uint_eq(all_that_came(), 4);
	ck_assert_uint_eq(came(1) + came(2) + came(3) + came(21), 4);
	end();
}
END_TEST

START_TEST(a_limit_at_the_end_of_and_pays_only_for_what_got_there)
{
	struct traces r = { 0 };

	begin("{decision_wait: 1s, policies: [{name: a, type: and, and: "
	      "{and_sub_policy: [{type: status_code, status_code: "
	      "{status_codes: [ERROR]}}, {type: rate_limiting, rate_limiting: "
	      "{spans_per_second: 1, burst_capacity: 2}}]}}]}");
	for (uint64_t i = 1; i <= 9; i++)
		traces_span(&r, &(struct a_span){ .trace = i, .number = i,
						  .status = i > 6 ? 2 : 0 });
	send_traces(&r);
	seconds(2);
	ck_assert_uint_eq(all_that_came(), 2);
	ck_assert_uint_eq(came(7) + came(8), 2);
	end();
}
END_TEST

START_TEST(a_limit_pays_for_traces_that_others_sample_too)
{
	begin("{decision_wait: 1s, policies: [{name: a, type: always_sample}, "
	      "{name: r, type: rate_limiting, rate_limiting: "
	      "{spans_per_second: 1, burst_capacity: 5}}]}");
	ck_assert_uint_eq(pass(1, 9), 9);
	ck_assert(metric(TS("count_traces_sampled")) == 18);
	end();
}
END_TEST

/* --- composite ----------------------------------------------------------- */

#define COMPOSITE(most, shares)						\
	"{decision_wait: 1s, policies: [{name: c, type: composite, composite: "	\
	"{max_total_spans_per_second: " most ", policy_order: [b, a], "	\
	"composite_sub_policy: [{name: a, type: status_code, status_code: "	\
	"{status_codes: [ERROR]}}, {name: b, type: always_sample}], "	\
	"rate_allocation: [" shares "]}}]}"

/* n traces of one span, the first `errors` of them with an error. */
static void composite(const char *yaml, uint64_t errors, uint64_t n)
{
	struct traces r = { 0 };

	begin(yaml);
	for (uint64_t i = 1; i <= n; i++)
		traces_span(&r, &(struct a_span){ .trace = i, .number = i,
					.status = i <= errors ? 2 : 0 });
	send_traces(&r);
	seconds(2);
}

static const struct {
	const char *yaml;
	size_t errors, others;		/* of 20 each */
} composites[] = {
	{ COMPOSITE("10", "{policy: a, percent: 50}, {policy: b, percent: 20}"),
	  5, 2 },
	/* each is compared with the total for itself */
	{ COMPOSITE("10", "{policy: a, percent: 90}, {policy: b, percent: 90}"),
	  9, 9 },
	{ COMPOSITE("10", "{policy: a, percent: 500}, {policy: b}"), 10, 5 },
	/* without an entry nothing is allowed; the last entry counts */
	{ COMPOSITE("10", "{policy: a, percent: 50}"), 5, 0 },
	{ COMPOSITE("10", ""), 0, 0 },
	{ COMPOSITE("10", "{policy: a, percent: 50}, {policy: a, percent: 10}, "
			  "{policy: b, percent: -1}"), 1, 5 },
	/* cut to an integer */
	{ COMPOSITE("7", "{policy: a, percent: 50}, {policy: b}"), 3, 3 },
	{ COMPOSITE("0", "{policy: a, percent: 50}, {policy: b}"), 0, 0 },
};

START_TEST(composite_shares_out_a_rate_in_the_order_of_its_list)
{
	size_t errors = 0, others = 0;

	composite(composites[_i].yaml, 20, 40);
	for (uint64_t i = 1; i <= 20; i++) {
		errors += came(i);
		others += came(20 + i);
	}
	ck_assert_uint_eq(errors, composites[_i].errors);
	ck_assert_uint_eq(others, composites[_i].others);
	end();
}
END_TEST

START_TEST(composite_begins_anew_with_each_second)
{
	begin(COMPOSITE("10", "{policy: b, percent: 50}"));
	ck_assert_uint_eq(pass(1, 20), 5);
	ck_assert_uint_eq(pass(100, 20), 5);
	end();
}
END_TEST

START_TEST(composite_lets_a_smaller_trace_pass_where_a_larger_did_not)
{
	struct traces r = { 0 };

	begin(COMPOSITE("10", "{policy: b, percent: 50}"));
	for (uint64_t i = 1; i <= 6; i++)
		traces_span(&r, &(struct a_span){ .trace = 1, .number = i });
	for (uint64_t i = 11; i <= 15; i++)
		traces_span(&r, &(struct a_span){ .trace = 2, .number = i });
	send_traces(&r);
	seconds(2);
	ck_assert_uint_eq(all_that_came(), 5);
	ck_assert_uint_eq(came(11), 1);
	end();
}
END_TEST

START_TEST(composite_may_hold_and)
{
	composite("{decision_wait: 1s, policies: [{name: c, type: composite, "
		  "composite: {max_total_spans_per_second: 10, "
		  "composite_sub_policy: [{name: a, type: and, and: "
		  "{and_sub_policy: [{type: always_sample}, {type: status_code,"
		  " status_code: {status_codes: [ERROR]}}]}}], rate_allocation:"
		  " [{policy: a, percent: 100}]}}]}", 3, 9);
	ck_assert_uint_eq(all_that_came(), 3);
	end();
}
END_TEST

/* --- Votes --------------------------------------------------------------- */

#define EXECUTIONS TS("sampling_policy_execution_count")
#define VOTES TS("count_traces_sampled")
#define THREE "policies: [{name: a, type: always_sample}, {name: b, type: "	\
	"always_sample}, {name: d, type: drop, drop: {drop_sub_policy: ["	\
	"{type: status_code, status_code: {status_codes: [ERROR]}}]}}]"

static const struct {
	const char *yaml;
	uint32_t status;
	double asked;
	bool sampled;
} orders[] = {
	{ "{decision_wait: 1s, " THREE "}", 0, 3, true },
	{ "{decision_wait: 1s, sample_on_first_match: true, " THREE "}", 0, 2,
	  true },
	/* drop policies are asked first, and end it */
	{ "{decision_wait: 1s, " THREE "}", 2, 1, false },
	{ "{decision_wait: 1s, sample_on_first_match: true, " THREE "}", 2, 1,
	  false },
};

START_TEST(drop_is_asked_first_and_the_first_match_may_end_it)
{
	begin(orders[_i].yaml);
	GIVE(.trace = 1, .number = 1, .status = orders[_i].status);
	seconds(2);
	ck_assert_uint_eq(came(1), orders[_i].sampled);
	ck_assert(metric(EXECUTIONS) == orders[_i].asked);
	ck_assert(metric(VOTES) == orders[_i].asked);
	ck_assert(metric(TS("global_count_traces_sampled")) == 1);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/tail_sampling: policies");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, each_policy_says_what_the_collector_s_says,
			    0, N_ROWS);
	tcase_add_loop_test(tests, chance_is_the_collector_s_hash, 0,
			    sizeof(chances) / sizeof(*chances));
	tcase_add_test(tests, a_salt_makes_another_choice);
	tcase_add_test(tests, a_limit_refills_all_the_time_up_to_its_burst);
	tcase_add_test(tests, a_refused_trace_takes_nothing_of_a_limit);
	tcase_add_test(tests,
		       a_limit_at_the_end_of_and_pays_only_for_what_got_there);
	tcase_add_test(tests, a_limit_pays_for_traces_that_others_sample_too);
	tcase_add_loop_test(tests,
			    composite_shares_out_a_rate_in_the_order_of_its_list,
			    0, sizeof(composites) / sizeof(*composites));
	tcase_add_test(tests, composite_begins_anew_with_each_second);
	tcase_add_test(tests,
		       composite_lets_a_smaller_trace_pass_where_a_larger_did_not);
	tcase_add_test(tests, composite_may_hold_and);
	tcase_add_loop_test(tests,
			    drop_is_asked_first_and_the_first_match_may_end_it,
			    0, sizeof(orders) / sizeof(*orders));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
