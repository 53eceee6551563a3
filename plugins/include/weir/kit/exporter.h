/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exporter.h: sending queue, retry and timeout, the same for every exporter.
 *
 * An exporter says where to send; it embeds a struct weir_sender_config,
 * names WEIR_SENDER_FIELDS in its rows, and writes no queue and no retry.
 * Keys, defaults and error texts are the Collector's exporterhelper.
 *
 *	consume -> queue (custodian) -> [sending_queue.batch]
 *	        -> a consumer, num_consumers in the whole process
 *	        -> [cut by max_request_bytes] -> send(part) -> weir_send_done
 *	                     ^                        |
 *	                     `---- back-off <---------'
 *
 * A request that the backend calls too big is cut in halves and sent again.
 */
#ifndef WEIR_KIT_EXPORTER_H
#define WEIR_KIT_EXPORTER_H

#include <weir/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Configuration -------------------------------------------------------- */

struct weir_queue_partition_config {
	struct weir_strs metadata_keys;
};
struct weir_queue_batch_config {
	bool enabled;
	weir_duration flush_timeout;
	int64_t min_size, max_size;
	weir_str sizer;			/* "": the queue's if given, else items */
	struct weir_queue_partition_config partition;
};
struct weir_queue_config {
	bool enabled;
	int64_t num_consumers, queue_size;
	weir_str sizer;			/* requests items bytes; "": requests */
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

struct weir_sender_config {
	struct weir_queue_config sending_queue;
	struct weir_retry_config retry_on_failure;
	weir_duration timeout;		/* per attempt; 0 = none */
	weir_size max_request_bytes;	/* 0 = never split */
};

/* The rows of an exporter's table; member: its struct weir_sender_config. */
#define WEIR_SENDER_FIELDS(S, member, timeout_, max_request_bytes_)	\
	WEIR_FIELD_AS(S, "timeout", member.timeout, timeout_,		\
		      "Time that one attempt to send may take; 0: no end."), \
	{ .key = "sending_queue", .type = WEIR_TYPE_BLOCK,		\
	  .flags = WEIR_BLOCK_ON, .sub = weir_queue_fields,		\
	  .offset = offsetof(S, member.sending_queue),			\
	  .enabled_offset = offsetof(S, member.sending_queue.enabled),	\
	  .help = "The queue between the pipeline and the backend." },	\
	{ .key = "retry_on_failure", .type = WEIR_TYPE_BLOCK,		\
	  .sub = weir_retry_fields,					\
	  .offset = offsetof(S, member.retry_on_failure),		\
	  .help = "How what failed for a passing reason is sent again." }, \
	WEIR_FIELD_AS(S, "max_request_bytes", member.max_request_bytes,	\
		      max_request_bytes_,				\
		      "A larger request is sent in parts; 0: never.",	\
		      .flags = WEIR_OURS)

/* From the exporter's validate. */
WEIR_API int weir_sender_validate(const struct weir_sender_config *config,
				  struct weir_error *error);

/* --- Gauges ------------------------------------------------------------------ */

struct weir_sender_gauges {		/* indexed by signal */
	weir_gauge queue_size[WEIR_SIGNAL_COUNT];
	weir_gauge queue_capacity[WEIR_SIGNAL_COUNT];
	weir_gauge in_flight[WEIR_SIGNAL_COUNT];
};

#define WEIR_SENDER_GAUGE_(S, member_, name_, unit_, help_, signal_, text_) \
	WEIR_METRIC(S, member_[signal_], name_, WEIR_SHOW_BASIC, unit_,	\
		    help_, .label = "data_type", .label_value = text_)
#define WEIR_SENDER_GAUGES_(S, member_, name_, unit_, help_)		\
	WEIR_SENDER_GAUGE_(S, member_, name_, unit_, help_,		\
			   WEIR_SIGNAL_TRACES, "traces"),		\
	WEIR_SENDER_GAUGE_(S, member_, name_, unit_, help_,		\
			   WEIR_SIGNAL_METRICS, "metrics"),		\
	WEIR_SENDER_GAUGE_(S, member_, name_, unit_, help_,		\
			   WEIR_SIGNAL_LOGS, "logs")
/* The rows of an exporter's metrics; member: its struct weir_sender_gauges.
 * weir_sender_measure fills them, from the exporter's `measure`. */
#define WEIR_SENDER_METRICS(S, member)					\
	WEIR_SENDER_GAUGES_(S, member.queue_size,			\
			    "otelcol_exporter_queue_size", "{batch}",	\
			    "Current size of the sending queue, in units " \
			    "of its sizer."),				\
	WEIR_SENDER_GAUGES_(S, member.queue_capacity,			\
			    "otelcol_exporter_queue_capacity", "{batch}", \
			    "Capacity of the sending queue, in units of " \
			    "its sizer."),				\
	WEIR_SENDER_GAUGES_(S, member.in_flight,			\
			    "otelcol_exporter_in_flight_requests",	\
			    "{request}",				\
			    "Requests under way now, those that wait to " \
			    "be sent again included.")

/* --- Sending ------------------------------------------------------------------- */

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
/* For the exporter's own state of an attempt; NULL when an attempt begins. */
WEIR_API void weir_send_set_data(struct weir_send *send, void *data);
WEIR_API void *weir_send_data(const struct weir_send *send);
/* Ends the attempt; later turns only.  OK with rejected > 0 or a text is
 * partial success: logged, counted, never retried. */
WEIR_API void weir_send_done(struct weir_send *send,
			     const struct weir_outcome *outcome);

/* From start; config and ops outlive the sender.  NULL and a sentence on
 * failure.  Declares custody for the signals c is wired for. */
WEIR_API struct weir_sender *weir_sender_start(struct weir_component *c,
	const struct weir_sender_config *config,
	const struct weir_sender_ops *ops, struct weir_error *error);
/* From consume: takes the batch. */
WEIR_API void weir_sender_consume(struct weir_sender *sender,
				  struct weir_batch *batch);
/* From measure; sender may be NULL. */
WEIR_API void weir_sender_measure(const struct weir_sender *sender,
				  struct weir_sender_gauges *gauges);
/* From stop: no more waiting between attempts, what is queued gets one attempt
 * each.  sender may be NULL; twice is fine. */
WEIR_API void weir_sender_stop(struct weir_sender *sender);
/* From destroy, before what `send` uses is freed: attempts are cancelled, what
 * is left is dropped and counted.  Leaves NULL. */
WEIR_API void weir_sender_free(struct weir_sender **sender);

#ifdef __cplusplus
}
#endif
#endif
