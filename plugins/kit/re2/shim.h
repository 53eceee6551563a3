/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim.h: RE2 behind a table of C functions.
 *
 * libweirre2.so exports this table and nothing else.  Core opens it when the
 * first real pattern is compiled; this header is all that the two share, and
 * it includes nothing of ours.
 */
#ifndef WEIR_KIT_RE2_SHIM_H
#define WEIR_KIT_RE2_SHIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIRRE2_VERSION 1
#define WEIRRE2_SYMBOL "weirre2"

/* Bytes of the text that a group took; start is WEIRRE2_NONE if it took no
 * part in the match. */
struct weirre2_group {
	size_t start, end;
};
#define WEIRRE2_NONE SIZE_MAX

struct weirre2 {
	uint32_t version;
	/* NULL and Go's words in error (room bytes, NUL-terminated): what is
	 * wrong, and the piece in backquotes unless it is the whole pattern. */
	void *(*compile)(const char *pattern, size_t len, char *error,
			 size_t room);
	void (*release)(void *re);
	/* Number of capturing groups, without the whole match. */
	int (*groups)(const void *re);
	/* First match at or after `from`.  1 yes, 0 no, -1 cannot tell: out of
	 * memory, or the automaton is for this text (looked into when from is
	 * 0).  text is valid UTF-8.  Any thread. */
	int (*search)(const void *re, const char *text, size_t len, size_t from,
		      struct weirre2_group *groups, size_t n);
};

extern const struct weirre2 weirre2;

#ifdef __cplusplus
}
#endif
#endif
