/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tail_threads.c: the tail sampler on workers with real threads, against
 * the model.
 *
 * A play goes in rounds: all workers send at the same time, then all tick.
 * Within a round the spans of a trace come by one worker, by another in the
 * next: so their order is known, however the threads run, and the model knows
 * what must have come out at the end of each round.  Of what depends on the
 * order of traces (limits) it is only known what may not happen.
 * Made for TSan.
 */
#include "../../support/seeds.h"
#include "../../support/tail_crew.h"
#include "../../support/tail_play.h"

#define WORKERS 4
#define ROUNDS 12
#define BLOCK 14		/* traces that come by one worker in a round */
#define PARTS 4
#ifdef __SANITIZE_ADDRESS__
#define SEEDS 20
#else
#define SEEDS SEEDS_OF(120)	/* a part */
#endif
#define SECOND 1000000000u

static struct tail_play play;
static struct traces requests[WORKERS];
static atomic_uint answers, refusals;

/* --- What stands around the sampler --------------------------------------- */

static void answered(struct weir_component *c, struct weir_batch *batch,
		     const struct weir_outcome *outcome, void *cookie)
{
	(void)c;
	(void)cookie;
	atomic_fetch_add(&answers, 1);
	if (outcome->status != WEIR_OK)
		atomic_fetch_add(&refusals, 1);
	weir_batch_ack(batch);
}

static const struct weir_plugin sender_plugin = {
	.kind = WEIR_RECEIVER, .type = "sender", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .answered = answered,
};

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	size_t n;
	const struct weir_slice *slices = weir_batch_slices(batch, &n);

	(void)c;
	for (size_t i = 0; i < n; i++)
		tail_play_came(&play, (weir_str){ (const char *)slices[i].ptr,
						  slices[i].len });
	weir_batch_ack(batch);
}

static const struct weir_plugin sink_plugin = {
	.kind = WEIR_EXPORTER, .type = "sink", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .consume = consume,
};

static void open_crew(const char *yaml)
{
	clock_manual(SECOND, 1700000000000000000u, play.seed + 1);
	answers = refusals = 0;
	crew_open(tail_crew_plan(yaml, &sender_plugin, &sink_plugin), WORKERS);
}

static void close_crew(unsigned sent)
{
	crew_close(false);
	tail_crew_free();
	ck_assert_uint_eq(answers, sent);
	ck_assert_uint_eq(refusals, 0);
}

static void send_request(struct worker *worker)
{
	struct traces *r = &requests[worker->number];

	tail_crew_send(worker, r->out.ptr, r->out.len, r->n, NULL);
}

static void do_nothing(struct worker *worker)
{
	(void)worker;
}

/* All send what is in requests; all parts have been taken then. */
static void send_all(void)
{
	crew_together(send_request);
	crew_together(do_nothing);
	for (int i = 0; i < WORKERS; i++)
		traces_free(&requests[i]);
}

/* --- As the model --------------------------------------------------------- */

static struct m_sampler model;

static void tell(void *arg, const struct m_span *span)
{
	(void)arg;
	if (span)
		m_span(&model, span);
	else
		m_end_resource(&model);
}

static void compare(void)
{
	const char *why = tail_play_differs(&play);

	ck_assert_msg(!why, "seed %lu: %s\n%s", (unsigned long)play.seed, why,
		      play.yaml.at);
}

static void play_round(uint64_t round)
{
	for (uint64_t i = 0; i < WORKERS; i++)
		tail_play_request(&play, &requests[i],
				  (i + round) % WORKERS * BLOCK, BLOCK, tell,
				  NULL);
	send_all();
	compare();
	play.config.clock++;
	m_tick(&model);
	crew_pass(SECOND);
	compare();
}

static void perform(uint64_t seed)
{
	tail_play_begin(&play, seed, 0);
	m_init(&model, &play.config, play.due);
	open_crew(play.yaml.at);
	for (uint64_t round = 0; round < ROUNDS; round++)
		play_round(round);
	m_stop(&model);
	crew_all(crew_stop);
	crew_together(do_nothing);
	compare();
	m_release(&model);
	close_crew(WORKERS * ROUNDS);
}

