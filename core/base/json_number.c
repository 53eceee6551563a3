/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_number.c: what JSON numbers are worth (weir/json.h).
 *
 * Integers never pass through a double.  Doubles: with few digits one exact
 * multiplication or division rounds right; with more, libc does it.  Works on
 * text that the scanner has passed.  Pure.
 */
#include <weir/json.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Digits that fit whatever they are. */
#define SAFE_DIGITS 19

static bool magnitude(const char *p, const char *end, uint64_t limit,
		      uint64_t *value)
{
	const char *safe;
	uint64_t v = 0;

	if (p == end)
		return false;
	while (end - p > SAFE_DIGITS && *p == '0')
		p++;
	safe = end - p < SAFE_DIGITS ? end : p + SAFE_DIGITS;
	for (; p < safe; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (digit > 9)
			return false;
		v = v * 10 + digit;
	}
	for (; p < end; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*value = v;
	return v <= limit;
}

bool weir_json_int64(weir_str number, int64_t *value)
{
	bool negative = number.len && number.ptr[0] == '-';
	uint64_t v;

	if (!magnitude(number.ptr + negative, number.ptr + number.len,
		       (uint64_t)INT64_MAX + negative, &v))
		return false;
	*value = (int64_t)(negative ? 0 - v : v);
	return true;
}

bool weir_json_uint64(weir_str number, uint64_t *value)
{
	bool negative = number.len && number.ptr[0] == '-';

	return magnitude(number.ptr + negative, number.ptr + number.len,
			 negative ? 0 : UINT64_MAX, value);
}

/* --- Doubles ------------------------------------------------------------ */

/* No double needs more digits to be told from its neighbours than 767; whether
 * there is anything but zeros behind them still matters. */
#define DIGITS 772
#define EXPONENT_MAX 20000	/* larger ones change nothing */

/* 0.d1d2d3... * 10^exponent, without zeros in front. */
struct decimal {
	bool negative;
	int64_t exponent;
	size_t n;
	uint64_t first;		/* the value of the first 19 digits */
	char digits[DIGITS + 1];
};

static void add_digit(struct decimal *d, char c)
{
	if (!d->n && c == '0')
		return;
	if (d->n < 19)
		d->first = d->first * 10 + (uint64_t)(c - '0');
	if (d->n < DIGITS)
		d->digits[d->n++] = c;
	else if (c != '0')
		d->digits[DIGITS - 1] = '1';	/* not a tie */
}

static int64_t read_exponent(const char *p, const char *end)
{
	bool negative = *p == '-';
	int64_t v = 0;

	for (p += *p == '-' || *p == '+'; p < end; p++)
		if (v < INT32_MAX)
			v = v * 10 + (*p - '0');
	return negative ? -v : v;
}

static void read_decimal(struct decimal *d, weir_str number)
{
	const char *p = number.ptr, *end = p + number.len;

	d->negative = *p == '-';
	d->exponent = 0;
	d->n = 0;
	d->first = 0;
	for (p += d->negative; p < end && *p != '.' && (*p | 32) != 'e'; p++) {
		add_digit(d, *p);
		d->exponent += d->n > 0;
	}
	if (p < end && *p == '.')
		for (p++; p < end && (*p | 32) != 'e'; p++) {
			add_digit(d, *p);
			d->exponent -= !d->n;
		}
	if (p < end)
		d->exponent += read_exponent(p + 1, end);
}

/* Both operands exact and one operation: rounded once (Clinger). */
static bool quick(const struct decimal *d, double *value)
{
	static const double powers[] = {
		1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
		1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
		1e22
	};
	int64_t shift = d->exponent - (int64_t)d->n;

	if (d->n > 19 || d->first > UINT64_C(1) << 53 || shift < -22 ||
	    shift > 22)
		return false;
	*value = shift < 0 ? (double)d->first / powers[-shift] :
			     (double)d->first * powers[shift];
	return true;
}

/* As libc reads it whatever the locale: no decimal point. */
static double slow(const struct decimal *d)
{
	char text[DIGITS + 32];
	int64_t shift = d->exponent - (int64_t)d->n;

	if (d->exponent > EXPONENT_MAX)
		return INFINITY;
	if (d->exponent < -EXPONENT_MAX)
		return 0;
	memcpy(text, d->digits, d->n);
	snprintf(text + d->n, sizeof(text) - d->n, "e%lld", (long long)shift);
	return strtod(text, NULL);
}

bool weir_json_double(weir_str number, double *value)
{
	struct decimal d;
	double v = 0;

	read_decimal(&d, number);
	if (d.n && !quick(&d, &v))
		v = slow(&d);
	*value = d.negative ? -v : v;
	return isfinite(v);
}
