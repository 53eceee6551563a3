/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect.c: connections that we open.
 *
 * A connecting resolves the name on the thread pool and tries the addresses in
 * turn; each attempt is a stream that has no owner yet.  It ends by opened,
 * failed or cancel, exactly one of them, and never before weir_connect has
 * returned.
 */
#include "net.h"
#include "base/str.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* How long the peer may leave what we sent unacknowledged. */
#define USER_TIMEOUT_MS 20000

struct weir_connecting {
	struct weir_connecting *next, *prev;	/* net->connects */
	struct worker *worker;
	struct weir_component *c;
	struct weir_connect how;		/* the endpoint is ours */
	struct weir_timer deadline;
	struct weir_timer soon;			/* no resolver needed */
	uv_getaddrinfo_t req;
	bool resolving, over;
	struct addrinfo *addresses, *at;	/* all, and the next to try */
	struct weir_stream *stream;		/* the attempt under way */
	int error;				/* of the last attempt */
	char text[300];
};

static void enlist(struct weir_connecting *cg)
{
	struct net *net = cg->worker->net;

	cg->next = net->connects;
	if (net->connects)
		net->connects->prev = cg;
	net->connects = cg;
}

static void strike(struct weir_connecting *cg)
{
	if (cg->prev)
		cg->prev->next = cg->next;
	else
		cg->worker->net->connects = cg->next;
	if (cg->next)
		cg->next->prev = cg->prev;
}

static void connecting_free(struct weir_connecting *cg)
{
	uv_freeaddrinfo(cg->addresses);
	free((char *)(uintptr_t)cg->how.endpoint.ptr);
	free(cg);
}

/* No callback from here on; the memory waits for the resolver. */
static void end(struct weir_connecting *cg)
{
	cg->over = true;
	strike(cg);
	weir_timer_cancel(&cg->deadline);
	weir_timer_cancel(&cg->soon);
	if (cg->stream) {
		cg->stream->connecting = NULL;
		weir_stream_close(cg->stream);
	}
	if (cg->resolving)
		uv_cancel((uv_req_t *)&cg->req);
	else
		connecting_free(cg);
}

static void fail(struct weir_connecting *cg)
{
	struct weir_component *c = cg->c;
	struct weir_connect how = cg->how;
	struct worker *worker = cg->worker;
	int error = cg->error;
	char text[sizeof(cg->text)];

	memcpy(text, cg->text, sizeof(text));
	end(cg);
	worker_enter(worker);
	how.failed(c, error, text, how.arg);
	worker_leave(worker);
}

/* --- attempts ------------------------------------------------------------- */

static void note(struct weir_connecting *cg, int error, const char *address)
{
	char why[128];

	cg->error = error;
	snprintf(cg->text, sizeof(cg->text), "dial tcp %s: connect: %s",
		 address, address_strerror(error, why, sizeof(why)));
}

static void tune(int fd, int family)
{
	int on = 1, timeout = USER_TIMEOUT_MS, idle = 15;

	if (family == AF_UNIX)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout,
		   sizeof(timeout));
}

