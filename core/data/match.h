/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match.h: the compiled set of an interest, as the walk asks it.
 *
 * A place is where the walk stands: the attributes of a level, inside lists
 * and maps there, its text fields, a log record's body.  Every place knows
 * what is looked for in it, so that most keys cost one test of a bit.
 */
#ifndef CORE_MATCH_H
#define CORE_MATCH_H

#include <weir/attributes.h>

/* Places of a level, in this order from 3 * level. */
enum { PLACE_FLAT, PLACE_NESTED, PLACE_TEXT, PLACE_KINDS };

#define PLACE_OF(level, kind) (PLACE_KINDS * (level) + (kind))

enum place_id {
	PLACE_BODY = PLACE_OF(WEIR_LEVEL_COUNT, 0),	/* the body itself */
	PLACE_BODY_ENTRY,	/* entries of a body that is a map */
	PLACE_BODY_NESTED,	/* further inside */
	PLACE_SHARED,		/* so many have a bit */
	PLACE_NOTHING = PLACE_SHARED,	/* nobody looks here */
	PLACE_WRAPPER,		/* of a resource: only its schema_url */
	PLACE_SCOPE_WRAPPER,
	PLACE_COUNT
};

struct place {
	uint64_t lengths;	/* of the keys looked for: bit min(len, 63) */
	uint64_t heads[8];	/* and of how they begin: bit key_head() */
	uint32_t bit;		/* 0 for those that nobody can look in */
	bool key_regex;		/* any key may matter: ask */
	bool value;		/* texts may matter */
	bool value_scan;	/* so may bytes */
	bool any_type;		/* values that are no strings, too */
	bool always;
	uint64_t integers;	/* from here on; 0: none */
	const struct place *in_list, *in_map, *text;
};

struct interest_set {
	struct place place[PLACE_COUNT];
	uint64_t seed;
	struct set_key *keys;		/* open addressing, half full at most */
	uint32_t key_mask;
	struct set_regex *key_regexes, *value_regexes;
	struct set_scan *scans, *key_scans;
	uint32_t n_key_regexes, n_value_regexes, n_scans, n_key_scans;
	struct key_cache *cache;	/* what key patterns decided; changes */
	bool empty;
};

bool match_key_slow(const struct interest_set *set, const struct place *place,
		    weir_str key);
bool match_text_slow(const struct interest_set *set, const struct place *place,
		     weir_str text);
bool match_scan_slow(const struct interest_set *set, const struct place *place,
		     weir_str text);

/* 9 bits of how a key begins and how long it is.  Reads eight bytes. */
static inline unsigned key_head(const uint8_t *key, size_t len)
{
	uint64_t head;

	memcpy(&head, key, sizeof(head));
	if (len < 8)
		head &= (1ull << 8 * len) - 1;
	return (unsigned)((head ^ len) * 0x9e3779b97f4a7c15u >> 55);
}

static inline bool may_be_key(const struct place *place, const uint8_t *key,
			      size_t len)
{
	unsigned head;

	if (!(place->lengths >> (len < 63 ? len : 63) & 1))
		return false;
	head = key_head(key, len);
	return place->heads[head >> 6] >> (head & 63) & 1;
}

/* Is a key looked for in that place?  Eight bytes can be read at the key
 * (PAYLOAD_SLACK); what is behind its end decides nothing. */
static inline bool match_key(const struct interest_set *set,
			     const struct place *place, const uint8_t *key,
			     size_t len)
{
	if (!place->key_regex && !may_be_key(place, key, len))
		return false;
	return match_key_slow(set, place,
			      (weir_str){ (const char *)key, len });
}

/* Does a string value or text field match a value pattern there, or is it one
 * that a scan has its eye on? */
static inline bool match_text(const struct interest_set *set,
			      const struct place *place, const uint8_t *text,
			      size_t len)
{
	if (!place->value)
		return false;
	return match_text_slow(set, place,
			       (weir_str){ (const char *)text, len });
}

/* Bytes are for scans only. */
static inline bool match_bytes(const struct interest_set *set,
			       const struct place *place, const uint8_t *bytes,
			       size_t len)
{
	if (!place->value_scan)
		return false;
	return match_scan_slow(set, place,
			       (weir_str){ (const char *)bytes, len });
}

#endif
