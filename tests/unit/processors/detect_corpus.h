/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_corpus.h: lines of tests/data/secrets, expanded.
 *
 *   «...»              what must be found
 *   %{A-Z0-9:16}       so many characters of a set, by chance
 *   %{card:4:16}       a card number: prefix, digits
 *   %{card:4:4.4.4.4:-} the same in groups
 *   %{iban:DE}         an IBAN; %{iban:DE: } in groups
 *   %{jwt}             a token; :none without a signature, :cut without its
 *                      dot, :jwe with five parts
 *   %{b64:user:x}      base64 of the text behind the colon
 *   %{pem64:RSA }      base64 of a private key's PEM that begins so
 *   %{=text}           the text: for what a scanner of sources would object to
 *   %{nl}              a newline
 *   %{end}             nothing may follow
 */
#ifndef DETECT_CORPUS_H
#define DETECT_CORPUS_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../../processors/redaction/detect.h"

#define CORPUS_MARKS 4
#define CORPUS_ROOM 4096

struct corpus_text {
	char text[CORPUS_ROOM];
	size_t len;
	struct {
		size_t at, end;
	} mark[CORPUS_MARKS];
	size_t marks;
	bool ends;		/* nothing may follow */
	uint64_t chance;	/* its state */
};

/* --- Chance: splitmix64 ----------------------------------------------------------- */

static uint64_t corpus_chance(struct corpus_text *t)
{
	uint64_t z = t->chance += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void corpus_put(struct corpus_text *t, const char *bytes, size_t n)
{
	ck_assert(t->len + n <= sizeof(t->text));
	memcpy(t->text + t->len, bytes, n);
	t->len += n;
}

static void corpus_putc(struct corpus_text *t, char c)
{
	corpus_put(t, &c, 1);
}

/* --- Sets ------------------------------------------------------------------------- */

static void corpus_set(struct corpus_text *t, const char *set, size_t len,
		       size_t n)
{
	char all[256];
	size_t size = 0;

	for (size_t i = 0; i < len; i++) {
		if (i + 2 < len && set[i + 1] == '-') {
			for (char c = set[i]; c <= set[i + 2]; c++)
				all[size++] = c;
			i += 2;
		} else {
			all[size++] = set[i];
		}
	}
	ck_assert(size);
	while (n--)
		corpus_putc(t, all[corpus_chance(t) % size]);
}

/* --- Numbers ---------------------------------------------------------------------- */

static char luhn_digit(const char *digits, size_t n)
{
	int sum = 0;

	/* The digit to come is the last one, so the one before it doubles. */
	for (size_t i = 0; i < n; i++) {
		int d = digits[n - 1 - i] - '0';

		if (i % 2 == 0)
			d = d * 2 > 9 ? d * 2 - 9 : d * 2;
		sum += d;
	}
	return (char)('0' + (10 - sum % 10) % 10);
}

/* "prefix:groups" or "prefix:groups:separator" */
static void corpus_card(struct corpus_text *t, const char *spec)
{
	char digits[32], prefix[8], groups[32], *group, *save = NULL;
	char separator = 0;
	size_t n = 0, len = 0;

	ck_assert(sscanf(spec, "%7[0-9]:%31[0-9.]:%c", prefix, groups,
			 &separator) >= 2);
	for (char *g = groups; *g; g += strcspn(g, "."), g += *g == '.')
		len += strtoul(g, NULL, 10);
	n = strlen(prefix);
	memcpy(digits, prefix, n);
	while (n < len - 1)
		digits[n++] = (char)('0' + corpus_chance(t) % 10);
	digits[n] = luhn_digit(digits, n);
	n = 0;
	for (group = strtok_r(groups, ".", &save); group;
	     group = strtok_r(NULL, ".", &save)) {
		size_t size = strtoul(group, NULL, 10);

		if (n)
			corpus_putc(t, separator);
		corpus_put(t, digits + n, size);
		n += size;
	}
}

static size_t iban_size(const char *country)
{
	static const char sizes[] =
		"AD24AE23AL28AT20AZ28BE16BG22BR29CH21CY28CZ24DE22DK18EE20ES24"
		"FI18FR27GB22GR27HR21HU28IE22IL23IS26IT27KW30LI21LT20LU20LV21"
		"MC27MT31NL18NO15PK24PL28PT25QA29RO24SA24SE24SI19SK24TR26UA29"
		"XK20";
	for (const char *s = sizes; *s; s += 4)
		if (!memcmp(s, country, 2))
			return (size_t)((s[2] - '0') * 10 + s[3] - '0');
	ck_abort_msg("no length of IBANs of %.2s", country);
}

static unsigned mod97_of(const char *text)
{
	unsigned rest = 0;

	for (; *text; text++)
		rest = *text <= '9' ?
			(rest * 10 + (unsigned)(*text - '0')) % 97 :
			(rest * 100 + (unsigned)(*text - 'A') + 10) % 97;
	return rest;
}

/* "DE" or "DE: " */
static void corpus_iban(struct corpus_text *t, const char *spec)
{
	char iban[40], turned[48];
	size_t size = iban_size(spec);
	bool grouped = spec[2] == ':';

	for (size_t i = 4; i < size; i++)
		iban[i] = corpus_chance(t) % 8 ?
			(char)('0' + corpus_chance(t) % 10) :
			(char)('A' + corpus_chance(t) % 26);
	iban[size] = 0;
	snprintf(turned, sizeof(turned), "%.36s%.2s00", iban + 4, spec);
	snprintf(iban, 5, "%.2s%02u", spec, 98 - mod97_of(turned));
	iban[4] = turned[0];
	for (size_t i = 0; i < size; i++) {
		if (grouped && i && i % 4 == 0)
			corpus_putc(t, spec[3]);
		corpus_putc(t, iban[i]);
	}
}

/* --- base64 ----------------------------------------------------------------------- */

static void corpus_base64(struct corpus_text *t, const char *text, size_t len,
			  bool url)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm"
		"nopqrstuvwxyz0123456789";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = 0;

		for (size_t j = 0; j < 3; j++)
			v = v << 8 | (i + j < len ? (uint8_t)text[i + j] : 0);
		for (size_t j = 0; j < 4; j++) {
			uint32_t six = v >> (18 - 6 * j) & 63;

			if (i + j <= len && (j < 2 || i + j - 1 < len))
				corpus_putc(t, six < 62 ? digits[six] :
					    (url ? "-_" : "+/")[six - 62]);
			else if (!url)
				corpus_putc(t, '=');
		}
	}
}

