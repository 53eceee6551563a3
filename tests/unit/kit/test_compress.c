/* SPDX-License-Identifier: Apache-2.0 */
/* Every encoding in and out, and what they must not be talked into. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include <weir/kit/compress.h>
#include <weir/plugin.h>

#define MAX (1 << 20)

static const enum weir_encoding encodings[] = {
	WEIR_ENCODING_IDENTITY, WEIR_ENCODING_GZIP, WEIR_ENCODING_ZSTD,
	WEIR_ENCODING_ZLIB, WEIR_ENCODING_SNAPPY, WEIR_ENCODING_SNAPPY_FRAMED,
	WEIR_ENCODING_LZ4
};
#define LEN(table) (int)(sizeof(table) / sizeof(*(table)))
#define ALL LEN(encodings)

/* Where nothing at all is an empty message. */
static bool may_be_empty(enum weir_encoding encoding)
{
	return encoding == WEIR_ENCODING_ZSTD ||
	       encoding == WEIR_ENCODING_SNAPPY_FRAMED ||
	       encoding == WEIR_ENCODING_LZ4;
}

static uint8_t *pack(enum weir_encoding encoding, const void *bytes, size_t n,
		     size_t *len)
{
	struct weir_compressor *z = weir_compressor_new(encoding, 0);
	const struct weir_iovec in[] = { { bytes, n / 2 },
		{ (const uint8_t *)bytes + n / 2, n - n / 2 } };
	uint8_t *out = weir_compress(z, in, 2, 0, len);

	weir_compressor_free(&z);
	return out;
}

/* Fills *out from a fixed seed: half text, half noise. */
static uint8_t *sample(size_t n)
{
	uint8_t *bytes = malloc(n + 1);
	uint32_t x = 1;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = i & 64 ? (uint8_t)(x >> 24) : (uint8_t)('a' + i % 7);
	}
	return bytes;
}

static const size_t sizes[] = { 0, 1, 2, 511, 4096, 70000, 300000, MAX };

START_TEST(what_goes_in_comes_out)
{
	size_t n = sizes[_i], len, got = 0;
	uint8_t *bytes = sample(n);

	for (int e = 0; e < ALL; e++) {
		uint8_t *packed = pack(encodings[e], bytes, n, &len);
		struct weir_outcome why = { 0 };
		struct weir_payload *p = weir_decompress(NULL, encodings[e],
			packed, len, MAX, &got, &why);

		ck_assert_msg(p != NULL, "%s: %s",
			      weir_encoding_name(encodings[e]), why.text);
		ck_assert_uint_eq(got, n);
		ck_assert(!memcmp(weir_payload_bytes(p), bytes, n));
		weir_payload_free(&p);
		free(packed);
	}
	free(bytes);
	ck_assert_uint_eq(weir_budget_used(), 0);
}
END_TEST

START_TEST(a_compressor_can_be_used_again_behind_a_head)
{
	struct weir_compressor *z = weir_compressor_new(encodings[_i], 0);
	const struct weir_iovec in = { "abcabcabc", 9 };
	size_t a, b;
	uint8_t *one = weir_compress(z, &in, 1, 5, &a);
	uint8_t *two = weir_compress(z, &in, 1, 5, &b);

	ck_assert_uint_eq(a, b);
	ck_assert(!memcmp(one + 5, two + 5, a - 5));
	free(one);
	free(two);
	weir_compressor_free(&z);
}
END_TEST

/* Refuses, and with that status; leaves nothing charged. */
static void check_refused(const char *why, enum weir_encoding encoding,
			  const uint8_t *in, size_t len, size_t max,
			  enum weir_status status)
{
	struct weir_outcome refused = { 0 };
	size_t out;
	struct weir_payload *p = weir_decompress(NULL, encoding, in, len, max,
						 &out, &refused);

	ck_assert_msg(!p, "%s: accepted", why);
	ck_assert_msg(refused.status == status, "%s: %d %s", why,
		      refused.status, refused.text);
	ck_assert_uint_eq(weir_budget_used(), 0);
}

