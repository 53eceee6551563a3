/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners, streams and connects of one worker, on loopback. */
#include <check.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/net.h"

static struct worker worker;
static const struct weir_plugin receiver = { .kind = WEIR_RECEIVER };
static struct weir_component c = { .plugin = &receiver, .id = "x" };
static struct weir_component other = { .plugin = &receiver, .id = "y" };

/* What the owner of a stream saw. */
struct end {
	struct weir_stream *stream;
	char got[256];
	size_t n, total;
	unsigned datas, writables, flushes, eofs, closes;
	int error;
	bool opened, failed, inside;
	char text[300];
	bool close_on_data, keep;
};

static struct end server, client;

static void on_data(struct weir_stream *stream, void *arg, const uint8_t *data,
		    size_t len)
{
	struct end *e = arg;

	ck_assert_uint_gt(worker.depth, 0);
	if (e->n + len < sizeof(e->got)) {
		memcpy(e->got + e->n, data, len);
		e->n += len;
	}
	e->total += len;
	e->datas++;
	if (e->close_on_data) {
		weir_stream_close(stream);
		ck_assert_uint_eq(e->closes, 0);
	}
}

static void on_writable(struct weir_stream *stream, void *arg)
{
	(void)stream;
	((struct end *)arg)->writables++;
}

static void on_flush(struct weir_stream *stream, void *arg)
{
	(void)stream;
	((struct end *)arg)->flushes++;
}

static void on_eof(struct weir_stream *stream, void *arg)
{
	struct end *e = arg;

	e->eofs++;
	if (!e->keep)
		weir_stream_close(stream);
}

static void on_closed(struct weir_stream *stream, void *arg, int error)
{
	struct end *e = arg;

	ck_assert_ptr_eq(e->stream, stream);
	ck_assert_uint_gt(worker.depth, 0);
	e->closes++;
	e->error = error;
	e->stream = NULL;
}

static const struct weir_stream_ops ops = {
	.data = on_data, .writable = on_writable, .flush = on_flush,
	.eof = on_eof, .closed = on_closed,
};

static void on_accept(struct weir_component *component,
		      struct weir_stream *stream, void *arg)
{
	struct end *e = arg;

	(void)component;
	e->stream = stream;
	e->opened = true;
	weir_stream_start(stream, &ops, e);
}

static void ignore_it(struct weir_component *component,
		      struct weir_stream *stream, void *arg)
{
	(void)component;
	(void)stream;
	((struct end *)arg)->opened = true;
}

static void on_failed(struct weir_component *component, int error,
		      const char *text, void *arg)
{
	struct end *e = arg;

	(void)component;
	ck_assert(!e->inside);
	e->failed = true;
	e->error = error;
	snprintf(e->text, sizeof(e->text), "%s", text);
}

/* Check's time limit ends what never becomes true. */
#define UNTIL(condition)						\
	while (!(condition)) {						\
		worker_turn(&worker);					\
		if (!(condition))					\
			uv_run(&worker.loop, UV_RUN_ONCE);		\
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
	net_forget(&c);
	net_forget(&other);
	worker_release(&worker);
}

static int listen_at(struct weir_component *who, const char *endpoint,
		     const char *transport, char *bound,
		     struct weir_error *error)
{
	struct weir_listener how = {
		.endpoint = weir_str_of(endpoint),
		.transport = weir_str_of(transport),
		.accept = on_accept, .arg = &server,
	};

	return weir_listen(who, &how, bound, error);
}

static struct weir_connecting *dial(const char *endpoint, weir_duration timeout)
{
	struct weir_connecting *connecting;

	client.inside = true;
	connecting = weir_connect(&c, &(struct weir_connect){
		.endpoint = weir_str_of(endpoint), .timeout = timeout,
		.opened = on_accept, .failed = on_failed, .arg = &client });
	client.inside = false;
	return connecting;
}

/* A server and a client of ours that talk to each other. */
static void connect_both(void)
{
	struct weir_error error = { 0 };
	char bound[128];

	ck_assert_msg(!listen_at(&c, "localhost:0", "tcp", bound, &error),
		      "%s", error.text);
	net_accept_begin();
	dial(bound, (weir_duration){ 0 });
	UNTIL(client.opened && server.opened);
}

static int64_t say(struct end *e, const char *text)
{
	struct weir_iovec iov = { text, strlen(text) };

	return weir_stream_writev(e->stream, &iov, 1);
}

