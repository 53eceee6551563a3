/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ts_case.h: tests of tail_sampling: a sampler in a glass box, whose seconds
 * the test counts.
 */
#ifndef TS_CASE_H
#define TS_CASE_H

#include <check.h>
#include <stdio.h>
#include <weir/testing.h>

#include "../../support/traces.h"

#define MS(n) ((weir_duration){ (int64_t)(n) * 1000000 })
#define TS(name) "otelcol_processor_tail_sampling_" name

/* Blocks of policies: all traces, those with an error, those that are OK (an
 * error drops). */
#define ALL "policies: [{name: all, type: always_sample}]"
#define NONE "policies: [{name: none, type: status_code, status_code: "	\
	"{status_codes: [ERROR]}}]"
#define HALF "policies: [{name: e, type: status_code, status_code: "	\
	"{status_codes: [OK]}}, {name: d, type: drop, drop: "		\
	"{drop_sub_policy: [{type: status_code, status_code: "		\
	"{status_codes: [ERROR]}}]}}]"
#define EARLY TS("early_releases_from_cache_decision")
#define LATE_AGE TS("sampling_late_span_age")
#define REMOVED TS("sampling_trace_removal_age")
#define FRESH TS("new_trace_id_received")
#define TOO_EARLY TS("sampling_trace_dropped_too_early")
#define TOO_LARGE TS("traces_dropped_too_large")
#define ON_MEMORY TS("sampling_traces_on_memory")
#define DECIDED TS("global_count_traces_sampled")
#define TICKS TS("sampling_decision_timer_latency")
#define DROPPED "weir_dropped_items"

static struct weir_test *t;
static size_t sent;		/* bytes, which the glass box keeps */

static inline const char *so(void)
{
	static char path[256];
	const char *build = getenv("WEIR_BUILD");

	snprintf(path, sizeof(path), "%s/plugins/processors/tail_sampling.so",
		 build ? build : "build");
	return path;
}

static inline void begin(const char *yaml)
{
	struct weir_error error = { 0 };

	sent = 0;
	t = weir_test_open(so(), yaml, WEIR_TRACES, &error);
	ck_assert_msg(t, "%s: %s", error.path, error.text);
	ck_assert_msg(!weir_test_start(t, &error), "%s", error.text);
}

static inline void end(void)
{
	struct weir_error error = { 0 };

	ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
}

/* A tick each. */
static inline void seconds(int n)
{
	while (n--)
		weir_test_advance(t, MS(1000));
}

/* Ends the request and sends it; a number to ask weir_test_answer with. */
static inline int send_traces(struct traces *r)
{
	struct weir_outcome outcome = { 0 };
	int number;

	traces_end(r);
	number = weir_test_send(t, WEIR_SIGNAL_TRACES, r->out.ptr, r->out.len,
				&outcome);
	ck_assert_msg(number >= 0, "%s", outcome.text);
	weir_test_run(t);
	sent += r->out.len;
	traces_free(r);
	return number;
}

static inline int send_span(struct a_span span)
{
	struct traces r = { 0 };

	traces_span(&r, &span);
	return send_traces(&r);
}

static inline void give(struct a_span span)
{
	struct weir_outcome outcome;

	ck_assert(weir_test_answer(t, send_span(span), &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
}
#define GIVE(...) give((struct a_span){ __VA_ARGS__ })

static inline bool is_answered(int number,
			       struct weir_outcome *outcome)
{
	*outcome = (struct weir_outcome){ 0 };
	return weir_test_answer(t, number, outcome);
}

/* Bytes of payloads that are the sampler's; within 1 % of what was sent. */
static inline size_t kept(void)
{
	size_t known = sent + sent / 100;

	return weir_budget_used() > known ? weir_budget_used() - known : 0;
}

/* --- What came out ------------------------------------------------------- */

struct look {
	uint64_t number;
	size_t times;
};

static inline void look_at(void *arg, weir_str resource, weir_str scope,
			   weir_str span, uint64_t number)
{
	struct look *look = arg;

	(void)resource;
	(void)scope;
	(void)span;
	look->times += number == look->number;
}

/* How often a span has come out. */
static inline size_t came(uint64_t number)
{
	struct look look = { number, 0 };

	for (size_t i = 0; i < weir_test_passed(t); i++)
		traces_each(weir_test_bytes(t, i), look_at, &look);
	return look.times;
}

static inline size_t all_that_came(void)
{
	size_t n = 0;

	for (size_t i = 0; i < weir_test_passed(t); i++)
		n += weir_test_items(t, i);
	return n;
}

static inline double metric(const char *name)
{
	double value = weir_test_metric(t, name);

	return value > 0 ? value : 0;
}

/* --- main ---------------------------------------------------------------- */

struct ts_test {
	const TTest *run;
	int n;			/* rows of its table; 0: it has none */
};

static inline int ts_main(const char *name, const struct ts_test *tests,
			  size_t n)
{
	Suite *suite = suite_create(name);
	TCase *all = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(all, 120);
	for (size_t i = 0; i < n; i++)
		tcase_add_loop_test(all, tests[i].run, 0,
				    tests[i].n ? tests[i].n : 1);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
#define TS_MAIN(name, tests)						\
	ts_main("processors/tail_sampling: " name, tests,		\
		sizeof(tests) / sizeof((tests)[0]))
#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

#endif