START_TEST(bombs_stop_at_the_cap)	/* 4, 5 */
{
	size_t n = 64 << 20, len;
	uint8_t *zeros = calloc(1, n);

	for (int e = 1; e < ALL; e++) {
		uint8_t *bomb = pack(encodings[e], zeros, n, &len);

		ck_assert_uint_lt(len, n / 20);
		check_refused("bomb", encodings[e], bomb, len, MAX,
			      WEIR_RESOURCE_EXHAUSTED);
		free(bomb);
	}
	free(zeros);
}
END_TEST

START_TEST(one_byte_over_the_cap_is_too_much)
{
	uint8_t *bytes = sample(MAX + 1);
	size_t len;

	for (int e = 0; e < ALL; e++) {
		uint8_t *packed = pack(encodings[e], bytes, MAX + 1, &len);

		check_refused("one over", encodings[e], packed, len, MAX,
			      WEIR_RESOURCE_EXHAUSTED);
		free(packed);
	}
	free(bytes);
}
END_TEST

/* A stream of chunks has no end mark: it may end behind each. */
static bool is_whole(enum weir_encoding encoding, size_t cut)
{
	if (encoding == WEIR_ENCODING_SNAPPY_FRAMED && cut == 10)
		return true;
	return !cut && may_be_empty(encoding);
}

START_TEST(every_truncation_is_broken)	/* 8 */
{
	size_t len;

	for (int e = 1; e < ALL; e++) {
		uint8_t *packed = pack(encodings[e], "hello, hello", 12, &len);

		for (size_t cut = 0; cut < len; cut++)
			if (!is_whole(encodings[e], cut))
				check_refused(weir_encoding_name(encodings[e]),
					      encodings[e], packed, cut, MAX,
					      WEIR_INTERNAL);
		free(packed);
	}
}
END_TEST

START_TEST(a_wrong_checksum_or_length_is_broken)
{
	size_t len;
	uint8_t *packed = pack(WEIR_ENCODING_GZIP, "hello, hello", 12, &len);

	for (size_t i = len - 8; i < len; i++) {
		packed[i] ^= 1;
		check_refused("trailer", WEIR_ENCODING_GZIP, packed, len, MAX,
			      WEIR_INTERNAL);
		packed[i] ^= 1;
	}
	free(packed);
}
END_TEST

START_TEST(trailing_bytes_are_refused)
{
	size_t len;

	for (int e = 1; e < ALL; e++) {
		uint8_t *packed = pack(encodings[e], "hello", 5, &len);

		packed = realloc(packed, len + 4);
		memcpy(packed + len, "\0\0\0\0", 4);
		for (size_t n = 1; n <= 4; n++)
			check_refused(weir_encoding_name(encodings[e]),
				      encodings[e], packed, len + n, MAX,
				      WEIR_INTERNAL);
		free(packed);
	}
}
END_TEST

START_TEST(several_members_count_as_one_message)
{
	size_t a, got;
	struct weir_outcome why;

	for (int e = 1; e < ALL; e++) {
		uint8_t *one = pack(encodings[e], "hello", 5, &a);
		uint8_t *two = malloc(2 * a);
		struct weir_payload *p;

		if (encodings[e] == WEIR_ENCODING_ZLIB ||
		    encodings[e] == WEIR_ENCODING_SNAPPY) {
			free(one);	/* one stream, one block */
			free(two);
			continue;
		}

		memcpy(two, one, a);
		memcpy(two + a, one, a);
		p = weir_decompress(NULL, encodings[e], two, 2 * a, MAX, &got,
				    &why);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(got, 10);
		ck_assert_mem_eq(weir_payload_bytes(p), "hellohello", 10);
		weir_payload_free(&p);
		check_refused("one cap for all", encodings[e], two, 2 * a, 9,
			      WEIR_RESOURCE_EXHAUSTED);
		free(one);
		free(two);
	}
}
END_TEST

/* A last raw block of one byte behind a window, and perhaps a size. */
#define ZSTD_FRAME(...) { 0x28, 0xb5, 0x2f, 0xfd, __VA_ARGS__, 0x09, 0, 0, 'x' }
#define WINDOW(log, eighths) (((log) - 10) << 3 | (eighths))

