/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credits.h: configured totals of the process.
 *
 * queue_size, num_consumers and memory mean the whole process, whichever
 * worker uses them.  A pool is one atomic count: take, give back, wake a
 * waiter.  Pools are found by component id, signal and name, so the instances
 * of one component on all workers share them.
 */
#ifndef WEIR_CREDITS_H
#define WEIR_CREDITS_H

#include <weir/base.h>
#include <weir/batch.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_credits;
struct weir_component;

/* The pool of that name; made with `total` by the first who asks.  signal may
 * be WEIR_SIGNAL_COUNT for "all".  Owned by core; from `start` on, c's thread. */
WEIR_API struct weir_credits *weir_credits_get(struct weir_component *c,
	enum weir_signal signal, const char *name, uint64_t total);

/* Takes n at once or nothing.  Any thread.  Fails while others wait (first
 * come, first served). */
WEIR_API bool weir_credits_take(struct weir_credits *credits, uint64_t n);
/* Takes n even if that goes below zero (what edits added). */
WEIR_API void weir_credits_force(struct weir_credits *credits, uint64_t n);
/* Gives n back and wakes who waits.  Any thread. */
WEIR_API void weir_credits_give(struct weir_credits *credits, uint64_t n);
WEIR_API uint64_t weir_credits_total(const struct weir_credits *credits);
/* total - free: what is in use now; any thread, a moment's value. */
WEIR_API uint64_t weir_credits_used(const struct weir_credits *credits);

/* Does anybody wait?  *n: for so many, the first in the line.  Any thread, a
 * moment's value. */
WEIR_API bool weir_credits_wanted(const struct weir_credits *credits,
	uint64_t *n);

/* A wait for n credits; zero-initialise, one wait at a time. */
struct weir_credits_wait {
	void (*granted)(struct weir_component *c, struct weir_credits_wait *w);
	void *ticket;			/* core's; NULL: not waiting */
};
/* granted runs on c's thread, in a later turn, holding the n credits. */
WEIR_API void weir_credits_wait(struct weir_credits_wait *wait,
	struct weir_component *c, struct weir_credits *credits, uint64_t n);
/* No granted() after this; credits already taken are given back. */
WEIR_API void weir_credits_cancel(struct weir_credits_wait *wait);

/*
 * A custodian tells core, in `start`, what room it has for a signal: core
 * takes the credits for a batch before any branch gets it (DESIGN: reserve),
 * attaches them to the batch and gives them back when that batch has ended.
 * So consume is only called with room; a full custodian is never called, and
 * the sender hears UNAVAILABLE, reason FULL.  block: wait for room instead,
 * until the client's deadline.
 */
WEIR_API void weir_custody(struct weir_component *c, enum weir_signal signal,
			   struct weir_credits *credits, enum weir_sizer sizer,
			   bool block);

#ifdef __cplusplus
}
#endif
#endif
