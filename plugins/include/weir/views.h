/* SPDX-License-Identifier: Apache-2.0 */
/*
 * views.h: flat views of OTLP records, and cursors over them.
 *
 * A view is a struct of decoded numbers and slices into the payload; it dies
 * with the batch, and at the next step of its cursor: to keep something, copy
 * it.  Field numbers are those of opentelemetry-proto 1.x.  The bytes have
 * passed the validating walk, so nothing here can fail.
 *
 *	struct weir_span_cursor cur = weir_spans(batch);
 *	while (weir_span_next(&cur))
 *		slow += cur.span.end_unix_nano - cur.span.start_unix_nano > limit;
 *
 * Layouts belong to the view generation (WEIR_VIEWS in plugin.h).
 */
#ifndef WEIR_VIEWS_H
#define WEIR_VIEWS_H

#include <weir/base.h>
#include <weir/batch.h>
#include <weir/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The attributes of a message: iterate with weir_attributes(). */
struct weir_attribute_list {
	weir_str message;	/* the body of the message that holds them */
	uint32_t tag;		/* tag of the repeated KeyValue in it */
};
WEIR_API struct weir_value_cursor weir_attributes(
	struct weir_attribute_list list);	/* weir_value_next() walks it */
/* The first attribute of that key; false when there is none. */
WEIR_API bool weir_attribute_find(struct weir_attribute_list list,
				  weir_str key, struct weir_value *value);

struct weir_resource {			/* Resource and its wrapper */
	struct weir_attribute_list attributes;	/* Resource.attributes = 1 */
	uint32_t dropped_attributes_count;	/* = 2 */
	bool present;
	weir_str message;			/* body of Resource */
	weir_str schema_url;			/* ResourceSpans.schema_url = 3 */
};

struct weir_scope {			/* InstrumentationScope and its wrapper */
	weir_str name, version;			/* = 1, = 2 */
	struct weir_attribute_list attributes;	/* = 3 */
	uint32_t dropped_attributes_count;	/* = 4 */
	bool present;
	weir_str message;			/* body of InstrumentationScope */
	weir_str schema_url;			/* ScopeSpans.schema_url = 3 */
};

struct weir_span {
	weir_str trace_id, span_id, trace_state, parent_span_id, name; /* 1-5 */
	uint32_t kind;				/* = 6 */
	uint32_t flags;				/* = 16 */
	uint64_t start_unix_nano, end_unix_nano;	/* = 7, = 8 */
	struct weir_attribute_list attributes;	/* = 9 */
	uint32_t dropped_attributes_count;	/* = 10 */
	uint32_t dropped_events_count;		/* = 12 */
	uint32_t dropped_links_count;		/* = 14 */
	uint32_t status_code;			/* Status.code = 3 */
	weir_str status_message;		/* Status.message = 2 */
	bool has_status;			/* = 15 */
	weir_str message;			/* the Span's body */
};

struct weir_event {			/* Span.Event, in Span.events = 11 */
	uint64_t time_unix_nano;		/* = 1 */
	weir_str name;				/* = 2 */
	struct weir_attribute_list attributes;	/* = 3 */
	uint32_t dropped_attributes_count;	/* = 4 */
	weir_str message;
};

struct weir_link {			/* Span.Link, in Span.links = 13 */
	weir_str trace_id, span_id, trace_state;	/* 1-3 */
	struct weir_attribute_list attributes;	/* = 4 */
	uint32_t dropped_attributes_count;	/* = 5 */
	uint32_t flags;				/* = 6 */
	weir_str message;
};

struct weir_log_record {
	uint64_t time_unix_nano;		/* = 1 */
	uint64_t observed_time_unix_nano;	/* = 11 */
	uint32_t severity_number;		/* = 2 */
	uint32_t flags;				/* = 8 */
	weir_str severity_text;			/* = 3 */
	struct weir_value body;			/* = 5 */
	bool has_body;
	struct weir_attribute_list attributes;	/* = 6 */
	uint32_t dropped_attributes_count;	/* = 7 */
	weir_str trace_id, span_id;		/* = 9, = 10 */
	weir_str event_name;			/* = 12 */
	weir_str message;
};

