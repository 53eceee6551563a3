/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry_info.h: how long a refusing gRPC server asks its client to wait.
 */
#ifndef BENCH_RETRY_INFO_H
#define BENCH_RETRY_INFO_H

#include <stddef.h>
#include <stdint.h>

/* The delay, in ns, of the RetryInfo in the value of a grpc-status-details-bin
 * header; 0 when there is none.  Pure. */
uint64_t retry_info_delay(const uint8_t *value, size_t len);

#endif
