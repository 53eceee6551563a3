/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry.c: exponential back-off with chance, as the Collector does it.
 *
 * Pure arithmetic on nanoseconds.  Must never overflow: multiplier and
 * intervals are whatever the user wrote.
 */
#include "retry.h"

#define FOREVER 0x1p62		/* 146 years; exact as a double */

static int64_t bounded(double ns)
{
	return ns < FOREVER ? (int64_t)ns : (int64_t)FOREVER;
}

double backoff_chance(uint64_t bits)
{
	return (double)(bits >> 11) * 0x1p-53;
}

/* From [v - f v, v + f v], both ends included: hence the 1. */
static int64_t spread(double value, double factor, double chance)
{
	double delta = factor * value;

	if (factor <= 0)
		return bounded(value);
	return bounded(value - delta + chance * (2 * delta + 1));
}

int64_t backoff_next(struct backoff *backoff,
		     const struct weir_retry_config *config, double chance)
{
	if (!backoff->current)
		backoff->current = config->initial_interval.ns;

	double current = (double)backoff->current;
	double next = current * config->multiplier;

	backoff->current = next >= (double)config->max_interval.ns
				   ? config->max_interval.ns
				   : bounded(next);
	return spread(current, config->randomization_factor, chance);
}

int64_t retry_throttle(const struct weir_retry_config *config,
		       weir_duration retry_after)
{
	if (retry_after.ns <= 0)
		return 0;
	return retry_after.ns < config->max_interval.ns
		       ? retry_after.ns
		       : config->max_interval.ns;
}
