/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact_parts.h: what the files of redact.c share.
 */
#ifndef REDACTION_REDACT_PARTS_H
#define REDACTION_REDACT_PARTS_H

#include "redact.h"

static inline void done(struct redactor *r, enum done what, weir_str key)
{
	tally_add(&r->tally, r->summary, what, key);
}

static inline struct weir_value string_of(struct weir_element *e, weir_str text)
{
	return (struct weir_value){ .type = WEIR_VALUE_STRING,
				    .str = weir_scratch_str(e, text) };
}

/* The key, if it may say what its value is; safe ones say nothing. */
static inline weir_str name_of(struct ruling ruling, weir_str key)
{
	return ruling.mute || ruling.verdict == KEY_SAFE ? WEIR_STR("") : key;
}

static inline bool is_container(const struct weir_value *value)
{
	return value->type == WEIR_VALUE_LIST || value->type == WEIR_VALUE_MAP;
}

static inline weir_str string_form(struct redactor *r,
				   const struct weir_value *value)
{
	weir_text_clear(&r->work.form);
	return weir_value_text(value, &r->work.form);
}

/* --- One value (redact_value.c): MASKED sets *value, in scratch. --- */

enum outcome { UNTOUCHED, ALLOWED, MASKED, REMOVED };

enum outcome mask_text(struct redactor *r, struct weir_element *e,
		       weir_str text, struct weir_value *value);
/* Bytes are looked at as they are, and stay bytes (levels: all). */
enum outcome mask_bytes(struct redactor *r, struct weir_element *e,
			struct weir_value *value);
/* any_type: the string form of what is no string counts as its text; else that
 * is the empty one, as in the Collector. */
enum outcome mask_scalar(struct redactor *r, struct weir_element *e,
			 bool any_type, struct weir_value *value);

/* --- Content (redact_content.c) --- */

/* False: it is for the value rules only.  size: of the value as it came. */
bool apply_content(struct redactor *r, struct weir_element *e,
		   const struct content_rule *rule, bool inside,
		   struct weir_value *value, enum outcome *outcome,
		   struct content_size *size);
/* What needs the other rules to go first; for an entry of a list or map
 * (inside) they must have been there. */
static inline bool content_waits(const struct content_rule *rule)
{
	return rule->action == CONTENT_HASH ||
		rule->action == CONTENT_TRUNCATE;
}
/* Sizes to be told beside a key, which lives as long as the element; written
 * when nobody goes through the attributes any more. */
void tell_size(struct redactor *r, weir_str key, struct content_size size);
/* That of a value in which content was taken; came: as it was. */
void tell_came(struct redactor *r, weir_str key,
	       const struct weir_value *came);
void write_sizes(struct redactor *r, struct weir_element *e);

/* --- Lists and maps (redact_inside.c) --- */

/* front: the attribute's key, "" for a body.  True: *value is another one. */
bool redact_inside(struct redactor *r, struct weir_element *e, weir_str front,
		   bool any_type, struct weir_value *value);

#endif
