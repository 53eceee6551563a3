/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c: open addressing with linear probing; a slot says 32 bits of the hash
 * and which entry, so that neither a miss nor the shift of slots when one is
 * removed touches an entry.  No tombstones.  At most half full.
 */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 256
#define SPARSE 8		/* slots an entry: more, and half of them go */
#define NOBODY 0
#define LINE 64

struct slot {
	uint32_t tag;		/* of the hash */
	uint32_t number;	/* NOBODY: free */
};

_Static_assert(sizeof(struct entry) == LINE, "an entry is one line");

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

/* A guess: it is nearly always in its home.  NULL: it is not known. */
static struct entry *guess(const struct table *table, uint64_t hash)
{
	uint32_t tag = tag_of(hash);
	const struct slot *slot;

	if (!table->n)
		return NULL;
	slot = &table->slots[home_of(table, tag)];
	if (slot->tag != tag)
		return NULL;
	return table_at(table, slot->number);
}

void table_fetch_entry(const struct table *table, uint64_t hash)
{
	struct entry *entry = guess(table, hash);

	if (entry)
		__builtin_prefetch(entry, 1);
}

void table_fetch_pending(const struct table *table, uint64_t hash)
{
	const struct entry *entry = guess(table, hash);

	if (!entry || !is_pending(entry))
		return;
	for (size_t at = 0; at < table->pending.size; at += LINE)
		__builtin_prefetch((const uint8_t *)entry->pending + at, 1);
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
		entry = table_at(table, table->slots[at].number);
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

/* Entries are walked, not the old slots: these are gone before there are new
 * ones. */
static void rehash(struct table *table, uint32_t n_slots)
{
	struct entry *entry;

	free(table->slots);
	table->slots = calloc(n_slots, sizeof(*table->slots));
	if (!table->slots)
		abort();
	table->n_slots = n_slots;
	for (entry = table_oldest(table); entry;
	     entry = table_at(table, entry->in[BY_AGE].after))
		put(table, entry);
}

static bool grow(struct table *table)
{
	uint32_t more = table->n_slots ? table->n_slots : FIRST_SLOTS;

	if (!pool_charge(table->room, more * sizeof(*table->slots)))
		return false;
	rehash(table, table->n_slots + more);
	return true;
}

static void shrink(struct table *table)
{
	uint32_t half = table->n_slots / 2;

	rehash(table, half);
	pool_discharge(table->room, half * sizeof(*table->slots));
}

/* --- Lists ---------------------------------------------------------------- */

void table_link(const struct table *table, struct entry_list *list,
		enum order order, struct entry *entry)
{
	entry->in[order] = (struct links){ .before = list->last };
	if (list->last)
		table_at(table, list->last)->in[order].after = entry->number;
	else
		list->first = entry->number;
	list->last = entry->number;
}

void table_unlink(const struct table *table, struct entry_list *list,
		  enum order order, const struct entry *entry)
{
	const struct links *in = &entry->in[order];

	if (in->before)
		table_at(table, in->before)->in[order].after = in->after;
	else
		list->first = in->after;
	if (in->after)
		table_at(table, in->after)->in[order].before = in->before;
	else
		list->last = in->before;
}

/* --- Coming --------------------------------------------------------------- */

static size_t pending_size(size_t marks)
{
	return (sizeof(struct pending) + marks * sizeof(uint64_t) + 31) &
	       ~(size_t)31;
}

void table_init(struct table *table, struct weir_credits *room, size_t marks)
{
	*table = (struct table){ .room = room, .marks = marks };
	pool_init(&table->entries, room, sizeof(struct entry));
	pool_init(&table->pending, room, pending_size(marks));
}

size_t table_bytes(const struct table *table)
{
	return table->entries.bytes + table->pending.bytes +
	       table->n_slots * sizeof(*table->slots);
}

/* Three slots an entry: they are two to four, mostly. */
size_t table_decided_bytes(const struct table *table)
{
	return table->n_decided *
	       (sizeof(struct entry) + 3 * sizeof(*table->slots));
}

bool table_is_ready(const struct table *table)
{
	return table->entries.open && table->pending.open &&
	       2 * (table->n + 1) <= table->n_slots;
}

bool table_ready(struct table *table)
{
	return pool_ready(&table->entries) && pool_ready(&table->pending) &&
	       (2 * (table->n + 1) <= table->n_slots || grow(table));
}

static struct pending *add_pending(struct table *table)
{
	uint32_t number;
	struct pending *pending = pool_take(&table->pending, &number);

	memset(pending, 0, table->pending.size);
	pending->number = number;
	return pending;
}

struct entry *table_add(struct table *table, uint64_t hash, const uint8_t *id)
{
	uint32_t number;
	struct entry *entry = pool_take(&table->entries, &number);

	*entry = (struct entry){ .pending = add_pending(table),
				 .number = number, .tag = tag_of(hash) };
	memcpy(entry->id, bytes_of(id), 16);
	table->n++;
	put(table, entry);
	table_link(table, &table->all, BY_AGE, entry);
	return entry;
}

/* --- Going ---------------------------------------------------------------- */

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

static void free_slot(struct table *table, const struct entry *entry)
{
	uint32_t at = home_of(table, entry->tag);

	while (table->slots[at].number != entry->number)
		at = next_slot(table, at);
	close_hole(table, at);
}

void table_settle(struct table *table, struct entry *entry,
		  enum verdict verdict, uint64_t when)
{
	pool_give(&table->pending, entry->pending->number);
	entry->verdict = (uint8_t)verdict;
	entry->settled = when;
	entry->late = 0;
	table_link(table, &table->decided, BY_TURN, entry);
	table->n_decided++;
}

/* Who knows no trace takes nothing. */
static void clear(struct table *table)
{
	pool_discharge(table->room, table->n_slots * sizeof(*table->slots));
	free(table->slots);
	table->slots = NULL;
	table->n_slots = 0;
	pool_release(&table->entries);
	pool_release(&table->pending);
}

/* Those that go next, mostly. */
static void fetch_oldest(const struct table *table)
{
	const struct entry *oldest = table_oldest(table);

	if (!oldest)
		return;
	__builtin_prefetch(&table->slots[home_of(table, oldest->tag)]);
	__builtin_prefetch(table_at(table, oldest->in[BY_AGE].after), 1);
}

void table_remove(struct table *table, struct entry *entry)
{
	free_slot(table, entry);
	table_unlink(table, &table->all, BY_AGE, entry);
	if (is_pending(entry)) {
		pool_give(&table->pending, entry->pending->number);
	} else {
		table_unlink(table, &table->decided, BY_TURN, entry);
		table->n_decided--;
	}
	pool_give(&table->entries, entry->number);
	table->n--;
	if (!table->n)
		clear(table);
	else if (table->n_slots > FIRST_SLOTS &&
		 table->n < table->n_slots / SPARSE)
		shrink(table);
	fetch_oldest(table);
}

void table_release(struct table *table)
{
	clear(table);
	*table = (struct table){ 0 };
}
