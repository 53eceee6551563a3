/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The redaction processor's URL and query sanitizers: in log bodies, where
 * every text is tried, in attributes, and in names of spans.  The rows were
 * compared with the Collector, but for those that say "ours".
 */
#include "attr_case.h"

#define ALL "allow_all_keys: true\n"
#define URL ALL "url_sanitizer: {enabled: true, attributes: [u]}\n"
#define DB(system) ALL "db_sanitizer: {" system ": {enabled: true, " \
	"attributes: [q]}}\n"

/* --- Texts ---------------------------------------------------------------------- */

struct row {
	const char *body, *want;
};

static const struct row urls[] = {
	{ "/", "/" },
	{ "//", "//" },
	{ "/users/42", "/users/*" },
	{ "/users/123/fdklsd", "/users/*/*" },
	{ "/users/fdklsd/j4elk/23993/job/2", "/users/*/j4elk/*/job/*" },
	{ "/v1/products/22?x=1", "/v1/products/*" },
	{ "/v1/products/22j", "/v1/products/*" },
	{ "http://host:80/users/42", "*//*/users/*" },
	{ "/a/b/c/d/e/f/g/h/i/j/k", "/a/b/c/d/e/f/g/h/i" },
	{ "GET /user_space/", "GET /user_space/" },
	{ "/api/hello.world", "/api/hello.world" },
	{ "/login#top", "/login" },
	{ "/tenants/acme&x=1", "/tenants/acme" },
	{ "/users/fdklsd?x", "/users/fdklsd" },
	{ "123", "*" },
	{ "card 4111", "*" },
	{ "plain words here", "plain words here" },
	{ "/caf\xc3\xa9/menu", "/*/menu" },
};

static const struct row sqls[] = {
	{ "SELECT a FROM t1 WHERE x = 'bob' AND y IN (1,2) -- c",
	  "SELECT a FROM t? WHERE x = ? AND y IN (?,?) -- c" },
	{ "SELECT 'it''s'", "SELECT ??" },
	{ "SELECT 'a\\'b' , 2", "SELECT ? , ?" },
	{ "UPDATE t SET a=-3.5, b=True WHERE c is NULL",
	  "UPDATE t SET a=-?, b=? WHERE c is ?" },
	{ "a -3", "a ?" },
	{ "x + 0x1F + 1e-5 + .5", "x + ? + ? + .?" },
	{ "VALUES ($1, :name, @p, @@v, ?)", "VALUES (?, :name, @p, @@v, ?)" },
	{ "SELECT $a$secret 1$a$, b", "SELECT ?, b" },
	{ "$func$SELECT 'x', 1$func$", "$func$SELECT ?, ?$func$" },
	{ "SELECT 'never ends", "SELECT ?" },
	{ "SELECT \"a1\".\"b\" /* 7 */", "SELECT \"a?\".\"b\" /* 7 */" },
	{ "md5(1) t12x3", "md5(?) t?x?" },
	{ "a->>'k' #> 'x'", "a->>? #> ?" },
	{ "nullable true_x falsehood", "nullable true_x falsehood" },
	{ "  SELECT 1  ", "SELECT ?" },
	/* ours: the Collector leaves what follows a $ that nothing closes */
	{ "SELECT $a secret", "SELECT ?" },
};

static const struct row redises[] = {
	{ "SET key val", "SET key ?" },
	{ "set  key   val EX 5", "set key ? EX 5" },
	{ "GET key", "GET key" },
	{ "AUTH user pw", "AUTH ?" },
	{ "HSET h f v g w", "HSET h f ? g ?" },
	{ "MSET a 1 b 2", "MSET a ? b ?" },
	{ "LPUSH l 1 2 3", "LPUSH l ?" },
	{ "GEOADD k 1.5 2.5 m 3 4 n", "GEOADD k 1.5 2.5 ? 3 4 ?" },
	{ "ZADD k NX CH 1 m 2 n", "ZADD k NX CH 1 ? 2 ?" },
	{ "CONFIG SET p v", "CONFIG SET p ?" },
	{ "CONFIG GET p v", "CONFIG GET p v" },
	{ "BITFIELD k SET u8 0 7 GET u8 0", "BITFIELD k SET u8 0 ? GET u8 0" },
	{ "LINSERT k BEFORE p v", "LINSERT k BEFORE p ?" },
	{ "SETEX k 5 v", "SETEX k 5 ?" },
	{ "SET k \"a b \\\" c\" EX 1", "SET k ? EX 1" },
	{ "GET a\n \nSET b c\n", "GET a\nSET b ?" },
};

static const struct row memcacheds[] = {
	{ "set key 0 60 5\r\nhello\r\n", "set key 0 60 5" },
	{ "get a b ", "get a b" },
	{ "\xe2\x80\xa8get a\xe3\x80\x80", "get a" },
};

