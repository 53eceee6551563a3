/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader.h: plugins found by their ELF notes, opened after the ABI handshake.
 *
 * Notes are read from the files: no code of a plugin runs before its magic,
 * kind, type, ABI and architecture are known to be right, and every symbol it
 * needs from us exists.  What was checked is what is opened.
 */
#ifndef CORE_LOADER_H
#define CORE_LOADER_H

#include <weir/plugin.h>

struct loader;

/* What a file says of itself. */
struct plugin_file {
	char *path;
	enum weir_kind kind;
	char type[64];
	char aliases[176];
	const struct weir_plugin *plugin;	/* NULL until opened */
};

/* dirs: colon-separated plugin directories, searched in order; each holds
 * receivers/, processors/, exporters/, extensions/, connectors/. */
struct loader *loader_new(const char *dirs);
void loader_free(struct loader **loader);
/* The directories that apply: flag, then WEIR_PLUGIN_PATH, then plugins/
 * beside the program, then the installed folder.  Malloc'd. */
char *loader_default_dirs(const char *flag);

/* The plugin of that kind whose type or alias is `type`; opened on first use.
 * NULL and a sentence (path empty): none found, with the nearest type; or the
 * file is refused: "x.so: built for plugin ABI 2.1, this weir speaks 1.0". */
const struct weir_plugin *loader_find(struct loader *loader,
				      enum weir_kind kind, weir_str type,
				      struct weir_error *error);
/* Opens one file, wherever it is (tests, `weir plugin check`). */
const struct weir_plugin *loader_open(struct loader *loader, const char *path,
				      struct weir_error *error);
/* All files with a readable note, sorted by kind and type; for `weir
 * components`. */
const struct plugin_file *loader_list(struct loader *loader, size_t *n);

#endif
