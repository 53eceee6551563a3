/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_flow.c: what happens to a batch between components: room, fans,
 * admission, waiting, and who counts what was lost.
 */
#include "../../support/stage.h"

#define TRACES WEIR_SIGNAL_TRACES
#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static struct fake source, middle, gate, a, b, c;

static void open_stage(void)
{
	stage_open();
	source.id = "source";
	middle.id = "middle";
	gate.id = "gate";
	a.id = "a";
	b.id = "b";
	c.id = "c";
	stage_add(WEIR_RECEIVER, &source);
	stage_add(WEIR_PROCESSOR, &middle);
	stage_add(WEIR_PROCESSOR, &gate);
	stage_add(WEIR_EXPORTER, &a);
	stage_add(WEIR_EXPORTER, &b);
	stage_add(WEIR_EXPORTER, &c);
}

static void start_stage(void)
{
	ck_assert_int_eq(stage_start(&(struct weir_error){ 0 }), 0);
}

static void close_stage(void)
{
	stage_stop(true);
	stage_close();
}

static void with_room(struct fake *fake, uint64_t room)
{
	fake->does = FAKE_ACCEPTS;
	fake->room = room;
	fake->sizer = WEIR_SIZER_ITEMS;
}

static uint64_t lost(const struct fake *fake)
{
	return fake->node->counts[TRACES].enqueue_failed;
}

/* --- The table of fans --------------------------------------------------- */

static const struct {
	const char *why;
	uint64_t a, b;		/* room; 0: no custodian */
	bool a_full, b_full;
	enum fake_does does_b;
	enum weir_status heard;
	unsigned got_a, got_b;
	uint64_t lost_a, lost_b;
} fans[] = {
	{ "all have room", 10, 10, false, false, FAKE_ACCEPTS,
	  WEIR_OK, 1, 1, 0, 0 },
	{ "the first is full: its copy is dropped", 10, 10, true, false,
	  FAKE_ACCEPTS, WEIR_OK, 0, 1, 4, 0 },
	{ "the second is full", 10, 10, false, true, FAKE_ACCEPTS,
	  WEIR_OK, 1, 0, 0, 4 },
	{ "both are full: refused", 10, 10, true, true, FAKE_ACCEPTS,
	  WEIR_UNAVAILABLE, 0, 0, 4, 4 },
	{ "one full, one without a queue", 10, 0, true, false, FAKE_ACKS,
	  WEIR_OK, 0, 1, 4, 0 },
	{ "one full, one without a queue fails", 10, 0, true, false,
	  FAKE_NACKS, WEIR_INVALID_ARGUMENT, 0, 1, 4, 0 },
	{ "one takes it, one without a queue fails", 10, 0, false, false,
	  FAKE_NACKS, WEIR_OK, 1, 1, 0, 0 },
};

START_TEST(a_fan_takes_room_everywhere_first)
{
	struct stage_answer *answer;
	const char *why = fans[_i].why;

	open_stage();
	with_room(&a, fans[_i].a);
	with_room(&b, fans[_i].b);
	b.does = fans[_i].does_b;
	weir_outcome_set(&b.outcome, WEIR_INVALID_ARGUMENT,
			 WEIR_REASON_BACKEND, "no");
	stage_pipeline("traces", TRACES, "source", "", "a b");
	start_stage();
	if (fans[_i].a_full)
		weir_credits_force(a.credits, 7);
	if (fans[_i].b_full)
		weir_credits_force(b.credits, 7);
	answer = stage_send(&source, 4);
	ck_assert_msg(answer->times == 1, "%s", why);
	ck_assert_msg(answer->outcome.status == fans[_i].heard, "%s", why);
	if (answer->outcome.status == WEIR_UNAVAILABLE)
		ck_assert_int_eq(answer->outcome.reason, WEIR_REASON_FULL);
	ck_assert_msg(a.consumed == fans[_i].got_a, "%s", why);
	ck_assert_msg(b.consumed == fans[_i].got_b, "%s", why);
	ck_assert_msg(lost(&a) == fans[_i].lost_a, "%s", why);
	ck_assert_msg(lost(&b) == fans[_i].lost_b, "%s", why);
	ck_assert_msg(weir_credits_used(a.credits) ==
		      (fans[_i].a_full ? 7 : 4 * fans[_i].got_a), "%s", why);
	stage_stop(false);
	stage_close();
}
END_TEST

