/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_h2_case.h: an HTTP server with one route and a peer that speaks HTTP/2,
 * for the tests of that port.  Answers go at once, or when a test says so.
 */
#ifndef TESTS_HTTP_H2_CASE_H
#define TESTS_HTTP_H2_CASE_H

#include "http_ask.h"

#define N(table) (int)(sizeof(table) / sizeof((table)[0]))
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define MAX_WAITING 512

static struct weir_http_server *server;
static struct weir_http_server_config config;
static struct weir_http_exchange *waiting[MAX_WAITING];
static unsigned n_waiting, handled;
static bool later;
static size_t page;		/* bytes of an answer */

/* --- a server ------------------------------------------------------------- */

static void respond_to(struct weir_http_exchange *x)
{
	static char text[2 << 20];

	memset(text, 'x', sizeof(text));
	weir_http_respond(x, 200, "text/plain", "", (weir_str){ text, page });
}

static void handle(struct weir_component *who, struct weir_http_exchange *x,
		   void *arg)
{
	(void)who, (void)arg;
	handled++;
	if (!later) {
		respond_to(x);
		return;
	}
	ck_assert_uint_lt(n_waiting, MAX_WAITING);
	waiting[n_waiting++] = x;
}

static void respond_all(void)
{
	for (unsigned i = 0; i < n_waiting; i++)
		respond_to(waiting[i]);
	n_waiting = 0;
	if (!peer.gone)
		turn();
}

static const struct weir_http_route routes[] = {
	{ .path = { "/x", 2 }, .methods = WEIR_HTTP_GET | WEIR_HTTP_POST,
	  .status_bodies = true, .handle = handle },
};

static void set_up(void)
{
	weir_http_server_defaults(&config);
	config.endpoint = WEIR_STR("h:1");
	page = 5;
}

static void serve(void)
{
	struct weir_error error;

	server = weir_http_server_start(&c, &config, routes, 1, &error);
	ck_assert_ptr_nonnull(server);
	h2_connect();
	h2_pump();
}

static void tear_down(void)
{
	h2_forget();
	weir_http_server_free(&server);
	turn();
	respond_all();
	ck_assert_uint_eq(weir_budget_used(), 0);
}

static struct answer *get(void)
{
	static struct ask ask;

	ask = (struct ask){ .method = "GET", .path = "/x" };
	return h2_submit(&ask);
}

#endif
