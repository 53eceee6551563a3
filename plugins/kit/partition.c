/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partition.c: a hash table of metadata combinations.
 *
 * Holds the keys of the combinations that its owner added, and the one last
 * looked up.  The hash is seeded once per set, since clients choose the values;
 * it must never be used to tell two keys apart without comparing them.
 */
#include <weir/kit/partition.h>

#include <stdlib.h>

#define ABSENT UINT32_MAX

static bool append(struct weir_partitions *set, const void *ptr, size_t len)
{
	if (len > set->room - set->len) {
		size_t room = set->room ? set->room : 128;

		while (len > room - set->len)
			room *= 2;
		uint8_t *key = realloc(set->key, room);

		if (!key)
			return false;
		set->key = key;
		set->room = room;
	}
	memcpy(set->key + set->len, ptr, len);
	set->len += len;
	return true;
}

static bool append_count(struct weir_partitions *set, size_t count)
{
	uint32_t n = (uint32_t)count;

	return append(set, &n, sizeof(n));
}

/* signal, then per key: number of values, then length and bytes of each.  So
 * no two combinations share a key, whatever bytes the values hold. */
static bool build_key(struct weir_partitions *set, const struct weir_strs *keys,
		      const struct weir_batch *batch)
{
	const struct weir_context *context = weir_batch_context(batch);
	weir_str value;

	set->len = 0;
	if (!append_count(set, weir_batch_signal(batch)))
		return false;
	for (size_t i = 0; i < keys->len; i++) {
		size_t n = 0, at = set->len;

		if (!append_count(set, 0))
			return false;
		while (weir_context_metadata(context, keys->items[i], n,
					     &value)) {
			if (!append_count(set, value.len) ||
			    (value.len && !append(set, value.ptr, value.len)))
				return false;
			n++;
		}
		memcpy(set->key + at, &(uint32_t){ (uint32_t)n },
		       sizeof(uint32_t));
	}
	return true;
}

/* FNV-1a from a random start: short keys, no need for more. */
static uint64_t hash_of(const uint8_t *key, size_t len, uint64_t seed)
{
	uint64_t hash = 0xcbf29ce484222325u ^ seed;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ key[i]) * 0x100000001b3u;
	return hash ^ hash >> 32;
}

static bool grow(struct weir_partitions *set)
{
	size_t cap = set->cap ? set->cap * 2 : 16;
	struct weir_partition **buckets = calloc(cap, sizeof(*buckets));

	if (!buckets)
		return false;
	for (size_t i = 0; i < set->cap; i++) {
		for (struct weir_partition *p = set->buckets[i], *next; p;
		     p = next) {
			next = p->next;
			p->next = buckets[p->hash & (cap - 1)];
			buckets[p->hash & (cap - 1)] = p;
		}
	}
	free(set->buckets);
	set->buckets = buckets;
	set->cap = cap;
	return true;
}

struct weir_partition *weir_partition_find(struct weir_partitions *set,
					   const struct weir_strs *keys,
					   const struct weir_batch *batch)
{
	if (!set->cap) {
		set->seed = weir_random();
		if (!grow(set))
			return NULL;
	}
	if (!build_key(set, keys, batch)) {
		set->len = 0;
		return NULL;
	}
	set->hash = hash_of(set->key, set->len, set->seed);
	for (struct weir_partition *p = set->buckets[set->hash & (set->cap - 1)];
	     p; p = p->next)
		if (p->hash == set->hash && p->len == set->len &&
		    !memcmp(p->key, set->key, p->len))
			return p;
	return NULL;
}

bool weir_partition_add(struct weir_partitions *set,
			struct weir_partition *fresh)
{
	if (!set->len || (set->n >= set->cap && !grow(set)))
		return false;
	fresh->key = malloc(set->len);
	if (!fresh->key)
		return false;
	memcpy(fresh->key, set->key, set->len);
	fresh->len = set->len;
	fresh->hash = set->hash;
	fresh->next = set->buckets[set->hash & (set->cap - 1)];
	set->buckets[set->hash & (set->cap - 1)] = fresh;
	set->n++;
	return true;
}

void weir_partition_remove(struct weir_partitions *set,
			   struct weir_partition *partition)
{
	struct weir_partition **at =
		&set->buckets[partition->hash & (set->cap - 1)];

	while (*at && *at != partition)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = partition->next;
	free(partition->key);
	partition->key = NULL;
	set->n--;
}

struct weir_partition *weir_partition_any(const struct weir_partitions *set)
{
	for (size_t i = 0; set->n && i < set->cap; i++)
		if (set->buckets[i])
			return set->buckets[i];
	return NULL;
}

void weir_partitions_release(struct weir_partitions *set)
{
	free(set->buckets);
	free(set->key);
	memset(set, 0, sizeof(*set));
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_name(weir_str a, weir_str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	return true;
}

bool weir_partition_duplicate(const struct weir_strs *keys,
			      char name[WEIR_PARTITION_NAME])
{
	for (size_t i = 0; i < keys->len; i++) {
		for (size_t k = 0; k < i; k++) {
			weir_str key = keys->items[i];
			size_t n = 0;

			if (!same_name(key, keys->items[k]))
				continue;
			for (; n < key.len && n < WEIR_PARTITION_NAME - 1; n++)
				name[n] = lower(key.ptr[n]);
			name[n] = '\0';
			return true;
		}
	}
	return false;
}
