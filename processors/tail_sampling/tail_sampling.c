/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail_sampling: keeps the traces that are worth keeping.
 *
 * Spans are held until their trace is decided: decision_wait after the first of
 * them.  Policies look at the whole trace then; it goes on, or goes.  The
 * instance is placed by trace, so all spans of a trace come here, and nothing
 * is shared with other workers but credits and the policies' rates.
 * Whoever sent the spans is answered when they are in here.
 * Must never pass on half of a sampled trace, or a span twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_config.h"
#include "tail_sampling.h"

#define SECOND 1000000000ull
#define TICK ((weir_duration){ SECOND })
/* So long what is refused is brought again while stopping: half of
 * service.drain_timeout, so that the exporters have the rest. */
#define STOP_PATIENCE (10 * SECOND)
#define LONGEST_WAIT (7 * 86400)	/* seconds; one list each */
#define MOST_MIB ((uint64_t)INT64_MAX >> 20)	/* as credits count */

static const struct weir_field cache_fields[] = {
	WEIR_FIELD(struct cache_config, sampled_cache_size, "0",
		   "So many ids of sampled traces are remembered; 0: none."),
	WEIR_FIELD(struct cache_config, non_sampled_cache_size, "0",
		   "So many ids of other traces are remembered; 0: none."),
	WEIR_END
};

