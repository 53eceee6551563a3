/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The detectors by name, and where hits begin and end.  What is found and what
 * survives: the corpora (test_detect_corpus.c).  That no text takes more time
 * than its length allows: test_redaction_steps.c.
 */
#include "detect_corpus.h"

#define N(table) (int)(sizeof(table) / sizeof(*table))

/* --- Names ------------------------------------------------------------------------ */

static const struct name_case {
	const char *name, *want;
} wrong_names[] = {
	{ "emial", "unknown detector \"emial\"; did you mean \"email\"?" },
	{ "Email", "unknown detector \"Email\"; did you mean \"email\"?" },
	{ "credential", "unknown detector \"credential\"; did you mean "
	  "\"credentials\"?" },
	{ "paymentcard", "unknown detector \"paymentcard\"; did you mean "
	  "\"payment_card\"?" },
	{ "private-key", "unknown detector \"private-key\"; did you mean "
	  "\"private_key\"?" },
	{ "llm_keys", "unknown detector \"llm_keys\"; did you mean "
	  "\"llm_key\"?" },
	{ "", "unknown detector \"\"; there are email, payment_card, iban, "
	  "jwt, private_key, credentials, cloud_key and llm_key" },
	{ "ssn", "unknown detector \"ssn\"; there are email, payment_card, "
	  "iban, jwt, private_key, credentials, cloud_key and llm_key" },
	{ "a_name_that_is_longer_than_any_detector_has", "unknown detector "
	  "\"a_name_that_is_longer_than_any_detector_has\"; there are email, "
	  "payment_card, iban, jwt, private_key, credentials, cloud_key and "
	  "llm_key" },
};

START_TEST(an_unknown_name_is_refused_with_the_nearest_one)
{
	const struct name_case *c = &wrong_names[_i];
	weir_str names[] = { WEIR_STR("jwt"), weir_str_of(c->name) };
	struct weir_strs list = { names, 2 };
	struct weir_error error = { 0 };
	struct detectors d;

	ck_assert_int_eq(detectors_init(&d, list, &error), -1);
	ck_assert_str_eq(error.text, c->want);
	ck_assert_str_eq(error.path, "detectors[1]");
}
END_TEST

START_TEST(without_detectors_nothing_is_found)
{
	weir_str text = WEIR_STR("password=hunter2 bob@mail.example");
	struct weir_error error;
	struct detectors d;
	struct detected hit;

	ck_assert_int_eq(detectors_init(&d, (struct weir_strs){ NULL, 0 },
					&error), 0);
	ck_assert(!detect_any(&d, text));
	ck_assert(!detect_from(&d, text, 0, &hit));
}
END_TEST

START_TEST(a_detector_that_is_off_finds_nothing)
{
	static const char *const secrets[DETECTORS] = {
		"bob@mail.example", "%{card:4:16}", "%{iban:DE}", "%{jwt}",
		"-----BEGIN PRIVATE%{= KEY}-----x", "password=hunter2",
		"npm_%{A-Za-z0-9:36}", "hf_%{A-Za-z0-9:34}",
	};

	for (unsigned on = 0; on < DETECTORS; on++) {
		struct detectors d = detectors_of(detector_name(on));

		for (unsigned i = 0; i < DETECTORS; i++) {
			struct corpus_text t = { .len = 0 };

			corpus_line(&t, secrets[i], i);
			ck_assert_msg(detect_any(&d, (weir_str){ t.text,
						 t.len }) == (i == on),
				      "%s and %s", detector_name(on),
				      secrets[i]);
		}
	}
}
END_TEST

/* --- Edges ------------------------------------------------------------------------ */

START_TEST(an_empty_text_has_nothing)
{
	struct detectors d = detectors_of(NULL);
	struct detected hit;

	ck_assert(!detect_any(&d, (weir_str){ NULL, 0 }));
	ck_assert(!detect_from(&d, (weir_str){ NULL, 0 }, 0, &hit));
	ck_assert(!detect_from(&d, WEIR_STR("x"), 1, &hit));
	ck_assert(!detect_from(&d, WEIR_STR("x"), 7, &hit));
}
END_TEST

START_TEST(basic_credentials_may_have_any_character_of_UTF_8)
{
	static const struct { const char *text; bool found; } cases[] = {
		{ "Basic dXNlcjpww6Rzc3fDtnJ0", true },	/* user:pässwört */
		{ "Basic asO8cmdlbjp44oKseQ==", true },	/* jürgen:x€y */
		{ "Basic dTpww6k=", true },		/* u:pé */
		{ "Basic dXNlcjpw5HNzd/ZydA==", true },	/* in ISO 8859-1 */
		{ "Basic YTrDKA==", true },		/* a:\xc3( */
		{ "Basic w6TDOmE=", false },		/* \xc3\xa4\xc3:a */
		{ "Basic YTp/Yg==", false },		/* a:\x7fb */
		{ "Basic YTqAYg==", false },		/* a:\x80b */
		{ "Basic understanding", false },
	};
	struct detectors d = detectors_of("credentials");

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_msg(detect_any(&d, weir_str_of(cases[i].text)) ==
			      cases[i].found, "%s", cases[i].text);
}
END_TEST