START_TEST(a_fan_within_a_branch_of_a_fan_looks_for_room_behind_it)
{
	struct stage_answer *answer;

	open_stage();
	with_room(&a, 10);
	with_room(&b, 10);
	with_room(&c, 10);
	middle.does = FAKE_FORWARDS;
	stage_pipeline("traces", TRACES, "source", "middle", "a b");
	stage_pipeline("traces/c", TRACES, "source", "", "c");
	start_stage();
	weir_credits_force(a.credits, 10);	/* a is full, b is not */
	answer = stage_send(&source, 4);
	ck_assert_int_eq(answer->outcome.status, WEIR_OK);
	ck_assert_uint_eq(a.consumed, 0);
	ck_assert_uint_eq(b.consumed, 1);
	ck_assert_uint_eq(c.consumed, 1);
	ck_assert_uint_eq(lost(&a), 4);
	weir_credits_force(b.credits, 6);	/* now both: middle is not asked */
	answer = stage_send(&source, 4);
	ck_assert_int_eq(answer->outcome.status, WEIR_OK);
	ck_assert_uint_eq(middle.consumed, 1);
	ck_assert_uint_eq(c.consumed, 2);
	ck_assert_uint_eq(lost(&a), 8);
	ck_assert_uint_eq(lost(&b), 4);
	ck_assert_uint_eq(weir_credits_used(b.credits), 10);
	stage_stop(false);
	stage_close();
}
END_TEST

/* --- Room ---------------------------------------------------------------- */

START_TEST(a_full_custodian_is_not_called_and_the_sender_may_retry)
{
	struct stage_answer *answer;

	open_stage();
	with_room(&a, 10);
	stage_pipeline("traces", TRACES, "source", "", "a");
	start_stage();
	stage_send(&source, 8);
	answer = stage_send(&source, 3);
	ck_assert_int_eq(answer->outcome.status, WEIR_UNAVAILABLE);
	ck_assert_int_eq(answer->outcome.reason, WEIR_REASON_FULL);
	ck_assert(weir_outcome_retryable(&answer->outcome));
	ck_assert_uint_eq(a.consumed, 1);
	ck_assert_uint_eq(lost(&a), 3);
	stage_end(&a, NULL);
	ck_assert_int_eq(stage_send(&source, 3)->outcome.status, WEIR_OK);
	stage_stop(false);
	stage_close();
}
END_TEST

START_TEST(a_full_processor_refuses_and_drops_nothing)
{
	const struct edge_counts *counts;

	open_stage();
	with_room(&middle, 10);
	stage_pipeline("traces", TRACES, "source", "middle", "a");
	start_stage();
	counts = &middle.node->counts[TRACES];
	stage_send(&source, 8);
	ck_assert_int_eq(stage_send(&source, 3)->outcome.status,
			 WEIR_UNAVAILABLE);
	ck_assert_uint_eq(counts->refused[WEIR_REASON_FULL], 1);
	ck_assert_uint_eq(counts->dropped[WEIR_REASON_FULL], 0);
	stage_stop(false);
	stage_close();
}
END_TEST

START_TEST(a_batch_larger_than_all_room_gets_in_when_it_is_empty)
{
	open_stage();
	with_room(&a, 10);
	stage_pipeline("traces", TRACES, "source", "", "a");
	start_stage();
	ck_assert_int_eq(stage_send(&source, 50)->outcome.status, WEIR_OK);
	ck_assert_uint_eq(weir_credits_used(a.credits), 10);
	ck_assert_int_eq(stage_send(&source, 1)->outcome.status,
			 WEIR_UNAVAILABLE);
	stage_end(&a, NULL);
	ck_assert_uint_eq(weir_credits_used(a.credits), 0);
	close_stage();
}
END_TEST

