/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open.c: what a file exporter's configuration may say, and opening the file.
 * Runs at set-up only; holds nothing.
 */
#include "open.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

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

/* Keys of the Collector that this exporter knows and cannot serve. */
static int validate_missing(const struct file_config *config,
			    struct weir_error *error)
{
	static const char sentence[] = "%s is not available in this exporter";

	if (config->rotation)
		return weir_fail(error, "rotation", sentence, "rotation");
	if (config->compression.len)
		return weir_fail(error, "compression", sentence,
				 "compression");
	if (config->encoding.len)
		return weir_fail(error, "encoding", sentence, "encoding");
	if (config->group_by.enabled)
		return weir_fail(error, "group_by", sentence, "group_by");
	return 0;
}

int file_validate(const struct file_config *config, struct weir_error *error)
{
	if (!config->path.len)
		return weir_fail(error, "path", "path must be non-empty");
	if (memchr(config->path.ptr, 0, config->path.len) ||
	    config->path.len >= PATH_MAX)
		return weir_fail(error, "path", "path is not a file name");
	if (config->append && config->rotation)
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
	return validate_missing(config, error);
}

/* "open x: no such file or directory": the sentence goes on in lower case. */
static int fail_with(struct weir_error *error, const char *verb,
		     const char *path)
{
	char why[128];

	snprintf(why, sizeof(why), "%s", strerror(errno));
	why[0] = (char)tolower((unsigned char)why[0]);
	return weir_fail(error, "path", "%s %s: %s", verb, path, why);
}

/* Makes what is missing of the directories before the last '/'. */
static int make_parents(char *path, mode_t mode, struct weir_error *error)
{
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, mode) < 0 && errno != EEXIST)
			return fail_with(error, "mkdir", path);
		*p = '/';
	}
	return 0;
}

int file_open(const struct file_config *config, struct weir_error *error)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
	char path[PATH_MAX];
	uint32_t mode = 0755;
	int fd;

	memcpy(path, config->path.ptr, config->path.len);
	path[config->path.len] = '\0';
	if (config->directory_permissions.len)
		octal(config->directory_permissions, &mode);
	if (config->create_directory &&
	    make_parents(path, (mode_t)mode, error) < 0)
		return -1;
	/* Appending even when emptied first: a file that something else
	 * truncates does not grow a hole. */
	fd = open(path, config->append ? flags : flags | O_TRUNC, 0644);
	return fd < 0 ? fail_with(error, "open", path) : fd;
}
