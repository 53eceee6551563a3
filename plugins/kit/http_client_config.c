/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_client_config.c: the keys of an HTTP client, and what their rows cannot
 * say.  Texts are the Collector's where it has one.  Pure.  Must never let a
 * client send to a server whose certificate nobody looks at.
 */
#include "config_check.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>
#include <weir/kit/http_client.h>

#define MOST_HEADERS 100

static const struct weir_field params_fields[] = {
	WEIR_FIELD(struct weir_http_compression_params, level, "0",
		   "gzip, zlib, deflate: -2 to 9; zstd: any; 0: the default."),
	WEIR_END
};

static const struct weir_field cookies_fields[] = {
	WEIR_FIELD(struct weir_http_cookies, enabled, "false",
		   "Keep the server's cookies, in memory, and send them back."),
	WEIR_END
};

const struct weir_field weir_http_client_fields[] = {
	WEIR_FIELD(struct weir_http_client_config, endpoint, NULL,
		   "The URL of the server."),
	WEIR_FIELD(struct weir_http_client_config, compression, "",
		   "Of requests: gzip, zstd, zlib, deflate, snappy, "
		   "x-snappy-framed, lz4 or none."),
	WEIR_BLOCK(struct weir_http_client_config, compression_params,
		   params_fields, "How much is spent on compression."),
	WEIR_FIELD(struct weir_http_client_config, headers, NULL,
		   "Headers to send with every request."),
	WEIR_FIELD(struct weir_http_client_config, proxy_url, "",
		   "The proxy to send through; default: the environment's "
		   "HTTP_PROXY, HTTPS_PROXY and NO_PROXY."),
	WEIR_FIELD(struct weir_http_client_config, read_buffer_size, "0",
		   "Bytes read at a time; 0: 16 KiB."),
	WEIR_FIELD(struct weir_http_client_config, write_buffer_size, "0",
		   "Bytes written at a time; 0: 64 KiB."),
	WEIR_FIELD(struct weir_http_client_config, max_idle_conns, "100",
		   "Idle connections that a worker keeps; 0: no limit."),
	WEIR_FIELD(struct weir_http_client_config, max_idle_conns_per_host,
		   "0", "The same for one host; 0: max_idle_conns."),
	WEIR_FIELD(struct weir_http_client_config, max_conns_per_host, "0",
		   "Requests at a time to one host, in the whole process; 0: "
		   "no limit."),
	WEIR_FIELD(struct weir_http_client_config, idle_conn_timeout, "90s",
		   "A connection that was idle so long is not used again; 0: "
		   "no limit."),
	WEIR_FIELD(struct weir_http_client_config, disable_keep_alives,
		   "false", "A connection for every request."),
	WEIR_FIELD(struct weir_http_client_config, force_attempt_http2, "true",
		   "Speak HTTP/2 to an https server that can."),
	WEIR_FIELD(struct weir_http_client_config, http2_read_idle_timeout,
		   "0s", "Accepted; TCP finds a dead connection within 20 s."),
	WEIR_FIELD(struct weir_http_client_config, http2_ping_timeout, "0s",
		   "Accepted, without effect."),
	WEIR_BLOCK(struct weir_http_client_config, cookies, cookies_fields,
		   "Cookies of the server."),
	WEIR_FIELD(struct weir_http_client_config, tls, NULL,
		   "https is verified by the system's authorities; other "
		   "settings are not available yet."),
	WEIR_FIELD(struct weir_http_client_config, auth, NULL,
		   "Not available yet: refused."),
	WEIR_FIELD(struct weir_http_client_config, middlewares, NULL,
		   "Not available yet: refused."),
	WEIR_END
};

/* --- URLs ----------------------------------------------------------------- */

/* "[::1]:4318" and "host:4318"; a port is digits. */
static int split_authority(weir_str text, struct weir_http_url *url,
			   struct weir_error *error)
{
	const char *end = text.ptr + text.len, *colon;
	const char *at = memrchr(text.ptr, '@', text.len);
	const char *from = at ? at + 1 : text.ptr, *close;
	uint32_t port = 0;

