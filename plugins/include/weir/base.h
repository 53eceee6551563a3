/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.h: the small values that everything else is made of.
 *
 * No libc or third-party type whose layout could differ between two builds
 * appears in the contract.  Strings are pointer and length, by value.
 */
#ifndef WEIR_BASE_H
#define WEIR_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_API __attribute__((visibility("default")))
#define WEIR_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Bytes or text, not NUL-terminated.  ptr may be NULL when len is 0.  The
 * storage belongs to whoever handed the value out; the place says how long. */
typedef struct weir_str {
	const char *ptr;
	size_t len;
} weir_str;

#define WEIR_STR(literal) ((weir_str){ "" literal, sizeof(literal) - 1 })
#define WEIR_STR_FMT(s) (int)(s).len, (s).ptr	/* for "%.*s" */

static inline weir_str weir_str_of(const char *text)
{
	return (weir_str){ text, text ? strlen(text) : 0 };
}

static inline bool weir_str_eq(weir_str a, weir_str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.ptr, b.ptr, a.len));
}

/* A span of time in nanoseconds.  Configured as a Go duration ("1.5s"). */
typedef struct weir_duration {
	int64_t ns;
} weir_duration;

/* A size in bytes. */
typedef struct weir_size {
	uint64_t bytes;
} weir_size;

/* Text that must never be shown: logs, errors and config dumps print
 * [REDACTED] in its place. */
typedef struct weir_secret {
	weir_str text;
} weir_secret;

enum weir_signal {
	WEIR_SIGNAL_TRACES,
	WEIR_SIGNAL_METRICS,
	WEIR_SIGNAL_LOGS,
	WEIR_SIGNAL_COUNT
};

/* Masks of signals, for the descriptor. */
#define WEIR_TRACES (1u << WEIR_SIGNAL_TRACES)
#define WEIR_METRICS (1u << WEIR_SIGNAL_METRICS)
#define WEIR_LOGS (1u << WEIR_SIGNAL_LOGS)
#define WEIR_ALL_SIGNALS (WEIR_TRACES | WEIR_METRICS | WEIR_LOGS)

/* "traces", "metrics", "logs": as pipelines and labels spell it. */
WEIR_API const char *weir_signal_name(enum weir_signal signal);

/* Nanoseconds on a clock that never steps; its zero means nothing.  Any
 * thread.  Tests own it: never ask the system for the time. */
WEIR_API uint64_t weir_now(void);

/* Nanoseconds since 1970-01-01 UTC, for stamps only.  Any thread. */
WEIR_API uint64_t weir_wall_now(void);

/* 64 random bits; not for keys or tokens.  Any thread.  Tests own it. */
WEIR_API uint64_t weir_random(void);
/* A hash that nobody outside of this process can aim at (SipHash-1-3, a key of
 * its own).  For tables whose keys a peer chooses; not for signatures.  Any
 * thread. */
WEIR_API uint64_t weir_hash(const void *bytes, size_t len);

#ifdef __cplusplus
}
#endif
#endif
