/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debug: writes what comes to the log, or to a stream of its own.
 *
 * A line of counts per batch, and with more verbosity the batch as text.
 * Holds one buffer, reused, its open outputs, the counts of the sampling, and
 * what has been written in this turn and is not yet answered.  Queue and
 * answers are the kit's sender.  Must never fail a batch.
 */
#include <weir/kit/exporter.h>
#include <weir/plugin.h>

#include "output.h"
#include "sample.h"
#include "text.h"

#include <strings.h>

#define KEEP_MAX (1u << 20)	/* a buffer grown larger is given back */

enum verbosity { BASIC, NORMAL, DETAILED };

struct debug {
	struct weir_component base;
	weir_str verbosity;
	int64_t sampling_initial, sampling_thereafter;
	bool use_internal_logger;
	const struct weir_node *output_paths;	/* NULL: not given */
	struct weir_sender_config sending;	/* of it only the queue */

	struct weir_sender *sender;
	struct weir_sender_gauges gauges;
	struct weir_send *written;	/* this turn, newest first */
	struct weir_timer turn;
	enum verbosity level;
	struct debug_output output;
	struct debug_sample sample;	/* the prototype's counts */
	struct weir_text text;
	struct weir_text safe;		/* text with controls escaped */
};

static const struct weir_field fields[] = {
	WEIR_FIELD(struct debug, verbosity, "basic",
		   "basic: counts; normal: a line per item; detailed: all."),
	WEIR_FIELD(struct debug, sampling_initial, "2",
		   "Entries with the same message per second that are always "
		   "written."),
	WEIR_FIELD(struct debug, sampling_thereafter, "1",
		   "Then every Nth of them; 0: none."),
	WEIR_FIELD(struct debug, use_internal_logger, "true",
		   "Write to the log; false: to output_paths."),
	WEIR_FIELD(struct debug, output_paths, NULL,
		   "stdout, stderr or files, appended to; [stdout] when not "
		   "given."),
	{ .key = "sending_queue", .type = WEIR_TYPE_BLOCK,
	  .flags = WEIR_BLOCK_DEFAULT, .sub = weir_queue_fields,
	  .offset = offsetof(struct debug, sending.sending_queue),
	  .enabled_offset = offsetof(struct debug,
				     sending.sending_queue.enabled),
	  .help = "A queue in front." },
	WEIR_END
};

static const struct weir_metric_def metrics[] = {
	WEIR_SENDER_METRICS(struct debug, gauges),
	WEIR_METRIC_END
};

static bool is_word(weir_str text, const char *word)
{
	return text.len == strlen(word) &&
	       !strncasecmp(text.ptr, word, text.len);
}

static int parse_verbosity(struct debug *self, struct weir_error *error)
{
	static const char *const words[] = { "basic", "normal", "detailed" };

	for (size_t i = 0; i < 3; i++) {
		if (is_word(self->verbosity, words[i])) {
			self->level = (enum verbosity)i;
			return 0;
		}
	}
	if (is_word(self->verbosity, "none"))
		return weir_fail(error, "verbosity", "verbosity level \"None\" "
				 "is not supported");
	return weir_fail(error, "verbosity", "'verbosity' unknown metrics "
			 "level \"%.*s\"", WEIR_STR_FMT(self->verbosity));
}

/* One string stands for a list of one. */
static int check_paths(const struct weir_node *paths, struct weir_error *error)
{
	enum weir_node_kind kind = weir_node_kind(paths);

	for (size_t i = 0; kind == WEIR_NODE_LIST && i < weir_node_len(paths);
	     i++)
		if (weir_node_kind(weir_node_at(paths, i)) != WEIR_NODE_STR)
			kind = WEIR_NODE_MAP;
	if (kind == WEIR_NODE_LIST || kind == WEIR_NODE_STR ||
	    kind == WEIR_NODE_NULL)
		return 0;
	return weir_fail(error, "output_paths", "'output_paths' must be a list "
			 "of strings");
}

