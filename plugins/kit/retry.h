/* SPDX-License-Identifier: Apache-2.0 */
/* retry.h: how long to wait before the next attempt.  Pure. */
#ifndef KIT_RETRY_H
#define KIT_RETRY_H

#include <weir/kit/exporter.h>

struct backoff {
	int64_t current;	/* nanoseconds, before chance; 0: not begun */
};

/* Chance in [0, 1) from 64 random bits. */
double backoff_chance(uint64_t bits);

/* The next delay in nanoseconds: initial_interval first, each time multiplied,
 * at most max_interval from the second on, then spread by chance. */
int64_t backoff_next(struct backoff *backoff,
		     const struct weir_retry_config *config, double chance);

/* What the backend asked for, clamped to 0..max_interval: it is a stranger. */
int64_t retry_throttle(const struct weir_retry_config *config,
		       weir_duration retry_after);

#endif
