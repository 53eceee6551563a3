/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail_random.c: random trees of policies for tail_play.h, and the YAML that
 * asks for them.  As deep as the configuration lets them: composite, and, not,
 * a basic one.
 */
#include "tail_play.h"

static bool stateful(const struct tail_play *play)
{
	return !play->config.span_ingest;
}

static const char *truth(bool yes)
{
	return yes ? "true" : "false";
}

/* --- Basic ones ----------------------------------------------------------- */

static void make_numeric(struct m_policy *p, struct gen *gen, struct text *out)
{
	p->low = (int64_t)gen_below(gen, 5) - 2;
	p->high = p->low ? (int64_t)gen_below(gen, 5) - 1 : 2;
	text_add(out, "type: numeric_attribute, numeric_attribute: {key: "
		 "'%s', min_value: %d, max_value: %d", p->key, (int)p->low,
		 (int)p->high);
}

static void make_string(struct m_policy *p, struct gen *gen, struct text *out)
{
	static const char *const values[] = { "a", "ab", "b", "" };

	p->values[0] = values[gen_below(gen, 4)];
	p->values[1] = values[gen_below(gen, 4)];
	text_add(out, "type: string_attribute, string_attribute: {key: "
		 "'%s', values: ['%s', '%s']", p->key, p->values[0],
		 p->values[1]);
}

static void make_regex(struct m_policy *p, struct gen *gen, struct text *out)
{
	static const int sizes[] = { -1, 0, 1, 2, 100 };

	p->pattern = (int)gen_below(gen, M_PATTERNS);
	text_add(out, "type: string_attribute, string_attribute: {key: "
		 "'%s', enabled_regex_matching: true, cache_max_size: %d, "
		 "values: [%s]", p->key, sizes[gen_below(gen, 5)],
		 m_patterns[p->pattern]);
}

static void make_attr(struct m_policy *p, struct gen *gen, struct text *out)
{
	p->key = play_key(gen);
	p->invert = gen_one_in(gen, 3);
	p->flag = gen_one_in(gen, 3);
	if (p->kind == M_NUMERIC)
		make_numeric(p, gen, out);
	else if (p->kind == M_REGEX)
		make_regex(p, gen, out);
	else if (p->kind == M_STRING)
		make_string(p, gen, out);
	else
		text_add(out, "type: boolean_attribute, boolean_attribute: "
			 "{key: '%s', value: %s", p->key, truth(p->flag));
	text_add(out, ", invert_match: %s}", truth(p->invert));
}

static void make_chance(struct m_policy *p, struct gen *gen, struct text *out)
{
	static const double percents[] = { 0, 10, 33.3, 50, 75, 99.9, 100 };

	p->percent = percents[gen_below(gen, 7)];
	p->flag = gen_one_in(gen, 2);
	text_add(out, "type: probabilistic, probabilistic: "
		 "{sampling_percentage: %.1f, hash_salt: '%s'}", p->percent,
		 p->flag ? "salt" : "");
}

static void make_latency(struct m_policy *p, struct gen *gen, bool upper,
			 struct text *out)
{
	p->low = gen_below(gen, 300);
	p->high = upper && gen_one_in(gen, 2) ? (int64_t)gen_below(gen, 400) :
		  0;
	text_add(out, "type: latency, latency: {threshold_ms: %d, "
		 "upper_threshold_ms: %d}", (int)p->low, (int)p->high);
}

static void make_span(struct m_policy *p, struct gen *gen, struct text *out)
{
	static const char *const statuses[] = { "UNSET", "OK", "ERROR" };

	if (p->kind == M_STATUS) {
		p->status = gen_below(gen, 3);
		text_add(out, "type: status_code, status_code: {status_codes: "
			 "[%s]}", statuses[p->status]);
	} else if (p->kind == M_STATE) {
		p->state = gen_one_in(gen, 2) ? "v" : "w";
		text_add(out, "type: trace_state, trace_state: {key: k, "
			 "values: [%s]}", p->state);
	} else {
		text_add(out, "type: %s", p->kind == M_FLAGS ? "trace_flags" :
			 "always_sample");
	}
}

static void make_count(struct m_policy *p, struct gen *gen, bool most,
		       struct text *out)
{
	p->low = gen_below(gen, 6);
	p->high = most ? gen_below(gen, 9) : 0;
	text_add(out, "type: span_count, span_count: {min_spans: %d, "
		 "max_spans: %d}", (int)p->low, (int)p->high);
}

static void make_limit(struct m_policy *p, struct gen *gen, struct text *out)
{
	bool spans = p->kind == M_RATE;

	p->low = gen_below(gen, spans ? 8 : 500);
	p->high = gen_below(gen, spans ? 20 : 1000);
	text_add(out, "type: %s_limiting, %s_limiting: {%s_per_second: %d, "
		 "burst_capacity: %d}", spans ? "rate" : "bytes",
		 spans ? "rate" : "bytes", spans ? "spans" : "bytes",
		 (int)p->low, (int)p->high);
	if (!p->high)
		p->high = 2 * p->low;
}

