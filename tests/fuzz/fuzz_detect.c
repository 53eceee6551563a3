/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_detect.c: secrets by their shape.
 *
 * Input: a byte of detectors, one for where to begin, then a text.  Hits lie in
 * the text, go forward, and do not overlap.  detect_any sees what detect_next
 * finds.  All ways to scan find the same: what the fast ones leave out, the one
 * that leaves out nothing must not find.  What a walk remembers changes
 * nothing.  The text is a name, too.
 */
#include <stdlib.h>

#include "../../processors/redaction/detect.c"
#include "../../processors/redaction/detect_key.c"
#include "../../processors/redaction/detect_name.c"
#include "../../processors/redaction/detect_number.c"
#include "../../processors/redaction/detect_scan.c"
#include "../../processors/redaction/detect_scheme.c"
#include "../../processors/redaction/detect_seen.c"
#include "../../processors/redaction/detect_text.c"
#include "../../processors/redaction/detect_value.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct detectors *compiled(uint8_t on)
{
	static struct detectors all[256];
	weir_str list[DETECTORS];
	struct weir_strs strs = { list, 0 };
	struct weir_error error;

	if (all[on].on == on)
		return &all[on];
	for (unsigned i = 0; i < DETECTORS; i++)
		if (on >> i & 1)
			list[strs.len++] = weir_str_of(detector_name(i));
	if (detectors_init(&all[on], strs, &error))
		abort();
	return &all[on];
}

static bool afresh(const struct detectors *d, weir_str text, size_t from,
		   struct detected *hit)
{
	struct detect_walk walk;

	memset(&walk, 0xa5, sizeof(walk));
	detect_start(&walk, d, text);
	return detect_next(&walk, from, hit);
}

/* True as long as there are hits. */
static bool step(struct detect_walk *walk, size_t from, struct detected *hit)
{
	static const enum detect_scan scans[] = {
		SCAN_WIDE, SCAN_VECTORS, SCAN_TABLES, SCAN_EVERYWHERE
	};
	const struct detectors *d = walk->d;
	weir_str text = walk->text;
	bool found = detect_next(walk, from, hit);

	if (found && (hit->at < from || !hit->len || hit->at > text.len ||
		      hit->len > text.len - hit->at ||
		      !(d->on >> hit->what & 1)))
		abort();
	for (int i = 0; i < 4; i++) {
		struct detectors other = *d;
		struct detected same;

		if (scans[i] > d->scan)		/* that is the fastest */
			other.scan = scans[i];
		if (afresh(&other, text, from, &same) != found ||
		    (found && (same.at != hit->at || same.len != hit->len ||
			       same.what != hit->what)))
			abort();
	}
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct detectors *d;
	struct detect_walk walk;
	struct detected hit;
	weir_str text;
	size_t from = 0;
	bool any;

	if (size < 2)
		return 0;
	d = compiled(data[0]);
	text = (weir_str){ (const char *)data + 2, size - 2 };
	any = detect_any(d, text);
	detect_start(&walk, d, text);
	if (any != step(&walk, 0, &hit))
		abort();
	for (; from < text.len && step(&walk, from, &hit);
	     from = hit.at + hit.len)
		;
	step(&walk, data[1], &hit);
	detect_name(d, text);
	return 0;
}
