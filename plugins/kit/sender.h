/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender.h: the parts of a sender, to each other.
 *
 *	sender.c    the public calls; what a request goes through, try by try
 *	queue.c     a lane per signal: FIFO, room, consumers
 *	batcher.c   sending_queue.batch
 *	retry.c     how long to wait
 */
#ifndef KIT_SENDER_H
#define KIT_SENDER_H

#include <weir/kit/exporter.h>

#include "retry.h"

struct batcher;

/* Parts of one request that wait for their turn.  Halving pushes one per
 * level, 32 levels exhaust the items of any batch; cutting by bytes one. */
#define SEND_PARTS 40
/* So many "too big" in a row, with nothing sent between, mean that size is not
 * the trouble: the rest is dropped rather than asked about item by item. */
#define SEND_REFUSALS 40

/* A request under way: it holds a consumer until its last part has ended. */
struct weir_send {
	struct lane *lane;
	struct weir_send *prev, *next;
	struct weir_batch *batch;		/* the part being sent */
	struct weir_batch *parts[SEND_PARTS];	/* a stack */
	uint32_t n_parts;
	uint32_t refusals;		/* "too big" since the last success */
	struct backoff backoff;
	uint64_t started;		/* weir_now(); 0: no attempt yet */
	struct weir_timer timer;	/* of the attempt, or of the wait */
	bool attempting;		/* between send and done */
	void *data;			/* the exporter's */
};

/* One signal's road. */
struct lane {
	struct weir_sender *sender;
	enum weir_signal signal;
	struct weir_credits *room;	/* queue_size; NULL: no queue */
	struct weir_credits *consumers;	/* num_consumers */
	struct weir_credits_wait wait;
	bool waiting;			/* for a consumer */
	bool pumping;
	struct weir_batch_list queue;
	struct weir_send *busy;		/* requests under way */
	uint64_t under_way;
	struct batcher *batcher;	/* NULL without sending_queue.batch */
};

struct weir_sender {
	struct weir_component *c;
	const struct weir_sender_config *config;
	const struct weir_sender_ops *ops;
	struct lane lanes[WEIR_SIGNAL_COUNT];
	struct weir_send *idle;		/* for reuse */
	bool stopping;
};

/* --- sender_config.c --- */
bool sizer_parse(weir_str name, enum weir_sizer preset,
		 enum weir_sizer *sizer);
enum weir_sizer queue_sizer(const struct weir_queue_config *config);
enum weir_sizer batch_sizer(const struct weir_queue_config *config);

/* --- sender.c --- */
/* Sends a batch, part by part; lane_finished follows.  Takes the batch. */
void send_begin(struct lane *lane, struct weir_batch *batch);
/* Ends a batch that will not be sent: counted, logged, nacked. */
void send_drop(struct lane *lane, struct weir_batch *batch,
	       const struct weir_outcome *outcome);
/* One item is larger than the limit: the first of *batch is dropped.  False
 * when that was all (*batch is gone then). */
bool send_drop_item(struct lane *lane, struct weir_batch **batch,
		    uint64_t limit);

/* --- queue.c --- */
bool lane_open(struct lane *lane, struct weir_sender *sender,
	       enum weir_signal signal);
void lane_consume(struct lane *lane, struct weir_batch *batch);
/* Puts a batch at the end of the queue and starts what can start. */
void lane_push(struct lane *lane, struct weir_batch *batch);
/* A request has ended; its consumer takes the next. */
void lane_finished(struct lane *lane);
void lane_stop(struct lane *lane);
void lane_close(struct lane *lane, const struct weir_outcome *outcome);

/* --- batcher.c --- */
struct batcher *batcher_new(struct lane *lane);
/* Takes the batch; what is full goes to lane_push. */
void batcher_add(struct batcher *batcher, struct weir_batch *batch);
/* Everything to lane_push. */
void batcher_flush(struct batcher *batcher);
/* Drops what is left. */
void batcher_free(struct batcher **batcher, const struct weir_outcome *outcome);

#endif
