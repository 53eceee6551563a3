/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_policies.c: any YAML as the block of tail_sampling, policies and all.
 *
 * Ends with a sentence, or with a sampler on one worker that gets a few
 * traces, some of them in pieces, decides them, and stops with nothing left.
 * An odd first byte asks for span-ingest.
 */
#include "base/log.h"

#include "../support/tail_crew.h"
#include "../support/traces.h"

#define SECOND 1000000000u

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

/* --- What stands around the sampler --------------------------------------- */

static size_t sent, came;

static void answered(struct weir_component *c, struct weir_batch *batch,
		     const struct weir_outcome *outcome, void *cookie)
{
	(void)c;
	(void)outcome;
	(void)cookie;
	weir_batch_ack(batch);
}

static const struct weir_plugin sender_plugin = {
	.kind = WEIR_RECEIVER, .type = "sender", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .answered = answered,
};

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	(void)c;
	came += weir_batch_items(batch);
	weir_batch_ack(batch);
}

static const struct weir_plugin sink_plugin = {
	.kind = WEIR_EXPORTER, .type = "sink", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .consume = consume,
};

/* --- A few traces --------------------------------------------------------- */

static const struct a_span samples[] = {
	{ .trace = 1, .number = 1 },
	{ .trace = 2, .number = 2, .start = 5, .end = UINT64_MAX, .status = 2,
	  .flags = 1, .state = "k=v",
	  .attrs = { TEXT("k", "a"), INT("a", 5) } },
	{ .trace = 1, .number = 3, .start = UINT64_MAX, .end = 1, .status = 1,
	  .child = true, .attrs = { BOOL("k", 1), DOUBLE("a", 1.0) } },
	{ .trace = 3, .number = 4, .child = true, .pad = 200 },
	{ .number = 5, .attrs = { TEXT("k", ""), EMPTY("a") } },
};

static void send_samples(struct worker *worker)
{
	static const struct attr attrs[MAX_ATTRS] = { TEXT("k", "b") };
	struct traces r = { 0 };

	traces_resource(&r, attrs, NULL);
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		traces_span(&r, &samples[i]);
	traces_end(&r);
	tail_crew_send(worker, r.out.ptr, r.out.len, r.n, NULL);
	sent += r.n;
	traces_free(&r);
}

static void run(struct plan *plan)
{
	sent = came = 0;
	clock_manual(SECOND, 1700000000u * (uint64_t)SECOND, 1);
	crew_open_manual(plan, 1);
	for (int i = 0; i < 4; i++) {
		crew_as(0, send_samples);
		clock_advance(SECOND);
		crew_turn(0);
	}
	crew_as(0, crew_stop);
	crew_turn(0);
	if (tail_crew_held(&workers[0]) || came > sent)
		abort();
	crew_close_manual();
}

/* A week of waiting is a list for each second: refused or not, not run. */
static bool is_long(weir_str text)
{
	return memmem(text.ptr, text.len, "wait", 4) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char ingest[] = "\nsampling_strategy: span-ingest\n";
	struct weir_error error = { 0 };
	struct bytes text = { 0 };
	struct plan *plan;
	weir_str yaml;

	if (!size)
		return 0;
	be_quiet();
	bytes_add(&text, data + 1, size - 1);
	bytes_add(&text, *data & 1 ? ingest : "\n",
		  *data & 1 ? sizeof(ingest) - 1 : 1);
	yaml = (weir_str){ (const char *)text.ptr, text.len };
	plan = tail_crew_try(yaml, &sender_plugin, &sink_plugin, &error);
	if (!plan && !error.text[0])
		abort();
	if (plan && !is_long(yaml))
		run(plan);
	tail_crew_free();
	bytes_free(&text);
	return 0;
}
