/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tail_labels.c: what needs core's side of the tail sampler: the labels of
 * its metrics (row 110 of the catalogue of attacks), and the deadlines of
 * senders that wait.
 */
#include "../../support/tail_turns.h"

#define SPANS 24		/* of as many traces */

/* --- One worker, and how it answers --------------------------------------- */

static struct weir_outcome outcomes[2];

static void keep_answer(struct weir_component *c, struct weir_batch *batch,
			const struct weir_outcome *outcome, void *cookie)
{
	(void)c;
	outcomes[(size_t)cookie] = *outcome;
	weir_batch_ack(batch);
}

static const struct weir_plugin curious_plugin = {
	.kind = WEIR_RECEIVER, .type = "sender", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .answered = keep_answer,
};

static void open_one(const char *yaml)
{
	clock_manual(SECOND, 1700000000 * SECOND, 7);
	crew_open_manual(tail_crew_plan(yaml, &curious_plugin, &sink_plugin),
			 1);
}

static void close_one(void)
{
	crew_as(0, crew_stop);
	crew_turn(0);
	crew_close_manual();
	tail_crew_free();
}

static struct weir_batch *make_batch(struct weir_component *c, uint64_t first)
{
	struct weir_batch *batch = batch_new(WEIR_SIGNAL_TRACES);
	struct weir_payload *payload;
	struct traces r = { 0 };

	for (uint64_t i = first; i < first + SPANS; i++)
		traces_span(&r, &(struct a_span){ .trace = i, .number = i });
	traces_end(&r);
	payload = payload_new(r.out.len, true);
	memcpy(payload->bytes, r.out.ptr, r.out.len);
	batch_add(batch, payload, payload->bytes, r.out.len, SPANS);
	payload_unref(payload);
	traces_free(&r);
	node_hold(c->node, batch);
	return batch;
}

/* --- Deadlines ------------------------------------------------------------ */

/* The second waits for room, until its deadline. */
static void send_two(struct worker *worker)
{
	struct weir_component *c = tail_crew_find(worker, WEIR_RECEIVER);

	for (size_t i = 0; i < 2; i++) {
		struct weir_batch *batch = make_batch(c, 1 + i * SPANS);

		if (i)
			batch->deadline = weir_now() + SECOND / 2;
		weir_batch_track(c, batch, (void *)i);
		weir_forward(c, batch);
	}
}

START_TEST(who_waits_for_room_is_answered_at_the_deadline)
{
	outcomes[1].status = WEIR_UNKNOWN;
	open_one("{decision_wait: 30s, num_traces: 24, block_on_overflow: "
		 "true, policies: [{name: a, type: always_sample}]}");
	crew_as(0, send_two);
	crew_turn(0);
	ck_assert_int_eq(outcomes[0].status, WEIR_OK);
	ck_assert_int_eq(outcomes[1].status, WEIR_UNKNOWN);
	clock_advance(SECOND);
	crew_turn(0);
	ck_assert_int_eq(outcomes[1].status, WEIR_DEADLINE_EXCEEDED);
	ck_assert_int_eq(outcomes[1].reason, WEIR_REASON_DEADLINE);
	close_one();
	ck_assert_uint_eq(came, SPANS);
}
END_TEST

/* --- Labels --------------------------------------------------------------- */

static bool has_labels(const struct weir_sample *sample, const char *expected)
{
	char text[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < sample->n_labels; i++)
		if (strncmp(sample->labels[i].name.ptr, "otel", 4))
			len += (size_t)snprintf(text + len, sizeof(text) - len,
				"%.*s=%.*s ",
				WEIR_STR_FMT(sample->labels[i].name),
				WEIR_STR_FMT(sample->labels[i].value));
	return !strcmp(text, expected);
}

static const struct {
	const char *name, *labels;
	uint64_t value;
} samples[] = {
	{ TS("count_traces_sampled"),
	  "policy=x.yes sampled=true decision=sampled ", 24 },
	{ TS("count_traces_sampled"),
	  "policy=x.no sampled=false decision=not_sampled ", 24 },
	{ TS("sampling_policy_execution_count"), "policy=x.no ", 24 },
	{ TS("global_count_traces_sampled"),
	  "sampled=true decision=sampled ", 24 },
	{ TS("early_releases_from_cache_decision"), "sampled=true ", 24 },
	{ TS("new_trace_id_received"), "", 24 },
};
#define N_SAMPLES (sizeof(samples) / sizeof(*samples))
static bool found[N_SAMPLES];

static void find_samples(struct weir_component *c, void *arg,
			 const struct weir_family *families, size_t n)
{
	(void)c;
	(void)arg;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < families[i].n_samples; k++)
			for (size_t s = 0; s < N_SAMPLES; s++)
				found[s] |= weir_str_eq(families[i].name,
					weir_str_of(samples[s].name)) &&
					has_labels(&families[i].samples[k],
						   samples[s].labels) &&
					families[i].samples[k].counter ==
					samples[s].value;
}