static const struct {
	const char *why;
	bool good;
	uint8_t frame[12];
	size_t len;
} windows[] = {
	{ "8 MiB", true, ZSTD_FRAME(0x00, WINDOW(23, 0)), 10 },
	{ "an eighth more", false, ZSTD_FRAME(0x00, WINDOW(23, 1)), 10 },
	{ "16 MiB", false, ZSTD_FRAME(0x00, WINDOW(24, 0)), 10 },
	{ "128 MiB", false, ZSTD_FRAME(0x00, WINDOW(27, 0)), 10 },
	{ "the most there is", false, ZSTD_FRAME(0x00, WINDOW(41, 7)), 10 },
	{ "none, its content is all", true, ZSTD_FRAME(0x20, 1), 10 },
};

/* Whatever the cap: it is a message's, not a window's. */
START_TEST(a_zstd_window_is_at_most_8_mib)	/* 6 */
{
	const uint8_t *frame = windows[_i].frame;
	size_t len = windows[_i].len, got;
	struct weir_outcome why;
	struct weir_payload *p;

	if (!windows[_i].good) {
		check_refused(windows[_i].why, WEIR_ENCODING_ZSTD, frame, len,
			      64 << 20, WEIR_INTERNAL);
		return;
	}
	p = weir_decompress(NULL, WEIR_ENCODING_ZSTD, frame, len, 64 << 20,
			    &got, &why);
	ck_assert_msg(p && got == 1, "%s", windows[_i].why);
	weir_payload_free(&p);
}
END_TEST

/* The size is known and the window is not needed: it is refused all the same. */
START_TEST(a_window_is_looked_at_in_every_frame)	/* 6 */
{
	static const uint8_t frames[] = {
		0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, 0x09, 0, 0, 'x',
		0x28, 0xb5, 0x2f, 0xfd, 0x80, WINDOW(27, 0), 1, 0, 0, 0,
		0x09, 0, 0, 'x' };

	check_refused("the second", WEIR_ENCODING_ZSTD, frames, sizeof(frames),
		      64 << 20, WEIR_INTERNAL);
	check_refused("alone", WEIR_ENCODING_ZSTD, frames + 10,
		      sizeof(frames) - 10, 64 << 20, WEIR_INTERNAL);
}
END_TEST

START_TEST(frames_of_old_zstd_are_refused)	/* 8 */
{
	/* 0.7: magic, a header of one byte, an end block */
	static const uint8_t frame[] = { 0x27, 0xb5, 0x2f, 0xfd, 0x00, 0x40,
		0xc0, 0, 0 };

	check_refused("0.7", WEIR_ENCODING_ZSTD, frame, sizeof(frame), MAX,
		      WEIR_INTERNAL);
}
END_TEST

/* 4 MiB blocks: 8 MiB for the decoder, which nobody asked for in bytes. */
START_TEST(what_an_lz4_frame_makes_the_decoder_keep_is_charged)	/* R4 */
{
	static const uint8_t frame[] = { 0x04, 0x22, 0x4d, 0x18, 0x60, 0x70,
		0x73, 0x01, 0x00, 0x00, 0x80, 'x', 0, 0, 0, 0 };
	struct weir_outcome why = { 0 };
	struct weir_payload *p;
	size_t got;

	weir_budget_limit(4 << 20, 4 << 20);
	check_refused("over the line", WEIR_ENCODING_LZ4, frame, sizeof(frame),
		      MAX, WEIR_UNAVAILABLE);
	weir_budget_limit(16 << 20, 16 << 20);
	p = weir_decompress(NULL, WEIR_ENCODING_LZ4, frame, sizeof(frame), MAX,
			    &got, &why);
	ck_assert_msg(p && got == 1, "%s", why.text);
	weir_payload_free(&p);
	ck_assert_uint_eq(weir_budget_used(), 0);
}
END_TEST

START_TEST(skippable_frames_are_refused)	/* 8 */
{
	static const uint8_t frame[] = { 0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0 };

	check_refused("skippable", WEIR_ENCODING_ZSTD, frame, sizeof(frame),
		      MAX, WEIR_INTERNAL);
	check_refused("skippable", WEIR_ENCODING_LZ4, frame, sizeof(frame),
		      MAX, WEIR_INTERNAL);
}
END_TEST

