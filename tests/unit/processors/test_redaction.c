/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The redaction processor: keys, values, bodies, summaries.  The rows were
 * compared with the Collector; rows with keys of our own have no counterpart.
 */
#include "attr_case.h"

#define ALL "allow_all_keys: true\n"
#define MD5_A "0cc175b9c0f1b6a831c399e269772661"
#define MD5_EMPTY "d41d8cd98f00b204e9800998ecf8427e"

static const struct {
	const char *why, *yaml, *record, *want;
} attributes[] = {
	{ "no list removes everything", "", "a=s:1 b=i:2", "record{}" },
	{ "allowed keys stay", "allowed_keys: [a, c]", "a=s:1 b=i:2 c=i:3",
	  "record{a=s:1 c=i:3}" },
	{ "every copy of a key goes", "allowed_keys: [a]", "b=s:1 a=i:2 b=i:3",
	  "record{a=i:2}" },
	{ "ignored keys stay", "ignored_keys: [b]\nblocked_values: ['2']",
	  "a=s:2 b=s:2", "record{b=s:2}" },
	{ "ignored patterns, too", "ignored_key_patterns: [^x]",
	  "a=s:2 xb=s:2", "record{xb=s:2}" },
	{ "nothing configured, nothing done", ALL, "a=s:1", "record{a=s:1}" },
	{ "a blocked key is masked", ALL "blocked_key_patterns: [oken]",
	  "token=s:abc a=s:abc", "record{token=s:**** a=s:abc}" },
	{ "by words", ALL "blocked_key_patterns: [^(token|api_key)$]",
	  "token=s:abc api_key=s:x tokens=s:y",
	  "record{token=s:**** api_key=s:**** tokens=s:y}" },
	{ "its empty value, too", ALL "blocked_key_patterns: [token]",
	  "token=s:", "record{token=s:****}" },
	{ "line by line", ALL "blocked_key_patterns: [token]",
	  "token=s:a\nb\n", "record{token=s:****\n****\n****}" },
	{ "an int becomes a string", ALL "blocked_key_patterns: [token]",
	  "token=i:5", "record{token=s:****}" },
	{ "a map, too", ALL "blocked_key_patterns: [token]",
	  "token=m{a=i:5}", "record{token=s:****}" },
	{ "every match of a value pattern", ALL "blocked_values: ['4[0-9]{3}']",
	  "a=s:x4111y4222z b=s:4x", "record{a=s:x****y****z b=s:4x}" },
	{ "later patterns see the stars", ALL
	  "blocked_values: ['4[0-9]{3}', '\\*+y']", "a=s:x4111y",
	  "record{a=s:x****}" },
	{ "numbers are not looked at", ALL "blocked_values: ['4111']",
	  "a=i:4111 b=d:4111.5", "record{a=i:4111 b=d:4111.5}" },
	{ "but with redact_all_types", ALL "redact_all_types: true\n"
	  "blocked_values: ['4111']", "a=i:4111 b=d:4111.5 c=i:5",
	  "record{a=s:**** b=s:****.5 c=i:5}" },
	{ "then maps by their JSON", ALL "redact_all_types: true\n"
	  "blocked_values: ['4111']", "a=m{k=s:4111}",
	  "record{a=s:{\"k\":\"****\"}}" },
	{ "where none are null, and line separators are escaped", ALL
	  "redact_all_types: true\nblocked_values: ['null', '2028']",
	  "a=l[y:,s:\xe2\x80\xa8,e:]",
	  "record{a=s:[****,\"\\u****\",****]}" },
	{ "as often as there are four digits, whatever they are", ALL
	  "blocked_values: ['[0-9]{4}']", "a=s:11112222x333",
	  "record{a=s:********x333}" },
	{ "maps are not looked into", ALL "blocked_values: ['4111']\n"
	  "blocked_key_patterns: [token]", "a=m{k=s:4111,token=s:x}",
	  "record{a=m{k=s:4111,token=s:x}}" },
	{ "allowed values stay", ALL "blocked_values: ['[0-9]+']\n"
	  "allowed_values: ['@ok']", "a=s:12@ok b=s:12",
	  "record{a=s:12@ok b=s:****}" },
	{ "also under blocked keys", ALL "blocked_key_patterns: [token]\n"
	  "allowed_values: ['ok']", "token=s:ok", "record{token=s:ok}" },
	{ "md5", ALL "blocked_values: [a]\nhash_function: MD5", "k=s:xa",
	  "record{k=s:x" MD5_A "}" },
	{ "md5 of each line", ALL "blocked_key_patterns: [k]\n"
	  "hash_function: md5", "k=s:a\na",
	  "record{k=s:" MD5_A "\n" MD5_A "}" },
	{ "md5 of a number is that of nothing", ALL
	  "blocked_key_patterns: [k]\nhash_function: md5", "k=i:5",
	  "record{k=s:" MD5_EMPTY "}" },
	{ "sha1", ALL "blocked_values: [a]\nhash_function: sha1", "k=s:a",
	  "record{k=s:86f7e437faa5a7fce15d1ddcb9eaeaea377667b8}" },
	{ "sha3", ALL "blocked_values: [a]\nhash_function: sha3", "k=s:a",
	  "record{k=s:80084bf2fba02475726feb2cab2d8215eab14bc6bdd8bfb2c8151257"
	  "032ecd8b}" },
	{ "hmac-sha256", ALL "blocked_values: [a]\n"
	  "hash_function: hmac-sha256\n"
	  "hmac_key: 0123456789abcdef0123456789abcdef", "k=s:a",
	  "record{k=s:aa2187723645a252148bbf3aad0e20d4c3a2861235bb65a264967af9"
	  "d46faec2}" },
	/* summaries */
	{ "info counts", "allowed_keys: [a, b, c]\nsummary: info\n"
	  "ignored_keys: [i]\nblocked_values: ['4']\nallowed_values: [ok]",
	  "a=s:4 x=s:1 y=s:2 b=s:ok i=s:4 c=s:7",
	  "record{a=s:**** b=s:ok i=s:4 c=s:7 redaction.redacted.count=i:2 "
	  "redaction.masked.count=i:1 redaction.allowed.count=i:1 "
	  "redaction.ignored.count=i:1}" },
	{ "debug names", "allowed_keys: [a, b, c]\nsummary: debug\n"
	  "blocked_values: ['4']", "c=s:4 y=s:1 x=s:2 a=s:4",
	  "record{c=s:**** a=s:**** redaction.redacted.keys=s:x,y "
	  "redaction.redacted.count=i:2 redaction.masked.keys=s:a,c "
	  "redaction.masked.count=i:2}" },
	{ "nothing done, nothing told", ALL "summary: debug\n"
	  "blocked_values: ['4']", "a=s:1", "record{a=s:1}" },
	{ "any other word is silent", ALL "summary: loud\n"
	  "blocked_values: ['4']", "a=s:4", "record{a=s:****}" },
	{ "a summary is continued", ALL "summary: debug\n"
	  "blocked_values: ['4']",
	  "b=s:4 redaction.masked.keys=s:z,a redaction.masked.count=i:2",
	  "record{b=s:**** redaction.masked.keys=s:a,b,z "
	  "redaction.masked.count=i:3}" },
	{ "an allow-list lets the first summary pass", "allowed_keys: [a]",
	  "a=s:1 redaction.masked.keys=s:z redaction.allowed.count=i:2",
	  "record{a=s:1 redaction.masked.keys=s:z}" },
	{ "ignored keys count without anything else", ALL "summary: info\n"
	  "ignored_keys: [i]", "i=s:1", "record{i=s:1 "
	  "redaction.ignored.count=i:1}" },
	/* ours */
	{ "blocked keys may be deleted", ALL "blocked_key_action: delete\n"
	  "blocked_key_patterns: [token]\nsummary: debug", "token=s:a b=s:c",
	  "record{b=s:c redaction.redacted.keys=s:token "
	  "redaction.redacted.count=i:1}" },
	{ "all levels look into maps and lists", ALL "levels: all\n"
	  "blocked_values: ['4111']\nblocked_key_patterns: [^token$]\n"
	  "summary: debug",
	  "a=m{k=s:4111,token=s:x,n=i:4111} b=l[s:4111,m{token=i:1},s:y]",
	  "record{a=m{k=s:****,token=s:****,n=i:4111} "
	  "b=l[s:****,m{token=s:****},s:y] "
	  "redaction.masked.keys=s:a.k,a.token,b.[0],b.[1].token "
	  "redaction.masked.count=i:4}" },
	{ "and may delete there", ALL "levels: all\n"
	  "blocked_key_action: delete\nblocked_key_patterns: [token]",
	  "a=m{token=s:x,b=i:1}", "record{a=m{b=i:1}}" },
	{ "and look at bytes as they are", ALL "levels: all\n"
	  "blocked_values: ['4111']", "a=y:x4111y b=y:ok",
	  "record{a=y:x****y b=y:ok}" },
};

