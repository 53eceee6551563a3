/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exporter.h: sending queue, retry and timeout, the same for every exporter.
 *
 * An exporter says how to encode and where to send; it embeds a struct
 * weir_sender, includes its rows, and writes no queue and no retry.  Keys,
 * defaults and error texts are the Collector's exporterhelper.
 *
 *	consume -> queue (custodian) -> [split by max_request_bytes]
 *	        -> retry loop -> send(part) -> weir_send_done
 */
#ifndef WEIR_KIT_EXPORTER_H
#define WEIR_KIT_EXPORTER_H

#include <weir/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_queue_batch_config {
	bool enabled;
	weir_duration flush_timeout;
	int64_t min_size, max_size;
	weir_str sizer;
	struct { struct weir_strs metadata_keys; } partition;
};
struct weir_queue_config {
	bool enabled;
	int64_t num_consumers, queue_size;
	weir_str sizer;			/* requests items bytes */
	bool block_on_overflow, wait_for_result;
	weir_str storage;
	struct weir_queue_batch_config batch;
};
struct weir_retry_config {
	bool enabled;
	weir_duration initial_interval, max_interval, max_elapsed_time;
	double randomization_factor, multiplier;
};
WEIR_API extern const struct weir_field weir_queue_fields[];
WEIR_API extern const struct weir_field weir_retry_fields[];

/* Bound by the exporter's rows:
 *	WEIR_OPTIONAL(struct x, queue, weir_queue_fields, WEIR_BLOCK_ON, ...)
 * with .key "sending_queue", and so on; see exporters/otlp_grpc. */
struct weir_sender_config {
	struct weir_queue_config sending_queue;
	struct weir_retry_config retry_on_failure;
	weir_duration timeout;		/* per attempt; 0 = none */
	weir_size max_request_bytes;	/* 0 = never split */
};
WEIR_API int weir_sender_validate(const struct weir_sender_config *config,
				  struct weir_error *error);

struct weir_send;		/* one attempt to send one batch */
struct weir_sender;

struct weir_sender_ops {
	/* Sends the batch (which stays the sender's and unchanged until
	 * weir_send_done).  May keep the attempt; timeout is the kit's: cancel
	 * is called when it is over. */
	void (*send)(struct weir_component *c, struct weir_send *send,
		     const struct weir_batch *batch);
	/* Forget the attempt; weir_send_done must not be called for it. */
	void (*cancel)(struct weir_component *c, struct weir_send *send);
};
/* For the exporter's own state of an attempt. */
WEIR_API void weir_send_set_data(struct weir_send *send, void *data);
WEIR_API void *weir_send_data(const struct weir_send *send);
/* Ends the attempt; later turns only.  OK with rejected > 0 is partial
 * success: logged, counted, never retried. */
WEIR_API void weir_send_done(struct weir_send *send,
			     const struct weir_outcome *outcome);

/* From start, consume, answered, stop and destroy of the exporter. */
WEIR_API struct weir_sender *weir_sender_start(struct weir_component *c,
	const struct weir_sender_config *config,
	const struct weir_sender_ops *ops, struct weir_error *error);
WEIR_API void weir_sender_consume(struct weir_sender *sender,
				  struct weir_batch *batch);
WEIR_API void weir_sender_answered(struct weir_sender *sender,
	struct weir_batch *batch, const struct weir_outcome *outcome,
	void *cookie);
WEIR_API void weir_sender_stop(struct weir_sender *sender);
WEIR_API void weir_sender_free(struct weir_sender **sender);

#ifdef __cplusplus
}
#endif
#endif
