/* SPDX-License-Identifier: Apache-2.0 */
/*
 * normal.c: `verbosity: normal`, a line per item.  Pure; holds nothing.
 */
#include "text.h"

#include <inttypes.h>
#include <math.h>

#define PUT(out, literal) weir_text_add(out, WEIR_STR(literal))

/* first before the first one, between before the others. */
static void attributes(struct weir_text *out, struct weir_attribute_list list,
		       weir_str first, weir_str between)
{
	struct weir_value_cursor cur = weir_attributes(list);
	weir_str before = first;

	while (weir_value_next(&cur)) {
		weir_text_add(out, before);
		weir_text_add(out, cur.item.key);
		PUT(out, "=");
		debug_value(out, &cur.item.value);
		before = between;
	}
}

static void resource_line(struct weir_text *out, const char *what, size_t i,
			  weir_str wrapper)
{
	struct weir_resource resource;

	weir_resource_read(wrapper, &resource);
	weir_text_addf(out, "%s #%zu", what, i);
	if (resource.schema_url.len) {
		PUT(out, " [");
		weir_text_add(out, resource.schema_url);
		PUT(out, "]");
	}
	attributes(out, resource.attributes, WEIR_STR(" "), WEIR_STR(" "));
	PUT(out, "\n");
}

static void scope_line(struct weir_text *out, const char *what, size_t i,
		       weir_str wrapper)
{
	struct weir_scope scope;

	weir_scope_read(wrapper, &scope);
	weir_text_addf(out, "%s #%zu", what, i);
	if (scope.name.len || scope.version.len)
		PUT(out, " ");
	weir_text_add(out, scope.name);
	if (scope.version.len) {
		PUT(out, "@");
		weir_text_add(out, scope.version);
	}
	if (scope.schema_url.len) {
		PUT(out, " [");
		weir_text_add(out, scope.schema_url);
		PUT(out, "]");
	}
	attributes(out, scope.attributes, WEIR_STR(" "), WEIR_STR(" "));
	PUT(out, "\n");
}

static void span_line(struct weir_text *out, weir_str message)
{
	struct weir_span span;

	weir_span_read(message, &span);
	weir_text_add(out, span.name);
	PUT(out, " ");
	debug_id(out, span.trace_id);
	PUT(out, " ");
	debug_id(out, span.span_id);
	attributes(out, span.attributes, WEIR_STR(" "), WEIR_STR(" "));
	PUT(out, "\n");
}

static void log_line(struct weir_text *out, weir_str message)
{
	struct weir_log_record record;

	weir_log_read(message, &record);
	if (record.has_body)
		debug_value(out, &record.body);
	PUT(out, " ");
	attributes(out, record.attributes, WEIR_STR(""), WEIR_STR(" "));
	PUT(out, "\n");
}

/* --- Data points -------------------------------------------------------- */

static void number(struct weir_text *out, const struct weir_point *point)
{
	if (point->has_int)
		weir_text_addf(out, "%" PRId64, point->integer);
	else if (point->has_double)
		debug_double(out, point->real);
}

static void count_sum_range(struct weir_text *out,
			    const struct weir_point *point)
{
	const struct { bool has; weir_str label; double value; } rows[] = {
		{ point->has_sum, WEIR_STR(" sum="), point->sum },
		{ point->has_min, WEIR_STR(" min="), point->min },
		{ point->has_max, WEIR_STR(" max="), point->max },
	};

	weir_text_addf(out, "count=%" PRIu64, point->count);
	for (size_t i = 0; i < 3; i++) {
		if (rows[i].has) {
			weir_text_add(out, rows[i].label);
			debug_double(out, rows[i].value);
		}
	}
}

static void histogram(struct weir_text *out, const struct weir_point *point)
{
	struct debug_packed counts = debug_packed(point->bucket_counts);
	struct debug_packed bounds = debug_packed(point->explicit_bounds);

	count_sum_range(out, point);
	while (debug_next_fixed(&counts)) {
		PUT(out, " ");
		if (debug_next_fixed(&bounds)) {
			double bound;

			memcpy(&bound, &bounds.value, sizeof(bound));
			PUT(out, "le");
			debug_double(out, bound);
			PUT(out, "=");
		}
		weir_text_addf(out, "%" PRIu64, counts.value);
	}
}