	close = from < end && *from == '[' ?
		memchr(from, ']', (size_t)(end - from)) : NULL;
	colon = memrchr(close ? close : from, ':',
			(size_t)(end - (close ? close : from)));
	url->host = close ? (weir_str){ from + 1, (size_t)(close - from - 1) }
			  : (weir_str){ from, (size_t)((colon ? colon : end) -
						       from) };
	url->port = WEIR_STR("");
	if (!url->host.len)
		return weir_fail(error, NULL, "no host in the URL");
	if (!colon)
		return 0;
	url->port = (weir_str){ colon + 1, (size_t)(end - colon - 1) };
	for (size_t i = 0; i < url->port.len && port < 65536; i++)
		port = isdigit((unsigned char)url->port.ptr[i])
			? port * 10 + (uint32_t)(url->port.ptr[i] - '0')
			: 65536;
	if (port < 65536)
		return 0;
	return weir_fail(error, NULL, "invalid port \"%.*s\" in the URL",
			 WEIR_STR_FMT(url->port));
}

static bool is_clean(weir_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
			return false;
	return true;
}

/* RFC 3986 2.1: a percent sign begins an escape. */
static bool has_good_escapes(weir_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '%' &&
		    (text.len - i < 3 || !isxdigit((unsigned char)text.ptr[i + 1]) ||
		     !isxdigit((unsigned char)text.ptr[i + 2])))
			return false;
	return true;
}

const char *weir_http_url_shown(weir_str url, char *out, size_t size)
{
	const char *from = url.len ? url.ptr : "", *end = from + url.len;
	const char *head = from, *scheme = memmem(from, url.len, "://", 3);
	const char *stop, *at, *ask;

	if (scheme)
		from = scheme + 3;
	for (stop = from; stop < end && !memchr("/?#", *stop, 3); stop++)
		;
	at = memrchr(from, '@', (size_t)(stop - from));
	ask = memchr(stop, '?', (size_t)(end - stop));
	if (ask)
		end = ask + 1;
	snprintf(out, size, "%.*s%s%.*s%s", (int)(from - head), head,
		 at ? "***" : "", (int)(end - (at ? at : from)),
		 at ? at : from, ask ? "***" : "");
	return out;
}

int weir_http_url_parse(weir_str text, struct weir_http_url *url,
			struct weir_error *error)
{
	static const weir_str schemes[] = {
		{ "http://", 7 }, { "https://", 8 }
	};
	char shown[200];
	size_t i = 0, n;

	*url = (struct weir_http_url){ 0 };
	if (!is_clean(text))
		return weir_fail(error, NULL, "a blank or a control character "
				 "in the URL");
	if (!has_good_escapes(text))
		return weir_fail(error, NULL, "invalid URL escape in \"%s\"",
				 weir_http_url_shown(text, shown,
						     sizeof(shown)));
	while (i < 2 && (text.len < schemes[i].len ||
			 strncasecmp(text.ptr, schemes[i].ptr, schemes[i].len)))
		i++;
	if (i == 2)
		return weir_fail(error, NULL, "the URL \"%s\" does not begin "
				 "with http:// or https://",
				 weir_http_url_shown(text, shown,
						     sizeof(shown)));
	url->scheme = (weir_str){ schemes[i].ptr, schemes[i].len - 3 };
	text.ptr += schemes[i].len;
	text.len -= schemes[i].len;
	for (n = 0; n < text.len && !memchr("/?#", text.ptr[n], 3); n++)
		;
	url->path = (weir_str){ text.ptr + n, text.len - n };
	for (i = 0; i < url->path.len && !memchr("?#", url->path.ptr[i], 2);
	     i++)
		;
	url->path.len = i;
	return split_authority((weir_str){ text.ptr, n }, url, error);
}

/* --- What the rows cannot say --------------------------------------------- */

static int check_compression(const struct weir_http_client_config *config,
			     struct weir_error *error)
{
	weir_str name = config->compression;
	int64_t level = config->compression_params.level;
	enum weir_encoding encoding = weir_encoding_parse(name);

