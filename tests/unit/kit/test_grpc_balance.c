/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gRPC client and a name with several addresses: who gets which call, what
 * happens when one of them goes, and when the name comes to mean others.
 * Sockets are buffers, the resolver a table, the thread pool a turn.
 */
#include "fake_core.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <nghttp2/nghttp2.h>
#include <weir/kit/grpc.h>

#include "grpc_client.h"

#define S 1000000000ll		/* a second */
#define PEERS 16

struct weir_stream {
	const struct weir_stream_ops *ops;
	void *arg;
	bool wants_flush, closing, gone;
	uint8_t out[1 << 16];
	size_t len;
	nghttp2_session *server;
	size_t calls;
};

/* One connection that was asked for. */
static struct peer {
	char address[64];
	struct weir_connect how;
	bool cancelled;
	struct weir_stream stream;
} peers[PEERS];

static struct {
	struct weir_component c;
	size_t n_peers, done, lookups;
	enum weir_status status;
	char text[192];			/* of the last call */
	const char *answer[4];		/* of the resolver; NULL: error */
	void (*in)(void *arg);
	void (*out)(struct weir_component *c, void *arg);
	void *arg;			/* one job at a time */
} x;

/* --- The network and the pool, as the contract has them ----------------------- */

struct weir_connecting *weir_connect(struct weir_component *c,
				     const struct weir_connect *how)
{
	struct peer *peer = &peers[x.n_peers++];

	(void)c;
	ck_assert_uint_le(x.n_peers, PEERS);
	memset(peer, 0, sizeof(*peer));
	peer->how = *how;
	snprintf(peer->address, sizeof(peer->address), "%.*s",
		 WEIR_STR_FMT(how->endpoint));
	return (struct weir_connecting *)(void *)peer;
}

void weir_connect_cancel(struct weir_connecting **connecting)
{
	((struct peer *)(void *)*connecting)->cancelled = true;
	*connecting = NULL;
}

void weir_stream_start(struct weir_stream *stream,
		       const struct weir_stream_ops *ops, void *arg)
{
	stream->ops = ops;
	stream->arg = arg;
}

int64_t weir_stream_writev(struct weir_stream *stream,
			   const struct weir_iovec *iov, size_t n)
{
	size_t before = stream->len;

	if (stream->closing)
		return -1;
	for (size_t i = 0; i < n; i++) {
		memcpy(stream->out + stream->len, iov[i].ptr, iov[i].len);
		stream->len += iov[i].len;
	}
	return (int64_t)(stream->len - before);
}

void weir_stream_want_write(struct weir_stream *stream)
{
	stream->wants_flush = true;
}

void weir_stream_flush_later(struct weir_stream *stream)
{
	stream->wants_flush = true;
}

void weir_stream_close(struct weir_stream *stream)
{
	stream->closing = true;
}

int weir_work(struct weir_component *c, void (*in)(void *arg),
	      void (*out)(struct weir_component *c, void *arg), void *arg)
{
	(void)c;
	ck_assert_ptr_null(x.arg);
	x.in = in;
	x.out = out;
	x.arg = arg;
	return 0;
}

/* --- The resolver --------------------------------------------------------------- */

static int lookup(const char *host, const char *port,
		  const struct addrinfo *hints, struct addrinfo **out)
{
	struct addrinfo *all = NULL;

	(void)hints;
	x.lookups++;
	ck_assert_str_eq(host, "backend.test");
	ck_assert_str_eq(port, "4317");
	if (!x.answer[0])
		return EAI_NONAME;
	for (size_t i = 4; i-- > 0;) {
		struct addrinfo *ai;
		struct sockaddr_in *v4;

		if (!x.answer[i])
			continue;
		ai = calloc(1, sizeof(*ai) + sizeof(*v4));
		v4 = (struct sockaddr_in *)(void *)(ai + 1);
		v4->sin_family = AF_INET;
		v4->sin_port = htons(4317);
		ck_assert_int_eq(inet_pton(AF_INET, x.answer[i],
					   &v4->sin_addr), 1);
		ai->ai_family = AF_INET;
		ai->ai_addr = (struct sockaddr *)(void *)v4;
		ai->ai_addrlen = sizeof(*v4);
		ai->ai_next = all;
		all = ai;
	}
	*out = all;
	return 0;
}

