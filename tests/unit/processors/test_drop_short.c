/* SPDX-License-Identifier: Apache-2.0 */
/* The example of the README, as its author would test it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir/testing.h>

#define MS(n) ((uint64_t)(n) * 1000000)
#define START UINT64_C(1700000000000000000)

/* ResourceSpans { ScopeSpans { Span { start_time = 7, end_time = 8 } } } */
static size_t one_span(uint8_t *out, uint64_t end)
{
	uint64_t start = START;
	uint8_t bytes[24] = { 0x0a, 22, 0x12, 20, 0x12, 18, 0x39 };

	memcpy(bytes + 7, &start, 8);
	bytes[15] = 0x41;
	memcpy(bytes + 16, &end, 8);
	memcpy(out, bytes, sizeof(bytes));
	return sizeof(bytes);
}

static const struct {
	const char *why;
	uint64_t end;
	size_t kept;
} edges[] = {
	{ "exactly the minimum is kept", START + MS(10), 1 },
	{ "one nanosecond under is not", START + MS(10) - 1, 0 },
	{ "no end time is not short", 0, 1 },
};

START_TEST(edge_of_min_duration)
{
	char so[256];
	struct weir_error error = { 0 };
	struct weir_outcome outcome;
	struct weir_test *t;
	uint8_t bytes[64];
	const char *build = getenv("WEIR_BUILD");
	int number;

	snprintf(so, sizeof(so), "%s/plugins/plugins/template/drop_short.so",
		 build ? build : "build");
	t = weir_test_open(so, "min_duration: 10ms", WEIR_TRACES, &error);
	ck_assert_msg(t != NULL, "%s", error.text);
	ck_assert_int_eq(weir_test_start(t, &error), 0);
	number = weir_test_send(t, WEIR_SIGNAL_TRACES, bytes,
				one_span(bytes, edges[_i].end), &outcome);
	weir_test_run(t);

	ck_assert(weir_test_answer(t, number, &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
	ck_assert_msg(weir_test_passed(t) == edges[_i].kept, "%s",
		      edges[_i].why);
	ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("template/drop_short");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, edge_of_min_duration, 0,
			    sizeof(edges) / sizeof(edges[0]));
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
