/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tail_room.c: the tail sampler on several workers with real threads, at
 * its limits.
 *
 * Each span is a trace of its own, so its number says how old its trace is.
 * Requests have spans for all workers, or for those of a phase: then the others
 * hold the room and have no traffic.  However the threads run: a request is in
 * whole, or not at all; nobody is refused while there is something to decide;
 * and what is decided early is what has waited longest.  Made for TSan.
 */
#include "../../support/tail_crew.h"
#include "../../support/sender.h"

#include "data/wire.h"
#include "runtime/part.h"

#define WORKERS 4
#define BATCHES 500		/* a sender */
#define SPANS 20		/* a batch, where nobody says otherwise */
#define PAD 1000
#define SPAN_LEN (28 + 3 + PAD)	/* two ids, a name */
#define NUMBERS (WORKERS * BATCHES * SPANS)
#define SIZES "decision_wait: 3600s, policies: [{name: a, type: "	\
	"always_sample}]"

static atomic_uint next;		/* number of a span */
static atomic_uint seen[NUMBERS];
static atomic_bool turned_back[NUMBERS];
static atomic_bool ending;
static atomic_uint youngest;		/* of what left early: so many came
					 * behind it */
static unsigned owners[2];		/* masks: of the first and second half
					 * of the spans */
static uint64_t patience;		/* ns, of senders; 0: any */
static unsigned spans_each = SPANS;

/* --- What is sent --------------------------------------------------------- */

/* Traces that belong to one of those workers. */
static void trace_id_of(uint32_t number, unsigned mask, uint8_t id[16])
{
	memset(id, 0, 16);
	memcpy(id + 12, &number, sizeof(number));
	while (!(mask & 1u << trace_hash(id) % SHARDS % WORKERS))
		id[0]++;
}

static uint8_t *put_span(uint8_t *out, uint64_t number)
{
	*out++ = 0x12;		/* ScopeSpans.spans = 2 */
	out = wire_put_varint(out, SPAN_LEN);
	*out++ = 0x0a;
	*out++ = 16;
	trace_id_of((uint32_t)number, owners[number >= NUMBERS / 2], out);
	out += 16;
	*out++ = 0x12;
	*out++ = 8;
	memcpy(out, &number, sizeof(number));
	out += 8;
	*out++ = 0x2a;		/* Span.name = 5 */
	out = wire_put_varint(out, PAD);
	memset(out, 'n', PAD);
	return out + PAD;
}

static struct weir_batch *make_batch(struct sender *self)
{
	uint64_t number = atomic_fetch_add(&next, spans_each);
	size_t spans = spans_each * (SPAN_LEN + 3);
	struct weir_batch *batch = batch_new(WEIR_SIGNAL_TRACES);
	struct weir_payload *payload = payload_new(spans + 16, true);
	uint8_t *out = payload->bytes;

	(void)self;
	*out++ = 0x0a;		/* request: resource_spans = 1 */
	out = wire_put_varint(out, spans + 4);
	*out++ = 0x12;		/* ResourceSpans.scope_spans = 2 */
	out = wire_put_varint(out, spans);
	for (unsigned i = 0; i < spans_each; i++)
		out = put_span(out, number + i);
	batch_add(batch, payload, payload->bytes,
		  (size_t)(out - payload->bytes), spans_each);
	payload_unref(payload);
	if (patience)
		batch->deadline = weir_now() + patience;
	return batch;
}

/* --- What comes of it ----------------------------------------------------- */

static void answered(struct weir_component *c, struct weir_batch *batch,
		     const struct weir_outcome *outcome, void *cookie)
{
	struct weir_span_cursor cursor = weir_spans(batch);

	while (outcome->status != WEIR_OK && weir_span_next(&cursor)) {
		uint64_t number;

		memcpy(&number, cursor.span.span_id.ptr, sizeof(number));
		turned_back[number] = true;
	}
	sender_answered(c, batch, outcome, cookie);
}

static const struct weir_plugin loader_plugin = {
	.kind = WEIR_RECEIVER, .type = "loader", .signals = WEIR_TRACES,
	.size = sizeof(struct sender), .answered = answered,
};

static void note_age(uint64_t number)
{
	unsigned behind = next - (unsigned)number, least = youngest;

	while (!ending && behind < least &&
	       !atomic_compare_exchange_weak(&youngest, &least, behind))
		;
}

static void sink_consume(struct weir_component *c, struct weir_batch *batch)
{
	struct weir_span_cursor cursor = weir_spans(batch);

	(void)c;
	while (weir_span_next(&cursor)) {
		uint64_t number;

		memcpy(&number, cursor.span.span_id.ptr, sizeof(number));
		atomic_fetch_add(&seen[number], 1);
		note_age(number);
	}
	weir_batch_ack(batch);
}

static const struct weir_plugin sink_plugin = {
	.kind = WEIR_EXPORTER, .type = "sink", .signals = WEIR_TRACES,
	.size = sizeof(struct weir_component), .consume = sink_consume,
};

