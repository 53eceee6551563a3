/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What actions are made of: numbers as Go reads them, digests by their
 * published vectors.  What the actions do is in processors/test_attributes.c.
 */
#include <check.h>
#include <math.h>
#include <weir/kit/actions.h>
#include <weir/kit/digest.h>

static const struct {
	const char *text;
	bool ok;
	int64_t value;
} ints[] = {
	{ "0", true, 0 },
	{ "+7", true, 7 },
	{ "-0", true, 0 },
	{ "007", true, 7 },
	{ "9223372036854775807", true, INT64_MAX },
	{ "-9223372036854775808", true, INT64_MIN },
	{ "9223372036854775808", false, 0 },
	{ "-9223372036854775809", false, 0 },
	{ "99999999999999999999", false, 0 },
	{ "", false, 0 },
	{ "-", false, 0 },
	{ " 1", false, 0 },
	{ "1 ", false, 0 },
	{ "1_000", false, 0 },
	{ "0x10", false, 0 },
	{ "1.0", false, 0 },
};

START_TEST(reads_ints_as_go)
{
	int64_t value = 0;

	ck_assert_msg(weir_parse_int(weir_str_of(ints[_i].text), &value) ==
		      ints[_i].ok, "%s", ints[_i].text);
	ck_assert_int_eq(value, ints[_i].value);
}
END_TEST

static const struct {
	const char *text;
	bool ok;
	double value;
} doubles[] = {
	{ "1_000", true, 1000 },
	{ "0x1_0p0", true, 16 },
	{ "0x1p-2", true, 0.25 },
	{ "0x.8p1", true, 1 },
	{ "0x10", false, 0 },
	{ "-inf", true, -INFINITY },
	{ "Infinity", true, INFINITY },
	{ "infin", false, 0 },
	{ "+nan", false, 0 },
	{ "1e400", false, 0 },
	{ "1e-400", true, 0 },
	{ ".5", true, 0.5 },
	{ "5.", true, 5 },
	{ "+5", true, 5 },
	{ "e5", false, 0 },
	{ "1e", false, 0 },
	{ "1e+", false, 0 },
	{ "", false, 0 },
	{ ".", false, 0 },
	{ " 1", false, 0 },
	{ "_1", false, 0 },
	{ "1_", false, 0 },
	{ "1_e5", false, 0 },
	{ "nan(1)", false, 0 },
};

START_TEST(reads_doubles_as_go)
{
	double value = 0;
	bool ok = weir_parse_double(weir_str_of(doubles[_i].text), &value);

	ck_assert_msg(ok == doubles[_i].ok, "%s", doubles[_i].text);
	ck_assert_msg(!ok || value == doubles[_i].value, "%s",
		      doubles[_i].text);
}
END_TEST

START_TEST(nan_is_read_in_any_case_with_the_bits_that_go_gives_it)
{
	double value = 0;
	uint64_t bits;

	ck_assert(weir_parse_double(WEIR_STR("NaN"), &value));
	ck_assert(isnan(value));
	memcpy(&bits, &value, sizeof(bits));
	ck_assert_uint_eq(bits, 0x7ff8000000000001);
}
END_TEST

/* RFC 1321 A.5; FIPS 180-4 and 202 examples; RFC 4231 4.3 (key "Jefe"). */
static const struct {
	enum weir_digest_kind kind;
	const char *key, *bytes, *hex;
} digests[] = {
	{ WEIR_DIGEST_MD5, "", "abc", "900150983cd24fb0d6963f7d28e17f72" },
	{ WEIR_DIGEST_SHA1, "", "abc",
	  "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ WEIR_DIGEST_SHA256, "", "abc", "ba7816bf8f01cfea414140de5dae2223"
	  "b00361a396177a9cb410ff61f20015ad" },
	{ WEIR_DIGEST_SHA3_256, "", "abc", "3a985da74fe225b2045c172d6bd390bd"
	  "855f086e3e9d525b46bfe24511431532" },
	{ WEIR_DIGEST_HMAC_SHA256, "Jefe", "what do ya want for nothing?",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ WEIR_DIGEST_HMAC_SHA512, "Jefe", "what do ya want for nothing?",
	  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	  "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
};

START_TEST(digests_match_their_vectors_again_and_again)
{
	struct weir_error error;
	struct weir_digest *digest = weir_digest_new(digests[_i].kind,
		weir_str_of(digests[_i].key), &error);
	struct weir_text out = { 0 };

	ck_assert_msg(digest != NULL, "%s", error.text);
	for (int i = 0; i < 3; i++) {
		weir_text_clear(&out);
		weir_digest_hex(digest, weir_str_of(digests[_i].bytes), &out);
		ck_assert(weir_str_eq((weir_str){ out.ptr, out.len },
				      weir_str_of(digests[_i].hex)));
	}
	weir_digest_free(&digest);
	weir_text_release(&out);
}
END_TEST

#define EACH(t, rows) tcase_add_loop_test(c, t, 0, \
		(int)(sizeof(rows) / sizeof(*(rows))))

int main(void)
{
	Suite *s = suite_create("kit/actions");
	TCase *c = tcase_create("actions");
	SRunner *r = srunner_create(s);
	int failed;

	EACH(reads_ints_as_go, ints);
	EACH(reads_doubles_as_go, doubles);
	EACH(digests_match_their_vectors_again_and_again, digests);
	tcase_add_test(c,
		nan_is_read_in_any_case_with_the_bits_that_go_gives_it);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
