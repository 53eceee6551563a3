/* SPDX-License-Identifier: Apache-2.0 */
/*
 * js.h: JSON, indented, printed as it is walked.
 */
#ifndef CORE_JS_H
#define CORE_JS_H

#include <stdio.h>

#include "base/str.h"

struct js {
	FILE *out;
	struct arena arena;	/* for texts on their way out; the caller's */
	int area;		/* the caller's */
	int depth;
	bool more;		/* something stands before, at this depth */
};

/* key: NULL in an array.  bracket: "{" or "[", and what closes it. */
void js_begin(struct js *p, const char *key, const char *bracket);
void js_end(struct js *p, const char *bracket);
/* A text, and what is JSON already. */
void js_put(struct js *p, const char *key, const char *text);
void js_raw(struct js *p, const char *key, const char *json);

#endif
