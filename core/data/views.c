/* SPDX-License-Identifier: Apache-2.0 */
/*
 * views.c: cursors over a batch, and what all signals share.
 *
 * A cursor keeps one (p, end) pair a level: 0 the slice, 1 the ResourceX, 2
 * the ScopeX.  It steps to the next item of the deepest open level, opens the
 * next wrapper when that has run out, and so passes over empty ones.  Holds
 * nothing but what is in the cursor.
 */
#include <weir/views.h>

#include "fields.h"

/* --- Attribute lists, sub-messages ------------------------------------------ */

struct weir_value_cursor weir_attributes(struct weir_attribute_list list)
{
	struct fields fields = fields_of(list.message);

	return (struct weir_value_cursor){ .p = fields.p, .end = fields.end,
					   .tag = list.tag, .map = true };
}

/* Can it be told without reading the value?  Where the key is short and comes
 * first, as nearly always. */
static bool is_another_key(const struct wire_field *pair, weir_str key)
{
	const uint8_t *p = pair->body;

	return pair->value >= 2 && p[0] == TAG_BYTES(1) && p[1] < 0x80 &&
	       (p[1] != key.len || p[1] > pair->value - 2 ||
		(key.len && memcmp(p + 2, key.ptr, key.len)));
}

bool weir_attribute_find(struct weir_attribute_list list, weir_str key,
			 struct weir_value *value)
{
	struct fields fields = fields_of(list.message);
	struct wire_field f;

	while (fields_find(&fields, list.tag, &f)) {
		struct weir_value_cursor cursor = {
			.p = f.start, .end = fields.p, .tag = list.tag,
			.map = true };

		if (is_another_key(&f, key) || !weir_value_next(&cursor) ||
		    !weir_str_eq(cursor.item.key, key))
			continue;
		*value = cursor.item.value;
		return true;
	}
	return false;
}

struct weir_message_cursor weir_messages(weir_str message, uint32_t field)
{
	struct fields fields = fields_of(message);

	return (struct weir_message_cursor){ .p = fields.p, .end = fields.end,
					     .tag = TAG_BYTES(field) };
}

bool weir_message_next(struct weir_message_cursor *cursor)
{
	struct fields fields = { cursor->p, cursor->end };
	struct wire_field f;
	bool found = fields_find(&fields, cursor->tag, &f);

	cursor->p = fields.p;
	if (found)
		cursor->message = field_body(&f);
	return found;
}

/* --- Wrappers ------------------------------------------------------------------ */

/* The message at field 1 and the schema_url at 3; what is between is passed
 * over by its lengths, which waits for memory at each: so a guess where a later
 * one stands is fetched ahead. */
static bool read_wrapper(weir_str wrapper, weir_str *message,
			 weir_str *schema_url)
{
	struct fields fields = fields_of(wrapper);
	struct wire_field f;
	bool present = false;

	while (fields_next(&fields, &f)) {
		if (f.tag == TAG_SCOPES) {	/* or an item: same number */
			__builtin_prefetch(fields.p + 3 * f.value);
		} else if (f.tag == TAG_SCHEMA_URL) {
			*schema_url = field_body(&f);
		} else if (f.tag == TAG_RESOURCE) {
			*message = field_body(&f);
			present = true;
		}
	}
	return present;
}

void weir_resource_read(weir_str wrapper, struct weir_resource *out)
{
	struct fields fields;
	struct wire_field f;

	*out = (struct weir_resource){ .attributes.tag = TAG_BYTES(1) };
	out->present = read_wrapper(wrapper, &out->message, &out->schema_url);
	out->attributes.message = out->message;
	fields = fields_of(out->message);
	while (fields_next(&fields, &f))
		if (f.tag == WIRE_TAG(2, WIRE_VARINT))
			out->dropped_attributes_count = (uint32_t)f.value;
}

