/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ts_model_policy.h: what each policy should say, written down slowly, and
 * random ones, with the YAML that asks for them.
 */
#ifndef TS_MODEL_POLICY_H
#define TS_MODEL_POLICY_H

#include <stdarg.h>

#include "../../support/otlp_gen.h"
#include "../../support/traces.h"

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
	bool invert, flag;
	const char *values[2];
	uint32_t status;
	const char *state;
	struct m_policy *subs;		/* MODEL_SUBS of them */
	size_t n;
	bool said;			/* the last time it was asked */
	/* limits: since `last`, in whole seconds */
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
	uint64_t trace, count, bytes, now;
};

/* --- Asking --------------------------------------------------------------- */

static inline const struct attr *m_attr(const struct attr *attrs)
{
	for (size_t i = 0; i < MAX_ATTRS && attrs[i].key; i++)
		if (!strcmp(attrs[i].key, "k"))
			return &attrs[i];
	return NULL;
}

static inline bool m_attr_matches(const struct m_policy *p,
				  const struct attr *attr, bool of_span)
{
	const char *text = attr->type == ATTR_TEXT ? attr->text : "";
	int64_t number = attr->type == ATTR_INT ? attr->number : 0;
	bool flag = attr->type == ATTR_BOOL && attr->number;

	if (p->kind == M_BOOLEAN)
		return flag == p->flag;
	if (p->kind == M_NUMERIC)
		return (!p->low || number >= p->low) &&
		       (!p->high || number <= p->high);
	if (of_span && !*text)
		return false;
	if (p->kind == M_REGEX)		/* "^a" and "b", or ".*" */
		return p->flag || text[0] == 'a' || strchr(text, 'b');
	return (*p->values[0] && !strcmp(text, p->values[0])) ||
	       (*p->values[1] && !strcmp(text, p->values[1]));
}

static inline bool m_attrs(const struct m_policy *p, const struct m_view *v)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct attr *attr = m_attr(v->spans[i]->resource);

		if (attr && m_attr_matches(p, attr, false))
			return !p->invert;
		attr = m_attr(v->spans[i]->span.attrs);
		if (attr && m_attr_matches(p, attr, true))
			return !p->invert;
	}
	return p->invert;
}

static inline bool m_latency(const struct m_policy *p, const struct m_view *v)
{
	uint64_t start = 0, end = 0;

	for (size_t i = 0; i < v->n; i++) {
		const struct a_span *s = &v->spans[i]->span;
		int64_t took;

		if (start == 0 || s->start < start)
			start = s->start;
		if (end == 0 || s->end > end)
			end = s->end;
		took = ((int64_t)end - (int64_t)start) / 1000000;
		if (took > p->low && (p->high == 0 || took <= p->high))
			return true;
	}
	return false;
}

static inline bool m_chance(const struct m_policy *p, uint64_t trace)
{
	long double most = (long double)UINT64_MAX * (p->percent / 100);
	uint64_t hash = 0xcbf29ce484222325;
	const char *salt = p->flag ? "salt" : "default-hash-seed";
	uint8_t id[16];

	trace_id_of_number(trace, id);
	for (; *salt; salt++)
		hash = (hash ^ (uint8_t)*salt) * 0x100000001b3;
	for (int i = 0; i < 16; i++)
		hash = (hash ^ id[i]) * 0x100000001b3;
	return p->percent >= 100 || hash <= (uint64_t)most;
}

/* Any span with ... */
static inline bool m_span_has(const struct m_policy *p,
			      const struct a_span *s)
{
	if (p->kind == M_STATUS)
		return s->status == p->status;
	if (p->kind == M_FLAGS)
		return s->flags & 1;
	/* of the states that are made up only these are valid and have it */
	return s->state && ((!strcmp(s->state, "k=v") &&
			     !strcmp(p->state, "v")) ||
			    (!strcmp(s->state, "a=1,k=w") &&
			     !strcmp(p->state, "w")));
}

static inline bool m_any_span(const struct m_policy *p, const struct m_view *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (m_span_has(p, &v->spans[i]->span))
			return true;
	return false;
}

/* low tokens a second, at most high. */
static inline bool m_limit(struct m_policy *p, uint64_t n, uint64_t now)
{
	if (!p->begun)
		p->tokens = p->high;
	p->tokens += p->begun ? (int64_t)(now - p->last) * p->low : 0;
	p->begun = true;
	p->last = now;
	if (p->tokens > p->high)
		p->tokens = p->high;
	if (p->tokens < (int64_t)n)
		return false;
	p->tokens -= (int64_t)n;
	return true;
}

static inline bool m_samples(struct m_policy *p, const struct m_view *v);

static inline bool m_all(struct m_policy *p, const struct m_view *v)
{
	for (size_t i = 0; i < p->n; i++)
		if (!m_samples(&p->subs[i], v))
			return false;
	return true;
}

