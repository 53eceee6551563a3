/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processors/tail_sampling against tail_model.h, alone on one worker: random
 * policies and limits, random traces in random order and pieces.  After each
 * request and each tick the same spans have come out, as they went in, under
 * their own scope and resource; at the end all counts are equal.
 */
#include "../../support/seeds.h"
#include "../../support/tail_play.h"
#include "ts_case.h"

#define STEPS 40
#define IDS 15			/* traces; the first has no id */
#define PARTS 8
#ifdef __SANITIZE_ADDRESS__		/* each seed opens a sampler: slow */
#define SEEDS 50
#else
#define SEEDS SEEDS_OF(400)
#endif

static struct tail_play play;
static struct m_sampler model;
static size_t n_read;			/* batches that were read back */

static void tell(void *arg, const struct m_span *span)
{
	if (span)
		m_span(arg, span);
	else
		m_end_resource(arg);
}

static void compare(const char *when)
{
	const char *why;

	for (; n_read < weir_test_passed(t); n_read++)
		tail_play_came(&play, weir_test_bytes(t, n_read));
	why = tail_play_differs(&play);
	ck_assert_msg(!why, "seed %lu, %s: %s\n%s", (unsigned long)play.seed,
		      when, why, play.yaml.at);
}

static void count(const char *name, unsigned expected)
{
	ck_assert_msg(metric(name) == expected,
		      "seed %lu: %s is %g, not %u\n%s",
		      (unsigned long)play.seed, name, metric(name), expected,
		      play.yaml.at);
}

static void count_all(const struct m_counts *c)
{
	count(TS("new_trace_id_received"), c->fresh);
	count(TS("sampling_trace_dropped_too_early"), c->too_early);
	count(TS("traces_dropped_too_large"), c->too_large);
	count(TS("sampling_late_span_age"), c->late);
	count(TS("early_releases_from_cache_decision"), c->early);
	count(TS("global_count_traces_sampled"), c->decided);
	count(TS("count_traces_sampled"), c->executions);
	count(TS("sampling_policy_execution_count"), c->executions);
}

static void step(void)
{
	struct traces r = { 0 };

	if (gen_one_in(&play.gen, 3)) {
		play.config.clock++;
		m_tick(&model);
		seconds(1);
		count(TS("sampling_traces_on_memory"), (unsigned)model.n);
		compare("after a tick");
	} else {
		tail_play_request(&play, &r, 0, IDS, tell, &model);
		send_traces(&r);
		compare("after a request");
	}
}

static void perform(uint64_t seed)
{
	tail_play_begin(&play, seed, TAIL_RATES | TAIL_EVICTS);
	m_init(&model, &play.config, play.due);
	n_read = 0;
	begin(play.yaml.at);
	for (int i = 0; i < STEPS; i++)
		step();
	count_all(&model.counts);
	m_stop(&model);
	weir_test_stop(t);
	compare("after the end");
	end();
	m_release(&model);
}

START_TEST(the_sampler_does_what_the_model_does)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++)
		perform(seed * PARTS + (uint64_t)_i);
	tail_play_release(&play);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/tail_sampling: oracle");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 240);
	tcase_add_loop_test(tests, the_sampler_does_what_the_model_does, 0,
			    PARTS);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
