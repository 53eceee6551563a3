/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_number.c: payment cards and IBANs: numbers that can be checked.
 */
#include "detect_parts.h"

/* --- payment_card ---------------------------------------------------------------- */

#define CARD_LEAST 13
#define CARD_MOST 19	/* ISO/IEC 7812-1 */

/* Issuers by the first four digits, and how long their numbers are: bit n of
 * `lengths` is n digits. */
#define LEN(n) (1u << (n))
#define LEN_16_19 (LEN(16) | LEN(17) | LEN(18) | LEN(19))
#define LEN_14_19 (LEN(14) | LEN(15) | LEN_16_19)
#define LEN_13_19 (LEN(13) | LEN_14_19)

static const struct issuer {
	uint16_t first, last;
	uint32_t lengths;
} issuers[] = {
	{ 2200, 2204, LEN_16_19 },				/* Mir */
	{ 2221, 2720, LEN(16) },				/* Mastercard */
	{ 3000, 3059, LEN_14_19 }, { 3095, 3095, LEN_14_19 },	/* Diners */
	{ 3400, 3499, LEN(15) }, { 3700, 3799, LEN(15) },	/* Amex */
	{ 3528, 3589, LEN_16_19 },				/* JCB */
	{ 3600, 3699, LEN_14_19 }, { 3800, 3999, LEN_14_19 },	/* Diners */
	{ 4000, 4999, LEN(13) | LEN(16) | LEN(18) | LEN(19) },	/* Visa */
	{ 5000, 5099, LEN_13_19 },			/* Maestro, Elo, RuPay */
	{ 5100, 5599, LEN(16) },				/* Mastercard */
	{ 5600, 5899, LEN_13_19 },				/* Maestro */
	{ 6011, 6011, LEN_16_19 },				/* Discover */
	{ 6062, 6062, LEN(16) },				/* Hipercard */
	{ 6200, 6299, LEN_16_19 },				/* UnionPay */
	{ 6304, 6304, LEN_13_19 }, { 6390, 6390, LEN_13_19 },	/* Maestro */
	{ 6360, 6369, LEN_16_19 },				/* Elo, Inter */
	{ 6440, 6599, LEN_16_19 },		/* Discover, RuPay, Troy */
	{ 6706, 6709, LEN_13_19 }, { 6759, 6763, LEN_13_19 },	/* Maestro */
	{ 8100, 8299, LEN_16_19 },			/* UnionPay, RuPay */
	{ 9792, 9792, LEN(16) },				/* Troy */
};

struct card {
	char digit[CARD_MOST];
	size_t end[CARD_MOST];		/* behind it, in the text */
	uint8_t group[CARD_MOST];	/* digits of each group */
	unsigned digits, groups;
	char separator;			/* 0: none */
};

static bool issued(const struct card *c, unsigned len)
{
	unsigned head = 0;

	for (int i = 0; i < 4; i++)
		head = head * 10 + (unsigned)(c->digit[i] - '0');
	for (size_t i = 0; i < sizeof(issuers) / sizeof(*issuers); i++)
		if (head >= issuers[i].first && head <= issuers[i].last)
			return issuers[i].lengths >> len & 1;
	return false;
}

/* ISO/IEC 7812-1 annex B */
static bool luhn(const struct card *c, unsigned len)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < len; i++) {
		unsigned n = (unsigned)(c->digit[len - 1 - i] - '0');

		if (i & 1)
			n = n < 5 ? 2 * n : 2 * n - 9;
		sum += n;
	}
	return sum % 10 == 0;
}

/* As cards are printed and typed. */
static const struct grouping {
	uint8_t groups, digits, group[5];
} groupings[] = {
	{ 5, 19, { 4, 4, 4, 4, 3 } },
	{ 4, 16, { 4, 4, 4, 4 } },
	{ 3, 15, { 4, 6, 5 } },
	{ 3, 14, { 4, 6, 4 } },
	{ 4, 13, { 4, 3, 3, 3 } },
	{ 2, 19, { 6, 13 } },
	{ 2, 16, { 8, 8 } },
};

