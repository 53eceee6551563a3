/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ot_tracestate.c: trace states as samplers read and write them.  How the members are read by
 * others is tested with the policy that asks for them.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir/kit/tracestate.h>

#define R56 UINT64_C(0xffffffffffffff)

/* --- Reading ------------------------------------------------------------------ */

/* want: what is written when nothing was changed; "!": it was not valid. */
static const struct {
	const char *why, *in, *want, *rv, *th;
} reads[] = {
	{ "nothing", "", "", "", "" },
	{ "a member of someone else", "a=1", "a=1", "", "" },
	{ "blanks go", " b=2 ,\ta=1 ", "b=2,a=1", "", "" },
	{ "a blank before a value stays", "b= 2", "b= 2", "", "" },
	{ "empty members go", ",a=1,, ,", "a=1", "", "" },
	{ "ours first", "a=1,ot=th:8,b=2", "ot=th:8,a=1,b=2", "", "8" },
	{ "rv, th, then the rest", "ot=x:1;th:8;y:;rv:0123456789abcd",
	  "ot=rv:0123456789abcd;th:8;x:1;y:", "0123456789abcd", "8" },
	{ "letters as they came", "ot=rv:0123456789ABCD;th:C0",
	  "ot=rv:0123456789ABCD;th:C0", "0123456789ABCD", "C0" },
	{ "the last th counts", "ot=th:8;th:c", "ot=th:c", "", "c" },
	{ "the last ot counts", "ot=th:8,a=1,ot=x:1", "ot=x:1,a=1", "", "" },
	{ "keys of others may repeat", "a=1,a=2", "a=1,a=2", "", "" },
	{ "a tenant with a digit", "0t@v=1", "0t@v=1", "", "" },
	{ "an upper-case key", "A=1", "!", "", "" },
	{ "no equals sign", "a", "!", "", "" },
	{ "no value", "a=", "!", "", "" },
	{ "an equals sign in a value", "a=b=c", "!", "", "" },
	{ "a tab in a value", "a=b\tc", "!", "", "" },
	{ "two systems", "a@b@c=1", "!", "", "" },
	{ "one bad member spoils all", "a=1,B=2,ot=th:8", "!", "", "" },
	{ "a bad th; the rest is read", "a=1,ot=th:g;x:1", "!ot=x:1,a=1", "",
	  "" },
	{ "a long th", "ot=th:012345678901234;rv:0123456789abcd",
	  "!ot=rv:0123456789abcd", "0123456789abcd", "" },
	{ "an empty th", "ot=th:", "!", "", "" },
	{ "a short rv", "ot=rv:0123456789abc;th:8", "!ot=th:8", "", "8" },
	{ "a good th before a bad one", "ot=th:8;th:x", "!", "", "" },
	{ "no colon", "ot=th", "!", "", "" },
	{ "a semicolon at the end", "ot=th:8;", "!", "", "" },
	{ "an empty field", "ot=th:8;;x:1", "!", "", "" },
	{ "an upper-case field", "ot=Th:8,a=1", "!a=1", "", "" },
	{ "a field that begins with a digit", "ot=1:8", "!", "", "" },
	{ "a colon in a field", "ot=x:1:2", "!", "", "" },
	{ "a good ot before a bad one", "ot=th:8,ot=th", "!", "", "" },
};

static void expect_text(weir_str got, const char *want)
{
	ck_assert_msg(weir_str_eq(got, weir_str_of(want)),
		      "got \"%.*s\", not \"%s\"", WEIR_STR_FMT(got), want);
}

START_TEST(reads_what_the_samplers_read)
{
	const char *want = reads[_i].want;
	struct weir_ot_tracestate state;
	char out[WEIR_OT_ROOM];

	ck_assert_msg(weir_ot_parse(weir_str_of(reads[_i].in), &state) ==
		      (*want != '!'), "%s", reads[_i].why);
	expect_text((weir_str){ state.rv, state.rv_len }, reads[_i].rv);
	expect_text((weir_str){ state.th, state.th_len }, reads[_i].th);
	expect_text(weir_ot_write(&state, out), want + (*want == '!'));
}
END_TEST

/* --- Limits ------------------------------------------------------------------- */

static weir_str repeat(char *out, const char *text, size_t n)
{
	*out = 0;
	while (n--)
		strcat(out, text);
	return weir_str_of(out);
}

