/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.c: bytes in a row that every match of a pattern has in it.
 *
 * The pattern is one that RE2 has taken.  It is read as a row of characters,
 * classes and groups, and what is not understood has no window.  Of all rows
 * the one is taken that the fewest texts have; a group of alternatives has
 * those of all of them.
 *
 * Must never give a window that a match need not have: then a secret would
 * pass.
 */
#include "window.h"

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

/* How often bytes come in names, paths, numbers and sentences, in 1/1000. */
double byte_share(uint8_t c)
{
	static const uint8_t letters[26] = {
		55, 10, 25, 28, 80, 14, 14, 25, 50, 1, 6, 28, 18,	/* a-m */
		48, 50, 16, 1, 45, 45, 60, 20, 7, 12, 2, 12, 1,		/* n-z */
	};

	if (c >= 'a' && c <= 'z')
		return letters[c - 'a'] / 1000.;
	if (c >= 'A' && c <= 'Z')
		return letters[c - 'A'] / 6000.;
	if (c >= '0' && c <= '9')
		return .007;
	if (c == ' ')
		return .04;
	return c && strchr("._-/", c) ? .02 : .001;
}

static double set_share(const uint64_t bits[4])
{
	double sum = 0;

	for (unsigned c = 0; c < 256; c++)
		if (set_has(bits, (uint8_t)c))
			sum += byte_share((uint8_t)c);
	return sum < 1 ? sum : 1;
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
	bool fold;		/* (?i) */
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

/* Letters with another case that is not one byte: long s, the Kelvin sign. */
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

static enum piece skip_byte(struct reader *r)
{
	if (r->p == r->end)
		return PIECE_UNKNOWN;
	r->p++;
	return PIECE_OTHER;
}

/* Behind the next `c`. */
static enum piece skip_to(struct reader *r, char c)
{
	const char *at = memchr(r->p, c, (size_t)(r->end - r->p));

	r->p = at ? at + 1 : r->end;
	return at ? PIECE_OTHER : PIECE_UNKNOWN;
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
	case 'p': case 'P':	/* \pN, \p{Greek} */
		return reads(r, "{") ? skip_to(r, '}') : skip_byte(r);
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

		*c = piece != PIECE_SET || what == 'd' || what == 'w' ||
			what == 's' ? -1 :
			what == 't' ? '\t' : what == 'n' ? '\n' :
			what == 'r' ? '\r' : what;
		return piece == PIECE_EMPTY ? PIECE_UNKNOWN : piece;
	}
	if (*c == '[' && reads(r, ":")) {	/* [:digit:] */
		*c = -1;
		return skip_to(r, ':') == PIECE_OTHER && reads(r, "]") ?
			PIECE_OTHER : PIECE_UNKNOWN;
	}
	if (*c >= 0x80)
		return PIECE_OTHER;
	set_add(&r->set, (uint8_t)*c);
	return PIECE_SET;
}

/* A member or a range of them. */
static enum piece class_part(struct reader *r)
{
	int from, to;
	enum piece first = class_member(r, &from), last;

	if (first == PIECE_UNKNOWN || r->end - r->p < 2 || r->p[0] != '-' ||
	    r->p[1] == ']')
		return first;
	r->p++;
	last = from < 0 ? PIECE_UNKNOWN : class_member(r, &to);
	if (last == PIECE_UNKNOWN || to < from)
		return PIECE_UNKNOWN;
	if (first == PIECE_OTHER || last == PIECE_OTHER)
		return PIECE_OTHER;
	set_range(&r->set, (uint8_t)from, (uint8_t)to);
	return PIECE_SET;
}

/* Behind an opening bracket. */
static enum piece class(struct reader *r)
{
	bool other = reads(r, "^"), first = true;

	for (; r->p < r->end && (*r->p != ']' || first); first = false) {
		enum piece part = class_part(r);

		if (part == PIECE_UNKNOWN)
			return PIECE_UNKNOWN;
		other |= part == PIECE_OTHER;
	}
	if (!reads(r, "]"))
		return PIECE_UNKNOWN;
	return other ? PIECE_OTHER : folded(r);
}

static enum piece piece(struct reader *r)
{
	char c = *r->p++;

