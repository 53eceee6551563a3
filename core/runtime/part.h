/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part.h: a batch of spans in parts, one for each worker whose traces it has.
 */
#ifndef CORE_PART_H
#define CORE_PART_H

#include <weir/part.h>

#define SHARDS 256		/* of trace ids; dealt out to the workers */

/* Resources, scopes and spans of one batch; counted, the parts share it. */
struct parting;

/* Finds the spans of the batch, those of each worker next to each other.
 * counts[i]: how many are worker i's, of n workers.  NULL: over the budget. */
struct parting *parting_new(const struct weir_batch *batch, uint32_t n,
			    size_t counts[SHARDS]);
/* Makes the batch the part of worker i; takes a reference to parting. */
void parting_give(struct parting *parting, struct weir_batch *batch,
		  uint32_t i, const size_t counts[SHARDS]);
/* What that part is; any thread, while parting is referred to. */
struct weir_part parting_view(const struct parting *parting, uint32_t i,
			      const size_t counts[SHARDS]);
/* Bytes of all its wrappers beside their children. */
uint64_t parting_heads(const struct parting *parting);
/* Any thread; parting may be NULL. */
void parting_unref(struct parting *parting);

/* weir_hash of the 16 bytes; NULL hashes as zeros. */
uint64_t trace_hash(const uint8_t *trace_id);

#endif
