/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind.c: blocks to structs.
 *
 * First the rows' presets, through the same code that reads what the user
 * wrote; then the user's keys over them.  A key that no row knows is an error
 * with the nearest key that one does.  Tables may include other tables at the
 * same level (key ""), down to any depth.  Holds nothing between calls.
 */
#include "bind.h"

#include <stdio.h>
#include <stdlib.h>

#define MEMBER(target, offset) ((void *)((char *)(target) + (offset)))
#define FLAVOURS (WEIR_BLOCK_DEFAULT | WEIR_BLOCK_ON | WEIR_BLOCK_NONE | \
		  WEIR_BLOCK_PRESENT)

struct binding {
	struct arena *arena;
	struct weir_error *error;
};

static int bind_block(struct binding *b, const struct weir_field *fields,
		      void *target, const struct weir_node *node,
		      const char *path, bool has_enabled, bool *enabled);

static int check_required(struct binding *b, const struct weir_field *fields,
			  const void *target, const struct weir_node *node,
			  const char *path);

/* --- presets ------------------------------------------------------------------------ */

/* Most presets are one plain word: no parser needed. */
static bool is_plain(const char *preset)
{
	for (const char *p = preset; *p; p++)
		if (!((*p >= '0' && *p <= '9') || *p == '.' || *p == '-' ||
		      *p == '_' || *p == '/' || ((*p | 32) >= 'a' &&
						 (*p | 32) <= 'z') ||
		      (*p == ':' && p > preset && p[1] && p[1] != ' ')))
			return false;
	return *preset && strcmp(preset, "-") && strcmp(preset, "---");
}

/* Without printf: this runs for every key of every component. */
static const char *join(struct binding *b, const char *path, const char *key)
{
	size_t front = strlen(path), len = strlen(key);
	char *joined;

	if (!front)
		return key;
	joined = arena_alloc(b->arena, front + len + 2);
	memcpy(joined, path, front);
	joined[front] = '.';
	memcpy(joined + front + 1, key, len);
	return joined;
}

static int bind_list(struct binding *b, const struct weir_field *field,
		     struct weir_list *out, const struct weir_node *node,
		     const char *path);

/* The default of a row that is no block; path: the block's. */
static int apply_preset(struct binding *b, const struct weir_field *field,
			void *target, const char *path)
{
	void *member = MEMBER(target, field->offset);
	struct weir_node word = { .file = "preset", .weight = 1 };
	struct weir_node *node = &word;

	if (field->type == WEIR_TYPE_STR || field->type == WEIR_TYPE_SECRET)
		*(weir_str *)member = WEIR_STR("");
	if (!field->preset || !*field->preset)
		return 0;
	word.text = weir_str_of(field->preset);
	/* Who takes a node keeps it. */
	if (field->type == WEIR_TYPE_NODE || !is_plain(field->preset))
		node = tree_parse_raw(b->arena, "preset", word.text, b->error);
	else
		tree_resolve(&word);
	if (!node)
		return -1;
	if (node->kind == WEIR_NODE_NULL)
		return 0;
	path = join(b, path, field->key);
	if (field->type == WEIR_TYPE_LIST)
		return bind_list(b, field, member, node, path);
	/* A preset that looks like a number is fine for text. */
	node->expanded = true;
	return bind_value(b->arena, field, member, node, path, b->error);
}

static bool is_included(const struct weir_field *field)
{
	return field->type == WEIR_TYPE_BLOCK && !*field->key;
}

static int apply_presets(struct binding *b, const struct weir_field *fields,
			 void *target, const char *path)
{
	for (; fields && fields->key; fields++) {
		void *member = MEMBER(target, fields->offset);
		int failed;

		if (fields->flags & WEIR_IGNORED)
			continue;
		if (fields->type == WEIR_TYPE_BLOCK) {
			failed = apply_presets(b, fields->sub, member, path);
			if (fields->flags & FLAVOURS)
				*(bool *)MEMBER(target, fields->enabled_offset)
					= fields->flags & WEIR_BLOCK_ON;
		} else {
			failed = apply_preset(b, fields, target, path);
		}
		if (failed)
			return -1;
	}
	return 0;
}

/* --- finding rows ----------------------------------------------------------------------- */

