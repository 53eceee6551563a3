/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_rate.c: what may pass in a time, counted by all workers together.
 *
 * Tokens are a fraction and a time: two numbers, so a lock, held for a few
 * instructions once a decided trace.  Spans of a second are one atomic.
 */
#include "policy_parts.h"

#define SECOND 1000000000.0

void limit_init(struct bucket_limit *limit, int64_t per_second, int64_t burst)
{
	if (burst <= 0)
		burst = per_second > INT64_MAX / 2 ? INT64_MAX :
			2 * per_second;
	limit->rate = (double)per_second;
	limit->burst = burst > 0 ? (uint64_t)burst : 0;
	limit->tokens = (double)limit->burst;
	limit->last = 0;
	pthread_mutex_init(&limit->lock, NULL);
}

void limit_release(struct bucket_limit *limit)
{
	pthread_mutex_destroy(&limit->lock);
}

/* What there is now; it grows with the time, up to the burst. */
static double tokens_at(const struct bucket_limit *limit, uint64_t now)
{
	double tokens = limit->tokens, most = (double)limit->burst;

	if (limit->rate > 0 && now > limit->last)
		tokens += (double)(now - limit->last) / SECOND * limit->rate;
	return tokens < most ? tokens : most;
}

/* What is missing may be less than a nanosecond brings: so does the
 * Collector's limiter make up for what rounding took. */
static bool is_enough(const struct bucket_limit *limit, double left)
{
	return left >= 0 ||
	       (limit->rate > 0 && -left / limit->rate * SECOND < 1);
}

bool limit_take(struct bucket_limit *limit, uint64_t n, uint64_t now)
{
	bool enough;
	double left;

	if (n > limit->burst)
		return false;
	pthread_mutex_lock(&limit->lock);
	left = tokens_at(limit, now) - (double)n;
	enough = is_enough(limit, left);
	if (enough) {
		limit->tokens = left;
		limit->last = now;
	}
	pthread_mutex_unlock(&limit->lock);
	return enough;
}

bool second_take(struct second_count *second, uint64_t most, uint64_t n,
		 uint64_t wall)
{
	uint64_t current = wall / 1000000000u & UINT32_MAX;
	uint64_t before = second->counted, count;

	do {
		count = before >> 32 == current ? before & UINT32_MAX : 0;
		if (n > UINT32_MAX - count || count + n > second->share ||
		    count + n > most)
			return false;
	} while (!atomic_compare_exchange_weak(&second->counted, &before,
					       current << 32 | (count + n)));
	return true;
}
