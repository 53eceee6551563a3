/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h: the traces that an instance knows, found by id, in the order in
 * which they were first seen.
 *
 * What every trace needs, decided or not, is an entry: one cache line.  What is
 * known only of those that wait is apart from it, and goes with the decision.
 * Both come from pools, which charge what they take; no entry is ever moved.
 */
#ifndef TAIL_SAMPLING_TABLE_H
#define TAIL_SAMPLING_TABLE_H

#include "pool.h"
#include "store.h"
#include "trace.h"

/* Of a trace that waits; mostly one cache line. */
struct pending {
	span_ref last;			/* its spans, not let go yet */
	uint32_t spans;			/* seen so far */
	uint32_t limit;			/* a tick: decided then at the latest */
	uint32_t piece;			/* piece.c: of its pieces; 0: none */
	uint32_t number;		/* in the pool */
	bool rooted, large;
	uint64_t bytes;			/* of whole pieces, as TracesData */
	uint64_t size;			/* ... without their tags and lengths */
	struct trace_times times;
	uint64_t marks[];		/* table->marks of them */
};

struct links {
	uint32_t before, after;		/* numbers of entries; 0: none */
};

enum order {
	BY_AGE,		/* all of the table, as they were first seen */
	BY_TURN		/* who waits: of a bucket; else as they were decided */
};

struct entry {
	uint8_t id[16];
	uint64_t arrived;		/* weir_now(), of the first span */
	union {
		struct pending *pending;	/* VERDICT_PENDING */
		uint64_t settled;	/* weir_now(), of the decision; 0: it
					 * was too large to be asked about */
	};
	struct links in[2];		/* by enum order */
	uint32_t number;		/* in the pool */
	uint32_t tag;			/* of the hash */
	union {
		uint32_t tick;		/* VERDICT_PENDING: decided then; 0: in
					 * no bucket */
		uint32_t late;		/* the resource that came late last */
	};
	uint8_t verdict;		/* enum verdict */
};

struct entry_list {
	uint32_t first, last;		/* numbers; 0: none */
};

struct table {
	struct weir_credits *room;	/* NULL: nothing is charged */
	struct slot *slots;
	uint32_t n_slots;		/* a power of two */
	size_t n;			/* entries in use */
	size_t n_decided;		/* of these */
	size_t marks;			/* words of each that waits */
	struct pool entries, pending;
	struct entry_list all;		/* by age, */
	struct entry_list decided;	/* by turn */
};

void table_init(struct table *table, struct weir_credits *room, size_t marks);
/* Entries that are left go too. */
void table_release(struct table *table);
/* What it takes of the room; and of that, about, for those that are decided. */
size_t table_bytes(const struct table *table);
size_t table_decided_bytes(const struct table *table);

/* Fetches what table_find will look at, and what is known of the trace if it
 * waits, one after the other: the slot, the entry, the rest. */
void table_fetch_slot(const struct table *table, uint64_t hash);
void table_fetch_entry(const struct table *table, uint64_t hash);
void table_fetch_pending(const struct table *table, uint64_t hash);
/* id: 16 bytes, NULL: zeros.  NULL: not known. */
struct entry *table_find(const struct table *table, uint64_t hash,
			 const uint8_t *id);

/* Is there memory for one more? */
bool table_is_ready(const struct table *table);
/* Sees to it that there is, until one is added.  False:
 * there is none in the budget of the process. */
bool table_ready(struct table *table);
/* A new one, the newest, which waits: all zero but for id and tag.  The table
 * must be ready. */
struct entry *table_add(struct table *table, uint64_t hash, const uint8_t *id);
/* It waits no longer; it is in no bucket.  when: becomes settled. */
void table_settle(struct table *table, struct entry *entry,
		  enum verdict verdict, uint64_t when);
/* It is in no bucket. */
void table_remove(struct table *table, struct entry *entry);

/* NULL when the number is 0. */
static inline struct entry *table_at(const struct table *table, uint32_t number)
{
	return number ? pool_at(&table->entries, number) : NULL;
}

static inline struct entry *table_oldest(const struct table *table)
{
	return table_at(table, table->all.first);
}

/* The one that was decided before all others. */
static inline struct entry *table_first_decided(const struct table *table)
{
	return table_at(table, table->decided.first);
}

static inline bool is_pending(const struct entry *entry)
{
	return entry->verdict == VERDICT_PENDING;
}

/* At the end of a list, out of a list. */
void table_link(const struct table *table, struct entry_list *list,
		enum order order, struct entry *entry);
void table_unlink(const struct table *table, struct entry_list *list,
		  enum order order, const struct entry *entry);

#endif
