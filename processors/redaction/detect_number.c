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
	{ 3400, 3499, LEN(15) },				/* Amex */
	{ 3528, 3589, LEN_16_19 },				/* JCB */
	{ 3600, 3699, LEN_14_19 },				/* Diners */
	{ 3700, 3799, LEN(15) },				/* Amex */
	{ 3800, 3999, LEN_14_19 },				/* Diners */
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

/* Digits in a row. */
struct group {
	size_t at, end;		/* in the text */
	bool more;		/* a separator and a digit behind it */
	uint8_t sum[2];		/* by ISO/IEC 7812-1 annex B: the last digit
				 * counts once, twice; 0: not known yet */
	bool summed;
};

#define GROUPS 8		/* more than a card has; a power of two */

/* The groups of a run, each read once. */
struct groups {
	struct group ring[GROUPS];
	unsigned first, n;	/* ring[first % GROUPS], n of them */
};

/* Which lengths have the numbers that begin so? */
static uint32_t issued(const struct look *l, size_t at)
{
	size_t low = 0, high = sizeof(issuers) / sizeof(*issuers);
	unsigned head = 0;

	for (int i = 0; i < 4; i++)
		head = head * 10 + (unsigned)(byte_at(l, at + i) - '0');
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (head < issuers[mid].first)
			high = mid;
		else if (head > issuers[mid].last)
			low = mid + 1;
		else
			return issuers[mid].lengths;
	}
	return 0;
}

