/* SPDX-License-Identifier: Apache-2.0 */
/* Queue, retries, splitting and gauges of a sender, on a core of paper. */
#include "fake_core.h"

#include <weir/kit/exporter.h>

#define MS(n) ((int64_t)(n) * 1000000)
#define S(n) MS((n) * 1000)

static const struct weir_plugin plugin = { .kind = WEIR_EXPORTER };
static struct weir_component component = {
	.plugin = &plugin, .id = "otlp", .signals = WEIR_TRACES
};

/* The backend: what it did with the attempts so far, what it does next. */
static struct {
	struct weir_send *open[64];
	const struct weir_batch *batch[64];
	size_t n_open, attempts, cancelled;
	size_t sizes[128];
} backend;

static void on_send(struct weir_component *c, struct weir_send *send,
		    const struct weir_batch *batch)
{
	ck_assert_ptr_eq(c, &component);
	ck_assert_ptr_null(weir_send_data(send));
	backend.sizes[backend.attempts++] = weir_batch_items(batch);
	backend.batch[backend.n_open] = batch;
	backend.open[backend.n_open++] = send;
	weir_send_set_data(send, &backend);
}

static struct weir_send *take(size_t i)
{
	struct weir_send *send = backend.open[i];

	backend.n_open--;
	memmove(&backend.open[i], &backend.open[i + 1],
		(backend.n_open - i) * sizeof(backend.open[0]));
	memmove(&backend.batch[i], &backend.batch[i + 1],
		(backend.n_open - i) * sizeof(backend.batch[0]));
	return send;
}

static void on_cancel(struct weir_component *c, struct weir_send *send)
{
	(void)c;
	ck_assert_ptr_eq(weir_send_data(send), &backend);
	for (size_t i = 0; i < backend.n_open; i++) {
		if (backend.open[i] == send) {
			take(i);
			backend.cancelled++;
			return;
		}
	}
	ck_abort_msg("cancelled an attempt that was not open");
}

static const struct weir_sender_ops ops = { on_send, on_cancel };

static void answer(enum weir_status status, enum weir_reason reason,
		   int64_t retry_after, const char *text)
{
	struct weir_outcome outcome = { .status = status, .reason = reason,
					.retry_after = { retry_after } };

	ck_assert_uint_gt(backend.n_open, 0);
	snprintf(outcome.text, sizeof(outcome.text), "%s", text);
	weir_send_done(take(0), &outcome);
	fake_turn();
}

static void yes(void)
{
	answer(WEIR_OK, WEIR_REASON_NONE, 0, "");
}

static void later(void)
{
	answer(WEIR_UNAVAILABLE, WEIR_REASON_BACKEND, 0, "down");
}

static void never(void)
{
	answer(WEIR_INVALID_ARGUMENT, WEIR_REASON_BACKEND, 0, "bad");
}

static void too_big(void)
{
	answer(WEIR_RESOURCE_EXHAUSTED, WEIR_REASON_BACKEND, 0, "too big");
}

static struct weir_sender_config config;
static struct weir_sender *sender;

static void defaults(void)
{
	fake_reset();
	memset(&backend, 0, sizeof(backend));
	config = (struct weir_sender_config){
		.sending_queue = { .enabled = true, .num_consumers = 10,
				   .queue_size = 1000 },
		.retry_on_failure = {
			.enabled = true, .initial_interval = { S(5) },
			.max_interval = { S(30) },
			.max_elapsed_time = { S(300) }, .multiplier = 1.5 },
		.timeout = { S(5) }
	};
}

static void begin(void)
{
	struct weir_error error;

	sender = weir_sender_start(&component, &config, &ops, &error);
	ck_assert_ptr_nonnull(sender);
}

static void give(size_t items, size_t item_bytes)
{
	weir_sender_consume(sender, fake_batch(items, item_bytes));
}

/* Nothing may be left behind: no batch, no timer, no credit. */
static void end(void)
{
	weir_sender_free(&sender);
	ck_assert_ptr_null(sender);
	ck_assert_uint_eq(core.alive, 0);
	ck_assert_uint_eq(fake_timers(), 0);
	ck_assert_int_eq(core.consumers.free, (int64_t)core.consumers.total);
}

