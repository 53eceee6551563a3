/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch: gathers small batches into larger ones.
 *
 * A batch leaves when it has send_batch_size items, or with the next tick of
 * timeout.  Whoever sent the data is answered when it is in here (`received`),
 * so this is a custodian: what the next component refuses for a passing reason
 * is kept and tried again, and when the room is full nothing new comes in.
 * With metadata_keys each combination of their values is gathered apart, in a
 * shard of its own (shard.c).
 * Holds pending items, at most room() of them on each worker.
 */
#include "batch.h"

#include <stdio.h>
#include <weir/kit/partition.h>

static const struct weir_field fields[] = {
	WEIR_FIELD(struct batch, timeout, "200ms",
		   "The time between two ticks: with each, what is pending is "
		   "sent; 0: at once."),
	WEIR_FIELD(struct batch, send_batch_size, "8192",
		   "A batch with that many items is sent at once; 0: every "
		   "batch."),
	WEIR_FIELD(struct batch, send_batch_max_size, "0",
		   "Larger batches are cut; 0: never."),
	WEIR_FIELD(struct batch, metadata_keys, NULL,
		   "Data is gathered apart by the values of these keys of the "
		   "client's metadata."),
	WEIR_FIELD(struct batch, metadata_cardinality_limit, "1000",
		   "So many combinations of those values at most; 0: no "
		   "limit."),
	WEIR_END
};

static const double size_bounds[] = {
	10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000,
	7000, 8000, 9000, 10000, 20000, 30000, 50000, 100000
};

static const double byte_bounds[] = {
	128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072,
	262144, 524288, 1048576, 2097152, 4194304, 8388608, 16777216
};

#define BOUNDS(a) .bounds = a, .n_bounds = sizeof(a) / sizeof((a)[0])

/* So long what is refused for a passing reason is tried again while stopping:
 * half of service.drain_timeout, so that the exporters have the rest. */
#define STOP_PATIENCE 10000000000ull

enum { SEND_SIZE = 2, SEND_SIZE_BYTES = 3 };	/* rows of histograms */

static const struct weir_metric_def metrics[] = {
	WEIR_METRIC(struct batch, size_trigger,
		    "otelcol_processor_batch_batch_size_trigger_send",
		    WEIR_SHOW_NORMAL, "{time}",
		    "Batches sent because they were large enough."),
	WEIR_METRIC(struct batch, timeout_trigger,
		    "otelcol_processor_batch_timeout_trigger_send",
		    WEIR_SHOW_NORMAL, "{time}",
		    "Batches sent because it was time."),
	[SEND_SIZE] = WEIR_METRIC(struct batch, send_size,
		    "otelcol_processor_batch_batch_send_size",
		    WEIR_SHOW_NORMAL, "{unit}",
		    "Items in the batches that were sent.",
		    BOUNDS(size_bounds)),
	[SEND_SIZE_BYTES] = WEIR_METRIC(struct batch, send_size_bytes,
		    "otelcol_processor_batch_batch_send_size_bytes",
		    WEIR_SHOW_DETAILED, "By",
		    "Bytes in the batches that were sent.",
		    BOUNDS(byte_bounds)),
	WEIR_METRIC(struct batch, cardinality,
		    "otelcol_processor_batch_metadata_cardinality",
		    WEIR_SHOW_NORMAL, "{combination}",
		    "Combinations of metadata values seen; 1 without "
		    "metadata_keys."),
	WEIR_METRIC_END
};

static int validate(struct weir_component *c, struct weir_error *error)
{
	const struct batch *self = WEIR_SELF(c, struct batch);
	char name[WEIR_PARTITION_NAME];

	if (self->send_batch_max_size &&
	    self->send_batch_max_size < self->send_batch_size)
		return weir_fail(error, NULL, "send_batch_max_size must be "
				 "greater or equal to send_batch_size");
	if (weir_partition_duplicate(&self->metadata_keys, name))
		return weir_fail(error, NULL, "duplicate entry in "
				 "metadata_keys: \"%s\" (case-insensitive)",
				 name);
	if (self->timeout.ns < 0)
		return weir_fail(error, NULL,
				 "timeout must be greater or equal to 0");
	return 0;
}

/* One request under way, one being filled, one incoming; a request may be
 * larger than a batch, so never less than three usual ones.  Core lets a batch
 * that is larger than all of it in when it is empty. */