START_TEST(threads_do_what_the_model_does)
{
	tail_crew_open_regex();
	for (uint64_t seed = 0; seed < SEEDS; seed++)
		perform(seed * PARTS + (uint64_t)_i);
	tail_play_release(&play);
}
END_TEST

/* --- Limits --------------------------------------------------------------- */

static const struct {
	const char *policy;
	int64_t rate, burst;		/* spans; composite: of each second */
} limits[] = {
	{ "type: rate_limiting, rate_limiting: {spans_per_second: 5, "
	  "burst_capacity: 20}", 5, 20 },
	{ "type: rate_limiting, rate_limiting: {spans_per_second: 9}", 9, 18 },
	{ "type: and, and: {and_sub_policy: [{type: always_sample}, {type: "
	  "rate_limiting, rate_limiting: {spans_per_second: 7, "
	  "burst_capacity: 7}}]}", 7, 7 },
	{ "type: composite, composite: {max_total_spans_per_second: 16, "
	  "composite_sub_policy: [{name: a, type: always_sample}], "
	  "rate_allocation: [{policy: a, percent: 75}]}", 12, 12 },
};

/* Spans of each trace of the round, and how many of them came. */
struct tally {
	int64_t sent, came;
};

static void count_spans(size_t from, uint64_t first, struct tally *tallies)
{
	for (size_t i = from; i < play.n; i++) {
		struct tally *tally =
			&tallies[play.spans[i].span.trace - first];

		ck_assert_uint_le(play.came[i], 1);
		tally->sent++;
		tally->came += play.came[i];
	}
}

/* Tokens only go while the traces of one tick are decided: so who was refused
 * needs more than are left at the end of it. */
static int64_t check_round(int64_t tokens, const struct tally *tallies)
{
	for (int i = 0; i < BLOCK; i++) {
		ck_assert_msg(!tallies[i].came ||
			      tallies[i].came == tallies[i].sent,
			      "a trace is in pieces");
		tokens -= tallies[i].came;
	}
	ck_assert_msg(tokens >= 0, "%ld spans too many", (long)-tokens);
	for (int i = 0; i < BLOCK; i++)
		ck_assert(tallies[i].came || !tallies[i].sent ||
			  tallies[i].sent > tokens);
	return tokens;
}

static void say_nothing(void *arg, const struct m_span *span)
{
	(void)arg;
	(void)span;
}

static int64_t limit_round(uint64_t round, int64_t tokens, int row)
{
	struct tally tallies[BLOCK] = { 0 };
	uint64_t first = 1 + round * BLOCK;
	size_t from = play.n;
	int64_t more = limits[row].rate * 2;	/* two seconds a round */

	for (int i = 0; i < WORKERS; i++)
		tail_play_request(&play, &requests[i], first, BLOCK,
				  say_nothing, NULL);
	send_all();
	crew_pass(SECOND);
	crew_pass(SECOND);
	count_spans(from, first, tallies);
	if (tokens + more > limits[row].burst)
		more = limits[row].burst - tokens;
	return check_round(tokens + more, tallies);
}

static void perform_limit(uint64_t seed, int row)
{
	int64_t tokens = limits[row].burst;
	char yaml[512];

	snprintf(yaml, sizeof(yaml), "{decision_wait: 1s, policies: [{name: p, "
		 "%s}]}", limits[row].policy);
	tail_play_begin(&play, seed, TAIL_BY_ID);
	open_crew(yaml);
	for (uint64_t round = 0; round < ROUNDS; round++)
		tokens = limit_round(round, tokens, row);
	crew_all(crew_stop);
	close_crew(WORKERS * ROUNDS);
}

START_TEST(a_limit_holds_for_all_and_keeps_traces_whole)
{
	for (uint64_t seed = 0; seed < SEEDS / 2; seed++)
		perform_limit(seed, _i);
	tail_play_release(&play);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/tail_sampling: threads");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 240);
	tcase_add_loop_test(tests, threads_do_what_the_model_does, 0, PARTS);
	tcase_add_loop_test(tests, a_limit_holds_for_all_and_keeps_traces_whole,
			    0, sizeof(limits) / sizeof(*limits));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
