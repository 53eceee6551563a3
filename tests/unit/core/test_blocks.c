/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of memory: which are used again, and how many are kept. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/blocks.h"
#include "runtime/worker.h"

static struct worker worker;

static void set_up(void)
{
	worker_init(&worker, 0, true);
}

static void tear_down(void)
{
	worker_release(&worker);
}

static const size_t sizes[] = {
	1, 255, 256, 257, 320, 321, 511, 512, 513, 6000, 65536, 65537,
	300000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1
};

START_TEST(a_block_has_the_room_that_was_asked_for)
{
	size_t size = sizes[_i];

	for (int round = 0; round < 3; round++) {
		uint8_t *block = block_new(size);

		memset(block, round, size);	/* sanitizers look at this */
		ck_assert_uint_eq(block[size - 1], (uint8_t)round);
		block_free(block, size);
	}
}
END_TEST

START_TEST(what_was_freed_last_is_used_first)
{
	void *a = block_new(6000), *b = block_new(6100);

	block_free(a, 6000);
	block_free(b, 6100);
	ck_assert_ptr_eq(block_new(5900), b);
	ck_assert_ptr_eq(block_new(6144), a);
	block_free(a, 6144);
	block_free(b, 5900);
}
END_TEST

START_TEST(another_size_is_another_block)
{
	void *a = block_new(512), *b;

	block_free(a, 512);
	b = block_new(513);
	ck_assert_ptr_ne(a, b);
	block_free(b, 513);
}
END_TEST

/* The bound is 24 MiB: of 40 blocks of 1 MiB no more are kept. */
START_TEST(no_more_is_kept_than_the_bound)
{
	void *blocks[40];
	size_t same = 0;

	for (size_t i = 0; i < 40; i++)
		blocks[i] = block_new(1 << 20);
	for (size_t i = 0; i < 40; i++)
		block_free(blocks[i], 1 << 20);
	for (size_t i = 0; i < 24; i++)
		same += block_new(1 << 20) == blocks[23 - i];
	ck_assert_uint_eq(same, 24);
	for (size_t i = 0; i < 24; i++)
		block_free(blocks[i], 1 << 20);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("blocks");
	TCase *tc = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, a_block_has_the_room_that_was_asked_for, 0,
			    (int)(sizeof(sizes) / sizeof(*sizes)));
#ifndef __SANITIZE_ADDRESS__	/* there nothing is kept */
	tcase_add_test(tc, what_was_freed_last_is_used_first);
	tcase_add_test(tc, no_more_is_kept_than_the_bound);
#endif
	tcase_add_test(tc, another_size_is_another_block);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
