/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters against an oracle: the same items removed from a protobuf-c tree,
 * with every wrapper that lost all it had; and rewrites, with the same changes
 * made to the tree.
 */
#include <check.h>
#include <stdio.h>

#include <weir/attributes.h>
#include <weir/views.h>

#include "../../support/otlp_batch.h"
#include "../../support/seeds.h"
#include "otlp_logs.pb-c.h"
#include "otlp_trace.pb-c.h"
#include "data/walk.h"

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

/* --- Rewriting ---------------------------------------------------------------- */

/* Changes to one item, as bits: of a span, of a log record. */
enum { SET = 1, CLEAR = 2, ADD = 4 };
static const weir_str state = { "ot=th:8,a=1", 11 };
static const weir_str key = { "sampling.threshold", 18 };

static bool choose(struct chance *chance, uint32_t *change)
{
	bool keep = decide(chance);

	*change = gen_below(&chance->gen, 8);
	return keep;
}

/* Dropped items are changed too: that must leave no trace. */
static bool change_span(const struct weir_span_at *at, struct weir_element *e,
			void *arg)
{
	uint32_t change;
	bool keep = choose(arg, &change);
	char copy[16];

	memcpy(copy, state.ptr, state.len);
	ck_assert(weir_str_eq(at->span.trace_state,
			      weir_element_span(e)->trace_state));
	if (change & CLEAR)
		weir_text_set(e, WEIR_TEXT_TRACE_STATE, WEIR_STR(""));
	if (change & SET)
		weir_text_set(e, WEIR_TEXT_TRACE_STATE,
			      (weir_str){ copy, state.len });
	memset(copy, 'x', sizeof(copy));	/* it was copied */
	return keep;
}

static bool change_log(const struct weir_log_at *at, struct weir_element *e,
		       void *arg)
{
	struct weir_value value = { WEIR_VALUE_STRING, .str = state };
	struct weir_attr *attr;
	uint32_t change;
	bool keep = choose(arg, &change);

	ck_assert(at->record.has_body == weir_element_log(e)->has_body);
	attr = weir_attr_next(e, NULL);
	if (attr && (change & CLEAR))
		weir_attr_remove(e, attr);
	attr = weir_attr_next(e, NULL);
	if (attr && (change & SET))
		weir_attr_replace(e, attr, &value);
	if (change & ADD)
		weir_attr_add(e, key, &value);
	return keep;
}

static void set_bytes(ProtobufCBinaryData *field, weir_str text)
{
	free(field->data);
	field->len = text.len;
	field->data = text.len ? malloc(text.len) : NULL;
	if (text.len)
		memcpy(field->data, text.ptr, text.len);
}

static Otlp__AnyValue *new_value(void)
{
	Otlp__AnyValue *value = malloc(sizeof(*value));

	otlp__any_value__init(value);
	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = (ProtobufCBinaryData){ 0 };
	set_bytes(&value->string_value, state);
	return value;
}

static void tree_span(Otlp__Span *span, uint32_t change)
{
	if (change & CLEAR)
		set_bytes(&span->trace_state, WEIR_STR(""));
	if (change & SET)
		set_bytes(&span->trace_state, state);
}

static void tree_log(Otlp__LogRecord *log, uint32_t change)
{
	Otlp__KeyValue **v = log->attributes, *added;

	if (log->n_attributes && (change & CLEAR)) {
		otlp__key_value__free_unpacked(v[0], NULL);
		memmove(v, v + 1, --log->n_attributes * sizeof(*v));
	}
	if (log->n_attributes && (change & SET)) {
		otlp__any_value__free_unpacked(v[0]->value, NULL);
		v[0]->value = new_value();
	}
	if (!(change & ADD))
		return;
	added = malloc(sizeof(*added));
	otlp__key_value__init(added);
	set_bytes(&added->key, key);
	added->value = new_value();
	v = realloc(v, (log->n_attributes + 1) * sizeof(*v));
	v[log->n_attributes++] = added;
	log->attributes = v;
}

/* Children that go are taken out; true when none is left. */
static bool tree_rewrite(struct chance *chance, int depth, ProtobufCMessage *m)
{
	const ProtobufCFieldDescriptor *f =
		protobuf_c_message_descriptor_get_field(m->descriptor,
							depth ? 2 : 1);
	ProtobufCMessage **v = *AT(m, f->offset, ProtobufCMessage **);
	size_t all = *AT(m, f->quantifier_offset, size_t), n = 0;

	for (size_t i = 0; i < all; i++) {
		uint32_t change;
		bool goes;

		if (depth < 2) {
			goes = tree_rewrite(chance, depth + 1, v[i]);
		} else {
			goes = !choose(chance, &change);
			if (v[i]->descriptor == &otlp__span__descriptor)
				tree_span((Otlp__Span *)(void *)v[i], change);
			else
				tree_log((Otlp__LogRecord *)(void *)v[i],
					 change);
		}
		if (goes)
			protobuf_c_message_free_unpacked(v[i], NULL);
		else
			v[n++] = v[i];
	}
	*AT(m, f->quantifier_offset, size_t) = n;
	return !n;
}

