/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tail_workers.c: the tail sampler on several workers against the model,
 * one for each worker.
 *
 * The workers have no threads: which of them takes its turn, and how late, is
 * the seed's choice, so that even what depends on order is the same in both:
 * limits and num_traces of the whole process, caches of each worker.  Spans of
 * a trace come through all workers.  Where a bound is met that only the sampler
 * knows (memory, senders that wait), the verdicts hang on the trace ids alone,
 * and each span must come out as its id says, however it got there.
 */
#include "../../support/seeds.h"
#include "../../support/tail_crew.h"
#include "../../support/tail_play.h"
#include "runtime/part.h"

#define MOST 4			/* workers */
#define STEPS 60
#define IDS 15			/* traces; the first has no id */
#define PARTS 4
#ifdef __SANITIZE_ADDRESS__
#define SEEDS 100
#else
#define SEEDS SEEDS_OF(600)	/* a part */
#endif
#define TS(name) "otelcol_processor_tail_sampling_" name

static struct tail_play play;
static struct m_sampler models[MOST];
static uint64_t due[MOST];	/* when the worker ticks next */
/* What is in the mail of a worker; NULL: a resource ends. */
static struct {
	const struct m_span *spans[4 * MODEL_SPANS];
	size_t n;
} mail[MOST];
static uint32_t speaker;	/* who sends */
static bool refusing;

/* --- What stands around the sampler --------------------------------------- */

struct request {
	size_t first, last;	/* spans */
	unsigned answers;
	bool refused;
};
static struct request requests[STEPS];
static size_t n_requests;

static void answered(struct weir_component *c, struct weir_batch *batch,
		     const struct weir_outcome *outcome, void *cookie)
{
	struct request *request = cookie;

	(void)c;
	request->answers++;
	request->refused = outcome->status != WEIR_OK;
	weir_batch_ack(batch);
}

static const struct weir_plugin sender_plugin = {
	.kind = WEIR_RECEIVER, .type = "sender", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .answered = answered,
};

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	struct weir_outcome no;
	size_t n;
	const struct weir_slice *slices = weir_batch_slices(batch, &n);

	(void)c;
	if (refusing && gen_one_in(&play.gen, 2)) {
		weir_outcome_set(&no, WEIR_UNAVAILABLE, WEIR_REASON_BACKEND,
				 "by chance");
		weir_batch_nack(batch, &no);
		return;
	}
	for (size_t i = 0; i < n; i++)
		tail_play_came(&play, (weir_str){ (const char *)slices[i].ptr,
						  slices[i].len });
	weir_batch_ack(batch);
}

static const struct weir_plugin sink_plugin = {
	.kind = WEIR_EXPORTER, .type = "sink", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .consume = consume,
};

/* --- Workers that take turns ---------------------------------------------- */

static void open_crew(uint32_t n)
{
	clock_manual(1000000000u, 1700000000000000000u, play.seed + 1);
	crew_open_manual(tail_crew_plan(play.yaml.at, &sender_plugin,
					&sink_plugin), n);
	for (uint32_t i = 0; i < n; i++) {
		m_init(&models[i], &play.config, play.due);
		mail[i].n = 0;
		due[i] = 1;
	}
}

static void close_crew(void)
{
	for (uint32_t i = 0; i < n_workers; i++) {
		ck_assert_uint_eq(tail_crew_held(&workers[i]), 0);
		m_release(&models[i]);
	}
	crew_close_manual();
	tail_crew_free();
}

static void tell_model(struct m_sampler *model, const struct m_span *span)
{
	if (span)
		m_span(model, span);
	else
		m_end_resource(model);
}

/* The worker reads its mail, and ticks when it is time. */
static void take_turn(uint32_t i)
{
	for (size_t k = 0; k < mail[i].n; k++)
		tell_model(&models[i], mail[i].spans[k]);
	mail[i].n = 0;
	if (play.config.clock >= due[i]) {
		m_tick(&models[i]);
		due[i] = play.config.clock + 1;
	}
	crew_turn(i);
}

static void all_take_turns(void)
{
	for (int times = 0; times < 3; times++)
		for (uint32_t i = 0; i < n_workers; i++)
			take_turn(i);
}

/* --- Requests ------------------------------------------------------------- */

static uint32_t owner_of(const struct m_span *s)
{
	uint8_t id[16];

	trace_id_of_number(s->span.trace, id);
	return (uint32_t)(trace_hash(id) % SHARDS) % n_workers;
}

/* The sender's own part is taken at once, the others' is mail. */
static void tell(void *arg, const struct m_span *span)
{
	(void)arg;
	for (uint32_t i = 0; i < n_workers; i++) {
		if (span && owner_of(span) != i)
			continue;
		if (i == speaker)
			tell_model(&models[i], span);
		else
			mail[i].spans[mail[i].n++] = span;
	}
}

static void say_nothing(void *arg, const struct m_span *span)
{
	(void)arg;
	(void)span;
}

static struct traces *outgoing;

static void send_outgoing(struct worker *worker)
{
	tail_crew_send(worker, outgoing->out.ptr, outgoing->out.len,
		       outgoing->n, &requests[n_requests - 1]);
}

static void send_one(bool modelled)
{
	struct request *request = &requests[n_requests++];
	struct traces r = { 0 };

	speaker = gen_below(&play.gen, n_workers);
	*request = (struct request){ .first = play.n };
	tail_play_request(&play, &r, 0, IDS, modelled ? tell : say_nothing,
			  NULL);
	request->last = play.n;
	outgoing = &r;
	crew_as(speaker, send_outgoing);
	traces_free(&r);
}

