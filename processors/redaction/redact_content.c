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

/* --- What the other rules leave ------------------------------------------------- */

/* As text; what is cut in two, or hashed, they would not know afterwards. */
struct left {
	enum outcome outcome;
	weir_str text;
};

static bool is_looked_into(const struct redactor *r,
			   const struct weir_value *value)
{
	return is_container(value) && (r->all_levels || r->spot == SPOT_BODY);
}

/* A list or map that is not inside of another one. */
static void look_into(struct redactor *r, struct weir_element *e,
		      struct weir_value *value)
{
	enum spot spot = r->spot;
	bool body = spot == SPOT_BODY;

	if (!body)
		r->spot = SPOT_TEXT;
	redact_inside(r, e, body ? WEIR_STR("") : r->key,
		      body || r->rules->all_types, value);
	r->spot = spot;
	r->entry = WEIR_STR("");
}

/* The text of one whose inside has been looked at: what only the whole shows. */
static struct left left_of_inside(struct redactor *r,
				  const struct weir_value *value)
{
	struct left left = { MASKED, string_form(r, value) };

	if (!rules_allow(r->rules, left.text))
		rules_mask(r->rules, &r->work, left.text, &left.text);
	return left;
}

static struct left left_of(struct redactor *r, struct weir_element *e,
			   struct weir_value *value)
{
	struct left left;

	if (is_looked_into(r, value))
		return left_of_inside(r, value);
	if (value->type == WEIR_VALUE_BYTES) {
		left.outcome = r->all_levels ? mask_bytes(r, e, value) :
					       UNTOUCHED;
		left.text = value->str;
		return left;
	}
	left.text = string_form(r, value);
	left.outcome = mask_text(r, e, left.text, value);
	if (left.outcome == MASKED)
		left.text = value->str;
	return left;
}

/* --- Actions -------------------------------------------------------------------- */

static enum outcome hash_content(struct redactor *r, struct weir_element *e,
				 struct weir_value *value)
{
	struct left left = left_of(r, e, value);
	struct weir_text *out = &r->work.text[2];

	if (left.outcome == REMOVED)
		return REMOVED;
	weir_text_clear(out);
	if (!rules_digest(r->rules, &r->work, left.text, out)) {
		weir_counter_add(&r->removed[STRUCTURED_NO_DIGEST], 1);
		return REMOVED;
	}
	*value = string_of(e, (weir_str){ out->ptr, out->len });
	return MASKED;
}

static enum outcome truncate_content(struct redactor *r,
				     struct weir_element *e, size_t max,
				     struct weir_value *value)
{
	struct left left = left_of(r, e, value);
	struct weir_text *out = &r->work.text[2];

	if (left.outcome == REMOVED)
		return REMOVED;
	if (value->type == WEIR_VALUE_BYTES) {
		if (left.text.len <= max)
			return left.outcome;
		value->str.len = max;
		return MASKED;
	}
	if (left.text.len <= max && !is_container(value))
		return left.outcome;
	weir_text_clear(out);
	cut_text(left.text, max, out);
	*value = string_of(e, (weir_str){ out->ptr, out->len });
	return MASKED;
}

static bool has_length(const struct weir_value *value)
{
	return is_container(value) || value->type == WEIR_VALUE_STRING ||
		value->type == WEIR_VALUE_BYTES;
}

/* May it leave as long as it is?  *size: of what came. */
static bool is_short(struct redactor *r, const struct content_rule *rule,
		     const struct weir_value *value, struct content_size *size)
{
	weir_str text;

	if (!has_length(value) && rule->action == CONTENT_TRUNCATE)
		return true;
	text = value->type == WEIR_VALUE_BYTES ? value->str :
		string_form(r, value);
	*size = content_size(value, text);
	return rule->action == CONTENT_TRUNCATE && is_container(value) &&
		text.len <= rule->max_length;
}

bool apply_content(struct redactor *r, struct weir_element *e,
		   const struct content_rule *rule, bool inside,
		   struct weir_value *value, enum outcome *outcome,
		   struct content_size *size)
{
	if (!rule || rule->action == CONTENT_KEEP ||
	    is_short(r, rule, value, size))
		return false;
	if (!inside && content_waits(rule) && is_looked_into(r, value))
		look_into(r, e, value);
	switch (rule->action) {
	case CONTENT_DROP:
		*outcome = REMOVED;
		break;
	case CONTENT_HASH:
		*outcome = hash_content(r, e, value);
		break;
	case CONTENT_MASK:
		*value = string_of(e, WEIR_STR("****"));
		*outcome = MASKED;
		break;
	default:
		*outcome = truncate_content(r, e, rule->max_length, value);
	}
	return true;
}

/* --- Sizes ---------------------------------------------------------------------- */

void tell_came(struct redactor *r, weir_str key,
	       const struct weir_value *came)
{
	weir_str text = came->type == WEIR_VALUE_BYTES ? came->str :
		string_form(r, came);

	tell_size(r, key, content_size(came, text));
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
