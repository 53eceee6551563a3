/* SPDX-License-Identifier: Apache-2.0 */
/*
 * structured_content.c: prompts and completions that are members of JSON.
 *
 * What is to be cut or hashed is first looked into as JSON of its own, one text
 * deeper: so no value is read more often than texts may be nested.  Holds
 * nothing between members.
 */
#include "cut.h"
#include "structured_parts.h"

/* A member's value as the rules for content see it. */
struct content_value {
	const struct content_rule *rule;
	struct named name;
	size_t start, end;
	weir_str text;		/* what a string stands for; else JSON */
};

/* What the other rules leave of it; cut in two they would not know it. */
static enum structured ruled(struct pass *p, struct content_value *value)
{
	bool looks = p->json.token != WEIR_JSON_NUMBER &&
		(!value->name.quoted || holds_json(value->text));
	weir_str out = value->text;
	enum structured made = looks ?
		redact_nested(p, value->text, &out) :
		masked(p, &value->name, value->text, &out) ?
		STRUCTURED_CHANGED : STRUCTURED_SAME;

	if (made == STRUCTURED_CHANGED)
		value->text = out;
	return made;
}

/* Appends what is to leave. */
static enum structured made_of(struct pass *p, struct content_value *value,
			       struct weir_text *to)
{
	const struct content_rule *rule = value->rule;
	enum structured made = ruled(p, value);

	if (made > STRUCTURED_CHANGED)
		return made;
	weir_text_clear(to);
	if (rule->action == CONTENT_HASH) {
		value->name.quoted = true;
		if (!rules_digest(p->s->rules, p->s->work, value->text, to))
			return STRUCTURED_NO_DIGEST;
	} else if (value->text.len <= rule->max_length) {
		return made;
	} else {
		cut_text(value->text, rule->max_length, to);
	}
	value->text = (weir_str){ to->len ? to->ptr : "", to->len };
	p->s->took = true;
	return STRUCTURED_CHANGED;
}

static void change_content(struct pass *p, struct frame *f,
			   struct content_value *value)
{
	enum structured made = made_of(p, value, &p->s->work->text[2]);

	if (made > STRUCTURED_CHANGED) {
		p->s->removed[made]++;
		p->s->took = true;
		drop_item(p, f, value->end);
		return;
	}
	if (made == STRUCTURED_CHANGED && value->name.quoted)
		put_string(p, value->start, value->end, value->text);
	else if (made == STRUCTURED_CHANGED)
		put_json(p, value->start, value->end, value->text);
	keep_item(f, value->end);
}

/* May it stay as long as it is?  Else *end is behind it. */
static bool is_short(struct pass *p, const struct content_rule *rule,
		     struct weir_json *end)
{
	size_t len;

	if (rule->action != CONTENT_TRUNCATE)
		return !weir_json_skip(end);
	if (p->json.token != WEIR_JSON_OBJECT &&
	    p->json.token != WEIR_JSON_ARRAY)
		return p->json.token != WEIR_JSON_STRING;
	if (p->json.end <= p->short_end && p->short_len <= rule->max_length)
		return true;
	if (!weir_json_skip(end))
		return true;	/* whoever goes on sees that, too */
	len = end->end - p->json.start;
	if (len > rule->max_length)
		return false;
	p->short_end = end->end;
	p->short_len = len;
	return true;
}

bool content_member(struct pass *p, struct frame *f, weir_str key,
		    const struct content_rule *rule)
{
	bool quoted = p->json.token == WEIR_JSON_STRING;
	struct content_value value = { rule, { key, quoted }, p->json.start,
				       p->json.end, { 0 } };
	struct weir_json end = p->json;

	if (!rule || rule->action == CONTENT_KEEP)
		return false;
	if (rule->action == CONTENT_DROP) {
		p->s->took = true;
		remove_member(p, f);
		return true;
	}
	if (is_short(p, rule, &end))
		return false;
	value.end = end.end;
	value.text = quoted ? plain_text(p, &p->t->plain) :
		(weir_str){ p->source.ptr + value.start,
			    value.end - value.start };
	if (rule->action == CONTENT_MASK) {
		p->s->took = true;
		put_string(p, value.start, value.end, WEIR_STR("****"));
		keep_item(f, value.end);
	} else {
		change_content(p, f, &value);
	}
	p->json = end;
	return true;
}