START_TEST(stops_at_31_members)
{
	struct weir_ot_tracestate state;
	char text[256], out[WEIR_OT_ROOM], first[256];

	ck_assert(weir_ot_parse(repeat(text, "a=1,", 31), &state));
	ck_assert(!weir_ot_parse(repeat(text, "a=1,", 32), &state));
	first[0] = 0;
	repeat(first, "a=1,", 31);
	first[31 * 4 - 1] = 0;
	expect_text(weir_ot_write(&state, out), first);
	/* Empty ones count, what is behind the last comma does not. */
	ck_assert(!weir_ot_parse(repeat(text, ",", 32), &state));
	ck_assert(weir_ot_parse(repeat(text, ",", 31), &state));
	strcat(text, "a=1");
	ck_assert(!weir_ot_parse(weir_str_of(text), &state));
}
END_TEST

static const struct {
	const char *why;
	size_t tenant, system;		/* system 0: a simple key */
	size_t value;
	bool good;
} lengths[] = {
	{ "a value of 256", 1, 0, 256, true },
	{ "a value of 257", 1, 0, 257, false },
	{ "a key of 256", 256, 0, 1, true },
	{ "a key of 257", 257, 0, 1, false },
	{ "a tenant of 241, a system of 14", 241, 14, 1, true },
	{ "a tenant of 242", 242, 1, 1, false },
	{ "a system of 15", 1, 15, 1, false },
};

START_TEST(keys_and_values_have_a_length)
{
	struct weir_ot_tracestate state;
	char text[600], *p = text;

	p = memset(p, 'k', lengths[_i].tenant);
	p += lengths[_i].tenant;
	if (lengths[_i].system) {
		*p++ = '@';
		memset(p, 's', lengths[_i].system);
		p += lengths[_i].system;
	}
	*p++ = '=';
	memset(p, 'v', lengths[_i].value);
	p += lengths[_i].value;
	ck_assert_msg(weir_ot_parse((weir_str){ text, (size_t)(p - text) },
				    &state) == lengths[_i].good, "%s",
		      lengths[_i].why);
}
END_TEST

/* A key that is too long is left out, by whoever writes the rest. */
START_TEST(leaves_out_a_key_that_is_too_long)
{
	struct weir_ot_tracestate state;
	char text[400], out[WEIR_OT_ROOM];

	repeat(text, "k", 257);
	strcat(text, "=1,b=2");
	ck_assert(!weir_ot_parse(weir_str_of(text), &state));
	expect_text(weir_ot_write(&state, out), "b=2");
}
END_TEST

/* What is written to the longest text fits in WEIR_OT_ROOM. */
START_TEST(reads_1024_bytes)
{
	struct weir_ot_tracestate state;
	char text[1100], out[WEIR_OT_ROOM];
	weir_str written;

	repeat(text, "a=1,", 3);
	for (int i = 0; i < 4; i++) {
		strcat(text, "b=");
		repeat(text + strlen(text), "v", 250);
		strcat(text, ",");
	}
	text[strlen(text) - 1] = 0;
	while (strlen(text) < WEIR_OT_LENGTH)
		strcat(text, "v");
	ck_assert_msg(weir_ot_parse(weir_str_of(text), &state), "%zu",
		      strlen(text));
	weir_ot_set_randomness(&state, R56);
	weir_ot_raise_threshold(&state, R56);
	written = weir_ot_write(&state, out);
	ck_assert_uint_eq(written.len, WEIR_OT_LENGTH + 3 + 17 + 1 + 17 + 1);
	ck_assert_uint_le(written.len, WEIR_OT_ROOM);
	strcat(text, "v");
	ck_assert(!weir_ot_parse(weir_str_of(text), &state));
	expect_text(weir_ot_write(&state, out), "");
}
END_TEST

/* --- Changing ----------------------------------------------------------------- */

START_TEST(a_threshold_is_never_lowered)
{
	struct weir_ot_tracestate state;
	char out[WEIR_OT_ROOM];

	ck_assert(weir_ot_parse(WEIR_STR("ot=th:C00"), &state));
	ck_assert(!weir_ot_raise_threshold(&state, UINT64_C(1) << 55));
	expect_text(weir_ot_write(&state, out), "ot=th:C00");
	/* An equal one is written anew. */
	ck_assert(weir_ot_raise_threshold(&state, UINT64_C(3) << 54));
	expect_text(weir_ot_write(&state, out), "ot=th:c");
	ck_assert(weir_ot_raise_threshold(&state, R56));
	expect_text(weir_ot_write(&state, out), "ot=th:ffffffffffffff");
	weir_ot_clear_threshold(&state);
	expect_text(weir_ot_write(&state, out), "");
	ck_assert(weir_ot_raise_threshold(&state, WEIR_SAMPLE_ALWAYS));
	expect_text(weir_ot_write(&state, out), "ot=th:0");
}
END_TEST

