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

#include <weir/log.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
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

	return names[weir_node_kind(node)];
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
		return refuse(r, "nested deeper than %d", TREE_MAX_DEPTH);
	if (!spend(r, anchor->node->weight))
		return NULL;
	return anchor->node;
}

/* A tag can make a string of anything; all other tags say nothing. */
static bool is_string_tag(const yaml_char_t *tag)
{
	return tag && (!strcmp((const char *)tag, YAML_STR_TAG) ||
		       !strcmp((const char *)tag, "!") ||
		       !strcmp((const char *)tag, "tag:yaml.org,2002:binary"));
}

static struct weir_node *read_scalar(struct reader *r)
{
	struct weir_node *node = new_node(r, WEIR_NODE_STR);

	if (!node || !open_anchor(r, r->event.data.scalar.anchor, node))
		return NULL;
	node->text = arena_str(r->arena, (weir_str){
		(const char *)r->event.data.scalar.value,
		r->event.data.scalar.length });
	node->quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
		       is_string_tag(r->event.data.scalar.tag);
	tree_resolve(node);
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

/* --- maps: duplicates and merge keys -------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	const struct weir_node *x = *(struct weir_node *const *)a;
	const struct weir_node *y = *(struct weir_node *const *)b;
	size_t shorter = x->text.len < y->text.len ? x->text.len : y->text.len;
	int order = shorter ? memcmp(x->text.ptr, y->text.ptr, shorter) : 0;

	if (order)
		return order;
	if (x->text.len != y->text.len)
		return x->text.len < y->text.len ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

static bool keys_are_unique(struct reader *r, const struct weir_node *map)
{
	struct weir_node **sorted = xmalloc(map->n * sizeof(*sorted));
	bool unique = true;

	memcpy(sorted, map->keys, map->n * sizeof(*sorted));
	qsort(sorted, map->n, sizeof(*sorted), by_text);
	for (size_t i = 1; unique && i < map->n; i++)
		if (weir_str_eq(sorted[i - 1]->text, sorted[i]->text)) {
			tree_error(r->error, sorted[i], "",
				   "key \"%.*s\" already defined at line %u",
				   WEIR_STR_FMT(sorted[i]->text),
				   sorted[i - 1]->line);
			unique = false;
		}
	free(sorted);
	return unique;
}

static bool is_merge(const struct weir_node *key)
{
	return !key->quoted && weir_str_eq(key->text, WEIR_STR("<<"));
}

static bool merge_one(struct children *all, const struct weir_node *from,
		      struct reader *r, const struct weir_node *at)
{
	if (from->kind != WEIR_NODE_MAP) {
		tree_error(r->error, at, "",
			   "map merge requires a map or a list of maps as the "
			   "value");
		return false;
	}
	for (size_t i = 0; i < from->n; i++) {
		add_child(all, from->keys[i]);
		add_child(all, from->items[i]);
	}
	return true;
}

struct entry {			/* of a map that merges */
	struct weir_node *key, *value;
	size_t order;		/* lower wins: own keys first, then as merged */
};

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	size_t shorter = x->key->text.len < y->key->text.len
			? x->key->text.len : y->key->text.len;
	int order = shorter ? memcmp(x->key->text.ptr, y->key->text.ptr,
				     shorter) : 0;

	if (order)
		return order;
	if (x->key->text.len != y->key->text.len)
		return x->key->text.len < y->key->text.len ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int by_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

/* Keeps the first of each key and writes the map anew, own keys in front. */
static void keep_first(struct reader *r, struct weir_node *map,
		       const struct children *all)
{
	size_t n = all->n / 2, kept = 0;
	struct entry *entries = xmalloc(n * sizeof(*entries));

	for (size_t i = 0; i < n; i++)
		entries[i] = (struct entry){ all->v[2 * i], all->v[2 * i + 1],
					     i };
	qsort(entries, n, sizeof(*entries), by_key);
	for (size_t i = 0; i < n; i++)
		if (!kept || !weir_str_eq(entries[kept - 1].key->text,
					  entries[i].key->text))
			entries[kept++] = entries[i];
	qsort(entries, kept, sizeof(*entries), by_order);
	map->n = kept;
	map->keys = arena_alloc(r->arena, kept * sizeof(*map->keys));
	map->items = arena_alloc(r->arena, kept * sizeof(*map->items));
	for (size_t i = 0; i < kept; i++) {
		map->keys[i] = entries[i].key;
		map->items[i] = entries[i].value;
	}
	free(entries);
}

