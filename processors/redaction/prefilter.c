/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefilter.c: which patterns may match a text, for all of them at once.
 *
 * The windows of all patterns (window.c) are looked for in one scan, as the
 * detectors' are (detect_scan.c); a pattern is asked when one of its own comes
 * up.  One without windows is asked about every text.  Holds nothing between
 * texts.
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

static void fill_tables(struct detectors *d, const struct window *window,
			unsigned bucket)
{
	uint8_t bit = (uint8_t)(1u << bucket);

	for (unsigned i = 0; i < 4; i++)
		for (unsigned c = 0; c < 256; c++) {
			if (!set_has(window->set[i], (uint8_t)c))
				continue;
			d->byte[i][c] |= bit;
			d->low[i][c & 15] |= bit;
			d->high[i][c >> 4] |= bit;
		}
}

static int asked_first(const void *a, const void *b)
{
	const struct filtered *x = a, *y = b;

	return (x->n_windows > 0) - (y->n_windows > 0);
}

void prefilter_init(struct prefilter *f, struct weir_regex *const *patterns,
		    size_t n)
{
	f->v = alloc(n, sizeof(*f->v));
	f->n = n;
	f->scan.scan = scan_fastest();
	for (size_t i = 0; i < n; i++) {
		weir_str text = weir_regex_pattern(patterns[i]);
		struct window *windows = alloc(windows_max(text),
					       sizeof(*windows));

		f->v[i] = (struct filtered){ patterns[i], windows,
			windows_of(text, windows), 0 };
	}
	qsort(f->v, n, sizeof(*f->v), asked_first);
	while (f->n_asked < n && !f->v[f->n_asked].n_windows)
		f->n_asked++;
	for (size_t i = f->n_asked; i < n; i++) {
		struct filtered *v = &f->v[i];

		v->bucket = (uint8_t)((i - f->n_asked) * BUCKETS /
				      (n - f->n_asked));
		for (size_t j = 0; j < v->n_windows; j++)
			fill_tables(&f->scan, &v->window[j], v->bucket);
	}
}

void prefilter_release(struct prefilter *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].window);
	free(f->v);
	*f = (struct prefilter){ 0 };
}

/* --- Asking ------------------------------------------------------------------------------ */

static bool fits(const struct filtered *v, const uint8_t bytes[4])
{
	for (size_t i = 0; i < v->n_windows; i++) {
		const struct window *w = &v->window[i];

		if (set_has(w->set[3], bytes[3]) &&
		    set_has(w->set[2], bytes[2]) &&
		    set_has(w->set[1], bytes[1]) &&
		    set_has(w->set[0], bytes[0]))
			return true;
	}
	return false;
}

#define REMEMBERED 512	/* patterns of which is known that they were asked */

static bool ask(const struct prefilter *f, weir_str text,
		const struct candidate *c, uint64_t *asked)
{
	for (size_t i = f->n_asked; i < f->n; i++) {
		const struct filtered *v = &f->v[i];
		uint64_t bit = UINT64_C(1) << i % 64;

		if (!(c->buckets >> v->bucket & 1) || !fits(v, c->window))
			continue;
		if (i < REMEMBERED && asked[i / 64] & bit)
			continue;
		if (weir_regex_match(v->regex, text))
			return true;
		if (i < REMEMBERED)
			asked[i / 64] |= bit;
	}
	return false;
}

bool prefilter_match(const struct prefilter *f, weir_str text)
{
	uint64_t asked[REMEMBERED / 64] = { 0 };
	struct candidate c;
	struct scan s;

	for (size_t i = 0; i < f->n_asked; i++)
		if (weir_regex_match(f->v[i].regex, text))
			return true;
	if (f->n_asked == f->n)
		return false;
	scan_start(&s, &f->scan, text, 0);
	while (scan_next(&s, &c))
		if (ask(f, text, &c, asked))
			return true;
	return false;
}
