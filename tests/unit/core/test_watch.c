/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that a library owns. */
#include <check.h>
#include <unistd.h>

#include "net/net.h"

static struct worker worker;
static const struct weir_plugin exporter = { .kind = WEIR_EXPORTER };
static struct weir_component c = { .plugin = &exporter, .id = "x" };
static struct weir_component other = { .plugin = &exporter, .id = "y" };
static int fds[2];

static struct {
	unsigned int calls, events;
	struct weir_watch **free;	/* this one, from the callback */
} seen;

static void on_ready(struct weir_component *who, int fd, unsigned int events,
		     void *arg)
{
	ck_assert_ptr_eq(who, &c);
	ck_assert_int_eq(fd, *(int *)arg);
	ck_assert_uint_gt(worker.depth, 0);
	seen.calls++;
	seen.events |= events;
	if (seen.free)
		weir_watch_free(seen.free);
}

static void set_up(void)
{
	workers = &worker;
	n_workers = 1;
	worker_init(&worker, 0, true);
	memset(&seen, 0, sizeof(seen));
	ck_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
}

static void tear_down(void)
{
	net_forget(&c);
	net_forget(&other);
	worker_release(&worker);
	close(fds[0]);
	close(fds[1]);
}

static void turns(int n)
{
	while (n--)
		worker_turn(&worker);
}

START_TEST(says_what_was_asked_for_as_long_as_it_is_true)
{
	struct weir_watch *watch = weir_watch_new(&c, fds[0], on_ready, fds);

	turns(3);
	ck_assert_uint_eq(seen.calls, 0);	/* nothing was asked for */
	weir_watch_set(watch, WEIR_WATCH_READ);
	turns(3);
	ck_assert_uint_eq(seen.calls, 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	turns(3);
	ck_assert_uint_ge(seen.calls, 2);	/* nobody reads it */
	ck_assert_uint_eq(seen.events, WEIR_WATCH_READ);
	weir_watch_set(watch, WEIR_WATCH_WRITE);
	seen.events = 0;
	turns(1);
	ck_assert_uint_eq(seen.events, WEIR_WATCH_WRITE);
	weir_watch_set(watch, 0);
	seen.calls = 0;
	turns(3);
	ck_assert_uint_eq(seen.calls, 0);
	weir_watch_free(&watch);
	ck_assert_ptr_null(watch);
	weir_watch_free(&watch);
}
END_TEST

START_TEST(says_nothing_after_it_was_freed)
{
	struct weir_watch *watch = weir_watch_new(&c, fds[0], on_ready, fds);

	weir_watch_set(watch, WEIR_WATCH_WRITE);
	seen.free = &watch;
	turns(3);
	ck_assert_uint_eq(seen.calls, 1);
	ck_assert_ptr_null(watch);
	/* The descriptor is still the owner's. */
	ck_assert_int_eq(write(fds[0], "x", 1), 1);
}
END_TEST

START_TEST(a_number_that_is_used_again_can_be_watched_again)
{
	struct weir_watch *watch = weir_watch_new(&c, fds[0], on_ready, fds);
	int old = fds[0];

	weir_watch_set(watch, WEIR_WATCH_READ);
	weir_watch_free(&watch);
	close(fds[0]);
	fds[0] = dup(fds[1]);
	ck_assert_int_eq(fds[0], old);
	watch = weir_watch_new(&c, fds[0], on_ready, fds);
	weir_watch_set(watch, WEIR_WATCH_WRITE);
	turns(2);
	ck_assert_uint_ge(seen.calls, 1);
	weir_watch_free(&watch);
}
END_TEST

START_TEST(ends_with_its_component)
{
	struct weir_watch *watch = weir_watch_new(&c, fds[0], on_ready, fds);

	weir_watch_set(watch, WEIR_WATCH_WRITE);
	net_forget(&other);
	turns(1);
	ck_assert_uint_eq(seen.calls, 1);
	net_forget(&c);
	turns(2);
	ck_assert_uint_eq(seen.calls, 1);
}
END_TEST

START_TEST(what_cannot_be_watched_says_so)
{
	ck_assert_ptr_null(weir_watch_new(&c, -1, on_ready, fds));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core/watch");
	TCase *tc = tcase_create("watch");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, says_what_was_asked_for_as_long_as_it_is_true);
	tcase_add_test(tc, says_nothing_after_it_was_freed);
	tcase_add_test(tc, a_number_that_is_used_again_can_be_watched_again);
	tcase_add_test(tc, ends_with_its_component);
	tcase_add_test(tc, what_cannot_be_watched_says_so);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