static const char *const fanned[] = { "a", "a b" };

/* processors/batch tries for as long as the exporter is full: no item is lost
 * by that, and none may be counted. */
START_TEST(what_a_custodian_tries_again_is_not_counted_each_time)
{
	open_stage();
	middle.does = FAKE_KEEPS;
	middle.custodian = true;
	with_room(&a, 10);
	with_room(&b, 10);
	stage_pipeline("traces", TRACES, "source", "middle", fanned[_i]);
	start_stage();
	weir_credits_force(a.credits, 10);
	if (b.credits)
		weir_credits_force(b.credits, 10);
	ck_assert_int_eq(stage_send(&source, 4)->outcome.status, WEIR_OK);
	for (int i = 0; i < 3; i++) {
		struct weir_batch *batch = weir_batch_shift(&middle.held);

		ck_assert_ptr_nonnull(batch);	/* nacked, and kept */
		worker_enter(&stage.workers[0]);
		weir_batch_track(middle.c, batch, &middle);
		weir_forward(middle.c, batch);
		worker_leave(&stage.workers[0]);
		stage_run();
	}
	ck_assert_uint_eq(middle.answered, 4);
	ck_assert_uint_eq(lost(&a), 0);
	ck_assert(!b.credits || !lost(&b));
	stage_stop(false);
	stage_close();
}
END_TEST

/* The fan reserves; a processor before the queue wants the batch back. */
START_TEST(room_that_was_reserved_is_found_below_who_tracks_the_batch)
{
	open_stage();
	middle.does = FAKE_TRACKS;
	with_room(&a, 10);
	a.block = true;		/* would wait for itself */
	with_room(&b, 10);
	stage_pipeline("traces", TRACES, "source", "middle", "a");
	stage_pipeline("traces/b", TRACES, "source", "", "b");
	start_stage();
	ck_assert_int_eq(stage_send(&source, 8)->outcome.status, WEIR_OK);
	ck_assert_uint_eq(a.consumed, 1);
	ck_assert_uint_eq(weir_credits_used(a.credits), 8);
	stage_end(&a, NULL);
	stage_end(&b, NULL);
	ck_assert_uint_eq(weir_credits_used(a.credits), 0);
	close_stage();
}
END_TEST

/* --- Waiting ------------------------------------------------------------- */

static struct stage_answer *send_until(uint32_t items, uint64_t deadline)
{
	struct weir_batch *batch = stage_batch(items);
	struct stage_answer *answer;

	batch->deadline = deadline;
	answer = stage_forward(&source, batch);
	stage_run();
	return answer;
}

static void open_blocking(void)
{
	open_stage();
	with_room(&a, 10);
	a.block = true;
	stage_pipeline("traces", TRACES, "source", "", "a");
	start_stage();
	stage_send(&source, 10);
}

START_TEST(a_batch_waits_for_room_when_the_custodian_blocks)
{
	struct stage_answer *first, *second;

	open_blocking();
	first = send_until(6, 0);
	second = send_until(5, 0);
	ck_assert_uint_eq(first->times + second->times, 0);
	ck_assert(!graph_idle(stage.workers[0].graph, 0));
	ck_assert(!graph_idle(stage.workers[0].graph, 1));
	stage_end(&a, NULL);
	ck_assert_uint_eq(first->times, 1);
	ck_assert_int_eq(first->outcome.status, WEIR_OK);
	ck_assert_uint_eq(second->times, 0);	/* 4 free, it wants 5 */
	stage_end(&a, NULL);
	ck_assert_uint_eq(second->times, 1);
	stage_end(&a, NULL);
	ck_assert_uint_eq(weir_credits_used(a.credits), 0);
	close_stage();
}
END_TEST