/* --- The play ------------------------------------------------------------- */

static void do_nothing(struct worker *worker)
{
	(void)worker;
}

static void begin(const char *yaml, unsigned batches, unsigned window,
		  unsigned enough)
{
	youngest = UINT32_MAX;
	sending.make = make_batch;
	sending.batches = batches;
	sending.window = window;
	sending.enough = enough;
	sending.left = WORKERS;
	uv_sem_init(&sending.done, 0);
	crew_open(tail_crew_plan(yaml, &loader_plugin, &sink_plugin), WORKERS);
	crew_all(sender_begin);
	uv_sem_wait(&sending.done);
	ending = true;
}

/* All that are under way are answered. */
static void wait_for_answers(unsigned n)
{
	while (sending.answered < n)
		crew_together(do_nothing);
}

static void end(bool orderly)
{
	crew_close(orderly);
	uv_sem_destroy(&sending.done);
	tail_crew_free();
	ck_assert_uint_eq(sending.wrong, 0);
}

/* In whole, or not at all. */
static void check_spans(void)
{
	for (size_t i = 0; i < next; i++)
		ck_assert_msg(seen[i] == !turned_back[i], "span %zu%s came %u "
			      "times", i, turned_back[i] ? ", refused," : "",
			      seen[i]);
}

/* --- Memory --------------------------------------------------------------- */

static const struct {
	const char *yaml;
	unsigned first, second;		/* owners */
	unsigned behind;		/* spans: what left early is older */
} limits[] = {
	/* a megabyte is about as many spans */
	{ "{memory_limit_mib: 4, " SIZES "}", 15, 15, 1500 },
	{ "{memory_limit_mib: 1, " SIZES "}", 15, 15, 300 },
	{ "{memory_limit_mib: 4, " SIZES "}", 2, 1, 500 },
	{ "{memory_limit_mib: 4, " SIZES "}", 14, 1, 500 },
	{ "{memory_limit_mib: 4, " SIZES "}", 4, 15, 500 },
};

START_TEST(at_the_limit_the_oldest_of_all_workers_give_way_and_nobody_is_refused)
{
	owners[0] = limits[_i].first;
	owners[1] = limits[_i].second;
	begin(limits[_i].yaml, BATCHES, 4, 0);
	end(true);
	ck_assert_uint_eq(sending.refused, 0);
	check_spans();
	ck_assert_uint_ge(youngest, limits[_i].behind);
	ck_assert_uint_lt(youngest, NUMBERS);
}
END_TEST

START_TEST(requests_larger_than_all_the_room_are_let_in_one_by_one)
{
	owners[0] = owners[1] = 15;
	spans_each = 2000;
	begin("{memory_limit_mib: 1, " SIZES "}", 5, 3, 0);
	end(true);
	ck_assert_uint_eq(sending.refused, 0);
	check_spans();
}
END_TEST

/* --- block_on_overflow ---------------------------------------------------- */

#define BLOCKING(wait) "{decision_wait: " wait ", num_traces: 200, "	\
	"block_on_overflow: true, policies: [{name: a, type: always_sample}]}"

START_TEST(of_what_did_not_get_in_before_its_deadline_nothing_comes)
{
	owners[0] = owners[1] = 15;
	patience = 20000000;
	begin(BLOCKING("1s"), 200, 1, 0);
	end(true);
	ck_assert_uint_gt(sending.refused, 0);
	ck_assert_uint_ge(sending.acked, 2 * 200 / SPANS);
	check_spans();
}
END_TEST

/* The sampler is full, and everybody waits. */
static void fill(void)
{
	owners[0] = owners[1] = 15;
	begin(BLOCKING("3600s"), 10, 5, 200 / SPANS - 1);
}

START_TEST(who_waits_for_places_at_the_end_is_let_in_whole)
{
	fill();
	crew_all(crew_stop);
	wait_for_answers(WORKERS * 10);
	end(false);
	ck_assert_uint_eq(sending.refused, 0);
	check_spans();
}
END_TEST

START_TEST(nothing_is_left_of_who_waits_when_it_is_torn_down)
{
	fill();
	end(false);
	ck_assert_uint_lt(sending.acked * SPANS, next);
	for (size_t i = 0; i < next; i++)
		ck_assert_uint_eq(seen[i], 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/tail_sampling: room");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 240);
	tcase_add_loop_test(tests,
		at_the_limit_the_oldest_of_all_workers_give_way_and_nobody_is_refused,
		0, sizeof(limits) / sizeof(*limits));
	tcase_add_test(tests,
		requests_larger_than_all_the_room_are_let_in_one_by_one);
	tcase_add_test(tests,
		of_what_did_not_get_in_before_its_deadline_nothing_comes);
	tcase_add_loop_test(tests,
		who_waits_for_places_at_the_end_is_let_in_whole, 0, 5);
	tcase_add_loop_test(tests,
		nothing_is_left_of_who_waits_when_it_is_torn_down, 0, 5);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
