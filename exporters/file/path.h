/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.h: paths that are made from data, and directories.
 */
#ifndef EXPORTERS_FILE_PATH_H
#define EXPORTERS_FILE_PATH_H

#include <weir/status.h>
#include <weir/value.h>

#include <sys/types.h>

/* Shortens a path as Go's path.Clean does: no empty, "." and inner ".." part,
 * "." for nothing.  In place; the result is never longer but for "". */
size_t file_path_clean(char *path, size_t len);

/*
 * Appends, with a NUL, the path of a group: prefix and suffix are what stands
 * around the * of the configured path, segment the attribute's value.  Whatever
 * the segment says, the result begins with the prefix (cleaned).  0, or the
 * errno that opening it would give: ENAMETOOLONG, EINVAL for a NUL byte; then
 * nothing is appended.
 */
int file_group_path(struct weir_text *out, weir_str prefix, weir_str segment,
		    weir_str suffix);

/* Makes what is missing before the last '/'.  0 or an errno.  Blocks. */
int file_make_parents(const char *path, mode_t mode);

/* "open x: no such file or directory", a sentence about `path`.  -1. */
int file_fail(struct weir_error *error, const char *verb, const char *path,
	      int errnum);

#endif
