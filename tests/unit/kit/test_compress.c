/* SPDX-License-Identifier: Apache-2.0 */
/* gzip and zstd in and out, and what they must not be talked into. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include <weir/kit/compress.h>
#include <weir/plugin.h>

#define MAX (1 << 20)

static const enum weir_encoding encodings[] = {
	WEIR_ENCODING_IDENTITY, WEIR_ENCODING_GZIP, WEIR_ENCODING_ZSTD
};

static uint8_t *pack(enum weir_encoding encoding, const void *bytes, size_t n,
		     size_t *len)
{
	struct weir_compressor *z = weir_compressor_new(encoding);
	const struct weir_iovec in[] = { { bytes, n / 2 },
		{ (const uint8_t *)bytes + n / 2, n - n / 2 } };
	uint8_t *out = weir_compress(z, in, 2, 0, len);

	weir_compressor_free(&z);
	return out;
}

/* Fills *out from a fixed seed: half text, half noise. */
static uint8_t *sample(size_t n)
{
	uint8_t *bytes = malloc(n + 1);
	uint32_t x = 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = i & 64 ? (uint8_t)(x >> 24) : (uint8_t)('a' + i % 7);
	}
	return bytes;
}

static const size_t sizes[] = { 0, 1, 2, 511, 4096, 70000, 300000, MAX };

START_TEST(what_goes_in_comes_out)
{
	size_t n = sizes[_i], len, got = 0;
	uint8_t *bytes = sample(n);

	for (int e = 0; e < 3; e++) {
		uint8_t *packed = pack(encodings[e], bytes, n, &len);
		struct weir_outcome why = { 0 };
		struct weir_payload *p = weir_decompress(NULL, encodings[e],
			packed, len, MAX, &got, &why);

		ck_assert_msg(p != NULL, "%s: %s",
			      weir_encoding_name(encodings[e]), why.text);
		ck_assert_uint_eq(got, n);
		ck_assert(!memcmp(weir_payload_bytes(p), bytes, n));
		weir_payload_free(&p);
		free(packed);
	}
	free(bytes);
	ck_assert_uint_eq(weir_budget_used(), 0);
}
END_TEST

START_TEST(a_compressor_can_be_used_again_behind_a_head)
{
	struct weir_compressor *z = weir_compressor_new(WEIR_ENCODING_GZIP);
	const struct weir_iovec in = { "abcabcabc", 9 };
	size_t a, b;
	uint8_t *one = weir_compress(z, &in, 1, 5, &a);
	uint8_t *two = weir_compress(z, &in, 1, 5, &b);

	ck_assert_uint_eq(a, b);
	ck_assert_mem_eq(one + 5, two + 5, a - 5);
	free(one);
	free(two);
	weir_compressor_free(&z);
}
END_TEST

/* Refuses, and with that status; leaves nothing charged. */
static void check_refused(const char *why, enum weir_encoding encoding,
			  const uint8_t *in, size_t len, size_t max,
			  enum weir_status status)
{
	struct weir_outcome refused = { 0 };
	size_t out;
	struct weir_payload *p = weir_decompress(NULL, encoding, in, len, max,
						 &out, &refused);

	ck_assert_msg(!p, "%s: accepted", why);
	ck_assert_msg(refused.status == status, "%s: %d %s", why,
		      refused.status, refused.text);
	ck_assert_uint_eq(weir_budget_used(), 0);
}

START_TEST(bombs_stop_at_the_cap)	/* 4, 5 */
{
	size_t n = 64 << 20, len;
	uint8_t *zeros = calloc(1, n);

	for (int e = 1; e < 3; e++) {
		uint8_t *bomb = pack(encodings[e], zeros, n, &len);

		ck_assert_uint_lt(len, n / 500);
		check_refused("bomb", encodings[e], bomb, len, MAX,
			      WEIR_RESOURCE_EXHAUSTED);
		free(bomb);
	}
	free(zeros);
}
END_TEST

START_TEST(one_byte_over_the_cap_is_too_much)
{
	uint8_t *bytes = sample(MAX + 1);
	size_t len;

	for (int e = 0; e < 3; e++) {
		uint8_t *packed = pack(encodings[e], bytes, MAX + 1, &len);

		check_refused("one over", encodings[e], packed, len, MAX,
			      WEIR_RESOURCE_EXHAUSTED);
		free(packed);
	}
	free(bytes);
}
END_TEST

START_TEST(every_truncation_is_broken)	/* 8 */
{
	size_t len;

	for (int e = 1; e < 3; e++) {
		uint8_t *packed = pack(encodings[e], "hello, hello", 12, &len);

		for (size_t cut = 0; cut < len; cut++)
			if (cut || encodings[e] == WEIR_ENCODING_GZIP)
				check_refused("cut", encodings[e], packed, cut,
					      MAX, WEIR_INTERNAL);
		free(packed);
	}
}
END_TEST

