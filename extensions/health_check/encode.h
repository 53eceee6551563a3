/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.h: the answer of a health check as text.  Pure.
 */
#ifndef HEALTH_CHECK_ENCODE_H
#define HEALTH_CHECK_ENCODE_H

#include <weir/base.h>

#define HEALTH_BODY_MAX 256

/* A duration as Go prints it: "1m2.3s", "350ms", "1.5µs", "0s". */
void encode_duration(uint64_t ns, char *out, size_t size);
/* RFC 3339 in local time with up to nine digits of a second. */
void encode_time(uint64_t unix_ns, char *out, size_t size);
/* The JSON of the Collector's health_check, without newline. */
void encode_ready(uint64_t up_since_unix_ns, uint64_t uptime_ns, char *out,
		  size_t size);
void encode_not_ready(char *out, size_t size);

#endif
