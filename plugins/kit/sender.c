/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender.c: what a request goes through, try by try.
 *
 *	begin --> next part --> attempt --done--> succeeded --> next part, or end
 *	              ^            ^                 |
 *	              |            `---- wait <------+ passing state
 *	              `---- halve <------------------+ too big
 *	                                             `- final: drop, next part
 *
 * Holds the requests under way; each keeps its consumer until its last part
 * has ended.  Must never end a part twice, nor call the exporter about an
 * attempt that was cancelled.
 */
#include "sender.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir/kit/text.h>

#define NO_RETRY_HINT \
	" Try enabling retry_on_failure config option to retry on retryable " \
	"errors."
#define NO_QUEUE_HINT \
	" Try enabling sending_queue to survive temporary failures."

/* --- Ends ------------------------------------------------------------------- */

/* Nobody waits once a queue has accepted: the data is lost.  Without, whoever
 * sent it hears the outcome. */
static bool handed_back(const struct lane *lane)
{
	return !lane->room ||
	       lane->sender->config->sending_queue.wait_for_result;
}

static void log_failure(struct lane *lane, const char *error, size_t items)
{
	static const char *const words[2][2][2] = {
		{ { "Exporting failed. Dropping data.",
		    "Exporting failed. Dropping data." NO_QUEUE_HINT },
		  { "Exporting failed. Dropping data." NO_RETRY_HINT,
		    "Exporting failed. Dropping data." NO_RETRY_HINT
		    NO_QUEUE_HINT } },
		{ { "Exporting failed. Rejecting data.",
		    "Exporting failed. Rejecting data." NO_QUEUE_HINT },
		  { "Exporting failed. Rejecting data." NO_RETRY_HINT,
		    "Exporting failed. Rejecting data." NO_RETRY_HINT
		    NO_QUEUE_HINT } }
	};
	bool back = handed_back(lane);
	const char *text = words[back]
		[!lane->sender->config->retry_on_failure.enabled][!lane->room];

	if (back)
		weir_log_error(lane->sender->c, text,
			       "error=%s rejected_items=%zu", error, items);
	else
		weir_log_error(lane->sender->c, text,
			       "error=%s dropped_items=%zu", error, items);
}

static void fail(struct lane *lane, struct weir_batch *batch,
		 const struct weir_outcome *outcome, const char *error)
{
	size_t items = weir_batch_items(batch);

	weir_count_send_failed(lane->sender->c, lane->signal, outcome, items);
	log_failure(lane, error, items);
	weir_batch_nack(batch, outcome);
}

void send_drop(struct lane *lane, struct weir_batch *batch,
	       const struct weir_outcome *outcome)
{
	fail(lane, batch, outcome, outcome->text);
}

bool send_drop_item(struct lane *lane, struct weir_batch **batch,
		    uint64_t limit)
{
	struct weir_batch *item =
		weir_batch_split(*batch, WEIR_SIZER_ITEMS, 1, NULL);
	bool more = item;
	struct weir_outcome outcome;

	if (!item) {
		item = *batch;
		*batch = NULL;
	}
	weir_outcome_set(&outcome, WEIR_RESOURCE_EXHAUSTED,
			 WEIR_REASON_TOO_BIG,
			 "one item of %zu bytes is larger than %" PRIu64,
			 weir_batch_bytes(item), limit);
	weir_log_warn(lane->sender->c, "Failed to split request.",
		      "error=%s dropped_items=%zu", outcome.text,
		      weir_batch_items(item));
	weir_count_send_failed(lane->sender->c, lane->signal, &outcome,
			       weir_batch_items(item));
	weir_batch_nack(item, &outcome);
	return more;
}

/* Names of fields are literals in the format: one line per signal. */
static void log_partial(struct lane *lane, const struct weir_outcome *outcome)
{
	struct weir_component *c = lane->sender->c;
	long long n = (long long)outcome->rejected;
	const char *words = "Partial success response";

	if (lane->signal == WEIR_SIGNAL_TRACES)
		weir_log_warn(c, words, "message=%s dropped_spans=%lld",
			      outcome->text, n);
	else if (lane->signal == WEIR_SIGNAL_METRICS)
		weir_log_warn(c, words, "message=%s dropped_data_points=%lld",
			      outcome->text, n);
	else
		weir_log_warn(c, words, "message=%s dropped_log_records=%lld",
			      outcome->text, n);
}

static void succeed(struct weir_send *send, const struct weir_outcome *outcome)
{
	struct lane *lane = send->lane;
	size_t items = weir_batch_items(send->batch);
	struct weir_outcome partial = *outcome;

	weir_count_sent(lane->sender->c, lane->signal, items);
	send->refusals = 0;
	send->started = 0;
	send->backoff = (struct backoff){ 0 };
	if (partial.rejected > items)
		partial.rejected = items;
	if (partial.rejected || partial.text[0])
		log_partial(lane, &partial);
	if (partial.rejected)
		weir_batch_ack_partial(send->batch, &partial);
	else
		weir_batch_ack(send->batch);
	send->batch = NULL;
}

/* --- From part to part -------------------------------------------------------- */

static void put_back(struct weir_send *send)
{
	struct lane *lane = send->lane;
	struct weir_sender *sender = lane->sender;

	if (send->next)
		send->next->prev = send->prev;
	if (send->prev)
		send->prev->next = send->next;
	else
		lane->busy = send->next;
	lane->under_way--;
	send->next = sender->idle;
	sender->idle = send;
	lane_finished(lane);
}

/* The next part into send->batch: what is on top of the stack, cut to
 * max_request_bytes, items that no cut makes small enough dropped. */
static bool next_part(struct weir_send *send)
{
	uint64_t max = send->lane->sender->config->max_request_bytes.bytes;

	while (send->n_parts) {
		struct weir_batch *whole = send->parts[--send->n_parts];
		bool too_large = false;

		if (!max || weir_batch_bytes(whole) <= max) {
			send->batch = whole;
			return true;
		}
		send->batch = weir_batch_split(whole, WEIR_SIZER_BYTES, max,
					       &too_large);
		if (!send->batch && !too_large) {
			send->batch = whole;
			return true;
		}
		if (send->batch || send_drop_item(send->lane, &whole, max))
			send->parts[send->n_parts++] = whole;
		if (send->batch)
			return true;
	}
	return false;
}

static void failed(struct weir_send *send, const struct weir_outcome *outcome);

static void timed_out(struct weir_component *c, struct weir_timer *timer)
{
	struct weir_send *send = (struct weir_send *)(void *)
		((char *)timer - offsetof(struct weir_send, timer));
	struct weir_outcome outcome;

	send->attempting = false;
	send->lane->sender->ops->cancel(c, send);
	weir_outcome_set(&outcome, WEIR_DEADLINE_EXCEEDED,
			 WEIR_REASON_DEADLINE, "context deadline exceeded");
	failed(send, &outcome);
}

static void attempt(struct weir_send *send)
{
	struct weir_sender *sender = send->lane->sender;

	if (!send->started)
		send->started = weir_now();
	send->attempting = true;
	send->data = NULL;
	if (sender->config->timeout.ns)
		weir_timer_set(&send->timer, sender->c, sender->config->timeout,
			       timed_out);
	sender->ops->send(sender->c, send, send->batch);
}

static void next(struct weir_send *send)
{
	if (next_part(send))
		attempt(send);
	else
		put_back(send);
}

void send_begin(struct lane *lane, struct weir_batch *batch)
{
	struct weir_sender *sender = lane->sender;
	struct weir_send *send = sender->idle;

	if (send)
		sender->idle = send->next;
	else
		send = malloc(sizeof(*send));
	if (!send)
		abort();
	*send = (struct weir_send){ .lane = lane, .next = lane->busy,
				    .parts = { batch }, .n_parts = 1 };
	if (lane->busy)
		lane->busy->prev = send;
	lane->busy = send;
	lane->under_way++;
	next(send);
}

/* --- Failures --------------------------------------------------------------------- */

static void give_up(struct weir_send *send, const struct weir_outcome *outcome,
		    enum weir_reason reason, const char *why)
{
	struct weir_batch *batch = send->batch;
	struct weir_outcome final = *outcome;
	char error[sizeof(final.text) + 96];

	snprintf(error, sizeof(error), "%s%s", why, outcome->text);
	if (reason != WEIR_REASON_NONE)
		final.reason = reason;
	send->batch = NULL;
	fail(send->lane, batch, &final, error);
	next(send);
}

static void waited(struct weir_component *c, struct weir_timer *timer)
{
	(void)c;
	attempt((struct weir_send *)(void *)
		((char *)timer - offsetof(struct weir_send, timer)));
}

/* Sent again later, or given up when that would be too late. */
static void retry(struct weir_send *send, const struct weir_outcome *outcome)
{
	struct weir_sender *sender = send->lane->sender;
	const struct weir_retry_config *config =
		&sender->config->retry_on_failure;
	weir_duration throttle = {
		retry_throttle(config, outcome->retry_after) };
	weir_duration delay = {
		backoff_next(&send->backoff, config,
			     backoff_chance(weir_random())) };
	char interval[WEIR_DURATION_TEXT], prefix[64] = "", why[128];
	uint64_t deadline = handed_back(send->lane)
				    ? weir_batch_deadline(send->batch) : 0;
	uint64_t then;

	if (throttle.ns)
		snprintf(prefix, sizeof(prefix), "Throttle (%s), error: ",
			 weir_duration_text(throttle, interval));
	if (delay.ns < throttle.ns)
		delay = throttle;
	then = weir_now() + (uint64_t)delay.ns;
	if (config->max_elapsed_time.ns &&
	    then > send->started + (uint64_t)config->max_elapsed_time.ns) {
		snprintf(why, sizeof(why), "no more retries left: %s", prefix);
		give_up(send, outcome, WEIR_REASON_GAVE_UP, why);
		return;
	}
	if (deadline && then > deadline) {
		snprintf(why, sizeof(why), "request will be cancelled before "
			 "next retry: %s", prefix);
		give_up(send, outcome, WEIR_REASON_NONE, why);
		return;
	}
	weir_log_info(sender->c, "Exporting failed. Will retry the request "
		      "after interval.", "error=%s%s interval=%s",
		      prefix, outcome->text,
		      weir_duration_text(delay, interval));
	weir_timer_set(&send->timer, sender->c, delay, waited);
}

/* The backend's word for "too big" is also its word for "over quota": then
 * halving does not help, which SEND_REFUSALS ends. */
static bool halve(struct weir_send *send, const struct weir_outcome *outcome)
{
	size_t items = weir_batch_items(send->batch);
	struct weir_batch *half;

	if (outcome->status != WEIR_RESOURCE_EXHAUSTED &&
	    outcome->reason != WEIR_REASON_TOO_BIG)
		return false;
	if (++send->refusals > SEND_REFUSALS || items < 2 ||
	    send->n_parts == SEND_PARTS)
		return false;
	half = weir_batch_split(send->batch, WEIR_SIZER_ITEMS, items / 2, NULL);
	if (!half)
		return false;
	send->parts[send->n_parts++] = send->batch;
	send->batch = half;
	weir_log_warn(send->lane->sender->c, "Request too big for the backend. "
		      "Sending it in halves.", "error=%s items=%zu",
		      outcome->text, items);
	attempt(send);
	return true;
}

/* After too many refusals in a row nothing of the request is tried again. */
static void drop_rest(struct weir_send *send,
		      const struct weir_outcome *outcome)
{
	while (send->refusals > SEND_REFUSALS && send->n_parts)
		send_drop(send->lane, send->parts[--send->n_parts], outcome);
}

static void failed(struct weir_send *send, const struct weir_outcome *outcome)
{
	const struct weir_sender *sender = send->lane->sender;
	bool again = sender->config->retry_on_failure.enabled;

	if (weir_outcome_retryable(outcome)) {
		if (again && !sender->stopping)
			retry(send, outcome);
		else if (again)
			give_up(send, outcome, WEIR_REASON_DRAINING,
				"interrupted due to shutdown: ");
		else
			give_up(send, outcome, WEIR_REASON_NONE, "");
		return;
	}
	if (halve(send, outcome))
		return;
	drop_rest(send, outcome);
	give_up(send, outcome, WEIR_REASON_NONE,
		again ? "not retryable error: Permanent error: "
		      : "Permanent error: ");
}

/* --- For exporters --------------------------------------------------------------------- */

void weir_send_set_data(struct weir_send *send, void *data)
{
	send->data = data;
}

void *weir_send_data(const struct weir_send *send)
{
	return send->data;
}

void weir_send_done(struct weir_send *send, const struct weir_outcome *outcome)
{
	if (!send->attempting)
		abort();	/* done twice, or after cancel */
	send->attempting = false;
	weir_timer_cancel(&send->timer);
	if (outcome->status != WEIR_OK) {
		failed(send, outcome);
		return;
	}
	succeed(send, outcome);
	next(send);
}

struct weir_sender *weir_sender_start(struct weir_component *c,
				      const struct weir_sender_config *config,
				      const struct weir_sender_ops *ops,
				      struct weir_error *error)
{
	struct weir_sender *sender = calloc(1, sizeof(*sender));

	if (!sender)
		goto out_of_memory;
	sender->c = c;
	sender->config = config;
	sender->ops = ops;
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++)
		if (c->signals & 1u << i &&
		    !lane_open(&sender->lanes[i], sender, (enum weir_signal)i))
			goto out_of_memory;
	return sender;
out_of_memory:
	weir_sender_free(&sender);
	weir_fail(error, NULL, "out of memory");
	return NULL;
}

void weir_sender_consume(struct weir_sender *sender, struct weir_batch *batch)
{
	lane_consume(&sender->lanes[weir_batch_signal(batch)], batch);
}

/* Core adds the workers up: what is a count of the whole process, worker 0
 * tells. */
void weir_sender_measure(const struct weir_sender *sender,
			 struct weir_sender_gauges *gauges)
{
	for (int i = 0; sender && i < WEIR_SIGNAL_COUNT; i++) {
		const struct lane *lane = &sender->lanes[i];

		weir_gauge_set(&gauges->in_flight[i],
			       (int64_t)lane->under_way);
		if (!lane->room) {	/* no queue */
			gauges->queue_size[i].value = WEIR_GAUGE_NONE;
			gauges->queue_capacity[i].value = WEIR_GAUGE_NONE;
		}
		if (!lane->room || sender->c->worker != 0)
			continue;
		weir_gauge_set(&gauges->queue_size[i],
			       (int64_t)weir_credits_used(lane->room));
		weir_gauge_set(&gauges->queue_capacity[i],
			       (int64_t)weir_credits_total(lane->room));
	}
}

void weir_sender_stop(struct weir_sender *sender)
{
	if (!sender || sender->stopping)
		return;
	sender->stopping = true;
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++) {
		struct lane *lane = &sender->lanes[i];

		if (!lane->sender)
			continue;
		/* Who waits gets his last attempt now. */
		for (struct weir_send *send = lane->busy; send;
		     send = send->next)
			if (!send->attempting)
				weir_timer_set(&send->timer, sender->c,
					       (weir_duration){ 0 }, waited);
		lane_stop(lane);
	}
}

static void abandon(struct weir_send *send, const struct weir_outcome *outcome)
{
	struct lane *lane = send->lane;

	weir_timer_cancel(&send->timer);
	if (send->attempting)
		lane->sender->ops->cancel(lane->sender->c, send);
	if (send->batch)
		send_drop(lane, send->batch, outcome);
	while (send->n_parts)
		send_drop(lane, send->parts[--send->n_parts], outcome);
	if (lane->room)
		weir_credits_give(lane->consumers, 1);
	lane->busy = send->next;
	free(send);
}

void weir_sender_free(struct weir_sender **sender)
{
	struct weir_sender *s = *sender;
	struct weir_outcome outcome;

	if (!s)
		return;
	weir_outcome_set(&outcome, WEIR_UNAVAILABLE, WEIR_REASON_DRAINING,
			 "interrupted due to shutdown");
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++) {
		struct lane *lane = &s->lanes[i];

		if (!lane->sender)
			continue;
		lane_close(lane, &outcome);
		while (lane->busy)
			abandon(lane->busy, &outcome);
	}
	while (s->idle) {
		struct weir_send *send = s->idle;

		s->idle = send->next;
		free(send);
	}
	free(s);
	*sender = NULL;
}
