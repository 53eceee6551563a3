/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the gRPC server and client do as time goes by: idle connections, old
 * ones, keepalive, backoff.  Sockets are two buffers, time is a variable.
 */
#include "fake_core.h"

#include <nghttp2/nghttp2.h>
#include <weir/kit/grpc.h>

#define S 1000000000ll		/* a second */

struct weir_stream {
	const struct weir_stream_ops *ops;
	void *arg;
	uint8_t out[1 << 16];
	size_t len;
	bool wants_flush, closing, gone;
};

static struct {
	struct weir_component c;
	struct weir_stream stream;
	nghttp2_session *session;	/* the other side */
	void (*accept)(struct weir_component *c, struct weir_stream *stream,
		       void *arg);
	void *accept_arg;
	struct weir_connect connect;	/* the last that was asked for */
	size_t connects, done, goaways, pings;
	uint64_t connect_at;
	int32_t last_id;		/* of the last GOAWAY */
	enum weir_status status;	/* of the last call */
} x;

/* --- The network, as the contract has it -------------------------------------- */

int weir_listen(struct weir_component *c, const struct weir_listener *listener,
		char *bound, struct weir_error *error)
{
	(void)c, (void)error;
	x.accept = listener->accept;
	x.accept_arg = listener->arg;
	strcpy(bound, "127.0.0.1:4317");
	return 0;
}

void weir_unlisten(struct weir_component *c)
{
	(void)c;
}

struct weir_connecting *weir_connect(struct weir_component *c,
				     const struct weir_connect *how)
{
	(void)c;
	x.connect = *how;
	x.connects++;
	x.connect_at = core.now;
	return (struct weir_connecting *)(void *)&x;
}

void weir_connect_cancel(struct weir_connecting **connecting)
{
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
	int64_t taken = 0;

	if (stream->closing)
		return -1;
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_le(iov[i].len,
				  sizeof(stream->out) - stream->len);
		memcpy(stream->out + stream->len, iov[i].ptr, iov[i].len);
		stream->len += iov[i].len;
		taken += (int64_t)iov[i].len;
	}
	return taken;
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

weir_str weir_stream_peer(const struct weir_stream *stream)
{
	(void)stream;
	return WEIR_STR("127.0.0.1:9");
}

/* --- The other side ------------------------------------------------------------ */

/* Counts what matters here in the whole frames that were written. */
static void look_at_frames(const uint8_t *p, const uint8_t *end)
{
	if (end - p >= 24 && !memcmp(p, "PRI", 3))
		p += 24;
	while (end - p >= 9) {
		size_t len = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];

		if (p[3] == NGHTTP2_GOAWAY) {
			x.goaways++;
			x.last_id = (int32_t)((uint32_t)p[9] << 24 |
				(uint32_t)p[10] << 16 | (uint32_t)p[11] << 8 |
				p[12]);
		}
		x.pings += p[3] == NGHTTP2_PING && !(p[4] & NGHTTP2_FLAG_ACK);
		p += 9 + len;
	}
}

static void set_up(void)
{
	memset(&x, 0, sizeof(x));
	fake_reset();
}

static void open_peer(bool server)
{
	nghttp2_session_callbacks *cb;

	nghttp2_session_callbacks_new(&cb);
	if (server)
		nghttp2_session_server_new(&x.session, cb, NULL);
	else
		nghttp2_session_client_new(&x.session, cb, NULL);
	nghttp2_session_callbacks_del(cb);
	nghttp2_submit_settings(x.session, NGHTTP2_FLAG_NONE, NULL, 0);
}

static void close_peer(void)
{
	nghttp2_session_del(x.session);
	x.session = NULL;
}

/* The turn ends: what is to be written is, who closed is told. */
static void end_turn(void)
{
	while (x.stream.wants_flush && !x.stream.closing) {
		x.stream.wants_flush = false;
		x.stream.ops->flush(&x.stream, x.stream.arg);
	}
	if (x.stream.closing && !x.stream.gone) {
		x.stream.gone = true;
		x.stream.ops->closed(&x.stream, x.stream.arg, 0);
	}
}

/* The other side hears what was written. */
static void hear(void)
{
	end_turn();
	look_at_frames(x.stream.out, x.stream.out + x.stream.len);
	nghttp2_session_mem_recv(x.session, x.stream.out, x.stream.len);
	x.stream.len = 0;
}