enum weir_metric_data {		/* Metric.data, by field number */
	WEIR_DATA_NONE = 0, WEIR_DATA_GAUGE = 5, WEIR_DATA_SUM = 7,
	WEIR_DATA_HISTOGRAM = 9, WEIR_DATA_EXPONENTIAL_HISTOGRAM = 10,
	WEIR_DATA_SUMMARY = 11
};

struct weir_metric_view {
	weir_str name, description, unit;	/* 1-3 */
	enum weir_metric_data data;
	uint32_t aggregation_temporality;	/* Sum, histograms: = 2 */
	bool is_monotonic;			/* Sum.is_monotonic = 3 */
	struct weir_attribute_list metadata;	/* = 12 */
	weir_str data_message;			/* body of Gauge, Sum, ... */
	weir_str message;
};

struct weir_buckets {		/* ExponentialHistogramDataPoint.Buckets */
	int32_t offset;				/* = 1 */
	weir_str counts;			/* = 2: packed varints */
	bool present;
};

struct weir_point {		/* any of the five kinds of data point */
	enum weir_metric_data data;
	uint64_t start_unix_nano, time_unix_nano;	/* = 2, = 3 */
	struct weir_attribute_list attributes;	/* = 7, 9 or 1 */
	uint32_t flags;
	bool has_int, has_double;	/* Number: which of the oneof is set */
	int64_t integer;		/* Number.as_int = 6 */
	double real;			/* Number.as_double = 4 */
	uint64_t count;			/* histograms, summary: = 4 */
	bool has_sum, has_min, has_max;
	double sum, min, max;
	weir_str bucket_counts;		/* Histogram = 6: packed fixed64 */
	weir_str explicit_bounds;	/* Histogram = 7: packed double */
	int32_t scale;			/* Exponential = 6 */
	uint64_t zero_count;		/* = 7 */
	double zero_threshold;		/* = 14 */
	struct weir_buckets positive, negative;	/* = 8, = 9 */
	weir_str message;
};

struct weir_exemplar {
	uint64_t time_unix_nano;		/* = 2 */
	bool has_int, has_double;
	int64_t integer;			/* as_int = 6 */
	double real;				/* as_double = 3 */
	weir_str span_id, trace_id;		/* = 4, = 5 */
	struct weir_attribute_list attributes;	/* filtered_attributes = 7 */
	weir_str message;
};

struct weir_quantile {		/* SummaryDataPoint.ValueAtQuantile, = 6 */
	double quantile, value;
};

/* Where a batch cursor stands; members below `core` are core's. */
struct weir_position {
	size_t resource_index;		/* of the current ResourceX in the batch */
	size_t scope_index;		/* of the ScopeX in its resource */
	bool new_resource, new_scope, new_metric;	/* changed at this step */
	struct { const void *batch; size_t slice; const uint8_t *p[5], *end[5];
		 uint64_t spare[4]; } core;
};

struct weir_span_cursor {
	struct weir_span span;
	struct weir_scope scope;
	struct weir_resource resource;
	struct weir_position at;
};
struct weir_log_cursor {
	struct weir_log_record record;
	struct weir_scope scope;
	struct weir_resource resource;
	struct weir_position at;
};
struct weir_metric_cursor {	/* metrics; points of one by weir_points() */
	struct weir_metric_view metric;
	struct weir_scope scope;
	struct weir_resource resource;
	struct weir_position at;
};

/* Cursors over a whole batch of that signal; the batch must stay as it is. */
WEIR_API struct weir_span_cursor weir_spans(const struct weir_batch *batch);
WEIR_API bool weir_span_next(struct weir_span_cursor *cursor);
WEIR_API struct weir_log_cursor weir_logs(const struct weir_batch *batch);
WEIR_API bool weir_log_next(struct weir_log_cursor *cursor);
WEIR_API struct weir_metric_cursor weir_metrics(const struct weir_batch *batch);
WEIR_API bool weir_metric_next(struct weir_metric_cursor *cursor);