void weir_scope_read(weir_str wrapper, struct weir_scope *out)
{
	struct fields fields;
	struct wire_field f;

	*out = (struct weir_scope){ .attributes.tag = TAG_BYTES(3) };
	out->present = read_wrapper(wrapper, &out->message, &out->schema_url);
	out->attributes.message = out->message;
	fields = fields_of(out->message);
	while (fields_next(&fields, &f)) {
		switch (f.tag) {
		case TAG_BYTES(1):
			out->name = field_body(&f);
			break;
		case TAG_BYTES(2):
			out->version = field_body(&f);
			break;
		case WIRE_TAG(4, WIRE_VARINT):
			out->dropped_attributes_count = (uint32_t)f.value;
			break;
		}
	}
}

/* --- Cursors over a batch --------------------------------------------------------- */

/* spare[0], spare[1]: resources and scopes opened so far, so that the first
 * of each has index 0. */
enum { LEVEL_SLICE, LEVEL_WRAPPER, LEVEL_SCOPE };

static void open_level(struct weir_position *at, int level, weir_str body)
{
	struct fields fields = fields_of(body);

	at->core.p[level] = fields.p;
	at->core.end[level] = fields.end;
}

/* The next sub-message with that tag at that level. */
static bool next_at(struct weir_position *at, int level, uint32_t tag,
		    weir_str *body)
{
	struct fields fields = { at->core.p[level], at->core.end[level] };
	struct wire_field f;
	bool found = fields_find(&fields, tag, &f);

	at->core.p[level] = fields.p;
	if (found)
		*body = field_body(&f);
	return found;
}

static bool next_slice(struct weir_position *at)
{
	size_t n;
	const struct weir_slice *slice =
		weir_batch_slices(at->core.batch, &n);

	if (at->core.slice == n)
		return false;
	slice += at->core.slice++;
	at->core.p[LEVEL_SLICE] = slice->ptr;
	at->core.end[LEVEL_SLICE] = slice->ptr + slice->len;
	return true;
}

static bool next_wrapper(struct weir_position *at,
			 struct weir_resource *resource)
{
	weir_str body;

	while (!next_at(at, LEVEL_SLICE, TAG_RECORDS, &body))
		if (!next_slice(at))
			return false;
	open_level(at, LEVEL_WRAPPER, body);
	weir_resource_read(body, resource);
	at->resource_index = at->core.spare[0]++;
	at->core.spare[1] = 0;
	at->new_resource = true;
	return true;
}

static bool next_scope(struct weir_position *at, struct weir_scope *scope,
		       struct weir_resource *resource)
{
	weir_str body;

	while (!next_at(at, LEVEL_WRAPPER, TAG_SCOPES, &body))
		if (!next_wrapper(at, resource))
			return false;
	open_level(at, LEVEL_SCOPE, body);
	weir_scope_read(body, scope);
	at->scope_index = at->core.spare[1]++;
	at->new_scope = true;
	return true;
}

static bool next_item(struct weir_position *at, struct weir_scope *scope,
		      struct weir_resource *resource, weir_str *body)
{
	at->new_resource = false;
	at->new_scope = false;
	while (!next_at(at, LEVEL_SCOPE, TAG_ITEMS, body))
		if (!next_scope(at, scope, resource))
			return false;
	return true;
}

struct weir_span_cursor weir_spans(const struct weir_batch *batch)
{
	return (struct weir_span_cursor){ .at.core.batch = batch };
}

bool weir_span_next(struct weir_span_cursor *cursor)
{
	weir_str body;

	if (!next_item(&cursor->at, &cursor->scope, &cursor->resource, &body))
		return false;
	weir_span_read(body, &cursor->span);
	return true;
}

struct weir_log_cursor weir_logs(const struct weir_batch *batch)
{
	return (struct weir_log_cursor){ .at.core.batch = batch };
}

bool weir_log_next(struct weir_log_cursor *cursor)
{
	weir_str body;

	if (!next_item(&cursor->at, &cursor->scope, &cursor->resource, &body))
		return false;
	weir_log_read(body, &cursor->record);
	return true;
}

struct weir_metric_cursor weir_metrics(const struct weir_batch *batch)
{
	return (struct weir_metric_cursor){ .at.core.batch = batch };
}

bool weir_metric_next(struct weir_metric_cursor *cursor)
{
	weir_str body;

	if (!next_item(&cursor->at, &cursor->scope, &cursor->resource, &body))
		return false;
	weir_metric_read(body, &cursor->metric);
	cursor->at.new_metric = true;
	return true;
}
