/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c: libcurl's multi interface on a worker's loop.
 *
 * libcurl owns its sockets and says what it waits for; we watch them, keep its
 * one timer, and call it when either is ready.  Holds the connections, the
 * requests under way, and handles of those that ended.  Must never call who
 * waits for a reply from inside a call of libcurl.
 */
#include "pool.h"

#include <pthread.h>
#include <stdlib.h>

#define MS INT64_C(1000000)

/* Tells everybody whose request has ended.  One by one: who is told may send
 * or cancel others. */
static void collect(struct curl_pool *pool)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(pool->multi, &left))) {
		struct curl_transfer *t;
		CURLcode code = message->data.result;
		CURL *easy = message->easy_handle;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
		curl_multi_remove_handle(pool->multi, easy);
		transfer_done(t, code);
	}
}

static void act(struct curl_pool *pool, curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(pool->multi, fd, what, &running);
	collect(pool);
}

/* --- Sockets -------------------------------------------------------------- */

static void on_ready(struct weir_component *c, int fd, unsigned int events,
		     void *arg)
{
	(void)c;
	act(arg, fd, (events & WEIR_WATCH_READ ? CURL_CSELECT_IN : 0) |
		     (events & WEIR_WATCH_WRITE ? CURL_CSELECT_OUT : 0));
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
		     void *of_socket)
{
	struct curl_pool *pool = arg;
	struct weir_watch *watch = of_socket;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		weir_watch_free(&watch);
		return 0;
	}
	if (!watch) {
		watch = weir_watch_new(pool->c, fd, on_ready, pool);
		if (!watch)
			return -1;
		curl_multi_assign(pool->multi, fd, watch);
	}
	weir_watch_set(watch,
		       (what & CURL_POLL_IN ? WEIR_WATCH_READ : 0) |
		       (what & CURL_POLL_OUT ? WEIR_WATCH_WRITE : 0));
	return 0;
}

/* --- Time ----------------------------------------------------------------- */

static void on_time(struct weir_component *c, struct weir_timer *timer)
{
	struct curl_pool *pool = (struct curl_pool *)(void *)
		((char *)timer - offsetof(struct curl_pool, timer));

	(void)c;
	act(pool, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
	struct curl_pool *pool = arg;

	(void)multi;
	if (ms < 0)
		weir_timer_cancel(&pool->timer);
	else if (!pool->closing)
		weir_timer_set(&pool->timer, pool->c,
			       (weir_duration){ ms * MS }, on_time);
	return 0;
}

/* --- The pool ------------------------------------------------------------- */

static void set_limits(struct curl_pool *pool)
{
	const struct weir_http_client_config *config = pool->config;
	int64_t idle = config->max_idle_conns;

	/* An exporter has one host, as a rule. */
	if (config->max_idle_conns_per_host > 0 &&
	    (!idle || config->max_idle_conns_per_host < idle))
		idle = config->max_idle_conns_per_host;
	if (idle > 0)
		curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS,
				  (long)(idle < 100000 ? idle : 100000));
}

static void init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void close_pool(struct curl_pool *pool)
{
	pool->closing = true;
	while (pool->busy) {
		struct curl_transfer *t = pool->busy;

		curl_multi_remove_handle(pool->multi, t->easy);
		pool_retire(t);
	}
	while (pool->idle) {
		struct curl_transfer *t = pool->idle;

		pool->idle = t->next;
		curl_easy_cleanup(t->easy);
		free(t->reply.lines);
		free(t);
	}
	if (pool->multi)
		curl_multi_cleanup(pool->multi);
	if (pool->cookies)
		curl_share_cleanup(pool->cookies);
	weir_timer_cancel(&pool->timer);
	free(pool);
}

static struct curl_pool *open_pool(struct weir_component *c,
	const struct weir_http_client_config *config, struct weir_error *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct curl_pool *pool = calloc(1, sizeof(*pool));

	pthread_once(&once, init);
	if (!pool)
		goto out_of_memory;
	pool->c = c;
	pool->config = config;
	pool->multi = curl_multi_init();
	if (!pool->multi)
		goto out_of_memory;
	if (config->cookies.enabled) {
		pool->cookies = curl_share_init();
		if (!pool->cookies)
			goto out_of_memory;
		curl_share_setopt(pool->cookies, CURLSHOPT_SHARE,
				  CURL_LOCK_DATA_COOKIE);
	}
	curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
	curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
	set_limits(pool);
	return pool;
out_of_memory:
	if (pool)
		close_pool(pool);
	weir_fail(error, NULL, "out of memory");
	return NULL;
}

/* --- Requests ------------------------------------------------------------- */

static struct curl_transfer *take_idle(struct curl_pool *pool)
{
	struct curl_transfer *t = pool->idle;

	if (t) {
		pool->idle = t->next;
		return t;
	}
	t = calloc(1, sizeof(*t));
	if (t) {
		t->easy = curl_easy_init();
		t->reply.lines = malloc(REPLY_HEADERS);
	}
	if (t && (!t->easy || !t->reply.lines)) {
		curl_easy_cleanup(t->easy);
		free(t->reply.lines);
		free(t);
		t = NULL;
	}
	return t;
}

void pool_retire(struct curl_transfer *t)
{
	struct curl_pool *pool = t->pool;

	if (t->prev)
		t->prev->next = t->next;
	else
		pool->busy = t->next;
	if (t->next)
		t->next->prev = t->prev;
	transfer_release(t);
	t->next = pool->idle;
	pool->idle = t;
}

static struct curl_transfer *call(struct curl_pool *pool,
				  const struct curl_call *how)
{
	struct curl_transfer *t = take_idle(pool);

	if (!t)
		return NULL;
	t->pool = pool;
	t->call = *how;
	t->prev = NULL;
	t->next = pool->busy;
	if (t->next)
		t->next->prev = t;
	pool->busy = t;
	if (transfer_set_up(t) ||
	    curl_multi_add_handle(pool->multi, t->easy) != CURLM_OK) {
		pool_retire(t);
		return NULL;
	}
	return t;
}

static void cancel(struct curl_transfer *t)
{
	curl_multi_remove_handle(t->pool->multi, t->easy);
	pool_retire(t);
}

WEIR_API extern const struct weircurl weircurl;

const struct weircurl weircurl = {
	.version = WEIRCURL_VERSION,
	.open = open_pool,
	.close = close_pool,
	.call = call,
	.cancel = cancel
};
