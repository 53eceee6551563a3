/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_buf.c: bytes that grow at the end and are taken from the front.  Pure.
 */
#include "http_buf.h"

#include <stdlib.h>

#define FIRST_ROOM 512
#define KEPT_ROOM 1024		/* what an idle connection may cost */

bool http_buf_add(struct http_buf *buf, const void *ptr, size_t len)
{
	if (len > buf->cap - buf->len) {
		size_t cap = buf->cap ? buf->cap : FIRST_ROOM;
		char *grown;

		while (cap - buf->len < len) {
			if (cap > SIZE_MAX / 2)
				return false;
			cap *= 2;
		}
		grown = realloc(buf->ptr, cap);
		if (!grown)
			return false;
		buf->ptr = grown;
		buf->cap = cap;
	}
	if (len)
		memcpy(buf->ptr + buf->len, ptr, len);
	buf->len += len;
	return true;
}

bool http_buf_puts(struct http_buf *buf, const char *text)
{
	return http_buf_add(buf, text, strlen(text));
}

bool http_buf_put_number(struct http_buf *buf, uint64_t number)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return http_buf_add(buf, digits + at, sizeof(digits) - at);
}

void http_buf_clear(struct http_buf *buf)
{
	if (buf->cap > KEPT_ROOM)
		http_buf_release(buf);
	buf->at = buf->len = 0;
}

void http_buf_release(struct http_buf *buf)
{
	free(buf->ptr);
	*buf = (struct http_buf){ 0 };
}
