/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_core.h: the calls of the contract that a sender makes, without a core.
 *
 * A batch is two numbers, time is a variable, credits a count.  Defined here,
 * so included by one test file; what is asked of core is written down in
 * `core`, for the test to look at.
 */
#ifndef FAKE_CORE_H
#define FAKE_CORE_H

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir/plugin.h>

struct weir_batch {
	struct weir_batch *next;
	size_t items, bytes;
	uint64_t deadline;
	int ends;		/* must be 1 at the end */
};

struct weir_credits {
	int64_t free;
	uint64_t total;
};

#define MAX_TIMERS 256

static struct fake_core {
	uint64_t now;
	struct weir_timer *timers[MAX_TIMERS];
	void (*fires[MAX_TIMERS])(struct weir_component *, struct weir_timer *);
	struct weir_component *owners[MAX_TIMERS];
	struct weir_credits room, consumers;
	struct weir_credits_wait *waiting;
	struct weir_component *waiter;
	size_t acked, nacked, sent, send_failed, accepted, alive;
	struct weir_outcome last;	/* of the last nack */
	char log[4096];			/* words and fields; starts over */
} core;

static void fake_reset(void)
{
	memset(&core, 0, sizeof(core));
	core.now = 1000000000;
}

/* --- Batches ------------------------------------------------------------------ */

static struct weir_batch *fake_batch(size_t items, size_t item_bytes)
{
	struct weir_batch *batch = calloc(1, sizeof(*batch));

	batch->items = items;
	batch->bytes = items * item_bytes;
	core.alive++;
	return batch;
}

static void fake_end(struct weir_batch *batch)
{
	ck_assert_int_eq(batch->ends++, 0);
	core.alive--;
	free(batch);
}

enum weir_signal weir_batch_signal(const struct weir_batch *batch)
{
	(void)batch;
	return WEIR_SIGNAL_TRACES;
}

size_t weir_batch_items(const struct weir_batch *batch)
{
	return batch->items;
}

size_t weir_batch_bytes(const struct weir_batch *batch)
{
	return batch->bytes;
}

uint64_t weir_batch_deadline(const struct weir_batch *batch)
{
	return batch->deadline;
}

uint64_t weir_batch_size(const struct weir_batch *batch, enum weir_sizer sizer)
{
	return sizer == WEIR_SIZER_REQUESTS ? 1 :
	       sizer == WEIR_SIZER_ITEMS ? batch->items : batch->bytes;
}

void weir_batch_ack(struct weir_batch *batch)
{
	core.acked += batch->items;
	fake_end(batch);
}

void weir_batch_ack_partial(struct weir_batch *batch,
			    const struct weir_outcome *outcome)
{
	core.last = *outcome;
	weir_batch_ack(batch);
}

void weir_batch_nack(struct weir_batch *batch,
		     const struct weir_outcome *outcome)
{
	ck_assert_int_ne(outcome->status, WEIR_OK);
	core.nacked += batch->items;
	core.last = *outcome;
	fake_end(batch);
}

struct weir_batch *weir_batch_accept(struct weir_component *c,
				     struct weir_batch *batch)
{
	(void)c;
	core.accepted += batch->items;
	return batch;
}

void weir_batch_merge(struct weir_batch *into, struct weir_batch **from)
{
	into->items += (*from)->items;
	into->bytes += (*from)->bytes;
	fake_end(*from);
	*from = NULL;
}

struct weir_batch *weir_batch_split(struct weir_batch *batch,
				    enum weir_sizer sizer, uint64_t max,
				    bool *too_large)
{
	size_t each = batch->bytes / batch->items;
	struct weir_batch *part;
	size_t n = sizer == WEIR_SIZER_BYTES ? max / each : max;

	if (n >= batch->items)
		return NULL;
	if (!n) {
		*too_large = true;
		return NULL;
	}
	part = fake_batch(n, each);
	batch->items -= n;
	batch->bytes -= n * each;
	return part;
}

void weir_batch_push(struct weir_batch_list *list, struct weir_batch *batch)
{
	batch->next = NULL;
	if (list->tail)
		list->tail->next = batch;
	else
		list->head = batch;
	list->tail = batch;
	list->len++;
}

struct weir_batch *weir_batch_shift(struct weir_batch_list *list)
{
	struct weir_batch *batch = list->head;

	if (!batch)
		return NULL;
	list->head = batch->next;
	if (!list->head)
		list->tail = NULL;
	list->len--;
	return batch;
}

const struct weir_context *weir_batch_context(const struct weir_batch *batch)
{
	(void)batch;
	return NULL;
}

/* No partitions here: the one value is the batch's size per item. */
bool weir_context_metadata(const struct weir_context *context, weir_str name,
			   size_t i, weir_str *value)
{
	(void)context, (void)name, (void)i, (void)value;
	return false;
}

/* --- Time and chance --------------------------------------------------------------- */

