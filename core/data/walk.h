/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk.h: the validating walk, the border guard.
 *
 * Every message is walked once, to a depth of WALK_DEPTH, lengths checked as
 * `len > end - p`.  Three outcomes: malformed is refused; canonical goes on as
 * it is; legal but unusual is put into canonical form once (canon.c), so that
 * no later cursor can be fooled.
 *
 * Unusual: a singular field twice, a oneof with two members, an over-long
 * varint, invalid UTF-8 in a string field, a resource or scope behind its
 * children, a metric's name, description or unit behind its data, a packed
 * field unpacked or in pieces, groups among unknown fields, scopes under their
 * old number.
 */
#ifndef CORE_WALK_H
#define CORE_WALK_H

#include <weir/base.h>
#include <weir/status.h>

#include "notes.h"

#define WALK_DEPTH 100

enum walk_verdict { WALK_CANONICAL, WALK_UNUSUAL, WALK_MALFORMED };

struct interest_set;	/* interest.h */

struct walk_result {
	enum walk_verdict verdict;
	uint32_t items;		/* spans, log records, data points */
	uint32_t invalid_utf8;	/* string fields to be mended */
	const char *why;	/* malformed: a literal, "length past the end" */
	uint32_t offset;	/* malformed: where */
	/* Messages of any kind, for who charges by them: a message may be as
	 * small as two bytes. */
	uint32_t elements;
	bool too_big;		/* malformed only for us: too much to keep */
};

/* Walks the body of an export request of that signal: validation and, when set
 * is not NULL, matching in the same pass; what matched is appended to notes
 * (cleared first; not valid unless CANONICAL).  bytes has PAYLOAD_SLACK bytes
 * behind its end, len < 2^32.  Pure. */
struct walk_result walk_request(enum weir_signal signal, const uint8_t *bytes,
				size_t len, const struct interest_set *set,
				struct notes *notes);

/* Matching only, over bytes that have passed: a second walk, for runs that are
 * not first.  What a stage before has made unusual, a text that is no UTF-8
 * say, is looked at as it is.  False: notes are not complete (memory, or bytes
 * that never passed), so what is behind them must not go on. */
bool walk_interest(enum weir_signal signal, const uint8_t *bytes, size_t len,
		   const struct interest_set *set, struct notes *notes);

/* Puts an UNUSUAL request into canonical form: last scalar wins, sub-messages
 * merge, chunks append, groups are cut, invalid UTF-8 becomes U+FFFD, unknown
 * fields survive behind the known ones.  Appends to out (str.h).  False when
 * memory fails. */
struct buf;
bool canon_request(enum weir_signal signal, const uint8_t *bytes, size_t len,
		   struct buf *out);

#endif
