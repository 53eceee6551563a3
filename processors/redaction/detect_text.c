/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_text.c: mailboxes, JSON Web Tokens, private keys; and what all probes
 * ask about a text.
 */
#include "detect_parts.h"

/* --- What all ask ---------------------------------------------------------------- */

#define LOCAL_LABEL (LOCAL | LABEL)

/* VALUE_END, LINE_END and DSN_END: ends_value() is asked, too. */
const uint16_t detect_class[256] = {
	[0 ... '\b'] = VALUE_END | DSN_END,
	['\t'] = USER_END | VALUE_END | DSN_END,
	['\n'] = USER_END | VALUE_END | DSN_END | LINE_END,
	['\v' ... '\f'] = VALUE_END | DSN_END,
	['\r'] = USER_END | VALUE_END | DSN_END | LINE_END,
	[0x0e ... 0x1f] = VALUE_END | DSN_END,
	[' '] = USER_END | VALUE_END | DSN_END,
	['0' ... '9'] = DIGITS | HEX | LOCAL_LABEL,
	['A' ... 'Z'] = UPPER | LOCAL_LABEL,
	['a' ... 'f'] = LOWER | HEX | LOCAL_LABEL,
	['g' ... 'z'] = LOWER | LOCAL_LABEL,
	[0x80 ... 0xff] = LOCAL_LABEL,
	['_'] = UNDERSCORE | LOCAL, ['-'] = DASH | LOCAL_LABEL, ['.'] = DOT | LOCAL,
	['~'] = TILDE | MARK, ['+'] = BASE64 | LOCAL | MARK,
	['/'] = BASE64 | USER_END, ['%'] = LOCAL | MARK | VALUE_END,
	['!'] = MARK, ['@'] = MARK | DSN_END, ['#'] = MARK | USER_END, ['$'] = MARK,
	['^'] = MARK, ['*'] = MARK, ['='] = MARK, ['?'] = USER_END,
	['"'] = USER_END | VALUE_END | DSN_END | LINE_END,
	['\''] = VALUE_END | DSN_END | LINE_END,
	['`'] = USER_END | VALUE_END | DSN_END | LINE_END,
	['\\'] = USER_END | VALUE_END | LINE_END,
	['<'] = USER_END | VALUE_END, ['>'] = USER_END | VALUE_END,
	['&'] = VALUE_END, [';'] = VALUE_END, [','] = VALUE_END,
	[')'] = VALUE_END, [']'] = VALUE_END, ['}'] = VALUE_END,
	['|'] = VALUE_END,
};

bool has_word_at(const struct look *l, size_t at, const char *word)
{
	for (; *word; word++, at++) {
		char c = at < l->len ? byte_at(l, at) : 0;

		if ((is_upper(c) ? c | 0x20 : c) != *word)
			return false;
	}
	return true;
}

