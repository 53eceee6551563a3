/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.c: a connected socket under a uv_poll.
 *
 * Holds no bytes: what is read into the worker's buffer is shown at once, what
 * is written goes to the socket at once.  Calls into the owner run between
 * worker_enter and worker_leave, and never from inside a call of the contract.
 */
#include "net.h"
#include "base/str.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(struct weir_iovec) == sizeof(struct iovec) &&
	       offsetof(struct weir_iovec, ptr) ==
		       offsetof(struct iovec, iov_base) &&
	       offsetof(struct weir_iovec, len) ==
		       offsetof(struct iovec, iov_len),
	       "weir_iovec is handed to the kernel as it is");

/* --- the list of a worker ------------------------------------------------- */

static void enlist(struct weir_stream *stream)
{
	struct net *net = stream->worker->net;

	stream->next = net->streams;
	if (net->streams)
		net->streams->prev = stream;
	net->streams = stream;
}

static void strike(struct weir_stream *stream)
{
	struct net *net = stream->worker->net;

	if (stream->prev)
		stream->prev->next = stream->next;
	else
		net->streams = stream->next;
	if (stream->next)
		stream->next->prev = stream->prev;
}

static void drop_flush(struct weir_stream *stream)
{
	struct weir_stream **at = &stream->worker->net->flushes;

	while (*at && *at != stream)
		at = &(*at)->next_flush;
	if (*at)
		*at = stream->next_flush;
	stream->wants_flush = false;
}

/* --- the end -------------------------------------------------------------- */

/* The last callback.  The stream is the loop's from here on. */
static void tell_closed(struct weir_stream *stream)
{
	assert(!stream->told);
	stream->told = true;
	strike(stream);
	if (stream->wants_flush)
		drop_flush(stream);
	if (stream->accepted) {
		atomic_fetch_sub(&stream->worker->connections, 1);
		admit_give(stream->seat);
	}
	if (!stream->ops || !stream->ops->closed)
		return;
	worker_enter(stream->worker);
	stream->ops->closed(stream, stream->arg, stream->error);
	worker_leave(stream->worker);
}

static void on_closed(uv_handle_t *handle)
{
	struct weir_stream *stream = handle->data;

	if (!stream->told)
		tell_closed(stream);
	free(stream);
}

void stream_fail(struct weir_stream *stream, int error)
{
	if (stream->closing)
		return;
	stream->closing = true;
	stream->error = error;
	uv_close((uv_handle_t *)&stream->poll, on_closed);
	close(stream->fd);
	stream->fd = -1;
}

void stream_forget(struct weir_stream *stream)
{
	stream_fail(stream, 0);
	tell_closed(stream);
}

/* --- what the socket says ------------------------------------------------- */

/* What broke it: libuv only says that something did. */
static int socket_error(const struct weir_stream *stream)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return errno;
	return error ? error : ECONNRESET;
}

static void show_eof(struct weir_stream *stream)
{
	stream->at_eof = true;
	stream_arm(stream);
	if (stream->ops->eof)
		stream->ops->eof(stream, stream->arg);
	else
		weir_stream_close(stream);
}

/* One read; false when there is nothing more to do now. */
static bool read_once(struct weir_stream *stream)
{
	struct net *net = stream->worker->net;
	ssize_t n;

	if (!net->buffer)
		net->buffer = xmalloc(NET_READ_BUFFER);
	do {
		n = read(stream->fd, net->buffer, NET_READ_BUFFER);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		if (errno != EAGAIN)
			stream_fail(stream, errno);
		return false;
	}
	worker_enter(stream->worker);
	if (n > 0)
		stream->ops->data(stream, stream->arg, net->buffer, (size_t)n);
	else
		show_eof(stream);
	worker_leave(stream->worker);
	/* A short read has emptied the socket; the poll is level-triggered. */
	return n == NET_READ_BUFFER && !stream->closing &&
	       (stream->events & UV_READABLE);
}

