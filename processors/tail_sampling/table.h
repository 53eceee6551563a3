/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h: the traces that an instance knows, found by id, in the order in
 * which they were first seen.
 *
 * Entries are taken from a pool that grows and is kept; none is ever moved.
 */
#ifndef TAIL_SAMPLING_TABLE_H
#define TAIL_SAMPLING_TABLE_H

#include "store.h"
#include "trace.h"

/* What every span of the trace needs comes first: in two cache lines. */
struct entry {
	uint8_t id[16];
	span_ref last;			/* its spans, not let go yet */
	uint32_t spans;			/* seen so far */
	uint32_t tick;			/* when it is decided; 0: it was */
	uint32_t limit;			/* ... at the latest */
	uint32_t piece;			/* ingest.c: of its pieces; 0: none */
	uint8_t verdict;		/* enum verdict */
	bool rooted, large;
	uint64_t bytes;			/* of whole pieces, as TracesData */
	uint64_t size;			/* ... without their tags and lengths */
	struct trace_times times;
	uint32_t late;			/* the resource that came late last */
	uint32_t tag;			/* of the hash */
	uint32_t number;		/* in the pool */
	uint64_t arrived;		/* weir_now(), of the first span */
	uint64_t settled;		/* weir_now(), of the decision; 0: it
					 * was too large to be asked about */
	struct entry *before, *after;	/* of its bucket; see buckets.h */
	struct entry *older, *newer;	/* all of the table */
	uint64_t marks[];		/* table->marks of them */
};

struct table {
	struct slot *slots;
	uint32_t n_slots;		/* a power of two */
	size_t n;			/* entries in use */
	size_t marks;			/* words that an entry has more; set
					 * before the first */
	uint8_t **chunks;		/* the pool */
	uint32_t n_chunks;
	struct entry *spare;		/* linked by newer */
	struct entry *oldest, *newest;
};

/* Fetches what table_find will look at: first the slot, then the entry. */
void table_fetch_slot(const struct table *table, uint64_t hash);
void table_fetch_entry(const struct table *table, uint64_t hash);
/* id: 16 bytes, NULL: zeros.  NULL: not known. */
struct entry *table_find(const struct table *table, uint64_t hash,
			 const uint8_t *id);
/* A new one, the newest; all zero but for id and tag. */
struct entry *table_add(struct table *table, uint64_t hash, const uint8_t *id);
void table_remove(struct table *table, struct entry *entry);
void table_release(struct table *table);

#endif
