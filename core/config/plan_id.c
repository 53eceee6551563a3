/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan_id.c: "type", "type/name", "signal/name".  Pure but for the arena.
 */
#include "plan_parts.h"

#include <weir/regex.h>

#define TYPE_MAX 63
#define NAME_MAX_BYTES 1024

static weir_str trim(weir_str text)
{
	while (text.len && (*text.ptr == ' ' || *text.ptr == '\t')) {
		text.ptr++;
		text.len--;
	}
	while (text.len && (text.ptr[text.len - 1] == ' ' ||
			    text.ptr[text.len - 1] == '\t'))
		text.len--;
	return text;
}

static bool is_type(weir_str type)
{
	for (size_t i = 0; i < type.len; i++) {
		char c = type.ptr[i];
		bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';

		if (!letter && !(i && ((c >= '0' && c <= '9') || c == '_')))
			return false;
	}
	return type.len && type.len <= TYPE_MAX;
}

/* Beyond ASCII it takes the tables of the pattern engine to know. */
static bool is_plain_unicode(weir_str name)
{
	static const char pattern[] = "^[^\\pZ\\pC\\pS]+$";
	struct weir_error ignored;
	struct weir_regex *regex = weir_regex_new(weir_str_of(pattern),
						  &ignored);
	bool good = regex && weir_regex_match(regex, name);

	weir_regex_free(&regex);
	return good;
}

/* No separators, control characters or symbols. */
static bool is_name(weir_str name)
{
	bool ascii = true;

	if (!name.len || name.len > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		if (c <= ' ' || c == 0x7f || strchr("$+<=>^`|~", c))
			return false;
		ascii &= c < 0x80;
	}
	return ascii || is_plain_unicode(name);
}

/* Cuts at the first slash; false and an error when a part is missing. */
static int split(struct planner *p, const struct weir_node *node,
		 const char *path, weir_str *type, weir_str *name)
{
	weir_str id = trim(node->text);
	const char *slash = id.len ? memchr(id.ptr, '/', id.len) : NULL;

	*type = id;
	*name = (weir_str){ NULL, 0 };
	if (!id.len)
		return tree_error(p->error, node, path, "id must not be empty");
	if (!slash)
		return 0;
	*type = trim((weir_str){ id.ptr, (size_t)(slash - id.ptr) });
	*name = trim((weir_str){ slash + 1,
				 id.len - (size_t)(slash - id.ptr) - 1 });
	if (!type->len)
		return tree_error(p->error, node, path, "in \"%.*s\" id: the "
				  "part before / should not be empty",
				  WEIR_STR_FMT(id));
	if (!name->len)
		return tree_error(p->error, node, path, "in \"%.*s\" id: the "
				  "part after / should not be empty",
				  WEIR_STR_FMT(id));
	return 0;
}

static const char *rejoin(struct planner *p, const struct weir_node *node,
			  const char *path, weir_str type, weir_str name)
{
	if (!name.ptr)
		return arena_str(&p->plan->arena, type).ptr;
	if (!is_name(name)) {
		tree_error(p->error, node, path,
			   "invalid character(s) in name \"%.*s\"",
			   WEIR_STR_FMT(name));
		return NULL;
	}
	return arena_printf(&p->plan->arena, "%.*s/%.*s", WEIR_STR_FMT(type),
			    WEIR_STR_FMT(name));
}

const char *plan_id(struct planner *p, const struct weir_node *node,
		    const char *path)
{
	weir_str type, name;

	if (split(p, node, path, &type, &name))
		return NULL;
	if (!is_type(type)) {
		tree_error(p->error, node, path,
			   "invalid character(s) in type \"%.*s\"",
			   WEIR_STR_FMT(type));
		return NULL;
	}
	return rejoin(p, node, path, type, name);
}

weir_str plan_id_type(const char *id)
{
	return (weir_str){ id, strcspn(id, "/") };
}

const char *plan_pipeline_id(struct planner *p, const struct weir_node *node,
			     const char *path, enum weir_signal *signal)
{
	struct nearest nearest = { 0 };
	weir_str type, name;

	if (split(p, node, path, &type, &name))
		return NULL;
	nearest.written = type;
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++) {
		*signal = (enum weir_signal)i;
		nearest_offer(&nearest, weir_str_of(weir_signal_name(*signal)));
		if (weir_str_eq(type, weir_str_of(weir_signal_name(*signal))))
			return rejoin(p, node, path, type, name);
	}
	tree_error(p->error, node, path,
		   "in \"%.*s\" id: unknown pipeline signal: \"%.*s\"%s",
		   WEIR_STR_FMT(node->text), WEIR_STR_FMT(type),
		   nearest_hint(&nearest, &p->plan->arena));
	return NULL;
}
