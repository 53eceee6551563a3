/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mask.c: what patterns match and detectors know, masked.
 *
 * Both look at the text as it came, so that neither hides from the other what
 * it would have found: a pattern inside of a card number would leave the rest
 * of it.  The patterns go first, one after the other, each over what those
 * before it left; where a detector found something is moved along:
 *
 *	bob.smith@corp.example	 a place of a detector, and in it
 *	          ~~~~~~~~~~~~	 what a pattern matches
 *	bob.smith@****		 behind the pattern: the place ends with the mask
 *	****			 and goes as a whole
 *
 * Holds nothing between texts but memory that is used again.  Fails closed: a
 * digest that cannot be made leaves stars; what a pattern cannot tell, and what
 * would grow without measure, leaves one mask.
 */
#include "rules.h"

struct place {
	size_t at, end;		/* in the text as it is now */
	size_t was, was_end;	/* as it came */
};

struct mask {
	const struct rules *rules;
	struct work *work;
	weir_str text;		/* that the pattern in turn is asked about */
	size_t bound;		/* of the places: the next, 2 each */
	size_t shift;		/* what is behind the last match moves so far,
				 * modulo 2^64 */
	size_t credit, room;	/* bytes: see begin */
	bool large;		/* there is no room for more */
};

/* --- Masks -------------------------------------------------------------------- */

static bool has_room(struct mask *mask, const struct weir_text *out)
{
	if (out->refused || out->len > mask->room)
		mask->large = true;
	return !mask->large;
}

/* What stands in the place of a match. */
static void put_mask(struct mask *mask, weir_str match, struct weir_text *out)
{
	struct work *work = mask->work;
	struct weir_error error;

	if (!has_room(mask, out))
		return;
	if (mask->rules->hashed && !work->digest)
		work->digest = weir_digest_new(mask->rules->digest,
					       mask->rules->hmac_key, &error);
	if (work->digest)
		weir_digest_hex(work->digest, match, out);
	else
		weir_text_add(out, WEIR_STR("****"));
}

/* What masks and digests make of values is at most four times as long, and
 * ROOM_VALUE for each; what is longer borrows from ROOM_SPARE, and those behind
 * it give that back. */
static struct mask begin(const struct rules *rules, struct work *work,
			 weir_str text)
{
	size_t credit = 4 * text.len + ROOM_VALUE;

	return (struct mask){ .rules = rules, .work = work, .text = text,
			      .credit = credit,
			      .room = ROOM_SPARE + credit - work->borrowed };
}

static void spend(struct mask *mask, size_t len)
{
	size_t owed = mask->work->borrowed + len;

	mask->work->borrowed = owed > mask->credit ? owed - mask->credit : 0;
}

static weir_str made(struct mask *mask, const struct weir_text *to)
{
	spend(mask, to->len);
	return to->len ? (weir_str){ to->ptr, to->len } : WEIR_STR("");
}

/* A rule has failed: nothing of the text is left. */
static weir_str mask_lost(struct mask *mask, weir_str text, enum lost why)
{
	struct weir_text *to = &mask->work->text[0];

	if (to->ptr && text.ptr >= to->ptr && text.ptr < to->ptr + to->cap)
		to = &mask->work->text[1];
	weir_text_clear(to);
	mask->large = false;
	put_mask(mask, text, to);
	mask->work->lost[why]++;
	return to->refused || !to->len ? WEIR_STR("****") : made(mask, to);
}

/* --- Places ------------------------------------------------------------------- */

static struct place *places(const struct mask *mask)
{
	return (void *)mask->work->places.ptr;
}

static size_t n_places(const struct mask *mask)
{
	return mask->work->places.len / sizeof(struct place);
}