/* The same traces twice: decided with the first piece, and remembered. */
static void send_twice(struct worker *worker)
{
	struct weir_component *c = tail_crew_find(worker, WEIR_RECEIVER);

	for (size_t i = 0; i < 2; i++) {
		struct weir_batch *batch = make_batch(c, 1);

		weir_batch_track(c, batch, (void *)i);
		weir_forward(c, batch);
	}
}

START_TEST(metrics_have_the_collector_s_names_and_labels)
{
	open_one("{decision_wait: 1s, maximum_trace_size_bytes: 1, "
		 "on_maximum_trace_size: decide, decision_cache: "
		 "{sampled_cache_size: 99}, policies: [{name: no, type: "
		 "status_code, status_code: {status_codes: [ERROR]}}, {name: "
		 "yes, type: always_sample}]}");
	crew_as(0, send_twice);
	crew_turn(0);
	worker_be(&workers[0]);
	weir_metrics_snapshot(tail_crew_find(&workers[0], WEIR_RECEIVER),
			      find_samples, NULL);
	workers_settle();
	for (size_t i = 0; i < N_SAMPLES; i++)
		ck_assert_msg(found[i], "%s{%s} is not %u", samples[i].name,
			      samples[i].labels, (unsigned)samples[i].value);
	close_one();
}
END_TEST

/* --- Row 110: what data may not become ------------------------------------ */

static struct {
	size_t series;
	bool leaked;
} labels;

static void look_at_labels(struct weir_component *c, void *arg,
			   const struct weir_family *families, size_t n)
{
	(void)c;
	(void)arg;
	for (size_t i = 0; i < n; i++) {
		labels.series += families[i].n_samples;
		for (size_t k = 0; k < families[i].n_samples; k++) {
			const struct weir_sample *s = &families[i].samples[k];

			for (size_t l = 0; l < s->n_labels; l++)
				labels.leaked |= memmem(s->labels[l].value.ptr,
					s->labels[l].value.len, "tenant", 6) ||
					memmem(s->labels[l].name.ptr,
					s->labels[l].name.len, "tenant", 6);
		}
	}
}

static size_t count_series(void)
{
	labels.series = 0;
	worker_be(&workers[0]);
	weir_metrics_snapshot(tail_crew_find(&workers[0], WEIR_RECEIVER),
			      look_at_labels, NULL);
	workers_settle();
	return labels.series;
}

/* Their number is in the trace's id, and in all that can be named. */
static void make_tenants(uint64_t first, size_t n)
{
	struct traces r = { 0 };

	for (uint64_t i = first; i < first + n; i++) {
		char name[32], state[48];
		struct attr attrs[MAX_ATTRS] = { TEXT("tenant", name),
						 TEXT(name, "x") };

		snprintf(name, sizeof(name), "tenant-%lu", (unsigned long)i);
		snprintf(state, sizeof(state), "k=%s", name);
		traces_resource(&r, attrs, name);
		traces_scope(&r, name, name);
		traces_span(&r, &(struct a_span){ .trace = i, .number = i,
			.state = state, .status = (uint32_t)i % 3,
			.attrs = { attrs[0], attrs[1] } });
		traces_end(&r);		/* the names go */
	}
	request.len = 0;
	bytes_add(&request, r.out.ptr, r.out.len);
	n_spans = r.n;
	traces_free(&r);
}

START_TEST(row_110_nothing_that_is_sent_becomes_a_label)
{
	size_t before;

	tail_crew_open_regex();
	open_crew("{decision_wait: 1s, policies: ["
		  "{name: s, type: string_attribute, string_attribute: {key: "
		  "tenant, values: [tenant-1, tenant-2], invert_match: true}}, "
		  "{name: r, type: string_attribute, string_attribute: {key: "
		  "tenant, enabled_regex_matching: true, values: "
		  "['tenant-.*7']}}, {name: t, type: trace_state, trace_state: "
		  "{key: k, values: [tenant-3]}}, {name: d, type: drop, drop: "
		  "{drop_sub_policy: [{type: status_code, status_code: "
		  "{status_codes: [ERROR]}}]}}]}");
	make_tenants(1, 30);
	send_it();
	seconds(2);
	before = count_series();
	for (uint64_t round = 0; round < 50; round++) {
		make_tenants(100 + round * 100, 100);
		send_it();
		seconds(2);
	}
	ck_assert_uint_gt(came, 1000);
	ck_assert_uint_eq(count_series(), before);
	ck_assert(!labels.leaked);
	close_crew();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/tail_sampling: labels");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, who_waits_for_room_is_answered_at_the_deadline);
	tcase_add_test(tests, metrics_have_the_collector_s_names_and_labels);
	tcase_add_test(tests, row_110_nothing_that_is_sent_becomes_a_label);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
