/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shard.c: one stream of batches: filled, cut, passed on one at a time.
 *
 * What is pending leaves by size when it arrives, or with a tick.  Ticks come
 * each `timeout` after the last one or after the last batch cut by size, with
 * or without data, so that a lone item waits between 0 and `timeout`; the timer
 * only runs while something is pending.
 * Must never pass on a batch while another is under way, nor lose one that was
 * nacked for a passing state.
 */
#include "batch.h"

#include <stdlib.h>

#define FIRST_BACKOFF 50000000ull	/* 50 ms, doubled each time... */
#define MAX_BACKOFF 5000000000ull	/* ...up to 5 s, with chance */
#define DOUBLINGS 7
/* No room ahead: that comes back at the backend's pace, a request at a time,
 * and a backend that waits for our next knock is time lost. */
#define FULL_BACKOFF 10000000ull	/* 10 ms */

static struct weir_component *component_of(const struct shard *shard)
{
	return &shard->owner->base;
}

struct shard *shard_new(struct batch *owner)
{
	struct shard *shard = calloc(1, sizeof(*shard));

	if (!shard)
		return NULL;
	shard->owner = owner;
	/* The one shard without metadata_keys ticks from the start on. */
	shard->phase = owner->metadata_keys.len ? weir_now() : owner->started;
	return shard;
}

static void drop(struct shard *shard, struct weir_batch *batch,
		 const struct weir_outcome *outcome)
{
	struct weir_component *c = component_of(shard);
	size_t items = weir_batch_items(batch);

	weir_log_warn(c, "Sender failed", "error=%s dropped_items=%zu",
		      outcome->text, items);
	weir_count_dropped(c, weir_batch_signal(batch), outcome->reason,
			   items);
	weir_batch_nack(batch, outcome);
}

void shard_free(struct shard *shard)
{
	struct weir_outcome outcome;
	struct weir_batch *batch;

	weir_outcome_set(&outcome, WEIR_UNAVAILABLE, WEIR_REASON_DRAINING,
			 "stopped before it could be passed on");
	if (shard->retrying)
		drop(shard, shard->retrying, &outcome);
	while ((batch = weir_batch_shift(&shard->ready)))
		drop(shard, batch, &outcome);
	if (shard->filling)
		drop(shard, shard->filling, &outcome);
	weir_timer_cancel(&shard->tick);
	weir_timer_cancel(&shard->again);
	free(shard);
}

/* --- Passing on ---------------------------------------------------------------- */

static void pass_on(struct shard *shard, struct weir_batch *batch)
{
	struct weir_component *c = component_of(shard);

	shard->under_way = true;
	weir_batch_track(c, batch, shard);
	weir_forward(c, batch);
}

static void pump(struct shard *shard)
{
	struct weir_batch *batch;

	if (shard->under_way || shard->retrying)
		return;
	shard->trigger = TRIGGER_SIZE;
	batch = weir_batch_shift(&shard->ready);
	if (!batch && shard->due) {
		shard->trigger = TRIGGER_TIMEOUT;
		shard->due = false;
		batch = shard->filling;
		shard->filling = NULL;
		weir_timer_cancel(&shard->tick);
	}
	if (!batch)
		return;
	shard->items = weir_batch_items(batch);
	shard->bytes = weir_batch_bytes(batch);
	shard->failures = 0;
	pass_on(shard, batch);
}

static void try_again(struct weir_component *c, struct weir_timer *timer)
{
	struct shard *shard = (struct shard *)(void *)
		((char *)timer - offsetof(struct shard, again));
	struct weir_batch *batch = shard->retrying;

	(void)c;
	shard->retrying = NULL;
	pass_on(shard, batch);
}

/* At least what was asked for, within MAX_BACKOFF; half of the rest is chance,
 * so that workers do not knock together. */
