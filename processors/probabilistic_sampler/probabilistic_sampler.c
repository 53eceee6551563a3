/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probabilistic_sampler: keep a share of the spans or log records.
 *
 * Each item is decided alone, by its trace id, by an attribute, or by the
 * randomness it carries, so that every collector decides alike.  Between
 * batches it holds its counters and a buffer for values as text.
 */
#include <weir/plugin.h>

#include "config.h"
#include "items.h"

enum { ROW_TRACES, ROW_LOGS, N_ROWS };		/* of the metrics */

#define SCRATCH_KEPT 65536	/* bytes, from batch to batch */

struct probabilistic_sampler {
	struct weir_component base;
	struct sampler_config config;
	struct item_settings settings;		/* made of it */
	weir_counter sampled[N_ROWS][N_POLICIES][2];	/* [1]: kept */
	struct weir_text scratch;
};

static const struct weir_field fields[] = {
	WEIR_INCLUDE(struct probabilistic_sampler, config, sampler_fields),
	WEIR_END
};

#define NAME(what) "otelcol_processor_probabilistic_sampler_count_" what
static const struct weir_metric_def metrics[] = {
	[ROW_TRACES] = WEIR_METRIC_SERIES(COUNTER,
		NAME("traces_sampled"), WEIR_SHOW_BASIC, "1",
		"Spans that were kept, and that were not.",
		.bare = true),
	[ROW_LOGS] = WEIR_METRIC_SERIES(COUNTER,
		NAME("logs_sampled"), WEIR_SHOW_BASIC, "1",
		"Log records that were kept, and that were not.",
		.bare = true),
	WEIR_METRIC_END
};

static int validate(struct weir_component *c, struct weir_error *error)
{
	struct probabilistic_sampler *self =
		WEIR_SELF(c, struct probabilistic_sampler);
	const struct sampler_config *config = &self->config;
	struct sampler *sampler = &self->settings.sampler;

	if (sampler_check(config, error))
		return -1;
	sampler->precision = (int)config->sampling_precision;
	sampler->seed = config->hash_seed;
	sampler->fail_closed = config->fail_closed;
	sampler_init(sampler, config->mode, (float)config->sampling_percentage);
	self->settings.by_trace_id = weir_str_eq(config->attribute_source,
						 WEIR_STR("traceID"));
	self->settings.from_attribute = config->from_attribute;
	self->settings.sampling_priority = config->sampling_priority;
	return 0;
}

/* --- Counters ----------------------------------------------------------------- */

static void add_series(struct probabilistic_sampler *self, int row,
		       weir_str policy, const weir_counter sampled[2])
{
	for (int kept = 0; kept < 2; kept++) {
		struct weir_label labels[] = {
			{ WEIR_STR("policy"), policy },
			{ WEIR_STR("sampled"),
			  weir_str_of(kept ? "true" : "false") } };

		weir_metric_series(&self->base, &metrics[row], labels, 2,
				   &sampled[kept]);
	}
}

static int start(struct weir_component *c, struct weir_error *error)
{
	struct probabilistic_sampler *self =
		WEIR_SELF(c, struct probabilistic_sampler);
	const weir_str names[] = {
		[BY_TRACE_ID_HASH] = WEIR_STR("trace_id_hash"),
		[BY_ATTRIBUTE] = self->config.from_attribute,
		[BY_TRACE_ID] = WEIR_STR("trace_id_w3c"),
		[BY_RANDOMNESS] = WEIR_STR("sampling_randomness"),
		[BY_NOTHING] = WEIR_STR("missing_randomness"),
		[BY_PRIORITY] = WEIR_STR("sampling_priority") };

	(void)error;
	self->settings.scratch = &self->scratch;
	for (int i = 0; i < N_POLICIES; i++) {
		if (c->signals & WEIR_TRACES)
			add_series(self, ROW_TRACES, names[i],
				   self->sampled[ROW_TRACES][i]);
		if (c->signals & WEIR_LOGS)
			add_series(self, ROW_LOGS, names[i],
				   self->sampled[ROW_LOGS][i]);
	}
	return 0;
}

/* --- Batches ------------------------------------------------------------------ */

static bool conclude(struct probabilistic_sampler *self, int row,
		     const struct decision *d, bool raised)
{
	const char *words = row == ROW_LOGS ? "logs sampler" : "traces sampler";
	bool kept = decision_keeps(d);

	if (d->error == UNREADABLE)
		weir_log_info(&self->base, words, "error=%s",
			      sampler_error_text(d->error));
	else if (d->error)
		weir_log_debug(&self->base, words, "error=%s",
			       sampler_error_text(d->error));
	if (!raised)
		weir_log_debug(&self->base, words, "error=%s",
			       "cannot raise existing sampling probability");
	weir_counter_add(&self->sampled[row][d->policy][kept], 1);
	return kept;
}

static bool keep_span(const struct weir_span_at *at, struct weir_element *e,
		      void *arg)
{
	struct probabilistic_sampler *self = arg;
	bool raised;
	struct decision d = sample_span(&self->settings, &at->span, e,
					&raised);

	return conclude(self, ROW_TRACES, &d, raised);
}

static bool keep_log(const struct weir_log_at *at, struct weir_element *e,
		     void *arg)
{
	struct probabilistic_sampler *self = arg;
	bool raised;
	struct decision d = sample_log(&self->settings, &at->record, e,
				       &raised);

	return conclude(self, ROW_LOGS, &d, raised);
}

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	struct probabilistic_sampler *self =
		WEIR_SELF(c, struct probabilistic_sampler);
	enum weir_signal signal = weir_batch_signal(batch);
	size_t gone;

	gone = signal == WEIR_SIGNAL_TRACES ?
		weir_spans_rewrite(batch, keep_span, self) :
		weir_logs_rewrite(batch, keep_log, self);
	weir_count_dropped(c, signal, WEIR_REASON_FILTERED, gone);
	if (self->scratch.cap > SCRATCH_KEPT)
		weir_text_release(&self->scratch);
	weir_forward(c, batch);		/* acks a batch left empty */
}

static void destroy(struct weir_component *c)
{
	weir_text_release(&WEIR_SELF(c, struct probabilistic_sampler)->scratch);
}

WEIR_PLUGIN(WEIR_PROCESSOR, "probabilistic_sampler", "",
	.about        = "Keeps a share of the spans or log records.",
	.signals      = WEIR_TRACES | WEIR_LOGS,
	.stability    = WEIR_STABILITY_BETA,
	.size         = sizeof(struct probabilistic_sampler),
	.fields       = fields,
	.metrics      = metrics,
	.counts_items = true,
	.validate     = validate,
	.start        = start,
	.consume      = consume,
	.destroy      = destroy,
);