START_TEST(redacts_attributes)
{
	static const enum weir_signal signals[] = {
		WEIR_SIGNAL_TRACES, WEIR_SIGNAL_LOGS, WEIR_SIGNAL_METRICS,
	};
	struct request r = { .record = attributes[_i].record };

	for (size_t i = 0; i < 3; i++)
		expect_case("redaction", attributes[_i].yaml, signals[i], &r,
			    attributes[_i].want);
}
END_TEST

/* --- Bodies ------------------------------------------------------------------------ */

static const struct {
	const char *why, *yaml, *record, *body, *want;
} bodies[] = {
	{ "a text", ALL "blocked_values: ['4111']", "a=s:1", "s:x4111",
	  "record{a=s:1} body=s:x****" },
	{ "a number by its string form", ALL "blocked_values: ['4111']",
	  "a=s:1", "i:4111", "record{a=s:1} body=s:****" },
	{ "is told under the key body", ALL "blocked_values: ['4111']\n"
	  "summary: debug", "a=s:1", "s:4111",
	  "record{a=s:1 redaction.body.masked.keys=s:body "
	  "redaction.body.masked.count=i:1} body=s:****" },
	{ "an allowed text is not told", ALL "blocked_values: ['4111']\n"
	  "allowed_values: [ok]\nsummary: debug", "a=s:1", "s:4111ok",
	  "record{a=s:1} body=s:4111ok" },
	{ "keys of a map, at every depth", ALL
	  "blocked_key_patterns: [^token$]\nsummary: debug", "a=s:1",
	  "m{token=s:x,b=m{token=i:1},c=l[m{token=s:y}]}",
	  "record{a=s:1 redaction.body.masked.keys=s:b.token,c.[0].token,token "
	  "redaction.body.masked.count=i:3} "
	  "body=m{token=s:****,b=m{token=s:****},c=l[m{token=s:****}]}" },
	{ "a blocked key before an allowed value", ALL
	  "blocked_key_patterns: [^token$]\nallowed_values: [ok]", "a=s:1",
	  "m{token=s:ok}", "record{a=s:1} body=m{token=s:****}" },
	{ "a map under an allow-list", "allowed_keys: [a, b]\n"
	  "summary: debug", "a=s:1", "m{a=s:1,c=s:2,b=m{a=i:1,d=i:2}}",
	  "record{a=s:1 redaction.body.redacted.keys=s:b.d,c "
	  "redaction.body.redacted.count=i:2} "
	  "body=m{a=s:1,b=m{a=i:1}}" },
	{ "a text under an allow-list stays", "allowed_keys: [a]", "a=s:1",
	  "s:x", "record{a=s:1} body=s:x" },
	{ "a list", ALL "blocked_values: ['4111']\nsummary: debug", "a=s:1",
	  "l[s:4111,i:4111,s:x]",
	  "record{a=s:1 redaction.body.masked.keys=s:[0],[1] "
	  "redaction.body.masked.count=i:2} body=l[s:****,s:****,s:x]" },
	{ "ignored and allowed are counted", ALL "blocked_values: ['4']\n"
	  "ignored_keys: [i]\nallowed_values: [ok]\nsummary: info", "a=s:1",
	  "m{i=s:4,b=s:4ok}", "record{a=s:1 redaction.body.allowed.count=i:1 "
	  "redaction.body.ignored.count=i:1} body=m{i=s:4,b=s:4ok}" },
	{ "a pattern of the empty text masks numbers", ALL
	  "blocked_values: ['^$']", "a=i:5 b=s:x", "s:x",
	  "record{a=s:**** b=s:x} body=s:x" },
	{ "an absent body matches the empty text", ALL
	  "blocked_values: ['^$']", "a=s:1", NULL,
	  "record{a=s:1} body=s:****" },
};

