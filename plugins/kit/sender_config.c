/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender_config.c: keys of sending_queue and retry_on_failure, and what their
 * rows cannot say.  Texts are the Collector's.  Pure.
 */
#include "sender.h"

#include <inttypes.h>
#include <weir/kit/partition.h>

static const struct weir_field partition_fields[] = {
	WEIR_FIELD(struct weir_queue_partition_config, metadata_keys, NULL,
		   "Requests are merged only with those of the same values of "
		   "these keys of the client's metadata."),
	WEIR_END
};

static const struct weir_field batch_fields[] = {
	WEIR_FIELD(struct weir_queue_batch_config, flush_timeout, "200ms",
		   "A batch is sent when it is that old, whatever its size."),
	WEIR_FIELD(struct weir_queue_batch_config, min_size, "8192",
		   "A batch is sent when it has reached that size."),
	WEIR_FIELD(struct weir_queue_batch_config, max_size, "0",
		   "Larger batches are cut; 0: never."),
	WEIR_FIELD(struct weir_queue_batch_config, sizer, NULL,
		   "items or bytes; default: the queue's sizer if that is "
		   "given, else items."),
	WEIR_BLOCK(struct weir_queue_batch_config, partition, partition_fields,
		   "What is kept apart."),
	WEIR_END
};

const struct weir_field weir_queue_fields[] = {
	WEIR_FIELD(struct weir_queue_config, num_consumers, "10",
		   "Requests under way at a time, in the whole process."),
	WEIR_FIELD(struct weir_queue_config, queue_size, "1000",
		   "What the queue and the requests under way may hold, in "
		   "units of sizer, in the whole process."),
	WEIR_FIELD(struct weir_queue_config, sizer, NULL,
		   "requests, items (spans, points, records) or bytes; "
		   "default: requests."),
	WEIR_FIELD(struct weir_queue_config, block_on_overflow, "false",
		   "When full, the sender waits for room instead of being "
		   "refused."),
	WEIR_FIELD(struct weir_queue_config, wait_for_result, "false",
		   "The sender waits until its data was exported."),
	WEIR_FIELD(struct weir_queue_config, storage, NULL,
		   "Not supported yet: the queue is in memory."),
	WEIR_OPTIONAL(struct weir_queue_config, batch, batch_fields,
		      WEIR_BLOCK_DEFAULT,
		      "Merges queued requests before they are sent."),
	WEIR_END
};

const struct weir_field weir_retry_fields[] = {
	WEIR_FIELD(struct weir_retry_config, enabled, "true",
		   "Whether anything is sent again."),
	WEIR_FIELD(struct weir_retry_config, initial_interval, "5s",
		   "The first wait."),
	WEIR_FIELD(struct weir_retry_config, randomization_factor, "0.5",
		   "Each wait is spread by this share of itself."),
	WEIR_FIELD(struct weir_retry_config, multiplier, "1.5",
		   "Each wait is that many times the one before."),
	WEIR_FIELD(struct weir_retry_config, max_interval, "30s",
		   "The longest wait."),
	WEIR_FIELD(struct weir_retry_config, max_elapsed_time, "5m",
		   "After that long a request is given up; 0: never."),
	WEIR_END
};

bool sizer_parse(weir_str name, enum weir_sizer preset, enum weir_sizer *sizer)
{
	*sizer = preset;
	if (!name.len)
		return true;
	if (weir_str_eq(name, WEIR_STR("requests")))
		*sizer = WEIR_SIZER_REQUESTS;
	else if (weir_str_eq(name, WEIR_STR("items")))
		*sizer = WEIR_SIZER_ITEMS;
	else if (weir_str_eq(name, WEIR_STR("bytes")))
		*sizer = WEIR_SIZER_BYTES;
	else
		return false;
	return true;
}

enum weir_sizer queue_sizer(const struct weir_queue_config *config)
{
	enum weir_sizer sizer;

	sizer_parse(config->sizer, WEIR_SIZER_REQUESTS, &sizer);
	return sizer;
}

enum weir_sizer batch_sizer(const struct weir_queue_config *config)
{
	enum weir_sizer sizer;

	sizer_parse(config->batch.sizer,
		    config->sizer.len ? queue_sizer(config) : WEIR_SIZER_ITEMS,
		    &sizer);
	return sizer;
}

static int check_retry(const struct weir_retry_config *r,
		       struct weir_error *error)
{
	const char *path = "retry_on_failure";
	int64_t end = r->max_elapsed_time.ns;

