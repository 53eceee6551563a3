/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_limiter: refuses data before memory runs out.
 *
 * Asked before anything else is done with a batch.  From the soft line on
 * (limit minus spike) it says "later", so that clients keep their data; above
 * the limit core stops reading.  Each check_interval it compares the larger of
 * what payloads in flight take and what the kernel says is resident.  What the
 * Collector gains by a garbage collection we gain by giving freed memory back.
 * Holds the verdict of the last check; must never hold a batch.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <weir/kit/text.h>
#include <weir/plugin.h>

#define MIB 1048576ull

struct memory_limiter {
	struct weir_component base;
	weir_duration check_interval;			/* config */
	uint32_t limit_mib, spike_limit_mib;
	uint32_t limit_percentage, spike_limit_percentage;
	weir_duration min_gc_interval_when_soft_limited;
	weir_duration min_gc_interval_when_hard_limited;
	weir_duration max_gc_interval_when_soft_limited;
	weir_duration max_gc_interval_when_hard_limited;
	weir_counter accepted[WEIR_SIGNAL_COUNT];	/* metrics */
	weir_counter refused[WEIR_SIGNAL_COUNT];
	uint64_t soft, hard;		/* bytes */
	bool refusing;
	uint64_t trimmed;		/* weir_now() of the last time */
	struct weir_timer timer;
	struct memory_limiter *prototype;
	bool *told;			/* somebody tells; the prototype's */
	bool tells;			/* what happens, to the operator */
};

static const struct weir_field fields[] = {
	WEIR_FIELD(struct memory_limiter, check_interval, "0s",
		   "The time between two checks; must be given, 1s is good."),
	WEIR_FIELD(struct memory_limiter, limit_mib, "0",
		   "The memory the process may use, in MiB."),
	WEIR_FIELD(struct memory_limiter, spike_limit_mib, "0",
		   "Data is refused from that much below the limit on; 0: a "
		   "fifth of the limit."),
	WEIR_FIELD(struct memory_limiter, limit_percentage, "0",
		   "The limit as a share of all memory (of the cgroup); only "
		   "without limit_mib."),
	WEIR_FIELD(struct memory_limiter, spike_limit_percentage, "0",
		   "The spike as a share of all memory; only with "
		   "limit_percentage."),
	WEIR_FIELD(struct memory_limiter, min_gc_interval_when_soft_limited,
		   "10s", "Freed memory is given back no more often than that "
		   "above the soft line."),
	WEIR_FIELD(struct memory_limiter, min_gc_interval_when_hard_limited,
		   "0s", "The same above the limit."),
	WEIR_FIELD(struct memory_limiter, max_gc_interval_when_soft_limited,
		   "30s", "Checked, and without effect."),
	WEIR_FIELD(struct memory_limiter, max_gc_interval_when_hard_limited,
		   "30s", "Checked, and without effect."),
	WEIR_END
};

#define COUNT(member, signal, name, unit, help)				\
	WEIR_METRIC(struct memory_limiter, member[signal],		\
		    "otelcol_processor_memory_limiter_" name,		\
		    WEIR_SHOW_BASIC, unit, help)

static const struct weir_metric_def metrics[] = {
	COUNT(accepted, WEIR_SIGNAL_TRACES, "accepted_spans", "{span}",
	      "Spans let through."),
	COUNT(accepted, WEIR_SIGNAL_METRICS, "accepted_metric_points",
	      "{datapoint}", "Data points let through."),
	COUNT(accepted, WEIR_SIGNAL_LOGS, "accepted_log_records", "{record}",
	      "Log records let through."),
	COUNT(refused, WEIR_SIGNAL_TRACES, "refused_spans", "{span}",
	      "Spans refused for want of memory."),
	COUNT(refused, WEIR_SIGNAL_METRICS, "refused_metric_points",
	      "{datapoint}", "Data points refused for want of memory."),
	COUNT(refused, WEIR_SIGNAL_LOGS, "refused_log_records", "{record}",
	      "Log records refused for want of memory."),
	WEIR_METRIC_END
};

/* --- Configuration ------------------------------------------------------------- */

