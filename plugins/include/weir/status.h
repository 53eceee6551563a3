/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.h: how things end.
 *
 * On the data path an outcome is a gRPC status code, number included, with a
 * reason that refines it (the code alone cannot tell "too big" from "over
 * quota").  At set-up it is 0 or -1 and one sentence in a struct weir_error.
 */
#ifndef WEIR_STATUS_H
#define WEIR_STATUS_H

#include <weir/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum weir_retry {
	WEIR_FINAL,		/* sending it again cannot help: drop */
	WEIR_RETRY,		/* a passing state: send it again */
	WEIR_RETRY_IF_TOLD	/* only when the peer said when (RetryInfo) */
};

/* OTLP specification, "Failures"; google.rpc.Code. */
#define WEIR_STATUS_MAP(XX)						\
	/* name               gRPC  HTTP  retry */			\
	XX(OK,                  0,  200, WEIR_FINAL)			\
	XX(CANCELLED,           1,  503, WEIR_RETRY)			\
	XX(UNKNOWN,             2,  500, WEIR_FINAL)			\
	XX(INVALID_ARGUMENT,    3,  400, WEIR_FINAL)			\
	XX(DEADLINE_EXCEEDED,   4,  503, WEIR_RETRY)			\
	XX(NOT_FOUND,           5,  500, WEIR_FINAL)			\
	XX(ALREADY_EXISTS,      6,  500, WEIR_FINAL)			\
	XX(PERMISSION_DENIED,   7,  403, WEIR_FINAL)			\
	XX(RESOURCE_EXHAUSTED,  8,  429, WEIR_RETRY_IF_TOLD)		\
	XX(FAILED_PRECONDITION, 9,  500, WEIR_FINAL)			\
	XX(ABORTED,            10,  503, WEIR_RETRY)			\
	XX(OUT_OF_RANGE,       11,  503, WEIR_RETRY)			\
	XX(UNIMPLEMENTED,      12,  404, WEIR_FINAL)			\
	XX(INTERNAL,           13,  500, WEIR_FINAL)			\
	XX(UNAVAILABLE,        14,  503, WEIR_RETRY)			\
	XX(DATA_LOSS,          15,  503, WEIR_RETRY)			\
	XX(UNAUTHENTICATED,    16,  401, WEIR_FINAL)

enum weir_status {
#define XX(name, grpc, http, retry) WEIR_##name = grpc,
	WEIR_STATUS_MAP(XX)
#undef XX
};

/* Why, beside the code.  http: the status that an HTTP peer hears instead of
 * the code's own, 0 = the code's. */
#define WEIR_REASON_MAP(XX)						\
	/* name           http  text */					\
	XX(NONE,             0, "")					\
	XX(MALFORMED,      400, "malformed")				\
	XX(COMPRESSION,    400, "compression")				\
	XX(TOO_BIG,        413, "too_big")				\
	XX(MEDIA_TYPE,     415, "media_type")				\
	XX(FULL,           503, "full")					\
	XX(MEMORY,         503, "memory")				\
	XX(DRAINING,       503, "draining")				\
	XX(STORAGE,        503, "storage")				\
	XX(QUOTA,          429, "quota")				\
	XX(DEADLINE,       503, "deadline")				\
	XX(GAVE_UP,        503, "gave_up")				\
	XX(NO_PIPELINE,    404, "no_pipeline")				\
	XX(BACKEND,          0, "backend")				\
	XX(FILTERED,         0, "filtered")

enum weir_reason {
#define XX(name, http, text) WEIR_REASON_##name,
	WEIR_REASON_MAP(XX)
#undef XX
	WEIR_REASON_COUNT
};

/* How a batch ended.  A value: copied, never shared. */
struct weir_outcome {
	enum weir_status status;
	enum weir_reason reason;
	weir_duration retry_after;	/* 0: the peer did not say when */
	uint64_t rejected;		/* items a backend refused (partial success) */
	char text[192];			/* for people; NUL-terminated, printable */
};

/* "UNAVAILABLE"; "code 42" is never returned: unknown numbers are "UNKNOWN". */
WEIR_API const char *weir_status_name(enum weir_status status);
/* "full", "too_big"...: the value of a metric label. */
WEIR_API const char *weir_reason_name(enum weir_reason reason);
/* The HTTP status that says the same (reason first, then code; but the code's
 * own when the reason is one that passes and the code is final). */
WEIR_API int weir_outcome_http(const struct weir_outcome *outcome);
/* May the sender try again?  RESOURCE_EXHAUSTED only with retry_after;
 * a reason of GAVE_UP or TOO_BIG never. */
WEIR_API bool weir_outcome_retryable(const struct weir_outcome *outcome);
/* Fills *outcome; text is printf-style, cut to fit, unprintables become '?'. */
WEIR_API void weir_outcome_set(struct weir_outcome *outcome,
			       enum weir_status status, enum weir_reason reason,
			       const char *format, ...) WEIR_PRINTF(4, 5);
/* Keeps in *worst the worse of both: OK < retryable < final. */
WEIR_API void weir_outcome_merge(struct weir_outcome *worst,
				 const struct weir_outcome *other);

/* One sentence about what is wrong at set-up, and where.  Lives on the
 * caller's stack; nothing to free. */
struct weir_error {
	char path[256];		/* "exporters.zipkin.endpoint", or relative */
	char text[512];		/* "no scheme in \"http//x\"" */
	char file[256];		/* configuration file, "" when not known */
	uint32_t line, column;	/* from 1; 0 when not known */
};

/* Fill *error and return -1, so that `return weir_fail(...)` reads well.
 * path: the key the sentence is about, relative to the component's own block
 * ("protocols.grpc.endpoint", "actions[2].key"); NULL or "" for the block. */
WEIR_API int weir_fail(struct weir_error *error, const char *path,
		       const char *format, ...) WEIR_PRINTF(3, 4);
/* For such a sentence: the word of a blank-separated list that was meant by what
 * was written; empty: none is near.  It points into the list. */
WEIR_API weir_str weir_nearest(weir_str written, const char *words);

#ifdef __cplusplus
}
#endif
#endif
