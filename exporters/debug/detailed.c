/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detailed.c: `verbosity: detailed`, every field of resources, scopes, spans
 * and log records on a line of its own.  Metrics: detailed_metrics.c.  Pure;
 * holds nothing.
 */
#include "detailed.h"

#include <inttypes.h>

#define PUT(out, literal) weir_text_add(out, WEIR_STR(literal))

void detailed_text(struct weir_text *out, const char *label, weir_str text)
{
	weir_text_add(out, weir_str_of(label));
	weir_text_add(out, text);
	PUT(out, "\n");
}

void detailed_time(struct weir_text *out, const char *label, uint64_t time)
{
	weir_text_add(out, weir_str_of(label));
	debug_time(out, time);
	PUT(out, "\n");
}

void detailed_id(struct weir_text *out, const char *label, weir_str id)
{
	weir_text_add(out, weir_str_of(label));
	debug_id(out, id);
	PUT(out, "\n");
}

static void typed(struct weir_text *out, const struct weir_value *value)
{
	static const char *const types[] = {
		[WEIR_VALUE_EMPTY] = "Empty", [WEIR_VALUE_STRING] = "Str",
		[WEIR_VALUE_BOOL] = "Bool", [WEIR_VALUE_INT] = "Int",
		[WEIR_VALUE_DOUBLE] = "Double", [WEIR_VALUE_LIST] = "Slice",
		[WEIR_VALUE_MAP] = "Map", [WEIR_VALUE_BYTES] = "Bytes",
	};

	weir_text_add(out, weir_str_of(types[value->type]));
	PUT(out, "(");
	debug_value(out, value);
	PUT(out, ")\n");
}

void detailed_attributes(struct weir_text *out, const char *header,
			 const char *indent, struct weir_attribute_list list)
{
	struct weir_value_cursor cur = weir_attributes(list);
	bool begun = false;

	while (weir_value_next(&cur)) {
		if (!begun)
			weir_text_addf(out, "%s:\n", header);
		begun = true;
		weir_text_addf(out, "%s     -> ", indent);
		weir_text_add(out, cur.item.key);
		PUT(out, ": ");
		typed(out, &cur.item.value);
	}
}

/* --- Resource and scope ------------------------------------------------- */

static void keys(struct weir_text *out, const char *header, weir_str message,
		 uint32_t field)
{
	struct weir_message_cursor cur = weir_messages(message, field);
	bool begun = false;

	while (weir_message_next(&cur)) {
		if (!begun)
			weir_text_addf(out, "          -> %s:\n", header);
		begun = true;
		detailed_text(out, "               -> ", cur.message);
	}
}

/* A string field of a message that has no view. */
static weir_str string_field(weir_str message, uint32_t field)
{
	struct weir_message_cursor cur = weir_messages(message, field);

	return weir_message_next(&cur) ? cur.message : (weir_str){ 0 };
}

/* Resource.entity_refs = 3: schema_url 1, type 2, id_keys 3,
 * description_keys 4 */
static void entities(struct weir_text *out, weir_str resource)
{
	struct weir_message_cursor cur = weir_messages(resource, 3);

	for (size_t i = 0; weir_message_next(&cur); i++) {
		weir_str url = string_field(cur.message, 1);

		if (!i)
			PUT(out, "Resource entity refs:\n");
		weir_text_addf(out, "     -> Entity ref #%zu:\n", i);
		detailed_text(out, "          -> Type: ",
			      string_field(cur.message, 2));
		if (url.len)
			detailed_text(out, "          -> Schema URL: ", url);
		keys(out, "ID keys", cur.message, 3);
		keys(out, "Description keys", cur.message, 4);
	}
}

static void resource_text(struct weir_text *out, weir_str wrapper)
{
	struct weir_resource resource;

	weir_resource_read(wrapper, &resource);
	detailed_text(out, "Resource SchemaURL: ", resource.schema_url);
	detailed_attributes(out, "Resource attributes", "",
			    resource.attributes);
	entities(out, resource.message);
}

static void scope_text(struct weir_text *out, const char *what,
		       weir_str wrapper)
{
	struct weir_scope scope;

	weir_scope_read(wrapper, &scope);
	weir_text_addf(out, "%s SchemaURL: ", what);
	detailed_text(out, "", scope.schema_url);
	PUT(out, "InstrumentationScope ");
	weir_text_add(out, scope.name);
	detailed_text(out, " ", scope.version);
	detailed_attributes(out, "InstrumentationScope attributes", "",
			    scope.attributes);
}

/* --- Spans -------------------------------------------------------------- */

/* Name of an enum's value, "" for one that it does not have. */
static const char *name_of(const char *const *names, size_t n, uint32_t value)
{
	return value < n ? names[value] : "";
}

static void events(struct weir_text *out, const struct weir_span *span)
{
	struct weir_message_cursor cur = weir_events(span);

	for (size_t i = 0; weir_message_next(&cur); i++) {
		struct weir_event event;

		weir_event_read(cur.message, &event);
		if (!i)
			PUT(out, "Events:\n");
		weir_text_addf(out, "SpanEvent #%zu\n", i);
		detailed_text(out, "     -> Name: ", event.name);
		detailed_time(out, "     -> Timestamp: ",
			      event.time_unix_nano);
		weir_text_addf(out, "     -> DroppedAttributesCount: %u\n",
			       event.dropped_attributes_count);
		detailed_attributes(out, "     -> Attributes:", "     ",
				    event.attributes);
	}
}

