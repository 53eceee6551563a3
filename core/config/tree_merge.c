/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_merge.c: the keys of one map: each once, and `<<` taken apart.
 *
 * `<<: *base` and `<<: [*a, *b]` bring in the entries of other maps; a map's
 * own keys win, then those of the earlier one.  Sorting, not comparing each
 * with each: a map may have a hundred thousand keys.
 */
#include "tree.h"

#include <stdlib.h>

struct entry {
	struct weir_node *key, *value;
	size_t order;		/* lower wins: own keys first, then as merged */
};

struct entries {
	struct entry *v;
	size_t n, cap;
};

static void add(struct entries *all, struct weir_node *key,
		struct weir_node *value)
{
	if (all->n == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 16;
		all->v = xrealloc(all->v, all->cap * sizeof(*all->v));
	}
	all->v[all->n] = (struct entry){ key, value, all->n };
	all->n++;
}

static int by_order(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static int by_key(const void *a, const void *b)
{
	weir_str x = ((const struct entry *)a)->key->text;
	weir_str y = ((const struct entry *)b)->key->text;
	size_t shorter = x.len < y.len ? x.len : y.len;
	int order = shorter ? memcmp(x.ptr, y.ptr, shorter) : 0;

	if (order)
		return order;
	if (x.len != y.len)
		return x.len < y.len ? -1 : 1;
	return by_order(a, b);
}

static bool same_key(const struct entry *a, const struct entry *b)
{
	return weir_str_eq(a->key->text, b->key->text);
}

/* Sorted by key, the map's own in front of the merged of that name. */
static int check_unique(const struct entries *own, struct weir_error *error)
{
	for (size_t i = 1; i < own->n; i++)
		if (same_key(&own->v[i - 1], &own->v[i]))
			return tree_error(error, own->v[i].key, "",
				"key \"%.*s\" already defined at line %u",
				WEIR_STR_FMT(own->v[i].key->text),
				own->v[i - 1].key->line);
	return 0;
}

static bool is_merge(const struct weir_node *key)
{
	return !key->quoted && weir_str_eq(key->text, WEIR_STR("<<"));
}

static int merge_one(struct entries *all, const struct weir_node *from,
		     const struct weir_node *at, struct weir_error *error)
{
	if (from->kind != WEIR_NODE_MAP)
		return tree_error(error, at, "", "map merge requires a map or "
				  "a list of maps as the value");
	for (size_t i = 0; i < from->n; i++)
		add(all, from->keys[i], from->items[i]);
	return 0;
}

static int merge_all(struct entries *all, const struct weir_node *merged,
		     struct weir_error *error)
{
	if (merged->kind != WEIR_NODE_LIST)
		return merge_one(all, merged, merged, error);
	for (size_t i = 0; i < merged->n; i++)
		if (merge_one(all, merged->items[i], merged, error))
			return -1;
	return 0;
}

/* Keeps the first of each key and writes the map anew, in order. */
static void keep_first(struct arena *arena, struct weir_node *map,
		       struct entries *all)
{
	size_t kept = 0;

	if (!all->n) {
		map->n = 0;
		return;
	}
	qsort(all->v, all->n, sizeof(*all->v), by_key);
	for (size_t i = 0; i < all->n; i++)
		if (!kept || !same_key(&all->v[kept - 1], &all->v[i]))
			all->v[kept++] = all->v[i];
	qsort(all->v, kept, sizeof(*all->v), by_order);
	map->n = kept;
	map->keys = arena_alloc(arena, kept * sizeof(*map->keys));
	map->items = arena_alloc(arena, kept * sizeof(*map->items));
	for (size_t i = 0; i < kept; i++) {
		map->keys[i] = all->v[i].key;
		map->items[i] = all->v[i].value;
	}
}

static int check_own(const struct weir_node *map, struct weir_error *error)
{
	struct entries own = { 0 };
	int failed;

	for (size_t i = 0; i < map->n; i++)
		add(&own, map->keys[i], map->items[i]);
	if (own.n)
		qsort(own.v, own.n, sizeof(*own.v), by_key);
	failed = check_unique(&own, error);
	free(own.v);
	return failed;
}

int tree_merge(struct arena *arena, struct weir_node *map,
	       struct weir_error *error)
{
	const struct weir_node *merged = NULL;
	struct entries all = { 0 };
	int failed = check_own(map, error);

	for (size_t i = 0; !failed && i < map->n; i++) {
		if (is_merge(map->keys[i]))
			merged = map->items[i];
		else
			add(&all, map->keys[i], map->items[i]);
	}
	if (!failed && merged)
		failed = merge_all(&all, merged, error);
	if (!failed && merged)
		keep_first(arena, map, &all);
	free(all.v);
	return failed;
}