static const struct row mongos[] = {
	{ "{\"find\":\"c\",\"l\":[1, 2]}",
	  "{\"find\":\"?\",\"l\":[\"?\",\"?\"]}" },
	{ " {\"a\" : {\"b\\u0041\": null , \"c\":[ ] , \"d\":{ }}}",
	  "{\"a\":{\"b\\u0041\":\"?\",\"c\":[],\"d\":{}}}" },
	{ "[true,false,-1.5e+3,0]", "[\"?\",\"?\",\"?\",\"?\"]" },
	{ "42 ", "\"?\" " },
	{ "\"x\"", "\"?\"" },
	{ "{\"a\":", "{\"a\":" },
	{ "{\"a\":1}}", "{\"a\":1}}" },
	{ "{\"a\":01}", "{\"a\":01}" },
	{ "{\"a\":1,}", "{\"a\":1,}" },
	{ "[1 2]", "[1 2]" },
	{ "{a:1}", "{a:1}" },
	{ "[\"\\x\"]", "[\"\\x\"]" },
	{ "[\"\\u12\"]", "[\"\\u12\"]" },
	{ "nul", "nul" },
	{ "plain", "plain" },
};

static void expect_body(const char *yaml, const struct row *row)
{
	char body[8192], want[8192];
	struct request r = { .record = "a=i:1", .body = body };

	snprintf(body, sizeof(body), "s:%s", row->body);
	snprintf(want, sizeof(want), "record{a=i:1} body=s:%s", row->want);
	expect_case("redaction", yaml, WEIR_SIGNAL_LOGS, &r, want);
}

START_TEST(ids_in_urls_become_stars)
{
	expect_body(URL, &urls[_i]);
}
END_TEST

START_TEST(literals_in_sql_become_question_marks)
{
	expect_body(DB("sql"), &sqls[_i]);
}
END_TEST

START_TEST(values_in_redis_commands_do)
{
	expect_body(DB("redis"), &redises[_i]);
	expect_body(DB("valkey"), &redises[_i]);
}
END_TEST

START_TEST(of_memcached_the_command_stays)
{
	expect_body(DB("memcached"), &memcacheds[_i]);
}
END_TEST

START_TEST(scalars_in_json_queries_do)
{
	expect_body(DB("mongo"), &mongos[_i]);
	expect_body(DB("opensearch"), &mongos[_i]);
	expect_body(DB("es"), &mongos[_i]);
}
END_TEST

/* Its nesting is counted, not recursed into. */
START_TEST(json_may_be_nested_deeply)
{
	enum { DEPTH = 3000 };
	char deep[2 * DEPTH + 2] = "", want[2 * DEPTH + 4] = "";
	struct row row = { deep, want };

	memset(deep, '[', DEPTH);
	memset(want, '[', DEPTH);
	strcpy(deep + DEPTH, "1");
	strcpy(want + DEPTH, "\"?\"");
	memset(deep + DEPTH + 1, ']', DEPTH);
	memset(want + DEPTH + 3, ']', DEPTH);
	expect_body(DB("mongo"), &row);
	deep[2 * DEPTH] = 0;	/* one is not closed */
	row.want = deep;
	expect_body(DB("mongo"), &row);
}
END_TEST

/* --- Which text ---------------------------------------------------------------------- */

static const struct {
	const char *why, *yaml, *record, *want;
} attributes[] = {
	{ "only listed attributes are URLs", URL, "u=s:/x/42 v=s:/x/42",
	  "record{u=s:/x/* v=s:/x/42}" },
	{ "and only strings", URL, "u=i:42", "record{u=i:42}" },
	{ "a masked part is no word", URL "blocked_values: [y]", "u=s:/xy/a",
	  "record{u=s:/*/a}" },
	{ "it is told", URL "summary: debug", "u=s:/x/42",
	  "record{u=s:/x/* redaction.masked.keys=s:u "
	  "redaction.masked.count=i:1}" },
	{ "an allowed value stays", URL "allowed_values: ['42']", "u=s:/x/42",
	  "record{u=s:/x/42}" },
	{ "a query needs its system", DB("sql"), "q=s:a=1", "record{q=s:a=1}" },
	{ "in either attribute", DB("sql"), "db.system=s:MySQL q=s:a=1",
	  "record{db.system=s:MySQL q=s:a=?}" },
	{ "the newer one first", DB("sql"),
	  "db.system=s:mysql db.system.name=s:redis q=s:a=1",
	  "record{db.system=s:mysql db.system.name=s:redis q=s:a=1}" },
	{ "an unknown system is none", DB("sql"), "db.system=s:oracle q=s:a=1",
	  "record{db.system=s:oracle q=s:a=1}" },
	{ "a system that is removed still counts", "allowed_keys: [q]\n"
	  "db_sanitizer: {sql: {enabled: true, attributes: [q]}}",
	  "db.system=s:sqlite q=s:a=1", "record{q=s:a=?}" },
	{ "es touches no attribute", DB("es"), "db.system=s:elasticsearch "
	  "q=s:[1]", "record{db.system=s:elasticsearch q=s:[1]}" },
	{ "other keys are no queries", DB("mongo"), "db.system=s:mongodb "
	  "p=s:[1] q=s:[1]", "record{db.system=s:mongodb p=s:[1] q=s:[\"?\"]}" },
	/* ours: the Collector takes MySQL's strings for names here */
	{ "MySQL has strings in double quotes", DB("sql"),
	  "db.system=s:mysql q=s:a=\"x\"", "record{db.system=s:mysql q=s:a=?}" },
};

