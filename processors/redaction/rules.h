/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.h: what the configuration says about a key and about a text.
 *
 * struct rules is compiled once and constant; struct work belongs to one
 * instance and is what it needs while it looks.
 */
#ifndef REDACTION_RULES_H
#define REDACTION_RULES_H

#include <weir/config.h>
#include <weir/kit/digest.h>
#include <weir/regex.h>
#include <weir/value.h>

struct patterns {
	size_t n;
	struct weir_regex **v;
};

struct words {			/* sorted */
	size_t n;
	weir_str *v;
};

struct rules {
	bool allow_all_keys, all_types;
	struct words allowed, ignored;
	struct patterns ignored_patterns, blocked_values, blocked_keys,
		allowed_values;
	bool hashed;
	enum weir_digest_kind digest;
	weir_str hmac_key;
};

enum verdict {
	KEY_PLAIN,		/* its value is looked at */
	KEY_IGNORED,		/* never touched */
	KEY_REMOVED,		/* not on the list of allowed keys */
	KEY_BLOCKED		/* its value is masked whole */
};

struct key_cache;

struct work {
	struct key_cache *cache;
	struct weir_digest *digest;
	struct weir_text form;		/* a value's string form */
	struct weir_text text[4];	/* two to mask, two to sanitize: from one
					 * to the other */
};
void work_release(struct work *work);

/* Pure functions of the key, so they are remembered. */
enum verdict rules_key(const struct rules *rules, struct work *work,
		       weir_str key);
/* Does an allowed_values pattern protect the text? */
bool rules_allow(const struct rules *rules, weir_str text);
/* The text with every part that a blocked_values pattern matches masked; true
 * when that changed it.  *out lives until the next call. */
bool rules_mask(const struct rules *rules, struct work *work, weir_str text,
		weir_str *out);
/* Every line of the text masked.  *out likewise. */
void rules_mask_whole(const struct rules *rules, struct work *work,
		      weir_str text, weir_str *out);

/* Lists: copied sorted; compiled in order.  -1 and RE2's sentence. */
void words_init(struct words *words, struct weir_strs list,
		const char *const *more);
bool words_have(const struct words *words, weir_str word);
int patterns_init(struct patterns *patterns, struct weir_strs list,
		  struct weir_error *error);
bool patterns_match(const struct patterns *patterns, weir_str text);
void rules_release(struct rules *rules);

#endif
