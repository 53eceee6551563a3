/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_batch.h: batches without a worker, for tests of core.
 */
#ifndef TESTS_OTLP_BATCH_H
#define TESTS_OTLP_BATCH_H

#include <stdlib.h>

#include "data/batch.h"
#include "otlp_gen.h"

/* A batch of one slice.  Free it with batch_free. */
static inline struct weir_batch *otlp_batch(enum weir_signal signal,
					    const struct otlp_bytes *bytes)
{
	struct weir_batch *batch = batch_new(signal);
	struct weir_payload *payload = payload_new(bytes->len, true);

	memcpy(payload->bytes, bytes->ptr, bytes->len);
	batch_add(batch, payload, payload->bytes, bytes->len, bytes->items);
	payload_unref(payload);
	return batch;
}

/* All slices laid end to end. */
static inline struct otlp_bytes otlp_batch_bytes(
	const struct weir_batch *batch)
{
	struct otlp_bytes out = { calloc(1, batch->bytes + PAYLOAD_SLACK),
				  batch->bytes, (uint32_t)batch->items };
	uint8_t *to = out.ptr;

	for (uint32_t i = 0; i < batch->n; i++) {
		memcpy(to, batch->slices[i].ptr, batch->slices[i].len);
		to += batch->slices[i].len;
	}
	return out;
}

#endif
