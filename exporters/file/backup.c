/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup.c: the backups of a rotated file, as they lie in its directory.
 * Holds nothing: the directory is the list.
 */
#include "backup.h"

#include "path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STAMP_LEN 23		/* 2006-01-02T15-04-05.000 */
#define DAY_MS (24 * 3600 * INT64_C(1000))

/* --- Stamps ------------------------------------------------------------- */

/* The digits of text at at, or -1. */
static int digits(const char *text, size_t at, size_t n)
{
	int value = 0;

	for (size_t i = at; i < at + n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + text[i] - '0';
	}
	return value;
}

bool file_stamp_read(weir_str text, bool local, int64_t *unix_milli)
{
	static const char form[] = "0000-00-00T00-00-00.000";
	struct tm tm = { .tm_isdst = -1 }, back;
	time_t seconds;
	int ms;

	if (text.len != STAMP_LEN)
		return false;
	for (size_t i = 0; i < STAMP_LEN; i++)
		if (form[i] != '0' && text.ptr[i] != form[i])
			return false;
	tm.tm_year = digits(text.ptr, 0, 4) - 1900;
	tm.tm_mon = digits(text.ptr, 5, 2) - 1;
	tm.tm_mday = digits(text.ptr, 8, 2);
	tm.tm_hour = digits(text.ptr, 11, 2);
	tm.tm_min = digits(text.ptr, 14, 2);
	tm.tm_sec = digits(text.ptr, 17, 2);
	ms = digits(text.ptr, 20, 3);
	if (tm.tm_year < -1900 || tm.tm_mon < 0 || tm.tm_mon > 11 ||
	    tm.tm_mday < 1 || tm.tm_hour < 0 || tm.tm_hour > 23 ||
	    tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 ||
	    tm.tm_sec > 59 || ms < 0)
		return false;
	back = tm;		/* the 31st of April becomes another month */
	seconds = local ? mktime(&back) : timegm(&back);
	*unix_milli = (int64_t)seconds * 1000 + ms;
	return back.tm_mon == tm.tm_mon && back.tm_mday == tm.tm_mday;
}

static void stamp_write(int64_t unix_milli, bool local,
			char out[STAMP_LEN + 1])
{
	time_t seconds = (time_t)(unix_milli / 1000);
	char day[STAMP_LEN + 1];
	struct tm tm;

	if (local)
		localtime_r(&seconds, &tm);
	else
		gmtime_r(&seconds, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H-%M-%S", &tm);
	snprintf(out, STAMP_LEN + 1, "%.19s.%03u", day,
		 (unsigned int)(unix_milli % 1000));
}

/* --- Names -------------------------------------------------------------- */

/* dir/stem.ext: ext begins at the last dot of the name, "" without one. */
struct name {
	weir_str dir;		/* with its '/', "" for the current one */
	weir_str stem, ext;
};

static struct name name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	const char *dot = strrchr(base, '.');

	if (!dot)
		dot = base + strlen(base);
	return (struct name){
		.dir = { path, (size_t)(base - path) },
		.stem = { base, (size_t)(dot - base) },
		.ext = weir_str_of(dot),
	};
}

static bool write_name(const struct name *name, const char *stamp, char *out)
{
	int n = snprintf(out, PATH_MAX, "%.*s%.*s-%s-size%.*s",
			 WEIR_STR_FMT(name->dir), WEIR_STR_FMT(name->stem),
			 stamp, WEIR_STR_FMT(name->ext));

	return n > 0 && n < PATH_MAX;
}

int file_backup(const char *path, bool local, char *name)
{
	struct name parts = name_of(path);
	int64_t now = (int64_t)(weir_wall_now() / 1000000);

	for (;; now++) {	/* a backup never takes another's place */
		char stamp[STAMP_LEN + 1];
		struct stat st;

		stamp_write(now, local, stamp);
		if (!write_name(&parts, stamp, name))
			return ENAMETOOLONG;
		if (lstat(name, &st) < 0)
			break;
	}
	return rename(path, name) < 0 ? errno : 0;
}

/* What stands between "stem-" and ext.suffix in a file's name. */
static bool between(const struct name *name, const char *file,
		    const char *suffix, weir_str *out)
{
	size_t len = strlen(file), more = strlen(suffix);
	size_t around = name->stem.len + 1 + name->ext.len + more;

	if (len < around ||
	    memcmp(file, name->stem.ptr, name->stem.len) != 0 ||
	    file[name->stem.len] != '-' ||
	    memcmp(file + len - more, suffix, more) != 0 ||
	    memcmp(file + len - more - name->ext.len, name->ext.ptr,
		   name->ext.len) != 0)
		return false;
	*out = (weir_str){ file + name->stem.len + 1, len - around };
	return true;
}