START_TEST(redacts_bodies)
{
	struct request r = { .record = bodies[_i].record,
			     .body = bodies[_i].body };

	expect_case("redaction", bodies[_i].yaml, WEIR_SIGNAL_LOGS, &r,
		    bodies[_i].want);
}
END_TEST

/* --- Levels -------------------------------------------------------------------------- */

START_TEST(looks_where_the_collector_looks)
{
	struct request r = { .resource = "a=s:4111", .scope = "a=s:4111",
			     .record = "a=s:4111", .event = "a=s:4111",
			     .link = "a=s:4111", .name = "4111",
			     .status = "4111", .trace_state = "k=4111" };

	expect_case("redaction", ALL "blocked_values: ['4111']",
		    WEIR_SIGNAL_TRACES, &r,
		    "resource{a=s:****} scope{a=s:****} record{a=s:****} "
		    "name=4111 status=4111 trace_state=k=4111 "
		    "event{a=s:****} link{a=s:4111}");
	expect_case("redaction", "", WEIR_SIGNAL_TRACES, &r,
		    "resource{} scope{} record{} name=4111 status=4111 "
		    "trace_state=k=4111 event{} link{a=s:4111}");
}
END_TEST

START_TEST(looks_everywhere_when_asked)
{
	struct request r = { .resource = "a=s:4111", .scope = "a=s:4111",
			     .record = "a=s:4111", .event = "a=s:4111",
			     .link = "a=s:4111", .name = "x 4111",
			     .status = "4111 failed", .trace_state = "k=4111" };

	expect_case("redaction", ALL "levels: all\nblocked_values: ['4111']",
		    WEIR_SIGNAL_TRACES, &r,
		    "resource{a=s:****} scope{a=s:****} record{a=s:****} "
		    "name=x **** status=**** failed trace_state=k=**** "
		    "event{a=s:****} link{a=s:****}");
}
END_TEST

