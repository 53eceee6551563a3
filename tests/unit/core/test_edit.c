/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Edit lists: what is cut, replaced and inserted, and the lengths of all
 * messages around it.
 */
#include <check.h>
#include <stdlib.h>

#include "data/edit.h"
#include "data/wire.h"

/* --- Edits of flat bytes ------------------------------------------------------ */

struct change {
	uint32_t offset, cut;
	uint8_t rank;
	const char *text;	/* NULL: only cut */
};

static const struct {
	const char *what, *base, *want;
	struct change v[4];	/* up to one that does nothing */
} flat[] = {
	{ "nothing", "abc", "abc", { { 0 } } },
	{ "cut in front", "abc", "bc", { { 0, 1, 0, NULL } } },
	{ "cut at the end", "abc", "ab", { { 2, 1, 0, NULL } } },
	{ "cut to nothing", "abc", "", { { 0, 3, 0, NULL } } },
	{ "adjacent cuts", "abcd", "ad",
	  { { 1, 1, 0, NULL }, { 2, 1, 0, NULL } } },
	{ "replaced by less", "abcd", "aXd", { { 1, 2, 1, "X" } } },
	{ "replaced by more", "abcd", "aXYZd", { { 1, 2, 1, "XYZ" } } },
	{ "adjacent replaced", "abcd", "aXYd",
	  { { 1, 1, 1, "X" }, { 2, 1, 1, "Y" } } },
	{ "inserted in front", "abc", "Xabc", { { 0, 0, 1, "X" } } },
	{ "inserted at the end", "abc", "abcX", { { 3, 0, 1, "X" } } },
	{ "inserted before what is cut", "abc", "aXc",
	  { { 1, 1, 0, NULL }, { 1, 0, 1, "X" } } },
	{ "inserted behind what is cut", "abc", "aXc",
	  { { 1, 1, 0, NULL }, { 2, 0, 1, "X" } } },
	{ "inserted by rank", "ab", "aXYb",
	  { { 1, 0, 5, "Y" }, { 1, 0, 2, "X" } } },
	{ "equal ranks in order of the calls", "ab", "aXYZb",
	  { { 1, 0, 2, "X" }, { 1, 0, 2, "Y" }, { 1, 0, 2, "Z" } } },
	{ "given backwards", "abcdef", "aXceYf",
	  { { 5, 0, 1, "Y" }, { 3, 1, 0, NULL }, { 1, 1, 1, "X" } } },
	{ "into nothing", "", "X", { { 0, 0, 1, "X" } } },
};

static void make(struct edit_list *list, uint32_t node, const struct change *c)
{
	if (c->text)
		memcpy(edit_put(list, node, c->offset, c->cut, c->rank,
				(uint32_t)strlen(c->text)),
		       c->text, strlen(c->text));
	else if (c->cut)
		edit_cut(list, node, c->offset, c->cut);
}

static uint8_t *apply(struct edit_list *list, size_t *len)
{
	uint8_t *out;

	*len = edit_measure(list);
	out = malloc(*len + 1);
	edit_write(list, out);
	return out;
}

START_TEST(cuts_replaces_and_inserts)
{
	struct edit_list list = { 0 };
	uint8_t *out;
	size_t len;

	edit_begin(&list, (const uint8_t *)flat[_i].base,
		   strlen(flat[_i].base));
	ck_assert(edit_empty(&list));
	for (int i = 0; i < 4; i++)
		make(&list, EDIT_TOP, &flat[_i].v[i]);
	out = apply(&list, &len);
	ck_assert_msg(len == strlen(flat[_i].want) &&
		      !memcmp(out, flat[_i].want, len), "%s: %.*s",
		      flat[_i].what, (int)len, (const char *)out);
	free(out);
	edit_release(&list);
}
END_TEST

/* --- Lengths of parents --------------------------------------------------------- */

#define LEVELS 4
#define NEST_MAX 20000
#define NEST_TAG WIRE_TAG(1, WIRE_BYTES)

/* len times 'x' inside LEVELS messages, a byte field in front of each and one
 * behind.  bodies[level]: where each body starts. */