/* What decides is the text, not the caps: what each says it becomes. */
static const struct {
	const char *why;
	enum weir_encoding encoding;
	enum weir_status status;
	uint8_t in[24];
	size_t len;
} claims[] = {
	{ "a snappy block of 4 GiB", WEIR_ENCODING_SNAPPY,
	  WEIR_RESOURCE_EXHAUSTED, { 0xff, 0xff, 0xff, 0xff, 0x0f, 0 }, 6 },
	{ "one that cannot become so much", WEIR_ENCODING_SNAPPY,
	  WEIR_INTERNAL, { 0x80, 0x80, 0x20, 0, 'x' }, 5 },
	{ "a length of six bytes", WEIR_ENCODING_SNAPPY, WEIR_INTERNAL,
	  { 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 }, 6 },
	{ "an lz4 frame of 2^63", WEIR_ENCODING_LZ4, WEIR_RESOURCE_EXHAUSTED,
	  { 0x04, 0x22, 0x4d, 0x18, 0x68, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x80, 0,
	    0, 0, 0, 0 }, 19 },
	{ "a zstd frame of 2^40", WEIR_ENCODING_ZSTD, WEIR_RESOURCE_EXHAUSTED,
	  { 0x28, 0xb5, 0x2f, 0xfd, 0xc0, 0x48, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0,
	    0 }, 17 },
};

START_TEST(a_stated_size_is_compared_before_memory_is_taken)	/* 7 */
{
	check_refused(claims[_i].why, claims[_i].encoding, claims[_i].in,
		      claims[_i].len, MAX, claims[_i].status);
}
END_TEST

START_TEST(an_lz4_frame_with_a_dictionary_is_refused)	/* 8 */
{
	static const uint8_t frame[] = { 0x04, 0x22, 0x4d, 0x18, 0x61, 0x40,
		1, 0, 0, 0, 0x3b, 0, 0, 0, 0 };

	check_refused("dictionary", WEIR_ENCODING_LZ4, frame, sizeof(frame),
		      MAX, WEIR_INTERNAL);
}
END_TEST

/* A block of snappy and a frame of zstd as we make them carry none, nor does
 * the type of a chunk, byte 10, which may become one to skip. */
static bool has_checksum(enum weir_encoding encoding, size_t at)
{
	if (encoding == WEIR_ENCODING_SNAPPY_FRAMED)
		return at != 10;
	return encoding != WEIR_ENCODING_SNAPPY &&
	       encoding != WEIR_ENCODING_ZSTD;
}

START_TEST(every_flipped_bit_is_noticed_or_harmless)
{
	uint8_t *bytes = sample(3000), *packed;
	size_t len, got;

	for (int e = 1; e < ALL; e++) {
		packed = pack(encodings[e], bytes, 3000, &len);
		for (size_t i = 0; i < len * 8; i++) {
			struct weir_outcome why;
			struct weir_payload *p;

			packed[i / 8] ^= (uint8_t)(1 << i % 8);
			p = weir_decompress(NULL, encodings[e], packed, len,
					    MAX, &got, &why);
			if (p && has_checksum(encodings[e], i / 8))
				ck_assert_msg(got == 3000 &&
					!memcmp(weir_payload_bytes(p), bytes,
						got), "%s: bit %zu",
					weir_encoding_name(encodings[e]), i);
			weir_payload_free(&p);
			packed[i / 8] ^= (uint8_t)(1 << i % 8);
		}
		free(packed);
	}
	free(bytes);
	ck_assert_uint_eq(weir_budget_used(), 0);
}
END_TEST

/* The stream's name, then: "abc" as it is; CRC-32C of "abc" is 0x364b3fb7,
 * masked 0x21f1576e */
#define NAME 0xff, 6, 0, 0, 's', 'N', 'a', 'P', 'p', 'Y'
#define ABC 0x01, 7, 0, 0, 0x6e, 0x57, 0xf1, 0x21, 'a', 'b', 'c'

