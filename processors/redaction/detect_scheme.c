/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_scheme.c: secrets behind the name of a scheme, and in addresses.
 *
 * `Bearer x`, `Basic x`, `Token x` and `ApiKey x` as they stand in headers and
 * in prose; the password in a URL and in a DSN.
 */
#include "detect_value.h"

bool hit_value(const struct look *l, enum detector what, struct value *v,
	       struct detected *hit)
{
	if (v->at < l->from)
		v->at = l->from;
	return v->end > v->at && found(hit, what, v->at, v->end);
}

/* --- Schemes --------------------------------------------------------------------- */

/* RFC 6750 2.1 */
static bool bearer(const struct look *l, size_t at, struct detected *hit)
{
	size_t end = stop_at(l, at, l->len, NO_BEARER);
	struct looks k;

	while (end < l->len && byte_at(l, end) == '=')
		end++;
	while (end > at && byte_at(l, end - 1) == '.')
		end--;
	k = looks_of(l, at, end);
	return k.len >= 8 && no_word(&k) && k.lower + k.upper + k.digits >= 8 &&
		found(hit, DETECT_CREDENTIALS, at, end);
}

/* RFC 7617 2 */
static bool basic(const struct look *l, size_t at, struct detected *hit)
{
	size_t end = stop_at(l, at, l->len, NO_BASE64);

	while (end < l->len && byte_at(l, end) == '=')
		end++;
	return base64_user(l->text + at, end - at) &&
		found(hit, DETECT_CREDENTIALS, at, end);
}

bool probe_scheme(const struct look *l, const struct trigger *t, size_t last,
		  struct detected *hit)
{
	size_t begin = last - 3 - t->back, at = begin + t->len;

	if (!has_word_at(l, begin, t->prefix) ||
	    joined_before(l, begin, ALNUM | UNDERSCORE))
		return false;
	if (skip_blanks(l, at) == at)
		return false;
	at = skip_blanks(l, at);
	return t->prefix[1] == 'e' ? bearer(l, at, hit) : basic(l, at, hit);
}

#define SPOKEN 12	/* letters and digits in a row, both among them */

/* Model names have no such piece, hashes and keys do. */
static bool is_spoken(const struct look *l, size_t at, size_t end)
{
	while (at < end) {
		size_t stop = run_end(l, at, ALNUM, end - at);
		bool digit = false, letter = false;

		for (size_t i = at; i < stop; i++) {
			digit |= is_digit(byte_at(l, i));
			letter |= is_letter(byte_at(l, i));
		}
		if (stop - at >= SPOKEN && digit && letter)
			return true;
		at = stop + 1;
	}
	return false;
}

#define SPOKEN_JUDGED 64

/* Token x, ApiKey x, API key x: no sign between, so x must look like it. */
bool probe_spoken(const struct look *l, const struct trigger *t, size_t name,
		  struct detected *hit)
{
	size_t at = skip_blanks(l, name), begin, end, judged;
	bool key = t->body == NAMED_KEY;

	if ((!key && t->body != NAMED_TOKEN) || at == name ||
	    !(l->on & BIT(DETECT_CREDENTIALS)))
		return false;
	begin = name - (key ? 3 : 5);
	if (key) {
		if (begin && (byte_at(l, begin - 1) == ' ' ||
			      is_of(byte_at(l, begin - 1), UNDERSCORE | DASH)))
			begin--;
		if (begin < 3 || !has_word_at(l, begin - 3, "api"))
			return false;
		begin -= 3;
	}
	if (joined_before(l, begin, ALNUM | UNDERSCORE | DASH) ||
	    at < l->from)
		return false;
	judged = run_end(l, at, BASE64URL | DOT | BASE64 | TILDE,
			 SPOKEN_JUDGED);
	if (!is_spoken(l, at, judged))
		return false;
	end = stop_at(l, judged, l->len, NO_BEARER);
	while (end < l->len && byte_at(l, end) == '=')
		end++;
	while (end > at && byte_at(l, end - 1) == '.')
		end--;
	return found(hit, DETECT_CREDENTIALS, at, end);
}

/* --- DSNs ------------------------------------------------------------------------ */

#define DSN_MOST 256	/* bytes of a password with an @ in it */

/* user:password@tcp(host)/db, user:password@/db: the password, which may have an
 * @ in it.  Going back ends at the `@` before. */
static bool dsn(const struct look *l, size_t at, struct detected *hit)
{
	size_t end = stop_at(l, at, at + DSN_MOST, A_DSN_END), begin = at, colon;

	if (end >= l->len || end == at + DSN_MOST || byte_at(l, end) != '@')
		return false;
	while (begin && !is_of(byte_at(l, begin - 1), DSN_END))
		begin--;
	for (colon = begin; colon < at && byte_at(l, colon) != ':'; colon++)
		;
	if (colon == at || colon == begin || colon + 1 == end ||
	    has_at(l, colon, "://") || is_stand_in(l, colon + 1, end, false))
		return false;
	return hit_value(l, DETECT_CREDENTIALS,
			 &(struct value){ .at = colon + 1, .end = end }, hit);
}

/* --- URLs ------------------------------------------------------------------------ */

static bool ends_userinfo(char c)
{
	return is_of(c, USER_END);
}

/* scheme://user:password@host (RFC 3986 3.2.1): the password.  One with an `@`
 * in it reaches up to the last `@` of the authority.  Going back ends at the
 * `@` before, so that no byte is read twice. */
bool probe_url(const struct look *l, const struct trigger *t, size_t last,
	       struct detected *hit)
{
	size_t at = last - 1, begin = at, colon, end = at;

	(void)t;
	if (byte_at(l, last) == '/')
		return dsn(l, at, hit);
	if (!is_alnum(byte_at(l, last)) && byte_at(l, last) != '[')
		return false;
	while (begin && !ends_userinfo(byte_at(l, begin - 1)) &&
	       byte_at(l, begin - 1) != '@')
		begin--;
	if (begin < 3 || !has_at(l, begin - 3, "://"))
		return dsn(l, at, hit);
	for (colon = begin; colon < at && byte_at(l, colon) != ':'; colon++)
		;
	if (colon == at)
		return false;
	for (size_t i = at; i < l->len && !ends_userinfo(byte_at(l, i)) &&
	     byte_at(l, i) != ',' && byte_at(l, i) != '\''; i++)
		if (byte_at(l, i) == '@' && i + 1 < l->len &&
		    (is_alnum(byte_at(l, i + 1)) || byte_at(l, i + 1) == '['))
			end = i;
	if (colon + 1 == end || is_stand_in(l, colon + 1, end, false))
		return false;
	return hit_value(l, DETECT_CREDENTIALS,
			 &(struct value){ .at = colon + 1, .end = end }, hit);
}