START_TEST(what_is_written_arrives)
{
	connect_both();
	ck_assert_int_eq(say(&client, "hello"), 5);
	UNTIL(server.n == 5);
	ck_assert_mem_eq(server.got, "hello", 5);
	ck_assert_int_eq(say(&server, "you"), 3);
	UNTIL(client.n == 3);
	ck_assert_uint_eq(worker.connections, 1);
	ck_assert_mem_eq(weir_stream_peer(server.stream).ptr, "127.0.0.1:",
			 10);
}
END_TEST

START_TEST(closing_tells_both_ends_once)
{
	connect_both();
	weir_stream_close(client.stream);
	weir_stream_close(client.stream);
	ck_assert_uint_eq(client.closes, 0);	/* a later turn */
	UNTIL(client.closes && server.closes);
	worker_turn(&worker);
	ck_assert_uint_eq(client.closes, 1);
	ck_assert_uint_eq(server.closes, 1);
	ck_assert_uint_eq(server.eofs, 1);
	ck_assert_int_eq(server.error, 0);
	ck_assert_uint_eq(worker.connections, 0);
}
END_TEST

START_TEST(closing_inside_a_callback_is_safe)
{
	connect_both();
	server.close_on_data = true;
	say(&client, "bye");
	UNTIL(server.closes && client.closes);
	ck_assert_uint_eq(server.datas, 1);
}
END_TEST

START_TEST(a_half_closed_peer_still_gets_its_answer)
{
	connect_both();
	server.keep = true;
	say(&client, "q");
	weir_stream_shutdown(client.stream);
	UNTIL(server.eofs);
	ck_assert_int_eq(say(&server, "answer"), 6);
	UNTIL(client.n == 6);
	weir_stream_close(server.stream);
	UNTIL(server.closes && client.closes);
	ck_assert_uint_eq(server.eofs, 1);
}
END_TEST

START_TEST(a_reset_is_told_as_an_error)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	connect_both();
	setsockopt(client.stream->fd, SOL_SOCKET, SO_LINGER, &now,
		   sizeof(now));
	weir_stream_close(client.stream);
	UNTIL(server.closes);
	ck_assert_int_eq(server.error, ECONNRESET);
}
END_TEST

START_TEST(a_full_socket_says_when_it_takes_bytes_again)
{
	static char block[1 << 20];
	struct weir_iovec iov[2] = { { block, sizeof(block) },
				     { block, sizeof(block) } };
	int64_t n, sent = 0;

	connect_both();
	weir_stream_pause(server.stream, true);
	while ((n = weir_stream_writev(client.stream, iov, 2)) > 0)
		sent += n;
	ck_assert_int_eq(n, 0);
	weir_stream_want_write(client.stream);
	worker_turn(&worker);
	ck_assert_uint_eq(server.datas, 0);
	weir_stream_pause(server.stream, false);
	UNTIL(client.writables == 1);
	UNTIL(server.total == (size_t)sent);
	worker_turn(&worker);
	ck_assert_uint_eq(client.writables, 1);
}
END_TEST

START_TEST(over_the_hard_line_receivers_stop_reading_and_clients_do_not)
{
	connect_both();
	net_pause_all(&worker, true);
	say(&client, "later");
	say(&server, "now");
	UNTIL(client.n == 3);
	ck_assert_uint_eq(server.n, 0);
	net_pause_all(&worker, false);
	UNTIL(server.n == 5);
}
END_TEST

START_TEST(a_flush_comes_once_when_the_turn_ends)
{
	connect_both();
	worker_enter(&worker);
	weir_stream_flush_later(client.stream);
	weir_stream_flush_later(client.stream);
	ck_assert_uint_eq(client.flushes, 0);
	worker_leave(&worker);
	ck_assert_uint_eq(client.flushes, 1);
	worker_enter(&worker);
	weir_stream_flush_later(client.stream);
	weir_stream_close(client.stream);
	worker_leave(&worker);
	ck_assert_uint_eq(client.flushes, 1);
}
END_TEST

START_TEST(forgetting_closes_and_tells_at_once)
{
	connect_both();
	net_forget(&c);
	ck_assert_uint_eq(client.closes, 1);
	ck_assert_uint_eq(server.closes, 1);
	ck_assert_uint_eq(worker.connections, 0);
	worker_turn(&worker);
	ck_assert_uint_eq(client.closes, 1);
}
END_TEST

START_TEST(a_connection_nobody_starts_is_closed)
{
	struct weir_error error;
	char bound[128];
	struct weir_listener how = { .endpoint = WEIR_STR("localhost:0"),
				     .accept = ignore_it, .arg = &server };

	ck_assert(!weir_listen(&c, &how, bound, &error));
	net_accept_begin();
	dial(bound, (weir_duration){ 0 });
	UNTIL(client.closes);
	ck_assert(server.opened);
	ck_assert_uint_eq(worker.connections, 0);
}
END_TEST

