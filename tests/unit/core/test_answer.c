/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_answer.c: every batch ends once, and everybody who waits is told once,
 * in a later turn, with the right outcome.
 */
#include "../../support/stage.h"

#define TRACES WEIR_SIGNAL_TRACES

static struct fake source, middle, keeper, other;
static const struct weir_outcome ok, partial = { .rejected = 3 },
	passing = { .status = WEIR_UNAVAILABLE, .reason = WEIR_REASON_BACKEND,
		    .text = "later" },
	final = { .status = WEIR_INVALID_ARGUMENT,
		  .reason = WEIR_REASON_BACKEND, .text = "never" };

static void open_line(const char *processors, const char *exporters)
{
	stage_open();
	source.id = "source";
	middle.id = "middle";
	keeper.id = "keeper";
	other.id = "other";
	stage_add(WEIR_RECEIVER, &source);
	stage_add(WEIR_PROCESSOR, &middle);
	stage_add(WEIR_EXPORTER, &keeper);
	stage_add(WEIR_EXPORTER, &other);
	stage_pipeline("traces", TRACES, "source", processors, exporters);
	ck_assert_int_eq(stage_start(&(struct weir_error){ 0 }), 0);
}

static void close_line(void)
{
	stage_stop(true);
	ck_assert_uint_eq(source.node->tracked, 0);
	stage_close();
}

/* --- One batch ----------------------------------------------------------- */

static const struct {
	const struct weir_outcome *ended;
	uint64_t accepted, refused;
} ends[] = {
	{ &ok, 7, 0 }, { &partial, 7, 0 }, { &passing, 0, 7 }, { &final, 0, 7 },
};

START_TEST(tells_the_sender_how_it_ended)
{
	const struct weir_outcome *ended = ends[_i].ended;
	struct stage_answer *answer;

	keeper.does = FAKE_HOLDS;
	open_line("", "keeper");
	answer = stage_send(&source, 7);
	ck_assert_uint_eq(answer->times, 0);
	stage_end(&keeper, ended);
	ck_assert_uint_eq(answer->times, 1);
	ck_assert_int_eq(answer->outcome.status, ended->status);
	ck_assert_int_eq(answer->outcome.reason, ended->reason);
	ck_assert_uint_eq(answer->outcome.rejected, ended->rejected);
	ck_assert_str_eq(answer->outcome.text, ended->text);
	ck_assert_uint_eq(source.node->transports[0].of[TRACES].accepted,
			  ends[_i].accepted);
	ck_assert_uint_eq(source.node->transports[0].of[TRACES].refused,
			  ends[_i].refused);
	close_line();
}
END_TEST

START_TEST(tells_those_who_track_from_the_end_of_the_pipeline_up)
{
	struct stage_answer *answer;

	middle.does = FAKE_TRACKS;
	keeper.does = FAKE_HOLDS;
	open_line("middle", "keeper");
	answer = stage_forward(&source, stage_batch(1));
	worker_enter(&stage.workers[0]);
	weir_batch_nack(weir_batch_shift(&keeper.held), &passing);
	ck_assert_uint_eq(middle.answered, 0);	/* not inside this call */
	batch_tell(&stage.workers[0]);
	ck_assert_uint_eq(middle.answered, 1);
	ck_assert_uint_eq(answer->times, 0);	/* the sender comes after it */
	worker_leave(&stage.workers[0]);
	ck_assert_uint_eq(answer->times, 1);
	ck_assert_int_eq(answer->outcome.status, WEIR_UNAVAILABLE);
	close_line();
}
END_TEST

/* --- Custody ------------------------------------------------------------- */

START_TEST(a_custodian_keeps_the_content_and_the_sender_hears_ok)
{
	struct stage_answer *answer;
	struct weir_batch *kept;

	keeper.does = FAKE_ACCEPTS;
	keeper.room = 10;
	keeper.sizer = WEIR_SIZER_ITEMS;
	open_line("", "keeper");
	answer = stage_forward(&source, stage_batch(7));
	ck_assert_uint_eq(answer->times, 1);
	ck_assert_int_eq(answer->outcome.status, WEIR_OK);
	kept = keeper.held.head;
	ck_assert_uint_eq(weir_batch_items(kept), 7);
	ck_assert_int_eq(weir_batch_slices(kept, &(size_t){ 0 })->ptr[0], 'x');
	ck_assert_uint_eq(weir_credits_used(keeper.credits), 7);
	ck_assert_uint_eq(keeper.node->held, 1);
	stage_end(&keeper, &final);
	ck_assert_uint_eq(weir_credits_used(keeper.credits), 0);
	ck_assert_uint_eq(answer->times, 1);
	close_line();
}
END_TEST

