/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.c: standard streams and files that text is appended to.
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* "file:///x" and "file://localhost/x" are /x; other URLs have no writer. */
static bool file_name(weir_str *path)
{
	static const weir_str schemes[] = { { "file://localhost/", 16 },
					    { "file:///", 7 } };

	for (size_t i = 0; i < 2; i++) {
		size_t cut = schemes[i].len;

		if (path->len > cut &&
		    !memcmp(path->ptr, schemes[i].ptr, cut + 1)) {
			*path = (weir_str){ path->ptr + cut,
					    path->len - cut };
			return true;
		}
	}
	return !memmem(path->ptr, path->len, "://", 3);
}

static int open_one(weir_str path, struct weir_error *error)
{
	char name[PATH_MAX];
	int fd;

	if (path.len && !file_name(&path))
		return weir_fail(error, "output_paths", "no sink found for "
				 "\"%.*s\"", WEIR_STR_FMT(path));
	if (weir_str_eq(path, WEIR_STR("stdout")))
		return STDOUT_FILENO;
	if (weir_str_eq(path, WEIR_STR("stderr")))
		return STDERR_FILENO;
	if (!path.len || path.len >= sizeof(name) ||
	    memchr(path.ptr, 0, path.len))
		return weir_fail(error, "output_paths",
				 "output_paths: not a file name");
	memcpy(name, path.ptr, path.len);
	name[path.len] = '\0';
	fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return weir_fail(error, "output_paths", "open %s: %s", name,
				 strerror(errno));
	return fd;
}

int debug_output_open(struct debug_output *o, const struct weir_node *paths,
		      struct weir_error *error)
{
	bool one = weir_node_kind(paths) == WEIR_NODE_STR;
	size_t n = one ? 1 : weir_node_len(paths);

	o->fds = calloc(n ? n : 1, sizeof(*o->fds));
	if (!o->fds)
		return weir_fail(error, "output_paths", "out of memory");
	if (!n)
		o->fds[o->n++] = STDOUT_FILENO;
	for (size_t i = 0; i < n; i++) {
		const struct weir_node *path =
			one ? paths : weir_node_at(paths, i);
		int fd = open_one(weir_node_text(path), error);

		if (fd < 0)
			return -1;
		o->fds[o->n++] = fd;
	}
	return 0;
}

/* What a reader that has gone away misses is lost: this is for looking on. */
static void write_one(int fd, const char *ptr, size_t len)
{
	while (len) {
		ssize_t n = write(fd, ptr, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		ptr += n;
		len -= (size_t)n;
	}
}

void debug_output_write(struct debug_output *o, const struct weir_text *text)
{
	for (size_t i = 0; i < o->n; i++)
		write_one(o->fds[i], text->ptr, text->len);
}

void debug_output_close(struct debug_output *o)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->fds[i] > STDERR_FILENO)
			close(o->fds[i]);
	free(o->fds);
	*o = (struct debug_output){ 0 };
}
