/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_records.c: flat views of spans, events, links and log records.
 *
 * One pass over the fields of one body, each decoded into its member.  Pure.
 */
#include <weir/views.h>

#include "fields.h"

#define FIXED64(field) WIRE_TAG(field, WIRE_FIXED64)
#define FIXED32(field) WIRE_TAG(field, WIRE_FIXED32)
#define VARINT(field) WIRE_TAG(field, WIRE_VARINT)

static void read_status(weir_str message, struct weir_span *out)
{
	struct fields fields = fields_of(message);
	struct wire_field f;

	out->has_status = true;
	while (fields_next(&fields, &f)) {
		if (f.tag == TAG_BYTES(2))
			out->status_message = field_body(&f);
		else if (f.tag == VARINT(3))
			out->status_code = (uint32_t)f.value;
	}
}

static void span_field(const struct wire_field *f, struct weir_span *out)
{
	switch (f->tag) {
	case TAG_BYTES(1):
		out->trace_id = field_body(f);
		break;
	case TAG_BYTES(2):
		out->span_id = field_body(f);
		break;
	case TAG_BYTES(3):
		out->trace_state = field_body(f);
		break;
	case TAG_BYTES(4):
		out->parent_span_id = field_body(f);
		break;
	case TAG_BYTES(5):
		out->name = field_body(f);
		break;
	case VARINT(6):
		out->kind = (uint32_t)f->value;
		break;
	case FIXED64(7):
		out->start_unix_nano = f->value;
		break;
	case FIXED64(8):
		out->end_unix_nano = f->value;
		break;
	case VARINT(10):
		out->dropped_attributes_count = (uint32_t)f->value;
		break;
	case VARINT(12):
		out->dropped_events_count = (uint32_t)f->value;
		break;
	case VARINT(14):
		out->dropped_links_count = (uint32_t)f->value;
		break;
	case TAG_BYTES(15):
		read_status(field_body(f), out);
		break;
	case FIXED32(16):
		out->flags = (uint32_t)f->value;
		break;
	}
}

void weir_span_read(weir_str message, struct weir_span *out)
{
	static const struct weir_span none;
	struct fields fields = fields_of(message);
	struct wire_field f;

	memcpy(out, &none, sizeof(none));	/* gcc clears by rep stos: slow */
	out->message = message;
	out->attributes = (struct weir_attribute_list){ message, TAG_BYTES(9) };
	while (fields_next(&fields, &f))
		if (f.tag != TAG_BYTES(9))	/* attributes: most of them */
			span_field(&f, out);
}

struct weir_message_cursor weir_events(const struct weir_span *span)
{
	return weir_messages(span->message, 11);
}

struct weir_message_cursor weir_links(const struct weir_span *span)
{
	return weir_messages(span->message, 13);
}

void weir_event_read(weir_str message, struct weir_event *out)
{
	struct fields fields = fields_of(message);
	struct wire_field f;

	*out = (struct weir_event){ .message = message,
				    .attributes = { message, TAG_BYTES(3) } };
	while (fields_next(&fields, &f)) {
		if (f.tag == FIXED64(1))
			out->time_unix_nano = f.value;
		else if (f.tag == TAG_BYTES(2))
			out->name = field_body(&f);
		else if (f.tag == VARINT(4))
			out->dropped_attributes_count = (uint32_t)f.value;
	}
}

void weir_link_read(weir_str message, struct weir_link *out)
{
	struct fields fields = fields_of(message);
	struct wire_field f;

	*out = (struct weir_link){ .message = message,
				   .attributes = { message, TAG_BYTES(4) } };
	while (fields_next(&fields, &f)) {
		switch (f.tag) {
		case TAG_BYTES(1):
			out->trace_id = field_body(&f);
			break;
		case TAG_BYTES(2):
			out->span_id = field_body(&f);
			break;
		case TAG_BYTES(3):
			out->trace_state = field_body(&f);
			break;
		case VARINT(5):
			out->dropped_attributes_count = (uint32_t)f.value;
			break;
		case FIXED32(6):
			out->flags = (uint32_t)f.value;
			break;
		}
	}
}

static void log_field(const struct wire_field *f, struct weir_log_record *out)
{
	switch (f->tag) {
	case FIXED64(1):
		out->time_unix_nano = f->value;
		break;
	case VARINT(2):
		out->severity_number = (uint32_t)f->value;
		break;
	case TAG_BYTES(3):
		out->severity_text = field_body(f);
		break;
	case TAG_BYTES(5):
		out->body = weir_value_read(field_body(f));
		out->has_body = true;
		break;
	case VARINT(7):
		out->dropped_attributes_count = (uint32_t)f->value;
		break;
	case FIXED32(8):
		out->flags = (uint32_t)f->value;
		break;
	case TAG_BYTES(9):
		out->trace_id = field_body(f);
		break;
	case TAG_BYTES(10):
		out->span_id = field_body(f);
		break;
	case FIXED64(11):
		out->observed_time_unix_nano = f->value;
		break;
	case TAG_BYTES(12):
		out->event_name = field_body(f);
		break;
	}
}

void weir_log_read(weir_str message, struct weir_log_record *out)
{
	static const struct weir_log_record none;
	struct fields fields = fields_of(message);
	struct wire_field f;

	memcpy(out, &none, sizeof(none));
	out->message = message;
	out->attributes = (struct weir_attribute_list){ message, TAG_BYTES(6) };
	while (fields_next(&fields, &f))
		log_field(&f, out);
}
