/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay: a blind TCP relay, the floor that everything is measured against.
 *
 *	relay LISTEN-PORT TARGET-PORT		both on 127.0.0.1
 *
 * One thread, epoll, 256 KiB of buffer per direction.  Looks at nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER (256 * 1024)

struct pair;

struct end {
	struct pair *pair;
	int fd;
	uint32_t events;	/* what epoll watches it for */
	bool eof;		/* it sends no more */
	size_t start, len;	/* what it sent and the other has not taken */
	char buffer[BUFFER];
};

struct pair {
	struct end ends[2];
	bool dead;
	struct pair *next_dead;
};

static int epfd;
static struct pair *dead;

static void watch(struct end *e, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = e };

	if (events != e->events)
		epoll_ctl(epfd, EPOLL_CTL_MOD, e->fd, &ev);
	e->events = events;
}

static void bury(struct pair *pair)
{
	if (pair->dead)
		return;
	pair->dead = true;	/* later events of this turn still name it */
	pair->next_dead = dead;
	dead = pair;
	close(pair->ends[0].fd);
	close(pair->ends[1].fd);
}

/* Moves what `from` sends to `to`; false when the pair is done for. */
static bool move(struct end *from, struct end *to)
{
	ssize_t n;

	if (!from->len && !from->eof) {
		n = read(from->fd, from->buffer, BUFFER);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (n == 0) {
			from->eof = true;
			shutdown(to->fd, SHUT_WR);
		}
		from->start = 0;
		from->len = n > 0 ? (size_t)n : 0;
	}
	if (!from->len)
		return true;
	n = write(to->fd, from->buffer + from->start, from->len);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	if (n > 0) {
		from->start += (size_t)n;
		from->len -= (size_t)n;
	}
	return true;
}

static void serve(struct pair *pair)
{
	struct end *a = &pair->ends[0], *b = &pair->ends[1];

	if (pair->dead)
		return;
	if (!move(a, b) || !move(b, a) ||
	    (a->eof && b->eof && !a->len && !b->len)) {
		bury(pair);
		return;
	}
	watch(a, (a->len || a->eof ? 0 : EPOLLIN) | (b->len ? EPOLLOUT : 0));
	watch(b, (b->len || b->eof ? 0 : EPOLLIN) | (a->len ? EPOLLOUT : 0));
}

static struct sockaddr_in local(const char *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	sin.sin_port = htons((uint16_t)atoi(port));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sin;
}

static void adopt(struct pair *pair, int i, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int on = 1;

	ev.data.ptr = &pair->ends[i];
	pair->ends[i].pair = pair;
	pair->ends[i].fd = fd;
	pair->ends[i].events = EPOLLIN;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev);
}

static void greet(int listener, const char *port)
{
	struct sockaddr_in to = local(port);
	struct pair *pair;
	int in = accept4(listener, NULL, NULL, SOCK_NONBLOCK), out;

	if (in < 0)
		return;
	out = socket(AF_INET, SOCK_STREAM, 0);
	if (out < 0 || connect(out, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(in);
		if (out >= 0)
			close(out);
		return;
	}
	pair = calloc(1, sizeof(*pair));
	if (!pair)
		exit(1);
	adopt(pair, 0, in);
	fcntl(out, F_SETFL, O_NONBLOCK);
	adopt(pair, 1, out);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at;
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };
	struct epoll_event events[64];
	int listener, on = 1;

	if (argc != 3) {
		fprintf(stderr, "usage: relay LISTEN-PORT TARGET-PORT\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	at = local(argv[1]);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, 128) < 0) {
		perror("relay");
		return 1;
	}
	epfd = epoll_create1(0);
	epoll_ctl(epfd, EPOLL_CTL_ADD, listener, &ev);
	for (;;) {
		int n = epoll_wait(epfd, events, 64, -1);

		for (int i = 0; i < n; i++) {
			struct end *e = events[i].data.ptr;

			if (e)
				serve(e->pair);
			else
				greet(listener, argv[2]);
		}
		while (dead) {
			struct pair *pair = dead;

			dead = pair->next_dead;
			free(pair);
		}
	}
}
