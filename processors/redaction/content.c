/* SPDX-License-Identifier: Apache-2.0 */
/*
 * content.c: prompts and completions, and what may leave of them.
 *
 * Holds nothing between values.
 */
#include <stdio.h>
#include <stdlib.h>

#include <weir/json.h>

#include "content.h"
#include "cut.h"

const struct weir_field content_rows[] = {
	WEIR_FIELD(struct content_config, key, NULL,
		   "The attribute that holds it; body is a log record's."),
	WEIR_FIELD(struct content_config, pattern, NULL,
		   "Or a pattern of such keys."),
	WEIR_FIELD(struct content_config, action, NULL,
		   "What leaves of it: all, nothing, a digest, the beginning, "
		   "or stars.",
		   .flags = WEIR_REQUIRED,
		   .choices = "keep drop hash truncate mask"),
	WEIR_FIELD(struct content_config, max_length, "0",
		   "truncate: so many bytes."),
	WEIR_END
};

/* --- Configuration ------------------------------------------------------------ */

static enum content_action action_of(weir_str name)
{
	static const char *const names[] = {
		[CONTENT_KEEP] = "keep", [CONTENT_DROP] = "drop",
		[CONTENT_HASH] = "hash", [CONTENT_TRUNCATE] = "truncate",
		[CONTENT_MASK] = "mask",
	};
	size_t i = 0;

	while (!weir_str_eq(name, weir_str_of(names[i])))
		i++;		/* the row's choices let no other through */
	return (enum content_action)i;
}

static int init_rule(struct content_rule *rule,
		     const struct content_config *config, const char *path,
		     struct weir_error *error)
{
	rule->action = action_of(config->action);
	rule->key = config->key;
	rule->max_length = config->max_length.bytes;
	if (!config->key.len == !config->pattern.len)
		return weir_fail(error, path, "needs either key or pattern");
	if (rule->action == CONTENT_TRUNCATE && !rule->max_length)
		return weir_fail(error, path, "truncate needs max_length");
	if (rule->action != CONTENT_TRUNCATE && rule->max_length)
		return weir_fail(error, path, "max_length goes with truncate "
				 "only");
	if (!config->pattern.len)
		return 0;
	rule->pattern = weir_regex_new(config->pattern, error);
	if (!rule->pattern)
		snprintf(error->path, sizeof(error->path), "%s.pattern", path);
	return rule->pattern ? 0 : -1;
}

int contents_init(struct contents *contents, struct weir_list config,
		  struct weir_error *error)
{
	const struct content_config *items = config.items;
	char path[64];

	contents->v = calloc(config.len ? config.len : 1,
			     sizeof(*contents->v));
	if (!contents->v)
		abort();
	for (size_t i = 0; i < config.len; i++) {
		struct content_rule *rule = &contents->v[contents->n++];

		snprintf(path, sizeof(path), "content[%zu]", i);
		if (init_rule(rule, &items[i], path, error))
			return -1;
		contents->hashes |= rule->action == CONTENT_HASH;
	}
	return 0;
}

void contents_release(struct contents *contents)
{
	for (size_t i = 0; i < contents->n; i++)
		weir_regex_free(&contents->v[i].pattern);
	free(contents->v);
	*contents = (struct contents){ 0 };
}

size_t contents_find(const struct contents *contents, weir_str key)
{
	for (size_t i = 0; i < contents->n; i++) {
		const struct content_rule *rule = &contents->v[i];

		if (rule->pattern ? weir_regex_match(rule->pattern, key) :
				    weir_str_eq(rule->key, key))
			return i + 1;
	}
	return 0;
}

/* --- Sizes ---------------------------------------------------------------------- */

static int64_t count_json(weir_str text)
{
	struct weir_json json;
	int64_t n = 0;

	size_t front = json_front(text);

	weir_json_open(&json, (weir_str){ text.ptr + front,
					  text.len - front });
	weir_json_next(&json);
	while (weir_json_next(&json) > WEIR_JSON_END && json.depth) {
		n++;
		if (!weir_json_skip(&json))
			return -1;
	}
	return weir_json_next(&json) == WEIR_JSON_END ? n : -1;
}

static int64_t count_items(const struct weir_value *value)
{
	struct weir_value_cursor cur = weir_value_items(value);
	int64_t n = 0;

	while (weir_value_next(&cur))
		n++;
	return n;
}

struct content_size content_size(const struct weir_value *value, weir_str text)
{
	struct content_size size = { (int64_t)text.len, -1 };

	if (value->type == WEIR_VALUE_LIST || value->type == WEIR_VALUE_MAP)
		size.items = count_items(value);
	else if (value->type == WEIR_VALUE_STRING && begins_as_json(text))
		size.items = count_json(text);
	return size;
}

static bool ends_with(weir_str text, weir_str end)
{
	return text.len >= end.len &&
		!memcmp(text.ptr + text.len - end.len, end.ptr, end.len);
}

bool content_is_size(weir_str key, const struct weir_value *value)
{
	return value->type == WEIR_VALUE_INT &&
		(ends_with(key, WEIR_STR(CONTENT_LENGTH)) ||
		 ends_with(key, WEIR_STR(CONTENT_ITEMS)));
}
