/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_json.h: OTLP/JSON as the Collector writes it (collector.md 4.4).
 *
 * Encodes straight from the bytes: no object tree.  Pure.
 */
#ifndef WEIR_KIT_OTLP_JSON_H
#define WEIR_KIT_OTLP_JSON_H

#include <weir/batch.h>
#include <weir/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Appends {"resourceSpans":[...]} (resourceMetrics, resourceLogs) to out,
 * without a newline. */
WEIR_API void weir_otlp_json_write(const struct weir_batch *batch,
				   struct weir_text *out);

#ifdef __cplusplus
}
#endif
#endif