static int validate(struct weir_component *c, struct weir_error *error)
{
	struct debug *self = WEIR_SELF(c, struct debug);
	const struct weir_node *paths = self->output_paths;
	bool given = weir_node_kind(paths) != WEIR_NODE_NULL;

	if (parse_verbosity(self, error) < 0)
		return -1;
	if (check_paths(paths, error) < 0)
		return -1;
	if (given && self->use_internal_logger)
		return weir_fail(error, "output_paths", "output_paths is not "
				 "supported when use_internal_logger is true");
	if (weir_node_kind(paths) == WEIR_NODE_LIST && !weir_node_len(paths))
		return weir_fail(error, "output_paths", "output_paths must not "
				 "be empty when use_internal_logger is false");
	if (weir_sender_validate(&self->sending, error) < 0)
		return -1;
	if (!debug_sample_init(&self->sample, self->sampling_initial,
			       self->sampling_thereafter))
		return weir_fail(error, NULL, "out of memory");
	return 0;
}

/* --- Entries ------------------------------------------------------------ */

/* A site of its own each time: the sampling here is the only limit. */
#define LOG_ENTRY(c, message, ...)					\
	do {								\
		struct weir_log_site site_ = { __FILE__, __LINE__, 0, 0, 0 }; \
		weir_log(c, &site_, WEIR_INFO, message, __VA_ARGS__);	\
	} while (0)

static const struct summary {
	const char *message, *resources, *items;
} summaries[WEIR_SIGNAL_COUNT] = {
	[WEIR_SIGNAL_TRACES] = { "Traces", "resource spans", "spans" },
	[WEIR_SIGNAL_METRICS] = { "Metrics", "resource metrics",
				  "data points" },
	[WEIR_SIGNAL_LOGS] = { "Logs", "resource logs", "log records" },
};

static void own_summary(struct debug *self, const struct weir_batch *batch,
			struct debug_counts counts)
{
	enum weir_signal signal = weir_batch_signal(batch);
	const struct summary *say = &summaries[signal];

	weir_text_clear(&self->text);
	weir_text_addf(&self->text, "%s\t{\"%s\": %zu, ", say->message,
		       say->resources, counts.resources);
	if (signal == WEIR_SIGNAL_METRICS)
		weir_text_addf(&self->text, "\"metrics\": %zu, ",
			       counts.metrics);
	weir_text_addf(&self->text, "\"%s\": %zu}\n", say->items,
		       weir_batch_items(batch));
	debug_output_write(&self->output, &self->text);
}

static void log_summary(struct debug *self, const struct weir_batch *batch,
			struct debug_counts counts)
{
	size_t items = weir_batch_items(batch);

	switch (weir_batch_signal(batch)) {
	case WEIR_SIGNAL_TRACES:
		LOG_ENTRY(&self->base, "Traces",
			  "\"resource spans\"=%zu spans=%zu",
			  counts.resources, items);
		break;
	case WEIR_SIGNAL_METRICS:
		LOG_ENTRY(&self->base, "Metrics", "\"resource metrics\"=%zu "
			  "metrics=%zu \"data points\"=%zu", counts.resources,
			  counts.metrics, items);
		break;
	default:
		LOG_ENTRY(&self->base, "Logs", "\"resource logs\"=%zu "
			  "\"log records\"=%zu", counts.resources, items);
		break;
	}
}

static void summary(struct debug *self, const struct weir_batch *batch)
{
	const char *message = summaries[weir_batch_signal(batch)].message;

	if (!debug_sample_take(&self->sample, weir_str_of(message)))
		return;
	if (self->use_internal_logger)
		log_summary(self, batch, debug_count(batch));
	else
		own_summary(self, batch, debug_count(batch));
}

/* Bytes of what a terminal obeys: C0 but for line ends and tabs, DEL, and C1 in
 * UTF-8.  0: none here. */
static size_t control(const char *ptr, size_t len, unsigned int *code)
{
	unsigned char c = (unsigned char)ptr[0];

	*code = c;
	if (c < 0x20)
		return c != '\n' && c != '\t';
	if (c == 0x7f)
		return 1;
	if (c != 0xc2 || len < 2 || (unsigned char)ptr[1] > 0x9f)
		return 0;
	*code = (unsigned char)ptr[1];
	return 2;
}

/* The text with controls as \u001b: what comes must not steer a terminal, and a
 * NUL would end the entry early in the log. */
static struct weir_text *tame(struct debug *self)
{
	struct weir_text *text = &self->text, *safe = &self->safe;
	size_t from = 0, skip;
	unsigned int code;

	weir_text_clear(safe);
	for (size_t i = 0; i < text->len; i += skip ? skip : 1) {
		skip = control(text->ptr + i, text->len - i, &code);
		if (!skip)
			continue;
		weir_text_add(safe, (weir_str){ text->ptr + from, i - from });
		weir_text_addf(safe, "\\u%04x", code);
		from = i + skip;
	}
	if (!from)
		return text;
	weir_text_add(safe, (weir_str){ text->ptr + from, text->len - from });
	return safe;
}