#define SET(member) set.member
#define FIELD(key, preset, help, ...)					\
	WEIR_FIELD_AS(struct tail_sampling, #key, SET(key), preset, help,	\
		      ##__VA_ARGS__)

static const struct weir_field fields[] = {
	FIELD(decision_wait, "30s",
	      "A trace is decided that long after its first span; whole "
	      "seconds."),
	FIELD(decision_wait_after_root_received, "0s",
	      "... or that long after a root span, if that is sooner; 0: "
	      "no."),
	FIELD(num_traces, "50000",
	      "Traces that are known at a time, decided ones included; beyond "
	      "the oldest is forgotten."),
	FIELD(expected_new_traces_per_sec, "0", "A hint, without effect."),
	{ .key = "policies", .type = WEIR_TYPE_LIST,
	  .offset = offsetof(struct tail_sampling, set.policies),
	  .sub = policy_fields, .size = sizeof(struct policy_config),
	  .help = "What decides; none: nothing is sampled." },
	{ .key = "decision_cache", .type = WEIR_TYPE_BLOCK,
	  .offset = offsetof(struct tail_sampling, set.decision_cache),
	  .sub = cache_fields,
	  .help = "Ids of decided traces, for spans that come late." },
	FIELD(sample_on_first_match, "false",
	      "The first policy that samples decides."),
	FIELD(block_on_overflow, "false",
	      "At num_traces senders wait, instead of the oldest trace being "
	      "forgotten."),
	FIELD(drop_pending_traces_on_shutdown, "false",
	      "At the end undecided traces are dropped, not decided."),
	FIELD(maximum_trace_size_bytes, "0",
	      "A larger trace is not sampled; 0: no limit."),
	FIELD(sampling_strategy, "trace-complete",
	      "trace-complete: traces are decided when they are whole; "
	      "span-ingest: with each piece that comes."),
	FIELD(tail_storage, NULL, "Not supported: spans are held in memory."),
	FIELD(memory_limit_mib, "0",
	      "Memory for spans and entries, in the whole process; at the limit "
	      "the oldest trace is decided with what is there; 0: half of the "
	      "process's budget.", .flags = WEIR_OURS),
	FIELD(quiet_time, "0s",
	      "A trace with a root span is decided when nothing came for so "
	      "long; 0: no.", .flags = WEIR_OURS),
	FIELD(on_maximum_trace_size, "drop",
	      "drop: as the Collector; decide: such a trace is decided at "
	      "once, and what still comes follows.", .flags = WEIR_OURS,
	      .choices = "drop decide"),
	WEIR_END
};

/* --- Metrics ------------------------------------------------------------- */

static const double tick_bounds[] = {
	1, 2, 5, 10, 25, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000, 2000,
	3000, 4000, 5000, 10000, 20000, 30000, 50000
};
static const double age_bounds[] = {
	0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000
};

#define BOUNDS(a) .bounds = a, .n_bounds = sizeof(a) / sizeof((a)[0])
#define NAME(name) "otelcol_processor_tail_sampling_" name
#define METRIC(member, name, unit, help, ...)				\
	WEIR_METRIC(struct tail_sampling, count.member, NAME(name),	\
		    WEIR_SHOW_BASIC, unit, help, .bare = true, ##__VA_ARGS__)

enum {
	ROW_VOTES = ROW_REMOVAL_AGE + 1, ROW_EXECUTIONS, ROW_EXECUTION_TIME,
	ROW_DECISIONS, ROW_EARLY
};

const struct weir_metric_def tail_sampling_metrics[] = {
	[ROW_TICK_MS] = METRIC(tick_ms, "sampling_decision_timer_latency",
			       "ms", "How long it took to decide the traces of "
			       "a tick.", BOUNDS(tick_bounds)),
	[ROW_LATE_AGE] = METRIC(late_age, "sampling_late_span_age", "s",
				"How long after the decision spans of a "
				"trace came.", BOUNDS(age_bounds)),
	[ROW_REMOVAL_AGE] = METRIC(removal_age, "sampling_trace_removal_age",
				   "s", "How old a trace was that was "
				   "forgotten.", BOUNDS(age_bounds)),
	[ROW_VOTES] = WEIR_METRIC_SERIES(COUNTER, NAME("count_traces_sampled"),
		WEIR_SHOW_BASIC, "{traces}", "Votes of a policy.",
		.bare = true),
	[ROW_EXECUTIONS] = WEIR_METRIC_SERIES(COUNTER,
		NAME("sampling_policy_execution_count"), WEIR_SHOW_BASIC,
		"{executions}", "How often a policy was asked.", .bare = true,
		.zero = true),
	[ROW_EXECUTION_TIME] = WEIR_METRIC_SERIES(COUNTER,
		NAME("sampling_policy_execution_time_sum"), WEIR_SHOW_BASIC,
		"us", "Time spent in a policy.", .bare = true, .zero = true),
	[ROW_DECISIONS] = WEIR_METRIC_SERIES(COUNTER,
		NAME("global_count_traces_sampled"), WEIR_SHOW_BASIC,
		"{traces}", "Decided traces.", .bare = true),
	[ROW_EARLY] = WEIR_METRIC_SERIES(COUNTER,
		NAME("early_releases_from_cache_decision"), WEIR_SHOW_BASIC,
		"{spans}", "Spans whose decision was remembered.",
		.bare = true),
	METRIC(new_traces, "new_trace_id_received", "{traces}",
	       "Traces that were seen for the first time."),
	METRIC(too_early, "sampling_trace_dropped_too_early", "{traces}",
	       "Traces that were forgotten before they were decided.",
	       .zero = true),
	METRIC(too_large, "traces_dropped_too_large", "{traces}",
	       "Traces above maximum_trace_size_bytes."),
	METRIC(errors, "sampling_policy_evaluation_error", "{errors}",
	       "Policies that could not be evaluated; there is none that "
	       "could not.", .zero = true),
	METRIC(traces, "sampling_traces_on_memory", "{traces}",
	       "Traces that are known now."),
	WEIR_METRIC_END
};

static void add_series(struct tail_sampling *self, int row,
		       const struct weir_label *labels, size_t n,
		       const void *value)
{
	weir_metric_series(&self->base, &tail_sampling_metrics[row], labels, n,
			   value);
}

/* policy=..., sampled=true, decision=sampled; no policy: the last two. */
static void add_verdicts(struct tail_sampling *self, int row, weir_str policy,
			 const weir_counter *sampled,
			 const weir_counter *not_sampled,
			 const weir_counter *dropped)
{
	struct { const char *sampled, *decision; const weir_counter *at; }
	series[] = { { "true", "sampled", sampled },
		     { "false", "not_sampled", not_sampled },
		     { "false", "dropped", dropped } };

	for (size_t i = 0; i < 3; i++) {
		struct weir_label labels[3] = {
			{ WEIR_STR("policy"), policy },
			{ WEIR_STR("sampled"), weir_str_of(series[i].sampled) },
			{ WEIR_STR("decision"),
			  weir_str_of(series[i].decision) } };
		size_t skip = policy.len == 0;

		add_series(self, row, labels + skip, 3 - skip, series[i].at);
	}
}

/* As the Collector labels it: "<name of the id>.<policy>". */
static weir_str policy_label(struct tail_sampling *self, size_t i)
{
	const char *name = strchr(self->base.id, '/');
	weir_str policy = policies_name(self->policies, i);
	char *text;
	int len;

	if (!name)
		return policy;
	len = snprintf(NULL, 0, "%s.%.*s", name + 1, WEIR_STR_FMT(policy));
	text = self->labels[i] = malloc((size_t)len + 1);
	if (!text)
		abort();
	snprintf(text, (size_t)len + 1, "%s.%.*s", name + 1,
		 WEIR_STR_FMT(policy));
	return (weir_str){ text, (size_t)len };
}

static void register_series(struct tail_sampling *self)
{
	struct tallies *count = &self->count;

	for (size_t i = 0; i < policies_count(self->policies); i++) {
		struct policy_counts *counts = &self->counts[i];
		struct weir_label label = { WEIR_STR("policy"),
					    policy_label(self, i) };

		add_verdicts(self, ROW_VOTES, label.value, &counts->sampled,
			     &counts->not_sampled, &counts->dropped);
		add_series(self, ROW_EXECUTIONS, &label, 1,
			   &counts->executions);
		add_series(self, ROW_EXECUTION_TIME, &label, 1,
			   &counts->microseconds);
	}
	add_verdicts(self, ROW_DECISIONS, WEIR_STR(""), &count->sampled,
		     &count->not_sampled, &count->dropped);
	add_series(self, ROW_EARLY, &(struct weir_label){
			   WEIR_STR("sampled"), WEIR_STR("true") }, 1,
		   &count->late_sampled);
	add_series(self, ROW_EARLY, &(struct weir_label){
			   WEIR_STR("sampled"), WEIR_STR("false") }, 1,
		   &count->late_not_sampled);
}

static void measure(struct weir_component *c)
{
	struct tail_sampling *self = WEIR_SELF(c, struct tail_sampling);

	weir_gauge_set(&self->count.traces, (int64_t)self->table.n);
}

/* --- Memory -------------------------------------------------------------- */

/* What waits leaves room in the budget of the process for what leaves: else
 * nothing could. */
static uint64_t memory_limit(struct tail_sampling *self)
{
	uint64_t total = weir_budget_total(), most = total / 4 * 3;
	uint64_t limit = self->set.memory_limit_mib << 20;

	if (!limit)
		return (total < UINT64_MAX ? total : weir_memory_total()) / 2;
	if (limit <= most)
		return limit;
	weir_log_warn(&self->base, "memory_limit_mib is more than three "
		      "quarters of the memory for payloads, which are taken",
		      "memory_limit_mib=%llu used_mib=%llu",
		      (unsigned long long)self->set.memory_limit_mib,
		      (unsigned long long)(most >> 20));
	return most;
}

/* Not in start: memory_limiter, which says what the process may take, starts
 * later than this. */
static void open_store(struct tail_sampling *self)
{
	struct weir_component *c = &self->base;

	if (self->room)
		return;
	self->room = weir_credits_get(c, WEIR_SIGNAL_TRACES, "memory",
				      memory_limit(self));
	store_init(&self->store, c, self->room);
	table_init(&self->table, self->room,
		   watch_words(policies_watch(self->policies)));
}

/* --- Parts --------------------------------------------------------------- */

/* Once a part, once a tick: a trace is not worth several looks at it. */
static void look_at_clock(struct tail_sampling *self)
{
	self->now = weir_now();
	self->wall = weir_wall_now();
}

static void take_part(struct tail_sampling *self, struct weir_batch *batch)
{
	look_at_clock(self);
	ingest(self, batch);
	weir_batch_ack(batch);
}

/* Undecided traces are decided in their order, or dropped. */
static void end_all(struct tail_sampling *self)
{
	struct entry *entry;

	while ((entry = buckets_next(&self->buckets)))
		if (self->set.drop_pending_traces_on_shutdown)
			forget(self, entry, WEIR_REASON_DRAINING);
		else
			decide(self, entry);
	out_flush(self, true);
}

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	struct tail_sampling *self = WEIR_SELF(c, struct tail_sampling);

	open_store(self);
	take_part(self, batch);
	if (self->patience)		/* other workers stop later */
		end_all(self);
	else
		give_way(self);
}

static void relieve(struct weir_component *c)
{
	struct tail_sampling *self = WEIR_SELF(c, struct tail_sampling);

	look_at_clock(self);
	give_way(self);
}

static void say_needs(struct weir_component *c, struct weir_part_needs *needs)
{
	struct tail_sampling *self = WEIR_SELF(c, struct tail_sampling);

	open_store(self);
	*needs = (struct weir_part_needs){
		.room = self->room, .relieve = relieve, .count = count_places,
		.places = self->set.block_on_overflow ? self->traces : NULL };
	store_needs(&self->store, &needs->per_part, &needs->per_span);
}

/* --- Time ---------------------------------------------------------------- */

/* What decide reads of the one behind the next. */
static void fetch_ahead(const struct tail_sampling *self,
			const struct entry *entry)
{
	const struct entry *next = buckets_after(&self->buckets, entry);
	const struct entry *third;

	if (!next)
		return;
	if (next->pending->last != NO_SPAN)
		__builtin_prefetch(store_span(&self->store,
					      next->pending->last));
	third = buckets_after(&self->buckets, next);
	if (!third)
		return;
	__builtin_prefetch(third->pending, 1);
	__builtin_prefetch(buckets_after(&self->buckets, third), 1);
}

static void decide_tick(struct tail_sampling *self, uint32_t tick)
{
	struct entry *entry;

	while ((entry = buckets_first(&self->buckets, tick))) {
		fetch_ahead(self, entry);
		decide(self, entry);
	}
}

static void on_tick(struct weir_component *c, struct weir_timer *timer)
{
	struct tail_sampling *self = WEIR_SELF(c, struct tail_sampling);
	uint64_t began;

	weir_timer_set(timer, c, TICK, on_tick);
	look_at_clock(self);
	began = self->now;
	out_again(self);
	decide_tick(self, ++self->buckets.now);
	out_flush(self, true);
	give_way(self);
	weir_histogram_record(&self->count.tick_ms,
			      &tail_sampling_metrics[ROW_TICK_MS],
			      (double)((weir_now() - began) / 1000000));
}

/* Whole seconds. */
static uint64_t ticks(weir_duration d)
{
	return d.ns > 0 ? (uint64_t)d.ns / SECOND : 0;
}

static uint64_t optional_ticks(weir_duration d)
{
	return d.ns > 0 ? ticks(d) : UINT64_MAX;
}

/* --- Life ---------------------------------------------------------------- */

static int check_strategy(struct tail_sampling *self, struct weir_error *error)
{
	weir_str strategy = self->set.sampling_strategy;

	self->span_ingest = weir_str_eq(strategy, WEIR_STR("span-ingest"));
	if (self->span_ingest ||
	    weir_str_eq(strategy, WEIR_STR("trace-complete")))
		return 0;
	return weir_fail(error, "sampling_strategy",
			 "invalid sampling_strategy \"%.*s\", expected one of "
			 "\"trace-complete\" or \"span-ingest\"",
			 WEIR_STR_FMT(strategy));
}

static int check_limits(const struct settings *set, struct weir_error *error)
{
	if (ticks(set->decision_wait) > LONGEST_WAIT)
		return weir_fail(error, "decision_wait",
				 "a trace cannot wait for more than a week");
	if (set->memory_limit_mib > MOST_MIB)
		return weir_fail(error, "memory_limit_mib",
				 "more than there can be: %llu at most",
				 (unsigned long long)MOST_MIB);
	return 0;
}

static int validate(struct weir_component *c, struct weir_error *error)
{
	struct tail_sampling *self = WEIR_SELF(c, struct tail_sampling);
	struct settings *set = &self->set;

	if (check_strategy(self, error))
		return -1;
	if (weir_node_kind(set->tail_storage) != WEIR_NODE_NULL)
		return weir_fail(error, "tail_storage", "'tail_storage' "
				 "requires the \"processor.tailsampling"
				 "processor.tailstorageextension\" feature "
				 "gate to be enabled, and an extension that is "
				 "not there");
	if (check_limits(set, error))
		return -1;
	self->decide_large = weir_str_eq(set->on_maximum_trace_size,
					 WEIR_STR("decide"));
	self->wait = ticks(set->decision_wait);
	if (!self->wait)
		self->wait = 1;
	self->root_wait =
		optional_ticks(set->decision_wait_after_root_received);
	self->quiet = optional_ticks(set->quiet_time);
	self->policies = policies_new(&set->policies, self->span_ingest, error);
	return self->policies ? 0 : -1;
}

static int start(struct weir_component *c, struct weir_error *error)
{
	struct tail_sampling *self = WEIR_SELF(c, struct tail_sampling);
	size_t n = policies_count(self->policies);

	(void)error;
	self->counts = calloc(n + 1, sizeof(*self->counts));
	self->said = calloc(n + 1, sizeof(*self->said));
	self->labels = calloc(n + 1, sizeof(*self->labels));
	if (!self->counts || !self->said || !self->labels)
		abort();
	self->traces = weir_credits_get(c, WEIR_SIGNAL_TRACES, "num_traces",
					self->set.num_traces);
	cache_init(&self->sampled,
		   self->set.decision_cache.sampled_cache_size);
	cache_init(&self->rejected,
		   self->set.decision_cache.non_sampled_cache_size);
	buckets_init(&self->buckets, &self->table, (uint32_t)self->wait + 1);
	ingest_init(self);
	self->short_at = UINT64_MAX;
	register_series(self);
	weir_timer_set(&self->timer, c, TICK, on_tick);
	weir_part_reserve(c, say_needs);
	return 0;
}

static void stop(struct weir_component *c)
{
	struct tail_sampling *self = WEIR_SELF(c, struct tail_sampling);

	look_at_clock(self);
	self->patience = self->now + STOP_PATIENCE;
	end_all(self);
}

static void destroy(struct weir_component *c)
{
	struct tail_sampling *self = WEIR_SELF(c, struct tail_sampling);

	if (!c->node) {
		policies_free(&self->policies);
		return;
	}
	while (self->table.n)
		forget(self, table_oldest(&self->table),
		       WEIR_REASON_DRAINING);
	out_release(self);
	ingest_release(self);
	store_release(&self->store);
	table_release(&self->table);
	buckets_release(&self->buckets);
	cache_release(&self->sampled);
	cache_release(&self->rejected);
	for (size_t i = 0; self->labels &&
	     i < policies_count(self->policies); i++)
		free(self->labels[i]);
	free(self->labels);
	free(self->counts);
	free(self->said);
}

WEIR_PLUGIN(WEIR_PROCESSOR, "tail_sampling", "",
	.about = "Keeps or drops whole traces, by policies.",
	.signals = WEIR_TRACES,
	.stability = WEIR_STABILITY_BETA,
	.placement = WEIR_BY_TRACE,
	.custodian = true,
	.size = sizeof(struct tail_sampling),
	.fields = fields,
	.metrics = tail_sampling_metrics,
	.measure = measure,
	.validate = validate,
	.start = start,
	.consume = consume,
	.answered = out_answered,
	.stop = stop,
	.destroy = destroy,
);
