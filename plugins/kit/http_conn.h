/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_conn.h: server, connection and exchange, as the files that serve HTTP
 * share them.
 *
 *	http_server.c	what is configured, and the listener
 *	http_conn.c	the socket of a connection, and its time
 *	http_h1.c	HTTP/1.1 on it
 *	http_h2.c	HTTP/2 on it, on h2_server.c
 *	http_exchange.c	one request, until it is handed over
 *	http_route.c	what it asks for, and whether it may
 *	http_path.c	does a path mean that route?
 *	http_body.c	its body
 *	http_answer.c	its answer
 *	http_cors.c	who may ask from a browser
 *	http_config.c	the keys
 *
 * An exchange lives as long as the peer may hear of it (open) and as long as
 * a handler has it (held); a connection as long as its socket and the last
 * exchange.
 */
#ifndef KIT_HTTP_CONN_H
#define KIT_HTTP_CONN_H

#include "codec_wait.h"
#include "h2_mem.h"
#include "h2_server.h"
#include "http_buf.h"
#include "http_parser.h"

#include <weir/kit/compress.h>
#include <weir/kit/http.h>

#define HTTP_SECOND UINT64_C(1000000000)
#define HTTP_NEVER UINT64_MAX
#define HTTP_SCRATCH (64 << 10)
#define HTTP_BODY_WINDOW (10 * HTTP_SECOND)	/* attacks.md 40: in each */
#define HTTP_BODY_LEAST 4096			/* so many bytes */
#define HTTP_DRAIN (3 * HTTP_SECOND)	/* instead, once the server stops */
#define HTTP_LINGER HTTP_SECOND	/* for the peer to read a refusal */
#define HTTP_REDIRECT 256	/* bytes of a path that is redirected to */
#define HTTP_DISCARDED (64 << 10)	/* a refused body that is read all the same */

/* Nanoseconds; what the configuration says, or our guards. */
struct http_limits {
	uint64_t head, body, write, idle;	/* body 0: the pace rule */
	bool write_whole;	/* write is for the whole answer */
};

struct weir_http_server {
	struct weir_component *c;
	const struct weir_http_server_config *config;
	const struct weir_http_route *routes;
	size_t n_routes;
	size_t max_body;
	struct http_limits limits;
	struct h2_server_limits h2_limits;
	struct h2_mem mem;			/* of the HTTP/2 sessions */
	struct codec_wait codecs;
	bool status_bodies;			/* some route has them */
	bool stopping;
	uint64_t stopped;			/* since when */
	struct http_conn *connections;
	struct weir_http_exchange *spare;	/* a stack */
	size_t n_spare;
	struct http_buf fixed;		/* lines for every answer */
	char encodings[128];		/* "Accept-Encoding: ...\r\n", or "" */
	struct http_buf lines;		/* of the answer being written */
	uint64_t date_at;		/* second of the text below */
	char date[48];
	char bound[128];		/* the address it listens on */
	uint8_t scratch[HTTP_SCRATCH];	/* frames on their way out */
};

enum http_mode { HTTP_UNDECIDED, HTTP_1, HTTP_2 };

struct http_conn {
	struct weir_http_server *server;	/* NULL: it was freed */
	struct weir_stream *stream;		/* NULL: closed */
	struct http_conn *prev, *next;
	struct weir_http_exchange *exchanges;	/* newest first */
	uint32_t n_exchanges;
	enum http_mode mode;
	uint8_t matched;	/* bytes of the HTTP/2 preface seen */
	bool at_eof;		/* the peer sends no more */
	bool lingering;		/* only waits for the peer's FIN */
	struct weir_timer timer;
	uint64_t due;		/* of the timer, while it is set */
	uint64_t since;		/* idle, lingering, or reading a request */
	uint64_t wrote;		/* when the peer last took something */
	uint64_t ticked;	/* when requests under way were looked at */
	struct http_buf out;	/* what the socket did not take */
	struct weir_context *context;	/* of all exchanges, unless metadata */

