/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_canon: odd requests mean the same afterwards, and nothing odd is left.
 * protobuf-c is the oracle where it agrees with the rules; the table holds
 * what it gets wrong or cannot say.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../support/otlp_gen.h"
#include "../../support/seeds.h"
#include "base/str.h"
#include "data/walk.h"

#define SEEDS SEEDS_OF(3500)	/* of each signal */

static struct otlp_bytes canon(enum weir_signal signal,
			       const struct otlp_bytes *b)
{
	struct buf out = { 0 };
	struct otlp_bytes copy;

	ck_assert(canon_request(signal, b->ptr, b->len, &out));
	copy = otlp_bytes_copy(out.ptr, out.len, 7);
	buf_release(&out);
	return copy;
}

static void same(enum weir_signal s, uint64_t seed,
		 const struct otlp_bytes *odd, const struct otlp_bytes *valid)
{
	struct otlp_bytes clean = canon(s, odd);
	struct otlp_bytes one = otlp_repacked(s, clean.ptr, clean.len);
	struct otlp_bytes two = otlp_repacked(s, valid->ptr, valid->len);
	struct walk_result r = walk_request(s, clean.ptr, clean.len, NULL,
					    NULL);

	ck_assert_msg(r.verdict == WALK_CANONICAL,
		      "signal %d seed %lu: verdict %d %s at %u", s,
		      (unsigned long)seed, r.verdict, r.why ? r.why : "",
		      r.offset);
	ck_assert_uint_eq(r.items, valid->items);
	ck_assert_msg(one.ptr && one.len == two.len &&
			      !memcmp(one.ptr, two.ptr, one.len),
		      "signal %d seed %lu: another message", s,
		      (unsigned long)seed);
	otlp_bytes_free(&clean);
	otlp_bytes_free(&one);
	otlp_bytes_free(&two);
}

START_TEST(keeps_the_meaning_of_odd_requests)
{
	unsigned odd_ones = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		const struct gen_options options = { .unknown = seed & 1 };

		for (unsigned s = 0; s < WEIR_SIGNAL_COUNT; s++) {
			struct otlp_bytes valid = otlp_gen(s, seed, &options);
			struct otlp_bytes odd = otlp_unusual(s, &valid, seed);
			struct walk_result r = walk_request(
				s, odd.ptr, odd.len, NULL, NULL);

			ck_assert_msg(r.verdict != WALK_MALFORMED,
				      "signal %u seed %lu: %s at %u", s,
				      (unsigned long)seed, r.why, r.offset);
			odd_ones += r.verdict == WALK_UNUSUAL;
			same(s, seed, &odd, &valid);
			otlp_bytes_free(&odd);
			otlp_bytes_free(&valid);
		}
	}
	ck_assert_uint_gt(odd_ones, SEEDS);	/* else nothing was proved */
}
END_TEST

/* What is canonical comes out byte for byte: ascending order, unknown fields
 * last, as protobuf-c packs. */
START_TEST(leaves_canonical_requests_as_they_are)
{
	const struct gen_options options = { .unknown = true };

	for (uint64_t seed = 1; seed <= 300; seed++) {
		enum weir_signal s = (enum weir_signal)(seed % 3);
		struct otlp_bytes valid = otlp_gen(s, seed, &options);
		struct otlp_bytes clean = canon(s, &valid);

		ck_assert_uint_eq(clean.len, valid.len);
		ck_assert_mem_eq(clean.ptr, valid.ptr, clean.len);
		otlp_bytes_free(&clean);
		otlp_bytes_free(&valid);
	}
}
END_TEST

