/* SPDX-License-Identifier: Apache-2.0 */
/*
 * summary.h: what was done to an element, told in attributes of its own.
 */
#ifndef REDACTION_SUMMARY_H
#define REDACTION_SUMMARY_H

#include <weir/attributes.h>

enum summary_level { SUMMARY_SILENT, SUMMARY_INFO, SUMMARY_DEBUG };

enum done {		/* in the order in which they are told */
	DONE_REDACTED, DONE_MASKED, DONE_ALLOWED, DONE_IGNORED, DONE_KINDS
};

/* Bytes of keys that one summary lists; what is beyond is only counted.  Paths
 * into maps are as long as their keys: a sender could make them grow with the
 * square of a request. */
#define TOLD_MAX 65536

/* Keys of one element; the list's memory is used again. */
struct tally {
	size_t count[DONE_KINDS];
	size_t told_bytes;
	struct told {
		enum done done;
		weir_str key;		/* lives as long as the element */
	} *v;
	size_t n, cap;
};

void tally_clear(struct tally *tally);
/* Is a key of that length still told? */
bool tally_tells(const struct tally *tally, enum summary_level level,
		 size_t len);
/* Keys are remembered only where they will be told. */
void tally_add(struct tally *tally, enum summary_level level, enum done done,
	       weir_str key);
void tally_release(struct tally *tally);

/* Adds the summary to the attributes of e.  text: scratch, overwritten. */
void summary_write(struct tally *tally, enum summary_level level, bool body,
		   struct weir_text *text, struct weir_element *e);

#endif
