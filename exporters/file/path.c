/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.c: paths as text, and the directories of one.  Holds nothing.
 */
#include "path.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

/* --- Text --------------------------------------------------------------- */

/* Takes the last part off out, unless it is itself a ".." that stays. */
static bool step_back(const char *path, size_t *out, size_t root)
{
	size_t at = *out;

	while (at > root && path[at - 1] != '/')
		at--;
	if (*out == root || (*out - at == 2 && !memcmp(path + at, "..", 2)))
		return false;
	*out = at > root ? at - 1 : at;
	return true;
}

size_t file_path_clean(char *path, size_t len)
{
	size_t root = len && path[0] == '/', out = root;

	for (size_t at = root; at < len;) {
		size_t end = at;

		while (end < len && path[end] != '/')
			end++;
		if (end - at == 2 && !memcmp(path + at, "..", 2)) {
			if (step_back(path, &out, root) || root) {
				at = end + 1;
				continue;
			}
		}
		if (end > at && !(end - at == 1 && path[at] == '.')) {
			if (out > root)
				path[out++] = '/';
			memmove(path + out, path + at, end - at);
			out += end - at;
		}
		at = end + 1;
	}
	if (!out)
		path[out++] = '.';
	return out;
}

struct path {
	char text[3 * PATH_MAX];
	size_t len;
};

static void put(struct path *path, weir_str text)
{
	memcpy(path->text + path->len, text.ptr, text.len);
	path->len += text.len;
}

static void put_clean(struct path *path, weir_str text)
{
	size_t from = path->len;

	put(path, text);
	path->len = from + file_path_clean(path->text + from, text.len);
}

static bool begins_with(weir_str text, weir_str prefix)
{
	return text.len >= prefix.len &&
	       !memcmp(text.ptr, prefix.ptr, prefix.len);
}

/* "./x" and "../x" lose their dots, once, as in the Collector. */
static weir_str without_dots(weir_str segment)
{
	size_t cut = begins_with(segment, WEIR_STR("./")) ? 1 :
		     begins_with(segment, WEIR_STR("../")) ? 2 : 0;

	return (weir_str){ segment.ptr + cut, segment.len - cut };
}

/* Is path below prefix?  Clean, it can climb only where the prefix itself ends
 * in "..", which the Collector does not see. */
static bool is_below(weir_str path, weir_str prefix)
{
	weir_str rest;

	if (!begins_with(path, prefix))
		return false;
	rest = (weir_str){ path.ptr + prefix.len, path.len - prefix.len };
	if (begins_with(rest, WEIR_STR("/")))
		rest = (weir_str){ rest.ptr + 1, rest.len - 1 };
	else if (prefix.ptr[prefix.len - 1] != '/')
		return true;
	return !weir_str_eq(rest, WEIR_STR("..")) &&
	       !begins_with(rest, WEIR_STR("../"));
}

/* prefix + "/" + the rest cleaned as if it began at the root: no ".." is left
 * that could climb out. */
static void confine(struct path *path, weir_str prefix, weir_str segment,
		    weir_str suffix)
{
	struct path inner = { .len = 0 };

	put(&inner, WEIR_STR("/"));
	put(&inner, segment);
	put(&inner, suffix);
	inner.len = file_path_clean(inner.text, inner.len);
	path->len = 0;
	put(path, prefix);
	put(path, (weir_str){ inner.text, inner.len });
	path->len = file_path_clean(path->text, path->len);
}

int file_group_path(struct weir_text *out, weir_str prefix, weir_str segment,
		    weir_str suffix)
{
	struct path base = { .len = 0 }, path = { .len = 0 };

	if (memchr(segment.ptr ? segment.ptr : "", 0, segment.len))
		return EINVAL;
	if (segment.len >= PATH_MAX || prefix.len >= PATH_MAX ||
	    suffix.len >= PATH_MAX)
		return ENAMETOOLONG;
	segment = without_dots(segment);
	put_clean(&base, prefix);
	if (prefix.ptr[prefix.len - 1] == '/' &&
	    base.text[base.len - 1] != '/')
		put(&base, WEIR_STR("/"));
	prefix = (weir_str){ base.text, base.len };
	put(&path, prefix);
	put(&path, segment);
	put(&path, suffix);
	path.len = file_path_clean(path.text, path.len);
	if (!is_below((weir_str){ path.text, path.len }, prefix))
		confine(&path, prefix, segment, suffix);
	if (path.len >= PATH_MAX)
		return ENAMETOOLONG;
	path.text[path.len++] = '\0';
	weir_text_add(out, (weir_str){ path.text, path.len });
	return 0;
}

/* --- Directories -------------------------------------------------------- */

int file_make_parents(const char *path, mode_t mode)
{
	char copy[PATH_MAX];

	strncpy(copy, path, sizeof(copy) - 1);
	copy[sizeof(copy) - 1] = '\0';
	for (char *p = copy + 1; *copy && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return errno;
		*p = '/';
	}
	return 0;
}

/* The sentence goes on in lower case. */
int file_fail(struct weir_error *error, const char *verb, const char *path,
	      int errnum)
{
	char why[128];

	strncpy(why, strerror(errnum), sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	why[0] = (char)tolower((unsigned char)why[0]);
	return weir_fail(error, "path", "%s %s: %s", verb, path, why);
}
