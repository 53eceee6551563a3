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

#endif
