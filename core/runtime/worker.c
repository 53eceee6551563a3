/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.c: a thread, a loop, a mailbox.
 *
 * The mailbox is a stack that any thread pushes onto with one compare and
 * swap; the worker takes it whole and turns it round, so mail of one sender
 * arrives in order.  A wake-up is one eventfd write (libuv folds them).
 *
 * Must never block, and never call a component from inside a component.
 */
#include "worker.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/batch.h"
#include "blocks.h"
#include "base/budget.h"
#include "base/str.h"

struct worker *workers;
uint32_t n_workers;

static _Thread_local struct worker *current;

struct worker *worker_current(void)
{
	return current;
}

struct worker *worker_be(struct worker *worker)
{
	struct worker *before = current;

	current = worker;
	return before;
}

/* --- Mail ---------------------------------------------------------------- */

void worker_post(struct worker *worker, struct mail *mail)
{
	struct mail *head = atomic_load_explicit(&worker->inbox,
						 memory_order_relaxed);

	do
		mail->next = head;
	while (!atomic_compare_exchange_weak_explicit(&worker->inbox, &head,
						      mail,
						      memory_order_release,
						      memory_order_relaxed));
	if (!head)
		uv_async_send(&worker->wake);
}

static struct mail *take_inbox(struct worker *worker)
{
	struct mail *mail = atomic_exchange_explicit(&worker->inbox, NULL,
						     memory_order_acquire);
	struct mail *ordered = NULL;

	while (mail) {
		struct mail *next = mail->next;

		mail->next = ordered;
		ordered = mail;
		mail = next;
	}
	return ordered;
}

static bool read_mail(struct worker *worker)
{
	struct mail *mail = take_inbox(worker);
	bool any = mail != NULL;

	worker_enter(worker);
	while (mail) {
		struct mail *next = mail->next;

		mail->deliver(mail);
		mail = next;
	}
	worker_leave(worker);
	return any;
}

static void on_wake(uv_async_t *wake)
{
	struct worker *worker = wake->data;

	read_mail(worker);
	if (atomic_load(&worker->stopping))
		uv_stop(&worker->loop);
}

/* --- Turns --------------------------------------------------------------- */

void worker_enter(struct worker *worker)
{
	worker->depth++;
}

/* Answers may cause flushes and flushes answers: until neither is left. */
static bool finish_turn(struct worker *worker)
{
	bool any = false;

	while (batch_tell(worker) || net_flush(worker))
		any = true;
	return any;
}

/* How soon a worker that has stopped reading looks whether it may again. */
#define LOOK_AGAIN_MS 5

static void look_at_budget(struct worker *worker);

static void on_resume(uv_timer_t *timer)
{
	look_at_budget(timer->data);
}

/* Above the hard line nothing is read; what is in flight goes on and brings
 * the sum down, here or on another worker. */
static void look_at_budget(struct worker *worker)
{
	bool hard = budget_hard();

	if (hard != worker->paused) {
		worker->paused = hard;
		net_pause_all(worker, hard);
	}
	if (hard && !uv_is_active((uv_handle_t *)&worker->resume))
		uv_timer_start(&worker->resume, on_resume, LOOK_AGAIN_MS,
			       LOOK_AGAIN_MS);
	else if (!hard)
		uv_timer_stop(&worker->resume);
}

void worker_leave(struct worker *worker)
{
	if (worker->depth == 1) {
		finish_turn(worker);
		if (worker->paused || budget_hard())
			look_at_budget(worker);
		if (worker->turn_ended)
			worker->turn_ended(worker);
	}
	worker->depth--;
}

bool worker_turn(struct worker *worker)
{
	bool any = read_mail(worker);

	worker_enter(worker);
	any |= timers_run(worker);
	any |= finish_turn(worker);
	worker_leave(worker);
	any |= uv_run(&worker->loop, UV_RUN_NOWAIT) != 0 && any;
	return any;
}

/* --- Life ---------------------------------------------------------------- */

/* How busy the loop is, for the acceptor's choice: everything that is not
 * waiting in poll. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct worker *worker = prepare->data;
	uint64_t idle = uv_metrics_idle_time(&worker->loop);

	atomic_store_explicit(&worker->busy_ns, uv_hrtime() - idle,
			      memory_order_relaxed);
}

void worker_init(struct worker *worker, uint32_t number, bool manual)
{
	worker->number = number;
	worker->manual = manual;
	uv_loop_init(&worker->loop);
	uv_loop_configure(&worker->loop, UV_METRICS_IDLE_TIME);
	worker->loop.data = worker;
	uv_async_init(&worker->loop, &worker->wake, on_wake);
	worker->wake.data = worker;
	uv_prepare_init(&worker->loop, &worker->prepare);
	worker->prepare.data = worker;
	uv_prepare_start(&worker->prepare, on_prepare);
	uv_timer_init(&worker->loop, &worker->resume);
	worker->resume.data = worker;
	timers_init(worker);
	net_init(worker);
	if (manual)
		current = worker;
}

static void thread_main(void *arg)
{
	struct worker *worker = arg;

	current = worker;
	while (!atomic_load(&worker->stopping))
		uv_run(&worker->loop, UV_RUN_DEFAULT);
}

void worker_start(struct worker *worker)
{
	uv_thread_options_t options = { .flags = UV_THREAD_HAS_STACK_SIZE,
					.stack_size = 1 << 20 };

	if (uv_thread_create_ex(&worker->thread, &options, thread_main,
				worker)) {
		fprintf(stderr, "weir: cannot start a thread\n");
		abort();
	}
}

void worker_stop(struct worker *worker)
{
	atomic_store(&worker->stopping, true);
	uv_async_send(&worker->wake);
}

void worker_join(struct worker *worker)
{
	uv_thread_join(&worker->thread);
}

void workers_settle(void)
{
	struct worker *outer = current;
	bool any = true;

	while (any) {
		any = false;
		for (uint32_t i = 0; i < n_workers; i++) {
			worker_be(&workers[i]);
			any |= read_mail(&workers[i]);
		}
	}
	worker_be(outer);
}

void worker_release(struct worker *worker)
{
	struct worker *outer = worker_be(worker);

	read_mail(worker);	/* credits and answers that came last */
	net_release(worker);
	timers_release(worker);
	uv_close((uv_handle_t *)&worker->wake, NULL);
	uv_close((uv_handle_t *)&worker->prepare, NULL);
	uv_close((uv_handle_t *)&worker->resume, NULL);
	uv_run(&worker->loop, UV_RUN_DEFAULT);
	uv_loop_close(&worker->loop);
	batch_pool_release(worker);
	waiters_release(worker);
	blocks_release(worker);
	current = outer == worker ? NULL : outer;
}