uint64_t weir_now(void)
{
	return core.now;
}

uint64_t weir_random(void)
{
	return 1ull << 63;	/* the middle: no spread */
}

void weir_timer_set(struct weir_timer *timer, struct weir_component *c,
		    weir_duration after,
		    void (*fire)(struct weir_component *, struct weir_timer *))
{
	uint32_t slot = timer->slot;

	for (uint32_t i = 1; !slot && i < MAX_TIMERS; i++)
		if (!core.timers[i])
			slot = i;
	ck_assert_uint_ne(slot, 0);
	timer->slot = slot;
	timer->at = core.now + (uint64_t)after.ns;
	core.timers[slot] = timer;
	core.fires[slot] = fire;
	core.owners[slot] = c;
}

void weir_timer_cancel(struct weir_timer *timer)
{
	if (timer->slot)
		core.timers[timer->slot] = NULL;
	timer->slot = 0;
}

/* Fires what is due until `by` has passed, in order of time. */
static void fake_advance(int64_t by)
{
	uint64_t end = core.now + (uint64_t)by;

	for (;;) {
		uint32_t first = 0;

		for (uint32_t i = 1; i < MAX_TIMERS; i++)
			if (core.timers[i] && core.timers[i]->at <= end &&
			    (!first ||
			     core.timers[i]->at < core.timers[first]->at))
				first = i;
		if (!first)
			break;
		if (core.timers[first]->at > core.now)
			core.now = core.timers[first]->at;

		struct weir_timer *timer = core.timers[first];

		weir_timer_cancel(timer);
		core.fires[first](core.owners[first], timer);
	}
	core.now = end;
}

static size_t fake_timers(void)
{
	size_t n = 0;

	for (uint32_t i = 1; i < MAX_TIMERS; i++)
		n += core.timers[i] != NULL;
	return n;
}

/* --- Credits ------------------------------------------------------------------------- */

struct weir_credits *weir_credits_get(struct weir_component *c,
				      enum weir_signal signal,
				      const char *name, uint64_t total)
{
	struct weir_credits *pool = strcmp(name, "queue_size") ?
				    &core.consumers : &core.room;

	(void)c, (void)signal;
	pool->free = (int64_t)total;
	pool->total = total;
	return pool;
}

bool weir_credits_take(struct weir_credits *credits, uint64_t n)
{
	if (core.waiting || credits->free < (int64_t)n)
		return false;
	credits->free -= (int64_t)n;
	return true;
}

void weir_credits_give(struct weir_credits *credits, uint64_t n)
{
	credits->free += (int64_t)n;
}

void weir_credits_wait(struct weir_credits_wait *wait,
		       struct weir_component *c, struct weir_credits *credits,
		       uint64_t n)
{
	ck_assert_ptr_null(core.waiting);
	(void)credits, (void)n;
	core.waiting = wait;
	core.waiter = c;
}

void weir_credits_cancel(struct weir_credits_wait *wait)
{
	if (core.waiting == wait)
		core.waiting = NULL;
}

/* A turn of the loop: who waits gets what is free. */
static void fake_turn(void)
{
	while (core.waiting && core.consumers.free > 0) {
		struct weir_credits_wait *wait = core.waiting;

		core.waiting = NULL;
		core.consumers.free--;
		wait->granted(core.waiter, wait);
	}
}

uint64_t weir_credits_total(const struct weir_credits *credits)
{
	return credits->total;
}

uint64_t weir_credits_used(const struct weir_credits *credits)
{
	return credits->total - (uint64_t)credits->free;
}

void weir_custody(struct weir_component *c, enum weir_signal signal,
		  struct weir_credits *credits, enum weir_sizer sizer,
		  bool block)
{
	(void)c, (void)signal, (void)credits, (void)sizer, (void)block;
}

/* --- Counting and logging --------------------------------------------------------------- */

void weir_count_sent(struct weir_component *c, enum weir_signal signal,
		     uint64_t items)
{
	(void)c, (void)signal;
	core.sent += items;
}

void weir_count_send_failed(struct weir_component *c, enum weir_signal signal,
			    const struct weir_outcome *outcome, uint64_t items)
{
	(void)c, (void)signal, (void)outcome;
	core.send_failed += items;
}

void weir_log(struct weir_component *c, struct weir_log_site *site,
	      enum weir_severity severity, const char *words,
	      const char *fields, ...)
{
	size_t used = strlen(core.log);
	va_list args;

	(void)c, (void)site;
	if (used > sizeof(core.log) - 1024)
		used = 0;
	used += (size_t)snprintf(core.log + used, sizeof(core.log) - used,
				 "%d %s ", (int)severity, words);
	va_start(args, fields);
	vsnprintf(core.log + used, 500, fields, args);
	va_end(args);
	strcat(core.log, "\n");
}

#define ck_logged(text) \
	ck_assert_msg(strstr(core.log, text), "no %s in: %s", text, core.log)

#endif
