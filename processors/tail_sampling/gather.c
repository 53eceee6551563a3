/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gather.c: spans that share a head come to stand together.
 *
 * Spans leave trace by trace, and each group of neighbours has its scope and its
 * resource before it.  Where those are much larger than the spans, a few hundred
 * kilobytes that came would leave as hundreds of megabytes: there the order is
 * given up.
 */
#include <stdlib.h>

#include "emit.h"

#define WINDOW 65536		/* spans: what is sorted at a time */

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* By the hash of the bytes, so that copies in other segments come next to each
 * other; then by place. */
static int compare_heads(const struct stored_head *a,
			 const struct stored_head *b)
{
	int order = compare(a->hash, b->hash);

	if (!order)
		order = compare(a->len, b->len);
	return order ? order : compare((uintptr_t)a, (uintptr_t)b);
}

static int compare_spans(const void *one, const void *other, void *arg)
{
	const struct store *store = arg;
	span_ref a = *(const span_ref *)one, b = *(const span_ref *)other;
	const struct stored_head *scope_a =
		store_head(store, a, store_span(store, a)->scope);
	const struct stored_head *scope_b =
		store_head(store, b, store_span(store, b)->scope);
	int order;

	if (scope_a == scope_b)
		return compare(a, b);
	order = compare_heads(store_head(store, a, scope_a->parent),
			      store_head(store, b, scope_b->parent));
	return order ? order : compare_heads(scope_a, scope_b);
}

size_t gather(const struct store *store, span_ref *refs, size_t n)
{
	if (n > WINDOW)
		n = WINDOW;
	qsort_r(refs, n, sizeof(*refs), compare_spans, (void *)store);
	return n;
}
