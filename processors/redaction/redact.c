/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact.c: the rules, applied to one element.
 *
 * Holds nothing between elements but memory that is used again.
 */
#include <stdlib.h>

#include "redact_parts.h"

void redactor_release(struct redactor *r)
{
	structure_free(&r->structure);
	free(r->sizes);
	work_release(&r->work);
	tally_release(&r->tally);
}

/* --- Attributes -------------------------------------------------------------------- */

static void remove_attribute(struct redactor *r, struct weir_element *e,
			     struct weir_attr *attr)
{
	done(r, DONE_REDACTED, attr->key);
	weir_attr_remove(e, attr);
}

/* The value becomes a string whatever its type was. */
static void block_attribute(struct redactor *r, struct weir_element *e,
			    struct weir_attr *attr)
{
	weir_str text = WEIR_STR(""), masked;
	struct weir_value value;

	if (attr->value.type == WEIR_VALUE_STRING)
		text = attr->value.str;
	else if (r->rules->all_types)
		text = string_form(r, &attr->value);
	if (rules_allow(r->rules, text)) {
		done(r, DONE_ALLOWED, attr->key);
		return;
	}
	if (r->delete_blocked) {
		remove_attribute(r, e, attr);
		return;
	}
	rules_mask_whole(r->rules, &r->work, text, &masked);
	value = string_of(e, masked);
	done(r, DONE_MASKED, attr->key);
	weir_attr_replace(e, attr, &value);
}

static void replace_attribute(struct redactor *r, struct weir_element *e,
			      struct weir_attr *attr, enum outcome outcome,
			      const struct weir_value *value)
{
	switch (outcome) {
	case ALLOWED:
		done(r, DONE_ALLOWED, attr->key);
		break;
	case MASKED:
		done(r, DONE_MASKED, attr->key);
		weir_attr_replace(e, attr, value);
		break;
	case REMOVED:
		remove_attribute(r, e, attr);
		break;
	default:
		break;
	}
}

static void mask_attribute(struct redactor *r, struct weir_element *e,
			   struct weir_attr *attr)
{
	struct weir_value value = attr->value;

	if (r->all_levels && is_container(&value)) {
		r->spot = SPOT_TEXT;
		if (redact_inside(r, e, attr->key, r->rules->all_types, &value))
			weir_attr_replace(e, attr, &value);
		return;
	}
	r->spot = SPOT_ATTRIBUTE;
	replace_attribute(r, e, attr, mask_scalar(r, e, r->rules->all_types,
						  &value), &value);
}

static void value_of_attribute(struct redactor *r, struct weir_element *e,
			       struct weir_attr *attr, struct ruling ruling)
{
	const struct content_rule *rule =
		rules_content(r->rules, ruling, is_number(&attr->value));
	struct weir_value came = attr->value, value = came;
	struct content_size size;
	enum outcome outcome;

	r->key = attr->key;
	r->entry = WEIR_STR("");
	r->name = name_of(ruling, attr->key);
	r->spot = SPOT_ATTRIBUTE;
	r->took = false;
	if ((rule && content_is_size(attr->key, &value)) ||
	    !apply_content(r, e, rule, false, &value, &outcome, &size)) {
		mask_attribute(r, e, attr);
		if (r->took)
			tell_came(r, weir_scratch_str(e, attr->key), &came);
		return;
	}
	if (outcome == MASKED || outcome == REMOVED)
		tell_size(r, weir_scratch_str(e, attr->key), size);
	replace_attribute(r, e, attr, outcome, &value);
}

static void redact_attribute(struct redactor *r, struct weir_element *e,
			     struct weir_attr *attr)
{
	struct ruling ruling = rules_key(r->rules, &r->work, attr->key);

	switch (ruling_of(ruling, is_number(&attr->value))) {
	case KEY_IGNORED:
		done(r, DONE_IGNORED, attr->key);
		break;
	case KEY_REMOVED:
		remove_attribute(r, e, attr);
		break;
	case KEY_BLOCKED:
		block_attribute(r, e, attr);
		break;
	case KEY_SAFE:
		if (is_number(&attr->value) && !ruling.content)
			break;
		/* fall through */
	default:
		value_of_attribute(r, e, attr, ruling);
	}
}

/* --- Text fields (levels: all) -------------------------------------------------------- */

static const char *const text_names[WEIR_TEXT_COUNT] = {
	[WEIR_TEXT_NAME] = "name",
	[WEIR_TEXT_STATUS_MESSAGE] = "status.message",
	[WEIR_TEXT_TRACE_STATE] = "trace_state",
	[WEIR_TEXT_SEVERITY] = "severity_text",
	[WEIR_TEXT_DESCRIPTION] = "description",
	[WEIR_TEXT_UNIT] = "unit",
	[WEIR_TEXT_VERSION] = "version",
	[WEIR_TEXT_SCHEMA_URL] = "schema_url",
};

