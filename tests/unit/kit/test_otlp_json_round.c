/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP/JSON there and back: random requests are written, spelled anew in every
 * way that readers must take, and read.  The result is the request, as
 * protobuf-c sees it.
 */
#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir/json.h>
#include <weir/kit/otlp_json.h>

#include "../../support/otlp_same.h"
#include "../../support/seeds.h"

/* The writer asks a batch for these two things only: stand-ins. */
struct weir_batch {
	enum weir_signal signal;
	struct weir_slice slice;
};

enum weir_signal weir_batch_signal(const struct weir_batch *batch)
{
	return batch->signal;
}

const struct weir_slice *weir_batch_slices(const struct weir_batch *batch,
					   size_t *n)
{
	*n = 1;
	return &batch->slice;
}

static struct weir_text written(enum weir_signal signal,
				const struct otlp_bytes *bytes)
{
	struct weir_batch batch = { signal, { bytes->ptr, bytes->len } };
	struct weir_text out = { 0 };

	weir_otlp_json_write(&batch, &out);
	return out;
}

static void says_the_same(enum weir_signal signal,
			  const struct otlp_bytes *bytes,
			  const struct weir_text *text, uint64_t seed)
{
	struct otlp_bytes want = otlp_json_form(signal, bytes->ptr, bytes->len);
	struct weir_outcome refused = { 0 };
	struct weir_payload *payload;
	struct otlp_bytes got;
	size_t len = 0;
	uint8_t *exact = malloc(text->len);	/* so that ASan sees its end */

	memcpy(exact, text->ptr, text->len);
	payload = weir_otlp_json_read(NULL, signal, exact, text->len, 1 << 24,
				      &len, &refused);
	ck_assert_msg(payload != NULL, "seed %llu: %s in %.*s",
		      (unsigned long long)seed, refused.text, (int)text->len,
		      text->ptr);
	got = otlp_json_form(signal, weir_payload_bytes(payload), len);
	ck_assert_msg(got.ptr && got.len == want.len &&
		      !memcmp(got.ptr, want.ptr, got.len),
		      "seed %llu: another request from %.*s",
		      (unsigned long long)seed, (int)text->len, text->ptr);
	weir_payload_free(&payload);
	free(exact);
	otlp_bytes_free(&want);
	otlp_bytes_free(&got);
}

#define SEEDS SEEDS_OF(2000)

START_TEST(what_was_written_is_read)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct otlp_bytes bytes = otlp_gen((enum weir_signal)_i, seed,
			&(struct gen_options){ 0 });
		struct weir_text text = written((enum weir_signal)_i, &bytes);

		says_the_same((enum weir_signal)_i, &bytes, &text, seed);
		weir_text_release(&text);
		otlp_bytes_free(&bytes);
	}
}
END_TEST

/* --- Other spellings ---------------------------------------------------- */

struct speller {
	struct gen gen;
	const char *source;
	struct weir_text out;
};

static void put(struct speller *s, const char *text)
{
	weir_text_add(&s->out, weir_str_of(text));
}

static void put_blank(struct speller *s)
{
	static const char *const blanks[] = {
		" ", "\n", "\t\t", "\r\n", "                        "
	};

	if (gen_one_in(&s->gen, 4))
		put(s, blanks[gen_below(&s->gen, 5)]);
}

static bool is_one_of(weir_str name, const char *const *names)
{
	for (; *names; names++)
		if (weir_str_eq(name, weir_str_of(*names)))
			return true;
	return false;
}

/* A character of a string as \u, sometimes; escapes stay. */
static void put_string(struct speller *s, weir_str text)
{
	put(s, "\"");
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c == '\\') {
			size_t n = text.ptr[i + 1] == 'u' ? 6 : 2;

			weir_text_add(&s->out, (weir_str){ text.ptr + i, n });
			i += n - 1;
		} else if (c < 0x80 && gen_one_in(&s->gen, 8)) {
			weir_text_addf(&s->out, c == '/' ? "\\/" :
				       gen_one_in(&s->gen, 2) ? "\\u%04x" :
				       "\\u%04X", c);
		} else {
			weir_text_add(&s->out, (weir_str){ text.ptr + i, 1 });
		}
	}
	put(s, "\"");
}