	if (weir_str_eq(name, WEIR_STR("none")))
		encoding = WEIR_ENCODING_IDENTITY;
	else if (encoding == WEIR_ENCODING_UNKNOWN ||
		 weir_str_eq(name, WEIR_STR("identity")))
		return weir_fail(error, "compression", "unsupported "
				 "compression type \"%.*s\"",
				 (int)(name.len < 100 ? name.len : 100),
				 name.ptr);
	if (weir_encoding_open(encoding, error))
		return weir_fail(error, "compression", "%.*s needs a library "
				 "that is not there: %.200s",
				 WEIR_STR_FMT(name), error->text);
	if (!level || encoding == WEIR_ENCODING_ZSTD ||
	    encoding == WEIR_ENCODING_IDENTITY)
		return 0;
	if ((encoding == WEIR_ENCODING_GZIP ||
	     encoding == WEIR_ENCODING_ZLIB) && level >= -2 && level <= 9)
		return 0;
	return weir_fail(error, "compression_params", "unsupported parameters "
			 "{Level:%" PRId64 "} for compression type \"%.*s\"",
			 level, WEIR_STR_FMT(name));
}

/* RFC 9110 5.6.2 */
static bool is_token(weir_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum((unsigned char)name.ptr[i]) &&
		    !memchr("!#$%&'*+-.^_`|~", name.ptr[i], 15))
			return false;
	return name.len > 0;
}

static bool is_value(weir_str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (((unsigned char)value.ptr[i] < ' ' &&
		     value.ptr[i] != '\t') || value.ptr[i] == 0x7f)
			return false;
	return true;
}

/* What would break out of its line is said here, not at every request. */
static int check_headers(const struct weir_pairs *pairs,
			 struct weir_error *error)
{
	if (pairs->len > MOST_HEADERS)
		return weir_fail(error, "headers", "more than %d headers",
				 MOST_HEADERS);
	for (size_t i = 0; i < pairs->len; i++) {
		weir_str name = pairs->items[i].name;

		if (!is_token(name))
			return weir_fail(error, "headers", "invalid header "
					 "name \"%.*s\"",
					 (int)(name.len < 100 ? name.len : 100),
					 name.ptr);
		if (!is_value(pairs->items[i].value.text))
			return weir_fail(error, "headers", "the value of %.*s "
					 "holds a control character",
					 (int)(name.len < 100 ? name.len : 100),
					 name.ptr);
	}
	return 0;
}

/* `insecure` says nothing to an HTTP client: the scheme decides. */
static int check_tls(const struct weir_node *tls, struct weir_error *error)
{
	for (size_t i = 0; i < weir_node_len(tls); i++) {
		weir_str key = weir_node_key(tls, i);
		const struct weir_node *value = weir_node_at(tls, i);

		if (weir_node_kind(value) == WEIR_NODE_BOOL &&
		    (weir_str_eq(key, WEIR_STR("insecure")) ||
		     !weir_node_bool(value)))
			continue;
		return weir_fail(error, "tls", "TLS settings are not available "
				 "yet: https:// is verified by the system's "
				 "authorities, and only `insecure` is "
				 "understood here");
	}
	return 0;
}

static int check_proxy(weir_str text, struct weir_error *error)
{
	struct weir_http_url url;
	struct weir_error why;

	if (!text.len ||
	    (text.len > 9 && !strncasecmp(text.ptr, "socks5://", 9)))
		return 0;
	if (text.len > 2000)
		return weir_fail(error, "proxy_url", "too long");
	if (weir_http_url_parse(text, &url, &why))
		return weir_fail(error, "proxy_url", "%s", why.text);
	return 0;
}

int weir_http_client_validate(const struct weir_http_client_config *config,
			      struct weir_error *error)
{
	if (check_compression(config, error) ||
	    check_headers(&config->headers, error) ||
	    check_tls(config->tls, error) ||
	    check_proxy(config->proxy_url, error))
		return -1;
	if (is_given(config->auth))
		return weir_fail(error, "auth", "authentication is not "
				 "available yet: take the block out");
	if (is_given(config->middlewares))
		return weir_fail(error, "middlewares",
				 "middlewares are not available");
	return 0;
}
