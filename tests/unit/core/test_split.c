/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches cut in two, again and again, until nothing is left to cut: every
 * part keeps its limit and its counts, walks canonical, and the items come out
 * in order, each in the wrappers that it had.
 */
#include <check.h>
#include <stdio.h>

#include "../../support/otlp_batch.h"
#include "../../support/seeds.h"
#include "data/fields.h"
#include "base/str.h"
#include "data/walk.h"

#define SEEDS SEEDS_OF(4000)	/* of each signal and unit */

/* --- Items with what surrounds them, one after the other -------------------- */

static bool is_child(enum weir_signal signal, int level, uint32_t tag)
{
	if (level == 3 && signal == WEIR_SIGNAL_METRICS)
		return tag_is_data(tag);
	if (level == 0 || level == 4)
		return tag == TAG_BYTES(1);
	return tag == TAG_BYTES(2);
}

static void flatten(enum weir_signal signal, int level, weir_str body,
		    struct buf *around, struct buf *out)
{
	int items = signal == WEIR_SIGNAL_METRICS ? 4 : 2;
	struct fields fields = fields_of(body);
	size_t before = around->len;
	struct wire_field f;

	while (level && fields_next(&fields, &f))
		if (!is_child(signal, level, f.tag) &&
		    !(level == 3 && f.tag == TAG_BYTES(12)))
			buf_add(around, f.start, (size_t)(fields.p - f.start));
	fields = fields_of(body);
	while (fields_next(&fields, &f)) {
		if (!is_child(signal, level, f.tag))
			continue;
		if (level == items) {
			buf_add(out, around->ptr, around->len);
			buf_add(out, f.start, (size_t)(fields.p - f.start));
		} else {
			flatten(signal, level + 1, field_body(&f), around,
				out);
		}
	}
	around->len = before;
}

static void flatten_batch(const struct weir_batch *batch, struct buf *out)
{
	struct buf around = { 0 };

	buf_add(&around, "|", 1);
	for (uint32_t i = 0; i < batch->n; i++)
		flatten(batch->signal, 0,
			(weir_str){ (const char *)batch->slices[i].ptr,
				    batch->slices[i].len }, &around, out);
	buf_release(&around);
}

/* --- Splitting ----------------------------------------------------------------- */

/* Two requests in three slices, so that boundaries of all kinds are met. */
static struct weir_batch *some_batch(enum weir_signal signal, uint64_t seed)
{
	struct gen_options options = { .records = 12, .unknown = seed & 1 };
	struct otlp_bytes a = otlp_gen(signal, seed, &options);
	struct otlp_bytes b = otlp_gen(signal, seed + 1000000, &options);
	struct weir_batch *batch = otlp_batch(signal, &a);
	struct weir_batch *more = otlp_batch(signal, &b);

	batch_move(batch, more);
	batch_free(more);
	otlp_bytes_free(&a);
	otlp_bytes_free(&b);
	return batch;
}

static void check_part(const struct weir_batch *part, enum weir_sizer sizer,
		       uint64_t max, uint64_t seed)
{
	struct otlp_bytes bytes = otlp_batch_bytes(part);
	struct walk_result r = walk_request(part->signal, bytes.ptr,
					    bytes.len, NULL, NULL);
	uint32_t items = 0;
	size_t len = 0;

	for (uint32_t i = 0; i < part->n; i++) {
		items += part->pieces[i].items;
		len += part->slices[i].len;
	}
	ck_assert_int_eq(r.verdict, WALK_CANONICAL);
	ck_assert_msg(r.items == part->items && items == part->items &&
		      len == part->bytes,
		      "seed %llu: %u items walked, %u in pieces, %zu claimed",
		      (unsigned long long)seed, r.items, items, part->items);
	ck_assert_uint_le(weir_batch_size(part, sizer), max);
	otlp_bytes_free(&bytes);
}

static void split_all(enum weir_signal signal, enum weir_sizer sizer,
		      uint64_t seed)
{
	struct weir_batch *batch = some_batch(signal, seed);
	struct gen gen = { seed };
	uint64_t whole = weir_batch_size(batch, sizer);
	uint64_t max = 1 + gen_below(&gen, (uint32_t)whole / 2 + 2);
	struct buf want = { 0 }, got = { 0 };
	struct weir_batch *part;
	bool too_large = false;

	flatten_batch(batch, &want);
	while ((part = weir_batch_split(batch, sizer, max, &too_large))) {
		check_part(part, sizer, max, seed);
		flatten_batch(part, &got);
		batch_free(part);
		if (gen_one_in(&gen, 8))
			max += gen_below(&gen, 3);
	}
	if (sizer == WEIR_SIZER_ITEMS)
		ck_assert(!too_large);
	check_part(batch, sizer, too_large ? UINT64_MAX : max, seed);
	flatten_batch(batch, &got);
	ck_assert_msg(want.len == got.len &&
		      (!want.len || !memcmp(want.ptr, got.ptr, want.len)),
		      "seed %llu: %zu bytes of items became %zu",
		      (unsigned long long)seed, want.len, got.len);
	buf_release(&want);
	buf_release(&got);
	batch_free(batch);
}

START_TEST(parts_by_items_hold_what_the_batch_held)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		split_all((enum weir_signal)_i, WEIR_SIZER_ITEMS, seed);
}
END_TEST

