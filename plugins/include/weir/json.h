/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h: JSON text, token by token.
 *
 * A pull scanner over bytes that lie in one piece: strict RFC 8259, no tree, no
 * allocation, no recursion, time linear in the text whatever it holds.  Each
 * token says where it stands in the source, so a value can be cut out or
 * replaced and everything else stays as it was, byte for byte:
 *
 *	struct weir_json json;
 *
 *	weir_json_open(&json, text);
 *	if (weir_json_next(&json) != WEIR_JSON_OBJECT)
 *		return false;
 *	while (weir_json_next(&json) == WEIR_JSON_KEY) {
 *		weir_str key = json.text;
 *
 *		if (!weir_json_skip(&json))	// over the key's value
 *			break;
 *		use(key, json.start, json.end);
 *	}
 *	return weir_json_next(&json) == WEIR_JSON_END;
 *
 * A text is good when END was reached: only white space is left then.  What
 * RFC 8259 leaves open: a text is one value of any type; a name may come
 * twice, and both are shown; numbers have any size; a byte order mark is
 * refused.  Bytes from 0x80 are not looked at: weir_json_utf8_ok tells.
 *
 * Pure: the source is only read, never behind its end, and must outlive the
 * scanner, which lives on the caller's stack and needs no release.  Any thread.
 */
#ifndef WEIR_JSON_H
#define WEIR_JSON_H

#include <weir/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Objects and arrays inside each other; one more is an error, also in what is
 * skipped. */
#define WEIR_JSON_DEPTH 200

enum weir_json_token {
	WEIR_JSON_ERROR,	/* and so is every token after it */
	WEIR_JSON_END,		/* of a good text; again at every call */
	WEIR_JSON_OBJECT,
	WEIR_JSON_OBJECT_END,
	WEIR_JSON_ARRAY,
	WEIR_JSON_ARRAY_END,
	WEIR_JSON_KEY,		/* its colon is passed: a value is next */
	WEIR_JSON_STRING,
	WEIR_JSON_NUMBER,
	WEIR_JSON_TRUE,
	WEIR_JSON_FALSE,
	WEIR_JSON_NULL
};

/* A position in a text.  Read the first part, leave the second alone. */
struct weir_json {
	enum weir_json_token token;	/* what weir_json_next returned */
	/* KEY and STRING: between the quotes, still escaped.  Others: the
	 * token's own characters.  Points into the source. */
	weir_str text;
	/* The token's bytes in the source, quotes included: offsets of its
	 * first byte and behind its last.  ERROR: start is where. */
	size_t start, end;
	bool escaped;		/* KEY and STRING: text holds a backslash */
	uint32_t depth;		/* containers that are open behind the token */
	const char *why;	/* ERROR: a sentence without payload; static */

	const char *source, *at, *limit;
	uint32_t expect;
	bool in_object;
	uint64_t objects[(WEIR_JSON_DEPTH + 63) / 64];	/* a bit per depth */
};

/* Starts at the beginning of text; there is no token yet. */
WEIR_API void weir_json_open(struct weir_json *json, weir_str text);

/* The next token.  Containers give two, members of objects a KEY and what
 * their value gives. */
WEIR_API enum weir_json_token weir_json_next(struct weir_json *json);

/* Passes over one value, checked like any other text.  After KEY its value,
 * after OBJECT or ARRAY all of it; a scalar is behind us already.  Afterwards
 * start and end are the value's and token is the last that was seen: never
 * OBJECT or ARRAY.  False: ERROR. */
WEIR_API bool weir_json_skip(struct weir_json *json);

/* For who reads what it knows by heart faster than token by token: the value
 * that would have come next lies before `end`, an offset in the source, and
 * has been read.  It must have been one whole value of good JSON, or several
 * in an array with commas between them, and a comma in front where one
 * belongs.  Only where a value is next or, in an array, behind one. */
WEIR_API void weir_json_passed(struct weir_json *json, size_t end);

/* How many bytes of text come before the first quote, backslash or control
 * character: what a string may hold as it is. */
WEIR_API size_t weir_json_plain(weir_str text);

/* What a KEY or STRING stands for, written to out, which has room for text.len
 * bytes (escapes only shrink) and may not overlap; returns the bytes written.
 * Half of a surrogate pair becomes U+FFFD, \u0000 the byte 0, bytes from 0x80
 * are copied as they are.  text must be one that the scanner gave. */
WEIR_API size_t weir_json_unescape(weir_str text, char *out);

/* The same, and what is no UTF-8 becomes U+FFFD: out has room for 3 * text.len
 * bytes. */
WEIR_API size_t weir_json_unescape_utf8(weir_str text, char *out);

/* Is text UTF-8 (no surrogates, no over-long forms)? */
WEIR_API bool weir_json_utf8_ok(weir_str text);

/* The value of a NUMBER, exact: false when it has a fraction or an exponent, or
 * does not fit.  -0 is 0. */
WEIR_API bool weir_json_int64(weir_str number, int64_t *value);
WEIR_API bool weir_json_uint64(weir_str number, uint64_t *value);

/* The double nearest to a NUMBER, ties to even, however many digits it has.
 * False when it is too large for one; what is too small is 0. */
WEIR_API bool weir_json_double(weir_str number, double *value);

#ifdef __cplusplus
}
#endif
#endif
