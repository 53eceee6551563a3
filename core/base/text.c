/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c: growing text, and the string forms of values.
 *
 * The forms are those of the Collector: what a `convert` to string, a pattern
 * over any type and a label see.  Holds nothing between calls; out of memory
 * aborts (str.h).
 */
#include <weir/value.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "budget.h"
#include "str.h"
#include "utf8.h"

/* false: it is charged, and the budget says no. */
static bool text_grow(struct weir_text *text, size_t more)
{
	size_t cap = text->cap ? text->cap : 64;

	if (text->refused)
		return false;
	while (cap - text->len < more)
		cap *= 2;
	if (text->charged &&
	    !budget_charge(cap - text->cap, text->forced)) {
		text->refused = true;
		return false;
	}
	text->ptr = xrealloc(text->ptr, cap);
	text->cap = cap;
	return true;
}

/* NULL: refused, also what would still fit: it would stand behind a gap. */
static char *text_room(struct weir_text *text, size_t more)
{
	if ((text->refused || more > text->cap - text->len) &&
	    !text_grow(text, more))
		return NULL;
	return text->ptr + text->len;
}

void weir_text_add(struct weir_text *text, weir_str more)
{
	char *out = more.len ? text_room(text, more.len) : NULL;

	if (!out)
		return;
	memcpy(out, more.ptr, more.len);
	text->len += more.len;
}

void weir_text_addf(struct weir_text *text, const char *format, ...)
{
	va_list args;
	char *out;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	out = len > 0 ? text_room(text, (size_t)len + 1) : NULL;
	if (!out)
		return;
	va_start(args, format);
	vsnprintf(out, (size_t)len + 1, format, args);
	va_end(args);
	text->len += (size_t)len;
}

void weir_text_cut(struct weir_text *text, size_t len)
{
	text->len = len;
	text->refused = false;
}

void weir_text_clear(struct weir_text *text)
{
	weir_text_cut(text, 0);
}

void weir_text_release(struct weir_text *text)
{
	free(text->ptr);
	if (text->charged)
		budget_return(text->cap);
	*text = (struct weir_text){ .charged = text->charged,
					.forced = text->forced };
}

/* --- Doubles ---------------------------------------------------------------- */

/* Significant digits without trailing zeros; value = 0.DIGITS * 10^point. */
struct digits {
	char ch[20];
	int n, point;
};

static double digits_value(const struct digits *d)
{
	char text[40];

	snprintf(text, sizeof(text), "0.%.*se%d", d->n, d->ch, d->point);
	return strtod(text, NULL);
}

/* value > 0, rounded to n digits. */
static void digits_round(struct digits *d, double value, int n)
{
	char text[40];

	snprintf(text, sizeof(text), "%.*e", n - 1, value);
	d->ch[0] = text[0];
	if (n > 1)
		memcpy(d->ch + 1, text + 2, (size_t)n - 1);
	d->point = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
	d->n = n;
	while (d->n > 1 && d->ch[d->n - 1] == '0')
		d->n--;
}

/* At a power of two the gap below is half the gap above: the nearest decimal
 * of 16 digits may be outside below when the next one up is inside. */
static bool digits_up(struct digits *d, double value)
{
	if (d->n != 16 || d->ch[15] == '9')
		return false;
	d->ch[15]++;
	return digits_value(d) == value;
}

/* The fewest digits that read back as value (> 0).  A normal double with a
 * form of 15 digits or fewer has it as its rounding to 15. */
static void digits_shortest(struct digits *d, double value)
{
	int n = value < 0x1p-1022 ? 1 : 15;

	for (; n < 17; n++) {
		digits_round(d, value, n);
		if (digits_value(d) == value)
			return;
		if (n == 16 && digits_up(d, value))
			return;
	}
	digits_round(d, value, 17);
}

static void add_zeros(struct weir_text *text, int n)
{
	while (n-- > 0)
		weir_text_add(text, WEIR_STR("0"));
}

static void add_exponent_form(struct weir_text *text, const struct digits *d)
{
	weir_text_add(text, (weir_str){ d->ch, 1 });
	if (d->n > 1) {
		weir_text_add(text, WEIR_STR("."));
		weir_text_add(text,
			      (weir_str){ d->ch + 1, (size_t)d->n - 1 });
	}
	weir_text_addf(text, "e%+d", d->point - 1);
}

static void add_plain_form(struct weir_text *text, const struct digits *d)
{
	int whole = d->point < 0 ? 0 : d->point > d->n ? d->n : d->point;

	if (d->point <= 0)
		weir_text_add(text, WEIR_STR("0"));
	weir_text_add(text, (weir_str){ d->ch, (size_t)whole });
	add_zeros(text, d->point - d->n);
	if (whole == d->n)
		return;
	weir_text_add(text, WEIR_STR("."));
	add_zeros(text, -d->point);
	weir_text_add(text, (weir_str){ d->ch + whole,
					(size_t)(d->n - whole) });
}