static int check_gc(const struct memory_limiter *self,
		    struct weir_error *error)
{
	int64_t min_soft = self->min_gc_interval_when_soft_limited.ns;
	int64_t min_hard = self->min_gc_interval_when_hard_limited.ns;
	int64_t max_soft = self->max_gc_interval_when_soft_limited.ns;
	int64_t max_hard = self->max_gc_interval_when_hard_limited.ns;

	if (min_soft < min_hard)
		return weir_fail(error, NULL,
			"'min_gc_interval_when_soft_limited' should be larger "
			"than 'min_gc_interval_when_hard_limited'");
	if (max_soft < 0)
		return weir_fail(error, NULL,
			"'max_gc_interval_when_soft_limited' must be "
			"non-negative");
	if (max_hard < 0)
		return weir_fail(error, NULL,
			"'max_gc_interval_when_hard_limited' must be "
			"non-negative");
	if (max_soft && max_soft < min_soft)
		return weir_fail(error, NULL,
			"'max_gc_interval_when_soft_limited' must be greater "
			"than or equal to 'min_gc_interval_when_soft_limited' "
			"(or 0 to disable)");
	if (max_hard && max_hard < min_hard)
		return weir_fail(error, NULL,
			"'max_gc_interval_when_hard_limited' must be greater "
			"than or equal to 'min_gc_interval_when_hard_limited' "
			"(or 0 to disable)");
	if (max_soft && max_hard && max_soft < max_hard)
		return weir_fail(error, NULL,
			"'max_gc_interval_when_soft_limited' should be larger "
			"than or equal to 'max_gc_interval_when_hard_limited' "
			"(when both are set)");
	return 0;
}

static int validate(struct weir_component *c, struct weir_error *error)
{
	struct memory_limiter *self = WEIR_SELF(c, struct memory_limiter);

	if (self->check_interval.ns <= 0)
		return weir_fail(error, NULL,
			"'check_interval' must be greater than zero");
	if (check_gc(self, error))
		return -1;
	if (!self->limit_mib && !self->limit_percentage)
		return weir_fail(error, NULL, "'limit_mib' or "
			"'limit_percentage' must be greater than zero");
	if (self->limit_percentage > 100 || self->spike_limit_percentage > 100)
		return weir_fail(error, NULL,
			"'limit_percentage' and 'spike_limit_percentage' must "
			"be greater than zero and less than or equal to "
			"hundred");
	if (self->limit_mib && self->limit_mib <= self->spike_limit_mib)
		return weir_fail(error, NULL,
			"'spike_limit_mib' must be smaller than 'limit_mib'");
	if (self->limit_percentage &&
	    self->limit_percentage <= self->spike_limit_percentage)
		return weir_fail(error, NULL, "'spike_limit_percentage' must "
			"be smaller than 'limit_percentage'");
	self->prototype = self;
	self->told = calloc(1, sizeof(*self->told));
	if (!self->told)
		abort();
	return 0;
}

/* One instance tells the operator and gives memory back, whatever the number
 * of workers and pipelines: the first one of worker 0. */
static void choose_teller(struct memory_limiter *self)
{
	if (self->base.worker || *self->told)
		return;
	*self->told = self->tells = true;
}

static void set_lines(struct memory_limiter *self)
{
	uint64_t total = weir_memory_total(), spike;

	if (self->limit_mib) {
		self->hard = self->limit_mib * MIB;
		spike = self->spike_limit_mib * MIB;
	} else {
		self->hard = total * self->limit_percentage / 100;
		spike = total * self->spike_limit_percentage / 100;
		if (self->tells)
			weir_log_info(&self->base,
				"Using percentage memory limiter",
				"total_memory_mib=%llu limit_percentage=%u "
				"spike_limit_percentage=%u",
				(unsigned long long)(total / MIB),
				self->limit_percentage,
				self->spike_limit_percentage);
	}
	if (!spike)
		spike = self->hard / 5;
	self->soft = self->hard - spike;
}

/* --- Checks ------------------------------------------------------------------------ */

static uint64_t used(void)
{
	uint64_t payloads = weir_budget_used(), rss = weir_process_rss();

	return payloads > rss ? payloads : rss;
}

#define MIB_OF(bytes) ((unsigned long long)((bytes) / MIB))

