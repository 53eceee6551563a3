/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_make.c: what the rows of a policy say becomes a policy.  Texts are the
 * Collector's.
 */
#include "policy_parts.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Where a type may stand. */
enum place {
	ON_TOP = 1, IN_AND = 2, IN_NOT = 4, IN_COMPOSITE = 8,
	ANYWHERE = ON_TOP | IN_AND | IN_NOT | IN_COMPOSITE
};

static const struct {
	const char *type;
	enum policy_kind kind;
	unsigned places;
} kinds[] = {
	{ "always_sample", POLICY_ALWAYS, ANYWHERE },
	{ "latency", POLICY_LATENCY, ANYWHERE },
	{ "numeric_attribute", POLICY_NUMERIC, ANYWHERE },
	{ "boolean_attribute", POLICY_BOOLEAN, ANYWHERE },
	{ "string_attribute", POLICY_STRING, ANYWHERE },
	{ "probabilistic", POLICY_PROBABILISTIC, ANYWHERE },
	{ "status_code", POLICY_STATUS, ANYWHERE },
	{ "rate_limiting", POLICY_RATE, ANYWHERE },
	{ "bytes_limiting", POLICY_BYTES, ANYWHERE },
	{ "span_count", POLICY_COUNT, ANYWHERE },
	{ "trace_state", POLICY_STATE, ANYWHERE },
	{ "trace_flags", POLICY_FLAGS, ANYWHERE },
	{ "ottl_condition", POLICY_OTTL, ANYWHERE },
	{ "and", POLICY_AND, ON_TOP | IN_COMPOSITE },
	{ "not", POLICY_NOT, ON_TOP | IN_AND },
	{ "drop", POLICY_DROP, ON_TOP },
	{ "composite", POLICY_COMPOSITE, ON_TOP },
};

/* About a key of the policy at path. */
static int fail_at(struct weir_error *error, const char *path, const char *key,
		   const char *format, ...) WEIR_PRINTF(4, 5);

static int fail_at(struct weir_error *error, const char *path, const char *key,
		   const char *format, ...)
{
	char full[sizeof(error->path)], text[sizeof(error->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(full, sizeof(full), "%s.%s", path, key);
	return weir_fail(error, full, "%s", text);
}

/* Those that may stand there, and that work. */
static void list_types(char *words, size_t size, enum place place)
{
	size_t len = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].places & place && kinds[i].kind != POLICY_OTTL)
			len += (size_t)snprintf(words + len, size - len, " %s",
						kinds[i].type);
}

static int unknown_type(weir_str type, enum place place, const char *path,
			struct weir_error *error)
{
	char words[512];
	weir_str meant;

	list_types(words, sizeof(words), place);
	meant = weir_nearest(type, words);
	if (!meant.len)
		return fail_at(error, path, "type",
			       "unknown sampling policy type %.*s",
			       WEIR_STR_FMT(type));
	return fail_at(error, path, "type", "unknown sampling policy type %.*s"
		       "; did you mean \"%.*s\"?", WEIR_STR_FMT(type),
		       WEIR_STR_FMT(meant));
}

static int find_kind(struct policy *policy, enum place place, const char *path,
		     struct weir_error *error)
{
	weir_str type = policy->config->type;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!weir_str_eq(type, weir_str_of(kinds[i].type)) ||
		    !(kinds[i].places & place))
			continue;
		policy->kind = kinds[i].kind;
		return 0;
	}
	return unknown_type(type, place, path, error);
}

/* --- Basic ones ---------------------------------------------------------- */

static int make_status(struct policy *policy, const char *path,
		       struct weir_error *error)
{
	static const char *const names[] = { "UNSET", "OK", "ERROR" };
	const struct weir_strs *codes =
		&policy->config->status_code.status_codes;

