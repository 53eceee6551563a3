/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_scalar.c: what a plain YAML scalar means, and a tagged one.
 *
 * The rules are those of Go's yaml.v3, which the Collector reads its files
 * with: true/false are booleans, yes/no/on/off are strings; 0x, 0o, 0b and
 * legacy 0777 are integers; underscores between digits are skipped.  A pure
 * function of the text; nothing is held.
 */
#include "tree.h"

#include <weir/digits.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

static bool among(weir_str text, const char *const *words)
{
	for (; *words; words++)
		if (weir_str_eq(text, weir_str_of(*words)))
			return true;
	return false;
}

/* null, true, false, .inf, .nan: the scalars that are words. */
static bool resolve_word(struct weir_node *node)
{
	static const char *const null[] = { "", "~", "null", "Null", "NULL",
					    NULL };
	static const char *const yes[] = { "true", "True", "TRUE", NULL };
	static const char *const no[] = { "false", "False", "FALSE", NULL };
	static const char *const nan[] = { ".nan", ".NaN", ".NAN", NULL };
	static const char *const inf[] = { ".inf", ".Inf", ".INF", "+.inf",
					   "+.Inf", "+.INF", NULL };
	static const char *const minus[] = { "-.inf", "-.Inf", "-.INF", NULL };

	if (among(node->text, null)) {
		node->kind = WEIR_NODE_NULL;
	} else if (among(node->text, yes) || among(node->text, no)) {
		node->kind = WEIR_NODE_BOOL;
		node->boolean = among(node->text, yes);
	} else if (among(node->text, nan)) {
		node->kind = WEIR_NODE_DOUBLE;
		node->real = (double)NAN;
	} else if (among(node->text, inf) || among(node->text, minus)) {
		node->kind = WEIR_NODE_DOUBLE;
		node->real = among(node->text, inf) ? (double)INFINITY
						    : -(double)INFINITY;
	} else {
		return false;
	}
	return true;
}

/* The digits' base; *digits moves past the prefix. */
static int base_of(const char **digits)
{
	const char *p = *digits;

	if (p[0] != '0' || !p[1])
		return 10;
	*digits += 2;
	switch (p[1]) {
	case 'x': case 'X':
		return 16;
	case 'o': case 'O':
		return 8;
	case 'b': case 'B':
		return 2;
	}
	*digits = p + 1;	/* 0777, as YAML 1.1 had it */
	return 8;
}

static bool resolve_integer(struct weir_node *node, const char *plain)
{
	bool negative = *plain == '-';
	const char *digits = plain + (negative || *plain == '+');
	int base = base_of(&digits);
	unsigned long long value;
	char *end;

	/* strtoull would take blanks, signs and a second 0x. */
	if (!((*digits >= '0' && *digits <= '9') ||
	      (base == 16 && ((*digits | 32) >= 'a' && (*digits | 32) <= 'f'))))
		return false;
	if (base == 16 && digits[0] == '0' && (digits[1] | 32) == 'x')
		return false;
	errno = 0;
	value = strtoull(digits, &end, base);
	if (*end || errno)
		return false;
	if (negative && value > (uint64_t)INT64_MAX + 1)
		return false;
	if (*plain == '+' && value > INT64_MAX)
		return false;
	node->kind = WEIR_NODE_INT;
	node->integer = (int64_t)(negative ? 0 - (uint64_t)value : value);
	node->big = !negative && value > INT64_MAX;
	return true;
}

static const char *skip_digits(const char *p)
{
	while (*p >= '0' && *p <= '9')
		p++;
	return p;
}

/* [-+]? ( . digits | digits [. [digits]] ) [ e [-+] digits ] */
static bool is_float(const char *p)
{
	const char *start;

	p += *p == '-' || *p == '+';
	start = p;
	p = skip_digits(p);
	if (p == start) {
		if (*p != '.')
			return false;
		start = ++p;
		p = skip_digits(p);
		if (p == start)
			return false;
	} else if (*p == '.') {
		p = skip_digits(p + 1);
	}
	if ((*p | 32) == 'e') {
		p += 1 + (p[1] == '-' || p[1] == '+');
		start = p;
		p = skip_digits(p);
		if (p == start)
			return false;
	}
	return !*p;
}

static bool resolve_float(struct weir_node *node, const char *plain)
{
	double value;

	if (!is_float(plain))
		return false;
	value = strtod(plain, NULL);
	if (isinf(value))	/* 1e999 is no number there either */
		return false;
	node->kind = WEIR_NODE_DOUBLE;
	node->real = value;
	return true;
}

/* One or two digits. */
static bool take_two(const char **p, unsigned *out)
{
	const char *start = *p;

	*out = 0;
	while (*p < start + 2 && **p >= '0' && **p <= '9')
		*out = *out * 10 + (unsigned)(*(*p)++ - '0');
	return *p > start;
}

/* Z, +01:00, -01:00. */
static bool is_zone(const char *p)
{
	unsigned hours, minutes;

	if (*p == 'Z')
		return !p[1];
	if (*p != '+' && *p != '-')
		return false;
	p++;
	return skip_digits(p) == p + 2 && take_two(&p, &hours) && *p++ == ':' &&
	       skip_digits(p) == p + 2 && take_two(&p, &minutes) && !*p &&
	       hours < 25 && minutes < 60;
}

