/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_join.c: `::` in keys, and several trees over each other.
 *
 * Both are one act: entries of the same key, in their order, become one.  Maps
 * are joined; anything else replaces what was before it, null too.  A node is
 * never changed once it is shared: a joined map is a new one that keeps the
 * children of the old ones, with the places where they were written.  Keys are
 * grouped by sorting: a map may have a hundred thousand.
 */
#include "tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct entry {
	struct weir_node *key, *value;
	size_t order;
};

struct joining {
	struct arena *arena;
	struct weir_error *error;
	bool append;
	uint32_t made;		/* nodes that splitting keys made */
};

static struct weir_node *join_maps(struct joining *j,
				   struct weir_node *const *maps, size_t n,
				   const char *path, unsigned depth);

/* Weight and height of a node whose children have theirs. */
static void measure(struct weir_node *node)
{
	node->weight = 1;
	node->height = node->kind >= WEIR_NODE_LIST;
	for (size_t i = 0; i < node->n; i++) {
		node->weight += node->items[i]->weight;
		if (node->keys)
			node->weight += node->keys[i]->weight;
		if (node->height <= node->items[i]->height)
			node->height = node->items[i]->height + 1;
	}
}

/* --- lists that grow ----------------------------------------------------- */

/* service::extensions, service::**::receivers, service::**::exporters: what
 * the gate confmap.enableMergeAppendOption joins. */
static bool is_appended(const struct joining *j, const char *path)
{
	static const char *const ends[] = { "::receivers", "::exporters" };
	const char front[] = "service::";
	size_t len = strlen(path);

	if (!j->append || strncmp(path, front, strlen(front)))
		return false;
	for (size_t i = 0; i < 2; i++) {
		size_t end = strlen(ends[i]);

		if (len >= strlen(front) + end &&
		    !strcmp(path + len - end, ends[i]))
			return true;
	}
	return !strcmp(path, "service::extensions");
}

static bool same(const struct weir_node *a, const struct weir_node *b)
{
	if (a->kind != b->kind || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same(a->items[i], b->items[i]) ||
		    (a->keys && !same(a->keys[i], b->keys[i])))
			return false;
	switch (a->kind) {
	case WEIR_NODE_BOOL:
		return a->boolean == b->boolean;
	case WEIR_NODE_INT:
		return a->integer == b->integer && a->big == b->big;
	case WEIR_NODE_DOUBLE:
		return a->real == b->real;
	case WEIR_NODE_STR:
		return weir_str_eq(a->text, b->text);
	case WEIR_NODE_NULL:
	case WEIR_NODE_LIST:
	case WEIR_NODE_MAP:
		break;
	}
	return true;
}

/* The elements of all, those that are there already left out. */
static struct weir_node *append(struct joining *j, const struct entry *all,
				size_t n)
{
	struct weir_node *list = arena_alloc(j->arena, sizeof(*list));
	size_t room = 0;

	*list = *all[n - 1].value;
	for (size_t i = 0; i < n; i++)
		room += all[i].value->n;
	list->items = arena_alloc(j->arena, room * sizeof(*list->items));
	list->n = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < all[i].value->n; k++) {
			struct weir_node *item = all[i].value->items[k];
			size_t at = 0;

			while (i && at < list->n &&
			       !same(list->items[at], item))
				at++;
			if (i && at < list->n)
				continue;
			list->items[list->n++] = item;
		}
	measure(list);
	return list;
}

/* --- entries of one key -------------------------------------------------- */

/* How many at the end are of that kind. */
static size_t run_of(const struct entry *all, size_t n,
		     enum weir_node_kind kind)
{
	size_t run = 0;

	while (run < n && all[n - 1 - run].value->kind == kind)
		run++;
	return run;
}

static struct weir_node *combine(struct joining *j, const struct entry *all,
				 size_t n, const char *path, unsigned depth)
{
	size_t run = run_of(all, n, WEIR_NODE_MAP);
	struct weir_node **maps, *joined;

	if (run > 1) {
		maps = xcalloc(run, sizeof(*maps));
		for (size_t i = 0; i < run; i++)
			maps[i] = all[n - run + i].value;
		joined = join_maps(j, maps, run, path, depth + 1);
		free(maps);
		return joined;
	}
	run = run_of(all, n, WEIR_NODE_LIST);
	if (run > 1 && is_appended(j, path))
		return append(j, all + n - run, run);
	return all[n - 1].value;
}

