/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget.c: what payloads may take, and what the kernel says we take.
 */
#include "budget.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <weir/plugin.h>

static _Atomic uint64_t used, ever, soft_line, hard_line;

bool budget_charge(size_t bytes, bool force)
{
	uint64_t before = atomic_fetch_add_explicit(&used, bytes,
						    memory_order_relaxed);
	uint64_t hard = atomic_load_explicit(&hard_line, memory_order_relaxed);

	if (force || !hard || before + bytes <= hard) {
		atomic_fetch_add_explicit(&ever, bytes, memory_order_relaxed);
		return true;
	}
	atomic_fetch_sub_explicit(&used, bytes, memory_order_relaxed);
	return false;
}

void budget_return(size_t bytes)
{
	atomic_fetch_sub_explicit(&used, bytes, memory_order_relaxed);
}

bool budget_fits(size_t bytes)
{
	uint64_t hard = atomic_load_explicit(&hard_line, memory_order_relaxed);

	return !hard || weir_budget_used() + bytes <= hard;
}

uint64_t budget_ever(void)
{
	return atomic_load_explicit(&ever, memory_order_relaxed);
}

bool budget_soft(void)
{
	uint64_t soft = atomic_load_explicit(&soft_line, memory_order_relaxed);

	return soft && weir_budget_used() >= soft;
}

/* What a request may still grow by, until reading has stopped. */
#define HEADROOM (1u << 20)

bool budget_hard(void)
{
	uint64_t hard = atomic_load_explicit(&hard_line, memory_order_relaxed);

	return hard && weir_budget_used() + HEADROOM >= hard;
}

bool weir_budget_full(void)
{
	return budget_hard();
}

bool weir_budget_take(size_t bytes)
{
	return budget_charge(bytes, false);
}

void weir_budget_give(size_t bytes)
{
	budget_return(bytes);
}

void weir_budget_limit(uint64_t soft, uint64_t hard)
{
	soft_line = soft;
	hard_line = hard;
}

uint64_t weir_budget_total(void)
{
	uint64_t hard = atomic_load_explicit(&hard_line, memory_order_relaxed);

	return hard ? hard : UINT64_MAX;
}

uint64_t weir_budget_used(void)
{
	return atomic_load_explicit(&used, memory_order_relaxed);
}

void budget_default(void)
{
	uint64_t total = weir_memory_total();

	weir_budget_limit(0, total / 4 * 3);
}

/* The first number in a file, 0 when there is none ("max"). */
static uint64_t number_in(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long long n = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%llu", &n) != 1)
		n = 0;
	fclose(file);
	return n;
}

uint64_t weir_memory_total(void)
{
	/* cgroup v2, then v1; inside a container these are its own */
	static const char *const limits[] = {
		"/sys/fs/cgroup/memory.max",
		"/sys/fs/cgroup/memory/memory.limit_in_bytes"
	};
	uint64_t total = (uint64_t)sysconf(_SC_PHYS_PAGES) *
			 (uint64_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < 2; i++) {
		uint64_t limit = number_in(limits[i]);

		if (limit && limit < total)
			total = limit;
	}
	return total;
}

uint64_t weir_process_rss(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long size, resident = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%llu %llu", &size, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