static bool is_separator(char c)
{
	return c == ' ' || c == '-';
}

/* The digits from `at` on with one separator of one kind between groups, no
 * more than a card has. */
static void read_card(const struct look *l, size_t at, struct card *c)
{
	*c = (struct card){ 0 };
	while (c->digits < CARD_MOST && at < l->len) {
		if (is_digit(l->text[at])) {
			c->groups += !c->groups;
			c->group[c->groups - 1]++;
			c->digit[c->digits] = l->text[at++];
			c->end[c->digits++] = at;
			continue;
		}
		if (!is_separator(l->text[at]) || !c->digits ||
		    (c->separator && l->text[at] != c->separator) ||
		    at + 1 >= l->len || !is_digit(l->text[at + 1]))
			break;
		c->separator = l->text[at++];
		c->groups++;
	}
}

/* What must not surround a card: more of a number, a word, an id. */
static bool free_before(const struct look *l, size_t at)
{
	const char *p = l->text + at;

	if (joined_before(l, at, ALNUM | UNDERSCORE))
		return false;
	if (at < 2)
		return true;
	/* a float; a UUID, an id, a date */
	return !(p[-1] == '.' && is_digit(p[-2])) &&
		!(p[-1] == '-' && is_digit(p[-2]));
}

static bool free_behind(const struct look *l, size_t end, char separator)
{
	const char *p = l->text + end;

	if (joined_behind(l, end, ALNUM | UNDERSCORE))
		return false;
	if (l->len - end < 2 || (p[0] != '.' && p[0] != '-'))
		return true;
	if (p[0] == '-')
		return !is_alnum(p[1]) || separator == ' ';
	return !is_digit(p[1]);
}

static bool is_card(const struct look *l, const struct card *c, unsigned len)
{
	return len >= CARD_LEAST && len <= c->digits && issued(c, len) &&
		luhn(c, len) && free_behind(l, c->end[len - 1], c->separator);
}

/* The longest that fits; 0: none. */
static unsigned card_digits(const struct look *l, const struct card *c)
{
	unsigned first = c->group[0];

	if (first >= CARD_LEAST)	/* one group, or something behind it */
		return is_card(l, c, first) ? first : 0;
	for (size_t i = 0; i < sizeof(groupings) / sizeof(*groupings); i++) {
		const struct grouping *g = &groupings[i];

		if (g->groups <= c->groups &&
		    !memcmp(g->group, c->group, g->groups) &&
		    is_card(l, c, g->digits))
			return g->digits;
	}
	return 0;
}

static bool in_number(char c)
{
	return is_digit(c) || is_separator(c);
}

/* Every number of the run is tried: what is before it may belong to another. */
bool probe_card(const struct look *l, const struct trigger *t, size_t last,
		struct detected *hit)
{
	size_t at = last - (CARD_LEAST - 1);
	struct card c;

	(void)t;
	while (at < l->len && in_number(l->text[at])) {
		size_t end = run_end(l, at, DIGITS, SIZE_MAX);
		unsigned n;

		if (end == at) {
			at++;
			continue;
		}
		/* %20 and the like before it */
		if (at && l->text[at - 1] == '%' && end - at > 2)
			at += 2;
		if (end - at >= 4 && free_before(l, at)) {
			read_card(l, at, &c);
			n = card_digits(l, &c);
			if (n)
				return found(hit, DETECT_PAYMENT_CARD, at,
					     c.end[n - 1]);
		}
		at = end;
	}
	return false;
}

/* --- iban ------------------------------------------------------------------------ */

