/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listening.c: endpoint and transport to a socket that listens.
 *
 * Follows Go's choices, which operators know: localhost is 127.0.0.1, all
 * interfaces is one socket for both families, errors read "listen tcp
 * 127.0.0.1:4317: bind: address already in use".  Resolves names where it
 * stands: only for start.
 */
#include "net.h"
#include "base/str.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int listen_fail(struct weir_error *error, const char *transport,
		       const char *address, const char *call, int err)
{
	char why[128];

	return weir_fail(error, NULL, "listen %s %s: %s: %s", transport,
			 address, call,
			 address_strerror(err, why, sizeof(why)));
}

static int bind_and_listen(int family, const union address *address,
			   socklen_t len, bool v6_only, const char **call)
{
	int on = 1, only = v6_only;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved;

	*call = "socket";
	if (fd < 0)
		return -1;
	if (family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	*call = "bind";
	if (!bind(fd, &address->any, len)) {
		*call = "listen";
		if (!listen(fd, NET_BACKLOG))
			return fd;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* A socket file that nobody listens on is left over from a crash. */
static void remove_stale(const struct sockaddr_un *address, socklen_t len)
{
	struct stat st;
	int fd;

	if (lstat(address->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)address, len) &&
	    errno == ECONNREFUSED)
		unlink(address->sun_path);
	close(fd);
}

static int bind_unix(struct listening *l, struct weir_error *error)
{
	union address address;
	const char *call;
	socklen_t len;

	if (address_of_path(weir_str_of(l->endpoint), &address.un, &len))
		return listen_fail(error, "unix", l->endpoint, "bind",
				   EINVAL);
	remove_stale(&address.un, len);
	l->fd = bind_and_listen(AF_UNIX, &address, len, false, &call);
	if (l->fd < 0)
		return listen_fail(error, "unix", l->endpoint, call, errno);
	l->path = xstrdup(l->endpoint);
	snprintf(l->bound, sizeof(l->bound), "%s", l->endpoint);
	return 0;
}

/* Of several addresses the first IPv4 one, as Go does: localhost is 127.0.0.1
 * unless tcp6 was asked for. */
static const struct addrinfo *favourite(const struct addrinfo *list)
{
	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next)
		if (ai->ai_family == AF_INET)
			return ai;
	return list;
}

static bool is_any(const struct host_port *where)
{
	return !where->host[0] || !strcmp(where->host, "0.0.0.0") ||
	       !strcmp(where->host, "::");
}

static struct addrinfo *resolve(const struct host_port *where, int family,
				const char *transport,
				struct weir_error *error)
{
	struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE,
	}, *list = NULL;
	int rc = getaddrinfo(where->host[0] ? where->host : NULL,
			     where->port[0] ? where->port : "0", &hints,
			     &list);

	if (!rc)
		return list;
	if (rc == EAI_SERVICE)
		weir_fail(error, NULL, "listen %s: lookup %s/%s: unknown port",
			  transport, transport, where->port);
	else if (rc == EAI_NONAME)
		weir_fail(error, NULL, "listen %s: lookup %s: no such host",
			  transport, where->host);
	else
		weir_fail(error, NULL, "listen %s: lookup %s: %s", transport,
			  where->host, gai_strerror(rc));
	return NULL;
}

static int bind_address(struct listening *l, const struct addrinfo *ai,
			bool v6_only, const char **call)
{
	union address address;
	socklen_t len = sizeof(address.storage);

	memcpy(&address, ai->ai_addr, ai->ai_addrlen);
	address_text(&address, ai->ai_addrlen, l->bound, sizeof(l->bound));
	l->fd = bind_and_listen(ai->ai_family, &address, ai->ai_addrlen,
				v6_only, call);
	if (l->fd < 0)
		return -1;
	if (!getsockname(l->fd, &address.any, &len))
		address_text(&address, len, l->bound, sizeof(l->bound));
	return 0;
}

/* "tcp" on all interfaces is one IPv6 socket that takes IPv4 too, where the
 * kernel has IPv6. */
static int bind_tcp(struct listening *l, struct weir_error *error)
{
	bool all, both = !strcmp(l->transport, "tcp");
	int family = !strcmp(l->transport, "tcp4") ? AF_INET
		   : !strcmp(l->transport, "tcp6") ? AF_INET6 : AF_UNSPEC;
	struct host_port where;
	struct addrinfo *list;
	const char *call = "";
	char why[300];
	int rc = -1;

	/* Go takes an empty address for any port of any interface. */
	if (address_split(*l->endpoint ? weir_str_of(l->endpoint)
				       : WEIR_STR(":0"),
			  &where, why, sizeof(why)))
		return weir_fail(error, NULL, "listen %s: %s", l->transport,
				 why);
	all = both && is_any(&where);
	if (all) {
		where.host[0] = '\0';
		family = AF_INET6;
	}
	list = resolve(&where, family, l->transport, error);
	if (!list)
		return -1;
	rc = bind_address(l, favourite(list), !all, &call);
	freeaddrinfo(list);
	if (rc && all && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
		list = resolve(&where, AF_INET, l->transport, error);
		if (!list)
			return -1;
		rc = bind_address(l, list, false, &call);
		freeaddrinfo(list);
	}
	return rc ? listen_fail(error, l->transport, l->bound, call, errno)
		  : 0;
}

int listening_open(struct listening *l, struct weir_error *error)
{
	l->fd = -1;
	if (!strcmp(l->transport, "unix"))
		return bind_unix(l, error);
	if (!strcmp(l->transport, "tcp") || !strcmp(l->transport, "tcp4") ||
	    !strcmp(l->transport, "tcp6"))
		return bind_tcp(l, error);
	return weir_fail(error, NULL, "unsupported transport type \"%s\"",
			 l->transport);
}

void listening_close(struct listening *l)
{
	if (l->fd < 0)
		return;
	close(l->fd);
	l->fd = -1;
	if (l->path)
		unlink(l->path);
}

void listening_release(struct listening *l)
{
	free(l->transport);
	free(l->endpoint);
	free(l->path);
}
