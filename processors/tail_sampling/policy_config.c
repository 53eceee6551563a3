/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_config.c: the keys of a policy, by where it stands.  Tables only.
 */
#include "policy_config.h"

static const struct weir_field no_fields[] = { WEIR_END };

static const struct weir_field latency_fields[] = {
	WEIR_FIELD(struct latency_config, threshold_ms, "0",
		   "The trace took longer than this."),
	WEIR_FIELD(struct latency_config, upper_threshold_ms, "0",
		   "... and not longer than this; 0: no end."),
	WEIR_END
};

static const struct weir_field numeric_fields[] = {
	WEIR_FIELD(struct numeric_config, key, NULL, "The attribute."),
	WEIR_FIELD(struct numeric_config, min_value, "0",
		   "At least; 0: no bound."),
	WEIR_FIELD(struct numeric_config, max_value, "0",
		   "At most; 0: no bound."),
	WEIR_FIELD(struct numeric_config, invert_match, "false",
		   "Samples when nothing matches."),
	WEIR_END
};

static const struct weir_field probabilistic_fields[] = {
	WEIR_FIELD(struct probabilistic_config, hash_salt, NULL,
		   "Collectors that decide alike share it; default: "
		   "default-hash-seed."),
	WEIR_FIELD(struct probabilistic_config, sampling_percentage, "0",
		   "The share of traces, in percent."),
	WEIR_END
};

static const struct weir_field status_fields[] = {
	WEIR_FIELD(struct status_config, status_codes, NULL,
		   "OK, ERROR, UNSET: a span has one of them."),
	WEIR_END
};

static const struct weir_field string_fields[] = {
	WEIR_FIELD(struct string_config, key, NULL, "The attribute."),
	WEIR_FIELD(struct string_config, values, NULL,
		   "It has one of these values."),
	WEIR_FIELD(struct string_config, enabled_regex_matching, "false",
		   "The values are patterns."),
	WEIR_FIELD(struct string_config, cache_max_size, "0",
		   "Without effect: patterns are fast without a cache."),
	WEIR_FIELD(struct string_config, invert_match, "false",
		   "Samples when nothing matches."),
	WEIR_END
};

static const struct weir_field rate_fields[] = {
	WEIR_FIELD(struct rate_config, spans_per_second, "0",
		   "So many spans may pass, in the whole process."),
	WEIR_FIELD(struct rate_config, burst_capacity, "0",
		   "So many at once; 0: twice the rate."),
	WEIR_END
};

static const struct weir_field bytes_fields[] = {
	WEIR_FIELD(struct bytes_config, bytes_per_second, "0",
		   "So many bytes may pass, in the whole process."),
	WEIR_FIELD(struct bytes_config, burst_capacity, "0",
		   "So many at once; 0: twice the rate."),
	WEIR_END
};

static const struct weir_field count_fields[] = {
	WEIR_FIELD(struct count_config, min_spans, "0", "So many at least."),
	WEIR_FIELD(struct count_config, max_spans, "0",
		   "So many at most; 0: no end."),
	WEIR_END
};

static const struct weir_field state_fields[] = {
	WEIR_FIELD(struct state_config, key, NULL,
		   "The member of the trace state."),
	WEIR_FIELD(struct state_config, values, NULL,
		   "It has one of these values."),
	WEIR_END
};

static const struct weir_field boolean_fields[] = {
	WEIR_FIELD(struct boolean_config, key, NULL, "The attribute."),
	WEIR_FIELD(struct boolean_config, value, "false", "Its value."),
	WEIR_FIELD(struct boolean_config, invert_match, "false",
		   "Samples when nothing matches."),
	WEIR_END
};

