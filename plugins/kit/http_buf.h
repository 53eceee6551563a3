/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_buf.h: bytes that grow at the end and are taken from the front.
 */
#ifndef KIT_HTTP_BUF_H
#define KIT_HTTP_BUF_H

#include <weir/base.h>

struct http_buf {		/* all zero: empty */
	char *ptr;
	size_t at, len, cap;	/* from at to len there is something */
};

/* false when memory fails: a peer may choose the size. */
bool http_buf_add(struct http_buf *buf, const void *ptr, size_t len);
bool http_buf_puts(struct http_buf *buf, const char *text);
bool http_buf_put_number(struct http_buf *buf, uint64_t number);
/* Empty again; keeps a small allocation. */
void http_buf_clear(struct http_buf *buf);
void http_buf_release(struct http_buf *buf);

static inline size_t http_buf_waits(const struct http_buf *buf)
{
	return buf->len - buf->at;
}

#endif
