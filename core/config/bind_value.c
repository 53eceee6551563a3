/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind_value.c: one YAML value to one member.
 *
 * Strict, as the Collector is: no text becomes a number, no number text.  A
 * bare integer is a duration in nanoseconds; a fraction given for an integer
 * is cut; a string given for a list of strings is split at commas.  What came
 * whole from a ${reference} is text for a string whatever it looks like.
 * Never prints the value of a secret.
 */
#include "bind.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN 64	/* bytes of a bad value that an error repeats */

const char *bind_type_name(const struct weir_field *field)
{
	static const char *const names[] = {
		[WEIR_TYPE_BOOL] = "bool", [WEIR_TYPE_INT] = "int",
		[WEIR_TYPE_UINT32] = "uint32", [WEIR_TYPE_UINT64] = "uint64",
		[WEIR_TYPE_DOUBLE] = "float", [WEIR_TYPE_STR] = "string",
		[WEIR_TYPE_SECRET] = "secret string",
		[WEIR_TYPE_DURATION] = "duration", [WEIR_TYPE_SIZE] = "size",
		[WEIR_TYPE_STRS] = "list of strings",
		[WEIR_TYPE_PAIRS] = "map of strings",
		[WEIR_TYPE_NODE] = "any", [WEIR_TYPE_BLOCK] = "block",
		[WEIR_TYPE_LIST] = "list of blocks",
	};

	return names[field->type];
}

/* --- errors --------------------------------------------------------------------------- */

static int wrong_type(const struct weir_field *field,
		      const struct weir_node *node, const char *path,
		      struct weir_error *error)
{
	const char *hint = "";

	if (field->type == WEIR_TYPE_STR && node->kind <= WEIR_NODE_STR)
		hint = "; put it in quotes";
	return tree_error(error, node, path,
			  "expected type '%s', got unconvertible type '%s'%s",
			  bind_type_name(field), tree_kind_name(node), hint);
}

static int bad_text(const struct weir_node *node, const char *path,
		    const char *what, const char *hint,
		    struct weir_error *error)
{
	return tree_error(error, node, path, "invalid %s \"%.*s\"%s", what,
			  (int)(node->text.len < SHOWN ? node->text.len
						       : SHOWN),
			  node->text.ptr, hint);
}

/* --- numbers ---------------------------------------------------------------------------- */

static int out_of_range(const struct weir_field *field,
			const struct weir_node *node, const char *path,
			struct weir_error *error)
{
	return tree_error(error, node, path, "%.*s does not fit type '%s'",
			  (int)(node->text.len < SHOWN ? node->text.len
						       : SHOWN),
			  node->text.ptr, bind_type_name(field));
}

static bool is_number(const struct weir_node *node)
{
	return node->kind == WEIR_NODE_INT || node->kind == WEIR_NODE_DOUBLE;
}

static bool below_zero(const struct weir_node *node)
{
	if (node->kind == WEIR_NODE_INT)
		return !node->big && node->integer < 0;
	return node->real < 0;
}

static int bind_int(const struct weir_field *field, int64_t *out,
		    const struct weir_node *node, const char *path,
		    struct weir_error *error)
{
	if (!is_number(node))
		return wrong_type(field, node, path, error);
	if (node->big || (node->kind == WEIR_NODE_DOUBLE &&
			  !(fabs(node->real) < 9.2e18)))
		return out_of_range(field, node, path, error);
	*out = weir_node_int(node);
	return 0;
}

static int bind_unsigned(const struct weir_field *field, uint64_t *out,
			 const struct weir_node *node, const char *path,
			 struct weir_error *error)
{
	if (!is_number(node))
		return wrong_type(field, node, path, error);
	if (below_zero(node) || (node->kind == WEIR_NODE_DOUBLE &&
				 !(node->real < 1.8e19)))
		return out_of_range(field, node, path, error);
	*out = node->kind == WEIR_NODE_INT ? (uint64_t)node->integer
					   : (uint64_t)node->real;
	return 0;
}

/* 2^32 and above are taken there; here they mean the most there is. */
static int bind_uint32(const struct weir_field *field, uint32_t *out,
		       const struct weir_node *node, const char *path,
		       struct weir_error *error)
{
	uint64_t wide;