START_TEST(parts_by_bytes_hold_what_the_batch_held)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		split_all((enum weir_signal)_i, WEIR_SIZER_BYTES, seed);
}
END_TEST

/* ResourceSpans { scope_spans { spans {} spans {} spans {} } } */
static const uint8_t three[] = { 0x0a, 8, 0x12, 6, 0x12, 0, 0x12, 0, 0x12, 0 };

static const struct {
	const char *why;
	enum weir_sizer sizer;
	uint64_t max;
	size_t part, rest;	/* items; part 0: nothing cut off */
	bool too_large;
} edges[] = {
	{ "all fit", WEIR_SIZER_ITEMS, 3, 0, 3, false },
	{ "one too many", WEIR_SIZER_ITEMS, 2, 2, 1, false },
	{ "one at a time", WEIR_SIZER_ITEMS, 1, 1, 2, false },
	{ "no limit", WEIR_SIZER_ITEMS, 0, 0, 3, false },
	{ "a batch is one request", WEIR_SIZER_REQUESTS, 1, 0, 3, false },
	{ "all bytes fit", WEIR_SIZER_BYTES, 10, 0, 3, false },
	{ "a byte too many", WEIR_SIZER_BYTES, 9, 2, 1, false },
	{ "room for one with its wrappers", WEIR_SIZER_BYTES, 6, 1, 2, false },
	{ "room for none", WEIR_SIZER_BYTES, 5, 0, 3, true },
};

START_TEST(edge_of_a_limit)
{
	struct otlp_bytes bytes = otlp_bytes_copy(three, sizeof(three), 1);
	struct weir_batch *batch, *part;
	bool too_large = !edges[_i].too_large;

	bytes.items = 3;
	batch = otlp_batch(WEIR_SIGNAL_TRACES, &bytes);
	part = weir_batch_split(batch, edges[_i].sizer, edges[_i].max,
				&too_large);
	ck_assert_msg((part ? part->items : 0) == edges[_i].part, "%s",
		      edges[_i].why);
	ck_assert_msg(batch->items == edges[_i].rest, "%s", edges[_i].why);
	ck_assert_msg(too_large == edges[_i].too_large, "%s", edges[_i].why);
	if (part)
		batch_free(part);
	batch_free(batch);
	otlp_bytes_free(&bytes);
}
END_TEST

/* Metric { name "m", gauge { 2 points }, metadata {} }: 12 goes with the
 * last part only. */
static const uint8_t metric[] = {
	0x0a, 15, 0x12, 13, 0x12, 11, 0x0a, 1, 'm', 0x2a, 4, 0x0a, 0, 0x0a, 0,
	0x62, 0 };

START_TEST(metadata_stays_with_the_last_part_of_a_metric)
{
	static const uint8_t first[] = { 0x0a, 11, 0x12, 9, 0x12, 7, 0x0a, 1,
					 'm', 0x2a, 2, 0x0a, 0 };
	static const uint8_t last[] = { 0x0a, 13, 0x12, 11, 0x12, 9, 0x0a, 1,
					'm', 0x2a, 2, 0x0a, 0, 0x62, 0 };
	struct otlp_bytes bytes = otlp_bytes_copy(metric, sizeof(metric), 1);
	struct weir_batch *batch, *part;

	bytes.items = 2;
	batch = otlp_batch(WEIR_SIGNAL_METRICS, &bytes);
	part = weir_batch_split(batch, WEIR_SIZER_ITEMS, 1, NULL);
	ck_assert_ptr_nonnull(part);
	ck_assert_uint_eq(part->bytes, sizeof(first));
	ck_assert_mem_eq(part->slices[0].ptr, first, sizeof(first));
	ck_assert_uint_eq(batch->bytes, sizeof(last));
	ck_assert_mem_eq(batch->slices[0].ptr, last, sizeof(last));
	batch_free(part);
	batch_free(batch);
	otlp_bytes_free(&bytes);
}
END_TEST

START_TEST(slices_that_fit_are_moved_not_copied)
{
	struct otlp_bytes bytes = otlp_bytes_copy(three, sizeof(three), 1);
	struct weir_batch *batch, *more, *part;
	const uint8_t *first;

	bytes.items = 3;
	batch = otlp_batch(WEIR_SIGNAL_TRACES, &bytes);
	more = otlp_batch(WEIR_SIGNAL_TRACES, &bytes);
	first = batch->slices[0].ptr;
	batch_move(batch, more);
	batch_free(more);
	part = weir_batch_split(batch, WEIR_SIZER_ITEMS, 3, NULL);
	ck_assert_ptr_nonnull(part);
	ck_assert_ptr_eq(part->slices[0].ptr, first);
	batch_free(part);
	batch_free(batch);
	otlp_bytes_free(&bytes);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("split");
	TCase *tc = tcase_create("split");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 240);
	tcase_add_loop_test(tc, parts_by_items_hold_what_the_batch_held, 0,
			    WEIR_SIGNAL_COUNT);
	tcase_add_loop_test(tc, parts_by_bytes_hold_what_the_batch_held, 0,
			    WEIR_SIGNAL_COUNT);
	tcase_add_loop_test(tc, edge_of_a_limit, 0,
			    sizeof(edges) / sizeof(*edges));
	tcase_add_test(tc, metadata_stays_with_the_last_part_of_a_metric);
	tcase_add_test(tc, slices_that_fit_are_moved_not_copied);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
