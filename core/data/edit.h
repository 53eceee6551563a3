/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit.h: a list of changes to one run of bytes, applied once.
 *
 * A node is a message whose length prefix has to follow what changes inside
 * it; an edit cuts some bytes of a node's body and puts others there.
 *
 *	 tag len body              nodes: parent before child
 *	     ^   '--offset
 *	     '-- len_width bytes, rewritten when the body's length changed
 *
 * Applying sums the differences from the leaves up, then writes the result
 * from front to back: what is untouched in as few pieces as there are edits
 * and lengths.  Nothing is allocated when warm but the new payload.
 */
#ifndef CORE_EDIT_H
#define CORE_EDIT_H

#include "batch.h"
#include "base/str.h"

#define EDIT_TOP UINT32_MAX	/* parent of a node that nothing encloses */

struct edit_node {
	uint32_t parent;
	uint32_t offset, len;	/* of the body */
	uint16_t depth;
	uint8_t len_width;
	int64_t delta;		/* of the body, while applying */
};

struct edit {
	uint64_t key;		/* order of application */
	uint32_t cut;		/* bytes that go */
	uint32_t from, len;	/* bytes that come, in edit_list.bytes */
	uint32_t node;
};

struct edits {
	struct edit *v;
	uint32_t n, cap;
	bool unsorted;		/* they did not come in order */
};

struct edit_list {
	const uint8_t *base;
	uint32_t len;
	struct edit_node *nodes;
	uint32_t n_nodes, cap_nodes;
	struct edits edits;
	struct edits lengths;	/* while applying: of nodes, only key and node */
	struct edits scratch;
	struct buf bytes;
	size_t counted;		/* of bytes, in the byte budget */
	bool failed;		/* more changes than can be held */
};

/* Starts over on other bytes, len < 2^32; keeps its memory. */
void edit_begin(struct edit_list *list, const uint8_t *base, size_t len);
void edit_release(struct edit_list *list);

/* A message whose body is at offset; its number.  EDIT_TOP: no parent. */
uint32_t edit_node(struct edit_list *list, uint32_t parent, uint32_t offset,
		   uint32_t len, uint8_t len_width);
/* The same for a body that lies in the base, behind its length. */
uint32_t edit_node_body(struct edit_list *list, uint32_t parent,
			weir_str body);

void edit_cut(struct edit_list *list, uint32_t node, uint32_t offset,
	      uint32_t len);
/* Cuts (0: only inserts) and returns room for size bytes to be put there,
 * valid until the next call.  rank orders inserts at one offset of one node:
 * a field number; equal ranks stay in order of the calls. */
uint8_t *edit_put(struct edit_list *list, uint32_t node, uint32_t offset,
		  uint32_t cut, uint8_t rank, uint32_t size);

static inline bool edit_empty(const struct edit_list *list)
{
	return !list->edits.n;
}

/* Forgets the nodes and edits that came after a mark. */
struct edit_mark {
	uint32_t nodes, edits;
};
static inline struct edit_mark edit_mark(const struct edit_list *list)
{
	return (struct edit_mark){ list->n_nodes, list->edits.n };
}
static inline void edit_rewind(struct edit_list *list, struct edit_mark mark)
{
	list->n_nodes = mark.nodes;
	list->edits.n = mark.edits;
}

/* Ends the list: the length of the result, SIZE_MAX when the changes could not
 * be held; then writes it.  Once each. */
size_t edit_measure(struct edit_list *list);
void edit_write(struct edit_list *list, uint8_t *out);

#endif
