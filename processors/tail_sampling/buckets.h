/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buckets.h: undecided traces by the tick that decides them.
 *
 * A ring with a list for each tick that can still come.  Ticks are numbered
 * from 1; the current one has passed.
 */
#ifndef TAIL_SAMPLING_BUCKETS_H
#define TAIL_SAMPLING_BUCKETS_H

#include "table.h"

struct buckets {
	const struct table *table;	/* whose entries these are */
	struct entry_list *ring;	/* BY_TURN */
	uint32_t size;
	uint32_t now;			/* the tick that passed last */
	uint32_t soonest;		/* no list before this tick has any */
};

/* No entry will be put further away than `farthest` ticks from now. */
void buckets_init(struct buckets *buckets, const struct table *table,
		  uint32_t farthest);
void buckets_release(struct buckets *buckets);
/* Puts the entry, or moves it, to the end of the list of that tick. */
void buckets_put(struct buckets *buckets, struct entry *entry, uint32_t tick);
/* Takes it out, if it is in one; its tick is 0 then. */
void buckets_take(struct buckets *buckets, struct entry *entry);
/* The one that is to be decided next; NULL: none. */
struct entry *buckets_next(struct buckets *buckets);
/* The first of a tick; NULL: none. */
struct entry *buckets_first(const struct buckets *buckets, uint32_t tick);
/* The one behind it in its list; NULL: none. */
struct entry *buckets_after(const struct buckets *buckets,
			    const struct entry *entry);

#endif
