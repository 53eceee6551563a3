/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c: open addressing with linear probing; a slot says 32 bits of the hash
 * and which entry, so that neither a miss nor the shift of slots when one is
 * removed touches an entry.  No tombstones.  At most half full.
 */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 1024		/* entries that are allocated at a time */
#define FIRST_SLOTS 1024
#define NOBODY UINT32_MAX
#define LINE 64

struct slot {
	uint32_t tag;		/* of the hash */
	uint32_t number;	/* NOBODY: free */
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static size_t entry_size(const struct table *table)
{
	return sizeof(struct entry) + table->marks * sizeof(uint64_t);
}

static struct entry *entry_of(const struct table *table, uint32_t number)
{
	uint8_t *chunk = table->chunks[number / CHUNK];

	return (struct entry *)(void *)(chunk + number % CHUNK *
					entry_size(table));
}

/* Low bits say which worker: all of ours have some in common. */
static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 8);
}

/* Where a slot with that tag belongs. */
static uint32_t home_of(const struct table *table, uint32_t tag)
{
	return tag & (table->n_slots - 1);
}

static uint32_t next_slot(const struct table *table, uint32_t at)
{
	return (at + 1) & (table->n_slots - 1);
}

static const uint8_t *bytes_of(const uint8_t *id)
{
	static const uint8_t empty[16];

	return id ? id : empty;
}

void table_fetch_slot(const struct table *table, uint64_t hash)
{
	if (table->n)
		__builtin_prefetch(&table->slots[home_of(table, tag_of(hash))]);
}

/* A guess: it is nearly always in its home. */
void table_fetch_entry(const struct table *table, uint64_t hash)
{
	uint32_t tag = tag_of(hash);
	const struct slot *slot;

	if (!table->n)
		return;
	slot = &table->slots[home_of(table, tag)];
	if (slot->number == NOBODY || slot->tag != tag)
		return;
	for (size_t at = 0; at < entry_size(table); at += LINE)
		__builtin_prefetch((const uint8_t *)entry_of(table,
							     slot->number) + at,
				   1);
}

struct entry *table_find(const struct table *table, uint64_t hash,
			 const uint8_t *id)
{
	uint32_t at, tag = tag_of(hash);

	if (!table->n)
		return NULL;
	for (at = home_of(table, tag); table->slots[at].number != NOBODY;
	     at = next_slot(table, at)) {
		struct entry *entry;

		if (table->slots[at].tag != tag)
			continue;
		entry = entry_of(table, table->slots[at].number);
		if (!memcmp(entry->id, bytes_of(id), 16))
			return entry;
	}
	return NULL;
}

static void put(struct table *table, const struct entry *entry)
{
	uint32_t at = home_of(table, entry->tag);

	while (table->slots[at].number != NOBODY)
		at = next_slot(table, at);
	table->slots[at] = (struct slot){ entry->tag, entry->number };
}

static void grow(struct table *table)
{
	table->n_slots = table->n_slots ? table->n_slots * 2 : FIRST_SLOTS;
	free(table->slots);
	table->slots = must(malloc(table->n_slots * sizeof(*table->slots)));
	memset(table->slots, 0xff, table->n_slots * sizeof(*table->slots));
	for (struct entry *e = table->oldest; e; e = e->newer)
		put(table, e);
}

static void add_chunk(struct table *table)
{
	uint8_t *chunk = must(aligned_alloc(LINE, CHUNK * entry_size(table)));

	table->chunks = must(realloc(table->chunks, (table->n_chunks + 1) *
				     sizeof(*table->chunks)));
	table->chunks[table->n_chunks] = chunk;
	for (uint32_t i = CHUNK; i--;) {
		uint32_t number = table->n_chunks * CHUNK + i;
		struct entry *entry = entry_of(table, number);

		entry->number = number;
		entry->newer = table->spare;
		table->spare = entry;
	}
	table->n_chunks++;
}

struct entry *table_add(struct table *table, uint64_t hash, const uint8_t *id)
{
	struct entry *entry;
	uint32_t number;

	if (!table->spare)
		add_chunk(table);
	entry = table->spare;
	table->spare = entry->newer;
	number = entry->number;
	memset(entry, 0, entry_size(table));
	entry->number = number;
	entry->tag = tag_of(hash);
	entry->older = table->newest;
	memcpy(entry->id, bytes_of(id), 16);
	if (2 * (table->n + 1) > table->n_slots)
		grow(table);
	table->n++;
	put(table, entry);
	if (table->newest)
		table->newest->newer = entry;
	else
		table->oldest = entry;
	return table->newest = entry;
}

/* Is the slot at `at` of the run that begins at its home allowed to move to
 * the hole?  Yes, unless its home lies behind the hole. */
static bool may_fill(const struct table *table, uint32_t hole, uint32_t at)
{
	uint32_t mask = table->n_slots - 1;
	uint32_t home = home_of(table, table->slots[at].tag);

	return ((at - home) & mask) >= ((at - hole) & mask);
}

static void close_hole(struct table *table, uint32_t hole)
{
	uint32_t at = next_slot(table, hole);

	for (; table->slots[at].number != NOBODY; at = next_slot(table, at)) {
		if (!may_fill(table, hole, at))
			continue;
		table->slots[hole] = table->slots[at];
		hole = at;
	}
	table->slots[hole].number = NOBODY;
}

void table_remove(struct table *table, struct entry *entry)
{
	uint32_t at = home_of(table, entry->tag);

	while (table->slots[at].number != entry->number)
		at = next_slot(table, at);
	close_hole(table, at);
	table->n--;
	if (entry->older)
		entry->older->newer = entry->newer;
	else
		table->oldest = entry->newer;
	if (entry->newer)
		entry->newer->older = entry->older;
	else
		table->newest = entry->older;
	entry->newer = table->spare;
	table->spare = entry;
}

void table_release(struct table *table)
{
	for (uint32_t i = 0; i < table->n_chunks; i++)
		free(table->chunks[i]);
	free(table->chunks);
	free(table->slots);
	*table = (struct table){ 0 };
}
