/* SPDX-License-Identifier: Apache-2.0 */
/* What an OTLP backend answers, honest or not. */
#include <check.h>
#include <weir/kit/otlp_reply.h>

static const struct {
	const char *why;
	const char *bytes;
	size_t len;
	uint64_t rejected;
	const char *text;
	bool broken;
} replies[] = {
	{ "an empty answer is a full success", "", 0, 0, "", false },
	{ "a number and a text", "\x0a\x06\x08\x05\x12\x02no", 8, 5, "no", false },
	{ "a text alone", "\x0a\x04\x12\x02hm", 6, 0, "hm", false },
	{ "a number below zero counts as none",		/* attacks 127 */
	  "\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13, 0, "", false },
	{ "unknown fields are passed over",
	  "\x12\x01x\x18\x07\x0a\x02\x08\x03", 9, 3, "", false },
	{ "a length past the end says nothing", "\x0a\x7f\x08\x05", 4, 0, "",
	  true },
	{ "a cut varint says nothing", "\x0a\x02\x08\x85", 4, 0, "", true },
	{ "control characters do not reach a log",	/* attacks 113 */
	  "\x0a\x05\x12\x03" "a\nb", 7, 0, "a?b", false },
};

START_TEST(partial_success_is_read_with_care)
{
	struct weir_outcome outcome = { .status = WEIR_OK };

	ck_assert_msg(weir_otlp_partial_success(
			(const uint8_t *)replies[_i].bytes, replies[_i].len,
			&outcome) == !replies[_i].broken, "%s",
		      replies[_i].why);
	ck_assert_msg(outcome.rejected == replies[_i].rejected, "%s",
		      replies[_i].why);
	ck_assert_str_eq(outcome.text, replies[_i].text);
}
END_TEST

static const struct {
	enum weir_status status;
	const char *text;
} errors[] = {
	{ WEIR_UNAVAILABLE, "rpc error: code = Unavailable desc = x" },
	{ WEIR_DEADLINE_EXCEEDED,
	  "rpc error: code = DeadlineExceeded desc = x" },
	{ WEIR_CANCELLED, "rpc error: code = Canceled desc = x" },
};

START_TEST(errors_read_as_operators_know_them)
{
	struct weir_outcome outcome = { .status = errors[_i].status,
					.text = "x" };

	weir_otlp_error_text(&outcome, errors[_i].status);
	ck_assert_str_eq(outcome.text, errors[_i].text);
}
END_TEST

static const struct {
	const char *why, *bytes;
	size_t len;
	const char *message, *details;
	bool broken;
} statuses[] = {
	{ "nothing is an empty status", "", 0, "", "", false },
	{ "code and message", "\x08\x0e\x12\x04" "busy", 8, "busy", "", false },
	{ "types of two details", "\x1a\x03\x0a\x01" "a\x1a\x03\x0a\x01" "b",
	  10, "", "a b", false },
	{ "unknown fields are passed over", "\x20\x01\x12\x01x", 5, "x", "", false },
	{ "text is no status", "not found", 9, "", "", true },
	{ "nor is JSON", "{\"a\":1}", 7, "", "", true },
	{ "a length past the end", "\x12\x7fx", 3, "", "", true },
	{ "a broken detail", "\x1a\x02\x0a\x7f", 4, "", "", true },
	{ "a code that is no number", "\x0a\x01x", 3, "", "", true },
};

START_TEST(a_status_is_read_with_care)
{
	weir_str message;
	char details[96];
	bool whole = weir_otlp_status((const uint8_t *)statuses[_i].bytes,
				      statuses[_i].len, &message, details,
				      sizeof(details));

	ck_assert_msg(whole == !statuses[_i].broken, "%s", statuses[_i].why);
	if (!whole)
		return;
	ck_assert(weir_str_eq(message, weir_str_of(statuses[_i].message)));
	ck_assert_str_eq(details, statuses[_i].details);
}
END_TEST

#define EACH(tc, test, rows) \
	tcase_add_loop_test(tc, test, 0, sizeof(rows) / sizeof(*(rows)))

int main(void)
{
	Suite *suite = suite_create("otlp_reply");
	TCase *tc = tcase_create("replies");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	EACH(tc, partial_success_is_read_with_care, replies);
	EACH(tc, errors_read_as_operators_know_them, errors);
	EACH(tc, a_status_is_read_with_care, statuses);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