START_TEST(a_batch_waits_for_room_until_the_clients_deadline)
{
	struct stage_answer *answer;

	open_blocking();
	answer = send_until(6, weir_now() + 1000000000u);
	clock_advance(999999999u);
	stage_run();
	ck_assert_uint_eq(answer->times, 0);
	clock_advance(1);
	stage_run();
	ck_assert_uint_eq(answer->times, 1);
	ck_assert_int_eq(answer->outcome.status, WEIR_DEADLINE_EXCEEDED);
	ck_assert_uint_eq(lost(&a), 6);
	stage_end(&a, NULL);
	ck_assert_uint_eq(weir_credits_used(a.credits), 0);
	close_stage();
}
END_TEST

START_TEST(what_waits_for_room_at_the_end_is_refused)
{
	struct stage_answer *answer;

	open_blocking();
	answer = send_until(6, weir_now() + 1000000000u);
	stage_stop(false);
	graph_destroy(stage.workers[0].graph);
	ck_assert_uint_eq(answer->times, 1);
	ck_assert_int_eq(answer->outcome.status, WEIR_UNAVAILABLE);
	ck_assert_int_eq(answer->outcome.reason, WEIR_REASON_DRAINING);
	stage_close();
}
END_TEST

/* Room was granted, but the grant is still in the mail when all ends. */
START_TEST(a_grant_that_comes_too_late_is_given_back)
{
	struct weir_credits *room;

	open_blocking();
	room = a.credits;
	send_until(6, 0);
	worker_enter(&stage.workers[0]);
	weir_batch_ack(weir_batch_shift(&a.held));
	worker_leave(&stage.workers[0]);
	graph_destroy(stage.workers[0].graph);
	stage_run();
	ck_assert_uint_eq(weir_credits_used(room), 0);
	stage_close();
}
END_TEST

/* --- Admission, emptied batches ------------------------------------------ */

static bool no_more_than_five(struct weir_component *component,
			      const struct weir_batch *batch,
			      struct weir_outcome *refused)
{
	ck_assert_str_eq(component->id, "gate");
	if (weir_batch_items(batch) <= 5)
		return true;
	weir_outcome_set(refused, WEIR_UNAVAILABLE, WEIR_REASON_MEMORY,
			 "too much");
	return false;
}

START_TEST(admission_refuses_before_anybody_gets_it)
{
	const struct edge_counts *counts;
	struct stage_answer *answer;

	open_stage();
	gate.admit = no_more_than_five;
	stage_pipeline("traces", TRACES, "source", "gate", "a");
	start_stage();
	counts = &gate.node->counts[TRACES];
	ck_assert_int_eq(stage_send(&source, 5)->outcome.status, WEIR_OK);
	answer = stage_send(&source, 6);
	ck_assert_int_eq(answer->outcome.status, WEIR_UNAVAILABLE);
	ck_assert_int_eq(answer->outcome.reason, WEIR_REASON_MEMORY);
	ck_assert_uint_eq(a.consumed, 1);
	ck_assert_uint_eq(counts->in, 11);
	ck_assert_uint_eq(counts->out, 5);
	ck_assert_uint_eq(counts->refused[WEIR_REASON_MEMORY], 1);
	close_stage();
}
END_TEST

START_TEST(an_emptied_batch_is_acked)
{
	struct stage_answer *answer;

	open_stage();
	stage_pipeline("traces", TRACES, "source", "", "a");
	start_stage();
	answer = stage_forward(&source, batch_new(TRACES));
	ck_assert_uint_eq(answer->times, 1);
	ck_assert_int_eq(answer->outcome.status, WEIR_OK);
	ck_assert_uint_eq(a.consumed, 0);
	close_stage();
}
END_TEST

/* --- The end ------------------------------------------------------------- */

START_TEST(nothing_is_passed_on_while_components_are_destroyed)
{
	struct stage_answer *answer;

	open_stage();
	stage_pipeline("traces", TRACES, "source", "", "a");
	start_stage();
	stage_stop(true);
	stage.workers[0].graph->gone = true;
	answer = stage_send(&source, 5);
	stage.workers[0].graph->gone = false;
	ck_assert_uint_eq(answer->times, 1);
	ck_assert_int_eq(answer->outcome.reason, WEIR_REASON_DRAINING);
	ck_assert_uint_eq(a.consumed, 0);
	stage_close();
}
END_TEST

