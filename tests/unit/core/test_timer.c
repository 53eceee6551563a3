/* SPDX-License-Identifier: Apache-2.0 */
/* Timers of a worker under a clock that the test owns. */
#include <check.h>

#include "runtime/worker.h"

#define MS(n) ((weir_duration){ (n) * 1000000 })

static struct worker worker;
static struct weir_component c, other;

struct bell {
	struct weir_timer timer;	/* first: fire casts it back */
	unsigned rung;
	uint64_t at;
	struct bell *cancels;
	bool again;
};

static void ring(struct weir_component *component, struct weir_timer *timer)
{
	struct bell *bell = (struct bell *)(void *)timer;

	bell->rung++;
	bell->at = weir_now();
	if (bell->cancels)
		weir_timer_cancel(&bell->cancels->timer);
	if (bell->again)
		weir_timer_set(timer, component, MS(0), ring);
}

static void set_up(void)
{
	clock_manual(1000000000, 0, 1);
	workers = &worker;
	n_workers = 1;
	worker_init(&worker, 0, true);
}

static void tear_down(void)
{
	worker_release(&worker);
}

START_TEST(fires_when_its_time_has_come_and_not_before)
{
	struct bell bell = { 0 };

	weir_timer_set(&bell.timer, &c, MS(10), ring);
	clock_advance(9999999);
	ck_assert(!timers_run(&worker));
	clock_advance(1);
	ck_assert(timers_run(&worker));
	ck_assert_uint_eq(bell.rung, 1);
	ck_assert(!weir_timer_is_set(&bell.timer));
	ck_assert(!timers_run(&worker));
}
END_TEST

START_TEST(fires_never_from_inside_set)
{
	struct bell bell = { 0 };

	weir_timer_set(&bell.timer, &c, MS(0), ring);
	ck_assert_uint_eq(bell.rung, 0);
	ck_assert(timers_run(&worker));
	ck_assert_uint_eq(bell.rung, 1);
}
END_TEST

START_TEST(setting_again_moves_it)
{
	struct bell bell = { 0 };

	weir_timer_set(&bell.timer, &c, MS(1), ring);
	weir_timer_set(&bell.timer, &c, MS(50), ring);
	clock_advance(49000000);
	ck_assert(!timers_run(&worker));
	weir_timer_set(&bell.timer, &c, MS(1), ring);
	clock_advance(1000000);
	ck_assert(timers_run(&worker));
	ck_assert_uint_eq(bell.rung, 1);
}
END_TEST

START_TEST(a_cancelled_one_is_silent_also_when_due_in_the_same_run)
{
	struct bell second = { 0 };
	struct bell first = { .cancels = &second };

	weir_timer_set(&first.timer, &c, MS(1), ring);
	weir_timer_set(&second.timer, &c, MS(2), ring);
	clock_advance(5000000);
	timers_run(&worker);
	ck_assert_uint_eq(first.rung, 1);
	ck_assert_uint_eq(second.rung, 0);
	weir_timer_cancel(&second.timer);
}
END_TEST

START_TEST(one_that_sets_itself_at_once_leaves_the_loop_its_turn)
{
	struct bell bell = { .again = true };

	weir_timer_set(&bell.timer, &c, MS(0), ring);
	ck_assert(timers_run(&worker));
	ck_assert_uint_eq(bell.rung, 1);
	ck_assert(timers_run(&worker));
	ck_assert_uint_eq(bell.rung, 2);
	weir_timer_cancel(&bell.timer);
}
END_TEST

START_TEST(forgetting_a_component_leaves_the_others_timers)
{
	static struct bell mine[100], theirs[100];

	for (int i = 0; i < 100; i++) {
		weir_timer_set(&mine[i].timer, &c, MS(100 - i), ring);
		weir_timer_set(&theirs[i].timer, &other, MS(i), ring);
	}
	timers_forget(&c);
	clock_advance(1000000000);
	while (timers_run(&worker))
		;
	for (int i = 0; i < 100; i++) {
		ck_assert_uint_eq(mine[i].rung, 0);
		ck_assert(!weir_timer_is_set(&mine[i].timer));
		ck_assert_uint_eq(theirs[i].rung, 1);
	}
}
END_TEST

START_TEST(a_thousand_fire_in_order_whatever_was_moved_or_cancelled)
{
	static struct bell bells[1000];
	uint64_t last = 0;
	unsigned rung = 0;

	for (int i = 0; i < 1000; i++)
		weir_timer_set(&bells[i].timer, &c,
			       MS((int64_t)(weir_random() % 500)), ring);
	for (int i = 0; i < 1000; i += 3)
		weir_timer_set(&bells[i].timer, &c,
			       MS((int64_t)(weir_random() % 500)), ring);
	for (int i = 1; i < 1000; i += 3)
		weir_timer_cancel(&bells[i].timer);
	for (int ms = 0; ms < 500; ms++) {
		timers_run(&worker);
		clock_advance(1000000);
	}
	for (int i = 0; i < 1000; i++) {
		ck_assert_uint_eq(bells[i].rung, i % 3 == 1 ? 0 : 1);
		rung += bells[i].rung;
		if (bells[i].at > last)
			last = bells[i].at;
	}
	ck_assert_uint_eq(rung, 667);
	ck_assert_uint_le(last, weir_now());
}
END_TEST

/* --- work ----------------------------------------------------------------- */

static void twice(void *arg)
{
	*(int *)arg *= 2;
}

static bool told;

static void plus_one(struct weir_component *component, void *arg)
{
	ck_assert_ptr_eq(component, &c);
	*(int *)arg += 1;
	told = true;
}

START_TEST(work_is_done_there_and_told_here)
{
	int n = 20;

	ck_assert_int_eq(weir_work(&c, twice, plus_one, &n), 0);
	while (!told)	/* n is the thread's until then */
		uv_run(&worker.loop, UV_RUN_ONCE);
	ck_assert_int_eq(n, 41);
}
END_TEST

START_TEST(finishing_runs_every_out_once_before_it_returns)
{
	static int n[64];

	for (int i = 0; i < 64; i++) {
		n[i] = i;
		ck_assert_int_eq(weir_work(&c, twice, plus_one, &n[i]), 0);
	}
	work_finish(&c);
	for (int i = 0; i < 64; i++)
		ck_assert_int_eq(n[i], 2 * i + 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timer");
	TCase *tc = tcase_create("timer");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, fires_when_its_time_has_come_and_not_before);
	tcase_add_test(tc, fires_never_from_inside_set);
	tcase_add_test(tc, setting_again_moves_it);
	tcase_add_test(tc,
		a_cancelled_one_is_silent_also_when_due_in_the_same_run);
	tcase_add_test(tc,
		one_that_sets_itself_at_once_leaves_the_loop_its_turn);
	tcase_add_test(tc, forgetting_a_component_leaves_the_others_timers);
	tcase_add_test(tc,
		a_thousand_fire_in_order_whatever_was_moved_or_cancelled);
	tcase_add_test(tc, work_is_done_there_and_told_here);
	tcase_add_test(tc,
		finishing_runs_every_out_once_before_it_returns);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
