/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefilter.c: which patterns may match a text, for all of them at once.
 *
 * The windows of all patterns (window.c) are looked for in one scan, as the
 * detectors' are (detect_scan.c); which of them fit the four bytes is an AND of
 * four rows of bits.  Then what stands in a row with a window is compared, from
 * its far end.  Windows that most texts have, of a long run of one class
 * ([0-9a-f]{32}), are left out: such a run of n cannot miss every n-th byte, and
 * those are all that is looked at.  A pattern with neither is asked about every
 * text.  Holds nothing between texts.
 */
#include <stdlib.h>

#include "detect_scan.h"
#include "prefilter.h"

#define BUCKETS 8
#define COMMON .005		/* of the places of a text: more than a scan
				 * should stop at */
#define STRETCH_LEAST 6
#define PATTERN_WINDOWS 4096	/* what one may have before it is read */

static void *alloc(size_t n, size_t size)
{
	void *memory = calloc(n ? n : 1, size);

	if (!memory)
		abort();
	return memory;
}

/* No larger than needed; it lives as long as the processor. */
static void *fit(void *memory, size_t size)
{
	void *less = realloc(memory, size ? size : 1);

	return less ? less : memory;
}

/* --- Stretches --------------------------------------------------------------------- */

/* The longest run of one set in the row of a window. */
static struct stretch longest_stretch(const struct window *w)
{
	struct stretch best = { .n = 0 };
	size_t begin = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (memcmp(w->row[i], w->row[begin], sizeof(w->row[i])))
			begin = i;
		if (i + 1 - begin <= best.n)
			continue;
		best.n = (uint16_t)(i + 1 - begin);
		memcpy(best.set, w->row[i], sizeof(best.set));
	}
	return best;
}

/* What is before `known` and behind the last byte that was none are bytes of
 * the set: none is looked at twice. */
static bool has_stretch(const struct stretch *s, weir_str text)
{
	size_t known = 0, at = s->n - 1u;

	while (at < text.len) {
		size_t i = at + 1;

		while (i > known && set_has(s->set, (uint8_t)text.ptr[i - 1]))
			i--;
		if (i == known)
			return true;
		known = at + 1;
		at = i + s->n - 1;
	}
	return false;
}

/* --- Tables ----------------------------------------------------------------------------- */

static bool take_stretch(struct prefilter *f, size_t pattern,
			 const struct window *w)
{
	struct stretch s = longest_stretch(w);

	if (w->share < COMMON || s.n < STRETCH_LEAST)
		return false;
	s.pattern = (uint16_t)pattern;
	f->stretches[f->n_stretches++] = s;
	return true;
}

static void take_window(struct prefilter *f, size_t pattern,
			const struct window *w)
{
	if (w->n < f->shortest)
		f->shortest = w->n;
	if (take_stretch(f, pattern, w))
		return;
	f->owner[f->n_windows] = (uint16_t)pattern;
	f->windows[f->n_windows++] = *w;
}

/* Those of a pattern; none: it is asked whatever the text is. */
static void take_windows(struct prefilter *f, size_t pattern)
{
	weir_str text = weir_regex_pattern(f->patterns[pattern]);
	size_t most = windows_max(text), n = 0;
	struct window *windows = NULL;

	if (pattern < PREFILTER_PATTERNS && most <= PATTERN_WINDOWS) {
		windows = alloc(most, sizeof(*windows));
		n = windows_of(text, windows);
	}
	if (n > PREFILTER_WINDOWS - f->n_windows - f->n_stretches)
		n = 0;
	for (size_t i = 0; i < n; i++)
		take_window(f, pattern, &windows[i]);
	free(windows);
	if (n)
		return;
	f->any_asked = true;
	if (pattern < PREFILTER_PATTERNS)
		f->asked[pattern / 64] |= UINT64_C(1) << pattern % 64;
}

static uint64_t *row(const struct prefilter *f, unsigned place, uint8_t c)
{
	return f->fits + (place * 256 + c) * f->words;
}

