/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_json_read.h: a reading of OTLP/JSON, shared by its two halves: messages
 * (otlp_json_read.c) and scalars (otlp_json_scalar.c).
 */
#ifndef KIT_OTLP_JSON_READ_H
#define KIT_OTLP_JSON_READ_H

#include <weir/json.h>
#include <weir/status.h>

#include "otlp_out.h"
#include "otlp_rows.h"

/* A field that is being read, for the path in an error. */
struct otlp_step {
	const struct otlp_step *outer;
	const struct otlp_row *row;
	size_t index;		/* in a list */
};

struct otlp_reading {
	struct weir_json json;
	weir_str in;
	struct otlp_out out;
	const struct otlp_step *step;	/* innermost */
	struct weir_outcome *refused;
};

/* Refuses for the token that is current: INVALID_ARGUMENT with path and byte,
 * or what went wrong with JSON itself.  Always false. */
bool otlp_refuse(struct otlp_reading *r, const char *why);
/* The output would not grow: too big, or memory.  Always false. */
bool otlp_refuse_room(struct otlp_reading *r);

/* The tag of a row's field; wire is its wire type. */
static inline uint32_t otlp_tag(const struct otlp_row *row, uint32_t wire)
{
	return (uint32_t)row->number << 3 | wire;
}

/* Writes tag and value of the current token as row has it.  keep: also when it
 * is the default. */
bool otlp_read_scalar(struct otlp_reading *r, const struct otlp_row *row,
		      bool keep);
/* Writes an element of a packed field, without a tag. */
bool otlp_read_element(struct otlp_reading *r, const struct otlp_row *row);

/* In a list of row's attributes, reads those that come next and are written as
 * SDKs do; how many.  What follows is for the scanner, at least the end of the
 * list.  SIZE_MAX: no room, refused. */
size_t otlp_read_attributes(struct otlp_reading *r, const struct otlp_row *row);

#endif
