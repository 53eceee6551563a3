/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interest.c: what attribute processors look for, declared and compiled.
 *
 * A declaration is a list of items (where, what).  The compiled set is their
 * union, turned by place: bits of key lengths, a table of exact keys, lists of
 * patterns.  Between walks it holds only the cache of key patterns: keys seen,
 * and in which places a pattern or an exact key wants them.  Keys come from
 * strangers, so the hash is seeded, a probe is short, a long key is not kept,
 * and a full neighbourhood gives up its entries in turn: the cache never
 * grows.  Regular expressions belong to the plugins and outlive the set.
 */
#include "interest.h"

#include <stdlib.h>

#include "match.h"
#include "base/str.h"

enum item_kind {
	ITEM_KEY, ITEM_KEY_REGEX, ITEM_KEY_SCAN, ITEM_VALUE_REGEX,
	ITEM_VALUE_SCAN, ITEM_INTEGERS, ITEM_ALWAYS
};

struct item {
	enum item_kind kind;
	uint32_t where;
	bool any_type;
	weir_str key;		/* ITEM_KEY: owned */
	const struct weir_regex *regex;
	weir_value_scan scan;
	const void *arg;
	uint64_t least;
};

struct weir_interest {
	struct item *v;
	size_t n, cap;
};

struct set_key {
	uint64_t hash;
	uint32_t places;	/* 0: an empty slot */
	weir_str key;		/* owned */
};

struct set_regex {
	const struct weir_regex *regex;
	uint32_t places;
	bool any_type;
};

struct set_scan {
	weir_value_scan scan;
	const void *arg;
	uint32_t places;
};

#define CACHE_SLOTS 2048u	/* a power of two */
#define CACHE_PROBE 4u
#define CACHE_KEY_MAX 64u

struct cache_slot {
	uint64_t hash;
	uint32_t places;
	uint8_t used;
	uint8_t len;
	char key[CACHE_KEY_MAX];
};

struct key_cache {
	uint32_t turn;		/* whose turn it is to be forgotten */
	struct cache_slot slot[CACHE_SLOTS];
};

/* --- Declaring ---------------------------------------------------------- */

struct weir_interest *interest_new(void)
{
	return xcalloc(1, sizeof(struct weir_interest));
}

void interest_free(struct weir_interest **interest)
{
	struct weir_interest *self = *interest;

	*interest = NULL;
	if (!self)
		return;
	for (size_t i = 0; i < self->n; i++)
		free((char *)self->v[i].key.ptr);
	free(self->v);
	free(self);
}

static struct item *add(struct weir_interest *self, enum item_kind kind,
			uint32_t where)
{
	if (self->n == self->cap) {
		self->cap = self->cap ? 2 * self->cap : 8;
		self->v = xrealloc(self->v, self->cap * sizeof(*self->v));
	}
	self->v[self->n] = (struct item){ .kind = kind, .where = where };
	return &self->v[self->n++];
}

static weir_str copy(weir_str text)
{
	char *ptr = xmalloc(text.len + 1);

	if (text.len)
		memcpy(ptr, text.ptr, text.len);
	ptr[text.len] = '\0';
	return (weir_str){ ptr, text.len };
}

void weir_interest_key(struct weir_interest *interest, uint32_t where,
		       weir_str key)
{
	add(interest, ITEM_KEY, where)->key = copy(key);
}

void weir_interest_key_regex(struct weir_interest *interest, uint32_t where,
			     const struct weir_regex *regex)
{
	add(interest, ITEM_KEY_REGEX, where)->regex = regex;
}

void weir_interest_value_regex(struct weir_interest *interest, uint32_t where,
			       const struct weir_regex *regex, bool any_type)
{
	struct item *item = add(interest, ITEM_VALUE_REGEX, where);

	item->regex = regex;
	item->any_type = any_type;
}

void weir_interest_value_scan(struct weir_interest *interest, uint32_t where,
			      weir_value_scan scan, const void *arg,
			      bool any_type)
{
	struct item *item = add(interest, ITEM_VALUE_SCAN, where);

	item->scan = scan;
	item->arg = arg;
	item->any_type = any_type;
}

void weir_interest_key_scan(struct weir_interest *interest, uint32_t where,
			    weir_key_scan scan, const void *arg)
{
	struct item *item = add(interest, ITEM_KEY_SCAN, where);

	item->scan = scan;
	item->arg = arg;
}

