/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_credits.c: pools of the process: nothing is lost, nobody overtakes, and
 * nobody waits for ever.  The last tests run on threads; made for TSan.
 */
#include "../../support/stage.h"

#include <stdatomic.h>

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static struct fake source, sink;
static struct weir_credits *pool;

static void open_pool(uint64_t total)
{
	stage_open();
	source.id = "source";
	sink.id = "sink";
	stage_add(WEIR_RECEIVER, &source);
	stage_add(WEIR_EXPORTER, &sink);
	stage_pipeline("traces", WEIR_SIGNAL_TRACES, "source", "", "sink");
	ck_assert_int_eq(stage_start(&(struct weir_error){ 0 }), 0);
	pool = weir_credits_get(sink.c, WEIR_SIGNAL_TRACES, "test", total);
}

static void close_pool(uint64_t used)
{
	ck_assert_uint_eq(weir_credits_used(pool), used);
	stage_close();
}

/* --- Taking and giving --------------------------------------------------- */

START_TEST(takes_all_or_nothing)
{
	open_pool(10);
	ck_assert_uint_eq(weir_credits_total(pool), 10);
	ck_assert(weir_credits_take(pool, 7));
	ck_assert(!weir_credits_take(pool, 4));
	ck_assert_uint_eq(weir_credits_used(pool), 7);
	ck_assert(weir_credits_take(pool, 3));
	ck_assert(!weir_credits_take(pool, 1));
	ck_assert(weir_credits_take(pool, 0));
	weir_credits_give(pool, 10);
	close_pool(0);
}
END_TEST

START_TEST(force_goes_below_zero_and_is_paid_back_first)
{
	open_pool(10);
	weir_credits_force(pool, 15);
	ck_assert_uint_eq(weir_credits_used(pool), 15);
	weir_credits_give(pool, 5);
	ck_assert(!weir_credits_take(pool, 1));
	weir_credits_give(pool, 1);
	ck_assert(weir_credits_take(pool, 1));
	close_pool(10);
}
END_TEST

START_TEST(a_pool_is_found_by_component_signal_and_name)
{
	open_pool(10);
	ck_assert_ptr_eq(pool, weir_credits_get(sink.c, WEIR_SIGNAL_TRACES,
						"test", 99));
	ck_assert_uint_eq(weir_credits_total(pool), 10);
	ck_assert_ptr_ne(pool, weir_credits_get(sink.c, WEIR_SIGNAL_LOGS,
						"test", 1));
	ck_assert_ptr_ne(pool, weir_credits_get(sink.c, WEIR_SIGNAL_TRACES,
						"toast", 1));
	ck_assert_ptr_ne(pool, weir_credits_get(source.c, WEIR_SIGNAL_TRACES,
						"test", 1));
	close_pool(0);
}
END_TEST

START_TEST(no_total_is_too_large)
{
	open_pool(UINT64_MAX);
	ck_assert(weir_credits_take(pool, INT64_MAX));
	ck_assert(!weir_credits_take(pool, 1));
	weir_credits_give(pool, INT64_MAX);
	close_pool(0);
}
END_TEST

/* --- Waiting ------------------------------------------------------------- */

struct waiting {
	struct weir_credits_wait wait;
	char name;
};

static char served[16];

static void granted(struct weir_component *c, struct weir_credits_wait *wait)
{
	struct waiting *w = (struct waiting *)(void *)wait;

	ck_assert_ptr_eq(c, sink.c);
	ck_assert_ptr_null(wait->ticket);
	strncat(served, &w->name, 1);
}

static void wait_for(struct waiting *w, char name, uint64_t n)
{
	w->name = name;
	w->wait.granted = granted;
	weir_credits_wait(&w->wait, sink.c, pool, n);
}

START_TEST(first_come_first_served_also_when_less_would_do)
{
	struct waiting big = { 0 }, small = { 0 };

	open_pool(10);
	weir_credits_force(pool, 9);
	wait_for(&big, 'b', 5);
	wait_for(&small, 's', 1);
	ck_assert(!weir_credits_take(pool, 1));	/* one is free; they wait */
	stage_run();
	ck_assert_str_eq(served, "");
	weir_credits_give(pool, 4);
	ck_assert_str_eq(served, "");		/* in a later turn */
	stage_run();
	ck_assert_str_eq(served, "b");
	weir_credits_give(pool, 1);
	stage_run();
	ck_assert_str_eq(served, "bs");
	weir_credits_give(pool, 10);
	close_pool(0);
}
END_TEST

START_TEST(a_wait_finds_what_was_given_before_it)
{
	struct waiting w = { 0 };

	open_pool(10);
	wait_for(&w, 'w', 10);
	stage_run();
	ck_assert_str_eq(served, "w");
	weir_credits_give(pool, 10);
	close_pool(0);
}
END_TEST

static const struct {
	const char *why;
	int cancel;
	uint64_t give;
	const char *served;
} cancels[] = {
	{ "the head: the next one wants less", 0, 0, "bc" },
	{ "the middle", 1, 3, "ac" },
	{ "the end", 2, 4, "ab" },
	{ "none", -1, 5, "abc" },
};

