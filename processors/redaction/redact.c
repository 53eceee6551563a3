/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact.c: the rules, applied to one element.
 *
 * Holds nothing between elements but memory that is used again.  Attributes
 * and what is inside of values differ in one thing that the Collector has
 * made so: an attribute is asked for allowed_values before its key is, an entry
 * of a map after.
 */
#include "redact.h"

void redactor_release(struct redactor *r)
{
	work_release(&r->work);
	tally_release(&r->tally);
}

static void done(struct redactor *r, enum done what, weir_str key)
{
	tally_add(&r->tally, r->summary, what, key);
}

static struct weir_value string(struct weir_element *e, weir_str text)
{
	return (struct weir_value){ .type = WEIR_VALUE_STRING,
				    .str = weir_scratch_str(e, text) };
}

static bool is_container(const struct weir_value *value)
{
	return value->type == WEIR_VALUE_LIST || value->type == WEIR_VALUE_MAP;
}

static weir_str string_form(struct redactor *r, const struct weir_value *value)
{
	weir_text_clear(&r->work.form);
	return weir_value_text(value, &r->work.form);
}

/* --- A scalar ------------------------------------------------------------------- */

enum outcome { UNTOUCHED, ALLOWED, MASKED };

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

static enum outcome mask_text(struct redactor *r, struct weir_element *e,
			      weir_str text, struct weir_value *value)
{
	weir_str masked;

	if (rules_allow(r->rules, text))
		return ALLOWED;
	rules_mask(r->rules, &r->work, text, &masked);
	sanitize(r, e, &masked);
	if (weir_str_eq(masked, text))
		return UNTOUCHED;
	*value = string(e, masked);
	return MASKED;
}

/* Bytes are looked at as they are, and stay bytes (levels: all). */
static enum outcome mask_bytes(struct redactor *r, struct weir_element *e,
			       struct weir_value *value)
{
	weir_str masked;

	if (rules_allow(r->rules, value->str))
		return ALLOWED;
	if (!rules_mask(r->rules, &r->work, value->str, &masked))
		return UNTOUCHED;
	value->str = weir_scratch_str(e, masked);
	return MASKED;
}

/* any_type: the string form of what is no string counts as its text; else that
 * is the empty one, as in the Collector. */
static enum outcome mask_scalar(struct redactor *r, struct weir_element *e,
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
	else if (any_type)
		text = string_form(r, value);
	return mask_text(r, e, text, value);
}

/* --- Inside lists and maps -------------------------------------------------------- */

struct inside {
	struct redactor *r;
	struct weir_element *e;
	weir_str front;		/* the attribute's key, "" for a body */
	bool any_type;
};

/* "front.path", where it will be told. */
static void done_inside(struct inside *in, enum done what, weir_str path)
{
	struct redactor *r = in->r;
	size_t len = in->front.len ? in->front.len + 1 + path.len : path.len;
	weir_str key = { "", len };
	char *joined;

	if (!tally_tells(&r->tally, r->summary, len)) {
		done(r, what, key);
		return;
	}
	if (in->front.len) {
		key.ptr = joined = weir_scratch(in->e, key.len);
		memcpy(joined, in->front.ptr, in->front.len);
		joined[in->front.len] = '.';
		if (path.len)
			memcpy(joined + in->front.len + 1, path.ptr, path.len);
	} else {
		key = weir_scratch_str(in->e, path);
	}
	done(r, what, key);
}

/* An element of a list has no key; its path ends with the index, that of an
 * entry with an empty key with a dot or not at all. */
static bool in_list(weir_str key, weir_str path)
{
	return !key.len && path.len && path.ptr[path.len - 1] == ']';
}

static enum weir_rewrite block_inside(struct inside *in, weir_str path,
				      struct weir_value *value)
{
	weir_str text = WEIR_STR(""), masked;

	if (in->r->delete_blocked) {
		done_inside(in, DONE_REDACTED, path);
		return WEIR_REMOVE;
	}
	if (value->type == WEIR_VALUE_STRING)
		text = value->str;
	rules_mask_whole(in->r->rules, &in->r->work, text, &masked);
	*value = string(in->e, masked);
	done_inside(in, DONE_MASKED, path);
	return WEIR_REPLACE;
}

