/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_status.h: how gRPC writes a status, a deadline and a retry hint.
 * Pure functions over text; both sides of a call use them.
 */
#ifndef KIT_GRPC_STATUS_H
#define KIT_GRPC_STATUS_H

#include <weir/status.h>

/* Longest value we write: grpc-message, grpc-status-details-bin. */
#define GRPC_MESSAGE_MAX 256
#define GRPC_DETAILS_MAX 512
#define GRPC_TIMEOUT_MAX 12

/* Percent-encodes text into out (GRPC_MESSAGE_MAX bytes, not terminated); what
 * does not fit is left out at a whole character.  Returns the length. */
size_t grpc_message_encode(char *out, const char *text);
/* The other way; malformed escapes stay as they are, control characters become
 * '?'.  Terminates, cuts. */
void grpc_message_decode(weir_str value, char *out, size_t room);

/* The value of grpc-status-details-bin (GRPC_DETAILS_MAX bytes): a
 * google.rpc.Status with a RetryInfo of retry_after, unless that is 0. */
size_t grpc_details_encode(char *out, const struct weir_outcome *outcome,
			   weir_duration retry_after);
/* The RetryInfo of such a value; false when it holds none or is broken. */
bool grpc_details_retry(weir_str value, weir_duration *retry_after);

/* grpc-timeout: 1 to 8 digits and a unit.  false when malformed; what does not
 * fit 64 bits is clamped. */
bool grpc_timeout_parse(weir_str value, uint64_t *ns);
/* Writes at most GRPC_TIMEOUT_MAX bytes, rounded up.  Returns the length. */
size_t grpc_timeout_format(char *out, uint64_t ns);

/* 1 to 3 digits; anything else is UNKNOWN. */
enum weir_status grpc_status_parse(weir_str value);
/* What a response without grpc-status means. */
enum weir_status grpc_status_of_http(int http);
/* What RST_STREAM with that HTTP/2 error code means. */
enum weir_status grpc_status_of_h2(uint32_t error);

/* Standard base64 without padding; out has room for (len * 4 + 2) / 3. */
size_t grpc_base64_encode(char *out, const uint8_t *in, size_t len);
/* Padded or not; -1 when malformed or too long for room. */
int64_t grpc_base64_decode(weir_str value, uint8_t *out, size_t room);

#endif