START_TEST(a_batch_is_accepted_sent_and_counted)
{
	begin();
	give(7, 100);
	ck_assert_uint_eq(core.accepted, 7);
	ck_assert_uint_eq(backend.attempts, 1);
	ck_assert_uint_eq(core.acked, 0);
	yes();
	ck_assert_uint_eq(core.acked, 7);
	ck_assert_uint_eq(core.sent, 7);
	end();
}
END_TEST

START_TEST(a_passing_state_is_tried_again_until_it_passes)
{
	begin();
	give(1, 1);
	later();
	ck_logged("1 Exporting failed. Will retry the request after interval. "
		  "error=down interval=5s");
	fake_advance(S(5) - 1);
	ck_assert_uint_eq(backend.attempts, 1);
	fake_advance(1);
	ck_assert_uint_eq(backend.attempts, 2);
	later();
	ck_logged("interval=7.5s");
	fake_advance(MS(7500));
	yes();
	ck_assert_uint_eq(core.acked, 1);
	ck_assert_uint_eq(core.send_failed, 0);
	end();
}
END_TEST

START_TEST(a_final_answer_drops_at_once)
{
	begin();
	give(3, 1);
	never();
	ck_assert_uint_eq(core.nacked, 3);
	ck_assert_uint_eq(core.send_failed, 3);
	ck_logged("3 Exporting failed. Dropping data. error=not retryable "
		  "error: Permanent error: bad dropped_items=3");
	end();
}
END_TEST

START_TEST(retries_end_with_max_elapsed_time)
{
	config.retry_on_failure.max_elapsed_time.ns = S(30);
	config.timeout.ns = 0;
	begin();
	give(2, 1);
	/* Answers at 0, 12 and 24 s: the next wait of 11.25 s is too long. */
	for (int i = 0; i < 3; i++) {
		later();
		fake_advance(S(12));
	}
	ck_assert_uint_eq(backend.attempts, 3);
	ck_assert_uint_eq(core.nacked, 2);
	ck_assert_int_eq(core.last.reason, WEIR_REASON_GAVE_UP);
	ck_logged("error=no more retries left: down dropped_items=2");
	end();
}
END_TEST

START_TEST(a_backend_that_says_when_is_obeyed)
{
	begin();
	give(1, 1);
	answer(WEIR_RESOURCE_EXHAUSTED, WEIR_REASON_BACKEND, S(20), "busy");
	ck_logged("error=Throttle (20s), error: busy interval=20s");
	fake_advance(S(20) - 1);
	ck_assert_uint_eq(backend.attempts, 1);
	fake_advance(1);
	ck_assert_uint_eq(backend.attempts, 2);
	yes();
	end();
}
END_TEST

START_TEST(no_answer_in_time_is_a_passing_state)
{
	begin();
	give(1, 1);
	fake_advance(S(5));
	ck_assert_uint_eq(backend.cancelled, 1);
	ck_logged("error=context deadline exceeded interval=5s");
	fake_advance(S(5));
	yes();
	ck_assert_uint_eq(core.acked, 1);
	end();
}
END_TEST

START_TEST(no_more_requests_are_under_way_than_there_are_consumers)
{
	struct weir_sender_gauges gauges = { 0 };

	config.sending_queue.num_consumers = 2;
	begin();
	for (int i = 0; i < 5; i++)
		give(1, 1);
	ck_assert_uint_eq(backend.n_open, 2);
	weir_sender_measure(sender, &gauges);
	ck_assert_int_eq(gauges.in_flight[WEIR_SIGNAL_TRACES].value, 2);
	ck_assert_int_eq(gauges.queue_capacity[WEIR_SIGNAL_TRACES].value,
			 1000);
	later();	/* a back-off keeps its consumer */
	ck_assert_uint_eq(backend.n_open, 1);
	yes();
	ck_assert_uint_eq(backend.attempts, 3);
	fake_advance(S(4));
	while (backend.n_open)
		yes();
	fake_advance(S(5));
	yes();
	ck_assert_uint_eq(core.acked, 5);
	end();
}
END_TEST

START_TEST(a_large_request_goes_out_in_parts)
{
	config.max_request_bytes.bytes = 1000;
	begin();
	give(25, 100);
	yes();
	yes();
	yes();
	ck_assert_uint_eq(backend.attempts, 3);
	ck_assert_uint_eq(backend.sizes[0], 10);
	ck_assert_uint_eq(backend.sizes[1], 10);
	ck_assert_uint_eq(backend.sizes[2], 5);
	ck_assert_uint_eq(core.acked, 25);
	end();
}
END_TEST

