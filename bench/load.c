/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c: the clock, the sockets and the tally.
 */
#include "load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TALLY_MAX (4u << 20)	/* answers beyond are not timed */

uint64_t load_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

int load_dial(const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET }, from;
	socklen_t len = sizeof(from);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	to.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* A port that nobody listens on yet may be given to this very socket,
	 * which then talks to itself and keeps the port from its owner. */
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&from, &len) < 0 ||
	    from.sin_port == to.sin_port) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

int load_listen(const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	at.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(fd, 128) < 0) {
		perror("listen");
		exit(1);
	}
	return fd;
}

void load_took(struct load_tally *tally, uint64_t ns)
{
	if (tally->n == tally->cap) {
		if (tally->cap == TALLY_MAX)
			return;
		tally->cap = tally->cap ? tally->cap * 4 : 1u << 16;
		tally->us = realloc(tally->us, tally->cap * sizeof(*tally->us));
		if (!tally->us)
			abort();
	}
	tally->us[tally->n++] = (uint32_t)(ns / 1000);
}

void load_forget(struct load_tally *tally)
{
	tally->n = 0;
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void load_print(struct load_tally *tally)
{
	static const struct { const char *name; double at; } shown[] = {
		{ "p50", .5 }, { "p90", .9 }, { "p99", .99 },
		{ "p999", .999 }, { "max", 1 } };

	if (tally->n)
		qsort(tally->us, tally->n, sizeof(*tally->us), ascending);
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		printf("%s_us=%u\n", shown[i].name, tally->n ? tally->us[
			(size_t)((double)(tally->n - 1) * shown[i].at)] : 0);
}