static inline bool m_composite(struct m_policy *p, const struct m_view *v)
{
	for (size_t i = 0; i < p->n; i++) {
		struct m_policy *sub = &p->subs[i];

		if (!m_samples(sub, v))
			continue;
		if (sub->second != v->now)
			sub->counted = 0;
		sub->second = v->now;
		if (sub->counted + v->count > sub->share ||
		    sub->counted + v->count > (uint64_t)p->high)
			return false;
		sub->counted += v->count;
		return true;
	}
	return false;
}

static inline bool m_says(struct m_policy *p, const struct m_view *v)
{
	switch (p->kind) {
	case M_ALWAYS:
		return true;
	case M_LATENCY:
		return m_latency(p, v);
	case M_NUMERIC:
	case M_BOOLEAN:
	case M_STRING:
	case M_REGEX:
		return m_attrs(p, v);
	case M_CHANCE:
		return m_chance(p, v->trace);
	case M_STATUS:
	case M_STATE:
	case M_FLAGS:
		return m_any_span(p, v);
	case M_COUNT:
		return (int64_t)v->count >= p->low &&
		       (!p->high || (int64_t)v->count <= p->high);
	case M_RATE:
		return m_limit(p, v->count, v->now);
	case M_BYTES:
		return m_limit(p, v->bytes, v->now);
	case M_AND:
	case M_DROP:
		return m_all(p, v);
	case M_NOT:
		return !m_samples(&p->subs[0], v);
	case M_COMPOSITE:
		return m_composite(p, v);
	}
	return false;
}

static inline bool m_samples(struct m_policy *p, const struct m_view *v)
{
	return p->said = m_says(p, v);
}

/* --- Making up ------------------------------------------------------------ */

struct text {
	char at[16384];
	size_t len;
};

static inline void add(struct text *out, const char *format, ...)
	WEIR_PRINTF(2, 3);
static inline void add(struct text *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	out->len += (size_t)vsnprintf(out->at + out->len,
				      sizeof(out->at) - out->len, format, args);
	va_end(args);
}

static inline void make_attr_policy(struct m_policy *p, struct gen *gen,
				    struct text *out)
{
	static const char *const values[] = { "a", "ab", "b", "" };

	p->invert = gen_one_in(gen, 3);
	p->flag = gen_one_in(gen, 3);
	if (p->kind == M_NUMERIC) {
		p->low = (int64_t)gen_below(gen, 5) - 2;
		p->high = p->low ? (int64_t)gen_below(gen, 5) - 1 : 2;
		add(out, "type: numeric_attribute, numeric_attribute: {key: k, "
		    "min_value: %d, max_value: %d", (int)p->low, (int)p->high);
	} else if (p->kind == M_BOOLEAN) {
		add(out, "type: boolean_attribute, boolean_attribute: {key: k, "
		    "value: %s", p->flag ? "true" : "false");
	} else if (p->kind == M_REGEX) {
		add(out, "type: string_attribute, string_attribute: {key: k, "
		    "enabled_regex_matching: true, values: [%s]",
		    p->flag ? "'.*'" : "'^a', b");
	} else {
		p->values[0] = values[gen_below(gen, 4)];
		p->values[1] = values[gen_below(gen, 4)];
		add(out, "type: string_attribute, string_attribute: {key: k, "
		    "values: ['%s', '%s']", p->values[0], p->values[1]);
	}
	add(out, ", invert_match: %s}", p->invert ? "true" : "false");
}

/* stateful: what counts may be there. */
static inline void make_span_policy(struct m_policy *p, struct gen *gen,
				    bool stateful, struct text *out)
{
	static const char *const statuses[] = { "UNSET", "OK", "ERROR" };
	static const double percents[] = { 0, 10, 33.3, 50, 75, 99.9, 100 };

	if (p->kind == M_LATENCY) {
		p->low = gen_below(gen, 300);
		p->high = stateful && gen_one_in(gen, 2) ?
			  (int64_t)gen_below(gen, 400) : 0;
		add(out, "type: latency, latency: {threshold_ms: %d, "
		    "upper_threshold_ms: %d}", (int)p->low, (int)p->high);
	} else if (p->kind == M_CHANCE) {
		p->percent = percents[gen_below(gen, 7)];
		p->flag = gen_one_in(gen, 2);
		add(out, "type: probabilistic, probabilistic: "
		    "{sampling_percentage: %.1f, hash_salt: '%s'}", p->percent,
		    p->flag ? "salt" : "");
	} else if (p->kind == M_STATUS) {
		p->status = gen_below(gen, 3);
		add(out, "type: status_code, status_code: {status_codes: [%s]}",
		    statuses[p->status]);
	} else if (p->kind == M_STATE) {
		p->state = gen_one_in(gen, 2) ? "v" : "w";
		add(out, "type: trace_state, trace_state: {key: k, values: "
		    "[%s]}", p->state);
	} else {
		add(out, "type: %s", p->kind == M_FLAGS ? "trace_flags" :
		    "always_sample");
	}
}

