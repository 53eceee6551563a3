/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_proxy.c: HTTPS_PROXY, NO_PROXY and HTTP CONNECT (RFC 9110 9.3.6).
 * Holds nothing.
 */
#include "grpc_proxy.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define DEFAULT_PORT "443"	/* of grpc-go's resolver */

static const char *either(const char *upper, const char *lower)
{
	const char *value = getenv(upper);

	return value && *value ? value : getenv(lower);
}

/* host:port, [host]:port or host; port is "" without one. */
static void split(weir_str text, weir_str *host, weir_str *port)
{
	const char *colon = text.len ? memrchr(text.ptr, ':', text.len) : NULL;
	const char *end = text.ptr + text.len;

	*host = text;
	*port = (weir_str){ "", 0 };
	if (colon && (text.ptr[0] == '[' ? colon[-1] == ']' :
		      !memchr(text.ptr, ':', (size_t)(colon - text.ptr)))) {
		*host = (weir_str){ text.ptr, (size_t)(colon - text.ptr) };
		*port = (weir_str){ colon + 1, (size_t)(end - colon - 1) };
	}
	if (host->len > 2 && host->ptr[0] == '[' &&
	    host->ptr[host->len - 1] == ']')
		*host = (weir_str){ host->ptr + 1, host->len - 2 };
}

/* --- Exemptions --------------------------------------------------------- */

/* As 16 bytes; IPv4 is mapped. */
static bool number(weir_str text, uint8_t out[16])
{
	char copy[INET6_ADDRSTRLEN];

	if (text.len >= sizeof(copy) || !text.len)
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	return inet_pton(AF_INET, copy, out + 12) == 1 ||
	       inet_pton(AF_INET6, copy, out) == 1;
}

static bool same_bits(const uint8_t a[16], const uint8_t b[16], unsigned bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;

	return !memcmp(a, b, whole) &&
	       (!rest || !((a[whole] ^ b[whole]) >> (8 - rest)));
}

/* 10.0.0.0/8 */
static bool in_range(weir_str range, const uint8_t address[16])
{
	const char *slash = memchr(range.ptr, '/', range.len);
	weir_str base;
	uint8_t bytes[16];
	char bits[4] = "";
	unsigned long n;
	size_t len;

	if (!slash)
		return false;
	base = (weir_str){ range.ptr, (size_t)(slash - range.ptr) };
	len = range.len - base.len - 1;
	if (!len || len >= sizeof(bits) || !number(base, bytes))
		return false;
	memcpy(bits, slash + 1, len);
	if (bits[strspn(bits, "0123456789")])
		return false;
	n = strtoul(bits, NULL, 10);
	if (!memchr(base.ptr, ':', base.len))
		n += 96;
	return n <= 128 && same_bits(bytes, address, (unsigned int)n);
}

static bool ends_with(weir_str text, weir_str end)
{
	return text.len >= end.len &&
	       !strncasecmp(text.ptr + text.len - end.len, end.ptr, end.len);
}

/* x.y is itself and all below; .x.y and *.x.y only what is below. */
static bool is_below(weir_str host, weir_str domain)
{
	bool itself = true;

	if (domain.len > 1 && domain.ptr[0] == '*' && domain.ptr[1] == '.')
		domain = (weir_str){ domain.ptr + 1, domain.len - 1 };
	if (domain.len && domain.ptr[0] == '.') {
		itself = false;
		domain = (weir_str){ domain.ptr + 1, domain.len - 1 };
	}
	if (!domain.len || !ends_with(host, domain))
		return false;
	return host.len == domain.len ? itself :
	       host.ptr[host.len - domain.len - 1] == '.';
}

static bool matches(weir_str entry, weir_str host, weir_str port,
		    const uint8_t *address)
{
	weir_str entry_host, entry_port;
	uint8_t bytes[16];

	if (weir_str_eq(entry, WEIR_STR("*")))
		return true;
	if (address && in_range(entry, address))
		return true;
	split(entry, &entry_host, &entry_port);
	if (entry_port.len && !weir_str_eq(entry_port, port))
		return false;
	if (number(entry_host, bytes))
		return address && !memcmp(bytes, address, sizeof(bytes));
	return is_below(host, entry_host);
}

static bool is_loopback(const uint8_t address[16])
{
	static const uint8_t mapped[13] = { [10] = 0xff, [11] = 0xff,
					    [12] = 127 };
	static const uint8_t v6[16] = { [15] = 1 };

	return !memcmp(address, mapped, sizeof(mapped)) ||
	       !memcmp(address, v6, sizeof(v6));
}

