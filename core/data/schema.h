/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h: OTLP's messages as tables, for the walk and the canonical road.
 *
 * A row says how a field is written and what makes it odd; it names no C
 * member: nothing is unpacked.  What has no row is an unknown field.
 */
#ifndef CORE_SCHEMA_H
#define CORE_SCHEMA_H

#include <weir/base.h>

#include "wire.h"

/* Highest field number of any message, plus one. */
#define SCHEMA_FIELDS 17

enum field_type {
	FIELD_UNKNOWN,
	FIELD_FIXED64,		/* also sfixed64, double */
	FIELD_FIXED32,
	FIELD_UINT32,
	FIELD_SINT32,
	FIELD_ENUM,		/* sign-extended int32 */
	FIELD_INT64,
	FIELD_BOOL,
	FIELD_TEXT,
	FIELD_BYTES,
	FIELD_ID16,		/* none, or that many bytes */
	FIELD_ID8,
	FIELD_MESSAGE,
	FIELD_ATTRIBUTE,	/* a KeyValue: the walk has a fast way for it */
	FIELD_PACKED64,		/* fixed64s or doubles */
	FIELD_PACKED_VARINT	/* uint64s */
};

enum schema_id {
	SCHEMA_NONE,
	SCHEMA_TRACES, SCHEMA_RESOURCE_SPANS, SCHEMA_SCOPE_SPANS, SCHEMA_SPAN,
	SCHEMA_EVENT, SCHEMA_LINK, SCHEMA_STATUS,
	SCHEMA_METRICS, SCHEMA_RESOURCE_METRICS, SCHEMA_SCOPE_METRICS,
	SCHEMA_METRIC, SCHEMA_GAUGE, SCHEMA_SUM, SCHEMA_HISTOGRAM,
	SCHEMA_EXPONENTIAL, SCHEMA_SUMMARY, SCHEMA_NUMBER_POINT,
	SCHEMA_HISTOGRAM_POINT, SCHEMA_EXPONENTIAL_POINT, SCHEMA_SUMMARY_POINT,
	SCHEMA_BUCKETS, SCHEMA_QUANTILE, SCHEMA_EXEMPLAR,
	SCHEMA_LOGS, SCHEMA_RESOURCE_LOGS, SCHEMA_SCOPE_LOGS, SCHEMA_LOG_RECORD,
	SCHEMA_RESOURCE, SCHEMA_ENTITY, SCHEMA_SCOPE,
	SCHEMA_KEY_VALUE, SCHEMA_ANY_VALUE, SCHEMA_LIST, SCHEMA_MAP,
	SCHEMA_COUNT
};

enum {				/* schema_field.flags */
	FIELD_REPEATED = 1,
	FIELD_ONEOF = 2,	/* a member of the message's only oneof */
	FIELD_SHOWN = 4,	/* text that attribute processors may look at */
	FIELD_KEY = 8,		/* KeyValue.key */
	FIELD_VALUE = 16,	/* a member of AnyValue.value */
	FIELD_BODY = 32		/* LogRecord.body */
};

struct schema_field {
	uint8_t type;		/* enum field_type */
	uint8_t tag;		/* the only tag it may have; 0: no such field */
	uint8_t child;		/* enum schema_id */
	uint8_t flags;
	/* Fields (a bit by number) that must not have come before: itself for
	 * a singular one, its rivals in a oneof, children for a parent's. */
	uint32_t conflict;
};

struct schema {
	uint8_t kind;		/* enum note_kind, or SCHEMA_UNNOTED */
	bool item;		/* a span, log record or data point */
	uint32_t oneof;		/* members, a bit by number */
	struct schema_field field[SCHEMA_FIELDS];
};

#define SCHEMA_UNNOTED 255

/* ResourceX: its ScopeX, and where they were until OTLP 0.15 (field 1000). */
#define SCHEMA_SCOPES 2
#define SCHEMA_OLD_SCOPES WIRE_TAG(1000, WIRE_BYTES)

extern const struct schema schemas[SCHEMA_COUNT];

/* The export request of a signal. */
static inline const struct schema *schema_of(enum weir_signal signal)
{
	static const uint8_t id[] = {
		[WEIR_SIGNAL_TRACES] = SCHEMA_TRACES,
		[WEIR_SIGNAL_METRICS] = SCHEMA_METRICS,
		[WEIR_SIGNAL_LOGS] = SCHEMA_LOGS,
	};

	return &schemas[id[signal]];
}

/* The row of a field; its type is FIELD_UNKNOWN when there is none. */
static inline const struct schema_field *schema_field(const struct schema *s,
						      uint32_t number)
{
	return &s->field[number < SCHEMA_FIELDS ? number : 0];
}

#endif
