/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h: one thread, one libuv loop, its share of the graph.
 *
 * Everything a component calls runs on its worker; worker_current() says which
 * that is.  Callbacks into components never nest: core enters through
 * worker_enter/worker_leave, and what was queued meanwhile (answers, flushes)
 * runs when the outermost one leaves.
 *
 * Mail is the only thing that crosses threads: an intrusive node, pushed by
 * any thread, run on the worker's own in order of arrival.
 */
#ifndef CORE_WORKER_H
#define CORE_WORKER_H

#include <uv.h>
#include <weir/plugin.h>

#include "base/mail.h"

struct timers;
struct net;
struct blocks;

struct worker {
	uint32_t number;
	uv_thread_t thread;
	uv_loop_t loop;
	uv_async_t wake;
	uv_prepare_t prepare;		/* keeps busy_ns */
	_Atomic(struct mail *) inbox;	/* newest first; turned round on take */
	unsigned depth;			/* of worker_enter */
	struct weir_batch_list answers;	/* told when the turn ends */
	struct weir_batch *spare_batches;	/* batch.c: free list */
	struct waiter *spare_waiters;	/* answer.c: free list */
	struct blocks *blocks;		/* blocks.c: memory of payloads */
	struct timers *timers;		/* timer.c */
	struct net *net;		/* net.c: streams, read buffer, flushes */
	struct graph *graph;		/* graph.c */
	_Atomic uint64_t busy_ns;	/* time spent outside of poll */
	_Atomic uint32_t connections;
	void (*turn_ended)(struct worker *worker);	/* service.c: drain */
	struct mail stop_mail;
	uint32_t stop_level;
	uv_timer_t resume;		/* while paused */
	bool paused;			/* over the byte budget: reads nothing */
	bool manual;			/* tests: no thread, no real clock */
	_Atomic bool stopping;
};

/* The worker whose thread this is; NULL on others. */
struct worker *worker_current(void);
/* This thread speaks for worker now; who it spoke for before.  For a worker
 * that has no thread: before start, after join, and in tests. */
struct worker *worker_be(struct worker *worker);

/* Any thread.  deliver runs on the worker, inside enter/leave. */
void worker_post(struct worker *worker, struct mail *mail);

/* Around every callback from libuv into components.  leave runs queued answers
 * and flushes when depth falls to 0. */
void worker_enter(struct worker *worker);
void worker_leave(struct worker *worker);

/* The loop's thread; init makes loop, timers and net, run spins until
 * worker_stop; release after the thread was joined. */
void worker_init(struct worker *worker, uint32_t number, bool manual);
void worker_start(struct worker *worker);
void worker_stop(struct worker *worker);	/* any thread */
void worker_join(struct worker *worker);
/* After all were joined, before any is released: delivers what is still in the
 * mail, on this thread, until no worker has any. */
void workers_settle(void);
void worker_release(struct worker *worker);
/* manual workers: one pass over what is ready; true if anything ran. */
bool worker_turn(struct worker *worker);

/* All workers of the process, for the acceptor's choice. */
extern struct worker *workers;
extern uint32_t n_workers;

/* --- timer.c --- */
void timers_init(struct worker *worker);
void timers_release(struct worker *worker);
/* Fires what is due by weir_now(); true if anything fired.  Called by the
 * worker's uv_timer, and by tests after they moved the clock. */
bool timers_run(struct worker *worker);
/* Cancels all timers of a component. */
void timers_forget(struct weir_component *c);

/* --- work.c --- */
/* Waits for the component's work on the thread pool and runs every `out`;
 * before destroy, own thread. */
void work_finish(struct weir_component *c);
/* Is any work of the process not over yet? */
bool work_under_way(void);

/* --- net.c --- */
void net_init(struct worker *worker);
void net_release(struct worker *worker);
/* Runs `flush` of streams that asked; called by worker_leave. */
bool net_flush(struct worker *worker);
/* After all components of all workers started: begin to accept. */
void net_accept_begin(void);
/* Stops accepting everywhere (drain). */
void net_accept_end(void);
/* Closes every stream, listener and connect of a component, at once. */
void net_forget(struct weir_component *c);
/* Streams of a component that are open on this worker. */
size_t net_streams(const struct weir_component *c);
/* Over the hard line: stop reading; back under it: go on.  Own thread. */
void net_pause_all(struct worker *worker, bool paused);

/* --- clock.c: weir_now and friends; tests own them --- */
void clock_manual(uint64_t now, uint64_t wall, uint64_t seed);
void clock_advance(uint64_t ns);
bool clock_is_manual(void);

#endif
