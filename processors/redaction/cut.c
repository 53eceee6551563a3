/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cut.c: the beginning of a text.
 *
 * Holds nothing between texts.  Must never leave half a character, half an
 * escape, or JSON that is none.
 */
#include <weir/json.h>

#include "cut.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool begins_as_json(weir_str text)
{
	size_t i = 0;

	while (i < text.len && is_blank(text.ptr[i]))
		i++;
	return i < text.len && (text.ptr[i] == '{' || text.ptr[i] == '[');
}

static bool is_continuation(char c)
{
	return ((uint8_t)c & 0xc0) == 0x80;
}

size_t cut_utf8(weir_str text, size_t max)
{
	size_t n = max;

	if (text.len <= max)
		return text.len;
	while (n && is_continuation(text.ptr[n]))
		n--;
	return n;
}

/* --- Inside a JSON string --------------------------------------------------- */

/* \ud800 to \udbff: the first half of a pair. */
static bool is_high_half(weir_str text, size_t i)
{
	const char *p = text.ptr + i;

	return text.len - i >= 4 && p[1] == 'u' && (p[2] | 0x20) == 'd' &&
		(p[3] == '8' || p[3] == '9' || (p[3] | 0x20) == 'a' ||
		 (p[3] | 0x20) == 'b');
}

/* The bytes of what stands at i: an escape, a pair of them, a character. */
static size_t unit(weir_str text, size_t i)
{
	size_t n = 1;

	if (text.ptr[i] == '\\') {
		n = text.ptr[i + 1] == 'u' ? 6 : 2;
		if (is_high_half(text, i) && text.len - i >= 12 &&
		    text.ptr[i + 6] == '\\' && text.ptr[i + 7] == 'u')
			n = 12;
		return n;
	}
	while (i + n < text.len && is_continuation(text.ptr[i + n]))
		n++;
	return n;
}

static size_t cut_escaped(weir_str text, size_t max)
{
	size_t at = 0;

	while (at < text.len) {
		size_t n = unit(text, at);

		if (n > max - at)
			break;
		at += n;
	}
	return at;
}

/* --- JSON -------------------------------------------------------------------- */

struct cut {
	weir_str text;
	size_t max, end;	/* before `end` all is kept */
	uint32_t depth;		/* containers open there */
	char close[WEIR_JSON_DEPTH];
};

static bool fits(const struct cut *cut, size_t end, uint32_t depth)
{
	return end <= cut->max && depth <= cut->max - end;
}

/* Takes a token in; false: there is no room for it. */
static bool keep(struct cut *cut, const struct weir_json *json)
{
	switch (json->token) {
	case WEIR_JSON_KEY:	/* only with what follows */
		return true;
	case WEIR_JSON_OBJECT:
	case WEIR_JSON_ARRAY:
		if (!fits(cut, json->end, json->depth))
			return false;
		cut->close[cut->depth++] =
			json->token == WEIR_JSON_OBJECT ? '}' : ']';
		break;
	case WEIR_JSON_OBJECT_END:
	case WEIR_JSON_ARRAY_END:
		if (!fits(cut, json->end, json->depth))
			return false;
		cut->depth--;
		break;
	default:
		if (!fits(cut, json->end, json->depth))
			return false;
	}
	cut->end = json->end;
	return true;
}

static void finish(const struct cut *cut, const struct weir_json *json,
		   struct weir_text *out)
{
	size_t start = json->start, end = start + 2;

	if (json->token == WEIR_JSON_STRING && fits(cut, end, cut->depth)) {
		size_t room = cut->max - end - cut->depth;

		weir_text_add(out, (weir_str){ cut->text.ptr, start + 1 });
		weir_text_add(out, (weir_str){ json->text.ptr,
				cut_escaped(json->text, room) });
		weir_text_add(out, WEIR_STR("\""));
	} else {
		weir_text_add(out, (weir_str){ cut->text.ptr, cut->end });
	}
	for (uint32_t i = cut->depth; i; i--)
		weir_text_add(out, (weir_str){ &cut->close[i - 1], 1 });
}

/* False: no JSON up to there. */
static bool cut_json(weir_str text, size_t max, struct weir_text *out)
{
	struct cut cut = { .text = text, .max = max };
	struct weir_json json;

	weir_json_open(&json, text);
	while (weir_json_next(&json) > WEIR_JSON_END)
		if (!keep(&cut, &json)) {
			finish(&cut, &json, out);
			return true;
		}
	return false;
}

void cut_text(weir_str text, size_t max, struct weir_text *out)
{
	if (begins_as_json(text) && cut_json(text, max, out))
		return;
	weir_text_add(out, (weir_str){ text.ptr, cut_utf8(text, max) });
}
