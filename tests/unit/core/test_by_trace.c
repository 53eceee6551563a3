/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_by_trace.c: parts by trace over real threads.
 *
 * Every worker has a sender; a processor that is placed by trace has an
 * instance on each.  However the parts are kept, acked or nacked: a trace is
 * only ever seen on one worker, every span arrives once, and each batch is
 * answered once, by the worst of its parts.  Made for TSan.
 */
#include <check.h>

#include "../../support/sender.h"

#include "data/wire.h"

#define WORKERS 4
#define BATCHES 400		/* a sender */
#define SPANS 24		/* a batch */
#define IDS 200			/* traces */
#define WINDOW 8
#define ENOUGH 200		/* answers, to tear it down then */

static atomic_uint nacked_parts, wrong;
static atomic_uint seen[WORKERS * BATCHES * SPANS];	/* by span number */
static atomic_uint home[IDS];	/* worker + 1 */

/* --- What is sent --------------------------------------------------------- */

/* Span { trace_id = 1, span_id = 2 }, both holding numbers. */
static uint8_t *put_span(uint8_t *out, uint32_t trace, uint64_t number)
{
	*out++ = 0x12;		/* ScopeSpans.spans = 2 */
	*out++ = 28;
	*out++ = 0x0a;
	*out++ = 16;
	memset(out, 0, 16);
	memcpy(out, &trace, sizeof(trace));
	out += 16;
	*out++ = 0x12;
	*out++ = 8;
	memcpy(out, &number, sizeof(number));
	return out + 8;
}

static struct weir_batch *make_batch(struct sender *self)
{
	uint64_t number = ((uint64_t)self->base.worker * BATCHES + self->sent) *
			  SPANS;
	struct weir_batch *batch = batch_new(WEIR_SIGNAL_TRACES);
	struct weir_payload *payload = payload_new(SPANS * 30 + 16, true);
	uint8_t *out = payload->bytes;

	*out++ = 0x0a;		/* request: resource_spans = 1 */
	out = wire_put_varint(out, SPANS * 30 + 3);
	*out++ = 0x12;		/* ResourceSpans.scope_spans = 2 */
	out = wire_put_varint(out, SPANS * 30);
	for (unsigned i = 0; i < SPANS; i++)
		out = put_span(out, (uint32_t)(weir_random() % IDS),
			       number + i);
	batch_add(batch, payload, payload->bytes,
		  (size_t)(out - payload->bytes), SPANS);
	payload_unref(payload);
	return batch;
}

/* --- The processor that is placed by trace -------------------------------- */

struct owner {
	struct weir_component base;
	struct weir_batch_list kept;
	struct weir_timer timer;
};

static void look_at(struct weir_component *c, const struct weir_part_span *span)
{
	unsigned nobody = 0, me = c->worker + 1;
	uint32_t trace;
	uint64_t number;

	memcpy(&trace, span->trace_id, sizeof(trace));
	memcpy(&number, span->message + 20, sizeof(number));
	if (!atomic_compare_exchange_strong(&home[trace], &nobody, me) &&
	    nobody != me)
		atomic_fetch_add(&wrong, 1);
	atomic_fetch_add(&seen[number], 1);
}

static void let_go(struct weir_component *c, struct weir_timer *timer)
{
	struct owner *self = WEIR_SELF(c, struct owner);
	struct weir_batch *batch;

	(void)timer;
	while ((batch = weir_batch_shift(&self->kept)))
		weir_batch_ack(batch);
}

static void owner_consume(struct weir_component *c, struct weir_batch *batch)
{
	struct owner *self = WEIR_SELF(c, struct owner);
	const struct weir_part *part = weir_batch_part(batch);
	uint64_t chance = weir_random() % 16;
	struct weir_outcome outcome;

	for (size_t i = 0; i < part->n; i++)
		look_at(c, &part->spans[i]);
	if (chance == 0) {
		atomic_fetch_add(&nacked_parts, 1);
		weir_outcome_set(&outcome, WEIR_UNAVAILABLE, WEIR_REASON_FULL,
				 "by chance");
		weir_batch_nack(batch, &outcome);
	} else if (chance < 8) {
		weir_batch_push(&self->kept, batch);
		if (!weir_timer_is_set(&self->timer))
			weir_timer_set(&self->timer, c,
				       (weir_duration){ 100000 }, let_go);
	} else {
		weir_batch_ack(batch);
	}
}

static void owner_stop(struct weir_component *c)
{
	let_go(c, NULL);
}

static const struct weir_plugin owner_plugin = {
	.kind = WEIR_PROCESSOR, .type = "owner", .signals = WEIR_TRACES,
	.placement = WEIR_BY_TRACE, .size = sizeof(struct owner),
	.consume = owner_consume, .stop = owner_stop, .destroy = owner_stop,
};

static void end_consume(struct weir_component *c, struct weir_batch *batch)
{
	(void)c;
	weir_batch_ack(batch);
}

static const struct weir_plugin end_plugin = {
	.kind = WEIR_EXPORTER, .type = "end", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .consume = end_consume,
};

/* --- The play ------------------------------------------------------------ */

static void play(bool tearing)
{
	struct plan_component senders = { 0 }, owners = { 0 }, end = { 0 };
	struct plan_component *receivers[] = { &senders };
	struct plan_component *processors[] = { &owners };
	struct plan_component *exporters[] = { &end };
	struct plan_pipeline pipeline = {
		.id = "traces", .signal = WEIR_SIGNAL_TRACES,
		.receivers = receivers, .n_receivers = 1,
		.processors = processors, .n_processors = 1,
		.exporters = exporters, .n_exporters = 1 };
	struct plan plan = { .components = &senders, .n_components = 1,
			     .pipelines = &pipeline, .n_pipelines = 1 };

	sending.make = make_batch;
	sending.batches = BATCHES;
	sending.window = WINDOW;
	sending.items = SPANS;
	sending.enough = tearing ? ENOUGH : 0;
	crew_component(&senders, &sender_plugin);
	crew_component(&owners, &owner_plugin);
	crew_component(&end, &end_plugin);
	sender_play(&plan, WORKERS);
	ck_assert_uint_eq(weir_budget_used(), 0);
	ck_assert_uint_eq(wrong + sending.wrong, 0);
	free(senders.prototype);
	free(owners.prototype);
	free(end.prototype);
}

START_TEST(each_trace_has_one_owner_and_each_span_comes_once)
{
	play(false);
	ck_assert_uint_eq(sending.answered, WORKERS * BATCHES);
	for (size_t i = 0; i < WORKERS * BATCHES * SPANS; i++)
		ck_assert_uint_eq(seen[i], 1);
	/* a batch is refused when any of its parts was */
	ck_assert_uint_gt(sending.refused, 0);
	ck_assert_uint_le(sending.refused, nacked_parts);
	ck_assert_uint_gt(sending.refused * 2, nacked_parts);
}
END_TEST

START_TEST(nothing_is_left_when_it_is_torn_down)
{
	play(true);
	ck_assert_uint_gt(sending.answered, ENOUGH);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core/by_trace");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests,
			    each_trace_has_one_owner_and_each_span_comes_once,
			    0, 3);
	tcase_add_loop_test(tests, nothing_is_left_when_it_is_torn_down, 0, 6);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