void weir_interest_integers(struct weir_interest *interest, uint32_t where,
			    uint64_t least)
{
	add(interest, ITEM_INTEGERS, where)->least = least ? least : 1;
}

void weir_interest_always(struct weir_interest *interest, uint32_t where)
{
	add(interest, ITEM_ALWAYS, where);
}

/* --- Places ------------------------------------------------------------- */

/* The places that a mask of `enum weir_where` means, a bit each. */
static uint32_t places_of(uint32_t where)
{
	uint32_t places = 0;

	for (unsigned level = 0; level < WEIR_LEVEL_COUNT; level++) {
		if (!(where & 1u << level))
			continue;
		places |= 1u << PLACE_OF(level, PLACE_FLAT);
		if (where & WEIR_AT_NESTED)
			places |= 1u << PLACE_OF(level, PLACE_NESTED);
		if (where & WEIR_AT_TEXT)
			places |= 1u << PLACE_OF(level, PLACE_TEXT);
	}
	if (where & WEIR_AT_BODY) {
		places |= 1u << PLACE_BODY | 1u << PLACE_BODY_ENTRY;
		if (where & WEIR_AT_NESTED)
			places |= 1u << PLACE_BODY_NESTED;
	}
	return places;
}

static void join(struct interest_set *set, unsigned id, unsigned in_list,
		 unsigned in_map, unsigned text)
{
	set->place[id].bit = id < PLACE_SHARED ? 1u << id : 0;
	set->place[id].in_list = &set->place[in_list];
	set->place[id].in_map = &set->place[in_map];
	set->place[id].text = &set->place[text];
}

static void join_places(struct interest_set *set)
{
	for (unsigned level = 0; level < WEIR_LEVEL_COUNT; level++) {
		unsigned nested = PLACE_OF(level, PLACE_NESTED);
		unsigned text = PLACE_OF(level, PLACE_TEXT);

		join(set, PLACE_OF(level, PLACE_FLAT), nested, nested, text);
		join(set, nested, nested, nested, text);
		join(set, text, PLACE_NOTHING, PLACE_NOTHING, text);
	}
	join(set, PLACE_BODY, PLACE_BODY_NESTED, PLACE_BODY_ENTRY,
	     PLACE_NOTHING);
	join(set, PLACE_BODY_ENTRY, PLACE_BODY_NESTED, PLACE_BODY_NESTED,
	     PLACE_NOTHING);
	join(set, PLACE_BODY_NESTED, PLACE_BODY_NESTED, PLACE_BODY_NESTED,
	     PLACE_NOTHING);
	join(set, PLACE_NOTHING, PLACE_NOTHING, PLACE_NOTHING, PLACE_NOTHING);
	join(set, PLACE_WRAPPER, PLACE_NOTHING, PLACE_NOTHING,
	     PLACE_OF(WEIR_LEVEL_RESOURCE, PLACE_TEXT));
	join(set, PLACE_SCOPE_WRAPPER, PLACE_NOTHING, PLACE_NOTHING,
	     PLACE_OF(WEIR_LEVEL_SCOPE, PLACE_TEXT));
}

/* --- Keys --------------------------------------------------------------- */

__extension__ typedef unsigned __int128 wide;

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t load(const char *p, size_t len)
{
	uint64_t v = 0;

	memcpy(&v, p, len);
	return v;
}

/* Folded multiplication, sixteen bytes a step; `seed` keeps strangers from
 * choosing where their keys land. */
static uint64_t hash(uint64_t seed, weir_str key)
{
	const char *p = key.ptr;
	size_t left = key.len;
	uint64_t h = seed ^ (key.len * 0x9e3779b97f4a7c15u);

	for (; left > 16; p += 16, left -= 16)
		h = mix(load(p, 8) ^ h, load(p + 8, 8) ^ 0xa0761d6478bd642fu);
	if (left >= 8)		/* the two loads may overlap */
		return mix(load(p, 8) ^ h,
			   load(p + left - 8, 8) ^ 0xe7037ed1a0b428dbu);
	if (left >= 4)
		return mix(load(p, 4) ^ h,
			   load(p + left - 4, 4) ^ 0xe7037ed1a0b428dbu);
	for (; left; left--)
		h = mix(h ^ (uint8_t)*p++, 0x8ebc6af09c88c6e3u);
	return mix(h, 0xe7037ed1a0b428dbu);
}

