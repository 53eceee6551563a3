/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_path.c: does a path mean that route?  As Go's ServeMux has it, which the
 * Collector uses: escapes are undone, but an escaped slash is no slash, and an
 * escaped dot is no step.  Pure.
 */
#include "http_conn.h"

static int hex(char ch)
{
	char low = (char)(ch | 32);

	if (ch >= '0' && ch <= '9')
		return ch - '0';
	return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

bool http_path_is_valid(weir_str path)
{
	if (!path.len || path.ptr[0] != '/')
		return false;
	for (size_t i = 0; i < path.len; i++) {
		char ch = path.ptr[i];

		if (ch <= ' ' || ch > '~' || ch == '#')
			return false;
		if (ch == '%' && (path.len - i < 3 ||
				  hex(path.ptr[i + 1]) < 0 ||
				  hex(path.ptr[i + 2]) < 0))
			return false;
	}
	return true;
}

bool http_path_is(weir_str path, weir_str route)
{
	const char *p = path.ptr, *end = p + path.len;

	for (size_t i = 0; i < route.len; i++) {
		int byte;

		if (p == end)
			return false;
		byte = (unsigned char)*p++;
		if (byte == '%' && end - p >= 2 && hex(p[0]) >= 0 &&
		    hex(p[1]) >= 0) {
			byte = hex(p[0]) << 4 | hex(p[1]);
			p += 2;
			if (byte == '/')
				return false;
		}
		if (byte != (unsigned char)route.ptr[i])
			return false;
	}
	return p == end && route.len;
}

size_t http_path_clean(weir_str path, char *out, size_t room)
{
	const char *p = path.ptr, *end = p + path.len;
	size_t len = 0;

	if (path.len && end[-1] == '/')
		return 0;	/* no route ends so, and cleaning keeps it */
	while (p < end) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		weir_str step = { p, (size_t)((slash ? slash : end) - p) };

		p += step.len + (slash != NULL);
		if (!step.len || weir_str_eq(step, WEIR_STR(".")))
			continue;
		if (weir_str_eq(step, WEIR_STR(".."))) {
			while (len && out[--len] != '/')
				;
			continue;
		}
		if (step.len + 2 > room - len)
			return 0;
		out[len++] = '/';
		memcpy(out + len, step.ptr, step.len);
		len += step.len;
	}
	out[len] = '\0';
	return len;
}