/* Both hear all that the other says. */
static void talk(void)
{
	const uint8_t *bytes;
	ssize_t n;

	do {
		hear();
		n = nghttp2_session_mem_send(x.session, &bytes);
		if (n > 0 && !x.stream.closing)
			x.stream.ops->data(&x.stream, x.stream.arg, bytes,
					   (size_t)n);
	} while (n > 0);
	hear();
}

static void pass(int64_t ns)
{
	fake_advance(ns);
	fake_turn();
	end_turn();
}

/* --- The server ----------------------------------------------------------------- */

static struct weir_grpc_server *serve(
	const struct weir_grpc_keepalive_params *params)
{
	struct weir_grpc_server_config config = {
		.endpoint = WEIR_STR("127.0.0.1:4317"),
		.transport = WEIR_STR("tcp"),
		.keepalive = { .server_parameters = *params },
	};
	struct weir_grpc_server *server;

	set_up();
	server = weir_grpc_server_start(&x.c, &config, NULL, 0, NULL);
	open_peer(false);
	x.accept(&x.c, &x.stream, x.accept_arg);
	return server;
}

static void stop_serving(struct weir_grpc_server *server)
{
	weir_grpc_server_free(&server);
	end_turn();
	close_peer();
	ck_assert_uint_eq(fake_timers(), 0);
}

START_TEST(a_client_that_says_nothing_is_closed)
{
	struct weir_grpc_server *server =
		serve(&(struct weir_grpc_keepalive_params){ 0 });

	pass(10 * S);
	ck_assert(!x.stream.gone);
	pass(2 * S);
	ck_assert(x.stream.gone);
	stop_serving(server);
}
END_TEST

START_TEST(an_idle_connection_is_sent_away_in_two_steps)
{
	struct weir_grpc_server *server =
		serve(&(struct weir_grpc_keepalive_params){
			.max_connection_idle = { 60 * S } });

	talk();
	pass(59 * S);
	hear();
	ck_assert_uint_eq(x.goaways, 0);
	pass(3 * S / 2);
	hear();
	ck_assert_uint_eq(x.goaways, 1);
	ck_assert_int_eq(x.last_id, INT32_MAX);
	talk();			/* its pong */
	ck_assert_uint_eq(x.goaways, 2);
	ck_assert_int_eq(x.last_id, 0);
	ck_assert(x.stream.gone);
	stop_serving(server);
}
END_TEST

START_TEST(a_client_without_a_pong_gets_the_last_id_a_second_later)
{
	struct weir_grpc_server *server =
		serve(&(struct weir_grpc_keepalive_params){
			.max_connection_idle = { 60 * S } });

	talk();
	pass(60 * S);
	hear();
	ck_assert_uint_eq(x.goaways, 1);
	pass(2 * S);
	hear();
	ck_assert_uint_eq(x.goaways, 2);
	stop_serving(server);
}
END_TEST

START_TEST(an_old_connection_is_sent_away_within_a_tenth_of_its_age)
{
	struct weir_grpc_server *server =
		serve(&(struct weir_grpc_keepalive_params){
			.max_connection_age = { 100 * S } });

	talk();
	pass(89 * S);
	hear();
	ck_assert_uint_eq(x.goaways, 0);
	pass(22 * S);
	hear();
	ck_assert_uint_ge(x.goaways, 1);
	stop_serving(server);
}
END_TEST

START_TEST(a_quiet_client_is_pinged_and_then_closed)
{
	struct weir_grpc_server *server =
		serve(&(struct weir_grpc_keepalive_params){
			.time = { 30 * S }, .timeout = { 5 * S } });

	talk();
	pass(29 * S);
	hear();
	ck_assert_uint_eq(x.pings, 0);
	pass(2 * S);
	talk();			/* it answers */
	ck_assert_uint_eq(x.pings, 1);
	pass(20 * S);
	ck_assert(!x.stream.gone);
	pass(11 * S);
	hear();			/* it does not */
	ck_assert_uint_eq(x.pings, 2);
	pass(8 * S);
	ck_assert(x.stream.gone);
	stop_serving(server);
}
END_TEST

/* --- The client ------------------------------------------------------------------ */

static void done(struct weir_component *c, void *arg,
		 const struct weir_outcome *outcome, const uint8_t *reply,
		 size_t len)
{
	(void)c, (void)arg, (void)reply, (void)len;
	x.done++;
	x.status = outcome->status;
}

static const struct weir_grpc_unary unary = { .path = "/x", .done = done };

