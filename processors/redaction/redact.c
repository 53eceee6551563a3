/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact.c: the rules, applied to one element.
 *
 * Holds nothing between elements but memory that is used again.  Attributes
 * and what is inside of values differ in one thing that the Collector has
 * made so: an attribute is asked for allowed_values before its key is, an entry
 * of a map after.
 */
#include <stdlib.h>

#include "cut.h"
#include "redact.h"

void redactor_release(struct redactor *r)
{
	structure_free(&r->structure);
	free(r->sizes);
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

enum outcome { UNTOUCHED, ALLOWED, MASKED, REMOVED };

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

	if (!r->structured || !begins_as_json(text))
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
	if (made == STRUCTURED_SAME)
		*masked = text;
	if (made <= STRUCTURED_CHANGED)
		return true;
	weir_counter_add(&r->removed[made], 1);
	return false;
}

static enum outcome mask_text(struct redactor *r, struct weir_element *e,
			      weir_str text, struct weir_value *value)
{
	weir_str masked;

	if (is_structured(r, text)) {
		if (!redact_json(r, text, &masked))
			return REMOVED;
	} else if (rules_allow(r->rules, text)) {
		return ALLOWED;
	} else {
		rules_mask(r->rules, &r->work, text, &masked);
	}
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

/* --- Content -------------------------------------------------------------------- */

static void tell_size(struct redactor *r, weir_str key,
		      struct content_size size)
{
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
		weir_counter_add(&r->removed[STRUCTURED_KINDS], 1);
		return REMOVED;
	}
	*value = string(e, (weir_str){ out->ptr, out->len });
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
	*value = string(e, (weir_str){ out->ptr, out->len });
	return MASKED;
}

static bool has_length(const struct weir_value *value)
{
	return is_container(value) || value->type == WEIR_VALUE_STRING ||
		value->type == WEIR_VALUE_BYTES;
}

/* False: it is for the value rules only.  size: of the value as it came. */
static bool apply_content(struct redactor *r, struct weir_element *e,
			  const struct content_rule *rule,
			  struct weir_value *value, enum outcome *outcome,
			  struct content_size *size)
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
		*value = string(e, WEIR_STR("****"));
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

static void write_sizes(struct redactor *r, struct weir_element *e)
{
	for (size_t i = 0; i < r->n_sizes; i++) {
		const struct told_size *told = &r->sizes[i];

		put_size(e, told->key, CONTENT_LENGTH, told->size.length);
		put_size(e, told->key, CONTENT_ITEMS, told->size.items);
	}
	r->n_sizes = 0;
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

static enum weir_rewrite rewritten(struct inside *in, weir_str path,
				   enum outcome outcome)
{
	switch (outcome) {
	case ALLOWED:
		done_inside(in, DONE_ALLOWED, path);
		return WEIR_KEEP;
	case MASKED:
		done_inside(in, DONE_MASKED, path);
		return WEIR_REPLACE;
	case REMOVED:
		done_inside(in, DONE_REDACTED, path);
		return WEIR_REMOVE;
	default:
		return WEIR_KEEP;
	}
}

/* What no key has decided about. */
static enum weir_rewrite value_inside(struct inside *in, weir_str key,
				      weir_str path, struct ruling ruling,
				      struct weir_value *value)
{
	const struct content_rule *rule =
		rules_content(in->r->rules, ruling, value);
	struct content_size size;
	enum outcome outcome;

	in->r->entry = key;
	if (!apply_content(in->r, in->e, rule, value, &outcome, &size)) {
		if (is_container(value))
			return WEIR_DESCEND;
		outcome = mask_scalar(in->r, in->e, in->any_type, value);
	}
	return rewritten(in, path, outcome);
}

static enum weir_rewrite rewrite(void *arg, weir_str key, weir_str path,
				 struct weir_value *value)
{
	struct inside *in = arg;
	struct ruling ruling = { KEY_PLAIN, KEY_PLAIN, 0 };

	if (!in_list(key, path))
		ruling = rules_key(in->r->rules, &in->r->work, key);
	switch (ruling_of(ruling, is_number(value))) {
	case KEY_IGNORED:
		done_inside(in, DONE_IGNORED, path);
		return WEIR_KEEP;
	case KEY_REMOVED:
		done_inside(in, DONE_REDACTED, path);
		return WEIR_REMOVE;
	case KEY_BLOCKED:
		return block_inside(in, path, value);
	case KEY_SAFE:
		if (is_number(value))
			return WEIR_KEEP;
		break;
	default:
		break;
	}
	return value_inside(in, key, path, ruling, value);
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
		struct inside in = { r, e, attr->key, r->rules->all_types };

		r->spot = SPOT_TEXT;
		if (weir_value_rewrite(e, &value, rewrite, &in))
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
		rules_content(r->rules, ruling, &attr->value);
	struct weir_value value = attr->value;
	struct content_size size;
	enum outcome outcome;

	r->key = attr->key;
	r->entry = WEIR_STR("");
	r->spot = SPOT_ATTRIBUTE;
	if ((rule && content_is_size(attr->key, &value)) ||
	    !apply_content(r, e, rule, &value, &outcome, &size)) {
		mask_attribute(r, e, attr);
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
	r->entry = WEIR_STR("");
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
	structure_trim(r->structure);
	summary_write(&r->tally, r->summary, false, &r->work.form, e);
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
	    !apply_content(r, e, rules_content(r->rules, ruling, body), body,
			   &outcome, &size))
		return false;
	if (outcome == MASKED || outcome == REMOVED)
		tell_size(r, r->key, size);
	write_sizes(r, e);
	replace_body(r, e, outcome, body);
	return true;
}

void redact_body(struct redactor *r, struct weir_element *e)
{
	struct inside in = { r, e, WEIR_STR(""), true };
	struct weir_value body = { .type = WEIR_VALUE_EMPTY };

	tally_clear(&r->tally);
	r->spot = SPOT_BODY;
	r->key = WEIR_STR("body");
	r->entry = WEIR_STR("");
	weir_body_get(e, &body);
	if (body_content(r, e, &body)) {
		;	/* nothing is left to look at */
	} else if (is_container(&body)) {
		if (weir_value_rewrite(e, &body, rewrite, &in))
			weir_body_set(e, &body);
	} else if (!replace_body(r, e, mask_scalar(r, e, true, &body),
				 &body)) {
		return;
	}
	structure_trim(r->structure);
	summary_write(&r->tally, r->summary, true, &r->work.form, e);
}

/* --- Names ------------------------------------------------------------------------------ */

void redact_name(struct redactor *r, struct weir_element *e)
{
	if ((r->sanitizers->url_names || r->sanitizers->db_names) &&
	    !rules_allow(r->rules, weir_text_get(e, WEIR_TEXT_NAME)))
		sanitize_span_name(r->sanitizers, &r->work, e);
}
