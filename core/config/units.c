/* SPDX-License-Identifier: Apache-2.0 */
/*
 * units.c: numbers with a unit, as text: durations and sizes.
 *
 * Durations are read as Go reads them.  Holds nothing; must never round what
 * can be said in whole nanoseconds or bytes.
 */
#include "bind.h"

static const struct unit {
	const char *name;
	double factor;
} time_units[] = {
	{ "ns", 1 }, { "us", 1e3 }, { "\xc2\xb5s", 1e3 }, { "\xce\xbcs", 1e3 },
	{ "ms", 1e6 }, { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 }, { 0 }
}, size_units[] = {
	{ "", 1 }, { "B", 1 }, { "KB", 1e3 }, { "kB", 1e3 }, { "MB", 1e6 },
	{ "GB", 1e9 }, { "TB", 1e12 }, { "KiB", 1024.0 },
	{ "MiB", 1048576.0 }, { "GiB", 1073741824.0 },
	{ "TiB", 1099511627776.0 }, { 0 }
};

/* Longest unit that text begins with, as a whole word of letters. */
static const struct unit *find_unit(const struct unit *units, weir_str text)
{
	for (; units->name; units++)
		if (weir_str_eq(text, weir_str_of(units->name)))
			return units;
	return NULL;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits with an optional fraction; false when there is no digit.  Whole and
 * fraction stay apart so that nanoseconds come out exact. */
static bool take_number(weir_str *text, uint64_t *whole, double *fraction)
{
	double scale = 1;
	size_t i = 0, digits = 0;

	*whole = 0;
	*fraction = 0;
	for (; i < text->len && is_digit(text->ptr[i]); i++, digits++) {
		uint64_t digit = (uint64_t)(text->ptr[i] - '0');

		if (*whole > (INT64_MAX - digit) / 10)
			return false;
		*whole = *whole * 10 + digit;
	}
	if (i < text->len && text->ptr[i] == '.')
		for (i++; i < text->len && is_digit(text->ptr[i]);
		     i++, digits++) {
			scale /= 10;
			*fraction += scale * (text->ptr[i] - '0');
		}
	text->ptr += i;
	text->len -= i;
	return digits > 0;
}

/* The letters up to the next digit or dot. */
static weir_str take_unit(weir_str *text)
{
	weir_str unit = { text->ptr, 0 };

	while (unit.len < text->len && text->ptr[unit.len] != '.' &&
	       !is_digit(text->ptr[unit.len]))
		unit.len++;
	text->ptr += unit.len;
	text->len -= unit.len;
	return unit;
}

/* whole.fraction units, added to *sum; false past 2^63. */
static bool add_units(uint64_t *sum, uint64_t whole, double fraction,
		      double factor)
{
	uint64_t each = (uint64_t)factor;
	uint64_t part = (uint64_t)(fraction * factor + 1e-6);

	if (whole > (uint64_t)INT64_MAX / each)
		return false;
	whole *= each;
	if (part > INT64_MAX - whole || whole + part > INT64_MAX - *sum)
		return false;
	*sum += whole + part;
	return true;
}

bool bind_duration(weir_str text, weir_duration *out)
{
	bool negative = text.len && text.ptr[0] == '-';
	uint64_t sum = 0;

	if (negative || (text.len && text.ptr[0] == '+')) {
		text.ptr++;
		text.len--;
	}
	if (weir_str_eq(text, WEIR_STR("0"))) {
		out->ns = 0;
		return true;
	}
	if (!text.len)
		return false;
	while (text.len) {
		const struct unit *unit;
		uint64_t whole;
		double fraction;

		if (!take_number(&text, &whole, &fraction))
			return false;
		unit = find_unit(time_units, take_unit(&text));
		if (!unit || !add_units(&sum, whole, fraction, unit->factor))
			return false;
	}
	out->ns = negative ? -(int64_t)sum : (int64_t)sum;
	return true;
}

bool bind_size(weir_str text, weir_size *out)
{
	const struct unit *unit;
	uint64_t whole, sum = 0;
	double fraction;

	if (!take_number(&text, &whole, &fraction))
		return false;
	while (text.len && *text.ptr == ' ') {
		text.ptr++;
		text.len--;
	}
	unit = find_unit(size_units, text);
	if (!unit || !add_units(&sum, whole, fraction, unit->factor))
		return false;
	out->bytes = sum;
	return true;
}
