/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail_model.c: the sampler of tail_model.h: traces, pieces, ticks, caches.
 * Holds nothing; whoever plays owns the model.
 */
#include "tail_model.h"

#include <stddef.h>

/* --- Caches -------------------------------------------------------------- */

static bool m_cache_has(struct m_sampler *m, int which, uint64_t id)
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

static void m_cache_put(struct m_sampler *m, int which, uint64_t id)
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

static struct m_trace *m_find(struct m_sampler *m, uint64_t id)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->traces[i]->id == id)
			return m->traces[i];
	return NULL;
}

static void m_remove(struct m_sampler *m, uint64_t id)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->traces[i]->id != id)
			continue;
		free(m->traces[i]);
		m->traces[i] = m->traces[--m->n];
		m->config->known--;
		return;
	}
}

/* The verdict is there: spans go on or not, the id may go to a cache. */
static void m_settle(struct m_sampler *m, struct m_trace *trace,
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

/* What the policies say; drop policies come first. */
enum m_vote m_ask(struct m_sampler *m, const struct m_view *view)
{
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
			m->counts.executions++;
			if (m_samples(p, view) && drops)
				return M_DROPPED;
			else if (drops)
				pending = config->span_ingest;
			else
				sampled |= p->said;
		}
	return sampled ? M_SAMPLED : config->span_ingest ? M_NONE :
	       M_NOT_SAMPLED;
}

/* ... of the spans that are there, from `first` on. */
static enum m_vote m_ask_trace(struct m_sampler *m, struct m_trace *trace,
			       size_t first)
{
	struct m_view view = { trace->spans + first, trace->n - first,
			       trace->id, trace->count, trace->bytes,
			       m->config->clock };

	return m_ask(m, &view);
}

static void m_decide(struct m_sampler *m, struct m_trace *trace)
{
	uint64_t id = trace->id;

	m->counts.decided++;
	if (!m->config->span_ingest) {
		m_settle(m, trace, m_ask_trace(m, trace, 0));
		return;
	}
	m_settle(m, trace, M_NOT_SAMPLED);
	m_remove(m, id);
}

/* --- A piece ends --------------------------------------------------------- */

static uint64_t m_field(uint64_t body)
{
	uint64_t n = 2;

	for (uint64_t left = body; left > 127; left /= 128)
		n++;
	return n + body;
}

static void m_schedule(struct m_sampler *m, struct m_trace *trace)
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

static void m_end_piece(struct m_sampler *m, struct m_trace *trace)
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
		m->counts.too_large++;
		trace->large = true;
		m_settle(m, trace, M_NOT_SAMPLED);
	} else if (config->span_ingest) {
		vote = m_ask_trace(m, trace, trace->piece);
		if (vote == M_NONE)
			return;
		m->counts.decided++;
		m_settle(m, trace, vote);
	}
}

/* All the spans of a ResourceSpans have come. */
void m_end_resource(struct m_sampler *m)
{
	for (;;) {
		struct m_trace *next = NULL;

		for (size_t i = 0; i < m->n; i++)
			if (m->traces[i]->touched &&
			    (!next || m->traces[i]->touched < next->touched))
				next = m->traces[i];
		if (!next)
			break;
		m_end_piece(m, next);
	}
	m->piece++;
}

/* --- A span comes --------------------------------------------------------- */

/* Room for one more of the process: the oldest of this worker gives way. */
static void m_make_place(struct m_sampler *m)
{
	struct m_trace *oldest = NULL;

	if (m->config->known++ < m->config->num_traces)
		return;
	for (size_t i = 0; i < m->n; i++)
		if (!oldest || m->traces[i]->seen < oldest->seen)
			oldest = m->traces[i];
	if (!oldest)
		return;
	m->counts.too_early += oldest->verdict == M_NONE;
	m_remove(m, oldest->id);
}

static struct m_trace *m_new_trace(struct m_sampler *m, uint64_t id)
{
	struct m_trace *trace = malloc(sizeof(*trace));

	m_make_place(m);
	memset(trace, 0, offsetof(struct m_trace, spans));
	trace->id = id;
	trace->seen = ++m->order;
	trace->limit = trace->tick = m->now + 1 + m->config->wait;
	trace->queued = ++m->order;
	m->traces[m->n++] = trace;
	m->counts.fresh++;
	return trace;
}

/* Sizes, as the Collector counts a ResourceSpans of its own for each trace. */
static void m_measure(struct m_sampler *m, struct m_trace *trace,
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

static void m_late(struct m_sampler *m, struct m_trace *trace,
		   const struct m_span *s)
{
	if (!trace->large && trace->late != m->piece)
		m->counts.late++;
	trace->late = m->piece;
	if (trace->verdict == M_SAMPLED)
		m->out[s->span.number]++;
}

void m_span(struct m_sampler *m, const struct m_span *s)
{
	uint64_t id = s->span.trace;
	struct m_trace *trace;

	if (m_cache_has(m, 0, id) || m_cache_has(m, 1, id)) {
		m->out[s->span.number] += m_cache_has(m, 0, id);
		m->counts.early++;
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
static void m_decide_tick(struct m_sampler *m, uint64_t tick)
{
	for (;;) {
		struct m_trace *next = NULL;

		for (size_t i = 0; i < m->n; i++)
			if (m->traces[i]->tick == tick &&
			    (!next || m->traces[i]->queued < next->queued))
				next = m->traces[i];
		if (!next)
			return;
		m_decide(m, next);
	}
}

void m_tick(struct m_sampler *m)
{
	m_decide_tick(m, ++m->now);
}

void m_stop(struct m_sampler *m)
{
	for (uint64_t i = 1; i < 100 && !m->config->drop_pending; i++)
		m_decide_tick(m, m->now + i);
}

/* --- Life ----------------------------------------------------------------- */

void m_init(struct m_sampler *m, struct m_config *config, unsigned *out)
{
	*m = (struct m_sampler){ .config = config, .out = out, .piece = 1 };
}

void m_release(struct m_sampler *m)
{
	while (m->n)
		m_remove(m, m->traces[0]->id);
}
