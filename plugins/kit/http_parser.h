/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_parser.h: HTTP/1.1 requests, bytes in, events out.
 *
 * Strict: what two parsers could read in two ways is refused (RFC 9112).  Does
 * no I/O and knows no clock.  The lines of a request go into a head that its
 * caller lends it from http_parser_begin on.
 *
 *	while (len > 0) {
 *		n = http_parser_feed(p, data, len, &event);
 *		data += n, len -= n;
 *		switch (event.type) ...
 *	}
 */
#ifndef KIT_HTTP_PARSER_H
#define KIT_HTTP_PARSER_H

#include "http_head.h"

#define HTTP_MAX_LINE 8192
#define HTTP_MAX_TRAILER 4096	/* all trailer lines together */
#define HTTP_MAX_EXTENSIONS 4096	/* of all chunks of a body together */

#define HTTP_NOT_HTTP (-1)

enum http_event_type {
	HTTP_MORE,	/* everything was eaten; feed again */
	HTTP_HEAD,	/* the headers are complete; a body may follow */
	HTTP_BODY,	/* data, len: a piece of the body, within the input */
	HTTP_DONE,	/* the request is complete; call http_parser_next */
	HTTP_FAIL	/* status and reason are set; nothing more is read */
};

struct http_event {
	enum http_event_type type;
	const uint8_t *data;
	size_t len;
};

enum http_state {
	HTTP_ON_REQUEST, HTTP_ON_HEADER, HTTP_ON_LENGTH, HTTP_ON_SIZE,
	HTTP_ON_EXTENSION, HTTP_ON_SIZE_LF, HTTP_ON_CHUNK, HTTP_ON_CHUNK_CR,
	HTTP_ON_CHUNK_LF, HTTP_ON_TRAILER, HTTP_ON_END, HTTP_ON_FAILURE
};

struct http_parser {
	uint64_t max_body;
	struct http_head *head;	/* lent; complete from HTTP_HEAD on */

	/* From HTTP_HEAD on. */
	uint8_t minor;		/* HTTP/1.x: 0, or 1 for all later ones */
	bool keep_alive;	/* the client would go on */
	bool expects_continue;
	bool chunked;
	bool has_length;
	uint64_t length;	/* Content-Length */
	uint64_t body;		/* bytes of the body so far */

	/* From HTTP_FAIL on.  status 0: close without a word;
	 * HTTP_NOT_HTTP: it is no request at all. */
	int status;
	const char *reason;

	/* The parser's own. */
	enum http_state state;
	uint32_t line;		/* where the present one begins in the head */
	uint64_t left;		/* of the body or the chunk */
	uint32_t digits, extensions, trailer;
	uint32_t n_trailers, n_hosts;
	bool blank;		/* an empty line came before the request */
};

/* Makes ready for a request.  head: an empty one, which must stay until the
 * next begin, and is the caller's to release. */
void http_parser_begin(struct http_parser *p, struct http_head *head,
		       uint64_t max_body);
/* Reads up to the next event; returns the bytes eaten.  len 0 is MORE, or what
 * is due without bytes (DONE of a request without body). */
size_t http_parser_feed(struct http_parser *p, const uint8_t *data, size_t len,
			struct http_event *event);
/* Is the head complete?  (Then a body may still be missing.) */
bool http_parser_has_head(const struct http_parser *p);

#endif
