/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact_inside.c: the rules, applied to what is inside of a list or map.
 *
 * Attributes and what is inside of values differ in one thing that the
 * Collector has made so: an attribute is asked for allowed_values before its
 * key is, an entry of a map after.  Content in lists and maps is cut or hashed
 * in a second pass, when the other rules have been everywhere.  Holds nothing
 * between values.
 */
#include "redact_parts.h"

struct inside {
	struct redactor *r;
	struct weir_element *e;
	weir_str front;		/* the attribute's key, "" for a body */
	bool any_type;
	bool waits;		/* some content is for the second pass */
	/* That: content that may stay as long as it is, up to where. */
	const char *short_end;
	size_t short_max;
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
	*value = string_of(in->e, masked);
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

/* What a list is called, its elements are: headers have lists of values. */
static weir_str name_of_list(struct inside *in, weir_str path)
{
	weir_str name = path;

	while (name.len && name.ptr[name.len - 1] == ']') {
		while (name.len && name.ptr[name.len - 1] != '[')
			name.len--;
		name.len -= !!name.len;
	}
	if (!name.len)
		name = in->front;
	return name.len ? name_of(rules_key(in->r->rules, &in->r->work, name),
				  name) : name;
}

/* What no key has decided about. */
static enum weir_rewrite value_inside(struct inside *in, weir_str key,
				      weir_str path, struct ruling ruling,
				      struct weir_value *value)
{
	const struct content_rule *rule =
		rules_content(in->r->rules, ruling, is_number(value));
	struct content_size size;
	enum outcome outcome;

	in->r->entry = key;
	in->r->name = in_list(key, path) ? name_of_list(in, path) :
		name_of(ruling, key);
	if (rule && is_container(value) && content_waits(rule)) {
		in->waits = true;
		return WEIR_DESCEND;
	}
	if (apply_content(in->r, in->e, rule, true, value, &outcome, &size)) {
		in->r->took |= outcome == MASKED || outcome == REMOVED;
	} else {
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
	struct ruling ruling = { .verdict = KEY_PLAIN, .of_number = KEY_PLAIN };

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

/* What is in short content is short for any rule that allows as much. */
static bool is_in_short(const struct inside *in,
			const struct content_rule *rule,
			const struct weir_value *value)
{
	return rule->action == CONTENT_TRUNCATE && in->short_end &&
		value->raw.ptr < in->short_end &&
		in->short_max <= rule->max_length;
}

/* The second pass: no other rule is asked again. */
static enum weir_rewrite rewrite_content(void *arg, weir_str key,
					 weir_str path,
					 struct weir_value *value)
{
	struct inside *in = arg;
	struct ruling ruling = { .verdict = KEY_PLAIN, .of_number = KEY_PLAIN };
	const struct content_rule *rule;
	struct content_size size;
	enum outcome outcome;

	if (!is_container(value))
		return WEIR_KEEP;
	if (!in_list(key, path))
		ruling = rules_key(in->r->rules, &in->r->work, key);
	if (ruling.verdict == KEY_IGNORED)
		return WEIR_KEEP;
	rule = rules_content(in->r->rules, ruling, false);
	if (!rule || !content_waits(rule) || is_in_short(in, rule, value))
		return WEIR_DESCEND;
	in->r->entry = key;
	if (!apply_content(in->r, in->e, rule, true, value, &outcome, &size)) {
		in->short_end = value->raw.ptr + value->raw.len;
		in->short_max = rule->max_length;
		return WEIR_DESCEND;
	}
	in->r->took = true;
	return rewritten(in, path, outcome);
}

bool redact_inside(struct redactor *r, struct weir_element *e, weir_str front,
		   bool any_type, struct weir_value *value)
{
	struct inside in = { .r = r, .e = e, .front = front,
			     .any_type = any_type };
	bool changed = weir_value_rewrite(e, value, rewrite, &in);

	if (in.waits)
		changed |= weir_value_rewrite(e, value, rewrite_content, &in);
	return changed;
}
