/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer.h: time and work off the loop.
 *
 * A component's timers and work end with it: core cancels them before
 * destroy.  All calls on the component's thread.
 */
#ifndef WEIR_TIMER_H
#define WEIR_TIMER_H

#include <weir/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_component;

/* Embedded in the plugin's own struct; zero-initialised; never moved while
 * set. */
struct weir_timer {
	void (*fire)(struct weir_component *c, struct weir_timer *timer);
	struct weir_component *c;	/* core's from here on */
	uint64_t at;
	uint32_t slot;			/* 0: not set */
};
/* fire runs once, not before `after` has passed, in a turn of its own.
 * Setting it again moves it. */
WEIR_API void weir_timer_set(struct weir_timer *timer,
	struct weir_component *c, weir_duration after,
	void (*fire)(struct weir_component *c, struct weir_timer *timer));
/* Nothing fires after this.  Cancelling twice is fine. */
WEIR_API void weir_timer_cancel(struct weir_timer *timer);
static inline bool weir_timer_is_set(const struct weir_timer *timer)
{
	return timer->slot != 0;
}

/* Runs in(arg) on the thread pool, then out(c, arg) on c's thread; 0, or -1
 * when the pool's queue is full (nothing runs then).  in must not touch the
 * component.  out runs exactly once, also during stop. */
WEIR_API int weir_work(struct weir_component *c, void (*in)(void *arg),
		       void (*out)(struct weir_component *c, void *arg),
		       void *arg);

#ifdef __cplusplus
}
#endif
#endif
