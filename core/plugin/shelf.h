/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shelf.h: the files in the plugin directories, and what their notes say.
 */
#ifndef CORE_SHELF_H
#define CORE_SHELF_H

#include "base/str.h"
#include "loader.h"

struct shelf_file {
	struct plugin_file pub;
	const char *stem;	/* file name without ".so" */
	const char *refused;	/* why its note is not good enough, or NULL */
	bool noted;
};

struct shelf {
	char *dirs;		/* owned; colon-separated, earlier ones win */
	struct arena arena;
	bool scanned;
	struct shelf_file *files;
	size_t n, cap;
	struct plugin_file *list;
};

/* The file of that kind whose type or alias is `type`, also one that is
 * refused; NULL.  Valid until the shelf is released, as the list. */
struct shelf_file *shelf_find(struct shelf *shelf, enum weir_kind kind,
			      weir_str type);
/* Says which there are, and the nearest.  -1. */
int shelf_not_found(struct shelf *shelf, enum weir_kind kind, weir_str type,
		    struct weir_error *error);
/* Those that can be opened, sorted by kind and type. */
const struct plugin_file *shelf_list(struct shelf *shelf, size_t *n);
void shelf_release(struct shelf *shelf);

#endif
