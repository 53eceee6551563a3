/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h: what an operator reads.
 *
 * Event words first, then fields as key=value:
 *   weir_log_warn(c, "Sender failed", "error=%s dropped_items=%zu", text, n);
 * The component's id, kind, pipeline and signal are added by core.  DEBUG for
 * developers, INFO when an operator's action succeeded, WARN odd but nothing
 * lost, ERROR loss or a human needed.  Nothing per item; each call site is
 * limited to a few lines a second and says how many it swallowed.
 */
#ifndef WEIR_LOG_H
#define WEIR_LOG_H

#include <weir/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_component;

enum weir_severity {
	WEIR_DEBUG, WEIR_INFO, WEIR_WARN, WEIR_ERROR
};

/* State of one call site; zero-initialised. */
struct weir_log_site {
	const char *file;
	int line;
	uint64_t window;	/* second in which `count` was counted */
	uint32_t count;
	uint32_t suppressed;
};

/* Any thread.  c may be NULL (core itself).  fields: blank-separated key=value
 * pairs (a key with blanks in double quotes), each value one conversion: %s %.*s %d %u %x %ld %lu %lld %llu %zu %g
 * %c.  Core takes the pairs apart by the format, not by the result, so a value
 * may hold anything: the writer escapes it.  May be NULL. */
WEIR_API void weir_log(struct weir_component *c, struct weir_log_site *site,
		       enum weir_severity severity, const char *words,
		       const char *fields, ...) WEIR_PRINTF(5, 6);

/* Is anything of that severity written at all?  Ask before costly fields. */
WEIR_API bool weir_log_enabled(enum weir_severity severity);

#define WEIR_LOG_AT(c, severity, words, ...)				\
	do {								\
		static _Thread_local struct weir_log_site site_ =	\
			{ __FILE__, __LINE__, 0, 0, 0 };		\
		weir_log((c), &site_, (severity), (words), __VA_ARGS__);	\
	} while (0)
#define weir_log_debug(c, words, ...) WEIR_LOG_AT(c, WEIR_DEBUG, words, __VA_ARGS__)
#define weir_log_info(c, words, ...) WEIR_LOG_AT(c, WEIR_INFO, words, __VA_ARGS__)
#define weir_log_warn(c, words, ...) WEIR_LOG_AT(c, WEIR_WARN, words, __VA_ARGS__)
#define weir_log_error(c, words, ...) WEIR_LOG_AT(c, WEIR_ERROR, words, __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
