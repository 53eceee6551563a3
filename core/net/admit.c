/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admit.c: how many connections there may be, in all and from one address.
 *
 * The process has as many as its descriptors allow, less some for everything
 * else.  An address has three quarters of them at most, unless its listener
 * says fewer: a balancer in front is one address and may have nearly all, and
 * still nobody can lock the others out.
 *
 * Holds a number for each of a few thousand seats; the seat of an address at a
 * listener is its hash, which a peer cannot aim at.  Two addresses may share
 * one: they then share its number.  Taken on worker 0, given back by any.
 */
#include "net.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/resource.h>

#define SEATS 4096
#define SPARED 128		/* descriptors that are no connections */
#define SHARE_OF_ONE(all) ((all) - (all) / 4)

static _Atomic uint32_t seats[SEATS + 1];	/* 0: of no address */
static _Atomic uint32_t total;
static _Atomic uint64_t refused[ADMIT_REASONS];
static uint32_t most = NET_MAX_CONNECTIONS;

/* What a soft limit of 1024 was made for (select) is not used here: take what
 * may be had, as programs written in Go do. */
void admit_begin(void)
{
	struct rlimit limit;
	rlim_t fds;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	if (limit.rlim_cur < limit.rlim_max) {
		rlim_t before = limit.rlim_cur;

		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit))
			limit.rlim_cur = before;
	}
	fds = limit.rlim_cur;
	fds = fds > 2 * SPARED ? fds - SPARED : fds / 2;
	most = fds < NET_MAX_CONNECTIONS ? (uint32_t)fds : NET_MAX_CONNECTIONS;
}

/* What counts as one: an IPv4 address; of IPv6 the network, of which whoever
 * has one address has them all. */
static uint32_t seat_of(const void *listener, const union address *peer)
{
	const void *raw = &peer->storage;
	const struct sockaddr_in *v4 = raw;
	const struct sockaddr_in6 *v6 = raw;
	struct { const void *listener; uint8_t address[8]; } key = { listener,
								     { 0 } };

	if (peer->any.sa_family == AF_INET)
		memcpy(key.address, &v4->sin_addr, 4);
	else if (peer->any.sa_family != AF_INET6)
		return 0;
	else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		memcpy(key.address, v6->sin6_addr.s6_addr + 12, 4);
	else
		memcpy(key.address, v6->sin6_addr.s6_addr, 8);
	return 1 + (uint32_t)(weir_hash(&key, sizeof(key)) % SEATS);
}

void admit_refuse(enum admit_reason reason)
{
	atomic_fetch_add(&refused[reason], 1);
}

uint64_t admit_refused(enum admit_reason reason)
{
	return atomic_load(&refused[reason]);
}

/* Takes one of at most `room`. */
static bool take(_Atomic uint32_t *taken, uint32_t room)
{
	if (atomic_fetch_add(taken, 1) < room)
		return true;
	atomic_fetch_sub(taken, 1);
	return false;
}

bool admit_take(const void *listener, const union address *peer,
		uint32_t per_address, uint32_t *seat)
{
	uint32_t share = SHARE_OF_ONE(most);

	if (per_address && per_address < share)
		share = per_address;
	*seat = seat_of(listener, peer);
	if (!take(&total, most)) {
		admit_refuse(ADMIT_TOTAL);
		return false;
	}
	if (take(&seats[*seat], *seat ? share : UINT32_MAX))
		return true;
	atomic_fetch_sub(&total, 1);
	admit_refuse(ADMIT_ADDRESS);
	return false;
}

void admit_give(uint32_t seat)
{
	atomic_fetch_sub(&seats[seat], 1);
	atomic_fetch_sub(&total, 1);
}
