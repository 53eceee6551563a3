/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.h: what the policies look for in spans and resources, looked for in
 * one pass over each span, when it comes.
 *
 * Made once of all policies, then constant; shared by all workers.  A mark that
 * is set stays set: nothing a later span has takes back what was seen.
 */
#ifndef TAIL_SAMPLING_WATCH_H
#define TAIL_SAMPLING_WATCH_H

#include "trace.h"

struct policy;

/* Names that are looked up in the one pass; those of a longer list are found
 * one by one. */
#define WATCH_KEYS 64

struct watched_key {
	weir_str name;
	const struct policy *first;	/* of those that look at it */
	uint8_t next;			/* of about the same length */
};

/* Policies of one kind, linked by .beside. */
struct watch {
	const struct policy *latency, *status, *flags, *state;
	struct watched_key *keys;
	size_t n_keys;
	uint64_t lengths;		/* of keys; bit 63: that and longer */
	uint8_t by_length[64];		/* the first of them */
	size_t n;			/* marks */
	uint64_t *all;			/* ... set: nothing left to look for */
};

/* Gives the policy its mark, or is deaf to kinds that look at no span. */
void watch_add(struct watch *watch, struct policy *policy);
/* After the last one. */
void watch_finish(struct watch *watch);
void watch_release(struct watch *watch);

static inline size_t watch_words(const struct watch *watch)
{
	return (watch->n + 63) / 64;
}

/* span: body of Span.  In the order in which they came. */
void watch_span(const struct watch *watch, weir_str span,
		struct trace_times *times, uint64_t *marks);
/* resource: body of Resource. */
void watch_resource(const struct watch *watch, weir_str resource,
		    uint64_t *marks);

#endif
