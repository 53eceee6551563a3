/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup.h: names and number of a rotated file's backups.
 *
 * A backup of dir/name.ext is dir/name-2006-01-02T15-04-05.000-size.ext, by the
 * time of its rotation.  All functions run on the thread pool or at start:
 * they read directories, rename and remove.
 */
#ifndef EXPORTERS_FILE_BACKUP_H
#define EXPORTERS_FILE_BACKUP_H

#include "config.h"

/* The time in milliseconds of a bare stamp of 23 characters; false when text is
 * none. */
bool file_stamp_read(weir_str text, bool local, int64_t *unix_milli);

/* Renames path to a backup that does not exist yet.  0 or an errno.  name gets
 * the backup's path, PATH_MAX bytes. */
int file_backup(const char *path, bool local, char *name);

/* Removes what max_backups and max_days do not keep.  What cannot be removed
 * is logged and stays. */
void file_backups_prune(const char *path, const struct file_rotation *rotation);

/* Gives backups of older versions, without "-size", their new names.  -1 and a
 * sentence when the directory cannot be read. */
int file_backups_migrate(const char *path,
			 const struct file_rotation *rotation,
			 struct weir_error *error);

#endif
