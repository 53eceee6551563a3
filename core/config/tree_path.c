/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_path.c: from a path, as in "processors.batch.timeout", to its node.
 * Holds nothing.
 */
#include "tree.h"

#include <stdlib.h>
#include <string.h>

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
