/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy.c: which proxy a request takes.
 *
 * What is configured goes for every host.  Without, the environment decides as
 * it does for Go's client: HTTP_PROXY, HTTPS_PROXY and NO_PROXY in upper or
 * lower case, and never for this machine itself.  Pure but for getenv.
 */
#include "pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const char *environment(const char *upper, const char *lower)
{
	const char *value = getenv(upper);

	if (!value || !*value)
		value = getenv(lower);
	return value ? value : "";
}

/* "localhost", 127.0.0.0/8 and ::1. */
static bool is_here(weir_str host)
{
	if (host.len == 9 && !strncasecmp(host.ptr, "localhost", 9))
		return true;
	if (weir_str_eq(host, WEIR_STR("::1")))
		return true;
	if (host.len < 7 || memcmp(host.ptr, "127.", 4))
		return false;
	for (size_t i = 4; i < host.len; i++)
		if (host.ptr[i] != '.' &&
		    (host.ptr[i] < '0' || host.ptr[i] > '9'))
			return false;
	return true;
}

/* The text between "//" (and a user) and the next of "/?#:". */
static weir_str host_of(weir_str url, bool *https)
{
	const char *end = url.ptr + url.len, *p = url.ptr;
	const char *stop, *at;

	*https = url.len > 8 && !strncasecmp(p, "https://", 8);
	p += *https ? 8 : url.len > 7 ? 7 : url.len;
	for (stop = p; stop < end && !memchr("/?#", *stop, 3); stop++)
		;
	at = memrchr(p, '@', (size_t)(stop - p));
	if (at)
		p = at + 1;
	if (p < stop && *p == '[') {
		at = memchr(p, ']', (size_t)(stop - p));
		return (weir_str){ p + 1, at ? (size_t)(at - p - 1) : 0 };
	}
	at = memchr(p, ':', (size_t)(stop - p));
	return (weir_str){ p, (size_t)((at ? at : stop) - p) };
}

void proxy_set(CURL *easy, weir_str configured, weir_str url)
{
	char text[2048];
	bool https;
	weir_str host = host_of(url, &https);

	if (configured.len) {
		snprintf(text, sizeof(text), "%.*s", WEIR_STR_FMT(configured));
		curl_easy_setopt(easy, CURLOPT_PROXY, text);
		curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
		return;
	}
	/* "" also keeps libcurl from looking for itself. */
	curl_easy_setopt(easy, CURLOPT_PROXY,
		is_here(host) ? "" :
		https ? environment("HTTPS_PROXY", "https_proxy")
		      : environment("HTTP_PROXY", "http_proxy"));
	curl_easy_setopt(easy, CURLOPT_NOPROXY,
			 environment("NO_PROXY", "no_proxy"));
}
