/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.c: four bytes in a row that every match of a pattern has in it.
 *
 * The pattern is one that RE2 has taken.  It is read as far as it is a row of
 * characters and classes; groups are passed over, and what is not understood
 * has no window.  Of all windows the one is taken that the fewest texts have.
 *
 * Must never give a window that a match need not have: then a secret would
 * pass.
 */
#include "window.h"

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
	end_run(run);		/* more may come here; some stand behind it */
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

size_t windows_max(weir_str pattern)
{
	size_t n = 1;

	for (size_t i = 0; i < pattern.len; i++)
		n += pattern.ptr[i] == '|';
	return n;
}

size_t windows_of(weir_str pattern, struct window *windows)
{
	struct reader r = { .p = pattern.ptr,
			    .end = pattern.ptr + pattern.len };
	size_t n = 0;

	r.fold = reads(&r, "(?i)");
	do {
		if (!alternative(&r, &windows[n]))
			return 0;
		n++;
	} while (reads(&r, "|"));
	return n;
}