static size_t nest(uint8_t *out, size_t len, size_t bodies[LEVELS],
		   size_t lens[LEVELS])
{
	size_t size[LEVELS + 1];
	uint8_t *p = out;

	size[LEVELS] = len;
	for (int i = LEVELS; i-- > 0; )
		size[i] = size[i + 1] + (i == LEVELS - 1 ? 0 :
			5 + wire_varint_size(size[i + 1]));
	for (int i = 0; i < LEVELS; i++) {
		*p++ = 0x10;
		*p++ = 7;
		*p++ = NEST_TAG;
		p = wire_put_varint(p, size[i]);
		bodies[i] = (size_t)(p - out);
		lens[i] = size[i];
	}
	memset(p, 'x', len);
	p += len;
	for (int i = 0; i < LEVELS; i++) {
		*p++ = 0x18;
		*p++ = 9;
	}
	return (size_t)(p - out);
}

/* Lengths around which one, two or three levels' varints change width. */
static const struct {
	uint32_t from, to;
} sizes[] = {
	{ 1, 0 }, { 0, 1 }, { 5, 127 }, { 127, 128 }, { 128, 127 },
	{ 120, 121 }, { 121, 120 }, { 115, 140 }, { 140, 3 }, { 100, 16384 },
	{ 16383, 16384 }, { 16384, 16383 }, { 16360, 16400 }, { 16400, 0 },
	{ 0, 16400 }, { 50, 50 },
};

START_TEST(lengths_of_all_parents_follow)
{
	static uint8_t base[NEST_MAX], want[NEST_MAX];
	size_t bodies[LEVELS], lens[LEVELS], other[LEVELS], none[LEVELS];
	uint32_t from = sizes[_i].from, to = sizes[_i].to, node = EDIT_TOP;
	size_t len = nest(base, from, bodies, lens), got;
	size_t want_len = nest(want, to, other, none);
	struct edit_list list = { 0 };
	uint8_t *out;

	edit_begin(&list, base, len);
	for (int i = 0; i < LEVELS; i++)
		node = edit_node_body(&list, node, (weir_str){
			(const char *)base + bodies[i], lens[i] });
	ck_assert_uint_eq(list.nodes[0].len_width, wire_varint_size(lens[0]));
	if (to < from)
		edit_cut(&list, node, (uint32_t)bodies[LEVELS - 1],
			 from - to);
	else if (to > from)
		memset(edit_put(&list, node, (uint32_t)bodies[LEVELS - 1],
				0, 1, to - from), 'x', to - from);
	out = apply(&list, &got);
	ck_assert_uint_eq(got, want_len);
	ck_assert(!memcmp(out, want, want_len));
	free(out);
	edit_release(&list);
}
END_TEST

/* a{ b{..} c{..} } d{..}: nodes given out of order, some left alone. */
static const uint8_t family[] = {
	0x0a, 9, 0x0a, 3, 'b', 'b', 'b', 0x12, 2, 'c', 'c',
	0x0a, 2, 'd', 'd',
};

START_TEST(siblings_keep_to_themselves)
{
	static const uint8_t want[] = { 0x0a, 7, 0x0a, 1, 'b', 0x12, 2, 'c',
					'c', 0x0a, 3, 'd', 'd', 'D' };
	struct edit_list list = { 0 };
	uint32_t a, b, d;
	uint8_t *out;
	size_t len;

	edit_begin(&list, family, sizeof(family));
	d = edit_node(&list, EDIT_TOP, 13, 2, 1);
	a = edit_node(&list, EDIT_TOP, 2, 9, 1);
	edit_node(&list, a, 9, 2, 1);
	b = edit_node(&list, a, 4, 3, 1);
	*edit_put(&list, d, 15, 0, 1, 1) = 'D';
	edit_cut(&list, b, 5, 2);
	out = apply(&list, &len);
	ck_assert_uint_eq(len, sizeof(want));
	ck_assert(!memcmp(out, want, len));
	free(out);
	edit_release(&list);
}
END_TEST

