/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_config.h: where a gRPC client connects to.
 */
#ifndef KIT_GRPC_CONFIG_H
#define KIT_GRPC_CONFIG_H

#include <weir/kit/compress.h>
#include <weir/kit/grpc.h>

/* An endpoint taken apart; address points into it. */
struct grpc_target {
	weir_str address;	/* host:port, or the path of a socket */
	bool is_unix;
	bool https;		/* asked for TLS by its scheme */
};
void grpc_target_parse(weir_str endpoint, struct grpc_target *target);

#endif
