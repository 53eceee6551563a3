/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h: one row per configuration key.
 *
 * A row names the member, its default and a sentence.  The type comes from
 * the member itself, so table and struct cannot disagree.  Core fills the
 * members in the component's struct from YAML before any callback runs; from
 * the same rows come defaults, errors with file, line and column, `weir
 * describe`, the JSON Schema and the README table.
 *
 * Storage: strings, lists and nodes live in the plan's arena, as long as the
 * component does, and are const to it.
 */
#ifndef WEIR_CONFIG_H
#define WEIR_CONFIG_H

#include <weir/base.h>
#include <weir/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_node;	/* a node of the configuration tree: see below */

struct weir_strs {		/* list of strings */
	const weir_str *items;
	size_t len;
};

struct weir_pair {		/* a header: the value is never shown */
	weir_str name;
	weir_secret value;
};

struct weir_pairs {		/* map of strings, sorted by name */
	const struct weir_pair *items;
	size_t len;
};

struct weir_list {		/* list of blocks: items point to structs */
	const void *items;
	size_t len;
};

enum weir_field_type {
	WEIR_TYPE_BOOL,		/* bool */
	WEIR_TYPE_INT,		/* int64_t */
	WEIR_TYPE_UINT32,	/* uint32_t */
	WEIR_TYPE_UINT64,	/* uint64_t */
	WEIR_TYPE_DOUBLE,	/* double */
	WEIR_TYPE_STR,		/* weir_str */
	WEIR_TYPE_SECRET,	/* weir_secret */
	WEIR_TYPE_DURATION,	/* weir_duration */
	WEIR_TYPE_SIZE,		/* weir_size: 4MB, 512KiB, or an int of bytes */
	WEIR_TYPE_STRS,		/* struct weir_strs */
	WEIR_TYPE_PAIRS,	/* struct weir_pairs */
	WEIR_TYPE_NODE,		/* const struct weir_node *: any YAML value */
	WEIR_TYPE_BLOCK,	/* a nested struct, `sub` describes it */
	WEIR_TYPE_LIST		/* struct weir_list of nested structs */
};

enum weir_field_flag {
	/* How a block behaves that has an `enabled` member (collector.md 1.3) */
	WEIR_BLOCK_DEFAULT = 1 << 0,	/* absent: off; null or {}: on */
	WEIR_BLOCK_ON = 1 << 1,		/* on unless `enabled: false` */
	WEIR_BLOCK_NONE = 1 << 2,	/* absent or null: off; {}: on */
	WEIR_OURS = 1 << 3,		/* a key the Collector does not have */
	WEIR_IGNORED = 1 << 4,		/* accepted, without effect: no member */
	WEIR_REQUIRED = 1 << 5,		/* must be given and not empty */
	/* A block that is on when it is there, also as null: it has no key
	 * `enabled` in the file, only the member. */
	WEIR_BLOCK_PRESENT = 1 << 6
};

struct weir_field {
	const char *key;		/* NULL ends the table */
	uint32_t type;			/* enum weir_field_type */
	uint32_t flags;			/* enum weir_field_flag */
	size_t offset;			/* of the member */
	const char *preset;		/* default, as YAML text; NULL: zero */
	const char *help;		/* one sentence */
	const struct weir_field *sub;	/* BLOCK, LIST: rows of the nested struct */
	size_t size;			/* LIST: size of one element */
	size_t enabled_offset;		/* BLOCK with a flavour: of its `enabled` */
	const char *choices;		/* STR: "a b c", any other value refused */
};

#define WEIR_TYPE_OF(member)						\
	_Generic((member),						\
		bool: WEIR_TYPE_BOOL, int64_t: WEIR_TYPE_INT,		\
		uint32_t: WEIR_TYPE_UINT32, uint64_t: WEIR_TYPE_UINT64,	\
		double: WEIR_TYPE_DOUBLE, weir_str: WEIR_TYPE_STR,	\
		weir_secret: WEIR_TYPE_SECRET,				\
		weir_duration: WEIR_TYPE_DURATION,			\
		weir_size: WEIR_TYPE_SIZE,				\
		struct weir_strs: WEIR_TYPE_STRS,			\
		struct weir_pairs: WEIR_TYPE_PAIRS,			\
		const struct weir_node *: WEIR_TYPE_NODE)

