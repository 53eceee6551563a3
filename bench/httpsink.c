/* SPDX-License-Identifier: Apache-2.0 */
/*
 * httpsink: an HTTP/1.1 backend that answers 200 to everything, and counts.
 *
 *	httpsink --port N --control N
 *
 * Bodies must come with a Content-Length; they are counted, not looked into,
 * so spans=0.  Whoever connects to the control port gets the counts.
 */
#include "load.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_MAX 8192

struct conn {
	int fd;
	size_t head_len;
	uint64_t body_left;
	bool in_body;
	char head[HEAD_MAX + 1];
};

static uint64_t requests, bytes;
static int epfd;

static void drop(struct conn *c)
{
	close(c->fd);
	free(c);
}

static bool answer(struct conn *c)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\n"
		"Content-Type: application/x-protobuf\r\n"
		"Content-Length: 0\r\n\r\n";

	requests++;
	c->in_body = false;
	return write(c->fd, ok, sizeof(ok) - 1) == (ssize_t)(sizeof(ok) - 1);
}

/* Takes bytes of the head; false: no request that this can read. */
static bool take_head(struct conn *c, const char **p, size_t *n)
{
	size_t take = HEAD_MAX - c->head_len < *n ? HEAD_MAX - c->head_len : *n,
	       before = c->head_len;
	const char *end, *len;

	memcpy(c->head + before, *p, take);
	c->head_len += take;
	c->head[c->head_len] = 0;
	end = strstr(c->head, "\r\n\r\n");
	if (!end) {
		*p += take;
		*n -= take;
		return c->head_len < HEAD_MAX;
	}
	len = strcasestr(c->head, "\r\ncontent-length:");
	if (!len || len > end)
		return false;
	take = (size_t)(end + 4 - c->head) - before;
	*p += take;
	*n -= take;
	c->head_len = 0;
	c->body_left = strtoull(len + 17, NULL, 10);
	bytes += c->body_left;
	c->in_body = true;
	return true;
}

static bool take(struct conn *c, const char *p, size_t n)
{
	while (n || (c->in_body && !c->body_left)) {
		if (!c->in_body) {
			if (!take_head(c, &p, &n))
				return false;
		} else if (c->body_left) {
			size_t some = n < c->body_left ? n : c->body_left;

			p += some;
			n -= some;
			c->body_left -= some;
		} else if (!answer(c)) {
			return false;
		}
	}
	return true;
}

static void serve(struct conn *c)
{
	static char buf[256 * 1024];
	ssize_t n = read(c->fd, buf, sizeof(buf));

	if (n <= 0 || !take(c, buf, (size_t)n))
		drop(c);
}

static void greet(int listener)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct conn *c = calloc(1, sizeof(*c));
	int on = 1;

	if (!c)
		abort();
	c->fd = accept(listener, NULL, NULL);
	if (c->fd < 0) {
		free(c);
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	ev.data.ptr = c;
	epoll_ctl(epfd, EPOLL_CTL_ADD, c->fd, &ev);
}

static void tell(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	dprintf(fd, "requests=%lu\nspans=0\nbytes=%lu\nat_ns=%lu\n", requests,
		bytes, load_now());
	close(fd);
}

static int watched(const char *port, void *mark)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = mark };
	int fd = load_listen(port);

	epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev);
	return fd;
}

int main(int argc, char **argv)
{
	static char http_mark, control_mark;
	int http, control;

	if (argc != 5 || strcmp(argv[1], "--port") ||
	    strcmp(argv[3], "--control")) {
		fprintf(stderr, "usage: httpsink --port N --control N\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	epfd = epoll_create1(0);
	http = watched(argv[2], &http_mark);
	control = watched(argv[4], &control_mark);
	for (;;) {
		struct epoll_event events[64];
		int n = epoll_wait(epfd, events, 64, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &http_mark)
				greet(http);
			else if (events[i].data.ptr == &control_mark)
				tell(control);
			else
				serve(events[i].data.ptr);
		}
	}
}
