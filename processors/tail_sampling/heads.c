/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heads.c: the fields beside the children come in runs.  Two of them, before
 * the first child and behind the last, whose lengths the part says; or as many
 * as it takes where somebody wrote fields between children.
 */
#include "heads.h"

#include <string.h>
#include <weir/views.h>

#define CHILDREN 2	/* scope_spans = 2, spans = 2 */

struct runs {
	const struct wrapper *of;
	struct weir_message_cursor children;	/* split */
	const uint8_t *p;		/* behind the last run and its child */
	int n;				/* that were given; -1: all were */
};

static struct runs runs_of(const struct wrapper *of)
{
	struct runs runs = { .of = of, .p = (const uint8_t *)of->body.ptr };

	if (of->head.split)
		runs.children = weir_messages(of->body, CHILDREN);
	return runs;
}

/* Where the field of that body begins: before its length and its tag. */
static const uint8_t *field_start(weir_str body)
{
	const uint8_t *p = (const uint8_t *)body.ptr - 1;
	size_t n = 1;

	for (size_t len = body.len; len > 0x7f; len >>= 7)
		n++;
	return p - n;
}

static bool next_of_many(struct runs *runs, weir_str *run)
{
	const uint8_t *start = runs->p;
	const uint8_t *stop = (const uint8_t *)runs->of->body.ptr +
			      runs->of->body.len;

	if (weir_message_next(&runs->children)) {
		weir_str child = runs->children.message;

		stop = field_start(child);
		runs->p = (const uint8_t *)child.ptr + child.len;
	} else {
		runs->n = -1;
	}
	*run = (weir_str){ (const char *)start, (size_t)(stop - start) };
	return true;
}

static bool next_run(struct runs *runs, weir_str *run)
{
	weir_str body = runs->of->body;
	size_t before = runs->of->head.before, behind = runs->of->head.behind;

	if (runs->n < 0)
		return false;
	if (runs->of->head.split)
		return next_of_many(runs, run);
	*run = runs->n ? (weir_str){ body.ptr + body.len - behind, behind } :
	       (weir_str){ body.ptr, before };
	runs->n = runs->n ? -1 : 1;
	return true;
}

uint32_t wrapper_hash(const struct wrapper *of, size_t *len)
{
	struct runs runs = runs_of(of);
	uint64_t hash = 0;
	weir_str run;

	*len = 0;
	while (next_run(&runs, &run)) {
		hash = hash * 31 + weir_hash(run.ptr, run.len);
		*len += run.len;
	}
	return (uint32_t)hash;
}

bool wrapper_has(const struct wrapper *of, const uint8_t *fields, size_t len)
{
	struct runs runs = runs_of(of);
	weir_str run;

	while (next_run(&runs, &run)) {
		if (run.len > len || (run.len && memcmp(fields, run.ptr,
							run.len)))
			return false;
		fields += run.len;
		len -= run.len;
	}
	return !len;
}

void wrapper_copy(const struct wrapper *of, uint8_t *to)
{
	struct runs runs = runs_of(of);
	weir_str run;

	while (next_run(&runs, &run)) {
		if (run.len)
			memcpy(to, run.ptr, run.len);
		to += run.len;
	}
}
