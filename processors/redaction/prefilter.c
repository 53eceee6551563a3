/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefilter.c: which patterns may match a text, for all of them at once.
 *
 * Of each pattern a window is taken that every match has in it: four bytes in a
 * row, each out of a set ("sk-[0-9A-Za-z]").  A pattern with alternatives has a
 * window for each.  All windows are looked for in one scan, as the detectors'
 * are (detect_scan.c); a pattern is asked when one of its own comes up.  What
 * is not understood here has no window, and is asked about every text.
 *
 * Holds nothing between texts.  Must never see a window that a match need not
 * have: then a secret would pass.
 */
#include <stdlib.h>

#include "detect_scan.h"
#include "prefilter.h"

#define BUCKETS 8
#define RUN_MAX 64	/* bytes in a row that are known of a pattern */

/* --- Sets of bytes ------------------------------------------------------------- */

struct set {
	uint64_t bits[4];
};

static void set_add(struct set *set, uint8_t c)
{
	set->bits[c >> 6] |= UINT64_C(1) << (c & 63);
}

static void set_range(struct set *set, uint8_t from, uint8_t to)
{
	for (unsigned c = from; c <= to; c++)
		set_add(set, (uint8_t)c);
}

static bool set_has(const uint64_t bits[4], uint8_t c)
{
	return bits[c >> 6] >> (c & 63) & 1;
}

static unsigned set_size(const struct set *set)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 4; i++)
		n += (unsigned)__builtin_popcountll(set->bits[i]);
	return n;
}

/* --- Reading a pattern ------------------------------------------------------------ */

enum piece {
	PIECE_SET,	/* one byte of `set` */
	PIECE_EMPTY,	/* no byte: an anchor */
	PIECE_OTHER,	/* anything, of any length */
	PIECE_UNKNOWN	/* give up */
};

struct reader {
	const char *p, *end;
	bool fold;		/* (?i) at the front */
	struct set set;
};

static bool reads(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n))
		return false;
	r->p += n;
	return true;
}

/* The letters whose other cases are not one byte: long s and the Kelvin sign. */
static bool folds_far(const struct set *set)
{
	return set_has(set->bits, 'k') || set_has(set->bits, 'K') ||
		set_has(set->bits, 's') || set_has(set->bits, 'S');
}

static enum piece folded(struct reader *r)
{
	if (!r->fold)
		return PIECE_SET;
	if (folds_far(&r->set))
		return PIECE_OTHER;
	for (unsigned c = 'a'; c <= 'z'; c++) {
		if (!set_has(r->set.bits, (uint8_t)c) &&
		    !set_has(r->set.bits, (uint8_t)(c ^ 0x20)))
			continue;
		set_add(&r->set, (uint8_t)c);
		set_add(&r->set, (uint8_t)(c ^ 0x20));
	}
	return PIECE_SET;
}

/* Behind a backslash; adds to the set what it stands for. */
static enum piece escape(struct reader *r)
{
	char c = r->p < r->end ? *r->p++ : 0;