START_TEST(who_cancels_leaves_the_line)
{
	struct waiting w[3] = { { .name = 0 } };

	open_pool(10);
	weir_credits_force(pool, 8);
	wait_for(&w[0], 'a', 4);
	wait_for(&w[1], 'b', 1);
	wait_for(&w[2], 'c', 1);
	if (cancels[_i].cancel >= 0)
		weir_credits_cancel(&w[cancels[_i].cancel].wait);
	weir_credits_give(pool, cancels[_i].give);
	stage_run();
	ck_assert_msg(!strcmp(served, cancels[_i].served), "%s: %s",
		      cancels[_i].why, served);
	for (int i = 0; i < 3; i++)
		weir_credits_cancel(&w[i].wait);	/* not waiting: nothing */
	/* the line works on */
	weir_credits_force(pool, 20);
	wait_for(&w[0], 'x', 1);
	weir_credits_give(pool, 30);
	stage_run();
	ck_assert_int_eq(served[strlen(served) - 1], 'x');
	stage_close();
}
END_TEST

START_TEST(who_cancels_after_the_grant_gives_it_back)
{
	struct waiting w = { 0 }, next = { 0 };

	open_pool(10);
	weir_credits_force(pool, 10);
	wait_for(&w, 'w', 8);
	wait_for(&next, 'n', 8);
	weir_credits_give(pool, 10);	/* granted; it is in the mail */
	weir_credits_cancel(&w.wait);
	stage_run();
	ck_assert_str_eq(served, "n");
	weir_credits_give(pool, 8);
	close_pool(0);
}
END_TEST

/* --- Threads ------------------------------------------------------------- */

#define THREADS 4
#define ROUNDS 3000
#define TOTAL 7

/* Each worker plays one player: takes, waits, cancels and gives at random. */
struct player {
	struct mail mail;
	struct worker *worker;
	struct weir_component base;
	struct weir_credits_wait wait;
	uint64_t wants, has;
	unsigned rounds, grants;
};

static atomic_uint playing, begun;
static atomic_int_least64_t held;	/* by all players */
static uv_sem_t all_done;

static void got(struct player *p, uint64_t n)
{
	if (atomic_fetch_add(&held, (int64_t)n) + (int64_t)n > TOTAL)
		abort();	/* more than there is */
	p->has += n;
}

static void give_all(struct player *p)
{
	uint64_t n = p->has;

	p->has = 0;
	atomic_fetch_sub(&held, (int64_t)n);
	weir_credits_give(pool, n);
}

static void play(struct mail *mail)
{
	struct player *p = (struct player *)mail;

	/* a thread that comes late must find somebody to wait for */
	if (p->rounds++ == 0)
		atomic_fetch_add(&begun, 1);
	if (atomic_load(&begun) < THREADS)
		p->rounds = 1;
	if (p->rounds > ROUNDS) {
		give_all(p);
		if (atomic_fetch_sub(&playing, 1) == 1)
			uv_sem_post(&all_done);
		return;
	}
	if (p->has) {
		if (weir_random() % 4 == 0)
			give_all(p);
	} else {
		p->wants = 1 + weir_random() % TOTAL;
		if (weir_credits_take(pool, p->wants)) {
			got(p, p->wants);
		} else {
			weir_credits_wait(&p->wait, &p->base, pool, p->wants);
			if (weir_random() % 4)
				return;	/* goes on when it is served */
			weir_credits_cancel(&p->wait);
		}
	}
	worker_post(p->worker, &p->mail);
}

static void player_granted(struct weir_component *c,
			   struct weir_credits_wait *wait)
{
	struct player *p = (struct player *)(void *)
		((char *)wait - offsetof(struct player, wait));

	if (c != &p->base || worker_current() != p->worker || p->wait.ticket)
		abort();
	p->grants++;
	got(p, p->wants);
	worker_post(p->worker, &p->mail);
}

START_TEST(threads_lose_nothing_and_all_are_served)
{
	static const struct weir_plugin plugin = { .kind = WEIR_EXPORTER,
						   .type = "player" };
	static struct player players[THREADS];

	n_workers = THREADS;
	workers = xcalloc(THREADS, sizeof(*workers));
	uv_sem_init(&all_done, 0);
	playing = THREADS;
	begun = 0;
	for (uint32_t i = 0; i < THREADS; i++) {
		worker_init(&workers[i], i, false);
		players[i] = (struct player){ .worker = &workers[i] };
		players[i].mail.deliver = play;
		players[i].base.plugin = &plugin;
		players[i].base.id = "player";
		players[i].wait.granted = player_granted;
	}
	pool = weir_credits_get(&players[0].base, WEIR_SIGNAL_TRACES, "test",
				TOTAL);
	for (uint32_t i = 0; i < THREADS; i++) {
		worker_start(&workers[i]);
		worker_post(&workers[i], &players[i].mail);
	}
	uv_sem_wait(&all_done);
	for (uint32_t i = 0; i < THREADS; i++)
		worker_stop(&workers[i]);
	for (uint32_t i = 0; i < THREADS; i++)
		worker_join(&workers[i]);
	workers_settle();
	for (uint32_t i = 0; i < THREADS; i++) {
		worker_release(&workers[i]);
		ck_assert_uint_gt(players[i].grants, 0);
	}
	ck_assert_uint_eq(weir_credits_used(pool), 0);
	credits_release();
	free(workers);
	uv_sem_destroy(&all_done);
}
END_TEST

int main(void)
{
	const struct stage_test tests[] = {
		{ takes_all_or_nothing, 0 },
		{ force_goes_below_zero_and_is_paid_back_first, 0 },
		{ a_pool_is_found_by_component_signal_and_name, 0 },
		{ no_total_is_too_large, 0 },
		{ first_come_first_served_also_when_less_would_do, 0 },
		{ a_wait_finds_what_was_given_before_it, 0 },
		{ who_cancels_leaves_the_line, ROWS(cancels) },
		{ who_cancels_after_the_grant_gives_it_back, 0 },
		{ threads_lose_nothing_and_all_are_served, 4 },
	};

	return stage_main("core/credits", tests, ROWS(tests));
}
