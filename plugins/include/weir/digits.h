/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digits.h: what a character is worth as a digit; -1: it is none.  Pure.
 */
#ifndef WEIR_DIGITS_H
#define WEIR_DIGITS_H

/* Base 16, both cases. */
static inline int weir_digit_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* The standard alphabet of base64, RFC 4648 4. */
static inline int weir_digit_base64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

#endif