static uint64_t room(const struct batch *self)
{
	uint64_t one = 8192;

	if (one < self->send_batch_size)
		one = self->send_batch_size;
	if (one < self->send_batch_max_size)
		one = self->send_batch_max_size;
	return 3 * one;
}

/* What describes a batch applies to each worker: hence a pool for each. */
static int start(struct weir_component *c, struct weir_error *error)
{
	struct batch *self = WEIR_SELF(c, struct batch);
	char name[32];

	(void)error;
	self->started = weir_now();
	snprintf(name, sizeof(name), "room of worker %u", c->worker);
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++)
		if (c->signals & 1u << i)
			weir_custody(c, (enum weir_signal)i,
				     weir_credits_get(c, (enum weir_signal)i,
						      name, room(self)),
				     WEIR_SIZER_ITEMS, false);
	return 0;
}

/* The combinations of all signals count together; a pipeline has one. */
static struct shard *shard_of(struct batch *self,
			      const struct weir_batch *batch)
{
	struct shard *shard = (struct shard *)(void *)weir_partition_find(
		&self->partitions, &self->metadata_keys, batch);

	if (shard)
		return shard;
	if (self->metadata_keys.len && self->metadata_cardinality_limit &&
	    self->partitions.n >= self->metadata_cardinality_limit)
		return NULL;
	shard = shard_new(self);
	if (shard && !weir_partition_add(&self->partitions, &shard->node)) {
		shard_free(shard);
		return NULL;
	}
	if (shard) {
		shard->next = self->shards;
		self->shards = shard;
	}
	return shard;
}

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	struct batch *self = WEIR_SELF(c, struct batch);
	struct shard *shard = shard_of(self, batch);
	struct weir_outcome outcome;

	if (shard) {
		shard_add(shard, weir_batch_accept(c, batch));
		return;
	}
	weir_outcome_set(&outcome, WEIR_INTERNAL, WEIR_REASON_NONE,
			 "too many batcher metadata-value combinations");
	weir_batch_nack(batch, &outcome);
}

static void answered(struct weir_component *c, struct weir_batch *batch,
		     const struct weir_outcome *outcome, void *cookie)
{
	(void)c;
	shard_answered(cookie, batch, outcome);
}

void batch_sent(struct batch *self, enum trigger trigger, uint64_t items,
		uint64_t bytes)
{
	weir_counter_add(trigger == TRIGGER_SIZE ? &self->size_trigger
						 : &self->timeout_trigger, 1);
	weir_histogram_record(&self->send_size, &metrics[SEND_SIZE],
			      (double)items);
	weir_histogram_record(&self->send_size_bytes,
			      &metrics[SEND_SIZE_BYTES], (double)bytes);
}

/* Summed over workers: without keys the one combination is worker 0's. */
static void measure(struct weir_component *c)
{
	struct batch *self = WEIR_SELF(c, struct batch);

	weir_gauge_set(&self->cardinality,
		       self->metadata_keys.len ? (int64_t)self->partitions.n
					       : c->worker == 0);
}

static void stop(struct weir_component *c)
{
	struct batch *self = WEIR_SELF(c, struct batch);

	if (!self->stopping)
		self->patience = weir_now() + STOP_PATIENCE;
	self->stopping = true;
	for (struct shard *shard = self->shards; shard; shard = shard->next)
		shard_flush(shard);
}

static void destroy(struct weir_component *c)
{
	struct batch *self = WEIR_SELF(c, struct batch);

	while (self->shards) {
		struct shard *shard = self->shards;

		self->shards = shard->next;
		weir_partition_remove(&self->partitions, &shard->node);
		shard_free(shard);
	}
	weir_partitions_release(&self->partitions);
}

WEIR_PLUGIN(WEIR_PROCESSOR, "batch", "",
	.about     = "Gathers small batches into larger ones.",
	.signals   = WEIR_ALL_SIGNALS,
	.stability = WEIR_STABILITY_BETA,
	.size      = sizeof(struct batch),
	.fields    = fields,
	.metrics   = metrics,
	.custodian = true,
	.validate  = validate,
	.start     = start,
	.consume   = consume,
	.answered  = answered,
	.stop      = stop,
	.destroy   = destroy,
	.measure   = measure,
);
