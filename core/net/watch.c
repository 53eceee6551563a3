/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.c: readiness of descriptors that a library owns.
 *
 * Holds a uv_poll per watch until the library lets go of its descriptor or the
 * component ends.  Must never read, write or close the descriptor.
 */
#include <stdlib.h>

#include "net.h"

struct weir_watch {
	struct weir_watch *next, *prev;		/* net->watches */
	struct worker *worker;
	struct weir_component *c;
	void (*ready)(struct weir_component *c, int fd, unsigned int events,
		      void *arg);
	void *arg;
	int fd;
	uv_poll_t poll;
};

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct weir_watch *watch = poll->data;
	struct worker *worker = watch->worker;
	unsigned int what = 0;

	if (status < 0)
		what = WEIR_WATCH_READ | WEIR_WATCH_WRITE;
	if (events & UV_READABLE)
		what |= WEIR_WATCH_READ;
	if (events & UV_WRITABLE)
		what |= WEIR_WATCH_WRITE;
	worker_enter(worker);
	watch->ready(watch->c, watch->fd, what, watch->arg);
	worker_leave(worker);
}

struct weir_watch *weir_watch_new(struct weir_component *c, int fd,
	void (*ready)(struct weir_component *c, int fd, unsigned int events,
		      void *arg),
	void *arg)
{
	struct worker *worker = worker_current();
	struct weir_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	if (uv_poll_init(&worker->loop, &watch->poll, fd)) {
		free(watch);
		return NULL;
	}
	watch->worker = worker;
	watch->c = c;
	watch->fd = fd;
	watch->ready = ready;
	watch->arg = arg;
	watch->poll.data = watch;
	watch->next = worker->net->watches;
	if (watch->next)
		watch->next->prev = watch;
	worker->net->watches = watch;
	return watch;
}

void weir_watch_set(struct weir_watch *watch, unsigned int events)
{
	int what = (events & WEIR_WATCH_READ ? UV_READABLE : 0) |
		   (events & WEIR_WATCH_WRITE ? UV_WRITABLE : 0);

	if (what)
		uv_poll_start(&watch->poll, what, on_ready);
	else
		uv_poll_stop(&watch->poll);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void weir_watch_free(struct weir_watch **at)
{
	struct weir_watch *watch = *at;

	if (!watch)
		return;
	if (watch->prev)
		watch->prev->next = watch->next;
	else
		watch->worker->net->watches = watch->next;
	if (watch->next)
		watch->next->prev = watch->prev;
	/* Stops at once; the memory goes in the loop's closing phase. */
	uv_close((uv_handle_t *)&watch->poll, on_closed);
	*at = NULL;
}

void watch_forget(struct net *net, const struct weir_component *c)
{
	struct weir_watch *watch, *next;

	for (watch = net->watches; watch; watch = next) {
		next = watch->next;
		if (!c || watch->c == c)
			weir_watch_free(&watch);
	}
}