static void bucket(struct weir_text *out, double bound, uint64_t count)
{
	PUT(out, " le");
	debug_double(out, bound);
	weir_text_addf(out, "=%" PRIu64, count);
}

/* Each bucket by its upper bound, from the most negative upwards. */
static void exponential(struct weir_text *out, const struct weir_point *point)
{
	double factor = ldexp(M_LN2, -point->scale);
	struct debug_packed below = debug_packed(point->negative.counts);
	struct debug_packed above = debug_packed(point->positive.counts);
	double index = (double)point->negative.offset +
		       (double)debug_varints(point->negative.counts);

	count_sum_range(out, point);
	while (debug_last_varint(&below))
		bucket(out, -debug_exp((index -= 1) * factor), below.value);
	if (point->zero_count)
		weir_text_addf(out, " zero=%" PRIu64, point->zero_count);
	index = point->positive.offset;
	while (debug_next_varint(&above))
		bucket(out, debug_exp((index += 1) * factor), above.value);
}

static void summary(struct weir_text *out, const struct weir_point *point)
{
	/* SummaryDataPoint.quantile_values = 6 */
	struct weir_message_cursor cur = weir_messages(point->message, 6);

	weir_text_addf(out, "count=%" PRIu64 " sum=", point->count);
	debug_fixed(out, point->sum);
	while (weir_message_next(&cur)) {
		struct weir_quantile q;

		weir_quantile_read(cur.message, &q);
		PUT(out, " q");
		debug_double(out, q.quantile);
		PUT(out, "=");
		debug_double(out, q.value);
	}
}

static void metric_lines(struct weir_text *out, weir_str message)
{
	struct weir_metric_view metric;
	struct weir_message_cursor points;

	weir_metric_read(message, &metric);
	if (metric.data == WEIR_DATA_NONE)
		return;
	points = weir_points(&metric);
	while (weir_message_next(&points)) {
		struct weir_point point;

		weir_point_read(points.message, metric.data, &point);
		weir_text_add(out, metric.name);
		PUT(out, "{");
		attributes(out, point.attributes, WEIR_STR(""), WEIR_STR(","));
		PUT(out, "} ");
		if (metric.data == WEIR_DATA_HISTOGRAM)
			histogram(out, &point);
		else if (metric.data == WEIR_DATA_EXPONENTIAL_HISTOGRAM)
			exponential(out, &point);
		else if (metric.data == WEIR_DATA_SUMMARY)
			summary(out, &point);
		else
			number(out, &point);
		PUT(out, "\n");
	}
}

/* --- Batches ------------------------------------------------------------ */

static const struct words {
	const char *resource, *scope;
	void (*item)(struct weir_text *out, weir_str message);
} words[WEIR_SIGNAL_COUNT] = {
	[WEIR_SIGNAL_TRACES] = { "ResourceTraces", "ScopeTraces", span_line },
	[WEIR_SIGNAL_METRICS] = { "ResourceMetrics", "ScopeMetrics",
				  metric_lines },
	[WEIR_SIGNAL_LOGS] = { "ResourceLog", "ScopeLog", log_line },
};

void debug_normal(const struct weir_batch *batch, struct weir_text *out)
{
	const struct words *say = &words[weir_batch_signal(batch)];
	struct debug_wrappers w = debug_wrappers(batch);

	while (debug_wrapper_next(&w)) {
		/* ResourceX.scope_x = 2, ScopeX.items = 2, for all signals */
		struct weir_message_cursor scopes =
			weir_messages(w.cur.message, 2);

		resource_line(out, say->resource, w.index, w.cur.message);
		for (size_t j = 0; weir_message_next(&scopes); j++) {
			struct weir_message_cursor items =
				weir_messages(scopes.message, 2);

			scope_line(out, say->scope, j, scopes.message);
			while (weir_message_next(&items))
				say->item(out, items.message);
		}
	}
}
