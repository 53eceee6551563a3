/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen_check.c: could one listen there?  What `validate` may say without a
 * socket and without a resolver: the shape of the address, the port, the
 * letters of a host's name.  Whether the name is known and the address ours
 * shows at start.  Holds nothing.
 */
#include "net/net.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>

static int refuse(struct weir_error *error, weir_str transport,
		  const char *why)
{
	return weir_fail(error, "endpoint", "listen %.*s: %s",
			 WEIR_STR_FMT(transport), why);
}

static bool is_number(const char *word)
{
	return *word && !word[strspn(word, "0123456789")];
}

/* A signed or long port is none; a word is one that the system knows. */
static bool is_known_port(const char *port, char *why, size_t size)
{
	struct addrinfo *list, hints = { .ai_socktype = SOCK_STREAM,
					 .ai_flags = AI_PASSIVE |
						     AI_NUMERICHOST };

	if (!*port || is_number(port))
		return true;
	if (*port == '-' && is_number(port + 1)) {
		snprintf(why, size, "address %s: invalid port", port);
		return false;
	}
	if (!getaddrinfo(NULL, port, &hints, &list)) {
		freeaddrinfo(list);
		return true;
	}
	snprintf(why, size, "lookup tcp/%s: unknown port", port);
	return false;
}

/* An address, or a name that a resolver may be asked for: no blank or sign in
 * it, and not four numbers of which one is too large. */
static bool is_possible_host(const char *host)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	struct in_addr v4;

	if (!*host || strchr(host, ':') || inet_pton(AF_INET, host, &v4) == 1)
		return true;		/* bind says what is wrong with v6 */
	return strspn(host, letters) == strlen(host) &&
	       strspn(host, "0123456789.") != strlen(host);
}

int weir_listen_check(weir_str endpoint, weir_str transport,
		      struct weir_error *error)
{
	struct sockaddr_un un;
	struct host_port where;
	socklen_t len;
	char why[256];

	if (weir_str_eq(transport, WEIR_STR("unix"))) {
		if (address_of_path(endpoint, &un, &len))
			return refuse(error, transport,
				      endpoint.len
					      ? "the path is too long"
					      : "unix socket path cannot be "
						"empty");
		return 0;
	}
	if (!endpoint.len)
		return 0;		/* any port of any interface */
	if (address_split(endpoint, &where, why, sizeof(why)))
		return refuse(error, transport, why);
	if (!is_known_port(where.port, why, sizeof(why)))
		return refuse(error, transport, why);
	if (is_possible_host(where.host))
		return 0;
	snprintf(why, sizeof(why), "lookup %.200s: no such host", where.host);
	return refuse(error, transport, why);
}
