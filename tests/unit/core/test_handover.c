/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_handover.c: the one primitive that crosses threads: reserve, hand over,
 * answer.  Real worker threads, random schedules; made for TSan.
 *
 * Every worker has a sender; one keeper lives on worker 0 and is a custodian
 * with little room.  It keeps, acks or nacks what it gets, at random.  However
 * it goes, each batch is answered once, on the thread it came from, and all
 * credits are back at the end; also when all is torn down in the middle.
 */
#include <check.h>

#include "../../support/sender.h"

#include "runtime/credits.h"

#define WORKERS 4
#define BATCHES 500		/* a sender */
#define WINDOW 16		/* under way at once, a sender */
#define ROOM 24			/* of the keeper, in requests */
#define ENOUGH 300		/* answers, to tear it down then */

static bool block;		/* the keeper's block_on_overflow */
static struct weir_credits *room;

/* --- What is sent --------------------------------------------------------- */

static struct weir_batch *make_batch(struct sender *self)
{
	struct weir_payload *payload = payload_new(64, true);
	struct weir_batch *batch = batch_new(WEIR_SIGNAL_TRACES);

	memset(payload->bytes, (int)self->base.worker, 64);
	batch_add(batch, payload, payload->bytes, 64, 3);
	payload_unref(payload);
	return batch;
}

/* --- The keeper: one exporter in the process ----------------------------- */

struct keeper {
	struct weir_component base;
	struct weir_batch_list kept;
	struct weir_timer timer;
};

static void keeper_let_go(struct weir_component *c, struct weir_timer *timer)
{
	struct keeper *self = WEIR_SELF(c, struct keeper);
	struct weir_batch *batch;

	(void)timer;
	while ((batch = weir_batch_shift(&self->kept)))
		weir_batch_ack(batch);
}

static int keeper_start(struct weir_component *c, struct weir_error *error)
{
	(void)error;
	room = weir_credits_get(c, WEIR_SIGNAL_TRACES, "room", ROOM);
	weir_custody(c, WEIR_SIGNAL_TRACES, room, WEIR_SIZER_REQUESTS, block);
	return 0;
}

static void keeper_consume(struct weir_component *c, struct weir_batch *batch)
{
	struct keeper *self = WEIR_SELF(c, struct keeper);
	struct weir_outcome outcome;
	size_t n;
	const struct weir_slice *slices = weir_batch_slices(batch, &n);

	if (worker_current()->number != 0 || n != 1 || slices[0].len != 64 ||
	    slices[0].ptr[0] >= WORKERS)
		abort();
	switch (weir_random() % 4) {
	case 0:
		weir_batch_ack(batch);
		break;
	case 1:
		weir_outcome_set(&outcome, WEIR_UNAVAILABLE,
				 WEIR_REASON_BACKEND, "by chance");
		weir_batch_nack(batch, &outcome);
		break;
	case 2:		/* custody: told at once, kept for a while */
		batch = weir_batch_accept(c, batch);
		/* fall through */
	default:
		weir_batch_push(&self->kept, batch);
		if (!weir_timer_is_set(&self->timer))
			weir_timer_set(&self->timer, c,
				       (weir_duration){ 200000 },
				       keeper_let_go);
	}
}

static void keeper_stop(struct weir_component *c)
{
	keeper_let_go(c, NULL);
}

static const struct weir_plugin keeper_plugin = {
	.kind = WEIR_EXPORTER, .type = "keeper", .signals = WEIR_TRACES,
	.placement = WEIR_ONE, .custodian = true,
	.size = sizeof(struct keeper), .start = keeper_start,
	.consume = keeper_consume, .stop = keeper_stop,
	.destroy = keeper_stop,
};

/* --- The stage ----------------------------------------------------------- */

static void play(bool blocking, bool tearing)
{
	struct plan_component senders = { 0 }, keeper = { 0 };
	struct plan_component *receivers[] = { &senders };
	struct plan_component *exporters[] = { &keeper };
	struct plan_pipeline pipeline = {
		.id = "traces", .signal = WEIR_SIGNAL_TRACES,
		.receivers = receivers, .n_receivers = 1,
		.exporters = exporters, .n_exporters = 1 };
	struct plan plan = { .components = &senders, .n_components = 1,
			     .pipelines = &pipeline, .n_pipelines = 1 };

	block = blocking;
	sending.make = make_batch;
	sending.batches = BATCHES;
	sending.window = WINDOW;
	sending.enough = tearing ? ENOUGH : 0;
	crew_component(&senders, &sender_plugin);
	crew_component(&keeper, &keeper_plugin);
	sender_play(&plan, WORKERS);
	ck_assert_uint_eq(sending.wrong, 0);
	ck_assert_uint_eq(weir_credits_used(room), 0);
	ck_assert_uint_eq(weir_budget_used(), 0);
	credits_release();
	free(senders.prototype);
	free(keeper.prototype);
}

START_TEST(answers_each_batch_once_on_its_own_thread)
{
	play(false, false);
	ck_assert_uint_eq(sending.answered, WORKERS * BATCHES);
	ck_assert_uint_gt(sending.acked, 0);
	ck_assert_uint_gt(sending.refused, 0);
}
END_TEST

START_TEST(makes_senders_wait_for_room_when_it_blocks)
{
	play(true, false);
	ck_assert_uint_eq(sending.answered, WORKERS * BATCHES);
}
END_TEST

START_TEST(leaves_nothing_behind_when_it_is_torn_down)
{
	play(_i % 2, true);
	ck_assert_uint_gt(sending.answered, ENOUGH);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core/handover");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, answers_each_batch_once_on_its_own_thread,
			    0, 4);
	tcase_add_loop_test(tests, makes_senders_wait_for_room_when_it_blocks,
			    0, 4);
	tcase_add_loop_test(tests, leaves_nothing_behind_when_it_is_torn_down,
			    0, 8);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
