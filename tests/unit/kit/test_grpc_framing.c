/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses, deadlines and hints as gRPC writes them. */
#include <check.h>
#include <stdlib.h>

#include "grpc_status.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* google.rpc.Status {14, "busy", [RetryInfo 5 s]}, made by protoc. */
#define BUSY "CA4SBGJ1c3kaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIBQ"

START_TEST(details_are_what_protoc_makes_of_them)
{
	struct weir_outcome busy;
	char out[GRPC_DETAILS_MAX];
	size_t len;

	weir_outcome_set(&busy, WEIR_UNAVAILABLE, WEIR_REASON_FULL, "busy");
	len = grpc_details_encode(out, &busy, (weir_duration){ 5000000000 });
	ck_assert_uint_eq(len, strlen(BUSY));
	ck_assert_mem_eq(out, BUSY, len);
}
END_TEST

static const struct {
	const char *why, *value;
	int64_t ns;		/* -1: no hint */
} hints[] = {
	{ "as written", BUSY, 5000000000 },
	{ "padded", BUSY "==", 5000000000 },
	{ "not base64", "*" BUSY, -1 },
	{ "cut off", "CA4SBGJ1c3kaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9n", -1 },
	{ "empty", "", -1 },
	{ "no details", "CA4SBGJ1c3k", -1 },
	{ "seconds are negative", "GjkKKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJw"
	  "Yy5SZXRyeUluZm8SDQoLCP///////////wE", -1 },
	{ "of another type", "GjAKKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5S"
	  "ZXRyeUluZm4SBAoCCAU", -1 },
};

START_TEST(hints_are_read_and_never_trusted)
{
	weir_duration after = { -1 };

	if (!grpc_details_retry(weir_str_of(hints[_i].value), &after))
		after.ns = -1;
	ck_assert_msg(after.ns == hints[_i].ns, "%s: %lld", hints[_i].why,
		      (long long)after.ns);
}
END_TEST

static const struct {
	const char *value;
	uint64_t ns;
	bool good;
} timeouts[] = {
	{ "1n", 1, true },
	{ "50u", 50000, true },
	{ "10S", 10000000000, true },
	{ "99999999m", 99999999000000, true },
	{ "99999999H", INT64_MAX, true },	/* clamped */
	{ "0n", 0, true },
	{ "123456789n", 0, false },		/* nine digits */
	{ "n", 0, false },
	{ "", 0, false },
	{ "1", 0, false },
	{ "1s", 0, false },
	{ "-1S", 0, false },
	{ "1.5S", 0, false },
};

START_TEST(a_timeout_is_digits_and_a_unit)
{
	uint64_t ns = 0;
	bool good = grpc_timeout_parse(weir_str_of(timeouts[_i].value), &ns);

	ck_assert_msg(good == timeouts[_i].good, "%s", timeouts[_i].value);
	if (good)
		ck_assert_uint_eq(ns, timeouts[_i].ns);
}
END_TEST

static const struct {
	uint64_t ns;
	const char *text;
} written[] = {
	{ 5000000000, "5000000u" },
	{ 99999999, "99999999n" },
	{ 100000000, "100000u" },
	{ 100000001, "100001u" },	/* never shorter than asked */
	{ 86400000000000, "86400000m" },
	{ INT64_MAX, "2562048H" },
};

START_TEST(a_timeout_is_written_in_eight_digits)
{
	char out[GRPC_TIMEOUT_MAX];
	size_t len = grpc_timeout_format(out, written[_i].ns);

	ck_assert_msg(len == strlen(written[_i].text) &&
		      !memcmp(out, written[_i].text, len), "%.*s", (int)len,
		      out);
}
END_TEST

static const struct {
	const char *text, *encoded;
} messages[] = {
	{ "all fine", "all fine" },
	{ "100 %", "100 %25" },
	{ "a\nb", "a%0Ab" },
	{ "\xc3\xbc", "%C3%BC" },
	{ "~ !\"#$&'", "~ !\"#$&'" },
	{ "", "" },
};

