/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loadgen.h: what the two files of the load generator share.
 *
 * loadgen.c decides when a request is due and adds up; h2_client.c brings it
 * there and hears the answer.
 */
#ifndef BENCH_LOADGEN_H
#define BENCH_LOADGEN_H

#include "load.h"
#include "spans.h"

#include <nghttp2/nghttp2.h>
#include <stdbool.h>

#define PATIENCE (10ull * SECOND)	/* so long a request is tried again */

extern struct options {
	const char *port;
	size_t connections, window, traces;
	struct spans_shape shape;
	double seconds, warmup, rate;
	bool gzip, first, retry, progress;
} opt;

extern struct stats {
	uint64_t sent, ok, failed, by_status[17];
	uint64_t refused, refused_told;	/* will be tried again; with RetryInfo */
	uint64_t delay;			/* ns; the last that a server asked for */
	uint64_t given_up, skipped;
	struct load_tally tally;
	uint64_t since, last_answer;
} stats;

struct call {			/* one request under way */
	struct conn *conn;
	struct spans_request request;
	size_t sent;
	uint64_t due;
	int status;		/* grpc-status, -1 until it came */
	uint64_t asked;		/* ns; the server's RetryInfo, 0: none */
	uint64_t retry_at;	/* refused, and waits; 0: it does not */
	bool busy;
};

struct conn {
	int fd;
	nghttp2_session *h2;
	struct call *calls;	/* opt.window */
	uint8_t *out;
	size_t out_start, out_len;
	uint32_t events;
	bool dead;
};

extern struct conn *conns;	/* opt.connections */

/* Puts into a call what is sent next. */
void fill_call(struct call *call);
/* Sends a new request, or again the one that was refused. */
void send_call(struct call *call, uint64_t due);

void conns_init(void);
/* False: nobody listened before `end`, ns. */
bool open_conn(struct conn *c, const struct spans_request *request,
	       uint64_t end);
void fail_conn(struct conn *c);
/* Writes and reads for at most `wait` ns. */
void turn(uint64_t wait);

#endif
