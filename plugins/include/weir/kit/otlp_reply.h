/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_reply.h: what an OTLP backend answers, whatever carried it.
 *
 * The bytes come from a stranger: every length is checked against what is
 * left, unknown fields are passed over, texts are cut and cleaned before
 * anybody sees them.  Pure.
 */
#ifndef WEIR_KIT_OTLP_REPLY_H
#define WEIR_KIT_OTLP_REPLY_H

#include <weir/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Reads the partial_success of an Export*ServiceResponse into *outcome, which
 * stays OK: rejected (never below 0) and text.  False when the bytes are no
 * whole message; what stood before the break counts. */
WEIR_API bool weir_otlp_partial_success(const uint8_t *reply, size_t len,
					struct weir_outcome *outcome);

/* The message and the types of the details (separated by blanks, as far as
 * there is room) of a google.rpc.Status; message points into the bytes.  False
 * when they are no whole message; none at all are an empty one. */
WEIR_API bool weir_otlp_status(const uint8_t *reply, size_t len,
			       weir_str *message, char *details, size_t room);

/* Puts text before what the outcome says, in the words operators know from
 * gRPC: "rpc error: code = Unavailable desc = ...". */
WEIR_API void weir_otlp_error_text(struct weir_outcome *outcome,
				   enum weir_status code);

#ifdef __cplusplus
}
#endif
#endif
