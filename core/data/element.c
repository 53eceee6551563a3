/* SPDX-License-Identifier: Apache-2.0 */
/*
 * element.c: one message as a stage sees it.
 *
 * Opens it, lends memory, shows it flat.  Holds the element's slots and
 * scratch, reused from message to message.  Never writes: element_write.c
 * turns the outcome into edits.
 */
#include "element.h"

#include <stdlib.h>

#include "base/budget.h"

/* Slots of the first chunk; the next has twice as many, and so on. */
#define CHUNK_FIRST 64u
#define CHUNK_MOST 16384u
#define BYTES_KEPT (8u << 20)

struct slot_chunk {
	struct slot_chunk *next;
	uint32_t n;
	struct attr_slot slots[];
};

/* Counted in the byte budget, and never refused: what is half changed can
 * neither pass nor stay. */
static void count_scratch(struct weir_element *e, size_t bytes)
{
	if (bytes == e->scratch_counted)
		return;
	if (bytes > e->scratch_counted)
		budget_charge(bytes - e->scratch_counted, true);
	else
		budget_return(e->scratch_counted - bytes);
	e->scratch_counted = bytes;
}

static void forget(struct weir_element *e)
{
	e->attrs_begun = e->attrs_ended = e->attrs_removed = false;
	e->has_texts = e->has_view = false;
	e->changed = false;
	e->first = e->last = NULL;
	e->chunk = e->chunks;
	e->used = 0;
	if (e->scratched) {
		arena_reset(&e->scratch);
		count_scratch(e, e->scratch.cap);
	}
	e->scratched = false;
}

static uint32_t attr_field_of(const struct weir_element *e)
{
	static const uint8_t fields[] = {
		[WEIR_LEVEL_RESOURCE] = 1, [WEIR_LEVEL_SCOPE] = 3,
		[WEIR_LEVEL_METRIC] = 12, [WEIR_LEVEL_EVENT] = 3,
		[WEIR_LEVEL_LINK] = 4, [WEIR_LEVEL_EXEMPLAR] = 7 };

	if (e->level != WEIR_LEVEL_RECORD)
		return fields[e->level];
	if (e->signal == WEIR_SIGNAL_METRICS)
		return point_attributes_field(e->data);
	return e->signal == WEIR_SIGNAL_TRACES ? 9 : 6;
}

void element_open(struct weir_element *e, enum weir_level level,
		  enum weir_metric_data data, weir_str body)
{
	e->level = level;
	e->data = data;
	e->outer.present = e->outer.made = false;
	e->own.body = body;
	e->own.present = true;
	e->own.made = false;
	e->status.present = e->status.made = false;
	e->attr_field = attr_field_of(e);
	e->attrs = fields_of(body);
	forget(e);
}

void element_open_wrapped(struct weir_element *e, enum weir_level level,
			  weir_str wrapper)
{
	struct weir_message_cursor inner = weir_messages(wrapper, 1);
	bool present = weir_message_next(&inner);

	element_open(e, level, WEIR_DATA_NONE,
		     present ? inner.message : (weir_str){ 0 });
	e->own.present = present;
	e->outer.body = wrapper;
	e->outer.present = true;
}

void element_release(struct weir_element *e)
{
	while (e->chunks) {
		struct slot_chunk *chunk = e->chunks;

		e->chunks = chunk->next;
		free(chunk);
	}
	arena_release(&e->scratch);
	count_scratch(e, 0);
	edit_release(&e->inner);
	weir_text_release(&e->path);
}

bool element_is_large(const struct weir_element *e)
{
	const struct slot_chunk *chunk = e->chunks;

	while (chunk && chunk->n < CHUNK_MOST)
		chunk = chunk->next;
	return chunk || e->inner.edits.cap > CHUNK_MOST ||
		e->inner.bytes.cap > BYTES_KEPT || e->path.cap > BYTES_KEPT ||
		e->scratch.cap > BYTES_KEPT;
}

/* --- Memory -------------------------------------------------------------------- */

static struct slot_chunk *new_chunk(const struct slot_chunk *before)
{
	uint32_t n = before ? 2 * before->n : CHUNK_FIRST;
	struct slot_chunk *chunk;

	if (n > CHUNK_MOST)
		n = CHUNK_MOST;
	chunk = xmalloc(sizeof(*chunk) + n * sizeof(*chunk->slots));
	chunk->next = NULL;
	chunk->n = n;
	return chunk;
}

struct attr_slot *element_slot(struct weir_element *e)
{
	if (!e->chunk || e->used == e->chunk->n) {
		struct slot_chunk **next =
			e->chunk ? &e->chunk->next : &e->chunks;

		if (!*next)
			*next = new_chunk(e->chunk);
		e->chunk = *next;
		e->used = 0;
	}
	return &e->chunk->slots[e->used++];
}

void *weir_scratch(struct weir_element *e, size_t size)
{
	size_t before = e->scratch.cap;
	void *room = arena_alloc(&e->scratch, size);

	e->scratched = true;
	if (e->scratch.cap != before)
		count_scratch(e, e->scratch_counted + e->scratch.cap);
	return room;
}

