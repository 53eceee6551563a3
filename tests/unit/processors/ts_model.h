/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ts_model.h: what the sampler should do, written down slowly.
 *
 * Arrays that are searched from the front, one decision after the other, no
 * byte of a span looked at twice in the same way as the sampler does.  Time is
 * in whole seconds.
 */
#ifndef TS_MODEL_H
#define TS_MODEL_H

#include "ts_model_policy.h"

#define MODEL_TRACES 64
#define MODEL_SPANS 4096
#define NEVER UINT64_MAX

struct m_config {
	uint64_t wait, root_wait, quiet;	/* seconds; NEVER: off */
	size_t num_traces, cache[2];		/* of sampled, of others */
	bool first_match, span_ingest, decide_large, drop_pending;
	uint64_t max_size;
	struct m_policy policies[MODEL_POLICIES];
	size_t n;
};

struct m_trace {
	uint64_t id;
	enum m_vote verdict;		/* M_NONE: undecided */
	bool large, rooted;
	uint64_t tick, limit;
	uint64_t queued, seen;		/* orders: tick, first span */
	const struct m_span *spans[MODEL_SPANS];
	size_t n;			/* of these */
	uint64_t count, size, bytes;
	/* of the piece that is coming */
	uint64_t touched;		/* order; 0: no */
	size_t piece;			/* its first span */
	bool root;
	int scope;
	uint64_t scope_len, resource_len;
	uint64_t late;			/* number of the last late piece */
};

struct m_sampler {
	struct m_config *config;
	struct m_trace traces[MODEL_TRACES];
	size_t n;
	uint64_t cache[2][MODEL_TRACES];	/* newest first */
	size_t n_cached[2];
	uint64_t now;			/* ticks */
	uint64_t order, piece;
	unsigned out[MODEL_SPANS];	/* by number: how often it came out */
	/* counts */
	unsigned decided, fresh, too_early, too_large, late, early;
	unsigned executions;
};

/* --- Caches -------------------------------------------------------------- */

static inline bool m_cache_has(struct m_sampler *m, int which, uint64_t id)
{
	uint64_t *ids = m->cache[which];

	for (size_t i = 0; i < m->n_cached[which]; i++) {
		if (ids[i] != id)
			continue;
		memmove(ids + 1, ids, i * sizeof(*ids));
		ids[0] = id;
		return true;
	}
	return false;
}

static inline void m_cache_put(struct m_sampler *m, int which, uint64_t id)
{
	size_t keep = m->n_cached[which];

	if (m_cache_has(m, which, id))
		return;
	if (keep == m->config->cache[which])
		keep--;
	memmove(m->cache[which] + 1, m->cache[which], keep * sizeof(id));
	m->cache[which][0] = id;
	m->n_cached[which] = keep + 1;
}

/* --- Traces -------------------------------------------------------------- */

static inline struct m_trace *m_find(struct m_sampler *m, uint64_t id)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->traces[i].id == id)
			return &m->traces[i];
	return NULL;
}

static inline void m_remove(struct m_sampler *m, uint64_t id)
{
	struct m_trace *trace = m_find(m, id);

	if (trace)
		*trace = m->traces[--m->n];
}

/* The verdict is there: spans go on or not, the id may go to a cache. */
static inline void m_settle(struct m_sampler *m, struct m_trace *trace,
			    enum m_vote verdict)
{
	int which = verdict != M_SAMPLED;
	uint64_t id = trace->id;

	trace->verdict = verdict;
	trace->tick = 0;
	for (size_t i = 0; i < trace->n; i++)
		if (verdict == M_SAMPLED)
			m->out[trace->spans[i]->span.number]++;
	trace->n = 0;
	if (!m->config->cache[which])
		return;
	m_cache_put(m, which, id);
	m_remove(m, id);
}

/* What the policies say of the spans from `first` on. */
static inline enum m_vote m_ask(struct m_sampler *m, struct m_trace *trace,
				size_t first)
{
	struct m_view view = { trace->spans + first, trace->n - first,
			       trace->id, trace->count, trace->bytes, m->now };
	struct m_config *config = m->config;
	bool sampled = false, pending = false;

	for (int drops = 1; drops >= 0; drops--)
		for (size_t i = 0; i < config->n; i++) {
			struct m_policy *p = &config->policies[i];

			if ((p->kind == M_DROP) != drops)
				continue;
			if (pending && !drops)
				continue;
			if (sampled && (config->first_match ||
					config->span_ingest))
				continue;
			m->executions++;
			if (m_samples(p, &view) && drops)
				return M_DROPPED;
			else if (drops)
				pending = config->span_ingest;
			else
				sampled |= p->said;
		}
	return sampled ? M_SAMPLED : config->span_ingest ? M_NONE :
	       M_NOT_SAMPLED;
}

static inline void m_decide(struct m_sampler *m, struct m_trace *trace)
{
	uint64_t id = trace->id;

	m->decided++;
	if (!m->config->span_ingest) {
		m_settle(m, trace, m_ask(m, trace, 0));
		return;
	}
	m_settle(m, trace, M_NOT_SAMPLED);
	m_remove(m, id);
}

/* --- A piece ends --------------------------------------------------------- */

