/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_rate.c: what may pass in a time, counted by all workers together.
 *
 * One atomic each, changed by compare-and-swap; nobody waits.
 */
#include "policy_parts.h"

#define SECOND 1000000000u

void limit_init(struct bucket_limit *limit, int64_t per_second, int64_t burst)
{
	if (burst <= 0)
		burst = per_second > INT64_MAX / 2 ? INT64_MAX :
			2 * per_second;
	limit->rate = (double)per_second / SECOND;
	limit->burst = burst > 0 ? (uint64_t)burst : 0;
	limit->empty = INT64_MIN / 4;
	limit->left = limit->burst;
}

/* Nothing is ever refilled. */
static bool take_left(struct bucket_limit *limit, uint64_t n)
{
	uint64_t left = limit->left;

	do {
		if (left < n)
			return false;
	} while (!atomic_compare_exchange_weak(&limit->left, &left, left - n));
	return true;
}

bool limit_take(struct bucket_limit *limit, uint64_t n, uint64_t now)
{
	int64_t empty = limit->empty, next;

	if (n > limit->burst)
		return false;
	if (!(limit->rate > 0))
		return take_left(limit, n);
	do {
		double full = (double)limit->burst / limit->rate;
		double since = (double)((int64_t)now - empty);

		if (since > full)
			since = full;
		since -= (double)n / limit->rate;
		if (since < 0)
			return false;
		next = (int64_t)now - (int64_t)since;
	} while (!atomic_compare_exchange_weak(&limit->empty, &empty, next));
	return true;
}

bool second_take(struct second_count *second, uint64_t most, uint64_t n,
		 uint64_t wall)
{
	uint64_t current = wall / SECOND & UINT32_MAX;
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
