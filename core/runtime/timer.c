/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer.c: the timers of a worker, one binary heap over one uv_timer.
 *
 * Holds pointers into the components' own structs; a timer's slot is its index
 * in the heap plus one, so moving and cancelling find it at once.  A warm heap
 * allocates nothing.  Under a manual clock the uv_timer is never armed: tests
 * call timers_run.  It must never fire a timer from inside weir_timer_set.
 */
#include "base/str.h"
#include "worker.h"

#include <assert.h>
#include <stdlib.h>

#define NS_PER_MS 1000000u
#define NOT_ARMED UINT64_MAX

struct timers {
	struct worker *worker;
	struct weir_timer **heap;	/* smallest `at` first */
	uint32_t n, cap;
	uint64_t armed;			/* `at` the uv_timer waits for */
	bool running;
	uv_timer_t tick;
};

static struct timers *timers_of(const struct weir_component *c)
{
	struct worker *worker = worker_current();

	return worker ? worker->timers : workers[c->worker].timers;
}

/* --- the heap ------------------------------------------------------------- */

static void put(struct timers *t, uint32_t i, struct weir_timer *timer)
{
	t->heap[i] = timer;
	timer->slot = i + 1;
}

static void sift_up(struct timers *t, uint32_t i)
{
	struct weir_timer *timer = t->heap[i];

	while (i > 0 && timer->at < t->heap[(i - 1) / 2]->at) {
		put(t, i, t->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(t, i, timer);
}

static void sift_down(struct timers *t, uint32_t i)
{
	struct weir_timer *timer = t->heap[i];

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= t->n)
			break;
		if (child + 1 < t->n &&
		    t->heap[child + 1]->at < t->heap[child]->at)
			child++;
		if (timer->at <= t->heap[child]->at)
			break;
		put(t, i, t->heap[child]);
		i = child;
	}
	put(t, i, timer);
}

static void take_out(struct timers *t, struct weir_timer *timer)
{
	uint32_t i = timer->slot - 1;
	struct weir_timer *last = t->heap[--t->n];

	assert(t->heap[i] == timer);
	timer->slot = 0;
	if (last == timer)
		return;
	put(t, i, last);
	sift_up(t, i);
	sift_down(t, last->slot - 1);
}

/* --- the clock ------------------------------------------------------------ */

static void on_tick(uv_timer_t *tick)
{
	struct timers *t = tick->data;

	t->armed = NOT_ARMED;
	timers_run(t->worker);
}

/* A wake-up that comes too early (libuv counts whole milliseconds from the
 * start of its turn) finds nothing due and arms again. */
static void arm(struct timers *t)
{
	uint64_t now, at = t->n ? t->heap[0]->at : NOT_ARMED;

	if (t->running || t->worker->manual || clock_is_manual() ||
	    at == t->armed)
		return;
	t->armed = at;
	if (at == NOT_ARMED) {
		uv_timer_stop(&t->tick);
		return;
	}
	now = weir_now();
	uv_timer_start(&t->tick, on_tick, at > now
		       ? (at - now + NS_PER_MS - 1) / NS_PER_MS : 0, 0);
}

/* Fires at most as many as there were, so that a timer which sets itself again
 * without delay leaves the loop its turn. */
bool timers_run(struct worker *worker)
{
	struct timers *t = worker->timers;
	uint64_t now = weir_now();
	uint32_t budget = t->n;
	bool fired = false;

	if (t->running)
		return false;
	t->running = true;
	while (budget-- > 0 && t->n > 0 && t->heap[0]->at <= now) {
		struct weir_timer *timer = t->heap[0];

		take_out(t, timer);
		fired = true;
		worker_enter(worker);
		timer->fire(timer->c, timer);
		worker_leave(worker);
	}
	t->running = false;
	arm(t);
	return fired;
}

/* --- the contract --------------------------------------------------------- */

void weir_timer_set(struct weir_timer *timer, struct weir_component *c,
		    weir_duration after,
		    void (*fire)(struct weir_component *c,
				 struct weir_timer *timer))
{
	struct timers *t = timers_of(c);
	uint64_t now = weir_now();

	if (timer->slot)
		take_out(t, timer);
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->heap = xrealloc(t->heap, t->cap * sizeof(*t->heap));
	}
	timer->c = c;
	timer->fire = fire;
	timer->at = after.ns > 0 ? now + (uint64_t)after.ns : now;
	put(t, t->n++, timer);
	sift_up(t, t->n - 1);
	arm(t);
}

void weir_timer_cancel(struct weir_timer *timer)
{
	struct timers *t;

	if (!timer->slot)
		return;
	t = timers_of(timer->c);
	take_out(t, timer);
	arm(t);
}

void timers_forget(struct weir_component *c)
{
	struct timers *t = timers_of(c);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < t->n; i++) {
		struct weir_timer *timer = t->heap[i];

		if (timer->c == c)
			timer->slot = 0;
		else
			put(t, kept++, timer);
	}
	t->n = kept;
	for (uint32_t i = kept / 2; i-- > 0;)
		sift_down(t, i);
	arm(t);
}

/* --- life ----------------------------------------------------------------- */

void timers_init(struct worker *worker)
{
	struct timers *t = xcalloc(1, sizeof(*t));

	t->worker = worker;
	t->armed = NOT_ARMED;
	uv_timer_init(&worker->loop, &t->tick);
	t->tick.data = t;
	worker->timers = t;
}

static void on_closed(uv_handle_t *handle)
{
	struct timers *t = handle->data;

	free(t->heap);
	free(t);
}

/* The memory goes when the loop has turned once more. */
void timers_release(struct worker *worker)
{
	struct timers *t = worker->timers;

	if (!t)
		return;
	for (uint32_t i = 0; i < t->n; i++)
		t->heap[i]->slot = 0;
	t->n = 0;
	worker->timers = NULL;
	uv_close((uv_handle_t *)&t->tick, on_closed);
}