static void redact_texts(struct redactor *r, struct weir_element *e)
{
	r->spot = SPOT_TEXT;
	r->entry = r->name = WEIR_STR("");
	for (unsigned field = 0; field < WEIR_TEXT_COUNT; field++) {
		struct weir_value value = { .str = WEIR_STR("") };
		enum outcome outcome;
		weir_str text;

		if (!weir_text_applies(e, field))
			continue;
		text = weir_text_get(e, field);
		if (!text.len)
			continue;
		r->key = weir_str_of(text_names[field]);
		outcome = mask_text(r, e, text, &value);
		if (outcome != MASKED && outcome != REMOVED)
			continue;
		weir_text_set(e, field, value.str);
		done(r, outcome == MASKED ? DONE_MASKED : DONE_REDACTED,
		     r->key);
	}
}

/* Behind one element or body: what is used again is not kept large. */
static void finish(struct redactor *r, bool body, struct weir_element *e)
{
	for (unsigned i = 0; i < LOST_KINDS; i++) {
		weir_counter_add(&r->removed[REMOVED_LOST + i],
				 r->work.lost[i]);
		r->work.lost[i] = 0;
	}
	summary_write(&r->tally, r->summary, body, &r->work.form, e);
	structure_trim(r->structure);
	work_trim(&r->work);
}

void redact_element(struct redactor *r, struct weir_element *e)
{
	struct weir_attr *attr = NULL;

	tally_clear(&r->tally);
	if (r->sanitizers->db_attributes)
		r->system = db_system_of(e);
	while ((attr = weir_attr_next(e, attr)))
		redact_attribute(r, e, attr);
	if (r->all_levels)
		redact_texts(r, e);
	write_sizes(r, e);
	finish(r, false, e);
}

/* --- Body ------------------------------------------------------------------------------- */

/* An absent body is an empty value.  False: say nothing of it. */
static bool replace_body(struct redactor *r, struct weir_element *e,
			 enum outcome outcome, struct weir_value *body)
{
	if (outcome == ALLOWED)
		return false;
	if (outcome == UNTOUCHED)
		return true;
	if (outcome == REMOVED)
		*body = (struct weir_value){ .type = WEIR_VALUE_EMPTY };
	done(r, outcome == MASKED ? DONE_MASKED : DONE_REDACTED, r->key);
	weir_body_set(e, body);
	return true;
}

/* The rule for content whose key is "body". */
static bool body_content(struct redactor *r, struct weir_element *e,
			 struct weir_value *body)
{
	struct ruling ruling = rules_key(r->rules, &r->work, r->key);
	struct content_size size;
	enum outcome outcome;

	if (body->type == WEIR_VALUE_EMPTY ||
	    !apply_content(r, e, rules_content(r->rules, ruling,
					       is_number(body)), false, body,
			   &outcome, &size))
		return false;
	if (outcome == MASKED || outcome == REMOVED)
		tell_size(r, r->key, size);
	write_sizes(r, e);
	replace_body(r, e, outcome, body);
	return true;
}

/* False: say nothing of it. */
static bool mask_body(struct redactor *r, struct weir_element *e,
		      struct weir_value *body)
{
	struct weir_value came = *body;
	bool told = true;

	if (!is_container(body)) {
		told = replace_body(r, e, mask_scalar(r, e, true, body), body);
	} else if (redact_inside(r, e, WEIR_STR(""), true, body)) {
		weir_body_set(e, body);
	}
	if (r->took)
		tell_came(r, WEIR_STR("body"), &came);
	write_sizes(r, e);
	return told;
}

void redact_body(struct redactor *r, struct weir_element *e)
{
	struct weir_value body = { .type = WEIR_VALUE_EMPTY };

	tally_clear(&r->tally);
	r->spot = SPOT_BODY;
	r->key = WEIR_STR("body");
	r->entry = r->name = WEIR_STR("");
	r->took = false;
	weir_body_get(e, &body);
	if (body_content(r, e, &body) || mask_body(r, e, &body))
		finish(r, true, e);
}

/* --- Names ------------------------------------------------------------------------------ */

void redact_name(struct redactor *r, struct weir_element *e)
{
	if ((r->sanitizers->url_names || r->sanitizers->db_names) &&
	    !rules_allow(r->rules, weir_text_get(e, WEIR_TEXT_NAME)))
		sanitize_span_name(r->sanitizers, &r->work, e);
}
