/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edit.c: a list of changes to one run of bytes, applied once.
 *
 * Never touches the base.  Edits of one node may not overlap; an insert at an
 * offset comes before what is cut there.
 */
#include "edit.h"

#include <assert.h>
#include <stdlib.h>

#include "base/budget.h"
#include "wire.h"

void edit_begin(struct edit_list *list, const uint8_t *base, size_t len)
{
	list->base = base;
	list->len = (uint32_t)len;
	list->n_nodes = 0;
	list->edits.n = list->lengths.n = 0;
	list->edits.unsorted = list->lengths.unsorted = false;
	buf_clear(&list->bytes);
	list->failed = false;
}

void edit_release(struct edit_list *list)
{
	free(list->nodes);
	free(list->edits.v);
	free(list->lengths.v);
	free(list->scratch.v);
	buf_release(&list->bytes);
	budget_return(list->counted);
	*list = (struct edit_list){ 0 };
}

uint32_t edit_node(struct edit_list *list, uint32_t parent, uint32_t offset,
		   uint32_t len, uint8_t len_width)
{
	uint16_t depth = 0;

	if (parent != EDIT_TOP)
		depth = list->nodes[parent].depth + 1;
	if (list->n_nodes == list->cap_nodes) {
		list->cap_nodes = list->cap_nodes ? 2 * list->cap_nodes : 64;
		list->nodes = xrealloc(list->nodes, list->cap_nodes *
						    sizeof(*list->nodes));
	}
	list->nodes[list->n_nodes] = (struct edit_node){
		parent, offset, len, depth, len_width, 0 };
	return list->n_nodes++;
}

uint32_t edit_node_body(struct edit_list *list, uint32_t parent,
			weir_str body)
{
	const uint8_t *at = (const uint8_t *)body.ptr, *len = at - 1;

	/* Back over the length: all of its bytes but the last have the high
	 * bit, and the last one of the tag before it has not. */
	while (len[-1] & 0x80)
		len--;
	return edit_node(list, parent, (uint32_t)(at - list->base),
			 (uint32_t)body.len, (uint8_t)(at - len));
}

/* --- Collecting --------------------------------------------------------------- */

static void edits_reserve(struct edits *edits, uint32_t n)
{
	if (n <= edits->cap)
		return;
	while (edits->cap < n)
		edits->cap = edits->cap ? 2 * edits->cap : 64;
	edits->v = xrealloc(edits->v, edits->cap * sizeof(*edits->v));
}

static struct edit *edits_add(struct edits *edits, uint64_t key)
{
	edits_reserve(edits, edits->n + 1);
	if (edits->n && key < edits->v[edits->n - 1].key)
		edits->unsorted = true;
	edits->v[edits->n].key = key;
	return &edits->v[edits->n++];
}

/*
 * What comes first at one offset: what is deeper (the end of a message before
 * what follows it), then inserts by rank, then what is cut.
 *	63       32 31      16   8   7    0
 *	 offset     ~depth      cut  rank
 */
static uint64_t order(const struct edit_list *list, uint32_t node,
		      uint32_t offset, bool cut, uint8_t rank)
{
	uint16_t depth = 0;

	if (node != EDIT_TOP)
		depth = list->nodes[node].depth + 1;
	return (uint64_t)offset << 32 | (uint32_t)(uint16_t)~depth << 16 |
	       (uint32_t)cut << 8 | rank;
}

/* More than 4 GiB of changes to one payload, or no memory for them: what is
 * put from here on has room and is forgotten; edit_measure says so. */
static void give_up(struct edit_list *list, uint32_t size)
{
	list->failed = true;
	list->bytes.len = 0;
	if (!buf_reserve(&list->bytes, size))
		abort();
}

/* Never refused: some changes without the others would be no message. */
static void count_bytes(struct edit_list *list)
{
	if (list->bytes.cap == list->counted)
		return;
	budget_charge(list->bytes.cap - list->counted, true);
	list->counted = list->bytes.cap;
}

uint8_t *edit_put(struct edit_list *list, uint32_t node, uint32_t offset,
		  uint32_t cut, uint8_t rank, uint32_t size)
{
	uint64_t key = order(list, node, offset, cut, rank);
	struct edit *edit = edits_add(&list->edits, key);

	if (size > UINT32_MAX - list->bytes.len ||
	    !buf_reserve(&list->bytes, size))
		give_up(list, size);
	count_bytes(list);
	edit->cut = cut;
	edit->from = (uint32_t)list->bytes.len;
	edit->len = size;
	edit->node = node;
	list->bytes.len += size;
	return list->bytes.ptr + edit->from;
}