/* Freed memory back to the kernel, unless that was done a moment ago. */
static uint64_t trim(struct memory_limiter *self, uint64_t now_used)
{
	bool hard = now_used >= self->hard;
	weir_duration least = hard ? self->min_gc_interval_when_hard_limited
				   : self->min_gc_interval_when_soft_limited;

	if ((int64_t)(weir_now() - self->trimmed) <= least.ns)
		return now_used;
	if (hard)
		weir_log_warn(&self->base, "Memory usage is above hard limit. "
			      "Forcing a GC.", "cur_mem_mib=%llu",
			      MIB_OF(now_used));
	else
		weir_log_info(&self->base, "Memory usage is above soft limit. "
			      "Forcing a GC.", "cur_mem_mib=%llu",
			      MIB_OF(now_used));
	malloc_trim(0);
	self->trimmed = weir_now();
	now_used = used();
	weir_log_info(&self->base, "Memory usage after GC.",
		      "cur_mem_mib=%llu", MIB_OF(now_used));
	return now_used;
}

static void tell(struct memory_limiter *self, bool above, uint64_t now_used)
{
	if (above && !self->refusing)
		weir_log_warn(&self->base, "Memory usage is above soft limit. "
			      "Refusing data.", "cur_mem_mib=%llu",
			      MIB_OF(now_used));
	if (!above && self->refusing)
		weir_log_info(&self->base, "Memory usage back within limits. "
			      "Resuming normal operation.", "cur_mem_mib=%llu",
			      MIB_OF(now_used));
}

static void check(struct weir_component *c, struct weir_timer *timer)
{
	struct memory_limiter *self = WEIR_SELF(c, struct memory_limiter);
	uint64_t now_used = used();
	bool above;

	if (self->tells) {
		weir_log_debug(c, "Currently used memory.",
			       "cur_mem_mib=%llu", MIB_OF(now_used));
		if (now_used >= self->soft)
			now_used = trim(self, now_used);
	}
	above = now_used >= self->soft;
	if (self->tells)
		tell(self, above, now_used);
	self->refusing = above;
	weir_timer_set(timer, c, self->check_interval, check);
}

/* Between two checks payloads alone may cross the line: no need to wait. */
static bool admit(struct weir_component *c, const struct weir_batch *batch,
		  struct weir_outcome *refused)
{
	struct memory_limiter *self = WEIR_SELF(c, struct memory_limiter);
	enum weir_signal signal = weir_batch_signal(batch);
	bool ok = !self->refusing && weir_budget_used() < self->soft;

	weir_counter_add(&(ok ? self->accepted : self->refused)[signal],
			 weir_batch_items(batch));
	if (!ok)
		weir_outcome_set(refused, WEIR_UNAVAILABLE, WEIR_REASON_MEMORY,
				 "data refused due to high memory usage");
	return ok;
}

static int start(struct weir_component *c, struct weir_error *error)
{
	struct memory_limiter *self = WEIR_SELF(c, struct memory_limiter);
	char interval[WEIR_DURATION_TEXT];

	(void)error;
	choose_teller(self);
	set_lines(self);
	weir_budget_limit(self->soft, self->hard);
	self->trimmed = weir_now();
	if (self->tells)
		weir_log_info(c, "Memory limiter configured",
			      "limit_mib=%llu spike_limit_mib=%llu "
			      "check_interval=%s", MIB_OF(self->hard),
			      MIB_OF(self->hard - self->soft),
			      weir_duration_text(self->check_interval,
						 interval));
	weir_timer_set(&self->timer, c, self->check_interval, check);
	return 0;
}

static void stop(struct weir_component *c)
{
	weir_timer_cancel(&WEIR_SELF(c, struct memory_limiter)->timer);
}

static void destroy(struct weir_component *c)
{
	struct memory_limiter *self = WEIR_SELF(c, struct memory_limiter);

	if (self->prototype == self)
		free(self->told);
}

WEIR_PLUGIN(WEIR_PROCESSOR, "memory_limiter", "",
	.about        = "Refuses data before memory runs out.",
	.signals      = WEIR_ALL_SIGNALS,
	.stability    = WEIR_STABILITY_BETA,
	.size         = sizeof(struct memory_limiter),
	.fields       = fields,
	.metrics      = metrics,
	.counts_items = true,
	.validate     = validate,
	.admit        = admit,
	.start        = start,
	.stop         = stop,
	.destroy      = destroy,
);
