/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink.h: what the two files of the backend share.
 *
 * sink.c counts and owns the process; h2_server.c hears requests and answers.
 */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <stddef.h>
#include <stdint.h>

extern struct options {
	const char *port, *control, *find;
	uint64_t delay_ms, rate, fail;
	const char *status;
} opt;

extern struct stats {
	uint64_t requests, failed, compressed, spans, bytes, connections;
	uint64_t spans_ok;	/* of answered requests */
	uint64_t searched, found;
} stats;

struct call {			/* one request */
	struct conn *conn;
	int32_t id;
	uint8_t *body;
	size_t len, cap;
	uint64_t spans;
	uint64_t due;		/* ns; when to answer */
	struct call *next;
};

/* Counts a whole request. */
void count(struct call *call);

/* A new connection on a listening socket. */
void greet(int listener);
/* Reads from a connection that epoll named. */
void serve(void *conn);
/* Whether answers wait for their time; sends those that have waited. */
int answers_wait(void);
void answer_late(void);

extern int epfd;

#endif
