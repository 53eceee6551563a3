/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric.h: counters, gauges and histograms of a component.
 *
 * They are members of the component's struct, one row of a table each.  Only
 * the component's own thread writes them: no atomics.  Core sums the
 * instances of all workers into one series, labelled with the component's id,
 * and shows them on :8888/metrics.  What passes the edges (accepted, refused,
 * incoming, outgoing, sent, send_failed, enqueue_failed) core counts itself.
 */
#ifndef WEIR_METRIC_H
#define WEIR_METRIC_H

#include <weir/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_counter { uint64_t value; } weir_counter;
typedef struct weir_gauge { int64_t value; } weir_gauge;
#define WEIR_GAUGE_NONE INT64_MIN	/* this instance has no such thing */

#define WEIR_HISTOGRAM_MAX 32		/* bounds a histogram may have */
typedef struct weir_histogram {
	uint64_t buckets[WEIR_HISTOGRAM_MAX + 1];	/* not cumulative */
	uint64_t count;
	double sum;
} weir_histogram;

enum weir_metric_type {
	WEIR_METRIC_COUNTER, WEIR_METRIC_GAUGE, WEIR_METRIC_HISTOGRAM
};

enum weir_metric_level {	/* service.telemetry.metrics.level */
	WEIR_SHOW_NONE, WEIR_SHOW_BASIC, WEIR_SHOW_NORMAL, WEIR_SHOW_DETAILED
};

struct weir_metric_def {
	const char *name;	/* NULL ends the table; published name */
	uint32_t type;		/* enum weir_metric_type */
	uint32_t level;		/* shown from this level on */
	size_t offset;		/* of the member */
	const char *unit;	/* UCUM: "{span}", "By", "s" */
	const char *help;	/* one sentence */
	const double *bounds;	/* histogram: ascending upper bounds */
	size_t n_bounds;	/* at most WEIR_HISTOGRAM_MAX */
	const char *label;	/* one fixed label more: name and value, */
	const char *label_value;	/* or NULL */
	bool bare;		/* without the label that names the component */
	bool series;		/* values come by weir_metric_series only */
	bool zero;		/* counter: shown before it was added to */
};

#define WEIR_METRIC_TYPE_OF(member)					\
	_Generic((member), weir_counter: WEIR_METRIC_COUNTER,		\
		weir_gauge: WEIR_METRIC_GAUGE,				\
		weir_histogram: WEIR_METRIC_HISTOGRAM)

/* name is the whole published name (otelcol_processor_batch_...). */
#define WEIR_METRIC(S, member, name_, level_, unit_, help_, ...)	\
	{ .name = name_, .type = WEIR_METRIC_TYPE_OF(((S *)0)->member),	\
	  .level = level_, .offset = offsetof(S, member),		\
	  .unit = unit_, .help = help_, __VA_ARGS__ }
/* Labels are known when the component starts: see weir_metric_series. */
#define WEIR_METRIC_SERIES(type_, name_, level_, unit_, help_, ...)	\
	{ .name = name_, .type = WEIR_METRIC_##type_, .level = level_,	\
	  .unit = unit_, .help = help_, .series = true, __VA_ARGS__ }
#define WEIR_METRIC_END { .name = NULL }

static inline void weir_counter_add(weir_counter *counter, uint64_t n)
{
	counter->value += n;
}

static inline void weir_gauge_set(weir_gauge *gauge, int64_t value)
{
	gauge->value = value;
}

struct weir_component;
struct weir_label;

/* One more series of a row of the component's table, from start: value is a
 * weir_counter, weir_gauge or weir_histogram, as the row says.  It and the text
 * of the labels live as long as the component; the array is copied.  c's
 * thread. */
WEIR_API void weir_metric_series(struct weir_component *c,
				 const struct weir_metric_def *def,
				 const struct weir_label *labels, size_t n,
				 const void *value);

/* Puts value into its bucket.  def: the row of this histogram. */
WEIR_API void weir_histogram_record(weir_histogram *histogram,
				    const struct weir_metric_def *def,
				    double value);

#ifdef __cplusplus
}
#endif
#endif
