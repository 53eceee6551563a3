/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_scan.c: where a secret may be.
 *
 * Sixteen bytes a step.  Which buckets a byte fits, at each of the four places
 * of a window, is looked up by its low and its high half (two shuffles and an
 * AND); the four answers, each one byte further on, are combined.  Without
 * shuffles the same is done with tables, a byte a step.  Payment cards have no
 * window: their runs of digits are found in a bit mask.  Before and behind the
 * text are zeros; a window may begin before the place to begin at.  Where the
 * processor can, what has no candidate is passed two blocks at once.
 */
#include "detect_scan.h"

#ifdef __SSE2__
#include <immintrin.h>
#define SSSE3 __attribute__((target("ssse3")))
#define AVX2 __attribute__((target("avx2")))
#endif

#define RUN 13		/* bytes of the shortest card */
#define ALL 0xffffu
#define WIDE 32		/* bytes of a large step */

void scan_start(struct scan *s, const struct detectors *d, weir_str text,
		size_t from)
{
	s->d = d;
	s->text = (const uint8_t *)text.ptr;
	s->len = text.len;
	s->at = s->wide = from;
	s->candidates = s->runs = s->digits = 0;
	for (size_t i = 0; i < 3; i++)
		s->before[i] = from + i < 3 ? 0 : s->text[from + i - 3];
}

/* Lanes where RUN of them in a row are reached.  Such a run has lane 0 in it,
 * or lanes 3 to 12: most blocks are done with that. */
static uint32_t runs_in(struct scan *s, uint32_t digits)
{
	uint32_t h = s->digits | digits << 16;

	s->digits = digits;
	if (!(digits & 1) && (digits & 0x1008) != 0x1008)
		return 0;
	h &= h << 1;		/* two in a row end here */
	h &= h << 2;
	h &= h << 4;		/* eight */
	h &= h << (RUN - 8);
	return (h & ~(h << 1)) >> 16;
}

/* --- Tables ---------------------------------------------------------------------- */

static bool in_run(uint8_t c)
{
	return (c >= '0' && c <= '9') || c == ' ' || c == '-' || c == '+' ||
		c == '.' || c == '%' || c == 0xc2 || c == 0xa0;
}

/* Bytes of the block in front of which stand those before it. */
static size_t load_block(struct scan *s, uint8_t v[3 + SCAN_BYTES])
{
	size_t n = s->len - s->at < SCAN_BYTES ? s->len - s->at : SCAN_BYTES;

	memset(v, 0, 3 + SCAN_BYTES);
	memcpy(v, s->before, 3);
	memcpy(v + 3, s->text + s->at, n);
	memcpy(s->before, v + SCAN_BYTES, 3);
	return n;
}

static bool step_by_tables(struct scan *s)
{
	const struct detectors *d = s->d;
	uint8_t v[3 + SCAN_BYTES];
	size_t n = load_block(s, v);
	uint32_t digits = 0;

	s->candidates = 0;
	for (size_t i = 0; i < n; i++) {
		s->lane[i] = d->byte[0][v[i]] & d->byte[1][v[i + 1]] &
			d->byte[2][v[i + 2]] & d->byte[3][v[i + 3]];
		s->candidates |= (uint32_t)!!s->lane[i] << i;
		digits |= (uint32_t)in_run(v[i + 3]) << i;
	}
	if (d->on & 1u << DETECT_PAYMENT_CARD)
		s->runs = runs_in(s, digits);
	if (d->scan == SCAN_EVERYWHERE) {
		memset(s->lane, 0xff, sizeof(s->lane));
		s->candidates = ALL >> (SCAN_BYTES - n);
	}
	s->at += SCAN_BYTES;
	return s->candidates | s->runs;
}

/* --- Vectors --------------------------------------------------------------------- */

#ifdef __SSE2__
enum detect_scan scan_fastest(void)
{
	return __builtin_cpu_supports("avx2") ? SCAN_WIDE :
		__builtin_cpu_supports("ssse3") ? SCAN_VECTORS : SCAN_TABLES;
}

static uint64_t load(const uint8_t *p, size_t bytes)
{
	uint64_t v = 0;

	memcpy(&v, p, bytes);
	return v;
}

/* A text of n < 16 bytes, zeros behind. */
static __m128i load_short(const uint8_t *p, size_t n)
{
	uint64_t low = 0, high = 0;

	if (n >= 8) {
		low = load(p, 8);
		if (n > 8)
			high = load(p + n - 8, 8) >> (128 - 8 * n);
	} else if (n >= 4) {
		low = load(p, 4) | load(p + n - 4, 4) << (8 * n - 32);
	} else if (n) {
		low = p[0] | (uint64_t)p[n / 2] << (n / 2 * 8) |
			(uint64_t)p[n - 1] << (8 * n - 8);
	}
	return _mm_set_epi64x((long long)high, (long long)low);
}