void weir_text_add_double(struct weir_text *text, double value)
{
	struct digits d;
	double size = fabs(value);

	if (isnan(value)) {
		weir_text_add(text, WEIR_STR("NaN"));
		return;
	}
	if (signbit(value))
		weir_text_add(text, WEIR_STR("-"));
	if (isinf(value)) {
		weir_text_add(text, WEIR_STR("Infinity"));
	} else if (size == 0) {
		weir_text_add(text, WEIR_STR("0"));
	} else {
		digits_shortest(&d, size);
		if (size < 1e-6 || size >= 1e21)
			add_exponent_form(text, &d);
		else
			add_plain_form(text, &d);
	}
}

/* --- Encodings ---------------------------------------------------------------- */

void weir_text_add_base64(struct weir_text *text, weir_str bytes)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = (const uint8_t *)bytes.ptr;
	size_t left = bytes.len;
	char *out = text_room(text, (left / 3 + 1) * 4);

	if (!out)
		return;
	for (; left >= 3; left -= 3, p += 3) {
		*out++ = set[p[0] >> 2];
		*out++ = set[(p[0] & 3) << 4 | p[1] >> 4];
		*out++ = set[(p[1] & 15) << 2 | p[2] >> 6];
		*out++ = set[p[2] & 63];
	}
	if (left) {
		unsigned second = left == 2 ? p[1] : 0;

		*out++ = set[p[0] >> 2];
		*out++ = set[(p[0] & 3) << 4 | second >> 4];
		*out++ = left == 2 ? set[(second & 15) << 2] : '=';
		*out++ = '=';
	}
	text->len = (size_t)(out - text->ptr);
}

void weir_text_add_hex(struct weir_text *text, weir_str bytes)
{
	static const char set[] = "0123456789abcdef";
	char *out = text_room(text, bytes.len * 2);

	if (!out)
		return;
	for (size_t i = 0; i < bytes.len; i++) {
		*out++ = set[(uint8_t)bytes.ptr[i] >> 4];
		*out++ = set[(uint8_t)bytes.ptr[i] & 15];
	}
	text->len += bytes.len * 2;
}

void weir_text_add_utf8(struct weir_text *text, weir_str bytes)
{
	const uint8_t *p = (const uint8_t *)bytes.ptr, *end = p + bytes.len;
	size_t n, bad;

	for (; bytes.len && p < end; p += n ? n : bad) {
		n = utf8_character(p, end, &bad);
		weir_text_add(text, n ? (weir_str){ (const char *)p, n } :
					WEIR_STR("\xef\xbf\xbd"));
	}
}

