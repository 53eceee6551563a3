/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON scanner against jansson: the same texts are taken and refused, and
 * mean the same.  Random texts, each also with a few bytes changed.
 *
 * Where they may differ, and nowhere else: jansson refuses what is no UTF-8 and
 * half surrogate pairs in strings (here: a question for weir_json_utf8_ok, and
 * U+FFFD), names that hold NUL, and numbers larger than its types; it goes
 * deeper than 200, and swallows a NUL byte behind a word or a number.
 */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir/json.h>
#include <weir/value.h>

#include "../../support/otlp_gen.h"
#include "../../support/seeds.h"

/* --- Random texts ------------------------------------------------------- */

struct maker {
	struct gen gen;
	struct weir_text out;
};

static void put(struct maker *m, const char *text)
{
	weir_text_add(&m->out, weir_str_of(text));
}

static void put_one_of(struct maker *m, const char *const *texts, uint32_t n)
{
	put(m, texts[gen_below(&m->gen, n)]);
}
#define PUT_ONE_OF(m, texts)						\
	put_one_of(m, texts, sizeof(texts) / sizeof((texts)[0]))

static void put_blank(struct maker *m)
{
	static const char *const blanks[] = {
		" ", "\n", "\r\n", "\t", "                    \n    "
	};

	if (gen_one_in(&m->gen, 3))
		PUT_ONE_OF(m, blanks);
}

static void put_number(struct maker *m)
{
	static const char *const odd[] = {
		"0", "-0", "-0.0", "9223372036854775807",
		"-9223372036854775808", "9223372036854775808", "1e22", "1e23",
		"9007199254740993.0", "1.7976931348623157e308", "1.8e308",
		"4.9406564584124654e-324", "2.4703282292062327e-324", "1e-999",
		"123456789012345678901234567890123456789e-40", "0.1e+1", "5E-0",
		"2.2250738585072011e-308", "8.988465674311579e307",
	};
	uint64_t bits = gen_next(&m->gen);
	double real;

	switch (gen_below(&m->gen, 4)) {
	case 0:
		weir_text_addf(&m->out, "%lld", (long long)bits >>
			       gen_below(&m->gen, 64));
		break;
	case 1:
		memcpy(&real, &bits, sizeof(real));
		if (real - real == 0) {
			weir_text_addf(&m->out, "%.*e",
				       (int)gen_below(&m->gen, 25), real);
			break;
		}
		put(m, "1");
		break;
	case 2:
		weir_text_addf(&m->out, "%u.%06u", gen_below(&m->gen, 1000),
			       gen_below(&m->gen, 1000000));
		break;
	default:
		PUT_ONE_OF(m, odd);
		break;
	}
}

static void put_string(struct maker *m)
{
	static const char *const parts[] = {
		"a", "bc", "\\n", "\\\"", "\\\\", "\\/", "\\b\\f\\r\\t", "ü",
		"€", "\xf0\x9f\x90\x9f", "\\u0041", "\\u00fC", "\\u20ac",
		"\\ud83d\\udc1f", "\\ud83d", "\\udc1f\\ud83d", "\\u0000",
		"sixteen bytes...", "seventeen bytes..", "\x7f", "{\\\"a\\\":1}",
		"\xc3", "\xed\xa0\x80", "\xc0\xaf",
	};
	uint32_t n = gen_below(&m->gen, 7);

	put(m, "\"");
	while (n--)
		PUT_ONE_OF(m, parts);
	put(m, "\"");
}

static void put_value(struct maker *m, unsigned depth)
{
	static const char *const words[] = { "true", "false", "null" };
	uint32_t what = gen_below(&m->gen, depth < 6 ? 8 : 4), n;

	put_blank(m);
	if (what < 1) {
		PUT_ONE_OF(m, words);
	} else if (what < 2) {
		put_number(m);
	} else if (what < 4) {
		put_string(m);
	} else {
		bool object = what < 6;

		put(m, object ? "{" : "[");
		put_blank(m);
		for (n = gen_below(&m->gen, 5); n--;) {
			if (object) {
				put_string(m);
				put_blank(m);
				put(m, ":");
			}
			put_value(m, depth + 1);
			if (n) {
				put(m, ",");
				put_blank(m);
			}
		}
		put(m, object ? "}" : "]");
	}
	put_blank(m);
}

