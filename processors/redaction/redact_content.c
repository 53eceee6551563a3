/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact_content.c: what leaves of a prompt or completion, and the sizes that
 * are told beside it.
 *
 * Holds the sizes between a value and the end of its element's attributes.
 */
#include <stdlib.h>

#include "cut.h"
#include "redact_parts.h"

#define TOLD_SIZES 256	/* of an element: each is looked for among all of its
			 * attributes, of which a sender chooses how many */

void tell_size(struct redactor *r, weir_str key, struct content_size size)
{
	if (r->n_sizes == TOLD_SIZES)
		return;
	if (r->n_sizes == r->cap_sizes) {
		r->cap_sizes = r->cap_sizes ? 2 * r->cap_sizes : 8;
		r->sizes = realloc(r->sizes,
				   r->cap_sizes * sizeof(*r->sizes));
		if (!r->sizes)
			abort();
	}
	r->sizes[r->n_sizes++] = (struct told_size){ key, size };
}

static enum outcome hash_content(struct redactor *r, struct weir_element *e,
				 weir_str text, struct weir_value *value)
{
	struct weir_text *out = &r->work.text[0];

	weir_text_clear(out);
	if (!rules_digest(r->rules, &r->work, text, out)) {
		weir_counter_add(&r->removed[REMOVED_NO_DIGEST], 1);
		return REMOVED;
	}
	*value = string_of(e, (weir_str){ out->ptr, out->len });
	return MASKED;
}

/* Value rules first: what is cut in two they would not know. */
static enum outcome truncate_content(struct redactor *r,
				     struct weir_element *e, size_t max,
				     weir_str text, struct weir_value *value)
{
	struct weir_text *out = &r->work.text[0];
	enum outcome outcome;

	if (value->type == WEIR_VALUE_BYTES) {
		outcome = r->all_levels ? mask_bytes(r, e, value) : UNTOUCHED;
		if (value->str.len <= max)
			return outcome;
		value->str.len = max;
		return MASKED;
	}
	outcome = mask_text(r, e, text, value);
	if (outcome == REMOVED)
		return REMOVED;
	if (outcome == MASKED)
		text = value->str;
	if (text.len <= max)
		return outcome;
	weir_text_clear(out);
	cut_text(text, max, out);
	*value = string_of(e, (weir_str){ out->ptr, out->len });
	return MASKED;
}

static bool has_length(const struct weir_value *value)
{
	return is_container(value) || value->type == WEIR_VALUE_STRING ||
		value->type == WEIR_VALUE_BYTES;
}

bool apply_content(struct redactor *r, struct weir_element *e,
		   const struct content_rule *rule, struct weir_value *value,
		   enum outcome *outcome, struct content_size *size)
{
	weir_str text;

	if (!rule || rule->action == CONTENT_KEEP)
		return false;
	if (rule->action == CONTENT_TRUNCATE && !has_length(value))
		return false;
	text = value->type == WEIR_VALUE_BYTES ? value->str :
		string_form(r, value);
	if (rule->action == CONTENT_TRUNCATE && is_container(value) &&
	    text.len <= rule->max_length)
		return false;
	*size = content_size(value, text);
	switch (rule->action) {
	case CONTENT_DROP:
		*outcome = REMOVED;
		break;
	case CONTENT_HASH:
		*outcome = hash_content(r, e, text, value);
		break;
	case CONTENT_MASK:
		*value = string_of(e, WEIR_STR("****"));
		*outcome = MASKED;
		break;
	default:
		*outcome = truncate_content(r, e, rule->max_length, text,
					    value);
	}
	return true;
}

static void put_size(struct weir_element *e, weir_str key, const char *end,
		     int64_t n)
{
	struct weir_value value = { .type = WEIR_VALUE_INT, .integer = n };
	size_t len = strlen(end);
	weir_str name = { "", key.len + len };
	struct weir_attr *attr;
	char *joined;

	if (n < 0)
		return;
	name.ptr = joined = weir_scratch(e, name.len);
	if (key.len)
		memcpy(joined, key.ptr, key.len);
	memcpy(joined + key.len, end, len);
	attr = weir_attr_find(e, name);
	if (attr)
		weir_attr_replace(e, attr, &value);
	else
		weir_attr_add(e, name, &value);
}

void write_sizes(struct redactor *r, struct weir_element *e)
{
	for (size_t i = 0; i < r->n_sizes; i++) {
		const struct told_size *told = &r->sizes[i];

		put_size(e, told->key, CONTENT_LENGTH, told->size.length);
		put_size(e, told->key, CONTENT_ITEMS, told->size.items);
	}
	r->n_sizes = 0;
}