void edit_cut(struct edit_list *list, uint32_t node, uint32_t offset,
	      uint32_t len)
{
	uint64_t key = order(list, node, offset, true, 0);
	struct edit *edit = edits_add(&list->edits, key);

	edit->cut = len;
	edit->from = edit->len = 0;
	edit->node = node;
}

/* --- Order ---------------------------------------------------------------------- */

static void merge(struct edit *v, uint32_t mid, uint32_t n, struct edit *left)
{
	uint32_t i = 0, j = mid, k = 0;

	memcpy(left, v, mid * sizeof(*v));
	while (i < mid && j < n)
		v[k++] = v[j].key < left[i].key ? v[j++] : left[i++];
	memcpy(v + k, left + i, (mid - i) * sizeof(*v));
}

/* Stable.  Edits arrive nearly in order, mostly quite: neighbouring runs that
 * are already in order cost one comparison. */
static void sort(struct edit_list *list, struct edits *edits)
{
	if (!edits->unsorted)
		return;
	edits_reserve(&list->scratch, edits->n);
	for (uint32_t run = 1; run < edits->n; run *= 2) {
		for (uint32_t i = 0; edits->n - i > run; ) {
			struct edit *v = edits->v + i;
			uint32_t n = edits->n - i;

			if (n > 2 * run)
				n = 2 * run;
			if (v[run].key < v[run - 1].key)
				merge(v, run, n, list->scratch.v);
			i += n;
		}
	}
}

/* --- Applying -------------------------------------------------------------------- */

static uint64_t length_of(const struct edit_node *node)
{
	return (uint64_t)((int64_t)node->len + node->delta);
}

/* What became of a node changes its parent, and its length has to be written.
 * Nodes are settled from the last to the first, so lengths fill up from the
 * back. */
static int64_t settle(struct edit_list *list, uint32_t number, uint32_t *first)
{
	const struct edit_node *node = &list->nodes[number];
	struct edit *v = list->lengths.v + --*first;

	v->key = (uint64_t)(node->offset - node->len_width) << 32;
	v->node = number;
	if (*first + 1 < list->n_nodes && v[1].key < v->key)
		list->lengths.unsorted = true;
	return node->delta + (int64_t)wire_varint_size(length_of(node)) -
	       node->len_width;
}

static int64_t settle_nodes(struct edit_list *list)
{
	struct edits *lengths = &list->lengths;
	uint32_t first = list->n_nodes;
	int64_t total = 0;

	edits_reserve(lengths, list->n_nodes + 1);	/* never NULL */
	for (uint32_t i = list->n_nodes; i-- > 0; ) {
		uint32_t parent = list->nodes[i].parent;

		if (list->nodes[i].delta)
			*(parent == EDIT_TOP ? &total :
			  &list->nodes[parent].delta) +=
				settle(list, i, &first);
	}
	lengths->n = list->n_nodes - first;
	if (first && lengths->n)
		memmove(lengths->v, lengths->v + first,
			lengths->n * sizeof(*lengths->v));
	return total;
}

size_t edit_measure(struct edit_list *list)
{
	int64_t total = list->len;

	if (list->failed)
		return SIZE_MAX;
	for (uint32_t i = 0; i < list->edits.n; i++) {
		const struct edit *e = &list->edits.v[i];

		*(e->node == EDIT_TOP ? &total : &list->nodes[e->node].delta) +=
			(int64_t)e->len - e->cut;
	}
	total += settle_nodes(list);
	sort(list, &list->edits);
	sort(list, &list->lengths);
	return (size_t)total;
}

static uint8_t *copy(uint8_t *out, const uint8_t *from, size_t len)
{
	if (len)
		memcpy(out, from, len);
	return out + len;
}

/* Between a tag and a body nothing is edited: so no edit stands where a length
 * does. */
void edit_write(struct edit_list *list, uint8_t *out)
{
	const struct edit *e = list->edits.v, *end = e + list->edits.n;
	const struct edit *l = list->lengths.v, *l_end = l + list->lengths.n;
	uint32_t done = 0;

	while (e != end || l != l_end) {
		bool length = e == end || (l != l_end && l->key < e->key);
		uint32_t at = (uint32_t)((length ? l : e)->key >> 32);

		assert(at >= done);	/* nothing is edited inside a cut */
		out = copy(out, list->base + done, at - done);
		if (length) {
			const struct edit_node *node = &list->nodes[l++->node];

			out = wire_put_varint(out, length_of(node));
			done = at + node->len_width;
		} else {
			if (e->len)	/* else there may be no bytes */
				out = copy(out, list->bytes.ptr + e->from,
					   e->len);
			done = at + e++->cut;
		}
	}
	copy(out, list->base + done, list->len - done);
}