START_TEST(a_taken_address_is_named)
{
	struct weir_error error;
	char bound[128], wanted[256];

	ck_assert(!listen_at(&c, "127.0.0.1:0", "tcp", bound, &error));
	ck_assert_int_eq(listen_at(&other, bound, "tcp", NULL, &error), -1);
	snprintf(wanted, sizeof(wanted),
		 "listen tcp %s: bind: address already in use", bound);
	ck_assert_str_eq(error.text, wanted);
	/* The same component twice on one worker is no way around it. */
	ck_assert_int_eq(listen_at(&c, bound, "tcp", NULL, &error), -1);
}
END_TEST

START_TEST(after_unlisten_the_address_is_free)
{
	struct weir_error error;
	char bound[128];

	ck_assert(!listen_at(&c, "127.0.0.1:0", "tcp", bound, &error));
	net_accept_begin();
	weir_unlisten(&c);
	worker_turn(&worker);
	ck_assert_msg(!listen_at(&other, bound, "tcp", NULL, &error), "%s",
		      error.text);
}
END_TEST

static const struct {
	const char *endpoint, *transport, *text;
} bad[] = {
	{ "localhost", "tcp",
	  "listen tcp: address localhost: missing port in address" },
	{ "a:b:1", "tcp",
	  "listen tcp: address a:b:1: too many colons in address" },
	{ "[::1", "tcp", "listen tcp: address [::1: missing ']' in address" },
	{ "[::1]", "tcp",
	  "listen tcp: address [::1]: missing port in address" },
	{ "127.0.0.1:65536", "tcp",
	  "listen tcp: address 127.0.0.1:65536: invalid port" },
	{ "[::1]x:1", "tcp",
	  "listen tcp: address [::1]x:1: too many colons in address" },
	{ "localhost:nosuchport", "tcp",
	  "listen tcp: lookup tcp/nosuchport: unknown port" },
	{ "x:1", "udp", "unsupported transport type \"udp\"" },
	{ "/nowhere/at/all.sock", "unix",
	  "listen unix /nowhere/at/all.sock: bind: no such file or directory" },
};

START_TEST(a_bad_address_gets_a_sentence)
{
	struct weir_error error;

	ck_assert_int_eq(listen_at(&c, bad[_i].endpoint, bad[_i].transport,
				   NULL, &error), -1);
	ck_assert_str_eq(error.text, bad[_i].text);
}
END_TEST

/* What validate can see: the same sentences, without a socket. */
static const struct {
	const char *endpoint, *transport, *text;
} checked[] = {
	{ "localhost", "tcp",
	  "listen tcp: address localhost: missing port in address" }, { "a:b:1", "tcp",
	  "listen tcp: address a:b:1: too many colons in address" },
	{ "[::1", "tcp",
	  "listen tcp: address [::1: missing ']' in address" }, { "[::1]", "tcp",
	  "listen tcp: address [::1]: missing port in address" },
	{ "127.0.0.1:65536", "tcp",
	  "listen tcp: address 127.0.0.1:65536: invalid port" },
	{ "localhost:nosuchport", "tcp",
	  "listen tcp: lookup tcp/nosuchport: unknown port" },
	{ "localhost:-1", "tcp", "listen tcp: address -1: invalid port" },
	{ "local host:1", "tcp", "listen tcp: lookup local host: no such host" },
	{ "$h:1", "tcp4", "listen tcp4: lookup $h: no such host" },
	{ "256.0.0.1:1", "tcp", "listen tcp: lookup 256.0.0.1: no such host" },
	{ "", "unix", "listen unix: unix socket path cannot be empty" },
	{ "/x.sock", "unix", NULL }, { "", "tcp", NULL },
	{ ":4317", "tcp", NULL }, { "[::]:0", "tcp6", NULL },
	{ "localhost:+1", "tcp", NULL }, { "localhost:", "tcp", NULL },
	{ "a-b_c.d.:80", "tcp", NULL }, { "[fe80::1%lo]:1", "tcp", NULL },
};

START_TEST(validate_sees_what_no_machine_could_listen_on)
{
	struct weir_error error = { 0 };
	int rc = weir_listen_check(weir_str_of(checked[_i].endpoint),
				   weir_str_of(checked[_i].transport), &error);

	ck_assert_int_eq(rc, checked[_i].text ? -1 : 0);
	if (!rc)
		return;
	ck_assert_str_eq(error.text, checked[_i].text);
	ck_assert_str_eq(error.path, "endpoint");
}
END_TEST

