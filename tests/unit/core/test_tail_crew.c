/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tail_crew.c: the tail sampler on several workers with real threads.
 *
 * Every worker sends spans of traces that all of them share.  The policy goes
 * by the trace's id alone, so whenever a trace is decided, each of its spans
 * has come out exactly once at the end, or none of them has; and what comes
 * out is canonical.  Ticks, late spans, caches, want of memory, refusals that
 * pass, and parts that wait are all under way.  Only the clock is the test's.
 * Made for TSan.
 */
#include "../../support/tail_crew.h"

#include "data/walk.h"
#include "data/wire.h"

#define WORKERS 4
#define BATCHES 450		/* a sender */
#define PAUSE 5000000u		/* ns between them */
#define SPANS 24		/* a batch */
#define IDS 600			/* traces, unless each span has its own */
#define NUMBERS (WORKERS * BATCHES * SPANS)
#define SPAN_LEN (28 + 3 + 60)	/* two ids, a name */

static atomic_uint answered, refused, wrong, senders_left, turned_away;
static atomic_uint seen[NUMBERS];	/* by span number */
static uint32_t trace_of[NUMBERS];
static bool own_traces, refusing;

/* --- The sender ----------------------------------------------------------- */

struct sender {
	struct weir_component base;
	struct weir_timer timer;
	unsigned sent, under_way;
};

static uint8_t *put_span(uint8_t *out, uint32_t trace, uint64_t number)
{
	*out++ = 0x12;		/* ScopeSpans.spans = 2 */
	*out++ = SPAN_LEN;
	*out++ = 0x0a;
	*out++ = 16;
	memset(out, 0, 16);
	memcpy(out + 12, &trace, sizeof(trace));
	out += 16;
	*out++ = 0x12;
	*out++ = 8;
	memcpy(out, &number, sizeof(number));
	out += 8;
	*out++ = 0x2a;		/* Span.name = 5 */
	*out++ = 61;
	memset(out, 'n', 61);
	return out + 61;
}

static struct weir_batch *make_batch(struct sender *self)
{
	uint64_t number = ((uint64_t)self->base.worker * BATCHES + self->sent) *
			  SPANS;
	size_t spans = SPANS * (SPAN_LEN + 2);
	struct weir_batch *batch = batch_new(WEIR_SIGNAL_TRACES);
	struct weir_payload *payload = payload_new(spans + 16, true);
	uint8_t *out = payload->bytes;

	*out++ = 0x0a;		/* request: resource_spans = 1 */
	out = wire_put_varint(out, spans + 3);
	*out++ = 0x12;		/* ResourceSpans.scope_spans = 2 */
	out = wire_put_varint(out, spans);
	for (unsigned i = 0; i < SPANS; i++) {
		uint32_t trace = own_traces ? (uint32_t)number + i :
				 (uint32_t)(weir_random() % IDS);

		trace_of[number + i] = trace;
		out = put_span(out, trace, number + i);
	}
	batch_add(batch, payload, payload->bytes,
		  (size_t)(out - payload->bytes), SPANS);
	payload_unref(payload);
	return batch;
}

static void send_next(struct weir_component *c, struct weir_timer *timer)
{
	struct sender *self = WEIR_SELF(c, struct sender);
	struct weir_batch *batch = make_batch(self);

	if (self->sent + 1 < BATCHES)
		weir_timer_set(timer, c, (weir_duration){ PAUSE }, send_next);
	node_hold(c->node, batch);
	weir_batch_track(c, batch, NULL);
	self->sent++;
	self->under_way++;
	weir_forward(c, batch);
}

static void sender_answered(struct weir_component *c, struct weir_batch *batch,
			    const struct weir_outcome *outcome, void *cookie)
{
	struct sender *self = WEIR_SELF(c, struct sender);

	(void)cookie;
	if (outcome->status != WEIR_OK)
		atomic_fetch_add(&refused, 1);
	atomic_fetch_add(&answered, 1);
	weir_batch_ack(batch);
	self->under_way--;
	if (self->sent == BATCHES && !self->under_way)
		atomic_fetch_sub(&senders_left, 1);
}

static const struct weir_plugin sender_plugin = {
	.kind = WEIR_RECEIVER, .type = "sender", .signals = WEIR_TRACES,
	.size = sizeof(struct sender), .answered = sender_answered,
};

/* --- The end -------------------------------------------------------------- */

struct sink {
	struct weir_component base;
	uint64_t until;			/* refusals stop then */
};

static void look_at(const struct weir_batch *batch)
{
	struct weir_span_cursor cursor = weir_spans(batch);
	size_t n = 0;

	for (uint32_t i = 0; i < batch->n; i++)
		if (walk_request(WEIR_SIGNAL_TRACES, batch->slices[i].ptr,
				 batch->slices[i].len, NULL, NULL).verdict !=
		    WALK_CANONICAL)
			atomic_fetch_add(&wrong, 1);
	for (; weir_span_next(&cursor); n++) {
		uint64_t number;

		memcpy(&number, cursor.span.span_id.ptr, 8);
		atomic_fetch_add(&seen[number], 1);
	}
	if (n != weir_batch_items(batch))
		atomic_fetch_add(&wrong, 1);
}

static void sink_consume(struct weir_component *c, struct weir_batch *batch)
{
	struct sink *self = WEIR_SELF(c, struct sink);
	struct weir_outcome outcome;

	if (!self->until)
		self->until = weir_now() + 500000000;
	if (refusing && weir_now() < self->until && weir_random() % 4) {
		atomic_fetch_add(&turned_away, 1);
		weir_outcome_set(&outcome, WEIR_UNAVAILABLE,
				 WEIR_REASON_BACKEND, "by chance");
		weir_batch_nack(batch, &outcome);
		return;
	}
	look_at(batch);
	weir_batch_ack(batch);
}

