/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h: the fields of a message that has passed the walk, and the OTLP
 * numbers that views, runs, filters and splits share.
 *
 * Iteration ends at what it cannot read, so bytes that never passed the walk
 * give wrong answers at worst.
 */
#ifndef CORE_FIELDS_H
#define CORE_FIELDS_H

#include <weir/views.h>

#include "wire.h"

#define TAG_BYTES(field) WIRE_TAG(field, WIRE_BYTES)

/* The same numbers in all three signals. */
#define TAG_RECORDS TAG_BYTES(1)	/* request: ResourceSpans, ... */
#define TAG_RESOURCE TAG_BYTES(1)	/* wrapper: Resource */
#define TAG_SCOPES TAG_BYTES(2)		/* wrapper: ScopeSpans, ... */
#define TAG_SCOPE TAG_BYTES(1)		/* scope wrapper: its scope */
#define TAG_ITEMS TAG_BYTES(2)		/* Span, Metric or LogRecord */
#define TAG_SCHEMA_URL TAG_BYTES(3)	/* both wrappers */
#define TAG_POINTS TAG_BYTES(1)		/* Gauge, Sum, ...: data points */

struct fields {
	const uint8_t *p, *end;
};

static inline struct fields fields_of(weir_str message)
{
	const uint8_t *p = (const uint8_t *)message.ptr;

	return (struct fields){ p, message.len ? p + message.len : p };
}

/* Behind the field at p; NULL at the end, and at what it cannot read.  Takes
 * no struct fields: whose address is never taken stays in registers. */
static __attribute__((noinline, unused)) const uint8_t *
field_any(const uint8_t *p, const uint8_t *end, struct wire_field *f)
{
	return p == end ? NULL : wire_next(p, end, f);
}

/* Inlined for what nearly all fields are: length-delimited, tag and length of
 * one byte each. */
static inline __attribute__((always_inline)) bool
fields_next(struct fields *fields, struct wire_field *f)
{
	const uint8_t *p = fields->p, *next;

	if (2 > fields->end - p || (p[0] & 0x87) != WIRE_BYTES || p[0] < 8 ||
	    p[1] >= 0x80 || p[1] > fields->end - p - 2) {
		next = field_any(p, fields->end, f);
		fields->p = next ? next : fields->end;
		return next != NULL;
	}
	f->tag = p[0];
	f->value = p[1];
	f->start = p;
	f->body = p + 2;
	fields->p = p + 2 + p[1];
	return true;
}

/* The next field with that tag; what is between is passed over. */
static inline __attribute__((always_inline)) bool
fields_find(struct fields *fields, uint32_t tag, struct wire_field *f)
{
	while (fields_next(fields, f))
		if (f->tag == tag)
			return true;
	return false;
}

static inline weir_str field_body(const struct wire_field *f)
{
	return (weir_str){ (const char *)f->body, (size_t)f->value };
}

static inline double field_double(const struct wire_field *f)
{
	double real;

	memcpy(&real, &f->value, sizeof(real));
	return real;
}

/* Metric.data: is it one of the five? */
static inline bool tag_is_data(uint32_t tag)
{
	return tag == TAG_BYTES(WEIR_DATA_GAUGE) ||
	       tag == TAG_BYTES(WEIR_DATA_SUM) ||
	       tag == TAG_BYTES(WEIR_DATA_HISTOGRAM) ||
	       tag == TAG_BYTES(WEIR_DATA_EXPONENTIAL_HISTOGRAM) ||
	       tag == TAG_BYTES(WEIR_DATA_SUMMARY);
}

/* Field number of a data point's attributes. */
static inline uint32_t point_attributes_field(enum weir_metric_data data)
{
	if (data == WEIR_DATA_HISTOGRAM)
		return 9;
	return data == WEIR_DATA_EXPONENTIAL_HISTOGRAM ? 1 : 7;
}

#endif
