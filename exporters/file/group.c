/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.c: resources sorted by the value of an attribute.
 */
#include "group.h"

#include <stdlib.h>

static uint64_t points_of(weir_str message)
{
	struct weir_message_cursor points;
	struct weir_metric_view metric;
	uint64_t n = 0;

	weir_metric_read(message, &metric);
	if (metric.data == WEIR_DATA_NONE)
		return 0;
	points = weir_points(&metric);
	while (weir_message_next(&points))
		n++;
	return n;
}

/* ResourceX.scope_x = 2, ScopeX.items = 2, for all signals. */
static uint64_t items_of(enum weir_signal signal, weir_str wrapper)
{
	struct weir_message_cursor scopes = weir_messages(wrapper, 2);
	uint64_t n = 0;

	while (weir_message_next(&scopes)) {
		struct weir_message_cursor items =
			weir_messages(scopes.message, 2);

		while (weir_message_next(&items))
			n += signal == WEIR_SIGNAL_METRICS ?
				points_of(items.message) : 1;
	}
	return n;
}

void file_groups_begin(struct file_groups *groups,
		       const struct weir_batch *batch)
{
	groups->signal = weir_batch_signal(batch);
	groups->slices = weir_batch_slices(batch, &groups->n_slices);
	groups->cur = (struct weir_message_cursor){ 0 };
	groups->dropped = 0;
	groups->n = groups->at = 0;
}

/* The next ResourceX of the batch, with its tag. */
static bool next_record(struct file_groups *groups, struct weir_slice *record)
{
	for (;;) {
		const uint8_t *from = groups->cur.p;

		if (from && weir_message_next(&groups->cur)) {
			*record = (struct weir_slice){
				from, (size_t)(groups->cur.p - from) };
			return true;
		}
		if (!groups->n_slices)
			return false;
		groups->cur = weir_messages((weir_str){
			(const char *)groups->slices->ptr,
			groups->slices->len }, 1);
		groups->slices++;
		groups->n_slices--;
	}
}

static void take(struct file_groups *groups, struct weir_slice record)
{
	uint64_t items = items_of(groups->signal, groups->cur.message);
	struct weir_resource resource;
	struct weir_value value;

	weir_resource_read(groups->cur.message, &resource);
	if (!weir_attribute_find(resource.attributes, groups->attribute,
				 &value) ||
	    value.type != WEIR_VALUE_STRING) {
		groups->dropped += items;
		return;
	}
	groups->entries[groups->n] = (struct file_group_entry){
		value.str, groups->n, record, items };
	groups->n++;
}

static int compare(weir_str a, weir_str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_segment(const void *a, const void *b)
{
	const struct file_group_entry *x = a, *y = b;
	int order = compare(x->segment, y->segment);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static void fill(struct file_groups *groups)
{
	struct weir_slice record;

	groups->n = groups->at = 0;
	while (groups->n < GROUP_MAX && next_record(groups, &record))
		take(groups, record);
	qsort(groups->entries, groups->n, sizeof(*groups->entries),
	      by_segment);
}

bool file_groups_next(struct file_groups *groups, struct file_group_of *out)
{
	const struct file_group_entry *first;

	if (groups->at == groups->n)
		fill(groups);
	if (!groups->n)
		return false;
	first = &groups->entries[groups->at];
	*out = (struct file_group_of){ .segment = first->segment,
				       .slices = groups->out };
	while (groups->at < groups->n &&
	       weir_str_eq(groups->entries[groups->at].segment,
			   first->segment)) {
		out->items += groups->entries[groups->at].items;
		groups->out[out->n++] = groups->entries[groups->at++].slice;
	}
	return true;
}