	if (!codes->len)
		return fail_at(error, path, "status_code.status_codes",
			       "expected at least one status code to filter "
			       "on");
	for (size_t i = 0; i < codes->len; i++) {
		uint32_t bit = 0;

		for (uint32_t k = 0; k < 3; k++)
			if (weir_str_eq(codes->items[i],
					weir_str_of(names[k])))
				bit = 1u << k;
		if (!bit)
			return fail_at(error, path, "status_code.status_codes",
				       "unknown status code \"%.*s\", "
				       "supported: OK, ERROR, UNSET",
				       WEIR_STR_FMT(codes->items[i]));
		policy->statuses |= bit;
	}
	return 0;
}

static int make_string(struct policy *policy, const char *path,
		       struct weir_error *error)
{
	const struct string_config *s = &policy->config->string_attribute;
	struct weir_error inner = { 0 };
	char key[64];

	if (!s->enabled_regex_matching)
		return 0;
	policy->regexes = calloc(s->values.len + 1, sizeof(*policy->regexes));
	if (!policy->regexes)
		abort();
	for (size_t i = 0; i < s->values.len; i++) {
		policy->regexes[i] = weir_regex_new(s->values.items[i],
						    &inner);
		snprintf(key, sizeof(key), "string_attribute.values[%zu]", i);
		if (!policy->regexes[i])
			return fail_at(error, path, key,
				       "invalid regex `%.*s`: %s",
				       WEIR_STR_FMT(s->values.items[i]),
				       inner.text);
	}
	return 0;
}

static int make_numeric(const struct policy *policy, const char *path,
			struct weir_error *error)
{
	const struct numeric_config *n = &policy->config->numeric_attribute;

	if (n->min_value || n->max_value)
		return 0;
	return fail_at(error, path, "numeric_attribute",
		       "At least one of minValue or maxValue must be set");
}

static int make_probabilistic(struct policy *policy, const char *path,
			      struct weir_error *error)
{
	double share = policy->config->probabilistic.sampling_percentage;

	if (isnan(share))
		return fail_at(error, path, "probabilistic.sampling_percentage",
			       "sampling_percentage is not a number");
	policy->threshold = policy_threshold(share);
	return 0;
}

static int make_basic(struct policy *policy, const char *path,
		      struct weir_error *error)
{
	const struct basic_config *c = policy->config;

	switch (policy->kind) {
	case POLICY_STATUS:
		return make_status(policy, path, error);
	case POLICY_STRING:
		return make_string(policy, path, error);
	case POLICY_NUMERIC:
		return make_numeric(policy, path, error);
	case POLICY_PROBABILISTIC:
		return make_probabilistic(policy, path, error);
	case POLICY_RATE:
		limit_init(&policy->limit, c->rate_limiting.spans_per_second,
			   c->rate_limiting.burst_capacity);
		return 0;
	case POLICY_BYTES:
		limit_init(&policy->limit, c->bytes_limiting.bytes_per_second,
			   c->bytes_limiting.burst_capacity);
		return 0;
	case POLICY_OTTL:
		return fail_at(error, path, "ottl_condition",
			       "ottl_condition is not available yet: OTTL is "
			       "not part of this version");
	default:
		return 0;
	}
}

/* --- Those that hold others ----------------------------------------------- */

static void make_room(struct policy *policy, size_t n)
{
	policy->subs = calloc(n + 1, sizeof(*policy->subs));
	if (!policy->subs)
		abort();
}

static int make_not(struct policy *policy, const struct not_config *config,
		    const char *path, struct weir_error *error)
{
	struct policy *sub;
	char inner[256];

	make_room(policy, 1);
	policy->n_subs = 1;
	sub = policy->subs;
	sub->config = &config->not_sub_policy;
	snprintf(inner, sizeof(inner), "%s.not.not_sub_policy", path);
	return find_kind(sub, IN_NOT, inner, error) ?
	       -1 : make_basic(sub, inner, error);
}

static int make_sub(struct policy *policy, const struct sub_config *config,
		    enum place place, const char *path,
		    struct weir_error *error);

static int make_subs(struct policy *policy, const struct weir_list *list,
		     enum place place, const char *path, const char *key,
		     struct weir_error *error)
{
	const struct sub_config *configs = list->items;
	char inner[256];

