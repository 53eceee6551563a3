/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_peer.h: a network and a clock made of paper, for the HTTP server.
 *
 * The file that includes this is the transport: sockets fill up and time passes
 * when a test says so.  There is one connection at a time.
 */
#ifndef TESTS_HTTP_PEER_H
#define TESTS_HTTP_PEER_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <weir/kit/http.h>

#define GET "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST "POST /x HTTP/1.1\r\nHost: h\r\n"
#define S(n) ((n) * UINT64_C(1000000000))

/* --- a network ------------------------------------------------------------ */

struct weir_stream {
	const struct weir_stream_ops *ops;
	void *arg;
	char wrote[4 << 20];
	size_t n, room;		/* room: bytes the socket takes now */
	bool paused, want_write, flush, shut, closing, gone;
};

static struct weir_stream peer;
static struct weir_listener listening;
static struct weir_component c = { .id = "x" };
static uint64_t now = S(1000);
static struct weir_timer *armed;	/* a connection has one */

int weir_listen(struct weir_component *who, const struct weir_listener *how,
		char *bound, struct weir_error *error)
{
	(void)who;
	strcpy(bound, "127.0.0.1:1");
	if (!how->endpoint.len)
		return weir_fail(error, NULL, "no address");
	listening = *how;
	return 0;
}

void weir_unlisten(struct weir_component *who)
{
	(void)who;
	listening.accept = NULL;
}

void weir_stream_start(struct weir_stream *s, const struct weir_stream_ops *ops,
		       void *arg)
{
	s->ops = ops;
	s->arg = arg;
}

int64_t weir_stream_writev(struct weir_stream *s, const struct weir_iovec *iov,
			   size_t n)
{
	size_t len = iov->len < s->room ? iov->len : s->room;

	ck_assert(!s->closing && !s->shut);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_lt(s->n + len, sizeof(s->wrote));
	memcpy(s->wrote + s->n, iov->ptr, len);
	s->n += len;
	s->room -= len;
	return (int64_t)len;
}

void weir_stream_want_write(struct weir_stream *s)
{
	s->want_write = true;
}

void weir_stream_flush_later(struct weir_stream *s)
{
	s->flush = true;
}

void weir_stream_pause(struct weir_stream *s, bool paused)
{
	s->paused = paused;
}

void weir_stream_shutdown(struct weir_stream *s)
{
	s->shut = true;
}

void weir_stream_close(struct weir_stream *s)
{
	s->closing = true;
}

void weir_timer_set(struct weir_timer *timer, struct weir_component *who,
		    weir_duration after,
		    void (*fire)(struct weir_component *c,
				 struct weir_timer *timer))
{
	timer->c = who;
	timer->fire = fire;
	timer->at = now + (uint64_t)after.ns;
	timer->slot = 1;
	armed = timer;
}

void weir_timer_cancel(struct weir_timer *timer)
{
	timer->slot = 0;
	if (armed == timer)
		armed = NULL;
}

uint64_t weir_now(void)
{
	return now;
}

weir_str weir_stream_peer(const struct weir_stream *s)
{
	(void)s;
	return WEIR_STR("192.0.2.1:4711");
}

uint64_t weir_wall_now(void)
{
	return UINT64_C(784111777) * 1000000000;	/* RFC 9110's example */
}

/* --- turns ---------------------------------------------------------------- */

static inline void turn(void)
{
	while (peer.flush && !peer.closing) {
		peer.flush = false;
		peer.ops->flush(&peer, peer.arg);
	}
	if (peer.closing && !peer.gone) {
		peer.gone = true;
		if (peer.ops->closed)
			peer.ops->closed(&peer, peer.arg, 0);
	}
}

static inline void say_bytes(const char *text, size_t len)
{
	ck_assert(!peer.paused && !peer.closing);
	peer.ops->data(&peer, peer.arg, (const uint8_t *)text, len);
	turn();
}

static inline void say(const char *text)
{
	say_bytes(text, strlen(text));
}

static inline void fin(void)
{
	ck_assert(!peer.paused && !peer.closing);
	peer.ops->eof(&peer, peer.arg);
	turn();
}

static inline void take(size_t room)
{
	peer.room += room;
	while (peer.want_write && peer.room && !peer.closing) {
		peer.want_write = false;
		peer.ops->writable(&peer, peer.arg);
		turn();
	}
}

/* Timers may fire too early and be set again. */
static inline void pass(uint64_t ns)
{
	uint64_t end = now + ns;

	while (armed && armed->at <= end) {
		struct weir_timer *timer = armed;

		now = timer->at > now ? timer->at : now;
		weir_timer_cancel(timer);
		timer->fire(&c, timer);
		turn();
	}
	now = end;
}

static inline const char *heard(void)
{
	peer.wrote[peer.n] = '\0';
	return peer.wrote;
}

static inline bool hears(const char *text)
{
	return strstr(heard(), text) != NULL;
}

/* A new connection to whoever listens; the last one is cut. */
static inline void connect_peer(void)
{
	if (peer.ops && !peer.gone) {
		peer.closing = true;
		turn();
	}
	memset(&peer, 0, sizeof(peer));
	peer.room = sizeof(peer.wrote);
	listening.accept(&c, &peer, listening.arg);
}

#endif
