/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_basic.c: policies that look at a trace, a span or a value, and nothing
 * else.  Pure.
 *
 * Where the Collector reads a value of another type, 0, false and "" stand for
 * it; both do so here.
 */
#include <weir/kit/tracestate.h>

#include <limits.h>
#include <string.h>

#include "policy_parts.h"

/* --- Attributes ---------------------------------------------------------- */

static bool number_matches(const struct numeric_config *n,
			   const struct weir_value *value)
{
	int64_t v = value->type == WEIR_VALUE_INT ? value->integer : 0;

	return (!n->min_value || v >= n->min_value) &&
	       (!n->max_value || v <= n->max_value);
}

static bool flag_matches(const struct boolean_config *b,
			 const struct weir_value *value)
{
	bool v = value->type == WEIR_VALUE_BOOL && value->boolean;

	return v == b->value;
}

static bool is_one_of(const struct weir_strs *values, weir_str text)
{
	for (size_t i = 0; i < values->len; i++)
		if (values->items[i].len &&
		    weir_str_eq(values->items[i], text))
			return true;
	return false;
}

/* "" of a span never matches; of a resource a pattern may. */
static bool text_matches(const struct policy *policy,
			 const struct weir_value *value, bool of_span)
{
	const struct string_config *s = &policy->config->string_attribute;
	weir_str text = value->type == WEIR_VALUE_STRING ? value->str :
			WEIR_STR("");

	if (of_span && !text.len)
		return false;
	if (!policy->regexes)
		return is_one_of(&s->values, text);
	for (size_t i = 0; i < s->values.len; i++)
		if (policy->regexes[i] &&
		    weir_regex_match(policy->regexes[i], text))
			return true;
	return false;
}

bool policy_matches(const struct policy *policy, const struct weir_value *value,
		    bool of_span)
{
	const struct basic_config *c = policy->config;

	if (policy->kind == POLICY_NUMERIC)
		return number_matches(&c->numeric_attribute, value);
	if (policy->kind == POLICY_BOOLEAN)
		return flag_matches(&c->boolean_attribute, value);
	return text_matches(policy, value, of_span);
}

/* --- Spans --------------------------------------------------------------- */

/* Of two times that are int64 to the Collector; it clamps. */
static int64_t between(uint64_t start, uint64_t end)
{
	int64_t d;

	if (!__builtin_sub_overflow((int64_t)end, (int64_t)start, &d))
		return d;
	return (int64_t)end < (int64_t)start ? INT64_MIN : INT64_MAX;
}

/* Asked with every span, in order of arrival, and true as soon as a part of the
 * trace satisfies it: so a trace may end longer than the upper threshold and be
 * sampled still. */
bool policy_takes_so_long(const struct policy *policy,
			  const struct trace_times *times)
{
	const struct latency_config *l = &policy->config->latency;
	int64_t ms = between(times->start, times->end) / 1000000;

	return ms > l->threshold_ms && (!l->upper_threshold_ms ||
					ms <= l->upper_threshold_ms);
}

bool policy_state(const struct policy *policy, weir_str state)
{
	const struct state_config *s = &policy->config->trace_state;
	struct weir_tracestate parsed;
	weir_str value;

	if (!weir_tracestate_parse(state, &parsed))
		return false;
	value = weir_tracestate_get(&parsed, s->key);
	/* "key=value" of 256 characters and more is no member */
	return s->key.len + value.len < 256 && is_one_of(&s->values, value);
}

/* --- Chance -------------------------------------------------------------- */

static uint64_t fnv1a(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * UINT64_C(1099511628211);
	return hash;
}

bool policy_chance(const struct policy *policy, const struct trace *trace)
{
	weir_str salt = policy->config->probabilistic.hash_salt;
	uint64_t hash = UINT64_C(14695981039346656037);

	if (!salt.len)
		salt = WEIR_STR("default-hash-seed");
	hash = fnv1a(hash, salt.ptr, salt.len);
	return fnv1a(hash, trace->id, 16) <= policy->threshold;
}

/* (2^64 - 1) times the ratio, as a number of 64 significant bits (half to
 * even), cut to an integer. */
uint64_t policy_threshold(double percentage)
{
	double ratio = percentage / 100;
	unsigned __int128 product, rest, half;
	int exponent = 0, extra = 0;

	if (!(ratio > 0))
		return 0;
	if (ratio >= 1)
		return UINT64_MAX;
	for (; ratio < 0.5; ratio *= 2)		/* exact */
		exponent--;
	product = (unsigned __int128)UINT64_MAX * (uint64_t)(ratio * 0x1p53);
	while (product >> (64 + extra))
		extra++;
	half = (unsigned __int128)1 << extra >> 1;
	rest = product & (((unsigned __int128)1 << extra) - 1);
	product >>= extra;
	if (rest > half || (rest == half && half && product & 1))
		product++;
	exponent += extra - 53;			/* of a unit of product */
	if (exponent <= -128)
		return 0;
	product >>= -exponent;			/* exponent <= 0: ratio < 1 */
	return product > UINT64_MAX ? UINT64_MAX : (uint64_t)product;
}
