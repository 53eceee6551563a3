/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect.c: detectors by name, and hits from left to right.
 *
 * Holds nothing between calls.  The scan proposes, probes decide.
 */
#include <assert.h>
#include <stdio.h>

#include "detect_parts.h"
#include "detect_scan.h"

static const char *const names[DETECTORS] = {
	[DETECT_EMAIL] = "email",
	[DETECT_PAYMENT_CARD] = "payment_card",
	[DETECT_IBAN] = "iban",
	[DETECT_JWT] = "jwt",
	[DETECT_PRIVATE_KEY] = "private_key",
	[DETECT_CREDENTIALS] = "credentials",
	[DETECT_CLOUD_KEY] = "cloud_key",
	[DETECT_LLM_KEY] = "llm_key",
};

const char *detector_name(enum detector detector)
{
	return names[detector];
}

/* --- Names ----------------------------------------------------------------------- */

#define LONGEST 32

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Bytes to insert, delete or replace to get from one to the other. */
static size_t distance(weir_str a, const char *b)
{
	size_t row[LONGEST + 1], n = strlen(b);

	if (a.len > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t change = corner + (a.ptr[i - 1] != b[j - 1]);

			corner = row[j];
			row[j] = least(change, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[n];
}

static int find_name(weir_str name)
{
	for (int i = 0; i < DETECTORS; i++)
		if (weir_str_eq(name, weir_str_of(names[i])))
			return i;
	return -1;
}

static int refuse(weir_str name, size_t i, struct weir_error *error)
{
	char path[] = "detectors[18446744073709551615]";
	size_t best = LONGEST;
	int nearest = 0;

	snprintf(path, sizeof(path), "detectors[%zu]", i);
	for (int n = 0; n < DETECTORS; n++) {
		size_t far = distance(name, names[n]);

		if (far < best) {
			best = far;
			nearest = n;
		}
	}
	if (best > 1 + strlen(names[nearest]) / 3)
		return weir_fail(error, path, "unknown detector \"%.*s\"; "
				 "there are email, payment_card, iban, jwt, "
				 "private_key, credentials, cloud_key and "
				 "llm_key", WEIR_STR_FMT(name));
	return weir_fail(error, path, "unknown detector \"%.*s\"; did you "
			 "mean \"%s\"?", WEIR_STR_FMT(name), names[nearest]);
}

/* --- Windows --------------------------------------------------------------------- */

static void allow(bool may_be[256], uint8_t first, uint8_t last, bool fold)
{
	for (unsigned c = first; c <= last; c++) {
		may_be[c] = true;
		if (fold && is_letter((char)c))
			may_be[c ^ 0x20] = true;
	}
}

const char *window_next(const char *window, uint8_t fold, bool may_be[256])
{
	const uint8_t *w = (const uint8_t *)window;

	memset(may_be, 0, 256);
	if (*w != '[') {
		allow(may_be, *w, *w, fold);
		return window + 1;
	}
	for (w++; *w != ']'; w++) {
		if (*w == '*') {		/* any byte */
			allow(may_be, 0, 255, false);
		} else if (w[1] == '-' && w[2] != ']') {
			allow(may_be, w[0], w[2], fold);
			w += 2;
		} else {
			allow(may_be, *w, *w, fold);
		}
	}
	return (const char *)w + 1;
}

/* The bytes that are one character, for a comparison of all four at once. */
static void add_letter(struct detect_word *w, int i, const char *window,
		       bool fold)
{
	uint8_t c = (uint8_t)*window;

	if (c == '[')
		return;
	w->mask[i] = 0xff;
	w->want[i] = c;
	w->fold[i] = fold && is_letter((char)c) ? 0x20 : 0;
}

static void add_window(struct detectors *d, const struct trigger *t,
		       struct detect_word *w)
{
	uint8_t bit = (uint8_t)(1u << t->bucket);
	const char *window = t->window;
	bool may_be[256];

	for (int i = 0; i < 4; i++) {
		add_letter(w, i, window, t->fold);
		window = window_next(window, t->fold, may_be);
		for (unsigned c = 0; c < 256; c++) {
			if (!may_be[c])
				continue;
			d->byte[i][c] |= bit;
			d->low[i][c & 15] |= bit;
			d->high[i][c >> 4] |= bit;
		}
	}
}

static void add_trigger(struct detectors *d, size_t i)
{
	const struct trigger *t = &detect_triggers[i];
	struct detect_word *list = d->word[t->bucket], w = { 0 };
	size_t n = 0;

	while (list[n].trigger)
		n++;
	assert(n + 1 < DETECT_WORDS);
	add_window(d, t, &w);
	w.trigger = (uint8_t)(i + 1);
	list[n] = w;
}

int detectors_init(struct detectors *d, struct weir_strs list,
		   struct weir_error *error)
{
	*d = (struct detectors){ .scan = scan_fastest() };
	for (size_t i = 0; i < list.len; i++) {
		int n = find_name(list.items[i]);

		if (n < 0)
			return refuse(list.items[i], i, error);
		d->on |= BIT(n);
	}
	for (size_t i = 0; detect_triggers[i].window; i++)
		if (detect_triggers[i].on & d->on)
			add_trigger(d, i);
	return 0;
}

/* --- Hits ------------------------------------------------------------------------ */

static bool same(const uint8_t window[4], const struct detect_word *w)
{
	uint32_t v, mask, fold, want;

	memcpy(&v, window, sizeof(v));
	memcpy(&mask, w->mask, sizeof(mask));
	memcpy(&fold, w->fold, sizeof(fold));
	memcpy(&want, w->want, sizeof(want));
	return ((v | fold) & mask) == want;
}

static bool try_bucket(const struct look *l, const struct detect_word *w,
		       const struct candidate *c, struct detected *hit)
{
	for (; w->trigger; w++) {
		const struct trigger *t = &detect_triggers[w->trigger - 1];

		LOOKED(1);
		if (same(c->window, w) && t->probe(l, t, c->last, hit))
			return true;
	}
	return false;
}

static bool decide(const struct detectors *d, const struct look *l,
		   const struct candidate *c, struct detected *hit)
{
	if (c->run && probe_card(l, NULL, c->last, hit))
		return true;
	for (unsigned left = c->buckets; left; left &= left - 1)
		if (try_bucket(l, d->word[__builtin_ctz(left)], c, hit))
			return true;
	return false;
}

void detect_start(struct detect_walk *walk, const struct detectors *d,
		  weir_str text)
{
	walk->d = d;
	walk->text = text;
	walk->no_block = walk->no_block_end = 0;
	walk->quotes = 0;
	walk->named = walk->named_end = SIZE_MAX;
	walk->stops = 0;
}

/* Does a name end at the candidate that the value at `value` is of? */
static bool ends_name(const struct look *l, const struct candidate *c,
		      size_t value)
{
	const struct detectors *d = l->walk->d;

	for (unsigned left = c->buckets; left; left &= left - 1)
		for (const struct detect_word *w =
		     d->word[__builtin_ctz(left)]; w->trigger; w++) {
			const struct trigger *t =
				&detect_triggers[w->trigger - 1];

			if (t->probe == probe_name && same(c->window, w) &&
			    names_value(l, t, c->last, value))
				return true;
		}
	return false;
}

#define NAME_END 64	/* its last bytes decide: no word is as long */

bool detect_name(const struct detectors *d, weir_str name)
{
	size_t len = name.len < NAME_END ? name.len : NAME_END;
	char text[NAME_END + 4] = "\"";
	struct detect_walk walk;
	struct look l = { text, len + 4, 0, d->on, &walk };
	struct candidate c;
	struct scan s;

	if (!len || !d->on)
		return false;
	memcpy(text + 1, name.ptr + name.len - len, len);
	memcpy(text + 1 + len, "\":\"", 3);
	detect_start(&walk, d, (weir_str){ text, l.len });
	scan_start(&s, d, walk.text, 0);
	while (scan_next(&s, &c))
		if (ends_name(&l, &c, len + 3))
			return true;
	return false;
}

#define SHORTEST 5	/* pwd=x */

bool detect_next(struct detect_walk *walk, size_t from, struct detected *hit)
{
	const struct detectors *d = walk->d;
	weir_str text = walk->text;
	struct look l = { text.ptr, text.len, from, d->on, walk };
	struct detected beside = { .at = text.len };
	struct candidate c;
	struct scan s;

	if (from >= text.len || text.len - from < SHORTEST || !d->on)
		return false;
	if ((d->on & BIT(DETECT_CLOUD_KEY)) && from)
		aws_secret_behind(&l, &beside);
	scan_start(&s, d, text, from);
	while (scan_next(&s, &c) && c.last < beside.at + beside.len)
		if (decide(d, &l, &c, hit) && hit->at < beside.at)
			return true;
	*hit = beside;
	return beside.len;
}

bool detect_any(const struct detectors *d, weir_str text)
{
	struct detect_walk walk;
	struct detected hit;

	detect_start(&walk, d, text);
	return detect_next(&walk, 0, &hit);
}
