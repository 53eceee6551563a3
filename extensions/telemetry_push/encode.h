/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.h: a snapshot of metrics as an OTLP export request.  Pure.
 */
#ifndef TELEMETRY_PUSH_ENCODE_H
#define TELEMETRY_PUSH_ENCODE_H

#include <weir/service.h>
#include <weir/value.h>

/* temporality_preference: which sums and histograms are since the last export
 * instead of since the start. */
enum preference {
	PREFER_CUMULATIVE,
	PREFER_DELTA,		/* counters and histograms */
	PREFER_LOWMEMORY	/* the same but for those that are observed */
};

/* Is the family sent as differences? */
bool encode_is_delta(const struct weir_family *family,
		     enum preference preference);

struct encode_options {
	const struct weir_label *resource;	/* of the process */
	size_t n_resource;
	const char *scope_version;
	enum preference preference;
	uint64_t start;		/* Unix ns: of the process; 0: not known */
	uint64_t last;		/* Unix ns: what differences are since */
	uint64_t now;		/* Unix ns */
};

/* Appends an ExportMetricsServiceRequest.  Values are taken as they are:
 * whoever prefers differences has made them. */
void encode_request(struct weir_text *out, const struct encode_options *options,
		    const struct weir_family *families, size_t n);

#endif
