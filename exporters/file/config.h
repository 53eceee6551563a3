/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h: the keys of the file exporter, bound and checked.
 */
#ifndef EXPORTERS_FILE_CONFIG_H
#define EXPORTERS_FILE_CONFIG_H

#include <weir/plugin.h>

#include <sys/types.h>

struct file_group {
	bool enabled;
	weir_str resource_attribute;
	int64_t max_open_files;
};

struct file_compression {
	int64_t level;
};

struct file_rotation {
	bool enabled;			/* the block is there */
	int64_t max_megabytes, max_days, max_backups;
	bool localtime;
};

struct file_config {
	weir_str path, format;
	bool append;
	weir_duration flush_interval;
	bool create_directory;
	weir_str directory_permissions;
	struct file_rotation rotation;
	weir_str compression;
	struct file_compression compression_params;
	const struct weir_node *encoding;	/* NULL: not given */
	struct file_group group_by;
};

extern const struct weir_field file_config_fields[];

/* The Collector's rules in its order, then what it finds out at start. */
int file_validate(const struct file_config *config, struct weir_error *error);

/* Of directories that are made. */
mode_t file_directory_mode(const struct file_config *config);

/* Bytes that a file may have before it is rotated; of no use without. */
int64_t file_max_size(const struct file_rotation *rotation);

#endif
