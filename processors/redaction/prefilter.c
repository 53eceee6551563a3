/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefilter.c: which patterns may match a text, for all of them at once.
 *
 * The windows of all patterns (window.c) are looked for in one scan, as the
 * detectors' are (detect_scan.c).  A bucket is an eighth of the windows; which
 * of them fit the four bytes is an AND of four rows of bits.  One without
 * windows is asked about every text.  Holds nothing between texts.
 */
#include <stdlib.h>

#include "detect_scan.h"
#include "prefilter.h"

#define BUCKETS 8

static void *alloc(size_t n, size_t size)
{
	void *memory = calloc(n ? n : 1, size);

	if (!memory)
		abort();
	return memory;
}

/* --- Tables ----------------------------------------------------------------------------- */

/* The windows of all patterns in a row: whose they are is in owner[]. */
struct all {
	struct window *v;
	size_t n;
};

/* Those of a pattern; none: it is asked whatever the text is. */
static void take_windows(struct prefilter *f, size_t pattern, struct all *all)
{
	weir_str text = weir_regex_pattern(f->patterns[pattern]);
	size_t most = windows_max(text), n = 0;
	struct window *windows;

	if (pattern >= PREFILTER_PATTERNS) {
		f->any_asked = true;
		return;
	}
	windows = alloc(most, sizeof(*windows));
	n = windows_of(text, windows);
	if (!n || n > PREFILTER_WINDOWS - all->n) {
		f->asked[pattern / 64] |= UINT64_C(1) << pattern % 64;
		f->any_asked = true;
		n = 0;
	}
	for (size_t i = 0; i < n; i++) {
		f->owner[all->n] = (uint16_t)pattern;
		all->v[all->n++] = windows[i];
	}
	free(windows);
}

static uint64_t *row(const struct prefilter *f, unsigned place, uint8_t c)
{
	return f->fits + (place * 256 + c) * f->words;
}

static void fill_tables(struct prefilter *f, const struct window *window,
			size_t i, unsigned bucket)
{
	struct detectors *d = &f->scan;
	uint8_t bit = (uint8_t)(1u << bucket);

	for (unsigned place = 0; place < 4; place++)
		for (unsigned c = 0; c < 256; c++) {
			if (!set_has(window->set[place], (uint8_t)c))
				continue;
			d->byte[place][c] |= bit;
			d->low[place][c & 15] |= bit;
			d->high[place][c >> 4] |= bit;
			row(f, place, (uint8_t)c)[i / 64] |=
				UINT64_C(1) << i % 64;
		}
}

void prefilter_init(struct prefilter *f, struct weir_regex *const *patterns,
		    size_t n)
{
	struct all all = { alloc(PREFILTER_WINDOWS, sizeof(*all.v)), 0 };

	*f = (struct prefilter){ .patterns = patterns, .n = n };
	f->scan.scan = scan_fastest();
	for (size_t i = 0; i < n; i++)
		take_windows(f, i, &all);
	f->words = (all.n + 63) / 64;
	f->fits = alloc(4 * 256 * f->words, sizeof(*f->fits));
	for (size_t i = 0; i < all.n; i++)
		fill_tables(f, &all.v[i], i, (unsigned)(i * BUCKETS / all.n));
	free(all.v);
}

void prefilter_release(struct prefilter *f)
{
	free(f->fits);
	*f = (struct prefilter){ 0 };
}

/* --- Asking ------------------------------------------------------------------------------ */

/* The windows of a word that fit the candidate's bytes. */
static uint64_t fitting(const struct prefilter *f, const struct candidate *c,
			size_t word)
{
	return row(f, 0, c->window[0])[word] & row(f, 1, c->window[1])[word] &
		row(f, 2, c->window[2])[word] & row(f, 3, c->window[3])[word];
}

/* Adds the patterns that a candidate belongs to and that are not yet in *near;
 * with `text` asks them first.  True: one matches. */
static bool add_near(const struct prefilter *f, const struct candidate *c,
		     const weir_str *text, struct near *near)
{
	for (size_t word = 0; word < f->words; word++) {
		uint64_t left = fitting(f, c, word);

		for (; left; left &= left - 1) {
			size_t i = f->owner[word * 64 + (size_t)
					    __builtin_ctzll(left)];

			if (is_near(near, i))
				continue;
			near->bits[i / 64] |= UINT64_C(1) << i % 64;
			if (text && weir_regex_match(f->patterns[i], *text))
				return true;
		}
	}
	return false;
}

bool prefilter_near(const struct prefilter *f, weir_str text,
		    struct near *near)
{
	struct candidate c;
	struct scan s;
	bool any = f->any_asked;

	memcpy(near->bits, f->asked, sizeof(near->bits));
	if (!f->words)
		return any;
	scan_start(&s, &f->scan, text, 0);
	while (scan_next(&s, &c)) {
		add_near(f, &c, NULL, near);
		any = true;
	}
	return any;
}

bool prefilter_match(const struct prefilter *f, weir_str text)
{
	struct near near;
	struct candidate c;
	struct scan s;

	for (size_t i = 0; f->any_asked && i < f->n; i++)
		if ((i >= PREFILTER_PATTERNS ||
		     f->asked[i / 64] >> i % 64 & 1) &&
		    weir_regex_match(f->patterns[i], text))
			return true;
	if (!f->words)
		return false;
	scan_start(&s, &f->scan, text, 0);
	if (!scan_next(&s, &c))
		return false;
	memset(&near, 0, sizeof(near));
	do {
		if (add_near(f, &c, &text, &near))
			return true;
	} while (scan_next(&s, &c));
	return false;
}