START_TEST(the_end_of_a_child_comes_before_what_follows_it)
{
	static const uint8_t want[] = { 0x0a, 11, 0x0a, 4, 'b', 'b', 'b', 'B',
		'A', 0x12, 2, 'c', 'c', 0x0a, 2, 'd', 'd' };
	struct edit_list list = { 0 };
	uint32_t a, b;
	uint8_t *out;
	size_t len;

	edit_begin(&list, family, sizeof(family));
	a = edit_node(&list, EDIT_TOP, 2, 9, 1);
	b = edit_node(&list, a, 4, 3, 1);
	*edit_put(&list, a, 7, 0, 0, 1) = 'A';	/* the same offset */
	*edit_put(&list, b, 7, 0, 9, 1) = 'B';
	out = apply(&list, &len);
	ck_assert_uint_eq(len, sizeof(want));
	ck_assert(!memcmp(out, want, len));
	free(out);
	edit_release(&list);
}
END_TEST

START_TEST(a_rewound_list_forgets)
{
	struct edit_list list = { 0 };
	struct edit_mark mark;
	uint8_t *out;
	size_t len;

	for (int round = 0; round < 2; round++) {	/* it can be reused */
		edit_begin(&list, family, sizeof(family));
		edit_cut(&list, EDIT_TOP, 0, 11);
		mark = edit_mark(&list);
		edit_cut(&list, edit_node(&list, EDIT_TOP, 13, 2, 1), 13, 1);
		edit_rewind(&list, mark);
		out = apply(&list, &len);
		ck_assert_uint_eq(len, 4);
		ck_assert(!memcmp(out, family + 11, 4));
		free(out);
	}
	edit_release(&list);
}
END_TEST

/* Thousands of edits in an order that is none. */
START_TEST(any_order_of_edits_gives_the_same)
{
	enum { N = 4099 };
	static uint8_t base[N], want[2 * N];
	struct edit_list list = { 0 };
	uint8_t *out, *w = want;
	size_t len;

	for (int i = 0; i < N; i++)
		base[i] = (uint8_t)i;
	for (int i = 0; i < N; i++) {
		if (i % 3 == 0)
			*w++ = (uint8_t)~i;
		if (i % 5)
			*w++ = (uint8_t)i;
	}
	edit_begin(&list, base, N);
	for (uint32_t k = 0; k < N; k++) {
		uint32_t i = k * 1987 % N;

		if (i % 3 == 0)
			*edit_put(&list, EDIT_TOP, i, 0, 1, 1) = (uint8_t)~i;
		if (i % 5 == 0)
			edit_cut(&list, EDIT_TOP, i, 1);
	}
	out = apply(&list, &len);
	ck_assert_uint_eq(len, (size_t)(w - want));
	ck_assert(!memcmp(out, want, len));
	free(out);
	edit_release(&list);
}
END_TEST

START_TEST(says_when_the_changes_cannot_be_held)
{
	struct edit_list list = { 0 };
	const uint8_t base[] = "abc";

	edit_begin(&list, base, 3);
	memcpy(edit_put(&list, EDIT_TOP, 1, 0, 0, 4), "1234", 4);
	list.bytes.len = UINT32_MAX - 2;	/* as if 4 GiB were in it */
	memcpy(edit_put(&list, EDIT_TOP, 2, 0, 0, 4), "5678", 4);
	memcpy(edit_put(&list, EDIT_TOP, 3, 0, 0, 4), "9abc", 4);
	ck_assert_uint_eq(edit_measure(&list), SIZE_MAX);

	edit_begin(&list, base, 3);
	ck_assert_uint_eq(edit_measure(&list), 3);
	edit_release(&list);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("edit");
	TCase *tc = tcase_create("edit");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, cuts_replaces_and_inserts, 0,
			    sizeof(flat) / sizeof(*flat));
	tcase_add_loop_test(tc, lengths_of_all_parents_follow, 0,
			    sizeof(sizes) / sizeof(*sizes));
	tcase_add_test(tc, siblings_keep_to_themselves);
	tcase_add_test(tc, the_end_of_a_child_comes_before_what_follows_it);
	tcase_add_test(tc, a_rewound_list_forgets);
	tcase_add_test(tc, says_when_the_changes_cannot_be_held);
	tcase_add_test(tc, any_order_of_edits_gives_the_same);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