START_TEST(room_is_given_back_when_a_batch_ends_without_custody)
{
	keeper.does = FAKE_HOLDS;
	keeper.room = 10;
	keeper.sizer = WEIR_SIZER_ITEMS;
	open_line("", "keeper");
	stage_send(&source, 7);
	ck_assert_uint_eq(weir_credits_used(keeper.credits), 7);
	stage_end(&keeper, &passing);
	ck_assert_uint_eq(weir_credits_used(keeper.credits), 0);
	close_line();
}
END_TEST

/* --- Merging ------------------------------------------------------------- */

static struct weir_batch *merge_held(struct fake *fake)
{
	struct weir_batch *into = weir_batch_shift(&fake->held), *next;

	while ((next = weir_batch_shift(&fake->held))) {
		weir_batch_merge(into, &next);
		ck_assert_ptr_null(next);
	}
	return into;
}

static const struct {
	enum fake_does does;
	uint64_t room;
	unsigned n;		/* deep enough to overrun a worker's stack, were
				 * they told by recursion */
} merges[] = {
	{ FAKE_HOLDS, 0, 3 }, { FAKE_HOLDS, 5000, 3 }, { FAKE_ACCEPTS, 5000, 3 },
	{ FAKE_HOLDS, 5000, 4000 },
};

START_TEST(a_merged_batch_answers_all_its_senders)
{
	unsigned n = merges[_i].n;
	struct weir_batch *all;

	keeper.does = merges[_i].does;
	keeper.room = merges[_i].room;
	open_line("", "keeper");
	for (unsigned i = 0; i < n; i++)
		stage_send(&source, 2);
	all = merge_held(&keeper);
	ck_assert_uint_eq(weir_batch_items(all), 2 * n);
	ck_assert_uint_eq(keeper.node->held, 1);
	weir_batch_push(&keeper.held, all);
	if (keeper.room)
		ck_assert_uint_eq(weir_credits_used(keeper.credits), n);
	stage_end(&keeper, &passing);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_uint_eq(stage.answers[i].times, 1);
		ck_assert_int_eq(stage.answers[i].outcome.status,
				 keeper.does == FAKE_HOLDS ? WEIR_UNAVAILABLE
							   : WEIR_OK);
	}
	if (keeper.room)
		ck_assert_uint_eq(weir_credits_used(keeper.credits), 0);
	close_line();
}
END_TEST

static struct weir_batch *with_context(const char *peer, const char *key,
				       const char *value)
{
	struct weir_batch *batch = stage_batch(1);
	struct weir_context *context = peer ?
		weir_context_new(NULL, weir_str_of(peer)) : NULL;

	if (key)
		weir_context_add(context, WEIR_STR("tenant"),
				 weir_str_of(key));
	if (value)
		weir_context_add(context, WEIR_STR("other"),
				 weir_str_of(value));
	batch_set_context(batch, context);
	weir_context_free(&context);
	return batch;
}

static const struct {
	const char *why;
	const char *a[3], *b[3];	/* peer, tenant, other */
	const char *both[3];		/* NULL: gone */
} contexts[] = {
	{ "the same is kept", { "p", "t", "o" }, { "p", "t", "o" },
	  { "p", "t", "o" } },
	{ "what it is gathered by is kept", { "p", "t", "o" },
	  { "q", "t", "u" }, { "", "t", NULL } },
	{ "two clients are none", { "p", "t", NULL }, { "q", "u", NULL },
	  { "", NULL, NULL } },
	{ "one that said nothing", { "p", "t", NULL }, { NULL, NULL, NULL },
	  { "", NULL, NULL } },
	{ "one that said nothing first", { NULL, NULL, NULL },
	  { "p", "t", NULL }, { "", NULL, NULL } },
};

static void check_fact(const struct weir_context *context, const char *name,
		       const char *value)
{
	weir_str found = { "", 0 };
	bool is = weir_context_metadata(context, weir_str_of(name), 0, &found);

	ck_assert_msg(is == (value != NULL), "%s", name);
	if (value)
		ck_assert_msg(weir_str_eq(found, weir_str_of(value)), "%s",
			      name);
}

START_TEST(a_merged_batch_keeps_of_the_clients_what_all_said)
{
	const char *const *a = contexts[_i].a, *const *b = contexts[_i].b;
	const struct weir_context *both;
	struct weir_batch *into, *from;

	open_line("", "keeper");
	into = with_context(a[0], a[1], a[2]);
	from = with_context(b[0], b[1], b[2]);
	weir_batch_merge(into, &from);
	both = weir_batch_context(into);
	ck_assert_msg(weir_str_eq(weir_context_peer(both),
				  weir_str_of(contexts[_i].both[0])),
		      "%s", contexts[_i].why);
	check_fact(both, "tenant", contexts[_i].both[1]);
	check_fact(both, "other", contexts[_i].both[2]);
	batch_end(into, NULL);
	close_line();
}
END_TEST

