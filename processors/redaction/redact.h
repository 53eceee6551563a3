/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact.h: the rules, applied to one element.
 */
#ifndef REDACTION_REDACT_H
#define REDACTION_REDACT_H

#include <weir/attributes.h>
#include <weir/metric.h>

#include "rules.h"
#include "sanitizers.h"
#include "structured.h"
#include "summary.h"

/* What is told beside content, when the attributes have been passed. */
struct told_size {
	weir_str key;
	struct content_size size;
};

enum removed {	/* behind enum structured */
	REMOVED_LOST = STRUCTURED_KINDS,		/* and behind it enum lost */
	REMOVED_KINDS = REMOVED_LOST + LOST_KINDS
};

struct redactor {
	const struct rules *rules;
	const struct sanitizers *sanitizers;
	enum summary_level summary;
	bool all_levels;	/* levels: all */
	bool delete_blocked;	/* blocked_key_action: delete */
	bool structured;	/* structured_strings: on, */
	const struct patterns *structured_keys;	/* for these; none: all */
	struct work work;	/* the instance's */
	struct tally tally;
	struct structured_rules json;
	struct structure *structure;
	bool took;		/* a rule for content has taken something that
				 * is inside of the value */
	struct told_size *sizes;
	size_t n_sizes, cap_sizes;
	/* Values that went because a rule could not be evaluated: counted. */
	weir_counter removed[REMOVED_KINDS];
	/* What is being looked at. */
	enum spot { SPOT_TEXT, SPOT_ATTRIBUTE, SPOT_BODY } spot;
	weir_str key;		/* the attribute's, or "body", or a field's */
	weir_str entry;		/* inside: of the map entry, or "" */
	weir_str name;		/* that may say what a value is, or "" */
	struct db_system system;
};
void redactor_release(struct redactor *r);

/* Attributes of any element; with levels: all its text fields, too. */
void redact_element(struct redactor *r, struct weir_element *e);
/* The name of a span, behind its attributes: only sanitized. */
void redact_name(struct redactor *r, struct weir_element *e);
/* The body of a log record, behind its attributes. */
void redact_body(struct redactor *r, struct weir_element *e);

#endif