	if (bind_unsigned(field, &wide, node, path, error))
		return -1;
	*out = wide > UINT32_MAX ? UINT32_MAX : (uint32_t)wide;
	return 0;
}

static int bind_double(const struct weir_field *field, double *out,
		       const struct weir_node *node, const char *path,
		       struct weir_error *error)
{
	if (!is_number(node))
		return wrong_type(field, node, path, error);
	*out = weir_node_double(node);
	return 0;
}

static int bind_time(const struct weir_field *field, weir_duration *out,
		     const struct weir_node *node, const char *path,
		     struct weir_error *error)
{
	if (is_number(node))
		return bind_int(field, &out->ns, node, path, error);
	if (node->kind != WEIR_NODE_STR)
		return wrong_type(field, node, path, error);
	if (!bind_duration(node->text, out))
		return bad_text(node, path, "duration",
				": a number with a unit, as 200ms or 1m30s",
				error);
	return 0;
}

static int bind_bytes(const struct weir_field *field, weir_size *out,
		      const struct weir_node *node, const char *path,
		      struct weir_error *error)
{
	if (is_number(node))
		return bind_unsigned(field, &out->bytes, node, path, error);
	if (node->kind != WEIR_NODE_STR)
		return wrong_type(field, node, path, error);
	if (!bind_size(node->text, out))
		return bad_text(node, path, "size",
				": a number of bytes, or as 512KiB or 4MB",
				error);
	return 0;
}

/* --- text ----------------------------------------------------------------------------------- */

static bool is_text(const struct weir_node *node)
{
	return (node->kind == WEIR_NODE_STR && !node->timestamp) ||
	       node->expanded;
}

static int check_choice(struct arena *arena, const struct weir_field *field,
			const struct weir_node *node, const char *path,
			struct weir_error *error)
{
	struct nearest nearest = { .written = node->text };
	const char *list = field->choices;
	weir_str word;

	while (word_next(&list, &word)) {
		if (weir_str_eq(word, node->text))
			return 0;
		nearest_offer(&nearest, word);
	}
	if (!node->text.len && (!field->preset || !*field->preset))
		return 0;
	return tree_error(error, node, path,
			  "unknown value \"%.*s\", expected one of: %s%s",
			  (int)(node->text.len < SHOWN ? node->text.len
						       : SHOWN),
			  node->text.ptr, field->choices,
			  nearest_hint(&nearest, arena));
}

static int bind_text(struct arena *arena, const struct weir_field *field,
		     weir_str *out, const struct weir_node *node,
		     const char *path, struct weir_error *error)
{
	if (!is_text(node))
		return wrong_type(field, node, path, error);
	if (field->choices && check_choice(arena, field, node, path, error))
		return -1;
	*out = node->text;
	return 0;
}

static int bind_strs(struct arena *arena, const struct weir_field *field,
		     struct weir_strs *out, const struct weir_node *node,
		     const char *path, struct weir_error *error)
{
	static const struct weir_field element = { .type = WEIR_TYPE_STR };
	weir_str *items, left = node->text;

	if (node->kind == WEIR_NODE_STR) {
		size_t n = 1;

		for (size_t i = 0; i < left.len; i++)
			n += left.ptr[i] == ',';
		items = arena_alloc(arena, n * sizeof(*items));
		*out = (struct weir_strs){ items, left.len ? n : 0 };
		for (size_t i = 0; i < out->len; i++) {
			size_t len = 0;

			while (len < left.len && left.ptr[len] != ',')
				len++;
			items[i] = (weir_str){ left.ptr, len };
			left.ptr += len + (len < left.len);
			left.len -= len + (len < left.len);
		}
		return 0;
	}
	if (node->kind != WEIR_NODE_LIST)
		return wrong_type(field, node, path, error);
	items = arena_alloc(arena, node->n * sizeof(*items));
	*out = (struct weir_strs){ items, node->n };
	for (size_t i = 0; i < node->n; i++) {
		const struct weir_node *item = node->items[i];

		items[i] = WEIR_STR("");
		if (item->kind == WEIR_NODE_NULL && !item->expanded)
			continue;
		if (bind_text(arena, &element, &items[i], item,
			      arena_printf(arena, "%s[%zu]", path, i), error))
			return -1;
	}
	return 0;
}