/* --- Splitting ----------------------------------------------------------- */

/* Cuts the first slice off, as weir_batch_split does with real ones. */
static struct weir_batch *cut(struct weir_batch *batch)
{
	struct weir_batch *part = batch_new_like(batch);

	batch_add(part, batch->pieces[0].payload, batch->slices[0].ptr,
		  batch->slices[0].len, batch->pieces[0].items);
	batch_replace(batch, 0, NULL, NULL, 0, 0);
	node_hold(batch->holder, part);
	batch_share_answer(batch, part);
	return part;
}

static const struct {
	const struct weir_outcome *part, *rest, *answer;
} splits[] = {
	{ &ok, &ok, &ok }, { &ok, &passing, &passing },
	{ &final, &ok, &final }, { &passing, &final, &final },
	{ &final, &passing, &final }, { &partial, &ok, &partial },
	{ &partial, &passing, &passing },
};

START_TEST(a_split_batch_is_answered_by_the_worse_part)
{
	struct stage_answer *answer;
	struct weir_batch *batch, *more = stage_batch(6);

	keeper.does = FAKE_HOLDS;
	keeper.room = 10;
	keeper.sizer = WEIR_SIZER_ITEMS;
	open_line("", "keeper");
	batch = stage_batch(4);
	weir_batch_merge(batch, &more);
	answer = stage_forward(&source, batch);
	batch = weir_batch_shift(&keeper.held);
	weir_batch_push(&keeper.held, cut(batch));
	weir_batch_push(&keeper.held, batch);
	ck_assert_uint_eq(keeper.node->held, 2);
	stage_end(&keeper, splits[_i].part);
	ck_assert_uint_eq(answer->times, 0);
	ck_assert_uint_eq(weir_credits_used(keeper.credits), 6);
	stage_end(&keeper, splits[_i].rest);
	ck_assert_uint_eq(answer->times, 1);
	ck_assert_int_eq(answer->outcome.status, splits[_i].answer->status);
	ck_assert_uint_eq(answer->outcome.rejected,
			  splits[_i].answer->rejected);
	ck_assert_uint_eq(weir_credits_used(keeper.credits), 0);
	close_line();
}
END_TEST

/* The first n items, in slices that only look like they hold them. */
static struct weir_batch *cut_items(struct weir_batch *batch, uint32_t n)
{
	struct weir_batch *part = batch_new_like(batch);

	while (n) {
		struct piece piece = batch->pieces[0];
		struct weir_slice slice = batch->slices[0];
		uint32_t take = n < piece.items ? n : piece.items;

		batch_add(part, piece.payload, slice.ptr, slice.len, take);
		n -= take;
		if (take < piece.items)
			payload_ref(piece.payload);
		batch_replace(batch, 0, piece.payload, slice.ptr,
			      take < piece.items ? slice.len : 0,
			      piece.items - take);
	}
	node_hold(batch->holder, part);
	batch_share_answer(batch, part);
	return part;
}

/* Three senders, two items each, merged and cut in three. */
static const struct {
	uint32_t first, second;		/* cut off; the rest is the third */
	const char *told[3];		/* after each, "abc" */
} cuts[] = {
	{ 2, 2, { "a", "ab", "abc" } }, { 1, 1, { "", "a", "abc" } },
	{ 1, 3, { "", "ab", "abc" } }, { 3, 1, { "a", "ab", "abc" } },
	{ 3, 2, { "a", "ab", "abc" } }, { 5, 0, { "ab", "ab", "abc" } },
	{ 4, 1, { "ab", "ab", "abc" } }, { 1, 4, { "", "ab", "abc" } },
};

static int row;

static void check_told(const char *told)
{
	for (unsigned i = 0; i < 3; i++)
		ck_assert_msg(stage.answers[i].times ==
			      (strchr(told, 'a' + (int)i) != NULL),
			      "row %u+%u: %c, told %s", cuts[row].first,
			      cuts[row].second, 'a' + i, told);
}

