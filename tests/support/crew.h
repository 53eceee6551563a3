/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crew.h: several workers with real threads and one plan, for what crosses
 * threads.
 */
#ifndef SUPPORT_CREW_H
#define SUPPORT_CREW_H

#include <stdlib.h>

#include "runtime/graph.h"
#include "base/str.h"

static inline void crew_component(struct plan_component *component,
				  const struct weir_plugin *plugin)
{
	component->plugin = plugin;
	component->kind = (enum weir_kind)plugin->kind;
	component->id = plugin->type;
	component->signals = WEIR_TRACES;
	component->prototype = xcalloc(1, plugin->size);
}

struct crew_task {
	struct mail mail;
	struct worker *worker;
	void (*run)(struct worker *worker);
	uv_sem_t done;
};

static inline void crew_deliver(struct mail *mail)
{
	struct crew_task *task = (struct crew_task *)mail;

	task->run(task->worker);
	uv_sem_post(&task->done);
}

static inline void crew_post(struct crew_task *task, struct worker *worker,
			     void (*run)(struct worker *worker))
{
	*task = (struct crew_task){ .worker = worker, .run = run };
	task->mail.deliver = crew_deliver;
	uv_sem_init(&task->done, 0);
	worker_post(worker, &task->mail);
}

static inline void crew_wait(struct crew_task *task)
{
	uv_sem_wait(&task->done);
	uv_sem_destroy(&task->done);
}

/* Runs it on each worker in turn, and waits. */
static inline void crew_all(void (*run)(struct worker *worker))
{
	for (uint32_t i = 0; i < n_workers; i++) {
		struct crew_task task;

		crew_post(&task, &workers[i], run);
		crew_wait(&task);
	}
}

#define CREW_MOST 16

/* On all of them at the same time, and waits. */
static inline void crew_together(void (*run)(struct worker *worker))
{
	struct crew_task tasks[CREW_MOST];

	for (uint32_t i = 0; i < n_workers; i++)
		crew_post(&tasks[i], &workers[i], run);
	for (uint32_t i = 0; i < n_workers; i++)
		crew_wait(&tasks[i]);
}

static inline void crew_timers(struct worker *worker)
{
	timers_run(worker);
}

/* Under clock_manual: the time passes, and all run what is due by then. */
static inline void crew_pass(uint64_t ns)
{
	clock_advance(ns);
	crew_together(crew_timers);
}

static inline void crew_start(struct worker *worker)
{
	struct weir_error error;

	if (graph_start(worker->graph, &error))
		abort();
}

static inline void crew_stop(struct worker *worker)
{
	for (uint32_t level = 0; level < worker->graph->levels; level++)
		graph_stop(worker->graph, level);
}

static inline void crew_destroy(struct worker *worker)
{
	graph_destroy(worker->graph);
}

/* n workers run the plan. */
static inline void crew_open(struct plan *plan, uint32_t n)
{
	n_workers = n;
	workers = xcalloc(n, sizeof(*workers));
	for (uint32_t i = 0; i < n; i++)
		worker_init(&workers[i], i, false);
	for (uint32_t i = 0; i < n; i++)
		graph_new(plan, &workers[i], i ? workers[0].graph : NULL);
	for (uint32_t i = 0; i < n; i++)
		worker_start(&workers[i]);
	crew_all(crew_start);
}

/* --- Without threads ------------------------------------------------------ */

/* This thread is all of them; the test says who takes a turn. */
static inline void crew_open_manual(struct plan *plan, uint32_t n)
{
	n_workers = n;
	workers = xcalloc(n, sizeof(*workers));
	for (uint32_t i = 0; i < n; i++)
		worker_init(&workers[i], i, true);
	for (uint32_t i = 0; i < n; i++) {
		worker_be(&workers[i]);
		graph_new(plan, &workers[i], i ? workers[0].graph : NULL);
		crew_start(&workers[i]);
	}
}

/* As its own thread would. */
static inline void crew_as(uint32_t i, void (*run)(struct worker *worker))
{
	worker_be(&workers[i]);
	worker_enter(&workers[i]);
	run(&workers[i]);
	worker_leave(&workers[i]);
}

static inline void crew_turn(uint32_t i)
{
	worker_be(&workers[i]);
	worker_turn(&workers[i]);
}

static inline void crew_release(void)
{
	workers_settle();
	for (uint32_t i = 0; i < n_workers; i++)
		worker_release(&workers[i]);
	for (uint32_t i = 0; i < n_workers; i++)
		graph_free(&workers[i].graph);
	free(workers);
	workers = NULL;
	n_workers = 0;
}

static inline void crew_close_manual(void)
{
	for (uint32_t i = 0; i < n_workers; i++)
		crew_as(i, crew_destroy);
	crew_release();
}

/* --- The end of threads --------------------------------------------------- */

/* orderly: components are stopped before they are destroyed. */
static inline void crew_close(bool orderly)
{
	if (orderly)
		crew_all(crew_stop);
	crew_all(crew_destroy);
	for (uint32_t i = 0; i < n_workers; i++)
		worker_stop(&workers[i]);
	for (uint32_t i = 0; i < n_workers; i++)
		worker_join(&workers[i]);
	crew_release();
}

#endif
