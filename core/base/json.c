/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c: the JSON scanner (weir/json.h): which token comes next, and where.
 *
 * Four expectations and a bit per open container are all that is remembered;
 * they are in the caller's struct.  Holds nothing itself.  Must never read at
 * or behind the limit, recurse, allocate, or look at a byte more than a fixed
 * number of times.
 */
#include <weir/json.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define always_inline inline __attribute__((always_inline))

enum expect {
	EXPECT_VALUE,
	EXPECT_FIRST_KEY,	/* or the end of the object */
	EXPECT_FIRST_ELEMENT,	/* or the end of the array */
	EXPECT_MORE,		/* a comma, or the end of the container */
	EXPECT_NOTHING,		/* the text's one value is behind us */
	EXPECT_FAILED
};

void weir_json_open(struct weir_json *json, weir_str text)
{
	/* The bits are written before they are read. */
	memset(json, 0, offsetof(struct weir_json, objects));
	json->source = json->at = text.len ? text.ptr : "";
	json->limit = json->source + text.len;
	json->expect = EXPECT_VALUE;
}

static __attribute__((cold, noinline)) enum weir_json_token
fail(struct weir_json *json, const char *at, const char *why)
{
	json->token = WEIR_JSON_ERROR;
	json->why = at < json->limit ? why : "the text ends too early";
	json->start = json->end = (size_t)(at - json->source);
	json->text = (weir_str){ at, 0 };
	json->escaped = false;
	json->expect = EXPECT_FAILED;
	return WEIR_JSON_ERROR;
}

/* RFC 8259 2: space, tab, line feed, carriage return. */
static inline bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static __attribute__((noinline)) const char *
pass_blanks(const char *p, const char *limit)
{
#ifdef __SSE2__
	const __m128i space = _mm_set1_epi8(' '), tab = _mm_set1_epi8('\t');
	const __m128i feed = _mm_set1_epi8('\n'), ret = _mm_set1_epi8('\r');

	for (; limit - p >= 16; p += 16) {	/* indented texts */
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i blank = _mm_or_si128(
			_mm_or_si128(_mm_cmpeq_epi8(v, space),
				     _mm_cmpeq_epi8(v, tab)),
			_mm_or_si128(_mm_cmpeq_epi8(v, feed),
				     _mm_cmpeq_epi8(v, ret)));
		unsigned other = ~(unsigned)_mm_movemask_epi8(blank) & 0xffff;

		if (other)
			return p + __builtin_ctz(other);
	}
#endif
	while (p < limit && is_blank(*p))
		p++;
	return p;
}

static always_inline const char *blanks(const char *p, const char *limit)
{
	if (likely(p < limit && (unsigned char)*p > ' '))
		return p;
	return pass_blanks(p, limit);
}

/* --- Strings ------------------------------------------------------------ */

/* The first quote, backslash or control character from p on, or limit. */
static always_inline const char *pass_plain(const char *p, const char *limit)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
	const __m128i control = _mm_set1_epi8(0x1f);

	for (; likely(limit - p >= 16); p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i hit = _mm_or_si128(
			_mm_or_si128(_mm_cmpeq_epi8(v, quote),
				     _mm_cmpeq_epi8(v, slash)),
			_mm_cmpeq_epi8(_mm_min_epu8(v, control), v));
		unsigned mask = (unsigned)_mm_movemask_epi8(hit);

		if (mask)
			return p + __builtin_ctz(mask);
	}
#endif
	while (p < limit && *p != '"' && *p != '\\' && (unsigned char)*p > 0x1f)
		p++;
	return p;
}

static inline bool is_hex(char c)
{
	return (unsigned)(c - '0') < 10 || (unsigned)((c | 32) - 'a') < 6;
}

