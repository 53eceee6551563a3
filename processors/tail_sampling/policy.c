/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.c: the list of policies, the order in which they are asked, and what
 * their votes come to.
 */
#include "policy_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- One policy ---------------------------------------------------------- */

static bool all_sample(struct policy *policy, const struct question *q)
{
	for (size_t i = 0; i < policy->n_subs; i++)
		if (!policy_samples(&policy->subs[i], q))
			return false;
	return true;
}

/* The first sub-policy that samples decides, within its share. */
static bool composite_samples(struct policy *policy, const struct question *q)
{
	for (size_t i = 0; i < policy->n_subs; i++)
		if (policy_samples(&policy->subs[i], q))
			return second_take(&policy->subs[i].second,
					   policy->max_total,
					   q->trace->span_count, q->wall);
	return false;
}

static bool count_samples(const struct policy *policy, uint64_t n)
{
	const struct count_config *c = &policy->config->span_count;

	return (c->min_spans <= 0 || n >= (uint64_t)c->min_spans) &&
	       (!c->max_spans ||
		(c->max_spans > 0 && n <= (uint64_t)c->max_spans));
}

static bool is_marked(const struct policy *policy, const struct trace *trace)
{
	return trace->marks[policy->mark / 64] >> policy->mark % 64 & 1;
}

bool policy_samples(struct policy *policy, const struct question *q)
{
	const struct trace *trace = q->trace;
	const struct basic_config *c = policy->config;

	switch (policy->kind) {
	case POLICY_ALWAYS:
		return true;
	case POLICY_LATENCY:
	case POLICY_STATUS:
	case POLICY_STATE:
	case POLICY_FLAGS:
		return is_marked(policy, trace);
	case POLICY_NUMERIC:
		return is_marked(policy, trace) !=
		       c->numeric_attribute.invert_match;
	case POLICY_BOOLEAN:
		return is_marked(policy, trace) !=
		       c->boolean_attribute.invert_match;
	case POLICY_STRING:
		return is_marked(policy, trace) !=
		       c->string_attribute.invert_match;
	case POLICY_PROBABILISTIC:
		return policy_chance(policy, trace);
	case POLICY_RATE:
		return limit_take(&policy->limit, trace->span_count, q->now);
	case POLICY_BYTES:
		return limit_take(&policy->limit, trace->bytes, q->now);
	case POLICY_COUNT:
		return count_samples(policy, trace->span_count);
	case POLICY_AND:
	case POLICY_DROP:
		return all_sample(policy, q);
	case POLICY_NOT:
		return !policy_samples(&policy->subs[0], q);
	case POLICY_COMPOSITE:
		return composite_samples(policy, q);
	case POLICY_OTTL:	/* refused when it was made */
		break;
	}
	return false;
}

/* --- All of them --------------------------------------------------------- */

static enum policy_vote vote_of(struct policy *policy,
				const struct question *q)
{
	bool yes = policy_samples(policy, q);

	if (policy->kind == POLICY_DROP && yes)
		return VOTE_DROPPED;
	return yes && policy->kind != POLICY_DROP ? VOTE_SAMPLED :
	       VOTE_NOT_SAMPLED;
}

enum verdict policies_decide(struct policies *policies,
			     const struct trace *trace, bool first_match,
			     uint64_t now, uint64_t wall, bool timed,
			     struct policy_said *said)
{
	struct question q = { trace, now, wall };
	bool sampled = false, pending = false;

	memset(said, 0, policies->n * sizeof(*said));
	for (size_t i = 0; i < policies->n; i++) {
		struct policy *policy = &policies->items[policies->order[i]];
		struct policy_said *says = &said[policies->order[i]];
		uint64_t began;

		/* As in the Collector: there a drop policy that does not drop
		 * leaves the trace pending, whatever follows would say. */
		if (pending && policy->kind != POLICY_DROP)
			break;
		began = timed ? weir_now() : 0;
		says->vote = vote_of(policy, &q);
		if (timed)
			says->ns = weir_now() - began;
		if (says->vote == VOTE_DROPPED)
			return VERDICT_DROPPED;
		sampled |= says->vote == VOTE_SAMPLED;
		if (sampled && (first_match || policies->span_ingest))
			break;
		pending = policies->span_ingest &&
			  policy->kind == POLICY_DROP;
	}
	if (sampled)
		return VERDICT_SAMPLED;
	return policies->span_ingest ? VERDICT_PENDING : VERDICT_NOT_SAMPLED;
}

/* Drop policies first, in their order, then the others. */
static void put_in_order(struct policies *policies)
{
	size_t n = 0;

	for (int drops = 1; drops >= 0; drops--)
		for (size_t i = 0; i < policies->n; i++)
			if ((policies->items[i].kind == POLICY_DROP) == drops)
				policies->order[n++] = i;
}

static int check_name(const struct policies *policies, size_t i,
		      struct weir_error *error)
{
	weir_str name = policies->items[i].config->name;
	char path[64];

	snprintf(path, sizeof(path), "policies[%zu].name", i);
	if (!name.len)
		return weir_fail(error, path, "policy name cannot be empty");
	for (size_t k = 0; k < i; k++)
		if (weir_str_eq(policies->items[k].config->name, name))
			return weir_fail(error, path,
					 "duplicate policy name \"%.*s\"",
					 WEIR_STR_FMT(name));
	return 0;
}

static int make_one(struct policies *policies, size_t i,
		    const struct policy_config *config,
		    struct weir_error *error)
{
	struct policy *policy = &policies->items[i];
	struct weir_error why = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "policies[%zu]", i);
	policy->config = &config->sub.basic;
	if (check_name(policies, i, error))
		return -1;
	if (policy_make(policy, config, path, &why))
		return weir_fail(error, why.path, "failed to create policy "
				 "evaluator for \"%.*s\": %s",
				 WEIR_STR_FMT(policy->config->name), why.text);
	watch_add(&policies->watch, policy);
	if (!policies->span_ingest || !policy_is_stateful(policy))
		return 0;
	return weir_fail(error, path, "sampling_strategy \"span-ingest\" "
			 "requires all policies to be stateless, but policy "
			 "\"%.*s\" is stateful",
			 WEIR_STR_FMT(policy->config->name));
}

struct policies *policies_new(const struct weir_list *list, bool span_ingest,
			      struct weir_error *error)
{
	const struct policy_config *configs = list->items;
	struct policies *policies = calloc(1, sizeof(*policies));

	if (!policies)
		abort();
	policies->span_ingest = span_ingest;
	policies->items = calloc(list->len + 1, sizeof(*policies->items));
	policies->order = calloc(list->len + 1, sizeof(*policies->order));
	if (!policies->items || !policies->order)
		abort();
	for (size_t i = 0; i < list->len; i++) {
		policies->n = i + 1;
		if (!make_one(policies, i, &configs[i], error))
			continue;
		policies_free(&policies);
		return NULL;
	}
	put_in_order(policies);
	watch_finish(&policies->watch);
	return policies;
}

void policies_free(struct policies **policies_ptr)
{
	struct policies *policies = *policies_ptr;

	if (!policies)
		return;
	*policies_ptr = NULL;
	for (size_t i = 0; i < policies->n; i++)
		policy_release(&policies->items[i]);
	watch_release(&policies->watch);
	free(policies->items);
	free(policies->order);
	free(policies);
}

const struct watch *policies_watch(const struct policies *policies)
{
	return &policies->watch;
}

size_t policies_count(const struct policies *policies)
{
	return policies->n;
}

weir_str policies_name(const struct policies *policies, size_t i)
{
	return policies->items[i].config->name;
}