static void lookup_free(struct addrinfo *all)
{
	while (all) {
		struct addrinfo *next = all->ai_next;

		free(all);
		all = next;
	}
}

static void answer(const char *a, const char *b, const char *c)
{
	x.answer[0] = a;
	x.answer[1] = b;
	x.answer[2] = c;
}

static void run_job(void)
{
	void *arg = x.arg;

	ck_assert_ptr_nonnull(arg);
	x.arg = NULL;
	x.in(arg);
	x.out(&x.c, arg);
}

/* --- The other side ------------------------------------------------------------- */

static int on_headers(nghttp2_session *session, const nghttp2_frame *frame,
		      void *arg)
{
	struct weir_stream *stream = arg;

	(void)session;
	stream->calls += frame->hd.type == NGHTTP2_HEADERS;
	return 0;
}

/* The connection to that address that was asked for last. */
static struct peer *peer_of(const char *address)
{
	for (size_t i = x.n_peers; i-- > 0;)
		if (!strncmp(peers[i].address, address, strlen(address)))
			return &peers[i];
	ck_abort_msg("no connection to %s", address);
}

static void talk(struct weir_stream *s)
{
	const uint8_t *bytes;
	ssize_t n;

	do {
		while (s->wants_flush && !s->closing) {
			s->wants_flush = false;
			s->ops->flush(s, s->arg);
		}
		nghttp2_session_mem_recv(s->server, s->out, s->len);
		s->len = 0;
		n = nghttp2_session_mem_send(s->server, &bytes);
		if (n > 0 && !s->closing)
			s->ops->data(s, s->arg, bytes, (size_t)n);
	} while (n > 0);
}

static void stands(const char *address)
{
	struct peer *peer = peer_of(address);
	nghttp2_session_callbacks *cb;

	nghttp2_session_callbacks_new(&cb);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_headers);
	nghttp2_session_server_new(&peer->stream.server, cb, &peer->stream);
	nghttp2_session_callbacks_del(cb);
	nghttp2_submit_settings(peer->stream.server, 0, NULL, 0);
	peer->how.opened(&x.c, &peer->stream, peer->how.arg);
	talk(&peer->stream);
}

static void refuses(const char *address)
{
	struct peer *peer = peer_of(address);

	peer->how.failed(&x.c, ECONNREFUSED, "connection refused",
			 peer->how.arg);
}

static void turn(void)
{
	fake_turn();
	fake_advance(0);
	for (size_t i = 0; i < x.n_peers; i++) {
		struct weir_stream *s = &peers[i].stream;

		if (s->ops && !s->gone)
			talk(s);
		if (s->ops && s->closing && !s->gone) {
			s->gone = true;
			s->ops->closed(s, s->arg, 0);
		}
	}
}

static void goes(const char *address)
{
	peer_of(address)->stream.closing = true;
	turn();
}

static size_t calls(const char *address)
{
	return peer_of(address)->stream.calls;
}

/* --- The client ----------------------------------------------------------------- */

static void on_done(struct weir_component *c, void *arg,
		    const struct weir_outcome *outcome, const uint8_t *reply,
		    size_t len)
{
	(void)c, (void)arg, (void)reply, (void)len;
	x.done++;
	x.status = outcome->status;
	memcpy(x.text, outcome->text, sizeof(x.text));
}

static void call(struct weir_grpc_client *client, int n)
{
	const struct weir_grpc_unary unary = { .path = "/a.B/C",
					       .done = on_done };

	while (n--)
		weir_grpc_client_call(client, &unary);
	turn();
}

static struct weir_grpc_client_config config;

static struct weir_grpc_client *client_of(const char *endpoint,
					  const char *balancer)
{
	struct weir_error error = { 0 };
	struct weir_grpc_client *client;

	memset(&x, 0, sizeof(x));
	fake_reset();
	grpc_lookup = lookup;
	grpc_lookup_free = lookup_free;
	config = (struct weir_grpc_client_config){
		.endpoint = weir_str_of(endpoint),
		.balancer_name = weir_str_of(balancer),
	};
	client = weir_grpc_client_new(&x.c, &config, &error);
	ck_assert_ptr_nonnull(client);
	return client;
}

