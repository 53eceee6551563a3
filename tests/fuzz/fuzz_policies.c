/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_policies.c: any YAML as the policies of tail_sampling.
 *
 * Ends with a sentence, or with policies that are asked about a few traces.
 * The first byte says which sampling strategy.
 */
#include "config/bind.h"
#include "base/log.h"
#include "config/tree.h"

#include "../../processors/tail_sampling/policy.c"
#include "../../processors/tail_sampling/policy_basic.c"
#include "../../processors/tail_sampling/policy_config.c"
#include "../../processors/tail_sampling/policy_make.c"
#undef SECOND
#include "../../processors/tail_sampling/policy_rate.c"
#include "../../processors/tail_sampling/watch.c"

#include "../support/traces.h"

struct block {
	struct weir_list policies;
};

static const struct weir_field rows[] = {
	{ .key = "policies", .type = WEIR_TYPE_LIST,
	  .offset = offsetof(struct block, policies), .sub = policy_fields,
	  .size = sizeof(struct policy_config), .help = "Policies." },
	WEIR_END
};

static void be_quiet(void)
{
	static bool done;
	weir_str none[] = { WEIR_STR("/dev/null") };
	struct log_options options = { .paths = { none, 1 },
				       .level = WEIR_STR("fatal") };
	struct weir_error error;

	if (!done && log_setup(&options, &error))
		abort();
	done = true;
}

static const struct a_span samples[] = {
	{ .number = 1 },
	{ .number = 2, .start = 5, .end = UINT64_MAX, .status = 2, .flags = 1,
	  .state = "k=v", .attrs = { TEXT("k", "a"), INT("a", 5) } },
	{ .number = 3, .start = UINT64_MAX, .end = 1, .status = 1,
	  .attrs = { BOOL("k", 1), DOUBLE("a", 1.0) } },
};
#define N_SAMPLES (sizeof(samples) / sizeof(*samples))

/* Shows the spans, as when they come. */
static void show(const struct watch *watch, struct bytes *bodies,
		 uint64_t *marks)
{
	struct trace_times times = { 0 };

	watch_resource(watch, WEIR_STR(""), marks);
	for (size_t i = 0; i < N_SAMPLES; i++) {
		span_body(&bodies[i], &samples[i]);
		/* views may read a little further */
		bytes_add(&bodies[i], "0123456789abcdef0123456789abcdef", 32);
		watch_span(watch, (weir_str){ (const char *)bodies[i].ptr,
					      bodies[i].len - 32 },
			   &times, marks);
	}
}

static void ask(struct policies *policies, struct policy_said *said)
{
	const struct watch *watch = policies_watch(policies);
	uint64_t *marks = calloc(watch_words(watch) + 1, sizeof(*marks));
	struct bytes bodies[N_SAMPLES] = { 0 };
	uint8_t id[16] = { 1, 2, 3 };
	struct trace trace = { .id = id, .marks = marks,
			       .span_count = N_SAMPLES, .bytes = 300 };

	if (!marks)
		abort();
	show(watch, bodies, marks);
	for (uint64_t now = 1; now < 4; now++) {
		id[15] = (uint8_t)now;
		policies_decide(policies, &trace, now == 2, now << 40,
				now << 41, now == 3, said);
	}
	free(marks);
	for (size_t i = 0; i < N_SAMPLES; i++)
		bytes_free(&bodies[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	weir_str text = { (const char *)data + 1, size - 1 };
	struct weir_error error = { 0 };
	struct arena arena = { 0 };
	struct block block = { 0 };
	struct policies *policies;
	struct weir_node *node;

	if (!size)
		return 0;
	be_quiet();
	node = tree_parse(&arena, "fuzz", text, &error);
	if (node && !bind_fields(&arena, rows, &block, node, "", &error)) {
		policies = policies_new(&block.policies, *data & 1, &error);
		if (policies) {
			struct policy_said *said =
				calloc(policies_count(policies) + 1,
				       sizeof(*said));

			ask(policies, said);
			free(said);
		} else if (!error.text[0]) {
			abort();
		}
		policies_free(&policies);
	} else if (!error.text[0]) {
		abort();
	}
	arena_release(&arena);
	return 0;
}
