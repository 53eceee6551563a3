/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actions.c: the action grammar, checked and compiled (weir/kit/actions.h).
 *
 * Holds nothing but the rows.  The sentences are the Collector's, and so is
 * the order in which an action's mistakes are found.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <weir/kit/digest.h>
#include <weir/kit/node_value.h>

#include "actions_private.h"

const struct weir_field weir_action_rows[] = {
	WEIR_FIELD(struct weir_action, key, NULL,
		   "Attribute to act on."),
	WEIR_FIELD(struct weir_action, action, NULL,
		   "What to do: insert, update, upsert, delete, hash, extract "
		   "or convert."),
	WEIR_FIELD(struct weir_action, value, NULL,
		   "Value to set; its type is that of the YAML value."),
	WEIR_FIELD(struct weir_action, from_attribute, NULL,
		   "Attribute to copy the value from."),
	WEIR_FIELD(struct weir_action, from_context, NULL,
		   "Take the value from the request: client.address, "
		   "metadata.<key> or auth.<attribute>."),
	WEIR_FIELD(struct weir_action, default_value, NULL,
		   "Value to set when the source has none."),
	WEIR_FIELD(struct weir_action, pattern, NULL,
		   "Regular expression: of keys (delete, hash), or of the "
		   "value, with named groups (extract)."),
	WEIR_FIELD(struct weir_action, converted_type, NULL,
		   "Type to convert to: int, double or string."),
	WEIR_END
};

/* What is being compiled, for its errors. */
struct at {
	const struct weir_action *a;
	const char *list;
	size_t i;
	char verb[32];		/* lower case */
	struct weir_error *error;
};

static int fail_at(const struct at *at, const char *member, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s[%zu].%s", at->list, at->i, member);
	return weir_fail(at->error, path, "%s", text);
}

/* "error with key ...: error creating AttrProc" and the rest. */
static int refuse(const struct at *at, const char *member, const char *format,
		  ...) WEIR_PRINTF(3, 4);
static int refuse(const struct at *at, const char *member, const char *format,
		  ...)
{
	char rest[300], text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(rest, sizeof(rest), format, args);
	va_end(args);
	snprintf(text, sizeof(text), "error with key \"%.*s\" (%zu-th action): "
		 "error creating AttrProc%s", WEIR_STR_FMT(at->a->key), at->i,
		 rest);
	return fail_at(at, member, text);
}

static bool given(const struct weir_node *node)
{
	return weir_node_kind(node) != WEIR_NODE_NULL;
}

static int count_sources(const struct weir_action *a)
{
	return given(a->value) + (a->from_attribute.len > 0) +
		(a->from_context.len > 0);
}

static int unused(const struct at *at, const char *member)
{
	return refuse(at, member, ". Action \"%s\" does not use the \"%s\" "
		      "field. This must not be specified", at->verb, member);
}

/* --- Sources -------------------------------------------------------------------- */

static bool starts_with(weir_str text, weir_str front)
{
	return text.len >= front.len &&
		!memcmp(text.ptr, front.ptr, front.len);
}

static weir_str behind(weir_str text, weir_str front)
{
	return (weir_str){ text.ptr + front.len, text.len - front.len };
}

static weir_str lower(weir_str text)
{
	char *copy = malloc(text.len + 1);

	if (!copy)
		abort();
	for (size_t i = 0; i < text.len; i++)
		copy[i] = (char)tolower((unsigned char)text.ptr[i]);
	return (weir_str){ copy, text.len };
}

static void set_context(struct step *step, weir_str name)
{
	if (weir_str_eq(name, WEIR_STR("client.address"))) {
		step->context = FROM_ADDRESS;
	} else if (starts_with(name, WEIR_STR("auth."))) {
		step->context = FROM_AUTH;
		name = behind(name, WEIR_STR("auth."));
		step->context_name = name;
	} else if (name.len) {	/* any other name is looked up as it is */
		step->context = FROM_METADATA;
		if (starts_with(name, WEIR_STR("metadata.")))
			name = behind(name, WEIR_STR("metadata."));
		step->context_name = lower(name);
	}
}

