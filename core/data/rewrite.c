/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rewrite.c: lists and maps changed inside.
 *
 * The bytes of a list or map are edited as a payload is: every message on the
 * way is a node, so that unknown fields stay where they are.  Uses the
 * element's inner edit list and path; a rewriter must not start another
 * rewrite.  Depth is the walk's.
 */
#include "element.h"
#include "fields.h"

struct rewriting {
	struct weir_element *e;
	weir_rewriter ask;
	void *arg;
};

static void rewrite_items(struct rewriting *r, uint32_t node,
			  const struct weir_value *value);

/* The node of a sub-message with that tag, body to be read on. */
static uint32_t enter(struct rewriting *r, uint32_t node, uint32_t tag,
		      weir_str *body)
{
	struct weir_message_cursor cursor =
		weir_messages(*body, wire_field_of(tag));

	if (!weir_message_next(&cursor))
		return node;
	*body = cursor.message;
	return edit_node_body(&r->e->inner, node, *body);
}

/* From the container's node down to the list or map inside the entry:
 * [KeyValue >] AnyValue > ArrayValue or KeyValueList. */
static void descend(struct rewriting *r, uint32_t node,
		    const struct weir_value_cursor *at,
		    const struct weir_value *value)
{
	weir_str body = at->record;

	if (value->type != WEIR_VALUE_LIST && value->type != WEIR_VALUE_MAP)
		return;
	node = edit_node_body(&r->e->inner, node, body);
	if (at->map)
		node = enter(r, node, TAG_BYTES(2), &body);
	node = enter(r, node, TAG_BYTES(value->type), &body);
	rewrite_items(r, node, value);
}

static void replace(struct rewriting *r, uint32_t node,
		    const struct weir_value_cursor *at, const uint8_t *start,
		    const struct weir_value *value)
{
	struct edit_list *list = &r->e->inner;
	uint32_t offset = (uint32_t)(start - list->base);
	uint32_t cut = (uint32_t)(at->p - start);
	struct entry entry = { .tag = TAG_BYTES(1), .record = at->record,
			       .value = value };
	size_t len = weir_value_size(value);
	uint8_t *out;

	if (at->map) {
		out = edit_put(list, node, offset, cut, 1,
			       (uint32_t)entry_size(&entry));
		entry_put(&entry, out);
		return;
	}
	out = edit_put(list, node, offset, cut, 1,
		       (uint32_t)(1 + wire_varint_size(len) + len));
	*out++ = TAG_BYTES(1);
	weir_value_write(value, wire_put_varint(out, len));
}

/* The tag in front of a body: field 1 of list and map alike. */
static const uint8_t *start_of(weir_str body)
{
	const uint8_t *len = (const uint8_t *)body.ptr - 1;

	while (len[-1] & 0x80)
		len--;
	return len - 1;
}

static void push_path(struct weir_text *path, bool map, weir_str key, size_t i)
{
	if (path->len)
		weir_text_add(path, WEIR_STR("."));
	if (map)
		weir_text_add(path, key);
	else
		weir_text_addf(path, "[%zu]", i);
}

static void rewrite_item(struct rewriting *r, uint32_t node,
			 const struct weir_value_cursor *at)
{
	const struct weir_text *path = &r->e->path;
	const uint8_t *start = start_of(at->record);
	struct weir_value value = at->item.value;

	switch (r->ask(r->arg, at->item.key,
		       (weir_str){ path->ptr, path->len }, &value)) {
	case WEIR_KEEP:
		break;
	case WEIR_DESCEND:
		descend(r, node, at, &at->item.value);
		break;
	case WEIR_REMOVE:
		edit_cut(&r->e->inner, node,
			 (uint32_t)(start - r->e->inner.base),
			 (uint32_t)(at->p - start));
		break;
	case WEIR_REPLACE:
		replace(r, node, at, start, &value);
		break;
	}
}

static void rewrite_items(struct rewriting *r, uint32_t node,
			  const struct weir_value *value)
{
	struct weir_value_cursor at = weir_value_items(value);
	size_t depth = r->e->path.len;

	for (size_t i = 0; weir_value_next(&at); i++) {
		push_path(&r->e->path, at.map, at.item.key, i);
		rewrite_item(r, node, &at);
		r->e->path.len = depth;
	}
}

bool weir_value_rewrite(struct weir_element *e, struct weir_value *value,
			weir_rewriter rewriter, void *arg)
{
	struct rewriting r = { e, rewriter, arg };
	size_t len;
	char *out;

	if (value->type != WEIR_VALUE_LIST && value->type != WEIR_VALUE_MAP)
		return false;
	weir_text_clear(&e->path);
	edit_begin(&e->inner, (const uint8_t *)value->raw.ptr,
		   value->raw.len);
	rewrite_items(&r, EDIT_TOP, value);
	if (edit_empty(&e->inner))
		return false;
	len = edit_measure(&e->inner);
	out = weir_scratch(e, len);
	edit_write(&e->inner, (uint8_t *)out);
	value->raw = (weir_str){ out, len };
	return true;
}