/* The slot of a key, or the empty one where it would be. */
static struct set_key *key_slot(const struct interest_set *set, uint64_t h,
				weir_str key)
{
	for (uint32_t i = (uint32_t)h;; i++) {
		struct set_key *slot = &set->keys[i & set->key_mask];

		if (!slot->places ||
		    (slot->hash == h && weir_str_eq(slot->key, key)))
			return slot;
	}
}

/* What match_key asks before it asks the table. */
static void hint(struct place *place, weir_str key)
{
	uint8_t head[8] = { 0 };
	unsigned bit;

	if (key.len)
		memcpy(head, key.ptr, key.len < 8 ? key.len : 8);
	bit = key_head(head, key.len);
	place->lengths |= 1ull << (key.len < 63 ? key.len : 63);
	place->heads[bit >> 6] |= 1ull << (bit & 63);
}

static void add_key(struct interest_set *set, uint32_t places, weir_str key)
{
	uint64_t h = hash(set->seed, key);
	struct set_key *slot = key_slot(set, h, key);

	if (!places)
		return;
	if (!slot->places)
		*slot = (struct set_key){ h, 0, copy(key) };
	slot->places |= places;
	for (unsigned id = 0; id < PLACE_SHARED; id++)
		if (places & 1u << id)
			hint(&set->place[id], key);
}

static uint32_t decide(const struct interest_set *set, uint64_t h, weir_str key)
{
	uint32_t places = key_slot(set, h, key)->places;

	for (uint32_t i = 0; i < set->n_key_regexes; i++) {
		const struct set_regex *r = &set->key_regexes[i];

		if (r->places & ~places && weir_regex_match(r->regex, key))
			places |= r->places;
	}
	for (uint32_t i = 0; i < set->n_key_scans; i++) {
		const struct set_scan *s = &set->key_scans[i];

		if (s->places & ~places && s->scan(s->arg, key))
			places |= s->places;
	}
	return places;
}

/* The places that want a key, from the cache or into it. */
static uint32_t remembered(const struct interest_set *set, uint64_t h,
			   weir_str key)
{
	struct key_cache *cache = set->cache;
	struct cache_slot *slot = NULL;
	uint32_t i;

	if (key.len > CACHE_KEY_MAX)
		return decide(set, h, key);
	for (i = 0; i < CACHE_PROBE; i++) {
		slot = &cache->slot[(h + i) & (CACHE_SLOTS - 1)];
		if (!slot->used)
			break;
		if (slot->hash == h && slot->len == key.len &&
		    !memcmp(slot->key, key.ptr, key.len))
			return slot->places;
	}
	if (i == CACHE_PROBE)
		slot = &cache->slot[(h + cache->turn++ % CACHE_PROBE) &
				    (CACHE_SLOTS - 1)];
	slot->hash = h;
	slot->places = decide(set, h, key);
	slot->used = 1;
	slot->len = (uint8_t)key.len;
	memcpy(slot->key, key.ptr, key.len);
	return slot->places;
}

bool match_key_slow(const struct interest_set *set, const struct place *place,
		    weir_str key)
{
	uint64_t h = hash(set->seed, key);

	if (place->key_regex)
		return remembered(set, h, key) & place->bit;
	return key_slot(set, h, key)->places & place->bit;
}

bool match_scan_slow(const struct interest_set *set, const struct place *place,
		     weir_str text)
{
	for (uint32_t i = 0; i < set->n_scans; i++) {
		const struct set_scan *s = &set->scans[i];

		if (s->places & place->bit && s->scan(s->arg, text))
			return true;
	}
	return false;
}

bool match_text_slow(const struct interest_set *set, const struct place *place,
		     weir_str text)
{
	for (uint32_t i = 0; i < set->n_value_regexes; i++) {
		const struct set_regex *r = &set->value_regexes[i];

		if (r->places & place->bit && weir_regex_match(r->regex, text))
			return true;
	}
	return place->value_scan && match_scan_slow(set, place, text);
}

/* --- Compiling ---------------------------------------------------------- */

/* Of every key is remembered who wants it. */
static void ask_keys(struct interest_set *set, uint32_t places)
{
	for (unsigned id = 0; id < PLACE_SHARED; id++)
		if (places & 1u << id)
			set->place[id].key_regex = true;
	if (!set->cache)
		set->cache = pages_new(sizeof(*set->cache));
}

