/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detailed_metrics.c: a metric and its data points, field by field.  Pure;
 * holds nothing.
 */
#include "detailed.h"

#include <inttypes.h>
#include <math.h>

#define PUT(out, literal) weir_text_add(out, WEIR_STR(literal))

static void fixed_line(struct weir_text *out, const char *label, double value)
{
	weir_text_add(out, weir_str_of(label));
	debug_fixed(out, value);
	PUT(out, "\n");
}

static void exemplars(struct weir_text *out, const struct weir_point *point)
{
	struct weir_message_cursor cur = weir_exemplars(point);

	for (size_t i = 0; weir_message_next(&cur); i++) {
		struct weir_exemplar e;

		weir_exemplar_read(cur.message, &e);
		if (!i)
			PUT(out, "Exemplars:\n");
		weir_text_addf(out, "Exemplar #%zu\n", i);
		detailed_id(out, "     -> Trace ID: ", e.trace_id);
		detailed_id(out, "     -> Span ID: ", e.span_id);
		detailed_time(out, "     -> Timestamp: ", e.time_unix_nano);
		if (e.has_int)
			weir_text_addf(out, "     -> Value: %" PRId64 "\n",
				       e.integer);
		else if (e.has_double)
			fixed_line(out, "     -> Value: ", e.real);
		detailed_attributes(out, "     -> FilteredAttributes",
				    "     ", e.attributes);
	}
}

static void number(struct weir_text *out, const struct weir_point *point)
{
	if (point->has_int)
		weir_text_addf(out, "Value: %" PRId64 "\n", point->integer);
	else if (point->has_double)
		fixed_line(out, "Value: ", point->real);
}

static void count_sum_range(struct weir_text *out,
			    const struct weir_point *point)
{
	weir_text_addf(out, "Count: %" PRIu64 "\n", point->count);
	if (point->has_sum)
		fixed_line(out, "Sum: ", point->sum);
	if (point->has_min)
		fixed_line(out, "Min: ", point->min);
	if (point->has_max)
		fixed_line(out, "Max: ", point->max);
}

static void histogram(struct weir_text *out, const struct weir_point *point)
{
	struct debug_packed bounds = debug_packed(point->explicit_bounds);
	struct debug_packed counts = debug_packed(point->bucket_counts);

	count_sum_range(out, point);
	for (size_t i = 0; debug_next_fixed(&bounds); i++) {
		double bound;

		memcpy(&bound, &bounds.value, sizeof(bound));
		weir_text_addf(out, "ExplicitBounds #%zu: ", i);
		fixed_line(out, "", bound);
	}
	for (size_t i = 0; debug_next_fixed(&counts); i++)
		weir_text_addf(out, "Buckets #%zu, Count: %" PRIu64 "\n", i,
			       counts.value);
}

static void bucket(struct weir_text *out, const char *brackets, double low,
		   double high, uint64_t count)
{
	weir_text_addf(out, "Bucket %c", brackets[0]);
	debug_fixed(out, low);
	PUT(out, ", ");
	debug_fixed(out, high);
	weir_text_addf(out, "%c, Count: %" PRIu64 "\n", brackets[1], count);
}

/* From the most negative bucket upwards. */
static void exponential(struct weir_text *out, const struct weir_point *point)
{
	struct debug_packed below = debug_packed(point->negative.counts);
	struct debug_packed above = debug_packed(point->positive.counts);
	/* -INT32_MIN is no int; both powers are infinite. */
	double factor = ldexp(M_LN2, point->scale == INT32_MIN ?
				     INT32_MAX : -point->scale);
	double index = (double)point->negative.offset +
		       (double)debug_varints(point->negative.counts);

	count_sum_range(out, point);
	for (; debug_last_varint(&below); index--)
		bucket(out, "[)", -debug_exp(index * factor),
		       -debug_exp((index - 1) * factor), below.value);
	if (point->zero_count)
		weir_text_addf(out, "Bucket [0, 0], Count: %" PRIu64 "\n",
			       point->zero_count);
	index = point->positive.offset;
	for (; debug_next_varint(&above); index++)
		bucket(out, "(]", debug_exp(index * factor),
		       debug_exp((index + 1) * factor), above.value);
}

