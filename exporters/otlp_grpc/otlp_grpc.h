/* SPDX-License-Identifier: Apache-2.0 */
/* otlp_grpc.h: what can be said without a connection.  All pure. */
#ifndef OTLP_GRPC_H
#define OTLP_GRPC_H

#include <weir/plugin.h>

/* Reads the partial_success of an Export*ServiceResponse into *outcome:
 * rejected and text.  A reply that is no such message says nothing: the
 * request was taken all the same. */
void otlp_partial_success(const uint8_t *reply, size_t len,
			  struct weir_outcome *outcome);

/* Puts the outcome's text into the words operators know from gRPC:
 * "rpc error: code = Unavailable desc = ...". */
void otlp_error_text(struct weir_outcome *outcome);

/* The endpoint without "http://", "https://", "dns:///"...  */
weir_str otlp_authority(weir_str endpoint);
/* The two halves of host:port; port is "" unless it is a number. */
void otlp_host_port(weir_str endpoint, weir_str *host, weir_str *port);

#endif
