/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h: a run of neighbouring attribute processors as one node of the graph.
 *
 * Takes what a walk noted, decodes each noted message into an editable
 * element, shows it to the stages in pipeline order, and writes the changes by
 * one edit list per slice.  Equal to the stages one after the other, byte for
 * byte.
 */
#ifndef CORE_RUN_H
#define CORE_RUN_H

#include <weir/plugin.h>

#include "interest.h"

struct run;
/* stages: n components with visit or enter, in pipeline order; they outlive
 * the run.  Calls their `interest` once. */
struct run *run_new(struct weir_component *const *stages, size_t n,
		    enum weir_signal signal);
void run_free(struct run **run);
const struct interest_set *run_interest(const struct run *run);

struct run_outcome {
	size_t walked;		/* bytes; 0 when the notes sufficed */
	size_t dropped;		/* items, for want of memory */
};
/* Edits the batch in place (slices replaced by new payloads where something
 * changed).  Uses batch->notes when it has them, else walks.  Items change
 * only when memory fails: a slice that cannot be searched or written anew is
 * dropped whole, for nothing may pass unedited. */
struct run_outcome run_apply(struct run *run, struct weir_batch *batch);

#endif