static void summary(struct weir_text *out, const struct weir_point *point)
{
	/* SummaryDataPoint.quantile_values = 6 */
	struct weir_message_cursor cur = weir_messages(point->message, 6);

	weir_text_addf(out, "Count: %" PRIu64 "\n", point->count);
	fixed_line(out, "Sum: ", point->sum);
	for (size_t i = 0; weir_message_next(&cur); i++) {
		struct weir_quantile q;

		weir_quantile_read(cur.message, &q);
		weir_text_addf(out, "QuantileValue #%zu: Quantile ", i);
		debug_fixed(out, q.quantile);
		fixed_line(out, ", Value ", q.value);
	}
}

static const struct kind {
	const char *name, *points;
	void (*text)(struct weir_text *out, const struct weir_point *point);
} kinds[] = {
	[WEIR_DATA_NONE] = { "Empty", NULL, NULL },
	[WEIR_DATA_GAUGE] = { "Gauge", "NumberDataPoints", number },
	[WEIR_DATA_SUM] = { "Sum", "NumberDataPoints", number },
	[WEIR_DATA_HISTOGRAM] = { "Histogram", "HistogramDataPoints",
				  histogram },
	[WEIR_DATA_EXPONENTIAL_HISTOGRAM] = { "ExponentialHistogram",
					      "ExponentialHistogramDataPoints",
					      exponential },
	[WEIR_DATA_SUMMARY] = { "Summary", "SummaryDataPoints", summary },
};

static void descriptor(struct weir_text *out,
		       const struct weir_metric_view *metric)
{
	static const char *const temporality[] = { "Unspecified", "Delta",
						   "Cumulative" };
	uint32_t t = metric->aggregation_temporality;

	PUT(out, "Descriptor:\n");
	detailed_text(out, "     -> Name: ", metric->name);
	detailed_text(out, "     -> Description: ", metric->description);
	detailed_text(out, "     -> Unit: ", metric->unit);
	weir_text_addf(out, "     -> DataType: %s\n", kinds[metric->data].name);
	detailed_attributes(out, "     -> Metadata", "     ",
			    metric->metadata);
	if (metric->data == WEIR_DATA_SUM)
		weir_text_addf(out, "     -> IsMonotonic: %s\n",
			       metric->is_monotonic ? "true" : "false");
	if (metric->data == WEIR_DATA_SUM ||
	    metric->data == WEIR_DATA_HISTOGRAM ||
	    metric->data == WEIR_DATA_EXPONENTIAL_HISTOGRAM)
		weir_text_addf(out, "     -> AggregationTemporality: %s\n",
			       t < 3 ? temporality[t] : "");
}

void detailed_metric(struct weir_text *out, weir_str message)
{
	struct weir_metric_view metric;
	struct weir_message_cursor points;

	weir_metric_read(message, &metric);
	descriptor(out, &metric);
	if (metric.data == WEIR_DATA_NONE)
		return;
	points = weir_points(&metric);
	for (size_t i = 0; weir_message_next(&points); i++) {
		const struct kind *kind = &kinds[metric.data];
		struct weir_point point;

		weir_point_read(points.message, metric.data, &point);
		weir_text_addf(out, "%s #%zu\n", kind->points, i);
		detailed_attributes(out, "Data point attributes", "",
				    point.attributes);
		detailed_time(out, "StartTimestamp: ", point.start_unix_nano);
		detailed_time(out, "Timestamp: ", point.time_unix_nano);
		kind->text(out, &point);
		if (metric.data != WEIR_DATA_SUMMARY)
			exemplars(out, &point);
	}
}