static const struct weir_plugin sink_plugin = {
	.kind = WEIR_EXPORTER, .type = "sink", .signals = WEIR_TRACES,
	.size = sizeof(struct sink), .consume = sink_consume,
};

/* --- The play ------------------------------------------------------------- */

static atomic_size_t held;

/* What the samplers still bring again. */
static void count_held(struct worker *worker)
{
	atomic_fetch_add(&held, tail_crew_held(worker));
}

/* As the service does: stopped, then waited for. */
static void close_crew(void)
{
	crew_all(crew_stop);
	do {
		crew_pass(1000000000u);
		held = 0;
		crew_all(count_held);
	} while (held);
	crew_close(false);
	ck_assert_uint_eq(wrong, 0);
	tail_crew_free();
}

static void begin(struct worker *worker)
{
	struct sender *self = (struct sender *)
		tail_crew_find(worker, WEIR_RECEIVER);

	send_next(&self->base, &self->timer);
}

static void play(const char *yaml)
{
	clock_manual(1000000000u, 1700000000000000000u, 1);
	senders_left = WORKERS;
	crew_open(tail_crew_plan(yaml, &sender_plugin, &sink_plugin), WORKERS);
	crew_all(begin);
	while (senders_left)
		crew_pass(PAUSE);
	close_crew();
	ck_assert_uint_eq(answered, WORKERS * BATCHES);
}

/* --- By id alone ---------------------------------------------------------- */

#define BY_ID "policies: [{name: p, type: probabilistic, probabilistic: "	\
	"{sampling_percentage: 50}}]}"

static const struct {
	const char *yaml;
	bool refusing;
} plays[] = {
	{ "{decision_wait: 1s, " BY_ID, true },
	{ "{decision_wait: 1s, decision_cache: {sampled_cache_size: 600, "
	  "non_sampled_cache_size: 600}, " BY_ID, false },
	{ "{decision_wait: 30s, memory_limit_mib: 4, " BY_ID, false },
	{ "{decision_wait: 1s, maximum_trace_size_bytes: 1500, "
	  "on_maximum_trace_size: decide, " BY_ID, true },
	{ "{decision_wait: 1s, num_traces: 580, block_on_overflow: true, "
	  BY_ID, false },
	{ "{decision_wait: 1s, sampling_strategy: span-ingest, " BY_ID, false },
};

/* FNV-1a, up to half of all hashes. */
static bool is_sampled(uint32_t trace)
{
	static const char salt[] = "default-hash-seed";
	uint64_t hash = 0xcbf29ce484222325;
	uint8_t id[16] = { 0 };

	memcpy(id + 12, &trace, sizeof(trace));
	for (size_t i = 0; i + 1 < sizeof(salt); i++)
		hash = (hash ^ (uint8_t)salt[i]) * 0x100000001b3;
	for (size_t i = 0; i < 16; i++)
		hash = (hash ^ id[i]) * 0x100000001b3;
	return hash >> 63 == 0;
}

START_TEST(all_spans_of_a_sampled_trace_come_out_once_and_none_of_another)
{
	size_t n = 0;

	refusing = plays[_i].refusing;
	play(plays[_i].yaml);
	ck_assert_uint_eq(refused, 0);
	for (size_t i = 0; i < NUMBERS; i++) {
		bool sampled = is_sampled(trace_of[i]);

		ck_assert_msg(seen[i] == sampled, "span %zu of trace %u came "
			      "out %u times", i, trace_of[i], seen[i]);
		n += sampled;
	}
	ck_assert_uint_gt(n, NUMBERS / 5);
	ck_assert_uint_lt(n, NUMBERS / 5 * 4);
	if (refusing)
		ck_assert_uint_gt(turned_away, 0);
}
END_TEST

/* --- Limits of the process ------------------------------------------------ */

static size_t count_seen(void)
{
	size_t n = 0;

	for (size_t i = 0; i < NUMBERS; i++)
		n += seen[i];
	return n;
}

START_TEST(a_limit_is_of_all_workers_together)
{
	own_traces = true;
	play("{decision_wait: 1s, policies: [{name: r, type: rate_limiting, "
	     "rate_limiting: {spans_per_second: 0, burst_capacity: 1000}}]}");
	ck_assert_uint_eq(count_seen(), 1000);
}
END_TEST

START_TEST(a_share_of_composite_is_of_all_workers_together)
{
	uint64_t began = weir_wall_now() / 1000000000;

	own_traces = true;
	play("{decision_wait: 1s, policies: [{name: c, type: composite, "
	     "composite: {max_total_spans_per_second: 500, "
	     "composite_sub_policy: [{name: a, type: always_sample}], "
	     "rate_allocation: [{policy: a, percent: 100}]}}]}");
	ck_assert_uint_ge(count_seen(), 500);
	ck_assert_uint_le(count_seen(), 500 *
			  (weir_wall_now() / 1000000000 - began + 1));
}
END_TEST

START_TEST(num_traces_is_of_all_workers_together)
{
	own_traces = true;
	play("{decision_wait: 30s, num_traces: 1000, policies: [{name: a, "
	     "type: always_sample}]}");
	/* a worker that has none of them may have one too many */
	ck_assert_uint_ge(count_seen(), 1000);
	ck_assert_uint_le(count_seen(), 1000 + WORKERS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/tail_sampling: crew");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests,
		all_spans_of_a_sampled_trace_come_out_once_and_none_of_another,
		0, sizeof(plays) / sizeof(*plays));
	tcase_add_test(tests, a_limit_is_of_all_workers_together);
	tcase_add_test(tests, a_share_of_composite_is_of_all_workers_together);
	tcase_add_test(tests, num_traces_is_of_all_workers_together);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
