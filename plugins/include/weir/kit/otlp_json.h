/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_json.h: OTLP/JSON, read and written as the Collector does (collector.md
 * 2.1, 4.4, 7.4; wire.md 1.9).
 *
 * From bytes to bytes in both directions: no object tree.  Pure, but for the
 * process's byte budget.
 */
#ifndef WEIR_KIT_OTLP_JSON_H
#define WEIR_KIT_OTLP_JSON_H

#include <weir/batch.h>
#include <weir/status.h>
#include <weir/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Appends {"resourceSpans":[...]} (resourceMetrics, resourceLogs) to out,
 * without a newline. */
WEIR_API void weir_otlp_json_write(const struct weir_batch *batch,
				   struct weir_text *out);
/* The same of some of a batch's records: slices of whole field-1 records. */
WEIR_API void weir_otlp_json_write_slices(enum weir_signal signal,
	const struct weir_slice *slices, size_t n, struct weir_text *out);

/* Reads one whole export request into the same request in protobuf: a payload
 * of its own, *out gets its used length (0 is an empty request).  It is ready
 * for weir_batch_decode.  NULL and an outcome: INVALID_ARGUMENT/MALFORMED with
 * what was wrong and at which byte, UNAVAILABLE/MEMORY.  At most max bytes of
 * protobuf are made, RESOURCE_EXHAUSTED/TOO_BIG beyond.  Depth at most 200. */
WEIR_API struct weir_payload *weir_otlp_json_read(struct weir_component *c,
	enum weir_signal signal, const uint8_t *in, size_t len, size_t max,
	size_t *out, struct weir_outcome *refused);

#ifdef __cplusplus
}
#endif
#endif
