/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen.c: listening sockets, which belong to the process.
 *
 * A table (mutex; touched at set-up and at the end only) holds one entry per
 * component and address.  The first instance to ask binds, those of the other
 * workers join.  Worker 0's loop polls the sockets and hands each connection
 * to the worker that has most time for it, where that worker's instance gets
 * it.  It must never spin on an accept that cannot succeed.
 *
 *	references of a listener	its open ports, the poll on worker 0,
 *					connections on their way by mail
 */
#include "net.h"
#include "base/str.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 64
#define ACCEPT_REST_MS 100		/* after an error that comes again */

/* One worker's instance of the component.  Written by its own worker. */
struct port {
	struct weir_component *c;
	void (*accept)(struct weir_component *c, struct weir_stream *stream,
		       void *arg);
	void *arg;
	_Atomic bool open;
};

struct listener {
	struct listener *next;
	struct mail shut;		/* to worker 0: nobody is left */
	enum weir_kind kind;		/* whose it is, and where: the key */
	char *id;
	struct listening at;
	uint32_t per_address;		/* connections; 0: admit.c's share */
	bool polled;			/* worker 0's only */
	uv_poll_t poll;
	_Atomic uint32_t open_ports;
	_Atomic uint32_t refs;
	uint32_t n_ports;
	struct port ports[];		/* by number of worker */
};

struct handed {				/* a connection on its way */
	struct mail mail;
	struct listener *listener;
	struct worker *worker;
	int fd;
	uint32_t seat;
	char peer[NET_PEER_TEXT];
};

static struct {
	uv_once_t once;
	uv_mutex_t lock;
	struct listener *list;		/* under the lock */
	_Atomic bool accepting;
	struct mail begin, end;
	_Atomic bool begin_sent, end_sent;
	/* Worker 0's only from here on. */
	int spare_fd;			/* given up to get rid of one */
	uv_timer_t *rest;
} table = { .once = UV_ONCE_INIT, .spare_fd = -1 };

static void table_init(void)
{
	uv_mutex_init(&table.lock);
}

static void lock_table(void)
{
	uv_once(&table.once, table_init);
	uv_mutex_lock(&table.lock);
}

static void unlock_table(void)
{
	uv_mutex_unlock(&table.lock);
}

/* --- the table ------------------------------------------------------------ */