static const struct weir_field basic_fields[] = {
	WEIR_FIELD(struct basic_config, name, NULL,
		   "For metrics; each its own."),
	WEIR_FIELD(struct basic_config, type, NULL,
		   "always_sample, latency, ...: which of the blocks counts."),
	{ .key = "always_sample", .type = WEIR_TYPE_BLOCK, .sub = no_fields,
	  .help = "Has no keys." },
	{ .key = "trace_flags", .type = WEIR_TYPE_BLOCK, .sub = no_fields,
	  .help = "Has no keys." },
	WEIR_BLOCK(struct basic_config, latency, latency_fields,
		   "By how long the trace took."),
	WEIR_BLOCK(struct basic_config, numeric_attribute, numeric_fields,
		   "By an integer attribute."),
	WEIR_BLOCK(struct basic_config, probabilistic, probabilistic_fields,
		   "By chance, the same for a trace id everywhere."),
	WEIR_BLOCK(struct basic_config, status_code, status_fields,
		   "By the status of spans."),
	WEIR_BLOCK(struct basic_config, string_attribute, string_fields,
		   "By a string attribute."),
	WEIR_BLOCK(struct basic_config, rate_limiting, rate_fields,
		   "While there are not too many spans."),
	WEIR_BLOCK(struct basic_config, bytes_limiting, bytes_fields,
		   "While there are not too many bytes."),
	WEIR_BLOCK(struct basic_config, span_count, count_fields,
		   "By the number of spans."),
	WEIR_BLOCK(struct basic_config, trace_state, state_fields,
		   "By a member of the trace state."),
	WEIR_BLOCK(struct basic_config, boolean_attribute, boolean_fields,
		   "By a boolean attribute."),
	WEIR_FIELD(struct basic_config, ottl_condition, NULL,
		   "Not supported yet."),
	WEIR_END
};

static const struct weir_field not_fields[] = {
	WEIR_BLOCK(struct not_config, not_sub_policy, basic_fields,
		   "Samples when this one does not."),
	WEIR_END
};

/* In `and` and `drop`. */
static const struct weir_field with_not_fields[] = {
	WEIR_INCLUDE(struct sub_config, basic, basic_fields),
	WEIR_BLOCK(struct sub_config, not, not_fields,
		   "The opposite of a policy."),
	WEIR_END
};

static const struct weir_field and_fields[] = {
	WEIR_LIST(struct and_config, and_sub_policy, struct sub_config,
		  with_not_fields, "Samples when all of these do."),
	WEIR_END
};

/* In `composite`. */
static const struct weir_field with_and_fields[] = {
	WEIR_INCLUDE(struct sub_config, basic, basic_fields),
	WEIR_BLOCK(struct sub_config, and, and_fields,
		   "Several policies that must agree."),
	WEIR_END
};

static const struct weir_field drop_fields[] = {
	WEIR_LIST(struct drop_config, drop_sub_policy, struct sub_config,
		  with_not_fields,
		  "Drops the trace when all of these sample."),
	WEIR_END
};

static const struct weir_field allocation_fields[] = {
	WEIR_FIELD(struct allocation_config, policy, NULL,
		   "The name of a sub-policy."),
	WEIR_FIELD(struct allocation_config, percent, "0",
		   "Its share of the total; 0: an equal one."),
	WEIR_END
};

static const struct weir_field composite_fields[] = {
	WEIR_FIELD(struct composite_config, max_total_spans_per_second, "0",
		   "What the shares are shares of."),
	WEIR_FIELD(struct composite_config, policy_order, NULL,
		   "Without effect, as in the Collector: the order of "
		   "composite_sub_policy counts."),
	WEIR_LIST(struct composite_config, composite_sub_policy,
		  struct sub_config, with_and_fields,
		  "The first of these that samples decides, within its "
		  "share."),
	WEIR_LIST(struct composite_config, rate_allocation,
		  struct allocation_config, allocation_fields,
		  "Shares of the sub-policies."),
	WEIR_END
};

const struct weir_field policy_fields[] = {
	WEIR_INCLUDE(struct policy_config, sub.basic, basic_fields),
	{ .key = "not", .type = WEIR_TYPE_BLOCK,
	  .offset = offsetof(struct policy_config, sub.not), .sub = not_fields,
	  .help = "The opposite of a policy." },
	{ .key = "and", .type = WEIR_TYPE_BLOCK,
	  .offset = offsetof(struct policy_config, sub.and), .sub = and_fields,
	  .help = "Several policies that must agree." },
	WEIR_BLOCK(struct policy_config, drop, drop_fields,
		   "Policies that drop what they agree on."),
	WEIR_BLOCK(struct policy_config, composite, composite_fields,
		   "Policies that share a rate."),
	WEIR_END
};
