/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.c: one signal's lane: what waits for a consumer, and the consumers.
 *
 * Holds batches in order of arrival.  Room for them was taken by core before
 * they came and goes back when they end, so what is under way counts too; a
 * consumer is one credit of a pool of the whole process.  Must never start a
 * request without a consumer, nor leave one waiting while a consumer is free.
 */
#include "sender.h"

#include <inttypes.h>

static const struct weir_queue_config *config_of(const struct lane *lane)
{
	return &lane->sender->config->sending_queue;
}

bool lane_open(struct lane *lane, struct weir_sender *sender,
	       enum weir_signal signal)
{
	const struct weir_queue_config *config = &sender->config->sending_queue;
	struct weir_component *c = sender->c;

	lane->sender = sender;
	lane->signal = signal;
	if (!config->enabled)
		return true;
	lane->room = weir_credits_get(c, signal, "queue_size",
				      (uint64_t)config->queue_size);
	lane->consumers = weir_credits_get(c, signal, "num_consumers",
					   (uint64_t)config->num_consumers);
	weir_custody(c, signal, lane->room, queue_sizer(config),
		     config->block_on_overflow);
	if (!config->batch.enabled)
		return true;
	lane->batcher = batcher_new(lane);
	return lane->batcher;
}

static void pump(struct lane *lane);

static void granted(struct weir_component *c, struct weir_credits_wait *wait)
{
	struct lane *lane = (struct lane *)(void *)
		((char *)wait - offsetof(struct lane, wait));
	struct weir_batch *batch = weir_batch_shift(&lane->queue);

	(void)c;
	lane->waiting = false;
	if (!batch) {
		weir_credits_give(lane->consumers, 1);
		return;
	}
	send_begin(lane, batch);
	pump(lane);
}

/* A request may end while it begins (nothing of it fits): then the loop here
 * goes on, not a deeper one. */
static void pump(struct lane *lane)
{
	if (lane->pumping)
		return;
	lane->pumping = true;
	while (lane->queue.len && !lane->waiting) {
		if (weir_credits_take(lane->consumers, 1)) {
			send_begin(lane, weir_batch_shift(&lane->queue));
			continue;
		}
		lane->waiting = true;
		lane->wait.granted = granted;
		weir_credits_wait(&lane->wait, lane->sender->c,
				  lane->consumers, 1);
	}
	lane->pumping = false;
}

void lane_push(struct lane *lane, struct weir_batch *batch)
{
	weir_batch_push(&lane->queue, batch);
	pump(lane);
}

/* Larger than the whole queue: no waiting makes room for it. */
static bool too_large(const struct lane *lane, struct weir_batch *batch)
{
	const struct weir_queue_config *config = config_of(lane);
	uint64_t size = weir_batch_size(batch, queue_sizer(config));
	struct weir_outcome outcome;

	if (size <= (uint64_t)config->queue_size)
		return false;
	weir_outcome_set(&outcome, WEIR_RESOURCE_EXHAUSTED,
			 WEIR_REASON_TOO_BIG, "element size too large");
	weir_log_error(lane->sender->c, "Exporting failed. Rejecting data.",
		       "error=%s rejected_items=%zu", outcome.text,
		       weir_batch_items(batch));
	weir_batch_nack(batch, &outcome);
	return true;
}

void lane_consume(struct lane *lane, struct weir_batch *batch)
{
	if (!lane->room) {
		send_begin(lane, batch);
		return;
	}
	if (too_large(lane, batch))
		return;
	if (!config_of(lane)->wait_for_result)
		batch = weir_batch_accept(lane->sender->c, batch);
	if (lane->batcher)
		batcher_add(lane->batcher, batch);
	else
		lane_push(lane, batch);
}

void lane_finished(struct lane *lane)
{
	if (!lane->room)
		return;
	weir_credits_give(lane->consumers, 1);
	pump(lane);
}

void lane_stop(struct lane *lane)
{
	if (lane->batcher)
		batcher_flush(lane->batcher);
}

void lane_close(struct lane *lane, const struct weir_outcome *outcome)
{
	struct weir_batch *batch;

	if (lane->waiting)
		weir_credits_cancel(&lane->wait);
	lane->waiting = false;
	if (lane->batcher)
		batcher_free(&lane->batcher, outcome);
	while ((batch = weir_batch_shift(&lane->queue)))
		send_drop(lane, batch, outcome);
}