static int compile_set(struct step *step, const struct at *at)
{
	const struct weir_action *a = at->a;
	int sources = count_sources(a);

	if (!sources && !given(a->default_value))
		return refuse(at, "action", ". Either field \"value\", "
			      "\"from_attribute\", \"from_context\", or "
			      "\"default_value\" must be specified");
	if (sources > 1)
		return refuse(at, "action", " due to multiple value sources "
			      "being set");
	if (a->pattern.len)
		return unused(at, "pattern");
	if (a->converted_type.len)
		return unused(at, "converted_type");
	step->has_value = given(a->value);
	step->value = weir_value_of_node(a->value, &step->value_memory);
	step->has_default = given(a->default_value);
	step->default_value = weir_value_of_node(a->default_value,
						 &step->default_memory);
	step->from_attribute = a->from_attribute;
	set_context(step, a->from_context);
	return 0;
}

/* --- Patterns --------------------------------------------------------------------- */

static int compile_pattern(struct step *step, const struct at *at)
{
	struct weir_error why;

	step->pattern = weir_regex_new(at->a->pattern, &why);
	if (step->pattern)
		return 0;
	return refuse(at, "pattern", ". Field \"pattern\" has invalid pattern: "
		      "\"%.*s\"", WEIR_STR_FMT(at->a->pattern));
}

/* delete and hash: by key, by pattern, or both. */
static int compile_by_key(struct step *step, const struct at *at)
{
	const struct weir_action *a = at->a;

	if (given(a->value) || a->from_attribute.len)
		return refuse(at, given(a->value) ? "value" : "from_attribute",
			      ". Action \"%s\" does not use \"value\" or "
			      "\"from_attribute\" field. These must not be "
			      "specified", at->verb);
	if (a->pattern.len && compile_pattern(step, at))
		return -1;
	if (a->converted_type.len)
		return unused(at, "converted_type");
	return 0;
}

static int check_groups(const struct step *step, const struct at *at)
{
	size_t n = weir_regex_groups(step->pattern);

	if (!n)
		return refuse(at, "pattern", ". Field \"pattern\" contains no "
			      "named matcher groups");
	for (size_t i = 1; i <= n; i++)
		if (!weir_regex_group_name(step->pattern, i).len)
			return refuse(at, "pattern", ". Field \"pattern\" "
				      "contains at least one unnamed matcher "
				      "group");
	return 0;
}

static int compile_extract(struct step *step, const struct at *at)
{
	const struct weir_action *a = at->a;

	if (count_sources(a))
		return refuse(at, "action", ". Action \"%s\" does not use a "
			      "value source field. These must not be specified",
			      at->verb);
	if (!a->pattern.len)
		return refuse(at, "action", " due to missing required field "
			      "\"pattern\" for action \"%s\"", at->verb);
	if (a->converted_type.len)
		return unused(at, "converted_type");
	if (compile_pattern(step, at))
		return -1;
	return check_groups(step, at);
}

static int compile_convert(struct step *step, const struct at *at)
{
	weir_str to = at->a->converted_type;

	if (count_sources(at->a) || at->a->pattern.len)
		return refuse(at, "action", ". Action \"%s\" does not use value "
			      "sources or \"pattern\" field. These must not be "
			      "specified", at->verb);
	if (weir_str_eq(to, WEIR_STR("string")))
		step->to = WEIR_VALUE_STRING;
	else if (weir_str_eq(to, WEIR_STR("int")))
		step->to = WEIR_VALUE_INT;
	else if (weir_str_eq(to, WEIR_STR("double")))
		step->to = WEIR_VALUE_DOUBLE;
	else if (!to.len)
		return refuse(at, "action", " due to missing required field "
			      "\"converted_type\" for action \"%s\"", at->verb);
	else
		return refuse(at, "converted_type", " due to invalid value "
			      "\"%.*s\" in field \"converted_type\" for action "
			      "\"%s\"", WEIR_STR_FMT(to), at->verb);
	return 0;
}

