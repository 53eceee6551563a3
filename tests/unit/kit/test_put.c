/* SPDX-License-Identifier: Apache-2.0 */
/* Writing into an array: never past its end. */
#include <check.h>
#include <weir/kit/text.h>

START_TEST(what_fits_is_written_one_behind_the_other)
{
	char line[64];
	struct weir_put out = WEIR_PUT(line);

	weir_puts(&out, "n=");
	weir_put_number(&out, UINT64_MAX);
	weir_put(&out, WEIR_STR(" "));
	weir_put_json(&out, "a \"b\" \\");
	ck_assert_str_eq(weir_put_end(&out),
			 "n=18446744073709551615 \"a \\\"b\\\" \\\\\"");
	ck_assert(!out.full);
}
END_TEST

START_TEST(what_does_not_fit_is_left_out_and_said)
{
	char line[8] = "1234567";
	struct weir_put out = { .ptr = line, .room = 4 };

	weir_puts(&out, "abc");
	weir_puts(&out, "de");
	ck_assert(out.full);
	weir_puts(&out, "f");	/* it would stand behind a gap */
	ck_assert_uint_eq(out.len, 3);
	ck_assert_mem_eq(line, "abc4567", 8);
}
END_TEST

START_TEST(the_end_is_kept_inside)
{
	char line[8] = "1234567";
	struct weir_put out = { .ptr = line, .room = 4 };

	weir_puts(&out, "abcd");
	ck_assert(!out.full);
	ck_assert_str_eq(weir_put_end(&out), "abc");
	ck_assert_int_eq(line[4], '5');
}
END_TEST

START_TEST(a_varint_has_seven_bits_a_byte)
{
	static const struct { uint64_t value; size_t len; } rows[] = {
		{ 0, 1 }, { 127, 1 }, { 128, 2 }, { UINT64_MAX, 10 }
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t bytes[10];
		struct weir_put out = WEIR_PUT(bytes);
		uint64_t value = 0;

		weir_put_varint(&out, rows[i].value);
		ck_assert_uint_eq(out.len, rows[i].len);
		for (size_t j = 0; j < out.len; j++) {
			ck_assert_int_eq(bytes[j] >> 7, j + 1 < out.len);
			value |= (uint64_t)(bytes[j] & 0x7f) << 7 * j;
		}
		ck_assert_uint_eq(value, rows[i].value);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("put");
	TCase *tc = tcase_create("put");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, what_fits_is_written_one_behind_the_other);
	tcase_add_test(tc, what_does_not_fit_is_left_out_and_said);
	tcase_add_test(tc, the_end_is_kept_inside);
	tcase_add_test(tc, a_varint_has_seven_bits_a_byte);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
