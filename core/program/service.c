/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.c: boot, run, drain: the story of the program.  Start reading here.
 *
 *	boot    workers and their graphs are made; worker by worker, each
 *	        graph starts: extensions, exporters, processors, receivers;
 *	        then connections are taken
 *	run     the main thread waits for signals and does nothing else
 *	drain   SIGTERM: no new connections; receivers stop and wait until
 *	        their calls are answered, then the processors in pipeline
 *	        order, then the exporters, then the extensions; all within
 *	        drain_timeout
 *
 * The main thread has a loop of its own for signals; it talks to workers by
 * mail only.
 */
#include "service.h"

#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/budget.h"
#include "runtime/credits.h"
#include "runtime/graph.h"
#include "process.h"
#include "base/str.h"

/* --- Talking to workers -------------------------------------------------- */

struct errand {			/* done on a worker while the main thread waits */
	struct mail mail;
	struct worker *worker;
	int (*run)(struct worker *worker, struct weir_error *error);
	struct weir_error error;
	int result;
	uv_sem_t done;
};

static void run_errand(struct mail *mail)
{
	struct errand *errand = (struct errand *)mail;

	errand->result = errand->run(errand->worker, &errand->error);
	uv_sem_post(&errand->done);
}

static int on_worker(struct worker *worker,
		     int (*run)(struct worker *, struct weir_error *),
		     struct weir_error *error)
{
	struct errand errand = { .worker = worker, .run = run };

	errand.mail.deliver = run_errand;
	uv_sem_init(&errand.done, 0);
	worker_post(worker, &errand.mail);
	uv_sem_wait(&errand.done);
	uv_sem_destroy(&errand.done);
	if (errand.result && error)
		*error = errand.error;
	return errand.result;
}

static int start_graph(struct worker *worker, struct weir_error *error)
{
	return graph_start(worker->graph, error);
}

static int begin_accept(struct worker *worker, struct weir_error *error)
{
	(void)worker;
	(void)error;
	net_accept_begin();
	return 0;
}

static int end_accept(struct worker *worker, struct weir_error *error)
{
	(void)worker;
	(void)error;
	net_accept_end();
	return 0;
}

static int destroy_graph(struct worker *worker, struct weir_error *error)
{
	(void)error;
	graph_destroy(worker->graph);
	return 0;
}

/* --- Boot ---------------------------------------------------------------- */

/* CPUs this process may use: affinity, and the quota of its cgroup. */
static uint32_t cores(void)
{
	FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
	unsigned long quota = 0, period = 0;
	cpu_set_t set;
	int n = 1;

	if (!sched_getaffinity(0, sizeof(set), &set))
		n = CPU_COUNT(&set);
	if (file) {
		if (fscanf(file, "%lu %lu", &quota, &period) == 2 && period &&
		    quota) {
			int allowed = (int)((quota + period - 1) / period);

			n = allowed < n ? allowed : n;
		}
		fclose(file);
	}
	return n > 0 ? (uint32_t)n : 1;
}

static void make_workers(struct plan *plan)
{
	n_workers = plan->workers ? plan->workers : cores();
	workers = xcalloc(n_workers, sizeof(*workers));
	for (uint32_t i = 0; i < n_workers; i++)
		worker_init(&workers[i], i, false);
	for (uint32_t i = 0; i < n_workers; i++)
		graph_new(plan, &workers[i], i ? workers[0].graph : NULL);
	for (uint32_t i = 0; i < n_workers; i++)
		worker_start(&workers[i]);
}

static int boot(struct plan *plan, struct weir_error *error)
{
	make_workers(plan);
	for (uint32_t i = 0; i < n_workers; i++)
		if (on_worker(&workers[i], start_graph, error))
			return -1;
	on_worker(&workers[0], begin_accept, NULL);
	return 0;
}

static void take_down(void)
{
	for (uint32_t i = 0; i < n_workers; i++)
		on_worker(&workers[i], destroy_graph, NULL);
	for (uint32_t i = 0; i < n_workers; i++)
		worker_stop(&workers[i]);
	for (uint32_t i = 0; i < n_workers; i++)
		worker_join(&workers[i]);
	workers_settle();
	for (uint32_t i = 0; i < n_workers; i++)
		worker_release(&workers[i]);
	for (uint32_t i = 0; i < n_workers; i++)
		graph_free(&workers[i].graph);
	credits_release();
	free(workers);
	workers = NULL;
	n_workers = 0;
}

/* --- Run and drain ------------------------------------------------------- */

