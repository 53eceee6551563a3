/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work.c: work of components on libuv's thread pool.
 *
 * Keeps a list of what is under way in the process (mutex), bounded.  A
 * component that goes waits for its own: work_finish runs what the pool has not
 * begun, waits for the rest, and calls every `out`, so that each runs exactly
 * once and none after destroy.
 */
#include "base/str.h"
#include "worker.h"

#include <stdlib.h>

#define WORK_MAX 1024		/* under way in the process */

struct work {
	uv_work_t req;
	struct work *next, *prev;
	struct worker *worker;
	struct weir_component *c;
	void (*in)(void *arg);
	void (*out)(struct weir_component *c, void *arg);
	void *arg;
	bool ran, finished;		/* in is over; out is over */
};

static struct {
	uv_once_t once;
	uv_mutex_t lock;
	uv_cond_t ran;
	struct work *list;
	uint32_t n;
} pool = { .once = UV_ONCE_INIT };

static void pool_init(void)
{
	uv_mutex_init(&pool.lock);
	uv_cond_init(&pool.ran);
}

static bool enlist(struct work *work)
{
	bool room;

	uv_once(&pool.once, pool_init);
	uv_mutex_lock(&pool.lock);
	room = pool.n < WORK_MAX;
	if (room) {
		pool.n++;
		work->next = pool.list;
		if (pool.list)
			pool.list->prev = work;
		pool.list = work;
	}
	uv_mutex_unlock(&pool.lock);
	return room;
}

static void strike(struct work *work)
{
	uv_mutex_lock(&pool.lock);
	pool.n--;
	if (work->prev)
		work->prev->next = work->next;
	else
		pool.list = work->next;
	if (work->next)
		work->next->prev = work->prev;
	uv_mutex_unlock(&pool.lock);
}

static void on_pool(uv_work_t *req)
{
	struct work *work = req->data;

	work->in(work->arg);
	uv_mutex_lock(&pool.lock);
	work->ran = true;
	uv_cond_broadcast(&pool.ran);
	uv_mutex_unlock(&pool.lock);
}

static void finish(struct work *work)
{
	work->finished = true;
	worker_enter(work->worker);
	work->out(work->c, work->arg);
	worker_leave(work->worker);
}

static void on_done(uv_work_t *req, int status)
{
	struct work *work = req->data;

	(void)status;		/* cancelled ones are finished already */
	if (!work->finished)
		finish(work);
	strike(work);
	free(work);
}

int weir_work(struct weir_component *c, void (*in)(void *arg),
	      void (*out)(struct weir_component *c, void *arg), void *arg)
{
	struct work *work = xcalloc(1, sizeof(*work));

	work->req.data = work;
	work->worker = worker_current();
	work->c = c;
	work->in = in;
	work->out = out;
	work->arg = arg;
	if (!enlist(work)) {
		free(work);
		return -1;
	}
	uv_queue_work(&work->worker->loop, &work->req, on_pool, on_done);
	return 0;
}

bool work_under_way(void)
{
	bool any;

	uv_once(&pool.once, pool_init);
	uv_mutex_lock(&pool.lock);
	any = pool.n != 0;
	uv_mutex_unlock(&pool.lock);
	return any;
}

/* One unfinished piece of c's, or NULL.  Only c's own thread finishes it, so it
 * stays valid after the lock is gone. */
static struct work *unfinished(const struct weir_component *c)
{
	struct work *work;

	uv_mutex_lock(&pool.lock);
	for (work = pool.list; work; work = work->next)
		if (work->c == c && !work->finished)
			break;
	uv_mutex_unlock(&pool.lock);
	return work;
}

void work_finish(struct weir_component *c)
{
	struct work *work;

	uv_once(&pool.once, pool_init);
	while ((work = unfinished(c))) {
		if (!uv_cancel((uv_req_t *)&work->req)) {
			work->in(work->arg);
		} else {
			uv_mutex_lock(&pool.lock);
			while (!work->ran)
				uv_cond_wait(&pool.ran, &pool.lock);
			uv_mutex_unlock(&pool.lock);
		}
		finish(work);
	}
}