static void put_key(struct speller *s, weir_str key)
{
	char snake[128];
	size_t n = 0;

	if (gen_one_in(&s->gen, 2)) {
		for (size_t i = 0; i < key.len; i++) {
			if (isupper((unsigned char)key.ptr[i]))
				snake[n++] = '_';
			snake[n++] = (char)tolower((unsigned char)key.ptr[i]);
		}
		key = (weir_str){ snake, n };
	}
	put_blank(s);
	if (gen_one_in(&s->gen, 16))
		put_string(s, key);
	else
		weir_text_addf(&s->out, "\"%.*s\"", WEIR_STR_FMT(key));
	put_blank(s);
	put(s, ":");
}

/* --- Scalars ------------------------------------------------------------ */

static const char *const numbers[] = {	/* written as number or string */
	"timeUnixNano", "observedTimeUnixNano", "startTimeUnixNano",
	"endTimeUnixNano", "count", "zeroCount", "bucketCounts", "intValue",
	"asInt", "droppedAttributesCount", "droppedEventsCount",
	"droppedLinksCount", "flags", "scale", "offset", "doubleValue",
	"asDouble", "explicitBounds", "sum", "min", "max", "zeroThreshold",
	"quantile", "value", NULL
};
static const char *const ids[] = {
	"traceId", "spanId", "parentSpanId", NULL
};

struct name { const char *key, *number, *text; };
static const struct name names[] = {
	{ "kind", "1", "SPAN_KIND_INTERNAL" },
	{ "kind", "5", "SPAN_KIND_CONSUMER" },
	{ "code", "1", "STATUS_CODE_OK" },
	{ "code", "2", "STATUS_CODE_ERROR" },
	{ "aggregationTemporality", "1", "AGGREGATION_TEMPORALITY_DELTA" },
	{ "aggregationTemporality", "2", "AGGREGATION_TEMPORALITY_CUMULATIVE" },
	{ "severityNumber", "1", "SEVERITY_NUMBER_TRACE" },
	{ "severityNumber", "9", "SEVERITY_NUMBER_INFO" },
	{ "severityNumber", "24", "SEVERITY_NUMBER_FATAL4" },
};

static bool put_name(struct speller *s, weir_str key, weir_str number)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!weir_str_eq(key, weir_str_of(names[i].key)) ||
		    !weir_str_eq(number, weir_str_of(names[i].number)))
			continue;
		weir_text_addf(&s->out, "\"%s\"", names[i].text);
		return true;
	}
	return false;
}

static void put_id(struct speller *s, weir_str id)
{
	put(s, "\"");
	for (size_t i = 0; i < id.len; i++)
		weir_text_addf(&s->out, "%c", gen_one_in(&s->gen, 2) ?
			       toupper((unsigned char)id.ptr[i]) : id.ptr[i]);
	put(s, "\"");
}

/* json stands on a scalar that is the value of key, or in its list. */
static void put_scalar(struct speller *s, weir_str key,
		       const struct weir_json *json)
{
	bool quoted = json->token == WEIR_JSON_STRING;
	bool number = is_one_of(key, numbers);
	weir_str text = json->text;

	if (quoted && is_one_of(key, ids)) {
		put_id(s, text);
	} else if (number && (!quoted || isdigit((unsigned char)
						 text.ptr[text.len - 1]))) {
		quoted = gen_one_in(&s->gen, 2);
		weir_text_addf(&s->out, quoted ? "\"%.*s\"" : "%.*s",
			       WEIR_STR_FMT(text));
	} else if (quoted) {
		put_string(s, text);
	} else if (!gen_one_in(&s->gen, 2) || !put_name(s, key, text)) {
		weir_text_add(&s->out, text);
	}
}

/* --- Containers --------------------------------------------------------- */

static void put_value(struct speller *s, weir_str key, struct weir_json *json);

/* What nobody knows, and what is overruled later. */
static void put_stranger(struct speller *s, weir_str next_key)
{
	static const char *const strangers[] = {
		"\"\":1,", "\"x\":{\"a\":[1,{\"spans\":[]},null]},",
		"\"Name\":{},", "\"start_timeUnixNano\":true,",
		"\"stringValue2\":\"\\ud800\",", "\"deep\":[[[[[[[[]]]]]]]],",
		"\"attribute\":1e999,",
	};

	if (gen_one_in(&s->gen, 6))
		put(s, strangers[gen_below(&s->gen, 7)]);
	if (gen_one_in(&s->gen, 4) && weir_str_eq(next_key, WEIR_STR("name")))
		put(s, "\"name\":\"overruled\",");
}

