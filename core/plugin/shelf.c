/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shelf.c: the files in the plugin directories, and what their notes say.
 *
 * Read once, on the first question, and kept.  Must never run code of a file,
 * nor map one: there may be forty, of which five are wanted.
 */
#include "shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/words.h"
#include "elf_note.h"
#include "handshake.h"

/* --- Notes --------------------------------------------------------------- */

static void note_file(struct shelf *s, struct shelf_file *file)
{
	struct weir_note note;
	int fd = open(file->pub.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		file->refused = arena_printf(&s->arena, "%s", strerror(errno));
		return;
	}
	file->refused = elf_read_note(fd, &note);
	if (!file->refused)
		file->refused = handshake_note(&s->arena, &note);
	file->noted = !file->refused;
	close(fd);
	if (!file->noted)
		return;
	if ((enum weir_kind)note.kind != file->pub.kind ||
	    strcmp(note.plugin_type, file->stem))
		file->refused = arena_printf(&s->arena, "it is %s \"%s\" by "
			"its note, but by its folder and name %s \"%s\"",
			weir_kind_name((enum weir_kind)note.kind),
			note.plugin_type, weir_kind_name(file->pub.kind),
			file->stem);
	memcpy(file->pub.type, note.plugin_type, sizeof(file->pub.type));
	memcpy(file->pub.aliases, note.aliases, sizeof(file->pub.aliases));
}

/* --- Scanning ------------------------------------------------------------ */

static void add_file(struct shelf *s, const char *dir, enum weir_kind kind,
		     const char *name)
{
	size_t len = strlen(name);
	struct shelf_file *file;

	if (len < 4 || *name == '.' || strcmp(name + len - 3, ".so"))
		return;
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 16;
		s->files = xrealloc(s->files, s->cap * sizeof(*s->files));
	}
	file = &s->files[s->n++];
	*file = (struct shelf_file){ .pub.kind = kind };
	file->pub.path = arena_printf(&s->arena, "%s/%s", dir, name);
	file->stem = arena_printf(&s->arena, "%.*s", (int)len - 3, name);
	note_file(s, file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void scan_dir(struct shelf *s, weir_str root, enum weir_kind kind)
{
	struct dirent **names;
	char *dir = arena_printf(&s->arena, "%.*s/%ss", WEIR_STR_FMT(root),
				 weir_kind_name(kind));
	int n = scandir(dir, &names, NULL, by_name);

	for (int i = 0; i < n; i++) {
		add_file(s, dir, kind, names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* Earlier directories come first, so they win. */
static void scan(struct shelf *s)
{
	const char *p = s->dirs;

	if (s->scanned)
		return;
	s->scanned = true;
	while (*p) {
		size_t len = strcspn(p, ":");

		for (int kind = 0; len && kind < WEIR_KIND_COUNT; kind++)
			scan_dir(s, (weir_str){ p, len }, (enum weir_kind)kind);
		p += len + (p[len] == ':');
	}
}

/* --- Finding ------------------------------------------------------------- */

static bool is_called(const struct shelf_file *file, weir_str type)
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
	while (word_next(&list, &word))
		if (weir_str_eq(word, type))
			return true;
	return false;
}

struct shelf_file *shelf_find(struct shelf *s, enum weir_kind kind,
			      weir_str type)
{
	scan(s);
	for (size_t i = 0; i < s->n; i++)
		if (s->files[i].pub.kind == kind &&
		    is_called(&s->files[i], type))
			return &s->files[i];
	return NULL;
}

int shelf_not_found(struct shelf *s, enum weir_kind kind, weir_str type,
		    struct weir_error *error)
{
	struct nearest nearest = { .written = type };
	struct buf valid = { 0 };

	for (size_t i = 0; i < s->n; i++) {
		const struct shelf_file *file = &s->files[i];

		if (!file->noted || file->refused || file->pub.kind != kind)
			continue;
		nearest_offer(&nearest, weir_str_of(file->pub.type));
		buf_addf(&valid, "%s%s", valid.len ? " " : "",
			 file->pub.type);
	}
	weir_fail(error, "", "unknown type: \"%.*s\"%s (valid values: [%.*s])",
		  WEIR_STR_FMT(type), nearest_hint(&nearest, &s->arena),
		  (int)(valid.len < 300 ? valid.len : 300),
		  (const char *)valid.ptr);
	buf_release(&valid);
	return -1;
}

static int by_kind_and_type(const void *a, const void *b)
{
	const struct plugin_file *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->type, y->type);
}

const struct plugin_file *shelf_list(struct shelf *s, size_t *n)
{
	scan(s);
	*n = 0;
	s->list = xrealloc(s->list, (s->n + 1) * sizeof(*s->list));
	for (size_t i = 0; i < s->n; i++)
		if (s->files[i].noted && !s->files[i].refused)
			s->list[(*n)++] = s->files[i].pub;
	qsort(s->list, *n, sizeof(*s->list), by_kind_and_type);
	return s->list;
}

void shelf_release(struct shelf *s)
{
	free(s->dirs);
	free(s->files);
	free(s->list);
	arena_release(&s->arena);
	*s = (struct shelf){ 0 };
}
