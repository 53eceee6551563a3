/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numbers.c: text to numbers as Go's strconv reads it (weir/kit/actions.h).
 *
 * Pure.  libc's strtod takes more (blanks, nan(...), hex without exponent), so
 * the grammar is checked here and libc only does the arithmetic.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include <weir/kit/actions.h>

bool weir_parse_int(weir_str text, int64_t *out)
{
	uint64_t limit = INT64_MAX, value = 0;
	bool negative = text.len && text.ptr[0] == '-';
	size_t i = negative || (text.len && text.ptr[0] == '+');

	if (i == text.len)
		return false;
	limit += negative;
	for (; i < text.len; i++) {
		uint64_t digit = (uint64_t)(text.ptr[i] - '0');

		if (digit > 9 || value > (limit - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = (int64_t)(negative ? 0 - value : value);
	return true;
}

/* A reader over the text; underscores are dropped into a copy. */
struct reader {
	weir_str text;
	size_t i;
	char *copy;
	size_t len;
	bool underscores;
};

static char look(const struct reader *r)
{
	return r->i < r->text.len ? r->text.ptr[r->i] : 0;
}

static bool take(struct reader *r, const char *one_of)
{
	char c = look(r);

	if (!c || !strchr(one_of, c))
		return false;
	r->copy[r->len++] = c;
	r->i++;
	return true;
}

/* Digits with underscores between them; how many digits. */
static size_t digits(struct reader *r, const char *alphabet)
{
	size_t n = 0;

	for (;;) {
		if (look(r) == '_') {
			r->underscores = true;
			r->i++;
		} else if (take(r, alphabet)) {
			n++;
		} else {
			return n;
		}
	}
}

/* An underscore stands between two digits, or a base prefix and a digit. */
static bool underscores_ok(weir_str text, bool hex)
{
	for (size_t i = 0; i < text.len; i++) {
		const char *alphabet = hex ? "0123456789abcdefABCDEFxX" :
			"0123456789";

		if (text.ptr[i] != '_')
			continue;
		if (!i || i + 1 == text.len ||
		    !strchr(alphabet, text.ptr[i - 1]) ||
		    !text.ptr[i + 1] || !strchr(alphabet, text.ptr[i + 1]))
			return false;
	}
	return true;
}

/* sign? (decimal | 0x hex) exponent?; hex needs its exponent. */
static bool grammar(struct reader *r)
{
	const char *alphabet = "0123456789";
	bool hex = false;
	size_t n;

	take(r, "+-");
	if (look(r) == '0' && r->i + 1 < r->text.len &&
	    (r->text.ptr[r->i + 1] | 32) == 'x') {
		take(r, "0");
		take(r, "xX");
		hex = true;
		alphabet = "0123456789abcdefABCDEF";
	}
	n = digits(r, alphabet);
	if (take(r, "."))
		n += digits(r, alphabet);
	if (!n)
		return false;
	if (take(r, hex ? "pP" : "eE")) {
		take(r, "+-");
		if (!digits(r, "0123456789"))
			return false;
	} else if (hex) {
		return false;
	}
	return r->i == r->text.len &&
		(!r->underscores || underscores_ok(r->text, hex));
}

static bool special(weir_str text, double *out)
{
	bool sign = text.len && (text.ptr[0] == '-' || text.ptr[0] == '+');
	weir_str word = { text.ptr + sign, text.len - sign };

	if (!sign && text.len == 3 && !strncasecmp(text.ptr, "nan", 3)) {
		const uint64_t nan = 0x7ff8000000000001;	/* Go's */

		memcpy(out, &nan, sizeof(*out));
		return true;
	}
	if ((word.len != 3 || strncasecmp(word.ptr, "inf", 3)) &&
	    (word.len != 8 || strncasecmp(word.ptr, "infinity", 8)))
		return false;
	*out = sign && text.ptr[0] == '-' ? -INFINITY : INFINITY;
	return true;
}

bool weir_parse_double(weir_str text, double *out)
{
	char few[128];
	struct reader r = { .text = text, .copy = few };
	bool ok;

	if (special(text, out))
		return true;
	if (text.len >= sizeof(few))
		r.copy = malloc(text.len + 1);
	ok = r.copy && grammar(&r);
	if (ok) {
		r.copy[r.len] = 0;
		*out = strtod(r.copy, NULL);
		ok = isfinite(*out);	/* too large is a failure */
	}
	if (r.copy != few)
		free(r.copy);
	return ok;
}