/* `<<: *base` and `<<: [*a, *b]`: a map's own keys win, then the earlier. */
static bool apply_merge(struct reader *r, struct weir_node *map)
{
	struct children all = { 0 };
	const struct weir_node *merged = NULL;
	bool good = true;

	for (size_t i = 0; i < map->n; i++) {
		if (is_merge(map->keys[i])) {
			merged = map->items[i];
			continue;
		}
		add_child(&all, map->keys[i]);
		add_child(&all, map->items[i]);
	}
	if (merged && merged->kind == WEIR_NODE_LIST)
		for (size_t i = 0; good && i < merged->n; i++)
			good = merge_one(&all, merged->items[i], r, merged);
	else if (merged)
		good = merge_one(&all, merged, r, merged);
	if (good && merged)
		keep_first(r, map, &all);
	free(all.v);
	return good;
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
		return refuse(r, "nested deeper than %d", TREE_MAX_DEPTH);
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
		good = keys_are_unique(r, node) && apply_merge(r, node);
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

struct weir_node *tree_parse_raw(struct arena *arena, const char *file,
				 weir_str text, struct weir_error *error)
{
	struct reader r = { .arena = arena, .error = error };
	struct weir_node *root;

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
	return root;
}

struct weir_node *tree_parse(struct arena *arena, const char *file,
			     weir_str text, struct weir_error *error)
{
	struct weir_node *root = tree_parse_raw(arena, file, text, error);

	if (!root || tree_expand(arena, root, error))
		return NULL;
	return root;
}

static int slurp_fd(struct arena *arena, const char *file, int fd,
		    weir_str *text, struct weir_error *error)
{
	struct buf buf = { 0 };
	ssize_t got;
	int failed = 0;

	do {
		buf_reserve(&buf, 65536);
		got = read(fd, buf.ptr + buf.len, 65536);
		if (got > 0)
			buf.len += (size_t)got;
	} while ((got > 0 && buf.len <= TREE_MAX_BYTES) ||
		 (got < 0 && errno == EINTR));
	if (got < 0)
		failed = fail_at(error, file, 0, 0, "", strerror(errno));
	else if (buf.len > TREE_MAX_BYTES)
		failed = fail_at(error, file, 0, 0, "", "larger than 1 MiB");
	else
		*text = arena_str(arena, (weir_str){ (char *)buf.ptr, buf.len });
	buf_release(&buf);
	return failed;
}

int tree_slurp(struct arena *arena, const char *file, weir_str *text,
	       struct weir_error *error)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), failed;

	if (fd < 0)
		return fail_at(error, file, 0, 0, "", strerror(errno));
	failed = slurp_fd(arena, file, fd, text, error);
	close(fd);
	return failed;
}

struct weir_node *tree_read(struct arena *arena, const char *file,
			    struct weir_error *error)
{
	weir_str text;

	if (tree_slurp(arena, file, &text, error))
		return NULL;
	return tree_parse(arena, file, text, error);
}

/* --- paths ---------------------------------------------------------------------------- */

/* The child that the front of *path names; *path moves on behind it.  Keys may
 * hold dots ("metadata.name"): the longest that fits is taken. */
static const struct weir_node *step(const struct weir_node *node,
				    const char **path)
{
	const struct weir_node *found = NULL;
	size_t longest = 0;

	if (node->kind == WEIR_NODE_LIST && **path == '[') {
		char *end;
		unsigned long i = strtoul(*path + 1, &end, 10);

		if (*end != ']' || i >= node->n)
			return NULL;
		*path = end + 1;
		return node->items[i];
	}
	for (size_t i = 0; node->kind == WEIR_NODE_MAP && i < node->n; i++) {
		weir_str key = node->keys[i]->text;
		char after;

		if (!key.len || key.len <= longest ||
		    strncmp(*path, key.ptr, key.len))
			continue;
		after = (*path)[key.len];
		if (after && after != '.' && after != '[')
			continue;
		longest = key.len;
		found = node->items[i];
	}
	*path += longest;
	return found;
}

const struct weir_node *tree_at(const struct weir_node *root, const char *path)
{
	const struct weir_node *node = root;

	while (path && *path && node) {
		const struct weir_node *child;

		if (*path == '.')
			path++;
		child = step(node, &path);
		if (!child)
			break;
		node = child;
	}
	return node;
}
