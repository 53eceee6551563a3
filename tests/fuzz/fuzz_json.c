/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_json: the JSON scanner on any bytes.
 *
 * Tokens come in order, inside the text, and say what stands there; skipping
 * and scanning agree; strings shrink and come out as UTF-8 when asked to; what
 * was taken is taken again when blanks are put around every token.
 */
#include <stdlib.h>
#include <string.h>
#include <weir/json.h>
#include <weir/value.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool yes)
{
	if (!yes)
		abort();
}

static void check_string(const struct weir_json *json)
{
	weir_str text = json->text;
	char *out = malloc(text.len + 1), *most = malloc(3 * text.len + 1);
	size_t n = weir_json_unescape(text, out);

	need(n <= text.len);
	need(json->escaped || n == text.len);
	need(json->escaped == (weir_json_plain(text) < text.len));
	n = weir_json_unescape_utf8(text, most);
	need(n <= 3 * text.len);
	need(weir_json_utf8_ok((weir_str){ most, n }));
	free(out);
	free(most);
}

static void check_number(weir_str text)
{
	int64_t i;
	uint64_t u;
	double d = 0;
	bool is_double = weir_json_double(text, &d);

	if (weir_json_int64(text, &i))
		need(is_double && d == (double)i);
	if (weir_json_uint64(text, &u))
		need(is_double && d == (double)u);
}

/* The text's tokens with blanks around them; false: refused. */
static bool scan(weir_str text, struct weir_text *spaced)
{
	struct weir_json json;
	size_t end = 0;

	weir_json_open(&json, text);
	while (weir_json_next(&json) > WEIR_JSON_END) {
		need(json.start >= end && json.end > json.start);
		need(json.end <= text.len && json.depth <= WEIR_JSON_DEPTH);
		/* what is between tokens: commas, colons, blanks */
		weir_text_add(spaced, (weir_str){ text.ptr + end,
						  json.start - end });
		weir_text_add(spaced, WEIR_STR(" "));
		weir_text_add(spaced, (weir_str){ text.ptr + json.start,
						  json.end - json.start });
		weir_text_add(spaced, WEIR_STR("\n"));
		end = json.end;
		if (json.token == WEIR_JSON_KEY ||
		    json.token == WEIR_JSON_STRING)
			check_string(&json);
		if (json.token == WEIR_JSON_NUMBER)
			check_number(json.text);
	}
	need(json.start <= text.len);
	need((json.token == WEIR_JSON_ERROR) == (json.why != NULL));
	return json.token == WEIR_JSON_END;
}

static bool skip(weir_str text)
{
	struct weir_json json;

	weir_json_open(&json, text);
	weir_json_next(&json);
	return weir_json_skip(&json) && weir_json_next(&json) == WEIR_JSON_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weir_text spaced = { 0 }, again = { 0 };
	weir_str text = { (const char *)data, size };
	bool good = scan(text, &spaced);

	need(skip(text) == good);
	if (good)
		need(scan((weir_str){ spaced.ptr, spaced.len }, &again));
	weir_text_release(&spaced);
	weir_text_release(&again);
	return 0;
}
