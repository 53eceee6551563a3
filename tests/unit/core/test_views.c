/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views equal the protobuf-c tree of the same bytes, field by field and in
 * order, whatever the request; cursors pass over empty wrappers.
 */
#include <check.h>
#include <stdio.h>

#include <weir/views.h>

#include "../../support/otlp_batch.h"
#include "../../support/seeds.h"

#define SEEDS SEEDS_OF(3400)	/* of each signal */
#define AT(m, off, type) ((type *)(void *)((char *)(m) + (off)))

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessage *m,
						uint32_t number)
{
	const ProtobufCFieldDescriptor *f =
		protobuf_c_message_descriptor_get_field(m->descriptor, number);

	ck_assert_ptr_nonnull(f);
	return f;
}

static void *at(ProtobufCMessage *m, uint32_t number)
{
	return AT(m, field_of(m, number)->offset, void);
}

static void text_is(weir_str ours, ProtobufCMessage *m, uint32_t number)
{
	const ProtobufCBinaryData *data = at(m, number);

	ck_assert(weir_str_eq(ours, (weir_str){ (char *)data->data,
						data->len }));
}

static void u64_is(uint64_t ours, ProtobufCMessage *m, uint32_t number)
{
	ck_assert_uint_eq(ours, *(uint64_t *)at(m, number));
}

static void u32_is(uint32_t ours, ProtobufCMessage *m, uint32_t number)
{
	ck_assert_uint_eq(ours, *(uint32_t *)at(m, number));
}

static ProtobufCMessage **list(ProtobufCMessage *m, uint32_t number,
			       size_t *n)
{
	*n = *AT(m, field_of(m, number)->quantifier_offset, size_t);
	return *(ProtobufCMessage ***)at(m, number);
}

static ProtobufCMessage *one(ProtobufCMessage *m, uint32_t number)
{
	return *(ProtobufCMessage **)at(m, number);
}

/* The message, packed again, is what the view says it was read from. */
static void message_is(weir_str ours, ProtobufCMessage *m)
{
	size_t len = m ? protobuf_c_message_get_packed_size(m) : 0;
	uint8_t *bytes = malloc(len + 1);

	if (m)
		protobuf_c_message_pack(m, bytes);
	ck_assert(weir_str_eq(ours, (weir_str){ (char *)bytes, len }));
	free(bytes);
}

static void attributes_are(struct weir_attribute_list ours,
			   ProtobufCMessage *m, uint32_t number)
{
	struct weir_value_cursor cursor = weir_attributes(ours);
	size_t n = 0;
	ProtobufCMessage **v = m ? list(m, number, &n) : NULL;

	for (size_t i = 0; i < n; i++) {
		struct weir_value found;

		ck_assert(weir_value_next(&cursor));
		text_is(cursor.item.key, v[i], 1);
		message_is(cursor.record, v[i]);
		ck_assert(weir_attribute_find(ours, cursor.item.key, &found));
	}
	ck_assert(!weir_value_next(&cursor));
}

/* --- Records ------------------------------------------------------------------- */

static void events_are(const struct weir_span *span, ProtobufCMessage *m)
{
	struct weir_message_cursor cursor = weir_events(span);
	size_t n;
	ProtobufCMessage **v = list(m, 11, &n);

	for (size_t i = 0; i < n; i++) {
		struct weir_event event;

		ck_assert(weir_message_next(&cursor));
		weir_event_read(cursor.message, &event);
		u64_is(event.time_unix_nano, v[i], 1);
		text_is(event.name, v[i], 2);
		attributes_are(event.attributes, v[i], 3);
		u32_is(event.dropped_attributes_count, v[i], 4);
	}
	ck_assert(!weir_message_next(&cursor));
}

static void links_are(const struct weir_span *span, ProtobufCMessage *m)
{
	struct weir_message_cursor cursor = weir_links(span);
	size_t n;
	ProtobufCMessage **v = list(m, 13, &n);

	for (size_t i = 0; i < n; i++) {
		struct weir_link link;

		ck_assert(weir_message_next(&cursor));
		weir_link_read(cursor.message, &link);
		text_is(link.trace_id, v[i], 1);
		text_is(link.span_id, v[i], 2);
		text_is(link.trace_state, v[i], 3);
		attributes_are(link.attributes, v[i], 4);
		u32_is(link.flags, v[i], 6);
	}
	ck_assert(!weir_message_next(&cursor));
}

