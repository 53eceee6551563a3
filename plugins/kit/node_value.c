/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_value.c: a YAML value as AnyValue (weir/kit/node_value.h).
 *
 * Pure.  Sizes are computed anew at each level: configuration is small and at
 * most 64 levels deep.
 */
#include <stdlib.h>

#include <weir/kit/node_value.h>

enum {			/* tag bytes: field << 3 | LEN */
	VALUES = 0x0a,		/* ArrayValue.values, KeyValueList.values = 1 */
	KEY = 0x0a,		/* KeyValue.key = 1 */
	VALUE = 0x12,		/* KeyValue.value = 2 */
	ARRAY = 0x2a,		/* AnyValue.array_value = 5 */
	KVLIST = 0x32		/* AnyValue.kvlist_value = 6 */
};

static size_t any_size(const struct weir_node *node);
static uint8_t *any_write(const struct weir_node *node, uint8_t *out);

static bool is_container(const struct weir_node *node)
{
	return weir_node_kind(node) == WEIR_NODE_LIST ||
		weir_node_kind(node) == WEIR_NODE_MAP;
}

static struct weir_value scalar(const struct weir_node *node)
{
	struct weir_value v = { .type = WEIR_VALUE_EMPTY };

	switch (weir_node_kind(node)) {
	case WEIR_NODE_BOOL:
		v.type = WEIR_VALUE_BOOL;
		v.boolean = weir_node_bool(node);
		break;
	case WEIR_NODE_INT:
		v.type = WEIR_VALUE_INT;
		v.integer = weir_node_int(node);
		break;
	case WEIR_NODE_DOUBLE:
		v.type = WEIR_VALUE_DOUBLE;
		v.real = weir_node_double(node);
		break;
	case WEIR_NODE_STR:
		v.type = WEIR_VALUE_STRING;
		v.str = weir_node_text(node);
		break;
	default:
		break;
	}
	return v;
}

static size_t varint_size(uint64_t n)
{
	size_t size = 1;

	while (n >>= 7)
		size++;
	return size;
}

static uint8_t *open_field(uint8_t *out, uint8_t tag, uint64_t len)
{
	*out++ = tag;
	for (; len >= 0x80; len >>= 7)
		*out++ = (uint8_t)(len | 0x80);
	*out++ = (uint8_t)len;
	return out;
}

static size_t field_size(size_t len)
{
	return 1 + varint_size(len) + len;
}

/* One record of a list or map: the element, or the entry. */
static size_t item_size(const struct weir_node *node, size_t i)
{
	size_t value = any_size(weir_node_at(node, i));

	if (weir_node_kind(node) == WEIR_NODE_LIST)
		return value;
	return field_size(weir_node_key(node, i).len) + field_size(value);
}

static size_t items_size(const struct weir_node *node)
{
	size_t size = 0;

	for (size_t i = 0; i < weir_node_len(node); i++)
		size += field_size(item_size(node, i));
	return size;
}

static uint8_t *item_write(const struct weir_node *node, size_t i,
			   uint8_t *out)
{
	const struct weir_node *value = weir_node_at(node, i);

	if (weir_node_kind(node) == WEIR_NODE_MAP) {
		weir_str key = weir_node_key(node, i);

		out = open_field(out, KEY, key.len);
		if (key.len)
			memcpy(out, key.ptr, key.len);
		out = open_field(out + key.len, VALUE, any_size(value));
	}
	return any_write(value, out);
}

static uint8_t *items_write(const struct weir_node *node, uint8_t *out)
{
	for (size_t i = 0; i < weir_node_len(node); i++) {
		out = open_field(out, VALUES, item_size(node, i));
		out = item_write(node, i, out);
	}
	return out;
}

static size_t any_size(const struct weir_node *node)
{
	struct weir_value v;

	if (is_container(node))
		return field_size(items_size(node));
	v = scalar(node);
	return weir_value_size(&v);
}

static uint8_t *any_write(const struct weir_node *node, uint8_t *out)
{
	struct weir_value v;

	if (is_container(node)) {
		uint8_t tag = weir_node_kind(node) == WEIR_NODE_LIST ?
			ARRAY : KVLIST;

		out = open_field(out, tag, items_size(node));
		return items_write(node, out);
	}
	v = scalar(node);
	return weir_value_write(&v, out);
}

struct weir_value weir_value_of_node(const struct weir_node *node,
				     void **memory)
{
	struct weir_value v;

	*memory = NULL;
	if (!is_container(node))
		return scalar(node);
	v.type = weir_node_kind(node) == WEIR_NODE_LIST ? WEIR_VALUE_LIST :
		WEIR_VALUE_MAP;
	v.raw.len = items_size(node);
	*memory = malloc(v.raw.len + 1);
	if (!*memory)
		abort();
	items_write(node, *memory);
	v.raw.ptr = *memory;
	return v;
}