/* The IBAN registry (ISO 13616): country and length. */
static const struct country {
	char code[3];
	uint8_t len;
} countries[] = {
	{ "AD", 24 }, { "AE", 23 }, { "AL", 28 }, { "AT", 20 }, { "AZ", 28 },
	{ "BA", 20 }, { "BE", 16 }, { "BG", 22 }, { "BH", 22 }, { "BI", 27 },
	{ "BR", 29 }, { "BY", 28 }, { "CH", 21 }, { "CR", 22 }, { "CY", 28 },
	{ "CZ", 24 }, { "DE", 22 }, { "DJ", 27 }, { "DK", 18 }, { "DO", 28 },
	{ "EE", 20 }, { "EG", 29 }, { "ES", 24 }, { "FI", 18 }, { "FK", 18 },
	{ "FO", 18 }, { "FR", 27 }, { "GB", 22 }, { "GE", 22 }, { "GI", 23 },
	{ "GL", 18 }, { "GR", 27 }, { "GT", 28 }, { "HN", 28 }, { "HR", 21 },
	{ "HU", 28 }, { "IE", 22 }, { "IL", 23 }, { "IQ", 23 }, { "IS", 26 },
	{ "IT", 27 }, { "JO", 30 }, { "KW", 30 }, { "KZ", 20 }, { "LB", 28 },
	{ "LC", 32 }, { "LI", 21 }, { "LT", 20 }, { "LU", 20 }, { "LV", 21 },
	{ "LY", 25 }, { "MC", 27 }, { "MD", 24 }, { "ME", 22 }, { "MK", 19 },
	{ "MN", 20 }, { "MR", 27 }, { "MT", 31 }, { "MU", 30 }, { "NI", 28 },
	{ "NL", 18 }, { "NO", 15 }, { "OM", 23 }, { "PK", 24 }, { "PL", 28 },
	{ "PS", 29 }, { "PT", 25 }, { "QA", 29 }, { "RO", 24 }, { "RS", 22 },
	{ "RU", 33 }, { "SA", 24 }, { "SC", 31 }, { "SD", 18 }, { "SE", 24 },
	{ "SI", 19 }, { "SK", 24 }, { "SM", 27 }, { "SO", 23 }, { "ST", 25 },
	{ "SV", 28 }, { "TL", 23 }, { "TN", 24 }, { "TR", 26 }, { "UA", 29 },
	{ "VA", 22 }, { "VG", 24 }, { "XK", 20 }, { "YE", 30 },
};

static size_t iban_len(const char *code)
{
	size_t low = 0, high = sizeof(countries) / sizeof(*countries);

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = memcmp(code, countries[mid].code, 2);

		if (!order)
			return countries[mid].len;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return 0;
}

/* Copies len characters; those of groups of four may have a blank between
 * them, and then all do.  Returns where they end; 0: there are not so many. */
static size_t read_iban(const struct look *l, size_t at, size_t len,
			char iban[34])
{
	bool grouped = at + 4 < l->len && l->text[at + 4] == ' ';

	for (size_t i = 0; i < len; i++, at++) {
		if (grouped && i && i % 4 == 0 &&
		    (at >= l->len || l->text[at++] != ' '))
			return 0;
		if (at >= l->len || !is_of(l->text[at], UPPER | DIGITS))
			return 0;
		iban[i] = l->text[at];
	}
	return at;
}

/* ISO 7064 MOD 97-10, the first four characters last. */
static bool mod97(const char *iban, size_t len)
{
	unsigned rest = 0;

	for (size_t i = 0; i < len; i++) {
		char c = iban[(i + 4) % len];

		if (is_digit(c))
			rest = (rest * 10 + (unsigned)(c - '0')) % 97;
		else
			rest = (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
	}
	return rest == 1;
}

bool probe_iban(const struct look *l, const struct trigger *t, size_t last,
		struct detected *hit)
{
	size_t at = last - 3, len, end;
	char iban[34];

	(void)t;
	if (last < l->from + 3)
		return false;
	len = iban_len(l->text + at);
	if (!len || !is_digit(l->text[last]) || !is_digit(l->text[last - 1]) ||
	    joined_before(l, at, ALNUM | UNDERSCORE))
		return false;
	end = read_iban(l, at, len, iban);
	return end && !joined_behind(l, end, ALNUM | UNDERSCORE) &&
		mod97(iban, len) && found(hit, DETECT_IBAN, at, end);
}
