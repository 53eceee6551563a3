/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h: what decides a trace (collector.md 3.7, "Policies" and "Decision
 * algorithm").
 *
 * policies_new makes of the bound list what can be evaluated.  Rates and the
 * counters of composite are shared by all workers: one atomic a policy, touched
 * once for a decided trace.  The rest is constant once made.
 */
#ifndef TAIL_SAMPLING_POLICY_H
#define TAIL_SAMPLING_POLICY_H

#include <weir/plugin.h>

#include "trace.h"
#include "watch.h"

struct policies;

/* list: of struct policy_config, as bound.  span_ingest: stateful ones are
 * refused.  NULL and a sentence, its path relative to the component
 * ("policies[2].latency"). */
struct policies *policies_new(const struct weir_list *list, bool span_ingest,
			      struct weir_error *error);
void policies_free(struct policies **policies);

size_t policies_count(const struct policies *policies);
/* What they look for in spans and resources (watch.h). */
const struct watch *policies_watch(const struct policies *policies);
/* As the user named it. */
weir_str policies_name(const struct policies *policies, size_t i);

enum policy_vote {		/* of one policy */
	VOTE_NONE,		/* not asked */
	VOTE_SAMPLED, VOTE_NOT_SAMPLED, VOTE_DROPPED
};

struct policy_said {
	enum policy_vote vote;
	uint64_t ns;		/* that it took; 0: not timed */
};

/* Asks the policies in their order of evaluation (drop first), with
 * first_match only until one samples.  said: one each, as many as
 * policies_count.  span_ingest: pending until one samples or drops.  now:
 * weir_now(), wall: weir_wall_now(), both ns, of about now.  timed: a look at
 * the clock takes longer than most policies, so not every time.  Any worker's
 * thread. */
enum verdict policies_decide(struct policies *policies,
			     const struct trace *trace, bool first_match,
			     uint64_t now, uint64_t wall, bool timed,
			     struct policy_said *said);

#endif
