/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_fields.c: printf-style fields to JSON, one conversion each.
 *
 * The format says where a value begins and ends, never the value: what a peer
 * sent cannot make fields of its own.  Numbers stay numbers.
 */
#include "log_fields.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- JSON ------------------------------------------------------------------------- */

/* Length of the UTF-8 sequence at p; 0 when it is none. */
static size_t sequence(const unsigned char *p, size_t left)
{
	size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* overlong, surrogates, beyond U+10FFFF */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static void quote_byte(struct buf *out, unsigned char c)
{
	switch (c) {
	case '"': case '\\':
		buf_addf(out, "\\%c", c);
		break;
	case '\n':
		buf_add(out, "\\n", 2);
		break;
	case '\r':
		buf_add(out, "\\r", 2);
		break;
	case '\t':
		buf_add(out, "\\t", 2);
		break;
	default:
		buf_addf(out, "\\u%04x", c);
	}
}

void log_json_quote(struct buf *out, weir_str text)
{
	const unsigned char *p = (const unsigned char *)text.ptr;

	buf_add(out, "\"", 1);
	for (size_t i = 0; i < text.len; ) {
		size_t n = sequence(p + i, text.len - i);

		if (!n)
			buf_add(out, "\\ufffd", 6);
		else if (p[i] < 0x20 || p[i] == 0x7f || p[i] == '"' ||
			 p[i] == '\\')
			quote_byte(out, p[i]);
		else
			buf_add(out, p + i, n);
		i += n ? n : 1;
	}
	buf_add(out, "\"", 1);
}

static void comma(struct log_json *json)
{
	if (json->more)
		buf_add(json->out, ", ", json->spaced ? 2 : 1);
	json->more = true;
}

void log_json_raw(struct log_json *json, const void *ptr, size_t len)
{
	comma(json);
	buf_add(json->out, ptr, len);
}

void log_json_key(struct log_json *json, weir_str name)
{
	comma(json);
	log_json_quote(json->out, name);
	buf_add(json->out, ": ", json->spaced ? 2 : 1);
}

void log_json_str(struct log_json *json, const char *name, weir_str text)
{
	log_json_key(json, weir_str_of(name));
	log_json_quote(json->out, text);
}

void log_json_text(struct log_json *json, weir_str name, weir_str text)
{
	log_json_key(json, name);
	log_json_quote(json->out, text);
}

/* --- YAML ------------------------------------------------------------------------- */

static void put_double(struct buf *out, double value)
{
	char digits[40];

	if (!isfinite(value)) {
		log_json_quote(out, WEIR_STR("NaN"));
		return;
	}
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(digits, sizeof(digits), "%.*g", precision, value);
		if (strtod(digits, NULL) == value)
			break;
	}
	buf_add(out, digits, strlen(digits));
}

/* The tree's depth is limited where it is read. */
static void put_node(struct log_json *json, const struct weir_node *node)
{
	struct log_json inner = { .out = json->out, .spaced = json->spaced };
	bool list = weir_node_kind(node) == WEIR_NODE_LIST;

	switch (weir_node_kind(node)) {
	case WEIR_NODE_NULL:
		buf_add(json->out, "null", 4);
		return;
	case WEIR_NODE_BOOL:
		buf_addf(json->out, "%s",
			 weir_node_bool(node) ? "true" : "false");
		return;
	case WEIR_NODE_INT:
		buf_addf(json->out, "%lld", (long long)weir_node_int(node));
		return;
	case WEIR_NODE_DOUBLE:
		put_double(json->out, weir_node_double(node));
		return;
	case WEIR_NODE_STR:
		log_json_quote(json->out, weir_node_text(node));
		return;
	case WEIR_NODE_LIST:
	case WEIR_NODE_MAP:
		break;
	}
	buf_add(json->out, list ? "[" : "{", 1);
	for (size_t i = 0; i < weir_node_len(node); i++) {
		if (list) {
			comma(&inner);
			put_node(&inner, weir_node_at(node, i));
			continue;
		}
		log_json_node(&inner, weir_node_key(node, i),
			      weir_node_at(node, i));
	}
	buf_add(json->out, list ? "]" : "}", 1);
}

void log_json_value(struct buf *out, const struct weir_node *node)
{
	struct log_json json = { .out = out, .spaced = true };

	put_node(&json, node);
}

void log_json_node(struct log_json *json, weir_str name,
		   const struct weir_node *node)
{
	log_json_key(json, name);
	put_node(json, node);
}

void log_json_uint(struct log_json *json, const char *name, uint64_t value)
{
	log_json_key(json, weir_str_of(name));
	buf_addf(json->out, "%llu", (unsigned long long)value);
}

/* --- conversions --------------------------------------------------------------------- */

