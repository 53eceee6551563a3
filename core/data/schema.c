/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.c: the tables of schema.h, by the published field tables of OTLP 1.x
 * (the same facts as plugins/proto, which tests hold against these).
 *
 * Constant; knows nothing of bytes.
 */
#include "notes.h"
#include "schema.h"

enum {
	WIRE_OF_FIXED64 = WIRE_FIXED64,
	WIRE_OF_FIXED32 = WIRE_FIXED32,
	WIRE_OF_UINT32 = WIRE_VARINT,
	WIRE_OF_SINT32 = WIRE_VARINT,
	WIRE_OF_ENUM = WIRE_VARINT,
	WIRE_OF_INT64 = WIRE_VARINT,
	WIRE_OF_BOOL = WIRE_VARINT,
	WIRE_OF_TEXT = WIRE_BYTES,
	WIRE_OF_BYTES = WIRE_BYTES,
	WIRE_OF_ID16 = WIRE_BYTES,
	WIRE_OF_ID8 = WIRE_BYTES,
	WIRE_OF_MESSAGE = WIRE_BYTES,
	WIRE_OF_ATTRIBUTE = WIRE_BYTES,
	WIRE_OF_PACKED64 = WIRE_BYTES,
	WIRE_OF_PACKED_VARINT = WIRE_BYTES
};

#define BIT(n) (1u << (n))
#define TAG(n, type) WIRE_TAG(n, WIRE_OF_##type)

/* A singular field; packed ones come in one piece. */
#define ONE(n, type) [n] = { FIELD_##type, TAG(n, type), 0, 0, BIT(n) }
#define SHOWN(n) [n] = { FIELD_TEXT, TAG(n, TEXT), 0, FIELD_SHOWN, BIT(n) }
#define SUB(n, id) [n] = { FIELD_MESSAGE, TAG(n, MESSAGE), SCHEMA_##id, 0, \
			   BIT(n) }
/* Singular, and never behind `later`. */
#define SHOWN_BEFORE(n, later)                                            \
	[n] = { FIELD_TEXT, TAG(n, TEXT), 0, FIELD_SHOWN, BIT(n) | (later) }
#define SUB_BEFORE(n, id, later)                                          \
	[n] = { FIELD_MESSAGE, TAG(n, MESSAGE), SCHEMA_##id, 0,           \
		BIT(n) | (later) }
