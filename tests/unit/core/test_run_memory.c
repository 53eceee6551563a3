/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run that finds no memory lets nothing pass unedited, and says how much it
 * dropped.  The allocator is ours here, and fails from a size on.
 */
#include <check.h>
#include <errno.h>
#include <stdatomic.h>

#include <weir/views.h>

#include "../../support/otlp_batch.h"
#include "runtime/graph.h"
#include "data/interest.h"
#include "data/run.h"
#include "data/walk.h"

#ifdef __has_feature
#define HAS(x) __has_feature(x)
#else
#define HAS(x) 0
#endif
/* Sanitizers bring an allocator that cannot be replaced. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	HAS(address_sanitizer) || HAS(thread_sanitizer)
#define fails_from(size) false
#else
static size_t limit = SIZE_MAX;

void *__libc_malloc(size_t size);
void *__libc_realloc(void *ptr, size_t size);

static void *refuse(void)
{
	errno = ENOMEM;
	return NULL;
}

void *malloc(size_t size)
{
	return size >= limit ? refuse() : __libc_malloc(size);
}

void *realloc(void *ptr, size_t size)
{
	return size >= limit ? refuse() : __libc_realloc(ptr, size);
}

static bool fails_from(size_t size)
{
	limit = size;
	return true;
}
#endif

static void want(struct weir_component *c, enum weir_signal signal,
		 struct weir_interest *interest)
{
	(void)c;
	(void)signal;
	weir_interest_always(interest, WEIR_AT_RECORD);
}

static uintptr_t add_one(struct weir_component *c, struct weir_element *e,
			 uintptr_t parent)
{
	struct weir_value value = { .type = WEIR_VALUE_BOOL };

	(void)c;
	weir_attr_add(e, WEIR_STR("k"), &value);
	return parent;
}

static const struct weir_plugin plugin = { .interest = want,
					   .visit = add_one };

static struct weir_component component = { .plugin = &plugin };
static struct run *run;
static struct otlp_bytes large, small;
static struct weir_batch *batch;

static void setup(void)
{
	struct weir_component *c = &component;
	struct weir_batch *more;

	large = otlp_typical_traces(400, 0, 1);
	small = otlp_typical_traces(3, 0, 2);
	run = run_new(&c, 1, WEIR_SIGNAL_TRACES);
	batch = otlp_batch(WEIR_SIGNAL_TRACES, &large);
	more = otlp_batch(WEIR_SIGNAL_TRACES, &small);
	batch_move(batch, more);
	batch_free(more);
}

static void teardown(void)
{
	batch_free(batch);
	run_free(&run);
	otlp_bytes_free(&large);
	otlp_bytes_free(&small);
}

static void only_the_small_one_is_left(struct run_outcome outcome)
{
	ck_assert_uint_eq(outcome.dropped, 400);
	ck_assert_uint_eq(batch->items, 3);
	ck_assert_uint_eq(batch->n, 1);
	ck_assert_uint_gt(batch->slices[0].len, small.len);
	ck_assert_uint_eq(batch->bytes, batch->slices[0].len);
}

/* Warm lists: what fails is the new payload. */
START_TEST(a_slice_that_cannot_be_written_is_dropped_and_told)
{
	struct weir_batch *first = otlp_batch(WEIR_SIGNAL_TRACES, &large);
	struct run_outcome outcome = run_apply(run, first);

	ck_assert_uint_eq(outcome.dropped, 0);
	batch_free(first);
	if (!fails_from(large.len))
		return;
	outcome = run_apply(run, batch);
	(void)fails_from(SIZE_MAX);
	only_the_small_one_is_left(outcome);
}
END_TEST

/* Cold lists: 400 notes need more than is given. */
START_TEST(a_slice_that_cannot_be_searched_is_dropped_and_told)
{
	struct run_outcome outcome;

	if (!fails_from(300 * sizeof(struct note)))
		return;
	outcome = run_apply(run, batch);
	(void)fails_from(SIZE_MAX);
	only_the_small_one_is_left(outcome);
}
END_TEST

START_TEST(a_walk_that_cannot_note_says_so)
{
	const struct interest_set *set = run_interest(run);
	struct notes notes = { 0 };
	bool all;

	ck_assert(walk_interest(WEIR_SIGNAL_TRACES, small.ptr, small.len, set,
				&notes));
	ck_assert_uint_eq(notes.n, 3 + 3);	/* two scopes and a resource */
	if (!fails_from(1)) {	/* the sanitizer's allocator: cannot be told */
		notes_release(&notes);
		return;
	}
	all = walk_interest(WEIR_SIGNAL_TRACES, large.ptr, large.len, set,
			    &notes);
	(void)fails_from(SIZE_MAX);
	ck_assert(!all);
	notes_release(&notes);
}
END_TEST

static bool keep_odd(const struct weir_span_at *at, void *arg)
{
	size_t *n = arg;

	(void)at;
	return ++*n % 2;
}

/* 200 of the 400 should go, and the others found no memory. */
START_TEST(a_filter_without_memory_counts_what_it_lost_as_dropped)
{
	static struct weir_node_instance holder;
	size_t n = 0, gone;

	if (!fails_from(50000))
		return;
	batch->holder = &holder;
	gone = weir_spans_filter(batch, keep_odd, &n);
	(void)fails_from(SIZE_MAX);
	batch->holder = NULL;
	ck_assert_uint_eq(n, 403);
	ck_assert_uint_eq(gone, 200 + 1);
	ck_assert_uint_eq(batch->items, 2);
	ck_assert_uint_eq(holder.counts[WEIR_SIGNAL_TRACES]
			  .dropped[WEIR_REASON_MEMORY], 200);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("run_memory");
	TCase *tc = tcase_create("no memory");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_slice_that_cannot_be_written_is_dropped_and_told);
	tcase_add_test(tc,
		       a_slice_that_cannot_be_searched_is_dropped_and_told);
	tcase_add_test(tc, a_walk_that_cannot_note_says_so);
	tcase_add_test(tc,
		a_filter_without_memory_counts_what_it_lost_as_dropped);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