START_TEST(an_item_that_no_request_can_hold_is_dropped_and_counted)
{
	config.max_request_bytes.bytes = 50;
	begin();
	give(2, 100);
	ck_assert_uint_eq(backend.attempts, 0);
	ck_assert_uint_eq(core.send_failed, 2);
	ck_assert_uint_eq(core.nacked, 2);
	ck_assert_int_eq(core.last.reason, WEIR_REASON_TOO_BIG);
	ck_logged("2 Failed to split request. error=one item of 100 bytes is "
		  "larger than 50 dropped_items=1");
	end();
}
END_TEST

/* attacks 128 */
START_TEST(what_the_backend_calls_too_big_is_sent_in_halves)
{
	begin();
	give(8, 1);
	too_big();	/* 8 */
	too_big();	/* 4 */
	yes();		/* 2 */
	yes();		/* 2 */
	yes();		/* 4 */
	ck_assert_uint_eq(backend.attempts, 5);
	ck_assert_uint_eq(backend.sizes[4], 4);
	ck_assert_uint_eq(core.acked, 8);
	ck_assert_uint_eq(core.send_failed, 0);
	end();
}
END_TEST

START_TEST(one_item_that_is_too_big_costs_only_itself)
{
	begin();
	give(4, 1);
	too_big();	/* 4 */
	too_big();	/* 2 */
	too_big();	/* 1: dropped */
	yes();		/* 1 */
	yes();		/* 2 */
	ck_assert_uint_eq(core.acked, 3);
	ck_assert_uint_eq(core.send_failed, 1);
	end();
}
END_TEST

START_TEST(a_quota_that_is_called_too_big_is_not_asked_item_by_item)
{
	begin();
	give(8192, 1);
	while (backend.n_open)
		too_big();
	ck_assert_uint_lt(backend.attempts, 50);
	ck_assert_uint_eq(core.send_failed, 8192);
	end();
}
END_TEST

START_TEST(partial_success_is_a_success_with_a_warning)
{
	struct weir_outcome partial = { .status = WEIR_OK, .rejected = 99 };

	begin();
	give(5, 1);
	strcpy(partial.text, "two were odd");
	weir_send_done(take(0), &partial);
	ck_assert_uint_eq(core.sent, 5);
	ck_assert_uint_eq(core.last.rejected, 5);	/* attacks 127 */
	ck_logged("2 Partial success response message=two were odd "
		  "dropped_spans=5");
	end();
}
END_TEST

START_TEST(without_a_queue_the_sender_hears_the_backend)
{
	config.sending_queue.enabled = false;
	config.retry_on_failure.enabled = false;
	begin();
	give(2, 1);
	ck_assert_uint_eq(core.accepted, 0);
	answer(WEIR_UNAVAILABLE, WEIR_REASON_BACKEND, S(3), "down");
	ck_assert_uint_eq(core.nacked, 2);
	ck_assert_int_eq(core.last.status, WEIR_UNAVAILABLE);
	ck_assert_int_eq(core.last.retry_after.ns, S(3));
	ck_logged("3 Exporting failed. Rejecting data. Try enabling "
		  "retry_on_failure config option to retry on retryable "
		  "errors. Try enabling sending_queue to survive temporary "
		  "failures. error=down rejected_items=2");
	end();
}
END_TEST

START_TEST(who_waits_for_the_result_is_not_kept_past_his_deadline)
{
	struct weir_batch *batch;

	config.sending_queue.wait_for_result = true;
	begin();
	batch = fake_batch(1, 1);
	batch->deadline = core.now + S(4);
	weir_sender_consume(sender, batch);
	ck_assert_uint_eq(core.accepted, 0);
	later();
	ck_assert_uint_eq(core.nacked, 1);
	ck_logged("error=request will be cancelled before next retry: down");
	end();
}
END_TEST

START_TEST(a_request_larger_than_the_queue_is_refused_for_good)
{
	config.sending_queue.sizer = WEIR_STR("items");
	config.sending_queue.queue_size = 10;
	begin();
	give(11, 1);
	ck_assert_uint_eq(core.nacked, 11);
	ck_assert_int_eq(core.last.reason, WEIR_REASON_TOO_BIG);
	ck_assert_str_eq(core.last.text, "element size too large");
	end();
}
END_TEST

