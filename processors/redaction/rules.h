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

#include "content.h"
#include "detect.h"
#include "prefilter.h"

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
		allowed_values, safe;
	bool guards_counts;	/* the numbers that are safe by default, too */
	struct prefilter blocked_near;	/* of blocked_values */
	struct detectors detectors;
	struct contents contents;
	bool hashed;
	enum weir_digest_kind digest;
	weir_str hmac_key;
};

enum verdict {
	KEY_PLAIN,		/* its value is looked at */
	KEY_IGNORED,		/* never touched */
	KEY_REMOVED,		/* not on the list of allowed keys */
	KEY_BLOCKED,		/* its value is masked whole */
	KEY_SAFE		/* a number stays, a text is looked at */
};

struct ruling {
	uint8_t verdict;	/* enum verdict, for any value but these: */
	uint8_t of_number;	/* for an int or a double */
	uint16_t content;	/* number of its rule in contents; 0: none */
	/* False also means that nobody has asked. */
	bool clean;		/* nothing in the key itself is masked */
	bool mute;		/* nor is a value, because of its name */
};

struct key_cache;

/* Bytes that masks and digests may make of a value beyond four times its own,
 * and that they may borrow (mask.c). */
#define ROOM_VALUE 128u		/* the longest digest */
#define ROOM_SPARE (1u << 20)

/* Texts that are masked whole because a rule could not be evaluated: */
enum lost {
	LOST_SLOW,		/* a value pattern could not tell */
	LOST_VALUES,		/* too large behind the value patterns, */
	LOST_DETECTED,		/* behind the detectors, */
	LOST_KEYS,		/* or as the value of a blocked key */
	LOST_KINDS
};

struct work {
	struct key_cache *cache;
	struct weir_digest *digest, *content_digest;
	size_t borrowed;		/* of ROOM_SPARE */
	struct weir_text places;	/* struct place: mask.c */
	struct weir_text form;		/* a value's string form */
	struct weir_text named;		/* a name and its value */
	struct weir_text cut;		/* content, cut or hashed */
	struct weir_text text[4];	/* two to mask, two to sanitize: from one
					 * to the other */
	uint64_t lost[LOST_KINDS];	/* counted and cleared by the caller */
};
/* Its memory is charged to the process's budget.  Where that says no, masks are
 * lost; what is only copied is counted without asking. */
void work_init(struct work *work);
/* Give back what a large value took. */
void text_trim(struct weir_text *text);
void work_trim(struct work *work);
void work_release(struct work *work);

/* Pure functions of the key, so they are remembered. */
struct ruling rules_key(const struct rules *rules, struct work *work,
			weir_str key);
/* May a value be masked because of this key's name?  Of a safe one none is. */
bool rules_speak(const struct rules *rules, weir_str key);
static inline bool is_number(const struct weir_value *value)
{
	return value->type == WEIR_VALUE_INT ||
		value->type == WEIR_VALUE_DOUBLE;
}
static inline enum verdict ruling_of(struct ruling ruling, bool number)
{
	return (enum verdict)(number ? ruling.of_number : ruling.verdict);
}
/* The rule for content of that key; NULL: none, or the key is safe from it. */
const struct content_rule *rules_content(const struct rules *rules,
					 struct ruling ruling, bool number);
/* Appends the digest of a content; false: it cannot be made. */
bool rules_digest(const struct rules *rules, struct work *work, weir_str text,
		  struct weir_text *out);
/* Does an allowed_values pattern protect the text? */
bool rules_allow(const struct rules *rules, weir_str text);
/* The text with every part masked that a blocked_values pattern matches or a
 * detector knows in it as it came; true when that changed it.  *out lives until
 * the next call.  A text that is too much for a pattern, or would become too
 * large, is masked as a whole.
 */
bool rules_mask(const struct rules *rules, struct work *work, weir_str text,
		weir_str *out);
/* The same for the value of a name, quoted or bare: a detector may know it by
 * that. */
struct named {
	weir_str name;
	bool quoted;
};
bool rules_mask_named(const struct rules *rules, struct work *work,
		      const struct named *name, weir_str text, weir_str *out);
/* Does a detector know a number, of that name ("": of none)? */
bool rules_detect_number(const struct rules *rules, struct work *work,
			 weir_str name, weir_str text);
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
/* The same for what lets pass: one that cannot tell does not. */
bool patterns_permit(const struct patterns *patterns, weir_str text);
void patterns_release(struct patterns *patterns);
void rules_release(struct rules *rules);

#endif
