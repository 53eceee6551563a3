/* SPDX-License-Identifier: Apache-2.0 */
/*
 * structured_parts.h: what the files of structured.c share.
 */
#ifndef REDACTION_STRUCTURED_PARTS_H
#define REDACTION_STRUCTURED_PARTS_H

#include <weir/json.h>

#include "structured.h"

struct frame {			/* an object, an array, or the whole text */
	uint32_t item;		/* where the current member or element begins */
	uint32_t from, done;	/* `from` and the length of out, then */
	uint32_t kept_end;	/* behind the last one that stays */
	bool kept;		/* there is one */
	bool skip;		/* the next one's comma went with the first */
};

struct text {
	struct weir_text out;	/* as far as it is done */
	struct weir_text plain;	/* a string without its escapes */
	struct weir_text name;	/* and a key */
	struct frame frame[WEIR_JSON_DEPTH + 1];
};

struct pass {
	struct structured_rules *s;
	struct structure *memory;
	struct text *t;
	struct weir_json json;
	weir_str source;
	size_t from;		/* what is before is in t->out, or gone */
	size_t short_end, short_len;	/* content that may stay as long as
					 * it is: what is in it, too */
	unsigned nested;
	bool changed;
	enum structured failed;
};

static inline struct frame *frame(struct pass *p, uint32_t depth)
{
	return &p->t->frame[depth];
}

/* --- Changing (structured.c): in the place of what stands there --- */

void put_string(struct pass *p, size_t start, size_t end, weir_str text);
void put_json(struct pass *p, size_t start, size_t end, weir_str json);
/* A member or element is done with: it stays, or goes. */
void keep_item(struct frame *f, size_t end);
void drop_item(struct pass *p, struct frame *f, size_t end);

/* --- Looking (structured.c) --- */

/* What a KEY or STRING stands for. */
weir_str plain_text(struct pass *p, struct weir_text *plain);
/* True: *out is another text.  name: NULL for what has none. */
bool masked(struct pass *p, const struct named *name, weir_str text,
	    weir_str *out);
/* JSON that is inside of the pass's text. */
enum structured redact_nested(struct pass *p, weir_str text, weir_str *out);
/* Passes over the value of a member and takes both out. */
void remove_member(struct pass *p, struct frame *f);

/* --- Content (structured_content.c) --- */

/* At the value of a member.  False: it is for the other rules only, and the
 * scanner has not moved. */
bool content_member(struct pass *p, struct frame *f, weir_str key,
		    const struct content_rule *rule);

#endif
