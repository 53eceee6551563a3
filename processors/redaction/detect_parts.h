/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_parts.h: what the files of the detectors share.
 *
 * A trigger is a window of four bytes that every secret of a kind has at a
 * fixed place.  The scan finds bytes that may be such windows, by bucket; a
 * probe then says whether a secret is there and how far it reaches.  A probe
 * reads a bounded number of bytes, or remembers what it read (detect_seen.c):
 * that keeps the whole linear.  With DETECT_STEPS every byte that is looked at
 * is counted; a test bounds the sum.
 */
#ifndef REDACTION_DETECT_PARTS_H
#define REDACTION_DETECT_PARTS_H

#include "detect.h"

#define BIT(detector) (1u << (detector))

#ifdef DETECT_STEPS
extern uint64_t detect_steps;
#define LOOKED(n) (detect_steps += (n))
#else
#define LOOKED(n) ((void)0)
#endif

struct look {
	const char *text;
	size_t len, from;	/* hits begin at or after `from` */
	uint32_t on;
	struct detect_walk *walk;
};

static inline char byte_at(const struct look *l, size_t at)
{
	LOOKED(1);
	return l->text[at];
}

enum alphabet {
	DIGITS = 1 << 0,
	UPPER = 1 << 1,
	LOWER = 1 << 2,
	HEX = 1 << 3,		/* 0-9 a-f */
	UNDERSCORE = 1 << 4,
	DASH = 1 << 5,
	DOT = 1 << 6,
	BASE64 = 1 << 7,	/* + and / */
	TILDE = 1 << 8,
	LOCAL = 1 << 9,		/* of a mailbox, before the @ */
	LABEL = 1 << 10,	/* of a domain */
	MARK = 1 << 11,		/* as passwords have them */
	USER_END = 1 << 12,	/* ends the user and password of a URL */
	VALUE_END = 1 << 13,	/* may end a value without quotes */
	LINE_END = 1 << 14,	/* ends a header, in quotes or not */
	DSN_END = 1 << 15,	/* ends what is before the @ of a DSN */
	ALNUM = DIGITS | UPPER | LOWER,
	BASE64URL = ALNUM | UNDERSCORE | DASH
};

struct trigger;
/* A window of this trigger ends with the byte at `last`. */
typedef bool probe(const struct look *l, const struct trigger *t, size_t last,
		   struct detected *hit);

struct trigger {
	/* Four bytes, or [sets] of them; in the sets a-z is a range.  Letters
	 * of a window that folds stand for both cases. */
	const char *window;
	uint8_t bucket, fold;
	uint8_t back;		/* bytes of the secret or word before it */
	uint32_t on;		/* detectors that want it */
	probe *probe;
	/* Keys: what they begin with, and what follows. */
	const char *prefix;
	uint8_t len;		/* of the prefix; of a name, of its last word */
	uint8_t body;		/* enum stop; of a name enum named */
	uint16_t least, most;	/* bytes of it; most 0: any number */
};
extern const struct trigger detect_triggers[];	/* ends with window NULL */

/* Reads one byte of a window: who may be there.  Returns the rest. */
const char *window_next(const char *window, uint8_t fold, bool may_be[256]);

/* Names that triggers of probe_name look for. */
enum named {
	NAMED_PASSWORD, NAMED_PASSWD, NAMED_PASSPHRASE, NAMED_PWD,
	NAMED_SECRET, NAMED_TOKEN, NAMED_KEY, NAMED_KEY_ID,
	NAMED_AUTHORIZATION, NAMED_AUTH, NAMED_SIGNATURE, NAMED_SIG,
	NAMED_PASS, NAMED_CREDENTIALS, NAMED_COOKIE
};

/* --- Probes ---------------------------------------------------------------------- */

probe probe_email, probe_email_encoded, probe_jwt, probe_private_key;
probe probe_private_base64;
probe probe_iban;
probe probe_url, probe_name, probe_scheme;
probe probe_key, probe_key_openai, probe_key_aws;
/* A run of 13 or more digits and what stands between groups of them; its 13th
 * byte is at `last`. */
