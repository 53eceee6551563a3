/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact_value.c: the rules, applied to one scalar.
 *
 * Allowed values, JSON in a string, patterns and detectors, sanitizers.  Holds
 * nothing between values but memory that is used again.
 */
#include "cut.h"
#include "redact_parts.h"

static void sanitize(struct redactor *r, struct weir_element *e,
		     weir_str *text)
{
	if (r->spot == SPOT_ATTRIBUTE)
		sanitize_attribute(r->sanitizers, &r->work, &r->system,
				   weir_element_signal(e) == WEIR_SIGNAL_LOGS,
				   r->key, text);
	else if (r->spot == SPOT_BODY)
		sanitize_body(r->sanitizers, &r->work, text);
}

static bool is_structured(const struct redactor *r, weir_str text)
{
	const struct patterns *keys = r->structured_keys;

	if (!r->structured || !holds_json(text))
		return false;
	return !keys->n || patterns_match(keys, r->key) ||
		(r->entry.len && patterns_match(keys, r->entry));
}

/* Its strings are asked for, one by one, not the JSON as a whole. */
static bool redact_json(struct redactor *r, weir_str text, weir_str *masked)
{
	enum structured made;

	r->json.rules = r->rules;
	r->json.work = &r->work;
	r->json.delete_blocked = r->delete_blocked;
	made = structured_redact(&r->json, &r->structure, text, masked);
	for (unsigned i = 0; i < STRUCTURED_KINDS; i++) {
		weir_counter_add(&r->removed[i], r->json.removed[i]);
		r->json.removed[i] = 0;
	}
	r->took |= r->json.took;
	r->json.took = false;
	if (made == STRUCTURED_SAME)
		*masked = text;
	if (made <= STRUCTURED_CHANGED)
		return true;
	weir_counter_add(&r->removed[made], 1);
	return false;
}

static void mask_by_rules(struct redactor *r, weir_str text, bool quoted,
			  weir_str *masked)
{
	struct named named = { r->name, quoted };

	if (r->name.len)
		rules_mask_named(r->rules, &r->work, &named, text, masked);
	else
		rules_mask(r->rules, &r->work, text, masked);
}

/* levels: all: patterns are for texts, but a card number or a password may come
 * as a number, too. */
static bool is_secret_number(struct redactor *r, const struct weir_value *value)
{
	if (!r->all_levels || !r->rules->detectors.on ||
	    (value->type != WEIR_VALUE_INT &&
	     !(value->type == WEIR_VALUE_DOUBLE && r->name.len)))
		return false;
	return rules_detect_number(r->rules, &r->work, r->name,
				   string_form(r, value));
}

enum outcome mask_text(struct redactor *r, struct weir_element *e,
		       weir_str text, struct weir_value *value)
{
	weir_str masked;

	if (is_structured(r, text)) {
		if (!redact_json(r, text, &masked))
			return REMOVED;
	} else if (rules_allow(r->rules, text)) {
		return ALLOWED;
	} else {
		mask_by_rules(r, text, value->type == WEIR_VALUE_STRING,
			      &masked);
	}
	sanitize(r, e, &masked);
	if (masked.len == text.len &&
	    (masked.ptr == text.ptr || weir_str_eq(masked, text)))
		return UNTOUCHED;
	*value = string_of(e, masked);
	return MASKED;
}

enum outcome mask_bytes(struct redactor *r, struct weir_element *e,
			struct weir_value *value)
{
	weir_str masked;

	if (rules_allow(r->rules, value->str))
		return ALLOWED;
	mask_by_rules(r, value->str, true, &masked);
	if (weir_str_eq(masked, value->str))
		return UNTOUCHED;
	value->str = weir_scratch_str(e, masked);
	return MASKED;
}

enum outcome mask_scalar(struct redactor *r, struct weir_element *e,
			 bool any_type, struct weir_value *value)
{
	enum outcome outcome = UNTOUCHED;
	weir_str text = WEIR_STR("");

	if (r->all_levels && value->type == WEIR_VALUE_BYTES)
		outcome = mask_bytes(r, e, value);
	if (outcome != UNTOUCHED)
		return outcome;
	if (value->type == WEIR_VALUE_STRING)
		text = value->str;
	else if (any_type || is_secret_number(r, value))
		text = string_form(r, value);
	return mask_text(r, e, text, value);
}
