/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.h: a trace as policies see it, and what they say of it.
 *
 * Policies never see the spans of a trace together.  A policy that looks at
 * spans asks whether some span, or some resource, has something: that is seen
 * when the span comes and its bytes are at hand, and remembered as a mark, one
 * bit of the trace for each such policy (watch.h).  So a decision reads a few
 * words, and never the bytes that have waited.
 */
#ifndef TAIL_SAMPLING_TRACE_H
#define TAIL_SAMPLING_TRACE_H

#include <weir/views.h>

/* From the first start to the last end of the spans so far, as the Collector
 * counts: 0 gives way to whatever comes. */
struct trace_times {
	uint64_t start, end;		/* ns */
};

struct trace {
	const uint8_t *id;	/* 16 bytes; zeros: empty */
	const uint64_t *marks;	/* policies_words() of them; with span-ingest
				 * of the piece that came */
	uint64_t span_count;	/* of the trace so far */
	uint64_t bytes;		/* of the trace so far, as TracesData */
};

enum verdict {
	VERDICT_PENDING,	/* nobody has decided yet */
	VERDICT_SAMPLED, VERDICT_NOT_SAMPLED, VERDICT_DROPPED
};

#endif
