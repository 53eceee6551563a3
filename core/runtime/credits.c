/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credits.c: totals of the process, held as one atomic count each.
 *
 * Taking and giving is one atomic operation while nobody waits.  Waiters stand
 * in a line under a mutex that only they and those who give to them touch;
 * while the line is not empty nobody overtakes it.  The registry of pools has
 * a mutex of its own, used at start only.
 */
#include "credits.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "graph.h"
#include "base/str.h"

struct ticket;

struct weir_credits {
	_Atomic int64_t free;
	_Atomic uint32_t waiting;
	_Atomic uint64_t wanted;	/* by the first in the line */
	uint64_t total;
	uv_mutex_t lock;		/* the line */
	struct ticket *first, *last;
	char *name;
	struct weir_credits *next;
};

static struct weir_credits *pools;
static uv_mutex_t pools_lock;
static uv_once_t pools_once = UV_ONCE_INIT;

static void make_lock(void)
{
	uv_mutex_init(&pools_lock);
}

static char *pool_name(struct weir_component *c, enum weir_signal signal,
		       const char *name)
{
	char *text = NULL;

	if (asprintf(&text, "%s %s %s %s %s", weir_kind_name(c->plugin->kind),
		     c->id, c->pipeline ? c->pipeline : "",
		     weir_signal_name(signal), name) < 0)
		abort();
	return text;
}

struct weir_credits *weir_credits_get(struct weir_component *c,
				      enum weir_signal signal,
				      const char *name, uint64_t total)
{
	char *full = pool_name(c, signal, name);
	struct weir_credits *pool;

	uv_once(&pools_once, make_lock);
	uv_mutex_lock(&pools_lock);
	for (pool = pools; pool; pool = pool->next)
		if (!strcmp(pool->name, full))
			break;
	if (!pool) {
		pool = xcalloc(1, sizeof(*pool));
		if (total > INT64_MAX)
			total = INT64_MAX;
		pool->free = (int64_t)total;
		pool->total = total;
		pool->name = full;
		full = NULL;
		uv_mutex_init(&pool->lock);
		pool->next = pools;
		pools = pool;
	}
	uv_mutex_unlock(&pools_lock);
	free(full);
	return pool;
}

void credits_release(void)
{
	while (pools) {
		struct weir_credits *pool = pools;

		pools = pool->next;
		uv_mutex_destroy(&pool->lock);
		free(pool->name);
		free(pool);
	}
}

/* Takes n if that many are free. */
static bool grab(struct weir_credits *pool, uint64_t n)
{
	/* In one order with `waiting`: a waiter that joins the line either
	 * sees what was just given, or is seen by the giver. */
	int64_t free_now = atomic_load(&pool->free);

	while (free_now >= (int64_t)n)
		if (atomic_compare_exchange_weak(&pool->free, &free_now,
						 free_now - (int64_t)n))
			return true;
	return false;
}

bool weir_credits_take(struct weir_credits *credits, uint64_t n)
{
	if (atomic_load(&credits->waiting))
		return false;
	return grab(credits, n);
}

void weir_credits_force(struct weir_credits *credits, uint64_t n)
{
	atomic_fetch_sub(&credits->free, (int64_t)n);
}

uint64_t weir_credits_total(const struct weir_credits *credits)
{
	return credits->total;
}

uint64_t weir_credits_used(const struct weir_credits *credits)
{
	int64_t free_now = atomic_load_explicit(&credits->free,
						memory_order_relaxed);

	return credits->total - (uint64_t)free_now;
}

bool weir_credits_wanted(const struct weir_credits *credits, uint64_t *n)
{
	*n = atomic_load(&credits->wanted);
	return atomic_load(&credits->waiting);
}

/* --- Waiting ------------------------------------------------------------- */

/* A place in the line; its own memory, because the grant may be in the mail
 * when the waiter is gone. */