struct args {			/* a va_list that can be passed by address */
	va_list list;
};

/* Which type printf would take: the letters between % and the conversion. */
static long long take_signed(struct args *args, weir_str spec)
{
	if (memmem(spec.ptr, spec.len, "ll", 2))
		return va_arg(args->list, long long);
	if (memchr(spec.ptr, 'l', spec.len))
		return va_arg(args->list, long);
	if (memchr(spec.ptr, 'z', spec.len))
		return va_arg(args->list, ssize_t);
	if (memchr(spec.ptr, 'j', spec.len))
		return va_arg(args->list, intmax_t);
	return va_arg(args->list, int);
}

static unsigned long long take_unsigned(struct args *args, weir_str spec)
{
	if (memmem(spec.ptr, spec.len, "ll", 2))
		return va_arg(args->list, unsigned long long);
	if (memchr(spec.ptr, 'l', spec.len))
		return va_arg(args->list, unsigned long);
	if (memchr(spec.ptr, 'z', spec.len))
		return va_arg(args->list, size_t);
	if (memchr(spec.ptr, 'j', spec.len))
		return va_arg(args->list, uintmax_t);
	return va_arg(args->list, unsigned);
}

/* %s, %.*s, %.12s */
static void take_text(struct args *args, weir_str spec, struct buf *value)
{
	const char *dot = memchr(spec.ptr, '.', spec.len);
	size_t most = SIZE_MAX;
	const char *text;

	if (dot && dot + 1 < spec.ptr + spec.len && dot[1] == '*') {
		int given = va_arg(args->list, int);

		most = given < 0 ? SIZE_MAX : (size_t)given;
	} else if (dot) {
		most = 0;
		for (dot++; dot < spec.ptr + spec.len && *dot >= '0' &&
			    *dot <= '9'; dot++)
			most = most * 10 + (size_t)(*dot - '0');
	}
	text = va_arg(args->list, const char *);
	if (text)
		buf_add(value, text, strnlen(text, most));
}

/* One conversion, spec from behind the % up to and with its letter; true when
 * it is a number. */
static bool convert(struct args *args, weir_str spec, struct buf *value)
{
	double real;

	switch (spec.ptr[spec.len - 1]) {
	case 's':
		take_text(args, spec, value);
		return false;
	case 'c':
		buf_addf(value, "%c", va_arg(args->list, int));
		return false;
	case 'd': case 'i':
		buf_addf(value, "%lld", take_signed(args, spec));
		return true;
	case 'u':
		buf_addf(value, "%llu", take_unsigned(args, spec));
		return true;
	case 'x':
		buf_addf(value, "%llx", take_unsigned(args, spec));
		return false;
	case 'p':
		buf_addf(value, "%p", va_arg(args->list, void *));
		return false;
	default:		/* g f e */
		real = va_arg(args->list, double);
		buf_addf(value, "%.10g", real);
		return real - real == 0;	/* no NaN, no infinity */
	}
}

/* Length of a conversion behind its %; 0 when the format ends first. */
static size_t conversion_len(const char *p)
{
	size_t n = strcspn(p, "scdiuxpgfe");

	return p[n] ? n + 1 : 0;
}

/* The value up to the next blank of the format. */
static const char *write_value(struct log_json *json, const char *format,
			       struct args *args)
{
	struct buf value = { 0 };
	bool number = false;
	unsigned parts = 0;

	while (*format && *format != ' ') {
		size_t n = *format == '%' ? conversion_len(format + 1) : 0;

		parts++;
		if (n) {
			number = convert(args, (weir_str){ format + 1, n },
					 &value);
			format += n + 1;
		} else {
			buf_add(&value, format++, 1);
			number = false;
		}
	}
	if (number && parts == 1)
		buf_add(json->out, value.ptr, value.len);
	else
		log_json_quote(json->out, (weir_str){ (char *)value.ptr,
						      value.len });
	buf_release(&value);
	return format;
}

/* A key ends at its = or, when it begins with a quote, at the next one. */
static const char *write_key(struct log_json *json, const char *format)
{
	size_t quoted = *format == '"';
	size_t n = strcspn(format + quoted, quoted ? "\"" : "= ");

	if (!n)
		return NULL;
	log_json_key(json, (weir_str){ format + quoted, n });
	format += n + quoted;
	format += quoted && *format == '"';
	return format + (*format == '=');
}

void log_json_fields(struct log_json *json, const char *format, va_list args)
{
	struct args copy;

	va_copy(copy.list, args);
	while (*format) {
		format += strspn(format, " ");
		format = write_key(json, format);
		if (!format)
			break;
		format = write_value(json, format, &copy);
	}
	va_end(copy.list);
}
