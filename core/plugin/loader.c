/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader.c: plugin files, from a folder to a checked descriptor.
 *
 * Reads the notes of all files in the plugin directories on the first
 * question.  Opens a plugin when it is first wanted: the path is resolved
 * once, its owners and modes are checked, the note must fit, every weir_
 * symbol it wants must exist; only then dlopen, which runs its constructors.
 * The file stays open across that and must be the same before and after.
 * Plugins are never closed: batches, logs and timers may point into them.
 * One thread only.
 */
#include "loader.h"

#include "config/bind.h"
#include "elf_note.h"
#include "base/str.h"
#include "trust.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
	struct plugin_file pub;
	const char *stem;	/* file name without ".so" */
	const char *refused;	/* why its note is not good enough, or NULL */
	bool noted;
};

struct loader {
	struct arena arena;
	char *dirs;
	bool scanned;
	struct file *files;
	size_t n, cap;
	struct plugin_file *list;
	void *kit;
};

/* --- notes -------------------------------------------------------------------------- */

static const char *check_abi(struct arena *arena, const struct weir_abi *abi)
{
	if (abi->magic != WEIR_MAGIC)
		return arena_printf(arena, "wrong magic 0x%08x, wanted 0x%08x",
				    abi->magic, WEIR_MAGIC);
	if (abi->major != WEIR_ABI_MAJOR || abi->minor > WEIR_ABI_MINOR)
		return arena_printf(arena, "built for plugin ABI %u.%u, this "
				    "weir speaks %u.%u; rebuild it",
				    abi->major, abi->minor, WEIR_ABI_MAJOR,
				    WEIR_ABI_MINOR);
	if (abi->views != WEIR_VIEWS)
		return arena_printf(arena, "built for views of generation %u, "
				    "this weir has %u; rebuild it", abi->views,
				    WEIR_VIEWS);
	/* Older minors end earlier; the same minor has one size. */
	if (abi->size < sizeof(struct weir_abi) + 8 ||
	    abi->size > sizeof(struct weir_plugin) ||
	    (abi->minor == WEIR_ABI_MINOR &&
	     abi->size != sizeof(struct weir_plugin)))
		return arena_printf(arena, "its descriptor has %u bytes, "
				    "wanted %zu; rebuild it", abi->size,
				    sizeof(struct weir_plugin));
	return NULL;
}

static const char *check_note(struct arena *arena,
			      const struct weir_note *note)
{
	struct weir_abi abi = { note->magic, note->major, note->minor,
				note->size, note->views };
	const char *why = check_abi(arena, &abi);

	if (why)
		return why;
	if (note->kind >= WEIR_KIND_COUNT || !note->plugin_type[0])
		return "its note names no kind or type";
	return NULL;
}

static const char *read_note(struct arena *arena, int fd, struct elf *elf,
			     struct weir_note *note)
{
	const char *why;

	*note = (struct weir_note){ 0 };
	if (!elf_open(elf, fd, &why))
		return why;
	if (elf_weir_note(elf, note))
		return check_note(arena, note);
	return "no weir plugin: it has no ELF note \"Weir\"";
}

