/* SPDX-License-Identifier: Apache-2.0 */
/*
 * items.c: what spans and log records carry about sampling, read and written.
 *
 * A span has it in the member `ot` of its trace state, a log record in two
 * attributes.  Holds nothing.
 */
#include "items.h"

#include <weir/attributes.h>
#include <weir/kit/actions.h>

#define RANDOMNESS WEIR_STR("sampling.randomness")
#define THRESHOLD WEIR_STR("sampling.threshold")
#define PRIORITY WEIR_STR("sampling.priority")

/* "" for an id that says nothing. */
static weir_str trace_id_of(weir_str id)
{
	for (size_t i = 0; i < id.len; i++)
		if (id.ptr[i])
			return id;
	return WEIR_STR("");
}

/* --- Spans -------------------------------------------------------------------- */

/* OpenTracing's hint: 0 drops, more keeps, anything else says nothing. */
static void obey_span_priority(struct weir_element *e, struct decision *d)
{
	const struct weir_attr *attr = weir_attr_find(e, PRIORITY);
	double priority = -1;

	if (!attr)
		return;
	if (attr->value.type == WEIR_VALUE_INT)
		priority = (double)attr->value.integer;
	else if (attr->value.type == WEIR_VALUE_DOUBLE)
		priority = attr->value.real;
	else if (attr->value.type == WEIR_VALUE_STRING &&
		 !weir_parse_double(attr->value.str, &priority))
		return;
	if (!(priority >= 0))
		return;
	d->threshold = priority > 0 ? WEIR_SAMPLE_ALWAYS : WEIR_SAMPLE_NEVER;
	d->policy = BY_PRIORITY;
}

static bool write_span(const struct decision *d,
		       struct weir_ot_tracestate *state,
		       struct weir_element *e)
{
	char text[WEIR_OT_ROOM];
	bool raised;

	if (d->writes_randomness)
		weir_ot_set_randomness(state, d->randomness);
	if (d->clears_threshold)
		weir_ot_clear_threshold(state);
	raised = weir_ot_raise_threshold(state, d->threshold);
	weir_text_set(e, WEIR_TEXT_TRACE_STATE, weir_ot_write(state, text));
	return raised;
}

struct decision sample_span(const struct item_settings *settings,
			    const struct weir_span *span,
			    struct weir_element *e, bool *raised)
{
	struct weir_ot_tracestate state;
	struct arrived item = { .trace_id = trace_id_of(span->trace_id) };
	struct decision d;

	item.broken = !weir_ot_parse(span->trace_state, &state);
	item.has_randomness = state.rv_len;
	item.has_threshold = state.th_len;
	item.randomness = state.randomness;
	item.threshold = state.threshold;
	d = sampler_decide(&settings->sampler, &item);
	obey_span_priority(e, &d);
	*raised = !decision_keeps(&d) || !d.writes ||
		write_span(&d, &state, e);
	return d;
}

/* --- Log records -------------------------------------------------------------- */

/* An attribute that is no string, or empty, says nothing. */
static weir_str text_of(struct weir_element *e, weir_str key)
{
	const struct weir_attr *attr = weir_attr_find(e, key);

	if (!attr || attr->value.type != WEIR_VALUE_STRING)
		return WEIR_STR("");
	return attr->value.str;
}

static void read_log(struct weir_element *e, struct arrived *item)
{
	weir_str randomness = text_of(e, RANDOMNESS);
	weir_str threshold = text_of(e, THRESHOLD);

	if (randomness.len)
		item->has_randomness = weir_randomness_read(randomness,
							    &item->randomness);
	if (threshold.len)
		item->has_threshold = weir_threshold_read(threshold,
							  &item->threshold);
	item->broken = item->has_randomness != (randomness.len != 0) ||
		item->has_threshold != (threshold.len != 0);
}

/* Bytes as they are, anything else in its string form. */
static weir_str hashed_bytes(const struct item_settings *settings,
			     struct weir_element *e)
{
	const struct weir_attr *attr = NULL;

	if (settings->from_attribute.len)
		attr = weir_attr_find(e, settings->from_attribute);
	if (!attr)
		return WEIR_STR("");
	if (attr->value.type == WEIR_VALUE_BYTES)
		return attr->value.str;
	weir_text_clear(settings->scratch);
	return weir_value_text(&attr->value, settings->scratch);
}

/* A percentage of its own, when there is a threshold for it. */
static void obey_log_priority(const struct item_settings *settings,
			      struct weir_element *e, struct decision *d)
{
	const struct weir_attr *attr = NULL;
	double probability = 0;

	if (settings->sampling_priority.len)
		attr = weir_attr_find(e, settings->sampling_priority);
	if (!attr)
		return;
	if (attr->value.type == WEIR_VALUE_INT)
		probability = (double)attr->value.integer / 100;
	else if (attr->value.type == WEIR_VALUE_DOUBLE)
		probability = attr->value.real / 100;
	if (!(probability >= PROBABILITY_MIN && probability <= 1))
		return;
	d->threshold = threshold_of(probability, settings->sampler.precision);
	d->policy = BY_PRIORITY;
}

/* The first of that key changes its value; without one it is added. */
static void put_text(struct weir_element *e, weir_str key, weir_str text)
{
	struct weir_attr *attr = weir_attr_find(e, key);
	struct weir_value value = { WEIR_VALUE_STRING, .str = text };

	if (!attr)
		weir_attr_add(e, key, &value);
	else if (attr->value.type != WEIR_VALUE_STRING ||
		 !weir_str_eq(attr->value.str, text))
		weir_attr_replace(e, attr, &value);
}

static bool write_log(const struct decision *d, const struct arrived *item,
		      struct weir_element *e)
{
	char text[WEIR_SAMPLING_DIGITS];
	struct weir_attr *attr;

	if (d->writes_randomness)
		put_text(e, RANDOMNESS,
			 weir_randomness_text(d->randomness, text));
	if (d->clears_threshold) {
		attr = weir_attr_find(e, THRESHOLD);
		if (attr)
			weir_attr_remove(e, attr);
	} else if (item->has_threshold && item->threshold > d->threshold) {
		return false;
	}
	put_text(e, THRESHOLD, weir_threshold_text(d->threshold, text));
	return true;
}

struct decision sample_log(const struct item_settings *settings,
			   const struct weir_log_record *record,
			   struct weir_element *e, bool *raised)
{
	const struct sampler *sampler = &settings->sampler;
	struct arrived item = { .is_log = true };
	struct decision d;

	if (sampler->mode != MODE_HASH || settings->by_trace_id)
		item.trace_id = trace_id_of(record->trace_id);
	if (sampler->mode == MODE_HASH && !item.trace_id.len)
		item.hashed = hashed_bytes(settings, e);
	read_log(e, &item);
	d = sampler_decide(sampler, &item);
	obey_log_priority(settings, e, &d);
	*raised = !decision_keeps(&d) || !d.writes || write_log(&d, &item, e);
	return d;
}