static int compare(const struct entry *x, const struct entry *y)
{
	weir_str a = x->key->text, b = y->key->text;
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = compare(x, y);

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static int by_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->order > y->order) - (x->order < y->order);
}

/* Each key once; the new n, or -1. */
static ssize_t group(struct joining *j, struct entry *all, size_t n,
		     const char *path, unsigned depth)
{
	size_t kept = 0;

	qsort(all, n, sizeof(*all), by_key);
	for (size_t i = 0, next; i < n; i = next) {
		struct entry one = all[i];
		const char *at = "";

		for (next = i + 1; next < n && !compare(&one, &all[next]); )
			next++;
		if (j->append)
			at = arena_printf(j->arena, "%s%s%.*s", path,
					  *path ? "::" : "",
					  WEIR_STR_FMT(one.key->text));
		one.value = combine(j, &all[i], next - i, at, depth);
		if (!one.value)
			return -1;
		/* An unknown key is shown where its value came from. */
		if (one.value == all[next - 1].value)
			one.key = all[next - 1].key;
		all[kept++] = one;
	}
	qsort(all, kept, sizeof(*all), by_order);
	return (ssize_t)kept;
}

static void fill(struct joining *j, struct weir_node *map,
		 const struct entry *all, size_t n)
{
	map->n = n;
	map->keys = arena_alloc(j->arena, n * sizeof(*map->keys));
	map->items = arena_alloc(j->arena, n * sizeof(*map->items));
	for (size_t i = 0; i < n; i++) {
		map->keys[i] = all[i].key;
		map->items[i] = all[i].value;
	}
	measure(map);
}

static struct weir_node *join_maps(struct joining *j,
				   struct weir_node *const *maps, size_t n,
				   const char *path, unsigned depth)
{
	struct weir_node *joined = arena_alloc(j->arena, sizeof(*joined));
	size_t room = 0, order = 0;
	struct entry *all;
	ssize_t kept;

	*joined = *maps[0];
	for (size_t i = 0; i < n; i++)
		room += maps[i]->n;
	all = xcalloc(room ? room : 1, sizeof(*all));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < maps[i]->n; k++, order++)
			all[order] = (struct entry){ maps[i]->keys[k],
						     maps[i]->items[k], order };
	kept = group(j, all, room, path, depth);
	if (kept >= 0)
		fill(j, joined, all, (size_t)kept);
	free(all);
	return kept < 0 ? NULL : joined;
}

struct weir_node *tree_join(struct arena *arena, struct weir_node *const *maps,
			    size_t n, bool append_lists,
			    struct weir_error *error)
{
	struct joining j = { .arena = arena, .error = error,
			     .append = append_lists };
	struct weir_node *root;

	root = n == 1 ? maps[0] : join_maps(&j, maps, n, "", 0);
	if (root && root->weight > TREE_MAX_NODES) {
		tree_error(error, root, "", "more than %d nodes in all "
			   "sources together", TREE_MAX_NODES);
		return NULL;
	}
	return root;
}

/* --- `::` in keys -------------------------------------------------------- */

static const char *delimiter(weir_str text)
{
	return text.len ? memmem(text.ptr, text.len, "::", 2) : NULL;
}

static bool spend(struct joining *j, const struct weir_node *at, unsigned n)
{
	j->made += n;
	if (j->made <= TREE_MAX_NODES)
		return true;
	tree_error(j->error, at, "", "more than %d nodes", TREE_MAX_NODES);
	return false;
}

/* A map of one entry. */
static struct weir_node *single(struct joining *j, struct weir_node *key,
				struct weir_node *value)
{
	struct weir_node *map = arena_alloc(j->arena, sizeof(*map));
	struct entry one = { key, value, 0 };

	map->kind = WEIR_NODE_MAP;
	map->file = key->file;
	map->line = key->line;
	map->column = key->column;
	fill(j, map, &one, 1);
	return map;
}