START_TEST(every_beginning_of_a_secret_is_read_within_its_bytes)
{
	static const char *const lines[] = {
		"bob@mail.example", "bob%40mail.example", "%{card:4:4.4.4.4: }",
		"%{iban:DE: }", "%{jwt}", "-----BEGIN RSA PRIVATE%{= KEY}-----",
		"\\\"password\\\":\\\"x\\\"", "Authorization: Basic dTpw",
		"https://u:p@h", "bearer %{A-Za-z0-9:30}", "<token>x</token>",
		"AKIA%{A-Z2-7:16}:%{A-Za-z0-9:40}", "sk-ant-%{A-Za-z0-9:40}",
		"private_key_id: x", "?sig=%{A-Za-z0-9:40}", "%22key%22%3D%22",
	};
	struct detectors d = detectors_of(NULL);

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct corpus_text t = { .len = 0 };

		corpus_line(&t, lines[i], i);
		for (size_t len = 0; len <= t.len; len++)
			for (size_t from = 0; from < len; from++) {
				/* its own memory: a sanitizer sees the end */
				char *copy = malloc(len);
				struct detected hit;

				memcpy(copy, t.text, len);
				if (detect_from(&d, (weir_str){ copy, len },
						from, &hit)) {
					ck_assert_uint_ge(hit.at, from);
					ck_assert_uint_gt(hit.len, 0);
					ck_assert_uint_le(hit.at + hit.len,
							  len);
				}
				free(copy);
			}
	}
}
END_TEST

START_TEST(zeros_and_bytes_that_are_no_text_are_read_over)
{
	struct detectors d = detectors_of(NULL);
	static const char text[] = "\0\xff\xfe password=hunter2\0 \x80@\0"
		"bob@mail.example\0";
	struct detected hit;

	ck_assert(detect_from(&d, (weir_str){ text, sizeof(text) }, 0, &hit));
	ck_assert_int_eq(hit.what, DETECT_CREDENTIALS);
	ck_assert(detect_from(&d, (weir_str){ text, sizeof(text) },
			      hit.at + hit.len, &hit));
	ck_assert_int_eq(hit.what, DETECT_EMAIL);
}
END_TEST

/* What is before `from` surrounds: the rest of a word does not begin one. */
START_TEST(what_is_before_the_beginning_counts_as_surroundings)
{
	struct detectors d = detectors_of("payment_card");
	weir_str text = WEIR_STR("94111111111111111");
	struct detected hit;

	ck_assert(!detect_from(&d, text, 1, &hit));
	ck_assert(detect_from(&d, (weir_str){ text.ptr + 1, text.len - 1 }, 0,
			      &hit));
}
END_TEST

/* A window that reaches over the beginning: all ways to scan once differed. */
static const struct {
	const char *why, *text;
	size_t from, at, len;	/* len 0: nothing is found */
} straddling[] = {
	{ "a name's first letter is before", "pwd=hunter2", 1, 4, 7 },
	{ "its last is", "pwd=hunter2", 3, 4, 7 },
	{ "behind other text, too", "see key: the pwd=hunter2", 15, 17, 7 },
	{ "the mark of a mailbox is behind it", "bob@mail.example", 3, 0, 0 },
	{ "a part of a user is", "bob@mail.example", 1, 1, 15 },
	{ "half an id", "AKIAIOSFODNN7EXAMPLE", 2, 0, 0 },
	{ "half a token", "eyJhbGciOiJub25lIn0.eyJzdWIiOjF9.", 1, 0, 0 },
	{ "half a number", "DE89370400440532013000", 2, 0, 0 },
	{ "half a URL's password", "ftp://u:hunter2@host", 10, 10, 5 },
};

START_TEST(a_window_over_the_beginning_is_seen_by_every_scan)
{
	static const enum detect_scan scans[] = {
		SCAN_WIDE, SCAN_VECTORS, SCAN_TABLES, SCAN_EVERYWHERE
	};
	weir_str text = weir_str_of(straddling[_i].text);

	for (int i = 0; i < N(scans); i++) {
		struct detectors d = detectors_of("email iban jwt credentials "
						  "cloud_key");
		struct detected hit = { .len = 0 };

		if (scans[i] > d.scan)	/* that was the fastest */
			d.scan = scans[i];
		ck_assert_msg(detect_from(&d, text, straddling[_i].from, &hit)
			      == !!straddling[_i].len &&
			      hit.len == straddling[_i].len &&
			      (!hit.len || hit.at == straddling[_i].at),
			      "%s: scan %d: %zu bytes at %zu",
			      straddling[_i].why, i, hit.len, hit.at);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/redaction/detect");
	TCase *tests = tcase_create("detect");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests,
			    an_unknown_name_is_refused_with_the_nearest_one,
			    0, N(wrong_names));
	tcase_add_test(tests, without_detectors_nothing_is_found);
	tcase_add_test(tests, a_detector_that_is_off_finds_nothing);
	tcase_add_test(tests, an_empty_text_has_nothing);
	tcase_add_test(tests,
		       basic_credentials_may_have_any_character_of_UTF_8);
	tcase_add_test(tests,
		       every_beginning_of_a_secret_is_read_within_its_bytes);
	tcase_add_test(tests,
		       zeros_and_bytes_that_are_no_text_are_read_over);
	tcase_add_test(tests,
		       what_is_before_the_beginning_counts_as_surroundings);
	tcase_add_loop_test(tests,
			    a_window_over_the_beginning_is_seen_by_every_scan,
			    0, N(straddling));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
