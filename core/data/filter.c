/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.c: items that a predicate does not keep are cut out, and those that
 * it changes are written anew.
 *
 * One descent over the wrappers' lengths; neighbours that go are one cut, and
 * a wrapper that lost all it had is one cut in its parent.  Slices in which
 * nothing goes and nothing changes are not copied.  Holds nothing between
 * calls.
 */
#include <weir/views.h>

#include "edit.h"
#include "element.h"
#include "fields.h"
#include "runtime/graph.h"

/* What the descent stands in. */
enum level { IN_REQUEST, IN_WRAPPER, IN_SCOPE, IN_METRIC, IN_DATA };

struct filter {
	struct weir_batch *batch;
	struct edit_list list;
	bool (*keep)(struct filter *f, weir_str item);
	union {
		bool (*span)(const struct weir_span_at *at, void *arg);
		bool (*log)(const struct weir_log_at *at, void *arg);
		bool (*point)(const struct weir_point_at *at, void *arg);
		bool (*change_span)(const struct weir_span_at *at,
				    struct weir_element *e, void *arg);
		bool (*change_log)(const struct weir_log_at *at,
				   struct weir_element *e, void *arg);
	} user;
	struct weir_element *element;	/* NULL: nothing is changed */
	void *arg;
	size_t lost;		/* kept, and found no memory */
	struct weir_resource resource;
	struct weir_scope scope;
	struct weir_metric_view metric;
};

struct tally {
	size_t kept, removed;
};

/* Bytes next to each other that go. */
struct gap {
	const uint8_t *start, *end;
	uint32_t node;
};

static void close_gap(struct filter *f, struct gap *gap)
{
	if (gap->start != gap->end)
		edit_cut(&f->list, gap->node,
			 (uint32_t)(gap->start - f->list.base),
			 (uint32_t)(gap->end - gap->start));
	gap->start = gap->end;
}

static void widen_gap(struct filter *f, struct gap *gap, const uint8_t *start,
		      const uint8_t *end)
{
	if (gap->end != start) {
		close_gap(f, gap);
		gap->start = start;
	}
	gap->end = end;
}

static bool is_child(enum level level, uint32_t tag)
{
	switch (level) {
	case IN_REQUEST:
		return tag == TAG_RECORDS;
	case IN_WRAPPER:
		return tag == TAG_SCOPES;
	case IN_SCOPE:
		return tag == TAG_ITEMS;
	case IN_METRIC:
		return tag_is_data(tag);
	case IN_DATA:
		break;
	}
	return tag == TAG_POINTS;
}

static void look_at(struct filter *f, enum level level, weir_str body)
{
	if (level == IN_WRAPPER)
		weir_resource_read(body, &f->resource);
	else if (level == IN_SCOPE)
		weir_scope_read(body, &f->scope);
	else if (level == IN_METRIC)
		weir_metric_read(body, &f->metric);
}

static struct tally filter_in(struct filter *f, enum level level,
			      weir_str body, uint32_t node);

static bool filter_item(struct filter *f, weir_str body, uint32_t node)
{
	struct weir_element *e = f->element;
	bool kept = f->keep(f, body);

	if (!kept || !e || !e->changed)
		return kept;
	e->own.node = edit_node_body(&f->list, node, body);
	element_write(e, &f->list);
	return true;
}

/* What became of a child: an item, or a wrapper of items. */
static struct tally filter_child(struct filter *f, enum level level,
				 weir_str body, uint32_t node)
{
	bool metrics = f->batch->signal == WEIR_SIGNAL_METRICS;
	bool kept;

	if (level != (metrics ? IN_DATA : IN_SCOPE)) {
		look_at(f, level + 1, body);
		node = edit_node_body(&f->list, node, body);
		return filter_in(f, level + 1, body, node);
	}
	kept = filter_item(f, body, node);
	return (struct tally){ kept, !kept };
}

/* A rewrite also takes along what came without items, as the Collector's
 * processors that change and remove do. */
static bool is_empty(const struct filter *f, struct tally child)
{
	return !child.kept && (child.removed || f->element);
}

static struct tally filter_in(struct filter *f, enum level level,
			      weir_str body, uint32_t node)
{
	struct fields fields = fields_of(body);
	struct gap gap = { fields.p, fields.p, node };
	struct tally sum = { 0 };
	struct wire_field field;

	while (fields_next(&fields, &field)) {
		struct edit_mark mark = edit_mark(&f->list);
		struct tally child;

		if (!is_child(level, field.tag))
			continue;
		child = filter_child(f, level, field_body(&field), node);
		sum.kept += child.kept;
		sum.removed += child.removed;
		if (!is_empty(f, child))
			continue;
		edit_rewind(&f->list, mark);
		widen_gap(f, &gap, field.start, fields.p);
	}
	close_gap(f, &gap);
	return sum;
}

/* --- Slices -------------------------------------------------------------------- */

static void write_slice(struct filter *f, uint32_t i, size_t kept)
{
	size_t len = edit_measure(&f->list);
	struct weir_payload *payload = payload_new(len, true);

	if (!payload) {		/* what should go must not stay */
		f->lost += kept;
		batch_replace(f->batch, i, NULL, NULL, 0, 0);
		return;
	}
	edit_write(&f->list, payload->bytes);
	batch_replace(f->batch, i, payload, payload->bytes, len,
		      (uint32_t)kept);
}

