/* SPDX-License-Identifier: Apache-2.0 */
/*
 * balance.c: which worker gets a new connection.
 *
 * Holds how busy each loop was when last looked at, and what was given to it
 * since.  Worker 0's thread only.  A quiet process stays on its first worker,
 * so that it batches like one collector.
 */
#include "net.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdlib.h>

#define SAMPLE_NS 1000000000u		/* how often loads are looked at */
/* What a connection counts for until the next sample shows what it costs: a
 * burst on a quiet process spreads after two. */
#define LOAD_OF_NEW 0.25
#define LOAD_BUSY 0.5

struct load {
	uint64_t busy_ns;		/* at the last look */
	double load;			/* share of the time, 0 to 1 */
};

static struct load *loads;		/* by number of worker */
static uint32_t n_loads;
static uint64_t sampled;		/* weir_now() of the last look */

/* Share of the time since the last look that each loop was busy. */
static void sample_loads(void)
{
	uint64_t now = weir_now();

	if (n_loads < n_workers) {
		loads = xrealloc(loads, n_workers * sizeof(*loads));
		memset(loads + n_loads, 0,
		       (n_workers - n_loads) * sizeof(*loads));
		n_loads = n_workers;
	}
	if (sampled && now - sampled < SAMPLE_NS)
		return;
	for (uint32_t i = 0; i < n_workers; i++) {
		struct load *load = &loads[i];
		uint64_t busy = atomic_load(&workers[i].busy_ns);

		load->load = sampled && busy > load->busy_ns
			? (double)(busy - load->busy_ns) /
			  (double)(now - sampled)
			: 0;
		load->busy_ns = busy;
	}
	sampled = now;
}

static bool less_loaded(uint32_t a, uint32_t b)
{
	if (loads[a].load != loads[b].load)
		return loads[a].load < loads[b].load;
	return workers[a].connections < workers[b].connections;
}

struct worker *balance_choose(bool (*takes)(const void *arg, uint32_t worker),
			      const void *arg)
{
	uint32_t best = UINT32_MAX;

	sample_loads();
	for (uint32_t i = 0; i < n_workers; i++) {
		if (!takes(arg, i))
			continue;
		if (best == UINT32_MAX || less_loaded(i, best))
			best = i;
		if (loads[i].load < LOAD_BUSY) {
			best = i;
			break;
		}
	}
	if (best == UINT32_MAX)
		return NULL;
	loads[best].load += LOAD_OF_NEW;
	return &workers[best];
}

void balance_release(void)
{
	free(loads);
	loads = NULL;
	n_loads = 0;
	sampled = 0;
}
