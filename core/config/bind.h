/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind.h: a tree to a plugin's struct, by its table of rows.  All errors of
 * configuration keys are born here.
 */
#ifndef CORE_BIND_H
#define CORE_BIND_H

#include <weir/config.h>

#include "base/str.h"
#include "base/words.h"
#include "tree.h"

/* Fills *target (zeroed before by the caller) with defaults and what node (may
 * be NULL) says.  path: "exporters.otlp/2", the front of every error's path.
 * -1 and the first error: file, line, column, path, sentence, nearest key. */
int bind_fields(struct arena *arena, const struct weir_field *fields,
		void *target, const struct weir_node *node, const char *path,
		struct weir_error *error);

/* Go's duration text ("1.5s", "-3ms", "0"); false when it is none. */
bool bind_duration(weir_str text, weir_duration *out);
/* "4MB", "512KiB", "4096"; false when it is none. */
bool bind_size(weir_str text, weir_size *out);

/* One value of one row, for bind.c: scalars and lists of them.  target: the
 * member.  path: of the value. */
int bind_value(struct arena *arena, const struct weir_field *field,
	       void *target, const struct weir_node *node, const char *path,
	       struct weir_error *error);
/* Is the member a text, a list or a map, and an empty one? */
bool bind_holds_nothing(const struct weir_field *row, const void *member);
/* "string", "duration", "list of strings"...: what people call the row's
 * type. */
const char *bind_type_name(const struct weir_field *field);

#endif
