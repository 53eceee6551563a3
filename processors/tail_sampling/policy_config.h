/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_config.h: one entry of `policies` as it is bound.
 *
 * Types that stand for others nest to a fixed depth, as the Collector's:
 * `not` holds a basic one; `and` and `drop` hold basic ones and `not`;
 * `composite` holds basic ones and `and`.
 */
#ifndef TAIL_SAMPLING_POLICY_CONFIG_H
#define TAIL_SAMPLING_POLICY_CONFIG_H

#include <weir/plugin.h>

struct latency_config {
	int64_t threshold_ms, upper_threshold_ms;
};
struct numeric_config {
	weir_str key;
	int64_t min_value, max_value;
	bool invert_match;
};
struct probabilistic_config {
	weir_str hash_salt;
	double sampling_percentage;
};
struct status_config {
	struct weir_strs status_codes;
};
struct string_config {
	weir_str key;
	struct weir_strs values;
	bool enabled_regex_matching, invert_match;
	int64_t cache_max_size;
};
struct rate_config {
	int64_t spans_per_second, burst_capacity;
};
struct bytes_config {
	int64_t bytes_per_second, burst_capacity;
};
struct count_config {
	int64_t min_spans, max_spans;
};
struct state_config {
	weir_str key;
	struct weir_strs values;
};
struct boolean_config {
	weir_str key;
	bool value, invert_match;
};

struct basic_config {
	weir_str name, type;
	struct latency_config latency;
	struct numeric_config numeric_attribute;
	struct probabilistic_config probabilistic;
	struct status_config status_code;
	struct string_config string_attribute;
	struct rate_config rate_limiting;
	struct bytes_config bytes_limiting;
	struct count_config span_count;
	struct state_config trace_state;
	struct boolean_config boolean_attribute;
	const struct weir_node *ottl_condition;
};

struct not_config {
	struct basic_config not_sub_policy;
};
struct and_config {
	struct weir_list and_sub_policy;	/* of struct sub_config */
};
struct sub_config {		/* in and, drop and composite */
	struct basic_config basic;
	struct not_config not;
	struct and_config and;
};
struct drop_config {
	struct weir_list drop_sub_policy;	/* of struct sub_config */
};
struct allocation_config {
	weir_str policy;
	int64_t percent;
};
struct composite_config {
	int64_t max_total_spans_per_second;
	struct weir_strs policy_order;	/* read by nobody, as there */
	struct weir_list composite_sub_policy;	/* of struct sub_config */
	struct weir_list rate_allocation;	/* of struct allocation_config */
};

struct policy_config {
	struct sub_config sub;
	struct drop_config drop;
	struct composite_config composite;
};

extern const struct weir_field policy_fields[];

#endif
