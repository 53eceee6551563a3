/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_part.c: the index of a batch that is dealt out by trace.  The cursor of
 * views.c is the oracle: every span is in one part, whole, in order, under its
 * own scope and resource.
 */
#include <check.h>

#include "../../support/otlp_batch.h"
#include "../../support/seeds.h"

#include <weir/plugin.h>
#include <weir/views.h>
#include "runtime/part.h"

#define TRACES WEIR_SIGNAL_TRACES

static uint32_t owner(weir_str trace_id, uint32_t n)
{
	const uint8_t *id = trace_id.len ? (const uint8_t *)trace_id.ptr : NULL;

	return (uint32_t)(trace_hash(id) % SHARDS) % n;
}

static void check_span(const struct weir_part *part, size_t i,
		       const struct weir_span_cursor *cursor)
{
	const struct weir_part_span *span = &part->spans[i];
	const struct weir_part_scope *scope;
	struct weir_resource resource;
	struct weir_scope of;

	ck_assert_ptr_eq(span->message, cursor->span.message.ptr);
	ck_assert_uint_eq(span->len, cursor->span.message.len);
	if (cursor->span.trace_id.len)
		ck_assert_ptr_eq(span->trace_id, cursor->span.trace_id.ptr);
	else
		ck_assert_ptr_null(span->trace_id);
	ck_assert(span->hash == trace_hash(span->trace_id));
	scope = &part->scopes[span->scope];
	weir_scope_read(scope->wrapper, &of);
	ck_assert(weir_str_eq(of.message, cursor->scope.message));
	weir_resource_read(part->resources[scope->resource].wrapper, &resource);
	ck_assert(weir_str_eq(resource.message, cursor->resource.message));
	ck_assert(weir_str_eq(resource.schema_url,
			      cursor->resource.schema_url));
}

static void check_seed(uint64_t seed, uint32_t n)
{
	struct otlp_bytes bytes = otlp_gen(TRACES, seed,
		&(struct gen_options){ .records = (uint32_t)(seed % 60) });
	struct weir_batch *batch = otlp_batch(TRACES, &bytes), *parts[SHARDS];
	struct weir_span_cursor cursor = weir_spans(batch);
	size_t counts[SHARDS], seen[SHARDS] = { 0 }, sum = 0;
	struct parting *parting = parting_new(batch, n, counts);

	for (uint32_t i = 0; i < n; i++) {
		parts[i] = batch_share(batch);
		parting_give(parting, parts[i], i, counts);
		ck_assert_uint_eq(weir_batch_part(parts[i])->n, counts[i]);
		ck_assert_uint_eq(weir_batch_items(parts[i]), counts[i]);
		sum += counts[i];
	}
	parting_unref(parting);
	ck_assert_uint_eq(sum, batch->items);
	while (weir_span_next(&cursor)) {
		uint32_t i = owner(cursor.span.trace_id, n);

		check_span(weir_batch_part(parts[i]), seen[i]++, &cursor);
	}
	for (uint32_t i = 0; i < n; i++) {
		ck_assert_uint_eq(seen[i], counts[i]);
		batch_free(parts[i]);
	}
	batch_free(batch);
	otlp_bytes_free(&bytes);
}

START_TEST(every_span_is_in_the_part_of_its_trace_in_order)
{
	static const uint32_t workers_[] = { 1, 2, 3, 7, 64, 255 };

	for (uint64_t seed = 0; seed < SEEDS_OF(600); seed++)
		check_seed(seed, workers_[seed % 6]);
	ck_assert_uint_eq(weir_budget_used(), 0);
}
END_TEST

START_TEST(an_index_over_the_budget_is_refused)
{
	struct otlp_bytes bytes = otlp_gen(TRACES, 7,
		&(struct gen_options){ .records = 50 });
	struct weir_batch *batch = otlp_batch(TRACES, &bytes);
	size_t counts[SHARDS];

	weir_budget_limit(weir_budget_used() + 1, weir_budget_used() + 1);
	ck_assert_ptr_null(parting_new(batch, 2, counts));
	weir_budget_limit(0, 0);
	batch_free(batch);
	otlp_bytes_free(&bytes);
	ck_assert_uint_eq(weir_budget_used(), 0);
}
END_TEST

/* Half of the pairs of shards that two ids could fall into is noise; what must
 * not be is that ids of one shape gather in few. */
START_TEST(ids_that_count_up_spread_over_the_shards)
{
	unsigned hits[SHARDS] = { 0 }, most = 0;
	uint8_t id[16] = { 0 };

	for (unsigned i = 0; i < SHARDS * 64; i++) {
		memcpy(id + 12, &i, sizeof(i));
		hits[trace_hash(id) % SHARDS]++;
	}
	for (unsigned i = 0; i < SHARDS; i++)
		most = hits[i] > most ? hits[i] : most;
	ck_assert_uint_lt(most, 128);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core/part");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, every_span_is_in_the_part_of_its_trace_in_order);
	tcase_add_test(tests, an_index_over_the_budget_is_refused);
	tcase_add_test(tests, ids_that_count_up_spread_over_the_shards);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