START_TEST(sanitizes_attributes)
{
	struct request r = { .record = attributes[_i].record };

	expect_case("redaction", attributes[_i].yaml, WEIR_SIGNAL_TRACES, &r,
		    attributes[_i].want);
}
END_TEST

START_TEST(a_log_without_a_system_goes_through_all)
{
	struct request r = { .record = "q=s:[1] db.system=s:oracle" };
	struct request none = { .record = "q=s:[1]" };

	expect_case("redaction", DB("mongo"), WEIR_SIGNAL_LOGS, &r,
		    "record{q=s:[1] db.system=s:oracle}");
	expect_case("redaction", DB("mongo"), WEIR_SIGNAL_LOGS, &none,
		    "record{q=s:[\"?\"]}");
}
END_TEST

enum { INTERNAL = 1, SERVER = 2, CLIENT = 3, PRODUCER = 4 };

static const struct {
	const char *why, *yaml, *record, *name;
	int kind;
	const char *want;
} names[] = {
	{ "of servers", URL, "a=i:1", "GET /users/42", SERVER,
	  "GET /users/*" },
	{ "of clients", URL, "a=i:1", "/users/42", CLIENT, "/users/*" },
	{ "of no others", URL, "a=i:1", "/users/42", PRODUCER, "/users/42" },
	{ "with a slash", URL, "a=i:1", "load 42", SERVER, "load 42" },
	{ "or an attribute of HTTP", URL, "http.route=s:x", "a?b=1", SERVER,
	  "a" },
	{ "not when nothing would be left", URL, "a=i:1", "/42/43", SERVER,
	  "/42/43" },
	{ "not when allowed", URL "allowed_values: [users]", "a=i:1",
	  "/users/42", SERVER, "/users/42" },
	{ "not when switched off", ALL "url_sanitizer: {enabled: true, "
	  "sanitize_span_name: false}", "a=i:1", "/users/42", SERVER,
	  "/users/42" },
	{ "queries of a known system", DB("sql"), "db.system=s:mysql",
	  "SELECT 1", INTERNAL, "SELECT ?" },
	{ "of no other kind", DB("sql"), "db.system=s:mysql", "SELECT 1",
	  PRODUCER, "SELECT 1" },
	{ "of no other system", DB("redis"), "db.system=s:mysql", "SELECT 1",
	  CLIENT, "SELECT 1" },
	{ "also for es", DB("es"), "db.system=s:elasticsearch", "[1]", CLIENT,
	  "[\"?\"]" },
	{ "an empty result is none", DB("memcached"), "db.system=s:memcached",
	  "\r\nx", CLIENT, "\r\nx" },
};

START_TEST(sanitizes_names)
{
	struct request r = { .record = names[_i].record,
			     .name = names[_i].name, .kind = names[_i].kind };
	char want[256];

	snprintf(want, sizeof(want), "record{%s} name=%s", names[_i].record,
		 names[_i].want);
	expect_case("redaction", names[_i].yaml, WEIR_SIGNAL_TRACES, &r, want);
}
END_TEST

START_TEST(a_database_that_nobody_knows_is_refused)
{
	expect_refused("redaction", "db_sanitizer: {mongodb: {enabled: true}}",
		       WEIR_TRACES, "db_sanitizer",
		       "unknown key \"mongodb\"; did you mean \"mongo\"?");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("processors/redaction: sanitizers");
	TCase *c = tcase_create("sanitizers");
	SRunner *r = srunner_create(s);
	int failed;

	EACH(ids_in_urls_become_stars, urls);
	EACH(literals_in_sql_become_question_marks, sqls);
	EACH(values_in_redis_commands_do, redises);
	EACH(of_memcached_the_command_stays, memcacheds);
	EACH(scalars_in_json_queries_do, mongos);
	tcase_add_test(c, json_may_be_nested_deeply);
	EACH(sanitizes_attributes, attributes);
	tcase_add_test(c, a_log_without_a_system_goes_through_all);
	EACH(sanitizes_names, names);
	tcase_add_test(c, a_database_that_nobody_knows_is_refused);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
