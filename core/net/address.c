/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address.c: endpoints as text and as socket addresses.  Holds nothing, asks
 * no resolver.
 */
#include "net.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static int split_fail(char *why, size_t size, weir_str endpoint,
		      const char *what)
{
	snprintf(why, size, "address %.*s: %s", WEIR_STR_FMT(endpoint), what);
	return -1;
}

static int copy(char *out, size_t size, const char *from, const char *to)
{
	size_t len = (size_t)(to - from);

	if (len >= size || memchr(from, '\0', len))
		return -1;
	memcpy(out, from, len);
	out[len] = '\0';
	return 0;
}

/* A name of a service, or a number: resolvers cut that to 16 bits. */
static bool is_port(const char *port)
{
	if (port[strspn(port, "0123456789")])
		return true;
	return strlen(port) <= 5 && strtol(port, NULL, 10) <= UINT16_MAX;
}

/* Services that the Collector knows without the system's list, which a small
 * image does not have. */
static const struct { const char *name, *port; } services[] = {
	{ "ftp", "21" }, { "ftps", "990" }, { "gopher", "70" },
	{ "http", "80" }, { "https", "443" }, { "imap2", "143" },
	{ "imap3", "220" }, { "imaps", "993" }, { "pop3", "110" },
	{ "pop3s", "995" }, { "smtp", "25" }, { "submissions", "465" },
	{ "ssh", "22" }, { "telnet", "23" },
};

static void number_of_service(char *port, size_t size)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++)
		if (!strcasecmp(port, services[i].name))
			snprintf(port, size, "%s", services[i].port);
}

int address_split(weir_str endpoint, struct host_port *out,
		  char *why, size_t size)
{
	const char *host = endpoint.ptr, *end = host + endpoint.len;
	const char *colon = endpoint.len ? memrchr(host, ':', endpoint.len)
					 : NULL;
	const char *host_end = colon;

	if (!colon)
		return split_fail(why, size, endpoint,
				  "missing port in address");
	if (*host == '[') {
		const char *bracket = memchr(host, ']', endpoint.len);

		if (!bracket)
			return split_fail(why, size, endpoint,
					  "missing ']' in address");
		if (bracket + 1 == end)
			return split_fail(why, size, endpoint,
					  "missing port in address");
		if (bracket + 1 != colon)
			return split_fail(why, size, endpoint,
					  "too many colons in address");
		host++;
		host_end = bracket;
	} else if (memchr(host, ':', (size_t)(colon - host))) {
		return split_fail(why, size, endpoint,
				  "too many colons in address");
	}
	/* Go reads a sign before a number. */
	if (end - colon > 2 && colon[1] == '+' && isdigit((unsigned char)colon[2]))
		colon++;
	if (copy(out->host, sizeof(out->host), host, host_end) ||
	    copy(out->port, sizeof(out->port), colon + 1, end))
		return split_fail(why, size, endpoint, "too long");
	number_of_service(out->port, sizeof(out->port));
	if (!is_port(out->port))
		return split_fail(why, size, endpoint, "invalid port");
	return 0;
}

void address_text(const union address *address, socklen_t len, char *out,
		  size_t size)
{
	const void *raw = &address->storage;
	const struct sockaddr_in *v4 = raw;
	const struct sockaddr_in6 *v6 = raw;
	char host[INET6_ADDRSTRLEN] = "";

	switch (address->any.sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		snprintf(out, size, "%s:%u", host, ntohs(v4->sin_port));
		return;
	case AF_INET6:
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
			inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, host,
				  sizeof(host));
			snprintf(out, size, "%s:%u", host,
				 ntohs(v6->sin6_port));
			return;
		}
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		snprintf(out, size, "[%s]:%u", host, ntohs(v6->sin6_port));
		return;
	default:
		if (len > offsetof(struct sockaddr_un, sun_path) &&
		    address->un.sun_path[0])
			snprintf(out, size, "unix:%.*s",
				 (int)(len -
				       offsetof(struct sockaddr_un, sun_path)),
				 address->un.sun_path);
		else
			snprintf(out, size, "unix:");
	}
}

/* gRPC naming: "unix:path" is relative or absolute, "unix:///path" absolute. */
bool address_unix(weir_str endpoint, weir_str *path)
{
	static const char scheme[] = "unix:";
	size_t skip = sizeof(scheme) - 1;

	if (endpoint.len <= skip || memcmp(endpoint.ptr, scheme, skip) != 0)
		return false;
	if (endpoint.len > skip + 2 &&
	    !memcmp(endpoint.ptr + skip, "//", 2))
		skip += 2;
	*path = (weir_str){ endpoint.ptr + skip, endpoint.len - skip };
	return true;
}

int address_of_path(weir_str path, struct sockaddr_un *out, socklen_t *len)
{
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!path.len || path.len >= sizeof(out->sun_path) ||
	    memchr(path.ptr, '\0', path.len))
		return -1;
	memcpy(out->sun_path, path.ptr, path.len);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			   path.len + 1);
	return 0;
}

const char *address_strerror(int error, char *out, size_t size)
{
	snprintf(out, size, "%s", strerror(error));
	out[0] = (char)tolower((unsigned char)out[0]);
	return out;
}
