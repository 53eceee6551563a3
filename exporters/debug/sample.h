/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample.h: which entries with the same message are written.
 *
 * In each second the first `initial` of a message, then every `thereafter`th.
 * Messages are told apart by a hash into a fixed table, so two may share a
 * count.  The table belongs to the prototype and all its instances count in
 * it, each on its thread.
 */
#ifndef EXPORTERS_DEBUG_SAMPLE_H
#define EXPORTERS_DEBUG_SAMPLE_H

#include <weir/base.h>

#include <stdatomic.h>

struct debug_count {
	_Atomic uint64_t until, n;	/* weir_now() when the second ends;
					 * entries */
};

struct debug_sample {
	uint64_t initial, thereafter;
	struct debug_count *counts;	/* NULL: everything is written */
};

/* false: out of memory. */
bool debug_sample_init(struct debug_sample *s, int64_t initial,
		       int64_t thereafter);
/* Counts an entry; is it to be written?  Any thread. */
bool debug_sample_take(struct debug_sample *s, weir_str message);
void debug_sample_free(struct debug_sample *s);

#endif
