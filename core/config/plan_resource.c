/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_resource.c: service.telemetry.resource: attributes of this process, by
 * name or as a list of {name, value}.  Not both.
 */
#include "plan_telemetry.h"

#define PATH "service.telemetry.resource"

struct attribute {
	weir_str name;
	const struct weir_node *value, *type;
};

static const struct weir_field attribute_rows[] = {
	WEIR_FIELD(struct attribute, name, "", "Of the attribute."),
	WEIR_FIELD(struct attribute, value, NULL, "Any scalar."),
	WEIR_FIELD(struct attribute, type, NULL, "Refused: the value has one."),
	WEIR_END
};

static struct weir_label *next(struct planner *p, size_t most)
{
	struct plan_telemetry *t = &p->plan->telemetry;

	if (!t->resource)
		t->resource = arena_alloc(&p->plan->arena,
					  most * sizeof(*t->resource));
	return &t->resource[t->n_resource++];
}

/* --- a list ------------------------------------------------------------------------ */

/* The text of a scalar, and of a list of scalars "[a b]", as there. */
static weir_str text_of(struct planner *p, const struct weir_node *value)
{
	const char *text = "[";

	if (weir_node_kind(value) != WEIR_NODE_LIST)
		return weir_node_text(value);
	for (size_t i = 0; i < value->n; i++)
		text = arena_printf(&p->plan->arena, "%s%s%.*s", text,
				    i ? " " : "",
				    WEIR_STR_FMT(weir_node_text(
					    value->items[i])));
	return weir_str_of(arena_printf(&p->plan->arena, "%s]", text));
}

static int read_declared(struct planner *p, const struct weir_node *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct attribute a = { 0 };
		const char *path = arena_printf(&p->plan->arena,
						PATH ".attributes[%zu]", i);

		if (bind_fields(&p->plan->arena, attribute_rows, &a,
				list->items[i], path, p->error))
			return -1;
		if (weir_node_kind(a.type) != WEIR_NODE_NULL)
			return tree_error(p->error, a.type, path,
				"type is not possible: the attribute has the "
				"type of its value");
		if (weir_node_kind(a.value) == WEIR_NODE_MAP)
			return tree_error(p->error, a.value, path,
				"the value is a map, expected a scalar");
		*next(p, list->n) = (struct weir_label){ a.name,
							 text_of(p, a.value) };
	}
	return 0;
}

/* --- by name ------------------------------------------------------------------------ */

static int read_inline(struct planner *p, const struct weir_node *map)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct weir_node *value = map->items[i];
		weir_str name = weir_node_key(map, i);
		struct weir_label *label;

		if (weir_node_kind(value) >= WEIR_NODE_LIST)
			return tree_error(p->error, value, PATH,
				"the value of \"%.*s\" is a %s, expected a "
				"string or null", WEIR_STR_FMT(name),
				tree_kind_name(value));
		if (weir_node_kind(value) != WEIR_NODE_NULL &&
		    value->kind != WEIR_NODE_STR && !value->expanded)
			return tree_error(p->error, value, PATH,
				"legacy resource attribute \"%.*s\" must be "
				"string or null", WEIR_STR_FMT(name));
		label = next(p, map->n);
		label->name = name;
		if (weir_node_kind(value) != WEIR_NODE_NULL)
			label->value = value->text;
	}
	return 0;
}

/* --- which of them -------------------------------------------------------------------- */

/* A key of the list's form, that says nothing here. */
static bool is_other_key(weir_str key)
{
	return weir_str_eq(key, WEIR_STR("attributes")) ||
	       weir_str_eq(key, WEIR_STR("schema_url")) ||
	       weir_str_eq(key, WEIR_STR("detectors")) ||
	       weir_str_eq(key, WEIR_STR("detection/development"));
}

static int check_form(struct planner *p, const struct weir_node *map)
{
	for (size_t i = 0; i < map->n; i++)
		if (!is_other_key(map->keys[i]->text))
			return tree_error(p->error, map->keys[i], PATH,
				"resource::attributes cannot be used together "
				"with legacy inline resource attributes");
	return 0;
}

int plan_read_resource(struct planner *p, const struct weir_node *node)
{
	const struct weir_node *listed, *text;

	if (weir_node_kind(node) == WEIR_NODE_NULL)
		return 0;
	if (node->kind != WEIR_NODE_MAP)
		return tree_error(p->error, node, PATH,
				  "expected a map, got %s",
				  tree_kind_phrase(node));
	listed = weir_node_get(node, WEIR_STR("attributes"));
	text = weir_node_get(node, WEIR_STR("attributes_list"));
	if (text)
		return tree_error(p->error, text, PATH,
				  "resource::attributes_list is not currently "
				  "supported, please use resource::attributes");
	if (weir_node_kind(listed) != WEIR_NODE_LIST)
		return read_inline(p, node);
	return check_form(p, node) || read_declared(p, listed) ? -1 : 0;
}
