/* SPDX-License-Identifier: Apache-2.0 */
/* processors/tail_sampling: configurations that are refused, and how; and odd
 * ones that are not. */
#include "ts_case.h"

#define FAILED "failed to create policy evaluator for \"p\": "
#define POLICY(rest) "{policies: [{name: p, " rest "}]}"

static const struct {
	const char *yaml, *path, *text;
} refused[] = {
	{ "{sampling_strategy: x}", "sampling_strategy",
	  "invalid sampling_strategy \"x\", expected one of "
	  "\"trace-complete\" or \"span-ingest\"" },
	{ "{sampling_strategy: ''}", "sampling_strategy",
	  "invalid sampling_strategy \"\", expected one of "
	  "\"trace-complete\" or \"span-ingest\"" },
	{ "{tail_storage: ''}", "tail_storage", NULL },
	{ "{tail_storage: redis}", "tail_storage",
	  "'tail_storage' requires the \"processor.tailsamplingprocessor."
	  "tailstorageextension\" feature gate to be enabled, and an "
	  "extension that is not there" },
	{ "{decision_wait: 169h}", "decision_wait",
	  "a trace cannot wait for more than a week" },
	{ "{policies: [{type: always_sample}]}", "policies[0].name",
	  "policy name cannot be empty" },
	{ "{policies: [{name: a, type: always_sample}, {name: a, type: "
	  "latency}]}", "policies[1].name", "duplicate policy name \"a\"" },
	{ POLICY("type: foo"), "policies[0].type",
	  FAILED "unknown sampling policy type foo" },
	{ POLICY("type: alway_sample"), "policies[0].type",
	  FAILED "unknown sampling policy type alway_sample; did you mean "
	  "\"always_sample\"?" },
	{ POLICY("type: otl_condition"), "policies[0].type",
	  FAILED "unknown sampling policy type otl_condition" },
	/* only what may stand there */
	{ POLICY("type: composit"), "policies[0].type",
	  FAILED "unknown sampling policy type composit; did you mean "
	  "\"composite\"?" },
	{ POLICY("type: and, and: {and_sub_policy: [{type: latency}, {type: "
		 "composit}]}"), "policies[0].and.and_sub_policy[1].type",
	  FAILED "unknown sampling policy type composit" },
	{ POLICY("a: 1"), "policies[0]", "unknown key \"a\"" },
	{ POLICY("type: ''"), "policies[0].type",
	  FAILED "unknown sampling policy type " },
	{ POLICY("type: status_code"), "policies[0].status_code.status_codes",
	  FAILED "expected at least one status code to filter on" },
	{ POLICY("type: status_code, status_code: {status_codes: [error]}"),
	  "policies[0].status_code.status_codes",
	  FAILED "unknown status code \"error\", supported: OK, "
	  "ERROR, UNSET" },
	{ POLICY("type: string_attribute, string_attribute: {key: k, values: "
		 "['('], enabled_regex_matching: true}"),
	  "policies[0].string_attribute.values[0]",
	  FAILED "invalid regex `(`: error parsing regexp: missing closing ): "
	  "`(`" },
	{ POLICY("type: numeric_attribute, numeric_attribute: {key: k}"),
	  "policies[0].numeric_attribute",
	  FAILED "At least one of minValue or maxValue must be set" },
	{ POLICY("type: probabilistic, probabilistic: {sampling_percentage: "
		 ".nan}"), "policies[0].probabilistic.sampling_percentage",
	  FAILED "sampling_percentage is not a number" },
	{ POLICY("type: ottl_condition, ottl_condition: {span: ['true']}"),
	  "policies[0].ottl_condition", FAILED "ottl_condition is not available "
	  "yet: OTTL is not part of this version" },
	{ POLICY("type: not"), "policies[0].not.not_sub_policy.type",
	  FAILED "unknown sampling policy type " },
	/* what may not stand there */
	{ POLICY("type: not, not: {not_sub_policy: {type: not}}"),
	  "policies[0].not.not_sub_policy.type",
	  FAILED "unknown sampling policy type not" },
	{ POLICY("type: and, and: {and_sub_policy: [{type: and}]}"),
	  "policies[0].and.and_sub_policy[0].type",
	  FAILED "unknown sampling policy type and" },
	{ POLICY("type: and, and: {and_sub_policy: [{type: drop}]}"),
	  "policies[0].and.and_sub_policy[0].type",
	  FAILED "unknown sampling policy type drop" },
	{ POLICY("type: drop, drop: {drop_sub_policy: [{type: latency}, "
		 "{type: composite}]}"),
	  "policies[0].drop.drop_sub_policy[1].type",
	  FAILED "unknown sampling policy type composite" },
	{ POLICY("type: composite, composite: {composite_sub_policy: [{type: "
		 "not}]}"),
	  "policies[0].composite.composite_sub_policy[0].type",
	  FAILED "unknown sampling policy type not" },
	{ POLICY("type: composite, composite: {composite_sub_policy: [{type: "
		 "and, and: {and_sub_policy: [{type: status_code}]}}]}"),
	  "policies[0].composite.composite_sub_policy[0].and.and_sub_policy[0]"
	  ".status_code.status_codes",
	  FAILED "expected at least one status code to filter on" },
	/* keys: also those the Collector would pass over */
	{ POLICY("type: latency, latncy: {threshold_ms: 5}"),
	  "policies[0]", "unknown key \"latncy\"; did you mean "
	  "\"latency\"?" },
	{ POLICY("type: latency, latency: {threshold: 5}"),
	  "policies[0].latency", "unknown key \"threshold\"; did you mean "
	  "\"threshold_ms\"?" },
	{ "{num_shards: 2}", "", "unknown key \"num_shards\"" },
	{ "{decision_cache: {size: 2}}", "decision_cache",
	  "unknown key \"size\"" },
	{ "{on_maximum_trace_size: keep}", "on_maximum_trace_size", NULL },
	{ "{num_traces: -1}", "num_traces", NULL },
	/* in bytes it would be 0 */
	{ "{memory_limit_mib: 17592186044416}", "memory_limit_mib",
	  "more than there can be: 8796093022207 at most" },
	{ "{memory_limit_mib: 8796093022208}", "memory_limit_mib", NULL },
};