START_TEST(who_sent_what_is_in_one_part_is_told_when_that_ends)
{
	struct weir_batch *batch, *first, *second = NULL;

	row = _i;
	keeper.does = FAKE_HOLDS;
	keeper.room = 10;
	keeper.sizer = WEIR_SIZER_ITEMS;
	open_line("", "keeper");
	for (int i = 0; i < 3; i++)
		stage_send(&source, 2);
	batch = merge_held(&keeper);
	first = cut_items(batch, cuts[_i].first);
	if (cuts[_i].second)
		second = cut_items(batch, cuts[_i].second);
	weir_batch_push(&keeper.held, first);
	stage_end(&keeper, &ok);
	check_told(cuts[_i].told[0]);
	if (second) {
		weir_batch_push(&keeper.held, second);
		stage_end(&keeper, &passing);
	}
	check_told(cuts[_i].told[1]);
	weir_batch_push(&keeper.held, batch);
	stage_end(&keeper, &ok);
	check_told(cuts[_i].told[2]);
	ck_assert_uint_eq(weir_credits_used(keeper.credits), 0);
	close_line();
}
END_TEST

/* What the batch processor does under load: there is always a rest, merged with
 * what comes next.  Room must come back with each part. */
START_TEST(room_comes_back_part_by_part_although_a_rest_stays)
{
	struct weir_batch *filling = NULL, *part;

	keeper.does = FAKE_ACCEPTS;
	keeper.room = 20;
	keeper.sizer = WEIR_SIZER_ITEMS;
	open_line("", "keeper");
	for (int i = 0; i < 50; i++) {
		struct stage_answer *answer = stage_send(&source, 5);
		struct weir_batch *next = weir_batch_shift(&keeper.held);

		ck_assert_int_eq(answer->outcome.status, WEIR_OK);
		if (!filling) {
			filling = next;
			continue;
		}
		weir_batch_merge(filling, &next);
		part = cut(filling);
		batch_end(part, NULL);
		ck_assert_uint_eq(weir_credits_used(keeper.credits), 5);
	}
	batch_end(filling, NULL);
	ck_assert_uint_eq(weir_credits_used(keeper.credits), 0);
	close_line();
}
END_TEST

/* --- Fans ---------------------------------------------------------------- */

static const struct {
	const struct weir_outcome *first, *second, *answer;
} fans[] = {
	{ &ok, &ok, &ok }, { &ok, &final, &ok }, { &passing, &ok, &ok },
	{ &passing, &final, &final }, { &final, &passing, &final },
	{ &partial, &final, &ok },
};

START_TEST(a_fan_is_ok_when_one_branch_is_else_the_worst)
{
	struct stage_answer *answer;

	keeper.does = FAKE_HOLDS;
	other.does = FAKE_HOLDS;
	open_line("", "keeper other");
	answer = stage_send(&source, 2);
	ck_assert_uint_eq(source.node->held, 0);
	ck_assert_uint_eq(keeper.node->held + other.node->held, 2);
	stage_end(&other, fans[_i].second);
	ck_assert_uint_eq(answer->times, 0);
	stage_end(&keeper, fans[_i].first);
	ck_assert_uint_eq(answer->times, 1);
	ck_assert_int_eq(answer->outcome.status, fans[_i].answer->status);
	close_line();
}
END_TEST

/* --- Shutdown ------------------------------------------------------------ */

START_TEST(what_is_held_at_the_end_is_answered_by_destroy)
{
	struct stage_answer *answer;

	middle.does = FAKE_KEEPS;
	keeper.does = FAKE_HOLDS;
	open_line("middle", "keeper");
	answer = stage_send(&source, 2);
	ck_assert_uint_eq(answer->times, 1);
	ck_assert(!graph_idle(stage.workers[0].graph, 1));	/* it comes back */
	stage_close();
	ck_assert_uint_eq(middle.answered, 0);	/* it is gone by then */
	ck_assert_uint_eq(keeper.destroyed, 1);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void)
{
	const struct stage_test tests[] = {
		{ tells_the_sender_how_it_ended, ROWS(ends) },
		{ tells_those_who_track_from_the_end_of_the_pipeline_up, 0 },
		{ a_custodian_keeps_the_content_and_the_sender_hears_ok, 0 },
		{ room_is_given_back_when_a_batch_ends_without_custody, 0 },
		{ a_merged_batch_answers_all_its_senders, ROWS(merges) },
		{ a_merged_batch_keeps_of_the_clients_what_all_said,
		  ROWS(contexts) },
		{ a_split_batch_is_answered_by_the_worse_part, ROWS(splits) },
		{ who_sent_what_is_in_one_part_is_told_when_that_ends,
		  ROWS(cuts) },
		{ room_comes_back_part_by_part_although_a_rest_stays, 0 },
		{ a_fan_is_ok_when_one_branch_is_else_the_worst, ROWS(fans) },
		{ what_is_held_at_the_end_is_answered_by_destroy, 0 },
	};

	return stage_main("core/answer", tests, ROWS(tests));
}