static void sum_group(const struct look *l, struct group *g)
{
	static const uint8_t twice[10] = { 0, 2, 4, 6, 8, 1, 3, 5, 7, 9 };
	unsigned sum[2] = { 0, 0 }, odd = 0;

	for (size_t i = g->end; i-- > g->at; odd ^= 1) {
		unsigned n = (unsigned)(byte_at(l, i) - '0');

		sum[odd] += n;
		sum[!odd] += twice[n];
	}
	g->sum[0] = (uint8_t)sum[0];
	g->sum[1] = (uint8_t)sum[1];
	g->summed = true;
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

static struct group read_group(const struct look *l, size_t at)
{
	size_t end = run_end(l, at, DIGITS, SIZE_MAX);

	return (struct group){ .at = at, .end = end,
		.more = l->len - end > 1 && is_separator(byte_at(l, end)) &&
			is_digit(byte_at(l, end + 1)) };
}

/* The i-th group behind the first; NULL: no separator, or another one. */
static struct group *group_at(const struct look *l, struct groups *gs,
			      unsigned i)
{
	struct group *g;

	while (gs->n <= i) {
		g = &gs->ring[(gs->first + gs->n - 1) % GROUPS];
		if (!g->more)
			return NULL;
		gs->ring[(gs->first + gs->n) % GROUPS] =
			read_group(l, g->end + 1);
		gs->n++;
	}
	if (i > 1 && byte_at(l, gs->ring[gs->first % GROUPS].end) !=
	    byte_at(l, gs->ring[(gs->first + i - 1) % GROUPS].end))
		return NULL;
	return &gs->ring[(gs->first + i) % GROUPS];
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

static bool luhn(const struct look *l, struct groups *gs, unsigned n)
{
	unsigned sum = 0, odd = 0;

	while (n--) {
		struct group *g = &gs->ring[(gs->first + n) % GROUPS];

		if (!g->summed)
			sum_group(l, g);
		sum += g->sum[odd];
		odd ^= (g->end - g->at) & 1;
	}
	return sum % 10 == 0;
}

/* Do the groups have these lengths?  The last may have more behind it. */
static bool grouped(const struct look *l, struct groups *gs,
		    const struct grouping *g)
{
	for (unsigned i = 0; i < g->groups; i++) {
		const struct group *at = group_at(l, gs, i);

		if (!at || at->end - at->at != g->group[i])
			return false;
	}
	return true;
}

/* Where the longest that fits ends; 0: none. */
static size_t card_end(const struct look *l, struct groups *gs)
{
	const struct group *first = &gs->ring[gs->first % GROUPS];
	size_t len = first->end - first->at;
	char separator = first->more ? byte_at(l, first->end) : 0;
	uint32_t lengths = issued(l, first->at);

	if (len >= CARD_LEAST)	/* one group, or something behind it */
		return len <= CARD_MOST && lengths >> len & 1 &&
			luhn(l, gs, 1) &&
			free_behind(l, first->end, separator) ? first->end : 0;
	for (size_t i = 0; lengths && first->more &&
	     i < sizeof(groupings) / sizeof(*groupings); i++) {
		const struct grouping *g = &groupings[i];
		size_t end;

		if (!(lengths >> g->digits & 1) || !grouped(l, gs, g) ||
		    !luhn(l, gs, g->groups))
			continue;
		end = group_at(l, gs, g->groups - 1)->end;
		if (free_behind(l, end, separator))
			return end;
	}
	return 0;
}

/* The next group of the run, from `at` on; false: the run is over. */
static bool next_group(const struct look *l, struct groups *gs, size_t at)
{
	if (gs->n > 1) {	/* read already */
		gs->first++;
		gs->n--;
		return true;
	}
	while (at < l->len && is_separator(byte_at(l, at)))
		at++;
	if (at >= l->len || !is_digit(byte_at(l, at)))
		return false;
	gs->ring[gs->first % GROUPS] = read_group(l, at);
	gs->n = 1;
	return true;
}

/* Every number of the run is tried: what is before it may belong to another. */
bool probe_card(const struct look *l, const struct trigger *t, size_t last,
		struct detected *hit)
{
	size_t at = last - (CARD_LEAST - 1);
	struct groups gs = { .n = 0 };

	(void)t;
	while (next_group(l, &gs, at)) {
		struct group *g = &gs.ring[gs.first % GROUPS];
		size_t end;

		/* %20 and the like before it */
		if (g->at && byte_at(l, g->at - 1) == '%' && g->end - g->at > 2)
			g->at += 2;
		if (g->end - g->at >= 4 && free_before(l, g->at)) {
			end = card_end(l, &gs);
			if (end)
				return found(hit, DETECT_PAYMENT_CARD, g->at,
					     end);
		}
		at = g->end;
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

/* ISO 7064 MOD 97-10: so many characters more. */
static bool add_mod97(const struct look *l, size_t at, size_t end,
		      unsigned *rest)
{
	uint64_t n = *rest;

	for (; at < end; at++) {
		char c = byte_at(l, at);

		if (is_digit(c))
			n = n * 10 + (uint64_t)(c - '0');
		else if (is_upper(c))
			n = n * 100 + (uint64_t)(c - 'A') + 10;
		else
			return false;
		if (n > UINT64_MAX / 200)
			n %= 97;
	}
	*rest = (unsigned)(n % 97);
	return true;
}

/* Where the number of so many characters ends; those of groups of four may have
 * a blank between them, and then all do.  0: there is none.  The first four
 * count last. */
static size_t iban_end(const struct look *l, size_t at, size_t len)
{
	bool grouped = l->len - at > 4 && byte_at(l, at + 4) == ' ';
	size_t step = grouped ? 4 : len - 4, head = at, left = len - 4;
	unsigned rest = 0;

	at += 4;
	if (l->len - at < left + (grouped ? (left + 3) / 4 : 0))
		return 0;
	while (left) {
		size_t n = left < step ? left : step;

		if (grouped && byte_at(l, at++) != ' ')
			return 0;
		if (!add_mod97(l, at, at + n, &rest))
			return 0;
		at += n;
		left -= n;
	}
	return add_mod97(l, head, head + 4, &rest) && rest == 1 ? at : 0;
}

bool probe_iban(const struct look *l, const struct trigger *t, size_t last,
		struct detected *hit)
{
	size_t at = last - 3, len, end;

	(void)t;
	if (last < l->from + 3)
		return false;
	if (!is_digit(byte_at(l, last)) || !is_digit(byte_at(l, last - 1)) ||
	    joined_before(l, at, ALNUM | UNDERSCORE))
		return false;
	len = iban_len(l->text + at);
	end = len ? iban_end(l, at, len) : 0;
	return end && !joined_behind(l, end, ALNUM | UNDERSCORE) &&
		found(hit, DETECT_IBAN, at, end);
}