weir_str weir_scratch_str(struct weir_element *e, weir_str text)
{
	char *copy = weir_scratch(e, text.len + 1);

	if (text.len)
		memcpy(copy, text.ptr, text.len);
	return (weir_str){ copy, text.len };
}

weir_str element_keep(struct weir_element *e, weir_str text)
{
	uintptr_t at = (uintptr_t)text.ptr - (uintptr_t)e->base;

	return !text.len || at < e->base_len ? text : weir_scratch_str(e, text);
}

struct weir_value element_keep_value(struct weir_element *e,
				     const struct weir_value *value)
{
	struct weir_value kept = *value;

	switch (value->type) {
	case WEIR_VALUE_STRING:
	case WEIR_VALUE_BYTES:
	case WEIR_VALUE_LIST:
	case WEIR_VALUE_MAP:
		kept.str = element_keep(e, value->str);
		break;
	default:
		break;
	}
	return kept;
}

/* --- Looking --------------------------------------------------------------------- */

enum weir_signal weir_element_signal(const struct weir_element *e)
{
	return e->signal;
}

enum weir_level weir_element_level(const struct weir_element *e)
{
	return e->level;
}

const struct weir_batch *weir_element_batch(const struct weir_element *e)
{
	return e->batch;
}

/* --- Flat views ------------------------------------------------------------------------ */

static void update_span(struct weir_element *e)
{
	struct weir_span *span = &e->view.span;

	span->name = e->text[WEIR_TEXT_NAME].text;
	span->trace_state = e->text[WEIR_TEXT_TRACE_STATE].text;
	span->status_message = e->text[WEIR_TEXT_STATUS_MESSAGE].text;
	span->has_status = e->status.present || e->status.made;
}

static void update_log(struct weir_element *e)
{
	struct weir_log_record *log = &e->view.log;

	log->event_name = e->text[WEIR_TEXT_NAME].text;
	log->severity_text = e->text[WEIR_TEXT_SEVERITY].text;
	log->has_body = weir_body_get(e, &log->body);
}

static void update_metric(struct weir_element *e)
{
	struct weir_metric_view *metric = &e->view.metric;

	metric->name = e->text[WEIR_TEXT_NAME].text;
	metric->description = e->text[WEIR_TEXT_DESCRIPTION].text;
	metric->unit = e->text[WEIR_TEXT_UNIT].text;
}

static void update_scope(struct weir_element *e)
{
	struct weir_scope *scope = &e->view.scope;

	scope->name = e->text[WEIR_TEXT_NAME].text;
	scope->version = e->text[WEIR_TEXT_VERSION].text;
	scope->schema_url = e->text[WEIR_TEXT_SCHEMA_URL].text;
}

void element_view_update(struct weir_element *e)
{
	if (!e->has_view || !e->has_texts)
		return;
	if (e->level == WEIR_LEVEL_SCOPE)
		update_scope(e);
	else if (e->level == WEIR_LEVEL_METRIC)
		update_metric(e);
	else if (e->signal == WEIR_SIGNAL_TRACES)
		update_span(e);
	else if (e->signal == WEIR_SIGNAL_LOGS)
		update_log(e);
}

/* Is it of that kind?  Then its view is decoded and up to date. */
static bool view_of(struct weir_element *e, enum weir_level level,
		    int signal)
{
	weir_str body = e->own.body;

	if (e->level != level || (signal >= 0 && (int)e->signal != signal))
		return false;
	if (e->has_view)
		return true;
	e->has_view = true;
	if (level == WEIR_LEVEL_SCOPE)
		weir_scope_read(e->outer.body, &e->view.scope);
	else if (level == WEIR_LEVEL_METRIC)
		weir_metric_read(body, &e->view.metric);
	else if (signal == WEIR_SIGNAL_TRACES)
		weir_span_read(body, &e->view.span);
	else if (signal == WEIR_SIGNAL_LOGS)
		weir_log_read(body, &e->view.log);
	else
		weir_point_read(body, e->data, &e->view.point);
	element_view_update(e);
	return true;
}

const struct weir_span *weir_element_span(const struct weir_element *e)
{
	return view_of(element_mutable(e), WEIR_LEVEL_RECORD, WEIR_SIGNAL_TRACES) ?
		&e->view.span : NULL;
}

const struct weir_log_record *weir_element_log(const struct weir_element *e)
{
	return view_of(element_mutable(e), WEIR_LEVEL_RECORD, WEIR_SIGNAL_LOGS) ?
		&e->view.log : NULL;
}

const struct weir_point *weir_element_point(const struct weir_element *e)
{
	return view_of(element_mutable(e), WEIR_LEVEL_RECORD, WEIR_SIGNAL_METRICS) ?
		&e->view.point : NULL;
}

const struct weir_metric_view *weir_element_metric(
	const struct weir_element *e)
{
	return view_of(element_mutable(e), WEIR_LEVEL_METRIC, -1) ?
		&e->view.metric : NULL;
}

const struct weir_scope *weir_element_scope(const struct weir_element *e)
{
	return view_of(element_mutable(e), WEIR_LEVEL_SCOPE, -1) ?
		&e->view.scope : NULL;
}
