/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail_model.h: what the tail sampler should do, written down slowly.
 *
 * tail_policy.c	what each policy says of a trace
 * tail_model.c		when a trace is decided, and what becomes of its spans
 *
 * Arrays that are searched from the front, one decision after the other, and
 * nothing of the sampler's own.  A model is of one worker: several share their
 * configuration with its policies, and the count of traces they know.  Time is
 * in whole seconds, and somebody else's: `now` counts the ticks of the worker,
 * `clock` the seconds of the world.
 */
#ifndef TESTS_TAIL_MODEL_H
#define TESTS_TAIL_MODEL_H

#include "traces.h"

/* --- Policies ------------------------------------------------------------- */

#define MODEL_POLICIES 5
#define MODEL_SUBS 3

enum m_vote { M_NONE, M_SAMPLED, M_NOT_SAMPLED, M_DROPPED };

enum m_kind {
	M_ALWAYS, M_LATENCY, M_NUMERIC, M_BOOLEAN, M_STRING, M_REGEX, M_CHANCE,
	M_STATUS, M_STATE, M_FLAGS, M_COUNT, M_RATE, M_BYTES, M_BASIC_KINDS,
	M_AND = M_BASIC_KINDS, M_NOT, M_DROP, M_COMPOSITE
};

struct m_policy {
	enum m_kind kind;
	int64_t low, high;		/* thresholds, bounds, rates */
	double percent;
	const char *key;		/* of an attribute */
	bool invert, flag;
	int pattern;			/* M_REGEX: row of m_patterns */
	const char *values[2];
	uint32_t status;
	const char *state;
	struct m_policy *subs;		/* MODEL_SUBS of them */
	size_t n;
	bool said;			/* the last time it was asked */
	/* limits: since `last`, in seconds */
	bool begun;
	int64_t tokens;
	uint64_t last;
	/* in composite */
	uint64_t share, second, counted;
};

struct m_span {
	struct a_span span;
	struct attr resource[MAX_ATTRS];
	int scope;			/* a number for each ScopeSpans */
	uint64_t len, resource_len, scope_len;	/* bodies */
};

struct m_view {
	const struct m_span *const *spans;
	size_t n;
	uint64_t trace, count, bytes, clock;
};

/* As YAML lists; m_pattern_matches says what each means. */
#define M_PATTERNS 4
extern const char *const m_patterns[M_PATTERNS];

bool m_samples(struct m_policy *p, const struct m_view *v);
void m_policy_free(struct m_policy *p);

/* --- The sampler ---------------------------------------------------------- */

#define MODEL_TRACES 64
#define MODEL_SPANS 1024
#define NEVER UINT64_MAX

struct m_config {
	uint64_t wait, root_wait, quiet;	/* seconds; NEVER: off */
	size_t num_traces, cache[2];		/* of sampled, of others */
	bool first_match, span_ingest, decide_large, drop_pending;
	uint64_t max_size;
	struct m_policy policies[MODEL_POLICIES];
	size_t n;
	size_t known;			/* traces, of all workers */
	uint64_t clock;
};

struct m_trace {
	uint64_t id;
	enum m_vote verdict;		/* M_NONE: undecided */
	bool large, rooted;
	uint64_t tick, limit;
	uint64_t queued, seen;		/* orders: tick, first span */
	size_t n;			/* of spans */
	uint64_t count, size, bytes;
	/* of the piece that is coming */
	uint64_t touched;		/* order; 0: no */
	size_t piece;			/* its first span */
	bool root;
	int scope;
	uint64_t scope_len, resource_len;
	uint64_t late;			/* number of the last late piece */
	const struct m_span *spans[MODEL_SPANS];
};

/* What the metrics should say. */
struct m_counts {
	unsigned decided, fresh, too_early, too_large, late, early, executions;
};

struct m_sampler {
	struct m_config *config;
	struct m_trace *traces[MODEL_TRACES];	/* in no order */
	size_t n;
	uint64_t cache[2][MODEL_TRACES];	/* newest first */
	size_t n_cached[2];
	uint64_t now;			/* ticks */
	uint64_t order, piece;
	unsigned *out;			/* by number: how often it came out */
	struct m_counts counts;
};

void m_init(struct m_sampler *m, struct m_config *config, unsigned *out);
void m_release(struct m_sampler *m);
/* A span comes; all spans of a ResourceSpans have come. */
void m_span(struct m_sampler *m, const struct m_span *s);
void m_end_resource(struct m_sampler *m);
void m_tick(struct m_sampler *m);
void m_stop(struct m_sampler *m);
/* What the policies say of a trace, with these spans of it. */
enum m_vote m_ask(struct m_sampler *m, const struct m_view *view);

#endif
