/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tail_table.c: the table of traces, with hashes that collide as they
 * never would, against an array.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../../processors/tail_sampling/table.h"
#include "../../support/otlp_gen.h"

#define IDS 4000
#define STEPS 60000

static struct table table;
static struct entry *known[IDS];	/* by number; NULL: not there */

static void id_of(uint32_t i, uint8_t id[16])
{
	memset(id, 0, 16);
	memcpy(id, &i, sizeof(i));
}

/* Homes in a row, some at the very end of the slots; few tags. */
static uint64_t hash_of(uint32_t i, int hard)
{
	uint64_t home = hard ? 1020 + i % 7 : i * 0x9e3779b97f4a7c15u >> 40;

	return (uint64_t)(i % 3) << 32 | home << 8 | 1;
}

static struct entry *find(uint32_t i, int hard)
{
	uint8_t id[16];

	id_of(i, id);
	return table_find(&table, hash_of(i, hard), id);
}

static void step(struct gen *gen, uint32_t ids, int hard)
{
	uint32_t i = gen_below(gen, ids);
	uint8_t id[16];

	id_of(i, id);
	ck_assert_ptr_eq(find(i, hard), known[i]);
	if (known[i]) {
		ck_assert(!memcmp(known[i]->id, id, 16));
		table_remove(&table, known[i]);
		known[i] = NULL;
	} else if (gen_one_in(gen, 2)) {
		ck_assert(table_ready(&table));
		known[i] = table_add(&table, hash_of(i, hard), id);
	}
}

/* All that there are, in the order in which they came. */
static void check_all(uint32_t ids, int hard)
{
	size_t n = 0, linked = 0;

	for (uint32_t i = 0; i < ids; i++) {
		ck_assert_ptr_eq(find(i, hard), known[i]);
		n += known[i] != NULL;
	}
	for (struct entry *e = table_oldest(&table), *next; e; e = next) {
		uint32_t after = e->in[BY_AGE].after;

		linked++;
		next = table_at(&table, after);
		ck_assert_uint_eq(next ? next->in[BY_AGE].before :
				  table.all.last, e->number);
	}
	ck_assert_uint_eq(table.n, n);
	ck_assert_uint_eq(linked, n);
}

START_TEST(what_was_added_is_found_until_it_is_removed)
{
	struct gen gen = { 5 };
	uint32_t ids = _i ? 60 : IDS;

	table_init(&table, NULL, 1);
	for (int k = 0; k < STEPS; k++) {
		step(&gen, ids, _i);
		if (k % 1000 == 0)
			check_all(ids, _i);
	}
	check_all(ids, _i);
	table_release(&table);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/tail_sampling: table");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests,
			    what_was_added_is_found_until_it_is_removed, 0, 2);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