START_TEST(a_message_is_percent_encoded)
{
	char out[GRPC_MESSAGE_MAX];
	size_t len = grpc_message_encode(out, messages[_i].text);

	ck_assert_uint_eq(len, strlen(messages[_i].encoded));
	ck_assert_mem_eq(out, messages[_i].encoded, len);
}
END_TEST

START_TEST(a_long_message_is_cut_at_a_whole_character)
{
	char text[301] = "", out[GRPC_MESSAGE_MAX];

	for (int i = 0; i < 150; i++)
		memcpy(text + 2 * i, "\xc3\xbc", 2);
	ck_assert_uint_eq(grpc_message_encode(out, text), 252);
}
END_TEST

static const struct {
	const char *value, *text;
} decoded[] = {
	{ "100 %25", "100 %" },
	{ "%c3%bc", "\xc3\xbc" },
	{ "50%", "50%" },			/* malformed stays */
	{ "%zz%4", "%zz%4" },
	{ "a%0Ab%00", "a?b?" },		/* nothing that forges a line */
};

START_TEST(a_message_is_decoded_for_a_log)
{
	char out[32];

	grpc_message_decode(weir_str_of(decoded[_i].value), out, sizeof(out));
	ck_assert_str_eq(out, decoded[_i].text);
}
END_TEST

START_TEST(codes_from_elsewhere_are_mapped)
{
	ck_assert_int_eq(grpc_status_parse(WEIR_STR("16")), 16);
	ck_assert_int_eq(grpc_status_parse(WEIR_STR("17")), WEIR_UNKNOWN);
	ck_assert_int_eq(grpc_status_parse(WEIR_STR("")), WEIR_UNKNOWN);
	ck_assert_int_eq(grpc_status_parse(WEIR_STR("1x")), WEIR_UNKNOWN);
	ck_assert_int_eq(grpc_status_of_http(503), WEIR_UNAVAILABLE);
	ck_assert_int_eq(grpc_status_of_http(404), WEIR_UNIMPLEMENTED);
	ck_assert_int_eq(grpc_status_of_http(200), WEIR_UNKNOWN);
	ck_assert_int_eq(grpc_status_of_h2(7), WEIR_UNAVAILABLE);
	ck_assert_int_eq(grpc_status_of_h2(8), WEIR_CANCELLED);
	ck_assert_int_eq(grpc_status_of_h2(2), WEIR_INTERNAL);
}
END_TEST

static const struct {
	const char *in, *out;
	int64_t len;
} base64[] = {
	{ "aGk", "hi", 2 }, { "aGk=", "hi", 2 }, { "aA==", "h", 1 },
	{ "aA", "h", 1 }, { "", "", 0 }, { "a", "", -1 }, { "aA=", "", -1 },
	{ "a A=", "", -1 }, { "====", "", -1 },
};

START_TEST(base64_is_read_padded_or_not)
{
	uint8_t out[8];
	int64_t len = grpc_base64_decode(weir_str_of(base64[_i].in), out,
					 sizeof(out));

	ck_assert_msg(len == base64[_i].len, "%s: %lld", base64[_i].in,
		      (long long)len);
	if (len > 0)
		ck_assert_mem_eq(out, base64[_i].out, (size_t)len);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("grpc_framing");
	TCase *tc = tcase_create("text");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, details_are_what_protoc_makes_of_them);
	tcase_add_loop_test(tc, hints_are_read_and_never_trusted, 0,
			    COUNT(hints));
	tcase_add_loop_test(tc, a_timeout_is_digits_and_a_unit, 0,
			    COUNT(timeouts));
	tcase_add_loop_test(tc, a_timeout_is_written_in_eight_digits, 0,
			    COUNT(written));
	tcase_add_loop_test(tc, a_message_is_percent_encoded, 0,
			    COUNT(messages));
	tcase_add_test(tc, a_long_message_is_cut_at_a_whole_character);
	tcase_add_loop_test(tc, a_message_is_decoded_for_a_log, 0,
			    COUNT(decoded));
	tcase_add_test(tc, codes_from_elsewhere_are_mapped);
	tcase_add_loop_test(tc, base64_is_read_padded_or_not, 0,
			    COUNT(base64));
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
