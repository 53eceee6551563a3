/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.h: YAML text to a tree whose every node remembers line and column.
 */
#ifndef CORE_TREE_H
#define CORE_TREE_H

#include <weir/config.h>

#include "str.h"

#define TREE_MAX_BYTES (1u << 20)
#define TREE_MAX_DEPTH 64
#define TREE_MAX_NODES 100000

struct weir_node {
	enum weir_node_kind kind;
	uint32_t line, column;		/* from 1 */
	weir_str text;			/* scalars: as written, unquoted */
	bool quoted;			/* a scalar in quotes is a string */
	bool expanded;			/* came whole from a ${reference}: text is
					 * its raw text, whatever the kind */
	bool big;			/* INT above 2^63: integer is its bits */
	bool settled;			/* references below are expanded */
	union {
		bool boolean;
		int64_t integer;
		double real;
	};
	uint32_t weight;		/* nodes below and itself, aliases paid */
	uint32_t height;		/* collections below and itself */
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

/* Puts "file:line:column" of node into the error and returns -1, so that one
 * may `return tree_error(error, node, path, ...)`. */
int tree_error(struct weir_error *error, const struct weir_node *node,
	       const char *path, const char *format, ...) WEIR_PRINTF(4, 5);
/* "map", "list", "string", "int", "float", "bool", "null". */
const char *tree_kind_name(const struct weir_node *node);
/* The same in a sentence: "an int". */
const char *tree_kind_phrase(const struct weir_node *node);

/* --- between tree.c, tree_scalar.c, tree_merge.c and tree_expand.c --- */

/* The same as tree_parse without expansion: presets, and values of
 * references. */
struct weir_node *tree_parse_raw(struct arena *arena, const char *file,
				 weir_str text, struct weir_error *error);
/* Sets kind and value of a scalar from its text, as Go's yaml.v3 resolves
 * plain ones. */
void tree_resolve(struct weir_node *node);
/* Refuses a key that comes twice in a map, and applies its `<<`. */
int tree_merge(struct arena *arena, struct weir_node *map,
	       struct weir_error *error);
/* Expands all references below node. */
int tree_expand(struct arena *arena, struct weir_node *root,
		struct weir_error *error);
/* Reads a regular file of at most TREE_MAX_BYTES; text lives in arena. */
int tree_slurp(struct arena *arena, const char *file, weir_str *text,
	       struct weir_error *error);

#endif