/* The last n < 16 bytes of a text that has `before` bytes before them. */
SSSE3 static __m128i load_tail(const uint8_t *tail, size_t n, size_t before)
{
	static const uint8_t slide[32] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
		128, 128, 128, 128, 128, 128, 128, 128,
		128, 128, 128, 128, 128, 128, 128, 128,
	};
	__m128i v;

	if (before + n < 16)
		return load_short(tail, n);
	v = _mm_loadu_si128((const __m128i *)(tail + n - 16));
	return _mm_shuffle_epi8(v, _mm_loadu_si128((const __m128i *)
						   (slide + 16 - n)));
}

#define TABLE(t) _mm_loadu_si128((const __m128i *)(t))

/* What runs are made of, by their halves, a bit for each high one that they
 * have: 1 for digits, 2 for what is between them, 4 and 8 for the bytes of a
 * no-break space. */
static const uint8_t digit_low[16] = {
	1 | 2 | 8, 1, 1 | 4, 1, 1, 1 | 2, 1, 1, 1, 1, 0, 2, 0, 2, 2, 0
};
static const uint8_t digit_high[16] = {
	0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 8, 0, 4, 0, 0, 0
};

SSSE3 static inline uint32_t digits_of(__m128i low, __m128i high)
{
	__m128i in = _mm_and_si128(_mm_shuffle_epi8(TABLE(digit_low), low),
				   _mm_shuffle_epi8(TABLE(digit_high), high));

	return ALL ^ (uint32_t)_mm_movemask_epi8(
		_mm_cmpeq_epi8(in, _mm_setzero_si128()));
}

SSSE3 static inline __m128i buckets_of(__m128i low, __m128i high, __m128i tlow,
				       __m128i thigh)
{
	return _mm_and_si128(_mm_shuffle_epi8(tlow, low),
			     _mm_shuffle_epi8(thigh, high));
}

/* Goes on until a block has a candidate. */
SSSE3 static bool step_by_vectors(struct scan *s)
{
	const struct detectors *d = s->d;
	const __m128i l0 = TABLE(d->low[0]), h0 = TABLE(d->high[0]);
	const __m128i l1 = TABLE(d->low[1]), h1 = TABLE(d->high[1]);
	const __m128i l2 = TABLE(d->low[2]), h2 = TABLE(d->high[2]);
	const __m128i l3 = TABLE(d->low[3]), h3 = TABLE(d->high[3]);
	const __m128i half = _mm_set1_epi8(15), none = _mm_setzero_si128();
	const bool cards = d->on & 1u << DETECT_PAYMENT_CARD;
	const size_t len = s->len;
	size_t at = s->at;
	__m128i last, b;

	/* The block before: only its last three bytes matter. */
	last = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			     (char)s->before[0], (char)s->before[1],
			     (char)s->before[2]);
	do {
		__m128i v, v1, v2, v3;

		if (len - at >= SCAN_BYTES)
			v = TABLE(s->text + at);
		else
			v = load_tail(s->text + at, len - at, at);
#define LOW(x) _mm_and_si128(x, half)
#define HIGH(x) _mm_and_si128(_mm_srli_epi16(x, 4), half)
		v1 = _mm_alignr_epi8(v, last, 15);
		v2 = _mm_alignr_epi8(v, last, 14);
		v3 = _mm_alignr_epi8(v, last, 13);
		b = buckets_of(LOW(v), HIGH(v), l3, h3);
		b = _mm_and_si128(b, buckets_of(LOW(v1), HIGH(v1), l2, h2));
		b = _mm_and_si128(b, buckets_of(LOW(v2), HIGH(v2), l1, h1));
		b = _mm_and_si128(b, buckets_of(LOW(v3), HIGH(v3), l0, h0));
		s->candidates = ALL ^
			(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(b, none));
		last = v;
		at += SCAN_BYTES;
		if (cards)
			s->runs = runs_in(s, digits_of(LOW(v), HIGH(v)));
#undef LOW
#undef HIGH
	} while (!(s->candidates | s->runs) && at < len);
	s->at = at;
	if (at < len)
		memcpy(s->before, s->text + at - 3, 3);
	else
		s->candidates &= ALL >> (at - len);
	return s->candidates | s->runs;
}

/* --- Wide vectors ---------------------------------------------------------------- */

#define WIDE_AGAIN 256	/* bytes, when it was of no use */

AVX2 static inline __m256i wide_buckets_of(__m256i v, __m256i tlow,
					   __m256i thigh)
{
	const __m256i half = _mm256_set1_epi8(15);
	__m256i high = _mm256_and_si256(_mm256_srli_epi16(v, 4), half);

	return _mm256_and_si256(
		_mm256_shuffle_epi8(tlow, _mm256_and_si256(v, half)),
		_mm256_shuffle_epi8(thigh, high));
}

#define TWICE(t) _mm256_broadcastsi128_si256(TABLE(t))

