/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_parts.h: a policy, as the files that make and evaluate it share it.
 *
 *	policy.c	the list, its order, the decision
 *	policy_make.c	configuration to policies
 *	policy_basic.c	what looks at a trace, a span, a value
 *	watch.c		spans that come, for those that look at spans
 *	policy_rate.c	what counts: limits and composite
 */
#ifndef TAIL_SAMPLING_POLICY_PARTS_H
#define TAIL_SAMPLING_POLICY_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <weir/regex.h>

#include "policy.h"
#include "policy_config.h"
#include "watch.h"

enum policy_kind {
	POLICY_ALWAYS, POLICY_LATENCY, POLICY_NUMERIC, POLICY_BOOLEAN,
	POLICY_STRING, POLICY_PROBABILISTIC, POLICY_STATUS, POLICY_RATE,
	POLICY_BYTES, POLICY_COUNT, POLICY_STATE, POLICY_FLAGS,
	POLICY_AND, POLICY_NOT, POLICY_DROP, POLICY_COMPOSITE, POLICY_OTTL
};

/* A token bucket, full at first; shared by all workers, touched once for a
 * decided trace. */
struct bucket_limit {
	double rate;			/* tokens a second */
	uint64_t burst;
	pthread_mutex_t lock;		/* of what follows */
	double tokens;
	uint64_t last;			/* ns; when they were counted */
};

/* Of one second, counted by all workers: second << 32 | spans. */
struct second_count {
	uint64_t share;			/* of a second */
	_Atomic uint64_t counted;
};

struct policy {
	enum policy_kind kind;
	const struct basic_config *config;
	struct policy *subs;		/* and, not, drop, composite */
	size_t n_subs;
	uint32_t mark;			/* of what looks at spans */
	const struct policy *beside;	/* watch.h: that looks at the same */
	uint32_t statuses;		/* mask of status codes */
	uint64_t threshold;		/* probabilistic: hashes up to this */
	struct weir_regex **regexes;	/* string: one a value */
	struct bucket_limit limit;	/* rate, bytes */
	struct second_count second;	/* in composite */
	uint64_t max_total;		/* composite */
};

struct policies {
	size_t n;
	struct policy *items;		/* as configured */
	size_t *order;			/* of evaluation */
	struct watch watch;
	bool span_ingest;
};

/* What a policy is asked with. */
struct question {
	const struct trace *trace;
	uint64_t now, wall;
};

/* --- policy_make.c ------------------------------------------------------- */

int policy_make(struct policy *policy, const struct policy_config *config,
		const char *path, struct weir_error *error);
void policy_release(struct policy *policy);
/* May it not be asked about the pieces of a trace, one by one? */
bool policy_is_stateful(const struct policy *policy);

/* --- policy_basic.c ------------------------------------------------------ */

/* Is an attribute with that value one that the policy looks for? */
bool policy_matches(const struct policy *policy, const struct weir_value *value,
		    bool of_span);
/* Does the trace, as far as it came, take so long? */
bool policy_takes_so_long(const struct policy *policy,
			  const struct trace_times *times);
/* Has the trace state (W3C) the member? */
bool policy_state(const struct policy *policy, weir_str state);
bool policy_chance(const struct policy *policy, const struct trace *trace);
/* The largest hash that is sampled. */
uint64_t policy_threshold(double percentage);

/* --- policy_rate.c ------------------------------------------------------- */

void limit_init(struct bucket_limit *limit, int64_t per_second, int64_t burst);
void limit_release(struct bucket_limit *limit);
/* Takes n tokens, or none. */
bool limit_take(struct bucket_limit *limit, uint64_t n, uint64_t now);
/* Counts n spans in this second, if they stay within the share and most. */
bool second_take(struct second_count *second, uint64_t most, uint64_t n,
		 uint64_t wall);

/* --- policy.c ------------------------------------------------------------ */

bool policy_samples(struct policy *policy, const struct question *q);

#endif
