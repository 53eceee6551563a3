/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c: appending to a file, and beginning a new one.
 *
 * Holds the descriptor.  A file that was removed meanwhile is made anew; one
 * that grew or shrank by another's hand is taken as it is.  Must never leave
 * part of a record behind where the file can be cut.
 */
#include "writer.h"

#include "backup.h"
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_FILE_MODE 0644

void file_writer_close(struct file_writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

/* --- Opening ------------------------------------------------------------ */

/* Read access as well: a FIFO is then opened without waiting for a reader. */
static int open_path(const struct file_writer *w)
{
	int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;

	/* Appending even when emptied first: a file that something else
	 * truncates does not grow a hole. */
	return open(w->path, w->truncate ? flags | O_TRUNC : flags,
		    NEW_FILE_MODE);
}

int file_writer_open(struct file_writer *w, const struct file_config *config,
		     const char **verb)
{
	if (w->fd >= 0)
		return 0;
	*verb = "open";
	w->fd = open_path(w);
	if (w->fd < 0 && errno == ENOENT && w->make_directory) {
		int error = file_make_parents(w->path,
					      file_directory_mode(config));

		if (error) {
			*verb = "mkdir for";
			return error;
		}
		w->fd = open_path(w);
	}
	if (w->fd < 0)
		return errno;
	w->truncate = false;	/* what is in it from now on is ours */
	if (config->rotation.enabled)
		file_backups_prune(w->path, &config->rotation);
	return 0;
}

/* Puts the file aside and begins another; on failure the old one is back. */
static int rotate(struct file_writer *w, const struct file_config *config,
		  const struct stat *old, const char **verb)
{
	char backup[PATH_MAX];
	int error = file_backup(w->path, config->rotation.localtime, backup);

	if (error) {
		*verb = "rename";
		return error;
	}
	file_writer_close(w);
	error = file_writer_open(w, config, verb);
	if (error) {
		if (rename(backup, w->path) < 0)
			weir_log_warn(NULL, "A rotation could not be undone",
				      "backup=%s error=%s", backup,
				      strerror(errno));
		return error;
	}
	/* Whoever may read the old one may read the new one. */
	if (fchown(w->fd, old->st_uid, old->st_gid) < 0)
		errno = 0;
	return 0;
}

/* --- Appending ---------------------------------------------------------- */

/* The open file's state; one that has been removed is opened anew. */
static int look(struct file_writer *w, const struct file_config *config,
		struct stat *st, const char **verb)
{
	int error = file_writer_open(w, config, verb);

	if (error)
		return error;
	*verb = "stat";
	if (fstat(w->fd, st) < 0)
		return errno;
	if (!S_ISREG(st->st_mode) || st->st_nlink)
		return 0;
	file_writer_close(w);
	error = file_writer_open(w, config, verb);
	if (!error && fstat(w->fd, st) < 0)
		return errno;
	return error;
}

/* Opens and, if the next record needs it, rotates. */
static int prepare(struct file_writer *w, const struct file_config *config,
		   size_t len, struct stat *st, const char **verb)
{
	int64_t max = file_max_size(&config->rotation);
	int error = look(w, config, st, verb);

	if (error || !config->rotation.enabled || !S_ISREG(st->st_mode) ||
	    !st->st_size || st->st_size <= max - (int64_t)len)
		return error;
	error = rotate(w, config, st, verb);
	if (!error && fstat(w->fd, st) < 0)
		return errno;
	return error;
}

/* How many of the records fit into what is left of the file, and their length;
 * the first always does. */
static size_t fitting(const struct file_config *config, int64_t size,
		      const struct file_record *records, size_t n, size_t *len)
{
	int64_t max = file_max_size(&config->rotation);
	size_t k = 1;

	*len = records[0].len;
	while (k < n && (!config->rotation.enabled ||
			 (int64_t)(*len + records[k].len) <= max - size))
		*len += records[k++].len;
	return k;
}

static size_t write_all(int fd, const char *ptr, size_t len, int *error)
{
	size_t done = 0;

	*error = 0;
	while (done < len) {
		ssize_t n = write(fd, ptr + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*error = errno;
			break;
		}
		done += (size_t)n;
	}
	return done;
}

/* Cuts what got in of a record off again, unless another wrote behind it; what
 * a disk fault does not let us cut off stays. */
static void cut_off(int fd, const struct stat *before, size_t whole,
		    size_t done)
{
	struct stat st;

	if (done == whole || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size != before->st_size + (off_t)done)
		return;
	if (ftruncate(fd, before->st_size + (off_t)whole) < 0)
		errno = 0;
}

static void fail_all(struct file_record *records, size_t n, int error,
		     const char *verb)
{
	for (size_t i = 0; i < n; i++)
		records[i].failed = (struct file_failure){ error, verb };
}

/* Writes records in one go; how many got in whole. */
static size_t write_run(struct file_writer *w, const struct stat *before,
			const char *text, const struct file_record *records,
			size_t n, size_t len, int *error)
{
	size_t done = write_all(w->fd, text + records[0].at, len, error);
	size_t whole = 0, k = 0;

	while (k < n && whole + records[k].len <= done)
		whole += records[k++].len;
	if (*error)
		cut_off(w->fd, before, whole, done);
	return k;
}

void file_writer_put(struct file_writer *w, const struct file_config *config,
		     const char *text, struct file_record *records, size_t n)
{
	int64_t max = file_max_size(&config->rotation);

	while (n) {
		const char *verb = "write";
		size_t k, len, put = 0;
		struct stat st;
		int error;

		if (config->rotation.enabled &&
		    (int64_t)records[0].len > max) {
			fail_all(records++, 1, FILE_TOO_LONG, "write");
			n--;
			continue;
		}
		error = prepare(w, config, records[0].len, &st, &verb);
		if (!error) {
			verb = "write";
			k = fitting(config, st.st_size, records, n, &len);
			put = write_run(w, &st, text, records, k, len, &error);
		}
		if (error) {
			fail_all(records + put, n - put, error, verb);
			return;
		}
		records += put;
		n -= put;
	}
}
