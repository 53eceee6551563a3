/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_check.h: for what the rows of the kit's blocks cannot say.  Pure.
 */
#ifndef KIT_CONFIG_CHECK_H
#define KIT_CONFIG_CHECK_H

#include <stdio.h>
#include <weir/config.h>

/* A node that is not null and not an empty map or list says something. */
static inline bool is_given(const struct weir_node *node)
{
	enum weir_node_kind kind = weir_node_kind(node);

	if (kind == WEIR_NODE_MAP || kind == WEIR_NODE_LIST)
		return weir_node_len(node) > 0;
	return kind != WEIR_NODE_NULL;
}

/* At a key of a block: "protocols.http" and "tls"; either may be empty. */
static inline int fail_at(struct weir_error *error, const char *path,
			  const char *key, const char *sentence)
{
	char whole[128];

	snprintf(whole, sizeof(whole), "%s%s%s", path,
		 path[0] && key[0] ? "." : "", key);
	return weir_fail(error, whole, "%s", sentence);
}

#endif
