/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cut.c: the beginning of a text, and whether JSON begins there.
 *
 * Holds nothing between texts.  Must never leave half a character, half an
 * escape, or JSON that is none.
 */
#include <strings.h>

#include <weir/json.h>

#include "cut.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_mark(weir_str text, size_t i)
{
	return text.len - i >= 3 && !memcmp(text.ptr + i, "\xef\xbb\xbf", 3);
}

size_t json_front(weir_str text)
{
	size_t i = 0;

	while (i < text.len && (is_blank(text.ptr[i]) || is_mark(text, i)))
		i += is_blank(text.ptr[i]) ? 1 : 3;
	return i;
}

static bool is_bracket(int c)
{
	return c == '{' || c == '[';
}

bool begins_as_json(weir_str text)
{
	size_t i = json_front(text);

	return i < text.len && is_bracket(text.ptr[i]);
}

/* --- JSON that is quoted ----------------------------------------------------- */

/* What stands in a JSON string at *i, if that decides: a brace, a bracket, a
 * quote; ' ' for what may be in front of JSON, else 0.  Passes it. */
static int quoted(weir_str text, size_t *i)
{
	static const struct {
		char is, text[6];
		uint8_t len;
	} known[] = {
		{ ' ', " ", 1 }, { ' ', "\\n", 2 }, { ' ', "\\t", 2 },
		{ ' ', "\\r", 2 }, { ' ', "\xef\xbb\xbf", 3 },
		{ ' ', "\\ufeff", 6 }, { ' ', "\\u0020", 6 },
		{ ' ', "\\u0009", 6 }, { ' ', "\\u000a", 6 },
		{ ' ', "\\u000d", 6 },
		{ '{', "{", 1 }, { '{', "\\u007b", 6 },
		{ '[', "[", 1 }, { '[', "\\u005b", 6 },
		{ '"', "\\\"", 2 }, { '"', "\\u0022", 6 },
	};

	for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++)
		if (text.len - *i >= known[k].len &&
		    !strncasecmp(text.ptr + *i, known[k].text, known[k].len)) {
			*i += known[k].len;
			return known[k].is;
		}
	return 0;
}

static int quoted_behind_blanks(weir_str text, size_t *i)
{
	int c;

	do
		c = quoted(text, i);
	while (c == ' ');
	return c;
}

static bool is_string(weir_str text)
{
	struct weir_json json;

	weir_json_open(&json, text);
	return weir_json_next(&json) == WEIR_JSON_STRING &&
		weir_json_next(&json) == WEIR_JSON_END;
}

bool holds_json(weir_str text)
{
	size_t i = json_front(text), from = i + 1;
	int c;

	if (i == text.len)
		return false;
	if (text.ptr[i] != '"')
		return is_bracket(text.ptr[i]);
	c = quoted_behind_blanks(text, &from);
	if (!c)
		return false;
	if (is_string((weir_str){ text.ptr + i, text.len - i }))
		return true;
	if (!is_bracket(c))
		return false;
	while (is_bracket(c))
		c = quoted_behind_blanks(text, &from);
	return c == '"';
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
	size_t front = json_front(text);
	struct cut cut = { .text = { text.ptr + front, text.len - front },
			   .max = front < max ? max - front : 0 };
	struct weir_json json;

	weir_json_open(&json, cut.text);
	while (weir_json_next(&json) > WEIR_JSON_END)
		if (!keep(&cut, &json)) {
			weir_text_add(out, (weir_str){ text.ptr,
					front < max ? front : 0 });
			finish(&cut, &json, out);
			return true;
		}
	return false;
}

void cut_text(weir_str text, size_t max, struct weir_text *out)
{
	if (text.len > max && begins_as_json(text) && cut_json(text, max, out))
		return;
	weir_text_add(out, (weir_str){ text.ptr, cut_utf8(text, max) });
}