static void fill_tables(struct prefilter *f, size_t i, unsigned bucket)
{
	const struct window *window = &f->windows[i];
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

/* --- Buckets --------------------------------------------------------------------- */

/* The scan tells a byte by its halves, so a bucket lets pass what has a low and
 * a high half of any of its windows' bytes, at each of the four places. */
struct bucket {
	uint16_t low[4], high[4];
};

struct dealer {
	double byte[256];		/* byte_share */
	struct bucket of[PREFILTER_WINDOWS];	/* each window by itself */
	uint8_t at[PREFILTER_WINDOWS];	/* its bucket */
	struct bucket bucket[BUCKETS];
};

static struct bucket halves_of(const struct window *w)
{
	struct bucket b = { .low = { 0 } };

	for (unsigned place = 0; place < 4; place++)
		for (unsigned c = 0; c < 256; c++)
			if (set_has(w->set[place], (uint8_t)c)) {
				b.low[place] |= (uint16_t)(1u << (c & 15));
				b.high[place] |= (uint16_t)(1u << (c >> 4));
			}
	return b;
}

static struct bucket joined(struct bucket a, const struct bucket *b)
{
	for (unsigned place = 0; place < 4; place++) {
		a.low[place] |= b->low[place];
		a.high[place] |= b->high[place];
	}
	return a;
}

/* Of the places of a text that it lets pass. */
static double passing(const struct dealer *d, const struct bucket *b)
{
	double share = 1;

	for (unsigned place = 0; place < 4; place++) {
		double sum = 0;

		for (unsigned high = b->high[place]; high; high &= high - 1)
			for (unsigned low = b->low[place]; low; low &= low - 1)
				sum += d->byte[__builtin_ctz(high) << 4 |
					       __builtin_ctz(low)];
		share *= sum;
	}
	return share;
}

/* To the bucket that lets least more pass for it. */
static void deal(struct dealer *d, size_t i)
{
	double least = 0;

	for (unsigned b = 0; b < BUCKETS; b++) {
		struct bucket with = joined(d->bucket[b], &d->of[i]);
		double more = passing(d, &with) - passing(d, &d->bucket[b]);

		if (b && more >= least)
			continue;
		least = more;
		d->at[i] = (uint8_t)b;
	}
	d->bucket[d->at[i]] = joined(d->bucket[d->at[i]], &d->of[i]);
}

static void take_back(struct dealer *d, size_t i, size_t n)
{
	struct bucket left = { .low = { 0 } };

	for (size_t other = 0; other < n; other++)
		if (other != i && d->at[other] == d->at[i])
			left = joined(left, &d->of[other]);
	d->bucket[d->at[i]] = left;
}

#define DEALT_AGAIN 3		/* the first knew nothing of the others */
#define FEW 256			/* windows for which that takes no time */

static void fill_buckets(struct prefilter *f)
{
	struct dealer *d = alloc(1, sizeof(*d));
	size_t n = f->n_windows;

	for (unsigned c = 0; c < 256; c++)
		d->byte[c] = byte_share((uint8_t)c);
	for (size_t i = 0; i < n; i++) {
		d->of[i] = halves_of(&f->windows[i]);
		deal(d, i);
	}
	for (unsigned again = 0; again < DEALT_AGAIN && n <= FEW; again++)
		for (size_t i = 0; i < n; i++) {
			take_back(d, i, n);
			deal(d, i);
		}
	for (size_t i = 0; i < n; i++)
		fill_tables(f, i, d->at[i]);
	free(d);
}

void prefilter_init(struct prefilter *f, struct weir_regex *const *patterns,
		    size_t n)
{
	*f = (struct prefilter){ .patterns = patterns, .n = n,
				 .shortest = SIZE_MAX };
	f->scan.scan = scan_fastest();
	f->windows = alloc(PREFILTER_WINDOWS, sizeof(*f->windows));
	f->stretches = alloc(PREFILTER_WINDOWS, sizeof(*f->stretches));
	for (size_t i = 0; i < n; i++)
		take_windows(f, i);
	f->windows = fit(f->windows, f->n_windows * sizeof(*f->windows));
	f->stretches = fit(f->stretches,
			   f->n_stretches * sizeof(*f->stretches));
	f->words = (f->n_windows + 63) / 64;
	f->fits = alloc(4 * 256 * f->words, sizeof(*f->fits));
	fill_buckets(f);
}

void prefilter_release(struct prefilter *f)
{
	free(f->fits);
	free(f->windows);
	free(f->stretches);
	*f = (struct prefilter){ 0 };
}

/* --- Asking ------------------------------------------------------------------------------ */

struct question {
	const struct prefilter *f;
	weir_str text;
	struct near *near;
	bool match;		/* asks the patterns, too */
	size_t compared, most;	/* bytes; beyond it all that fits is near */
};

/* The windows of a word that fit the candidate's bytes. */
static uint64_t fitting(const struct prefilter *f, const struct candidate *c,
			size_t word)
{
	return row(f, 0, c->window[0])[word] & row(f, 1, c->window[1])[word] &
		row(f, 2, c->window[2])[word] & row(f, 3, c->window[3])[word];
}

/* Does the row stand around its window, which ends with the byte at `last`? */
static bool fits_row(struct question *q, const struct window *w, size_t last)
{
	size_t begin = last + 1 - w->end, left = w->n;

	if (last + 1 < w->end || q->text.len - begin < w->n)
		return false;
	if (q->compared > q->most)
		return true;
	while (left && set_has(w->row[left - 1],
			       (uint8_t)q->text.ptr[begin + left - 1]))
		left--;
	q->compared += w->n - left;
	return !left;
}

/* A pattern that comes near.  True: no more need be asked. */
static bool add_near(struct question *q, size_t pattern)
{
	q->near->bits[pattern / 64] |= UINT64_C(1) << pattern % 64;
	return q->match && weir_regex_match(q->f->patterns[pattern], q->text);
}

static bool add_candidate(struct question *q, const struct candidate *c)
{
	const struct prefilter *f = q->f;

	for (size_t word = 0; word < f->words; word++) {
		uint64_t left = fitting(f, c, word);

		for (; left; left &= left - 1) {
			size_t i = word * 64 + (size_t)__builtin_ctzll(left);

			if (!is_near(q->near, f->owner[i]) &&
			    fits_row(q, &f->windows[i], c->last) &&
			    add_near(q, f->owner[i]))
				return true;
		}
	}
	return false;
}

static bool add_stretches(struct question *q)
{
	for (size_t i = 0; i < q->f->n_stretches; i++) {
		const struct stretch *s = &q->f->stretches[i];

		if (!is_near(q->near, s->pattern) &&
		    has_stretch(s, q->text) && add_near(q, s->pattern))
			return true;
	}
	return false;
}

/* All that are near, or up to the first that matches. */
static bool add_all(struct question *q)
{
	struct candidate c;
	struct scan s;

	if (q->text.len < q->f->shortest)
		return false;
	if (add_stretches(q))
		return true;
	if (!q->f->words)
		return false;
	scan_start(&s, &q->f->scan, q->text, 0);
	while (scan_next(&s, &c))
		if (add_candidate(q, &c))
			return true;
	return false;
}

#define COMPARED(len) (8 * (len) + 256)

bool prefilter_near(const struct prefilter *f, weir_str text,
		    struct near *near)
{
	struct question q = { f, text, near, false, 0, COMPARED(text.len) };
	uint64_t any = f->any_asked;

	if (!any && text.len < f->shortest)
		return false;
	memcpy(near->bits, f->asked, sizeof(near->bits));
	add_all(&q);
	for (size_t i = 0; !any && i < PREFILTER_PATTERNS / 64; i++)
		any = near->bits[i];
	return any;
}

static bool match_asked(const struct prefilter *f, weir_str text)
{
	for (size_t i = 0; f->any_asked && i < f->n; i++)
		if ((i >= PREFILTER_PATTERNS ||
		     f->asked[i / 64] >> i % 64 & 1) &&
		    weir_regex_match(f->patterns[i], text))
			return true;
	return false;
}

bool prefilter_match(const struct prefilter *f, weir_str text)
{
	struct near near;
	struct question q = { f, text, &near, true, 0, COMPARED(text.len) };

	if (match_asked(f, text))
		return true;
	if (text.len < f->shortest)
		return false;
	memcpy(near.bits, f->asked, sizeof(near.bits));
	return add_all(&q);
}