	r->set = (struct set){ { 0 } };
	switch (c) {
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

/* --- Rows ------------------------------------------------------------------------ */

/* Bytes that stand in a row in every match, and the best window so far. */
struct run {
	struct set set[WINDOW_ROW];
	size_t n;
	struct window best;
	bool found;
};

/* The four that end before `end`. */
static double share_at(const struct run *run, size_t end)
{
	double share = 1;

	for (size_t i = end < 4 ? 0 : end - 4; i < end; i++)
		share *= set_share(run->set[i].bits);
	return share;
}

static void take_best(struct run *run, size_t end, double share)
{
	struct window *w = &run->best;

	memset(w->set, 0xff, sizeof(w->set));
	for (size_t i = 0; i < 4; i++)
		if (end + i >= 4)
			memcpy(w->set[i], run->set[end + i - 4].bits,
			       sizeof(w->set[i]));
	for (size_t i = 0; i < run->n; i++)
		memcpy(w->row[i], run->set[i].bits, sizeof(w->row[i]));
	w->n = (uint8_t)run->n;
	w->end = (uint8_t)end;
	w->share = share;
	run->found = true;
}

static void end_run(struct run *run)
{
	size_t first = run->n < 4 ? run->n : 4;

	for (size_t end = first; end && end <= run->n; end++) {
		double share = share_at(run, end);

		if (!run->found || share < run->best.share)
			take_best(run, end, share);
	}
	run->n = 0;
}

#define AGAIN 8		/* of those that come again and again, before what
			 * follows them */

static void add_piece(struct run *run, const struct set *set,
		      struct count count)
{
	size_t again = count.least < AGAIN ? count.least : AGAIN;

	for (unsigned i = 0; i < count.least; i++) {
		if (run->n == WINDOW_ROW)
			end_run(run);
		run->set[run->n++] = *set;
	}
	if (count.fixed)
		return;
	end_run(run);		/* more may come here; some stand behind it */
	for (size_t i = 0; i < again; i++)
		run->set[run->n++] = *set;
}

/* --- Alternatives ----------------------------------------------------------------- */

#define GROUPS_MAX 50		/* in each other */
#define GROUP_WINDOWS 64	/* more are no help */

/* Windows of which one is in every match; none: not known. */
struct some {
	size_t n;
	double share;
};

/* False: the pattern is not understood. */
static bool alternatives(struct reader *r, unsigned depth, struct window *v,
			 struct some *found);

/* Behind "(?": up to a colon, or past the parenthesis when flags are all there
 * is.  A flag for either case is never taken back: that only finds more. */
static bool flags(struct reader *r, bool *alone)
{
	bool off = false;

	for (; r->p < r->end && strchr("imsU-", *r->p); r->p++) {
		off |= *r->p == '-';
		r->fold |= *r->p == 'i' && !off;
	}
	*alone = reads(r, ")");
	return *alone || reads(r, ":");
}

/* Behind an opening parenthesis, and past its end. */
static bool group(struct reader *r, unsigned depth, struct window *v,
		  struct some *found)
{
	bool fold = r->fold, alone = false;

	*found = (struct some){ 0, 0 };
	if (reads(r, "?P<") || reads(r, "?<")) {
		if (skip_to(r, '>') == PIECE_UNKNOWN)
			return false;
	} else if (reads(r, "?") && !flags(r, &alone)) {
		return false;
	}
	if (alone)
		return true;
	if (depth == GROUPS_MAX || !alternatives(r, depth + 1, v, found) ||
	    !reads(r, ")"))
		return false;
	r->fold = fold;
	if (found->n > GROUP_WINDOWS)
		found->n = 0;
	return true;
}

/* A piece that is one, and how often it comes. */
static bool one_piece(struct reader *r, struct run *run)
{
	enum piece kind = piece(r);
	struct count n;

	if (kind == PIECE_UNKNOWN || !count(r, &n))
		return false;
	if (kind == PIECE_SET)
		add_piece(run, &r->set, n);
	else if (kind == PIECE_OTHER)
		end_run(run);
	return true;
}

/* Up to its end or bar.  The best is at v; others are tried behind it. */
static bool alternative(struct reader *r, unsigned depth, struct window *v,
			struct some *best)
{
	struct run run = { .n = 0 };

	*best = (struct some){ 0, 0 };
	while (r->p < r->end && *r->p != '|' && *r->p != ')') {
		struct some inside;
		struct count n;

		if (!reads(r, "(")) {
			if (!one_piece(r, &run))
				return false;
			continue;
		}
		end_run(&run);
		if (!group(r, depth, v + best->n, &inside) || !count(r, &n))
			return false;
		if (!n.least || !inside.n ||
		    (best->n && inside.share >= best->share))
			continue;
		memmove(v, v + best->n, inside.n * sizeof(*v));
		*best = inside;
	}
	end_run(&run);
	if (run.found && (!best->n || run.best.share <= best->share)) {
		*v = run.best;
		*best = (struct some){ 1, run.best.share };
	}
	return true;
}

static bool alternatives(struct reader *r, unsigned depth, struct window *v,
			 struct some *found)
{
	bool all = true;

	*found = (struct some){ 0, 0 };
	do {
		struct some one;

		if (!alternative(r, depth, v + found->n, &one))
			return false;
		all &= one.n > 0;
		found->n += one.n;
		found->share += one.share;
	} while (reads(r, "|"));
	if (!all)
		found->n = 0;
	return true;
}

size_t windows_max(weir_str pattern)
{
	size_t n = 1;

	for (size_t i = 0; i < pattern.len; i++)
		n += pattern.ptr[i] == '|' || pattern.ptr[i] == '(';
	return n;
}

size_t windows_of(weir_str pattern, struct window *windows)
{
	struct reader r = { .p = pattern.ptr,
			    .end = pattern.ptr + pattern.len };
	struct some found;

	if (!alternatives(&r, 0, windows, &found) || r.p != r.end)
		return 0;
	return found.n;
}