static void tell_writable(struct weir_stream *stream)
{
	stream->want_write = false;
	worker_enter(stream->worker);
	if (stream->ops->writable)
		stream->ops->writable(stream, stream->arg);
	worker_leave(stream->worker);
	stream_arm(stream);	/* nothing to do if more is wanted */
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct weir_stream *stream = poll->data;

	if (stream->connecting) {
		connect_ready(stream->connecting);
		return;
	}
	if (status < 0) {
		stream_fail(stream, socket_error(stream));
		return;
	}
	if ((events & UV_WRITABLE) && stream->want_write)
		tell_writable(stream);
	if (!(events & UV_READABLE))
		return;
	for (int i = 0; i < NET_READS_PER_TURN; i++)
		if (stream->closing || !(stream->events & UV_READABLE) ||
		    !read_once(stream))
			return;
}

/* Over the hard line only receivers stop reading: what exporters read lets
 * memory go. */
static bool may_read(const struct weir_stream *stream)
{
	if (!stream->ops || stream->paused || stream->at_eof)
		return false;
	return !stream->worker->net->paused || !stream->accepted ||
	       !stream->c->plugin || stream->c->plugin->kind != WEIR_RECEIVER;
}

void stream_arm(struct weir_stream *stream)
{
	int events = (may_read(stream) ? UV_READABLE : 0) |
		     (stream->want_write || stream->connecting
			      ? UV_WRITABLE : 0);

	if (stream->closing || events == stream->events)
		return;
	stream->events = events;
	if (events)
		uv_poll_start(&stream->poll, events, on_poll);
	else
		uv_poll_stop(&stream->poll);
}

/* --- life ----------------------------------------------------------------- */

struct weir_stream *stream_new(struct worker *worker, struct weir_component *c,
			       int fd, const char *peer)
{
	struct weir_stream *stream = calloc(1, sizeof(*stream));

	if (!stream || uv_poll_init(&worker->loop, &stream->poll, fd)) {
		free(stream);
		close(fd);
		return NULL;
	}
	stream->poll.data = stream;
	stream->worker = worker;
	stream->c = c;
	stream->fd = fd;
	snprintf(stream->peer, sizeof(stream->peer), "%s", peer);
	enlist(stream);
	return stream;
}

/* --- the contract --------------------------------------------------------- */

void weir_stream_start(struct weir_stream *stream,
		       const struct weir_stream_ops *ops, void *arg)
{
	stream->ops = ops;
	stream->arg = arg;
	stream_arm(stream);
}

int64_t weir_stream_writev(struct weir_stream *stream,
			   const struct weir_iovec *iov, size_t n)
{
	int64_t taken = 0;

	if (stream->closing)
		return -1;
	while (n > 0) {
		size_t chunk = n < IOV_MAX ? n : IOV_MAX, want = 0;
		struct msghdr msg = {
			.msg_iov = (struct iovec *)(uintptr_t)iov,
			.msg_iovlen = chunk,
		};
		ssize_t sent;

		for (size_t i = 0; i < chunk; i++)
			want += iov[i].len;
		do {
			sent = sendmsg(stream->fd, &msg, MSG_NOSIGNAL);
		} while (sent < 0 && errno == EINTR);
		if (sent < 0) {
			if (errno == EAGAIN)
				break;
			stream_fail(stream, errno);
			return taken ? taken : -1;
		}
		taken += sent;
		if ((size_t)sent < want)
			break;
		iov += chunk;
		n -= chunk;
	}
	return taken;
}

void weir_stream_want_write(struct weir_stream *stream)
{
	stream->want_write = true;
	stream_arm(stream);
}

void weir_stream_flush_later(struct weir_stream *stream)
{
	struct net *net = stream->worker->net;

	if (stream->wants_flush || stream->closing)
		return;
	stream->wants_flush = true;
	stream->next_flush = net->flushes;
	net->flushes = stream;
}

void weir_stream_pause(struct weir_stream *stream, bool paused)
{
	stream->paused = paused;
	stream_arm(stream);
}

void weir_stream_shutdown(struct weir_stream *stream)
{
	if (!stream->closing)
		shutdown(stream->fd, SHUT_WR);
}

void weir_stream_close(struct weir_stream *stream)
{
	stream_fail(stream, 0);
}

weir_str weir_stream_peer(const struct weir_stream *stream)
{
	return weir_str_of(stream->peer);
}
