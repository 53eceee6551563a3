/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_scan.h: where a secret may be.
 */
#ifndef REDACTION_DETECT_SCAN_H
#define REDACTION_DETECT_SCAN_H

#include "detect.h"

#define SCAN_BYTES 16

struct scan {
	const struct detectors *d;
	const uint8_t *text;
	size_t len, at;		/* the next block begins at `at` */
	size_t wide;		/* from here on in large steps */
	/* Of the block before it. */
	uint32_t candidates, runs;	/* bits: lanes not yet told */
	uint8_t lane[SCAN_BYTES];	/* buckets, by tables */
	/* What reaches over the border of two blocks. */
	uint8_t before[3];
	uint32_t digits;	/* lanes of digits and what is between them */
};

struct candidate {
	size_t last;		/* the last byte of the window, */
	uint8_t window[4];	/* with zeros before the text */
	uint8_t buckets;
	bool run;		/* the 13th in a row of those */
};

void scan_start(struct scan *s, const struct detectors *d, weir_str text,
		size_t from);
bool scan_next(struct scan *s, struct candidate *c);
/* Picks the fastest that this machine can do. */
enum detect_scan scan_fastest(void);

#endif
