/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node.c: any YAML value, as plugins look at it.  Pure.
 */
#include "tree.h"

enum weir_node_kind weir_node_kind(const struct weir_node *node)
{
	return node ? node->kind : WEIR_NODE_NULL;
}

bool weir_node_bool(const struct weir_node *node)
{
	return weir_node_kind(node) == WEIR_NODE_BOOL && node->boolean;
}

int64_t weir_node_int(const struct weir_node *node)
{
	switch (weir_node_kind(node)) {
	case WEIR_NODE_INT:
		return node->big ? INT64_MAX : node->integer;
	case WEIR_NODE_DOUBLE:	/* cut towards zero, kept in range */
		if (node->real >= 9223372036854775808.0)
			return INT64_MAX;
		if (node->real >= -9223372036854775808.0)
			return (int64_t)node->real;
		return node->real < 0 ? INT64_MIN : 0;
	default:
		return 0;
	}
}

double weir_node_double(const struct weir_node *node)
{
	switch (weir_node_kind(node)) {
	case WEIR_NODE_INT:
		return node->big ? (double)(uint64_t)node->integer
				 : (double)node->integer;
	case WEIR_NODE_DOUBLE:
		return node->real;
	default:
		return 0;
	}
}

weir_str weir_node_text(const struct weir_node *node)
{
	if (weir_node_kind(node) >= WEIR_NODE_LIST || !node)
		return (weir_str){ "", 0 };
	return node->text;
}

size_t weir_node_len(const struct weir_node *node)
{
	return weir_node_kind(node) >= WEIR_NODE_LIST ? node->n : 0;
}

const struct weir_node *weir_node_at(const struct weir_node *node, size_t i)
{
	return i < weir_node_len(node) ? node->items[i] : NULL;
}

weir_str weir_node_key(const struct weir_node *node, size_t i)
{
	if (weir_node_kind(node) != WEIR_NODE_MAP || i >= node->n)
		return (weir_str){ "", 0 };
	return node->keys[i]->text;
}

const struct weir_node *weir_node_get(const struct weir_node *node,
				      weir_str key)
{
	if (weir_node_kind(node) != WEIR_NODE_MAP)
		return NULL;
	for (size_t i = 0; i < node->n; i++)
		if (weir_str_eq(node->keys[i]->text, key))
			return node->items[i];
	return NULL;
}
