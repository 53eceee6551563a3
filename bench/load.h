/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.h: what load generators and sinks share: a clock, sockets, a tally.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#define SECOND 1000000000u	/* ns */

uint64_t load_now(void);	/* ns, monotonic */
/* A non-blocking connection to a port of 127.0.0.1; -1: nobody listens. */
int load_dial(const char *port);

/* A listening socket on a port of 127.0.0.1; ends the program otherwise. */
int load_listen(const char *port);

/* How long answers took, in microseconds; all zero is empty. */
struct load_tally {
	uint32_t *us;
	size_t n, cap;
};
void load_took(struct load_tally *tally, uint64_t ns);
void load_forget(struct load_tally *tally);
/* Prints p50_us=... to max_us=..., a line each. */
void load_print(struct load_tally *tally);

#endif