/* 15:4:5.9, with a zone behind T, without one behind a blank. */
static bool is_time(const char *p)
{
	bool zoned = *p == 'T' || *p == 't';
	unsigned hour, minute, second;

	if (!zoned && *p != ' ')
		return false;
	p++;
	if (!take_two(&p, &hour) || *p++ != ':' || !take_two(&p, &minute) ||
	    *p++ != ':' || !take_two(&p, &second) || hour > 23 ||
	    minute > 59 || second > 59)
		return false;
	if (*p == '.' && skip_digits(p + 1) > p + 1)
		p = skip_digits(p + 1);
	return zoned ? is_zone(p) : !*p;
}

/* 2001-1-2, or that and a time: what YAML of old calls a timestamp, and the
 * Collector still does. */
static bool is_timestamp(const char *p)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
					30, 31 };
	unsigned long year = strtoul(p, NULL, 10);
	bool leap = year % 4 == 0 && (year % 100 || year % 400 == 0);
	unsigned month, day;

	if (skip_digits(p) != p + 4 || p[4] != '-')
		return false;
	p += 5;
	if (!take_two(&p, &month) || *p++ != '-' || !take_two(&p, &day) ||
	    month < 1 || month > 12 || day < 1 ||
	    day > days[month - 1] + (unsigned)(leap && month == 2))
		return false;
	return !*p || is_time(p);
}

#define NUMBER_MAX 400	/* longer ones are text */

void tree_resolve(struct weir_node *node)
{
	char plain[NUMBER_MAX + 1];
	size_t len = 0;
	char first = node->text.len ? node->text.ptr[0] : 0;

	node->kind = WEIR_NODE_STR;
	if (node->quoted || resolve_word(node))
		return;
	if (node->text.len > NUMBER_MAX || !first ||
	    !strchr("+-.0123456789", first))
		return;
	for (size_t i = 0; i < node->text.len; i++) {
		if (node->text.ptr[i] == '_' && first != '.')
			continue;
		if (!node->text.ptr[i])
			return;
		plain[len++] = node->text.ptr[i];
	}
	plain[len] = 0;
	if (len == node->text.len && is_timestamp(plain)) {
		node->timestamp = true;
		return;
	}
	if (first == '.' || !resolve_integer(node, plain))
		resolve_float(node, plain);
}

/* --- tags -------------------------------------------------------------------- */

#define YAML_ORG "tag:yaml.org,2002:"

/* The tags that say what a scalar is; all others make a string of it. */
static const struct tag {
	const char *name;
	enum weir_node_kind kind;
} tags[] = {
	{ YAML_ORG "null", WEIR_NODE_NULL }, { YAML_ORG "bool", WEIR_NODE_BOOL },
	{ YAML_ORG "int", WEIR_NODE_INT }, { YAML_ORG "float", WEIR_NODE_DOUBLE },
	{ YAML_ORG "timestamp", WEIR_NODE_STR },
};

/* A whole number is a float where one was asked for. */
static void widen(struct weir_node *node)
{
	double real = node->big ? (double)(uint64_t)node->integer
				: (double)node->integer;

	node->kind = WEIR_NODE_DOUBLE;
	node->real = real;
	node->big = false;
}

static const char *resolve_as(struct arena *arena, struct weir_node *node,
			      const struct tag *tag)
{
	node->quoted = false;
	tree_resolve(node);
	if (tag->kind == WEIR_NODE_DOUBLE && node->kind == WEIR_NODE_INT)
		widen(node);
	if (node->kind == tag->kind &&
	    (node->kind != WEIR_NODE_STR || node->timestamp))
		return NULL;
	return arena_printf(arena, "cannot decode %s `%.*s` as a %s",
			    tree_kind_name(node),
			    (int)(node->text.len < 64 ? node->text.len : 64),
			    node->text.ptr, tag->name + strlen(YAML_ORG));
}

/* The text of a !!binary: RFC 4648, padded; line ends do not count. */
static bool decode_base64(struct arena *arena, struct weir_node *node)
{
	char *out = arena_alloc(arena, node->text.len + 1);
	size_t n = 0, digits = 0, pads = 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < node->text.len; i++) {
		char c = node->text.ptr[i];
		int digit = weir_digit_base64(c);

		if (c == '\n' || c == '\r')
			continue;
		pads += c == '=';
		if (c == '=' && digits % 4 >= 2)
			continue;
		if (digit < 0 || pads)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		if (digits++ % 4)
			out[n++] = (char)(bits >> (6 - 2 * ((digits - 1) % 4)));
	}
	node->text = (weir_str){ out, n };
	return pads < 3 && (digits + pads) % 4 == 0;
}

const char *tree_resolve_tagged(struct arena *arena, struct weir_node *node,
				const char *tag)
{
	bool tagged = tag && strcmp(tag, "!");

	for (size_t i = 0; tagged && i < sizeof(tags) / sizeof(*tags); i++)
		if (!strcmp(tag, tags[i].name))
			return resolve_as(arena, node, &tags[i]);
	if (tagged && !strcmp(tag, YAML_ORG "binary") &&
	    !decode_base64(arena, node))
		return "!!binary value contains invalid base64 data";
	node->quoted |= tagged;
	tree_resolve(node);
	return NULL;
}
