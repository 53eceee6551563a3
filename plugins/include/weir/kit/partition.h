/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partition.h: batches kept apart by what the client sent along.
 *
 * A partition is one combination of values of some metadata keys; an absent
 * key and an empty value differ, and all values of a key count, in order.  The
 * owner embeds a struct weir_partition in its own and decides how many there
 * may be.  All calls on one component's thread.
 */
#ifndef WEIR_KIT_PARTITION_H
#define WEIR_KIT_PARTITION_H

#include <weir/batch.h>
#include <weir/config.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_partition {
	struct weir_partition *next;	/* in its bucket */
	uint64_t hash;
	uint8_t *key;
	size_t len;
};

struct weir_partitions {		/* zero-initialised */
	struct weir_partition **buckets;
	size_t n, cap;
	uint64_t seed;
	uint8_t *key;			/* of the last look-up */
	size_t len, room;
	uint64_t hash;
};

/* The partition of a batch, or NULL: then weir_partition_add, before the next
 * look-up, makes one of *fresh under that key (false: out of memory). */
WEIR_API struct weir_partition *weir_partition_find(
	struct weir_partitions *set, const struct weir_strs *keys,
	const struct weir_batch *batch);
WEIR_API bool weir_partition_add(struct weir_partitions *set,
				 struct weir_partition *fresh);
/* Takes one out; its struct stays the owner's. */
WEIR_API void weir_partition_remove(struct weir_partitions *set,
				    struct weir_partition *partition);
/* Any of them, NULL when empty: to empty a set. */
WEIR_API struct weir_partition *weir_partition_any(
	const struct weir_partitions *set);
/* Frees the set, which must be empty. */
WEIR_API void weir_partitions_release(struct weir_partitions *set);

/* Is a key there twice, upper and lower case alike?  Then name gets it in lower
 * case, cut to fit. */
#define WEIR_PARTITION_NAME 128
WEIR_API bool weir_partition_duplicate(const struct weir_strs *keys,
				       char name[WEIR_PARTITION_NAME]);

#ifdef __cplusplus
}
#endif
#endif
