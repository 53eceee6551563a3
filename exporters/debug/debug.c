/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debug: writes what comes to the log, or to a stream of its own.
 *
 * A line of counts per batch, and with more verbosity the batch as text.
 * Holds one buffer, reused, its open outputs, and the counts of the sampling.
 * Acks every batch at once; must never fail one.
 */
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
	const struct weir_node *sending_queue;	/* NULL: not given */

	enum verbosity level;
	struct debug_output output;
	struct debug_sample sample;
	struct weir_text text;
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
	WEIR_FIELD(struct debug, sending_queue, NULL,
		   "A queue in front; refused unless enabled is false."),
	WEIR_END
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

/* A null block turns the queue on, as {} does. */
static int check_queue(const struct weir_node *queue, struct weir_error *error)
{
	const struct weir_node *enabled;

	if (!queue)
		return 0;
	enabled = weir_node_get(queue, WEIR_STR("enabled"));
	if (weir_node_kind(enabled) == WEIR_NODE_BOOL &&
	    !weir_node_bool(enabled))
		return 0;
	return weir_fail(error, "sending_queue", "sending_queue is not "
			 "available in this exporter; leave it out");
}

static int validate(struct weir_component *c, struct weir_error *error)
{
	struct debug *self = WEIR_SELF(c, struct debug);
	const struct weir_node *paths = self->output_paths;
	bool given = weir_node_kind(paths) != WEIR_NODE_NULL;

	if (parse_verbosity(self, error) < 0)
		return -1;
	if (given && weir_node_kind(paths) != WEIR_NODE_LIST)
		return weir_fail(error, "output_paths", "'output_paths' must "
				 "be a list of strings");
	if (given && self->use_internal_logger)
		return weir_fail(error, "output_paths", "output_paths is not "
				 "supported when use_internal_logger is true");
	if (given && !weir_node_len(paths))
		return weir_fail(error, "output_paths", "output_paths must not "
				 "be empty when use_internal_logger is false");
	for (size_t i = 0; i < weir_node_len(paths); i++)
		if (weir_node_kind(weir_node_at(paths, i)) != WEIR_NODE_STR)
			return weir_fail(error, "output_paths",
					 "'output_paths' must be a list of "
					 "strings");
	return check_queue(self->sending_queue, error);
}

static int start(struct weir_component *c, struct weir_error *error)
{
	struct debug *self = WEIR_SELF(c, struct debug);

	debug_sample_init(&self->sample, self->sampling_initial,
			  self->sampling_thereafter);
	if (self->use_internal_logger)
		return 0;
	return debug_output_open(&self->output, self->output_paths, error);
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

/* What comes may hold what a terminal obeys, and NUL would end the entry early
 * in the log.  Line ends and tabs stay, as in the Collector. */
static void tame(struct weir_text *text)
{
	for (size_t i = 0; i < text->len; i++) {
		unsigned char c = (unsigned char)text->ptr[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			text->ptr[i] = '?';
	}
}

static void log_text(struct debug *self)
{
	struct weir_text *text = &self->text;

	weir_text_add(text, (weir_str){ "", 1 });
	LOG_ENTRY(&self->base, text->ptr, NULL);
}

static void details(struct debug *self, const struct weir_batch *batch)
{
	struct weir_text *text = &self->text;

	weir_text_clear(text);
	if (self->level == NORMAL)
		debug_normal(batch, text);
	else
		debug_detailed(batch, text);
	tame(text);
	if (debug_sample_take(&self->sample,
			      (weir_str){ text->ptr, text->len })) {
		if (self->use_internal_logger) {
			log_text(self);
		} else {
			weir_text_add(text, WEIR_STR("\n"));
			debug_output_write(&self->output, text);
		}
	}
	if (text->cap > KEEP_MAX)
		weir_text_release(text);
}

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	struct debug *self = WEIR_SELF(c, struct debug);

	if (!self->use_internal_logger || weir_log_enabled(WEIR_INFO)) {
		summary(self, batch);
		if (self->level != BASIC)
			details(self, batch);
	}
	weir_count_sent(c, weir_batch_signal(batch), weir_batch_items(batch));
	weir_batch_ack(batch);
}

static void destroy(struct weir_component *c)
{
	struct debug *self = WEIR_SELF(c, struct debug);

	debug_output_close(&self->output);
	debug_sample_free(&self->sample);
	weir_text_release(&self->text);
}

WEIR_PLUGIN(WEIR_EXPORTER, "debug", "",
	.about     = "Writes what comes to the log, for people.",
	.signals   = WEIR_ALL_SIGNALS,
	.stability = WEIR_STABILITY_BETA,
	.size      = sizeof(struct debug),
	.fields    = fields,
	.validate  = validate,
	.start     = start,
	.consume   = consume,
	.destroy   = destroy,
);
