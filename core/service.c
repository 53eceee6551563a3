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
 *	        order, then the exporters; all within drain_timeout
 *
 * The main thread has a loop of its own for signals; it talks to workers by
 * mail only.
 */
#include "service.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "budget.h"
#include "credits.h"
#include "graph.h"
#include "str.h"

/* --- What extensions may ask --------------------------------------------- */

static _Atomic int state = WEIR_SERVICE_STARTING;
/* Written once, by the main thread; workers may be asked before. */
static _Atomic uint64_t ready_wall, ready_now;
static struct plan *running;

enum weir_service_state weir_service_state(void)
{
	return (enum weir_service_state)atomic_load(&state);
}

void service_set_state(enum weir_service_state next)
{
	if (next == WEIR_SERVICE_READY) {
		atomic_store(&ready_wall, weir_wall_now());
		atomic_store(&ready_now, weir_now());
	}
	atomic_store(&state, (int)next);
}

void weir_service_since(uint64_t *wall, uint64_t *now)
{
	*wall = atomic_load(&ready_wall);
	*now = atomic_load(&ready_now);
}

const char *weir_version(void)
{
	return WEIR_VERSION;
}

/* service.name, service.version, service.instance.id, and what the
 * configuration adds, changes or (without a value) takes away. */
static struct {
	struct weir_label v[64];
	size_t n;
	char instance[37];
} resource;

static void set_attribute(weir_str name, weir_str value)
{
	size_t i = 0;

	while (i < resource.n && !weir_str_eq(resource.v[i].name, name))
		i++;
	if (!value.ptr && i < resource.n)
		resource.v[i] = resource.v[--resource.n];
	else if (value.ptr && i < sizeof(resource.v) / sizeof(resource.v[0])) {
		resource.v[i] = (struct weir_label){ name, value };
		resource.n += i == resource.n;
	}
}

static void describe_process(const struct plan_telemetry *telemetry)
{
	uint64_t a = weir_random(), b = weir_random();

	/* a random UUID, version 4 (RFC 9562 5.4) */
	snprintf(resource.instance, sizeof(resource.instance),
		 "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
		 (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff,
		 ((unsigned)(b >> 48) & 0x3fff) | 0x8000,
		 (unsigned long long)b & 0xffffffffffff);
	resource.n = 0;
	set_attribute(WEIR_STR("service.name"), WEIR_STR("weir"));
	set_attribute(WEIR_STR("service.version"), weir_str_of(WEIR_VERSION));
	set_attribute(WEIR_STR("service.instance.id"),
		      weir_str_of(resource.instance));
	for (size_t i = 0; i < telemetry->n_resource; i++)
		set_attribute(telemetry->resource[i].name,
			      telemetry->resource[i].value);
}

const struct weir_label *weir_service_resource(size_t *n)
{
	*n = resource.n;
	return resource.v;
}

enum weir_metric_level service_metrics_level(void)
{
	static const char *const names[] = { "none", "basic", "normal",
					     "detailed" };

	for (size_t i = 0; running && i < 4; i++)
		if (weir_str_eq(running->telemetry.metrics_level,
				weir_str_of(names[i])))
			return (enum weir_metric_level)i;
	return WEIR_SHOW_NORMAL;
}

/* --- The first screen ---------------------------------------------------- */

struct notice {
	char what[64], where[160], hint[256];
};

static struct {
	uv_mutex_t lock;
	struct notice v[32];
	size_t n;
} notices;

void weir_announce(struct weir_component *c, const char *what,
		   const char *where, const char *hint)
{
	struct notice *notice;

	if (c->worker)
		return;		/* every worker says the same */
	uv_mutex_lock(&notices.lock);
	if (notices.n < 32) {
		notice = &notices.v[notices.n++];
		snprintf(notice->what, sizeof(notice->what), "%s", what);
		snprintf(notice->where, sizeof(notice->where), "%s", where);
		snprintf(notice->hint, sizeof(notice->hint), "%s", hint);
	}
	uv_mutex_unlock(&notices.lock);
}

static void first_screen(const char *config_path)
{
	bool hinted = false;

	printf("weir %s runs %s\n\n", WEIR_VERSION, config_path);
	for (size_t i = 0; i < notices.n; i++)
		printf("  %-10s %s\n", notices.v[i].what, notices.v[i].where);
	for (size_t i = 0; i < notices.n; i++) {
		if (!notices.v[i].hint[0])
			continue;
		if (!hinted)
			printf("\nIn an application's environment:\n\n");
		hinted = true;
		printf("  %s\n", notices.v[i].hint);
	}
	printf("\n");
	fflush(stdout);
}

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
	if (++service.level < workers[0].graph->levels)
		next_level();
	else
		uv_stop(&service.loop);
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
	if (service.draining) {		/* asked twice: now */
		on_deadline(&service.deadline);
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
	uv_mutex_init(&notices.lock);
	listen_for_signals(plan);
	budget_default();
	running = plan;
	describe_process(&plan->telemetry);
	weir_log_info(NULL, "Starting weir...", "Version=%s NumCPU=%u",
		      WEIR_VERSION, cores());
	failed = boot(plan, &error);
	if (failed) {
		fprintf(stderr, "Error: %s\n", error.text);
	} else {
		service_set_state(WEIR_SERVICE_READY);
		first_screen(config_path);
		weir_log_info(NULL, "Everything is ready. Begin running and processing data.",
			      NULL);
		serve();
	}
	take_down();
	stop_listening();
	uv_mutex_destroy(&notices.lock);
	if (!failed)
		weir_log_info(NULL, "Shutdown complete.", NULL);
	running = NULL;
	return failed ? 1 : 0;
}
