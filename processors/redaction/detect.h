/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect.h: secrets and personal data that are known by their shape.
 *
 * Pure: a text goes in, places come out.  Linear in the text, without
 * allocation, recursion or regular expressions.  What has no shape of its own
 * is found by the name before it (`api_key=`).
 */
#ifndef REDACTION_DETECT_H
#define REDACTION_DETECT_H

#include <weir/config.h>

enum detector {
	DETECT_EMAIL,
	DETECT_PAYMENT_CARD,
	DETECT_IBAN,
	DETECT_JWT,
	DETECT_PRIVATE_KEY,
	DETECT_CREDENTIALS,
	DETECT_CLOUD_KEY,
	DETECT_LLM_KEY,
	DETECTORS
};

#define DETECT_WORDS 16	/* windows in a bucket, and one that ends them */

/* Compiled once, then constant: any thread. */
struct detectors {
	uint32_t on;		/* bits 1 << enum detector */
	enum detect_scan {
		SCAN_WIDE,	/* what the processor can do */
		SCAN_VECTORS,	/* what most can */
		SCAN_TABLES,	/* what every processor can do */
		SCAN_EVERYWHERE	/* every byte is a candidate: for tests */
	} scan;
	/* Bit b of byte[i][c]: c may be the i-th byte of a window of bucket
	 * b; the same by the two halves of c, a superset. */
	uint8_t byte[4][256];
	uint8_t low[4][16], high[4][16];
	/* The windows of a bucket; those with trigger 0 are none. */
	struct detect_word {
		uint8_t mask[4], fold[4], want[4];
		uint8_t trigger;	/* its number, from 1 on */
	} word[8][DETECT_WORDS];
};

struct detected {
	size_t at, len;		/* bytes of the text; len is never 0 */
	enum detector what;
};

/* A text on its way: what a probe has read to its end, no other reads again
 * (detect_seen.c).  Belongs to the caller; starting it costs nothing. */
#define DETECT_STOPS 18
#define DETECT_QUOTES 51
struct detect_walk {
	const struct detectors *d;
	weir_str text;
	size_t no_block, no_block_end;
	uint64_t quotes;	/* bit q: quote[q] is known */
	uint32_t stops;		/* bit s: stop[s] is known */
	struct detect_stop {
		size_t from, to;	/* none in [from, to) */
		bool found;		/* and one at `to` */
	} stop[DETECT_STOPS];
	/* The value whose name is known: it reaches so far whatever is in it.
	 * Set behind detect_start. */
	size_t named, named_end;
	struct detect_quote {
		size_t from, at, end;	/* from..at: closes at, value to end */
	} quote[DETECT_QUOTES];
};

/* -1 and a sentence that names the nearest detector: no such name.  An empty
 * list finds nothing. */
int detectors_init(struct detectors *d, struct weir_strs names,
		   struct weir_error *error);
/* As it is configured: "payment_card". */
const char *detector_name(enum detector detector);

/* Is what stands behind this name, as in JSON, to be held for a secret because
 * of the name?  No: only the value itself can tell. */
bool detect_name(const struct detectors *d, weir_str name);
/* Is there anything to find?  One fast scan where nothing looks like it. */
bool detect_any(const struct detectors *d, weir_str text);
/* The first that begins at or after `from`; false: no more.  Going on from
 * hit->at + hit->len gives all, left to right, and none overlaps another, in
 * time linear in the text.  What is before `from` counts as what surrounds it.
 */
void detect_start(struct detect_walk *walk, const struct detectors *d,
		  weir_str text);
bool detect_next(struct detect_walk *walk, size_t from, struct detected *hit);

#endif