/* A batch of worker 1 for the one exporter, which is on worker 0. */
static struct stage_answer *send_from_second(void)
{
	struct stage_answer *answer = &stage.answers[stage.n_sent++];
	struct weir_node_instance *node = stage_node(1, &source);
	struct weir_batch *batch;

	worker_be(&stage.workers[1]);
	batch = stage_batch(3);
	worker_enter(&stage.workers[1]);
	node_hold(node, batch);
	weir_batch_track(node->c, batch, answer);
	weir_forward(node->c, batch);
	worker_leave(&stage.workers[1]);
	worker_be(&stage.workers[0]);
	return answer;
}

static const struct {
	const char *why;
	bool early;		/* sent before worker 0 has destroyed */
	uint64_t room;
	bool full;
} doors[] = {
	{ "in the mail", true, 0, false }, { "too late", false, 0, false },
	{ "in the mail, with room", true, 10, false },
	{ "too late, with room", false, 10, false },
	{ "full", false, 10, true },
};

START_TEST(a_door_whose_component_is_gone_refuses)
{
	struct stage_answer *answer = NULL;

	stage_open_on(2);
	source.id = "source";
	a.id = "a";
	a.single = true;
	stage_add(WEIR_RECEIVER, &source);
	stage_add(WEIR_EXPORTER, &a);
	if (doors[_i].room)
		with_room(&a, doors[_i].room);
	stage_pipeline("traces", TRACES, "source", "", "a");
	start_stage();
	ck_assert_int_eq(send_from_second()->times, 0);	/* by mail */
	stage_run();
	ck_assert_uint_eq(stage.answers[0].times, 1);
	ck_assert_int_eq(stage.answers[0].outcome.status, WEIR_OK);
	if (doors[_i].full)
		weir_credits_force(a.credits, 10);
	if (doors[_i].early)
		answer = send_from_second();
	graph_destroy(stage.workers[0].graph);
	if (!doors[_i].early)
		answer = send_from_second();
	stage_run();
	ck_assert_msg(answer->times == 1, "%s", doors[_i].why);
	ck_assert_int_eq(answer->outcome.status, WEIR_UNAVAILABLE);
	ck_assert_int_eq(answer->outcome.reason, doors[_i].full ?
			 WEIR_REASON_FULL : WEIR_REASON_DRAINING);
	stage_close();
}
END_TEST

int main(void)
{
	const struct stage_test tests[] = {
		{ a_fan_takes_room_everywhere_first, ROWS(fans) },
		{ a_fan_within_a_branch_of_a_fan_looks_for_room_behind_it, 0 },
		{ a_full_custodian_is_not_called_and_the_sender_may_retry, 0 },
		{ a_full_processor_refuses_and_drops_nothing, 0 },
		{ a_batch_larger_than_all_room_gets_in_when_it_is_empty, 0 },
		{ what_a_custodian_tries_again_is_not_counted_each_time,
		  ROWS(fanned) },
		{ room_that_was_reserved_is_found_below_who_tracks_the_batch,
		  0 },
		{ a_batch_waits_for_room_when_the_custodian_blocks, 0 },
		{ a_batch_waits_for_room_until_the_clients_deadline, 0 },
		{ what_waits_for_room_at_the_end_is_refused, 0 },
		{ a_grant_that_comes_too_late_is_given_back, 0 },
		{ admission_refuses_before_anybody_gets_it, 0 },
		{ an_emptied_batch_is_acked, 0 },
		{ nothing_is_passed_on_while_components_are_destroyed, 0 },
		{ a_door_whose_component_is_gone_refuses, ROWS(doors) },
	};

	return stage_main("core/flow", tests, ROWS(tests));
}