/* Begins one attempt; false when it failed at once. */
static bool attempt(struct weir_connecting *cg, const union address *address,
		    socklen_t len)
{
	char peer[NET_PEER_TEXT];
	int fd = socket(address->any.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	address_text(address, len, peer, sizeof(peer));
	if (fd < 0) {
		note(cg, errno, peer);
		return false;
	}
	tune(fd, address->any.sa_family);
	if (connect(fd, &address->any, len) && errno != EINPROGRESS) {
		note(cg, errno, peer);
		close(fd);
		return false;
	}
	cg->stream = stream_new(cg->worker, cg->c, fd, peer);
	if (!cg->stream) {
		note(cg, ENOMEM, peer);
		return false;
	}
	/* One that stands already says so by being writable. */
	cg->stream->connecting = cg;
	stream_arm(cg->stream);
	return true;
}

static void try_next(struct weir_connecting *cg)
{
	while (cg->at) {
		const struct addrinfo *ai = cg->at;
		union address address = { 0 };

		cg->at = ai->ai_next;
		if (ai->ai_addrlen > sizeof(address))
			continue;
		memcpy(&address, ai->ai_addr, ai->ai_addrlen);
		if (attempt(cg, &address, ai->ai_addrlen))
			return;
	}
	fail(cg);
}

static void opened(struct weir_connecting *cg)
{
	struct weir_stream *stream = cg->stream;
	struct weir_connect how = cg->how;
	struct weir_component *c = cg->c;
	struct worker *worker = cg->worker;

	stream->connecting = NULL;
	cg->stream = NULL;
	end(cg);
	stream_arm(stream);
	worker_enter(worker);
	how.opened(c, stream, how.arg);
	if (!stream->ops)
		weir_stream_close(stream);
	worker_leave(worker);
}

void connect_ready(struct weir_connecting *cg)
{
	struct weir_stream *stream = cg->stream;
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (!error) {
		opened(cg);
		return;
	}
	note(cg, error, stream->peer);
	stream->connecting = NULL;
	cg->stream = NULL;
	weir_stream_close(stream);
	try_next(cg);
}

/* --- names ---------------------------------------------------------------- */

static void on_resolved(uv_getaddrinfo_t *req, int status,
			struct addrinfo *addresses)
{
	struct weir_connecting *cg = req->data;

	cg->resolving = false;
	cg->addresses = addresses;
	if (cg->over) {
		connecting_free(cg);
		return;
	}
	if (status < 0) {
		cg->error = status;
		snprintf(cg->text, sizeof(cg->text),
			 "dial tcp: lookup %.*s: %s",
			 WEIR_STR_FMT(cg->how.endpoint),
			 status == UV_EAI_NONAME ? "no such host"
						 : uv_strerror(status));
		fail(cg);
		return;
	}
	cg->at = addresses;
	try_next(cg);
}

static struct weir_connecting *of_timer(struct weir_timer *timer, size_t offset)
{
	return (struct weir_connecting *)(void *)((char *)timer - offset);
}

/* A path, a number, or an endpoint that cannot be right: in a turn of its
 * own. */
static void on_soon(struct weir_component *c, struct weir_timer *timer)
{
	struct weir_connecting *cg =
		of_timer(timer, offsetof(struct weir_connecting, soon));
	union address address;
	socklen_t len = 0;
	weir_str path;

	(void)c;
	if (cg->addresses) {
		cg->at = cg->addresses;
		try_next(cg);
		return;
	}
	if (!address_unix(cg->how.endpoint, &path)) {
		fail(cg);
		return;
	}
	if (address_of_path(path, &address.un, &len)) {
		note(cg, EINVAL, "unix");
		fail(cg);
	} else if (!attempt(cg, &address, len)) {
		fail(cg);
	}
}

static void on_deadline(struct weir_component *c, struct weir_timer *timer)
{
	struct weir_connecting *cg =
		of_timer(timer, offsetof(struct weir_connecting, deadline));

	(void)c;
	cg->error = ETIMEDOUT;
	snprintf(cg->text, sizeof(cg->text), "dial tcp %.*s: i/o timeout",
		 WEIR_STR_FMT(cg->how.endpoint));
	fail(cg);
}

/* --- the contract --------------------------------------------------------- */

/* An address of numbers needs no look-up, and none of the threads for it. */
static bool is_numeric(const struct host_port *where, struct addrinfo **list)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};

	return where->host[0] &&
	       !getaddrinfo(where->host, where->port, &hints, list);
}

static void resolve(struct weir_connecting *cg)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct host_port where;
	weir_str path;
	char why[260];
	int rc;

	cg->error = EINVAL;
	if (address_unix(cg->how.endpoint, &path)) {
		weir_timer_set(&cg->soon, cg->c, (weir_duration){ 0 }, on_soon);
		return;
	}
	if (address_split(cg->how.endpoint, &where, why, sizeof(why))) {
		snprintf(cg->text, sizeof(cg->text), "dial tcp: %s", why);
		weir_timer_set(&cg->soon, cg->c, (weir_duration){ 0 }, on_soon);
		return;
	}
	if (is_numeric(&where, &cg->addresses)) {
		weir_timer_set(&cg->soon, cg->c, (weir_duration){ 0 }, on_soon);
		return;
	}
	cg->req.data = cg;
	rc = uv_getaddrinfo(&cg->worker->loop, &cg->req, on_resolved,
			    where.host[0] ? where.host : "localhost",
			    where.port, &hints);
	cg->resolving = rc == 0;
	if (rc) {
		cg->error = rc;
		snprintf(cg->text, sizeof(cg->text), "dial tcp: %s",
			 uv_strerror(rc));
		weir_timer_set(&cg->soon, cg->c, (weir_duration){ 0 }, on_soon);
	}
}

struct weir_connecting *weir_connect(struct weir_component *c,
				     const struct weir_connect *how)
{
	struct weir_connecting *cg = xcalloc(1, sizeof(*cg));
	char *endpoint = xmalloc(how->endpoint.len + 1);

	if (how->endpoint.len)
		memcpy(endpoint, how->endpoint.ptr, how->endpoint.len);
	cg->worker = worker_current();
	cg->c = c;
	cg->how = *how;
	cg->how.endpoint.ptr = endpoint;
	enlist(cg);
	if (how->timeout.ns > 0)
		weir_timer_set(&cg->deadline, c, how->timeout, on_deadline);
	resolve(cg);
	return cg;
}

void weir_connect_cancel(struct weir_connecting **connecting)
{
	if (*connecting)
		end(*connecting);
	*connecting = NULL;
}

void connect_forget(struct net *net, const struct weir_component *c)
{
	struct weir_connecting *next;

	for (struct weir_connecting *cg = net->connects; cg; cg = next) {
		next = cg->next;
		if (!c || cg->c == c)
			end(cg);
	}
}