	/* HTTP/1.1 */
	struct http_parser parser;
	struct weir_http_exchange *x;	/* being read, or in flight */
	struct weir_payload *stash;	/* what was pipelined behind it */
	size_t stash_at, stash_len;
	bool last;		/* the next answer closes */
	bool answered_last;	/* it is on its way */

	/* HTTP/2 */
	struct h2_server *h2;
	size_t owed;		/* bytes of answers that are not framed yet */
	uint64_t noticed;	/* when the peer was asked to go */
	bool last_id_sent;
	bool closing;		/* write what is left, then close */
};

struct weir_http_exchange {
	struct http_conn *conn;
	/* Of the connection; or spare ones. */
	struct weir_http_exchange *prev, *next;
	const struct weir_http_route *route;	/* NULL: none, or not yet */
	struct weir_context *context;		/* its own: with metadata */
	struct weir_payload *body;
	size_t body_len;
	uint64_t announced;	/* Content-Length; 0: not said */
	struct http_text type;	/* content type without parameters */
	enum weir_encoding encoding;
	int verdict;		/* refused with this; 0: it was not */
	bool open, held;
	bool preflight;
	uint64_t began;		/* weir_now() of its first byte */
	uint64_t paced_at;	/* when the window of the pace rule opened */
	uint64_t paced;		/* bytes of the body by then */
	uint64_t received;	/* bytes of the body so far */
	struct weir_outcome refusal;
	struct codec_waiter waiter;	/* held meanwhile */

	/* HTTP/2 */
	int32_t id;
	bool whole, ended, overflow, answered;
	bool at_head;		/* it is being checked */
	uint64_t answered_at;
	struct http_buf reply;
	struct http_head head;
};

struct http_reply {
	int status;
	const char *content_type;	/* NULL: none */
	const char *extra;		/* lines, or NULL */
	weir_str body;
};

/* --- http_server.c -------------------------------------------------------- */

/* A server that does not listen. */
struct weir_http_server *http_server_new(struct weir_component *c,
	const struct weir_http_server_config *config,
	const struct weir_http_route *routes, size_t n);

/* --- http_conn.c ---------------------------------------------------------- */

/* conn is malloc'd, and the server's from here on. */
void http_conn_open(struct http_conn *conn, struct weir_http_server *server,
		    struct weir_stream *stream);
/* Closes without a word; nothing is read or written from here on. */
void http_conn_drop(struct http_conn *conn);
/* FIN; what the peer still sends is thrown away for a moment, so that a reset
 * does not overtake the answer. */
void http_conn_linger(struct http_conn *conn);
/* Writes what waits; false when some of it still does, or the socket broke. */
bool http_conn_write(struct http_conn *conn);
/* The same with bytes that come next; what the socket leaves is kept. */
bool http_conn_send(struct http_conn *conn, const void *bytes, size_t len);
/* When a wait that began then is over: what waits when the server stops has a
 * moment more, and not all of its time. */
uint64_t http_due(const struct weir_http_server *server, uint64_t from,
		  uint64_t allowed);
/* Looks again at when something is due. */
void http_conn_arm(struct http_conn *conn);
/* Nobody can hear anything: what no handler has goes now, the rest when it is
 * answered. */
void http_conn_abandon(struct http_conn *conn);
/* The socket and the last exchange are gone? */
void http_conn_let_go(struct http_conn *conn);

/* --- http_h1.c ------------------------------------------------------------ */

void http_h1_data(struct http_conn *conn, const uint8_t *data, size_t len);
/* Goes as far as it can: writes, then reads what was pipelined. */
void http_h1_pump(struct http_conn *conn);
void http_h1_eof(struct http_conn *conn);
uint64_t http_h1_due(const struct http_conn *conn);
/* Something is due. */
void http_h1_late(struct http_conn *conn, uint64_t now);
void http_h1_stop(struct http_conn *conn);
/* lines: of the head, without framing. */
void http_h1_answer(struct weir_http_exchange *x,
		    const struct http_reply *reply, struct http_buf *lines);