START_TEST(stopping_gives_each_one_last_attempt)
{
	config.sending_queue.num_consumers = 1;
	begin();
	give(1, 1);
	give(2, 1);
	later();
	weir_sender_stop(sender);
	weir_sender_stop(sender);
	fake_advance(0);
	ck_assert_uint_eq(backend.attempts, 2);	/* the one that waited */
	later();
	ck_logged("error=interrupted due to shutdown: down dropped_items=1");
	yes();					/* the one in the queue */
	ck_assert_uint_eq(core.acked, 2);
	end();
}
END_TEST

START_TEST(what_is_left_at_the_end_is_dropped_and_counted)
{
	config.sending_queue.num_consumers = 1;
	begin();
	give(1, 1);
	give(2, 1);
	weir_sender_free(&sender);
	ck_assert_uint_eq(backend.cancelled, 1);
	ck_assert_uint_eq(core.send_failed, 3);
	end();
}
END_TEST

static void batching(int64_t min, int64_t max)
{
	config.sending_queue.batch = (struct weir_queue_batch_config){
		.enabled = true, .flush_timeout = { MS(200) },
		.min_size = min, .max_size = max
	};
	begin();
}

START_TEST(a_queue_that_batches_waits_for_min_size)
{
	batching(10, 0);
	give(4, 1);
	give(5, 1);
	ck_assert_uint_eq(backend.attempts, 0);
	give(3, 1);
	ck_assert_uint_eq(backend.attempts, 1);
	ck_assert_uint_eq(backend.sizes[0], 12);
	yes();
	end();
}
END_TEST

START_TEST(a_queue_that_batches_sends_what_is_old_enough)
{
	batching(10, 0);
	give(4, 1);
	fake_advance(MS(150));
	give(1, 1);
	fake_advance(MS(49));
	ck_assert_uint_eq(backend.attempts, 0);
	fake_advance(MS(1));
	ck_assert_uint_eq(backend.sizes[0], 5);
	yes();
	end();
}
END_TEST

START_TEST(a_queue_that_batches_cuts_at_max_size_and_keeps_the_rest)
{
	batching(10, 10);
	give(23, 1);
	ck_assert_uint_eq(backend.attempts, 2);
	ck_assert_uint_eq(backend.sizes[0], 10);
	ck_assert_uint_eq(backend.sizes[1], 10);
	weir_sender_stop(sender);
	ck_assert_uint_eq(backend.attempts, 3);
	ck_assert_uint_eq(backend.sizes[2], 3);
	yes();
	yes();
	yes();
	end();
}
END_TEST

/* --- Configuration ------------------------------------------------------------------ */

static void none(void) { }
static void q_consumers(void) { config.sending_queue.num_consumers = 0; }
static void q_size(void) { config.sending_queue.queue_size = -1; }
static void q_sizer(void)
{
	config.sending_queue.sizer = WEIR_STR("Items");
}
static void q_storage(void)
{
	config.sending_queue.storage = WEIR_STR("file_storage");
}
static void q_storage_wait(void)
{
	q_storage();
	config.sending_queue.wait_for_result = true;
}
static void q_off(void)
{
	q_consumers();
	config.sending_queue.enabled = false;
}
static void b_on(void)
{
	config.sending_queue.batch = (struct weir_queue_batch_config){
		.enabled = true, .flush_timeout = { MS(200) },
		.min_size = 8192
	};
}
static void b_items(void)
{
	b_on();
	config.sending_queue.sizer = WEIR_STR("items");
}
static void b_requests(void)
{
	b_on();
	config.sending_queue.queue_size = 10000;
	config.sending_queue.sizer = WEIR_STR("requests");
}
static void b_flush(void)
{
	b_on();
	config.sending_queue.batch.flush_timeout.ns = 0;
}
static void b_max(void)
{
	b_on();
	config.sending_queue.batch.min_size = 10;
	config.sending_queue.batch.max_size = 5;
}
static void b_keys(void)
{
	static const weir_str keys[] = { { "X-Tenant", 8 }, { "x-tenant", 8 } };

	b_on();
	config.sending_queue.batch.partition.metadata_keys =
		(struct weir_strs){ keys, 2 };
}
static void t_negative(void) { config.timeout.ns = -1; }
static void r_elapsed(void)
{
	config.retry_on_failure.max_elapsed_time.ns = S(10);
}
static void r_factor(void)
{
	config.retry_on_failure.randomization_factor = 1.1;
}
static void r_off(void)
{
	config.retry_on_failure.enabled = false;
	config.retry_on_failure.multiplier = -1;
}