static const struct {
	const char *why;
	bool good;
	uint8_t in[48];
	size_t len;
} chunks[] = {
	{ "one plain chunk", true, { NAME, ABC }, 21 },
	{ "padding is passed over", true,
	  { NAME, 0xfe, 2, 0, 0, 0, 0, ABC }, 27 },
	{ "a name again", true, { NAME, NAME, ABC }, 31 },
	{ "a name again that is another", false,
	  { NAME, 0xff, 6, 0, 0, 's', 'N', 'a', 'P', 'p', 'X', ABC }, 31 },
	{ "no name", false, { ABC }, 11 },
	{ "a chunk that may not be skipped", false,
	  { NAME, 0x02, 0, 0, 0, ABC }, 25 },
	{ "a wrong checksum", false,
	  { NAME, 0x01, 7, 0, 0, 0x6e, 0x57, 0xf1, 0x21, 'a', 'b', 'd' }, 21 },
	{ "too short for a checksum", false, { NAME, 0x01, 3, 0, 0, 1, 2, 3 },
	  17 },
	{ "a length past the end", false,
	  { NAME, 0x01, 8, 0, 0, 0x6e, 0x57, 0xf1, 0x21, 'a', 'b', 'c' }, 21 },
	{ "a block that says it becomes 65537 bytes", false,
	  { NAME, 0x00, 9, 0, 0, 0, 0, 0, 0, 0x81, 0x80, 0x04, 0x00, 'a' },
	  23 },
};

START_TEST(chunks_of_a_framed_stream)
{
	static const enum weir_encoding both[] = {
		WEIR_ENCODING_SNAPPY_FRAMED, WEIR_ENCODING_SNAPPY
	};
	const uint8_t *in = chunks[_i].in;

	/* What is called snappy and begins with the name is framed. */
	for (int e = 0; e < (in[0] == 0xff ? 2 : 1); e++) {
		struct weir_outcome why;
		struct weir_payload *p;
		size_t got;

		p = weir_decompress(NULL, both[e], in, chunks[_i].len, MAX,
				    &got, &why);
		ck_assert_msg(!p == !chunks[_i].good, "%s", chunks[_i].why);
		if (!p)
			continue;
		ck_assert_uint_eq(got, 3);
		ck_assert_mem_eq(weir_payload_bytes(p), "abc", 3);
		weir_payload_free(&p);
	}
}
END_TEST

START_TEST(a_flood_of_chunks_to_skip_is_refused)	/* 8 */
{
	uint8_t in[10 + 4 * 100] = { NAME };

	for (size_t i = 10; i < sizeof(in); i += 4)
		in[i] = 0xfe;
	check_refused("flood", WEIR_ENCODING_SNAPPY_FRAMED, in, sizeof(in),
		      MAX, WEIR_INTERNAL);
}
END_TEST

static const int64_t levels[] = { INT64_MIN, -2, -1, 0, 1, 2, 6, 9, 11, 99 };

START_TEST(any_level_makes_what_can_be_read)
{
	uint8_t *bytes = sample(200000);
	const struct weir_iovec in[] = { { bytes, 150000 }, { NULL, 0 },
		{ bytes + 150000, 50000 } };
	size_t first = 0;

	for (int e = 1; e < ALL; e++) {
		struct weir_compressor *z =
			weir_compressor_new(encodings[e], levels[_i]);
		struct weir_outcome why;
		struct weir_payload *p;
		size_t len, got;
		uint8_t *packed = weir_compress(z, in, 3, 0, &len);

		p = weir_decompress(NULL, encodings[e], packed, len, MAX, &got,
				    &why);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(got, 200000);
		ck_assert(!memcmp(weir_payload_bytes(p), bytes, got));
		weir_payload_free(&p);
		free(packed);
		weir_compressor_free(&z);
		/* gzip and deflate are one thing in two wrappings */
		if (encodings[e] == WEIR_ENCODING_GZIP)
			first = len;
		else if (encodings[e] == WEIR_ENCODING_ZLIB)
			ck_assert_uint_eq(first - 18, len - 6);
	}
	free(bytes);
}
END_TEST