START_TEST(mistakes_are_told_in_the_collector_s_words)
{
	struct weir_error error = { 0 };

	t = weir_test_open(so(), refused[_i].yaml, WEIR_TRACES, &error);
	ck_assert_msg(!t, "%s", refused[_i].yaml);
	ck_assert_msg(!strcmp(error.path, refused[_i].path), "%s: %s: %s",
		      refused[_i].yaml, error.path, error.text);
	if (refused[_i].text)
		ck_assert_str_eq(error.text, refused[_i].text);
	ck_assert(error.text[0]);
}
END_TEST

static const struct {
	const char *block;
	bool stateful;
} states[] = {
	{ "type: rate_limiting", true },
	{ "type: bytes_limiting", true },
	{ "type: latency, latency: {upper_threshold_ms: 5}", true },
	{ "type: latency, latency: {threshold_ms: 5}", false },
	{ "type: span_count, span_count: {max_spans: 5}", true },
	{ "type: span_count, span_count: {min_spans: 5}", false },
	{ "type: and, and: {and_sub_policy: [{type: always_sample}, {type: "
	  "rate_limiting}]}", true },
	{ "type: not, not: {not_sub_policy: {type: rate_limiting}}", true },
	{ "type: drop, drop: {drop_sub_policy: [{type: bytes_limiting}]}",
	  true },
	{ "type: composite, composite: {composite_sub_policy: [{type: "
	  "rate_limiting}]}", true },
	{ "type: composite, composite: {composite_sub_policy: [{type: "
	  "always_sample}]}", false },
};

START_TEST(span_ingest_takes_what_remembers_nothing)
{
	struct weir_error error = { 0 };
	char yaml[512];

	snprintf(yaml, sizeof(yaml), "{sampling_strategy: span-ingest, "
		 "policies: [{name: p, %s}]}", states[_i].block);
	if (!states[_i].stateful) {
		begin(yaml);
		end();
		return;
	}
	ck_assert_ptr_null(weir_test_open(so(), yaml, WEIR_TRACES, &error));
	ck_assert_str_eq(error.text, "sampling_strategy \"span-ingest\" "
			 "requires all policies to be stateless, but policy "
			 "\"p\" is stateful");
}
END_TEST

static const char *const accepted[] = {
	"",
	"{policies: []}",
	"{tail_storage: }",
	POLICY("type: always_sample, always_sample: {}"),
	POLICY("type: trace_flags, trace_flags: "),
	"{decision_wait: 168h}",
	"{decision_cache: {sampled_cache_size: -1}}",
	"{num_traces: 0, policies: [{name: a, type: always_sample}]}",
	"{expected_new_traces_per_sec: 10}",
	"{memory_limit_mib: 8796093022207}",
	/* blocks of other types are read and not looked at */
	POLICY("type: always_sample, status_code: {status_codes: [nonsense]}"),
	/* names of those inside may be absent or the same */
	POLICY("type: and, and: {and_sub_policy: [{type: always_sample}, "
	       "{name: p, type: always_sample}, {name: p, type: latency}]}"),
	POLICY("type: latency, latency: {threshold_ms: 9, "
	       "upper_threshold_ms: 3}"),
};

START_TEST(odd_ones_are_accepted)
{
	begin(accepted[_i]);
	GIVE(.trace = 1, .number = 1);
	GIVE(.trace = 2, .number = 2);
	seconds(2);
	end();
}
END_TEST

#define N(a) (int)(sizeof(a) / sizeof(*(a)))

int main(void)
{
	Suite *suite = suite_create("processors/tail_sampling: configuration");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, mistakes_are_told_in_the_collector_s_words,
			    0, N(refused));
	tcase_add_loop_test(tests, span_ingest_takes_what_remembers_nothing, 0,
			    N(states));
	tcase_add_loop_test(tests, odd_ones_are_accepted, 0, N(accepted));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