static bool is_hex(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static unsigned hex_value(const char *two)
{
	unsigned value = 0;

	for (int i = 0; i < 2; i++)
		value = value << 4 | (is_digit(two[i]) ? two[i] - '0' :
				      (two[i] | 0x20) - 'a' + 10);
	return value;
}

/* Does an escape of what is no part of a word end before `at`? */
static bool escape_before(const struct look *l, size_t at)
{
	const char *p = l->text + at;

	if (at < 2)
		return false;
	if (p[-2] == '\\')
		return p[-1] && strchr("nrtbf", p[-1]);
	if (at < 3 || !is_hex(p[-1]) || !is_hex(p[-2]))
		return false;
	if (p[-3] != '%' && (at < 6 || memcmp(p - 6, "\\u00", 4)))
		return false;
	return !is_of((char)hex_value(p - 2), BASE64URL | DOT);
}

bool joined_before(const struct look *l, size_t at, uint32_t alphabet)
{
	return at && is_of(byte_at(l, at - 1), alphabet) && !escape_before(l, at);
}

bool joined_behind(const struct look *l, size_t at, uint32_t alphabet)
{
	return at < l->len && is_of(byte_at(l, at), alphabet);
}

/* What is before l->from has been told already. */
bool found(struct detected *hit, enum detector what, size_t at, size_t end)
{
	*hit = (struct detected){ at, end - at, what };
	return end > at;
}

/* --- email ----------------------------------------------------------------------- */

/* RFC 5321 4.1.2 as it is used: no quoted local parts, no address literals.
 * What of atext more often ends something else than belongs to a mailbox
 * (`=`, `/`, `?`, ...) does not count.  RFC 6531: UTF-8 may be in both. */
static size_t local_begin(const struct look *l, size_t at)
{
	size_t begin = at, least = at > 64 ? at - 64 : 0;	/* 4.5.3.1.1 */

	if (least < l->from)
		least = l->from;
	while (begin > least) {
		char c = byte_at(l, begin - 1);

		if (c == '\'' && begin - 1 > least &&
		    is_alnum(byte_at(l, begin - 2)) && begin < at)
			begin--;
		else if (!is_of(c, LOCAL) || escape_before(l, begin))
			break;
		else
			begin--;
	}
	while (begin < at && !is_alnum(byte_at(l, begin)) &&
	       byte_at(l, begin) != '_' && (uint8_t)byte_at(l, begin) < 0x80)
		begin++;
	return begin;
}

struct domain {
	size_t end;		/* at or before where it began: none */
	size_t top;		/* where its last label begins */
	unsigned dots;
};

static struct domain domain_at(const struct look *l, size_t at)
{
	size_t most = l->len - at > 255 ? at + 255 : l->len;	/* 4.5.3.1.2 */
	struct domain d = { at, at, 0 };

	for (size_t i = at; i < most; i++) {
		char c = byte_at(l, i);

		if (c == '.' && i > at && d.end == i && i + 1 < most &&
		    is_of(byte_at(l, i + 1), LABEL) &&
		    byte_at(l, i + 1) != '-') {
			d.top = i + 1;
			d.dots++;
		} else if (!is_of(c, LABEL)) {
			break;
		}
		if (c != '-')
			d.end = i + 1;
	}
	return d;
}

/* Names behind the last dot that belong to files and units. */
static bool is_file(const struct look *l, const struct domain *d)
{
	static const char *const ends[8][6] = {	/* by their length */
		[2] = { "js", "ts" },
		[3] = { "css", "gif", "jpg", "png", "svg", "yml" },
		[4] = { "html", "jpeg", "json", "webp", "yaml" },
		[5] = { "mount", "slice", "timer" },
		[6] = { "socket", "target" },
		[7] = { "service" },
	};
	size_t len = d->end - d->top;

	for (size_t i = 0; len < 8 && i < 6 && ends[len][i]; i++)
		if (has_word_at(l, d->top, ends[len][i]))
			return true;
	return false;
}

/* Letters only, two at least, or an IDN's. */
static bool is_top(const struct look *l, const struct domain *d)
{
	if (has_word_at(l, d->top, "xn--"))
		return d->end - d->top > 4;
	for (size_t i = d->top; i < d->end; i++)
		if (!is_letter(byte_at(l, i)) && (uint8_t)byte_at(l, i) < 0x80)
			return false;
	return d->end - d->top >= 2;
}

/* git@host:path, git@host/path: where a repository is, not who. */
static bool is_repository(const struct look *l, size_t begin, size_t at,
			  size_t end)
{
	return at - begin == 3 && has_at(l, begin, "git") && end < l->len &&
		(byte_at(l, end) == ':' || byte_at(l, end) == '/');
}

static bool mailbox(const struct look *l, size_t at, size_t host,
		    struct detected *hit)
{
	size_t begin = local_begin(l, at);
	struct domain d;

	if (begin >= at || byte_at(l, at - 1) == '.' || byte_at(l, host) == '-')
		return false;
	d = domain_at(l, host);
	if (!d.dots || !is_top(l, &d) || is_file(l, &d) ||
	    is_repository(l, begin, at, d.end))
		return false;
	return found(hit, DETECT_EMAIL, begin, d.end);
}

bool probe_email(const struct look *l, const struct trigger *t, size_t last,
		 struct detected *hit)
{
	(void)t;
	return mailbox(l, last - 1, last, hit);
}

/* name%40host.example, in a query */
bool probe_email_encoded(const struct look *l, const struct trigger *t,
			 size_t last, struct detected *hit)
{
	(void)t;
	return mailbox(l, last - 3, last, hit);
}

/* --- jwt ------------------------------------------------------------------------- */

/* RFC 7515 3.1, RFC 7516 3.1: three or five parts.  {" in base64url is eyJ or
 * eyI; with a claims set behind it the signature may be missing: alg none, or
 * a text cut short. */
bool probe_jwt(const struct look *l, const struct trigger *t, size_t last,
	       struct detected *hit)
{
	size_t at = last - 3, end, part;
	unsigned parts = 1;
	bool claims;

	(void)t;
	if (at < l->from || joined_before(l, at, BASE64URL))
		return false;
	end = stop_at(l, at, l->len, NO_BASE64URL);
	if (end - at < 10 || end >= l->len || byte_at(l, end) != '.')
		return false;
	claims = has_at(l, end + 1, "eyJ");
	while (parts < 5 && end < l->len && byte_at(l, end) == '.') {
		part = stop_at(l, end + 1, l->len, NO_BASE64URL);
		/* The second part of a JWE may be empty (dir). */
		if (part - end - 1 < 4 && !(parts == 1 && part < l->len &&
					    byte_at(l, part) == '.'))
			break;
		end = part;
		parts++;
	}
	if (parts < 3 && !(claims && parts == 2))
		return false;
	if (parts == 2 && end < l->len && byte_at(l, end) == '.' &&
	    run_end(l, end + 1, BASE64URL, 1) == end + 1)
		end++;		/* alg none: an empty third part */
	return found(hit, DETECT_JWT, at, end);
}

/* --- private_key ----------------------------------------------------------------- */

/* A blank of a label, as it is in forms and URLs; `at` when there is none. */
static size_t label_blank(const struct look *l, size_t at)
{
	char c = at < l->len ? byte_at(l, at) : 0;

	if (c == ' ' || c == '+')
		return at + 1;
	return c == '%' && has_at(l, at, "%20") ? at + 3 : at;
}

/* Behind "PRIVATE KEY"; `at` when it is not there. */
static size_t key_word(const struct look *l, size_t at)
{
	size_t blank = at + 7, word;

	if (!has_at(l, at, "PRIVATE"))
		return at;
	word = label_blank(l, blank);
	return word > blank && has_at(l, word, "KEY") ? word + 3 : at;
}

/* RFC 7468 2: "-----BEGIN " label "-----", up to the END of a private key or
 * that of the text. */
static size_t label_end(const struct look *l, size_t at)
{
	size_t word = at, end, blank;

	for (;;) {
		end = key_word(l, word);
		if (end > word)
			break;
		end = run_end(l, word, UPPER | DIGITS, 64);
		blank = label_blank(l, end);
		if (end - at > 64 || end == word || blank == end)
			return 0;
		word = blank;
	}
	blank = label_blank(l, end);
	if (blank > end && has_at(l, blank, "BLOCK"))	/* OpenPGP */
		end = blank + 5;
	return has_at(l, end, "-----") ? end + 5 : 0;
}

static size_t block_end(const struct look *l, size_t at)
{
	static const char end[] = "-----END";
	const char *p = l->text + at, *limit = l->text + l->len;

	while ((p = memmem(p, (size_t)(limit - p), end, sizeof(end) - 1))) {
		size_t label, behind = 0;

		p += sizeof(end) - 1;
		label = label_blank(l, (size_t)(p - l->text));
		if (label > (size_t)(p - l->text))
			behind = label_end(l, label);
		if (behind)
			return behind;
	}
	return l->len;
}

bool probe_private_key(const struct look *l, const struct trigger *t,
		       size_t last, struct detected *hit)
{
	size_t blank = last + 3, label, begin = last - 7, behind;

	(void)t;
	if (last < 7 || begin < l->from || !has_at(l, begin, "-----BEGIN"))
		return false;
	label = label_blank(l, blank);
	behind = label > blank ? label_end(l, label) : 0;
	return behind && found(hit, DETECT_PRIVATE_KEY, begin,
			       block_end(l, behind));
}

/* --- base64 ---------------------------------------------------------------------- */

static int base64_bits(char c)
{
	if (is_upper(c))
		return c - 'A';
	if (is_letter(c))
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

#define PEM_HEAD 64	/* of base64: the longest label that is private */
/* Bytes of a line where base64 is put into lines. */
static bool is_line(size_t len)
{
	return len == 64 || len == 76;
}

/* Does it begin with what a PEM block of a private key begins with? */
static bool encodes_private_key(const struct look *l, size_t at)
{
	char head[PEM_HEAD / 4 * 3];
	size_t end = run_end(l, at, ALNUM | BASE64 | UNDERSCORE | DASH,
			     PEM_HEAD), n = 0;
	uint32_t bits = 0;

	for (size_t i = at; i < end; i++) {
		bits = bits << 6 | (uint32_t)base64_bits(byte_at(l, i));
		if ((i - at) % 4 != 3)
			continue;
		head[n++] = (char)(bits >> 16);
		head[n++] = (char)(bits >> 8);
		head[n++] = (char)bits;
	}
	return memmem(head, n, "PRIVATE KEY", 11);
}

/* Behind the end of a line, escaped or not; `at` when there is none. */
static size_t next_line(const struct look *l, size_t at)
{
	if (at < l->len && byte_at(l, at) == '\r')
		at++;
	if (at < l->len && byte_at(l, at) == '\n')
		return at + 1;
	return has_at(l, at, "\\n") ? at + 2 : at;
}

bool probe_private_base64(const struct look *l, const struct trigger *t,
			  size_t last, struct detected *hit)
{
	size_t begin = last - 3, line = begin, end, next;

	(void)t;
	if (begin < l->from || !has_at(l, begin, "LS0tLS1CRUdJTi") ||
	    joined_before(l, begin, ALNUM | BASE64) ||
	    !encodes_private_key(l, begin))
		return false;
	for (;;) {
		end = stop_at(l, line, l->len, NO_BASE64);
		next = next_line(l, end);
		if (!is_line(end - line) || next == end || next >= l->len ||
		    !is_of(byte_at(l, next), BASE64URL | BASE64))
			break;
		line = next;
	}
	while (end < l->len && byte_at(l, end) == '=')
		end++;
	return found(hit, DETECT_PRIVATE_KEY, begin, end);
}

/* Bytes that must follow in a character of UTF-8 that begins with c; false: none
 * begins with it, or it is a control character. */
static bool begins_character(uint8_t c, unsigned *more)
{
	*more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2;
	return c >= 0xc2 ? c < 0xf5 : c >= 0x20 && c < 0x7f;
}

/* What the decoded bytes may still be. */
struct user {
	bool utf8, latin1, colon;
	unsigned more;		/* bytes of a character of UTF-8 to come */
	size_t high, all;	/* bytes: from 0x80 on; of any kind */
};

static void add_byte(struct user *u, uint8_t c)
{
	u->colon |= c == ':';
	u->all++;
	u->high += c >= 0x80;
	/* the user's name is mostly in ASCII */
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x80 && !u->colon))
		u->latin1 = false;
	if (u->more && (c & 0xc0) == 0x80)
		u->more--;
	else if (u->more || !begins_character(c, &u->more))
		u->utf8 = false;
}

/* RFC 7617 2: UTF-8 without control characters, or ISO 8859-1 as clients before
 * it sent; a colon. */
bool base64_user(const char *text, size_t len)
{
	struct user u = { .utf8 = true, .latin1 = true };
	uint32_t bits = 0;

	while (len && text[len - 1] == '=')
		len--;
	if (len < 4 || len % 4 == 1)
		return false;
	for (size_t i = 0; i < len && (u.utf8 || u.latin1); i++) {
		int six = (LOOKED(1), base64_bits(text[i]));

		if (six < 0)
			return false;
		bits = bits << 6 | (uint32_t)six;
		if (i % 4)
			add_byte(&u, (uint8_t)(bits >> (6 - 2 * (i % 4))));
	}
	return u.colon && (u.utf8 || (u.latin1 && 2 * u.high < u.all));
}
