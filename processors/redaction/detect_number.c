/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_number.c: payment cards and IBANs: numbers that can be checked.
 */
#include "detect_parts.h"

/* --- payment_card ---------------------------------------------------------------- */

#define CARD_LEAST 13
#define CARD_MOST 19	/* ISO/IEC 7812-1 */

/* Issuers by the first four digits, and how long their numbers are: bit n of
 * `lengths` is n digits.  Lengths that are allowed but that nobody issues are
 * left out: ids of 18 digits are everywhere. */
#define LEN(n) (1u << (n))
#define LEN_16_19 (LEN(16) | LEN(17) | LEN(18) | LEN(19))
#define LEN_MAESTRO (LEN(13) | LEN(15) | LEN(16) | LEN(19))

static const struct issuer {
	uint16_t first, last;
	uint32_t lengths;
} issuers[] = {
	{ 2200, 2204, LEN(16) },				/* Mir */
	{ 2221, 2720, LEN(16) },				/* Mastercard */
	{ 3000, 3059, LEN(14) }, { 3095, 3095, LEN(14) },	/* Diners */
	{ 3400, 3499, LEN(15) },				/* Amex */
	{ 3528, 3589, LEN(16) },				/* JCB */
	{ 3600, 3699, LEN(14) },				/* Diners */
	{ 3700, 3799, LEN(15) },				/* Amex */
	{ 3800, 3999, LEN(14) },				/* Diners */
	{ 4000, 4999, LEN(13) | LEN(16) | LEN(19) },		/* Visa */
	{ 5000, 5099, LEN_MAESTRO },			/* Maestro, Elo, RuPay */
	{ 5100, 5599, LEN(16) },				/* Mastercard */
	{ 5600, 5899, LEN_MAESTRO },				/* Maestro */
	{ 6011, 6011, LEN(16) | LEN(19) },			/* Discover */
	{ 6062, 6062, LEN(16) },				/* Hipercard */
	{ 6200, 6299, LEN_16_19 },				/* UnionPay */
	{ 6304, 6304, LEN_MAESTRO },				/* Maestro */
	{ 6360, 6369, LEN(16) },				/* Elo, Inter */
	{ 6390, 6390, LEN_MAESTRO },				/* Maestro */
	{ 6440, 6599, LEN(16) | LEN(19) },	/* Discover, RuPay, Troy */
	{ 6706, 6709, LEN_16_19 }, { 6759, 6763, LEN_16_19 },	/* Maestro */
	{ 8100, 8299, LEN(16) | LEN(19) },		/* UnionPay, RuPay */
	{ 9792, 9792, LEN(16) },				/* Troy */
};

/* Digits in a row. */
struct group {
	size_t at, end;		/* in the text */
	size_t next;		/* where the next group begins; 0: none does */
	uint8_t by;		/* what is between them: enum between */
	uint8_t sum[2];		/* by ISO/IEC 7812-1 annex B: the last digit
				 * counts once, twice; 0: not known yet */
	bool summed;
};

#define GROUPS 8		/* more than a card has; a power of two */

/* The groups of a run, each read once. */
struct groups {
	struct group ring[GROUPS];
	unsigned first, n;	/* ring[first % GROUPS], n of them */
	size_t before;		/* digits of the group before; 0: none */
	uint8_t by;		/* and what is between */
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

/* What may stand between groups.  Blanks of all kinds and dashes go together,
 * as people type; dots do not: such are floats. */
enum between { BY_NOTHING, BY_BLANKS, BY_DOTS };

#define BLANKS 3	/* " - " */

/* Behind one blank, dash, no-break space, or what they are in URLs; `at` when
 * there is none. */
static size_t skip_between(const struct look *l, size_t at)
{
	char c = at < l->len ? byte_at(l, at) : 0;

	if (c == ' ' || c == '-' || c == '+')
		return at + 1;
	if (c == '\xc2' && has_at(l, at, "\xc2\xa0"))
		return at + 2;
	return c == '%' && has_at(l, at, "%20") ? at + 3 : at;
}

static struct group read_group(const struct look *l, size_t at)
{
	size_t end = run_end(l, at, DIGITS, SIZE_MAX), next = end, behind;
	struct group g = { .at = at, .end = end };