static void end(struct weir_grpc_client *client)
{
	void *arg;

	weir_grpc_client_free(&client);
	turn();
	arg = x.arg;
	if (arg)		/* a job outlives the client */
		run_job();
	for (size_t i = 0; i < x.n_peers; i++)
		nghttp2_session_del(peers[i].stream.server);
	ck_assert_uint_eq(fake_timers(), 0);
}

static struct weir_grpc_client *three(void)
{
	struct weir_grpc_client *client =
		client_of("dns:///backend.test:4317", "round_robin");

	answer("127.0.0.1", "127.0.0.2", "127.0.0.3");
	run_job();
	return client;
}

/* --- Tests ----------------------------------------------------------------------- */

START_TEST(calls_go_to_all_addresses_in_turn)
{
	struct weir_grpc_client *client = three();

	ck_assert_uint_eq(x.n_peers, 3);
	stands("127.0.0.1:4317");
	stands("127.0.0.2:4317");
	stands("127.0.0.3:4317");
	call(client, 9);
	for (int i = 1; i <= 3; i++) {
		char address[16];

		snprintf(address, sizeof(address), "127.0.0.%d", i);
		ck_assert_uint_eq(calls(address), 3);
	}
	end(client);
}
END_TEST

START_TEST(calls_wait_for_the_first_that_stands)
{
	struct weir_grpc_client *client = three();

	call(client, 4);
	refuses("127.0.0.1");
	refuses("127.0.0.3");
	turn();
	ck_assert_uint_eq(x.done, 0);
	stands("127.0.0.2");
	turn();
	ck_assert_uint_eq(calls("127.0.0.2"), 4);
	end(client);
}
END_TEST

START_TEST(calls_fail_when_all_have_failed)
{
	struct weir_grpc_client *client = three();

	call(client, 2);
	refuses("127.0.0.1");
	refuses("127.0.0.2");
	turn();
	ck_assert_uint_eq(x.done, 0);
	refuses("127.0.0.3");
	turn();
	ck_assert_uint_eq(x.done, 2);
	ck_assert_int_eq(x.status, WEIR_UNAVAILABLE);
	call(client, 1);
	ck_assert_uint_eq(x.done, 3);
	end(client);
}
END_TEST

START_TEST(with_wait_for_ready_they_wait_on)
{
	struct weir_grpc_client *client = three();

	config.wait_for_ready = true;
	call(client, 2);
	refuses("127.0.0.1");
	refuses("127.0.0.2");
	refuses("127.0.0.3");
	turn();
	ck_assert_uint_eq(x.done, 0);
	fake_advance(2 * S);
	turn();
	stands("127.0.0.2");
	turn();
	ck_assert_uint_eq(calls("127.0.0.2"), 2);
	end(client);
}
END_TEST

START_TEST(one_that_goes_is_left_out_until_it_is_back)
{
	struct weir_grpc_client *client = three();

	stands("127.0.0.1");
	stands("127.0.0.2");
	refuses("127.0.0.3");
	fake_advance(5 * S);	/* those that stood are not brief */
	goes("127.0.0.1");
	call(client, 4);
	ck_assert_uint_eq(calls("127.0.0.2"), 4);
	stands("127.0.0.1");
	call(client, 4);
	ck_assert_uint_eq(calls("127.0.0.1"), 2);
	ck_assert_uint_eq(calls("127.0.0.2"), 6);
	end(client);
}
END_TEST

START_TEST(a_lost_connection_has_the_name_looked_up_again)
{
	struct weir_grpc_client *client = three();
	struct peer *kept;

	stands("127.0.0.1");
	stands("127.0.0.2");
	stands("127.0.0.3");
	kept = peer_of("127.0.0.2");
	fake_advance(5 * S);
	goes("127.0.0.1");
	refuses("127.0.0.1");
	ck_assert_uint_eq(x.lookups, 1);	/* not within 30 s */
	answer("127.0.0.2", "127.0.0.4", NULL);
	fake_advance(26 * S);
	turn();
	run_job();
	turn();
	ck_assert_uint_eq(x.lookups, 2);
	ck_assert_ptr_eq(peer_of("127.0.0.2"), kept);	/* stays */
	ck_assert(peer_of("127.0.0.3")->stream.gone);
	stands("127.0.0.4");
	call(client, 4);
	ck_assert_uint_eq(calls("127.0.0.2"), 2);
	ck_assert_uint_eq(calls("127.0.0.4"), 2);
	end(client);
}
END_TEST

