/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_out.h: protobuf written front to back, lengths known only at the end.
 *
 * A message whose length is not known begins with a gap of eight bytes.  Gaps
 * are linked, in the order in which they stand, through themselves:
 *
 *	tag | next, length | body ... tag | next, length | body ...
 *
 * At the end otlp_out_finish goes over them once and closes them up, each
 * leaving the shortest varint.  So any nesting costs one pass over the bytes.
 *
 * The bytes lie in a payload, which grows; in the end they are in one of about
 * their size.  What is charged to the budget is what is held.
 */
#ifndef KIT_OTLP_OUT_H
#define KIT_OTLP_OUT_H

#include <weir/batch.h>

#define OTLP_GAP 8		/* bytes */
#define OTLP_NO_GAP SIZE_MAX
/* Longest tag and scalar, or tag and length, that is written at once. */
#define OTLP_RECORD 16

struct otlp_out {
	struct weir_component *component;
	struct weir_payload *payload;
	uint8_t *bytes;
	size_t len, room;
	size_t max;		/* bytes there may be once gaps are closed */
	size_t last;		/* the gap written last, or OTLP_NO_GAP */
	size_t saved;		/* bytes that closing up will give back */
	bool too_big;		/* why writing failed; else memory */
};

/* Room for about so many bytes.  False: no memory, nothing to free. */
bool otlp_out_open(struct otlp_out *out, struct weir_component *c, size_t room,
		   size_t max);
/* Frees the payload of an output that failed. */
void otlp_out_drop(struct otlp_out *out);

bool otlp_out_grow(struct otlp_out *out, size_t n);

/* Room for n more bytes; false: out->too_big or memory.  Bytes may move. */
static inline bool otlp_out_need(struct otlp_out *out, size_t n)
{
	return n <= out->room - out->len || otlp_out_grow(out, n);
}

/* A message that is being written. */
struct otlp_open {
	size_t gap;		/* where */
	size_t saved;		/* by gaps before it */
};

/* Writes a gap; there is room. */
struct otlp_open otlp_out_begin(struct otlp_out *out);
/* All that was written since belongs to it.  Returns its length as it will
 * be. */
size_t otlp_out_end(struct otlp_out *out, struct otlp_open open);

/* A message that has ended, with its one-byte tag. */
struct otlp_record {
	size_t gap, end;
	size_t last;		/* the last gap in it, itself at least */
};
/* It never was: another one takes its place.  It must stand outside of all
 * messages that ended after it. */
void otlp_out_cut(struct otlp_out *out, const struct otlp_record *record);

/* Closes all gaps; false: more than max bytes.  out->payload is the caller's,
 * out->len bytes of it are used. */
bool otlp_out_finish(struct otlp_out *out);

#endif