bool grpc_proxy_exempt(const char *list, weir_str host, weir_str port)
{
	uint8_t bytes[16];
	const uint8_t *address = number(host, bytes) ? bytes : NULL;

	if (!strncasecmp(host.ptr, "localhost", host.len) && host.len == 9)
		return true;
	if (address && is_loopback(address))
		return true;
	while (list && *list) {
		size_t len = strcspn(list, ",");
		weir_str entry = { list, len };

		while (entry.len && isspace((unsigned char)*entry.ptr))
			entry = (weir_str){ entry.ptr + 1, entry.len - 1 };
		while (entry.len &&
		       isspace((unsigned char)entry.ptr[entry.len - 1]))
			entry.len--;
		if (entry.len && matches(entry, host, port, address))
			return true;
		list += len + (list[len] == ',');
	}
	return false;
}

/* --- The proxy ---------------------------------------------------------- */

/* Of a URL's user:password, %xx decoded. */
static void add_credentials(struct weir_text *request, weir_str userinfo)
{
	struct weir_text plain = { 0 };

	for (size_t i = 0; i < userinfo.len; i++) {
		char hex[3] = "", c = userinfo.ptr[i];

		if (c == '%' && i + 2 < userinfo.len &&
		    isxdigit((unsigned char)userinfo.ptr[i + 1]) &&
		    isxdigit((unsigned char)userinfo.ptr[i + 2])) {
			memcpy(hex, userinfo.ptr + i + 1, 2);
			c = (char)strtol(hex, NULL, 16);
			i += 2;
		}
		weir_text_add(&plain, (weir_str){ &c, 1 });
	}
	if (!memchr(userinfo.ptr, ':', userinfo.len))
		weir_text_add(&plain, WEIR_STR(":"));
	weir_text_add(request, WEIR_STR("Proxy-Authorization: Basic "));
	weir_text_add_base64(request, (weir_str){ plain.ptr, plain.len });
	weir_text_add(request, WEIR_STR("\r\n"));
	weir_text_release(&plain);
}

/* [scheme://][user:password@]host[:port][/...] */
static bool parse(const char *url, weir_str target, struct grpc_proxy *proxy)
{
	const char *scheme = strstr(url, "://");
	const char *begin = scheme ? scheme + 3 : url;
	weir_str authority = { begin, strcspn(begin, "/?#") }, host, port;
	const char *at = memrchr(begin, '@', authority.len);
	weir_str user = { begin, at ? (size_t)(at - begin) : 0 };

	if (at)
		authority = (weir_str){ at + 1,
					authority.len - user.len - 1 };
	split(authority, &host, &port);
	for (size_t i = 0; i < target.len; i++)
		if ((unsigned char)target.ptr[i] <= ' ')
			return false;
	if (!host.len)
		return false;
	weir_text_add(&proxy->address, authority);
	if (!port.len)
		weir_text_add(&proxy->address, WEIR_STR(":" DEFAULT_PORT));
	weir_text_addf(&proxy->request, "CONNECT %.*s HTTP/1.1\r\n"
		       "Host: %.*s\r\nUser-Agent: Weir\r\n",
		       WEIR_STR_FMT(target), WEIR_STR_FMT(target));
	if (user.len)
		add_credentials(&proxy->request, user);
	weir_text_add(&proxy->request, WEIR_STR("\r\n"));
	return true;
}

bool grpc_proxy_find(weir_str target, struct grpc_proxy *proxy)
{
	const char *url = either("HTTPS_PROXY", "https_proxy");
	weir_str host, port;

	if (!url || !*url)
		return false;
	split(target, &host, &port);
	if (!host.len ||
	    grpc_proxy_exempt(either("NO_PROXY", "no_proxy"), host, port))
		return false;
	return parse(url, target, proxy);
}

void grpc_proxy_release(struct grpc_proxy *proxy)
{
	weir_text_release(&proxy->address);
	weir_text_release(&proxy->request);
}

int grpc_proxy_reply(const char *reply, size_t len)
{
	static const char head[] = "HTTP/1.";
	size_t known = len < sizeof(head) - 1 ? len : sizeof(head) - 1;
	const char *end = memmem(reply, len, "\r\n\r\n", 4);

	if (memcmp(reply, head, known) != 0)
		return -1;
	if (!end)
		return len < GRPC_PROXY_REPLY_MAX ? 0 : -1;
	/* "HTTP/1.1 200 " or "HTTP/1.0 200\r" */
	if (end - reply < 12 || memcmp(reply + 8, " 200", 4) != 0 ||
	    (reply[12] != ' ' && reply[12] != '\r'))
		return -1;
	return (int)(end - reply) + 4;
}
