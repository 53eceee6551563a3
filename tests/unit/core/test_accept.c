/* SPDX-License-Identifier: Apache-2.0 */
/* Connections on their way to workers: real threads, a real clock. */
#include <check.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/worker.h"

#define WORKERS 2
#define CLIENTS 6

static struct worker both[WORKERS];
static const struct weir_plugin plugin = { .kind = WEIR_RECEIVER };
static struct weir_component instances[WORKERS];
static _Atomic unsigned accepted[WORKERS], open_streams;
static char bound[128];

static void on_data(struct weir_stream *stream, void *arg, const uint8_t *data,
		    size_t len)
{
	struct weir_iovec iov = { data, len };

	(void)arg;
	weir_stream_writev(stream, &iov, 1);
}

static void on_closed(struct weir_stream *stream, void *arg, int error)
{
	(void)stream;
	(void)arg;
	(void)error;
	atomic_fetch_sub(&open_streams, 1);
}

static const struct weir_stream_ops echo = { .data = on_data,
					     .closed = on_closed };

static void on_accept(struct weir_component *c, struct weir_stream *stream,
		      void *arg)
{
	ck_assert_ptr_eq(arg, c);
	ck_assert_uint_eq(worker_current()->number, c->worker);
	atomic_fetch_add(&open_streams, 1);
	weir_stream_start(stream, &echo, NULL);
	/* Counted last: whoever sees the number sees the rest. */
	atomic_fetch_add(&accepted[c->worker], 1);
}

/* --- errands to the workers ----------------------------------------------- */

struct errand {
	struct mail mail;
	uv_sem_t done;
};

static void do_listen(struct mail *mail)
{
	struct errand *errand = (struct errand *)(void *)mail;
	struct weir_component *c = &instances[worker_current()->number];
	struct weir_listener how = { .endpoint = WEIR_STR("127.0.0.1:0"),
				     .accept = on_accept, .arg = c };
	struct weir_error error;
	char mine[128];

	ck_assert(!weir_listen(c, &how, mine, &error));
	if (bound[0])
		ck_assert_str_eq(mine, bound);	/* joined, not bound again */
	memcpy(bound, mine, sizeof(bound));
	uv_sem_post(&errand->done);
}

static void do_forget(struct mail *mail)
{
	struct errand *errand = (struct errand *)(void *)mail;

	net_forget(&instances[worker_current()->number]);
	uv_sem_post(&errand->done);
}

static void do_unlisten(struct mail *mail)
{
	struct errand *errand = (struct errand *)(void *)mail;

	weir_unlisten(&instances[worker_current()->number]);
	uv_sem_post(&errand->done);
}

static void on_worker(unsigned i, void (*deliver)(struct mail *mail))
{
	struct errand errand = { .mail.deliver = deliver };

	uv_sem_init(&errand.done, 0);
	worker_post(&both[i], &errand.mail);
	uv_sem_wait(&errand.done);
	uv_sem_destroy(&errand.done);
}

static int dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)atoi(strchr(bound, ':') + 1)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert(!connect(fd, (struct sockaddr *)&to, sizeof(to)));
	return fd;
}

static void echoes(int fd)
{
	char byte = 0;

	ck_assert_int_eq(send(fd, "x", 1, 0), 1);
	ck_assert_int_eq(recv(fd, &byte, 1, 0), 1);
	ck_assert_int_eq(byte, 'x');
}

static void set_up(void)
{
	workers = both;
	n_workers = WORKERS;
	for (unsigned i = 0; i < WORKERS; i++) {
		instances[i] = (struct weir_component){
			.plugin = &plugin, .id = "x", .worker = i };
		worker_init(&both[i], i, false);
	}
	for (unsigned i = 0; i < WORKERS; i++)
		worker_start(&both[i]);
	for (unsigned i = 0; i < WORKERS; i++)
		on_worker(i, do_listen);
	net_accept_begin();
}

static void tear_down(void)
{
	net_accept_end();
	for (unsigned i = 0; i < WORKERS; i++)
		on_worker(i, do_forget);
	for (unsigned i = 0; i < WORKERS; i++)
		worker_stop(&both[i]);
	for (unsigned i = 0; i < WORKERS; i++)
		worker_join(&both[i]);
	for (unsigned i = 0; i < WORKERS; i++)
		worker_release(&both[i]);
	ck_assert_uint_eq(open_streams, 0);
}

START_TEST(a_burst_on_a_quiet_process_spreads)
{
	int fds[CLIENTS];

	for (int i = 0; i < CLIENTS; i++)
		fds[i] = dial();
	for (int i = 0; i < CLIENTS; i++)
		echoes(fds[i]);
	ck_assert_uint_eq(accepted[0] + accepted[1], CLIENTS);
	ck_assert_uint_ge(accepted[0], 2);
	ck_assert_uint_ge(accepted[1], 2);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
}
END_TEST

START_TEST(the_first_goes_to_the_first_worker)
{
	int fd = dial();

	echoes(fd);
	ck_assert_uint_eq(accepted[0], 1);
	close(fd);
}
END_TEST

START_TEST(a_worker_whose_instance_has_stopped_gets_none)
{
	int fd;

	on_worker(0, do_unlisten);
	for (int i = 0; i < CLIENTS; i++) {
		fd = dial();
		echoes(fd);
		close(fd);
	}
	ck_assert_uint_eq(accepted[0], 0);
	ck_assert_uint_eq(accepted[1], CLIENTS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("accept");
	TCase *tc = tcase_create("accept");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_burst_on_a_quiet_process_spreads);
	tcase_add_test(tc, the_first_goes_to_the_first_worker);
	tcase_add_test(tc, a_worker_whose_instance_has_stopped_gets_none);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
