/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h: the processor and its shards, to each other.
 */
#ifndef BATCH_H
#define BATCH_H

#include <weir/kit/partition.h>
#include <weir/plugin.h>

struct batch {
	struct weir_component base;
	weir_duration timeout;			/* config */
	uint32_t send_batch_size, send_batch_max_size;
	struct weir_strs metadata_keys;
	uint32_t metadata_cardinality_limit;
	weir_counter size_trigger, timeout_trigger;	/* metrics */
	weir_histogram send_size, send_size_bytes;
	weir_gauge cardinality;
	struct weir_partitions partitions;
	struct shard *shards;			/* all, newest first */
	uint64_t started;			/* weir_now() */
	bool stopping;
	uint64_t patience;		/* stopping: weir_now() of the end */
};

enum trigger { TRIGGER_SIZE, TRIGGER_TIMEOUT };

/* One stream of batches; without metadata_keys there is one per signal.
 *
 *	consume -> filling -> ready -> under way -> answered
 *	                                  ^  |
 *	                        back-off  `--' nacked for a passing state
 */
struct shard {
	struct weir_partition node;	/* first: found by it */
	struct batch *owner;
	struct shard *next;
	struct weir_batch *filling;	/* always below send_batch_size */
	struct weir_batch_list ready;	/* cut off by size */
	struct weir_batch *retrying;	/* nacked; waits for its timer */
	bool under_way;			/* one at a time */
	enum trigger trigger;		/* of what is under way */
	uint64_t items, bytes;		/* of what is under way */
	uint32_t failures;		/* of it, in a row */
	bool due;			/* a tick came: send what there is */
	uint64_t phase;			/* the ticks come each timeout after it */
	struct weir_timer tick, again;
};

struct shard *shard_new(struct batch *owner);
/* Drops what is left. */
void shard_free(struct shard *shard);
/* Takes the batch. */
void shard_add(struct shard *shard, struct weir_batch *batch);
/* What was under way has ended; takes the batch. */
void shard_answered(struct shard *shard, struct weir_batch *batch,
		    const struct weir_outcome *outcome);
/* Sends what there is. */
void shard_flush(struct shard *shard);

/* batch.c: a batch was passed on. */
void batch_sent(struct batch *self, enum trigger trigger, uint64_t items,
		uint64_t bytes);

#endif