	make_room(policy, list->len);
	for (size_t i = 0; i < list->len; i++) {
		snprintf(inner, sizeof(inner), "%s.%s[%zu]", path, key, i);
		policy->n_subs = i + 1;
		if (make_sub(&policy->subs[i], &configs[i], place, inner,
			     error))
			return -1;
	}
	return 0;
}

static int make_kind(struct policy *policy, const struct sub_config *config,
		     const char *path, struct weir_error *error)
{
	if (policy->kind == POLICY_NOT)
		return make_not(policy, &config->not, path, error);
	if (policy->kind == POLICY_AND)
		return make_subs(policy, &config->and.and_sub_policy, IN_AND,
				 path, "and.and_sub_policy", error);
	return make_basic(policy, path, error);
}

static int make_sub(struct policy *policy, const struct sub_config *config,
		    enum place place, const char *path,
		    struct weir_error *error)
{
	policy->config = &config->basic;
	return find_kind(policy, place, path, error) ?
	       -1 : make_kind(policy, config, path, error);
}

/* --- composite ----------------------------------------------------------- */

/* The last entry of a name wins; without one nothing is allowed. */
static uint64_t share_of(const struct composite_config *config, weir_str name)
{
	const struct allocation_config *items = config->rate_allocation.items;
	double most = (double)config->max_total_spans_per_second;
	size_t n = config->composite_sub_policy.len;
	double share = 0;

	for (size_t i = 0; i < config->rate_allocation.len; i++) {
		if (!weir_str_eq(items[i].policy, name))
			continue;
		share = items[i].percent > 0 ?
			(double)items[i].percent / 100 * most :
			(double)(config->max_total_spans_per_second /
				 (int64_t)(n ? n : 1));
	}
	return share > 0 ? (uint64_t)share : 0;
}

static int make_composite(struct policy *policy,
			  const struct composite_config *config,
			  const char *path, struct weir_error *error)
{
	int64_t most = config->max_total_spans_per_second;

	policy->max_total = most > 0 ? (uint64_t)most : 0;
	if (make_subs(policy, &config->composite_sub_policy, IN_COMPOSITE,
		      path, "composite.composite_sub_policy", error))
		return -1;
	for (size_t i = 0; i < policy->n_subs; i++)
		policy->subs[i].second.share =
			share_of(config, policy->subs[i].config->name);
	return 0;
}

/* --- The top level ------------------------------------------------------- */

int policy_make(struct policy *policy, const struct policy_config *config,
		const char *path, struct weir_error *error)
{
	policy->config = &config->sub.basic;
	if (find_kind(policy, ON_TOP, path, error))
		return -1;
	if (policy->kind == POLICY_DROP)
		return make_subs(policy, &config->drop.drop_sub_policy, IN_AND,
				 path, "drop.drop_sub_policy", error);
	if (policy->kind == POLICY_COMPOSITE)
		return make_composite(policy, &config->composite, path, error);
	return make_kind(policy, &config->sub, path, error);
}

void policy_release(struct policy *policy)
{
	for (size_t i = 0; i < policy->n_subs; i++)
		policy_release(&policy->subs[i]);
	for (size_t i = 0; policy->regexes &&
	     i < policy->config->string_attribute.values.len; i++)
		weir_regex_free(&policy->regexes[i]);
	if (policy->kind == POLICY_RATE || policy->kind == POLICY_BYTES)
		limit_release(&policy->limit);
	free(policy->regexes);
	free(policy->subs);
}

bool policy_is_stateful(const struct policy *policy)
{
	const struct basic_config *c = policy->config;

	for (size_t i = 0; i < policy->n_subs; i++)
		if (policy_is_stateful(&policy->subs[i]))
			return true;
	return policy->kind == POLICY_RATE || policy->kind == POLICY_BYTES ||
	       (policy->kind == POLICY_LATENCY &&
		c->latency.upper_threshold_ms > 0) ||
	       (policy->kind == POLICY_COUNT && c->span_count.max_spans > 0);
}