static const struct {
	const char *reason;
	enum weir_signal signal;
	const char *hex, *expected;
} edges[] = {
	{ "the last name wins", WEIR_SIGNAL_TRACES,
	  "0a 0a 12 08 12 06 2a01 61 2a01 62",
	  "0a 07 12 05 12 03 2a01 62" },
	{ "a status in pieces is one", WEIR_SIGNAL_TRACES,
	  "0a 0d 12 0b 12 09 7a02 1801 7a03 120165",
	  "0a 0b 12 09 12 07 7a05 120165 1801" },
	{ "a oneof's last member wins", WEIR_SIGNAL_TRACES,
	  "0a 0d 12 0b 12 09 4a07 1205 0a0161 1805",
	  "0a 0a 12 08 12 06 4a04 1202 1805" },
	{ "a map in pieces merges", WEIR_SIGNAL_TRACES,
	  "0a 18 12 16 12 14 4a12 1210 3206 0a04 0a02 6b31 3206 0a04 0a02 6b32",
	  "0a 16 12 14 12 12 4a10 120e 320c 0a04 0a02 6b31 0a04 0a02 6b32" },
	{ "a rival between the pieces ends the first", WEIR_SIGNAL_TRACES,
	  "0a 1a 12 18 12 16 4a14 1212 3206 0a04 0a02 6b31 1805 "
	  "3206 0a04 0a02 6b32",
	  "0a 10 12 0e 12 0c 4a0a 1208 3206 0a04 0a02 6b32" },
	{ "a resource goes before its scopes", WEIR_SIGNAL_LOGS,
	  "0a 08 12 02 1a00 0a02 1005", "0a 08 0a02 1005 12 02 1a00" },
	{ "unknown fields go last, byte by byte", WEIR_SIGNAL_TRACES,
	  "0a 0f 12 0d 12 0b a0018500 2a0161 a201 0162",
	  "0a 0f 12 0d 12 0b 2a0161 a0018500 a201 0162" },
	{ "groups go", WEIR_SIGNAL_TRACES,
	  "0a 0d 12 0b 12 09 a301 0805 a401 2a0161",
	  "0a 07 12 05 12 03 2a0161" },
	{ "chunks and single values are packed", WEIR_SIGNAL_METRICS,
	  "0a 12 12 10 12 0e 520c 0a0a 4208 1202 0102 1003 1200",
	  "0a 0f 12 0d 12 0b 5209 0a07 4205 1203 010203" },
	{ "32 bits are kept of a count", WEIR_SIGNAL_TRACES,
	  "0a 0a 12 08 12 06 50 8180808010", "0a 06 12 04 12 02 5001" },
	{ "a broken character becomes U+FFFD", WEIR_SIGNAL_TRACES,
	  "0a 0a 12 08 12 06 2a04 61e282 62",
	  "0a 0b 12 09 12 07 2a05 61efbfbd 62" },
	{ "scopes under their old number are scopes", WEIR_SIGNAL_TRACES,
	  "0a 0d c23e 05 12 03 2a0161 0a03 a20100",
	  "0a 0c 0a03 a20100 12 05 12 03 2a0161" },
	{ "in every signal", WEIR_SIGNAL_LOGS, "0a 07 c23e 04 12 02 1a00",
	  "0a 06 12 04 12 02 1a00" },
	{ "but not beside new ones", WEIR_SIGNAL_METRICS,
	  "0a 09 12 02 1200 c23e 02 1200", "0a 04 12 02 1200" },
	{ "each byte of a surrogate does", WEIR_SIGNAL_TRACES,
	  "0a 09 12 07 12 05 2a03 eda080",
	  "0a 0f 12 0d 12 0b 2a09 efbfbdefbfbdefbfbd" },
};

static struct otlp_bytes from_hex(const char *hex)
{
	uint8_t bytes[256];
	size_t n = 0;

	while (*hex) {
		unsigned v;

		if (*hex == ' ') {
			hex++;
			continue;
		}
		ck_assert_int_eq(sscanf(hex, "%2x", &v), 1);
		bytes[n++] = (uint8_t)v;
		hex += 2;
	}
	return otlp_bytes_copy(bytes, n, 3);
}

START_TEST(edge_of_canonical_form)
{
	struct otlp_bytes odd = from_hex(edges[_i].hex);
	struct otlp_bytes want = from_hex(edges[_i].expected);
	struct walk_result r = walk_request(edges[_i].signal, odd.ptr, odd.len,
					    NULL, NULL);
	struct otlp_bytes clean;
	char *text;

	ck_assert_msg(r.verdict != WALK_MALFORMED, "%s: %s at %u",
		      edges[_i].reason, r.why, r.offset);
	clean = canon(edges[_i].signal, &odd);
	text = otlp_hex(clean.ptr, clean.len);
	ck_assert_msg(clean.len == want.len &&
			      !memcmp(clean.ptr, want.ptr, want.len),
		      "%s: %s", edges[_i].reason, text);
	free(text);
	otlp_bytes_free(&clean);
	otlp_bytes_free(&want);
	otlp_bytes_free(&odd);
}
END_TEST

/* The length of a message that outgrows its width moves what is behind. */
START_TEST(widens_lengths_of_mended_text)
{
	uint8_t bytes[128];
	struct otlp_bytes odd, clean;
	struct walk_result r;

	memcpy(bytes, "\x0a\x6e\x12\x6c\x12\x6a\x2a\x68", 8);
	memset(bytes + 8, 0xff, 104);
	odd = otlp_bytes_copy(bytes, 112, 1);
	clean = canon(WEIR_SIGNAL_TRACES, &odd);
	r = walk_request(WEIR_SIGNAL_TRACES, clean.ptr, clean.len, NULL, NULL);
	ck_assert_int_eq(r.verdict, WALK_CANONICAL);
	ck_assert_uint_eq(clean.len, 4 * 3 + 3 * 104);
	otlp_bytes_free(&odd);
	otlp_bytes_free(&clean);
}
END_TEST

START_TEST(appends_to_what_is_there)
{
	struct buf out = { 0 };

	buf_add(&out, "before", 6);
	ck_assert(canon_request(WEIR_SIGNAL_LOGS, (const uint8_t *)"\x0a\0", 2,
				&out));
	ck_assert_uint_eq(out.len, 8);
	ck_assert_mem_eq(out.ptr, "before\x0a\0", 8);
	buf_release(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core/canon");
	TCase *tc = tcase_create("canon");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, keeps_the_meaning_of_odd_requests);
	tcase_add_test(tc, leaves_canonical_requests_as_they_are);
	tcase_add_loop_test(tc, edge_of_canonical_form, 0,
			    sizeof(edges) / sizeof(*edges));
	tcase_add_test(tc, widens_lengths_of_mended_text);
	tcase_add_test(tc, appends_to_what_is_there);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