/* Also on a machine without /etc/services. */
START_TEST(well_known_services_need_no_list_of_the_system)
{
	static const struct { const char *endpoint, *port; } named[] = {
		{ "localhost:http", "80" }, { "h:HTTPS", "443" },
		{ "[::1]:ssh", "22" }, { "h:nosuch", "nosuch" },
		{ "h:8080", "8080" },
	};

	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
		struct host_port where;
		char why[64];

		ck_assert_int_eq(address_split(weir_str_of(named[i].endpoint),
					       &where, why, sizeof(why)), 0);
		ck_assert_str_eq(where.port, named[i].port);
	}
}
END_TEST

static const struct {
	const char *endpoint, *transport, *bound;
} good[] = {
	{ ":0", "tcp", "[::]:" },
	{ "0.0.0.0:0", "tcp", "[::]:" },
	{ ":0", "tcp4", "0.0.0.0:" },
	{ "localhost:0", "tcp", "127.0.0.1:" },
	{ "127.0.0.1:0", "", "127.0.0.1:" },
	{ "", "tcp", "[::]:" },
	{ "127.0.0.1:+0", "tcp", "127.0.0.1:" },
	{ "[::1]:0", "tcp6", "[::1]:" },
};

static bool has_ipv6(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6,
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = fd >= 0 &&
		   !bind(fd, (const struct sockaddr *)&any, sizeof(any));

	if (fd >= 0)
		close(fd);
	return yes;
}

START_TEST(an_address_is_bound_as_it_says)
{
	struct weir_error error = { 0 };
	char bound[128];

	if (good[_i].bound[0] == '[' && !has_ipv6())
		return;
	ck_assert_msg(!listen_at(&c, good[_i].endpoint, good[_i].transport,
				 bound, &error), "%s", error.text);
	ck_assert_msg(!strncmp(bound, good[_i].bound, strlen(good[_i].bound)),
		      "%s", bound);
	ck_assert(strcmp(bound + strlen(good[_i].bound), "0") != 0);
}
END_TEST

START_TEST(a_unix_socket_replaces_a_stale_one_and_goes_with_its_listener)
{
	char dir[] = "/tmp/weir-test-XXXXXX", path[64], dialled[80];
	struct sockaddr_un address;
	struct weir_error error = { 0 };
	struct stat st;
	socklen_t len;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	address_of_path(weir_str_of(path), &address, &len);
	ck_assert(!bind(fd, (struct sockaddr *)&address, len));
	close(fd);			/* nobody listens: stale */
	ck_assert_msg(!listen_at(&c, path, "unix", NULL, &error), "%s",
		      error.text);
	net_accept_begin();
	snprintf(dialled, sizeof(dialled), "unix://%s", path);
	dial(dialled, (weir_duration){ 0 });
	UNTIL(client.opened && server.opened);
	say(&client, "hi");
	UNTIL(server.n == 2);
	ck_assert_int_eq(listen_at(&other, path, "unix", NULL, &error), -1);
	net_forget(&c);
	ck_assert_int_eq(stat(path, &st), -1);
	rmdir(dir);
}
END_TEST

START_TEST(a_refused_connection_fails_with_a_sentence)
{
	struct weir_error error;
	char bound[128];

	ck_assert(!listen_at(&c, "127.0.0.1:0", "tcp", bound, &error));
	weir_unlisten(&c);
	dial(bound, (weir_duration){ 0 });
	UNTIL(client.failed);
	ck_assert_int_eq(client.error, ECONNREFUSED);
	ck_assert_ptr_nonnull(strstr(client.text,
				     "connect: connection refused"));
}
END_TEST

START_TEST(an_endpoint_without_port_fails_later)
{
	dial("nowhere", (weir_duration){ 0 });
	ck_assert(!client.failed);
	UNTIL(client.failed);
	ck_assert_str_eq(client.text,
		"dial tcp: address nowhere: missing port in address");
}
END_TEST

START_TEST(a_cancelled_connect_is_silent)
{
	struct weir_connecting *connecting =
		dial("127.0.0.1:9", (weir_duration){ 0 });

	weir_connect_cancel(&connecting);
	ck_assert_ptr_null(connecting);
	for (int i = 0; i < 10; i++)
		worker_turn(&worker);
	ck_assert(!client.failed && !client.opened);
}
END_TEST

START_TEST(a_connect_that_takes_too_long_fails)
{
	/* A listener that never accepts, with its queue full, would do too;
	 * the clock is ours, so any pending connect is late when we say so. */
	dial("127.0.0.1:9", (weir_duration){ 1000000 });
	clock_advance(1000000);
	timers_run(&worker);
	ck_assert(client.failed);
	ck_assert_int_eq(client.error, ETIMEDOUT);
	ck_assert_str_eq(client.text, "dial tcp 127.0.0.1:9: i/o timeout");
}
END_TEST