static const struct {
	void (*change)(void);
	const char *text;	/* NULL: fine */
} verdicts[] = {
	{ none, NULL },
	{ b_on, NULL },		/* 8192 items and 1000 requests differ */
	{ q_off, NULL },
	{ q_consumers, "`num_consumers` must be positive" },
	{ q_size, "`queue_size` must be positive" },
	{ q_sizer, "invalid sizer: \"Items\"" },
	{ q_storage, "a persistent queue is not supported yet: leave "
	  "`storage` out to keep the queue in memory" },
	{ q_storage_wait, "`wait_for_result` is not supported with a "
	  "persistent queue configured with `storage`" },
	{ b_items, "`min_size` must be less than or equal to `queue_size`" },
	{ b_requests, "`batch` supports only `items` or `bytes` sizer, found "
	  "\"requests\"" },
	{ b_flush, "`flush_timeout` must be positive, found 0" },
	{ b_max, "`max_size` (5) must be greater or equal to `min_size` (10)" },
	{ b_keys, "duplicate entry in metadata_keys: \"x-tenant\" "
	  "(case-insensitive)" },
	{ t_negative, "'timeout' must be non-negative" },
	{ r_elapsed, "'max_elapsed_time' must not be less than "
	  "'max_interval'" },
	{ r_factor, "'randomization_factor' must be within [0, 1]" },
	{ r_off, "'multiplier' must be non-negative" },
};

START_TEST(validation_says_what_the_collector_says)
{
	struct weir_error error = { 0 };
	int got;

	verdicts[_i].change();
	got = weir_sender_validate(&config, &error);
	ck_assert_int_eq(got, verdicts[_i].text ? -1 : 0);
	if (verdicts[_i].text)
		ck_assert_str_eq(error.text, verdicts[_i].text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kit/sender");
	TCase *tc = tcase_create("sender");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, defaults, NULL);
	tcase_add_test(tc, a_batch_is_accepted_sent_and_counted);
	tcase_add_test(tc, a_passing_state_is_tried_again_until_it_passes);
	tcase_add_test(tc, a_final_answer_drops_at_once);
	tcase_add_test(tc, retries_end_with_max_elapsed_time);
	tcase_add_test(tc, a_backend_that_says_when_is_obeyed);
	tcase_add_test(tc, no_answer_in_time_is_a_passing_state);
	tcase_add_test(tc,
		no_more_requests_are_under_way_than_there_are_consumers);
	tcase_add_test(tc, a_large_request_goes_out_in_parts);
	tcase_add_test(tc,
		an_item_that_no_request_can_hold_is_dropped_and_counted);
	tcase_add_test(tc, what_the_backend_calls_too_big_is_sent_in_halves);
	tcase_add_test(tc, one_item_that_is_too_big_costs_only_itself);
	tcase_add_test(tc,
		a_quota_that_is_called_too_big_is_not_asked_item_by_item);
	tcase_add_test(tc, partial_success_is_a_success_with_a_warning);
	tcase_add_test(tc, without_a_queue_the_sender_hears_the_backend);
	tcase_add_test(tc,
		who_waits_for_the_result_is_not_kept_past_his_deadline);
	tcase_add_test(tc,
		a_request_larger_than_the_queue_is_refused_for_good);
	tcase_add_test(tc, stopping_gives_each_one_last_attempt);
	tcase_add_test(tc, what_is_left_at_the_end_is_dropped_and_counted);
	tcase_add_test(tc, a_queue_that_batches_waits_for_min_size);
	tcase_add_test(tc, a_queue_that_batches_sends_what_is_old_enough);
	tcase_add_test(tc,
		a_queue_that_batches_cuts_at_max_size_and_keeps_the_rest);
	tcase_add_loop_test(tc, validation_says_what_the_collector_says, 0,
			    sizeof(verdicts) / sizeof(*verdicts));
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