static void add_json_escape(struct weir_text *text, uint8_t ch)
{
	static const char named[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	const char *at = ch ? strchr(named, ch) : NULL;

	if (at)
		weir_text_addf(text, "\\%c", letter[at - named]);
	else
		weir_text_addf(text, "\\u%04x", ch);
}

void weir_text_add_json(struct weir_text *text, weir_str utf8)
{
	size_t from = 0;

	for (size_t i = 0; i < utf8.len; i++) {
		uint8_t ch = (uint8_t)utf8.ptr[i];

		if (ch >= 0x20 && ch != '"' && ch != '\\')
			continue;
		weir_text_add(text, (weir_str){ utf8.ptr + from, i - from });
		add_json_escape(text, ch);
		from = i + 1;
	}
	if (from < utf8.len)
		weir_text_add(text, (weir_str){ utf8.ptr + from,
						utf8.len - from });
}

/* --- The canonical string form -------------------------------------------------- */

static void add_value_json(struct weir_text *text,
			   const struct weir_value *value);

/* U+2028 and U+2029 (e2 80 a8, e2 80 a9) are escaped, as the Collector's JSON
 * of a value does, and its JSON of a message does not. */
static void add_quoted(struct weir_text *text, weir_str utf8)
{
	const char *p = utf8.ptr, *end = utf8.len ? p + utf8.len : p, *at = p;

	weir_text_add(text, WEIR_STR("\""));
	while (at < end && (at = memchr(at, 0xe2, (size_t)(end - at)))) {
		if (end - at < 3 || (uint8_t)at[1] != 0x80 ||
		    ((uint8_t)at[2] & 0xfe) != 0xa8) {
			at++;
			continue;
		}
		weir_text_add_json(text, (weir_str){ p, (size_t)(at - p) });
		weir_text_addf(text, "\\u202%c", at[2] & 1 ? '9' : '8');
		p = at += 3;
	}
	weir_text_add_json(text, (weir_str){ p, (size_t)(end - p) });
	weir_text_add(text, WEIR_STR("\""));
}

static void add_list(struct weir_text *text, const struct weir_value *list)
{
	struct weir_value_cursor cursor = weir_value_items(list);
	const char *between = "[";

	while (weir_value_next(&cursor)) {
		weir_text_add(text, weir_str_of(between));
		add_value_json(text, &cursor.item.value);
		between = ",";
	}
	weir_text_add(text, *between == '[' ? WEIR_STR("[]") : WEIR_STR("]"));
}

/* By key; equal keys by place. */
static int by_key(const void *left, const void *right)
{
	const struct weir_attribute *a = left, *b = right;
	size_t len = a->key.len < b->key.len ? a->key.len : b->key.len;
	int order = len ? memcmp(a->key.ptr, b->key.ptr, len) : 0;

	if (order)
		return order;
	if (a->key.len != b->key.len)
		return a->key.len < b->key.len ? -1 : 1;
	return a->key.ptr < b->key.ptr ? -1 : a->key.ptr > b->key.ptr;
}

/* Equal keys are written as often as they are there, where the Collector shows
 * the last one only: a pattern must see them all, or a second copy of a key
 * would hide the first. */
static void add_entries(struct weir_text *text, struct weir_attribute *entry,
			size_t n)
{
	const char *between = "{";

	qsort(entry, n, sizeof(*entry), by_key);
	for (size_t i = 0; i < n; i++) {
		weir_text_add(text, weir_str_of(between));
		add_quoted(text, entry[i].key);
		weir_text_add(text, WEIR_STR(":"));
		add_value_json(text, &entry[i].value);
		between = ",";
	}
	weir_text_add(text, *between == '{' ? WEIR_STR("{}") : WEIR_STR("}"));
}

static void add_map(struct weir_text *text, const struct weir_value *map)
{
	struct weir_value_cursor cursor = weir_value_items(map);
	struct weir_attribute few[16], *entry = few;
	size_t n = 0, cap = sizeof(few) / sizeof(*few);

	while (weir_value_next(&cursor)) {
		if (n == cap) {
			struct weir_attribute *more =
				xmalloc(2 * cap * sizeof(*more));

			memcpy(more, entry, n * sizeof(*more));
			if (entry != few)
				free(entry);
			entry = more;
			cap *= 2;
		}
		entry[n++] = cursor.item;
	}
	add_entries(text, entry, n);
	if (entry != few)
		free(entry);
}

static void add_scalar(struct weir_text *text, const struct weir_value *value)
{
	switch (value->type) {
	case WEIR_VALUE_BOOL:
		weir_text_add(text, value->boolean ? WEIR_STR("true") :
						     WEIR_STR("false"));
		break;
	case WEIR_VALUE_INT:
		weir_text_addf(text, "%lld", (long long)value->integer);
		break;
	case WEIR_VALUE_DOUBLE:
		weir_text_add_double(text, value->real);
		break;
	case WEIR_VALUE_BYTES:
		weir_text_add_base64(text, value->str);
		break;
	default:
		break;
	}
}

static void add_quoted_scalar(struct weir_text *text,
			      const struct weir_value *value)
{
	weir_text_add(text, WEIR_STR("\""));
	add_scalar(text, value);
	weir_text_add(text, WEIR_STR("\""));
}

/* Depth is the walk's: 100 messages. */
static void add_value_json(struct weir_text *text,
			   const struct weir_value *value)
{
	switch (value->type) {
	case WEIR_VALUE_EMPTY:
		weir_text_add(text, WEIR_STR("null"));
		break;
	case WEIR_VALUE_BYTES:	/* none are null, as in the Collector */
		if (!value->str.len)
			weir_text_add(text, WEIR_STR("null"));
		else
			add_quoted_scalar(text, value);
		break;
	case WEIR_VALUE_STRING:
		add_quoted(text, value->str);
		break;
	case WEIR_VALUE_LIST:
		add_list(text, value);
		break;
	case WEIR_VALUE_MAP:
		add_map(text, value);
		break;
	case WEIR_VALUE_DOUBLE:
		if (!isfinite(value->real))
			add_quoted_scalar(text, value);
		else
			add_scalar(text, value);
		break;
	default:
		add_scalar(text, value);
	}
}

weir_str weir_value_text(const struct weir_value *value,
			 struct weir_text *scratch)
{
	size_t from = scratch->len;

	if (value->type == WEIR_VALUE_STRING)
		return value->str;
	if (value->type == WEIR_VALUE_LIST)
		add_list(scratch, value);
	else if (value->type == WEIR_VALUE_MAP)
		add_map(scratch, value);
	else
		add_scalar(scratch, value);
	if (scratch->len == from)
		return (weir_str){ "", 0 };
	return (weir_str){ scratch->ptr + from, scratch->len - from };
}