/* --- One action ---------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*compile)(struct step *step, const struct at *at);
} verbs[VERBS] = {
	[INSERT] = { "insert", compile_set },
	[UPDATE] = { "update", compile_set },
	[UPSERT] = { "upsert", compile_set },
	[DELETE] = { "delete", compile_by_key },
	[HASH] = { "hash", compile_by_key },
	[EXTRACT] = { "extract", compile_extract },
	[CONVERT] = { "convert", compile_convert },
};

static int check_key(const struct at *at, enum verb verb)
{
	char text[256];

	if (at->a->key.len)
		return 0;
	if (verb == DELETE || verb == HASH) {
		if (at->a->pattern.len)
			return 0;
		snprintf(text, sizeof(text), "error creating AttrProc due to "
			 "missing required field (at least one of \"key\" and "
			 "\"pattern\" have to be used) at the %zu-th action",
			 at->i);
	} else {
		snprintf(text, sizeof(text), "error creating AttrProc due to "
			 "missing required field \"key\" at the %zu-th action",
			 at->i);
	}
	return fail_at(at, "key", text);
}

static int compile_step(struct step *step, struct at *at)
{
	enum verb verb = 0;

	snprintf(at->verb, sizeof(at->verb), "%.*s",
		 WEIR_STR_FMT(at->a->action));
	for (char *c = at->verb; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	while (verb < VERBS && strcmp(at->verb, verbs[verb].name))
		verb++;
	if (check_key(at, verb))
		return -1;
	step->verb = verb;
	step->key = at->a->key;
	if (verb == VERBS)
		return refuse(at, "action", " due to unsupported action \"%s\"",
			      at->verb);
	return verbs[verb].compile(step, at);
}

/* --- The list ---------------------------------------------------------------------------- */

static int need_digest(struct weir_error *error)
{
	struct weir_digest *digest = weir_digest_new(WEIR_DIGEST_SHA256,
						     WEIR_STR(""), error);

	if (!digest)
		return -1;
	weir_digest_free(&digest);
	return 0;
}

struct weir_actions *weir_actions_new(struct weir_list configured,
				      const char *list,
				      struct weir_error *error)
{
	const struct weir_action *items = configured.items;
	struct weir_actions *actions;

	actions = calloc(1, sizeof(*actions) +
			 configured.len * sizeof(*actions->steps));
	if (!actions)
		abort();
	for (size_t i = 0; i < configured.len; i++) {
		struct at at = { &items[i], list, i, "", error };

		actions->n++;
		if (compile_step(&actions->steps[i], &at))
			goto fail;
		if (actions->steps[i].verb == HASH && need_digest(error))
			goto fail;
	}
	return actions;
fail:
	weir_actions_free(&actions);
	return NULL;
}

void weir_actions_free(struct weir_actions **actions)
{
	if (!*actions)
		return;
	for (size_t i = 0; i < (*actions)->n; i++) {
		struct step *step = &(*actions)->steps[i];

		weir_regex_free(&step->pattern);
		free(step->value_memory);
		free(step->default_memory);
		if (step->context == FROM_METADATA)
			free((char *)(uintptr_t)step->context_name.ptr);
	}
	free(*actions);
	*actions = NULL;
}

/* --- Interest ------------------------------------------------------------------------------ */

static void want_pattern(const struct weir_regex *pattern,
			 struct weir_interest *interest, uint32_t where)
{
	weir_str word;
	size_t i = 0;

	while (weir_regex_word(pattern, i, &word)) {
		weir_interest_key(interest, where, word);
		i++;
	}
	if (!i)
		weir_interest_key_regex(interest, where, pattern);
}

static void want_step(const struct step *step, struct weir_interest *interest,
		      uint32_t where)
{
	switch (step->verb) {
	case INSERT:
	case UPSERT:
		if (step->from_attribute.len && !step->has_default)
			weir_interest_key(interest, where,
					  step->from_attribute);
		else
			weir_interest_always(interest, where);
		break;
	default:	/* an empty key is one: as in the Collector */
		weir_interest_key(interest, where, step->key);
		if (step->pattern && step->verb != EXTRACT)
			want_pattern(step->pattern, interest, where);
	}
}

void weir_actions_interest(const struct weir_actions *actions,
			   struct weir_interest *interest, uint32_t where)
{
	for (size_t i = 0; i < actions->n; i++)
		want_step(&actions->steps[i], interest, where);
}
