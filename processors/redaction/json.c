/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c: a query in JSON, every scalar of which becomes "?".
 *
 * Holds nothing.  Keys and lists stay, white space between tokens goes.  Only
 * texts that are JSON (RFC 8259) from end to end are touched.  Nesting is
 * counted in a bitmap, not on the stack: senders choose it.
 */
#include "sanitize.h"

#define DEPTH_MAX 10000		/* as the Collector's parser */

struct json {
	const char *p, *end;
	struct weir_text *out;
	size_t depth;
	uint8_t map[DEPTH_MAX / 8 + 1];	/* bit of a depth: an object */
};

static void skip_blanks(struct json *j)
{
	while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' ||
				 *j->p == '\n' || *j->p == '\r'))
		j->p++;
}

static bool take(struct json *j, char c)
{
	if (j->p == j->end || *j->p != c)
		return false;
	j->p++;
	return true;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
		(c >= 'A' && c <= 'F');
}

static bool take_escape(struct json *j)
{
	if (j->p == j->end)
		return false;
	if (*j->p != 'u')
		return *j->p && strchr("\"\\/bfnrt", *j->p++);
	if (j->end - j->p < 5)
		return false;
	for (int i = 1; i <= 4; i++)
		if (!is_hex(j->p[i]))
			return false;
	j->p += 5;
	return true;
}

/* Behind the opening quote, up to and with the closing one. */
static bool take_string(struct json *j)
{
	while (j->p < j->end) {
		unsigned char c = (unsigned char)*j->p++;

		if (c == '"')
			return true;
		if (c < 0x20 || (c == '\\' && !take_escape(j)))
			return false;
	}
	return false;
}

static bool take_digits(struct json *j)
{
	const char *from = j->p;

	while (j->p < j->end && *j->p >= '0' && *j->p <= '9')
		j->p++;
	return j->p > from;
}

static bool take_number(struct json *j)
{
	take(j, '-');
	if (!take(j, '0') && !take_digits(j))
		return false;
	if (take(j, '.') && !take_digits(j))
		return false;
	if (!take(j, 'e') && !take(j, 'E'))
		return true;
	if (!take(j, '+'))
		take(j, '-');
	return take_digits(j);
}

static bool take_word(struct json *j, weir_str word)
{
	if ((size_t)(j->end - j->p) < word.len ||
	    memcmp(j->p, word.ptr, word.len))
		return false;
	j->p += word.len;
	return true;
}

static bool take_scalar(struct json *j)
{
	bool ok = take(j, '"') ? take_string(j) :
		take_word(j, WEIR_STR("true")) ||
		take_word(j, WEIR_STR("false")) ||
		take_word(j, WEIR_STR("null")) || take_number(j);

	weir_text_add(j->out, WEIR_STR("\"?\""));
	return ok;
}

static bool take_key(struct json *j)
{
	const char *from;

	skip_blanks(j);
	from = j->p;
	if (!take(j, '"') || !take_string(j))
		return false;
	weir_text_add(j->out, (weir_str){ from, (size_t)(j->p - from) });
	skip_blanks(j);
	if (!take(j, ':'))
		return false;
	weir_text_add(j->out, WEIR_STR(":"));
	return true;
}

static bool in_object(const struct json *j)
{
	return j->map[j->depth / 8] >> (j->depth % 8) & 1;
}

static void put(struct json *j, char c)
{
	weir_text_add(j->out, (weir_str){ &c, 1 });
}

/* '{' or '['; *open: there is something in it. */
static bool enter(struct json *j, char c, bool *open)
{
	if (j->depth == DEPTH_MAX)
		return false;
	j->p++;
	put(j, c);
	j->depth++;
	j->map[j->depth / 8] &= (uint8_t)~(1u << (j->depth % 8));
	j->map[j->depth / 8] |= (uint8_t)((c == '{') << (j->depth % 8));
	skip_blanks(j);
	*open = j->p == j->end || *j->p != (c == '{' ? '}' : ']');
	return !*open || c == '[' || take_key(j);
}

/* Behind a value: out of what ends here, or on to the next one.  False: the
 * text is no JSON, or *done. */
static bool after_value(struct json *j, bool *done)
{
	const char *from;

	for (; j->depth; j->depth--) {
		char close = in_object(j) ? '}' : ']';

		skip_blanks(j);
		if (take(j, ',')) {
			put(j, ',');
			return close == ']' || take_key(j);
		}
		if (!take(j, close))
			return false;
		put(j, close);
	}
	from = j->p;		/* at the very end blanks stay */
	skip_blanks(j);
	weir_text_add(j->out, (weir_str){ from, (size_t)(j->p - from) });
	*done = j->p == j->end;
	return false;
}

static bool values(struct json *j)
{
	bool done = false, open;

	do {
		skip_blanks(j);
		open = false;
		if (j->p < j->end && (*j->p == '{' || *j->p == '[')) {
			if (!enter(j, *j->p, &open))
				return false;
		} else if (!take_scalar(j)) {
			return false;
		}
	} while (open || after_value(j, &done));
	return done;
}

bool sanitize_json(weir_str text, struct weir_text *out)
{
	struct json j;
	size_t len = out->len;

	j.p = text.ptr;
	j.end = text.len ? text.ptr + text.len : text.ptr;
	j.out = out;
	j.depth = 0;
	if (values(&j))
		return true;
	out->len = len;
	return false;
}
