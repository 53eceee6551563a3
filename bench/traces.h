/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traces.h: a stream of requests whose spans belong to many traces at a time.
 */
#ifndef BENCH_TRACES_H
#define BENCH_TRACES_H

#include "spans.h"

/*
 * Makes `r` the number-th request of a stream of traces of `length` spans:
 * every span of a request is another trace's, and every trace goes through
 * `length` requests, one after the other:
 *
 *	request   span 0   span 1   span 2  ...
 *	   0      A1       B2       C3          with traces of three spans
 *	   1      A2       B3       D1
 *	   2      A3       E1       D2
 *
 * Of thousand traces 5 have a span with status ERROR, 5 one of 6 s, 3 or 4 one
 * that finished by "fail", and 3 or 4 one that returned 99 rows.  `r` is a
 * request of spans_build() or a copy; the same number gives the same ids.
 */
void traces_refresh(struct spans_request *r, size_t length, uint64_t number);

#endif