START_TEST(a_higher_level_makes_less)
{
	size_t fast = 0, best = 0, n = 100000;
	char *text = malloc(n);
	const struct weir_iovec in = { text, n };
	struct weir_compressor *z;

	for (size_t i = 0; i < n; i++)
		text[i] = (char)('a' + (i * i >> 7) % 23);
	z = weir_compressor_new(WEIR_ENCODING_GZIP, 0);
	free(weir_compress(z, &in, 1, 0, &fast));
	weir_compressor_free(&z);
	z = weir_compressor_new(WEIR_ENCODING_GZIP, 9);
	free(weir_compress(z, &in, 1, 0, &best));
	weir_compressor_free(&z);
	ck_assert_uint_lt(best, fast);
	free(text);
}
END_TEST

static const struct {
	const char *name;
	enum weir_encoding http, grpc;
} spellings[] = {
#define E(x) WEIR_ENCODING_##x
	{ "", E(IDENTITY), E(IDENTITY) },
	{ "identity", E(IDENTITY), E(IDENTITY) },
	{ "gzip", E(GZIP), E(GZIP) },
	{ "zstd", E(ZSTD), E(ZSTD) },
	{ "zlib", E(ZLIB), E(UNKNOWN) },
	{ "deflate", E(ZLIB), E(UNKNOWN) },
	{ "snappy", E(SNAPPY), E(SNAPPY_FRAMED) },
	{ "x-snappy-framed", E(SNAPPY_FRAMED), E(UNKNOWN) },
	{ "lz4", E(LZ4), E(UNKNOWN) },
	{ "GZIP", E(UNKNOWN), E(UNKNOWN) },
	{ "gzip, gzip", E(UNKNOWN), E(UNKNOWN) },	/* 9 */
	{ "unknown", E(UNKNOWN), E(UNKNOWN) },
#undef E
};

START_TEST(names_are_exact)
{
	weir_str name = weir_str_of(spellings[_i].name);

	ck_assert_int_eq(weir_encoding_parse(name), spellings[_i].http);
	ck_assert_int_eq(weir_grpc_encoding_parse(name), spellings[_i].grpc);
}
END_TEST

START_TEST(what_is_unknown_is_not_available)
{
	check_refused("unknown", WEIR_ENCODING_UNKNOWN, (const uint8_t *)"x",
		      1, MAX, WEIR_UNIMPLEMENTED);
	ck_assert_ptr_null(weir_compressor_new(WEIR_ENCODING_UNKNOWN, 0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("compress");
	TCase *tc = tcase_create("codecs");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, what_goes_in_comes_out, 0,
			    LEN(sizes));
	tcase_add_loop_test(tc, a_compressor_can_be_used_again_behind_a_head,
			    1, ALL);
	tcase_add_test(tc, bombs_stop_at_the_cap);
	tcase_add_test(tc, one_byte_over_the_cap_is_too_much);
	tcase_add_test(tc, every_truncation_is_broken);
	tcase_add_test(tc, a_wrong_checksum_or_length_is_broken);
	tcase_add_test(tc, trailing_bytes_are_refused);
	tcase_add_test(tc, several_members_count_as_one_message);
	tcase_add_loop_test(tc, a_zstd_window_is_at_most_8_mib, 0,
			    LEN(windows));
	tcase_add_test(tc, a_window_is_looked_at_in_every_frame);
	tcase_add_test(tc, frames_of_old_zstd_are_refused);
	tcase_add_test(tc, what_an_lz4_frame_makes_the_decoder_keep_is_charged);
	tcase_add_test(tc, skippable_frames_are_refused);
	tcase_add_loop_test(tc,
		a_stated_size_is_compared_before_memory_is_taken, 0,
		LEN(claims));
	tcase_add_test(tc, an_lz4_frame_with_a_dictionary_is_refused);
	tcase_add_test(tc, every_flipped_bit_is_noticed_or_harmless);
	tcase_add_loop_test(tc, chunks_of_a_framed_stream, 0,
			    LEN(chunks));
	tcase_add_test(tc, a_flood_of_chunks_to_skip_is_refused);
	tcase_add_loop_test(tc, any_level_makes_what_can_be_read, 0,
			    LEN(levels));
	tcase_add_test(tc, a_higher_level_makes_less);
	tcase_add_loop_test(tc, names_are_exact, 0, LEN(spellings));
	tcase_add_test(tc, what_is_unknown_is_not_available);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
