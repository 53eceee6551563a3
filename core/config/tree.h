/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.h: YAML text to a tree whose every node remembers line and column.
 */
#ifndef CORE_TREE_H
#define CORE_TREE_H

#include <weir/config.h>

#include "base/str.h"

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
	bool timestamp;			/* STR, plain: the Collector has a time */
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

/* Where URIs find their text.  The process's environment and files, but for a
 * test that has its own. */
struct tree_world {
	/* A variable's value; NULL when it is not set. */
	const char *(*variable)(const char *name);
	/* A file's content, at most TREE_MAX_BYTES; -1 and a sentence. */
	int (*file)(struct arena *arena, const char *path, weir_str *text,
		    struct weir_error *error);
};

struct tree_source {
	const char *text;	/* a URI, as of --config; or k=v */
	bool set;		/* k=v, as of --set */
};

struct tree_request {
	const struct tree_source *sources;
	size_t n;
	bool append;		/* gate confmap.enableMergeAppendOption */
	const struct tree_world *world;	/* NULL: the process's */
};

/* The effective tree of all sources: --config in the order given, then --set;
 * maps are merged key by key, a later value replaces an earlier one, `::` in a
 * key nests, then references are expanded (collector.md 1.5).  Every node
 * knows the file (or "env:NAME", "--set #1"), line and column that it came
 * from.  The tree lives in arena.  Limits: 1 MiB a text, depth 64, 100,000
 * nodes counted over all aliases.  NULL and an error with its place. */
struct weir_node *tree_load(struct arena *arena,
			    const struct tree_request *request,
			    struct weir_error *error);
/* The same for one text that is at hand; file names it in errors. */
struct weir_node *tree_parse(struct arena *arena, const char *file,
			     weir_str text, struct weir_error *error);
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

/* --- between the files that make a tree:
 *
 *	tree.c         YAML events to nodes
 *	tree_scalar.c  what a plain scalar means
 *	tree_merge.c   the keys of one map, and its `<<`
 *	tree_source.c  URIs to text, sources to one tree
 *	tree_join.c    `::` in keys; several trees over each other
 *	tree_expand.c  ${references}
 */

/* One document, nothing merged and nothing expanded: presets, and values of
 * references.  *limit (may be NULL): it is YAML, but too much of it. */
struct weir_node *tree_parse_raw(struct arena *arena, const char *file,
				 weir_str text, struct weir_error *error);
struct weir_node *tree_parse_limited(struct arena *arena, const char *file,
				     weir_str text, bool *limit,
				     struct weir_error *error);
/* Sets kind and value of a scalar from its text, as Go's yaml.v3 resolves
 * plain ones. */
void tree_resolve(struct weir_node *node);
/* The same for one that may have a tag (else NULL); why not, or NULL. */
const char *tree_resolve_tagged(struct arena *arena, struct weir_node *node,
				const char *tag);
/* Refuses a key that comes twice in a map, and applies its `<<`. */
int tree_merge(struct arena *arena, struct weir_node *map,
	       struct weir_error *error);
/* Expands all references below node. */
int tree_expand(struct arena *arena, struct weir_node *root,
		const struct tree_world *world, struct weir_error *error);

/* What a URI stands for. */
struct tree_text {
	weir_str text;
	const char *file;	/* file: its path; else NULL */
	bool literal;		/* a text, also when YAML sees null in it */
};
/* scheme:rest, scheme one of file, env, yaml.  The error has no line yet, and
 * no file unless that is what could not be read. */
int tree_retrieve(struct arena *arena, const struct tree_world *world,
		  weir_str uri, struct tree_text *out,
		  struct weir_error *error);
extern const struct tree_world tree_process;

/* Splits keys at `::` below root, down to the first list on each way. */
int tree_nest(struct arena *arena, struct weir_node *root,
	      struct weir_error *error);
/* n maps over each other, the later one wins; append: lists of ids of
 * extensions, receivers and exporters are joined instead of replaced. */
struct weir_node *tree_join(struct arena *arena, struct weir_node *const *maps,
			    size_t n, bool append, struct weir_error *error);

#endif