static weir_duration backoff(struct shard *shard,
			     const struct weir_outcome *outcome)
{
	int64_t asked = outcome->retry_after.ns;
	uint64_t ns = FIRST_BACKOFF << shard->failures;
	uint64_t least = asked > 0 ? (uint64_t)asked : 0;

	if (outcome->reason == WEIR_REASON_FULL)
		ns = FULL_BACKOFF;
	else if (shard->failures < DOUBLINGS)
		shard->failures++;
	if (ns < least)
		ns = least;
	if (ns > MAX_BACKOFF)
		ns = MAX_BACKOFF;
	if (least > ns / 2)
		return (weir_duration){ (int64_t)ns };
	return (weir_duration){ (int64_t)(ns / 2 + weir_random() % (ns / 2)) };
}

static bool patient(const struct batch *owner)
{
	return !owner->stopping || weir_now() < owner->patience;
}

void shard_answered(struct shard *shard, struct weir_batch *batch,
		    const struct weir_outcome *outcome)
{
	shard->under_way = false;
	if (outcome->status == WEIR_OK) {
		batch_sent(shard->owner, shard->trigger, shard->items,
			   shard->bytes);
		if (outcome->rejected)
			weir_batch_ack_partial(batch, outcome);
		else
			weir_batch_ack(batch);
	} else if (weir_outcome_retryable(outcome) && patient(shard->owner)) {
		shard->retrying = batch;
		weir_timer_set(&shard->again, component_of(shard),
			       backoff(shard, outcome), try_again);
		return;
	} else {
		drop(shard, batch, outcome);
	}
	pump(shard);
}

/* --- Filling --------------------------------------------------------------------- */

static bool ticks(const struct shard *shard)
{
	return shard->owner->timeout.ns && shard->owner->send_batch_size;
}

static void tick(struct weir_component *c, struct weir_timer *timer)
{
	struct shard *shard = (struct shard *)(void *)
		((char *)timer - offsetof(struct shard, tick));

	(void)c;
	shard->phase = weir_now();
	shard->due = true;
	pump(shard);
}

/* The next tick that would have come had the timer run all the time. */
static void wind(struct shard *shard)
{
	uint64_t period = (uint64_t)shard->owner->timeout.ns;
	uint64_t since = weir_now() - shard->phase;

	if (!shard->filling || shard->due || weir_timer_is_set(&shard->tick))
		return;
	weir_timer_set(&shard->tick, component_of(shard),
		       (weir_duration){ (int64_t)(period - since % period) },
		       tick);
}

/* One batch off what is pending. */
static void cut(struct shard *shard)
{
	uint32_t max = shard->owner->send_batch_max_size;
	struct weir_batch *part = NULL;

	if (max)
		part = weir_batch_split(shard->filling, WEIR_SIZER_ITEMS, max,
					NULL);
	if (!part) {
		part = shard->filling;
		shard->filling = NULL;
	}
	weir_batch_push(&shard->ready, part);
}

void shard_add(struct shard *shard, struct weir_batch *batch)
{
	uint64_t size = ticks(shard) ? shard->owner->send_batch_size : 1;
	bool sent = false;

	if (shard->filling)
		weir_batch_merge(shard->filling, &batch);
	else
		shard->filling = batch;
	while (shard->filling && weir_batch_items(shard->filling) >= size) {
		cut(shard);
		sent = true;
	}
	if (sent) {
		shard->phase = weir_now();
		shard->due = false;
		weir_timer_cancel(&shard->tick);
	}
	if (shard->owner->stopping)
		shard->due = true;
	pump(shard);
	if (ticks(shard))
		wind(shard);
}

void shard_flush(struct shard *shard)
{
	weir_timer_cancel(&shard->tick);
	shard->due = true;
	/* Who waits to be tried again is tried now; then as before. */
	if (shard->retrying)
		weir_timer_set(&shard->again, component_of(shard),
			       (weir_duration){ 0 }, try_again);
	pump(shard);
}