	switch (c) {
	case 'd':
		set_range(&r->set, '0', '9');
		return PIECE_SET;
	case 'w':
		set_range(&r->set, '0', '9');
		set_range(&r->set, 'a', 'z');
		set_range(&r->set, 'A', 'Z');
		set_add(&r->set, '_');
		return PIECE_SET;
	case 's':
		for (const char *s = "\t\n\f\r "; *s; s++)
			set_add(&r->set, (uint8_t)*s);
		return PIECE_SET;
	case 't': set_add(&r->set, '\t'); return PIECE_SET;
	case 'n': set_add(&r->set, '\n'); return PIECE_SET;
	case 'r': set_add(&r->set, '\r'); return PIECE_SET;
	case 'b': case 'B': case 'A': case 'z':
		return PIECE_EMPTY;
	case 'D': case 'W': case 'S':
		return PIECE_OTHER;
	}
	if (!c || (uint8_t)c >= 0x80 || (c >= '0' && c <= '9') ||
	    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return PIECE_UNKNOWN;
	set_add(&r->set, (uint8_t)c);
	return PIECE_SET;
}

/* One member of a class; *c: it, if it may begin or end a range, else -1. */
static enum piece class_member(struct reader *r, int *c)
{
	*c = (uint8_t)*r->p++;
	if (*c == '\\') {
		char what = r->p < r->end ? *r->p : 0;
		enum piece piece = escape(r);

		*c = what == 'd' || what == 'w' || what == 's' ? -1 :
			what == 't' ? '\t' : what == 'n' ? '\n' :
			what == 'r' ? '\r' : what;
		return piece == PIECE_SET ? PIECE_SET : PIECE_UNKNOWN;
	}
	if (*c >= 0x80 || (*c == '[' && r->p < r->end && *r->p == ':'))
		return PIECE_UNKNOWN;
	set_add(&r->set, (uint8_t)*c);
	return PIECE_SET;
}

/* Behind an opening bracket. */
static enum piece class(struct reader *r)
{
	bool negated = reads(r, "^"), first = true;

	for (; r->p < r->end && (*r->p != ']' || first); first = false) {
		int from, to;

		if (class_member(r, &from) != PIECE_SET)
			return PIECE_UNKNOWN;
		if (r->end - r->p < 2 || r->p[0] != '-' || r->p[1] == ']')
			continue;
		r->p++;
		if (from < 0 || class_member(r, &to) != PIECE_SET || to < from)
			return PIECE_UNKNOWN;
		set_range(&r->set, (uint8_t)from, (uint8_t)to);
	}
	if (!reads(r, "]"))
		return PIECE_UNKNOWN;
	return negated ? PIECE_OTHER : folded(r);
}

#define GROUPS_MAX 50	/* in each other */

/* Behind an opening parenthesis, and past its end: what is in it is not looked
 * at. */
static enum piece group(struct reader *r, unsigned depth)
{
	if (depth == GROUPS_MAX)
		return PIECE_UNKNOWN;
	if (reads(r, "?") && !reads(r, ":") && !reads(r, "P<") &&
	    !reads(r, "<"))
		return PIECE_UNKNOWN;	/* flags */
	while (r->p < r->end) {
		enum piece piece = PIECE_OTHER;
		char c = *r->p++;

		if (c == ')')
			return PIECE_OTHER;
		if (c == '(')
			piece = group(r, depth + 1);
		else if (c == '[')
			piece = class(r);
		else if (c == '\\')
			piece = escape(r);
		if (piece == PIECE_UNKNOWN)
			return PIECE_UNKNOWN;
	}
	return PIECE_UNKNOWN;
}

static enum piece piece(struct reader *r)
{
	char c = *r->p++;