/* A refusal may wait until the (small) body was read, and the connection
 * stay. */
bool http_h1_may_go_on(const struct http_conn *conn);

/* --- http_h2.c ------------------------------------------------------------ */

bool http_h2_open(struct http_conn *conn);
void http_h2_data(struct http_conn *conn, const uint8_t *data, size_t len);
void http_h2_pump(struct http_conn *conn);
void http_h2_eof(struct http_conn *conn);
uint64_t http_h2_due(const struct http_conn *conn);
void http_h2_late(struct http_conn *conn, uint64_t now);
void http_h2_stop(struct http_conn *conn);
/* A refusal waits until the (small) request has ended. */
bool http_h2_may_go_on(const struct weir_http_exchange *x);
void http_h2_answer(struct weir_http_exchange *x,
		    const struct http_reply *reply, struct http_buf *lines);

/* --- http_exchange.c ------------------------------------------------------ */

/* NULL: out of memory. */
struct weir_http_exchange *http_exchange_new(struct http_conn *conn);
/* It may be answered, and gone, after each of these. */
void http_exchange_data(struct weir_http_exchange *x, const uint8_t *data,
			size_t len);
void http_exchange_end(struct weir_http_exchange *x);
/* Memory is out, and it has some without being whole: nothing is read now, so
 * it would keep that, and everyone waiting, until its time is over. */
bool http_exchange_starves(const struct weir_http_exchange *x);
/* Its stream or its handler is done with it: the other may be as well. */
void http_exchange_let_go(struct weir_http_exchange *x);
/* Frees the spare ones. */
void http_exchange_release_spare(struct weir_http_server *server);

/* --- http_route.c --------------------------------------------------------- */

/* The head is complete: routes and checks.  It may be answered, and gone, after
 * each of these. */
void http_exchange_head(struct weir_http_exchange *x);
/* What came cannot be read: finds out what it can, and refuses. */
void http_exchange_garbled(struct weir_http_exchange *x, int status,
			   const char *why);
/* What has come only in part, comes too slowly. */
void http_exchange_late(struct weir_http_exchange *x);

/* --- http_path.c ---------------------------------------------------------- */

/* A path that a request may have: from a slash on, escapes whole. */
bool http_path_is_valid(weir_str path);
bool http_path_is(weir_str path, weir_str route);
/* Without empty steps, "." and ".."; the length, 0: it does not fit, ends
 * with a slash, or nothing is left.  0-terminated. */
size_t http_path_clean(weir_str path, char *out, size_t room);

/* --- http_body.c ---------------------------------------------------------- */

/* false: refused. */
bool http_body_add(struct weir_http_exchange *x, const uint8_t *data,
		   size_t len);
bool http_body_inflate(struct weir_http_exchange *x);
/* The library of its encoding cannot be opened. */
void http_body_unavailable(struct weir_http_exchange *x);

/* --- http_answer.c -------------------------------------------------------- */

void http_answer(struct weir_http_exchange *x, const struct http_reply *reply);
/* Answers with the refusal that x carries. */
void http_answer_refusal(struct weir_http_exchange *x);
/* The kit's own no.  Lets the body go, tells the route's owner; answers now, or
 * when the body was read.  status: HTTP's. */
void http_refuse(struct weir_http_exchange *x, int status,
		 enum weir_status code, enum weir_reason reason,
		 const char *why);
const char *http_phrase(int status);
/* Has this answer a body, or only its length? */
bool http_has_body(const struct weir_http_exchange *x,
		   const struct http_reply *reply);

/* --- http_cors.c ---------------------------------------------------------- */

bool http_cors_is_preflight(const struct weir_http_exchange *x);
/* Adds the lines that CORS asks for; false: out of memory. */
bool http_cors_add(const struct weir_http_exchange *x, struct http_buf *lines);

#endif