START_TEST(a_call_under_way_ends_though_its_address_is_gone)
{
	struct weir_grpc_client *client = three();

	stands("127.0.0.1");
	call(client, 1);
	fake_advance(31 * S);
	refuses("127.0.0.2");
	fake_advance(0);
	answer("127.0.0.9", NULL, NULL);
	run_job();
	turn();
	ck_assert(!peer_of("127.0.0.1")->stream.closing);
	ck_assert_uint_eq(x.done, 0);
	goes("127.0.0.1");
	ck_assert_uint_eq(x.done, 1);
	end(client);
}
END_TEST

START_TEST(a_name_that_is_unknown_fails_calls_and_is_asked_again)
{
	struct weir_grpc_client *client =
		client_of("backend.test:4317", "round_robin");

	call(client, 1);
	ck_assert_uint_eq(x.done, 0);
	run_job();
	turn();
	ck_assert_uint_eq(x.done, 1);
	ck_assert_int_eq(x.status, WEIR_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(x.text, "lookup backend.test"));
	answer("127.0.0.1", NULL, NULL);
	fake_advance(2 * S);
	turn();
	run_job();
	stands("127.0.0.1");
	call(client, 1);
	ck_assert_uint_eq(calls("127.0.0.1"), 1);
	end(client);
}
END_TEST

START_TEST(the_client_may_go_while_the_name_is_looked_up)
{
	struct weir_grpc_client *client =
		client_of("backend.test:4317", "round_robin");

	answer("127.0.0.1", NULL, NULL);
	call(client, 1);
	end(client);
	ck_assert_uint_eq(x.done, 1);
	ck_assert_uint_eq(x.n_peers, 0);
}
END_TEST

static const struct {
	const char *endpoint, *balancer, *connects;
} direct[] = {
	{ "127.0.0.1:4317", "round_robin", "127.0.0.1:4317" },
	{ "[::1]:4317", "round_robin", "[::1]:4317" },
	{ "http://127.0.0.1:4317", "round_robin", "127.0.0.1:4317" },
	{ "dns:///backend.test:4317", "pick_first", "backend.test:4317" },
	{ "passthrough:///backend.test:4317", "round_robin",
	  "backend.test:4317" },
	{ "unix:///run/x.sock", "round_robin", "unix:///run/x.sock" },
};

START_TEST(what_is_no_name_to_spread_over_is_connected_to_as_it_is)
{
	struct weir_grpc_client *client = client_of(direct[_i].endpoint,
						    direct[_i].balancer);

	ck_assert_ptr_null(x.arg);
	ck_assert_uint_eq(x.n_peers, 1);
	ck_assert_str_eq(peers[0].address, direct[_i].connects);
	end(client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("grpc_balance");
	TCase *tc = tcase_create("balance");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, calls_go_to_all_addresses_in_turn);
	tcase_add_test(tc, calls_wait_for_the_first_that_stands);
	tcase_add_test(tc, calls_fail_when_all_have_failed);
	tcase_add_test(tc, with_wait_for_ready_they_wait_on);
	tcase_add_test(tc, one_that_goes_is_left_out_until_it_is_back);
	tcase_add_test(tc, a_lost_connection_has_the_name_looked_up_again);
	tcase_add_test(tc, a_call_under_way_ends_though_its_address_is_gone);
	tcase_add_test(tc, a_name_that_is_unknown_fails_calls_and_is_asked_again);
	tcase_add_test(tc, the_client_may_go_while_the_name_is_looked_up);
	tcase_add_loop_test(tc,
		what_is_no_name_to_spread_over_is_connected_to_as_it_is, 0,
		sizeof(direct) / sizeof(*direct));
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
