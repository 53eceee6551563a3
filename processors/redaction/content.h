/* SPDX-License-Identifier: Apache-2.0 */
/*
 * content.h: prompts and completions, and what may leave of them.
 *
 * struct contents is compiled once and constant.
 */
#ifndef REDACTION_CONTENT_H
#define REDACTION_CONTENT_H

#include <weir/config.h>
#include <weir/kit/digest.h>
#include <weir/regex.h>
#include <weir/value.h>

enum content_action {
	CONTENT_KEEP, CONTENT_DROP, CONTENT_HASH, CONTENT_TRUNCATE, CONTENT_MASK
};

struct content_config {
	weir_str key, pattern, action;
	weir_size max_length;
};
extern const struct weir_field content_rows[];

struct content_rule {
	weir_str key;
	struct weir_regex *pattern;	/* NULL: exactly the key */
	enum content_action action;
	size_t max_length;		/* CONTENT_TRUNCATE: bytes */
};

struct contents {
	size_t n;
	struct content_rule *v;
	bool hashes;		/* a rule needs a digest */
};

/* -1 and a sentence; the lists and texts are the plan's. */
int contents_init(struct contents *contents, struct weir_list config,
		  struct weir_error *error);
void contents_release(struct contents *contents);

/* Number of the first rule for a key, counted from 1; 0: none. */
size_t contents_find(const struct contents *contents, weir_str key);

/* What is told beside content that did not leave as it was. */
struct content_size {
	int64_t length;		/* bytes of its text */
	int64_t items;		/* elements or members; -1: it has none */
};
/* text: the value's string form. */
struct content_size content_size(const struct weir_value *value, weir_str text);

/* Keys of what is told: behind the content's own. */
#define CONTENT_LENGTH ".weir.length"
#define CONTENT_ITEMS ".weir.items"
/* Is it one of those?  Then it is no content, whatever a pattern says. */
bool content_is_size(weir_str key, const struct weir_value *value);

#endif