/* "<stamp>-<any word>", also of backups that something else compressed. */
static bool is_backup(const struct name *name, const char *file, bool local,
		      int64_t *unix_milli)
{
	static const char *const suffixes[] = { "", ".gz", ".zst" };

	for (size_t i = 0; i < 3; i++) {
		weir_str middle;
		const char *dash;

		if (!between(name, file, suffixes[i], &middle))
			continue;
		dash = memrchr(middle.ptr, '-', middle.len);
		if (!dash)
			continue;
		middle.len = (size_t)(dash - middle.ptr);
		if (file_stamp_read(middle, local, unix_milli))
			return true;
	}
	return false;
}

/* --- The directory ------------------------------------------------------ */

static DIR *open_dir(const struct name *name, char *path)
{
	size_t len = name->dir.len;

	if (!len)
		return opendir(".");
	memcpy(path, name->dir.ptr, len);
	path[len] = '\0';
	return opendir(path);
}

struct found {
	int64_t unix_milli;
	char *file;
};

static int newest_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return (x->unix_milli < y->unix_milli) -
	       (x->unix_milli > y->unix_milli);
}

static void add(struct found **found, size_t *n, struct found one)
{
	struct found *more = *found;

	if (!(*n & (*n - 1)))	/* full at each power of two */
		more = realloc(*found, (*n ? *n * 2 : 1) * sizeof(one));
	if (more)
		*found = more;
	if (more && one.file)
		more[(*n)++] = one;
	else
		free(one.file);	/* the next rotation finds it again */
}

static void remove_one(DIR *dir, const char *file)
{
	if (unlinkat(dirfd(dir), file, 0) < 0 && errno != ENOENT)
		weir_log_warn(NULL, "Failed to remove an old backup",
			      "file=%s error=%s", file, strerror(errno));
}

/* Backups of one millisecond count as one. */
static void remove_old(DIR *dir, const struct found *found, size_t n,
		       const struct file_rotation *rotation)
{
	int64_t now = (int64_t)(weir_wall_now() / 1000000), kept = 0;
	bool limited = rotation->max_backups > 0;
	int64_t oldest = INT64_MIN;

	if (rotation->max_days > 0 && rotation->max_days < now / DAY_MS)
		oldest = now - rotation->max_days * DAY_MS;
	for (size_t i = 0; i < n; i++) {
		kept += !i || found[i].unix_milli != found[i - 1].unix_milli;
		if ((limited && kept > rotation->max_backups) ||
		    found[i].unix_milli < oldest)
			remove_one(dir, found[i].file);
	}
}

void file_backups_prune(const char *path, const struct file_rotation *rotation)
{
	struct name name = name_of(path);
	struct found *found = NULL;
	char buffer[PATH_MAX];
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	if (rotation->max_backups == 0 && rotation->max_days == 0)
		return;
	dir = open_dir(&name, buffer);
	if (!dir)
		return;		/* the write will say why */
	while ((entry = readdir(dir))) {
		int64_t at;

		if (is_backup(&name, entry->d_name, rotation->localtime, &at))
			add(&found, &n, (struct found){ at,
				strdup(entry->d_name) });
	}
	if (n)
		qsort(found, n, sizeof(*found), newest_first);
	remove_old(dir, found, n, rotation);
	while (n)
		free(found[--n].file);
	free(found);
	closedir(dir);
}

static void migrate_one(DIR *dir, const struct name *name, const char *file,
			weir_str stamp)
{
	char to[NAME_MAX + 1];
	int n = snprintf(to, sizeof(to), "%.*s-%.*s-size%.*s",
			 WEIR_STR_FMT(name->stem), WEIR_STR_FMT(stamp),
			 WEIR_STR_FMT(name->ext));
	int failed;

	if (n < 0 || (size_t)n >= sizeof(to))
		failed = -1, errno = ENAMETOOLONG;
	else if (!faccessat(dirfd(dir), to, F_OK, AT_SYMLINK_NOFOLLOW))
		failed = unlinkat(dirfd(dir), file, 0);
	else
		failed = renameat(dirfd(dir), file, dirfd(dir), to);
	if (failed < 0 && errno != ENOENT)
		weir_log_warn(NULL, "Failed to rename legacy backup file",
			      "source=%s error=%s", file, strerror(errno));
}

int file_backups_migrate(const char *path,
			 const struct file_rotation *rotation,
			 struct weir_error *error)
{
	struct name name = name_of(path);
	char buffer[PATH_MAX] = ".";
	struct dirent *entry;
	DIR *dir = open_dir(&name, buffer);

	if (!dir)
		return file_fail(error, "migrating legacy backups: reading "
				 "directory", buffer, errno);
	while ((entry = readdir(dir))) {
		weir_str middle;
		int64_t at;

		if (between(&name, entry->d_name, "", &middle) &&
		    file_stamp_read(middle, rotation->localtime, &at))
			migrate_one(dir, &name, entry->d_name, middle);
	}
	closedir(dir);
	return 0;
}
