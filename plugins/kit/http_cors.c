/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_cors.c: which web pages may read answers (Fetch standard, "CORS
 * protocol"), as the Collector does it.  Pure.  Must never echo an origin or a
 * header that the configuration does not allow.
 */
#include "http_conn.h"

#define HEADER(x, name, i, value)					\
	http_head_find(&(x)->head, WEIR_STR(name), i, value)

static bool is_on(const struct weir_http_exchange *x)
{
	const struct weir_http_cors_config *cors =
		&x->conn->server->config->cors;

	return cors->enabled && cors->allowed_origins.len;
}

static char lower(char ch)
{
	return ch >= 'A' && ch <= 'Z' ? (char)(ch + ('a' - 'A')) : ch;
}

static bool same(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

/* The first '*' stands for anything. */
static bool matches(weir_str pattern, weir_str origin)
{
	const char *star = memchr(pattern.ptr, '*', pattern.len);
	size_t head, tail;

	if (!star)
		return pattern.len == origin.len &&
		       same(pattern.ptr, origin.ptr, origin.len);
	head = (size_t)(star - pattern.ptr);
	tail = pattern.len - head - 1;
	return origin.len >= head + tail &&
	       same(pattern.ptr, origin.ptr, head) &&
	       same(star + 1, origin.ptr + origin.len - tail, tail);
}

static bool has_star(const struct weir_strs *list)
{
	for (size_t i = 0; i < list->len; i++)
		if (weir_str_eq(list->items[i], WEIR_STR("*")))
			return true;
	return false;
}

static bool allows_origin(const struct weir_http_cors_config *cors,
			  weir_str origin)
{
	for (size_t i = 0; i < cors->allowed_origins.len; i++)
		if (cors->allowed_origins.items[i].len &&
		    matches(cors->allowed_origins.items[i], origin))
			return true;
	return false;
}

static bool allows_method(weir_str method)
{
	return weir_str_eq(method, WEIR_STR("GET")) ||
	       weir_str_eq(method, WEIR_STR("POST")) ||
	       weir_str_eq(method, WEIR_STR("HEAD")) ||
	       weir_str_eq(method, WEIR_STR("OPTIONS"));
}

/* name: as a browser sends it, in lower case. */
static bool allows_header(const struct weir_http_cors_config *cors,
			  weir_str name)
{
	static const weir_str usual[] = {
		{ "accept", 6 }, { "content-type", 12 },
		{ "x-requested-with", 16 },
	};
	const struct weir_strs *allowed = &cors->allowed_headers;

	for (size_t i = 0; !allowed->len && i < 3; i++)
		if (weir_str_eq(name, usual[i]))
			return true;
	for (size_t i = 0; i < allowed->len; i++) {
		weir_str item = allowed->items[i];
		bool good = item.len == name.len;

		for (size_t j = 0; good && j < name.len; j++)
			good = lower(item.ptr[j]) == name.ptr[j];
		if (good)
			return true;
	}
	return false;
}

static int compare(weir_str a, weir_str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static weir_str trim_blank(weir_str text)
{
	if (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
		text.ptr++, text.len--;
	if (text.len && (text.ptr[text.len - 1] == ' ' ||
			 text.ptr[text.len - 1] == '\t'))
		text.len--;
	return text;
}

/* One list of names, which must go up: browsers send them so, and it bounds
 * the work.  *before: the greatest so far. */
static bool allows_list(const struct weir_http_cors_config *cors,
			weir_str list, weir_str *before, unsigned *empty)
{
	for (;;) {
		const char *comma = list.len ? memchr(list.ptr, ',', list.len)
					     : NULL;
		size_t len = comma ? (size_t)(comma - list.ptr) : list.len;
		weir_str name = trim_blank((weir_str){ list.ptr, len });

		if (!name.len && ++*empty > 16)
			return false;
		if (name.len && (compare(name, *before) <= 0 ||
				 !allows_header(cors, name)))
			return false;
		if (name.len)
			*before = name;
		if (!comma)
			return true;
		list.ptr += len + 1;
		list.len -= len + 1;
	}
}

static bool allows_headers(const struct weir_http_exchange *x)
{
	const struct weir_http_cors_config *cors =
		&x->conn->server->config->cors;
	weir_str list, before = { "", 0 };
	unsigned empty = 0;

	if (has_star(&cors->allowed_headers))
		return true;
	for (size_t i = 0; HEADER(x, "access-control-request-headers", i,
				  &list); i++)
		if (!allows_list(cors, list, &before, &empty))
			return false;
	return true;
}

static bool add_line(struct http_buf *lines, const char *name, weir_str value)
{
	return http_buf_puts(lines, name) &&
	       http_buf_add(lines, value.ptr, value.len) &&
	       http_buf_puts(lines, "\r\n");
}

static bool add_origin(const struct weir_http_cors_config *cors,
		       weir_str origin, struct http_buf *lines)
{
	return add_line(lines, "Access-Control-Allow-Origin: ",
			has_star(&cors->allowed_origins) ? WEIR_STR("*")
							 : origin) &&
	       http_buf_puts(lines,
			     "Access-Control-Allow-Credentials: true\r\n");
}

static bool add_max_age(int64_t seconds, struct http_buf *lines)
{
	if (!seconds)
		return true;
	return http_buf_puts(lines, "Access-Control-Max-Age: ") &&
	       http_buf_put_number(lines,
				   seconds > 0 ? (uint64_t)seconds : 0) &&
	       http_buf_puts(lines, "\r\n");
}

static bool add_preflight(const struct weir_http_exchange *x, weir_str origin,
			  struct http_buf *lines)
{
	const struct weir_http_cors_config *cors =
		&x->conn->server->config->cors;
	weir_str method, list;
	bool good;

	if (!HEADER(x, "access-control-request-method", 0, &method) ||
	    !allows_method(method) || !allows_headers(x))
		return true;
	good = add_origin(cors, origin, lines) &&
	       add_line(lines, "Access-Control-Allow-Methods: ", method) &&
	       add_max_age(cors->max_age, lines);
	for (size_t i = 0; good && HEADER(x, "access-control-request-headers",
					  i, &list); i++)
		if (list.len)
			good = add_line(lines, "Access-Control-Allow-Headers: ",
					list);
	return good;
}

static bool add_exposed(const struct weir_strs *exposed,
			struct http_buf *lines)
{
	bool good = true;

	for (size_t i = 0; good && i < exposed->len; i++)
		good = http_buf_puts(lines, i ? ", " :
				     "Access-Control-Expose-Headers: ") &&
		       http_buf_add(lines, exposed->items[i].ptr,
				    exposed->items[i].len);
	return good && (!exposed->len || http_buf_puts(lines, "\r\n"));
}

bool http_cors_is_preflight(const struct weir_http_exchange *x)
{
	weir_str value;

	return is_on(x) &&
	       weir_str_eq(weir_http_method(x), WEIR_STR("OPTIONS")) &&
	       HEADER(x, "access-control-request-method", 0, &value) &&
	       value.len;
}

bool http_cors_add(const struct weir_http_exchange *x, struct http_buf *lines)
{
	const struct weir_http_cors_config *cors =
		&x->conn->server->config->cors;
	weir_str origin;

	if (!is_on(x))
		return true;
	if (!http_buf_puts(lines, x->preflight ?
			   "Vary: Origin, Access-Control-Request-Method, "
			   "Access-Control-Request-Headers\r\n"
			   : "Vary: Origin\r\n"))
		return false;
	if (!HEADER(x, "origin", 0, &origin) || !origin.len ||
	    !allows_origin(cors, origin))
		return true;
	if (x->preflight)
		return add_preflight(x, origin, lines);
	if (!allows_method(weir_http_method(x)))
		return true;
	return add_origin(cors, origin, lines) &&
	       add_exposed(&cors->exposed_headers, lines);
}