static int open_plugin(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

/* --- scanning ------------------------------------------------------------------------- */

static void note_file(struct loader *l, struct file *file)
{
	struct weir_note note;
	struct elf elf = { 0 };
	int fd = open(file->pub.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		file->refused = arena_printf(&l->arena, "%s", strerror(errno));
		return;
	}
	file->refused = read_note(&l->arena, fd, &elf, &note);
	file->noted = !file->refused;
	elf_close(&elf);
	close(fd);
	if (!file->noted)
		return;
	if ((enum weir_kind)note.kind != file->pub.kind ||
	    strcmp(note.plugin_type, file->stem))
		file->refused = arena_printf(&l->arena, "it is %s \"%s\" by "
			"its note, but by its folder and name %s \"%s\"",
			weir_kind_name((enum weir_kind)note.kind),
			note.plugin_type, weir_kind_name(file->pub.kind),
			file->stem);
	memcpy(file->pub.type, note.plugin_type, sizeof(file->pub.type));
	memcpy(file->pub.aliases, note.aliases, sizeof(file->pub.aliases));
}

static void add_file(struct loader *l, const char *dir, enum weir_kind kind,
		     const char *name)
{
	size_t len = strlen(name);
	struct file *file;

	if (len < 4 || *name == '.' || strcmp(name + len - 3, ".so"))
		return;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->files = xrealloc(l->files, l->cap * sizeof(*l->files));
	}
	file = &l->files[l->n++];
	*file = (struct file){ .pub.kind = kind };
	file->pub.path = arena_printf(&l->arena, "%s/%s", dir, name);
	file->stem = arena_printf(&l->arena, "%.*s", (int)len - 3, name);
	note_file(l, file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void scan_dir(struct loader *l, weir_str root, enum weir_kind kind)
{
	struct dirent **names;
	char *dir = arena_printf(&l->arena, "%.*s/%ss", WEIR_STR_FMT(root),
				 weir_kind_name(kind));
	int n = scandir(dir, &names, NULL, by_name);

	for (int i = 0; i < n; i++) {
		add_file(l, dir, kind, names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* Earlier directories come first, so they win. */
static void scan(struct loader *l)
{
	const char *p = l->dirs;

	if (l->scanned)
		return;
	l->scanned = true;
	while (*p) {
		size_t len = strcspn(p, ":");

		for (int kind = 0; len && kind < WEIR_KIND_COUNT; kind++)
			scan_dir(l, (weir_str){ p, len }, (enum weir_kind)kind);
		p += len + (p[len] == ':');
	}
}

/* --- symbols ---------------------------------------------------------------------------- */

/* In libweir.so: says where that lies. */
static const char anchor;

/* libweirkit.so lies beside libweir.so; opened when a plugin needs it. */
static void *open_kit(struct loader *l)
{
	Dl_info info;
	const char *slash;

	if (!l->kit && dladdr(&anchor, &info) && info.dli_fname &&
	    (slash = strrchr(info.dli_fname, '/')))
		l->kit = dlopen(arena_printf(&l->arena, "%.*s/libweirkit.so",
					     (int)(slash - info.dli_fname),
					     info.dli_fname),
				RTLD_LAZY | RTLD_LOCAL);
	return l->kit;
}

#define NEEDED_MAX 32

/* Opens what the plugin links; true when all of it was found by name.  These
 * are libraries of the system: dlopen of the plugin would open them too. */
static bool open_needed(struct loader *l, const struct elf *elf,
			void **handles, size_t *n)
{
	const char *name;
	size_t i = 0;
	bool all = true;

	while ((name = elf_needed(elf, &i))) {
		void *handle = strcmp(name, "libweirkit.so")
				       ? dlopen(name, RTLD_LAZY | RTLD_LOCAL)
				       : open_kit(l);

		if (handle && *n < NEEDED_MAX)
			handles[(*n)++] = handle;
		else
			all = false;
	}
	return all;
}

static bool provides(void *const *handles, size_t n, const char *symbol)
{
	if (dlsym(RTLD_DEFAULT, symbol))
		return true;
	for (size_t i = 0; i < n; i++)
		if (dlsym(handles[i], symbol))
			return true;
	return false;
}

/* The first symbol that nobody has; NULL when there is none.  Where a library
 * was not found by its name (it lies beside the plugin), only weir_ symbols
 * can be judged. */
static const char *missing_symbol(struct loader *l, const struct elf *elf)
{
	void *handles[NEEDED_MAX];
	size_t n = 0, i = 0;
	bool all = open_needed(l, elf, handles, &n);
	const char *symbol;

	while ((symbol = elf_undefined(elf, &i)))
		if (!provides(handles, n, symbol) &&
		    (all || !strncmp(symbol, "weir_", 5)))
			return symbol;
	return NULL;
}

/* --- opening ------------------------------------------------------------------------------ */

/* An older minor's descriptor is shorter than ours: what it lacks is zero. */
static const struct weir_plugin *full_size(struct loader *l,
					   const struct weir_plugin *found)
{
	struct weir_plugin *copy;

	if (found->abi.size == sizeof(*found))
		return found;
	copy = arena_alloc(&l->arena, sizeof(*copy));
	memcpy(copy, found, found->abi.size);
	return copy;
}

static const char *check_descriptor(struct loader *l,
				    const struct weir_plugin *plugin,
				    const struct weir_note *note)
{
	const char *why = check_abi(&l->arena, &plugin->abi);

	if (why)
		return why;
	if (plugin->abi.size != note->size || plugin->kind != note->kind ||
	    !plugin->type || strcmp(plugin->type, note->plugin_type))
		return "its descriptor and its ELF note disagree";
	if (plugin->size < sizeof(struct weir_component))
		return "its struct is smaller than its base";
	if (plugin->placement != WEIR_PER_WORKER &&
	    (plugin->visit || plugin->enter || plugin->admit))
		return "a stage or an admission lives on every worker; it "
		       "cannot be placed otherwise";
	if (plugin->placement == WEIR_BY_TRACE &&
	    (plugin->kind != WEIR_PROCESSOR ||
	     plugin->signals != WEIR_TRACES))
		return "only a processor of traces can be placed by trace";
	return NULL;
}

static const struct weir_plugin *load(struct loader *l, const char *path,
				      const struct weir_note *note,
				      const char **why)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct weir_plugin *plugin;

	if (!handle) {
		*why = arena_printf(&l->arena, "%s", dlerror());
		return NULL;
	}
	plugin = dlsym(handle, "weir_plugin");
	*why = plugin ? check_descriptor(l, plugin, note)
		      : "it exports no symbol weir_plugin";
	if (!*why)
		return full_size(l, plugin);
	dlclose(handle);
	return NULL;
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
	struct elf elf = { 0 };
	struct stat before;
	const char *symbol;

	*why = "cannot be read";
	if (fstat(fd, &before))
		return NULL;
	*why = "not a regular file";
	if (!S_ISREG(before.st_mode))
		return NULL;
	*why = read_note(&l->arena, fd, &elf, &note);
	symbol = *why ? NULL : missing_symbol(l, &elf);
	if (symbol)
		*why = arena_printf(&l->arena, "undefined symbol %s: neither "
				    "this weir nor what the plugin links has "
				    "it", symbol);
	elf_close(&elf);
	if (*why)
		return NULL;
	plugin = load(l, path, &note, why);
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
	kept = arena_printf(&l->arena, "%s", real);
	free(real);
	if (!trust_path(&l->arena, kept, &why))
		return refuse(error, path, why);
	fd = open_plugin(kept);
	if (fd < 0)
		return refuse(error, path, strerror(errno));
	plugin = check_and_load(l, fd, kept, &why);
	close(fd);
	return plugin ? plugin : refuse(error, path, why);
}

/* --- finding -------------------------------------------------------------------------------- */

static bool is_called(const struct file *file, weir_str type)
{
	const char *list = file->pub.aliases;
	weir_str word;

	if (!type.len)
		return false;
	/* One that is refused answers to its file's name too. */
	if (file->refused && weir_str_eq(weir_str_of(file->stem), type))
		return true;
	if (weir_str_eq(weir_str_of(file->pub.type), type))
		return true;
	while (bind_word(&list, &word))
		if (weir_str_eq(word, type))
			return true;
	return false;
}

static int not_found(struct loader *l, enum weir_kind kind, weir_str type,
		     struct weir_error *error)
{
	struct nearest nearest = { .written = type };
	struct buf valid = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		const struct file *file = &l->files[i];

		if (!file->noted || file->refused || file->pub.kind != kind)
			continue;
		nearest_offer(&nearest, weir_str_of(file->pub.type));
		buf_addf(&valid, "%s%s", valid.len ? " " : "",
			 file->pub.type);
	}
	weir_fail(error, "", "unknown type: \"%.*s\"%s (valid values: [%.*s])",
		  WEIR_STR_FMT(type), nearest_hint(&nearest, &l->arena),
		  (int)(valid.len < 300 ? valid.len : 300),
		  (const char *)valid.ptr);
	buf_release(&valid);
	return -1;
}

const struct weir_plugin *loader_find(struct loader *l, enum weir_kind kind,
				      weir_str type, struct weir_error *error)
{
	scan(l);
	for (size_t i = 0; i < l->n; i++) {
		struct file *file = &l->files[i];

		if (file->pub.kind != kind || !is_called(file, type))
			continue;
		if (file->refused)
			return refuse(error, file->pub.path, file->refused);
		if (!file->pub.plugin)
			file->pub.plugin = loader_open(l, file->pub.path,
						       error);
		return file->pub.plugin;
	}
	not_found(l, kind, type, error);
	return NULL;
}

static int by_kind_and_type(const void *a, const void *b)
{
	const struct plugin_file *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->type, y->type);
}

const struct plugin_file *loader_list(struct loader *l, size_t *n)
{
	scan(l);
	*n = 0;
	l->list = xrealloc(l->list, (l->n + 1) * sizeof(*l->list));
	for (size_t i = 0; i < l->n; i++)
		if (l->files[i].noted && !l->files[i].refused)
			l->list[(*n)++] = l->files[i].pub;
	qsort(l->list, *n, sizeof(*l->list), by_kind_and_type);
	return l->list;
}

/* --- life ------------------------------------------------------------------------------------- */

struct loader *loader_new(const char *dirs)
{
	struct loader *l = xcalloc(1, sizeof(*l));

	l->dirs = xstrdup(dirs ? dirs : "");
	return l;
}

void loader_free(struct loader **loader)
{
	struct loader *l = *loader;

	*loader = NULL;
	if (!l)
		return;
	free(l->dirs);
	free(l->files);
	free(l->list);
	arena_release(&l->arena);
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
