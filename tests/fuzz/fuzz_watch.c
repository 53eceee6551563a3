/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_watch.c: any bytes as a span that policies of tail_sampling look at.
 *
 * The first byte's low bits say how long the resource is, the rest is a span.
 * Nothing is read beyond the end.  What passes the walk as canonical is also
 * read by the views, field by field and key by key: the marks are the same.
 */
#include "config/bind.h"
#include "config/tree.h"
#include "data/walk.h"

#include "../../processors/tail_sampling/policy.c"
#include "../../processors/tail_sampling/policy_basic.c"
#include "../../processors/tail_sampling/policy_config.c"
#include "../../processors/tail_sampling/policy_make.c"
#undef SECOND
#include "../../processors/tail_sampling/policy_rate.c"
#include "../../processors/tail_sampling/watch.c"

#include "../support/traces.h"

#define TEXTS(n, k) "{name: " n ", type: string_attribute, string_attribute: " \
	"{key: " k ", values: [a, bc]}}, "

static const char yaml[] =
	"{policies: ["
	"{name: e, type: status_code, status_code: {status_codes: [ERROR]}}, "
	"{name: o, type: status_code, status_code: {status_codes: [OK]}}, "
	"{name: l, type: latency, latency: {threshold_ms: 5}}, "
	"{name: m, type: latency, latency: {threshold_ms: 1, "
	"upper_threshold_ms: 3}}, "
	"{name: f, type: trace_flags}, "
	"{name: t, type: trace_state, trace_state: {key: k, values: [v]}}, "
	"{name: n, type: numeric_attribute, numeric_attribute: {key: k, "
	"min_value: 2, max_value: 9}}, "
	"{name: b, type: boolean_attribute, boolean_attribute: {key: k, "
	"value: true}}, "
	TEXTS("s", "k") TEXTS("r", "http") TEXTS("u", "''")
	"{name: x, type: string_attribute, string_attribute: {key: long, "
	"values: ['^a+$'], enabled_regex_matching: true}}]}";

struct block {
	struct weir_list policies;
};

static const struct weir_field rows[] = {
	{ .key = "policies", .type = WEIR_TYPE_LIST,
	  .offset = offsetof(struct block, policies), .sub = policy_fields,
	  .size = sizeof(struct policy_config), .help = "Policies." },
	WEIR_END
};

static struct policies *make(void)
{
	static struct arena arena;
	static struct block block;
	static struct policies *policies;
	struct weir_error error = { 0 };
	struct weir_node *node;

	if (policies)
		return policies;
	node = tree_parse(&arena, "fuzz", weir_str_of(yaml), &error);
	if (!node || bind_fields(&arena, rows, &block, node, "", &error))
		abort();
	policies = policies_new(&block.policies, false, &error);
	if (!policies)
		abort();
	return policies;
}

/* --- What the views say --------------------------------------------------- */

static bool found(const struct policy *policy, weir_str message, uint32_t tag,
		  weir_str key)
{
	struct weir_attribute_list list = { message, tag };
	struct weir_value value;

	return weir_attribute_find(list, key, &value) &&
	       policy_matches(policy, &value, tag == TAG_BYTES(9));
}

static bool expected(const struct policy *policy, weir_str resource,
		     weir_str message)
{
	const struct basic_config *c = policy->config;
	struct trace_times times;
	struct weir_span span;
	weir_str key = c->string_attribute.key;

	weir_span_read(message, &span);
	times = (struct trace_times){ span.start_unix_nano,
				      span.end_unix_nano };
	switch (policy->kind) {
	case POLICY_STATUS:
		return span.status_code < 32 &&
		       policy->statuses >> span.status_code & 1;
	case POLICY_LATENCY:
		return policy_takes_so_long(policy, &times);
	case POLICY_FLAGS:
		return span.flags & 1;
	case POLICY_STATE:
		return span.trace_state.len &&
		       policy_state(policy, span.trace_state);
	case POLICY_NUMERIC:
		key = c->numeric_attribute.key;
		break;
	case POLICY_BOOLEAN:
		key = c->boolean_attribute.key;
		break;
	default:
		break;
	}
	return found(policy, resource, TAG_BYTES(1), key) ||
	       found(policy, message, TAG_BYTES(9), key);
}

static bool is_canonical(weir_str resource, weir_str span)
{
	struct bytes head = { 0 }, scope = { 0 }, records = { 0 }, all = { 0 };
	struct walk_result result;

	bytes_field(&head, 1, resource.ptr, resource.len);
	bytes_field(&scope, 2, span.ptr, span.len);
	bytes_add(&records, head.ptr, head.len);
	bytes_field(&records, 2, scope.ptr, scope.len);
	bytes_field(&all, 1, records.ptr, records.len);
	bytes_add(&all, "0123456789abcdef0123456789abcdef", 32);
	result = walk_request(WEIR_SIGNAL_TRACES, all.ptr, all.len - 32, NULL,
			      NULL);
	bytes_free(&head);
	bytes_free(&scope);
	bytes_free(&records);
	bytes_free(&all);
	return result.verdict == WALK_CANONICAL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policies *policies = make();
	struct trace_times times = { 0 };
	uint64_t marks[1] = { 0 };
	weir_str resource, span;
	size_t cut;

	if (!size)
		return 0;
	cut = (data[0] & 63) < size ? data[0] & 63 : size - 1;
	resource = (weir_str){ (const char *)data + 1, cut };
	span = (weir_str){ (const char *)data + 1 + cut, size - 1 - cut };
	watch_resource(policies_watch(policies), resource, marks);
	watch_span(policies_watch(policies), span, &times, marks);
	if (!is_canonical(resource, span))
		return 0;
	for (size_t i = 0; i < policies->n; i++)
		if (is_set(marks, policies->items[i].mark) !=
		    expected(&policies->items[i], resource, span))
			abort();
	return 0;
}
