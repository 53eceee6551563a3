/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.h: a batch taken apart by a resource attribute.
 *
 *	file_groups_begin(groups, batch);
 *	while (file_groups_next(groups, &group)) ...
 *
 * Looks at GROUP_MAX resources at a time: a batch with more gives a group more
 * than once.  Pure but for its own arrays; the loop's.
 */
#ifndef EXPORTERS_FILE_GROUP_H
#define EXPORTERS_FILE_GROUP_H

#include <weir/plugin.h>

#define GROUP_MAX 1024

struct file_group_entry {
	weir_str segment;	/* the attribute's value */
	size_t index;		/* order in the batch */
	struct weir_slice slice;
	uint64_t items;
};

struct file_groups {
	weir_str attribute;
	uint64_t dropped;	/* items of resources without the attribute */
	enum weir_signal signal;
	const struct weir_slice *slices;
	size_t n_slices;
	struct weir_message_cursor cur;
	struct file_group_entry entries[GROUP_MAX];
	struct weir_slice out[GROUP_MAX];
	size_t n, at;		/* entries, and how many were given out */
};

struct file_group_of {
	weir_str segment;
	const struct weir_slice *slices;	/* whole field-1 records */
	size_t n;
	uint64_t items;
};

void file_groups_begin(struct file_groups *groups,
		       const struct weir_batch *batch);
bool file_groups_next(struct file_groups *groups, struct file_group_of *out);

#endif