static void log_text(struct debug *self, struct weir_text *text)
{
	weir_text_add(text, (weir_str){ "", 1 });
	LOG_ENTRY(&self->base, text->ptr, NULL);
}

static void shrink(struct weir_text *text)
{
	if (text->cap > KEEP_MAX)
		weir_text_release(text);
}

static void details(struct debug *self, const struct weir_batch *batch)
{
	struct weir_text *text = &self->text;

	weir_text_clear(text);
	if (self->level == NORMAL)
		debug_normal(batch, text);
	else
		debug_detailed(batch, text);
	text = tame(self);
	if (debug_sample_take(&self->sample,
			      (weir_str){ text->ptr, text->len })) {
		if (self->use_internal_logger) {
			log_text(self, text);
		} else {
			weir_text_add(text, WEIR_STR("\n"));
			debug_output_write(&self->output, text);
		}
	}
	shrink(&self->text);
	shrink(&self->safe);
}

/* --- Attempts ----------------------------------------------------------- */

/* All attempts of the turn ended well; an answer may begin others. */
static void turn_over(struct weir_component *c, struct weir_timer *timer)
{
	struct debug *self = WEIR_SELF(c, struct debug);
	const struct weir_outcome good = { .status = WEIR_OK };
	struct weir_send *send;

	(void)timer;
	while ((send = self->written)) {
		self->written = weir_send_data(send);
		weir_send_done(send, &good);
	}
}

static void send_batch(struct weir_component *c, struct weir_send *send,
		       const struct weir_batch *batch)
{
	struct debug *self = WEIR_SELF(c, struct debug);

	if (!self->use_internal_logger || weir_log_enabled(WEIR_INFO)) {
		summary(self, batch);
		if (self->level != BASIC)
			details(self, batch);
	}
	weir_send_set_data(send, self->written);
	self->written = send;
	if (!weir_timer_is_set(&self->turn))
		weir_timer_set(&self->turn, c, (weir_duration){ 0 },
			       turn_over);
}

static void cancel(struct weir_component *c, struct weir_send *send)
{
	struct debug *self = WEIR_SELF(c, struct debug);
	struct weir_send *kept = NULL, *each = self->written;

	while (each) {
		struct weir_send *next = weir_send_data(each);

		if (each != send) {
			weir_send_set_data(each, kept);
			kept = each;
		}
		each = next;
	}
	self->written = kept;
}

static const struct weir_sender_ops ops = {
	.send = send_batch,
	.cancel = cancel
};

/* --- Life --------------------------------------------------------------- */

static int start(struct weir_component *c, struct weir_error *error)
{
	struct debug *self = WEIR_SELF(c, struct debug);

	if (!self->use_internal_logger &&
	    debug_output_open(&self->output, self->output_paths, error) < 0)
		return -1;
	self->sender = weir_sender_start(c, &self->sending, &ops, error);
	return self->sender ? 0 : -1;
}

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	weir_sender_consume(WEIR_SELF(c, struct debug)->sender, batch);
}

static void measure(struct weir_component *c)
{
	struct debug *self = WEIR_SELF(c, struct debug);

	weir_sender_measure(self->sender, &self->gauges);
}

static void stop(struct weir_component *c)
{
	weir_sender_stop(WEIR_SELF(c, struct debug)->sender);
}

static void destroy(struct weir_component *c)
{
	struct debug *self = WEIR_SELF(c, struct debug);

	weir_sender_free(&self->sender);
	weir_timer_cancel(&self->turn);
	debug_output_close(&self->output);
	weir_text_release(&self->text);
	weir_text_release(&self->safe);
	if (!c->node)
		debug_sample_free(&self->sample);
}

WEIR_PLUGIN(WEIR_EXPORTER, "debug", "",
	.about     = "Writes what comes to the log, for people.",
	.signals   = WEIR_ALL_SIGNALS,
	.stability = WEIR_STABILITY_BETA,
	.size      = sizeof(struct debug),
	.fields    = fields,
	.metrics   = metrics,
	.custodian = true,
	.validate  = validate,
	.start     = start,
	.consume   = consume,
	.stop      = stop,
	.destroy   = destroy,
	.measure   = measure,
);
