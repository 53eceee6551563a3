/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact.h: the rules, applied to one element.
 */
#ifndef REDACTION_REDACT_H
#define REDACTION_REDACT_H

#include <weir/attributes.h>

#include "rules.h"
#include "sanitizers.h"
#include "summary.h"

struct redactor {
	const struct rules *rules;
	const struct sanitizers *sanitizers;
	enum summary_level summary;
	bool all_levels;	/* levels: all */
	bool delete_blocked;	/* blocked_key_action: delete */
	struct work work;	/* the instance's */
	struct tally tally;
	/* What is being looked at. */
	enum spot { SPOT_TEXT, SPOT_ATTRIBUTE, SPOT_BODY } spot;
	weir_str key;		/* SPOT_ATTRIBUTE */
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