static inline uint64_t m_field(uint64_t body)
{
	uint64_t n = 2;

	for (uint64_t left = body; left > 127; left /= 128)
		n++;
	return n + body;
}

static inline void m_schedule(struct m_sampler *m, struct m_trace *trace)
{
	struct m_config *config = m->config;
	uint64_t next = m->now + 1, tick;

	if (trace->root && config->root_wait != NEVER &&
	    next + config->root_wait < trace->limit)
		trace->limit = next + config->root_wait;
	tick = trace->limit;
	if (trace->rooted && config->quiet != NEVER &&
	    next + config->quiet < tick)
		tick = next + config->quiet;
	if (tick != trace->tick)
		trace->queued = ++m->order;
	trace->tick = tick;
}

static inline void m_end_piece(struct m_sampler *m, struct m_trace *trace)
{
	struct m_config *config = m->config;
	uint64_t size = trace->resource_len + m_field(trace->scope_len);
	enum m_vote vote;

	trace->touched = 0;
	trace->size += size;
	trace->bytes += m_field(size);
	m_schedule(m, trace);
	if (config->max_size && trace->size > config->max_size) {
		if (config->decide_large) {
			m_decide(m, trace);
			return;
		}
		m->too_large++;
		trace->large = true;
		m_settle(m, trace, M_NOT_SAMPLED);
	} else if (config->span_ingest) {
		vote = m_ask(m, trace, trace->piece);
		if (vote == M_NONE)
			return;
		m->decided++;
		m_settle(m, trace, vote);
	}
}

/* All the spans of a ResourceSpans have come. */
static inline void m_end_resource(struct m_sampler *m)
{
	for (;;) {
		struct m_trace *next = NULL;

		for (size_t i = 0; i < m->n; i++)
			if (m->traces[i].touched &&
			    (!next || m->traces[i].touched < next->touched))
				next = &m->traces[i];
		if (!next)
			break;
		m_end_piece(m, next);
	}
	m->piece++;
}

/* --- A span comes --------------------------------------------------------- */

static inline void m_make_place(struct m_sampler *m)
{
	struct m_trace *oldest = &m->traces[0];

	if (m->n < m->config->num_traces)
		return;
	for (size_t i = 1; i < m->n; i++)
		if (m->traces[i].seen < oldest->seen)
			oldest = &m->traces[i];
	m->too_early += oldest->verdict == M_NONE;
	m_remove(m, oldest->id);
}

static inline struct m_trace *m_new_trace(struct m_sampler *m, uint64_t id)
{
	struct m_trace *trace;

	m_make_place(m);
	trace = &m->traces[m->n++];
	*trace = (struct m_trace){ .id = id, .seen = ++m->order };
	trace->limit = trace->tick = m->now + 1 + m->config->wait;
	trace->queued = ++m->order;
	m->fresh++;
	return trace;
}

/* Sizes, as the Collector counts a ResourceSpans of its own for each trace. */
static inline void m_measure(struct m_sampler *m, struct m_trace *trace,
			     const struct m_span *s)
{
	if (!trace->touched) {
		trace->touched = ++m->order;
		trace->piece = trace->n;
		trace->root = false;
		trace->resource_len = m_field(s->resource_len);
		trace->scope_len = m_field(s->scope_len);
	} else if (trace->scope != s->scope) {
		trace->resource_len += m_field(trace->scope_len);
		trace->scope_len = m_field(s->scope_len);
	}
	trace->scope = s->scope;
	trace->scope_len += m_field(s->len);
}

static inline void m_late(struct m_sampler *m, struct m_trace *trace,
			  const struct m_span *s)
{
	if (!trace->large && trace->late != m->piece)
		m->late++;
	trace->late = m->piece;
	if (trace->verdict == M_SAMPLED)
		m->out[s->span.number]++;
}

static inline void m_span(struct m_sampler *m, const struct m_span *s)
{
	uint64_t id = s->span.trace;
	struct m_trace *trace;

	if (m_cache_has(m, 0, id) || m_cache_has(m, 1, id)) {
		m->out[s->span.number] += m_cache_has(m, 0, id);
		m->early++;
		return;
	}
	trace = m_find(m, id);
	if (trace && trace->verdict != M_NONE) {
		m_late(m, trace, s);
		return;
	}
	if (!trace)
		trace = m_new_trace(m, id);
	m_measure(m, trace, s);
	trace->count++;
	trace->spans[trace->n++] = s;
	if (!s->span.child)
		trace->root = trace->rooted = true;
}

/* --- Time ----------------------------------------------------------------- */

/* Decides what is due at that tick, in the order in which it got there. */
static inline void m_decide_tick(struct m_sampler *m, uint64_t tick)
{
	for (;;) {
		struct m_trace *next = NULL;

		for (size_t i = 0; i < m->n; i++)
			if (m->traces[i].tick == tick &&
			    (!next || m->traces[i].queued < next->queued))
				next = &m->traces[i];
		if (!next)
			return;
		m_decide(m, next);
	}
}

static inline void m_tick(struct m_sampler *m)
{
	m_decide_tick(m, ++m->now);
}

static inline void m_stop(struct m_sampler *m)
{
	for (uint64_t i = 1; i < 100 && !m->config->drop_pending; i++)
		m_decide_tick(m, m->now + i);
}

#endif