struct ticket {
	struct mail mail;
	struct ticket *next;
	struct weir_credits *pool;
	struct weir_credits_wait *wait;	/* NULL: cancelled after the grant */
	struct weir_component *c;
	struct worker *worker;
	uint64_t n;
	bool granted;
};

static void deliver_grant(struct mail *mail)
{
	struct ticket *ticket = (struct ticket *)mail;
	struct weir_credits_wait *wait = ticket->wait;
	struct weir_component *c = ticket->c;

	if (!wait)
		weir_credits_give(ticket->pool, ticket->n);
	free(ticket);
	if (!wait)
		return;
	wait->ticket = NULL;
	wait->granted(c, wait);
}

/* Under the lock: the line has changed. */
static void note_wanted(struct weir_credits *pool)
{
	atomic_store(&pool->wanted, pool->first ? pool->first->n : 0);
}

/* Serves the head of the line while there is enough for it. */
static void serve(struct weir_credits *pool)
{
	struct ticket *ticket;

	uv_mutex_lock(&pool->lock);
	while ((ticket = pool->first) && grab(pool, ticket->n)) {
		pool->first = ticket->next;
		if (!pool->first)
			pool->last = NULL;
		atomic_fetch_sub(&pool->waiting, 1);
		ticket->granted = true;
		note_wanted(pool);
		worker_post(ticket->worker, &ticket->mail);
	}
	uv_mutex_unlock(&pool->lock);
}

void weir_credits_give(struct weir_credits *credits, uint64_t n)
{
	atomic_fetch_add(&credits->free, (int64_t)n);
	if (atomic_load(&credits->waiting))
		serve(credits);
}

void weir_credits_wait(struct weir_credits_wait *wait,
		       struct weir_component *c, struct weir_credits *credits,
		       uint64_t n)
{
	struct ticket *ticket = xcalloc(1, sizeof(*ticket));

	ticket->mail.deliver = deliver_grant;
	ticket->pool = credits;
	ticket->wait = wait;
	ticket->c = c;
	ticket->worker = worker_current();
	ticket->n = n;
	wait->ticket = ticket;
	uv_mutex_lock(&credits->lock);
	if (credits->last)
		credits->last->next = ticket;
	else
		credits->first = ticket;
	credits->last = ticket;
	note_wanted(credits);
	atomic_fetch_add(&credits->waiting, 1);
	uv_mutex_unlock(&credits->lock);
	serve(credits);	/* what was given back since the caller looked */
}

/* Takes a ticket that was not served out of the line. */
static bool leave_line(struct ticket *ticket)
{
	struct weir_credits *pool = ticket->pool;
	struct ticket **link = &pool->first, *before = NULL;
	bool waiting;

	uv_mutex_lock(&pool->lock);
	waiting = !ticket->granted;
	if (waiting) {
		for (; *link != ticket; link = &(*link)->next)
			before = *link;
		*link = ticket->next;
		if (pool->last == ticket)
			pool->last = before;
		note_wanted(pool);
		atomic_fetch_sub(&pool->waiting, 1);
	}
	uv_mutex_unlock(&pool->lock);
	return waiting;
}

void weir_credits_cancel(struct weir_credits_wait *wait)
{
	struct ticket *ticket = wait->ticket;
	struct weir_credits *pool;

	if (!ticket)
		return;
	wait->ticket = NULL;
	ticket->wait = NULL;
	pool = ticket->pool;
	if (!leave_line(ticket))
		return;		/* the mail finds nobody and gives it back */
	free(ticket);
	if (atomic_load(&pool->waiting))
		serve(pool);	/* the next one may want less */
}

/* --- Custody ------------------------------------------------------------- */

void weir_custody(struct weir_component *c, enum weir_signal signal,
		  struct weir_credits *credits, enum weir_sizer sizer,
		  bool block)
{
	c->node->custody[signal] = (struct custody){ credits, sizer, block };
}
