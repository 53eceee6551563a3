/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.c: libyaml's events to a tree.
 *
 * libyaml has no limits of its own: depth is quadratic in its scanner, and a
 * few hundred bytes of aliases stand for 10^9 nodes.  So size, depth and a
 * budget of nodes over all alias expansions are kept here.  An alias is the
 * same node again, never a copy; its weight is paid each time it is used.
 * Holds nothing between calls.
 */
#include "tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#define ANCHORS_MAX 4096

struct anchor {
	weir_str name;
	struct weir_node *node;
	bool open;		/* its node is still being read */
};

struct reader {
	struct arena *arena;
	const char *file;
	struct weir_error *error;
	bool limit;		/* refused for its size, not for its form */
	yaml_parser_t yaml;
	yaml_event_t event;
	bool has_event;
	unsigned depth;
	uint32_t nodes;
	struct anchor *anchors;
	size_t n_anchors;
};

/* --- errors ----------------------------------------------------------------- */

static int fail_at(struct weir_error *error, const char *file, uint32_t line,
		   uint32_t column, const char *path, const char *text)
{
	weir_fail(error, path, "%s", text);
	snprintf(error->file, sizeof(error->file), "%s", file ? file : "");
	error->line = line;
	error->column = column;
	return -1;
}

int tree_error(struct weir_error *error, const struct weir_node *node,
	       const char *path, const char *format, ...)
{
	char text[sizeof(error->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return fail_at(error, node ? node->file : "", node ? node->line : 0,
		       node ? node->column : 0, path, text);
}

/* Refuses at the current event. */
static void *refuse(struct reader *r, const char *format, ...)
{
	char text[sizeof(r->error->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fail_at(r->error, r->file, (uint32_t)r->event.start_mark.line + 1,
		(uint32_t)r->event.start_mark.column + 1, "", text);
	return NULL;
}

const char *tree_kind_name(const struct weir_node *node)
{
	static const char *const names[] = { "null", "bool", "int", "float",
					     "string", "list", "map" };

	if (node->timestamp)
		return "timestamp";
	return names[weir_node_kind(node)];
}

const char *tree_kind_phrase(const struct weir_node *node)
{
	static const char *const phrases[] = { "null", "a bool", "an int",
		"a float", "a string", "a list", "a map" };

	return phrases[weir_node_kind(node)];
}

/* --- events to nodes ---------------------------------------------------------- */

static bool next_event(struct reader *r)
{
	const yaml_parser_t *y = &r->yaml;
	char text[256];

	if (r->has_event)
		yaml_event_delete(&r->event);
	r->has_event = yaml_parser_parse(&r->yaml, &r->event);
	if (r->has_event)
		return true;
	snprintf(text, sizeof(text), "%s%s%s",
		 y->problem ? y->problem : "not YAML",
		 y->context ? " " : "", y->context ? y->context : "");
	fail_at(r->error, r->file, (uint32_t)y->problem_mark.line + 1,
		(uint32_t)y->problem_mark.column + 1, "", text);
	return false;
}

static bool spend(struct reader *r, uint32_t nodes)
{
	if (nodes > TREE_MAX_NODES - r->nodes) {
		r->limit = true;
		refuse(r, "more than %d nodes, aliases counted each time",
		       TREE_MAX_NODES);
		return false;
	}
	r->nodes += nodes;
	return true;
}

static struct weir_node *new_node(struct reader *r, enum weir_node_kind kind)
{
	struct weir_node *node;

	if (!spend(r, 1))
		return NULL;
	node = arena_alloc(r->arena, sizeof(*node));
	node->kind = kind;
	node->file = r->file;
	node->line = (uint32_t)r->event.start_mark.line + 1;
	node->column = (uint32_t)r->event.start_mark.column + 1;
	node->weight = 1;
	return node;
}

static struct anchor *find_anchor(struct reader *r, const yaml_char_t *name)
{
	weir_str text = weir_str_of((const char *)name);

	for (size_t i = r->n_anchors; i-- > 0; )
		if (weir_str_eq(r->anchors[i].name, text))
			return &r->anchors[i];
	return NULL;
}

/* Remembers an anchor before its node is read, so that an alias inside it can
 * be told apart from an unknown one. */
static bool open_anchor(struct reader *r, const yaml_char_t *name,
			struct weir_node *node)
{
	struct anchor *anchor;

	if (!name)
		return true;
	if (r->n_anchors == ANCHORS_MAX) {
		refuse(r, "more than %d anchors", ANCHORS_MAX);
		return false;
	}
	if (!r->anchors)
		r->anchors = xcalloc(ANCHORS_MAX, sizeof(*r->anchors));
	anchor = &r->anchors[r->n_anchors++];
	anchor->name = arena_str(r->arena, weir_str_of((const char *)name));
	anchor->node = node;
	anchor->open = true;
	return true;
}

static void close_anchor(struct reader *r, const struct weir_node *node)
{
	for (size_t i = r->n_anchors; i-- > 0; )
		if (r->anchors[i].node == node)
			r->anchors[i].open = false;
}

static void *too_deep(struct reader *r)
{
	r->limit = true;
	return refuse(r, "nested deeper than %d", TREE_MAX_DEPTH);
}

static struct weir_node *read_alias(struct reader *r)
{
	const yaml_char_t *name = r->event.data.alias.anchor;
	struct anchor *anchor = find_anchor(r, name);

	if (!anchor)
		return refuse(r, "unknown anchor \"%s\"", (const char *)name);
	if (anchor->open)
		return refuse(r, "anchor \"%s\" contains itself",
			      (const char *)name);
	if (anchor->node->height > TREE_MAX_DEPTH - r->depth)
		return too_deep(r);
	if (!spend(r, anchor->node->weight))
		return NULL;
	return anchor->node;
}

static struct weir_node *read_scalar(struct reader *r)
{
	const char *tag = (const char *)r->event.data.scalar.tag, *why;
	struct weir_node *node = new_node(r, WEIR_NODE_STR);

	if (!node || !open_anchor(r, r->event.data.scalar.anchor, node))
		return NULL;
	node->quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = arena_str(r->arena, (weir_str){
		(const char *)r->event.data.scalar.value,
		r->event.data.scalar.length });
	why = tree_resolve_tagged(r->arena, node, tag);
	if (why)
		return refuse(r, "%s", why);
	close_anchor(r, node);
	return node;
}

static struct weir_node *read_node(struct reader *r);

struct children {
	struct weir_node **v;
	size_t n, cap;
};

static void add_child(struct children *children, struct weir_node *node)
{
	if (children->n == children->cap) {
		children->cap = children->cap ? children->cap * 2 : 8;
		children->v = xrealloc(children->v,
				       children->cap * sizeof(*children->v));
	}
	children->v[children->n++] = node;
}

/* Moves into the arena: every step-th child from the first-th on. */
static struct weir_node **settle(struct reader *r, const struct children *all,
				 size_t first, size_t step)
{
	size_t n = all->n / step;
	struct weir_node **v = arena_alloc(r->arena, n * sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = all->v[i * step + first];
	return v;
}

/* --- collections ------------------------------------------------------------------ */

static bool fill(struct reader *r, struct weir_node *node,
		 yaml_event_type_t end, struct children *all)
{
	while (next_event(r)) {
		struct weir_node *child;

		if (r->event.type == end)
			return true;
		child = read_node(r);
		if (!child)
			return false;
		if (node->kind == WEIR_NODE_MAP && all->n % 2 == 0 &&
		    child->kind >= WEIR_NODE_LIST) {
			tree_error(r->error, child, "",
				   "a key must be a scalar, not a %s",
				   tree_kind_name(child));
			return false;
		}
		add_child(all, child);
		node->weight += child->weight;
		if (node->height <= child->height)
			node->height = child->height + 1;
	}
	return false;
}

static struct weir_node *read_collection(struct reader *r,
					 enum weir_node_kind kind)
{
	bool map = kind == WEIR_NODE_MAP;
	const yaml_char_t *anchor = map ? r->event.data.mapping_start.anchor
				    : r->event.data.sequence_start.anchor;
	struct weir_node *node = new_node(r, kind);
	struct children all = { 0 };
	bool good;

	if (!node || !open_anchor(r, anchor, node))
		return NULL;
	if (r->depth == TREE_MAX_DEPTH)
		return too_deep(r);
	r->depth++;
	node->height = 1;
	good = fill(r, node, map ? YAML_MAPPING_END_EVENT
			     : YAML_SEQUENCE_END_EVENT, &all);
	r->depth--;
	if (good) {
		node->n = all.n / (map ? 2 : 1);
		if (map)
			node->keys = settle(r, &all, 0, 2);
		node->items = settle(r, &all, map, map ? 2 : 1);
	}
	free(all.v);
	if (good && map)
		good = !tree_merge(r->arena, node, r->error);
	close_anchor(r, node);
	return good ? node : NULL;
}

/* The node that begins with the current event. */
static struct weir_node *read_node(struct reader *r)
{
	switch (r->event.type) {
	case YAML_ALIAS_EVENT:
		return read_alias(r);
	case YAML_SCALAR_EVENT:
		return read_scalar(r);
	case YAML_SEQUENCE_START_EVENT:
		return read_collection(r, WEIR_NODE_LIST);
	case YAML_MAPPING_START_EVENT:
		return read_collection(r, WEIR_NODE_MAP);
	default:
		return refuse(r, "unexpected end");
	}
}

/* --- documents ---------------------------------------------------------------------- */

/* The first document; further ones are not looked at, as in the Collector. */
static struct weir_node *read_document(struct reader *r)
{
	struct weir_node *root;

	if (!next_event(r) || !next_event(r))	/* STREAM-START, then: */
		return NULL;
	if (r->event.type == YAML_STREAM_END_EVENT)
		return new_node(r, WEIR_NODE_NULL);
	if (!next_event(r))
		return NULL;
	root = read_node(r);
	if (!root || !next_event(r))		/* DOCUMENT-END */
		return NULL;
	return root;
}

static int check_text(const char *file, weir_str text,
		      struct weir_error *error)
{
	const char *nul = text.len ? memchr(text.ptr, 0, text.len) : NULL;
	uint32_t line = 1, column = 1;

	if (text.len > TREE_MAX_BYTES)
		return fail_at(error, file, 0, 0, "",
			       "larger than 1 MiB: not a configuration");
	if (!nul)
		return 0;
	for (const char *p = text.ptr; p < nul; p++) {
		column = *p == '\n' ? 1 : column + 1;
		line += *p == '\n';
	}
	return fail_at(error, file, line, column, "",
		       "control characters are not allowed");
}

struct weir_node *tree_parse_limited(struct arena *arena, const char *file,
				     weir_str text, bool *limit,
				     struct weir_error *error)
{
	struct reader r = { .arena = arena, .error = error };
	struct weir_node *root;

	*limit = text.len > TREE_MAX_BYTES;
	r.file = arena_str(arena, weir_str_of(file)).ptr;
	if (check_text(file, text, error))
		return NULL;
	if (text.len >= 3 && !memcmp(text.ptr, "\xef\xbb\xbf", 3)) {
		text.ptr += 3;
		text.len -= 3;
	}
	if (!yaml_parser_initialize(&r.yaml)) {
		fail_at(error, file, 0, 0, "", "out of memory");
		return NULL;
	}
	yaml_parser_set_encoding(&r.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.yaml, (const yaml_char_t *)text.ptr,
				     text.len);
	root = read_document(&r);
	if (r.has_event)
		yaml_event_delete(&r.event);
	yaml_parser_delete(&r.yaml);
	free(r.anchors);
	*limit = r.limit;
	return root;
}

struct weir_node *tree_parse_raw(struct arena *arena, const char *file,
				 weir_str text, struct weir_error *error)
{
	bool limit;

	return tree_parse_limited(arena, file, text, &limit, error);
}