/* A byte lost, changed, doubled or put in. */
static void damage(struct maker *m)
{
	static const char bytes[] = "{}[]\",:\\0123456789.-+eEtfnu \n\t\x1f"
				    "\x80\xff/abd";
	size_t i = gen_below(&m->gen, (uint32_t)m->out.len + 1);
	char c = bytes[gen_below(&m->gen, sizeof(bytes) - 1)];

	if (i == m->out.len || gen_one_in(&m->gen, 3)) {
		weir_text_add(&m->out, WEIR_STR(" "));
		memmove(m->out.ptr + i + 1, m->out.ptr + i,
			m->out.len - 1 - i);
		m->out.ptr[i] = c;
	} else if (gen_one_in(&m->gen, 2)) {
		m->out.ptr[i] = c;
	} else {
		memmove(m->out.ptr + i, m->out.ptr + i + 1,
			m->out.len - i - 1);
		m->out.len--;
	}
}

/* --- The scanner's meaning, as jansson's tree --------------------------- */

struct meaning {
	struct weir_json json;
	bool odd;	/* what jansson does not take was seen */
};

static bool half_pair(weir_str raw)
{
	for (size_t i = 0; i + 5 < raw.len; i++) {
		char next[3] = { 0 };

		if (raw.ptr[i] != '\\')
			continue;
		if (raw.ptr[++i] != 'u' || (raw.ptr[i + 1] | 32) != 'd' ||
		    !strchr("89abcdefABCDEF", raw.ptr[i + 2]))
			continue;
		if (i + 10 < raw.len)
			memcpy(next, raw.ptr + i + 5, 2);
		if (strchr("cdefCDEF", raw.ptr[i + 2]) || strcmp(next, "\\u") ||
		    (raw.ptr[i + 7] | 32) != 'd' ||
		    !strchr("cdefCDEF", raw.ptr[i + 8]))
			return true;
		i += 10;
	}
	return false;
}

/* The current KEY or STRING; *len bytes, free it. */
static char *text_of(struct meaning *m, size_t *len)
{
	weir_str raw = m->json.text;
	char *out = malloc(3 * raw.len + 1);

	ck_assert_int_eq(m->json.escaped,
			 raw.len && memchr(raw.ptr, '\\', raw.len) != NULL);
	m->odd |= !weir_json_utf8_ok(raw) || half_pair(raw);
	*len = weir_json_unescape_utf8(raw, out);
	ck_assert(weir_json_utf8_ok((weir_str){ out, *len }));
	return out;
}

static json_t *number_of(struct meaning *m)
{
	weir_str text = m->json.text;
	int64_t integer;
	double real;

	for (size_t i = 0; i < text.len; i++) {
		if (!strchr(".eE", text.ptr[i]))
			continue;
		if (weir_json_double(text, &real))
			return json_real(real);
		m->odd = true;
		return json_null();
	}
	if (weir_json_int64(text, &integer))
		return json_integer(integer);
	m->odd = true;
	return json_null();
}

static json_t *value_of(struct meaning *m);

static json_t *container_of(struct meaning *m)
{
	bool object = m->json.token == WEIR_JSON_OBJECT;
	json_t *all = object ? json_object() : json_array();

	for (;;) {
		enum weir_json_token token = weir_json_next(&m->json);
		json_t *value;
		size_t len = 0;
		char *key = NULL;

		if (token == WEIR_JSON_OBJECT_END ||
		    token == WEIR_JSON_ARRAY_END)
			return all;
		if (token == WEIR_JSON_KEY) {
			key = text_of(m, &len);
			m->odd |= memchr(key, 0, len) != NULL;
			weir_json_next(&m->json);
		}
		value = value_of(m);
		if (!value) {
			free(key);
			json_decref(all);
			return NULL;
		}
		if (object)
			json_object_setn_new_nocheck(all, key, len, value);
		else
			json_array_append_new(all, value);
		free(key);
	}
}