START_TEST(finds_what_is_only_in_a_text_field)
{
	struct request r = { .record = "a=s:1", .name = "GET /4111" };

	expect_case("redaction", ALL "levels: all\nblocked_values: ['4111']",
		    WEIR_SIGNAL_TRACES, &r, "record{a=s:1} name=GET /****");
}
END_TEST

/* --- What is refused ------------------------------------------------------------------ */

static const struct {
	const char *yaml, *path, *sentence;
} refused[] = {
	{ "hash_function: CRC32", "hash_function",
	  "unknown HashFunction crc32, allowed functions are sha1, sha3, md5, "
	  "hmac-sha256 and hmac-sha512" },
	{ "hash_function: hmac-sha256", "hmac_key",
	  "hmac_key must not be empty when hash_function is \"hmac-sha256\"" },
	{ "hash_function: HMAC-SHA256\nhmac_key: abc", "hmac_key",
	  "hmac_key must be at least 32 bytes long for \"hmac-sha256\", got 3 "
	  "bytes" },
	{ "hash_function: hmac-sha512\n"
	  "hmac_key: 0123456789abcdef0123456789abcdef", "hmac_key",
	  "hmac_key must be at least 64 bytes long for \"hmac-sha512\", got "
	  "32 bytes" },
	{ "blocked_values: [a, 'b(']", "blocked_values[1]",
	  "error creating a redaction processor: failed to process block "
	  "list: error compiling regex in list: error parsing regexp: missing "
	  "closing ): `b(`" },
	{ "ignored_key_patterns: ['b(']", "ignored_key_patterns[0]",
	  "error creating a redaction processor: failed to process ignore "
	  "keys list: error compiling regex in list: error parsing regexp: "
	  "missing closing ): `b(`" },
	{ "blocked_key_patterns: ['b(']", "blocked_key_patterns[0]",
	  "error creating a redaction processor: failed to process block keys "
	  "list: error compiling regex in list: error parsing regexp: missing "
	  "closing ): `b(`" },
	{ "allowed_values: ['b(']", "allowed_values[0]",
	  "error creating a redaction processor: failed to process allow "
	  "list: error compiling regex in list: error parsing regexp: missing "
	  "closing ): `b(`" },
};

START_TEST(refuses)
{
	expect_refused("redaction", refused[_i].yaml, WEIR_TRACES,
		       refused[_i].path, refused[_i].sentence);
}
END_TEST

START_TEST(a_sanitizer_that_is_off_does_nothing)
{
	struct request r = { .record = "a=s:1" };

	expect_case("redaction", ALL "url_sanitizer: {attributes: [a], "
		    "sanitize_span_name: false}\n"
		    "db_sanitizer: {sql: {attributes: [a]}, mongo: {enabled: "
		    "false}, sanitize_span_name: true}",
		    WEIR_SIGNAL_TRACES, &r, "record{a=s:1}");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("processors/redaction");
	TCase *c = tcase_create("redaction");
	SRunner *r = srunner_create(s);
	int failed;

	EACH(redacts_attributes, attributes);
	EACH(redacts_bodies, bodies);
	EACH(refuses, refused);
	tcase_add_test(c, looks_where_the_collector_looks);
	tcase_add_test(c, looks_everywhere_when_asked);
	tcase_add_test(c, finds_what_is_only_in_a_text_field);
	tcase_add_test(c, a_sanitizer_that_is_off_does_nothing);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
