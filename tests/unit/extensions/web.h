/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web.h: one HTTP request over a socket to a component in its glass box.
 */
#ifndef TESTS_WEB_H
#define TESTS_WEB_H

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <weir/testing.h>

/* The path of a plugin in the build tree that is tested. */
static inline const char *web_plugin(const char *name)
{
	static char path[512];
	const char *build = getenv("WEIR_BUILD");

	snprintf(path, sizeof(path), "%s/plugins/%s.so",
		 build ? build : "build", name);
	return path;
}

/* Sends the request and reads until the server closes.  Check's time limit
 * ends what never comes. */
static inline const char *web_ask_at(struct weir_test *t,
				     const struct sockaddr *to, socklen_t len,
				     const char *request)
{
	static char answer[1 << 18];
	int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t at = 0;
	ssize_t n;

	ck_assert_msg(!connect(fd, to, len), "%s", strerror(errno));
	ck_assert_int_eq(send(fd, request, strlen(request), 0),
			 (ssize_t)strlen(request));
	for (;;) {
		weir_test_run(t);
		n = recv(fd, answer + at, sizeof(answer) - 1 - at,
			 MSG_DONTWAIT);
		if (n > 0)
			at += (size_t)n;
		else if (!n || errno != EAGAIN)
			break;
	}
	close(fd);
	answer[at] = '\0';
	return answer;
}

static inline const char *web_ask(struct weir_test *t, const char *socket_path,
				  const char *request)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", socket_path);
	return web_ask_at(t, (const struct sockaddr *)&to, sizeof(to),
			  request);
}

/* Behind the empty line. */
static inline const char *web_body(const char *answer)
{
	const char *end = strstr(answer, "\r\n\r\n");

	return end ? end + 4 : "";
}

#endif
