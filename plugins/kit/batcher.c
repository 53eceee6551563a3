/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batcher.c: sending_queue.batch: merges what is queued before it is sent.
 *
 * Holds one growing batch per partition, all of them within the queue's room;
 * a batch leaves when it has min_size, or flush_timeout after it was begun.
 * Partitions are few (PARTITIONS_MAX, the least recently used goes first) and
 * leave when they had no data for IDLE_FLUSHES times flush_timeout.
 */
#include "sender.h"

#include <stdlib.h>
#include <weir/kit/partition.h>

#define PARTITIONS_MAX 10000
#define IDLE_FLUSHES 10

struct part {
	struct weir_partition node;	/* first: found by it */
	struct batcher *batcher;
	struct weir_batch *current;	/* NULL: nothing pending */
	struct weir_timer timer;	/* to flush it, or to forget the part */
	struct part *older, *newer;
};

struct batcher {
	struct lane *lane;
	const struct weir_queue_batch_config *config;
	enum weir_sizer sizer;
	struct weir_partitions partitions;
	struct part *oldest, *newest;
	struct part only;		/* without metadata_keys */
};

struct batcher *batcher_new(struct lane *lane)
{
	const struct weir_queue_config *queue =
		&lane->sender->config->sending_queue;
	struct batcher *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->lane = lane;
	b->config = &queue->batch;
	b->sizer = batch_sizer(queue);
	b->only.batcher = b;
	return b;
}

/* --- Partitions, by age ------------------------------------------------------- */

static void unlink_part(struct batcher *b, struct part *part)
{
	if (part->older)
		part->older->newer = part->newer;
	else
		b->oldest = part->newer;
	if (part->newer)
		part->newer->older = part->older;
	else
		b->newest = part->older;
}

static void link_newest(struct batcher *b, struct part *part)
{
	part->newer = NULL;
	part->older = b->newest;
	if (b->newest)
		b->newest->newer = part;
	else
		b->oldest = part;
	b->newest = part;
}

static void forget(struct part *part)
{
	struct batcher *b = part->batcher;

	weir_timer_cancel(&part->timer);
	unlink_part(b, part);
	weir_partition_remove(&b->partitions, &part->node);
	free(part);
}

static void release(struct part *part)
{
	struct weir_batch *batch = part->current;

	part->current = NULL;
	if (batch)
		lane_push(part->batcher->lane, batch);
}

static struct part *part_of(struct batcher *b, const struct weir_batch *batch)
{
	const struct weir_strs *keys = &b->config->partition.metadata_keys;
	struct part *part;

	if (!keys->len)
		return &b->only;
	part = (struct part *)(void *)weir_partition_find(&b->partitions, keys,
							  batch);
	if (part) {
		unlink_part(b, part);
		link_newest(b, part);
		return part;
	}
	part = calloc(1, sizeof(*part));
	if (!part || !weir_partition_add(&b->partitions, &part->node))
		abort();
	part->batcher = b;
	link_newest(b, part);
	if (b->partitions.n > PARTITIONS_MAX) {
		release(b->oldest);
		forget(b->oldest);
	}
	return part;
}

/* --- Filling --------------------------------------------------------------------- */

static void due(struct weir_component *c, struct weir_timer *timer);

static void set_timer(struct part *part)
{
	struct batcher *b = part->batcher;
	weir_duration after = b->config->flush_timeout;

	if (!part->current && part == &b->only) {
		weir_timer_cancel(&part->timer);
		return;
	}
	if (!part->current)
		after.ns = after.ns > INT64_MAX / IDLE_FLUSHES
				   ? INT64_MAX : after.ns * IDLE_FLUSHES;
	weir_timer_set(&part->timer, b->lane->sender->c, after, due);
}

static void due(struct weir_component *c, struct weir_timer *timer)
{
	struct part *part = (struct part *)(void *)
		((char *)timer - offsetof(struct part, timer));

	(void)c;
	if (!part->current) {
		forget(part);
		return;
	}
	release(part);
	set_timer(part);
}

/* Sends what is full; true if anything left the part. */
static bool pour(struct part *part)
{
	struct batcher *b = part->batcher;
	uint64_t min = (uint64_t)b->config->min_size;
	uint64_t max = (uint64_t)b->config->max_size;
	bool poured = false;

	while (part->current &&
	       weir_batch_size(part->current, b->sizer) >= min) {
		bool too_large = false;
		struct weir_batch *full = NULL;

		poured = true;
		if (max)
			full = weir_batch_split(part->current, b->sizer, max,
						&too_large);
		if (full)
			lane_push(b->lane, full);
		else if (too_large)
			send_drop_item(b->lane, &part->current, max);
		else
			release(part);
	}
	return poured;
}

void batcher_add(struct batcher *b, struct weir_batch *batch)
{
	struct part *part = part_of(b, batch);
	bool begun = !part->current;

	if (begun)
		part->current = batch;
	else
		weir_batch_merge(part->current, &batch);
	if (pour(part) || begun)
		set_timer(part);
}

void batcher_flush(struct batcher *b)
{
	release(&b->only);
	set_timer(&b->only);
	for (struct part *part = b->oldest; part; part = part->newer) {
		release(part);
		set_timer(part);
	}
}

static void drop(struct part *part, const struct weir_outcome *outcome)
{
	if (part->current)
		send_drop(part->batcher->lane, part->current, outcome);
	part->current = NULL;
}

void batcher_free(struct batcher **batcher, const struct weir_outcome *outcome)
{
	struct batcher *b = *batcher;

	while (b->oldest) {
		drop(b->oldest, outcome);
		forget(b->oldest);
	}
	drop(&b->only, outcome);
	weir_timer_cancel(&b->only.timer);
	weir_partitions_release(&b->partitions);
	free(b);
	*batcher = NULL;
}
