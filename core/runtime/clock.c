/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.c: time and chance, which tests own.
 *
 * Reads the system's clocks unless a test has taken them over; after
 * clock_manual() nothing moves but by clock_advance().
 */
#include "worker.h"

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>
#include <sys/random.h>

static struct {
	bool on;
	_Atomic uint64_t now, wall;
} manual;

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t weir_now(void)
{
	return manual.on ? manual.now : read_clock(CLOCK_MONOTONIC);
}

uint64_t weir_wall_now(void)
{
	return manual.on ? manual.wall : read_clock(CLOCK_REALTIME);
}

/* splitmix64: small, good enough for jitter and sampling seeds. */
static _Thread_local uint64_t chance;

uint64_t weir_random(void)
{
	uint64_t z;

	while (!chance)
		if (getrandom(&chance, sizeof(chance), 0) < 0)
			chance = read_clock(CLOCK_MONOTONIC) ^
				 (uint64_t)getpid();
	z = chance += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void clock_manual(uint64_t now, uint64_t wall, uint64_t seed)
{
	manual.on = true;
	manual.now = now;
	manual.wall = wall;
	chance = seed ? seed : 1;
}

void clock_advance(uint64_t ns)
{
	manual.now += ns;
	manual.wall += ns;
}

bool clock_is_manual(void)
{
	return manual.on;
}