	if (end < l->len && byte_at(l, end) == '.') {
		g.by = BY_DOTS;
		next = end + 1;
	} else {
		g.by = BY_BLANKS;
		for (int i = 0; i < BLANKS; i++) {
			behind = skip_between(l, next);
			if (behind == next)
				break;
			next = behind;
		}
	}
	if (next > end && next < l->len && is_digit(byte_at(l, next)))
		g.next = next;
	else
		g.by = BY_NOTHING;
	return g;
}

/* The i-th group behind the first; NULL: nothing or something else between. */
static struct group *group_at(const struct look *l, struct groups *gs,
			      unsigned i)
{
	struct group *g;

	while (gs->n <= i) {
		g = &gs->ring[(gs->first + gs->n - 1) % GROUPS];
		if (!g->next)
			return NULL;
		gs->ring[(gs->first + gs->n) % GROUPS] =
			read_group(l, g->next);
		gs->n++;
	}
	if (i > 1 && gs->ring[gs->first % GROUPS].by !=
	    gs->ring[(gs->first + i - 1) % GROUPS].by)
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

/* A group of the same size before the first or behind the last one, and between
 * them what is between all: a row of numbers and no card. */
static bool in_row(const struct look *l, struct groups *gs, unsigned n)
{
	const struct group *first = &gs->ring[gs->first % GROUPS];
	const struct group *last = &gs->ring[(gs->first + n - 1) % GROUPS];
	const struct group *next;

	if (gs->by == first->by && gs->before == first->end - first->at)
		return true;
	if (last->by != first->by)
		return false;
	next = group_at(l, gs, n);
	return next && next->end - next->at == last->end - last->at;
}

/* Do the groups have these lengths? */
static bool grouped(const struct look *l, struct groups *gs,
		    const struct grouping *g)
{
	for (unsigned i = 0; i < g->groups; i++) {
		const struct group *at = group_at(l, gs, i);

		if (!at || at->end - at->at != g->group[i])
			return false;
	}
	return !in_row(l, gs, g->groups);
}

/* Where the longest that fits ends; 0: none. */
static size_t card_end(const struct look *l, struct groups *gs)
{
	const struct group *first = &gs->ring[gs->first % GROUPS];
	size_t len = first->end - first->at;
	char separator = first->next ? byte_at(l, first->end) : 0;
	uint32_t lengths = issued(l, first->at);

	if (len >= CARD_LEAST)	/* one group, or something behind it */
		return len <= CARD_MOST && lengths >> len & 1 &&
			luhn(l, gs, 1) &&
			free_behind(l, first->end, separator) ? first->end : 0;
	for (size_t i = 0; lengths && first->next &&
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

/* Is it of what runs of digits consist of, and no digit? */
static bool is_between(char c)
{
	return c == ' ' || c == '-' || c == '+' || c == '.' || c == '%' ||
		c == '\xc2' || c == '\xa0';
}

/* The next group of the run, from `at` on; false: the run is over. */
static bool next_group(const struct look *l, struct groups *gs, size_t at)
{
	const struct group *g = &gs->ring[gs->first % GROUPS];

	gs->before = gs->n && g->next ? g->end - g->at : 0;
	gs->by = gs->n ? g->by : BY_NOTHING;
	if (gs->n > 1) {	/* read already */
		gs->first++;
		gs->n--;
		return true;
	}
	if (gs->n && g->next)
		at = g->next;
	while (at < l->len && is_between(byte_at(l, at)))
		at = has_at(l, at, "%20") ? at + 3 : at + 1;
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

		/* %3D would end the run: %22 and the like before it */
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
#define L(a, b, len) [((a) - 'A') * 26 + (b) - 'A'] = len
static const uint8_t iban_lens[26 * 26] = {
	L('A', 'D', 24), L('A', 'E', 23), L('A', 'L', 28), L('A', 'T', 20),
	L('A', 'Z', 28), L('B', 'A', 20), L('B', 'E', 16), L('B', 'G', 22),
	L('B', 'H', 22), L('B', 'I', 27), L('B', 'R', 29), L('B', 'Y', 28),
	L('C', 'H', 21), L('C', 'R', 22), L('C', 'Y', 28), L('C', 'Z', 24),
	L('D', 'E', 22), L('D', 'J', 27), L('D', 'K', 18), L('D', 'O', 28),
	L('E', 'E', 20), L('E', 'G', 29), L('E', 'S', 24), L('F', 'I', 18),
	L('F', 'K', 18), L('F', 'O', 18), L('F', 'R', 27), L('G', 'B', 22),
	L('G', 'E', 22), L('G', 'I', 23), L('G', 'L', 18), L('G', 'R', 27),
	L('G', 'T', 28), L('H', 'N', 28), L('H', 'R', 21), L('H', 'U', 28),
	L('I', 'E', 22), L('I', 'L', 23), L('I', 'Q', 23), L('I', 'S', 26),
	L('I', 'T', 27), L('J', 'O', 30), L('K', 'W', 30), L('K', 'Z', 20),
	L('L', 'B', 28), L('L', 'C', 32), L('L', 'I', 21), L('L', 'T', 20),
	L('L', 'U', 20), L('L', 'V', 21), L('L', 'Y', 25), L('M', 'C', 27),
	L('M', 'D', 24), L('M', 'E', 22), L('M', 'K', 19), L('M', 'N', 20),
	L('M', 'R', 27), L('M', 'T', 31), L('M', 'U', 30), L('N', 'I', 28),
	L('N', 'L', 18), L('N', 'O', 15), L('O', 'M', 23), L('P', 'K', 24),
	L('P', 'L', 28), L('P', 'S', 29), L('P', 'T', 25), L('Q', 'A', 29),
	L('R', 'O', 24), L('R', 'S', 22), L('R', 'U', 33), L('S', 'A', 24),
	L('S', 'C', 31), L('S', 'D', 18), L('S', 'E', 24), L('S', 'I', 19),
	L('S', 'K', 24), L('S', 'M', 27), L('S', 'O', 23), L('S', 'T', 25),
	L('S', 'V', 28), L('T', 'L', 23), L('T', 'N', 24), L('T', 'R', 26),
	L('U', 'A', 29), L('V', 'A', 22), L('V', 'G', 24), L('X', 'K', 20),
	L('Y', 'E', 30),
};
#undef L

/* ISO 7064 MOD 97-10: so many characters more. */
static bool add_mod97(const struct look *l, size_t at, size_t end,
		      unsigned *rest)
{
	uint64_t n = *rest;

	while (at < end) {
		size_t few = end - at < 8 ? end : at + 8;

		for (; at < few; at++) {
			char c = byte_at(l, at);

			if (is_digit(c))
				n = n * 10 + (uint64_t)(c - '0');
			else if (is_letter(c))
				n = n * 100 + (uint64_t)((c & ~0x20) - 'A') + 10;
			else
				return false;
		}
		n %= 97;
	}
	*rest = (unsigned)n;
	return true;
}

/* Bytes of what stands between groups of four: a blank, a dash, a no-break
 * space. */
static size_t iban_between(const struct look *l, size_t at)
{
	char c = at < l->len ? byte_at(l, at) : 0;

	if (c == ' ' || c == '-')
		return 1;
	return c == '\xc2' && has_at(l, at, "\xc2\xa0") ? 2 : 0;
}

/* Where the number of so many characters ends; those of groups of four may have
 * something between them, and then all have the same.  0: there is none.  The
 * first four count last. */
static size_t iban_end(const struct look *l, size_t at, size_t len)
{
	size_t between = at + 4, gap = iban_between(l, between);
	size_t step = gap ? 4 : len - 4, head = at, left = len - 4;
	unsigned rest = 0;

	at += 4;
	if (l->len - at < left + (left + 3) / 4 * gap)
		return 0;
	while (left) {
		size_t n = left < step ? left : step;

		if (gap && memcmp(l->text + at, l->text + between, gap))
			return 0;
		at += gap;
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
	char a, b;

	(void)t;
	if (last < l->from + 3)
		return false;
	a = byte_at(l, at);
	b = byte_at(l, at + 1);
	if (!is_digit(byte_at(l, last)) || !is_digit(byte_at(l, last - 1)) ||
	    !is_letter(a) || !is_letter(b) || (a & 0x20) != (b & 0x20) ||
	    joined_before(l, at, ALNUM | UNDERSCORE))
		return false;
	len = iban_lens[((a & ~0x20) - 'A') * 26 + (b & ~0x20) - 'A'];
	end = len ? iban_end(l, at, len) : 0;
	return end && !joined_behind(l, end, ALNUM | UNDERSCORE) &&
		found(hit, DETECT_IBAN, at, end);
}