/* What the detectors find between from and end, told from `from` on. */
static void find_places(struct mask *mask, weir_str text, size_t from,
			size_t end)
{
	const struct detectors *d = &mask->rules->detectors;
	struct weir_text *found = &mask->work->places;
	struct detect_walk walk;
	struct detected hit;
	size_t next = 0;

	weir_text_clear(found);
	if (!d->on)
		return;
	detect_start(&walk, d, text);
	if (from) {
		walk.named = from;
		walk.named_end = end;
	}
	while (detect_next(&walk, next, &hit) && hit.at < end) {
		size_t at = (hit.at > from ? hit.at : from) - from;
		struct place place = { at, at, at, at };

		next = hit.at + hit.len;
		if (next <= from)
			continue;
		place.end = place.was_end = (next < end ? next : end) - from;
		weir_text_add(found, (weir_str){ (char *)&place,
						 sizeof(place) });
	}
}

static size_t *bound_of(const struct mask *mask)
{
	struct place *place = &places(mask)[mask->bound / 2];

	return mask->bound % 2 ? &place->end : &place->at;
}

/* The bounds up to there, which no match holds. */
static void move_bounds(struct mask *mask, size_t end)
{
	for (; mask->bound < 2 * n_places(mask); mask->bound++) {
		size_t *bound = bound_of(mask);

		if (*bound > end)
			return;
		*bound += mask->shift;
	}
}

/* Those inside of a match: a place takes all of its mask. */
static void move_into(struct mask *mask, size_t end, size_t from, size_t to)
{
	for (; mask->bound < 2 * n_places(mask); mask->bound++) {
		size_t *bound = bound_of(mask);

		if (*bound >= end)
			return;
		*bound = mask->bound % 2 ? to : from;
	}
}

/* Places that a mask has joined are one. */
static void join_places(struct mask *mask)
{
	struct place *v = places(mask);
	size_t n = 0;

	for (size_t i = 0; i < n_places(mask); i++) {
		if (!n || v[i].at >= v[n - 1].end) {
			v[n++] = v[i];
			continue;
		}
		if (v[i].end > v[n - 1].end)
			v[n - 1].end = v[i].end;
		v[n - 1].was_end = v[i].was_end;
	}
	weir_text_cut(&mask->work->places, n * sizeof(*v));
}

/* came: the text of the places as it was. */
static void mask_places(struct mask *mask, weir_str came, weir_str text,
			struct weir_text *to)
{
	const struct place *v = places(mask);
	size_t done = 0;

	weir_text_clear(to);
	for (size_t i = 0; i < n_places(mask); i++) {
		weir_text_add(to, (weir_str){ text.ptr + done,
					      v[i].at - done });
		put_mask(mask, (weir_str){ came.ptr + v[i].was,
					   v[i].was_end - v[i].was }, to);
		done = v[i].end;
	}
	weir_text_add(to, (weir_str){ text.ptr + done, text.len - done });
}

/* --- Patterns ----------------------------------------------------------------- */

static void put_match(void *arg, weir_str match, struct weir_text *out)
{
	struct mask *mask = arg;
	size_t from = out->len, at = from - mask->shift;

	move_bounds(mask, at);
	put_mask(mask, match, out);
	move_into(mask, at + match.len, from, out->len);
	mask->shift = out->len - (at + match.len);
}

static bool replace(struct mask *mask, const struct weir_regex *pattern,
		    struct weir_text *to)
{
	weir_text_clear(to);
	mask->bound = mask->shift = 0;
	if (!weir_regex_replace(pattern, mask->text, to, put_match, mask))
		return false;
	move_bounds(mask, SIZE_MAX);
	join_places(mask);
	return true;
}

enum told { TOLD, UNTOLD_SLOW, UNTOLD_LARGE };

/* Each pattern sees what those before it left; only those are asked that come
 * near it.  *to: the buffer that mask->text is not in. */
static enum told mask_matches(struct mask *mask, struct weir_text **to)
{
	const struct patterns *patterns = &mask->rules->blocked_values;
	const struct prefilter *filter = &mask->rules->blocked_near;
	struct weir_text *text = mask->work->text;
	uint64_t untold = weir_regex_untold();
	struct near near;

