/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_metrics.c: flat views of metrics, data points and exemplars.
 *
 * The five kinds of data point share one struct; their field numbers differ,
 * so each kind has a reader of its own.  Pure.
 */
#include <weir/views.h>

#include "fields.h"

#define FIXED64(field) WIRE_TAG(field, WIRE_FIXED64)
#define VARINT(field) WIRE_TAG(field, WIRE_VARINT)

/* Gauge and Summary have only points; the rest = 2, Sum = 3 besides. */
static void read_data(const struct wire_field *data,
		      struct weir_metric_view *out)
{
	struct fields fields = fields_of(field_body(data));
	struct wire_field f;

	out->data = (enum weir_metric_data)wire_field_of(data->tag);
	out->data_message = field_body(data);
	if (out->data == WEIR_DATA_GAUGE || out->data == WEIR_DATA_SUMMARY)
		return;
	while (fields_next(&fields, &f)) {
		if (f.tag == VARINT(2))
			out->aggregation_temporality = (uint32_t)f.value;
		else if (f.tag == VARINT(3) && out->data == WEIR_DATA_SUM)
			out->is_monotonic = f.value != 0;
	}
}

void weir_metric_read(weir_str message, struct weir_metric_view *out)
{
	struct fields fields = fields_of(message);
	struct wire_field f;

	*out = (struct weir_metric_view){ .message = message,
		.metadata = { message, TAG_BYTES(12) } };
	while (fields_next(&fields, &f)) {
		if (f.tag == TAG_BYTES(1))
			out->name = field_body(&f);
		else if (f.tag == TAG_BYTES(2))
			out->description = field_body(&f);
		else if (f.tag == TAG_BYTES(3))
			out->unit = field_body(&f);
		else if (tag_is_data(f.tag))
			read_data(&f, out);
	}
}

struct weir_message_cursor weir_points(const struct weir_metric_view *metric)
{
	return weir_messages(metric->data_message, 1);
}

struct weir_message_cursor weir_exemplars(const struct weir_point *point)
{
	switch (point->data) {
	case WEIR_DATA_GAUGE:
	case WEIR_DATA_SUM:
		return weir_messages(point->message, 5);
	case WEIR_DATA_HISTOGRAM:
		return weir_messages(point->message, 8);
	case WEIR_DATA_EXPONENTIAL_HISTOGRAM:
		return weir_messages(point->message, 11);
	default:
		return (struct weir_message_cursor){ 0 };
	}
}

/* --- Data points -------------------------------------------------------------- */

static void number_field(const struct wire_field *f, struct weir_point *out)
{
	switch (f->tag) {
	case FIXED64(4):
		out->real = field_double(f);
		out->has_double = true;
		break;
	case FIXED64(6):
		out->integer = (int64_t)f->value;
		out->has_int = true;
		break;
	case VARINT(8):
		out->flags = (uint32_t)f->value;
		break;
	}
}

static void take_double(const struct wire_field *f, double *to, bool *has)
{
	*to = field_double(f);
	*has = true;
}

static void histogram_field(const struct wire_field *f,
			    struct weir_point *out)
{
	switch (f->tag) {
	case FIXED64(4):
		out->count = f->value;
		break;
	case FIXED64(5):
		take_double(f, &out->sum, &out->has_sum);
		break;
	case TAG_BYTES(6):
		out->bucket_counts = field_body(f);
		break;
	case TAG_BYTES(7):
		out->explicit_bounds = field_body(f);
		break;
	case VARINT(10):
		out->flags = (uint32_t)f->value;
		break;
	case FIXED64(11):
		take_double(f, &out->min, &out->has_min);
		break;
	case FIXED64(12):
		take_double(f, &out->max, &out->has_max);
		break;
	}
}

