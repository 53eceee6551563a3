/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_text.c: what JSON strings stand for (weir/json.h).
 *
 * Works on text that the scanner has passed, so an escape is whole.  Pure.
 */
#include <weir/json.h>

#include "utf8.h"

/* Four digits that are known to be hexadecimal. */
static uint32_t hex4(const char *p)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++) {
		uint32_t c = (unsigned char)p[i];

		v = v << 4 | ((c & 15) + (c >> 6) * 9);
	}
	return v;
}

static char *put_character(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char)c;
		return out;
	}
	if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*out++ = (char)(0xe0 | c >> 12);
		} else {
			*out++ = (char)(0xf0 | c >> 18);
			*out++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (c & 0x3f));
	return out;
}

/* p: behind "\u".  Returns what is behind the character.  A pair is two
 * escapes, high half first; a half alone has no character. */
static const char *put_unicode(const char *p, const char *end, char **out)
{
	uint32_t c = hex4(p), low;

	p += 4;
	if (c >= 0xd800 && c < 0xdc00 && end - p >= 6 && p[0] == '\\' &&
	    p[1] == 'u') {
		low = hex4(p + 2);
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			p += 6;
		}
	}
	if (c >= 0xd800 && c < 0xe000)
		c = 0xfffd;
	*out = put_character(*out, c);
	return p;
}

static char plain_escape(char c)
{
	switch (c) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:	/* quote, backslash, slash */
		return c;
	}
}

/* p: at a backslash.  Returns what is behind the escape. */
static const char *put_escape(const char *p, const char *end, char **out)
{
	if (p[1] == 'u')
		return put_unicode(p + 2, end, out);
	*(*out)++ = plain_escape(p[1]);
	return p + 2;
}

size_t weir_json_unescape(weir_str text, char *out)
{
	const char *p = text.ptr, *end = p + text.len, *slash;
	char *to = out;

	while (p < end) {
		slash = memchr(p, '\\', (size_t)(end - p));
		if (!slash)
			slash = end;
		memcpy(to, p, (size_t)(slash - p));
		to += slash - p;
		p = slash;
		while (p < end && *p == '\\')
			p = put_escape(p, end, &to);
	}
	return (size_t)(to - out);
}

size_t weir_json_unescape_utf8(weir_str text, char *out)
{
	const char *p = text.ptr, *end = p + text.len;
	size_t n, bad;
	char *to = out;

	if (weir_json_utf8_ok(text))
		return weir_json_unescape(text, out);
	while (p < end) {
		if (*p == '\\') {
			p = put_escape(p, end, &to);
			continue;
		}
		n = utf8_character((const uint8_t *)p, (const uint8_t *)end,
				   &bad);
		if (n) {
			memcpy(to, p, n);
			to += n;
			p += n;
		} else {
			to = put_character(to, 0xfffd);
			p += bad;
		}
	}
	return (size_t)(to - out);
}

bool weir_json_utf8_ok(weir_str text)
{
	const uint8_t *p = (const uint8_t *)text.ptr;

	return utf8_ascii_long(p, text.len) || utf8_valid_slow(p, text.len);
}