static void listener_unref(struct listener *l)
{
	if (atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	free(l->id);
	listening_release(&l->at);
	free(l);
}

/* Under the lock. */
static void strike(struct listener *l)
{
	struct listener **at = &table.list;

	while (*at && *at != l)
		at = &(*at)->next;
	if (*at)
		*at = l->next;
}

static char *dup_str(weir_str text)
{
	char *copy = xmalloc(text.len + 1);

	if (text.len)
		memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return copy;
}

static struct listener *listener_new(const struct weir_component *c,
				     const struct weir_listener *how,
				     struct weir_error *error)
{
	uint32_t n = n_workers > c->worker ? n_workers : c->worker + 1;
	struct listener *l = xcalloc(1, sizeof(*l) + n * sizeof(l->ports[0]));
	int rc;

	l->n_ports = n;
	l->refs = 1;
	l->kind = c->plugin ? c->plugin->kind : WEIR_RECEIVER;
	l->id = xstrdup(c->id ? c->id : "");
	l->at.transport = how->transport.len ? dup_str(how->transport)
					     : xstrdup("tcp");
	l->at.endpoint = dup_str(how->endpoint);
	l->per_address = how->max_per_address;
	rc = listening_open(&l->at, error);
	if (rc) {
		listener_unref(l);
		return NULL;
	}
	return l;
}

/* The entry that another worker's instance has made and this one has not
 * joined.  Under the lock. */
static struct listener *listener_find(const struct weir_component *c,
				      const struct weir_listener *how)
{
	struct listener *l, *found = NULL;

	/* The oldest first: instances ask in the same order. */
	for (l = table.list; l; l = l->next)
		if (c->plugin && l->kind == c->plugin->kind &&
		    c->worker < l->n_ports &&
		    !l->ports[c->worker].c && !strcmp(l->id, c->id) &&
		    weir_str_eq(weir_str_of(l->at.endpoint), how->endpoint) &&
		    (!how->transport.len ||
		     weir_str_eq(weir_str_of(l->at.transport), how->transport)))
			found = l;
	return found;
}

static void begin_accept(struct listener *l);

int weir_listen(struct weir_component *c, const struct weir_listener *listener,
		char *bound, struct weir_error *error)
{
	struct listener *l;
	struct port *port;

	lock_table();
	l = listener_find(c, listener);
	if (!l) {
		l = listener_new(c, listener, error);
		if (!l) {
			unlock_table();
			return -1;
		}
		l->next = table.list;
		table.list = l;
	} else {
		l->refs++;
	}
	port = &l->ports[c->worker];
	port->c = c;
	port->accept = listener->accept;
	port->arg = listener->arg;
	port->open = true;
	l->open_ports++;
	if (bound)
		memcpy(bound, l->at.bound, sizeof(l->at.bound));
	unlock_table();
	return 0;
}

/* --- accepting ------------------------------------------------------------ */

static void tune(int fd)
{
	int on = 1, idle = 15, every = 15, count = 9;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

/* On the worker that was chosen. */
static void adopt(struct mail *mail)
{
	struct handed *handed = (struct handed *)(void *)mail;
	struct worker *worker = handed->worker;
	struct port *port = &handed->listener->ports[worker->number];
	struct weir_stream *stream = NULL;

	if (!port->open || !worker->net)
		close(handed->fd);
	else
		stream = stream_new(worker, port->c, handed->fd, handed->peer);
	if (stream) {
		stream->accepted = true;
		stream->seat = handed->seat;
		worker_enter(worker);
		port->accept(port->c, stream, port->arg);
		if (!stream->ops)
			weir_stream_close(stream);
		worker_leave(worker);
	} else {
		atomic_fetch_sub(&worker->connections, 1);
		admit_give(handed->seat);
	}
	listener_unref(handed->listener);
	free(handed);
}

static bool takes_connections(const void *arg, uint32_t worker)
{
	const struct listener *l = arg;

	return worker < l->n_ports && l->ports[worker].open;
}

/* Says it once in a while; admit.c counts each. */
static void say_full(const struct listener *l, const char *peer)
{
	weir_log_warn(NULL, "Connection refused: too many of one address, or "
		      "in all", "endpoint=%s peer=%s", l->at.bound, peer);
}

static void hand_over(struct listener *l, int fd, const char *peer,
		      uint32_t seat)
{
	struct worker *worker = balance_choose(takes_connections, l);
	struct handed *handed = worker ? calloc(1, sizeof(*handed)) : NULL;

	if (!handed) {
		close(fd);
		admit_give(seat);
		return;
	}
	if (!l->at.path)
		tune(fd);
	handed->mail.deliver = adopt;
	handed->listener = l;
	handed->worker = worker;
	handed->fd = fd;
	handed->seat = seat;
	snprintf(handed->peer, sizeof(handed->peer), "%s", peer);
	atomic_fetch_add(&l->refs, 1);
	atomic_fetch_add(&worker->connections, 1);
	if (worker == worker_current())
		adopt(&handed->mail);
	else
		worker_post(worker, &handed->mail);
}

static void on_rested(uv_timer_t *timer)
{
	(void)timer;
	lock_table();
	for (struct listener *l = table.list; l; l = l->next)
		begin_accept(l);
	unlock_table();
}

/* Accepting fails and will fail again: look away for a while. */
static void rest(struct listener *l)
{
	uv_poll_stop(&l->poll);
	if (!table.rest) {
		table.rest = xcalloc(1, sizeof(*table.rest));
		uv_timer_init(&workers[0].loop, table.rest);
	}
	uv_timer_start(table.rest, on_rested, ACCEPT_REST_MS, 0);
}

/* Out of descriptors: give up the spare one to take the connection off the
 * queue and refuse it, else it would wake the loop for ever. */
static bool refuse_one(struct listener *l)
{
	int fd;

	admit_refuse(ADMIT_DESCRIPTORS);
	weir_log_warn(NULL, "Connection refused: out of file descriptors",
		      "endpoint=%s", l->at.bound);
	if (table.spare_fd < 0)
		return false;
	close(table.spare_fd);
	fd = accept4(l->at.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	table.spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd >= 0;
}

/* One connection; false when none waits or none can be had. */
static bool accept_one(struct listener *l)
{
	union address address = { 0 };
	socklen_t len = sizeof(address.storage);
	char peer[NET_PEER_TEXT];
	uint32_t seat;
	int fd = accept4(l->at.fd, &address.any, &len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		address_text(&address, len, peer, sizeof(peer));
		if (admit_take(l, &address, l->per_address, &seat)) {
			hand_over(l, fd, peer, seat);
		} else {
			close(fd);
			say_full(l, peer);
		}
		return true;
	}
	switch (errno) {
	case EAGAIN:
		return false;
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
		return true;
	case EMFILE:
	case ENFILE:
		if (refuse_one(l))
			return true;
		break;
	default:
		weir_log_warn(NULL, "Accept failed", "endpoint=%s error=%s",
			      l->at.bound, strerror(errno));
	}
	rest(l);
	return false;
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;

	(void)events;
	if (status < 0) {
		rest(l);
		return;
	}
	for (int i = 0; i < ACCEPTS_PER_TURN; i++)
		if (l->at.fd < 0 || !accept_one(l))
			return;
}

/* Worker 0, under the lock.  Again: goes on after a rest. */
static void begin_accept(struct listener *l)
{
	if (l->at.fd < 0 || !table.accepting)
		return;
	if (!l->polled) {
		if (uv_poll_init(&workers[0].loop, &l->poll, l->at.fd))
			return;
		l->poll.data = l;
		l->polled = true;
		l->refs++;
	}
	uv_poll_start(&l->poll, UV_READABLE, on_connection);
}

static void on_poll_closed(uv_handle_t *handle)
{
	listener_unref(handle->data);
}

/* Worker 0. */
static void end_accept(struct listener *l)
{
	if (l->polled) {
		l->polled = false;
		uv_close((uv_handle_t *)&l->poll, on_poll_closed);
	}
	listening_close(&l->at);
}

/* --- begin and end -------------------------------------------------------- */

static void begin_all(struct mail *mail)
{
	(void)mail;
	table.begin_sent = false;
	admit_begin();
	lock_table();
	table.accepting = true;
	if (table.spare_fd < 0)
		table.spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (struct listener *l = table.list; l; l = l->next)
		begin_accept(l);
	unlock_table();
}

static void end_all(struct mail *mail)
{
	(void)mail;
	table.end_sent = false;
	lock_table();
	table.accepting = false;
	for (struct listener *l = table.list; l; l = l->next)
		end_accept(l);
	unlock_table();
}

/* Runs on worker 0: now when this is its thread, else by mail. */
static void on_first_worker(struct mail *mail,
			    void (*deliver)(struct mail *mail))
{
	mail->deliver = deliver;
	if (worker_current() == &workers[0])
		deliver(mail);
	else
		worker_post(&workers[0], mail);
}

void net_accept_begin(void)
{
	if (!atomic_exchange(&table.begin_sent, true))
		on_first_worker(&table.begin, begin_all);
}

void net_accept_end(void)
{
	if (!atomic_exchange(&table.end_sent, true))
		on_first_worker(&table.end, end_all);
}

static void on_nobody_left(struct mail *mail)
{
	struct listener *l = (struct listener *)(void *)
		((char *)mail - offsetof(struct listener, shut));

	end_accept(l);
	listener_unref(l);
}

/* The last one out closes the socket; its poll is worker 0's to close. */
static void close_port(struct listener *l, struct port *port)
{
	if (!atomic_exchange(&port->open, false))
		return;
	if (atomic_fetch_sub(&l->open_ports, 1) > 1) {
		listener_unref(l);
		return;
	}
	strike(l);
	if (table.accepting)
		on_first_worker(&l->shut, on_nobody_left);
	else
		on_nobody_left(&l->shut);
}

void weir_unlisten(struct weir_component *c)
{
	struct listener *next;

	lock_table();
	for (struct listener *l = table.list; l; l = next) {
		next = l->next;
		if (c->worker < l->n_ports && l->ports[c->worker].c == c)
			close_port(l, &l->ports[c->worker]);
	}
	unlock_table();
}

static void on_rest_closed(uv_handle_t *handle)
{
	free(handle);
}

void listen_release(struct worker *worker)
{
	if (worker != &workers[0])
		return;
	end_all(NULL);
	if (table.rest)
		uv_close((uv_handle_t *)table.rest, on_rest_closed);
	table.rest = NULL;
	if (table.spare_fd >= 0)
		close(table.spare_fd);
	table.spare_fd = -1;
	balance_release();
}