START_TEST(a_wrong_checksum_or_length_is_broken)
{
	size_t len;
	uint8_t *packed = pack(WEIR_ENCODING_GZIP, "hello, hello", 12, &len);

	for (size_t i = len - 8; i < len; i++) {
		packed[i] ^= 1;
		check_refused("trailer", WEIR_ENCODING_GZIP, packed, len, MAX,
			      WEIR_INTERNAL);
		packed[i] ^= 1;
	}
	free(packed);
}
END_TEST

START_TEST(trailing_bytes_are_refused)
{
	size_t len;

	for (int e = 1; e < 3; e++) {
		uint8_t *packed = pack(encodings[e], "hello", 5, &len);

		packed = realloc(packed, len + 4);
		memcpy(packed + len, "\0\0\0\0", 4);
		check_refused("trailing", encodings[e], packed, len + 4, MAX,
			      WEIR_INTERNAL);
		free(packed);
	}
}
END_TEST

START_TEST(several_members_count_as_one_message)
{
	size_t a, got;
	struct weir_outcome why;

	for (int e = 1; e < 3; e++) {
		uint8_t *one = pack(encodings[e], "hello", 5, &a);
		uint8_t *two = malloc(2 * a);
		struct weir_payload *p;

		memcpy(two, one, a);
		memcpy(two + a, one, a);
		p = weir_decompress(NULL, encodings[e], two, 2 * a, MAX, &got,
				    &why);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(got, 10);
		ck_assert_mem_eq(weir_payload_bytes(p), "hellohello", 10);
		weir_payload_free(&p);
		check_refused("one cap for all", encodings[e], two, 2 * a, 9,
			      WEIR_RESOURCE_EXHAUSTED);
		free(one);
		free(two);
	}
}
END_TEST

START_TEST(a_wide_zstd_window_is_refused)	/* 6 */
{
	/* magic, no content size, no single segment, window 2^27, and a last
	 * raw block of one byte */
	static const uint8_t frame[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00,
		(27 - 10) << 3, 0x09, 0x00, 0x00, 'x' };
	static const uint8_t fits[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00,
		(23 - 10) << 3, 0x09, 0x00, 0x00, 'x' };
	struct weir_outcome why;
	struct weir_payload *p;
	size_t got;

	check_refused("128 MiB", WEIR_ENCODING_ZSTD, frame, sizeof(frame), MAX,
		      WEIR_INTERNAL);
	p = weir_decompress(NULL, WEIR_ENCODING_ZSTD, fits, sizeof(fits), MAX,
			    &got, &why);
	ck_assert_ptr_nonnull(p);
	weir_payload_free(&p);
}
END_TEST

START_TEST(skippable_frames_are_refused)
{
	static const uint8_t frame[] = { 0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0 };

	check_refused("skippable", WEIR_ENCODING_ZSTD, frame, sizeof(frame),
		      MAX, WEIR_INTERNAL);
}
END_TEST

START_TEST(names_are_exact)
{
	ck_assert_int_eq(weir_encoding_parse(WEIR_STR("gzip")),
			 WEIR_ENCODING_GZIP);
	ck_assert_int_eq(weir_encoding_parse(WEIR_STR("")),
			 WEIR_ENCODING_IDENTITY);
	ck_assert_int_eq(weir_encoding_parse(WEIR_STR("GZIP")),
			 WEIR_ENCODING_UNKNOWN);
	ck_assert_int_eq(weir_encoding_parse(WEIR_STR("gzip, gzip")),
			 WEIR_ENCODING_UNKNOWN);	/* 9 */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compress");
	TCase *tc = tcase_create("codecs");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, what_goes_in_comes_out, 0,
			    sizeof(sizes) / sizeof(*sizes));
	tcase_add_test(tc, a_compressor_can_be_used_again_behind_a_head);
	tcase_add_test(tc, bombs_stop_at_the_cap);
	tcase_add_test(tc, one_byte_over_the_cap_is_too_much);
	tcase_add_test(tc, every_truncation_is_broken);
	tcase_add_test(tc, a_wrong_checksum_or_length_is_broken);
	tcase_add_test(tc, trailing_bytes_are_refused);
	tcase_add_test(tc, several_members_count_as_one_message);
	tcase_add_test(tc, a_wide_zstd_window_is_refused);
	tcase_add_test(tc, skippable_frames_are_refused);
	tcase_add_test(tc, names_are_exact);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
