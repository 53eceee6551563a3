/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_rows.c: the messages of OTLP as tables.
 *
 * opentelemetry-proto 1.x: number, kind, JSON name, in the order in which the
 * .proto declares the fields, which is the order that JSON has them in.
 * Constant; fields that are not listed have no JSON form.
 */
#include "otlp_rows.h"

#define ROW(number, kind, rule, name, sub)				\
	{ number, OTLP_##kind, rule, sizeof("\"" name "\":") - 1,	\
	  "\"" name "\":", sub, NULL }
#define ENUM(number, name, names)					\
	{ number, OTLP_ENUM, 0, sizeof("\"" name "\":") - 1,		\
	  "\"" name "\":", NULL, names }
#define NAMES_OF(what)							\
	static const struct otlp_names what = {				\
		what##_names, sizeof(what##_names) / sizeof(what##_names[0]) }
#define MESSAGE_OF(what)						\
	static const struct otlp_message what = {			\
		what##_rows, sizeof(what##_rows) / sizeof(what##_rows[0]) }

#define MEMBER (OTLP_PRESENT | OTLP_MEMBER)

/* --- common.proto, resource.proto --------------------------------------- */

static const struct otlp_row list_rows[] = {
	ROW(1, VALUE, OTLP_REPEATED, "values", NULL),
};
MESSAGE_OF(list);

static const struct otlp_row map_rows[] = {
	ROW(1, ATTRIBUTE, OTLP_REPEATED, "values", NULL),
};
MESSAGE_OF(map);

/* string_value_strindex and key_strindex are for profiles only. */
static const struct otlp_row any_value_rows[] = {
	ROW(1, TEXT, MEMBER, "stringValue", NULL),
	ROW(2, BOOL, MEMBER, "boolValue", NULL),
	ROW(3, INT64, MEMBER, "intValue", NULL),
	ROW(4, DOUBLE, MEMBER, "doubleValue", NULL),
	ROW(5, MESSAGE, MEMBER, "arrayValue", &list),
	ROW(6, MESSAGE, MEMBER, "kvlistValue", &map),
	ROW(7, BYTES, MEMBER, "bytesValue", NULL),
};
const struct otlp_message otlp_any_value = {
	any_value_rows, sizeof(any_value_rows) / sizeof(any_value_rows[0])
};

static const struct otlp_row key_value_rows[] = {
	ROW(1, TEXT, 0, "key", NULL),
	ROW(2, VALUE, OTLP_REPLACES, "value", NULL),
};
const struct otlp_message otlp_key_value = {
	key_value_rows, sizeof(key_value_rows) / sizeof(key_value_rows[0])
};

static const struct otlp_row entity_rows[] = {
	ROW(1, TEXT, 0, "schemaUrl", NULL),
	ROW(2, TEXT, 0, "type", NULL),
	ROW(3, TEXT, OTLP_REPEATED, "idKeys", NULL),
	ROW(4, TEXT, OTLP_REPEATED, "descriptionKeys", NULL),
};
MESSAGE_OF(entity);

static const struct otlp_row resource_rows[] = {
	ROW(1, ATTRIBUTE, OTLP_REPEATED, "attributes", NULL),
	ROW(2, UINT32, 0, "droppedAttributesCount", NULL),
	ROW(3, MESSAGE, OTLP_REPEATED, "entityRefs", &entity),
};
MESSAGE_OF(resource);

static const struct otlp_row scope_rows[] = {
	ROW(1, TEXT, 0, "name", NULL),
	ROW(2, TEXT, 0, "version", NULL),
	ROW(3, ATTRIBUTE, OTLP_REPEATED, "attributes", NULL),
	ROW(4, UINT32, 0, "droppedAttributesCount", NULL),
};
MESSAGE_OF(scope);

/* --- trace.proto -------------------------------------------------------- */

static const struct otlp_row event_rows[] = {
	ROW(1, UINT64, 0, "timeUnixNano", NULL),
	ROW(2, TEXT, 0, "name", NULL),
	ROW(3, ATTRIBUTE, OTLP_REPEATED, "attributes", NULL),
	ROW(4, UINT32, 0, "droppedAttributesCount", NULL),
};
MESSAGE_OF(event);

static const struct otlp_row link_rows[] = {
	ROW(1, ID16, 0, "traceId", NULL),
	ROW(2, ID8, 0, "spanId", NULL),
	ROW(3, TEXT, 0, "traceState", NULL),
	ROW(4, ATTRIBUTE, OTLP_REPEATED, "attributes", NULL),
	ROW(5, UINT32, 0, "droppedAttributesCount", NULL),
	ROW(6, FIXED32, 0, "flags", NULL),
};
MESSAGE_OF(link);

static const char *const status_code_names[] = {
	"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"
};
NAMES_OF(status_code);

static const struct otlp_row status_rows[] = {
	ROW(2, TEXT, 0, "message", NULL),
	ENUM(3, "code", &status_code),
};
MESSAGE_OF(status);

static const char *const span_kind_names[] = {
	"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
	"SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER"
};
NAMES_OF(span_kind);

static const struct otlp_row span_rows[] = {
	ROW(1, ID16, 0, "traceId", NULL),
	ROW(2, ID8, 0, "spanId", NULL),
	ROW(3, TEXT, 0, "traceState", NULL),
	ROW(4, ID8, 0, "parentSpanId", NULL),
	ROW(16, FIXED32, 0, "flags", NULL),
	ROW(5, TEXT, 0, "name", NULL),
	ENUM(6, "kind", &span_kind),
	ROW(7, UINT64, 0, "startTimeUnixNano", NULL),
	ROW(8, UINT64, 0, "endTimeUnixNano", NULL),
	ROW(9, ATTRIBUTE, OTLP_REPEATED, "attributes", NULL),
	ROW(10, UINT32, 0, "droppedAttributesCount", NULL),
	ROW(11, MESSAGE, OTLP_REPEATED, "events", &event),
	ROW(12, UINT32, 0, "droppedEventsCount", NULL),
	ROW(13, MESSAGE, OTLP_REPEATED, "links", &link),
	ROW(14, UINT32, 0, "droppedLinksCount", NULL),
	ROW(15, MESSAGE, OTLP_ALWAYS, "status", &status),
};
MESSAGE_OF(span);

static const struct otlp_row scope_spans_rows[] = {
	ROW(1, MESSAGE, OTLP_ALWAYS, "scope", &scope),
	ROW(2, MESSAGE, OTLP_REPEATED, "spans", &span),
	ROW(3, TEXT, 0, "schemaUrl", NULL),
};
MESSAGE_OF(scope_spans);

static const struct otlp_row resource_spans_rows[] = {
	ROW(1, MESSAGE, OTLP_ALWAYS, "resource", &resource),
	ROW(2, MESSAGE, OTLP_REPEATED, "scopeSpans", &scope_spans),
	ROW(3, TEXT, 0, "schemaUrl", NULL),
};
MESSAGE_OF(resource_spans);

/* --- logs.proto --------------------------------------------------------- */

#define SEVERITY(level) "SEVERITY_NUMBER_" level,			\
	"SEVERITY_NUMBER_" level "2", "SEVERITY_NUMBER_" level "3",	\
	"SEVERITY_NUMBER_" level "4"
static const char *const severity_number_names[] = {
	"SEVERITY_NUMBER_UNSPECIFIED", SEVERITY("TRACE"), SEVERITY("DEBUG"),
	SEVERITY("INFO"), SEVERITY("WARN"), SEVERITY("ERROR"), SEVERITY("FATAL")
};
NAMES_OF(severity_number);

static const struct otlp_row log_record_rows[] = {
	ROW(1, UINT64, 0, "timeUnixNano", NULL),
	ROW(11, UINT64, 0, "observedTimeUnixNano", NULL),
	ENUM(2, "severityNumber", &severity_number),
	ROW(3, TEXT, 0, "severityText", NULL),
	ROW(5, VALUE, OTLP_ALWAYS | OTLP_REPLACES, "body", NULL),
	ROW(6, ATTRIBUTE, OTLP_REPEATED, "attributes", NULL),
	ROW(7, UINT32, 0, "droppedAttributesCount", NULL),
	ROW(8, FIXED32, 0, "flags", NULL),
	ROW(9, ID16, 0, "traceId", NULL),
	ROW(10, ID8, 0, "spanId", NULL),
	ROW(12, TEXT, 0, "eventName", NULL),
};
MESSAGE_OF(log_record);

static const struct otlp_row scope_logs_rows[] = {
	ROW(1, MESSAGE, OTLP_ALWAYS, "scope", &scope),
	ROW(2, MESSAGE, OTLP_REPEATED, "logRecords", &log_record),
	ROW(3, TEXT, 0, "schemaUrl", NULL),
};
MESSAGE_OF(scope_logs);

static const struct otlp_row resource_logs_rows[] = {
	ROW(1, MESSAGE, OTLP_ALWAYS, "resource", &resource),
	ROW(2, MESSAGE, OTLP_REPEATED, "scopeLogs", &scope_logs),
	ROW(3, TEXT, 0, "schemaUrl", NULL),
};
MESSAGE_OF(resource_logs);

/* --- metrics.proto ------------------------------------------------------ */

static const struct otlp_row exemplar_rows[] = {
	ROW(7, ATTRIBUTE, OTLP_REPEATED, "filteredAttributes", NULL),
	ROW(2, UINT64, 0, "timeUnixNano", NULL),
	ROW(3, DOUBLE, OTLP_PRESENT, "asDouble", NULL),
	ROW(6, SFIXED64, OTLP_PRESENT, "asInt", NULL),
	ROW(5, ID16, 0, "traceId", NULL),
	ROW(4, ID8, 0, "spanId", NULL),
};
MESSAGE_OF(exemplar);

static const struct otlp_row number_rows[] = {
	ROW(7, ATTRIBUTE, OTLP_REPEATED, "attributes", NULL),
	ROW(2, UINT64, 0, "startTimeUnixNano", NULL),
	ROW(3, UINT64, 0, "timeUnixNano", NULL),
	ROW(4, DOUBLE, OTLP_PRESENT, "asDouble", NULL),
	ROW(6, SFIXED64, OTLP_PRESENT, "asInt", NULL),
	ROW(5, MESSAGE, OTLP_REPEATED, "exemplars", &exemplar),
	ROW(8, UINT32, 0, "flags", NULL),
};
MESSAGE_OF(number);

static const struct otlp_row histogram_point_rows[] = {
	ROW(9, ATTRIBUTE, OTLP_REPEATED, "attributes", NULL),
	ROW(2, UINT64, 0, "startTimeUnixNano", NULL),
	ROW(3, UINT64, 0, "timeUnixNano", NULL),
	ROW(4, UINT64, 0, "count", NULL),
	ROW(5, DOUBLE, OTLP_PRESENT, "sum", NULL),
	ROW(6, BUCKETS, 0, "bucketCounts", NULL),
	ROW(7, BOUNDS, 0, "explicitBounds", NULL),
	ROW(8, MESSAGE, OTLP_REPEATED, "exemplars", &exemplar),
	ROW(10, UINT32, 0, "flags", NULL),
	ROW(11, DOUBLE, OTLP_PRESENT, "min", NULL),
	ROW(12, DOUBLE, OTLP_PRESENT, "max", NULL),
};
MESSAGE_OF(histogram_point);

static const struct otlp_row buckets_rows[] = {
	ROW(1, SINT32, 0, "offset", NULL),
	ROW(2, COUNTS, 0, "bucketCounts", NULL),
};
MESSAGE_OF(buckets);

static const struct otlp_row exponential_point_rows[] = {
	ROW(1, ATTRIBUTE, OTLP_REPEATED, "attributes", NULL),
	ROW(2, UINT64, 0, "startTimeUnixNano", NULL),
	ROW(3, UINT64, 0, "timeUnixNano", NULL),
	ROW(4, UINT64, 0, "count", NULL),
	ROW(5, DOUBLE, OTLP_PRESENT, "sum", NULL),
	ROW(6, SINT32, 0, "scale", NULL),
	ROW(7, UINT64, 0, "zeroCount", NULL),
	ROW(8, MESSAGE, OTLP_ALWAYS, "positive", &buckets),
	ROW(9, MESSAGE, OTLP_ALWAYS, "negative", &buckets),
	ROW(10, UINT32, 0, "flags", NULL),
	ROW(11, MESSAGE, OTLP_REPEATED, "exemplars", &exemplar),
	ROW(12, DOUBLE, OTLP_PRESENT, "min", NULL),
	ROW(13, DOUBLE, OTLP_PRESENT, "max", NULL),
	ROW(14, DOUBLE, 0, "zeroThreshold", NULL),
};
MESSAGE_OF(exponential_point);

static const struct otlp_row quantile_rows[] = {
	ROW(1, DOUBLE, 0, "quantile", NULL),
	ROW(2, DOUBLE, 0, "value", NULL),
};
MESSAGE_OF(quantile);

static const struct otlp_row summary_point_rows[] = {
	ROW(7, ATTRIBUTE, OTLP_REPEATED, "attributes", NULL),
	ROW(2, UINT64, 0, "startTimeUnixNano", NULL),
	ROW(3, UINT64, 0, "timeUnixNano", NULL),
	ROW(4, UINT64, 0, "count", NULL),
	ROW(5, DOUBLE, 0, "sum", NULL),
	ROW(6, MESSAGE, OTLP_REPEATED, "quantileValues", &quantile),
	ROW(8, UINT32, 0, "flags", NULL),
};
MESSAGE_OF(summary_point);

static const struct otlp_row gauge_rows[] = {
	ROW(1, MESSAGE, OTLP_REPEATED, "dataPoints", &number),
};
MESSAGE_OF(gauge);

static const char *const temporality_names[] = {
	"AGGREGATION_TEMPORALITY_UNSPECIFIED", "AGGREGATION_TEMPORALITY_DELTA",
	"AGGREGATION_TEMPORALITY_CUMULATIVE"
};
NAMES_OF(temporality);

static const struct otlp_row sum_rows[] = {
	ROW(1, MESSAGE, OTLP_REPEATED, "dataPoints", &number),
	ENUM(2, "aggregationTemporality", &temporality),
	ROW(3, BOOL, 0, "isMonotonic", NULL),
};
MESSAGE_OF(sum);

static const struct otlp_row histogram_rows[] = {
	ROW(1, MESSAGE, OTLP_REPEATED, "dataPoints", &histogram_point),
	ENUM(2, "aggregationTemporality", &temporality),
};
MESSAGE_OF(histogram);

static const struct otlp_row exponential_rows[] = {
	ROW(1, MESSAGE, OTLP_REPEATED, "dataPoints", &exponential_point),
	ENUM(2, "aggregationTemporality", &temporality),
};
MESSAGE_OF(exponential);

static const struct otlp_row summary_rows[] = {
	ROW(1, MESSAGE, OTLP_REPEATED, "dataPoints", &summary_point),
};
MESSAGE_OF(summary);

static const struct otlp_row metric_rows[] = {
	ROW(1, TEXT, 0, "name", NULL),
	ROW(2, TEXT, 0, "description", NULL),
	ROW(3, TEXT, 0, "unit", NULL),
	ROW(5, MESSAGE, MEMBER, "gauge", &gauge),
	ROW(7, MESSAGE, MEMBER, "sum", &sum),
	ROW(9, MESSAGE, MEMBER, "histogram", &histogram),
	ROW(10, MESSAGE, MEMBER, "exponentialHistogram", &exponential),
	ROW(11, MESSAGE, MEMBER, "summary", &summary),
	ROW(12, ATTRIBUTE, OTLP_REPEATED, "metadata", NULL),
};
MESSAGE_OF(metric);

static const struct otlp_row scope_metrics_rows[] = {
	ROW(1, MESSAGE, OTLP_ALWAYS, "scope", &scope),
	ROW(2, MESSAGE, OTLP_REPEATED, "metrics", &metric),
	ROW(3, TEXT, 0, "schemaUrl", NULL),
};
MESSAGE_OF(scope_metrics);

static const struct otlp_row resource_metrics_rows[] = {
	ROW(1, MESSAGE, OTLP_ALWAYS, "resource", &resource),
	ROW(2, MESSAGE, OTLP_REPEATED, "scopeMetrics", &scope_metrics),
	ROW(3, TEXT, 0, "schemaUrl", NULL),
};
MESSAGE_OF(resource_metrics);

/* --- Requests ----------------------------------------------------------- */

static const struct otlp_row traces_rows[] = {
	ROW(1, MESSAGE, OTLP_REPEATED, "resourceSpans", &resource_spans),
};
MESSAGE_OF(traces);

static const struct otlp_row metrics_rows[] = {
	ROW(1, MESSAGE, OTLP_REPEATED, "resourceMetrics", &resource_metrics),
};
MESSAGE_OF(metrics);

static const struct otlp_row logs_rows[] = {
	ROW(1, MESSAGE, OTLP_REPEATED, "resourceLogs", &resource_logs),
};
MESSAGE_OF(logs);

const struct otlp_request otlp_requests[WEIR_SIGNAL_COUNT] = {
	[WEIR_SIGNAL_TRACES] = { "{\"resourceSpans\":[", &resource_spans,
				 &traces },
	[WEIR_SIGNAL_METRICS] = { "{\"resourceMetrics\":[",
				  &resource_metrics, &metrics },
	[WEIR_SIGNAL_LOGS] = { "{\"resourceLogs\":[", &resource_logs, &logs },
};
