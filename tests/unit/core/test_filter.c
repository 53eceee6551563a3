/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters against an oracle: the same items removed from a protobuf-c tree,
 * with every wrapper that lost all it had.
 */
#include <check.h>
#include <stdio.h>

#include <weir/views.h>

#include "../../support/otlp_batch.h"
#include "../../support/seeds.h"
#include "walk.h"

#define SEEDS SEEDS_OF(4000)	/* of each signal */

struct chance {
	struct gen gen;
	uint32_t drop_one_in;
	size_t asked;
};

static bool decide(struct chance *chance)
{
	chance->asked++;
	return !gen_one_in(&chance->gen, chance->drop_one_in);
}

static bool keep_span(const struct weir_span_at *at, void *arg)
{
	ck_assert(at->resource->present || !at->resource->message.len);
	return decide(arg);
}

static bool keep_log(const struct weir_log_at *at, void *arg)
{
	ck_assert(at->scope->present || !at->scope->name.len);
	return decide(arg);
}

static bool keep_point(const struct weir_point_at *at, void *arg)
{
	ck_assert_uint_eq(at->point.data, at->metric->data);
	return decide(arg);
}

static size_t filter(struct weir_batch *batch, struct chance *chance)
{
	switch (batch->signal) {
	case WEIR_SIGNAL_TRACES:
		return weir_spans_filter(batch, keep_span, chance);
	case WEIR_SIGNAL_LOGS:
		return weir_logs_filter(batch, keep_log, chance);
	default:
		return weir_points_filter(batch, keep_point, chance);
	}
}

/* --- The oracle -------------------------------------------------------------- */

struct tally {
	size_t kept, removed;
};

#define AT(m, off, type) ((type *)(void *)((char *)(m) + (off)))

static struct tally prune(struct chance *chance, int depth, int leaf,
			  ProtobufCMessage *m);

static bool goes(struct chance *chance, int depth, int leaf,
		 ProtobufCMessage *child, struct tally *sum)
{
	struct tally t = { 0 };

	if (depth == leaf)
		*(decide(chance) ? &t.kept : &t.removed) = 1;
	else
		t = prune(chance, depth + 1, leaf, child);
	sum->kept += t.kept;
	sum->removed += t.removed;
	return t.removed && !t.kept;
}

/* depth 0: the request, 1: wrapper, 2: scope, 3: metric, 4: its data. */
static struct tally prune(struct chance *chance, int depth, int leaf,
			  ProtobufCMessage *m)
{
	static const uint32_t data[] = { 5, 7, 9, 10, 11 };
	const ProtobufCFieldDescriptor *f;
	struct tally sum = { 0 };
	ProtobufCMessage **v;
	size_t n = 0;

	for (int i = 0; depth == 3 && i < 5; i++) {
		f = protobuf_c_message_descriptor_get_field(m->descriptor,
							    data[i]);
		if (*AT(m, f->quantifier_offset, uint32_t) == f->id)
			goes(chance, depth, leaf,
			     *AT(m, f->offset, ProtobufCMessage *), &sum);
	}
	if (depth == 3)
		return sum;
	f = protobuf_c_message_descriptor_get_field(
		m->descriptor, depth == 0 || depth == 4 ? 1 : 2);
	v = *AT(m, f->offset, ProtobufCMessage **);
	for (size_t i = 0; i < *AT(m, f->quantifier_offset, size_t); i++) {
		if (goes(chance, depth, leaf, v[i], &sum))
			protobuf_c_message_free_unpacked(v[i], NULL);
		else
			v[n++] = v[i];
	}
	*AT(m, f->quantifier_offset, size_t) = n;
	return sum;
}

static struct otlp_bytes oracle(enum weir_signal signal, struct chance chance,
				const struct otlp_bytes *in)
{
	ProtobufCMessage *tree = protobuf_c_message_unpack(
		otlp_descriptor(signal), NULL, in->len, in->ptr);
	struct otlp_bytes out = { 0 };
	struct tally sum;

	ck_assert_ptr_nonnull(tree);
	sum = prune(&chance, 0, signal == WEIR_SIGNAL_METRICS ? 4 : 2, tree);
	out.items = (uint32_t)sum.kept;
	out.len = protobuf_c_message_get_packed_size(tree);
	out.ptr = malloc(out.len + 32);
	protobuf_c_message_pack(tree, out.ptr);
	protobuf_c_message_free_unpacked(tree, NULL);
	return out;
}

/* --- Tests --------------------------------------------------------------------- */

static void check_filter(enum weir_signal signal, uint64_t seed)
{
	struct gen_options options = { .records = 12, .unknown = seed & 1 };
	struct otlp_bytes in = otlp_gen(signal, seed, &options);
	struct chance chance = { { seed * 5 }, 1 + seed % 5, 0 };
	struct otlp_bytes want = oracle(signal, chance, &in);
	struct weir_batch *batch = otlp_batch(signal, &in);
	size_t before = batch->items;
	const uint8_t *bytes = batch->n ? batch->slices[0].ptr : NULL;
	size_t gone = filter(batch, &chance);
	struct otlp_bytes out = otlp_batch_bytes(batch);
	struct otlp_bytes packed = otlp_repacked(signal, out.ptr, out.len);
	struct otlp_bytes wanted = otlp_repacked(signal, want.ptr, want.len);

	ck_assert_uint_eq(chance.asked, before);
	ck_assert_uint_eq(before - gone, batch->items);
	ck_assert_uint_eq(batch->items, want.items);
	if (!gone && batch->n)
		ck_assert_ptr_eq(batch->slices[0].ptr, bytes);
	if (want.items)
		ck_assert_msg(packed.len == wanted.len &&
			      !memcmp(packed.ptr, wanted.ptr, wanted.len),
			      "seed %llu", (unsigned long long)seed);
	ck_assert_int_eq(walk_request(signal, out.ptr, out.len, NULL, NULL)
				 .verdict, WALK_CANONICAL);
	batch_free(batch);
	otlp_bytes_free(&in);
	otlp_bytes_free(&want);
	otlp_bytes_free(&out);
	otlp_bytes_free(&packed);
	otlp_bytes_free(&wanted);
}

START_TEST(removes_what_the_same_predicate_removes_from_a_tree)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		check_filter((enum weir_signal)_i, seed);
}
END_TEST

START_TEST(filters_nothing_of_another_signal)
{
	struct otlp_bytes in = otlp_gen(WEIR_SIGNAL_LOGS, 1, &(
		struct gen_options){ .records = 5 });
	struct weir_batch *batch = otlp_batch(WEIR_SIGNAL_LOGS, &in);
	struct chance chance = { { 1 }, 1, 0 };
	size_t before = batch->items;

	ck_assert_uint_eq(weir_spans_filter(batch, keep_span, &chance), 0);
	ck_assert_uint_eq(batch->items, before);
	batch_free(batch);
	otlp_bytes_free(&in);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("filter");
	TCase *tc = tcase_create("filter");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 240);
	tcase_add_loop_test(tc,
			    removes_what_the_same_predicate_removes_from_a_tree,
			    0, WEIR_SIGNAL_COUNT);
	tcase_add_test(tc, filters_nothing_of_another_signal);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