#define MANY(n, id)                                                       \
	[n] = { FIELD_MESSAGE, TAG(n, MESSAGE), SCHEMA_##id, FIELD_REPEATED, 0 }
#define TEXTS(n) [n] = { FIELD_TEXT, TAG(n, TEXT), 0, FIELD_REPEATED, 0 }
#define ATTRIBUTES(n)                                                     \
	[n] = { FIELD_ATTRIBUTE, TAG(n, ATTRIBUTE), SCHEMA_KEY_VALUE,     \
		FIELD_REPEATED, 0 }
/* Members of a oneof; `rivals` are all of its members. */
#define EITHER(n, type, rivals)                                           \
	[n] = { FIELD_##type, TAG(n, type), 0, FIELD_ONEOF, rivals }
#define EITHER_SUB(n, id, rivals)                                         \
	[n] = { FIELD_MESSAGE, TAG(n, MESSAGE), SCHEMA_##id, FIELD_ONEOF, \
		rivals }
#define VALUE(n, type)                                                    \
	[n] = { FIELD_##type, TAG(n, type), 0, FIELD_ONEOF | FIELD_VALUE, \
		ANY_VALUE }
#define VALUE_SUB(n, id)                                                  \
	[n] = { FIELD_MESSAGE, TAG(n, MESSAGE), SCHEMA_##id,              \
		FIELD_ONEOF | FIELD_VALUE, ANY_VALUE }

#define ANY_VALUE (BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7))
#define METRIC_DATA (BIT(5) | BIT(7) | BIT(9) | BIT(10) | BIT(11))
#define NUMBER_VALUE (BIT(4) | BIT(6))
#define EXEMPLAR_VALUE (BIT(3) | BIT(6))

#define REQUEST(wrapper)                                                  \
	{ .kind = SCHEMA_UNNOTED, .field = { MANY(1, wrapper) } }
/* ResourceX and ScopeX have one shape: head, children, schema_url. */
#define WRAPPER(note, head, children)                                     \
	{ .kind = (note), .field = { SUB_BEFORE(1, head, BIT(2)),         \
				     MANY(2, children), SHOWN(3) } }

const struct schema schemas[SCHEMA_COUNT] = {
[SCHEMA_TRACES] = REQUEST(RESOURCE_SPANS),
[SCHEMA_RESOURCE_SPANS] = WRAPPER(NOTE_WRAPPER, RESOURCE, SCOPE_SPANS),
[SCHEMA_SCOPE_SPANS] = WRAPPER(NOTE_SCOPE_WRAPPER, SCOPE, SPAN),
[SCHEMA_SPAN] = { .kind = NOTE_RECORD, .item = true, .field = {
	ONE(1, ID16),		/* trace_id */
	ONE(2, ID8),		/* span_id */
	SHOWN(3),		/* trace_state */
	ONE(4, ID8),		/* parent_span_id */
	SHOWN(5),		/* name */
	ONE(6, ENUM),		/* kind */
	ONE(7, FIXED64),	/* start_time_unix_nano */
	ONE(8, FIXED64),	/* end_time_unix_nano */
	ATTRIBUTES(9),
	ONE(10, UINT32),	/* dropped_attributes_count */
	MANY(11, EVENT),
	ONE(12, UINT32),	/* dropped_events_count */
	MANY(13, LINK),
	ONE(14, UINT32),	/* dropped_links_count */
	SUB(15, STATUS),
	ONE(16, FIXED32) } },	/* flags */
[SCHEMA_EVENT] = { .kind = NOTE_EVENT, .field = {
	ONE(1, FIXED64),	/* time_unix_nano */
	SHOWN(2),		/* name */
	ATTRIBUTES(3),
	ONE(4, UINT32) } },	/* dropped_attributes_count */
[SCHEMA_LINK] = { .kind = NOTE_LINK, .field = {
	ONE(1, ID16),		/* trace_id */
	ONE(2, ID8),		/* span_id */
	SHOWN(3),		/* trace_state */
	ATTRIBUTES(4),
	ONE(5, UINT32),		/* dropped_attributes_count */
	ONE(6, FIXED32) } },	/* flags */
[SCHEMA_STATUS] = { .kind = SCHEMA_UNNOTED, .field = {
	SHOWN(2),		/* message */
	ONE(3, ENUM) } },	/* code */

[SCHEMA_METRICS] = REQUEST(RESOURCE_METRICS),
[SCHEMA_RESOURCE_METRICS] = WRAPPER(NOTE_WRAPPER, RESOURCE, SCOPE_METRICS),
[SCHEMA_SCOPE_METRICS] = WRAPPER(NOTE_SCOPE_WRAPPER, SCOPE, METRIC),
[SCHEMA_METRIC] = { .kind = NOTE_METRIC, .oneof = METRIC_DATA, .field = {
	SHOWN_BEFORE(1, METRIC_DATA),	/* name */
	SHOWN_BEFORE(2, METRIC_DATA),	/* description */
	SHOWN_BEFORE(3, METRIC_DATA),	/* unit */
	EITHER_SUB(5, GAUGE, METRIC_DATA),
	EITHER_SUB(7, SUM, METRIC_DATA),
	EITHER_SUB(9, HISTOGRAM, METRIC_DATA),
	EITHER_SUB(10, EXPONENTIAL, METRIC_DATA),
	EITHER_SUB(11, SUMMARY, METRIC_DATA),
	ATTRIBUTES(12) } },	/* metadata */
[SCHEMA_GAUGE] = { .kind = NOTE_DATA, .field = { MANY(1, NUMBER_POINT) } },
[SCHEMA_SUM] = { .kind = NOTE_DATA, .field = {
	MANY(1, NUMBER_POINT),
	ONE(2, ENUM),		/* aggregation_temporality */
	ONE(3, BOOL) } },	/* is_monotonic */
[SCHEMA_HISTOGRAM] = { .kind = NOTE_DATA, .field = {
	MANY(1, HISTOGRAM_POINT), ONE(2, ENUM) } },
[SCHEMA_EXPONENTIAL] = { .kind = NOTE_DATA, .field = {
	MANY(1, EXPONENTIAL_POINT), ONE(2, ENUM) } },
[SCHEMA_SUMMARY] = { .kind = NOTE_DATA, .field = { MANY(1, SUMMARY_POINT) } },
[SCHEMA_NUMBER_POINT] = { .kind = NOTE_RECORD, .item = true,
			  .oneof = NUMBER_VALUE, .field = {
	ONE(2, FIXED64),	/* start_time_unix_nano */
	ONE(3, FIXED64),	/* time_unix_nano */
	EITHER(4, FIXED64, NUMBER_VALUE),	/* as_double */
	MANY(5, EXEMPLAR),
	EITHER(6, FIXED64, NUMBER_VALUE),	/* as_int */
	ATTRIBUTES(7),
	ONE(8, UINT32) } },	/* flags */
[SCHEMA_HISTOGRAM_POINT] = { .kind = NOTE_RECORD, .item = true, .field = {
	ONE(2, FIXED64),	/* start_time_unix_nano */
	ONE(3, FIXED64),	/* time_unix_nano */
	ONE(4, FIXED64),	/* count */
	ONE(5, FIXED64),	/* sum */
	ONE(6, PACKED64),	/* bucket_counts */
	ONE(7, PACKED64),	/* explicit_bounds */
	MANY(8, EXEMPLAR),
	ATTRIBUTES(9),
	ONE(10, UINT32),	/* flags */
	ONE(11, FIXED64),	/* min */
	ONE(12, FIXED64) } },	/* max */
[SCHEMA_EXPONENTIAL_POINT] = { .kind = NOTE_RECORD, .item = true, .field = {
	ATTRIBUTES(1),
	ONE(2, FIXED64),	/* start_time_unix_nano */
	ONE(3, FIXED64),	/* time_unix_nano */
	ONE(4, FIXED64),	/* count */
	ONE(5, FIXED64),	/* sum */
	ONE(6, SINT32),		/* scale */
	ONE(7, FIXED64),	/* zero_count */
	SUB(8, BUCKETS),	/* positive */
	SUB(9, BUCKETS),	/* negative */
	ONE(10, UINT32),	/* flags */
	MANY(11, EXEMPLAR),
	ONE(12, FIXED64),	/* min */
	ONE(13, FIXED64),	/* max */
	ONE(14, FIXED64) } },	/* zero_threshold */
[SCHEMA_SUMMARY_POINT] = { .kind = NOTE_RECORD, .item = true, .field = {
	ONE(2, FIXED64),	/* start_time_unix_nano */
	ONE(3, FIXED64),	/* time_unix_nano */
	ONE(4, FIXED64),	/* count */
	ONE(5, FIXED64),	/* sum */
	MANY(6, QUANTILE),
	ATTRIBUTES(7),
	ONE(8, UINT32) } },	/* flags */
[SCHEMA_BUCKETS] = { .kind = SCHEMA_UNNOTED, .field = {
	ONE(1, SINT32),		/* offset */
	ONE(2, PACKED_VARINT) } },	/* bucket_counts */
[SCHEMA_QUANTILE] = { .kind = SCHEMA_UNNOTED, .field = {
	ONE(1, FIXED64),	/* quantile */
	ONE(2, FIXED64) } },	/* value */
[SCHEMA_EXEMPLAR] = { .kind = NOTE_EXEMPLAR, .oneof = EXEMPLAR_VALUE,
		      .field = {
	ONE(2, FIXED64),	/* time_unix_nano */
	EITHER(3, FIXED64, EXEMPLAR_VALUE),	/* as_double */
	ONE(4, ID8),		/* span_id */
	ONE(5, ID16),		/* trace_id */
	EITHER(6, FIXED64, EXEMPLAR_VALUE),	/* as_int */
	ATTRIBUTES(7) } },	/* filtered_attributes */

[SCHEMA_LOGS] = REQUEST(RESOURCE_LOGS),
[SCHEMA_RESOURCE_LOGS] = WRAPPER(NOTE_WRAPPER, RESOURCE, SCOPE_LOGS),
[SCHEMA_SCOPE_LOGS] = WRAPPER(NOTE_SCOPE_WRAPPER, SCOPE, LOG_RECORD),
[SCHEMA_LOG_RECORD] = { .kind = NOTE_RECORD, .item = true, .field = {
	ONE(1, FIXED64),	/* time_unix_nano */
	ONE(2, ENUM),		/* severity_number */
	SHOWN(3),		/* severity_text */
	[5] = { FIELD_MESSAGE, TAG(5, MESSAGE), SCHEMA_ANY_VALUE, FIELD_BODY,
		BIT(5) },
	ATTRIBUTES(6),
	ONE(7, UINT32),		/* dropped_attributes_count */
	ONE(8, FIXED32),	/* flags */
	ONE(9, ID16),		/* trace_id */
	ONE(10, ID8),		/* span_id */
	ONE(11, FIXED64),	/* observed_time_unix_nano */
	SHOWN(12) } },		/* event_name */

[SCHEMA_RESOURCE] = { .kind = NOTE_RESOURCE, .field = {
	ATTRIBUTES(1),
	ONE(2, UINT32),		/* dropped_attributes_count */
	MANY(3, ENTITY) } },
[SCHEMA_ENTITY] = { .kind = SCHEMA_UNNOTED, .field = {
	ONE(1, TEXT),		/* schema_url */
	ONE(2, TEXT),		/* type */
	TEXTS(3),		/* id_keys */
	TEXTS(4) } },		/* description_keys */
[SCHEMA_SCOPE] = { .kind = NOTE_SCOPE, .field = {
	SHOWN(1),		/* name */
	SHOWN(2),		/* version */
	ATTRIBUTES(3),
	ONE(4, UINT32) } },	/* dropped_attributes_count */

[SCHEMA_KEY_VALUE] = { .kind = SCHEMA_UNNOTED, .field = {
	[1] = { FIELD_TEXT, TAG(1, TEXT), 0, FIELD_KEY, BIT(1) },
	SUB(2, ANY_VALUE) } },
[SCHEMA_ANY_VALUE] = { .kind = SCHEMA_UNNOTED, .oneof = ANY_VALUE, .field = {
	VALUE(1, TEXT),
	VALUE(2, BOOL),
	VALUE(3, INT64),
	VALUE(4, FIXED64),	/* double_value */
	VALUE_SUB(5, LIST),
	VALUE_SUB(6, MAP),
	VALUE(7, BYTES) } },
[SCHEMA_LIST] = { .kind = SCHEMA_UNNOTED, .field = { MANY(1, ANY_VALUE) } },
[SCHEMA_MAP] = { .kind = SCHEMA_UNNOTED, .field = { MANY(1, KEY_VALUE) } },
};