/* The key is called like the member. */
#define WEIR_FIELD(S, member, preset_, help_, ...)			\
	{ .key = #member, .type = WEIR_TYPE_OF(((S *)0)->member),	\
	  .offset = offsetof(S, member), .preset = preset_,		\
	  .help = help_, __VA_ARGS__ }
/* The key has a name of its own. */
#define WEIR_FIELD_AS(S, key_, member, preset_, help_, ...)		\
	{ .key = key_, .type = WEIR_TYPE_OF(((S *)0)->member),		\
	  .offset = offsetof(S, member), .preset = preset_,		\
	  .help = help_, __VA_ARGS__ }
/* A nested struct that is always there. */
#define WEIR_BLOCK(S, member, rows, help_, ...)				\
	{ .key = #member, .type = WEIR_TYPE_BLOCK,			\
	  .offset = offsetof(S, member), .sub = rows, .help = help_,	\
	  __VA_ARGS__ }
/* A nested struct with a `bool enabled`, and a flavour that says when. */
#define WEIR_OPTIONAL(S, member, rows, flavour, help_, ...)		\
	{ .key = #member, .type = WEIR_TYPE_BLOCK, .flags = flavour,	\
	  .offset = offsetof(S, member), .sub = rows, .help = help_,	\
	  .enabled_offset = offsetof(S, member.enabled), __VA_ARGS__ }
/* A list of nested structs; member is a struct weir_list. */
#define WEIR_LIST(S, member, E, rows, help_, ...)			\
	{ .key = #member, .type = WEIR_TYPE_LIST,			\
	  .offset = offsetof(S, member), .sub = rows,			\
	  .size = sizeof(E), .help = help_, __VA_ARGS__ }
/* Rows of another table at the same level (the Collector "squashes" these);
 * member is the nested struct that they fill. */
#define WEIR_INCLUDE(S, member, rows)					\
	{ .key = "", .type = WEIR_TYPE_BLOCK,				\
	  .offset = offsetof(S, member), .sub = rows }
/* A key that is accepted and has no meaning here. */
#define WEIR_FIELD_IGNORED(key_, help_)					\
	{ .key = key_, .flags = WEIR_IGNORED, .help = help_ }
#define WEIR_END { .key = NULL }

/* --- Any YAML value (WEIR_TYPE_NODE).  Pure, any thread. --- */

enum weir_node_kind {
	WEIR_NODE_NULL, WEIR_NODE_BOOL, WEIR_NODE_INT, WEIR_NODE_DOUBLE,
	WEIR_NODE_STR, WEIR_NODE_LIST, WEIR_NODE_MAP
};

/* A NULL node reads as WEIR_NODE_NULL. */
WEIR_API enum weir_node_kind weir_node_kind(const struct weir_node *node);
WEIR_API bool weir_node_bool(const struct weir_node *node);
WEIR_API int64_t weir_node_int(const struct weir_node *node);
WEIR_API double weir_node_double(const struct weir_node *node);
/* The text as it was written, for every scalar. */
WEIR_API weir_str weir_node_text(const struct weir_node *node);
/* Elements of a list, or entries of a map. */
WEIR_API size_t weir_node_len(const struct weir_node *node);
/* The i-th element, or the value of the i-th entry; NULL past the end. */
WEIR_API const struct weir_node *weir_node_at(const struct weir_node *node,
					      size_t i);
/* The key of the i-th entry of a map. */
WEIR_API weir_str weir_node_key(const struct weir_node *node, size_t i);
/* The value of an entry by name; NULL when absent. */
WEIR_API const struct weir_node *weir_node_get(const struct weir_node *node,
					       weir_str key);

#ifdef __cplusplus
}
#endif
#endif
