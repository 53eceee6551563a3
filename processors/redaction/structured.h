/* SPDX-License-Identifier: Apache-2.0 */
/*
 * structured.h: JSON in a string, redacted inside.
 *
 * Keys and values in it are asked for as those of maps are.  Only what is hit
 * changes; every other byte stays.
 */
#ifndef REDACTION_STRUCTURED_H
#define REDACTION_STRUCTURED_H

#include "rules.h"

/* Bytes of a text that is looked into, and JSON in strings of JSON. */
#define STRUCTURED_MAX (4u << 20)
#define STRUCTURED_NESTED 8

enum structured {
	STRUCTURED_SAME,
	STRUCTURED_CHANGED,
	/* What cannot be looked into, and so must go: */
	STRUCTURED_BROKEN,	/* it begins as JSON and is none */
	STRUCTURED_DEEP,	/* nested too deep, or JSON in JSON is */
	STRUCTURED_LARGE,
	STRUCTURED_NO_DIGEST,	/* content that is to be hashed */
	STRUCTURED_KINDS
};

struct structure;		/* an instance's working memory */

struct structured_rules {
	const struct rules *rules;
	struct work *work;
	bool delete_blocked;
	bool took;		/* set when a rule for content took something */
	/* How many values inside went for each reason; the caller's own value
	 * is not counted. */
	uint64_t removed[STRUCTURED_KINDS];
};

/* text holds JSON (cut.h).  CHANGED: *out, until the next call.  *memory is made
 * when it is needed. */
enum structured structured_redact(struct structured_rules *s,
				  struct structure **memory, weir_str text,
				  weir_str *out);
/* Gives back what a large text took. */
void structure_trim(struct structure *memory);
void structure_free(struct structure **memory);

#endif