static void span_is(const struct weir_span *span, ProtobufCMessage *m)
{
	message_is(span->message, m);
	text_is(span->trace_id, m, 1);
	text_is(span->span_id, m, 2);
	text_is(span->trace_state, m, 3);
	text_is(span->parent_span_id, m, 4);
	text_is(span->name, m, 5);
	u32_is(span->kind, m, 6);
	u64_is(span->start_unix_nano, m, 7);
	u64_is(span->end_unix_nano, m, 8);
	attributes_are(span->attributes, m, 9);
	u32_is(span->dropped_attributes_count, m, 10);
	events_are(span, m);
	u32_is(span->dropped_events_count, m, 12);
	links_are(span, m);
	u32_is(span->dropped_links_count, m, 14);
	ck_assert_int_eq(span->has_status, one(m, 15) != NULL);
	if (span->has_status) {
		text_is(span->status_message, one(m, 15), 2);
		u32_is(span->status_code, one(m, 15), 3);
	}
	u32_is(span->flags, m, 16);
}

static void log_is(const struct weir_log_record *log, ProtobufCMessage *m)
{
	u64_is(log->time_unix_nano, m, 1);
	u32_is(log->severity_number, m, 2);
	text_is(log->severity_text, m, 3);
	ck_assert_int_eq(log->has_body, one(m, 5) != NULL);
	attributes_are(log->attributes, m, 6);
	u32_is(log->dropped_attributes_count, m, 7);
	u32_is(log->flags, m, 8);
	text_is(log->trace_id, m, 9);
	text_is(log->span_id, m, 10);
	u64_is(log->observed_time_unix_nano, m, 11);
	text_is(log->event_name, m, 12);
}

static uint64_t bits_of(double real)
{
	uint64_t bits;

	memcpy(&bits, &real, sizeof(bits));
	return bits;
}

static void point_is(const struct weir_point *point, ProtobufCMessage *m)
{
	u64_is(point->start_unix_nano, m, 2);
	u64_is(point->time_unix_nano, m, 3);
	attributes_are(point->attributes, m, point->attributes.tag >> 3);
	switch (point->data) {
	case WEIR_DATA_GAUGE:
	case WEIR_DATA_SUM:
		u32_is(point->flags, m, 8);
		if (point->has_int)
			u64_is((uint64_t)point->integer, m, 6);
		else if (point->has_double)
			u64_is(bits_of(point->real), m, 4);
		break;
	case WEIR_DATA_EXPONENTIAL_HISTOGRAM:
		u32_is((uint32_t)point->scale, m, 6);
		u64_is(point->zero_count, m, 7);
		ck_assert_int_eq(point->positive.present, one(m, 8) != NULL);
		if (point->positive.present)
			u32_is((uint32_t)point->positive.offset, one(m, 8), 1);
		/* fall through */
	case WEIR_DATA_HISTOGRAM:
		u32_is(point->flags, m, 10);
		ck_assert_int_eq(point->has_sum, *AT(m,
			field_of(m, 5)->quantifier_offset,
			protobuf_c_boolean));
		/* fall through */
	default:
		u64_is(point->count, m, 4);
		u64_is(bits_of(point->sum), m, 5);
		break;
	}
}

static void metric_is(const struct weir_metric_view *metric,
		      ProtobufCMessage *m)
{
	struct weir_message_cursor cursor = weir_points(metric);
	ProtobufCMessage **v = NULL;
	size_t n = 0;

	text_is(metric->name, m, 1);
	text_is(metric->description, m, 2);
	text_is(metric->unit, m, 3);
	attributes_are(metric->metadata, m, 12);
	ck_assert_uint_eq(metric->data, *AT(m,
		field_of(m, 5)->quantifier_offset, uint32_t));
	if (metric->data)
		v = list(one(m, metric->data), 1, &n);
	for (size_t i = 0; i < n; i++) {
		struct weir_point point;

		ck_assert(weir_message_next(&cursor));
		weir_point_read(cursor.message, metric->data, &point);
		message_is(point.message, v[i]);
		point_is(&point, v[i]);
	}
	ck_assert(!weir_message_next(&cursor));
}