static void put_object(struct speller *s, struct weir_json *json)
{
	weir_str key[32], value[32];
	size_t n = 0;

	while (weir_json_next(json) == WEIR_JSON_KEY) {
		key[n] = json->text;
		ck_assert(weir_json_skip(json) && n < 32);
		value[n++] = (weir_str){ s->source + json->start,
					 json->end - json->start };
	}
	put(s, "{");
	for (size_t left = n; left; left--) {
		size_t i = gen_one_in(&s->gen, 2) ? 0 :
			   gen_below(&s->gen, (uint32_t)left);
		struct weir_json inner;

		put_stranger(s, key[i]);
		put_key(s, key[i]);
		weir_json_open(&inner, value[i]);
		weir_json_next(&inner);
		s->source = value[i].ptr;
		put_value(s, key[i], &inner);
		if (left > 1)
			put(s, ",");
		memmove(key + i, key + i + 1, (left - i - 1) * sizeof(*key));
		memmove(value + i, value + i + 1,
			(left - i - 1) * sizeof(*value));
	}
	put_blank(s);
	put(s, "}");
}

static void put_value(struct speller *s, weir_str key, struct weir_json *json)
{
	const char *source = s->source;
	bool any = false;

	put_blank(s);
	if (json->token == WEIR_JSON_OBJECT) {
		put_object(s, json);
	} else if (json->token == WEIR_JSON_ARRAY) {
		put(s, "[");
		while (weir_json_next(json) != WEIR_JSON_ARRAY_END) {
			if (any)
				put(s, ",");
			any = true;
			s->source = source;
			put_value(s, key, json);
		}
		put(s, "]");
	} else {
		put_scalar(s, key, json);
	}
	s->source = source;
	put_blank(s);
}

START_TEST(every_spelling_says_the_same)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct otlp_bytes bytes = otlp_gen((enum weir_signal)_i, seed,
			&(struct gen_options){ 0 });
		struct weir_text text = written((enum weir_signal)_i, &bytes);
		struct speller s = { { seed }, text.ptr, { 0 } };
		struct weir_json json;

		weir_json_open(&json, (weir_str){ text.ptr, text.len });
		weir_json_next(&json);
		put_value(&s, WEIR_STR(""), &json);
		says_the_same((enum weir_signal)_i, &bytes, &s.out, seed);
		weir_text_release(&s.out);
		weir_text_release(&text);
		otlp_bytes_free(&bytes);
	}
}
END_TEST

/* --- What is not whole -------------------------------------------------- */

START_TEST(every_prefix_is_refused)
{
	struct otlp_bytes bytes = otlp_gen((enum weir_signal)_i, 7,
					   &(struct gen_options){ 3, false });
	struct weir_text text = written((enum weir_signal)_i, &bytes);
	size_t step = text.len > 20000 ? 7 : 1, out;

	for (size_t n = 0; n < text.len; n += step) {
		struct weir_outcome refused = { 0 };
		uint8_t *exact = malloc(n ? n : 1);

		memcpy(exact, text.ptr, n);
		ck_assert_msg(!weir_otlp_json_read(NULL, (enum weir_signal)_i,
			exact, n, 1 << 24, &out, &refused), "%zu bytes", n);
		ck_assert_int_eq(refused.status, WEIR_INVALID_ARGUMENT);
		ck_assert_int_eq(refused.reason, WEIR_REASON_MALFORMED);
		free(exact);
	}
	weir_text_release(&text);
	otlp_bytes_free(&bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kit/otlp_json_round");
	TCase *tc = tcase_create("otlp_json_round");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, what_was_written_is_read, 0, WEIR_SIGNAL_COUNT);
	tcase_add_loop_test(tc, every_spelling_says_the_same, 0,
			    WEIR_SIGNAL_COUNT);
	tcase_add_loop_test(tc, every_prefix_is_refused, 0, WEIR_SIGNAL_COUNT);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