/* p stands behind a backslash; behind what it escapes, or NULL: failed. */
static __attribute__((noinline)) const char *
pass_escape(struct weir_json *json, const char *p)
{
	const char *limit = json->limit;

	json->escaped = true;
	if (p < limit && *p && strchr("\"\\/bfnrt", *p))
		return p + 1;
	if (p < limit && *p == 'u') {
		int digits = 0;

		while (++p < limit && is_hex(*p))
			if (++digits == 4)
				return p + 1;
	}
	fail(json, p, "bad escape in a string");
	return NULL;
}

/* open: the opening quote.  Behind the closing one; NULL: failed. */
static always_inline const char *string(struct weir_json *json,
					const char *open)
{
	const char *limit = json->limit, *p = open + 1;

	json->escaped = false;
	for (;;) {
		p = pass_plain(p, limit);
		if (likely(p < limit && *p == '"'))
			break;
		if (p == limit || *p != '\\') {
			fail(json, p, "control character in a string");
			return NULL;
		}
		p = pass_escape(json, p + 1);
		if (!p)
			return NULL;
	}
	json->text = (weir_str){ open + 1, (size_t)(p - open - 1) };
	json->start = (size_t)(open - json->source);
	json->end = (size_t)(p + 1 - json->source);
	return p + 1;
}

static always_inline enum weir_json_token key(struct weir_json *json,
					      const char *p)
{
	if (unlikely(p == json->limit || *p != '"'))
		return fail(json, p, "a name in quotes is missing");
	p = string(json, p);
	if (unlikely(!p))
		return WEIR_JSON_ERROR;
	p = blanks(p, json->limit);
	if (unlikely(p == json->limit || *p != ':'))
		return fail(json, p, "a colon is missing");
	json->at = p + 1;
	json->expect = EXPECT_VALUE;
	return json->token = WEIR_JSON_KEY;
}

/* --- Other scalars ------------------------------------------------------ */

static inline const char *pass_digits(const char *p, const char *limit)
{
	while (p < limit && (unsigned)(*p - '0') < 10)
		p++;
	return p;
}

/* RFC 8259 6.  Behind the number, or NULL and in *bad what does not belong. */
static const char *pass_number(const char *p, const char *limit,
			       const char **bad)
{
	const char *first;

	p += *p == '-';
	first = p;
	p = pass_digits(p, limit);
	if (p == first || (*first == '0' && p - first > 1)) {
		*bad = p == first ? p : first + 1;
		return NULL;
	}
	if (p < limit && *p == '.') {
		first = p + 1;
		p = pass_digits(first, limit);
		*bad = p;
		if (p == first)
			return NULL;
	}
	if (p < limit && (*p | 32) == 'e') {
		p++;
		if (p < limit && (*p == '+' || *p == '-'))
			p++;
		first = p;
		p = pass_digits(first, limit);
		*bad = p;
		if (p == first)
			return NULL;
	}
	return p;
}

static always_inline enum weir_json_token
scalar(struct weir_json *json, const char *from, const char *to,
       enum weir_json_token token)
{
	json->text = (weir_str){ from, (size_t)(to - from) };
	json->start = (size_t)(from - json->source);
	json->end = (size_t)(to - json->source);
	json->escaped = false;
	json->at = to;
	json->expect = json->depth ? EXPECT_MORE : EXPECT_NOTHING;
	return json->token = token;
}

static enum weir_json_token word(struct weir_json *json, const char *p,
				 const char *text, enum weir_json_token token)
{
	size_t i = 0;

	while (text[i] && p + i < json->limit && p[i] == text[i])
		i++;
	if (text[i])
		return fail(json, p + i, "this is no value");
	return scalar(json, p, p + i, token);
}

static __attribute__((noinline)) enum weir_json_token
number(struct weir_json *json, const char *p)
{
	const char *bad = p, *end = pass_number(p, json->limit, &bad);

	if (!end)
		return fail(json, bad, "this is no number");
	return scalar(json, p, end, WEIR_JSON_NUMBER);
}

/* --- Containers --------------------------------------------------------- */

