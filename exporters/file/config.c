/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c: the keys of the file exporter and what its rows cannot say.  Pure;
 * holds nothing.
 */
#include "config.h"

#include <limits.h>

#define MEGABYTE 1048576

static const struct weir_field group_fields[] = {
	WEIR_FIELD(struct file_group, enabled, "false",
		   "One file per value of a resource attribute."),
	WEIR_FIELD(struct file_group, resource_attribute,
		   "fileexporter.path_segment",
		   "The attribute whose value takes the place of * in path."),
	WEIR_FIELD(struct file_group, max_open_files, "100",
		   "Files kept open at a time."),
	WEIR_END
};

static const struct weir_field compression_fields[] = {
	WEIR_FIELD(struct file_compression, level, "0",
		   "Accepted; has no effect."),
	WEIR_END
};

static const struct weir_field rotation_fields[] = {
	WEIR_FIELD(struct file_rotation, max_megabytes, "0",
		   "The size, in units of 1048576 bytes, that the file may "
		   "have; 0: 100."),
	WEIR_FIELD(struct file_rotation, max_days, "0",
		   "Older backups are removed; 0: never for their age."),
	WEIR_FIELD(struct file_rotation, max_backups, "100",
		   "Backups that are kept, the newest; 0: all."),
	WEIR_FIELD(struct file_rotation, localtime, "false",
		   "Name backups by local time instead of UTC."),
	WEIR_END
};

const struct weir_field file_config_fields[] = {
	WEIR_FIELD(struct file_config, path, "",
		   "The file to write; required."),
	WEIR_FIELD(struct file_config, format, "json",
		   "json: a line per batch; proto: length-prefixed messages."),
	WEIR_FIELD(struct file_config, append, "false",
		   "Keep what the file holds; else it is emptied at start."),
	WEIR_FIELD(struct file_config, flush_interval, "1s",
		   "The longest that data may stay in memory; it is in fact "
		   "written at once."),
	WEIR_FIELD(struct file_config, create_directory, "false",
		   "Make the directories of path at start."),
	WEIR_FIELD(struct file_config, directory_permissions, "",
		   "Octal mode of directories that are made; 0755 when empty."),
	WEIR_OPTIONAL(struct file_config, rotation, rotation_fields,
		      WEIR_BLOCK_PRESENT,
		      "Rename the file when it has grown and begin a new one."),
	WEIR_FIELD(struct file_config, compression, "",
		   "zstd: each message is a frame behind its length."),
	WEIR_BLOCK(struct file_config, compression_params, compression_fields,
		   "Settings of the compression."),
	WEIR_FIELD(struct file_config, encoding, NULL,
		   "An encoding extension; refused, there is none."),
	WEIR_BLOCK(struct file_config, group_by, group_fields,
		   "Several files instead of one."),
	WEIR_END
};

static bool octal(weir_str text, uint32_t *mode)
{
	uint64_t value = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '7')
			return false;
		value = value << 3 | (uint64_t)(text.ptr[i] - '0');
		if (value > INT32_MAX)
			return false;
	}
	*mode = (uint32_t)value;
	return text.len > 0;
}

static int validate_group(const struct file_config *config,
			  struct weir_error *error)
{
	weir_str path = config->path;
	size_t stars = 0;

	for (size_t i = 0; i < path.len; i++)
		stars += path.ptr[i] == '*';
	if (stars != 1)
		return weir_fail(error, "path", "path must contain exactly "
				 "one * when group_by is enabled");
	if (path.ptr[0] == '*')
		return weir_fail(error, "path", "path must not start with * "
				 "when group_by is enabled");
	if (!config->group_by.resource_attribute.len)
		return weir_fail(error, "group_by.resource_attribute",
				 "resource_attribute must not be empty when "
				 "group_by is enabled");
	return 0;
}

static int validate_directory(const struct file_config *config,
			      struct weir_error *error)
{
	weir_str text = config->directory_permissions;
	uint32_t mode;

	if (!text.len)
		return 0;
	if (!config->create_directory)
		return weir_fail(error, "directory_permissions",
				 "directory_permissions requires "
				 "create_directory to be true");
	if (!octal(text, &mode))
		return weir_fail(error, "directory_permissions",
				 "directory_permissions value must be a valid "
				 "octal representation");
	if (mode & ~0777u)
		return weir_fail(error, "directory_permissions",
				 "directory_permissions contain invalid bits "
				 "for file access");
	return 0;
}

/* What the Collector says when it starts. */
static int validate_start(const struct file_config *config,
			  struct weir_error *error)
{
	const struct weir_node *encoding = config->encoding;

	if (config->group_by.enabled && config->group_by.max_open_files <= 0)
		return weir_fail(error, "group_by.max_open_files",
				 "must provide a positive size");
	if (weir_node_kind(encoding) == WEIR_NODE_NULL)
		return 0;
	if (weir_node_kind(encoding) != WEIR_NODE_STR)
		return weir_fail(error, "encoding", "'encoding' must be the id "
				 "of an extension");
	if (!weir_node_text(encoding).len)
		return weir_fail(error, "encoding", "id must not be empty");
	return weir_fail(error, "encoding", "unknown encoding \"%.*s\": there "
			 "are no encoding extensions; leave it out and choose "
			 "a format", WEIR_STR_FMT(weir_node_text(encoding)));
}

int file_validate(const struct file_config *config, struct weir_error *error)
{
	if (!config->path.len)
		return weir_fail(error, "path", "path must be non-empty");
	if (memchr(config->path.ptr, 0, config->path.len) ||
	    config->path.len >= PATH_MAX)
		return weir_fail(error, "path", "path is not a file name");
	if (config->append && config->rotation.enabled)
		return weir_fail(error, "append", "append and rotation enabled "
				 "at the same time is not supported");
	if (!weir_str_eq(config->format, WEIR_STR("json")) &&
	    !weir_str_eq(config->format, WEIR_STR("proto")))
		return weir_fail(error, "format",
				 "format type is not supported");
	if (config->compression.len &&
	    !weir_str_eq(config->compression, WEIR_STR("zstd")))
		return weir_fail(error, "compression",
				 "compression is not supported");
	if (config->flush_interval.ns < 0)
		return weir_fail(error, "flush_interval",
				 "flush_interval must be larger than zero");
	if (config->group_by.enabled && validate_group(config, error) < 0)
		return -1;
	if (validate_directory(config, error) < 0)
		return -1;
	return validate_start(config, error);
}

mode_t file_directory_mode(const struct file_config *config)
{
	uint32_t mode;

	if (!octal(config->directory_permissions, &mode) || !mode)
		return 0755;
	return (mode_t)mode;
}

int64_t file_max_size(const struct file_rotation *rotation)
{
	int64_t n = rotation->max_megabytes ? rotation->max_megabytes : 100;

	return n > INT64_MAX / MEGABYTE ? INT64_MAX : n * MEGABYTE;
}