	if (r->initial_interval.ns < 0)
		return weir_fail(error, path,
				 "'initial_interval' must be non-negative");
	if (!(r->randomization_factor >= 0 && r->randomization_factor <= 1))
		return weir_fail(error, path,
				 "'randomization_factor' must be within [0, 1]");
	if (!(r->multiplier >= 0))
		return weir_fail(error, path,
				 "'multiplier' must be non-negative");
	if (r->max_interval.ns < 0)
		return weir_fail(error, path,
				 "'max_interval' must be non-negative");
	if (end < 0)
		return weir_fail(error, path,
				 "'max_elapsed_time' must be non-negative");
	if (end && end < r->initial_interval.ns)
		return weir_fail(error, path, "'max_elapsed_time' must not be "
				 "less than 'initial_interval'");
	if (end && end < r->max_interval.ns)
		return weir_fail(error, path, "'max_elapsed_time' must not be "
				 "less than 'max_interval'");
	return 0;
}

static int check_batch(const struct weir_queue_config *queue,
		       struct weir_error *error)
{
	const struct weir_queue_batch_config *b = &queue->batch;
	const char *path = "sending_queue.batch";
	char name[WEIR_PARTITION_NAME];

	if (batch_sizer(queue) == WEIR_SIZER_REQUESTS)
		return weir_fail(error, path, "`batch` supports only `items` "
				 "or `bytes` sizer, found \"requests\"");
	if (b->flush_timeout.ns <= 0)
		return weir_fail(error, path, "`flush_timeout` must be "
				 "positive, found %" PRId64,
				 b->flush_timeout.ns);
	if (b->min_size < 0)
		return weir_fail(error, path, "`min_size` must be "
				 "non-negative, found %" PRId64, b->min_size);
	if (b->max_size < 0)
		return weir_fail(error, path, "`max_size` must be "
				 "non-negative, found %" PRId64, b->max_size);
	if (b->max_size && b->max_size < b->min_size)
		return weir_fail(error, path, "`max_size` (%" PRId64 ") must be "
				 "greater or equal to `min_size` (%" PRId64 ")",
				 b->max_size, b->min_size);
	if (weir_partition_duplicate(&b->partition.metadata_keys, name))
		return weir_fail(error, "sending_queue.batch.partition",
				 "duplicate entry in metadata_keys: \"%s\" "
				 "(case-insensitive)", name);
	return 0;
}

static int check_queue(const struct weir_queue_config *q,
		       struct weir_error *error)
{
	const char *path = "sending_queue";

	if (q->num_consumers <= 0)
		return weir_fail(error, path, "`num_consumers` must be positive");
	if (q->queue_size <= 0)
		return weir_fail(error, path, "`queue_size` must be positive");
	if (q->storage.len && q->wait_for_result)
		return weir_fail(error, path, "`wait_for_result` is not "
				 "supported with a persistent queue configured "
				 "with `storage`");
	if (q->storage.len)
		return weir_fail(error, "sending_queue.storage",
				 "a persistent queue is not supported yet: "
				 "leave `storage` out to keep the queue in "
				 "memory");
	if (!q->batch.enabled)
		return 0;
	if (batch_sizer(q) == queue_sizer(q) &&
	    q->batch.min_size > q->queue_size)
		return weir_fail(error, path, "`min_size` must be less than or "
				 "equal to `queue_size`");
	return check_batch(q, error);
}

/* Where a value cannot even be decoded the Collector says so first. */
static int check_sizer(weir_str name, const char *path,
		       struct weir_error *error)
{
	enum weir_sizer sizer;

	if (sizer_parse(name, WEIR_SIZER_ITEMS, &sizer))
		return 0;
	return weir_fail(error, path, "invalid sizer: \"%.*s\"",
			 WEIR_STR_FMT(name));
}

int weir_sender_validate(const struct weir_sender_config *config,
			 struct weir_error *error)
{
	const struct weir_queue_config *queue = &config->sending_queue;

	if (check_sizer(queue->sizer, "sending_queue.sizer", error) ||
	    check_sizer(queue->batch.sizer, "sending_queue.batch.sizer", error))
		return -1;
	if (config->timeout.ns < 0)
		return weir_fail(error, "timeout",
				 "'timeout' must be non-negative");
	if (queue->enabled && check_queue(queue, error))
		return -1;
	return check_retry(&config->retry_on_failure, error);
}
