/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notes.h: what a walk found worth showing to attribute processors.
 *
 * A note is a message of the payload: one that matched an interest (wanted),
 * or an ancestor of one.  Pre-order: parents before children, ascending
 * offsets.  Offsets count from the first byte that was walked.
 *
 * A wanted NOTE_WRAPPER (NOTE_SCOPE_WRAPPER) asks for its resource (scope) to
 * be shown: because the message is absent and every one is to be shown, or
 * because of the wrapper's schema_url.  A NOTE_RESOURCE or NOTE_SCOPE may or
 * may not follow then, as their own attributes say.  A parent that comes to
 * be wanted by what stands behind its children (metadata, schema_url) is
 * noted before them all the same.
 *
 * A note may promise too much, never too little: a value that is no string is
 * not written out to ask a pattern that takes any type, so it counts as a
 * match.
 */
#ifndef CORE_NOTES_H
#define CORE_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOTE_NONE UINT32_MAX

/* The messages that can be noted, ancestors included. */
enum note_kind {
	NOTE_WRAPPER,		/* ResourceSpans, ResourceMetrics, ResourceLogs */
	NOTE_RESOURCE,
	NOTE_SCOPE_WRAPPER,	/* ScopeSpans, ScopeMetrics, ScopeLogs */
	NOTE_SCOPE,
	NOTE_METRIC,
	NOTE_DATA,		/* Gauge, Sum, Histogram, ... */
	NOTE_RECORD,		/* Span, LogRecord, any data point */
	NOTE_EVENT,
	NOTE_LINK,
	NOTE_EXEMPLAR
};

struct note {
	uint32_t parent;	/* index, or NOTE_NONE for a wrapper */
	uint32_t offset;	/* of the body */
	uint32_t len;		/* of the body */
	uint8_t kind;		/* enum note_kind */
	uint8_t len_width;	/* bytes of the length varint before the body */
	uint8_t tag_width;	/* bytes of the tag before that */
	uint8_t wanted;		/* somebody is interested in it */
	uint32_t field;		/* its field number in the parent */
};

struct notes {
	struct note *v;
	uint32_t n, cap;
	const uint8_t *base;	/* the bytes they are about */
};

void notes_release(struct notes *notes);

#endif
