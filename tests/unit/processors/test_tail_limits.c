/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processors/tail_sampling: policies that count over traces (limits,
 * composite), and what the votes come to.
 */
#include "ts_case.h"

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

static const struct {
	const char *policies;
	size_t came;
} empty[] = {
	{ "{name: p, type: and}", 1 },
	{ "{name: p, type: and, and: {and_sub_policy: []}}", 1 },
	{ "{name: p, type: drop}, {name: a, type: always_sample}", 0 },
	{ "{name: p, type: drop, drop: {drop_sub_policy: []}}, "
	  "{name: a, type: always_sample}", 0 },
};

START_TEST(all_of_none_sample_as_in_the_collector)
{
	char yaml[256];

	snprintf(yaml, sizeof(yaml), "{decision_wait: 1s, policies: [%s]}",
		 empty[_i].policies);
	begin(yaml);
	GIVE(.trace = 1, .number = 1);
	seconds(2);
	ck_assert_uint_eq(came(1), empty[_i].came);
	end();
}
END_TEST

int main(void)
{
	const struct ts_test tests[] = {
		{ a_limit_refills_all_the_time_up_to_its_burst, 0 },
		{ a_refused_trace_takes_nothing_of_a_limit, 0 },
		{ a_limit_at_the_end_of_and_pays_only_for_what_got_there, 0 },
		{ a_limit_pays_for_traces_that_others_sample_too, 0 },
		{ composite_shares_out_a_rate_in_the_order_of_its_list,
		  ROWS(composites) },
		{ composite_begins_anew_with_each_second, 0 },
		{ composite_lets_a_smaller_trace_pass_where_a_larger_did_not,
		  0 },
		{ composite_may_hold_and, 0 },
		{ all_of_none_sample_as_in_the_collector, ROWS(empty) },
		{ drop_is_asked_first_and_the_first_match_may_end_it,
		  ROWS(orders) },
	};

	return TS_MAIN("limits", tests);
}