static struct {
	uv_loop_t loop;
	uv_signal_t term, interrupt, hangup;
	uv_async_t progress;
	uv_timer_t deadline;
	struct plan *plan;
	uint32_t level;			/* that is being stopped */
	bool draining, late;
} service;

static _Atomic uint32_t not_idle;	/* workers, at this level */

/* A worker at the end of each of its turns, while its level is stopping. */
static void look_again(struct worker *worker)
{
	if (!graph_idle(worker->graph, worker->stop_level))
		return;
	worker->turn_ended = NULL;
	if (atomic_fetch_sub(&not_idle, 1) == 1)
		uv_async_send(&service.progress);
}

static void stop_level(struct mail *mail)
{
	struct worker *worker = (struct worker *)
		((char *)mail - offsetof(struct worker, stop_mail));

	worker->turn_ended = look_again;	/* when this turn ends */
	graph_stop(worker->graph, worker->stop_level);
}

static void next_level(void)
{
	atomic_store(&not_idle, n_workers);
	for (uint32_t i = 0; i < n_workers; i++) {
		workers[i].stop_level = service.level;
		workers[i].stop_mail.deliver = stop_level;
		worker_post(&workers[i], &workers[i].stop_mail);
	}
}

static void on_progress(uv_async_t *async)
{
	(void)async;
	if (!service.draining || atomic_load(&not_idle))
		return;
	if (service.level == LEVEL_EXTENSION) {
		uv_stop(&service.loop);
		return;
	}
	if (++service.level == workers[0].graph->levels)
		service.level = LEVEL_EXTENSION;
	next_level();
}

static void on_deadline(uv_timer_t *timer)
{
	(void)timer;
	service.late = true;
	uv_stop(&service.loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
	weir_log_info(NULL, "Received signal from OS", "signal=%s",
		      strsignal(number));
	if (number == SIGHUP) {
		weir_log_warn(NULL, "Reloading is not available yet; the configuration stays as it is",
			      NULL);
		return;
	}
	if (service.draining) {
		weir_log_warn(NULL, "Asked twice: what is still held is dropped",
			      NULL);
		uv_stop(&service.loop);
		return;
	}
	(void)handle;
	weir_log_info(NULL, "Starting shutdown...", NULL);
	service_set_state(WEIR_SERVICE_STOPPING);
	service.draining = true;
	on_worker(&workers[0], end_accept, NULL);
	uv_timer_start(&service.deadline, on_deadline,
		       (uint64_t)service.plan->drain_timeout.ns / 1000000, 0);
	next_level();
}

static void watch(uv_signal_t *handle, int number)
{
	uv_signal_init(&service.loop, handle);
	uv_signal_start(handle, on_signal, number);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	uv_close(handle, NULL);
}

/* Before boot: a signal that comes early is kept until the loop runs. */
static void listen_for_signals(struct plan *plan)
{
	service.plan = plan;
	uv_loop_init(&service.loop);
	uv_async_init(&service.loop, &service.progress, on_progress);
	uv_timer_init(&service.loop, &service.deadline);
	watch(&service.term, SIGTERM);
	watch(&service.interrupt, SIGINT);
	watch(&service.hangup, SIGHUP);
}

static void stop_listening(void)
{
	uv_walk(&service.loop, close_handle, NULL);
	uv_run(&service.loop, UV_RUN_DEFAULT);
	uv_loop_close(&service.loop);
}

static void serve(void)
{
	uv_run(&service.loop, UV_RUN_DEFAULT);
	if (service.late)
		weir_log_error(NULL, "Shutdown deadline passed; what was still held is dropped",
			       NULL);
	/* a level that did not finish in time must not be looked at again */
	atomic_store(&not_idle, UINT32_MAX);
}

int service_run(struct loader *loader, struct plan *plan,
		const char *config_path)
{
	struct weir_error error = { 0 };
	int failed;

	(void)loader;
	signal(SIGPIPE, SIG_IGN);
	listen_for_signals(plan);
	budget_default();
	process_describe(&plan->telemetry);
	weir_log_info(NULL, "Starting weir...", "Version=%s NumCPU=%u",
		      WEIR_VERSION, cores());
	failed = boot(plan, &error);
	if (failed) {
		fprintf(stderr, "Error: %s\n", error.text);
	} else {
		service_set_state(WEIR_SERVICE_READY);
		process_first_screen(config_path);
		malloc_trim(0);		/* what reading the configuration took */
		weir_log_info(NULL, "Everything is ready. Begin running and processing data.",
			      NULL);
		serve();
	}
	take_down();
	stop_listening();
	if (!failed)
		weir_log_info(NULL, "Shutdown complete.", NULL);
	return failed ? 1 : 0;
}
