/* SPDX-License-Identifier: Apache-2.0 */
/* otlp_grpc.h: what can be said without a connection.  All pure. */
#ifndef OTLP_GRPC_H
#define OTLP_GRPC_H

#include <weir/plugin.h>

/* The endpoint without "http://", "https://", "dns:///"...  */
weir_str otlp_authority(weir_str endpoint);
/* The two halves of host:port; port is "" unless it is a number. */
void otlp_host_port(weir_str endpoint, weir_str *host, weir_str *port);

#endif
