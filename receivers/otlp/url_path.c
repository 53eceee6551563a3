/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url_path.c: the path part of a URL.
 *
 * The Collector parses what is configured as a URL and takes its path, so
 * "v1/tr?x=1" is "/v1/tr" and "http://h/a" is "/a".  The sentences are those of
 * Go's net/url.  Pure.
 */
#include "otlp.h"

static int hex(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	ch |= 32;
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* Length of the scheme before a colon, 0: there is none, -1: it is empty. */
static int scheme_of(weir_str url)
{
	for (size_t i = 0; i < url.len; i++) {
		char ch = url.ptr[i], low = (char)(ch | 32);

		if (low >= 'a' && low <= 'z')
			continue;
		if (ch == ':')
			return i ? (int)i : -1;
		if (!i || !((ch >= '0' && ch <= '9') || ch == '+' ||
			    ch == '-' || ch == '.'))
			return 0;
	}
	return 0;
}

static weir_str before(weir_str text, char mark)
{
	const char *at = text.len ? memchr(text.ptr, mark, text.len) : NULL;

	if (at)
		text.len = (size_t)(at - text.ptr);
	return text;
}

static weir_str behind(weir_str text, size_t n)
{
	return (weir_str){ text.ptr + n, text.len - n };
}

/* %41 becomes A. */
static const char *unescape(weir_str path, char *out)
{
	while (path.len) {
		if (*path.ptr != '%') {
			*out++ = *path.ptr;
			path = behind(path, 1);
			continue;
		}
		if (path.len < 3 || hex(path.ptr[1]) < 0 ||
		    hex(path.ptr[2]) < 0)
			return "invalid URL escape";
		*out = (char)(hex(path.ptr[1]) << 4 | hex(path.ptr[2]));
		if (!*out++)
			return "a path cannot hold NUL";
		path = behind(path, 3);
	}
	*out = '\0';
	return NULL;
}

const char *otlp_url_path(weir_str url, char *out)
{
	weir_str rest = before(url, '#');
	int scheme;

	for (size_t i = 0; i < url.len; i++)
		if ((unsigned char)url.ptr[i] < ' ' || url.ptr[i] == 0x7f)
			return "net/url: invalid control character in URL";
	scheme = scheme_of(rest);
	if (scheme < 0)
		return "missing protocol scheme";
	if (scheme)
		rest = behind(rest, (size_t)scheme + 1);
	rest = before(rest, '?');
	if (scheme && (!rest.len || *rest.ptr != '/'))
		rest.len = 0;		/* opaque: it has no path */
	if (memchr(before(rest, '/').ptr, ':', before(rest, '/').len))
		return "first path segment in URL cannot contain colon";
	if (rest.len > 1 && !memcmp(rest.ptr, "//", 2) &&
	    (scheme || rest.len == 2 || rest.ptr[2] != '/')) {
		rest = behind(rest, 2);		/* the host */
		rest = behind(rest, before(rest, '/').len);
	}
	if (!rest.len || *rest.ptr != '/')
		*out++ = '/';
	return unescape(rest, out);
}