static void corpus_pem64(struct corpus_text *t, const char *kind)
{
	char pem[128];
	int n = snprintf(pem, sizeof(pem), "-----BEGIN %sPRIVATE%s-----\n"
			 "MIIEvQIBADANBgkqhkiG9w0BAQEFA", kind, " KEY");

	corpus_base64(t, pem, (size_t)n, false);
}

static void corpus_jwt(struct corpus_text *t, const char *kind)
{
	static const char set[] = "A-Za-z0-9_-";
	static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
	char claims[64];
	int n = snprintf(claims, sizeof(claims), "{\"sub\":\"%u\",\"iat\":1}",
			 (unsigned)corpus_chance(t));

	corpus_base64(t, header, sizeof(header) - 1, true);
	corpus_putc(t, '.');
	if (!strcmp(kind, ":jwe")) {
		corpus_putc(t, '.');
		corpus_set(t, set, sizeof(set) - 1, 16);
		corpus_putc(t, '.');
		corpus_set(t, set, sizeof(set) - 1, 60);
		corpus_putc(t, '.');
		corpus_set(t, set, sizeof(set) - 1, 22);
		return;
	}
	corpus_base64(t, claims, (size_t)n, true);
	if (!strcmp(kind, ":cut"))
		return;
	corpus_putc(t, '.');
	if (strcmp(kind, ":none"))
		corpus_set(t, set, sizeof(set) - 1, 43);
}

/* --- Lines ------------------------------------------------------------------------ */

/* What stands in %{...}. */
static void corpus_expand(struct corpus_text *t, const char *spec)
{
	const char *colon = strrchr(spec, ':');

	if (*spec == '=')
		corpus_put(t, spec + 1, strlen(spec + 1));
	else if (!strcmp(spec, "nl"))
		corpus_putc(t, '\n');
	else if (!strcmp(spec, "end"))
		t->ends = true;
	else if (!strncmp(spec, "card:", 5))
		corpus_card(t, spec + 5);
	else if (!strncmp(spec, "iban:", 5))
		corpus_iban(t, spec + 5);
	else if (!strncmp(spec, "jwt", 3))
		corpus_jwt(t, spec + 3);
	else if (!strncmp(spec, "pem64:", 6))
		corpus_pem64(t, spec + 6);
	else if (!strncmp(spec, "b64:", 4))
		corpus_base64(t, spec + 4, strlen(spec + 4), false);
	else
		corpus_set(t, spec, (size_t)(colon - spec),
			   strtoul(colon + 1, NULL, 10));
}

static const char *corpus_mark(struct corpus_text *t, const char *line)
{
	if (line[1] == '\xab') {
		ck_assert(t->marks < CORPUS_MARKS);
		t->mark[t->marks].at = t->len;
	} else {
		t->mark[t->marks++].end = t->len;
	}
	return line + 2;
}

/* Appends a line, by what `seed` makes of it. */
static inline void corpus_line(struct corpus_text *t, const char *line,
			       uint64_t seed)
{
	t->chance = seed;
	while (*line) {
		char spec[512];
		size_t n;

		if (!strncmp(line, "%{", 2)) {
			n = strcspn(line + 2, "}");
			ck_assert(n < sizeof(spec));
			memcpy(spec, line + 2, n);
			spec[n] = 0;
			corpus_expand(t, spec);
			line += n + 3;
		} else if (!strncmp(line, "\xc2\xab", 2) ||
			   !strncmp(line, "\xc2\xbb", 2)) {
			line = corpus_mark(t, line);
		} else {
			corpus_putc(t, *line++);
		}
	}
}

/* --- Detectors --------------------------------------------------------------------- */

/* Names, comma between them; NULL: all. */
static struct detectors detectors_of(const char *list)
{
	weir_str names[DETECTORS];
	struct weir_strs strs = { names, 0 };
	struct weir_error error;
	struct detectors d;

	for (unsigned i = 0; i < DETECTORS; i++) {
		const char *name = detector_name(i);

		if (!list || strstr(list, name))
			names[strs.len++] = weir_str_of(name);
	}
	ck_assert_int_eq(detectors_init(&d, strs, &error), 0);
	return d;
}

/* One hit, with nothing remembered of the ones before. */
static inline bool detect_from(const struct detectors *d, weir_str text,
			       size_t from, struct detected *hit)
{
	struct detect_walk walk;

	detect_start(&walk, d, text);
	return detect_next(&walk, from, hit);
}

#endif