static struct otlp_bytes tree_bytes(enum weir_signal signal,
				    struct chance chance,
				    const struct otlp_bytes *in)
{
	ProtobufCMessage *tree = protobuf_c_message_unpack(
		otlp_descriptor(signal), NULL, in->len, in->ptr);
	struct otlp_bytes out = { 0 };

	tree_rewrite(&chance, 0, tree);
	out.len = protobuf_c_message_get_packed_size(tree);
	out.ptr = malloc(out.len + 32);
	protobuf_c_message_pack(tree, out.ptr);
	protobuf_c_message_free_unpacked(tree, NULL);
	return out;
}

static size_t rewrite(struct weir_batch *batch, struct chance *chance)
{
	return batch->signal == WEIR_SIGNAL_TRACES ?
		weir_spans_rewrite(batch, change_span, chance) :
		weir_logs_rewrite(batch, change_log, chance);
}

static void check_rewrite(enum weir_signal signal, uint64_t seed)
{
	struct gen_options options = { .records = 12, .unknown = seed & 1 };
	struct otlp_bytes in = otlp_gen(signal, seed, &options);
	struct chance chance = { { seed * 7 }, 1 + seed % 5, 0 };
	struct otlp_bytes want = tree_bytes(signal, chance, &in);
	struct weir_batch *batch = otlp_batch(signal, &in);
	size_t before = batch->items;
	size_t gone = rewrite(batch, &chance);
	struct otlp_bytes out = otlp_batch_bytes(batch);
	struct otlp_bytes packed = otlp_repacked(signal, out.ptr, out.len);
	struct walk_result walked = walk_request(signal, out.ptr, out.len,
						 NULL, NULL);

	ck_assert_uint_eq(chance.asked, before);
	ck_assert_uint_eq(before - gone, batch->items);
	ck_assert_int_eq(walked.verdict, WALK_CANONICAL);
	ck_assert_uint_eq(walked.items, batch->items);
	if (batch->items)
		ck_assert_msg(packed.len == want.len &&
			      !memcmp(packed.ptr, want.ptr, want.len),
			      "seed %llu", (unsigned long long)seed);
	batch_free(batch);
	otlp_bytes_free(&in);
	otlp_bytes_free(&want);
	otlp_bytes_free(&out);
	otlp_bytes_free(&packed);
}

static const enum weir_signal rewritten[] = { WEIR_SIGNAL_TRACES,
					      WEIR_SIGNAL_LOGS };

START_TEST(changes_and_removes_as_it_is_done_to_a_tree)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		check_rewrite(rewritten[_i], seed);
}
END_TEST

static bool keep_as_it_is(const struct weir_span_at *at,
			  struct weir_element *e, void *arg)
{
	(void)arg;
	/* Looking is no change, nor is the text that is there already. */
	weir_attr_next(e, NULL);
	weir_text_set(e, WEIR_TEXT_TRACE_STATE, at->span.trace_state);
	return true;
}

START_TEST(copies_no_slice_in_which_nothing_changes)
{
	struct otlp_bytes in = otlp_typical_traces(20, 0, 1);
	struct weir_batch *batch = otlp_batch(WEIR_SIGNAL_TRACES, &in);
	const uint8_t *bytes = batch->slices[0].ptr;

	ck_assert_uint_eq(weir_spans_rewrite(batch, keep_as_it_is, NULL), 0);
	ck_assert_ptr_eq(batch->slices[0].ptr, bytes);
	ck_assert_uint_eq(batch->items, 20);
	batch_free(batch);
	otlp_bytes_free(&in);
}
END_TEST

/* ResourceSpans without spans, and one with a scope without spans. */
START_TEST(a_rewrite_takes_along_what_came_without_items)
{
	static const uint8_t empty[] = { 0x0a, 0x00, 0x0a, 0x02, 0x12, 0x00 };
	struct otlp_bytes in = { (uint8_t *)(uintptr_t)empty, sizeof(empty), 0 };
	struct weir_batch *batch = otlp_batch(WEIR_SIGNAL_TRACES, &in);

	ck_assert_uint_eq(weir_spans_rewrite(batch, keep_as_it_is, NULL), 0);
	ck_assert_uint_eq(batch->n, 0);
	ck_assert_uint_eq(batch->bytes, 0);
	batch_free(batch);
}
END_TEST

START_TEST(rewrites_nothing_of_another_signal)
{
	struct otlp_bytes in = otlp_gen(WEIR_SIGNAL_LOGS, 1, &(
		struct gen_options){ .records = 5 });
	struct weir_batch *batch = otlp_batch(WEIR_SIGNAL_LOGS, &in);
	struct chance chance = { { 1 }, 1, 0 };

	ck_assert_uint_eq(weir_spans_rewrite(batch, change_span, &chance), 0);
	ck_assert_uint_eq(chance.asked, 0);
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
	tcase_add_loop_test(tc, changes_and_removes_as_it_is_done_to_a_tree, 0,
			    2);
	tcase_add_test(tc, copies_no_slice_in_which_nothing_changes);
	tcase_add_test(tc, a_rewrite_takes_along_what_came_without_items);
	tcase_add_test(tc, rewrites_nothing_of_another_signal);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