static void step(bool modelled)
{
	switch (gen_below(&play.gen, 6)) {
	case 0:
		clock_advance(1000000000u);
		play.config.clock++;
		break;
	case 1:
	case 2:
		send_one(modelled);
		break;
	default:
		take_turn(gen_below(&play.gen, n_workers));
	}
}

/* --- The end -------------------------------------------------------------- */

/* All mail is delivered, and what it brings about. */
static void settle(void)
{
	bool any = true;

	for (int times = 0; any; times++) {
		any = false;
		for (uint32_t i = 0; i < n_workers; i++) {
			worker_be(&workers[i]);
			any |= worker_turn(&workers[i]);
		}
		ck_assert_int_lt(times, 1000);
	}
}

static void stop(bool modelled)
{
	refusing = false;
	all_take_turns();
	for (uint32_t i = 0; modelled && i < n_workers; i++)
		m_stop(&models[i]);
	for (uint32_t i = 0; i < n_workers; i++)
		crew_as(i, crew_stop);
	settle();
	clock_advance(1000000000u);	/* what was refused is brought again */
	settle();
	for (size_t i = 0; i < n_requests; i++)
		ck_assert_uint_eq(requests[i].answers, 1);
}

static double read_metric(const char *name)
{
	struct tail_crew_metric metric = { .name = name };

	worker_be(&workers[0]);
	weir_metrics_snapshot(tail_crew_find(&workers[0], WEIR_RECEIVER),
			      tail_crew_add_up, &metric);
	workers_settle();
	return metric.value;
}

static void compare(const char *when)
{
	const char *why = tail_play_differs(&play);

	ck_assert_msg(!why, "%u workers, seed %lu, %s: %s\n%s", n_workers,
		      (unsigned long)play.seed, when, why, play.yaml.at);
}

static void count(const char *name, size_t member)
{
	unsigned expected = 0;
	double found = read_metric(name);

	for (uint32_t i = 0; i < n_workers; i++)
		expected += *(unsigned *)(void *)((char *)&models[i].counts +
						  member);
	ck_assert_msg(found == expected, "seed %lu: %s is %g, not %u\n%s",
		      (unsigned long)play.seed, name, found, expected,
		      play.yaml.at);
}
#define COUNT(name, member) count(TS(name), offsetof(struct m_counts, member))

static void count_all(void)
{
	COUNT("new_trace_id_received", fresh);
	COUNT("sampling_trace_dropped_too_early", too_early);
	COUNT("traces_dropped_too_large", too_large);
	COUNT("sampling_late_span_age", late);
	COUNT("early_releases_from_cache_decision", early);
	COUNT("global_count_traces_sampled", decided);
	COUNT("count_traces_sampled", executions);
	COUNT("sampling_policy_execution_count", executions);
}

/* --- As the model --------------------------------------------------------- */

static void perform(uint64_t seed)
{
	tail_play_begin(&play, seed, TAIL_RATES | TAIL_EVICTS);
	n_requests = 0;
	open_crew(2 + gen_below(&play.gen, MOST - 1));
	for (int i = 0; i < STEPS; i++) {
		step(true);
		compare("on the way");
	}
	stop(true);
	compare("after the end");
	if (!play.config.drop_pending)
		count_all();
	close_crew();
}

START_TEST(several_workers_do_what_their_models_do)
{
	tail_crew_open_regex();
	for (uint64_t seed = 0; seed < SEEDS; seed++)
		perform(seed * PARTS + (uint64_t)_i);
	tail_play_release(&play);
}
END_TEST

/* --- As the ids say ------------------------------------------------------- */

static const struct {
	unsigned has;
	bool may_refuse;
} bounds[] = {
	{ TAIL_BY_ID | TAIL_BLOCKS, false },
	{ TAIL_BY_ID | TAIL_SMALL, true },
	{ TAIL_BY_ID | TAIL_BLOCKS | TAIL_SMALL, true },
};
#define N_BOUNDS (int)(sizeof(bounds) / sizeof(*bounds))

static void decide_by_id(const struct request *request)
{
	for (size_t i = request->first; i < request->last; i++) {
		struct m_view view = { .trace = play.spans[i].span.trace };

		play.due[i] = m_ask(&models[0], &view) == M_SAMPLED;
		/* Another worker may have taken its part. */
		if (request->refused && !play.came[i])
			play.due[i] = 0;
	}
}

static void perform_by_id(uint64_t seed, int row)
{
	size_t refused = 0;

	tail_play_begin(&play, seed, bounds[row].has);
	n_requests = 0;
	refusing = gen_one_in(&play.gen, 3);
	open_crew(2 + gen_below(&play.gen, MOST - 1));
	for (int i = 0; i < STEPS; i++)
		step(false);
	stop(false);
	for (size_t i = 0; i < n_requests; i++) {
		refused += requests[i].refused;
		decide_by_id(&requests[i]);
	}
	compare("after the end");
	ck_assert(!refused || bounds[row].may_refuse);
	ck_assert(read_metric(TS("sampling_trace_dropped_too_early")) == 0);
	close_crew();
}

START_TEST(at_a_bound_each_span_comes_out_as_its_id_says)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++)
		perform_by_id(seed, _i);
	tail_play_release(&play);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/tail_sampling: workers");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 240);
	tcase_add_loop_test(tests, several_workers_do_what_their_models_do, 0,
			    PARTS);
	tcase_add_loop_test(tests, at_a_bound_each_span_comes_out_as_its_id_says,
			    0, N_BOUNDS);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
