/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail_policy.c: what each policy of tail_model.h says of a trace.
 */
#include "tail_model.h"

/* --- Patterns ------------------------------------------------------------- */

const char *const m_patterns[M_PATTERNS] = {
	"'^a', b", "'.*'", "'^[ax]b$'", "'(?i)^A$', 'z{2}'"
};

static bool m_pattern_matches(int pattern, const char *text)
{
	switch (pattern) {
	case 0:
		return text[0] == 'a' || strchr(text, 'b');
	case 1:
		return true;
	case 2:
		return !strcmp(text, "ab") || !strcmp(text, "xb");
	default:
		return !strcmp(text, "a") || !strcmp(text, "A") ||
		       strstr(text, "zz");
	}
}

/* --- Asking --------------------------------------------------------------- */

static const struct attr *m_attr(const struct attr *attrs, const char *key)
{
	for (size_t i = 0; i < MAX_ATTRS && attrs[i].key; i++)
		if (!strcmp(attrs[i].key, key))
			return &attrs[i];
	return NULL;
}

static bool m_attr_matches(const struct m_policy *p,
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
	if (p->kind == M_REGEX)
		return m_pattern_matches(p->pattern, text);
	return (*p->values[0] && !strcmp(text, p->values[0])) ||
	       (*p->values[1] && !strcmp(text, p->values[1]));
}

static bool m_attrs(const struct m_policy *p, const struct m_view *v)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct attr *attr = m_attr(v->spans[i]->resource, p->key);

		if (attr && m_attr_matches(p, attr, false))
			return !p->invert;
		attr = m_attr(v->spans[i]->span.attrs, p->key);
		if (attr && m_attr_matches(p, attr, true))
			return !p->invert;
	}
	return p->invert;
}

static bool m_latency(const struct m_policy *p, const struct m_view *v)
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

static bool m_chance(const struct m_policy *p, uint64_t trace)
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
static bool m_span_has(const struct m_policy *p,
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

static bool m_any_span(const struct m_policy *p, const struct m_view *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (m_span_has(p, &v->spans[i]->span))
			return true;
	return false;
}

/* low tokens a second, at most high. */
static bool m_limit(struct m_policy *p, uint64_t n, uint64_t now)
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

static bool m_all(struct m_policy *p, const struct m_view *v)
{
	for (size_t i = 0; i < p->n; i++)
		if (!m_samples(&p->subs[i], v))
			return false;
	return true;
}

static bool m_composite(struct m_policy *p, const struct m_view *v)
{
	for (size_t i = 0; i < p->n; i++) {
		struct m_policy *sub = &p->subs[i];

		if (!m_samples(sub, v))
			continue;
		if (sub->second != v->clock)
			sub->counted = 0;
		sub->second = v->clock;
		if (sub->counted + v->count > sub->share ||
		    sub->counted + v->count > (uint64_t)p->high)
			return false;
		sub->counted += v->count;
		return true;
	}
	return false;
}

static bool m_says(struct m_policy *p, const struct m_view *v)
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
		return m_limit(p, v->count, v->clock);
	case M_BYTES:
		return m_limit(p, v->bytes, v->clock);
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

bool m_samples(struct m_policy *p, const struct m_view *v)
{
	return p->said = m_says(p, v);
}

void m_policy_free(struct m_policy *p)
{
	for (size_t i = 0; i < p->n && p->subs; i++)
		m_policy_free(&p->subs[i]);
	free(p->subs);
}