static void add_key_regex(struct interest_set *set, const struct item *item,
			  uint32_t places)
{
	set->key_regexes[set->n_key_regexes++] =
		(struct set_regex){ item->regex, places, false };
	ask_keys(set, places);
}

static void add_key_scan(struct interest_set *set, const struct item *item,
			 uint32_t places)
{
	set->key_scans[set->n_key_scans++] =
		(struct set_scan){ item->scan, item->arg, places };
	ask_keys(set, places);
}

static void add_integers(struct interest_set *set, uint32_t places,
			 uint64_t least)
{
	for (unsigned id = 0; id < PLACE_SHARED; id++) {
		uint64_t *from = &set->place[id].integers;

		if (places & 1u << id && (!*from || least < *from))
			*from = least;
	}
}

static void add_value_regex(struct interest_set *set, const struct item *item,
			    uint32_t places)
{
	set->value_regexes[set->n_value_regexes++] =
		(struct set_regex){ item->regex, places, item->any_type };
	for (unsigned id = 0; id < PLACE_SHARED; id++) {
		if (!(places & 1u << id))
			continue;
		set->place[id].value = true;
		set->place[id].any_type |= item->any_type;
	}
}

static void add_value_scan(struct interest_set *set, const struct item *item,
			   uint32_t places)
{
	set->scans[set->n_scans++] =
		(struct set_scan){ item->scan, item->arg, places };
	for (unsigned id = 0; id < PLACE_SHARED; id++) {
		if (!(places & 1u << id))
			continue;
		set->place[id].value = set->place[id].value_scan = true;
		set->place[id].any_type |= item->any_type;
	}
}

/* A body is shown with its record, so to want it always is to want that. */
static void add_always(struct interest_set *set, uint32_t where)
{
	if (where & WEIR_AT_BODY)
		where |= WEIR_AT_RECORD;
	for (unsigned level = 0; level < WEIR_LEVEL_COUNT; level++)
		if (where & 1u << level)
			set->place[PLACE_OF(level, PLACE_FLAT)].always = true;
}

static void add_item(struct interest_set *set, const struct item *item)
{
	uint32_t places = places_of(item->where);

	if (!places)
		return;
	set->empty = false;
	switch (item->kind) {
	case ITEM_KEY:
		add_key(set, places, item->key);
		break;
	case ITEM_KEY_REGEX:
		add_key_regex(set, item, places);
		break;
	case ITEM_KEY_SCAN:
		add_key_scan(set, item, places);
		break;
	case ITEM_INTEGERS:
		add_integers(set, places, item->least);
		break;
	case ITEM_VALUE_REGEX:
		add_value_regex(set, item, places);
		break;
	case ITEM_VALUE_SCAN:
		add_value_scan(set, item, places);
		break;
	case ITEM_ALWAYS:
		add_always(set, item->where);
		break;
	}
}

struct interest_set *interest_compile(struct weir_interest *const *declared,
				      size_t n)
{
	struct interest_set *set = xcalloc(1, sizeof(*set));
	size_t items = 0;
	uint32_t slots = 4;

	for (size_t i = 0; i < n; i++)
		items += declared[i]->n;
	while (slots < 2 * items)
		slots *= 2;
	set->empty = true;
	set->seed = weir_random();
	set->key_mask = slots - 1;
	set->keys = xcalloc(slots, sizeof(*set->keys));
	set->key_regexes = xcalloc(items + 1, sizeof(*set->key_regexes));
	set->value_regexes = xcalloc(items + 1, sizeof(*set->value_regexes));
	set->scans = xcalloc(items + 1, sizeof(*set->scans));
	set->key_scans = xcalloc(items + 1, sizeof(*set->key_scans));
	join_places(set);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < declared[i]->n; j++)
			add_item(set, &declared[i]->v[j]);
	return set;
}

void interest_set_free(struct interest_set **set)
{
	struct interest_set *self = *set;

	*set = NULL;
	if (!self)
		return;
	for (uint32_t i = 0; i <= self->key_mask; i++)
		free((char *)self->keys[i].key.ptr);
	free(self->keys);
	free(self->key_regexes);
	free(self->value_regexes);
	free(self->scans);
	free(self->key_scans);
	pages_free(self->cache, sizeof(*self->cache));
	free(self);
}

bool interest_set_empty(const struct interest_set *set)
{
	return set->empty;
}