AVX2 static inline uint64_t wide_digits_of(__m256i v)
{
	__m256i in = wide_buckets_of(v, TWICE(digit_low), TWICE(digit_high));

	return ~(uint32_t)_mm256_movemask_epi8(
		_mm256_cmpeq_epi8(in, _mm256_setzero_si256()));
}

/* As runs_in, of twice as many lanes. */
static inline bool has_run(uint64_t h)
{
	h &= h << 1;
	h &= h << 2;
	h &= h << 4;
	h &= h << (RUN - 8);
	return (h & ~(h << 1)) >> SCAN_BYTES;
}

/* Past what has no candidate, two blocks a step. */
AVX2 static void skip_by_wide(struct scan *s)
{
	const struct detectors *d = s->d;
	const __m256i l0 = TWICE(d->low[0]), h0 = TWICE(d->high[0]);
	const __m256i l1 = TWICE(d->low[1]), h1 = TWICE(d->high[1]);
	const __m256i l2 = TWICE(d->low[2]), h2 = TWICE(d->high[2]);
	const __m256i l3 = TWICE(d->low[3]), h3 = TWICE(d->high[3]);
	const bool cards = d->on & 1u << DETECT_PAYMENT_CARD;
	__m256i last = _mm256_insert_epi8(_mm256_insert_epi8(
		_mm256_insert_epi8(_mm256_setzero_si256(), (char)s->before[0],
				   29), (char)s->before[1], 30),
		(char)s->before[2], 31);
	size_t at = s->at;

	for (; s->len - at > WIDE; at += WIDE) {
		__m256i v = _mm256_loadu_si256((const __m256i *)
					       (s->text + at));
		__m256i t = _mm256_permute2x128_si256(last, v, 0x21), b;
		uint64_t digits = cards ? wide_digits_of(v) : 0;

		b = wide_buckets_of(v, l3, h3);
		b = _mm256_and_si256(b, wide_buckets_of(
			_mm256_alignr_epi8(v, t, 15), l2, h2));
		b = _mm256_and_si256(b, wide_buckets_of(
			_mm256_alignr_epi8(v, t, 14), l1, h1));
		b = _mm256_and_si256(b, wide_buckets_of(
			_mm256_alignr_epi8(v, t, 13), l0, h0));
		if (!_mm256_testz_si256(b, b) ||
		    (cards && has_run(s->digits | digits << SCAN_BYTES)))
			break;
		s->digits = (uint32_t)(digits >> SCAN_BYTES);
		last = v;
	}
	s->wide = at;
	if (at == s->at)
		s->wide += WIDE_AGAIN;
	else
		memcpy(s->before, s->text + at - 3, 3);
	s->at = at;
}
#else
static void skip_by_wide(struct scan *s)
{
	(void)s;
}

enum detect_scan scan_fastest(void)
{
	return SCAN_TABLES;
}

static bool step_by_vectors(struct scan *s)
{
	return step_by_tables(s);
}
#endif

/* The four bytes that end with `last`; before the text are zeros. */
static inline void load_window(const struct scan *s, size_t last,
			       uint8_t window[4])
{
	if (last >= 3) {
		memcpy(window, s->text + last - 3, 4);
		return;
	}
	memset(window, 0, 4);
	memcpy(window + 3 - last, s->text, last + 1);
}

/* The halves of bytes let more through than the bytes. */
static inline uint8_t exact_buckets(const struct detectors *d,
				    const uint8_t window[4])
{
	return d->byte[0][window[0]] & d->byte[1][window[1]] &
		d->byte[2][window[2]] & d->byte[3][window[3]];
}

/* The first lane that is not yet told, and is one. */
static bool take_lane(struct scan *s, struct candidate *c)
{
	uint32_t left = s->candidates | s->runs;
	const struct detectors *d = s->d;
	size_t block = s->at - SCAN_BYTES;

	for (; left; left &= left - 1) {
		unsigned lane = (unsigned)__builtin_ctz(left);

		load_window(s, block + lane, c->window);
		c->buckets = d->scan <= SCAN_VECTORS ?
			exact_buckets(d, c->window) : s->lane[lane];
		c->run = s->runs >> lane & 1;
		if (!(s->candidates >> lane & 1))
			c->buckets = 0;
		if (!c->buckets && !c->run)
			continue;
		c->last = block + lane;
		s->candidates &= ~1u << lane;
		s->runs &= ~1u << lane;
		return true;
	}
	s->candidates = s->runs = 0;
	return false;
}

/* s->at < s->len */
static void next_block(struct scan *s)
{
	if (s->d->scan > SCAN_VECTORS) {
		step_by_tables(s);
		return;
	}
	if (s->d->scan == SCAN_WIDE && s->at >= s->wide &&
	    s->len - s->at > 2 * WIDE)
		skip_by_wide(s);
	step_by_vectors(s);
}

bool scan_next(struct scan *s, struct candidate *c)
{
	while (!take_lane(s, c)) {
		if (s->at >= s->len)
			return false;
		next_block(s);
	}
	return true;
}
