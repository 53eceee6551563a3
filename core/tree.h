/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.h: YAML text to a tree whose every node remembers line and column.
 */
#ifndef CORE_TREE_H
#define CORE_TREE_H

#include <weir/config.h>

#include "str.h"

struct weir_node {
	enum weir_node_kind kind;
	uint32_t line, column;		/* from 1 */
	weir_str text;			/* scalars: as written, unquoted */
	bool quoted;			/* a scalar in quotes is a string */
	union {
		bool boolean;
		int64_t integer;
		double real;
	};
	size_t n;			/* LIST, MAP */
	struct weir_node **items;	/* LIST: elements; MAP: values */
	struct weir_node **keys;	/* MAP: scalar nodes */
	const char *file;
};

/* Parses one document.  Limits: 1 MiB, depth 64, 100,000 nodes counted over
 * all alias expansions.  Anchors and merge keys work; duplicate keys are
 * refused.  ${NAME}, ${env:NAME} and ${env:NAME:-default} are expanded in
 * values (collector.md 1.5).  The tree lives in arena.  NULL and an error with
 * file, line and column. */
struct weir_node *tree_parse(struct arena *arena, const char *file,
			     weir_str text, struct weir_error *error);
struct weir_node *tree_read(struct arena *arena, const char *file,
			    struct weir_error *error);
/* The node that a path like "protocols.grpc.endpoint" or "actions[2].key"
 * names, or the nearest one above it that exists. */
const struct weir_node *tree_at(const struct weir_node *root, const char *path);

#endif
