/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind.h: a tree to a plugin's struct, by its table of rows.  All errors of
 * configuration keys are born here.
 */
#ifndef CORE_BIND_H
#define CORE_BIND_H

#include <weir/config.h>

#include "str.h"
#include "tree.h"

/* Fills *target (zeroed before by the caller) with defaults and what node (may
 * be NULL) says.  path: "exporters.otlp/2", the front of every error's path.
 * -1 and the first error: file, line, column, path, sentence, nearest key. */
int bind_fields(struct arena *arena, const struct weir_field *fields,
		void *target, const struct weir_node *node, const char *path,
		struct weir_error *error);

/* Go's duration text ("1.5s", "-3ms", "0"); false when it is none. */
bool bind_duration(weir_str text, weir_duration *out);

#endif
