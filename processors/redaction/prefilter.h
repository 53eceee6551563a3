/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prefilter.h: which patterns may match a text, for all of them at once.
 *
 * Compiled once, then constant: any thread.
 */
#ifndef REDACTION_PREFILTER_H
#define REDACTION_PREFILTER_H

#include <weir/regex.h>

#include "detect.h"
#include "window.h"

/* Patterns that are known one by one; of those behind it every text is asked. */
#define PREFILTER_PATTERNS 1024
#define PREFILTER_WINDOWS 1024

/* So many bytes of a set in a row that a pattern has in every match. */
struct stretch {
	uint64_t set[4];
	uint16_t n, pattern;
};

struct prefilter {
	struct detectors scan;		/* only its tables: a bucket a bit */
	struct weir_regex *const *patterns;	/* in the caller's order */
	size_t n;
	uint64_t asked[PREFILTER_PATTERNS / 64];	/* whatever the text */
	bool any_asked;
	size_t shortest;		/* bytes of the shortest row of all */
	size_t words;			/* of 64 windows */
	uint64_t *fits;			/* [4][256][words]: window by window,
					 * may the byte stand there? */
	struct window *windows;
	struct stretch *stretches;	/* instead of windows that most texts
					 * have */
	size_t n_windows, n_stretches;
	uint16_t owner[PREFILTER_WINDOWS];	/* whose window it is */
};

void prefilter_init(struct prefilter *f, struct weir_regex *const *patterns,
		    size_t n);
void prefilter_release(struct prefilter *f);

/* The patterns that come near a text: no other one matches it. */
struct near {
	uint64_t bits[PREFILTER_PATTERNS / 64];
};
static inline bool is_near(const struct near *near, size_t pattern)
{
	return pattern >= PREFILTER_PATTERNS ||
		near->bits[pattern / 64] >> pattern % 64 & 1;
}
/* One scan.  False: none, and *near says nothing. */
bool prefilter_near(const struct prefilter *f, weir_str text,
		    struct near *near);
/* Does any of the patterns match?  One scan where none comes near. */
bool prefilter_match(const struct prefilter *f, weir_str text);

#endif