/* --- Requests --------------------------------------------------------------------- */

struct cursors {
	struct weir_span_cursor spans;
	struct weir_log_cursor logs;
	struct weir_metric_cursor metrics;
};

static void item_is(struct cursors *c, enum weir_signal signal,
		    ProtobufCMessage *m, const struct weir_resource **resource,
		    const struct weir_scope **scope)
{
	if (signal == WEIR_SIGNAL_TRACES) {
		ck_assert(weir_span_next(&c->spans));
		span_is(&c->spans.span, m);
		*resource = &c->spans.resource;
		*scope = &c->spans.scope;
	} else if (signal == WEIR_SIGNAL_LOGS) {
		ck_assert(weir_log_next(&c->logs));
		log_is(&c->logs.record, m);
		*resource = &c->logs.resource;
		*scope = &c->logs.scope;
	} else {
		ck_assert(weir_metric_next(&c->metrics));
		metric_is(&c->metrics.metric, m);
		*resource = &c->metrics.resource;
		*scope = &c->metrics.scope;
	}
}

static void wrappers_are(const struct weir_resource *resource,
			 const struct weir_scope *scope,
			 ProtobufCMessage *wrapper, ProtobufCMessage *inner)
{
	ck_assert_int_eq(resource->present, one(wrapper, 1) != NULL);
	attributes_are(resource->attributes, one(wrapper, 1), 1);
	text_is(resource->schema_url, wrapper, 3);
	ck_assert_int_eq(scope->present, one(inner, 1) != NULL);
	attributes_are(scope->attributes, one(inner, 1), 3);
	if (scope->present) {
		text_is(scope->name, one(inner, 1), 1);
		text_is(scope->version, one(inner, 1), 2);
	}
	text_is(scope->schema_url, inner, 3);
}

static void request_is(const struct weir_batch *batch,
		       ProtobufCMessage *request)
{
	enum weir_signal signal = weir_batch_signal(batch);
	struct cursors c = { weir_spans(batch), weir_logs(batch),
			     weir_metrics(batch) };
	const struct weir_resource *resource;
	const struct weir_scope *scope;
	size_t n, n_scopes, n_items;
	ProtobufCMessage **v = list(request, 1, &n);

	for (size_t i = 0; i < n; i++) {
		ProtobufCMessage **scopes = list(v[i], 2, &n_scopes);

		for (size_t j = 0; j < n_scopes; j++) {
			ProtobufCMessage **items =
				list(scopes[j], 2, &n_items);

			for (size_t k = 0; k < n_items; k++) {
				item_is(&c, signal, items[k], &resource,
					&scope);
				wrappers_are(resource, scope, v[i],
					     scopes[j]);
			}
		}
	}
	ck_assert(!(signal == WEIR_SIGNAL_TRACES ? weir_span_next(&c.spans) :
		    signal == WEIR_SIGNAL_LOGS ? weir_log_next(&c.logs) :
						 weir_metric_next(&c.metrics)));
}

START_TEST(views_equal_the_tree)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct gen_options options = { .records = 6 };
		struct otlp_bytes in = otlp_gen(_i, seed, &options);
		struct weir_batch *batch = otlp_batch(_i, &in);
		ProtobufCMessage *tree = protobuf_c_message_unpack(
			otlp_descriptor(_i), NULL, in.len, in.ptr);

		ck_assert_ptr_nonnull(tree);
		request_is(batch, tree);
		protobuf_c_message_free_unpacked(tree, NULL);
		batch_free(batch);
		otlp_bytes_free(&in);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("views");
	TCase *tc = tcase_create("views");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 240);
	tcase_add_loop_test(tc, views_equal_the_tree, 0, WEIR_SIGNAL_COUNT);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