/* Every wrapper, also those without children, in order: what exporters that
 * print or transcode whole trees walk.  tag: of the repeated field. */
struct weir_message_cursor {
	weir_str message;	/* body of the current sub-message */
	const uint8_t *p, *end;
	uint32_t tag;
};
/* Sub-messages (or strings) of one repeated field of a message body. */
WEIR_API struct weir_message_cursor weir_messages(weir_str message,
						  uint32_t field);
WEIR_API bool weir_message_next(struct weir_message_cursor *cursor);
/* Decoding one body; pure. */
WEIR_API void weir_resource_read(weir_str wrapper, struct weir_resource *out);
WEIR_API void weir_scope_read(weir_str wrapper, struct weir_scope *out);
WEIR_API void weir_span_read(weir_str message, struct weir_span *out);
WEIR_API void weir_event_read(weir_str message, struct weir_event *out);
WEIR_API void weir_link_read(weir_str message, struct weir_link *out);
WEIR_API void weir_log_read(weir_str message, struct weir_log_record *out);
WEIR_API void weir_metric_read(weir_str message, struct weir_metric_view *out);
WEIR_API void weir_point_read(weir_str message, enum weir_metric_data data,
			      struct weir_point *out);
WEIR_API void weir_exemplar_read(weir_str message, struct weir_exemplar *out);
WEIR_API void weir_quantile_read(weir_str message, struct weir_quantile *out);

/* Data points of a metric; exemplars of a point, events and links of a span:
 * bodies, in order. */
WEIR_API struct weir_message_cursor weir_points(
	const struct weir_metric_view *metric);
WEIR_API struct weir_message_cursor weir_exemplars(
	const struct weir_point *point);
WEIR_API struct weir_message_cursor weir_events(const struct weir_span *span);
WEIR_API struct weir_message_cursor weir_links(const struct weir_span *span);

/* --- Removing items ---------------------------------------------------------- */

/* What a predicate sees: the item in place, with scope and resource. */
struct weir_span_at {
	struct weir_span span;
	const struct weir_scope *scope;
	const struct weir_resource *resource;
};
struct weir_log_at {
	struct weir_log_record record;
	const struct weir_scope *scope;
	const struct weir_resource *resource;
};
struct weir_point_at {
	struct weir_point point;
	const struct weir_metric_view *metric;
	const struct weir_scope *scope;
	const struct weir_resource *resource;
};

/* Keep what the predicate keeps; metric, scope and resource left without items
 * go too.  Returns how many items went (tell weir_count_dropped why).  Only
 * wrappers that lost something are written anew; the batch's payloads are
 * never touched. */
WEIR_API size_t weir_spans_filter(struct weir_batch *batch,
	bool (*keep)(const struct weir_span_at *at, void *arg), void *arg);
WEIR_API size_t weir_logs_filter(struct weir_batch *batch,
	bool (*keep)(const struct weir_log_at *at, void *arg), void *arg);
WEIR_API size_t weir_points_filter(struct weir_batch *batch,
	bool (*keep)(const struct weir_point_at *at, void *arg), void *arg);

/* --- Removing some and changing others ----------------------------------------- */

struct weir_element;		/* <weir/attributes.h> */

/* The same descent for a predicate that may also change what it keeps: by
 * weir_text_set, weir_attr_* and the like on e, the item's editable form.  What
 * it gives to e, and what e lends (weir_scratch), lives until it returns.
 * Changes of an item that it does not keep are forgotten; scopes and resources
 * that are without items go; slices in which nothing went and nothing changed
 * are not copied.  No memory for a changed slice: its items go, counted as
 * dropped.  Returns how many the predicate did not keep.  The batch's thread. */
WEIR_API size_t weir_spans_rewrite(struct weir_batch *batch,
	bool (*keep)(const struct weir_span_at *at, struct weir_element *e,
		     void *arg), void *arg);
WEIR_API size_t weir_logs_rewrite(struct weir_batch *batch,
	bool (*keep)(const struct weir_log_at *at, struct weir_element *e,
		     void *arg), void *arg);

#ifdef __cplusplus
}
#endif
#endif
