/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.h: a trace as policies see it, and what they say of it.
 *
 * The sampler lays out the spans it holds of one trace, in order of arrival;
 * policies read them and own nothing of it.
 */
#ifndef TAIL_SAMPLING_TRACE_H
#define TAIL_SAMPLING_TRACE_H

#include <weir/views.h>

struct trace_span {
	weir_str message;	/* body of Span */
	uint32_t resource;	/* index into trace->resources */
	/* when policies_read_spans says so: */
	uint32_t status, flags;
	uint64_t start, end;	/* ns */
};

struct trace {
	const uint8_t *id;	/* 16 bytes; zeros: empty */
	const struct trace_span *spans;
	size_t n;		/* of these; all there are, but with
				 * span-ingest: of the piece that came */
	const weir_str *resources;	/* bodies of Resource, "" when absent */
	size_t n_resources;
	uint64_t span_count;	/* of the trace so far */
	uint64_t bytes;		/* of the trace so far, as TracesData */
};

enum verdict {
	VERDICT_PENDING,	/* nobody has decided yet */
	VERDICT_SAMPLED, VERDICT_NOT_SAMPLED, VERDICT_DROPPED
};

#endif