static inline void make_count_policy(struct m_policy *p, struct gen *gen,
				     bool stateful, struct text *out)
{
	if (p->kind == M_COUNT) {
		p->low = gen_below(gen, 6);
		p->high = stateful ? gen_below(gen, 9) : 0;
		add(out, "type: span_count, span_count: {min_spans: %d, "
		    "max_spans: %d}", (int)p->low, (int)p->high);
		return;
	}
	p->low = gen_below(gen, p->kind == M_RATE ? 8 : 500);
	p->high = gen_below(gen, p->kind == M_RATE ? 20 : 1000);
	add(out, "type: %s_limiting, %s_limiting: {%s_per_second: %d, "
	    "burst_capacity: %d}", p->kind == M_RATE ? "rate" : "bytes",
	    p->kind == M_RATE ? "rate" : "bytes",
	    p->kind == M_RATE ? "spans" : "bytes", (int)p->low, (int)p->high);
	if (!p->high)
		p->high = 2 * p->low;
}

static inline void make_basic(struct m_policy *p, struct gen *gen,
			      bool stateful, struct text *out)
{
	p->kind = (enum m_kind)gen_below(gen, stateful ? M_BASIC_KINDS :
					 M_RATE);
	switch (p->kind) {
	case M_NUMERIC:
	case M_BOOLEAN:
	case M_STRING:
	case M_REGEX:
		make_attr_policy(p, gen, out);
		break;
	case M_COUNT:
	case M_RATE:
	case M_BYTES:
		make_count_policy(p, gen, stateful, out);
		break;
	default:
		make_span_policy(p, gen, stateful, out);
	}
}

static inline void make_policy(struct m_policy *p, struct gen *gen,
			       bool stateful, unsigned kinds, struct text *out);

/* kinds: a mask of those that may be inside, beside the basic ones. */
static inline void make_subs(struct m_policy *p, struct gen *gen, bool stateful,
			     unsigned kinds, struct text *out)
{
	for (size_t i = 0; i < p->n; i++) {
		add(out, "%s{name: s%zu, ", i ? ", " : "", i);
		make_policy(&p->subs[i], gen, stateful, kinds, out);
		add(out, "}");
	}
}

static inline void make_composite(struct m_policy *p, struct gen *gen,
				  bool stateful, struct text *out)
{
	p->high = gen_below(gen, 30);
	add(out, "type: composite, composite: {max_total_spans_per_second: %d, "
	    "composite_sub_policy: [", (int)p->high);
	make_subs(p, gen, stateful, 1u << M_AND, out);
	add(out, "], rate_allocation: [");
	for (size_t i = 0; i < p->n; i++) {
		unsigned percent = gen_below(gen, 120);

		if (gen_one_in(gen, 6))
			continue;
		if (percent < 20)
			percent = 0;
		p->subs[i].share = percent ? 
			(uint64_t)(percent / 100.0 * (double)p->high) :
			(uint64_t)p->high / p->n;
		add(out, "{policy: s%zu, percent: %u}, ", i, percent);
	}
	add(out, "]}");
}

static inline void make_policy(struct m_policy *p, struct gen *gen,
			       bool stateful, unsigned kinds, struct text *out)
{
	static const enum m_kind others[] = { M_AND, M_NOT, M_DROP,
					      M_COMPOSITE };
	enum m_kind kind = others[gen_below(gen, 4)];

	if (!(kinds & 1u << kind) || gen_one_in(gen, 2)) {
		make_basic(p, gen, stateful, out);
		return;
	}
	p->kind = kind;
	p->subs = calloc(MODEL_SUBS, sizeof(*p->subs));
	p->n = gen_below(gen, MODEL_SUBS + 1);
	if (kind == M_COMPOSITE) {
		make_composite(p, gen, stateful, out);
	} else if (kind == M_NOT) {
		p->n = 1;
		add(out, "type: not, not: {not_sub_policy: {");
		make_basic(&p->subs[0], gen, stateful, out);
		add(out, "}}");
	} else {
		const char *name = kind == M_AND ? "and" : "drop";

		if (kind == M_DROP && !p->n)
			p->n = 1;	/* it would drop everything */
		add(out, "type: %s, %s: {%s_sub_policy: [", name, name, name);
		make_subs(p, gen, stateful, 1u << M_NOT, out);
		add(out, "]}");
	}
}

static inline void m_policy_free(struct m_policy *p)
{
	for (size_t i = 0; i < p->n && p->subs; i++)
		m_policy_free(&p->subs[i]);
	free(p->subs);
}

#endif
