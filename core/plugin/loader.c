/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader.c: plugin files, from a path to a checked descriptor.
 *
 * Opens a plugin when it is first wanted: the path is resolved once, its
 * owners and modes are checked, the note must fit; only then dlopen, which
 * finds every symbol that the file wants before it runs a constructor.  The
 * file stays open across that and must be the same before and after.  Plugins
 * are never closed: batches, logs and timers may point into them.  One thread
 * only.
 */
#include "loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "elf_note.h"
#include "handshake.h"
#include "shelf.h"
#include "symbols.h"
#include "trust.h"

struct loader {
	struct shelf shelf;
	void *kit;		/* libweirkit.so's handle, or NULL */
	bool asked_for_kit;
};

/* --- The kit ------------------------------------------------------------- */

/* In libweir.so: says where that lies. */
static const char anchor;

/* libweirkit.so lies beside libweir.so; what plugins link by name is then this
 * one, wherever they lie themselves. */
static void open_kit(struct loader *l)
{
	Dl_info info;
	const char *slash;

	if (l->asked_for_kit)
		return;
	l->asked_for_kit = true;
	if (dladdr(&anchor, &info) && info.dli_fname &&
	    (slash = strrchr(info.dli_fname, '/')))
		l->kit = dlopen(arena_printf(&l->shelf.arena,
					     "%.*s/libweirkit.so",
					     (int)(slash - info.dli_fname),
					     info.dli_fname),
				RTLD_LAZY | RTLD_LOCAL);
}

/* --- Opening ------------------------------------------------------------- */

/* What the system's loader says, or the symbol that it did not find. */
static const char *explain(struct loader *l, int fd)
{
	const char *said = arena_printf(&l->shelf.arena, "%s", dlerror());
	const char *symbol = symbols_missing(&l->shelf.arena, fd, l->kit);

	if (!symbol)
		return said;
	return arena_printf(&l->shelf.arena, "undefined symbol %s: neither "
			    "this weir nor what the plugin links has it",
			    symbol);
}

static const struct weir_plugin *load(struct loader *l, int fd,
				      const char *path,
				      const struct weir_note *note,
				      const char **why)
{
	const struct weir_plugin *plugin = NULL, *found;
	void *handle;

	open_kit(l);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		*why = explain(l, fd);
		return NULL;
	}
	found = dlsym(handle, "weir_plugin");
	*why = "it exports no symbol weir_plugin";
	if (found)
		plugin = handshake_descriptor(&l->shelf.arena, found, note,
					      why);
	if (!plugin)
		dlclose(handle);
	return plugin;
}

static bool same_file(const struct stat *before, int fd, const char *path)
{
	struct stat now, there;

	return !fstat(fd, &now) && !stat(path, &there) &&
	       now.st_dev == there.st_dev && now.st_ino == there.st_ino &&
	       now.st_size == before->st_size &&
	       now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == before->st_mtim.tv_nsec &&
	       now.st_ctim.tv_sec == before->st_ctim.tv_sec &&
	       now.st_ctim.tv_nsec == before->st_ctim.tv_nsec;
}

/* fd is what was checked; path must still lead there when dlopen is back. */
static const struct weir_plugin *check_and_load(struct loader *l, int fd,
						const char *path,
						const char **why)
{
	const struct weir_plugin *plugin;
	struct weir_note note;
	struct stat before;

	*why = "cannot be read";
	if (fstat(fd, &before))
		return NULL;
	*why = "not a regular file";
	if (!S_ISREG(before.st_mode))
		return NULL;
	*why = elf_read_note(fd, &note);
	if (!*why)
		*why = handshake_note(&l->shelf.arena, &note);
	if (*why)
		return NULL;
	plugin = load(l, fd, path, &note, why);
	if (plugin && !same_file(&before, fd, path)) {
		*why = "it changed while it was loaded";
		return NULL;
	}
	return plugin;
}

static const struct weir_plugin *refuse(struct weir_error *error,
					const char *path, const char *why)
{
	weir_fail(error, "", "%s: %s", path, why);
	return NULL;
}

const struct weir_plugin *loader_open(struct loader *l, const char *path,
				      struct weir_error *error)
{
	char *real = realpath(path, NULL);
	const struct weir_plugin *plugin;
	const char *why = NULL;
	char *kept;
	int fd;

	if (!real)
		return refuse(error, path, strerror(errno));
	kept = arena_printf(&l->shelf.arena, "%s", real);
	free(real);
	if (!trust_path(&l->shelf.arena, kept, &why))
		return refuse(error, path, why);
	fd = open(kept, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return refuse(error, path, strerror(errno));
	plugin = check_and_load(l, fd, kept, &why);
	close(fd);
	return plugin ? plugin : refuse(error, path, why);
}

/* --- The shelf ----------------------------------------------------------- */

const struct weir_plugin *loader_find(struct loader *l, enum weir_kind kind,
				      weir_str type, struct weir_error *error)
{
	struct shelf_file *file = shelf_find(&l->shelf, kind, type);

	if (!file) {
		shelf_not_found(&l->shelf, kind, type, error);
		return NULL;
	}
	if (file->refused)
		return refuse(error, file->pub.path, file->refused);
	if (!file->pub.plugin)
		file->pub.plugin = loader_open(l, file->pub.path, error);
	return file->pub.plugin;
}

const struct plugin_file *loader_list(struct loader *l, size_t *n)
{
	return shelf_list(&l->shelf, n);
}

/* --- Life ---------------------------------------------------------------- */

struct loader *loader_new(const char *dirs)
{
	struct loader *l = xcalloc(1, sizeof(*l));

	l->shelf.dirs = xstrdup(dirs ? dirs : "");
	return l;
}

void loader_free(struct loader **loader)
{
	struct loader *l = *loader;

	*loader = NULL;
	if (!l)
		return;
	shelf_release(&l->shelf);
	free(l);
}

char *loader_default_dirs(const char *flag)
{
	const char *listed = flag && *flag ? flag : getenv("WEIR_PLUGIN_PATH");
	char program[4096];
	ssize_t len;
	struct buf dirs = { 0 };
	char *slash;

	if (listed && *listed)
		return xstrdup(listed);
	len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	program[len < 0 ? 0 : len] = 0;
	slash = strrchr(program, '/');
	if (slash)
		buf_addf(&dirs, "%.*s/plugins:%.*s/../lib/weir/plugins:",
			 (int)(slash - program), program,
			 (int)(slash - program), program);
	buf_addf(&dirs, "%s/lib/weir/plugins", WEIR_PREFIX);
	buf_add(&dirs, "", 1);
	return (char *)dirs.ptr;
}