probe probe_card;
/* The secret access key beside the id that ends at l->from, if one does. */
bool aws_secret_behind(const struct look *l, struct detected *hit);
/* Is the value that begins at `value`, with its quote, that of a name of a
 * secret?  The window of the trigger, one of probe_name, ends at `last`. */
bool names_value(const struct look *l, const struct trigger *t, size_t last,
		 size_t value);

/* --- Bytes ----------------------------------------------------------------------- */

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static inline bool is_letter(char c)
{
	return is_upper((char)(c & ~0x20));
}

static inline bool is_alnum(char c)
{
	return is_digit(c) || is_letter(c);
}

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The alphabets that a byte belongs to. */
extern const uint16_t detect_class[256];

static inline bool is_of(char c, uint32_t alphabet)
{
	return detect_class[(uint8_t)c] & alphabet;
}

/* Where a run of an alphabet that begins at `at` ends, `most` bytes on at the
 * latest. */
static inline size_t run_end(const struct look *l, size_t at,
			     uint32_t alphabet, size_t most)
{
	size_t end = l->len - at > most ? at + most : l->len;

	while (at < end && is_of(byte_at(l, at), alphabet))
		at++;
	return at;
}

/* Does the text have these bytes at `at`? */
static inline bool has_at(const struct look *l, size_t at, const char *bytes)
{
	size_t n = strlen(bytes);	/* of a literal: known */

	LOOKED(1);
	return at <= l->len && n <= l->len - at &&
		!memcmp(l->text + at, bytes, n);
}

/* word: in small letters */
static inline bool has_bytes_at(const struct look *l, size_t at,
				const char *bytes, size_t n)
{
	LOOKED(1);
	if (at > l->len || n > l->len - at || l->text[at] != *bytes)
		return false;
	for (size_t i = 1; i < n; i++)
		if (byte_at(l, at + i) != bytes[i])
			return false;
	return true;
}

bool has_word_at(const struct look *l, size_t at, const char *word);
/* Is the byte before `at` of the alphabet, and not the end of an escape
 * (\n, %3D, \u003d) that stands for one that is not? */
bool joined_before(const struct look *l, size_t at, uint32_t alphabet);
/* Is the byte at `at` of the alphabet? */
bool joined_behind(const struct look *l, size_t at, uint32_t alphabet);
bool found(struct detected *hit, enum detector what, size_t at, size_t end);

/* --- Remembered (detect_seen.c) -------------------------------------------------- */

/* What a search ends at. */
enum stop {
	NO_BASE64URL, NO_ALNUM, NO_ALNUM_DASH, NO_HEX, NO_ALNUM_UNDERSCORE,
	NO_BASE64URL_DOT, NO_ALNUM_DASH_DOT,	/* bodies of keys */
	NO_AWS, NO_BEARER, NO_BASE64,
	A_DIGIT, AN_UPPER, A_LOWER,
	A_VALUE_END,
	A_QUERY_END,		/* of a value in a query: & ends it */
	AN_ENCODED_END,		/* in one that is encoded: %26 and %22 */
	A_LINE_END, A_DSN_END,
	STOPS
};
_Static_assert(STOPS == DETECT_STOPS, "one each");

/* The first such byte at or after `at`; the limit, if none is before. */
size_t stop_at(const struct look *l, size_t at, size_t limit, enum stop stop);
/* Up to the quote that has no more backslashes before it than the first one;
 * one that is missing: all there is. */
size_t quoted_end(const struct look *l, size_t at, char quote, size_t slashes);
/* Does a value without quotes end before the byte at `at`?  stop: from
 * A_VALUE_END on, what kind of value it is. */
bool ends_value(const struct look *l, size_t at, enum stop stop);
/* Are there 16 letters and digits in a row that are no word? */
bool has_block(const struct look *l, size_t at, size_t end);
static inline bool is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}
/* Does base64 text (either alphabet) say `user:password`? */
bool base64_user(const char *text, size_t len);

#endif
