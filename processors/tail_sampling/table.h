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

struct entry {
	struct entry *older, *newer;	/* all of the table */
	struct entry *before, *after;	/* of its bucket; see ticks.h */
	struct entry *touched;		/* of the piece that is being added */
	uint64_t hash;
	uint64_t tick;			/* when it is decided; 0: it was */
	uint64_t limit;			/* ... at the latest */
	uint64_t arrived;		/* weir_now(), of the first span */
	uint64_t bytes;			/* of whole pieces, as TracesData */
	struct stored_span *first, *last;	/* not let go yet */
	struct stored_span *piece;	/* the first of the piece */
	uint32_t spans;			/* seen so far */
	uint32_t number;		/* in the pool */
	uint32_t scope;			/* of the piece: the current one, */
	uint64_t scope_bytes, piece_bytes;	/* its body, what is before */
	uint8_t id[16];
	uint8_t verdict;		/* enum verdict */
	bool root, rooted;		/* in this piece; ever */
	bool in_piece;
};

struct table {
	struct slot *slots;
	uint32_t n_slots;		/* a power of two */
	size_t n;			/* entries in use */
	struct entry **chunks;		/* the pool */
	uint32_t n_chunks;
	struct entry *spare;		/* linked by newer */
	struct entry *oldest, *newest;
};

/* id: 16 bytes, NULL: zeros.  NULL: not known. */
struct entry *table_find(const struct table *table, uint64_t hash,
			 const uint8_t *id);
/* A new one, the newest; all zero but for hash and id. */
struct entry *table_add(struct table *table, uint64_t hash, const uint8_t *id);
void table_remove(struct table *table, struct entry *entry);
void table_release(struct table *table);

#endif