/* key is `a::b::c`: a map of a to a map of b to a map of c to value. */
static struct weir_node *wrap(struct joining *j, struct weir_node *key,
			      struct weir_node *value, unsigned depth)
{
	struct weir_node *front = arena_alloc(j->arena, sizeof(*front));
	struct weir_node *rest;
	const char *cut = delimiter(key->text);

	*front = *key;
	if (!cut)
		return single(j, front, value);
	if (depth + value->height >= TREE_MAX_DEPTH) {
		tree_error(j->error, key, "", "nested deeper than %d",
			   TREE_MAX_DEPTH);
		return NULL;
	}
	if (!spend(j, key, 3))
		return NULL;
	front->text.len = (size_t)(cut - key->text.ptr);
	rest = arena_alloc(j->arena, sizeof(*rest));
	*rest = *key;
	rest->text.ptr = cut + 2;
	rest->text.len -= front->text.len + 2;
	rest->column += (uint32_t)(front->text.len + 2 + key->quoted);
	rest->quoted = false;
	value = wrap(j, rest, value, depth + 1);
	return value ? single(j, front, value) : NULL;
}

/* Keys that are no strings read as the Collector prints them. */
static void name_key(struct joining *j, struct weir_node *key)
{
	const char *text;

	switch (key->kind) {
	case WEIR_NODE_BOOL:
		text = key->boolean ? "true" : "false";
		break;
	case WEIR_NODE_INT:
		text = key->big ? arena_printf(j->arena, "%llu",
					(unsigned long long)key->integer)
				: arena_printf(j->arena, "%lld",
					(long long)key->integer);
		break;
	case WEIR_NODE_DOUBLE:
		if (!isfinite(key->real))
			return;
		text = arena_printf(j->arena, "%.15g", key->real);
		break;
	case WEIR_NODE_NULL:
		text = "<nil>";
		break;
	default:
		return;
	}
	key->text = weir_str_of(text);
	key->kind = WEIR_NODE_STR;
}

/* Some key of the map has to be split, or is no string. */
static bool name_keys(struct joining *j, struct weir_node *map)
{
	bool again = false;

	for (size_t i = 0; i < map->n; i++) {
		again |= map->keys[i]->kind != WEIR_NODE_STR ||
			 delimiter(map->keys[i]->text);
		name_key(j, map->keys[i]);
	}
	return again;
}

static int split(struct joining *j, struct weir_node *map, unsigned depth)
{
	struct weir_node **singles = xcalloc(map->n, sizeof(*singles));
	struct weir_node *joined = NULL;
	size_t i = 0;

	for (; i < map->n; i++) {
		singles[i] = wrap(j, map->keys[i], map->items[i], depth);
		if (!singles[i])
			break;
	}
	if (i == map->n)
		joined = join_maps(j, singles, map->n, "", depth);
	if (joined) {
		struct weir_node place = *map;

		*map = *joined;
		map->file = place.file;
		map->line = place.line;
		map->column = place.column;
	}
	free(singles);
	return joined ? 0 : -1;
}

/* listed: what is in a list is no part of any key's path, and stays whole. */
static int nest(struct joining *j, struct weir_node *node, unsigned depth,
		bool listed)
{
	bool again = false;

	listed |= node->kind == WEIR_NODE_LIST;
	for (size_t i = 0; i < node->n; i++)
		if (nest(j, node->items[i], depth + 1, listed))
			return -1;
	if (node->kind == WEIR_NODE_MAP)
		again = name_keys(j, node);
	if (again && !listed)
		return split(j, node, depth);
	measure(node);
	return 0;
}

int tree_nest(struct arena *arena, struct weir_node *root,
	      struct weir_error *error)
{
	struct joining j = { .arena = arena, .error = error };

	if (nest(&j, root, 0, false))
		return -1;
	if (root->height > TREE_MAX_DEPTH)
		return tree_error(error, root, "", "nested deeper than %d",
				  TREE_MAX_DEPTH);
	if (root->weight > TREE_MAX_NODES)
		return tree_error(error, root, "", "more than %d nodes",
				  TREE_MAX_NODES);
	return 0;
}