START_TEST(puts_rv_before_th)
{
	struct weir_ot_tracestate state;
	char out[WEIR_OT_ROOM];

	ck_assert(weir_ot_parse(WEIR_STR("a=1,ot=p:7;th:8"), &state));
	weir_ot_set_randomness(&state, 0xab);
	expect_text(weir_ot_write(&state, out),
		    "ot=rv:000000000000ab;th:8;p:7,a=1");
}
END_TEST

/* --- Numbers ------------------------------------------------------------------ */

static const struct {
	const char *text;
	uint64_t threshold;
	const char *again;	/* NULL: not read */
} thresholds[] = {
	{ "0", 0, "0" }, { "00000000000000", 0, "0" },
	{ "8", UINT64_C(1) << 55, "8" }, { "80", UINT64_C(1) << 55, "8" },
	{ "fF", UINT64_C(0xff) << 48, "ff" },
	{ "00000000000001", 1, "00000000000001" },
	{ "ffffffffffffff", R56, "ffffffffffffff" },
	{ "0000000000000f0", 0, NULL }, { "", 0, NULL }, { "g", 0, NULL },
	{ "@", 0, NULL }, { "`", 0, NULL }, { "-1", 0, NULL },
	{ "+1", 0, NULL }, { " 1", 0, NULL }, { "1_0", 0, NULL },
	{ "0x1", 0, NULL }, { "/", 0, NULL }, { ":", 0, NULL },
};

START_TEST(thresholds_lose_their_zeros_on_the_right)
{
	char out[WEIR_SAMPLING_DIGITS];
	uint64_t value = 0;
	bool good = weir_threshold_read(weir_str_of(thresholds[_i].text),
					&value);

	ck_assert_msg(good == (thresholds[_i].again != NULL), "\"%s\"",
		      thresholds[_i].text);
	if (!good)
		return;
	ck_assert_uint_eq(value, thresholds[_i].threshold);
	expect_text(weir_threshold_text(value, out), thresholds[_i].again);
}
END_TEST

START_TEST(never_has_no_text)
{
	char out[WEIR_SAMPLING_DIGITS];

	expect_text(weir_threshold_text(WEIR_SAMPLE_NEVER, out), "");
}
END_TEST

START_TEST(randomness_has_14_digits)
{
	char out[WEIR_SAMPLING_DIGITS];
	uint64_t value;

	ck_assert(weir_randomness_read(WEIR_STR("00abCDEF012345"), &value));
	ck_assert_uint_eq(value, 0xabcdef012345);
	expect_text(weir_randomness_text(value, out), "00abcdef012345");
	ck_assert(!weir_randomness_read(WEIR_STR("0abcdef012345"), &value));
	ck_assert(!weir_randomness_read(WEIR_STR("000abcdef012345"), &value));
	ck_assert(!weir_randomness_read(WEIR_STR("00abcdeg012345"), &value));
	ck_assert(!weir_randomness_read(WEIR_STR(""), &value));
}
END_TEST

#define EACH(t, rows) tcase_add_loop_test(c, t, 0, \
		(int)(sizeof(rows) / sizeof(*(rows))))

int main(void)
{
	Suite *s = suite_create("kit/tracestate");
	TCase *c = tcase_create("sampling");
	SRunner *r = srunner_create(s);
	int failed;

	EACH(reads_what_the_samplers_read, reads);
	tcase_add_test(c, stops_at_31_members);
	EACH(keys_and_values_have_a_length, lengths);
	tcase_add_test(c, leaves_out_a_key_that_is_too_long);
	tcase_add_test(c, reads_1024_bytes);
	tcase_add_test(c, a_threshold_is_never_lowered);
	tcase_add_test(c, puts_rv_before_th);
	EACH(thresholds_lose_their_zeros_on_the_right, thresholds);
	tcase_add_test(c, never_has_no_text);
	tcase_add_test(c, randomness_has_14_digits);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
