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
static void obey_span_priority(struct weir_attribute_list list,
			       struct decision *d)
{
	struct weir_value value;
	double priority = -1;

	if (!weir_attribute_find(list, PRIORITY, &value))
		return;
	if (value.type == WEIR_VALUE_INT)
		priority = (double)value.integer;
	else if (value.type == WEIR_VALUE_DOUBLE)
		priority = value.real;
	else if (value.type == WEIR_VALUE_STRING &&
		 !weir_parse_double(value.str, &priority))
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
	obey_span_priority(span->attributes, &d);
	*raised = !decision_keeps(&d) || !d.writes ||
		write_span(&d, &state, e);
	return d;
}

/* --- Log records -------------------------------------------------------------- */

enum { AT_RANDOMNESS, AT_THRESHOLD, AT_HASHED, AT_PRIORITY, N_PLACES };

/* The first attribute of each of some keys, in one pass. */
struct places {
	weir_str keys[N_PLACES];	/* "": is not looked for */
	struct weir_value values[N_PLACES];
	bool found[N_PLACES];
};

static void find_places(struct places *places, struct weir_attribute_list list)
{
	struct weir_value_cursor cur = weir_attributes(list);

	while (weir_value_next(&cur))
		for (int i = 0; i < N_PLACES; i++) {
			if (places->found[i] || !places->keys[i].len ||
			    !weir_str_eq(cur.item.key, places->keys[i]))
				continue;
			places->values[i] = cur.item.value;
			places->found[i] = true;
		}
}

/* An attribute that is no string, or empty, says nothing. */
static weir_str text_at(const struct places *places, int i)
{
	if (!places->found[i] || places->values[i].type != WEIR_VALUE_STRING)
		return WEIR_STR("");
	return places->values[i].str;
}

static void read_log(const struct places *places, struct arrived *item)
{
	weir_str randomness = text_at(places, AT_RANDOMNESS);
	weir_str threshold = text_at(places, AT_THRESHOLD);

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
			     const struct places *places)
{
	const struct weir_value *value = &places->values[AT_HASHED];

	if (!places->found[AT_HASHED])
		return WEIR_STR("");
	if (value->type == WEIR_VALUE_BYTES)
		return value->str;
	weir_text_clear(settings->scratch);
	return weir_value_text(value, settings->scratch);
}

/* A percentage of its own, when there is a threshold for it. */
static void obey_log_priority(const struct places *places, int precision,
			      struct decision *d)
{
	const struct weir_value *value = &places->values[AT_PRIORITY];
	double probability = 0;

	if (!places->found[AT_PRIORITY])
		return;
	if (value->type == WEIR_VALUE_INT)
		probability = (double)value->integer / 100;
	else if (value->type == WEIR_VALUE_DOUBLE)
		probability = value->real / 100;
	if (!(probability >= PROBABILITY_MIN && probability <= 1))
		return;
	d->threshold = threshold_of(probability, precision);
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
	struct places places = { .keys = {
		[AT_RANDOMNESS] = RANDOMNESS, [AT_THRESHOLD] = THRESHOLD,
		[AT_PRIORITY] = settings->sampling_priority } };
	struct arrived item = { .is_log = true };
	struct decision d;

	if (sampler->mode != MODE_HASH || settings->by_trace_id)
		item.trace_id = trace_id_of(record->trace_id);
	if (sampler->mode == MODE_HASH && !item.trace_id.len)
		places.keys[AT_HASHED] = settings->from_attribute;
	find_places(&places, record->attributes);
	read_log(&places, &item);
	item.hashed = hashed_bytes(settings, &places);
	d = sampler_decide(sampler, &item);
	obey_log_priority(&places, sampler->precision, &d);
	*raised = !decision_keeps(&d) || !d.writes || write_log(&d, &item, e);
	return d;
}