START_TEST(row_106_one_address_has_so_many_connections)
{
	struct weir_listener how = { .endpoint = WEIR_STR("127.0.0.1:0"),
		.accept = on_accept, .arg = &server, .max_per_address = 1 };
	struct weir_error error;
	char bound[128];

	ck_assert(!weir_listen(&c, &how, bound, &error));
	net_accept_begin();
	dial(bound, (weir_duration){ 0 });
	UNTIL(server.opened && client.opened);
	for (int i = 0; i < 3; i++) {		/* closed without a word */
		struct sockaddr_in to = { .sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
			.sin_port = htons((uint16_t)
					  atoi(strchr(bound, ':') + 1)) };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		char byte;

		server.opened = false;
		ck_assert(!connect(fd, (struct sockaddr *)&to, sizeof(to)));
		while (recv(fd, &byte, 1, MSG_DONTWAIT) < 0 &&
		       errno == EAGAIN)
			worker_turn(&worker);
		ck_assert(!server.opened);
		close(fd);
	}
	ck_assert_uint_eq(admit_refused(ADMIT_ADDRESS), 3);
	weir_stream_close(server.stream);
	UNTIL(server.closes == 1 && client.closes == 1);
	dial(bound, (weir_duration){ 0 });
	UNTIL(server.opened && client.opened);
}
END_TEST

START_TEST(row_102_out_of_descriptors_refuses_and_recovers)
{
	struct rlimit limit, tight;
	struct weir_error error;
	struct sockaddr_in to = { .sin_family = AF_INET };
	char bound[128];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), next;

	ck_assert(!listen_at(&c, "127.0.0.1:0", "tcp4", bound, &error));
	net_accept_begin();
	to.sin_port = htons((uint16_t)atoi(strchr(bound, ':') + 1));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	getrlimit(RLIMIT_NOFILE, &limit);
	next = dup(0);
	close(next);
	tight = limit;
	tight.rlim_cur = (rlim_t)next;
	setrlimit(RLIMIT_NOFILE, &tight);
	ck_assert(!connect(fd, (struct sockaddr *)&to, sizeof(to)));
	for (char byte; recv(fd, &byte, 1, MSG_DONTWAIT) < 0 &&
			errno == EAGAIN;)
		worker_turn(&worker);
	ck_assert(!server.opened);
	setrlimit(RLIMIT_NOFILE, &limit);
	close(fd);
	dial(bound, (weir_duration){ 0 });
	UNTIL(server.opened && client.opened);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net");
	TCase *tc = tcase_create("net");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, what_is_written_arrives);
	tcase_add_test(tc, closing_tells_both_ends_once);
	tcase_add_test(tc, closing_inside_a_callback_is_safe);
	tcase_add_test(tc, a_half_closed_peer_still_gets_its_answer);
	tcase_add_test(tc, a_reset_is_told_as_an_error);
	tcase_add_test(tc, a_full_socket_says_when_it_takes_bytes_again);
	tcase_add_test(tc,
		over_the_hard_line_receivers_stop_reading_and_clients_do_not);
	tcase_add_test(tc, a_flush_comes_once_when_the_turn_ends);
	tcase_add_test(tc, forgetting_closes_and_tells_at_once);
	tcase_add_test(tc, a_connection_nobody_starts_is_closed);
	tcase_add_test(tc, a_taken_address_is_named);
	tcase_add_test(tc, after_unlisten_the_address_is_free);
	tcase_add_loop_test(tc, a_bad_address_gets_a_sentence, 0,
			    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, well_known_services_need_no_list_of_the_system);
	tcase_add_loop_test(tc, validate_sees_what_no_machine_could_listen_on, 0,
			    sizeof(checked) / sizeof(checked[0]));
	tcase_add_loop_test(tc, an_address_is_bound_as_it_says, 0,
			    sizeof(good) / sizeof(good[0]));
	tcase_add_test(tc,
	    a_unix_socket_replaces_a_stale_one_and_goes_with_its_listener);
	tcase_add_test(tc, a_refused_connection_fails_with_a_sentence);
	tcase_add_test(tc, an_endpoint_without_port_fails_later);
	tcase_add_test(tc, a_cancelled_connect_is_silent);
	tcase_add_test(tc, a_connect_that_takes_too_long_fails);
	tcase_add_test(tc, row_106_one_address_has_so_many_connections);
	tcase_add_test(tc, row_102_out_of_descriptors_refuses_and_recovers);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
