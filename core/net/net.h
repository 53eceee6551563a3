/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net.h: what stream.c, listen.c, connect.c, watch.c and net.c
 * share.
 *
 * A stream is a non-blocking socket under a uv_poll.  From weir_stream_close
 * on it is `closing`: its socket is closed, no callback but `closed` follows,
 * and its memory goes in the loop's closing phase.
 */
#ifndef CORE_NET_H
#define CORE_NET_H

#include "runtime/worker.h"

#include <sys/socket.h>
#include <sys/un.h>

#define NET_READ_BUFFER (256u * 1024)	/* one per worker, shared */
#define NET_READS_PER_TURN 4		/* of one stream: the others' turn */
#define NET_BACKLOG 1024
/* Accepted connections of the process; one more is closed at once. */
#define NET_MAX_CONNECTIONS 65536u
#define NET_PEER_TEXT 112

union address;

struct weir_stream {
	struct weir_stream *next, *prev;	/* net->streams */
	struct weir_stream *next_flush;
	struct worker *worker;
	struct weir_component *c;
	const struct weir_stream_ops *ops;	/* NULL before start */
	void *arg;
	struct weir_connecting *connecting;	/* not yet a connection */
	uv_poll_t poll;
	int fd;
	int events;			/* what the poll is armed for */
	int error;			/* for `closed` */
	bool accepted;			/* counts as a connection, */
	uint32_t seat;			/* of its address */
	bool paused, want_write, wants_flush, at_eof, closing, told;
	char peer[NET_PEER_TEXT];
};

struct net {
	struct worker *worker;
	uint8_t *buffer;		/* NET_READ_BUFFER, on first use */
	struct weir_stream *streams;
	struct weir_stream *flushes;
	struct weir_connecting *connects;
	struct weir_watch *watches;
	bool paused;
};

/* --- stream.c ------------------------------------------------------------- */
/* Takes fd, also on failure (NULL: no memory for the poll). */
struct weir_stream *stream_new(struct worker *worker, struct weir_component *c,
			       int fd, const char *peer);
/* Closes with an errno value for `closed`. */
void stream_fail(struct weir_stream *stream, int error);
/* Closes and tells the owner now instead of in a later turn. */
void stream_forget(struct weir_stream *stream);
/* Arms the poll for what the flags say. */
void stream_arm(struct weir_stream *stream);

/* --- listen.c ------------------------------------------------------------- */
void listen_release(struct worker *worker);

/* --- admit.c -------------------------------------------------------------- */
enum admit_reason { ADMIT_TOTAL, ADMIT_ADDRESS, ADMIT_DESCRIPTORS,
		    ADMIT_REASONS };
/* Before anything is accepted: takes the descriptors that may be had. */
void admit_begin(void);
/* A place for one more connection, which is given back with its seat; false:
 * there is none, and that was counted.  per_address: at most so many of the
 * peer's address at this listener; 0: three quarters of all. */
bool admit_take(const void *listener, const union address *peer,
		uint32_t per_address, uint32_t *seat);
void admit_give(uint32_t seat);	/* any thread */
void admit_refuse(enum admit_reason reason);
uint64_t admit_refused(enum admit_reason reason);

/* --- balance.c ------------------------------------------------------------ */
/* The lowest-numbered worker under half busy that takes connections, else the
 * least busy; NULL when none takes any.  Worker 0 only. */
struct worker *balance_choose(bool (*takes)(const void *arg, uint32_t worker),
			      const void *arg);
void balance_release(void);

/* --- listening.c: a socket that listens, by endpoint and transport -------- */

struct listening {
	char *transport, *endpoint;	/* malloc'd, set before open */
	char *path;			/* of a unix socket, to unlink */
	char bound[128];		/* what it became: "127.0.0.1:4317" */
	int fd;				/* -1: closed */
};
/* -1 and a sentence, "listen tcp :1: bind: permission denied". */
int listening_open(struct listening *l, struct weir_error *error);
/* Twice is fine. */
void listening_close(struct listening *l);
void listening_release(struct listening *l);

/* --- connect.c ------------------------------------------------------------ */
/* The poll of a stream that is not connected yet has news. */
void connect_ready(struct weir_connecting *connecting);
/* Cancels all of c; c NULL: all. */
void connect_forget(struct net *net, const struct weir_component *c);

/* --- watch.c -------------------------------------------------------------- */
/* Ends all of c; c NULL: all. */
void watch_forget(struct net *net, const struct weir_component *c);

/* --- address.c: text and socket addresses; pure but for the resolver ------ */

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_storage storage;
};

struct host_port {
	char host[256];			/* "" for all interfaces */
	char port[32];			/* digits or a service's name */
};
/* Takes "host:port" and "[v6]:port" apart; -1 and a sentence. */
int address_split(weir_str endpoint, struct host_port *out,
		  char *why, size_t size);
/* "127.0.0.1:4317", "[::1]:4317", "unix:/path". */
void address_text(const union address *address, socklen_t len, char *out,
		  size_t size);
/* The path of "unix:path" and "unix:///path"; false when it is none. */
bool address_unix(weir_str endpoint, weir_str *path);
int address_of_path(weir_str path, struct sockaddr_un *out, socklen_t *len);
/* strerror in the words that Go users grep for: lower-case. */
const char *address_strerror(int error, char *out, size_t size);

#endif
