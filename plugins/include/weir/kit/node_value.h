/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_value.h: a YAML value as AnyValue.
 */
#ifndef WEIR_KIT_NODE_VALUE_H
#define WEIR_KIT_NODE_VALUE_H

#include <weir/config.h>
#include <weir/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The type is YAML's; null becomes an empty value.  Text points into the node.
 * Lists and maps are encoded into *memory, which the caller frees with free();
 * NULL when none was needed.  Set-up only. */
WEIR_API struct weir_value weir_value_of_node(const struct weir_node *node,
					      void **memory);

#ifdef __cplusplus
}
#endif
#endif
