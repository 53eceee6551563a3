/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta.h: snapshots as differences to what was sent last.
 */
#ifndef TELEMETRY_PUSH_DELTA_H
#define TELEMETRY_PUSH_DELTA_H

#include "encode.h"

struct delta_value;

/* Zero-initialised; released by delta_release. */
struct delta {
	struct delta_value *sent;	/* as of the last export that arrived */
	size_t n_sent;
	struct delta_value *next;	/* as of the one under way */
	size_t n_next;
};

/* A copy of the families, counters and histograms of those that are sent as
 * differences reduced by what arrived before.  Freed by delta_free; labels and
 * texts are the snapshot's.  NULL: no memory. */
struct weir_family *delta_take(struct delta *delta, enum preference preference,
			       const struct weir_family *families, size_t n);
void delta_free(struct weir_family **families);
/* What was taken last has arrived; else the next difference includes it. */
void delta_arrived(struct delta *delta);
void delta_release(struct delta *delta);

#endif