/* --- header maps: {k: v} or [{name: k, value: v}] ------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct weir_pair *x = a, *y = b;
	size_t shorter = x->name.len < y->name.len ? x->name.len : y->name.len;
	int order = shorter ? memcmp(x->name.ptr, y->name.ptr, shorter) : 0;

	if (order)
		return order;
	return x->name.len < y->name.len ? -1 : x->name.len > y->name.len;
}

static const struct weir_field pair_rows[] = {
	{ .key = "name", .type = WEIR_TYPE_STR,
	  .offset = offsetof(struct weir_pair, name) },
	{ .key = "value", .type = WEIR_TYPE_SECRET,
	  .offset = offsetof(struct weir_pair, value) },
	WEIR_END
};

static int bind_entry(struct arena *arena, struct weir_pair *pair,
		      const struct weir_node *node, size_t i, const char *path,
		      struct weir_error *error)
{
	if (node->kind == WEIR_NODE_LIST)
		return bind_fields(arena, pair_rows, pair, node->items[i],
				   arena_printf(arena, "%s[%zu]", path, i),
				   error);
	pair->name = node->keys[i]->text;
	if (node->items[i]->kind == WEIR_NODE_NULL && !node->items[i]->expanded)
		return 0;
	return bind_text(arena, &pair_rows[1], &pair->value.text,
			 node->items[i],
			 arena_printf(arena, "%s.%.*s", path,
				      WEIR_STR_FMT(pair->name)), error);
}

static int bind_pairs(struct arena *arena, const struct weir_field *field,
		      struct weir_pairs *out, const struct weir_node *node,
		      const char *path, struct weir_error *error)
{
	struct weir_pair *items;

	if (node->kind != WEIR_NODE_MAP && node->kind != WEIR_NODE_LIST)
		return wrong_type(field, node, path, error);
	items = arena_alloc(arena, node->n * sizeof(*items));
	for (size_t i = 0; i < node->n; i++)
		if (bind_entry(arena, &items[i], node, i, path, error))
			return -1;
	qsort(items, node->n, sizeof(*items), by_name);
	for (size_t i = 1; i < node->n; i++)
		if (weir_str_eq(items[i - 1].name, items[i].name))
			return tree_error(error, node, path,
				"duplicate keys in map-style list: [%.*s]",
				WEIR_STR_FMT(items[i].name));
	*out = (struct weir_pairs){ items, node->n };
	return 0;
}

/* --- one row -------------------------------------------------------------------------------- */

int bind_value(struct arena *arena, const struct weir_field *field,
	       void *target, const struct weir_node *node, const char *path,
	       struct weir_error *error)
{
	switch ((enum weir_field_type)field->type) {
	case WEIR_TYPE_BOOL:
		if (node->kind != WEIR_NODE_BOOL)
			return wrong_type(field, node, path, error);
		*(bool *)target = node->boolean;
		return 0;
	case WEIR_TYPE_INT:
		return bind_int(field, target, node, path, error);
	case WEIR_TYPE_UINT32:
		return bind_uint32(field, target, node, path, error);
	case WEIR_TYPE_UINT64:
		return bind_unsigned(field, target, node, path, error);
	case WEIR_TYPE_DOUBLE:
		return bind_double(field, target, node, path, error);
	case WEIR_TYPE_STR:
		return bind_text(arena, field, target, node, path, error);
	case WEIR_TYPE_SECRET:
		return bind_text(arena, field, &((weir_secret *)target)->text,
				 node, path, error);
	case WEIR_TYPE_DURATION:
		return bind_time(field, target, node, path, error);
	case WEIR_TYPE_SIZE:
		return bind_bytes(field, target, node, path, error);
	case WEIR_TYPE_STRS:
		return bind_strs(arena, field, target, node, path, error);
	case WEIR_TYPE_PAIRS:
		return bind_pairs(arena, field, target, node, path, error);
	case WEIR_TYPE_NODE:
		*(const struct weir_node **)target = node;
		return 0;
	case WEIR_TYPE_BLOCK:
	case WEIR_TYPE_LIST:
		break;		/* bind.c's */
	}
	return wrong_type(field, node, path, error);
}
