/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open.h: the configuration of the file exporter, and the file it names.
 */
#ifndef EXPORTERS_FILE_OPEN_H
#define EXPORTERS_FILE_OPEN_H

#include <weir/plugin.h>

struct file_group {
	bool enabled;
	weir_str resource_attribute;
	int64_t max_open_files;
};

struct file_compression {
	int64_t level;
};

struct file_config {
	weir_str path, format;
	bool append;
	weir_duration flush_interval;
	bool create_directory;
	weir_str directory_permissions;
	const struct weir_node *rotation;	/* NULL: not given */
	weir_str compression;
	struct file_compression compression_params;
	weir_str encoding;
	struct file_group group_by;
};

/* The Collector's rules in its order, then what this exporter cannot do. */
int file_validate(const struct file_config *config, struct weir_error *error);

/* Makes the directories and opens the file for appending, emptied unless the
 * configuration keeps its content.  A descriptor, or -1 and a sentence. */
int file_open(const struct file_config *config, struct weir_error *error);

#endif