static always_inline enum weir_json_token
open(struct weir_json *json, const char *p, bool object)
{
	uint64_t bit = UINT64_C(1) << json->depth % 64;

	if (unlikely(json->depth == WEIR_JSON_DEPTH))
		return fail(json, p, "nested too deep");
	if (object)
		json->objects[json->depth / 64] |= bit;
	else
		json->objects[json->depth / 64] &= ~bit;
	json->depth++;
	scalar(json, p, p + 1, object ? WEIR_JSON_OBJECT : WEIR_JSON_ARRAY);
	json->in_object = object;
	json->expect = object ? EXPECT_FIRST_KEY : EXPECT_FIRST_ELEMENT;
	return json->token;
}

/* At what should be the end of the innermost container. */
static always_inline enum weir_json_token close(struct weir_json *json,
						const char *p)
{
	bool object = json->in_object;
	uint32_t outer;

	if (unlikely(p == json->limit || *p != (object ? '}' : ']')))
		return fail(json, p, object ?
			    "a comma or the end of the object is missing" :
			    "a comma or the end of the array is missing");
	outer = --json->depth;
	if (outer) {
		outer--;
		json->in_object = json->objects[outer / 64] >> outer % 64 & 1;
	}
	return scalar(json, p, p + 1, object ? WEIR_JSON_OBJECT_END :
					       WEIR_JSON_ARRAY_END);
}

static always_inline enum weir_json_token value(struct weir_json *json,
						const char *p)
{
	if (unlikely(p == json->limit))
		return fail(json, p, "");
	switch (*p) {
	case '"':
		json->at = string(json, p);
		if (unlikely(!json->at))
			return WEIR_JSON_ERROR;
		json->expect = json->depth ? EXPECT_MORE : EXPECT_NOTHING;
		return json->token = WEIR_JSON_STRING;
	case '{':
		return open(json, p, true);
	case '[':
		return open(json, p, false);
	case '-': case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		return number(json, p);
	case 't':
		return word(json, p, "true", WEIR_JSON_TRUE);
	case 'f':
		return word(json, p, "false", WEIR_JSON_FALSE);
	case 'n':
		return word(json, p, "null", WEIR_JSON_NULL);
	default:
		return fail(json, p, "this is no value");
	}
}

enum weir_json_token weir_json_next(struct weir_json *json)
{
	const char *limit = json->limit, *p;

	if (unlikely(json->expect == EXPECT_FAILED))
		return WEIR_JSON_ERROR;
	p = blanks(json->at, limit);
	switch ((enum expect)json->expect) {
	case EXPECT_MORE:
		if (p == limit || *p != ',')
			return close(json, p);
		p = blanks(p + 1, limit);
		if (json->in_object)
			return key(json, p);
		return value(json, p);
	case EXPECT_FIRST_KEY:
		if (p < limit && *p == '}')
			return close(json, p);
		return key(json, p);
	case EXPECT_FIRST_ELEMENT:
		if (p < limit && *p == ']')
			return close(json, p);
		return value(json, p);
	case EXPECT_NOTHING:
		if (p < limit)
			return fail(json, p, "more than one value");
		scalar(json, p, p, WEIR_JSON_END);
		return WEIR_JSON_END;
	default:
		return value(json, p);
	}
}

bool weir_json_skip(struct weir_json *json)
{
	uint32_t inside;
	size_t start;

	if (json->token == WEIR_JSON_KEY)
		weir_json_next(json);
	if (json->token == WEIR_JSON_OBJECT || json->token == WEIR_JSON_ARRAY) {
		inside = json->depth;
		start = json->start;
		while (weir_json_next(json) != WEIR_JSON_ERROR)
			if (json->depth < inside)
				break;
		if (json->token != WEIR_JSON_ERROR)
			json->start = start;
	}
	return json->token != WEIR_JSON_ERROR;
}

void weir_json_passed(struct weir_json *json, size_t end)
{
	json->at = json->source + end;
	json->expect = json->depth ? EXPECT_MORE : EXPECT_NOTHING;
}

size_t weir_json_plain(weir_str text)
{
	return (size_t)(pass_plain(text.ptr, text.ptr + text.len) - text.ptr);
}