/* NULL: the scanner refused. */
static json_t *value_of(struct meaning *m)
{
	json_t *string;
	size_t len;
	char *text;

	switch (m->json.token) {
	case WEIR_JSON_OBJECT:
	case WEIR_JSON_ARRAY:
		return container_of(m);
	case WEIR_JSON_STRING:
		text = text_of(m, &len);
		string = json_stringn_nocheck(text, len);
		free(text);
		return string;
	case WEIR_JSON_NUMBER:
		return number_of(m);
	case WEIR_JSON_TRUE:
		return json_true();
	case WEIR_JSON_FALSE:
		return json_false();
	case WEIR_JSON_NULL:
		return json_null();
	default:
		return NULL;
	}
}

static json_t *meaning_of(weir_str text, bool *odd)
{
	struct meaning m = { .odd = false };
	json_t *value;

	weir_json_open(&m.json, text);
	weir_json_next(&m.json);
	value = value_of(&m);
	if (value && weir_json_next(&m.json) != WEIR_JSON_END) {
		json_decref(value);
		value = NULL;
	}
	if (!value) {
		ck_assert_int_eq(m.json.token, WEIR_JSON_ERROR);
		ck_assert_ptr_nonnull(m.json.why);
		ck_assert_uint_le(m.json.start, text.len);
		ck_assert_int_eq(weir_json_next(&m.json), WEIR_JSON_ERROR);
	}
	*odd = m.odd;
	return value;
}

/* Skipping the whole text finds the same faults. */
static bool skips(weir_str text)
{
	struct weir_json json;

	weir_json_open(&json, text);
	weir_json_next(&json);
	return weir_json_skip(&json) && weir_json_next(&json) == WEIR_JSON_END;
}

static bool compare(const struct maker *m, uint64_t seed)
{
	char *exact = malloc(m->out.len + !m->out.len);
	weir_str text = { exact, m->out.len };	/* ASan sees its end */
	json_error_t error;
	json_t *want, *got;
	bool odd, taken;

	memcpy(exact, m->out.ptr, text.len);
	want = json_loadb(exact, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL,
			  &error);
	got = meaning_of(text, &odd);
	taken = got != NULL;
	ck_assert_msg(skips(text) == taken, "seed %llu: skipping %.*s",
		      (unsigned long long)seed, (int)text.len, text.ptr);
	ck_assert_msg(!want || got, "seed %llu: refused %.*s",
		      (unsigned long long)seed, (int)text.len, text.ptr);
	ck_assert_msg(!got || want || odd, "seed %llu: took %.*s (%s)",
		      (unsigned long long)seed, (int)text.len, text.ptr,
		      error.text);
	ck_assert_msg(!got || !want || odd || json_equal(got, want),
		      "seed %llu: another meaning of %.*s",
		      (unsigned long long)seed, (int)text.len, text.ptr);
	/* What is odd for jansson was refused by it. */
	ck_assert_msg(!got || !want || !odd, "seed %llu: not odd: %.*s",
		      (unsigned long long)seed, (int)text.len, text.ptr);
	json_decref(want);
	json_decref(got);
	free(exact);
	return taken;
}

#define SEEDS SEEDS_OF(10000)
#define DAMAGED 4

START_TEST(takes_and_refuses_what_jansson_does_and_means_the_same)
{
	size_t taken = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct maker m = { { seed }, { 0 } };

		put_value(&m, 0);
		ck_assert(compare(&m, seed));
		for (int i = 0; i < DAMAGED; i++) {
			damage(&m);
			taken += compare(&m, seed);
		}
		weir_text_release(&m.out);
	}
	/* Damage is damage, mostly, and not always. */
	ck_assert_uint_gt(taken, SEEDS / 10);
	ck_assert_uint_lt(taken, DAMAGED * SEEDS * 9 / 10);
}
END_TEST

START_TEST(no_prefix_of_a_container_is_a_text)
{
	for (uint64_t seed = 0; seed < SEEDS / 20; seed++) {
		struct maker m = { { seed }, { 0 } };
		size_t end;

		put(&m, "[");
		put_value(&m, 0);
		put(&m, "]");
		end = m.out.len;
		for (m.out.len = 0; m.out.len < end; m.out.len++)
			ck_assert(!compare(&m, seed));
		weir_text_release(&m.out);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core/json_oracle");
	TCase *tc = tcase_create("json_oracle");
	SRunner *runner = srunner_create(suite);
	int failed;

	json_object_seed(1);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc,
		       takes_and_refuses_what_jansson_does_and_means_the_same);
	tcase_add_test(tc, no_prefix_of_a_container_is_a_text);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