static enum m_kind basic_kind(struct tail_play *play)
{
	unsigned kinds = M_BASIC_KINDS;

	if (play->has & TAIL_BY_ID)
		return gen_one_in(&play->gen, 4) ? M_ALWAYS : M_CHANCE;
	if (!(play->has & TAIL_RATES) || !stateful(play))
		kinds = M_RATE;
	return (enum m_kind)gen_below(&play->gen, kinds);
}

static void make_basic(struct tail_play *play, struct m_policy *p)
{
	struct text *out = &play->yaml;

	p->kind = basic_kind(play);
	switch (p->kind) {
	case M_NUMERIC:
	case M_BOOLEAN:
	case M_STRING:
	case M_REGEX:
		make_attr(p, &play->gen, out);
		break;
	case M_CHANCE:
		make_chance(p, &play->gen, out);
		break;
	case M_LATENCY:
		make_latency(p, &play->gen, stateful(play), out);
		break;
	case M_COUNT:
		make_count(p, &play->gen, stateful(play), out);
		break;
	case M_RATE:
	case M_BYTES:
		make_limit(p, &play->gen, out);
		break;
	default:
		make_span(p, &play->gen, out);
	}
}

/* --- Those that hold others ----------------------------------------------- */

#define KIND(kind) (1u << (kind))

static void make_policy(struct tail_play *play, struct m_policy *p,
			unsigned kinds);

static void make_subs(struct tail_play *play, struct m_policy *p,
		      unsigned kinds)
{
	for (size_t i = 0; i < p->n; i++) {
		text_add(&play->yaml, "%s{name: s%zu, ", i ? ", " : "", i);
		make_policy(play, &p->subs[i], kinds);
		text_add(&play->yaml, "}");
	}
}

static void make_shares(struct tail_play *play, struct m_policy *p)
{
	for (size_t i = 0; i < p->n; i++) {
		unsigned percent = gen_below(&play->gen, 120);

		if (gen_one_in(&play->gen, 6))
			continue;
		if (percent < 20)
			percent = 0;
		p->subs[i].share = percent ?
			(uint64_t)(percent / 100.0 * (double)p->high) :
			(uint64_t)p->high / p->n;
		text_add(&play->yaml, "{policy: s%zu, percent: %u}, ", i,
			 percent);
	}
}

static void make_composite(struct tail_play *play, struct m_policy *p)
{
	p->high = gen_below(&play->gen, 30);
	text_add(&play->yaml, "type: composite, composite: "
		 "{max_total_spans_per_second: %d, composite_sub_policy: [",
		 (int)p->high);
	make_subs(play, p, KIND(M_AND));
	text_add(&play->yaml, "], rate_allocation: [");
	make_shares(play, p);
	text_add(&play->yaml, "]}");
}

static void make_not(struct tail_play *play, struct m_policy *p)
{
	p->n = 1;
	text_add(&play->yaml, "type: not, not: {not_sub_policy: {");
	make_basic(play, &p->subs[0]);
	text_add(&play->yaml, "}}");
}

static void make_all(struct tail_play *play, struct m_policy *p)
{
	const char *name = p->kind == M_AND ? "and" : "drop";

	if (p->kind == M_DROP && !p->n)
		p->n = 1;	/* it would drop everything */
	text_add(&play->yaml, "type: %s, %s: {%s_sub_policy: [", name, name,
		 name);
	make_subs(play, p, KIND(M_NOT));
	text_add(&play->yaml, "]}");
}

/* Of kinds, one that holds others; or none of them. */
static bool pick(struct gen *gen, unsigned kinds, enum m_kind *kind)
{
	static const enum m_kind all[] = { M_AND, M_NOT, M_DROP, M_COMPOSITE };

	if (!kinds || gen_one_in(gen, 3))
		return false;
	do
		*kind = all[gen_below(gen, 4)];
	while (!(kinds & KIND(*kind)));
	return true;
}

static void make_policy(struct tail_play *play, struct m_policy *p,
			unsigned kinds)
{
	if (!pick(&play->gen, kinds, &p->kind)) {
		make_basic(play, p);
		return;
	}
	p->subs = calloc(MODEL_SUBS, sizeof(*p->subs));
	p->n = gen_below(&play->gen, MODEL_SUBS + 1);
	if (p->kind == M_COMPOSITE)
		make_composite(play, p);
	else if (p->kind == M_NOT)
		make_not(play, p);
	else
		make_all(play, p);
}

void tail_random_policies(struct tail_play *play)
{
	struct m_config *config = &play->config;
	unsigned kinds = KIND(M_AND) | KIND(M_NOT) | KIND(M_DROP);

	if (play->has & TAIL_RATES)
		kinds |= KIND(M_COMPOSITE);
	config->n = gen_below(&play->gen, MODEL_POLICIES + 1);
	text_add(&play->yaml, "policies: [");
	for (size_t i = 0; i < config->n; i++) {
		text_add(&play->yaml, "{name: p%zu, ", i);
		make_policy(play, &config->policies[i], kinds);
		text_add(&play->yaml, "}, ");
	}
	text_add(&play->yaml, "]");
}