/* The row of a key, and the struct that its offset counts from. */
static const struct weir_field *find_row(const struct weir_field *fields,
					 void *target, weir_str key,
					 void **owner)
{
	for (; fields && fields->key; fields++) {
		const struct weir_field *row;

		if (is_included(fields)) {
			row = find_row(fields->sub,
				       MEMBER(target, fields->offset), key,
				       owner);
			if (row)
				return row;
		} else if (weir_str_eq(weir_str_of(fields->key), key)) {
			*owner = target;
			return fields;
		}
	}
	return NULL;
}

static void offer_rows(const struct weir_field *fields,
		       struct nearest *nearest)
{
	for (; fields && fields->key; fields++) {
		if (is_included(fields))
			offer_rows(fields->sub, nearest);
		else
			nearest_offer(nearest, weir_str_of(fields->key));
	}
}

static int unknown_key(struct binding *b, const struct weir_field *fields,
		       const struct weir_node *key, const char *path)
{
	struct nearest nearest = { .written = key->text };

	offer_rows(fields, &nearest);
	return tree_error(b->error, key, path, "unknown key \"%.*s\"%s",
			  WEIR_STR_FMT(key->text),
			  nearest_hint(&nearest, b->arena));
}

/* --- blocks --------------------------------------------------------------------------------- */

static bool is_given(const struct weir_node *node)
{
	return weir_node_kind(node) != WEIR_NODE_NULL;
}

static int bind_optional(struct binding *b, const struct weir_field *field,
			 void *target, const struct weir_node *node,
			 const char *path)
{
	bool *enabled = MEMBER(target, field->enabled_offset);
	bool on = is_given(node) || !(field->flags & WEIR_BLOCK_NONE);

	if (bind_block(b, field->sub, MEMBER(target, field->offset), node,
		       path, !(field->flags & WEIR_BLOCK_PRESENT), &on))
		return -1;
	*enabled = on;
	return 0;
}

static int bind_list(struct binding *b, const struct weir_field *field,
		     struct weir_list *out, const struct weir_node *node,
		     const char *path)
{
	char *items;

	if (node->kind != WEIR_NODE_LIST)
		return tree_error(b->error, node, path,
				  "expected a list, got %s",
				  tree_kind_phrase(node));
	items = arena_alloc(b->arena, node->n * field->size);
	for (size_t i = 0; i < node->n; i++) {
		const char *at = arena_printf(b->arena, "%s[%zu]", path, i);
		void *item = items + i * field->size;
		bool on;

		if (apply_presets(b, field->sub, item, at) ||
		    bind_block(b, field->sub, item, node->items[i], at, false,
			       &on) ||
		    check_required(b, field->sub, item, node->items[i], at))
			return -1;
	}
	*out = (struct weir_list){ items, node->n };
	return 0;
}

static void clear_number(const struct weir_field *row, void *member)
{
	switch ((enum weir_field_type)row->type) {
	case WEIR_TYPE_BOOL:
		*(bool *)member = false;
		break;
	case WEIR_TYPE_UINT32:
		*(uint32_t *)member = 0;
		break;
	case WEIR_TYPE_INT:
	case WEIR_TYPE_UINT64:
	case WEIR_TYPE_DURATION:
	case WEIR_TYPE_SIZE:
		*(uint64_t *)member = 0;
		break;
	case WEIR_TYPE_DOUBLE:
		*(double *)member = 0;
		break;
	default:
		break;
	}
}

static int bind_row(struct binding *b, const struct weir_field *row,
		    void *owner, const struct weir_node *node,
		    const char *path)
{
	void *member = MEMBER(owner, row->offset);
	bool on;

	if (row->flags & WEIR_IGNORED)
		return 0;
	if (row->type == WEIR_TYPE_BLOCK && row->flags & FLAVOURS)
		return bind_optional(b, row, owner, node, path);
	if (row->type == WEIR_TYPE_BLOCK)
		return bind_block(b, row->sub, member, node, path, false, &on);
	if (row->type == WEIR_TYPE_NODE) {
		*(const struct weir_node **)member = node;
		return 0;
	}
	/* null makes a number or a bool zero, and keeps the default of all
	 * else; a reference to nothing is an empty text */
	if (!is_given(node) && !(row->flags & WEIR_OURS))
		clear_number(row, member);
	if (!is_given(node) && !(node->expanded &&
				 (row->type == WEIR_TYPE_STR ||
				  row->type == WEIR_TYPE_SECRET)))
		return 0;
	if (row->type == WEIR_TYPE_LIST)
		return bind_list(b, row, member, node, path);
	return bind_value(b->arena, row, member, node, path, b->error);
}