static void read_buckets(weir_str message, struct weir_buckets *out)
{
	struct fields fields = fields_of(message);
	struct wire_field f;

	out->present = true;
	while (fields_next(&fields, &f)) {
		if (f.tag == VARINT(1))
			out->offset = (int32_t)wire_zigzag((uint32_t)f.value);
		else if (f.tag == TAG_BYTES(2))
			out->counts = field_body(&f);
	}
}

static void exponential_field(const struct wire_field *f,
			      struct weir_point *out)
{
	switch (f->tag) {
	case FIXED64(4):
		out->count = f->value;
		break;
	case FIXED64(5):
		take_double(f, &out->sum, &out->has_sum);
		break;
	case VARINT(6):
		out->scale = (int32_t)wire_zigzag((uint32_t)f->value);
		break;
	case FIXED64(7):
		out->zero_count = f->value;
		break;
	case TAG_BYTES(8):
		read_buckets(field_body(f), &out->positive);
		break;
	case TAG_BYTES(9):
		read_buckets(field_body(f), &out->negative);
		break;
	case VARINT(10):
		out->flags = (uint32_t)f->value;
		break;
	case FIXED64(12):
		take_double(f, &out->min, &out->has_min);
		break;
	case FIXED64(13):
		take_double(f, &out->max, &out->has_max);
		break;
	case FIXED64(14):
		out->zero_threshold = field_double(f);
		break;
	}
}

/* The sum of a summary has no presence: it is always there. */
static void summary_field(const struct wire_field *f, struct weir_point *out)
{
	switch (f->tag) {
	case FIXED64(4):
		out->count = f->value;
		break;
	case FIXED64(5):
		out->sum = field_double(f);
		break;
	case VARINT(8):
		out->flags = (uint32_t)f->value;
		break;
	}
}

static void point_field(const struct wire_field *f, struct weir_point *out)
{
	if (f->tag == FIXED64(2))
		out->start_unix_nano = f->value;
	else if (f->tag == FIXED64(3))
		out->time_unix_nano = f->value;
	else if (out->data == WEIR_DATA_HISTOGRAM)
		histogram_field(f, out);
	else if (out->data == WEIR_DATA_EXPONENTIAL_HISTOGRAM)
		exponential_field(f, out);
	else if (out->data == WEIR_DATA_SUMMARY)
		summary_field(f, out);
	else
		number_field(f, out);
}

void weir_point_read(weir_str message, enum weir_metric_data data,
		     struct weir_point *out)
{
	struct fields fields = fields_of(message);
	struct wire_field f;

	*out = (struct weir_point){ .message = message, .data = data,
		.has_sum = data == WEIR_DATA_SUMMARY,
		.attributes = { message,
				TAG_BYTES(point_attributes_field(data)) } };
	while (fields_next(&fields, &f))
		point_field(&f, out);
}

void weir_quantile_read(weir_str message, struct weir_quantile *out)
{
	struct fields fields = fields_of(message);
	struct wire_field f;

	*out = (struct weir_quantile){ 0 };
	while (fields_next(&fields, &f)) {
		if (f.tag == FIXED64(1))
			out->quantile = field_double(&f);
		else if (f.tag == FIXED64(2))
			out->value = field_double(&f);
	}
}

void weir_exemplar_read(weir_str message, struct weir_exemplar *out)
{
	struct fields fields = fields_of(message);
	struct wire_field f;

	*out = (struct weir_exemplar){ .message = message,
		.attributes = { message, TAG_BYTES(7) } };
	while (fields_next(&fields, &f)) {
		switch (f.tag) {
		case FIXED64(2):
			out->time_unix_nano = f.value;
			break;
		case FIXED64(3):
			take_double(&f, &out->real, &out->has_double);
			break;
		case TAG_BYTES(4):
			out->span_id = field_body(&f);
			break;
		case TAG_BYTES(5):
			out->trace_id = field_body(&f);
			break;
		case FIXED64(6):
			out->integer = (int64_t)f.value;
			out->has_int = true;
			break;
		}
	}
}