static void refuse(void)
{
	x.connect.failed(&x.c, 111, "connection refused", x.connect.arg);
}

static void accept_it(void)
{
	memset(&x.stream, 0, sizeof(x.stream));
	x.connect.opened(&x.c, &x.stream, x.connect.arg);
	end_turn();
}

START_TEST(attempts_to_connect_come_later_and_later)
{
	struct weir_grpc_client_config config = {
		.endpoint = WEIR_STR("127.0.0.1:9") };
	struct weir_grpc_client *client;
	double wait = 1;

	set_up();
	client = weir_grpc_client_new(&x.c, &config, NULL);
	for (size_t i = 1; i < 20; i++) {
		double waited;

		ck_assert_uint_eq(x.connects, i);
		uint64_t failed_at = core.now;

		refuse();
		while (x.connects == i && core.now < failed_at + 200 * S)
			fake_advance(S / 100);
		waited = (double)(x.connect_at - failed_at) / S;
		ck_assert_msg(waited > wait * .79 && waited < wait * 1.21,
			      "attempt %zu after %f s, not %f", i, waited,
			      wait);
		wait = wait * 1.6 < 120 ? wait * 1.6 : 120;
	}
	weir_grpc_client_free(&client);
	ck_assert_uint_eq(fake_timers(), 0);
}
END_TEST

START_TEST(calls_fail_at_once_while_the_server_is_down)
{
	struct weir_grpc_client_config config = {
		.endpoint = WEIR_STR("127.0.0.1:9") };
	struct weir_grpc_client *client;

	set_up();
	client = weir_grpc_client_new(&x.c, &config, NULL);
	weir_grpc_client_call(client, &unary);	/* waits for the attempt */
	pass(0);
	ck_assert_uint_eq(x.done, 0);
	refuse();
	pass(0);
	ck_assert_uint_eq(x.done, 1);
	weir_grpc_client_call(client, &unary);
	ck_assert_uint_eq(x.done, 1);		/* never from inside */
	pass(0);
	ck_assert_uint_eq(x.done, 2);
	ck_assert_int_eq(x.status, WEIR_UNAVAILABLE);
	weir_grpc_client_free(&client);
}
END_TEST

START_TEST(a_server_without_settings_is_given_up)
{
	struct weir_grpc_client_config config = {
		.endpoint = WEIR_STR("127.0.0.1:9") };
	struct weir_grpc_client *client;

	set_up();
	client = weir_grpc_client_new(&x.c, &config, NULL);
	accept_it();
	pass(19 * S);
	ck_assert(!x.stream.gone);
	pass(2 * S);
	ck_assert(x.stream.gone);
	weir_grpc_client_free(&client);
	ck_assert_uint_eq(fake_timers(), 0);
}
END_TEST

START_TEST(a_quiet_server_is_pinged_and_then_left)
{
	struct weir_grpc_client_config config = {
		.endpoint = WEIR_STR("127.0.0.1:9"),
		.keepalive = { .enabled = true, .time = { 30 * S },
			       .timeout = { 5 * S },
			       .permit_without_stream = true } };
	struct weir_grpc_client *client;

	set_up();
	client = weir_grpc_client_new(&x.c, &config, NULL);
	open_peer(true);
	accept_it();
	talk();
	pass(31 * S);
	talk();			/* it answers */
	ck_assert_uint_eq(x.pings, 1);
	pass(31 * S);
	hear();			/* it does not */
	ck_assert_uint_eq(x.pings, 2);
	pass(6 * S);
	ck_assert(x.stream.gone);
	ck_assert_uint_eq(x.connects, 2);
	weir_grpc_client_free(&client);
	close_peer();
	ck_assert_uint_eq(fake_timers(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("grpc_timers");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, a_client_that_says_nothing_is_closed);
	tcase_add_test(tc, an_idle_connection_is_sent_away_in_two_steps);
	tcase_add_test(tc,
		a_client_without_a_pong_gets_the_last_id_a_second_later);
	tcase_add_test(tc,
		an_old_connection_is_sent_away_within_a_tenth_of_its_age);
	tcase_add_test(tc, a_quiet_client_is_pinged_and_then_closed);
	tcase_add_test(tc, attempts_to_connect_come_later_and_later);
	tcase_add_test(tc, calls_fail_at_once_while_the_server_is_down);
	tcase_add_test(tc, a_server_without_settings_is_given_up);
	tcase_add_test(tc, a_quiet_server_is_pinged_and_then_left);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