	*to = text;
	if (!prefilter_near(filter, mask->text, &near))
		return TOLD;
	for (size_t i = 0; i < patterns->n; i++) {
		if (!is_near(&near, i) || !replace(mask, patterns->v[i], *to))
			continue;
		if (weir_regex_untold() != untold)
			return UNTOLD_SLOW;
		if (!has_room(mask, *to))
			return UNTOLD_LARGE;
		mask->text = (weir_str){ (*to)->len ? (*to)->ptr : "",
					 (*to)->len };
		*to = *to == text ? text + 1 : text;
		prefilter_near(filter, mask->text, &near);
	}
	return TOLD;
}

/* --- Texts -------------------------------------------------------------------- */

/* The places are found. */
static bool mask_placed(struct mask *mask, weir_str text, weir_str *out)
{
	struct weir_text *to;
	enum told told;

	if (mask->work->places.refused) {
		*out = mask_lost(mask, text, LOST_DETECTED);
		return true;
	}
	told = mask_matches(mask, &to);
	if (told != TOLD) {
		*out = mask_lost(mask, text, told == UNTOLD_SLOW ?
				 LOST_SLOW : LOST_VALUES);
		return true;
	}
	*out = mask->text;
	if (n_places(mask)) {
		mask_places(mask, text, mask->text, to);
		if (!has_room(mask, to)) {
			*out = mask_lost(mask, text, LOST_DETECTED);
			return true;
		}
		*out = made(mask, to);
	} else {
		spend(mask, out->ptr == text.ptr ? 0 : out->len);
	}
	return out->len != text.len ||
		(out->ptr != text.ptr && !weir_str_eq(*out, text));
}

bool rules_mask(const struct rules *rules, struct work *work, weir_str text,
		weir_str *out)
{
	struct mask mask = begin(rules, work, text);

	find_places(&mask, text, 0, text.len);
	return mask_placed(&mask, text, out);
}

/* A name and its value as JSON has them.  Returns where the value begins. */
static size_t add_named(struct work *work, const struct named *name,
			weir_str text)
{
	struct weir_text *named = &work->named;
	size_t from;

	weir_text_clear(named);
	weir_text_add(named, WEIR_STR("\""));
	weir_text_add(named, name->name);
	weir_text_add(named, name->quoted ? WEIR_STR("\":\"") :
					    WEIR_STR("\":"));
	from = named->len;
	weir_text_add(named, text);
	if (name->quoted)
		weir_text_add(named, WEIR_STR("\""));
	return from;
}

bool rules_detect_number(const struct rules *rules, struct work *work,
			 weir_str name, weir_str text)
{
	struct mask mask = begin(rules, work, text);
	struct named named = { name, false };
	size_t from;

	if (!name.len)
		return detect_any(&rules->detectors, text);
	from = add_named(work, &named, text);
	find_places(&mask, (weir_str){ work->named.ptr, work->named.len },
		    from, from + text.len);
	return n_places(&mask);
}

bool rules_mask_named(const struct rules *rules, struct work *work,
		      const struct named *name, weir_str text, weir_str *out)
{
	struct mask mask = begin(rules, work, text);
	size_t from = add_named(work, name, text);

	find_places(&mask, (weir_str){ work->named.ptr, work->named.len },
		    from, from + text.len);
	return mask_placed(&mask, text, out);
}

/* As the pattern .* does: no line end is part of a match, every line is one. */
void rules_mask_whole(const struct rules *rules, struct work *work,
		      weir_str text, weir_str *out)
{
	struct mask mask = begin(rules, work, text);
	struct weir_text *to = &work->text[0];
	weir_str rest = text;

	weir_text_clear(to);
	for (;;) {
		const char *end = rest.len ?
			memchr(rest.ptr, '\n', rest.len) : NULL;
		size_t len = end ? (size_t)(end - rest.ptr) : rest.len;

		put_mask(&mask, (weir_str){ rest.ptr, len }, to);
		if (!end || mask.large)
			break;
		weir_text_add(to, WEIR_STR("\n"));
		rest.ptr += len + 1;
		rest.len -= len + 1;
	}
	*out = has_room(&mask, to) ? made(&mask, to) :
		mask_lost(&mask, text, LOST_KEYS);
}
