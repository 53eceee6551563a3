/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_head.h: request line and headers as one piece of text.
 *
 * Both protocols write into it, so that what reads a request need not know
 * which one brought it.  Names are in lower case.  Text handed out points into
 * it and is good until it is cleared or grows.
 */
#ifndef KIT_HTTP_HEAD_H
#define KIT_HTTP_HEAD_H

#include <weir/plugin.h>

#define HTTP_MAX_HEADERS 100
#define HTTP_MAX_HEAD 16384	/* request line and headers, CRLFs included */

struct http_text {		/* offset and length in the text */
	uint16_t at, len;
};

struct http_head {		/* all zero: empty */
	struct weir_component *c;	/* who is charged for a large one */
	char *text;
	struct weir_payload *large;	/* text is its bytes; NULL: malloc's */
	uint32_t used, cap;
	bool starved;			/* memory failed */
	struct http_text method, path, query;
	uint32_t n;
	struct { struct http_text name, value; } headers[HTTP_MAX_HEADERS];
};

/* Empty again; keeps a small buffer for the next one. */
void http_head_clear(struct http_head *head);
void http_head_release(struct http_head *head);
/* Room for len more bytes behind `used`; false: out of memory. */
bool http_head_room(struct http_head *head, size_t len);
/* Appends text, and a header; false when there is no room or no memory. */
bool http_head_keep(struct http_head *head, weir_str text,
		    struct http_text *kept);
bool http_head_add(struct http_head *head, weir_str name, weir_str value);
/* Cuts "/path?query" in two. */
void http_head_target(struct http_head *head, struct http_text target);

weir_str http_head_text(const struct http_head *head, struct http_text text);
/* The i-th value of a header, lower-case name. */
bool http_head_find(const struct http_head *head, weir_str name, size_t i,
		    weir_str *value);
/* Is text that word (lower case) in any case? */
bool http_same_word(weir_str text, const char *word);

#endif
