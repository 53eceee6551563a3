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

struct prefilter {
	struct detectors scan;		/* only its tables: a bucket a bit */
	struct filtered {
		const struct weir_regex *regex;
		struct window *window;	/* one an alternative */
		size_t n_windows;	/* 0: it must be asked itself */
		uint8_t bucket;
	} *v;
	size_t n, n_asked;		/* those to be asked stand first */
};

void prefilter_init(struct prefilter *f, struct weir_regex *const *patterns,
		    size_t n);
void prefilter_release(struct prefilter *f);

/* Does any of the patterns match?  One scan where none comes near. */
bool prefilter_match(const struct prefilter *f, weir_str text);

#endif