/* True when the slice is still there. */
static bool filter_slice(struct filter *f, uint32_t i)
{
	const struct weir_slice *slice = &f->batch->slices[i];
	weir_str body = { (const char *)slice->ptr, slice->len };
	uint32_t n = f->batch->n;
	struct tally sum;

	edit_begin(&f->list, slice->ptr, slice->len);
	if (f->element) {
		f->element->base = slice->ptr;
		f->element->base_len = (uint32_t)slice->len;
	}
	sum = filter_in(f, IN_REQUEST, body, EDIT_TOP);
	if (!sum.removed && edit_empty(&f->list))
		return true;
	f->batch->notes = NULL;
	if (sum.kept)
		write_slice(f, i, sum.kept);
	else
		batch_replace(f->batch, i, NULL, NULL, 0, 0);
	return f->batch->n == n;
}

static size_t filter_batch(struct filter *f)
{
	size_t before = f->batch->items;

	for (uint32_t i = 0; i < f->batch->n; )
		i += filter_slice(f, i);
	edit_release(&f->list);
	if (f->lost && f->batch->holder)
		f->batch->holder->counts[f->batch->signal]
			.dropped[WEIR_REASON_MEMORY] += f->lost;
	return before - f->batch->items - f->lost;
}

/* --- Signals ------------------------------------------------------------------- */

static bool keep_span(struct filter *f, weir_str item)
{
	struct weir_span_at at;

	weir_span_read(item, &at.span);
	at.scope = &f->scope;
	at.resource = &f->resource;
	return f->user.span(&at, f->arg);
}

static bool keep_log(struct filter *f, weir_str item)
{
	struct weir_log_at at;

	weir_log_read(item, &at.record);
	at.scope = &f->scope;
	at.resource = &f->resource;
	return f->user.log(&at, f->arg);
}

static bool keep_point(struct filter *f, weir_str item)
{
	struct weir_point_at at;

	weir_point_read(item, f->metric.data, &at.point);
	at.metric = &f->metric;
	at.scope = &f->scope;
	at.resource = &f->resource;
	return f->user.point(&at, f->arg);
}

static bool change_span(struct filter *f, weir_str item)
{
	struct weir_span_at at;

	weir_span_read(item, &at.span);
	at.scope = &f->scope;
	at.resource = &f->resource;
	element_open(f->element, WEIR_LEVEL_RECORD, WEIR_DATA_NONE, item);
	return f->user.change_span(&at, f->element, f->arg);
}

static bool change_log(struct filter *f, weir_str item)
{
	struct weir_log_at at;

	weir_log_read(item, &at.record);
	at.scope = &f->scope;
	at.resource = &f->resource;
	element_open(f->element, WEIR_LEVEL_RECORD, WEIR_DATA_NONE, item);
	return f->user.change_log(&at, f->element, f->arg);
}

size_t weir_spans_filter(struct weir_batch *batch,
	bool (*keep)(const struct weir_span_at *at, void *arg), void *arg)
{
	struct filter f = { .batch = batch, .keep = keep_span,
			    .user.span = keep, .arg = arg };

	return batch->signal == WEIR_SIGNAL_TRACES ? filter_batch(&f) : 0;
}

size_t weir_logs_filter(struct weir_batch *batch,
	bool (*keep)(const struct weir_log_at *at, void *arg), void *arg)
{
	struct filter f = { .batch = batch, .keep = keep_log,
			    .user.log = keep, .arg = arg };

	return batch->signal == WEIR_SIGNAL_LOGS ? filter_batch(&f) : 0;
}

size_t weir_points_filter(struct weir_batch *batch,
	bool (*keep)(const struct weir_point_at *at, void *arg), void *arg)
{
	struct filter f = { .batch = batch, .keep = keep_point,
			    .user.point = keep, .arg = arg };

	return batch->signal == WEIR_SIGNAL_METRICS ? filter_batch(&f) : 0;
}

/* One element for the whole call: what it lends to one item serves the next. */
static size_t rewrite_batch(struct filter *f)
{
	struct weir_element element = { .batch = f->batch,
					.signal = f->batch->signal };
	size_t gone;

	f->element = &element;
	gone = filter_batch(f);
	element_release(&element);
	return gone;
}

size_t weir_spans_rewrite(struct weir_batch *batch,
	bool (*keep)(const struct weir_span_at *at, struct weir_element *e,
		     void *arg), void *arg)
{
	struct filter f = { .batch = batch, .keep = change_span,
			    .user.change_span = keep, .arg = arg };

	return batch->signal == WEIR_SIGNAL_TRACES ? rewrite_batch(&f) : 0;
}

size_t weir_logs_rewrite(struct weir_batch *batch,
	bool (*keep)(const struct weir_log_at *at, struct weir_element *e,
		     void *arg), void *arg)
{
	struct filter f = { .batch = batch, .keep = change_log,
			    .user.change_log = keep, .arg = arg };

	return batch->signal == WEIR_SIGNAL_LOGS ? rewrite_batch(&f) : 0;
}