static void links(struct weir_text *out, const struct weir_span *span)
{
	struct weir_message_cursor cur = weir_links(span);

	for (size_t i = 0; weir_message_next(&cur); i++) {
		struct weir_link link;

		weir_link_read(cur.message, &link);
		if (!i)
			PUT(out, "Links:\n");
		weir_text_addf(out, "SpanLink #%zu\n", i);
		detailed_id(out, "     -> Trace ID: ", link.trace_id);
		detailed_id(out, "     -> ID: ", link.span_id);
		detailed_text(out, "     -> TraceState: ", link.trace_state);
		weir_text_addf(out, "     -> DroppedAttributesCount: %u\n",
			       link.dropped_attributes_count);
		detailed_attributes(out, "     -> Attributes:", "     ",
				    link.attributes);
	}
}

static void span_text(struct weir_text *out, weir_str message)
{
	static const char *const kinds[] = { "Unspecified", "Internal",
					     "Server", "Client", "Producer",
					     "Consumer" };
	static const char *const codes[] = { "Unset", "Ok", "Error" };
	struct weir_span span;

	weir_span_read(message, &span);
	detailed_id(out, "    Trace ID       : ", span.trace_id);
	detailed_id(out, "    Parent ID      : ", span.parent_span_id);
	detailed_id(out, "    ID             : ", span.span_id);
	detailed_text(out, "    Name           : ", span.name);
	weir_text_addf(out, "    Kind           : %s\n",
		       name_of(kinds, 6, span.kind));
	if (span.trace_state.len)
		detailed_text(out, "    TraceState     : ", span.trace_state);
	detailed_time(out, "    Start time     : ", span.start_unix_nano);
	detailed_time(out, "    End time       : ", span.end_unix_nano);
	weir_text_addf(out, "    Status code    : %s\n",
		       name_of(codes, 3, span.status_code));
	detailed_text(out, "    Status message : ", span.status_message);
	weir_text_addf(out, "    DroppedAttributesCount: %u\n"
		       "    DroppedEventsCount: %u\n"
		       "    DroppedLinksCount: %u\n",
		       span.dropped_attributes_count,
		       span.dropped_events_count, span.dropped_links_count);
	detailed_attributes(out, "Attributes", "", span.attributes);
	events(out, &span);
	links(out, &span);
}

/* --- Log records -------------------------------------------------------- */

static void severity(struct weir_text *out, uint32_t number)
{
	static const char *const names[] = { "Trace", "Debug", "Info", "Warn",
					     "Error", "Fatal" };

	PUT(out, "SeverityNumber: ");
	if (!number)
		PUT(out, "Unspecified");
	else if (number <= 24)		/* TRACE, TRACE2, TRACE3, TRACE4... */
		weir_text_add(out, weir_str_of(names[(number - 1) / 4]));
	if (number && number <= 24 && (number - 1) % 4)
		weir_text_addf(out, "%u", (number - 1) % 4 + 1);
	weir_text_addf(out, "(%" PRId32 ")\n", (int32_t)number);
}

static void log_text(struct weir_text *out, weir_str message)
{
	struct weir_log_record record;

	weir_log_read(message, &record);
	detailed_time(out, "ObservedTimestamp: ",
		      record.observed_time_unix_nano);
	detailed_time(out, "Timestamp: ", record.time_unix_nano);
	detailed_text(out, "SeverityText: ", record.severity_text);
	severity(out, record.severity_number);
	if (record.event_name.len)
		detailed_text(out, "EventName: ", record.event_name);
	PUT(out, "Body: ");
	typed(out, &record.body);
	detailed_attributes(out, "Attributes", "", record.attributes);
	detailed_id(out, "Trace ID: ", record.trace_id);
	detailed_id(out, "Span ID: ", record.span_id);
	weir_text_addf(out, "Flags: %u\n", record.flags);
}

/* --- Batches ------------------------------------------------------------ */

static const struct words {
	const char *resource, *scope, *item;
	void (*text)(struct weir_text *out, weir_str message);
} words[WEIR_SIGNAL_COUNT] = {
	[WEIR_SIGNAL_TRACES] = { "ResourceSpans", "ScopeSpans", "Span",
				 span_text },
	[WEIR_SIGNAL_METRICS] = { "ResourceMetrics", "ScopeMetrics", "Metric",
				  detailed_metric },
	[WEIR_SIGNAL_LOGS] = { "ResourceLog", "ScopeLogs", "LogRecord",
			       log_text },
};

void debug_detailed(const struct weir_batch *batch, struct weir_text *out)
{
	const struct words *say = &words[weir_batch_signal(batch)];
	struct debug_wrappers w = debug_wrappers(batch);

	while (debug_wrapper_next(&w)) {
		struct weir_message_cursor scopes =
			weir_messages(w.cur.message, 2);

		weir_text_addf(out, "%s #%zu\n", say->resource, w.index);
		resource_text(out, w.cur.message);
		for (size_t j = 0; weir_message_next(&scopes); j++) {
			struct weir_message_cursor items =
				weir_messages(scopes.message, 2);

			weir_text_addf(out, "%s #%zu\n", say->scope, j);
			scope_text(out, say->scope, scopes.message);
			for (size_t k = 0; weir_message_next(&items); k++) {
				weir_text_addf(out, "%s #%zu\n", say->item, k);
				say->text(out, items.message);
			}
		}
	}
}
