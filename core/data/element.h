/* SPDX-License-Identifier: Apache-2.0 */
/*
 * element.h: one message, decoded so that stages can change it.
 *
 * A run has one element and shows it again and again: element_open puts
 * another message into it, element_write turns what the stages changed into
 * edits.  Attributes, text fields and the flat view are decoded when first
 * asked for.
 *
 * Each call acts as if its result were written at once: where an added field
 * goes depends only on what is live at that moment.  So a run of stages gives
 * the same bytes as the stages one after the other.
 *
 * Up to three messages are changed together:
 *	outer	the wrapper: holds schema_url, and own when it is made
 *	own	the message itself; a Resource or a scope may be absent
 *	status	Span.status, which may be absent too
 */
#ifndef CORE_ELEMENT_H
#define CORE_ELEMENT_H

#include <weir/attributes.h>

#include "edit.h"
#include "fields.h"

/* A message of the slice that is being edited. */
struct part {
	weir_str body;
	uint32_t node;		/* of edit_list, or PART_UNKNOWN */
	bool present;		/* in the bytes */
	bool made;		/* not in the bytes, to be inserted */
	uint32_t anchor;	/* where, when made */
};
#define PART_UNKNOWN UINT32_MAX

/* An attribute that a stage has in hand: one of the message, in the order of
 * the bytes, or behind those one that was added.  Most attributes never get a
 * slot.  pub first: what a stage holds is a pointer to it. */
struct attr_slot {
	struct weir_attr pub;
	struct attr_slot *next;
	uint32_t start, len;	/* the field; added: where it goes, 0 */
	bool gone, replaced;
};

struct text_slot {
	weir_str text;		/* now */
	uint32_t start, len;	/* the field in its part; len 0: absent */
	uint32_t anchor;	/* inserted: where */
	bool cut, replaced, inserted;
};

struct slot_chunk;

struct weir_element {
	/* The message; set by element_open. */
	const struct weir_batch *batch;
	enum weir_signal signal;
	enum weir_level level;
	enum weir_metric_data data;	/* of a data point */
	const uint8_t *base;		/* the slice */
	uint32_t base_len;
	uint32_t attr_field;		/* number of its attribute list */
	struct part outer, own, status;

	/* Decoded when asked for. */
	bool has_texts, has_view;
	/* Where its attributes are: at first the whole body, then from the
	 * first on, then up to the last. */
	struct fields attrs;
	bool attrs_begun, attrs_ended;
	bool attrs_removed;		/* some are gone */
	struct attr_slot *first, *last;
	struct text_slot text[WEIR_TEXT_COUNT];
	struct text_slot body;		/* LogRecord.body; text unused */
	struct weir_value body_value;
	union {
		struct weir_span span;
		struct weir_log_record log;
		struct weir_point point;
		struct weir_metric_view metric;
		struct weir_scope scope;
	} view;

	bool changed;
	struct slot_chunk *chunks, *chunk;	/* all; the one in use */
	uint32_t used;				/* of the one in use */
	struct arena scratch;
	size_t scratch_counted;		/* in the byte budget */
	bool scratched;

	struct edit_list inner;		/* weir_value_rewrite */
	struct weir_text path;
};

/* Shows another message; batch, signal, base and base_len are the caller's to
 * set before.  wrapped: a Resource or scope, which may be absent. */
void element_open(struct weir_element *e, enum weir_level level,
		  enum weir_metric_data data, weir_str body);
void element_open_wrapped(struct weir_element *e, enum weir_level level,
			  weir_str wrapper);
/* Frees its memory; it can be opened again. */
void element_release(struct weir_element *e);
/* Has it memory for far more than a message of good will needs? */
bool element_is_large(const struct weir_element *e);

/* Emits the edits of what changed.  own.node must be known when the message is
 * present, outer.node when own may be absent. */
void element_write(struct weir_element *e, struct edit_list *list);

/* What the files about attributes and texts share. */
struct attr_slot *element_slot(struct weir_element *e);	/* not cleared */
/* What a stage gave need live only until it returns: copied to scratch, unless
 * it is of the slice. */
weir_str element_keep(struct weir_element *e, weir_str text);
struct weir_value element_keep_value(struct weir_element *e,
				     const struct weir_value *value);
void element_load_texts(struct weir_element *e);
/* Brings what stages changed into a view that is decoded. */
void element_view_update(struct weir_element *e);
/* Where an added field of that number goes: in the own message, of which any
 * field may have changed (load texts first), and in one of which one text
 * field at most changes. */
uint32_t element_place(struct weir_element *e, uint32_t number);
uint32_t element_place_in(const struct weir_element *e,
			  const struct part *part, uint32_t number);
/* Something is put into the own message: it exists from now on. */
void element_touch(struct weir_element *e);

static inline uint32_t element_offset(const struct weir_element *e,
				      const uint8_t *p)
{
	return (uint32_t)(p - e->base);
}

/* Decoding late changes nothing that anyone can see. */
static inline struct weir_element *element_mutable(
	const struct weir_element *e)
{
	return (struct weir_element *)(uintptr_t)e;
}

/* Field number of a text in its part, 0: not of this kind of element. */
uint32_t element_text_field(const struct weir_element *e,
			    enum weir_text_field field);

/* A KeyValue field with another value.  record: the body it had (empty: none),
 * whose other fields are kept. */
struct entry {
	uint32_t tag;
	weir_str record, key;
	const struct weir_value *value;
	size_t value_len, body_len;	/* set by entry_size */
};
/* Its size; then its bytes. */
size_t entry_size(struct entry *entry);
uint8_t *entry_put(const struct entry *entry, uint8_t *out);

#endif