static int read_enabled(struct binding *b, const struct weir_node *node,
			const char *path, bool *enabled)
{
	if (node->kind != WEIR_NODE_BOOL)
		return tree_error(b->error, node, path,
			"unexpected type %s for 'enabled': got '%.*s' value "
			"expected 'true' or 'false'", tree_kind_name(node),
			(int)(node->text.len < 32 ? node->text.len : 32),
			node->text.ptr ? node->text.ptr : "");
	*enabled = node->boolean;
	return 0;
}

/* --- required keys ----------------------------------------------------------------------------- */

bool bind_holds_nothing(const struct weir_field *row, const void *member)
{
	switch ((enum weir_field_type)row->type) {
	case WEIR_TYPE_STR:
		return !((const weir_str *)member)->len;
	case WEIR_TYPE_SECRET:
		return !((const weir_secret *)member)->text.len;
	case WEIR_TYPE_STRS:
		return !((const struct weir_strs *)member)->len;
	case WEIR_TYPE_PAIRS:
		return !((const struct weir_pairs *)member)->len;
	case WEIR_TYPE_LIST:
		return !((const struct weir_list *)member)->len;
	default:
		return false;
	}
}

static bool is_empty(const struct weir_field *row, const void *member)
{
	switch ((enum weir_field_type)row->type) {
	case WEIR_TYPE_NODE:
		return !is_given(*(const struct weir_node *const *)member);
	case WEIR_TYPE_DURATION:
	case WEIR_TYPE_INT:
		return !*(const int64_t *)member;
	case WEIR_TYPE_SIZE:
	case WEIR_TYPE_UINT64:
		return !*(const uint64_t *)member;
	case WEIR_TYPE_UINT32:
		return !*(const uint32_t *)member;
	case WEIR_TYPE_DOUBLE:
		return *(const double *)member == 0;
	default:
		return bind_holds_nothing(row, member);
	}
}

static bool is_on(const struct weir_field *row, const void *owner)
{
	return !(row->flags & FLAVOURS) ||
	       *(const bool *)((const char *)owner + row->enabled_offset);
}

static int check_required(struct binding *b, const struct weir_field *fields,
			  const void *target, const struct weir_node *node,
			  const char *path)
{
	for (; fields && fields->key; fields++) {
		const char *member = (const char *)target + fields->offset;
		const struct weir_node *at = node;
		const char *deeper = path;

		if (fields->flags & WEIR_IGNORED)
			continue;
		if (fields->flags & WEIR_REQUIRED && is_empty(fields, member))
			return tree_error(b->error, node, path,
					  "requires a non-empty \"%s\"",
					  fields->key);
		if (fields->type != WEIR_TYPE_BLOCK || !is_on(fields, target))
			continue;
		if (!is_included(fields)) {
			at = weir_node_get(node, weir_str_of(fields->key));
			deeper = join(b, path, fields->key);
		}
		if (check_required(b, fields->sub, member, at ? at : node,
				   deeper))
			return -1;
	}
	return 0;
}

/* The keys of one block over its presets.  has_enabled: the block is optional,
 * *enabled is its verdict. */
static int bind_block(struct binding *b, const struct weir_field *fields,
		      void *target, const struct weir_node *node,
		      const char *path, bool has_enabled, bool *enabled)
{
	if (!has_enabled)
		*enabled = true;
	if (is_given(node) && node->kind != WEIR_NODE_MAP)
		return tree_error(b->error, node, path,
				  "expected a map, got %s",
				  tree_kind_phrase(node));
	for (size_t i = 0; is_given(node) && i < node->n; i++) {
		const struct weir_node *key = node->keys[i];
		const struct weir_field *row;
		const char *at = join(b, path,
				      arena_str(b->arena, key->text).ptr);
		void *owner;

		if (has_enabled && weir_str_eq(key->text, WEIR_STR("enabled"))) {
			if (read_enabled(b, node->items[i], at, enabled))
				return -1;
			continue;
		}
		row = find_row(fields, target, key->text, &owner);
		if (!row)
			return unknown_key(b, fields, key, path);
		if (bind_row(b, row, owner, node->items[i], at))
			return -1;
	}
	return 0;
}

int bind_fields(struct arena *arena, const struct weir_field *fields,
		void *target, const struct weir_node *node, const char *path,
		struct weir_error *error)
{
	struct binding b = { .arena = arena, .error = error };
	bool on;

	if (apply_presets(&b, fields, target, path))
		return -1;
	if (bind_block(&b, fields, target, node, path, false, &on))
		return -1;
	return check_required(&b, fields, target, node, path);
}