	r->set = (struct set){ { 0 } };
	switch (c) {
	case '(': return group(r, 0);
	case '[': return class(r);
	case '.': return PIECE_OTHER;
	case '^': case '$': return PIECE_EMPTY;
	case ')': case '*': case '+': case '?': case '{':
		return PIECE_UNKNOWN;
	case '\\': {
		enum piece kind = escape(r);

		return kind == PIECE_SET ? folded(r) : kind;
	}
	}
	if ((uint8_t)c >= 0x80)
		return PIECE_OTHER;
	set_add(&r->set, (uint8_t)c);
	return folded(r);
}

struct count {
	unsigned least;
	bool fixed;
};

static bool number(struct reader *r, unsigned *n)
{
	const char *begin = r->p;

	for (*n = 0; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++)
		if ((*n = *n * 10 + (unsigned)(*r->p - '0')) > 1000)
			return false;
	return r->p > begin;
}

/* How often a piece comes.  False: give up. */
static bool count(struct reader *r, struct count *count)
{
	*count = (struct count){ 1, true };
	if (reads(r, "*") || reads(r, "?")) {
		*count = (struct count){ 0, false };
	} else if (reads(r, "+")) {
		count->fixed = false;
	} else if (reads(r, "{")) {
		unsigned most;

		if (!number(r, &count->least))
			return false;
		if (reads(r, ",")) {
			count->fixed = false;
			number(r, &most);
		}
		if (!reads(r, "}"))
			return false;
	} else {
		return true;
	}
	reads(r, "?");		/* as few as possible: all the same here */
	return r->p == r->end || (*r->p != '*' && *r->p != '+' &&
				  *r->p != '?' && *r->p != '{');
}

/* --- Windows -------------------------------------------------------------------------- */

/* Bytes that stand in a row in every match, and the best window so far. */
struct run {
	struct set set[RUN_MAX];
	size_t n;
	struct window best;
	double score;		/* how many of all windows it lets through */
	bool found;
};

static void consider(struct run *run, size_t end)
{
	struct window w;
	double score = 1;

	for (size_t i = 0; i < 4; i++) {
		bool known = end + i >= 4;
		struct set any = { { ~0ull, ~0ull, ~0ull, ~0ull } };
		const struct set *set = known ? &run->set[end + i - 4] : &any;

		memcpy(w.set[i], set->bits, sizeof(w.set[i]));
		score *= set_size(set) / 256.;
	}
	if (run->found && score >= run->score)
		return;
	run->best = w;
	run->score = score;
	run->found = true;
}

static void end_run(struct run *run)
{
	for (size_t end = run->n < 4 ? run->n : 4; end && end <= run->n; end++)
		consider(run, end);
	run->n = 0;
}

static void add_piece(struct run *run, const struct set *set,
		      struct count count)
{
	size_t again = count.least < 4 ? count.least : 4;

	for (unsigned i = 0; i < count.least; i++) {
		if (run->n == RUN_MAX)
			end_run(run);
		run->set[run->n++] = *set;
	}
	if (count.fixed)
		return;
	end_run(run);		/* more may come here; behind it are some, too */
	for (size_t i = 0; i < again; i++)
		run->set[run->n++] = *set;
}

/* Up to the end or the bar of an alternative; false: it has no window. */
static bool alternative(struct reader *r, struct window *window)
{
	struct run run = { .n = 0 };

	while (r->p < r->end && *r->p != '|') {
		enum piece kind = piece(r);
		struct count n;

		if (kind == PIECE_UNKNOWN || !count(r, &n))
			return false;
		if (kind == PIECE_SET)
			add_piece(&run, &r->set, n);
		else if (kind == PIECE_OTHER)
			end_run(&run);
	}
	end_run(&run);
	*window = run.best;
	return run.found;
}

static void *alloc(size_t n, size_t size)
{
	void *memory = calloc(n ? n : 1, size);

	if (!memory)
		abort();
	return memory;
}

static void find_windows(struct filtered *v)
{
	weir_str text = weir_regex_pattern(v->regex);
	struct reader r = { .p = text.ptr, .end = text.ptr + text.len };
	size_t bars = 0;

	for (size_t i = 0; i < text.len; i++)
		bars += text.ptr[i] == '|';
	v->window = alloc(bars + 1, sizeof(*v->window));
	r.fold = reads(&r, "(?i)");
	do {
		if (!alternative(&r, &v->window[v->n_windows])) {
			v->n_windows = 0;
			return;
		}
		v->n_windows++;
	} while (reads(&r, "|"));
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
		f->v[i].regex = patterns[i];
		find_windows(&f->v[i]);
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
	uint8_t bytes[4];

	for (size_t i = 0; i < 4; i++)	/* before the text are zeros */
		bytes[i] = c->last + i < 3 ? 0 :
			(uint8_t)text.ptr[c->last + i - 3];
	for (size_t i = f->n_asked; i < f->n; i++) {
		const struct filtered *v = &f->v[i];
		uint64_t bit = UINT64_C(1) << i % 64;

		if (!(c->buckets >> v->bucket & 1) || !fits(v, bytes))
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