static enum weir_rewrite scalar_inside(struct inside *in, weir_str path,
				       struct weir_value *value)
{
	switch (mask_scalar(in->r, in->e, in->any_type, value)) {
	case ALLOWED:
		done_inside(in, DONE_ALLOWED, path);
		return WEIR_KEEP;
	case MASKED:
		done_inside(in, DONE_MASKED, path);
		return WEIR_REPLACE;
	default:
		return WEIR_KEEP;
	}
}

static enum weir_rewrite rewrite(void *arg, weir_str key, weir_str path,
				 struct weir_value *value)
{
	struct inside *in = arg;
	enum verdict verdict = KEY_PLAIN;

	if (!in_list(key, path))
		verdict = rules_key(in->r->rules, &in->r->work, key);
	switch (verdict) {
	case KEY_IGNORED:
		done_inside(in, DONE_IGNORED, path);
		return WEIR_KEEP;
	case KEY_REMOVED:
		done_inside(in, DONE_REDACTED, path);
		return WEIR_REMOVE;
	case KEY_BLOCKED:
		return block_inside(in, path, value);
	default:
		return is_container(value) ? WEIR_DESCEND :
			scalar_inside(in, path, value);
	}
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
	value = string(e, masked);
	done(r, DONE_MASKED, attr->key);
	weir_attr_replace(e, attr, &value);
}

static void mask_attribute(struct redactor *r, struct weir_element *e,
			   struct weir_attr *attr)
{
	struct weir_value value = attr->value;
	enum outcome outcome;

	if (r->all_levels && is_container(&value)) {
		struct inside in = { r, e, attr->key, r->rules->all_types };

		r->spot = SPOT_TEXT;
		if (weir_value_rewrite(e, &value, rewrite, &in))
			weir_attr_replace(e, attr, &value);
		return;
	}
	r->spot = SPOT_ATTRIBUTE;
	r->key = attr->key;
	outcome = mask_scalar(r, e, r->rules->all_types, &value);
	if (outcome == ALLOWED)
		done(r, DONE_ALLOWED, attr->key);
	if (outcome != MASKED)
		return;
	done(r, DONE_MASKED, attr->key);
	weir_attr_replace(e, attr, &value);
}

static void redact_attribute(struct redactor *r, struct weir_element *e,
			     struct weir_attr *attr)
{
	switch (rules_key(r->rules, &r->work, attr->key)) {
	case KEY_IGNORED:
		done(r, DONE_IGNORED, attr->key);
		break;
	case KEY_REMOVED:
		remove_attribute(r, e, attr);
		break;
	case KEY_BLOCKED:
		block_attribute(r, e, attr);
		break;
	default:
		mask_attribute(r, e, attr);
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
	for (unsigned field = 0; field < WEIR_TEXT_COUNT; field++) {
		struct weir_value value;
		weir_str text;

		if (!weir_text_applies(e, field))
			continue;
		text = weir_text_get(e, field);
		if (!text.len || mask_text(r, e, text, &value) != MASKED)
			continue;
		weir_text_set(e, field, value.str);
		done(r, DONE_MASKED, weir_str_of(text_names[field]));
	}
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
	summary_write(&r->tally, r->summary, false, &r->work.form, e);
}

/* --- Body ------------------------------------------------------------------------------- */

/* An absent body is an empty value.  False: say nothing of it. */
static bool redact_scalar_body(struct redactor *r, struct weir_element *e,
			       struct weir_value *body)
{
	switch (mask_scalar(r, e, true, body)) {
	case ALLOWED:
		return false;
	case MASKED:
		done(r, DONE_MASKED, WEIR_STR("body"));
		weir_body_set(e, body);
		return true;
	default:
		return true;
	}
}

void redact_body(struct redactor *r, struct weir_element *e)
{
	struct inside in = { r, e, WEIR_STR(""), true };
	struct weir_value body = { .type = WEIR_VALUE_EMPTY };

	tally_clear(&r->tally);
	r->spot = SPOT_BODY;
	weir_body_get(e, &body);
	if (is_container(&body)) {
		if (weir_value_rewrite(e, &body, rewrite, &in))
			weir_body_set(e, &body);
	} else if (!redact_scalar_body(r, e, &body)) {
		return;
	}
	summary_write(&r->tally, r->summary, true, &r->work.form, e);
}

/* --- Names ------------------------------------------------------------------------------ */

void redact_name(struct redactor *r, struct weir_element *e)
{
	if ((r->sanitizers->url_names || r->sanitizers->db_names) &&
	    !rules_allow(r->rules, weir_text_get(e, WEIR_TEXT_NAME)))
		sanitize_span_name(r->sanitizers, &r->work, e);
}
