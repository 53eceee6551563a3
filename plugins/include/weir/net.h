/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net.h: listeners and streams.
 *
 * Listening sockets belong to core: they are bound before a component starts,
 * survive reloads, and hand each new connection to the least busy worker.  A
 * stream does not buffer: it reads into the worker's buffer and shows what
 * came, and writes what the socket takes now.  All calls on the stream's
 * thread; no callback runs from inside a call.
 */
#ifndef WEIR_NET_H
#define WEIR_NET_H

#include <weir/base.h>
#include <weir/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_component;
struct weir_stream;

struct weir_iovec {
	const void *ptr;
	size_t len;
};

struct weir_stream_ops {
	/* Bytes came; data dies with the call.  Read in pieces of up to
	 * 256 KiB. */
	void (*data)(struct weir_stream *stream, void *arg,
		     const uint8_t *data, size_t len);
	/* The socket takes bytes again (after weir_stream_want_write). */
	void (*writable)(struct weir_stream *stream, void *arg);
	/* The turn in which weir_stream_flush_later was called ends: write. */
	void (*flush)(struct weir_stream *stream, void *arg);
	/* The peer has sent all it will (FIN); writing still works. */
	void (*eof)(struct weir_stream *stream, void *arg);
	/* The last callback, exactly once, whoever closed; error: an errno
	 * value, 0 for an orderly end.  The stream is gone after it. */
	void (*closed)(struct weir_stream *stream, void *arg, int error);
};

/* --- Servers ------------------------------------------------------------------ */

struct weir_listener {		/* what a component says in `listen` */
	weir_str endpoint;	/* "localhost:4317", ":4317", or a path */
	weir_str transport;	/* "tcp", "tcp4", "tcp6", "unix" */
	/* Connections of one address (IPv6: of one /64) at a time; one more is
	 * closed at once.  0: three quarters of what the process may have. */
	uint32_t max_per_address;
	/* A connection for this worker's instance: call weir_stream_start
	 * before returning, or it is closed. */
	void (*accept)(struct weir_component *c, struct weir_stream *stream,
		       void *arg);
	void *arg;
};
/* Binds (once per process and address, on the first call) and, from the end of
 * start on, accepts.  From `start` only.  -1 and a sentence when the address
 * is bad or taken.  bound (may be NULL, 128 bytes): "127.0.0.1:4317". */
WEIR_API int weir_listen(struct weir_component *c,
			 const struct weir_listener *listener, char *bound,
			 struct weir_error *error);
/* Could such a listener be?  For `validate`: what is wrong whatever the machine
 * is like, no port or a bracket that is not closed; asks no resolver.  -1 and
 * a sentence whose path is "endpoint". */
WEIR_API int weir_listen_check(weir_str endpoint, weir_str transport,
			       struct weir_error *error);
/* Stops taking new connections on all of c's listeners (drain). */
WEIR_API void weir_unlisten(struct weir_component *c);

/* --- Clients ------------------------------------------------------------------- */

/* Connects; names are resolved on the thread pool.  endpoint "host:port" or
 * "unix:path"/"unix:///path".  opened runs when it stands (call
 * weir_stream_start in it); otherwise failed, once, with an errno value or a
 * negative resolver error.  timeout 0: the kernel's. */
struct weir_connect {
	weir_str endpoint;
	weir_duration timeout;
	void (*opened)(struct weir_component *c, struct weir_stream *stream,
		       void *arg);
	void (*failed)(struct weir_component *c, int error, const char *text,
		       void *arg);
	void *arg;
};
struct weir_connecting;
/* Never NULL; the request is copied.  cancel: neither callback runs. */
WEIR_API struct weir_connecting *weir_connect(struct weir_component *c,
					      const struct weir_connect *how);
WEIR_API void weir_connect_cancel(struct weir_connecting **connecting);

/* --- Streams --------------------------------------------------------------------- */

/* Sets the callbacks (which must outlive the stream) and begins to read. */
WEIR_API void weir_stream_start(struct weir_stream *stream,
				const struct weir_stream_ops *ops, void *arg);
/* Writes what the socket takes now: bytes taken, 0 when it is full, -1 when
 * the stream is broken (closed follows). */
WEIR_API int64_t weir_stream_writev(struct weir_stream *stream,
				    const struct weir_iovec *iov, size_t n);
/* Asks for one `writable`. */
WEIR_API void weir_stream_want_write(struct weir_stream *stream);
/* Asks for one `flush` at the end of this turn of the loop. */
WEIR_API void weir_stream_flush_later(struct weir_stream *stream);
/* Stops and starts reading (back-pressure). */
WEIR_API void weir_stream_pause(struct weir_stream *stream, bool paused);
/* Half-close: FIN after what was written. */
WEIR_API void weir_stream_shutdown(struct weir_stream *stream);
/* Closes; `closed` runs in a later turn.  Twice is fine. */
WEIR_API void weir_stream_close(struct weir_stream *stream);
/* "127.0.0.1:51234"; lives as long as the stream. */
WEIR_API weir_str weir_stream_peer(const struct weir_stream *stream);

/* --- Descriptors that a library owns --------------------------------------------- */

/* A library that opens its own sockets (libcurl) hears from here when they are
 * ready.  The descriptor stays the library's: it outlives the watch. */
struct weir_watch;
enum weir_watch_event { WEIR_WATCH_READ = 1, WEIR_WATCH_WRITE = 2 };

/* ready runs in turns of its own for as long as what was asked for is true;
 * events: a mask of enum weir_watch_event.  An error counts as all of them, so
 * that the library meets it in its next call.  Nothing is asked for at first.
 * NULL: the descriptor cannot be watched.  One watch a descriptor. */
WEIR_API struct weir_watch *weir_watch_new(struct weir_component *c, int fd,
	void (*ready)(struct weir_component *c, int fd, unsigned int events,
		      void *arg),
	void *arg);
/* Changes what is asked for; 0: nothing. */
WEIR_API void weir_watch_set(struct weir_watch *watch, unsigned int events);
/* Before the descriptor is closed: ready does not run again.  Leaves NULL.
 * What is left core ends behind the component's destroy. */
WEIR_API void weir_watch_free(struct weir_watch **watch);

#ifdef __cplusplus
}
#endif
#endif
