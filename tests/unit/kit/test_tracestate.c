/* SPDX-License-Identifier: Apache-2.0 */
/* kit/tracestate: which trace states are valid, and what is in them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/kit/tracestate.h>

/* n times c; four at a time. */
static const char *repeated(char c, size_t n)
{
	static char text[4][600];
	static int next;
	char *out = text[next++ % 4];

	memset(out, c, n);
	out[n] = '\0';
	return out;
}

static const char *value_of(const char *text, const char *key, size_t *n)
{
	static char value[300];
	struct weir_tracestate state;
	weir_str found;

	*n = 0;
	if (!weir_tracestate_parse(weir_str_of(text), &state))
		return NULL;
	*n = state.n;
	found = weir_tracestate_get(&state, weir_str_of(key));
	snprintf(value, sizeof(value), "%.*s", WEIR_STR_FMT(found));
	return value;
}

static const struct {
	const char *text, *value;	/* of k; NULL: not valid */
	size_t n;
} states[] = {
	{ "", "", 0 },
	{ "k=v", "v", 1 },
	{ "a=1,k=v,b=2", "v", 3 },
	{ "a=1, k=v ,\tb=2\t", "v", 3 },
	{ ",,k=v,", "v", 1 },
	{ "k=a b", "a b", 1 },
	{ "k= v", " v", 1 },
	{ "k=!~", "!~", 1 },
	{ "9t@sys=x,k=v", "v", 2 },
	{ "a_-*/z09=1", "", 1 },
	{ "k", NULL, 0 }, { "k=", NULL, 0 }, { "=v", NULL, 0 },
	{ "k =v", NULL, 0 }, { "K=v", NULL, 0 }, { "9=v", NULL, 0 },
	{ "k=v=w", NULL, 0 }, { "k=\x7f", NULL, 0 }, { "k=\xc3\xa4", NULL, 0 },
	{ "k=v,k=v", NULL, 0 }, { "t@=x", NULL, 0 }, { "@s=x", NULL, 0 },
	{ "t@9s=x", NULL, 0 }, { "t@a@b=x", NULL, 0 }, { " ", NULL, 0 },
};

START_TEST(members_are_as_the_recommendation_says)
{
	size_t n;
	const char *value = value_of(states[_i].text, "k", &n);

	if (!states[_i].value) {
		ck_assert_msg(!value, "\"%s\"", states[_i].text);
		return;
	}
	ck_assert_msg(value != NULL, "\"%s\"", states[_i].text);
	ck_assert_str_eq(value, states[_i].value);
	ck_assert_uint_eq(n, states[_i].n);
}
END_TEST

static bool is_valid(const char *key, const char *value)
{
	struct weir_tracestate state;
	char text[1300];

	snprintf(text, sizeof(text), "%s=%s", key, value);
	return weir_tracestate_parse(weir_str_of(text), &state);
}

START_TEST(keys_and_values_have_their_lengths)
{
	char key[600];

	ck_assert(is_valid(repeated('k', 256), "v"));
	ck_assert(!is_valid(repeated('k', 257), "v"));
	ck_assert(is_valid("k", repeated('v', 256)));
	ck_assert(!is_valid("k", repeated('v', 257)));
	snprintf(key, sizeof(key), "%s@%s", repeated('t', 241), repeated('s', 14));
	ck_assert(is_valid(key, "v"));
	snprintf(key, sizeof(key), "%s@%s", repeated('t', 242), repeated('s', 14));
	ck_assert(!is_valid(key, "v"));
	snprintf(key, sizeof(key), "%s@%s", repeated('t', 241), repeated('s', 15));
	ck_assert(!is_valid(key, "v"));
}
END_TEST

START_TEST(there_are_at_most_thirty_two_members)
{
	struct weir_tracestate state;
	char text[512];
	size_t len = 0;

	for (int i = 0; i < 32; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"k%d=%d,", i, i);
	ck_assert(weir_tracestate_parse((weir_str){ text, len }, &state));
	ck_assert_uint_eq(state.n, 32);
	snprintf(text + len, sizeof(text) - len, "one=more");
	ck_assert(!weir_tracestate_parse(weir_str_of(text), &state));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kit/tracestate");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, members_are_as_the_recommendation_says, 0,
			    sizeof(states) / sizeof(*states));
	tcase_add_test(tests, keys_and_values_have_their_lengths);
	tcase_add_test(tests, there_are_at_most_thirty_two_members);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
